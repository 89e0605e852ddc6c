#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// One piece of a parameter: `n` elements of each tensor that takes part, in a row. The operator cuts parameters into
// pieces by their size alone; a kernel runs over all pieces of all parameters in one go.
struct OptimPiece {
  Dtype dtype;
  int64_t n;
  void* param;
  const void* grad;
  void* state[3];     // momentum; or exp_avg, exp_avg_sq, max_exp_avg_sq; null where there is none
  double scalars[2];  // what depends on the parameter's step: Adam's step size and sqrt(bias correction 2)
};
inline constexpr int64_t kOptimPiece = 16384;

struct SgdOptions {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize, first_step;
};
struct AdamOptions {
  double lr, beta1, beta2, weight_decay, eps;
  bool amsgrad, maximize, decoupled;
};
struct AdagradOptions {
  double weight_decay, eps;
  bool maximize;
};
struct RmspropOptions {
  double lr, alpha, eps, weight_decay, momentum;
  bool centered, maximize;
};
struct AdadeltaOptions {
  double lr, rho, eps, weight_decay;
  bool maximize;
};
struct OptimKernels {
  void (*sgd)(const OptimPiece* pieces, int64_t count, const SgdOptions&);
  void (*adam)(const OptimPiece* pieces, int64_t count, const AdamOptions&);
  void (*adagrad)(const OptimPiece* pieces, int64_t count, const AdagradOptions&);
  void (*rmsprop)(const OptimPiece* pieces, int64_t count, const RmspropOptions&);
  void (*adadelta)(const OptimPiece* pieces, int64_t count, const AdadeltaOptions&);
};
TL_API extern OptimKernels optim_kernels[kDeviceTypes];

}  // namespace tl
