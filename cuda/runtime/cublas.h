#pragma once

#include <string>

// The functions of cuBLAS that are called, found at run time in the library where it is installed. The emulator stands
// in for them.

namespace tl::cuda {

// Statuses, enumerations and types as in cublas_api.h, which is not needed to build.
struct CublasCalls {
  int (*create)(void** handle);
  int (*set_stream)(void* handle, void* stream);
  int (*set_math_mode)(void* handle, int mode);
  // cublasGemmStridedBatchedEx: column-major c = alpha op(a) op(b) + beta c.
  int (*gemm)(void* handle, int trans_a, int trans_b, int m, int n, int k, const void* alpha, const void* a, int a_type,
              int lda, long long a_step, const void* b, int b_type, int ldb, long long b_step, const void* beta,
              void* c, int c_type, int ldc, long long c_step, int batch, int compute, int algorithm);
  std::string path;
};

namespace cublas {
inline constexpr int kOpN = 0, kOpT = 1;
inline constexpr int kFloat32 = 0, kFloat64 = 1, kFloat16 = 2, kComplex64 = 4, kComplex128 = 5, kBFloat16 = 14;
inline constexpr int kCompute32 = 68, kCompute64 = 70, kComputeTf32 = 77;
inline constexpr int kDefaultMath = 0, kNoReducedPrecisionReduction = 16;
inline constexpr int kDefaultAlgorithm = -1;
}  // namespace cublas

// Opens the library: TENSORLITE_CUBLAS, one that the process has open already, the folders given (parted by ':'), the
// toolkit, the dynamic linker's path. Null when there is none, and `why` says where it was looked for.
const CublasCalls* load_cublas(const std::string& folders, std::string* why);

namespace driver {
const CublasCalls* cublas(const std::string& folders, std::string* why);
}

}  // namespace tl::cuda
