#pragma once

#include "ops/types.h"

// Products made of recorded operators: their gradients are those of the parts.

namespace tl::composite {

TL_API Tensor matmul(const Tensor& input, const Tensor& other, const Out& out);
TL_API Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias, const Out& out = {});
TL_API Tensor outer(const Tensor& input, const Tensor& vec2, const Out& out);
TL_API Tensor inner(const Tensor& input, const Tensor& other, const Out& out);
TL_API Tensor tensordot(const Tensor& a, const Tensor& b, Ints dims_a, Ints dims_b);
TL_API Tensor multi_dot(TensorSpan tensors);

}  // namespace tl::composite
