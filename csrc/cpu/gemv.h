#pragma once

#include "cpu/gemm.h"

// Products with a vector: bound by memory, so the matrix is read once, in the order in which it lies.

namespace tl::cpu::TL_ISA {

template <class T>
[[gnu::always_inline]] inline T lanes_sum(Vec<T> v) {
  T lanes[kLanes<T>];
  store(lanes, v);
#pragma GCC unroll 8
  for (int h = kLanes<T> / 2; h > 0; h /= 2)
    for (int i = 0; i < h; ++i) lanes[i] = lanes[i] + lanes[i + h];
  return lanes[0];
}

// R dot products of contiguous rows with one contiguous vector.
template <class T, int R>
inline void dot_rows(int64_t k, const T* a, int64_t row, const T* x, T* out) {
  constexpr int W = kLanes<T>, U = R == 1 ? 8 : (R == 2 ? 4 : 2);
  Vec<T> acc[R][U] = {};
  int64_t p = 0;
  for (; p + U * W <= k; p += U * W)
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) {
      const Vec<T> xv = load(x + p + u * W);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) acc[r][u] = fma<T>(load(a + r * row + p + u * W), xv, acc[r][u]);
    }
  for (; p + W <= k; p += W) {
    const Vec<T> xv = load(x + p);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) acc[r][0] = fma<T>(load(a + r * row + p), xv, acc[r][0]);
  }
  if (p < k) {
    const Mask<T> mask(int(k - p));
    const Vec<T> xv = mask.load(x + p);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) acc[r][U > 1 ? 1 : 0] = fma<T>(mask.load(a + r * row + p), xv, acc[r][U > 1 ? 1 : 0]);
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int u = U / 2; u > 0; u /= 2)
      for (int i = 0; i < u; ++i) acc[r][i] += acc[r][i + u];
    out[r] = lanes_sum<T>(acc[r][0]);
  }
}

// y[i] = finish(a[i, :] . x) for rows that lie contiguously.
template <class T>
void gemv_rows(int64_t m, int64_t k, const T* a, int64_t row, const T* x, T* y, int64_t y_step, const T* d,
               int64_t d_step, const Epilogue<T>& e) {
  auto finish = [&](int64_t i, T sum) {
    if (e.finish == Finish::General) sum = e.alpha * sum;
    if (e.finish == Finish::General && e.beta != T(0)) sum = sum + e.beta * d[i * d_step];
    if (e.relu && sum < T(0)) sum = T(0);
    y[i * y_step] = sum;
  };
  auto run = [&](int64_t begin, int64_t end) {
    int64_t i = begin;
    T out[4];
    for (; i + 4 <= end; i += 4) {
      dot_rows<T, 4>(k, a + i * row, row, x, out);
      for (int r = 0; r < 4; ++r) finish(i + r, out[r]);
    }
    for (; i < end; ++i) {
      // The same order of additions as above, so that the cut between threads does not show.
      const T* rows = a + i * row;
      dot_rows<T, 4>(k, rows, 0, x, out);
      finish(i, out[0]);
    }
  };
  if (m * k < 60000) return run(0, m);
  parallel_for(m, most(1, 40000 / most(1, k)), run);
}

// The same for columns that lie contiguously: columns are added up, eight at a time, over a block of y.
template <class T>
void gemv_cols(int64_t m, int64_t k, const T* a, int64_t col, const T* x, int64_t x_step, T* y, int64_t y_step,
               const T* d, int64_t d_step, const Epilogue<T>& e) {
  constexpr int W = kLanes<T>;
  constexpr int64_t kBlock = 2048;
  auto run_block = [&](int64_t i0, int64_t rows) {
    alignas(64) T sum[kBlock];
    const int64_t padded = round_up(rows, W);
    for (int64_t i = 0; i < padded; i += W) store(sum + i, Vec<T>{});
    const int64_t whole = rows / W * W;
    const int tail = int(rows - whole);
    const Mask<T> mask(tail ? tail : 1);
    const T* base = a + i0;
    int64_t p = 0;
    for (; p + 8 <= k; p += 8) {
      Vec<T> xv[8];
      const T* src[8];
#pragma GCC unroll 8
      for (int r = 0; r < 8; ++r) xv[r] = splat(x[(p + r) * x_step]), src[r] = base + (p + r) * col;
      for (int64_t i = 0; i < whole; i += W) {
        Vec<T> s = load(sum + i);
#pragma GCC unroll 8
        for (int r = 0; r < 8; ++r) s = fma<T>(load(src[r] + i), xv[r], s);
        store(sum + i, s);
      }
      if (tail) {
        Vec<T> s = load(sum + whole);
#pragma GCC unroll 8
        for (int r = 0; r < 8; ++r) s = fma<T>(mask.load(src[r] + whole), xv[r], s);
        store(sum + whole, s);
      }
    }
    for (; p < k; ++p) {
      const Vec<T> xv = splat(x[p * x_step]);
      const T* src = base + p * col;
      for (int64_t i = 0; i < whole; i += W) store(sum + i, fma<T>(load(src + i), xv, load(sum + i)));
      if (tail) store(sum + whole, fma<T>(mask.load(src + whole), xv, load(sum + whole)));
    }
    for (int64_t i = 0; i < rows; ++i) {
      T s = sum[i];
      if (e.finish == Finish::General) s = e.alpha * s;
      if (e.finish == Finish::General && e.beta != T(0)) s = s + e.beta * d[(i0 + i) * d_step];
      if (e.relu && s < T(0)) s = T(0);
      y[(i0 + i) * y_step] = s;
    }
  };
  const bool small = m * k < 60000;
  // Each y is one chain over k, so the blocks may follow the number of threads.
  int64_t block = kBlock;
  if (!small) block = least(kBlock, most(256, round_up((m + num_threads() - 1) / num_threads(), 4 * W)));
  const int64_t blocks = (m + block - 1) / block;
  auto run = [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) run_block(t * block, least(block, m - t * block));
  };
  if (small) return run(0, blocks);
  parallel_for(blocks, 1, run);
}

// Sum of a[i] * b[i], in pieces of fixed length whose sums are added in order.
template <class T>
T dot_contiguous(int64_t n, const T* a, const T* b) {
  constexpr int64_t kPiece = 32768;
  T out[1];
  if (n <= kPiece) {
    dot_rows<T, 1>(n, a, 0, b, out);
    return out[0];
  }
  const int64_t pieces = (n + kPiece - 1) / kPiece;
  Scratch scratch(pieces * int64_t(sizeof(T)));
  T* sums = scratch.as<T>();
  parallel_for(pieces, 2, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      dot_rows<T, 1>(least(kPiece, n - i * kPiece), a + i * kPiece, 0, b + i * kPiece, sums + i);
  });
  T total = 0;
  for (int64_t i = 0; i < pieces; ++i) total = total + sums[i];
  return total;
}

}  // namespace tl::cpu::TL_ISA
