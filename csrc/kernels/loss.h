#pragma once

#include <cstdint>

#include "core/data_error.h"
#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

enum class Reduction : uint8_t { None, Mean, Sum };

// Input seen as (n, classes, inner), target as (n, inner); everything contiguous.
struct NllArgs {
  Dtype dtype;
  bool byte_target;  // uint8, else int64
  Reduction reduction;
  int64_t n, classes, inner, ignore_index;
  const void* input;
  const void* target;
  const void* weight;  // (classes), or null
  void* output;        // (n, inner), or one element
  void* total_weight;  // one element
};
struct NllBackwardArgs {
  Dtype dtype;
  bool byte_target;
  Reduction reduction;
  int64_t n, classes, inner, ignore_index;
  const void* grad;  // as the forward's output
  const void* target;
  const void* weight;
  const void* total_weight;
  void* grad_input;
};

// Losses of pairs of elements. `param` is beta of smooth_l1 and delta of huber.
enum class PairLoss : uint8_t { Mse, SmoothL1, Huber, Bce, BceWithLogits };
struct PairLossArgs {
  PairLoss kind;
  Dtype dtype;
  Reduction reduction;
  int64_t n;
  double param;
  const void* input;
  const void* target;
  const void* weight;      // of each element, or null
  const void* pos_weight;  // of each element, or null
  void* output;            // n elements, or one
};
struct PairLossBackwardArgs {
  PairLoss kind;
  Dtype dtype;
  Reduction reduction;
  int64_t n;
  double param;
  const void* grad;  // n elements, or one
  const void* input;
  const void* target;
  const void* weight;
  const void* pos_weight;
  void* grad_input;
};

inline constexpr int64_t kAllTargetsValid = INT64_MIN;
inline DataError target_error(int64_t classes) {
  return {"Target % is out of bounds. There are % classes, numbered from 0.", {classes}};
}

struct LossKernels {
  // Returns a target that is no class, or kAllTargetsValid, also where target_error is raised later.
  int64_t (*nll)(const NllArgs&);
  int64_t (*nll_backward)(const NllBackwardArgs&);
  void (*pair)(const PairLossArgs&);
  void (*pair_backward)(const PairLossBackwardArgs&);
  // Whether all n elements lie in [0, 1]; true also where the error is raised later.
  bool (*in_unit_interval)(Dtype dtype, const void* data, int64_t n, const DataError& error);
};
TL_API extern LossKernels loss_kernels[kDeviceTypes];

}  // namespace tl
