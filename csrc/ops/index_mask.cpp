// The part of the index family that goes by masks and by what is not zero.

#include "kernels/sort.h"
#include "ops/index_common.h"
#include "ops/shape.h"

namespace tl::ops {

using namespace indexing;

namespace {

struct Counted {
  Tensor mask;    // row-major bools
  Tensor starts;  // of its chunks
  int64_t n, total;
};

Counted count(const Tensor& mask) {
  Counted c;
  c.mask = contiguous(mask.dtype() == Dtype::Bool ? mask : to_dtype(mask, Dtype::Bool, false, false));
  c.n = c.mask.numel();
  c.starts = empty({mask_chunks(c.n) + 1}, Dtype::Int64, mask.device());
  c.total = kernel(kernels(mask).mask_starts, "nonzero", mask.device())(c.mask.data_as<bool>(), c.n,
                                                                        c.starts.data_as<int64_t>());
  return c;
}

MaskArgs mask_args(const Tensor& dst, const Tensor& src, const Counted& c) {
  return {dst.data_as<char>(),         src.data_as<char>(), c.mask.data_as<bool>(), c.n,
          c.starts.data_as<int64_t>(), dst.itemsize()};
}

Tensor expanded(const Tensor& t, Ints shape) {
  if (t.sizes() == shape) return t;
  NoGrad guard;
  Dims strides(shape.size());
  size_t lead = shape.size() - size_t(t.dim());
  for (size_t d = lead; d < shape.size(); ++d) strides[d] = t.sizes()[d - lead] == 1 ? 0 : t.strides()[d - lead];
  return make_view(t, shape, strides, t.offset());
}

void check_bool(const char* text, const Tensor& mask) {
  check(mask.dtype() == Dtype::Bool, text, type_name(mask.dtype()), ". Compare it, or convert it with .bool().");
}

}  // namespace

// Coordinates of what is not zero: one row for each dim.
Tensor nonzero_columns(const Tensor& input) {
  Counted c = count(input);
  Tensor result = empty({input.dim(), c.total}, Dtype::Int64, input.device());
  if (result.numel())
    kernel(kernels(input).nonzero, "nonzero",
           input.device())({result.data_as<int64_t>(), c.mask.data_as<bool>(), c.n, c.starts.data_as<int64_t>(),
                            c.total, input.dim(), input.sizes().data()});
  return result;
}

bool mask_select_all(const Tensor& input, const Tensor& mask, Tensor& result) {
  if (!input.is_contiguous()) return false;
  Counted c = count(mask);
  result = empty({c.total}, input.dtype(), input.device());
  if (c.total) kernel(kernels(input).mask_select, "index", input.device())(mask_args(result, input, c));
  return true;
}

bool mask_fill_all(const Tensor& input, const Tensor& mask, const Tensor& value) {
  if (!input.is_contiguous() || !mask.is_contiguous()) return false;
  kernel(kernels(input).mask_fill, "index_put", input.device())(
      {input.data_as<char>(), value.data_as<char>(), mask.data_as<bool>(), input.numel(), nullptr, input.itemsize()});
  return true;
}

Tensor masked_select(const Tensor& input, const Tensor& mask, const Out& out) {
  check_bool("masked_select: expected BoolTensor for mask. It has dtype ", mask);
  if (out.defined())
    check(out.tensor.dtype() == input.dtype(), "masked_select(): self and result must have the same scalar type");
  check_same_device({&input, &mask});
  Dims shape = broadcast_shapes(mask.sizes(), input.sizes());
  Counted c = count(expanded(mask, shape));
  Tensor source = contiguous(expanded(input, shape));
  Tensor result = begin_result("masked_select", {c.total}, input.dtype(), input.device(), out, {&input, &mask});
  if (c.total) kernel(kernels(input).mask_select, "masked_select", input.device())(mask_args(result, source, c));
  return end_write(result, out);
}

Tensor masked_scatter(const Tensor& input, const Tensor& mask, const Tensor& source, const Out& out) {
  check_bool("masked_scatter_ only supports boolean masks, but got mask with dtype ", mask);
  check(input.dtype() == source.dtype(), "masked_scatter: expected self and source to have same dtypes but got",
        type_name(input.dtype()), " and ", type_name(source.dtype()));
  check_same_device({&input, &mask, &source});
  Dims shape = broadcast_shapes(mask.sizes(), input.sizes());
  check(!out.inplace || Ints(shape) == input.sizes(), "output with shape ", to_string(input.sizes()),
        " doesn't match the broadcast shape ", to_string(shape));
  Tensor result = begin_write(expanded(input, shape), out);
  Counted c = count(expanded(mask, shape));
  check(c.total <= source.numel(), "Number of elements of source < number of ones in mask: ", source.numel(), " < ",
        c.total);
  if (c.total == 0) return result;
  Tensor dense = contiguous(result);
  kernel(kernels(dense).mask_scatter, "masked_scatter",
         dense.device())(mask_args(dense, contiguous(apart(source, dense)), c));
  if (!dense.is(result)) copy_into(result, dense);
  return result;
}

Tensor masked_scatter_backward(const Tensor& grad, const Tensor& mask, Ints sizes) {
  NoGrad guard;
  Tensor chosen = masked_select(grad, mask, {});
  Tensor result = zeros_of(sizes, grad.dtype(), grad.device());
  int64_t n = std::min(chosen.numel(), result.numel());
  copy_into(make_view(result, {n}, {1}, 0), make_view(chosen, {n}, {1}, 0));
  return result;
}

Tensor nonzero(const Tensor& input, const Out& out) {
  if (out.defined())
    check(out.tensor.dtype() == Dtype::Int64,
          "nonzero: Expected out tensor to have scalar type Long but got scalar type", type_name(out.tensor.dtype()));
  Tensor columns = nonzero_columns(input);
  int64_t total = input.dim() ? columns.size(1) : (count(input).total);
  // The columns lie one after another: the result is their transpose.
  Tensor result = empty_strided({total, input.dim()}, {1, total}, Dtype::Int64, input.device());
  if (columns.numel()) {
    NoGrad guard;
    copy_into(make_view(result, columns.sizes(), {total, 1}, 0), columns);
  }
  if (!out.defined()) return result;
  const bool resized = out.tensor.sizes() != result.sizes();
  resize_output(out.tensor, result.sizes(), result.device());
  if (resized) {
    out.tensor.impl()->strides = result.strides();
    out.tensor.impl()->refresh();
  }
  copy_into(out.tensor, result);
  return out.tensor;
}

Tensor argwhere(const Tensor& input) { return nonzero(input, {}); }

std::vector<Tensor> where_condition(const Tensor& condition) { return nonzero_tuple(condition); }

std::vector<Tensor> nonzero_tuple(const Tensor& input, bool) {
  NoGrad guard;
  Tensor columns = nonzero_columns(input.dim() ? input : make_view(input, {1}, {1}, input.offset()));
  std::vector<Tensor> result;
  int64_t n = columns.size(1);
  for (int64_t d = 0; d < columns.size(0); ++d) result.push_back(make_view(columns, {n}, {1}, d * n));
  return result;
}

Tensor one_hot(const Tensor& input, int64_t num_classes) {
  check(input.dtype() == Dtype::Int64, "one_hot is only applicable to index tensor of type LongTensor. Got ",
        name(input.dtype()), "; convert it with .long().");
  Dims sizes(input.sizes());
  check(input.numel() > 0 || num_classes > 0, "Can not infer total number of classes from empty tensor.");
  check(num_classes >= -1, "num_classes should be positive");
  Tensor index = contiguous(input);
  int64_t least = 0, most = -1;
  if (index.numel())
    kernel(sort_kernels[int(index.device().type)].range, "one_hot", index.device())(index.data(), index.numel(),
                                                                                    Dtype::Int64, &least, &most);
  check(least >= 0, "Class values must be non-negative. Got ", least, ".");
  if (num_classes == -1) num_classes = most + 1;
  check(most < num_classes, "Class values must be smaller than num_classes. Got class ", most, " with ", num_classes,
        " classes.");
  sizes.push_back(num_classes);
  Tensor result = zeros_of(sizes, Dtype::Int64, input.device());
  if (index.numel() == 0) return result;
  NoGrad guard;
  Dims rows(index.sizes());
  rows.push_back(1);
  return scatter_value(result, -1, make_view(index, rows, contiguous_strides(rows), index.offset()), Scalar(1),
                       {result, true});
}

}  // namespace tl::ops
