#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/dim3.h"

// One grid at a time, one CUDA thread at a time. Threads run to their end one after another on one stack; one that
// waits is put aside with its stack, and another stack goes on. Which block, warp and lane comes next is drawn from a
// seed (TENSORLITE_EMULATE_SEED). Several blocks are resident, so that one may wait for another.

namespace tl::cuda::emulator {

class Fiber;
struct Block;

// Where in a kernel's source something happens.
struct Site {
  const char* file;
  int line;
  bool operator==(const Site& o) const { return line == o.line && file == o.file; }
};

enum class Meeting : uint8_t { None, Warp, Shuffle, Ballot, Match };

// A cp.async that was issued and not yet waited for.
struct AsyncCopy {
  uint32_t offset, bytes, step;  // of the shared memory; accesses are noted by elements of `step` bytes
  const void* from;              // null: zeros
  uint32_t group;
};

struct Thread {
  Dim3 index;
  Block* block = nullptr;
  uint32_t linear = 0;
  Fiber* fiber = nullptr;  // while it waits
  // What it waits for.
  Site site{};
  Meeting meeting = Meeting::None;
  uint32_t mask = 0;
  bool barrier = false;
  uint64_t given[2] = {}, taken[2] = {};
  int source = 0;
  int vote = 0;
  std::vector<AsyncCopy> copies;
  uint32_t group = 0;

  uint32_t warp() const { return linear / 32; }
  uint32_t lane() const { return linear % 32; }
};

// When lanes of a warp last met at a __syncwarp: by the warp's clock, which ticks at each.
struct Warp {
  uint32_t alive = 0;
  uint32_t clock = 1, all_met = 0;
  std::unique_ptr<uint32_t[]> met;        // 32 x 32, made when a part of the warp meets
  std::unique_ptr<uint32_t[]> fragments;  // of an mma: 32 lanes x 6 registers
};

// What is known of the accesses to one place of shared memory. Stale when `serial` is not the block's.
struct Shadow {
  uint32_t serial;
  uint32_t write_epoch, write_clock;
  uint32_t read_epoch[2], read_clock[2];
  int16_t writer, reader[2];
  bool atomic, copying;
};

inline constexpr size_t kSharedMax = 227 << 10;  // of a block on sm_90

struct StaticShared {
  const void* key;
  size_t offset, bytes;
};

struct Block {
  Dim3 index;
  uint32_t serial = 0;
  uint32_t unstarted = 0, finished = 0, waiting = 0, first = 0;
  uint32_t epoch = 1;  // ticks at each __syncthreads
  int32_t votes = 0;
  Site site{};
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::unique_ptr<unsigned char[]> shared;  // kSharedMax, made when first used
  std::unique_ptr<Shadow[]> shadow;         // by byte offset
  std::vector<StaticShared> statics;
  size_t shared_used = 0;
};

struct Grid {
  Dim3 grid, block;
  size_t dynamic_shared;
  Site launched;
  void (*run)(void*);
  void* context;
};

// Runs a grid to its end. Raises what a thread did wrong, with kernel, block and thread.
void run_grid(const Grid& grid);

// ---- for device.h: the thread that runs ----

extern Thread* current;
extern const Grid* current_grid;

void wait_barrier(Site site);
// The sum of `vote` over the block.
int wait_barrier_sum(int vote, Site site);
void wait_warp(uint32_t mask, Site site);
// 16 bytes from another lane of the mask. A source that is not in it is an error.
void exchange(uint32_t mask, int source, uint64_t* value, Site site);
uint32_t ballot(uint32_t mask, bool vote, Site site);
// The lanes of the mask that give the same value.
uint32_t match(uint32_t mask, uint32_t value, Site site);
// Lets others run: what an acquire load does first, so that a thread that spins does not spin for ever.
void pause(Site site);
// Ends the grid with an error that names the thread.
[[noreturn]] void fail_thread(const std::string& what, Site site = {nullptr, 0});

// ---- seeds ----

// A draw in [0, n).
uint32_t draw(uint32_t n);
void set_seed(uint64_t seed);

}  // namespace tl::cuda::emulator
