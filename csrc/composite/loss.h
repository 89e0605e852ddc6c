#pragma once

#include "ops/types.h"

namespace tl::composite {

// nll_loss of any number of dims, without the total weight.
TL_API Tensor nll_loss(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t reduction,
                       int64_t ignore_index);
TL_API Tensor l1_loss(const Tensor& input, const Tensor& target, int64_t reduction);

}  // namespace tl::composite
