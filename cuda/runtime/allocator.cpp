#include "runtime/allocator.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "runtime/graph.h"
#include "runtime/pinned.h"
#include "runtime/stream.h"

namespace tl::cuda {
namespace {

constexpr size_t kRound = 512;
constexpr size_t kSmall = size_t(1) << 20;  // requests up to this share segments of
constexpr size_t kSmallSegment = size_t(2) << 20;
constexpr size_t kMiddle = size_t(10) << 20;  // and up to this of
constexpr size_t kMiddleSegment = size_t(20) << 20;
constexpr size_t kLargeRound = size_t(2) << 20;  // larger ones have their own, in multiples of this

struct Block {
  int device;
  uint64_t pool;  // of graphs; 0: of everything else
  Stream stream;  // where it was allocated
  char* data;
  size_t size;       // of the block
  size_t requested;  // by its user
  bool small, used;
  Block *previous = nullptr, *next = nullptr;  // neighbours in the segment
  std::vector<std::pair<int, Stream>> others;  // streams of some device that used it
  int pending = 0;                             // events that must pass before it is free
};

struct Smallest {
  bool operator()(const Block* a, const Block* b) const {
    return a->size != b->size ? a->size < b->size : a->data < b->data;
  }
};
using FreeBlocks = std::set<Block*, Smallest>;

struct Pending {
  Event event;
  Block* block;
};

std::string in_units(int64_t bytes) {
  char text[64];
  if (bytes >= int64_t(1) << 30)
    std::snprintf(text, sizeof(text), "%.2f GiB", double(bytes) / double(1 << 30));
  else if (bytes >= 1 << 20)
    std::snprintf(text, sizeof(text), "%.2f MiB", double(bytes) / double(1 << 20));
  else if (bytes >= 1 << 10)
    std::snprintf(text, sizeof(text), "%.2f KiB", double(bytes) / double(1 << 10));
  else
    std::snprintf(text, sizeof(text), "%d bytes", int(bytes));
  return text;
}

}  // namespace

struct CachingAllocator::State {
  std::mutex mutex;
  bool caching = driver::caches_memory();
  std::map<std::tuple<int, uint64_t, Stream, bool>, FreeBlocks> free_blocks;
  std::map<uint64_t, int> graphs;  // that use a pool
  std::unordered_map<void*, Block*> live;
  std::deque<Pending> pending;
  std::vector<Block*> postponed;  // freed while a stream was captured, where that takes more than a note
  std::map<int, CudaMemoryStats> stats;
  std::map<int, int64_t> limits;  // of what may be reserved, where one was set

  bool beyond_limit(int device, size_t more) {
    auto it = limits.find(device);
    return it != limits.end() && stats[device].reserved + int64_t(more) > it->second;
  }

  FreeBlocks& pool(const Block& b) { return free_blocks[{b.device, b.pool, b.stream, b.small}]; }
  // Pools of graphs cache on every machine: they are what replays find in place.
  bool caches(const Block& b) const { return caching || b.pool; }

  Block* take_cached(int device, uint64_t pool, Stream stream, size_t size, bool small) {
    FreeBlocks& blocks = free_blocks[{device, pool, stream, small}];
    Block key{};
    key.size = size;
    auto it = blocks.lower_bound(&key);
    if (it == blocks.end()) return nullptr;
    Block* b = *it;
    // A large request does not take a segment that is far larger: it could not be given back.
    if (!small && size > kMiddle && b->size - size > std::max(size / 4, kLargeRound)) return nullptr;
    blocks.erase(it);
    return b;
  }

  Block* new_segment(int device, uint64_t pool, Stream stream, size_t size, bool small) {
    size_t bytes = small            ? kSmallSegment
                   : size < kMiddle ? kMiddleSegment
                                    : (size + kLargeRound - 1) / kLargeRound * kLargeRound;
    void* p = beyond_limit(device, bytes) ? nullptr : driver::malloc(bytes);
    if (!p) return nullptr;
    CudaMemoryStats& s = stats[device];
    s.reserved += int64_t(bytes);
    s.peak_reserved = std::max(s.peak_reserved, s.reserved);
    ++s.segments;
    auto* b = new Block{};
    b->device = device;
    b->pool = pool;
    b->stream = stream;
    b->data = static_cast<char*>(p);
    b->size = bytes;
    b->small = small;
    return b;
  }

