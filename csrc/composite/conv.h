#pragma once

#include "ops/types.h"

// The convolutions of one, two and three dims, made of the recorded operator `convolution`.

namespace tl::composite {

#define TL_CONV(name)                                                                                          \
  TL_API Tensor name(const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride, Ints padding, \
                     Ints dilation, int64_t groups);                                                           \
  TL_API Tensor name##_named(const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride,       \
                             std::string_view padding, Ints dilation, int64_t groups);
TL_CONV(conv1d)
TL_CONV(conv2d)
TL_CONV(conv3d)
#undef TL_CONV

#define TL_CONV(name)                                                                                          \
  TL_API Tensor name(const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride, Ints padding, \
                     Ints output_padding, int64_t groups, Ints dilation);
TL_CONV(conv_transpose1d)
TL_CONV(conv_transpose2d)
TL_CONV(conv_transpose3d)
#undef TL_CONV

}  // namespace tl::composite
