#pragma once

#include "core/tensor.h"

namespace tl::python {

// The tensor in pinned memory of the host, with the same layout; itself where it lies there.
// `factory`: for the words of the error without a device.
Tensor pinned_copy(const Tensor& t, bool factory = false);

}  // namespace tl::python
