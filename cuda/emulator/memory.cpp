#include "emulator/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "core/error.h"

namespace tl::cuda::emulator {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kAlign = 16;       // the widest access of a kernel
constexpr size_t kGuardBytes = 64;  // looked at before a block, inside its first page
constexpr unsigned char kGuard = 0xca;
constexpr size_t kRemembered = 1024;  // freed blocks that an error can name

struct Block {
  char* data;
  size_t bytes;
  char* pages;
  size_t page_bytes;
  bool live, open;
  int device;
};

struct Arena {
  char* base = nullptr;
  size_t size = 0, top = 0, total = 0;
  std::map<int, size_t> used;
  int running = 0;                    // the device whose kernel runs
  std::map<uintptr_t, Block> blocks;  // by the first page
  std::vector<uintptr_t> freed;       // a ring
  size_t next_freed = 0;
  std::vector<Block*> open;

  Arena() {
    const char* limit = std::getenv("TENSORLITE_EMULATE_MEMORY");
    total = limit ? size_t(std::strtoull(limit, nullptr, 10)) : size_t(4) << 30;
    for (size = size_t(1) << 42; size >= size_t(1) << 32; size /= 2) {
      void* p = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (p == MAP_FAILED) continue;
      base = static_cast<char*>(p);
      return;
    }
    fail<OutOfMemoryError>("the CUDA emulator could not reserve addresses for its device memory");
  }
};

Arena& arena() {
  static Arena* a = new Arena;
  return *a;
}

size_t to_pages(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

Block* block_at(const void* p) {
  Arena& a = arena();
  auto it = a.blocks.upper_bound(reinterpret_cast<uintptr_t>(p));
  return it == a.blocks.begin() ? nullptr : &std::prev(it)->second;
}

void open(Block& b) {
  if (b.open) return;
  mprotect(b.pages, b.page_bytes, PROT_READ | PROT_WRITE);
  b.open = true;
  arena().open.push_back(&b);
}

void close(Block& b) {
  mprotect(b.pages, b.page_bytes, PROT_NONE);
  b.open = false;
}

// The bytes between the first page's start and the block, and between its end and the page's end.
void look_at_guards(const Block& b) {
  auto intact = [](const char* from, const char* to) {
    for (; from < to; ++from)
      if (static_cast<unsigned char>(*from) != kGuard) return false;
    return true;
  };
  const char* before = b.data - b.pages > ptrdiff_t(kGuardBytes) ? b.data - kGuardBytes : b.pages;
  const char* end = b.pages + b.page_bytes;
  if (!intact(before, b.data))
    fail("CUDA emulator: a kernel wrote before the start of an allocation of ", b.bytes, " bytes");
  if (!intact(b.data + b.bytes, end))
    fail("CUDA emulator: a kernel wrote past the end of an allocation of ", b.bytes, " bytes");
}

}  // namespace

void* device_malloc(size_t bytes, int device) {
  Arena& a = arena();
  if (bytes > a.total || a.used[device] + bytes > a.total) return nullptr;
  size_t padded = (bytes + kAlign - 1) / kAlign * kAlign, pages = to_pages(padded ? padded : kAlign);
  if (a.top + pages + 2 * kPage > a.size) return nullptr;
  char* p = a.base + a.top + kPage;
  if (mprotect(p, pages, PROT_READ | PROT_WRITE)) return nullptr;
  a.top += pages + kPage;
  a.used[device] += bytes;
  Block b{p + pages - padded, bytes, p, pages, true, true, device};
  std::memset(p, kGuard, size_t(b.data - p));
  std::memset(b.data, 0xff, bytes);
  std::memset(b.data + bytes, kGuard, padded - bytes);
  Block& kept = a.blocks[reinterpret_cast<uintptr_t>(p)] = b;
  a.open.push_back(&kept);
  return b.data;
}

void device_free(void* data) {
  Arena& a = arena();
  Block* b = block_at(data);
  check(b && b->data == data, "CUDA emulator: free of an address that was never allocated");
  check(b->live, "CUDA emulator: an allocation of ", b->bytes, " bytes is freed twice");
  open(*b);
  look_at_guards(*b);
  std::erase(a.open, b);
  a.used[b->device] -= b->bytes;
  b->live = b->open = false;
  // A fresh mapping gives the memory back and keeps the addresses closed.
  mmap(b->pages, b->page_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  auto key = reinterpret_cast<uintptr_t>(b->pages);
  if (a.freed.size() < kRemembered) {
    a.freed.push_back(key);
  } else {
    a.blocks.erase(a.freed[a.next_freed]);
    a.freed[a.next_freed] = key;
    a.next_freed = (a.next_freed + 1) % kRemembered;
  }
}

void check_guards() {
  for (Block* b : arena().open) look_at_guards(*b);
}

size_t device_memory_total() { return arena().total; }
size_t device_memory_used(int device) { return arena().used[device]; }
int device_of_memory(const void* p) {
  Block* b = block_at(p);
  return b ? b->device : 0;
}
void run_on(int device) {
  if (std::exchange(arena().running, device) != device) close_device_memory();
}

bool is_device_memory(const void* p) {
  Arena& a = arena();
  auto c = static_cast<const char*>(p);
  return c >= a.base && c < a.base + a.size;
}

std::string describe(const void* p) {
  auto c = static_cast<const char*>(p);
  Block* b = block_at(p);
  Block* next = nullptr;
  auto it = arena().blocks.upper_bound(reinterpret_cast<uintptr_t>(p));
  if (it != arena().blocks.end()) next = &it->second;
  if (b && c < b->data + b->bytes && c >= b->data)
    return str("byte ", c - b->data, " of ", b->live ? "an" : "a freed", " allocation of ", b->bytes, " bytes",
               b->device != arena().running ? " on another device, cuda:" + std::to_string(b->device) : "");
  if (b && (!next || c - (b->data + b->bytes) < next->data - c))
    return str(c - (b->data + b->bytes), " bytes past the end of ", b->live ? "an" : "a freed", " allocation of ",
               b->bytes, " bytes");
  if (next) return str(next->data - c, " bytes before an allocation of ", next->bytes, " bytes");
  return "an address that was never allocated";
}

bool open_device_memory(const void* p) {
  Block* b = block_at(p);
  auto c = static_cast<const char*>(p);
  if (!b || !b->live || b->open || b->device != arena().running || c < b->pages || c >= b->pages + b->page_bytes)
    return false;
  open(*b);
  return true;
}

void check_device_range(const void* p, size_t bytes, const char* what) {
  Block* b = block_at(p);
  auto c = static_cast<const char*>(p);
  if (!b || !b->live || c < b->data || c + bytes > b->data + b->bytes)
    fail("CUDA emulator: ", what, " of ", bytes, " bytes at ", describe(p));
  open(*b);
}

void close_device_memory() {
  Arena& a = arena();
  for (Block* b : a.open) close(*b);
  a.open.clear();
}

}  // namespace tl::cuda::emulator
