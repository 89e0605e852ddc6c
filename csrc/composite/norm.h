#pragma once

#include "ops/types.h"

namespace tl::composite {

// The outputs of the native operators, without the statistics.
TL_API Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                         const Tensor& running_var, bool training, double momentum, double eps, bool cudnn_enabled);
TL_API Tensor layer_norm(const Tensor& input, Ints normalized_shape, const Tensor& weight, const Tensor& bias,
                         double eps, bool cudnn_enable);
TL_API Tensor group_norm(const Tensor& input, int64_t num_groups, const Tensor& weight, const Tensor& bias, double eps,
                         bool cudnn_enabled);

}  // namespace tl::composite