  void split(Block* b, size_t size) {
    size_t rest = b->size - size;
    if (rest < (b->small ? kRound : kSmall + 1)) return;
    auto* r = new Block{};
    r->device = b->device;
    r->pool = b->pool;
    r->stream = b->stream;
    r->data = b->data + size;
    r->size = rest;
    r->small = b->small;
    r->previous = b;
    r->next = b->next;
    if (b->next) b->next->previous = r;
    b->next = r;
    b->size = size;
    pool(*r).insert(r);
  }

  bool is_free(const Block* b) const { return b && !b->used && b->pending == 0; }

  void put_back(Block* b) {
    FreeBlocks& blocks = pool(*b);
    if (Block* n = b->next; is_free(n)) {
      blocks.erase(n);
      b->size += n->size;
      b->next = n->next;
      if (n->next) n->next->previous = b;
      delete n;
    }
    if (Block* p = b->previous; is_free(p)) {
      blocks.erase(p);
      p->size += b->size;
      p->next = b->next;
      if (b->next) b->next->previous = p;
      delete b;
      b = p;
    }
    blocks.insert(b);
  }

  // After what other streams did with it.
  void retire(Block* b) {
    const bool cached = caches(*b);
    try {
      for (auto [device, other] : b->others) {
        DeviceScope theirs(device);
        Event e = driver::create_event(false);
        driver::record_event(e, other);
        if (cached) {
          pending.push_back({e, b});
          ++b->pending;
        } else {
          DeviceScope own(b->device);
          driver::wait_event(b->stream, e);
          driver::destroy_event(e);
        }
      }
      b->others.clear();
      if (!cached) {
        stats[b->device].reserved -= int64_t(b->size);
        DeviceScope own(b->device);
        driver::free(b->data, b->stream);
        delete b;
      }
    } catch (const Error&) {
      ++b->pending;
    }
    if (cached && b->pending == 0) put_back(b);
  }

  void settle(bool wait) {
    if (capturing()) return;
    for (Block* b : std::exchange(postponed, {})) {
      b->pending = 0;
      retire(b);
    }
    for (size_t i = 0; i < pending.size();) {
      Pending p = pending[i];
      if (wait)
        driver::synchronize_event(p.event);
      else if (!driver::query_event(p.event)) {
        ++i;
        continue;
      }
      driver::destroy_event(p.event);
      pending.erase(pending.begin() + ptrdiff_t(i));
      if (--p.block->pending == 0) put_back(p.block);
    }
  }

  // Gives every segment that is wholly free back to the driver.
  void release() {
    if (capturing()) return;
    settle(true);
    for (auto& [key, blocks] : free_blocks) {
      uint64_t pool = std::get<1>(key);
      if (graphs.contains(pool)) continue;
      if (pool && !blocks.empty()) {  // the last replay may be under way on any stream
        DeviceScope scope(std::get<0>(key));
        driver::synchronize_device();
      }
      for (auto it = blocks.begin(); it != blocks.end();) {
        Block* b = *it;
        if (b->previous || b->next) {
          ++it;
          continue;
        }
        it = blocks.erase(it);
        DeviceScope scope(b->device);
        driver::free(b->data, b->stream);
        CudaMemoryStats& s = stats[b->device];
        s.reserved -= int64_t(b->size);
        --s.segments;
        delete b;
      }
    }
  }

  [[noreturn]] void out_of_memory(size_t bytes, int device) {
    CudaMemoryStats& s = stats[device];
    ++s.out_of_memory;
    int64_t free = 0, total = 0;
    driver::memory_info(&free, &total);
    std::vector<size_t> largest;
    for (auto& [data, b] : live)
      if (b->device == device) largest.push_back(b->requested);
    std::sort(largest.rbegin(), largest.rend());
    std::string blocks;
    for (size_t i = 0; i < std::min<size_t>(largest.size(), 5); ++i)
      blocks += (i ? ", " : " The largest live blocks: ") + in_units(int64_t(largest[i]));
    if (!blocks.empty()) blocks += ".";
    fail<OutOfMemoryError>("CUDA out of memory. Tried to allocate ", in_units(int64_t(bytes)), ". GPU ", device,
                           " has a total capacity of ", in_units(total), " of which ", in_units(free),
                           " is free. tensors hold ", in_units(s.allocated), ", ", in_units(s.reserved - s.allocated),
                           " more is reserved.", blocks, " Free what is not needed, or use smaller batches.");
  }

