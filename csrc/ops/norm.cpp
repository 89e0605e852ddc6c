#include "ops/norm.h"

#include "kernels/norm.h"
#include "ops/place.h"
#include "ops/same_device.h"

namespace tl {
NormKernels norm_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

void check_floating(const char* op, Dtype dtype) {
  check<NotImplementedError>(is_floating(dtype), "\"", op, "\" not implemented for '", type_name(dtype),
                             "'. Convert the input to a floating dtype first.");
}
// A parameter as the kernel wants it.
Tensor parameter(const Tensor& t, Dtype dtype) {
  if (!t.defined()) return t;
  return contiguous(t.dtype() == dtype ? t : to_dtype(t, dtype, false, false));
}
Tensor converted(const Tensor& t, Dtype dtype) {
  return !t.defined() || t.dtype() == dtype ? t : to_dtype(t, dtype, false, false);
}
const void* data_or_null(const Tensor& t) { return t.defined() ? t.data() : nullptr; }

// ---- batch norm ----

// (N, C, ...) whose channels lie side by side: channels-last memory, or (N, C).
bool channels_innermost(const Tensor& t) {
  int64_t step = t.size(1);
  if (t.dim() == 2) return t.is_contiguous();
  if (t.is_contiguous() || (t.size(1) > 1 && t.stride(1) != 1)) return false;
  for (int64_t d = t.dim() - 1; d >= 0; --d) {
    if (d == 1) continue;
    if (t.size(d) > 1 && t.stride(d) != step) return false;
    step *= t.size(d);
  }
  return true;
}
Tensor like(const Tensor& x, bool innermost) {
  return innermost ? empty_strided(x.sizes(), x.strides(), x.dtype(), x.device())
                   : empty(x.sizes(), x.dtype(), x.device());
}
void check_channels(const Tensor& t, int64_t channels, const char* what) {
  if (t.defined()) check(t.numel() == channels, what, " should contain ", channels, " elements not ", t.numel());
}

}  // namespace

std::tuple<Tensor, Tensor, Tensor> native_batch_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                                                     const Tensor& running_mean, const Tensor& running_var,
                                                     bool training, double momentum, double eps) {
  check_same_device({&input, &weight, &bias, &running_mean, &running_var});
  check_floating("batch_norm", input.dtype());
  check(input.dim() >= 2, "batch_norm: expected at least 2D input (got ", input.dim(), "D input)");
  int64_t channels = input.size(1);
  check_channels(running_mean, channels, "running_mean");
  check_channels(running_var, channels, "running_var");
  check_channels(weight, channels, "weight");
  check_channels(bias, channels, "bias");
  check(training || running_mean.defined(), "running_mean must be defined in evaluation mode");
  check(training || running_var.defined(), "running_var must be defined in evaluation mode");
  Dtype acc = accumulate_type(input.dtype());
  bool innermost = channels_innermost(input);
  Tensor x = innermost ? input : contiguous(input);
  Tensor w = parameter(weight, acc), b = parameter(bias, acc);
  Tensor mean_now = parameter(running_mean, acc), var_now = parameter(running_var, acc);
  Tensor out = like(x, innermost);
  Tensor mean = empty({channels}, acc, x.device()), invstd = empty({channels}, acc, x.device());
  int64_t batch = x.size(0), inner = channels && batch ? x.numel() / (batch * channels) : 0;
  kernel(norm_kernels[int(x.device().type)].batch, "batch_norm",
         x.device())({x.dtype(), innermost, training, batch, channels, inner, eps, momentum, x.data(), data_or_null(w),
                      data_or_null(b), const_cast<void*>(data_or_null(mean_now)),
                      const_cast<void*>(data_or_null(var_now)), out.data(), mean.data(), invstd.data()});
  if (training) {
    auto write_back = [](const Tensor& kept, const Tensor& fresh) {
      if (!kept.defined()) return;
      if (!fresh.is(kept)) copy_into(kept, fresh);
      kept.impl()->bump_version();
    };
    write_back(running_mean, mean_now);
    write_back(running_var, var_now);
  }
  return {out, mean, invstd};
}

