#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// A sparse matrix applied along one dim of a row-major tensor, seen as (outer, n, inner): element o of the result is
// the sum of weights[k] * input[places[k]] over k from starts[o] up to starts[o + 1].
struct ResampleArgs {
  Dtype dtype;
  int64_t outer, in, out, inner;
  const int64_t* starts;
  const int64_t* places;
  const double* weights;
  const void* input;
  void* output;
};
struct ResampleKernels {
  void (*apply)(const ResampleArgs&);
};
TL_API extern ResampleKernels resample_kernels[kDeviceTypes];

}  // namespace tl