  Block* find(size_t bytes, int device, uint64_t pool, Stream stream) {
    settle(false);
    if (!caching && !pool) {
      void* p = beyond_limit(device, bytes) ? nullptr : driver::malloc(bytes);
      if (!p && !capturing() && !beyond_limit(device, bytes)) {
        release();
        driver::synchronize_device();  // what waits in queues to be freed
        p = driver::malloc(bytes);
      }
      if (!p) return nullptr;
      auto* b = new Block{};
      b->device = device;
      b->stream = stream;
      b->data = static_cast<char*>(p);
      b->size = bytes;
      CudaMemoryStats& s = stats[device];
      s.reserved += int64_t(bytes);
      s.peak_reserved = std::max(s.peak_reserved, s.reserved);
      return b;
    }
    size_t size = (bytes + kRound - 1) / kRound * kRound;
    bool small = size <= kSmall;
    Block* b = take_cached(device, pool, stream, size, small);
    if (!b) b = new_segment(device, pool, stream, size, small);
    if (!b) {
      ++stats[device].retries;
      release();
      b = new_segment(device, pool, stream, size, small);
    }
    if (b) split(b, size);
    return b;
  }
};

CachingAllocator::CachingAllocator() : state_(new State) {}

void* CachingAllocator::allocate(size_t bytes, Device device) {
  int index = device.index < 0 ? driver::device() : device.index;
  DeviceScope scope(index);
  std::lock_guard lock(state_->mutex);
  Stream stream = current_stream(index);
  Graph* graph = recording(stream);
  Block* b = state_->find(bytes, index, graph ? graph->memory() : 0, stream);
  if (!b) state_->out_of_memory(bytes, index);
  b->used = true;
  b->requested = bytes;
  state_->live[b->data] = b;
  CudaMemoryStats& s = state_->stats[index];
  s.allocated += int64_t(b->size);
  s.peak_allocated = std::max(s.peak_allocated, s.allocated);
  ++s.allocations;
  s.peak_active = std::max(s.peak_active, ++s.active);
  return b->data;
}

// Raises nothing: where the driver fails, or is gone, the block is lost.
void CachingAllocator::free(void* data, size_t, Device) {
  std::lock_guard lock(state_->mutex);
  auto it = state_->live.find(data);
  if (it == state_->live.end()) return;
  Block* b = it->second;
  state_->live.erase(it);
  CudaMemoryStats& s = state_->stats[b->device];
  s.allocated -= int64_t(b->size);
  ++s.frees;
  --s.active;
  b->used = false;
  if (!capturing() || (b->others.empty() && state_->caches(*b))) return state_->retire(b);
  b->pending = 1;
  state_->postponed.push_back(b);
}

void CachingAllocator::empty_cache() {
  empty_pinned_cache();
  std::lock_guard lock(state_->mutex);
  state_->release();
}

void CachingAllocator::enter_pool(uint64_t pool) {
  std::lock_guard lock(state_->mutex);
  ++state_->graphs[pool];
}

void CachingAllocator::leave_pool(uint64_t pool) {
  std::lock_guard lock(state_->mutex);
  if (--state_->graphs[pool] == 0) state_->graphs.erase(pool);
}

void CachingAllocator::record_stream(void* data, int device, Stream stream) {
  std::lock_guard lock(state_->mutex);
  auto it = state_->live.find(data);
  if (it == state_->live.end() || (it->second->device == device && it->second->stream == stream)) return;
  auto& others = it->second->others;
  std::pair user{device, stream};
  if (std::find(others.begin(), others.end(), user) == others.end()) others.push_back(user);
}

CudaMemoryStats CachingAllocator::stats(int device) {
  std::lock_guard lock(state_->mutex);
  return state_->stats[device];
}

void CachingAllocator::set_limit(int device, int64_t bytes) {
  std::lock_guard lock(state_->mutex);
  state_->limits[device] = bytes;
}

void CachingAllocator::reset_peak(int device) {
  std::lock_guard lock(state_->mutex);
  CudaMemoryStats& s = state_->stats[device];
  s.peak_active = s.active;
  s.peak_allocated = s.allocated;
  s.peak_reserved = s.reserved;
}

CachingAllocator& caching_allocator() {
  static CachingAllocator* a = new CachingAllocator;
  return *a;
}

}  // namespace tl::cuda
