#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// Everything contiguous, seen as (outer, n, inner); the softmax runs over n. All of one floating dtype.
struct SoftmaxArgs {
  Dtype dtype;
  bool log;  // log_softmax
  int64_t outer, n, inner;
  const void* input;
  void* output;
};
struct SoftmaxBackwardArgs {
  Dtype dtype;
  bool log;
  int64_t outer, n, inner;
  const void* grad;
  const void* output;  // of the forward
  void* grad_input;
};
struct SoftmaxKernels {
  void (*forward)(const SoftmaxArgs&);
  void (*backward)(const SoftmaxBackwardArgs&);
};
TL_API extern SoftmaxKernels softmax_kernels[kDeviceTypes];

}  // namespace tl
