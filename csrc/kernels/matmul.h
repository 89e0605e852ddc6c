#pragma once

#include <string>

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// c = alpha * (a @ b) + beta * d, then perhaps relu, for `batch` matrices. Strides are in elements and may be anything
// (0 to broadcast, swapped for a transposed operand); c may not overlap itself. With beta = 0, d is not read; d may be
// c.
struct GemmArgs {
  Dtype dtype;
  bool relu = false;
  int64_t m, n, k;
  const void* a;
  int64_t a_row, a_col;
  const void* b;
  int64_t b_row, b_col;
  void* c;
  int64_t c_row, c_col;
  const void* d = nullptr;
  int64_t d_row = 0, d_col = 0;
  int64_t batch = 1;
  int64_t a_batch = 0, b_batch = 0, c_batch = 0, d_batch = 0;
  // alpha and beta: as int64 for integers, else real and imaginary part.
  int64_t alpha_int = 1, beta_int = 0;
  double alpha = 1, beta = 0, alpha_imag = 0, beta_imag = 0;
};

// *result = sum of a[i] * b[i]; conjugates a when asked.
struct DotArgs {
  Dtype dtype;
  bool conjugate = false;
  int64_t n;
  const void* a;
  int64_t a_step;
  const void* b;
  int64_t b_step;
  void* result;
};

struct MatmulKernels {
  void (*gemm)(const GemmArgs&);
  void (*dot)(const DotArgs&);
};
TL_API extern MatmulKernels matmul_kernels[kDeviceTypes];  // defined in ops/matmul.cpp

// What a script has asked of products on CUDA devices (backends.cuda.matmul in Python).
enum class MatmulBackend { Native, Cublas, Auto };
struct MatmulSettings {
  bool allow_tf32 = false;                                   // float32 may be rounded to tf32 for tensor cores
  bool half_sums_float16 = true, half_sums_bfloat16 = true;  // cuBLAS may round partial sums to the half type
  MatmulBackend backend = MatmulBackend::Native;
  std::string cublas_folders;  // to look for the library in, parted by ':'
};
TL_API MatmulSettings& matmul_settings();  // defined in ops/matmul.cpp

}  // namespace tl
