#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// Where the windows of a pooling lie, in each of depth, height and width (1-d and 2-d poolings have leading dims of 1).
// An adaptive pooling has windows of its own sizes and uses `in` and `out` alone.
struct PoolShape {
  bool adaptive = false;
  bool channels_last = false;  // memory is (batch, depth, height, width, channels), else channels come second
  Dtype dtype;
  int64_t batch, channels;
  int64_t in[3], out[3];
  int64_t kernel[3], stride[3], padding[3], dilation[3];
};
struct MaxPoolArgs {
  PoolShape shape;
  const void* input;
  void* output;
  int64_t* indices;  // into the flattened (depth, height, width), or null
};
struct MaxPoolBackwardArgs {
  PoolShape shape;
  const void* grad;
  const void* input;       // where the largest elements are looked for when there are no indices
  const int64_t* indices;  // or null
  void* grad_input;
};
struct AvgPoolArgs {
  PoolShape shape;
  bool count_include_pad;
  int64_t divisor;  // 0: the number of elements in the window
  const void* input;
  void* output;
};
struct AvgPoolBackwardArgs {
  PoolShape shape;
  bool count_include_pad;
  int64_t divisor;
  const void* grad;
  void* grad_input;
};
struct PoolKernels {
  void (*max)(const MaxPoolArgs&);
  void (*max_int64)(const MaxPoolArgs&);
  void (*avg_int64)(const AvgPoolArgs&);
  void (*max_backward)(const MaxPoolBackwardArgs&);
  void (*avg)(const AvgPoolArgs&);
  void (*avg_backward)(const AvgPoolBackwardArgs&);
};
TL_API extern PoolKernels pool_kernels[kDeviceTypes];

}  // namespace tl
