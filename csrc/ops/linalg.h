#pragma once

#include "ops/types.h"

// The part of linear algebra that is made of few kernels; decompositions and solvers are Python over LAPACK.

namespace tl::ops {

TL_API Tensor trace(const Tensor& input);
TL_API Tensor linalg_cross(const Tensor& input, const Tensor& other, int64_t dim, const Out& out);
TL_API Tensor dist(const Tensor& input, const Tensor& other, const Scalar& p);

}  // namespace tl::ops
