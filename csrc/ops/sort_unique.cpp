// The part of the sort family that goes by equal elements, and searching.

#include "kernels/sort.h"
#include "ops/index.h"
#include "ops/lines.h"
#include "ops/pointwise.h"
#include "ops/shape.h"
#include "ops/sort.h"

namespace tl::ops {
namespace {

const SortKernels& kernels(const Tensor& t) { return sort_kernels[int(t.device().type)]; }

void check_unique(const Tensor& input) {
  if (is_complex(input.dtype())) not_implemented("unique", input.dtype());
}

using Triple = std::tuple<Tensor, Tensor, Tensor>;

// Runs among `count` rows that stand in `order` (undefined: as they are). `origins`: which input stands where.
struct Runs {
  Tensor starts, inverse;
  int64_t count;
};

Runs find_runs(const Tensor& rows, int64_t count, const Tensor& order, const Tensor& origins,
               const Ints* inverse_sizes) {
  Runs r;
  r.starts = empty({count + 1}, Dtype::Int64, rows.device());
  if (inverse_sizes) r.inverse = empty(*inverse_sizes, Dtype::Int64, rows.device());
  auto data = [](const Tensor& t) { return t.defined() ? t.data_as<int64_t>() : nullptr; };
  r.count = kernel(kernels(rows).row_runs, "unique",
                   rows.device())({data(r.starts), data(r.inverse), rows.data(), data(order), data(origins), count,
                                   count ? rows.numel() / count : 0, rows.dtype()});
  return r;
}

Tensor part(const Tensor& t, int64_t from, int64_t n) {
  NoGrad guard;
  return make_view(t, {n}, {1}, t.offset() + from);
}

Tensor none(const Tensor& input) { return empty({0}, Dtype::Int64, input.device()); }

Tensor run_lengths(const Runs& r, bool wanted, const Tensor& input) {
  if (!wanted) return none(input);
  Tensor counts = empty({r.count}, Dtype::Int64, input.device());
  if (r.count) copy_into(counts, part(r.starts, 1, r.count));
  return sub(counts, part(r.starts, 0, r.count), Scalar(1), {counts, true});
}

// The runs of a tensor seen flat.
Triple flat_runs(const Tensor& input, bool sorted, bool return_inverse, bool return_counts) {
  check_unique(input);
  NoGrad guard;
  int64_t n = input.numel();
  Tensor dense = contiguous(input), flat = make_view(dense, {n}, {1}, dense.offset()), order;
  if (sorted) std::tie(flat, order) = sort(flat, 0, false, {});
  Ints sizes = input.sizes();
  Runs r = find_runs(flat, n, {}, order, return_inverse ? &sizes : nullptr);
  Tensor values = index_select(flat, 0, part(r.starts, 0, r.count), {});
  return {values, return_inverse ? r.inverse : none(input), run_lengths(r, return_counts, input)};
}

// The runs of the slices of a dim.
Triple slice_runs(const Tensor& input, int64_t dim, bool sorted, bool return_inverse, bool return_counts) {
  check_unique(input);
  check<IndexError>(input.dim(), "Dimension specified as ", dim, " but tensor has no dimensions");
  dim = wrap_dim(dim, input.dim());
  NoGrad guard;
  int64_t n = input.size(dim), zeros = 0;
  for (int64_t d = 0; d < input.dim(); ++d) zeros += d != dim && input.size(d) == 0;
  if (n == 0) {
    check(zeros == 0, "Number of zero sized dimensions is more than one, so unique cannot be applied");
    return {empty(input.sizes(), input.dtype(), input.device()), none(input), none(input)};
  }
  check(zeros == 0, "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  Dims front{dim};
  for (int64_t d = 0; d < input.dim(); ++d)
    if (d != dim) front.push_back(d);
  Tensor rows = contiguous(permute(input, front)), order;
  if (sorted) {
    order = empty({n}, Dtype::Int64, input.device());
    kernel(kernels(input).row_order, "unique",
           input.device())({order.data_as<int64_t>(), rows.data(), n, rows.numel() / n, rows.dtype()});
  }
  Ints sizes(&n, 1);
  Runs r = find_runs(rows, n, order, order, return_inverse ? &sizes : nullptr);
  Tensor firsts = part(r.starts, 0, r.count);
  if (sorted) firsts = index_select(order, 0, firsts, {});
  // The dim goes back to its place: the memory stays in the order of the rows.
  Tensor values = alias(index_select(rows, 0, firsts, {}));
  TensorImpl& v = *values.impl();
  Dims row_sizes = v.sizes, row_strides = v.strides;
  for (size_t d = 0; d < front.size(); ++d) {
    v.sizes[size_t(front[d])] = row_sizes[d];
    v.strides[size_t(front[d])] = row_strides[d];
  }
  v.refresh();
  return {values, return_inverse ? r.inverse : none(input), run_lengths(r, return_counts, input)};
}

}  // namespace

Triple unique2(const Tensor& input, bool, bool return_inverse, bool return_counts) {
  return flat_runs(input, true, return_inverse, return_counts);
}

Triple unique_dim(const Tensor& input, int64_t dim, bool, bool return_inverse, bool return_counts) {
  return slice_runs(input, dim, true, return_inverse, return_counts);
}

Triple unique_consecutive(const Tensor& input, bool return_inverse, bool return_counts, OptInt dim) {
  if (!dim) return flat_runs(input, false, return_inverse, return_counts);
  return slice_runs(input, *dim, false, return_inverse, return_counts);
}

Tensor searchsorted(const Tensor& sequence, const Tensor& value, bool out_int32, bool right,
                    std::optional<std::string_view> side, const Tensor& sorter, const Out& out) {
  const char* op = "torch.searchsorted(): ";
  Tensor input = value;
  if (value.impl()->wrapped_number && value.device() != sequence.device())
    input = to_copy(value, {}, sequence.device(), false);
  check(sequence.device() == input.device(), op,
        "boundaries and input value tensors should have same device type, but got boundaries tensor device type ",
        to_string(sequence.device()), " and input value tensor device type ", to_string(input.device()));
  check(!sorter.defined() || sorter.device() == sequence.device(), op,
        "sorter and boundary tensors should have same device type, but got sorter tensor device type ",
        sorter.defined() ? to_string(sorter.device()) : "", " and input value tensor device type ",
        to_string(sequence.device()));
  if (side) {
    check(*side == "left" || *side == "right", op, "side can only be 'left' or 'right' but got ", *side);
    check(!right || *side == "right", op, "side and right can't be set to opposites, got side of ", *side,
          " while right was True");
    right = *side == "right";
  }
  Dtype dtype = out_int32 ? Dtype::Int32 : Dtype::Int64;
  check(sequence.dim() > 0, op, "boundaries tensor should have positive dimension, but got 0 dimension");
  bool shared = sequence.dim() == 1;
  check(shared || input.dim() > 0, op,
        "input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(",
        sequence.dim(), ") and input value's dim(", input.dim(), ") numel(", input.numel(), ")");
  check(
      shared || (sequence.dim() == input.dim() && sequence.sizes().slice(0, size_t(sequence.dim() - 1)) ==
                                                      input.sizes().slice(0, size_t(input.dim() - 1))),
      op,
      "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor "
      "must match, but we got boundaries tensor ",
      to_string(sequence.sizes()), " and input value tensor ", to_string(input.sizes()));
  if (sorter.defined()) {
    check(sorter.sizes() == sequence.sizes(), op,
          "boundary and sorter must have the same size, but got boundary tensor ", to_string(sequence.sizes()),
          "and got sorter tensor ", to_string(sorter.sizes()));
    check(sorter.dtype() == Dtype::Int64, op, "sorter must be a tensor of long dtype but got dtype ",
          type_name(sorter.dtype()));
  }
  check(
      !out.defined() || out.tensor.dtype() == dtype, op,
      "output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on whether out_int32 flag is "
      "True, but we got output tensor's dtype ",
      out.defined() ? type_name(out.tensor.dtype()) : "", " and out_int32 flag is ", out_int32 ? "True" : "False");
  int64_t n = sequence.size(-1);
  check(!out_int32 || n < INT32_MAX, op, "the size of boundaries' last dimension should be less than ", INT32_MAX,
        ", but we got ", n);
  Dtype common = result_type(sequence, input);
  if (is_complex(common) || common == Dtype::Bool) not_implemented("searchsorted_out_cpu", common);
  Tensor result = prepare(out.tensor, input.sizes(), dtype, input);
  if (result.numel() == 0) return finish(result, out.tensor);
  if (out.defined() && share_memory(result, sequence)) result = empty(input.sizes(), dtype, input.device());
  Tensor lines = contiguous(to_dtype(sequence, common, false, false));
  Tensor values = contiguous(to_dtype(input, common, false, false)), order;
  if (sorter.defined()) {
    order = contiguous(sorter);
    int64_t least = 0, most = -1;
    if (order.numel())
      kernel(kernels(order).range, "searchsorted", order.device())(order.data(), order.numel(), Dtype::Int64, &least,
                                                                   &most);
    check(least >= 0 && most < n, op, "sorter index out of range");
  }
  int64_t per_line = shared ? values.numel() : values.size(-1);
  kernel(kernels(input).search, "searchsorted",
         input.device())({result.data(), lines.data(), order.defined() ? order.data_as<int64_t>() : nullptr,
                          values.data(), values.numel() / per_line, n, per_line, common, shared, right, out_int32});
  return finish(result, out.tensor);
}

Tensor bucketize(const Tensor& input, const Tensor& boundaries, bool out_int32, bool right, const Out& out) {
  check(boundaries.dim() == 1, "boundaries tensor must be 1 dimension, but got dim(", boundaries.dim(), ")");
  return searchsorted(boundaries, input, out_int32, right, std::nullopt, {}, out);
}

Tensor bincount(const Tensor& input, const Tensor& weights, int64_t minlength) {
  if (!is_integral(input.dtype()) || input.dtype() == Dtype::Bool) not_implemented("bincount_cpu", input.dtype());
  check(minlength >= 0, "minlength should be >= 0");
  if (input.dim() == 1 && input.numel() == 0) return zeros_of({minlength}, Dtype::Int64, input.device());
  const char* text = "bincount only supports 1-d non-negative integral inputs.";
  check(input.dim() == 1, text);
  check(!weights.defined() || (weights.dim() == 1 && weights.numel() == input.numel()),
        "weights should be 1-d and have the same length as input");
  check(!weights.defined() || weights.device() == input.device(),
        "Expected all tensors to be on the same device, but found at least two devices, ", to_string(input.device()),
        " and ", weights.defined() ? to_string(weights.device()) : "", "!");
  Tensor source = contiguous(input);
  int64_t least, most;
  kernel(kernels(input).range, "bincount", input.device())(source.data(), source.numel(), source.dtype(), &least,
                                                           &most);
  check(least >= 0, text);
  Dtype dtype = !weights.defined() ? Dtype::Int64 : weights.dtype() == Dtype::Float32 ? Dtype::Float32 : Dtype::Float64;
  Tensor by = weights.defined() ? contiguous(to_dtype(weights, dtype, false, false)) : Tensor();
  int64_t bins = std::max(minlength, most + 1);
  Tensor counts = zeros_of({bins}, dtype, input.device());
  kernel(kernels(input).bincount, "bincount", input.device())(
      {counts.data(), source.data(), by.defined() ? by.data() : nullptr, source.numel(), bins, source.dtype(), dtype});
  return counts;
}

}  // namespace tl::ops
