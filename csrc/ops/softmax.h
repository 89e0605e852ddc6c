#pragma once

#include "ops/types.h"

namespace tl::ops {

// exp(input) / sum(exp(input)) over `dim`, and its logarithm. The input is converted to `dtype` first.
TL_API Tensor softmax(const Tensor& input, int64_t dim, OptDtype dtype, const Out& out);
TL_API Tensor log_softmax(const Tensor& input, int64_t dim, OptDtype dtype, const Out& out);
// The gradient of the input, from the gradient of the output and the output; in `input_dtype`.
TL_API Tensor softmax_backward_data(const Tensor& grad, const Tensor& output, int64_t dim, Dtype input_dtype);
TL_API Tensor log_softmax_backward_data(const Tensor& grad, const Tensor& output, int64_t dim, Dtype input_dtype);

}  // namespace tl::ops
