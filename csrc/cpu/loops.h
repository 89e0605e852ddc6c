#pragma once

#include "core/plan.h"

// How the CPU walks a plan. Kernels only see runs of elements side by side, of the dtypes they ask for: operands that
// lie differently are brought into small buffers tile by tile, and results are taken out of one the same way.

namespace tl::cpu {

// Moves and conversions of runs of elements; filled per instruction set by cpu/cast.cpp.
struct BlockTools {
  using Convert = void (*)(void* to, const void* from, int64_t n);
  using Strided = void (*)(void* to, const void* from, int64_t n, int64_t stride);  // stride in bytes
  // to[r][c] = from[c][r]; rows of `to` are `to_stride` bytes apart, rows of `from` `from_stride`.
  using Transpose = void (*)(void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t rows,
                             int64_t cols);
  Convert convert[kDtypes][kDtypes];
  Strided gather[5];  // by log2 of the element's bytes; stride 0 repeats one element
  Strided scatter[5];
  Transpose transpose[5];
  // Copies past the caches.
  void (*stream)(void* to, const void* from, int64_t bytes);
  void (*stream_fence)();
};
extern BlockTools block_tools;

inline int log2_itemsize(Dtype t) { return __builtin_ctz(unsigned(itemsize(t))); }

// Computes n elements. Bit i of `repeated` says that in[i] is one element for all.
using LoopFn = void (*)(void* out, const void* const* in, int64_t n, unsigned repeated, const void* params);

struct Loop {
  LoopFn fn;
  Dtype out;
  Dtype in[kPlanOperands - 1];
  bool takes_repeated;  // else `repeated` is always 0
  int cost = 1;         // per element, in adds: expensive loops are worth a thread earlier
};

// Elements of a cheap loop that are worth a thread.
inline constexpr int64_t kGrain = 32768;
// Results of at least this many bytes are written past the caches.
inline constexpr int64_t kStreamBytes = int64_t(8) << 20;

void run(const Plan& plan, const Loop& loop, const void* params);
void copy(const Plan& plan);

}  // namespace tl::cpu
