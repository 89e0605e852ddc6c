#pragma once

#include "ops/types.h"

// Products of matrices and vectors. Operands may lie in any order of memory; a transposed matrix costs nothing.

namespace tl::ops {

TL_API Tensor mm(const Tensor& input, const Tensor& mat2, const Out& out);
TL_API Tensor bmm(const Tensor& input, const Tensor& mat2, const Out& out);
TL_API Tensor mv(const Tensor& input, const Tensor& vec, const Out& out);
TL_API Tensor dot(const Tensor& input, const Tensor& tensor, const Out& out);
TL_API Tensor vdot(const Tensor& input, const Tensor& other, const Out& out);
TL_API Tensor addmm(const Tensor& input, const Tensor& mat1, const Tensor& mat2, const Scalar& beta,
                    const Scalar& alpha, const Out& out);
TL_API Tensor addmv(const Tensor& input, const Tensor& mat, const Tensor& vec, const Scalar& beta, const Scalar& alpha,
                    const Out& out);
TL_API Tensor baddbmm(const Tensor& input, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
                      const Scalar& alpha, const Out& out);
TL_API Tensor addbmm(const Tensor& input, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
                     const Scalar& alpha, const Out& out);
TL_API Tensor addr(const Tensor& input, const Tensor& vec1, const Tensor& vec2, const Scalar& beta, const Scalar& alpha,
                   const Out& out);

}  // namespace tl::ops
