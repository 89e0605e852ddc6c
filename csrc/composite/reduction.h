#pragma once

#include "ops/types.h"

// Reductions made of recorded operators.

namespace tl::composite {

// Scales the slices along `dim` whose p-norm is above maxnorm down to it.
TL_API Tensor renorm(const Tensor& input, const Scalar& p, int64_t dim, const Scalar& maxnorm, const Out& out);

}  // namespace tl::composite
