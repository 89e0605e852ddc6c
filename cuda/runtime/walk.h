#pragma once

#include "core/plan.h"
#include "runtime/elements.h"
#include "runtime/launch.h"
#include "runtime/stream.h"

// How kernels walk a plan (core/plan.h), which the host brings into a shape that is quick to step through.

namespace tl::cuda {

// Division of numbers below 2^31 by one that does not change, by a multiplication (Granlund and Montgomery, 1994).
struct Divisor {
  uint32_t value = 1, magic = 1, shift = 0;
  Divisor() = default;
  explicit Divisor(uint32_t d) : value(d) {
    while (shift < 32 && (uint64_t(1) << shift) < d) ++shift;
    magic = uint32_t(((uint64_t(1) << 32) * ((uint64_t(1) << shift) - d)) / d + 1);
  }
  TL_DEVICE uint32_t operator()(uint32_t n) const {
#if defined(__CUDA_ARCH__)
    uint32_t high = __umulhi(n, magic);
#else
    uint32_t high = uint32_t(uint64_t(n) * magic >> 32);
#endif
    return (high + n) >> shift;
  }
};

// A size to divide by: by a multiplication where Index has 32 bits, for which all numbers must have 31.
template <class Index>
struct Extent {
  Index value = 1;
  Divisor divide;
  Extent() = default;
  explicit Extent(int64_t n) : value(Index(n)) {
    if (sizeof(Index) == 4) divide = Divisor(uint32_t(n > 0 ? n : 1));
  }
  TL_DEVICE Index quotient(Index n) const {
    if constexpr (sizeof(Index) == 4)
      return Index(divide(uint32_t(n)));
    else
      return n / value;
  }
  // n becomes the quotient; gives the remainder.
  TL_DEVICE Index split(Index& n) const {
    Index q = quotient(n), rest = n - q * value;
    n = q;
    return rest;
  }
};

inline constexpr int kWalkDims = 16;

// Offsets in bytes of N operands from the position in the plan's order. Index is uint32_t where all fit 31 bits.
template <int N, class Index>
struct Walk {
  int32_t ndim;
  Divisor divide[kWalkDims];
  int64_t sizes[kWalkDims];
  Index strides[N][kWalkDims];

  explicit Walk(const Plan& p) : ndim(p.ndim) {
    for (int d = 0; d < ndim; ++d) {
      sizes[d] = p.sizes[d];
      if (sizeof(Index) == 4) divide[d] = Divisor(uint32_t(p.sizes[d]));
      for (int i = 0; i < N; ++i) strides[i][d] = Index(p.strides[i][d]);
    }
  }
  TL_DEVICE void offsets(int64_t position, Index (&out)[N]) const {
    for (int i = 0; i < N; ++i) out[i] = 0;
    if constexpr (sizeof(Index) == 4) {
      uint32_t rest = uint32_t(position);
      TL_UNROLL_BY(1)
      for (int d = 0; d < ndim; ++d) {
        uint32_t q = d + 1 < ndim ? divide[d](rest) : 0, at = rest - q * divide[d].value;
        for (int i = 0; i < N; ++i) out[i] += Index(at) * strides[i][d];
        rest = q;
      }
    } else {
      int64_t rest = position;
      for (int d = 0; d < ndim; ++d) {
        int64_t q = d + 1 < ndim ? rest / sizes[d] : 0, at = rest - q * sizes[d];
        for (int i = 0; i < N; ++i) out[i] += Index(at) * strides[i][d];
        rest = q;
      }
    }
  }
};

// The stream that an operator on this device uses, with the device made current.
struct Launcher {
  DeviceScope scope;
  Stream stream;
  explicit Launcher(Device d) : scope(d.index), stream(current_stream(d.index)) {}
  // For arguments that name no device. Where there is only one, the driver need not be asked.
  static Launcher of(const void* data) {
    static const bool alone = [] {
      std::string why;
      return driver::device_count(&why) == 1;
    }();
    return Launcher({DeviceType::CUDA, int8_t(alone ? 0 : driver::device_of(data))});
  }
};

inline constexpr int kThreads = 256;

}  // namespace tl::cuda
