#pragma once

#include "core/parallel.h"
#include "cpu/lanes.h"
#include "kernels/norm.h"

// Sums that the normalisations share.

namespace tl::cpu::TL_ISA {
namespace {

constexpr int64_t kSumChunk = 4096;  // elements added in the vector type before the sum goes on in double

// The sum of f(i, part) over [0, n).
template <class A, class F>
inline double sum_over(int64_t n, F&& f) {
  constexpr int L = kLanes<A>;
  double total = 0;
  for (int64_t from = 0; from < n; from += kSumChunk) {
    int64_t to = smaller(from + kSumChunk, n), i = from;
    Lanes<A> s0{}, s1{}, s2{}, s3{};
    for (; i + 4 * L <= to; i += 4 * L) {
      s0 += f(i, Whole{});
      s1 += f(i + L, Whole{});
      s2 += f(i + 2 * L, Whole{});
      s3 += f(i + 3 * L, Whole{});
    }
    for (; i + L <= to; i += L) s0 += f(i, Whole{});
    if (i < to) s1 += f(i, Rest{to - i});
    total += double(sum_lanes<A>((s0 + s1) + (s2 + s3)));
  }
  return total;
}
template <class T>
inline double sum_of(const T* x, int64_t n) {
  return sum_over<Acc<T>>(n, [&](int64_t i, auto part) { return load_n(x + i, part, Acc<T>(0)); });
}
template <class T>
inline double squares_around(const T* x, int64_t n, Acc<T> mean) {
  Lanes<Acc<T>> m = splat(mean);
  return sum_over<Acc<T>>(n, [&](int64_t i, auto part) {
    Lanes<Acc<T>> d = load_n(x + i, part, mean) - m;
    return d * d;
  });
}
inline double square_root(double v) { return sqrt_one(v); }

}  // namespace
}  // namespace tl::cpu::TL_ISA
