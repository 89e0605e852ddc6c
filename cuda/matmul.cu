#include "matmul.h"

#include "runtime/allocator.h"

// Which kernel multiplies: the plain tiles take every dtype and shape, and stand in where the table of
// runtime/selection.h has no faster one. Half types are summed in float32.

namespace tl::cuda {

void* workspace(size_t bytes, const void* beside) {
  return caching_allocator().allocate(bytes, {DeviceType::CUDA, int8_t(driver::device_of(beside))});
}
void free_workspace(void* data, const void* beside) {
  caching_allocator().free(data, 0, {DeviceType::CUDA, int8_t(driver::device_of(beside))});
}

namespace {

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
void plain_tiles(const Product<T>& product) {
  // A thread keeps kEach x kEach sums; sums of 16 bytes one, for the registers.
  constexpr int kMost = sizeof(Sum<T>) == 16 ? 1 : 4;
  bool small = product.m <= 2 * kTileSide || product.n <= 2 * kTileSide || kMost == 1;
  int tile = kTileSide * (small ? 1 : kMost);
  int64_t tiles = (product.m + tile - 1) / tile * ((product.n + tile - 1) / tile) * product.batch;
  in_parts(product, parts_of(tiles, product.k, 256), [&](const Product<T>& p, Parts parts) {
    Tiling tiling(p.m, p.n, p.k, tile, tile, parts.count, parts.depth);
    LaunchConfig config{tiling.grid(p.batch), {kTileSide * kTileSide}, 0, p.stream};
    if (small)
      launch(config, gemm_plain<T, 1, Matrix<T>, Matrix<T>, Output<T>>, tiling, p.a, p.b, p.out);
    else
      launch(config, gemm_plain<T, kMost, Matrix<T>, Matrix<T>, Output<T>>, tiling, p.a, p.b, p.out);
  });
}

template <class T>
void multiply(const GemmArgs& a, Stream stream) {
  Product<T> p;
  p.m = a.m, p.n = a.n, p.k = a.k, p.batch = a.batch;
  p.a = {static_cast<const T*>(a.a), a.m, a.a_row, a.a_col, a.a_batch};
  p.b = {static_cast<const T*>(a.b), a.n, a.b_col, a.b_row, a.b_batch};
  bool add = a.beta != 0 || a.beta_imag != 0 || a.beta_int != 0;
  Output<T>& out = p.out;
  out = {};
  out.m = a.m, out.n = a.n;
  out.c = static_cast<T*>(a.c), out.c_row = a.c_row, out.c_column = a.c_col, out.c_batch = a.c_batch;
  if (add) out.d = static_cast<const T*>(a.d), out.d_row = a.d_row, out.d_column = a.d_col, out.d_batch = a.d_batch;
  out.alpha = coefficient<T>(a.alpha, a.alpha_imag, a.alpha_int);
  out.beta = coefficient<T>(a.beta, a.beta_imag, a.beta_int);
  out.relu = a.relu;
  constexpr int64_t kChunk = 16 / int64_t(sizeof(T));
  out.wide =
      a.c_col == 1 && a.c_row % kChunk == 0 && a.c_batch % kChunk == 0 && reinterpret_cast<uintptr_t>(a.c) % 16 == 0;
  p.stream = stream;

  double work = double(a.m) * double(a.n) * double(a.k) * double(a.batch);
  if ((a.m == 1 || a.n == 1) && choose(Kernel::MatmulVector, work) != Choice::Simple) return vector_product(p);
  if constexpr (dtype_of<T> == Dtype::Float32) {
    Choice tf32 = matmul_settings().allow_tf32 ? choose(Kernel::MatmulTf32, work) : Choice::Simple;
    if (tf32 != Choice::Simple && has_tensor_cores()) return tensor_tiles(p, tf32);
    Choice choice = choose(Kernel::MatmulFloat32, work);
    if (choice != Choice::Simple) return warp_tiles(p, choice);
  } else if constexpr (is_half_type<T>) {
    Choice choice = choose(dtype_of<T> == Dtype::Float16 ? Kernel::MatmulFloat16 : Kernel::MatmulBFloat16, work);
    if (choice != Choice::Simple && has_tensor_cores()) return tensor_tiles(p, choice);
  }
  plain_tiles(p);
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
void dot_of(const DotArgs& a, Stream stream) {
  launch({{1}, {kThreads}, 0, stream}, dot_kernel<T>, static_cast<const T*>(a.a), a.a_step, static_cast<const T*>(a.b),
         a.b_step, a.n, a.conjugate, static_cast<T*>(a.result));
}

#define TL_BY_DTYPE(function) \
  switch (a.dtype) {          \
    TL_STORED(TL_CASE)        \
    case Dtype::Bool:         \
      break;                  \
  }                           \
  fail<NotImplementedError>("matrix products of bool are not implemented for CUDA")

void gemm(const GemmArgs& a) {
  if (!a.m || !a.n || !a.batch) return;
  Launcher l = Launcher::of(a.c);
  if (matmul_settings().backend != MatmulBackend::Native && by_cublas(a, l.stream)) return;
#define TL_CASE(S, tag) \
  case Dtype::tag:      \
    return multiply<S>(a, l.stream);
  TL_BY_DTYPE();
#undef TL_CASE
}

void dot(const DotArgs& a) {
  if (a.n && !a.conjugate && choose(Kernel::MatmulVector, double(a.n)) != Choice::Simple) {
    GemmArgs g;
    g.dtype = a.dtype;
    g.m = g.n = 1, g.k = a.n;
    g.a = a.a, g.a_row = 0, g.a_col = a.a_step;
    g.b = a.b, g.b_row = a.b_step, g.b_col = 0;
    g.c = a.result, g.c_row = g.c_col = 1;
    return gemm(g);
  }
  Launcher l = Launcher::of(a.result);
#define TL_CASE(S, tag) \
  case Dtype::tag:      \
    return dot_of<S>(a, l.stream);
  TL_BY_DTYPE();
#undef TL_CASE
}

[[maybe_unused]] const bool filled = [] {
  matmul_kernels[int(DeviceType::CUDA)] = {gemm, dot};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
