#pragma once

#include "ops/types.h"

namespace tl::composite {

TL_API Tensor kron(const Tensor& input, const Tensor& other, const Out& out);
TL_API Tensor cross(const Tensor& input, const Tensor& other, OptInt dim, const Out& out);

}  // namespace tl::composite
