#pragma once

#include "core/allocator.h"
#include "core/parallel.h"
#include "cpu/lanes.h"
#include "kernels/pool.h"

// What max and average pooling share.

namespace tl::cpu::TL_ISA {

// The part of a window that lies inside of the input: begin, begin + step, ... < end.
struct Window {
  int64_t begin, end, step;
  int64_t padded;  // elements, padding counted
};
inline Window window(const PoolShape& s, int d, int64_t o) {
  Window w;
  if (s.adaptive) {
    w.begin = o * s.in[d] / s.out[d];
    w.end = ((o + 1) * s.in[d] + s.out[d] - 1) / s.out[d];
    w.step = 1;
    w.padded = w.end - w.begin;
    return w;
  }
  int64_t start = o * s.stride[d] - s.padding[d];
  w.step = s.dilation[d];
  w.end = smaller(start + (s.kernel[d] - 1) * w.step + 1, s.in[d]);
  w.padded = smaller(start + s.kernel[d], s.in[d] + s.padding[d]) - start;
  w.begin = start < 0 ? start + (-start + w.step - 1) / w.step * w.step : start;
  return w;
}
inline int64_t volume(const int64_t* d) { return d[0] * d[1] * d[2]; }

// Memory of one thread's part of a kernel.
template <class A>
struct Scratch {
  explicit Scratch(int64_t n)
      : bytes(size_t(n) * sizeof(A)), data(static_cast<A*>(allocator(DeviceType::CPU).allocate(bytes, Device{}))) {}
  ~Scratch() { allocator(DeviceType::CPU).free(data, bytes, Device{}); }
  Scratch(const Scratch&) = delete;
  operator A*() { return data; }
  size_t bytes;
  A* data;
};
// A row of the input with its padding, and room for whole vectors beyond.
template <class A>
int64_t padded_row(const PoolShape& s) {
  int64_t n = s.in[2] + 4 * kLanes<A>;
  if (s.adaptive) return n;
  int64_t reach = (s.out[2] - 1) * s.stride[2] + (s.kernel[2] - 1) * s.dilation[2] + 1;
  return larger(n + 2 * s.padding[2], reach + larger(s.stride[2], 4) * kLanes<A>);
}

// a0 a1 a2 ... b0 b1 ... -> a0 a2 ... b0 b2 ..., and the others.
template <class V>
inline V even_lanes(V a, V b) {
  constexpr int n = sizeof(V) / sizeof(a[0]);
  if constexpr (n == 2)
    return __builtin_shufflevector(a, b, 0, 2);
  else if constexpr (n == 4)
    return __builtin_shufflevector(a, b, 0, 2, 4, 6);
  else if constexpr (n == 8)
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
  else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
template <class V>
inline V odd_lanes(V a, V b) {
  constexpr int n = sizeof(V) / sizeof(a[0]);
  if constexpr (n == 2)
    return __builtin_shufflevector(a, b, 1, 3);
  else if constexpr (n == 4)
    return __builtin_shufflevector(a, b, 1, 3, 5, 7);
  else if constexpr (n == 8)
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
  else
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
// a0 b0 a1 b1 ...: the first half and the second half.
template <class V>
inline V interleave_low(V a, V b) {
  constexpr int n = sizeof(V) / sizeof(a[0]);
  if constexpr (n == 2)
    return __builtin_shufflevector(a, b, 0, 2);
  else if constexpr (n == 4)
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
  else if constexpr (n == 8)
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  else
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
template <class V>
inline V interleave_high(V a, V b) {
  constexpr int n = sizeof(V) / sizeof(a[0]);
  if constexpr (n == 2)
    return __builtin_shufflevector(a, b, 1, 3);
  else if constexpr (n == 4)
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
  else if constexpr (n == 8)
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  else
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// The 2n elements from p on as two vectors.
template <class T>
struct Two {
  Lanes<Acc<T>> low, high;
};
template <class T>
inline Two<T> load_two(const T* p, Whole, Acc<T>) {
  return {load(p), load(p + kLanes<Acc<T>>)};
}
template <class T>
inline Two<T> load_two(const T* p, Rest r, Acc<T> fill) {
  constexpr int L = kLanes<Acc<T>>;
  int64_t n = 2 * r.n;
  if (n <= L) return {n == L ? load(p) : load(p, n, fill), splat(fill)};
  return {load(p), load(p + L, n - L, fill)};
}
template <class T>
inline void store_two(T* p, Lanes<Acc<T>> low, Lanes<Acc<T>> high, Whole) {
  store(p, low);
  store(p + kLanes<Acc<T>>, high);
}
template <class T>
inline void store_two(T* p, Lanes<Acc<T>> low, Lanes<Acc<T>> high, Rest r) {
  constexpr int L = kLanes<Acc<T>>;
  int64_t n = 2 * r.n;
  if (n < L) return store(p, low, n);
  store(p, low);
  if (n > L) store(p + L, high, n - L);
}

}  // namespace tl::cpu::TL_ISA
