#pragma once

#include "ops/types.h"

namespace tl::ops {

// One step of an optimizer over many parameters, in place. Lists of states are as long as `params`, or empty where the
// options leave them unused. `state_steps` are 0-dim tensors that count the steps and are advanced here.
TL_API void fused_sgd(TensorSpan params, TensorSpan grads, TensorSpan momentum_buffers, double lr, double momentum,
                      double dampening, double weight_decay, bool nesterov, bool maximize, bool is_first_step);
TL_API void fused_adam(TensorSpan params, TensorSpan grads, TensorSpan exp_avgs, TensorSpan exp_avg_sqs,
                       TensorSpan max_exp_avg_sqs, TensorSpan state_steps, double lr, double beta1, double beta2,
                       double weight_decay, double eps, bool amsgrad, bool maximize, bool decoupled_weight_decay);
TL_API void fused_adagrad(TensorSpan params, TensorSpan grads, TensorSpan state_sums, TensorSpan state_steps, double lr,
                          double lr_decay, double weight_decay, double eps, bool maximize);
TL_API void fused_rmsprop(TensorSpan params, TensorSpan grads, TensorSpan square_avgs, TensorSpan momentum_buffers,
                          TensorSpan grad_avgs, TensorSpan state_steps, double lr, double alpha, double eps,
                          double weight_decay, double momentum, bool centered, bool maximize);
TL_API void fused_adadelta(TensorSpan params, TensorSpan grads, TensorSpan square_avgs, TensorSpan acc_deltas,
                           TensorSpan state_steps, double lr, double rho, double eps, double weight_decay,
                           bool maximize);

}  // namespace tl::ops
