#pragma once

#include "ops/types.h"

namespace tl::composite {

// 1-d poolings of (N, C, L) or (C, L): 2-d ones of height 1.
TL_API Tensor max_pool1d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, Ints dilation,
                         bool ceil_mode);
TL_API std::tuple<Tensor, Tensor> max_pool1d_with_indices(const Tensor& input, Ints kernel_size,
                                                          std::optional<Ints> stride, Ints padding, Ints dilation,
                                                          bool ceil_mode);
TL_API Tensor avg_pool1d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding,
                         bool ceil_mode, bool count_include_pad);
TL_API Tensor adaptive_avg_pool1d(const Tensor& input, Ints output_size);
TL_API std::tuple<Tensor, Tensor> adaptive_max_pool1d(const Tensor& input, Ints output_size);

}  // namespace tl::composite
