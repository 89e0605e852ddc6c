#pragma once

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

}  // namespace tl
