#include "runtime/cublas.h"

#include <cstdlib>
#include <cstring>

#include "runtime/elements.h"
#include "runtime/launch.h"

// What stands in for cuBLAS: the call that is used, word for word in columns, as a kernel on the handle's stream.
// TENSORLITE_EMULATE_CUBLAS=load opens a real library instead, which is how a missing one is tested.

namespace tl::cuda {
namespace {

enum Status { kSuccess = 0, kInvalidValue = 7, kNotSupported = 15 };

struct Handle {
  Stream stream = nullptr;
};

template <class T, class S>
struct Call {
  int m, n, k, batch;
  bool trans_a, trans_b;
  S alpha, beta;
  const T *a, *b;
  T* c;
  int64_t lda, ldb, ldc, a_step, b_step, c_step;
};

template <class T, class S>
TL_KERNEL column_major(const Call<T, S> g) {
  for (int64_t i = global_index(); i < int64_t(g.batch) * g.m * g.n; i += global_size()) {
    int64_t row = i % g.m, column = i / g.m % g.n, z = i / g.m / g.n;
    S sum = S(0);
    for (int64_t l = 0; l < g.k; ++l) {
      S x = convert<S>(g.a[z * g.a_step + (g.trans_a ? row * g.lda + l : l * g.lda + row)]);
      S y = convert<S>(g.b[z * g.b_step + (g.trans_b ? l * g.ldb + column : column * g.ldb + l)]);
      sum = sum + x * y;
    }
    T* to = g.c + z * g.c_step + column * g.ldc + row;
    S v = g.alpha * sum;
    if (g.beta != S(0)) v = v + g.beta * convert<S>(*to);
    *to = convert<T>(v);
  }
}

template <class T, class S>
int run(void* handle, int trans_a, int trans_b, int m, int n, int k, const void* alpha, const void* a, int lda,
        long long a_step, const void* b, int ldb, long long b_step, const void* beta, void* c, int ldc,
        long long c_step, int batch) {
  Call<T, S> g{m, n, k, batch, trans_a == cublas::kOpT, trans_b == cublas::kOpT};
  std::memcpy(&g.alpha, alpha, sizeof(S));
  std::memcpy(&g.beta, beta, sizeof(S));
  g.a = static_cast<const T*>(a), g.b = static_cast<const T*>(b), g.c = static_cast<T*>(c);
  g.lda = lda, g.ldb = ldb, g.ldc = ldc, g.a_step = a_step, g.b_step = b_step, g.c_step = c_step;
  launch({{blocks_for(int64_t(m) * n * batch, 256)}, {256}, 0, static_cast<Handle*>(handle)->stream},
         column_major<T, S>, g);
  return kSuccess;
}

int create(void** handle) {
  *handle = new Handle;
  return kSuccess;
}
int set_stream(void* handle, void* stream) {
  static_cast<Handle*>(handle)->stream = static_cast<Stream>(stream);
  return kSuccess;
}
int set_math_mode(void*, int mode) {
  return mode == cublas::kDefaultMath || mode == cublas::kNoReducedPrecisionReduction ? kSuccess : kInvalidValue;
}

int gemm(void* handle, int trans_a, int trans_b, int m, int n, int k, const void* alpha, const void* a, int a_type,
         int lda, long long a_step, const void* b, int b_type, int ldb, long long b_step, const void* beta, void* c,
         int c_type, int ldc, long long c_step, int batch, int compute, int algorithm) {
  auto least = [](int rows) { return rows > 1 ? rows : 1; };
  if (m < 0 || n < 0 || k < 0 || batch < 0 || trans_a < 0 || trans_a > 1 || trans_b < 0 || trans_b > 1 ||
      lda < least(trans_a ? k : m) || ldb < least(trans_b ? n : k) || ldc < least(m) ||
      (batch > 1 && c_step < int64_t(ldc) * (n - 1) + m))
    return kInvalidValue;
  if (a_type != b_type || a_type != c_type || algorithm != cublas::kDefaultAlgorithm) return kNotSupported;
  const bool wide = a_type == cublas::kFloat64 || a_type == cublas::kComplex128;
  if (wide ? compute != cublas::kCompute64
           : compute != cublas::kCompute32 && !(compute == cublas::kComputeTf32 && a_type == cublas::kFloat32))
    return kNotSupported;
#define TL_RUN(tag, T, S)                                                                                            \
  case cublas::tag:                                                                                                  \
    return run<T, S>(handle, trans_a, trans_b, m, n, k, alpha, a, lda, a_step, b, ldb, b_step, beta, c, ldc, c_step, \
                     batch)
  switch (a_type) {
    TL_RUN(kFloat32, float, float);
    TL_RUN(kFloat64, double, double);
    TL_RUN(kFloat16, Half, float);
    TL_RUN(kBFloat16, BFloat16, float);
    TL_RUN(kComplex64, Complex<float>, Complex<float>);
    TL_RUN(kComplex128, Complex<double>, Complex<double>);
  }
#undef TL_RUN
  return kNotSupported;
}

}  // namespace

const CublasCalls* driver::cublas(const std::string& folders, std::string* why) {
  const char* mode = std::getenv("TENSORLITE_EMULATE_CUBLAS");
  if (mode && !std::strcmp(mode, "load")) return load_cublas(folders, why);
  static const CublasCalls calls{create, set_stream, set_math_mode, gemm, "the emulator"};
  return &calls;
}

}  // namespace tl::cuda
