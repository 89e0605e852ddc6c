#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// Connectionist temporal classification. Everything row-major: log_probs (steps, batch, classes); the targets of sample
// n begin at targets[target_start[n]]; log_alpha (batch, steps, width), width = 2 * (longest target) + 1.
struct CtcArgs {
  Dtype dtype;
  int64_t steps, batch, classes, width, blank;
  const int64_t* input_length;
  const int64_t* target_length;
  const int64_t* target_start;
  const int64_t* targets;
  const void* log_probs;
  void* loss;  // (batch)
  void* log_alpha;
};
struct CtcBackwardArgs {
  CtcArgs forward;  // loss and log_alpha are read
  bool zero_infinity;
  const void* grad;  // (batch)
  void* grad_log_probs;
};
struct CtcKernels {
  void (*forward)(const CtcArgs&);
  void (*backward)(const CtcBackwardArgs&);
};
TL_API extern CtcKernels ctc_kernels[kDeviceTypes];

}  // namespace tl
