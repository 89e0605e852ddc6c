#pragma once

#include "ops/types.h"

// Running results along a dim. Operators made of these live in composite/scan.h.

namespace tl::ops {

TL_API Tensor cumsum(const Tensor& input, int64_t dim, OptDtype dtype, const Out& out);
TL_API Tensor cumprod(const Tensor& input, int64_t dim, OptDtype dtype, const Out& out);
TL_API Tensor logcumsumexp(const Tensor& input, int64_t dim, const Out& out);
TL_API std::tuple<Tensor, Tensor> cummax(const Tensor& input, int64_t dim, TensorSpan out);
TL_API std::tuple<Tensor, Tensor> cummin(const Tensor& input, int64_t dim, TensorSpan out);

// result[k] = input[k] + factor[k] * result[k - 1], for tensors of one shape and a floating or complex dtype.
TL_API Tensor recurrence(const Tensor& input, const Tensor& factor, int64_t dim);

}  // namespace tl::ops
