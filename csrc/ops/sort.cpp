#include "ops/sort.h"

#include "kernels/sort.h"
#include "ops/lines.h"
#include "ops/shape.h"

namespace tl {
SortKernels sort_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

const SortKernels& kernels(const Tensor& t) { return sort_kernels[int(t.device().type)]; }

// Lines as they lie in the memory of a dense tensor, whatever the order of its dims.
Lines dense_lines(const Tensor& t, int64_t dim) {
  Lines l({}, 0);
  l.n = t.dim() ? t.size(dim) : 1;
  if (l.n > 1) l.inner = t.stride(dim);
  l.outer = t.numel() / std::max<int64_t>(1, l.n * l.inner);
  return l;
}

// Either result may be left out.
void sort_into(const Tensor& source, int64_t dim, bool descending, const Tensor* values, const Tensor* indices) {
  if (source.numel() == 0) return;
  Lines l = dense_lines(source, dim);
  kernel(kernels(source).sort, "sort",
         source.device())({values ? values->data() : nullptr, indices ? indices->data_as<int64_t>() : nullptr,
                           source.data(), l.outer, l.n, l.inner, source.dtype(), descending});
}

// The input, or a copy without gaps.
Tensor sortable(const Tensor& input) {
  check(!is_complex(input.dtype()), " Sort does not support complex dtypes on CPU");
  return is_dense(input) ? input : clone(input);
}

void check_not_empty(const char* op, const Tensor& input, int64_t dim) {
  check<IndexError>(input.numel() || !input.dim() || input.size(dim), op, "(): Expected reduction dim ", dim,
                    " to have non-zero size.");
}

std::tuple<Tensor, Tensor> selected(Select what, const char* op, const Tensor& input, int64_t k, int64_t dim,
                                    bool keepdim, const OutPair& out) {
  Dims sizes = reduced(input.sizes(), dim, keepdim);
  Tensor source = contiguous(input);
  Tensor values = prepare(out.first, sizes, input.dtype(), input);
  Tensor indices = prepare(out.second, sizes, Dtype::Int64, input);
  if (values.numel()) {
    Lines l(input.sizes(), dim);
    kernel(kernels(input).select, op, input.device())(
        {values.data(), indices.data_as<int64_t>(), source.data(), l.outer, l.n, l.inner, k, input.dtype(), what});
  }
  return {finish(values, out.first), finish(indices, out.second)};
}

Tensor median_of_all(Select what, const char* op, const Tensor& input) {
  Tensor result = empty({}, input.dtype(), input.device());
  if (input.numel() == 0) {
    double nan = __builtin_nan("");
    if (is_differentiable(input.dtype()))
      copy_into(result, wrapped_number(Scalar(nan)));
    else if (input.dtype() == Dtype::Bool)
      copy_into(result, wrapped_number(Scalar(true)));
    else  // what a NaN becomes
      copy_into(result, wrapped_number(Scalar(input.dtype() == Dtype::Int64   ? INT64_MIN
                                              : input.dtype() == Dtype::Int32 ? INT32_MIN
                                                                              : int64_t(0))));
    return result;
  }
  if (is_complex(input.dtype()) || input.dtype() == Dtype::Bool) not_implemented("median_cpu", input.dtype());
  Tensor source = is_dense(input) ? input : contiguous(input);
  kernel(kernels(input).select, op,
         input.device())({result.data(), nullptr, source.data(), 1, source.numel(), 1, 0, input.dtype(), what});
  return result;
}

std::tuple<Tensor, Tensor> median_along(Select what, const char* op, const Tensor& input, int64_t dim, bool keepdim,
                                        const OutPair& out) {
  dim = wrap_dim(dim, input.dim());
  check_not_empty("median", input, dim);
  if (is_complex(input.dtype()) || input.dtype() == Dtype::Bool) not_implemented("median_out", input.dtype());
  if (out.defined()) {
    check(out.first.dtype() == input.dtype(), "Expected tensor for argument #1 'values' to have scalar type ",
          type_name(input.dtype()), "; but got ", package_name(), ".", type_name(out.first.dtype()),
          "Tensor instead (while checking arguments for median)");
    check(out.second.dtype() == Dtype::Int64,
          "Expected tensor for argument #1 'indices' to have scalar type Long; but got ", package_name(), ".",
          type_name(out.second.dtype()), "Tensor instead (while checking arguments for median)");
  }
  return selected(what, op, input, 0, dim, keepdim, out);
}

}  // namespace

