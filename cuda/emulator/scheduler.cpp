#include "emulator/scheduler.h"
#include "emulator/attribution.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "emulator/fault.h"
#include "emulator/fiber.h"
#include "emulator/memory.h"
#include "emulator/shared.h"

namespace tl::cuda::emulator {

const char* operator_of_grid = nullptr;

Thread* current = nullptr;
const Grid* current_grid = nullptr;

namespace {

constexpr uint32_t kMaxThreads = 1024;
constexpr uint64_t kMaxPauses = 20'000'000;

uint64_t first_seed() {
  const char* text = std::getenv("TENSORLITE_EMULATE_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 0;
}
uint64_t random_state = first_seed() * 0x9e3779b97f4a7c15u + 1;

// splitmix64 (Steele, Lea and Flood, 2014).
uint64_t random64() {
  uint64_t z = random_state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::string at(Site s) { return s.file ? str(" at ", s.file, ":", s.line) : std::string(); }
std::string to_string(Dim3 d) { return str("(", d.x, ", ", d.y, ", ", d.z, ")"); }

struct Scheduler {
  Grid grid;
  uint64_t blocks = 0, started = 0, done = 0;  // blocks
  uint64_t multiplier = 1, shift = 0;          // the order of blocks: i -> (i * multiplier + shift) % blocks
  uint32_t threads = 0;
  std::vector<uint32_t> order;  // of the threads of a block, turned by Block::first
  std::vector<Block*> resident;
  std::vector<Block*> spare;
  std::vector<Thread*> ready;
  std::vector<Fiber*> idle;
  std::vector<Fiber*> stuck;  // given up with a grid that failed
  Block* filling = nullptr;   // the block whose threads are being started
  uint32_t serial = 0;
  uint64_t pauses = 0;
  std::string error;
  bool failed = false;

  void begin(const Grid& g) {
    grid = g;
    blocks = volume(g.grid);
    threads = uint32_t(volume(g.block));
    check(threads >= 1 && volume(g.block) <= kMaxThreads, "CUDA error: invalid configuration argument: a block of ",
          to_string(g.block), " threads");
    check(blocks >= 1 && g.grid.y <= 65535 && g.grid.z <= 65535 && g.grid.x <= 0x7fffffffu,
          "CUDA error: invalid configuration argument: a grid of ", to_string(g.grid), " blocks");
    check(g.dynamic_shared <= kSharedMax, "CUDA error: invalid argument: ", g.dynamic_shared,
          " bytes of shared memory for a block; there are ", kSharedMax);
    started = done = pauses = 0;
    failed = false;
    error.clear();
    ready.clear();
    filling = nullptr;
    shift = random64() % blocks;
    do multiplier = random64() % blocks | (blocks > 1 ? 1 : 0);
    while (blocks > 1 && std::gcd(multiplier, blocks) != 1);
    if (blocks == 1) multiplier = 1;
    order.resize(threads);
    for (uint32_t i = 0; i < threads; ++i) order[i] = i;
    for (uint32_t i = threads; i > 1; --i) std::swap(order[i - 1], order[draw(i)]);
    uint32_t residents = uint32_t(std::min<uint64_t>(blocks, 2 + draw(3)));
    for (uint32_t i = 0; i < residents; ++i) admit();
  }

  // Makes the next block resident.
  void admit() {
    if (started == blocks) return;
    uint64_t i = (started++ * multiplier + shift) % blocks;
    Block* b;
    if (spare.empty()) {
      b = new Block;
    } else {
      b = spare.back();
      spare.pop_back();
    }
    b->index = {uint32_t(i % grid.grid.x), uint32_t(i / grid.grid.x % grid.grid.y),
                uint32_t(i / (uint64_t(grid.grid.x) * grid.grid.y))};
    b->serial = ++serial;
    b->unstarted = threads;
    b->finished = b->waiting = 0;
    b->epoch = 1;
    b->votes = 0;
    b->first = draw(threads);
    b->statics.clear();
    b->shared_used = grid.dynamic_shared;
    if (grid.dynamic_shared) std::memset(shared_memory(*b), 0xff, grid.dynamic_shared);
    b->threads.resize(threads);
    b->warps.resize((threads + 31) / 32);
    for (size_t w = 0; w < b->warps.size(); ++w) {
      uint32_t lanes = std::min<uint32_t>(32, threads - uint32_t(w) * 32);
      Warp& warp = b->warps[w];
      warp.alive = lanes == 32 ? ~0u : (1u << lanes) - 1;
      warp.clock = 1;
      warp.all_met = 0;
      warp.met.reset();
    }
    resident.push_back(b);
  }

  Thread* next_unstarted() {
    if (failed) return nullptr;
    if (!filling || !filling->unstarted) {
      filling = nullptr;
      uint32_t n = uint32_t(resident.size()), from = n ? draw(n) : 0;
      for (uint32_t k = 0; k < n && !filling; ++k)
        if (Block* b = resident[(from + k) % n]; b->unstarted) filling = b;
      if (!filling) return nullptr;
    }
    Block* b = filling;
    uint32_t i = b->first + --b->unstarted;
    i = order[i >= threads ? i - threads : i];
    Thread& t = b->threads[i];
    t.index = {i % grid.block.x, i / grid.block.x % grid.block.y, i / (grid.block.x * grid.block.y)};
    t.block = b;
    t.linear = i;
    t.fiber = nullptr;
    t.meeting = Meeting::None;
    t.barrier = false;
    t.copies.clear();
    t.group = 0;
    return &t;
  }

  void finish(Thread* t) {
    Block* b = t->block;
    if (b->waiting)
      fail_thread("ended while others of its block wait at a barrier" + at(b->site) +
                  ": all threads of a block must reach it");
    Warp& w = b->warps[t->warp()];
    w.alive &= ~(1u << t->lane());
    ++b->finished;
    if (b->finished == threads) {
      resident.erase(std::find(resident.begin(), resident.end(), b));
      spare.push_back(b);
      if (filling == b) filling = nullptr;
      ++done;
      admit();
    } else if (b->finished + b->unstarted < threads) {
      // A meeting may have waited only for this lane.
      for (uint32_t lanes = w.alive; lanes; lanes &= lanes - 1) {
        Thread& other = b->threads[t->warp() * 32 + uint32_t(std::countr_zero(lanes))];
        if (other.fiber && other.meeting != Meeting::None && (other.mask >> t->lane() & 1)) {
          conclude(other, nullptr);
          break;
        }
      }
    }
  }

  static void fiber_main(void* self) {
    auto& s = *static_cast<Scheduler*>(self);
    while (true) {
      while (Thread* t = s.next_unstarted()) {
        current = t;
        s.grid.run(s.grid.context);
        s.finish(t);
        // Threads that wait get their turn between those that start.
        if (!s.ready.empty() && draw(4) == 0) break;
      }
      s.idle.push_back(Fiber::running());
      Fiber::yield();
    }
  }

  void put_aside(Thread* t) {
    t->fiber = Fiber::running();
    Fiber::yield();
    current = t;
    t->fiber = nullptr;
  }

  bool has_unstarted() const {
    return std::any_of(resident.begin(), resident.end(), [](Block* b) { return b->unstarted > 0; });
  }

  void run() {
    while (done < blocks && !failed) {
      bool fresh = has_unstarted();
      if (!ready.empty() && (!fresh || draw(2))) {
        uint32_t k = draw(uint32_t(ready.size()));
        std::swap(ready[k], ready.back());
        Thread* t = ready.back();
        ready.pop_back();
        current = t;
        t->fiber->resume();
      } else if (fresh) {
        filling = nullptr;
        Fiber* f;
        if (idle.empty()) {
          f = new Fiber(fiber_main, this);
        } else {
          f = idle.back();
          idle.pop_back();
        }
        f->resume();
      } else {
        report_deadlock();
      }
    }
    current = nullptr;
  }

  void report_deadlock() {
    for (Block* b : resident)
      for (Thread& t : b->threads) {
        if (!t.fiber) continue;
        current = &t;
        std::string why =
            t.barrier ? "waits for ever at a barrier" + at(t.site) + ": other threads of its block wait elsewhere"
                      : "waits for ever" + at(t.site) + str(" for lanes of the mask ", std::hex, t.mask);
        return note(why, {nullptr, 0});
      }
    error = "CUDA emulator: a grid has neither threads to run nor ended";
    failed = true;
  }

  void note(const std::string& what, Site site) {
    failed = true;
    error = str("CUDA emulator: kernel launched", at(grid.launched), operator_of_grid ? " in operator '" : "",
                operator_of_grid ? operator_of_grid : "", operator_of_grid ? "'" : "", ", block ",
                current ? to_string(current->block->index) : "?", ", thread ",
                current ? to_string(current->index) : "?", " ", what, at(site));
  }

  // A grid that failed leaves threads in the middle of their kernels: their stacks are given up.
  void abandon() {
    for (Block* b : resident) {
      for (Thread& t : b->threads)
        if (t.fiber) stuck.push_back(t.fiber), t.fiber = nullptr;
      spare.push_back(b);
    }
    resident.clear();
    ready.clear();
    for (Fiber* f : stuck) delete f;
    stuck.clear();
  }

  // ---- meetings of lanes ----

  Thread& lane_of(Thread& t, uint32_t lane) { return t.block->threads[t.warp() * 32 + lane]; }

  // When all lanes of the mask that live wait at this meeting (`self` has just come): gives each its result and wakes
  // all but `self`.
  bool conclude(Thread& t, Thread* self) {
    Warp& w = t.block->warps[t.warp()];
    uint32_t expected = t.mask & w.alive;
    for (uint32_t lanes = expected; lanes; lanes &= lanes - 1) {
      Thread& o = lane_of(t, uint32_t(std::countr_zero(lanes)));
      bool there = &o == self || o.fiber;
      if (!there || o.meeting != t.meeting || o.mask != t.mask) return false;
      if (!(o.site == t.site) && t.meeting != Meeting::Warp) return false;
    }
    uint32_t votes = 0;
    for (uint32_t lanes = expected; lanes; lanes &= lanes - 1) {
      uint32_t l = uint32_t(std::countr_zero(lanes));
      votes |= uint32_t(lane_of(t, l).vote != 0) << l;
    }
    if (t.meeting == Meeting::Warp) {
      ++w.clock;
      if (expected == w.alive) {
        w.all_met = w.clock;
      } else {
        if (!w.met) w.met = std::make_unique<uint32_t[]>(32 * 32);
        for (uint32_t i = 0; i < 32; ++i)
          for (uint32_t j = 0; j < 32; ++j)
            if ((expected >> i & 1) && (expected >> j & 1)) w.met[i * 32 + j] = w.clock;
      }
    }
    for (uint32_t lanes = expected; lanes; lanes &= lanes - 1) {
      Thread& o = lane_of(t, uint32_t(std::countr_zero(lanes)));
      if (o.meeting == Meeting::Shuffle) {
        // What a lane outside the mask would give is not defined.
        if (!(expected >> o.source & 1)) {
          current = &o;
          fail_thread(str("reads lane ", o.source, " in a shuffle that this lane takes no part in"), o.site);
        }
        Thread& from = lane_of(t, uint32_t(o.source));
        o.taken[0] = from.given[0], o.taken[1] = from.given[1];
      } else if (o.meeting == Meeting::Match) {
        o.taken[0] = 0;
        for (uint32_t others = expected; others; others &= others - 1) {
          uint32_t l = uint32_t(std::countr_zero(others));
          o.taken[0] |= uint64_t(lane_of(t, l).given[0] == o.given[0]) << l;
        }
      } else {
        o.taken[0] = votes;
      }
      if (&o != self) ready.push_back(&o);
    }
    for (uint32_t lanes = expected; lanes; lanes &= lanes - 1)
      lane_of(t, uint32_t(std::countr_zero(lanes))).meeting = Meeting::None;
    return true;
  }

  void meet(Meeting kind, uint32_t mask, Site site) {
    Thread& t = *current;
    if (!(mask >> t.lane() & 1)) fail_thread("meets lanes of a mask that does not name itself", site);
    t.meeting = kind;
    t.mask = mask;
    t.site = site;
    if (!conclude(t, &t)) put_aside(&t);
  }

  void barrier(Site site) {
    Thread& t = *current;
    Block* b = t.block;
    if (b->finished) fail_thread("waits at a barrier that threads of its block have ended without", site);
    if (b->waiting == 0)
      b->site = site;
    else if (!(b->site == site))
      fail_thread("waits at a barrier while others of its block wait at another" + at(b->site), site);
    t.site = site;
    if (++b->waiting < threads) {
      t.barrier = true;
      put_aside(&t);
      t.barrier = false;
      return;
    }
    b->waiting = 0;
    ++b->epoch;
    for (Thread& o : b->threads) {
      o.vote = b->votes;
      if (&o != &t) ready.push_back(&o);
    }
    b->votes = 0;
  }
};

Scheduler& scheduler() {
  static Scheduler* s = new Scheduler;
  return *s;
}

}  // namespace

uint32_t draw(uint32_t n) { return uint32_t((random64() >> 32) * n >> 32); }
void set_seed(uint64_t seed) { random_state = seed * 0x9e3779b97f4a7c15u + 1; }

void run_grid(const Grid& grid) {
  Scheduler& s = scheduler();
  FaultGuard guard;
  s.begin(grid);
  current_grid = &s.grid;
  s.run();
  current_grid = nullptr;
  if (!s.failed) return;
  s.abandon();
  throw Error(s.error);
}

void wait_barrier(Site site) { scheduler().barrier(site); }

int wait_barrier_sum(int vote, Site site) {
  Thread* t = current;
  t->block->votes += vote;
  scheduler().barrier(site);
  return t->vote;
}

void wait_warp(uint32_t mask, Site site) { scheduler().meet(Meeting::Warp, mask, site); }

void exchange(uint32_t mask, int source, uint64_t* value, Site site) {
  Thread* t = current;
  t->given[0] = value[0], t->given[1] = value[1];
  t->source = source;
  scheduler().meet(Meeting::Shuffle, mask, site);
  value[0] = t->taken[0], value[1] = t->taken[1];
}

uint32_t ballot(uint32_t mask, bool vote, Site site) {
  Thread* t = current;
  t->vote = vote;
  scheduler().meet(Meeting::Ballot, mask, site);
  return uint32_t(t->taken[0]);
}

uint32_t match(uint32_t mask, uint32_t value, Site site) {
  Thread* t = current;
  t->given[0] = value;
  scheduler().meet(Meeting::Match, mask, site);
  return uint32_t(t->taken[0]);
}

void pause(Site site) {
  Scheduler& s = scheduler();
  if (++s.pauses > kMaxPauses) fail_thread("waits for a value that nobody writes", site);
  s.ready.push_back(current);
  s.put_aside(current);
}

void fail_thread(const std::string& what, Site site) {
  Scheduler& s = scheduler();
  s.note(what, site);
  s.stuck.push_back(Fiber::running());
  Fiber::yield();
  __builtin_unreachable();
}

}  // namespace tl::cuda::emulator
