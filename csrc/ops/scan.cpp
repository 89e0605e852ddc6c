#include "ops/scan.h"

#include "kernels/scan.h"
#include "ops/lines.h"

namespace tl {
ScanKernels scan_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

const ScanKernels& kernels(const Tensor& t) { return scan_kernels[int(t.device().type)]; }

Tensor scan(Scan op, const char* name, const Tensor& input, int64_t dim, Dtype dtype, const Out& out) {
  Tensor result;
  if (out.inplace) {
    check_no_internal_overlap(input);
    result = input.is_contiguous() ? input : contiguous_copy(input);
  } else {
    result = prepare(out.tensor, input.sizes(), dtype, input);
  }
  if (result.numel() == 0) return finish(result, out.tensor);
  Tensor source = input;
  if (!input.is_contiguous() || input.dtype() != dtype) {  // converted in the place of the result
    if (!out.inplace) copy_into(result, input);
    source = result;
  }
  Lines l(result.sizes(), dim);
  kernel(kernels(result).scan, name, result.device())({result.data(), source.data(), l.outer, l.n, l.inner, dtype, op});
  return finish(result, out.tensor);
}

Tensor accumulate(Scan op, const char* name, const char* kernel_name, const Tensor& input, int64_t dim, OptDtype dtype,
                  const Out& out) {
  dim = wrap_dim(dim, input.dim());
  Dtype target = dtype.value_or(out.defined()                ? out.tensor.dtype()
                                : is_integral(input.dtype()) ? Dtype::Int64
                                                             : input.dtype());
  check(!out.inplace || target == input.dtype(), "Bad in-place call: input tensor dtype ",
        plain_type_name(input.dtype()), " and output tensor dtype ", plain_type_name(target), " should match");
  check_out_dtype(out.tensor, target);
  if (target == Dtype::Bool) not_implemented(kernel_name, target);
  return scan(op, name, input, dim, target, out);
}

std::tuple<Tensor, Tensor> running_extreme(bool max, const char* name, const char* kernel_name, const Tensor& input,
                                           int64_t dim, const OutPair& out) {
  dim = wrap_dim(dim, input.dim());
  if (is_complex(input.dtype())) not_implemented(kernel_name, input.dtype());
  if (out.defined()) {
    check(out.first.dtype() == input.dtype(), "expected scalar_type ", type_name(input.dtype()), " but found ",
          type_name(out.first.dtype()));
    check(out.second.dtype() == Dtype::Int64, "expected scalar_type Long but found ", type_name(out.second.dtype()));
  }
  Tensor source = contiguous(input);
  Tensor values = prepare(out.first, input.sizes(), input.dtype(), input);
  Tensor indices = prepare(out.second, input.sizes(), Dtype::Int64, input);
  if (input.numel()) {
    Lines l(input.sizes(), dim);
    kernel(kernels(input).running_extreme, name, input.device())(
        {values.data(), indices.data_as<int64_t>(), source.data(), l.outer, l.n, l.inner, input.dtype(), max});
  }
  return {finish(values, out.first), finish(indices, out.second)};
}

}  // namespace

Tensor cumsum(const Tensor& input, int64_t dim, OptDtype dtype, const Out& out) {
  return accumulate(Scan::Sum, "cumsum", "cumsum_out_cpu", input, dim, dtype, out);
}

Tensor cumprod(const Tensor& input, int64_t dim, OptDtype dtype, const Out& out) {
  return accumulate(Scan::Product, "cumprod", "cumprod_out_cpu", input, dim, dtype, out);
}

Tensor logcumsumexp(const Tensor& input, int64_t dim, const Out& out) {
  dim = wrap_dim(dim, input.dim());
  check(!out.defined() || out.tensor.dtype() == input.dtype(), "expected scalar_type ", type_name(input.dtype()),
        " but found ", out.defined() ? type_name(out.tensor.dtype()) : "");
  if (is_integral(input.dtype())) not_implemented("logcumsumexp_out_cpu", input.dtype());
  return scan(Scan::LogSumExp, "logcumsumexp", input, dim, input.dtype(), out);
}

std::tuple<Tensor, Tensor> cummax(const Tensor& input, int64_t dim, TensorSpan out) {
  return running_extreme(true, "cummax", "cummax_cpu", input, dim, out);
}

std::tuple<Tensor, Tensor> cummin(const Tensor& input, int64_t dim, TensorSpan out) {
  return running_extreme(false, "cummin", "cummin_cpu", input, dim, out);
}

Tensor recurrence(const Tensor& input, const Tensor& factor, int64_t dim) {
  dim = wrap_dim(dim, input.dim());
  check(input.sizes() == factor.sizes() && input.dtype() == factor.dtype() && is_differentiable(input.dtype()),
        "recurrence: expects two tensors of one shape and one floating or complex dtype");
  Tensor add = contiguous(input), times = contiguous(factor);
  Tensor result = empty(input.sizes(), input.dtype(), input.device());
  if (result.numel()) {
    Lines l(input.sizes(), dim);
    kernel(kernels(input).recurrence, "recurrence",
           input.device())({result.data(), times.data(), add.data(), l.outer, l.n, l.inner, input.dtype()});
  }
  return result;
}

}  // namespace tl::ops
