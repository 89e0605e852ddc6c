#include "runtime/pinned.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "core/error.h"
#include "runtime/graph.h"
#include "runtime/stream.h"

namespace tl::cuda {
namespace {

constexpr size_t kSmallest = 4096;

struct Block {
  char* data;
  size_t size;
  bool live = false;
  int held = 0;  // by graphs
  std::set<std::pair<int, Stream>> users;
  std::vector<Event> events;  // behind what used it, once it is free
};

struct Pool {
  std::mutex mutex;
  std::map<uintptr_t, Block> blocks;             // by address
  std::map<size_t, std::vector<Block*>> unused;  // by size; their events may still be ahead
  std::vector<Block*> postponed;                 // freed while a stream was captured
  int64_t bytes = 0;

  Block* at(const void* p) {
    auto address = reinterpret_cast<uintptr_t>(p);
    auto it = blocks.upper_bound(address);
    if (it == blocks.begin()) return nullptr;
    Block& b = std::prev(it)->second;
    return address < reinterpret_cast<uintptr_t>(b.data) + b.size ? &b : nullptr;
  }

  bool settled(Block& b, bool wait = false) {
    while (!b.events.empty()) {
      if (wait)
        driver::synchronize_event(b.events.back());
      else if (!driver::query_event(b.events.back()))
        return false;
      driver::destroy_event(b.events.back());
      b.events.pop_back();
    }
    return true;
  }

  void retire(Block* b) {
    if (b->live || b->held) return;
    if (capturing()) return postponed.push_back(b);
    try {
      for (auto [device, stream] : b->users) {
        DeviceScope scope(device);
        Event e = driver::create_event(false);
        driver::record_event(e, stream);
        b->events.push_back(e);
      }
    } catch (const Error&) {
      return;  // the device is broken or gone: nobody knows what it still does there
    }
    b->users.clear();
    unused[b->size].push_back(b);
  }

  void retire_postponed() {
    if (!capturing())
      for (Block* b : std::exchange(postponed, {})) retire(b);
  }

  Block* reused(size_t size) {
    retire_postponed();
    std::vector<Block*>& candidates = unused[size];
    for (size_t i = 0; i < candidates.size(); ++i)
      if (Block* b = candidates[i]; settled(*b)) {
        candidates.erase(candidates.begin() + ptrdiff_t(i));
        return b;
      }
    return nullptr;
  }
};

Pool& pool() {
  static Pool* p = new Pool;
  return *p;
}

}  // namespace

void* allocate_pinned(size_t bytes) {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  size_t size = std::bit_ceil(std::max(bytes, kSmallest));
  Block* b = p.reused(size);
  if (!b) {
    auto* data = static_cast<char*>(driver::malloc_host(size));
    check<OutOfMemoryError>(data, "CUDA could not pin ", size, " bytes of the host's memory");
    b = &p.blocks.emplace(reinterpret_cast<uintptr_t>(data), Block{data, size}).first->second;
    p.bytes += int64_t(size);
  }
  b->live = true;
  return b->data;
}

void free_pinned(void* data) {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  Block* b = p.at(data);
  if (!b || !b->live) return;
  b->live = false;
  p.retire(b);
}

bool hold_pinned(const void* data) {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  Block* b = p.at(data);
  if (b) ++b->held;
  return b;
}

void release_pinned(const void* data, int device, const std::set<Stream>& streams) {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  Block* b = p.at(data);
  for (Stream s : streams) b->users.emplace(device, s);
  --b->held;
  p.retire(b);
}

bool is_pinned(const void* data) {
  Pool& p = pool();
  {
    std::lock_guard lock(p.mutex);
    if (p.at(data)) return true;
  }
  return driver::is_pinned(data);
}

int64_t pinned_bytes() {
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  return p.bytes;
}

void used_by(const void* data, int device, Stream stream) {
  if (Graph* graph = recording(stream)) return graph->keep(data);
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  if (Block* b = p.at(data)) b->users.emplace(device, stream);
}

void copy_staged(void* to, const void* from, size_t bytes, int device, Stream stream) {
  void* staged = allocate_pinned(bytes);
  std::memcpy(staged, from, bytes);
  driver::copy(to, staged, bytes, driver::CopyKind::HostToDevice, stream);
  used_by(staged, device, stream);
  free_pinned(staged);
}

void empty_pinned_cache() {
  if (capturing()) return;
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  p.retire_postponed();
  for (auto& [size, candidates] : p.unused)
    std::erase_if(candidates, [&](Block* b) {
      p.settled(*b, true);
      p.bytes -= int64_t(b->size);
      void* data = b->data;
      p.blocks.erase(reinterpret_cast<uintptr_t>(data));
      driver::free_host(data);
      return true;
    });
}

}  // namespace tl::cuda
