#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// Parameters and statistics are of the dtype that the kernel computes in: float64 for float64, else float32.

// Rows of `channels * inner` elements that are normalised each: layer norm has channels = elements of the row and
// inner = 1, with the parameters of each row the same; group norm has the channels of a group, and its parameters go on
// from row to row until `groups` rows have passed.
struct RowNormArgs {
  Dtype dtype;
  int64_t rows, groups, channels, inner;
  double eps;
  const void* input;
  const void* weight;  // (groups * channels), or null
  const void* bias;
  void* output;
  void* mean;  // (rows)
  void* rstd;
};
struct RowNormBackwardArgs {
  Dtype dtype;
  int64_t rows, groups, channels, inner;
  const void* grad;
  const void* input;
  const void* weight;
  const void* mean;
  const void* rstd;
  void* grad_input;  // each may be null
  void* grad_weight;
  void* grad_bias;
};

// (batch, channels, inner), or with `channels_last` (batch * inner, channels); normalised over all but the channels.
struct BatchNormArgs {
  Dtype dtype;
  bool channels_last;
  bool training;
  int64_t batch, channels, inner;
  double eps, momentum;
  const void* input;
  const void* weight;
  const void* bias;
  void* running_mean;  // read when not training, else updated; may be null
  void* running_var;
  void* output;
  void* mean;  // written when training
  void* invstd;
};
struct BatchNormBackwardArgs {
  Dtype dtype;
  bool channels_last;
  bool training;
  int64_t batch, channels, inner;
  const void* grad;
  const void* input;
  const void* weight;
  const void* mean;
  const void* invstd;
  void* grad_input;
  void* grad_weight;
  void* grad_bias;
};
struct NormKernels {
  void (*rows)(const RowNormArgs&);
  void (*rows_backward)(const RowNormBackwardArgs&);
  void (*batch)(const BatchNormArgs&);
  void (*batch_backward)(const BatchNormBackwardArgs&);
};
TL_API extern NormKernels norm_kernels[kDeviceTypes];

}  // namespace tl
