#include "kernels/matmul.h"

#include "runtime/walk.h"

// Matrix products in shared tiles: a block computes kTile x kTile results, each thread kEach x kEach of them, from
// panels of kDepth columns and rows. Half types are summed in float32. The kernels for tensor cores stand beside this
// one when hardware has shown them faster.

namespace tl::cuda {
namespace {

constexpr int kSide = 16;  // threads along a tile's edge
constexpr int kDepth = 16;

template <class T>
struct SumOf {
  using type = T;
};
template <>
struct SumOf<Half> {
  using type = float;
};
template <>
struct SumOf<BFloat16> {
  using type = float;
};
template <class T>
using Sum = typename SumOf<T>::type;

template <class T>
struct Gemm {
  int64_t m, n, k;
  const T *a, *b, *d;
  T* c;
  int64_t a_row, a_col, a_batch, b_row, b_col, b_batch, c_row, c_col, c_batch, d_row, d_col, d_batch;
  Sum<T> alpha, beta;
  bool relu;
};

template <class T>
TL_DEVICE Sum<T> relu_of(Sum<T> v) {
  if constexpr (is_complex_type<T>)
    return v;
  else
    return v <= Sum<T>(0) ? Sum<T>(0) : v;
}

template <class T, int kEach>
TL_KERNEL gemm_tiles(const Gemm<T> g) {
  using A = Sum<T>;
  constexpr int kTile = kSide * kEach;
  TL_SHARED(A, left, kDepth * kTile);
  TL_SHARED(A, right, kDepth * kTile);
  int t = int(thread_index().x), row = t / kSide, col = t % kSide;
  int64_t batch = block_index().z, row0 = int64_t(block_index().y) * kTile, col0 = int64_t(block_index().x) * kTile;
  const T* a = g.a + batch * g.a_batch;
  const T* b = g.b + batch * g.b_batch;
  A sums[kEach][kEach];
  for (int i = 0; i < kEach; ++i)
    for (int j = 0; j < kEach; ++j) sums[i][j] = A(0);

  for (int64_t k0 = 0; k0 < g.k; k0 += kDepth) {
    // Neighbouring threads read along the dim that lies in a row in memory.
    for (int e = t; e < kDepth * kTile; e += kSide * kSide) {
      int depth = g.a_col == 1 ? e % kDepth : e / kTile, at = g.a_col == 1 ? e / kDepth : e % kTile;
      bool inside = row0 + at < g.m && k0 + depth < g.k;
      left[depth * kTile + at] = inside ? convert<A>(a[(row0 + at) * g.a_row + (k0 + depth) * g.a_col]) : A(0);
    }
    for (int e = t; e < kDepth * kTile; e += kSide * kSide) {
      int depth = g.b_row == 1 ? e % kDepth : e / kTile, at = g.b_row == 1 ? e / kDepth : e % kTile;
      bool inside = col0 + at < g.n && k0 + depth < g.k;
      right[depth * kTile + at] = inside ? convert<A>(b[(k0 + depth) * g.b_row + (col0 + at) * g.b_col]) : A(0);
    }
    sync_block();
    for (int depth = 0; depth < kDepth; ++depth) {
      A x[kEach], y[kEach];
      for (int i = 0; i < kEach; ++i) x[i] = left[depth * kTile + row + i * kSide];
      for (int j = 0; j < kEach; ++j) y[j] = right[depth * kTile + col + j * kSide];
      for (int i = 0; i < kEach; ++i)
        for (int j = 0; j < kEach; ++j) sums[i][j] = A(sums[i][j] + x[i] * y[j]);
    }
    sync_block();
  }

  for (int i = 0; i < kEach; ++i)
    for (int j = 0; j < kEach; ++j) {
      int64_t r = row0 + row + i * kSide, c = col0 + col + j * kSide;
      if (r >= g.m || c >= g.n) continue;
      A v = A(g.alpha * sums[i][j]);
      if (g.d) v = A(v + g.beta * convert<A>(g.d[batch * g.d_batch + r * g.d_row + c * g.d_col]));
      if (g.relu) v = relu_of<T>(v);
      g.c[batch * g.c_batch + r * g.c_row + c * g.c_col] = convert<T>(v);
    }
}

template <class T>
Sum<T> coefficient(double real, double imag, int64_t whole) {
  using A = Sum<T>;
  if constexpr (is_complex_type<T>)
    return A(typename T::value_type(real), typename T::value_type(imag));
  else if constexpr (is_floating_type<A>)
    return A(real);
  else
    return A(whole);
}

template <class T>
void multiply(const GemmArgs& a) {
  Launcher l = Launcher::of(a.c);
  Gemm<T> g{a.m,
            a.n,
            a.k,
            static_cast<const T*>(a.a),
            static_cast<const T*>(a.b),
            nullptr,
            static_cast<T*>(a.c),
            a.a_row,
            a.a_col,
            a.a_batch,
            a.b_row,
            a.b_col,
            a.b_batch,
            a.c_row,
            a.c_col,
            a.c_batch,
            a.d_row,
            a.d_col,
            a.d_batch,
            coefficient<T>(a.alpha, a.alpha_imag, a.alpha_int),
            coefficient<T>(a.beta, a.beta_imag, a.beta_int),
            a.relu};
  if (a.beta != 0 || a.beta_imag != 0 || a.beta_int != 0) g.d = static_cast<const T*>(a.d);
  bool small = a.m <= 2 * kSide || a.n <= 2 * kSide || sizeof(T) == 16;
  int64_t tile = small ? kSide : 4 * kSide;
  // A grid holds 65535 tiles along y and z.
  constexpr int64_t kMost = 65535;
  for (int64_t z = 0; z < a.batch; z += kMost)
    for (int64_t y = 0; y < a.m; y += kMost * tile) {
      Gemm<T> part = g;
      part.a += z * g.a_batch + y * g.a_row;
      part.b += z * g.b_batch;
      part.c += z * g.c_batch + y * g.c_row;
      if (part.d) part.d += z * g.d_batch + y * g.d_row;
      part.m = a.m - y < kMost * tile ? a.m - y : kMost * tile;
      int64_t batch = a.batch - z < kMost ? a.batch - z : kMost;
      Dim3 grid{uint32_t((a.n + tile - 1) / tile), uint32_t((part.m + tile - 1) / tile), uint32_t(batch)};
      if (small)
        launch({grid, {kSide * kSide}, 0, l.stream}, gemm_tiles<T, 1>, part);
      else
        launch({grid, {kSide * kSide}, 0, l.stream}, gemm_tiles < T, sizeof(T) == 16 ? 1 : 4 >, part);
    }
}

template <class T>
TL_KERNEL dot_kernel(const T* a, int64_t a_step, const T* b, int64_t b_step, int64_t n, bool conjugate, T* result) {
  using A = Sum<T>;
  TL_SHARED(A, warps, kThreads / kWarp);
  int t = int(thread_index().x);
  A sum = A(0);
  for (int64_t i = t; i < n; i += kThreads) {
    A x = convert<A>(a[i * a_step]), y = convert<A>(b[i * b_step]);
    if constexpr (is_complex_type<T>)
      if (conjugate) x.im = -x.im;
    sum = A(sum + x * y);
  }
  for (int bits = kWarp / 2; bits; bits /= 2) sum = A(sum + shuffle_xor(sum, bits));
  if (t % kWarp == 0) warps[t / kWarp] = sum;
  sync_block();
  if (t != 0) return;
  for (int w = 1; w < kThreads / kWarp; ++w) {
    A other = warps[w];
    sum = A(sum + other);
  }
  *result = convert<T>(sum);
}

template <class T>
void dot_of(const DotArgs& a) {
  Launcher l = Launcher::of(a.result);
  launch({{1}, {kThreads}, 0, l.stream}, dot_kernel<T>, static_cast<const T*>(a.a), a.a_step,
         static_cast<const T*>(a.b), a.b_step, a.n, a.conjugate, static_cast<T*>(a.result));
}

#define TL_BY_DTYPE(function) \
  switch (a.dtype) {          \
    TL_STORED(TL_CASE)        \
    case Dtype::Bool:         \
      break;                  \
  }                           \
  fail<NotImplementedError>("matrix products of bool are not implemented for CUDA")

void gemm(const GemmArgs& a) {
#define TL_CASE(S, tag) \
  case Dtype::tag:      \
    return multiply<S>(a);
  TL_BY_DTYPE();
#undef TL_CASE
}

void dot(const DotArgs& a) {
#define TL_CASE(S, tag) \
  case Dtype::tag:      \
    return dot_of<S>(a);
  TL_BY_DTYPE();
#undef TL_CASE
}

[[maybe_unused]] const bool filled = [] {
  matmul_kernels[int(DeviceType::CUDA)] = {gemm, dot};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
