#include "core/parallel.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

namespace tl {
namespace {

constexpr int64_t kSpinNanoseconds = 200'000;
constexpr int64_t kMoveNanoseconds = 2'000'000;  // between changes of core

int64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void futex_wait(std::atomic<int>& word, int expected) {
  syscall(SYS_futex, reinterpret_cast<int*>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}
void futex_wake(std::atomic<int>& word, int count) {
  syscall(SYS_futex, reinterpret_cast<int*>(&word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

template <class Done>
bool spin(Done done) {
  int64_t end = 0;
  for (;;) {
    for (int i = 0; i < 64; ++i) {
      if (done()) return true;
      pause();
    }
    int64_t t = now();
    if (!end)
      end = t + kSpinNanoseconds;
    else if (t > end)
      return done();
  }
}

// Keeps a thread off one core. A scheduler that wakes a thread on its waker's core may leave both there while others
// idle, and halve the speed for as long as they are busy.
class Elsewhere {
 public:
  void leave(int core) {
    cpu_set_t current;
    if (sched_getaffinity(0, sizeof(current), &current) != 0) return;
    if (!CPU_EQUAL(&current, &chosen_)) allowed_ = current;  // somebody else has chosen
    cpu_set_t others = allowed_;
    CPU_CLR(core, &others);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof(others), &others) == 0) chosen_ = others;
  }

 private:
  cpu_set_t allowed_{}, chosen_{};
};

int usable_cores() {
  int n = 0;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) n = CPU_COUNT(&set);
  if (n <= 0) n = int(sysconf(_SC_NPROCESSORS_ONLN));
  // A container may be given less time than it sees cores.
  if (FILE* f = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    long long quota = 0, period = 0;
    if (std::fscanf(f, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0)
      n = std::min<int>(n, int((quota + period - 1) / period));
    std::fclose(f);
  }
  return std::max(n, 1);
}

int default_threads() {
  for (const char* key : {"TENSORLITE_NUM_THREADS", "OMP_NUM_THREADS"})
    if (const char* text = std::getenv(key))
      if (int n = std::atoi(text); n > 0) return std::min(n, 1024);
  return usable_cores();
}

// One job at a time. Its pieces are handed out by counting `left` down: whoever takes a piece knows that the job stays
// in place until the piece is `undone` no longer, so a thread that arrives late finds either no piece or a valid one.
struct Pool {
  std::mutex mutex;  // held by the thread whose job runs

  detail::RangeFn f = nullptr;
  void* context = nullptr;
  int64_t n = 0, piece = 0;
  std::atomic<bool> failed{false};
  std::exception_ptr error;  // the first one; for the thread whose job it is
  alignas(64) std::atomic<int> left{0};
  alignas(64) std::atomic<int> undone{0};
  alignas(64) std::atomic<int> signal{0};  // bumped to wake sleepers
  std::atomic<int> sleepers{0};
  std::atomic<bool> waiting{false};  // the owner of the job sleeps on `undone`
  std::atomic<bool> stop{false};
  std::atomic<int> core{-1};  // where the owner of the job was when it began
  std::vector<pthread_t> workers;

  bool run_piece() {
    int k = left.load(std::memory_order_relaxed);
    do {
      if (k <= 0) return false;
    } while (!left.compare_exchange_weak(k, k - 1, std::memory_order_acquire, std::memory_order_relaxed));
    int64_t begin = (k - 1) * piece;
    try {
      f(context, begin, std::min(n, begin + piece));
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
    if (undone.fetch_sub(1, std::memory_order_seq_cst) == 1 && waiting.load(std::memory_order_seq_cst))
      futex_wake(undone, 1);
    return true;
  }

  void work();
  void start(int count);
  void join();
};

// Set while this thread runs a piece: what it calls in parallel runs inline.
[[gnu::tls_model("initial-exec")]] thread_local bool inside = false;

UnlockHooks hooks = {};
std::atomic<int> thread_count{0};

void Pool::work() {
  inside = true;
  Elsewhere elsewhere;
  int64_t moved = 0;
  for (;;) {
    if (int here = sched_getcpu(); here == core.load(std::memory_order_relaxed) && now() - moved > kMoveNanoseconds) {
      elsewhere.leave(here);
      moved = now();
    }
    while (run_piece()) {
    }
    if (spin([&] { return left.load(std::memory_order_relaxed) > 0 || stop.load(std::memory_order_relaxed); })) {
      if (stop.load()) return;
      continue;
    }
    int seen = signal.load(std::memory_order_seq_cst);
    sleepers.fetch_add(1, std::memory_order_seq_cst);
    if (left.load(std::memory_order_seq_cst) <= 0 && !stop.load(std::memory_order_seq_cst)) futex_wait(signal, seen);
    sleepers.fetch_sub(1, std::memory_order_seq_cst);
  }
}

// Needs `mutex`.
void Pool::start(int count) {
  if (int(workers.size()) >= count) return;
  // Signals are the host's business: its own threads take them.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  while (int(workers.size()) < count) {
    pthread_t t;
    auto body = [](void* p) -> void* {
      static_cast<Pool*>(p)->work();
      return nullptr;
    };
    if (pthread_create(&t, nullptr, body, this) != 0) break;
    workers.push_back(t);
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

// Needs `mutex`.
void Pool::join() {
  stop.store(true, std::memory_order_seq_cst);
  signal.fetch_add(1, std::memory_order_seq_cst);
  futex_wake(signal, INT_MAX);
  for (pthread_t t : workers) pthread_join(t, nullptr);
  workers.clear();
  stop.store(false, std::memory_order_seq_cst);
}

Pool& pool() {
  static Pool* p = [] {
    auto* made = new Pool;
    // A child has only the thread that forked: the workers end before, and both sides start them again when needed.
    pthread_atfork(
        [] {
          pool().mutex.lock();
          pool().join();
        },
        [] { pool().mutex.unlock(); }, [] { pool().mutex.unlock(); });
    return made;
  }();
  return *p;
}

}  // namespace

int num_threads() {
  int n = thread_count.load(std::memory_order_relaxed);
  if (!n) [[unlikely]] {
    int unset = 0;
    thread_count.compare_exchange_strong(unset, default_threads());
    n = thread_count.load();
  }
  return n;
}

void set_num_threads(int n) {
  n = std::clamp(n, 1, 1024);
  thread_count.store(n);
  Pool& p = pool();
  std::lock_guard lock(p.mutex);
  if (int(p.workers.size()) > n - 1) p.join();
}

void set_unlock_hooks(UnlockHooks h) { hooks = h; }

void detail::parallel_for(int64_t n, int64_t grain, RangeFn f, void* context) {
  if (inside) return f(context, 0, n);
  grain = std::max<int64_t>(grain, 1);
  void* lock_state = hooks.unlock ? hooks.unlock() : nullptr;
  int threads = num_threads();
  std::exception_ptr error;
  Pool& p = pool();
  // While another thread's job runs, this one's runs on this thread alone.
  if (threads > 1 && n > grain && p.mutex.try_lock()) {
    // A few pieces for each thread, so that one that is held up does not hold up the others.
    int64_t most = (n + grain - 1) / grain;
    int64_t pieces = most <= threads ? most : std::min<int64_t>(most, int64_t(threads) * 4);
    int64_t piece = (n + pieces - 1) / pieces;
    if (piece >= 1024) piece = (piece + 63) & ~int64_t(63);  // whole cache lines
    pieces = (n + piece - 1) / piece;
    p.start(threads - 1);
    p.core.store(sched_getcpu(), std::memory_order_relaxed);
    p.f = f;
    p.context = context;
    p.n = n;
    p.piece = piece;
    p.undone.store(int(pieces), std::memory_order_relaxed);
    p.left.store(int(pieces), std::memory_order_seq_cst);
    if (p.sleepers.load(std::memory_order_seq_cst) > 0) {
      p.signal.fetch_add(1, std::memory_order_seq_cst);
      futex_wake(p.signal, int(std::min<int64_t>(pieces, threads) - 1));
    }
    inside = true;
    while (p.run_piece()) {
    }
    inside = false;
    if (!spin([&] { return p.undone.load(std::memory_order_acquire) == 0; })) {
      p.waiting.store(true, std::memory_order_seq_cst);
      while (int k = p.undone.load(std::memory_order_seq_cst)) futex_wait(p.undone, k);
      p.waiting.store(false, std::memory_order_relaxed);
    }
    if (p.failed.load()) [[unlikely]] {
      error = std::exchange(p.error, nullptr);
      p.failed.store(false);
    }
    p.mutex.unlock();
  } else {
    inside = true;
    try {
      f(context, 0, n);
    } catch (...) {
      error = std::current_exception();
    }
    inside = false;
  }
  if (hooks.lock) hooks.lock(lock_state);
  if (error) [[unlikely]]
    std::rethrow_exception(error);
}

}  // namespace tl
