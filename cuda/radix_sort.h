#pragma once

#include "kernels/sort.h"
#include "runtime/workspace.h"

// Sorting lines of elements, for every family that needs an order (radix_sort.cu).

namespace tl::cuda {

// The bits of an element become a number of the same order: -0 as 0, NaN last.
template <class K>
struct KeyMap {
  static constexpr K kTop = K(K(1) << (8 * sizeof(K) - 1));
  K sign = 0;      // of integers: what is flipped
  K infinity = 0;  // the bits of infinity; 0: not a floating dtype
  K flip = 0;      // all ones: descending

  KeyMap() = default;
  KeyMap(Dtype t, bool descending) {
    if (t == Dtype::Int8 || t == Dtype::Int16 || t == Dtype::Int32 || t == Dtype::Int64) sign = kTop;
    if (t == Dtype::Float16) infinity = K(0x7c00);
    if (t == Dtype::BFloat16) infinity = K(0x7f80);
    if (t == Dtype::Float32) infinity = K(0x7f800000);
    if (t == Dtype::Float64) infinity = K(uint64_t(0x7ff) << 52);
    if (descending) flip = K(~K(0));
  }
  TL_DEVICE K key(K bits) const {
    if (!infinity) return K(bits ^ sign ^ flip);
    K magnitude = K(bits & K(~kTop)), negative = K(bits >> (8 * sizeof(K) - 1));
    K key = K(bits ^ K(K(0) - negative) ^ K(kTop & K(negative - 1)));
    key = K(key + K(key == K(~kTop)));  // -0
    return K(K(key | K(K(0) - K(magnitude > infinity))) ^ flip);
  }
  TL_DEVICE bool is_nan(K key) const { return infinity && K(key ^ flip) == K(~K(0)); }
  // Whether several elements have this key, which are not the same bits.
  TL_DEVICE bool is_shared(K key) const { return infinity && (K(key ^ flip) == kTop || K(key ^ flip) == K(~K(0))); }
  // Those of the only element that has this key.
  TL_DEVICE K bits(K key) const {
    key = K(key ^ flip);
    if (!infinity) return K(key ^ sign);
    return key & kTop ? K(key ^ kTop) : K(~key);
  }
};

// Calls f for each of the elements from `begin` to `end` that a thread of a block of kThreads takes; `count` of them
// are read before the first is looked at.
template <int count, class K, class F>
TL_DEVICE void each_in_chunk(const K* line, int64_t begin, int64_t end, F f) {
  for (int64_t i = begin + thread_index().x; i < end; i += count * kThreads) {
    K bits[count];
    TL_UNROLL
    for (int k = 0; k < count; ++k) bits[k] = i + k * kThreads < end ? line[i + k * kThreads] : K(0);
    TL_UNROLL
    for (int k = 0; k < count; ++k)
      if (i + k * kThreads < end) f(bits[k]);
  }
}

// f(K()) with the unsigned integer as wide as the dtype, which is not a complex one.
template <class F>
void with_key(Dtype t, F f) {
  switch (itemsize(t)) {
    case 1:
      return f(uint8_t());
    case 2:
      return f(uint16_t());
    case 4:
      return f(uint32_t());
    default:
      return f(uint64_t());
  }
}

// Lines of n elements side by side, each sorted by itself: ascending, -0 equal to 0, NaN last, equal ones by their
// place; descending as ascending by keys turned round, so that equal ones stay by their place.
struct LineSort {
  const void* in;
  Dtype dtype;
  int64_t lines, n;
  bool descending = false;
  void* values = nullptr;  // null, or (lines, n)
  int64_t* indices = nullptr;
};
void sort_lines(const LineSort& s, const Launcher& l);

// The first k of each sorted line; values may be null, indices not. Results are (lines, k).
void top_lines(const LineSort& s, int64_t k, const Launcher& l);

// What becomes of lines that a block sorts: the first `keep` elements, or one of them.
enum class Pick : uint8_t { Leading, Kth, Median, NanMedian };
bool fits_block(Dtype t, int64_t n);
// Results are (lines, keep).
void pick_sorted(const LineSort& s, Pick pick, int64_t k, int64_t keep, const Launcher& l);

// The sum of what the threads before this one in a block have; `total` is that of all.
template <class V>
TL_DEVICE V sum_before(V v, Shared<V> warps, V* total) {
  int t = int(thread_index().x), lane = lane_index();
  V sum = v;
  for (int step = 1; step < kWarp; step *= 2) {
    V other = shuffle_up(sum, step);
    if (lane >= step) sum += other;
  }
  if (lane == kWarp - 1) warps[t / kWarp] = sum;
  sync_block();
  V before = 0, all = 0;
  for (int w = 0; w < int(block_size().x) / kWarp; ++w) {
    V other = warps[w];
    if (w < t / kWarp) before += other;
    all += other;
  }
  sync_block();
  if (total) *total = all;
  return before + sum - v;
}

}  // namespace tl::cuda