std::tuple<Tensor, Tensor> sort(const Tensor& input, int64_t dim, bool descending, TensorSpan out) {
  OutPair to(out);
  dim = wrap_dim(dim, input.dim());
  check_out_dtype(to.first, input.dtype());
  check_out_dtype(to.second, Dtype::Int64);
  Tensor source = sortable(input);
  Tensor values = empty_like(source, input.dtype(), input.device());
  Tensor indices = empty_like(source, Dtype::Int64, input.device());
  sort_into(source, dim, descending, &values, &indices);
  if (!to.defined()) return {std::move(values), std::move(indices)};
  resize_output(to.first, input.sizes(), input.device());
  resize_output(to.second, input.sizes(), input.device());
  return {finish(values, to.first), finish(indices, to.second)};
}

std::tuple<Tensor, Tensor> sort_stable(const Tensor& input, std::optional<bool>, int64_t dim, bool descending,
                                       TensorSpan out) {
  return sort(input, dim, descending, out);
}

Tensor argsort(const Tensor& input, int64_t dim, bool descending, bool) {
  dim = wrap_dim(dim, input.dim());
  Tensor source = sortable(input);
  Tensor indices = empty_like(source, Dtype::Int64, input.device());
  sort_into(source, dim, descending, nullptr, &indices);
  return indices;
}

std::tuple<Tensor, Tensor> topk(const Tensor& input, int64_t k, int64_t dim, bool largest, bool, TensorSpan out) {
  OutPair to(out);
  dim = wrap_dim(dim, input.dim());
  Lines l(input.sizes(), dim);
  check(k >= 0 && k <= l.n, "selected index k out of range. k is ", k, ", the dimension has size ", l.n);
  check_out_dtype(to.first, input.dtype());
  check_out_dtype(to.second, Dtype::Int64);
  check(!is_complex(input.dtype()), " topk does not support complex dtypes on CPU");
  check(input.dtype() != Dtype::Bool, "topk does not support bool dtypes on CPU");
  if (input.dim() == 0) k = 1;
  Dims sizes = with_size(input.sizes(), dim, k);
  Tensor source = contiguous(input);
  Tensor values = prepare(to.first, sizes, input.dtype(), input);
  Tensor indices = prepare(to.second, sizes, Dtype::Int64, input);
  if (values.numel())
    kernel(kernels(input).topk, "topk", input.device())(
        {values.data(), indices.data_as<int64_t>(), source.data(), l.outer, l.n, l.inner, k, input.dtype(), largest});
  return {finish(values, to.first), finish(indices, to.second)};
}

std::tuple<Tensor, Tensor> kthvalue(const Tensor& input, int64_t k, int64_t dim, bool keepdim, TensorSpan out) {
  OutPair to(out);
  dim = wrap_dim(dim, input.dim());
  check_not_empty("kthvalue", input, dim);
  int64_t n = input.dim() ? input.size(dim) : 1;
  check(k >= 1 && k <= n, "kthvalue(): selected number k out of range for dimension ", dim);
  if (to.defined()) {
    check(to.first.dtype() == input.dtype(), "output values must be of same type as input");
    check(to.second.dtype() == Dtype::Int64, "output indices must be of scalar type Long");
    check(!(to.first.impl()->storage == input.impl()->storage) || !input.numel(),
          "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
          "location. Please clone() the tensor before performing the operation.");
  }
  if (is_complex(input.dtype()) || input.dtype() == Dtype::Bool) not_implemented("kthvalue_cpu", input.dtype());
  return selected(Select::Kth, "kthvalue", input, k - 1, dim, keepdim, to);
}

Tensor median(const Tensor& input) { return median_of_all(Select::Median, "median", input); }
Tensor nanmedian(const Tensor& input) { return median_of_all(Select::NanMedian, "nanmedian", input); }

std::tuple<Tensor, Tensor> median_dim(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out) {
  return median_along(Select::Median, "median", input, dim, keepdim, out);
}

std::tuple<Tensor, Tensor> nanmedian_dim(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out) {
  return median_along(Select::NanMedian, "nanmedian", input, dim, keepdim, out);
}

std::tuple<Tensor, Tensor> mode(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out) {
  OutPair to(out);
  dim = wrap_dim(dim, input.dim());
  check_not_empty("mode", input, dim);
  if (is_complex(input.dtype())) not_implemented("mode_cpu", input.dtype());
  if (to.defined()) {
    check(to.first.dtype() == input.dtype(), "expected scalar type '", type_name(input.dtype()), "' but got '",
          type_name(to.first.dtype()), "' for values output");
    check(to.second.dtype() == Dtype::Int64, "expected scalar type 'Long' but got '", type_name(to.second.dtype()),
          "' for indices output");
  }
  return selected(Select::Mode, "mode", input, 0, dim, keepdim, to);
}

}  // namespace tl::ops
