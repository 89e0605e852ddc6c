#include "composite/norm.h"

#include "autograd/call.h"

namespace tl::composite {

Tensor batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var, bool training, double momentum, double eps, bool cudnn_enabled) {
  static Op native("native_batch_norm");
  return native(input, weight, bias, running_mean, running_var, training, momentum, eps);
}

Tensor layer_norm(const Tensor& input, Ints normalized_shape, const Tensor& weight, const Tensor& bias, double eps,
                  bool cudnn_enable) {
  static Op native("native_layer_norm");
  return native(input, normalized_shape, weight, bias, eps);
}

Tensor group_norm(const Tensor& input, int64_t num_groups, const Tensor& weight, const Tensor& bias, double eps,
                  bool cudnn_enabled) {
  static Op native("native_group_norm");
  return native(input, weight, bias, num_groups, eps);
}

}  // namespace tl::composite
