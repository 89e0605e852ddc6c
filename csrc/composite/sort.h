#pragma once

#include "ops/types.h"

namespace tl::composite {

// sort along the first dim, values alone
TL_API Tensor msort(const Tensor& input, const Out& out);

}  // namespace tl::composite