std::tuple<Tensor, Tensor, Tensor> native_batch_norm_backward(const Tensor& grad_output, const Tensor& input,
                                                              const Tensor& weight, const Tensor& mean,
                                                              const Tensor& invstd, bool training) {
  Dtype acc = mean.dtype();
  bool innermost = channels_innermost(input);
  Tensor x = innermost ? input : contiguous(input);
  Tensor g = converted(grad_output, x.dtype());
  if (innermost && !(g.strides() == x.strides())) {
    Tensor copy = like(x, true);
    copy_into(copy, g);
    g = copy;
  } else if (!innermost) {
    g = contiguous(g);
  }
  Tensor w = parameter(weight, acc);
  int64_t channels = x.size(1), batch = x.size(0), inner = channels && batch ? x.numel() / (batch * channels) : 0;
  Tensor grad_input = like(x, innermost);
  Tensor grad_weight = empty({channels}, acc, x.device()), grad_bias = empty({channels}, acc, x.device());
  kernel(norm_kernels[int(x.device().type)].batch_backward, "batch_norm_backward",
         x.device())({x.dtype(), innermost, training, batch, channels, inner, g.data(), x.data(), data_or_null(w),
                      mean.data(), invstd.data(), grad_input.data(), grad_weight.data(), grad_bias.data()});
  return {grad_input, grad_weight, grad_bias};
}

// ---- layer norm, group norm ----

std::tuple<Tensor, Tensor, Tensor> native_layer_norm(const Tensor& input, Ints normalized_shape, const Tensor& weight,
                                                     const Tensor& bias, double eps) {
  check_same_device({&input, &weight, &bias});
  size_t k = normalized_shape.size();
  check(k >= 1,
        "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
        "normalized_shape = ",
        to_string(normalized_shape));
  for (const Tensor* p : {&weight, &bias})
    if (p->defined())
      check(p->sizes() == normalized_shape, "Expected ", p == &weight ? "weight" : "bias",
            " to be of same shape as normalized_shape, but got ", p == &weight ? "weight" : "bias", " of shape ",
            to_string(p->sizes()), " and normalized_shape = ", to_string(normalized_shape));
  size_t rank = input.sizes().size();
  if (rank < k || !(input.sizes().slice(rank - k) == normalized_shape)) {
    std::string sizes = to_string(normalized_shape);
    fail("Given normalized_shape=", sizes, ", expected input with shape [*, ", sizes.substr(1),
         ", but got input of size", to_string(input.sizes()));
  }
  check_floating("LayerNormKernelImpl", input.dtype());
  Dtype acc = accumulate_type(input.dtype());
  Tensor x = contiguous(input), w = parameter(weight, acc), b = parameter(bias, acc);
  int64_t n = numel_of(normalized_shape), rows = numel_of(x.sizes().slice(0, rank - k));
  Tensor out = empty(x.sizes(), x.dtype(), x.device());
  Dims stats(x.sizes());
  for (size_t d = rank - k; d < rank; ++d) stats[d] = 1;
  Tensor mean = empty(stats, acc, x.device()), rstd = empty(stats, acc, x.device());
  if (rows)
    kernel(norm_kernels[int(x.device().type)].rows, "layer_norm",
           x.device())({x.dtype(), rows, 1, n, 1, eps, x.data(), data_or_null(w), data_or_null(b), out.data(),
                        mean.data(), rstd.data()});
  return {out, mean, rstd};
}

