#pragma once

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// The numbers start, start + step, ... or, with `points` set, `numel` of them evenly from start to end, in powers of
// `base` when that is not 0. Integer dtypes count from `first` by `increment`.
struct SequenceArgs {
  void* data;
  Dtype dtype;
  int64_t numel;
  double start, end, step;
  int64_t first, increment;
  double base;
};

struct CreationKernels {
  // Repeats one element of `width` bytes.
  void (*fill)(void* data, int64_t numel, size_t width, const void* element);
  void (*arange)(const SequenceArgs&);
  void (*linspace)(const SequenceArgs&);
};
TL_API extern CreationKernels creation_kernels[kDeviceTypes];

}  // namespace tl
