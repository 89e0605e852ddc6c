#include <climits>
#include <map>
#include <mutex>
#include <utility>

#include "matmul.h"
#include "runtime/allocator.h"
#include "runtime/cublas.h"

// Products by cuBLAS, where backends.cuda.matmul.backend asks for it. It knows columns only: rows are computed as the
// columns of the transposed product.

namespace tl::cuda {
namespace {

struct Library {
  const CublasCalls* calls;
  std::string why;
};
// Looked for anew until it is found: the folders come from Python.
Library& library() {
  static std::mutex mutex;
  static Library* found = new Library{};
  std::lock_guard<std::mutex> lock(mutex);
  if (!found->calls) found->calls = driver::cublas(matmul_settings().cublas_folders, &found->why);
  return *found;
}

void must(int status, const char* call) {
  if (status == 0) return;
  const char* name = status == 1    ? "CUBLAS_STATUS_NOT_INITIALIZED"
                     : status == 3  ? "CUBLAS_STATUS_ALLOC_FAILED"
                     : status == 7  ? "CUBLAS_STATUS_INVALID_VALUE"
                     : status == 8  ? "CUBLAS_STATUS_ARCH_MISMATCH"
                     : status == 11 ? "CUBLAS_STATUS_MAPPING_ERROR"
                     : status == 13 ? "CUBLAS_STATUS_EXECUTION_FAILED"
                     : status == 14 ? "CUBLAS_STATUS_INTERNAL_ERROR"
                     : status == 15 ? "CUBLAS_STATUS_NOT_SUPPORTED"
                                    : "an unknown status";
  fail("CUDA error: ", name, " when calling `", call, "`");
}

// A handle and its workspace serve one stream of one thread. They are never destroyed.
void* handle_for(const CublasCalls& calls, Stream stream) {
  thread_local std::map<std::pair<int, Stream>, void*> handles;
  void*& handle = handles[{driver::device(), stream}];
  if (!handle) {
    void* made = nullptr;
    int status = calls.create(&made);
    if (status == 1 || status == 3) {  // it found no memory: the allocator keeps it
      caching_allocator().empty_cache();
      status = calls.create(&made);
    }
    must(status, "cublasCreate_v2");
    must(calls.set_stream(made, stream), "cublasSetStream_v2");
    handle = made;
  }
  return handle;
}

// A matrix of columns, as it is or transposed.
struct Columns {
  bool usable = false;
  int trans = cublas::kOpN;
  int64_t lead = 0;
};
Columns columns(int64_t rows, int64_t cols, int64_t row_step, int64_t col_step) {
  auto fits = [](int64_t rows, int64_t cols, int64_t row_step, int64_t col_step) {
    return (row_step == 1 || rows == 1) && (col_step >= rows || cols == 1);
  };
  if (fits(rows, cols, row_step, col_step)) return {true, cublas::kOpN, cols == 1 ? rows : col_step};
  if (fits(cols, rows, col_step, row_step)) return {true, cublas::kOpT, rows == 1 ? cols : row_step};
  return {};
}

template <class T>
TL_KERNEL prepare_addend(const Output<T> out, int64_t batch) {
  int64_t matrix = out.m * out.n;
  for (int64_t i = global_index(); i < batch * matrix; i += global_size()) {
    int64_t z = i / matrix, row = i % matrix / out.n, column = i % out.n;
    out.c[z * out.c_batch + row * out.c_row + column * out.c_column] =
        out.d[z * out.d_batch + row * out.d_row + column * out.d_column];
  }
}
template <class T>
TL_KERNEL relu_in_place(const Output<T> out, int64_t batch) {
  int64_t matrix = out.m * out.n;
  for (int64_t i = global_index(); i < batch * matrix; i += global_size()) {
    T* p = out.c + i / matrix * out.c_batch + i % matrix / out.n * out.c_row + i % out.n * out.c_column;
    Sum<T> v = convert<Sum<T>>(*p);
    *p = convert<T>(v <= Sum<T>(0) ? Sum<T>(0) : v);
  }
}

template <class T>
bool run(const CublasCalls& calls, const GemmArgs& g, Stream stream, int type) {
  // The product whose result lies in columns: as asked, or transposed.
  Columns c = columns(g.m, g.n, g.c_row, g.c_col);
  if (!c.usable) return false;
  const bool turned = c.trans == cublas::kOpT;
  Columns a = turned ? columns(g.n, g.k, g.b_col, g.b_row) : columns(g.m, g.k, g.a_row, g.a_col);
  Columns b = turned ? columns(g.k, g.m, g.a_col, g.a_row) : columns(g.k, g.n, g.b_row, g.b_col);
  if (!a.usable || !b.usable) return false;
  const int64_t least_step = c.lead * ((turned ? g.m : g.n) - 1) + (turned ? g.n : g.m);
  if (g.batch > 1 && g.c_batch < least_step) return false;
  for (int64_t v : {g.m, g.n, g.k, g.batch, a.lead, b.lead, c.lead})
    if (v > INT_MAX) return false;

  const bool add = g.d && (g.beta != 0 || g.beta_imag != 0);
  const Output<T> out{g.m,
                      g.n,
                      static_cast<T*>(g.c),
                      g.c_row,
                      g.c_col,
                      g.c_batch,
                      static_cast<const T*>(g.d),
                      g.d_row,
                      g.d_col,
                      g.d_batch,
                      Sum<T>(1),
                      Sum<T>(0),
                      false,
                      false,
                      nullptr};
  const uint32_t blocks = blocks_for(g.batch * g.m * g.n, kThreads);
  const bool same = g.d == g.c && g.d_row == g.c_row && g.d_col == g.c_col && (g.batch == 1 || g.d_batch == g.c_batch);
  if (add && !same) launch({{blocks}, {kThreads}, 0, stream}, prepare_addend<T>, out, g.batch);

  auto coefficient = [](double re, double im) {
    if constexpr (is_complex_type<T>)
      return T(typename T::value_type(re), typename T::value_type(im));
    else
      return Sum<T>(re);
  };
  const auto alpha = coefficient(g.alpha, g.alpha_imag);
  const auto beta = add ? coefficient(g.beta, g.beta_imag) : coefficient(0, 0);
  const MatmulSettings& settings = matmul_settings();
  const bool reduced =
      !is_half_type<T> || (dtype_of<T> == Dtype::Float16 ? settings.half_sums_float16 : settings.half_sums_bfloat16);
  constexpr bool kDouble = dtype_of<T> == Dtype::Float64 || dtype_of<T> == Dtype::Complex128;
  const int compute = kDouble                                                ? cublas::kCompute64
                      : dtype_of<T> == Dtype::Float32 && settings.allow_tf32 ? cublas::kComputeTf32
                                                                             : cublas::kCompute32;
  void* handle = handle_for(calls, stream);
  must(calls.set_math_mode(handle, reduced ? cublas::kDefaultMath : cublas::kNoReducedPrecisionReduction),
       "cublasSetMathMode");
  must(calls.gemm(handle, a.trans, b.trans, int(turned ? g.n : g.m), int(turned ? g.m : g.n), int(g.k), &alpha,
                  turned ? g.b : g.a, type, int(a.lead), turned ? g.b_batch : g.a_batch, turned ? g.a : g.b, type,
                  int(b.lead), turned ? g.a_batch : g.b_batch, &beta, g.c, type, int(c.lead), g.c_batch, int(g.batch),
                  compute, cublas::kDefaultAlgorithm),
       "cublasGemmStridedBatchedEx");
  if constexpr (!is_complex_type<T>)
    if (g.relu) launch({{blocks}, {kThreads}, 0, stream}, relu_in_place<T>, out, g.batch);
  return true;
}

}  // namespace

std::string cublas_trouble() {
  Library& l = library();
  return l.calls ? "" : l.why;
}

void prepare_cublas(Stream stream) {
  if (matmul_settings().backend != MatmulBackend::Native && library().calls) handle_for(*library().calls, stream);
}

bool by_cublas(const GemmArgs& g, Stream stream) {
  if (!g.k || g.dtype == Dtype::Bool || is_integral(g.dtype)) return false;
  Library& l = library();
  if (!l.calls) {
    check(matmul_settings().backend != MatmulBackend::Cublas, l.why);
    return false;
  }
  switch (g.dtype) {
    case Dtype::Float32:
      return run<float>(*l.calls, g, stream, cublas::kFloat32);
    case Dtype::Float64:
      return run<double>(*l.calls, g, stream, cublas::kFloat64);
    case Dtype::Float16:
      return run<Half>(*l.calls, g, stream, cublas::kFloat16);
    case Dtype::BFloat16:
      return run<BFloat16>(*l.calls, g, stream, cublas::kBFloat16);
    case Dtype::Complex64:
      return run<Complex<float>>(*l.calls, g, stream, cublas::kComplex64);
    case Dtype::Complex128:
      return run<Complex<double>>(*l.calls, g, stream, cublas::kComplex128);
    default:
      return false;
  }
}

}  // namespace tl::cuda
