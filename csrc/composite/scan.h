#pragma once

#include "ops/types.h"

namespace tl::composite {

// Differences of neighbours along a dim, n times over.
TL_API Tensor diff(const Tensor& input, int64_t n, int64_t dim, const Tensor& prepend, const Tensor& append,
                   const Out& out);

}  // namespace tl::composite
