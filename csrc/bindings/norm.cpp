#include "ops/norm.h"

#include "bindings/table.h"
#include "composite/norm.h"

namespace tl::python {
namespace {

constexpr unsigned kParts = kFunction | kComposite;
constexpr unsigned kInner = kNN;

const Row rows[] = {
    {"batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, "
     "float momentum, float eps, bool cudnn_enabled=False) -> Tensor",
     TL_OP(composite::batch_norm), kParts,
     "(input - mean) / sqrt(var + eps) * weight + bias for each channel of (N, C, ...), with the statistics of the "
     "batch when training, else the running ones (Ioffe and Szegedy 2015)."},
    {"layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-5, bool "
     "cudnn_enable=False) -> Tensor",
     TL_OP(composite::layer_norm), kParts,
     "(input - mean) / sqrt(var + eps) * weight + bias over the last dims (Ba, Kiros and Hinton 2016)."},
    {"group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-5, bool "
     "cudnn_enabled=False) -> Tensor",
     TL_OP(composite::group_norm), kParts,
     "(input - mean) / sqrt(var + eps) * weight + bias over groups of channels (Wu and He 2018)."},
    {"native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
     "training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     TL_OP(ops::native_batch_norm), kFunction, "batch_norm, the mean and 1 / sqrt(var + eps)"},
    {"native_batch_norm_backward(Tensor grad_output, Tensor input, Tensor? weight, Tensor mean, Tensor invstd, bool "
     "training) -> (Tensor, Tensor, Tensor)",
     TL_OP(ops::native_batch_norm_backward), kInner, "The gradients of input, weight and bias."},
    {"native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, "
     "Tensor, Tensor)",
     TL_OP(ops::native_layer_norm), kFunction, "layer_norm, the mean and 1 / sqrt(var + eps)"},
    {"native_layer_norm_backward(Tensor grad_output, Tensor input, int[] normalized_shape, Tensor mean, Tensor rstd, "
     "Tensor? weight, bool with_parameters) -> (Tensor, Tensor, Tensor)",
     TL_OP(ops::native_layer_norm_backward), kInner, "The gradients of input, weight and bias."},
    {"native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int num_groups, float eps) -> (Tensor, Tensor, "
     "Tensor)",
     TL_OP(ops::native_group_norm), kFunction, "group_norm, the mean and 1 / sqrt(var + eps)"},
    {"native_group_norm_backward(Tensor grad_output, Tensor input, Tensor mean, Tensor rstd, Tensor? weight, int "
     "num_groups) -> (Tensor, Tensor, Tensor)",
     TL_OP(ops::native_group_norm_backward), kInner, "The gradients of input, weight and bias."},
};
TL_ROWS(rows)

}  // namespace
}  // namespace tl::python
