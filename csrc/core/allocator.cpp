#include "core/allocator.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>

#include "core/cuda.h"
#include "core/error.h"

// Sizes are rounded up to classes. Blocks of at most 64 KiB go through free lists of each thread, so that the usual
// allocation takes no lock and no atomic operation; lists that grow too long spill into a central one. Larger blocks go
// through one locked cache, bounded and emptied from its oldest block on. AddressSanitizer builds cache nothing.

namespace tl {
namespace {

constexpr size_t kAlign = 64;
constexpr size_t kSmallMax = size_t(64) << 10;
constexpr size_t kHugePage = size_t(2) << 20;
constexpr int kStepsLog2 = 3;  // classes per doubling, as a power of two
// Below 512 bytes every multiple of 64 is a class, above there are eight per doubling.
constexpr int kLinearClasses = 8;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kCaching = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kCaching = false;
#else
constexpr bool kCaching = true;
#endif
#else
constexpr bool kCaching = true;
#endif

inline int class_of(size_t bytes) {
  if (bytes <= 512) return bytes ? int((bytes - 1) / 64) : 0;
  int log = std::bit_width(bytes - 1) - 1;  // 2^log < bytes <= 2^(log + 1), log >= 9
  int step = int(((bytes - 1) >> (log - kStepsLog2)) & ((1 << kStepsLog2) - 1));
  return kLinearClasses + ((log - 9) << kStepsLog2) + step;
}

inline size_t class_size(int c) {
  if (c < kLinearClasses) return size_t(c + 1) * 64;
  c -= kLinearClasses;
  int log = 9 + (c >> kStepsLog2), step = c & ((1 << kStepsLog2) - 1);
  return (size_t(1) << log) + (size_t(step + 1) << (log - kStepsLog2));
}

constexpr int kSmallClasses = kLinearClasses + ((16 - 9) << kStepsLog2);
constexpr int kClasses = kLinearClasses + ((63 - 9) << kStepsLog2);

struct FreeBlock {
  FreeBlock* next;
};

// A cached large block; its first bytes hold its place in two lists.
struct LargeBlock {
  LargeBlock *class_prev, *class_next;  // last freed first
  LargeBlock *age_prev, *age_next;      // oldest first
  int size_class;
};

struct Central {
  std::mutex mutex;
  FreeBlock* small[kSmallClasses] = {};
  LargeBlock* large[kClasses] = {};
  LargeBlock *oldest = nullptr, *newest = nullptr;
  int64_t large_cached = 0;
  int64_t limit = 0;
  std::atomic<int64_t> small_cached{0};
  std::atomic<int64_t> allocated{0}, peak{0};
};

struct ThreadCache {
  FreeBlock* head[kSmallClasses] = {};
  uint32_t count[kSmallClasses] = {};
  uint32_t most[kSmallClasses];
  // Written by this thread alone, read by others for the statistics.
  std::atomic<int64_t> cached{0};
  std::atomic<int64_t> pending{0};  // changes of `allocated` that Central does not know yet
  ThreadCache *prev = nullptr, *next = nullptr;
};

int64_t default_limit() {
  int64_t ram = int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return std::min<int64_t>(ram / 4, int64_t(4) << 30);
}

ThreadCache* threads = nullptr;  // guarded by Central::mutex

Central& central() {
  static Central* c = [] {
    auto* made = new Central;
    made->limit = default_limit();
    pthread_atfork([] { central().mutex.lock(); }, [] { central().mutex.unlock(); }, [] { central().mutex.unlock(); });
    return made;
  }();
  return *c;
}

void raise_peak(Central& c) {
  int64_t now = c.allocated.load(std::memory_order_relaxed), peak = c.peak.load(std::memory_order_relaxed);
  while (now > peak && !c.peak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

void account(int64_t bytes) {
  Central& c = central();
  c.allocated.fetch_add(bytes, std::memory_order_relaxed);
  if (bytes > 0) raise_peak(c);
}

void tell(ThreadCache* t) {
  int64_t bytes = t->pending.load(std::memory_order_relaxed);
  t->pending.store(0, std::memory_order_relaxed);
  account(bytes);
}

// An atomic that only its own thread writes needs no locked instruction.
inline void add_own(std::atomic<int64_t>& a, int64_t v) {
  a.store(a.load(std::memory_order_relaxed) + v, std::memory_order_relaxed);
}

// The pointer alone is in the static TLS block: it is what the fast path reads.
[[gnu::tls_model("initial-exec")]] thread_local ThreadCache* cache_of_thread = nullptr;
thread_local bool thread_ended = false;

void spill(ThreadCache* t, int c, uint32_t keep) {
  FreeBlock *first = t->head[c], *last = nullptr;
  int64_t moved = 0;
  while (t->count[c] > keep) {
    last = t->head[c];
    t->head[c] = last->next;
    --t->count[c];
    moved += int64_t(class_size(c));
  }
  if (!last) return;
  add_own(t->cached, -moved);
  Central& m = central();
  std::lock_guard lock(m.mutex);
  last->next = m.small[c];
  m.small[c] = first;
  m.small_cached.fetch_add(moved, std::memory_order_relaxed);
}

struct ThreadEnd {
  ~ThreadEnd() {
    ThreadCache* t = cache_of_thread;
    cache_of_thread = nullptr;
    thread_ended = true;
    if (!t) return;
    tell(t);
    for (int c = 0; c < kSmallClasses; ++c) spill(t, c, 0);
    {
      std::lock_guard lock(central().mutex);
      (t->prev ? t->prev->next : threads) = t->next;
      if (t->next) t->next->prev = t->prev;
    }
    delete t;
  }
};

[[gnu::noinline]] ThreadCache* make_cache() {
  if (thread_ended || !kCaching) return nullptr;
  static thread_local ThreadEnd end;
  (void)end;
  auto* t = new ThreadCache;
  for (int c = 0; c < kSmallClasses; ++c)
    t->most[c] = uint32_t(std::clamp<size_t>((size_t(256) << 10) / class_size(c), 8, 256));
  std::lock_guard lock(central().mutex);
  t->next = threads;
  if (threads) threads->prev = t;
  threads = t;
  cache_of_thread = t;
  return t;
}

void* map_large(size_t size) {
  void* raw = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  auto at = reinterpret_cast<uintptr_t>(raw), aligned = (at + kHugePage - 1) & ~(kHugePage - 1);
  if (aligned > at) munmap(raw, aligned - at);
  size_t tail = at + kHugePage - aligned;
  if (tail) munmap(reinterpret_cast<void*>(aligned + size), tail);
  void* data = reinterpret_cast<void*>(aligned);
#ifdef MADV_HUGEPAGE
  madvise(data, size, MADV_HUGEPAGE);
#endif
  return data;
}

void* system_allocate(size_t size) {
  if (size >= kHugePage && kCaching) return map_large(size);
  return std::aligned_alloc(kAlign, size);
}

void system_free(void* data, size_t size) {
  if (size >= kHugePage && kCaching)
    munmap(data, size);
  else
    std::free(data);
}

void unlink(Central& c, LargeBlock* b) {
  (b->class_prev ? b->class_prev->class_next : c.large[b->size_class]) = b->class_next;
  if (b->class_next) b->class_next->class_prev = b->class_prev;
  (b->age_prev ? b->age_prev->age_next : c.oldest) = b->age_next;
  (b->age_next ? b->age_next->age_prev : c.newest) = b->age_prev;
  c.large_cached -= int64_t(class_size(b->size_class));
}

// Takes blocks out of the cache, oldest first, until at most `bytes` stay; the caller frees them without the lock.
LargeBlock* trim(Central& c, int64_t bytes) {
  LargeBlock* taken = nullptr;
  while (c.oldest && c.large_cached > bytes) {
    LargeBlock* b = c.oldest;
    unlink(c, b);
    b->class_next = taken;
    taken = b;
  }
  return taken;
}

void free_chain(LargeBlock* b) {
  while (b) {
    LargeBlock* next = b->class_next;
    system_free(b, class_size(b->size_class));
    b = next;
  }
}

[[noreturn]] void out_of_memory(size_t bytes) {
  MemoryStats s = cpu_memory_stats();
  fail<OutOfMemoryError>("DefaultCPUAllocator: can't allocate memory: you tried to allocate ", bytes,
                         " bytes. Error code 12 (Cannot allocate memory). ", s.allocated,
                         " bytes are in live tensors and ", s.cached,
                         " bytes are cached for reuse; free tensors, or make smaller ones (a smaller batch).");
}

class CpuAllocator final : public Allocator {
 public:
  void* allocate(size_t bytes, Device) override {
    if (bytes > kSmallMax || !kCaching) return allocate_large(bytes);
    int c = class_of(bytes);
    ThreadCache* t = cache_of_thread;
    if (t) [[likely]] {
      if (FreeBlock* b = t->head[c]) [[likely]] {
        t->head[c] = b->next;
        --t->count[c];
        add_own(t->cached, -int64_t(class_size(c)));
        count(t, int64_t(class_size(c)));
        return b;
      }
    }
    return allocate_small(c);
  }

  void free(void* data, size_t bytes, Device) override {
    if (!data) return;
    if (bytes > kSmallMax || !kCaching) return free_large(data, bytes);
    int c = class_of(bytes);
    ThreadCache* t = cache_of_thread;
    if (!t && !(t = make_cache())) {
      account(-int64_t(class_size(c)));
      return std::free(data);
    }
    auto* b = static_cast<FreeBlock*>(data);
    b->next = t->head[c];
    t->head[c] = b;
    add_own(t->cached, int64_t(class_size(c)));
    count(t, -int64_t(class_size(c)));
    if (++t->count[c] > t->most[c]) [[unlikely]]
      spill(t, c, t->most[c] / 2);
  }

  void empty_cache() override {
    if (ThreadCache* t = cache_of_thread)
      for (int c = 0; c < kSmallClasses; ++c) spill(t, c, 0);
    Central& m = central();
    FreeBlock* small[kSmallClasses];
    LargeBlock* large;
    {
      std::lock_guard lock(m.mutex);
      for (int c = 0; c < kSmallClasses; ++c) {
        small[c] = m.small[c];
        m.small[c] = nullptr;
      }
      m.small_cached.store(0, std::memory_order_relaxed);
      large = trim(m, 0);
    }
    free_chain(large);
    for (FreeBlock* b : small)
      while (b) {
        FreeBlock* next = b->next;
        std::free(b);
        b = next;
      }
  }

 private:
  static void count(ThreadCache* t, int64_t bytes) {
    int64_t p = t->pending.load(std::memory_order_relaxed) + bytes;
    t->pending.store(p, std::memory_order_relaxed);
    if (uint64_t(p + int64_t(kSmallMax)) > 2 * kSmallMax) [[unlikely]]
      tell(t);
  }

  [[gnu::noinline]] void* allocate_small(int c) {
    ThreadCache* t = cache_of_thread;
    if (!t) t = make_cache();
    Central& m = central();
    size_t size = class_size(c);
    void* data = nullptr;
    if (t) {
      std::lock_guard lock(m.mutex);
      // Half a list at once, so that a thread that only allocates what another frees seldom takes the lock.
      uint32_t want = t->most[c] / 2;
      int64_t moved = 0;
      while (m.small[c] && want--) {
        FreeBlock* b = m.small[c];
        m.small[c] = b->next;
        moved += int64_t(size);
        if (!data) {
          data = b;
        } else {
          b->next = t->head[c];
          t->head[c] = b;
          ++t->count[c];
          add_own(t->cached, int64_t(size));
        }
      }
      m.small_cached.fetch_sub(moved, std::memory_order_relaxed);
    }
    if (!data) data = system_allocate(size);
    if (!data) {
      empty_cache();
      if (!(data = system_allocate(size))) out_of_memory(size);
    }
    if (t)
      count(t, int64_t(size));
    else
      account(int64_t(size));
    return data;
  }

  [[gnu::noinline]] void* allocate_large(size_t bytes) {
    if (bytes > size_t(1) << 62) out_of_memory(bytes);
    int c = class_of(bytes);
    size_t size = class_size(c);
    Central& m = central();
    void* data = nullptr;
    if (kCaching) {
      std::lock_guard lock(m.mutex);
      if (LargeBlock* b = m.large[c]) {
        unlink(m, b);
        data = b;
      }
    }
    if (!data) data = system_allocate(size);
    if (!data) {
      empty_cache();
      if (!(data = system_allocate(size))) out_of_memory(bytes);
    }
    account(int64_t(size));
    return data;
  }

  [[gnu::noinline]] void free_large(void* data, size_t bytes) {
    int c = class_of(bytes);
    size_t size = class_size(c);
    account(-int64_t(size));
    Central& m = central();
    if (!kCaching || int64_t(size) > m.limit) return system_free(data, size);
    LargeBlock* extra;
    {
      std::lock_guard lock(m.mutex);
      auto* b = static_cast<LargeBlock*>(data);
      b->size_class = c;
      b->class_prev = nullptr;
      b->class_next = m.large[c];
      if (b->class_next) b->class_next->class_prev = b;
      m.large[c] = b;
      b->age_next = nullptr;
      b->age_prev = m.newest;
      (m.newest ? m.newest->age_next : m.oldest) = b;
      m.newest = b;
      m.large_cached += int64_t(size);
      extra = trim(m, m.limit);
    }
    free_chain(extra);
  }
};

Allocator* allocators[kDeviceTypes] = {};

}  // namespace

Allocator& allocator(DeviceType type) {
  Allocator* a = int(type) < kDeviceTypes ? allocators[int(type)] : nullptr;
  if (!a) [[unlikely]] {
    if (type == DeviceType::CUDA) {
      cuda_runtime();  // opens the library, which sets its allocator, or raises
      return *allocators[int(type)];
    }
    check<NotImplementedError>(type == DeviceType::CPU, "Could not allocate on device '", to_string(Device{type}),
                               "': tensorlite has no backend for it.");
    static Allocator* cpu = new CpuAllocator;
    a = allocators[int(type)] = cpu;
  }
  return *a;
}

void set_allocator(DeviceType type, Allocator* a) { allocators[int(type)] = a; }

MemoryStats cpu_memory_stats() {
  Central& m = central();
  std::lock_guard lock(m.mutex);
  int64_t small = m.small_cached.load(std::memory_order_relaxed), live = m.allocated.load(std::memory_order_relaxed);
  for (ThreadCache* t = threads; t; t = t->next) {
    live += t->pending.load(std::memory_order_relaxed);
    small += t->cached.load(std::memory_order_relaxed);
  }
  return {live, m.large_cached + small, std::max(live, m.peak.load(std::memory_order_relaxed))};
}

void set_cpu_cache_limit(int64_t bytes) {
  Central& m = central();
  LargeBlock* extra;
  {
    std::lock_guard lock(m.mutex);
    m.limit = std::max<int64_t>(bytes, 0);
    extra = trim(m, m.limit);
  }
  free_chain(extra);
}

}  // namespace tl
