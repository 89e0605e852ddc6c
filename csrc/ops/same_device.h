#pragma once

#include <initializer_list>

#include "core/error.h"
#include "core/tensor.h"

// Kernels take what they are given for memory of their device: operators look before, at every tensor that they pass
// on.

namespace tl::ops {

// Of those that are defined.
inline void check_same_device(std::initializer_list<const Tensor*> tensors) {
  Device first = (*tensors.begin())->device();
  for (const Tensor* t : tensors)
    check(!t->defined() || t->device() == first,
          "Expected all tensors to be on the same device, but found at least two devices, ", to_string(first), " and ",
          t->defined() ? to_string(t->device()) : "", "! Move them with .to(device).");
}

}  // namespace tl::ops
