#pragma once

#include "ops/types.h"

namespace tl::ops {

// input (n, groups * cin, size...), weight (groups * cout, cin, kernel...) or, transposed, (groups * cin, cout,
// kernel...), bias (channels of the result) or undefined; one to three dims of size.
TL_API Tensor convolution(const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride, Ints padding,
                          Ints dilation, bool transposed, Ints output_padding, int64_t groups);
// The gradients of input, weight and bias; undefined where not wanted.
TL_API std::tuple<Tensor, Tensor, Tensor> convolution_backward(const Tensor& grad_output, const Tensor& input,
                                                               const Tensor& weight, Ints stride, Ints padding,
                                                               Ints dilation, bool transposed, Ints output_padding,
                                                               int64_t groups, bool want_input, bool want_weight,
                                                               bool want_bias);

// `pad` holds pairs (before, after), last dim first; negative counts cut.
TL_API Tensor constant_pad_nd(const Tensor& input, Ints pad, const Scalar& value);

}  // namespace tl::ops