std::tuple<Tensor, Tensor, Tensor> native_layer_norm_backward(const Tensor& grad_output, const Tensor& input,
                                                              Ints normalized_shape, const Tensor& mean,
                                                              const Tensor& rstd, const Tensor& weight,
                                                              bool with_parameters) {
  Dtype acc = mean.dtype();
  Tensor x = contiguous(input), g = contiguous(converted(grad_output, input.dtype())), w = parameter(weight, acc);
  int64_t n = numel_of(normalized_shape), rows = mean.numel();
  Tensor grad_input = empty(x.sizes(), x.dtype(), x.device());
  Tensor grad_weight, grad_bias;
  if (with_parameters) {
    grad_weight = empty(normalized_shape, acc, x.device());
    grad_bias = empty(normalized_shape, acc, x.device());
  }
  kernel(norm_kernels[int(x.device().type)].rows_backward, "layer_norm_backward", x.device())(
      {x.dtype(), rows, 1, n, 1, g.data(), x.data(), data_or_null(w), mean.data(), rstd.data(), grad_input.data(),
       const_cast<void*>(data_or_null(grad_weight)), const_cast<void*>(data_or_null(grad_bias))});
  return {grad_input, grad_weight, grad_bias};
}

std::tuple<Tensor, Tensor, Tensor> native_group_norm(const Tensor& input, const Tensor& weight, const Tensor& bias,
                                                     int64_t num_groups, double eps) {
  check_same_device({&input, &weight, &bias});
  check(input.dim() >= 2, "Expected at least 2 dimensions for input tensor but received ", input.dim());
  int64_t channels = input.size(1);
  check(num_groups > 0, "Expected num groups to be greater than 0, got ", num_groups);
  check(channels % num_groups == 0,
        "Expected number of channels in input to be divisible by num_groups, but got input "
        "of shape ",
        to_string(input.sizes()), " and num_groups=", num_groups);
  for (const Tensor* p : {&weight, &bias})
    if (p->defined())
      check(p->dim() == 1 && p->numel() == channels, "Expected ", p == &weight ? "weight" : "bias",
            " to be a vector of size equal to the number of channels in input, but got ",
            p == &weight ? "weight" : "bias", " of shape ", to_string(p->sizes()), " and input of shape ",
            to_string(input.sizes()));
  check_floating("GroupNormKernelImpl", input.dtype());
  Dtype acc = accumulate_type(input.dtype());
  Tensor x = contiguous(input), w = parameter(weight, acc), b = parameter(bias, acc);
  int64_t batch = x.size(0), inner = numel_of(x.sizes().slice(2));
  Tensor out = empty(x.sizes(), x.dtype(), x.device());
  Tensor mean = empty({batch, num_groups}, acc, x.device()), rstd = empty({batch, num_groups}, acc, x.device());
  if (batch)
    kernel(norm_kernels[int(x.device().type)].rows, "group_norm",
           x.device())({x.dtype(), batch * num_groups, num_groups, channels / num_groups, inner, eps, x.data(),
                        data_or_null(w), data_or_null(b), out.data(), mean.data(), rstd.data()});
  return {out, mean, rstd};
}

std::tuple<Tensor, Tensor, Tensor> native_group_norm_backward(const Tensor& grad_output, const Tensor& input,
                                                              const Tensor& mean, const Tensor& rstd,
                                                              const Tensor& weight, int64_t num_groups) {
  Dtype acc = mean.dtype();
  Tensor x = contiguous(input), g = contiguous(converted(grad_output, input.dtype())), w = parameter(weight, acc);
  int64_t channels = x.size(1), batch = x.size(0), inner = numel_of(x.sizes().slice(2));
  Tensor grad_input = empty(x.sizes(), x.dtype(), x.device());
  Tensor grad_weight = empty({channels}, acc, x.device()), grad_bias = empty({channels}, acc, x.device());
  kernel(norm_kernels[int(x.device().type)].rows_backward, "group_norm_backward", x.device())(
      {x.dtype(), batch * num_groups, num_groups, channels / num_groups, inner, g.data(), x.data(), data_or_null(w),
       mean.data(), rstd.data(), grad_input.data(), grad_weight.data(), grad_bias.data()});
  return {grad_input, grad_weight, grad_bias};
}

}  // namespace tl::ops
