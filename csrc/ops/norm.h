#pragma once

#include "ops/types.h"

namespace tl::ops {

// Each returns the output, the mean and 1 / sqrt(variance + eps); statistics are float64 for float64 inputs, else
// float32.

// Normalises (N, C, ...) over all dims but the second. In training the statistics are the batch's, and the running ones
// move towards them by `momentum`; else the running ones are used.
TL_API std::tuple<Tensor, Tensor, Tensor> native_batch_norm(const Tensor& input, const Tensor& weight,
                                                            const Tensor& bias, const Tensor& running_mean,
                                                            const Tensor& running_var, bool training, double momentum,
                                                            double eps);
// The gradients of input, weight and bias; with training false the statistics are constants.
TL_API std::tuple<Tensor, Tensor, Tensor> native_batch_norm_backward(const Tensor& grad_output, const Tensor& input,
                                                                     const Tensor& weight, const Tensor& mean,
                                                                     const Tensor& invstd, bool training);

// Normalises over the last dims, which have the sizes `normalized_shape`. Gradients of weight and bias are undefined
// unless asked for.
TL_API std::tuple<Tensor, Tensor, Tensor> native_layer_norm(const Tensor& input, Ints normalized_shape,
                                                            const Tensor& weight, const Tensor& bias, double eps);
TL_API std::tuple<Tensor, Tensor, Tensor> native_layer_norm_backward(const Tensor& grad_output, const Tensor& input,
                                                                     Ints normalized_shape, const Tensor& mean,
                                                                     const Tensor& rstd, const Tensor& weight,
                                                                     bool with_parameters);

// Normalises each sample of (N, C, ...) over `num_groups` groups of its channels.
TL_API std::tuple<Tensor, Tensor, Tensor> native_group_norm(const Tensor& input, const Tensor& weight,
                                                            const Tensor& bias, int64_t num_groups, double eps);
TL_API std::tuple<Tensor, Tensor, Tensor> native_group_norm_backward(const Tensor& grad_output, const Tensor& input,
                                                                     const Tensor& mean, const Tensor& rstd,
                                                                     const Tensor& weight, int64_t num_groups);

}  // namespace tl::ops
