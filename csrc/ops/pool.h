#pragma once

#include "ops/types.h"

namespace tl::ops {

// Poolings of (N, C, spatial...) or (C, spatial...). Channels-last inputs give channels-last results. Integers that
// belong to a spatial dim come as one or as one for each; no stride means the kernel's size.

TL_API Tensor max_pool2d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, Ints dilation,
                         bool ceil_mode);
TL_API Tensor max_pool3d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, Ints dilation,
                         bool ceil_mode);
// With the position of each maximum in the flattened spatial dims.
TL_API std::tuple<Tensor, Tensor> max_pool2d_with_indices(const Tensor& input, Ints kernel_size,
                                                          std::optional<Ints> stride, Ints padding, Ints dilation,
                                                          bool ceil_mode);
TL_API std::tuple<Tensor, Tensor> max_pool3d_with_indices(const Tensor& input, Ints kernel_size,
                                                          std::optional<Ints> stride, Ints padding, Ints dilation,
                                                          bool ceil_mode);
// Without indices the maxima are looked for again.
TL_API Tensor max_pool_backward(const Tensor& grad_output, const Tensor& input, const Tensor& indices, Ints kernel_size,
                                std::optional<Ints> stride, Ints padding, Ints dilation, bool ceil_mode);

TL_API Tensor avg_pool2d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding,
                         bool ceil_mode, bool count_include_pad, OptInt divisor_override, const Out& out = {});
TL_API Tensor avg_pool3d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding,
                         bool ceil_mode, bool count_include_pad, OptInt divisor_override, const Out& out = {});
// The gradient has the input's layout.
TL_API Tensor avg_pool_backward(const Tensor& grad_output, Ints input_size, Ints input_stride, Ints kernel_size,
                                std::optional<Ints> stride, Ints padding, bool ceil_mode, bool count_include_pad,
                                OptInt divisor_override);

// Output i of a dim is computed from the elements floor(i * in / out) up to ceil((i + 1) * in / out). The backward
// operators are told the number of spatial dims.
TL_API Tensor adaptive_avg_pool2d(const Tensor& input, Ints output_size);
TL_API Tensor adaptive_avg_pool3d(const Tensor& input, Ints output_size);
TL_API Tensor adaptive_avg_pool_backward(const Tensor& grad_output, Ints input_size, Ints input_stride,
                                         int64_t spatial);
TL_API std::tuple<Tensor, Tensor> adaptive_max_pool2d(const Tensor& input, Ints output_size);
TL_API std::tuple<Tensor, Tensor> adaptive_max_pool3d(const Tensor& input, Ints output_size);
TL_API Tensor adaptive_max_pool_backward(const Tensor& grad_output, const Tensor& input, const Tensor& indices,
                                         int64_t spatial);

}  // namespace tl::ops
