#pragma once

#include "core/tensor.h"

namespace tl::python {

// The tensor in pinned memory of the host, with the same layout; itself where it lies there.
Tensor pinned_copy(const Tensor& t);

}  // namespace tl::python
