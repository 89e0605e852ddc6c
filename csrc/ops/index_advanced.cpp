// NumPy's advanced indexing, and what is made of it: one tensor of indices for each dim.

#include <algorithm>
#include <numeric>

#include "ops/creation.h"
#include "ops/index_common.h"
#include "ops/shape.h"

namespace tl::ops {

using namespace indexing;

Tensor nonzero_columns(const Tensor& input);  // index_mask.cpp
bool mask_select_all(const Tensor& input, const Tensor& mask, Tensor& result);
bool mask_fill_all(const Tensor& input, const Tensor& mask, const Tensor& value);

namespace {

bool is_mask(Dtype t) { return t == Dtype::Bool || t == Dtype::UInt8; }

// The indices brought to one form: integer tensors of one broadcast shape, each for a dim of the indexed tensor.
struct Indices {
  struct One {
    int64_t dim;
    Tensor index;
    Dims strides;  // in the broadcast shape, elements
  };
  std::vector<One> list;
  Dims shape;            // what the indices broadcast to
  int64_t first = 0;     // where that shape stands among the result's dims
  uint64_t indexed = 0;  // bit mask of the dims

  bool has(int64_t d) const { return indexed >> d & 1; }
};

void check_indices(const Tensor& input, TensorSpan indices) {
  int64_t dims = 0;
  for (const Tensor& t : indices) dims += t.defined() && is_mask(t.dtype()) ? t.dim() : 1;
  check<IndexError>(dims <= input.dim(), "too many indices for tensor of dimension ", input.dim(), " (got ", dims, ")");
  int64_t at = 0;
  for (const Tensor& t : indices) {
    if (!t.defined()) {
      ++at;
      continue;
    }
    check<IndexError>(t.dtype() == Dtype::Int64 || t.dtype() == Dtype::Int32 || is_mask(t.dtype()),
                      "tensors used as indices must be long, int, byte or bool tensors, but got ", name(t.dtype()));
    if (!is_mask(t.dtype())) {
      ++at;
      continue;
    }
    for (int64_t d = 0; d < t.dim(); ++d)
      check<IndexError>(t.size(d) == input.size(at + d), "The shape of the mask ", to_string(t.sizes()), " at index ",
                        d, " does not match the shape of the indexed tensor ", to_string(input.sizes()), " at index ",
                        at + d);
    at += t.dim();
  }
}

// Indices on the device of what they index; those of the CPU are brought there.
class Brought {
 public:
  Brought(TensorSpan given, Device device) : span_(given) {
    for (const Tensor& t : given) {
      if (!t.defined() || t.device() == device) continue;
      check(t.device().is_cpu(), "indices should be either on cpu or on the same device as the indexed tensor (",
            to_string(device), ")");
      if (own_.empty()) own_.assign(given.begin(), given.end());
      own_[size_t(&t - given.data())] = to(t, std::nullopt, device, false, false);
    }
    if (!own_.empty()) span_ = own_;
  }
  operator TensorSpan() const { return span_; }
  auto begin() const { return span_.begin(); }
  auto end() const { return span_.end(); }

 private:
  TensorSpan span_;
  std::vector<Tensor> own_;
};

Indices prepare(const Tensor& input, TensorSpan indices) {
  Indices r;
  int64_t at = 0;
  for (const Tensor& t : indices) {
    if (!t.defined()) {
      ++at;
    } else if (is_mask(t.dtype())) {
      Tensor columns = nonzero_columns(t);
      int64_t n = columns.size(1);
      for (int64_t d = 0; d < t.dim(); ++d) {
        NoGrad guard;
        r.list.push_back({at++, make_view(columns, {n}, {1}, d * n), {}});
      }
    } else {
      r.list.push_back({at++, t, {}});
    }
  }
  for (size_t i = 0; i < r.list.size(); ++i) {
    Ints sizes = r.list[i].index.sizes();
    r.indexed |= uint64_t(1) << r.list[i].dim;
    if (i == 0) {
      r.shape = sizes;
      continue;
    }
    if (Ints(r.shape) == sizes) continue;
    bool fits = true;
    Dims both(std::max(sizes.size(), r.shape.size()));
    for (size_t d = 0; d < both.size(); ++d) {
      int64_t a = d < sizes.size() ? sizes[sizes.size() - 1 - d] : 1;
      int64_t b = d < r.shape.size() ? r.shape[r.shape.size() - 1 - d] : 1;
      fits = fits && (a == b || a == 1 || b == 1);
      both[both.size() - 1 - d] = a == 1 ? b : a;
    }
    if (!fits) {
      std::string shapes;
      for (const auto& one : r.list) shapes += (shapes.empty() ? "" : ", ") + to_string(one.index.sizes());
      fail<IndexError>("shape mismatch: indexing tensors could not be broadcast together with shapes ", shapes);
    }
    r.shape = both;
  }
  for (auto& one : r.list) {
    one.strides = Dims(r.shape.size());
    size_t lead = r.shape.size() - size_t(one.index.dim());
    for (size_t d = lead; d < r.shape.size(); ++d)
      one.strides[d] = one.index.sizes()[d - lead] == 1 ? 0 : one.index.strides()[d - lead];
  }
  // Neighbouring dims: the result stands in their place; else in front.
  bool adjacent = true;
  for (size_t i = 1; i < r.list.size(); ++i) adjacent = adjacent && r.list[i].dim == r.list[i - 1].dim + 1;
  r.first = adjacent && !r.list.empty() ? r.list[0].dim : 0;
  return r;
}

// Byte offsets into `input` for each place of the broadcast shape.
Offsets offsets_of(const Tensor& input, const Indices& r) {
  Offsets offsets{empty({numel_of(r.shape)}, Dtype::Int64, input.device())};
  if (offsets.at.numel() == 0) return offsets;
  uint64_t indexed = 0;
  for (const auto& one : r.list) indexed |= uint64_t(1) << one.dim;
  bool nothing = false;  // another dim is empty: no place is read or written, and none is checked
  for (int64_t d = 0; d < input.dim(); ++d) nothing |= !(indexed >> d & 1) && input.size(d) == 0;
  bool first = true;
  for (const auto& one : r.list) {
    check<IndexError>(input.size(one.dim) != 0, "index is out of bounds for dimension with size 0");
    if (nothing) continue;
    Dims steps = bytes(one.strides, one.index.itemsize());
    int64_t size = input.size(one.dim), stride = input.stride(one.dim) * int64_t(input.itemsize());
    kernel(kernels(input).offsets, "index",
           input.device())({offsets.at.data_as<int64_t>(),
                            first,
                            true,
                            one.index.data_as<char>(),
                            one.index.dtype(),
                            int64_t(r.shape.size()),
                            r.shape.data(),
                            steps.data(),
                            size,
                            stride,
                            -1,
                            {"index % is out of bounds for dimension % with size %", {&one - r.list.data(), size}}});
    offsets.unit = std::gcd(offsets.unit, stride);
    first = false;
  }
  return offsets;
}

Dims result_sizes(const Tensor& input, const Indices& r) {
  Dims sizes;
  for (int64_t d = 0, k = 0; d <= input.dim(); ++d) {
    if (k == r.first)
      for (int64_t s : r.shape) sizes.push_back(s);
    if (d == input.dim()) break;
    if (!r.has(d)) {
      sizes.push_back(input.size(d));
      ++k;
    } else if (k == r.first) {
      k = -1 - input.dim();  // the shape stands here; never again
    }
  }
  return sizes;
}

// The result's dims in the order of its memory are those of what is read (the indexed tensor, the indices): strides are
// compared operand by operand, and a zero stride decides nothing.
Dims result_strides(Ints sizes, const Tensor& input, const Indices& r) {
  size_t n = sizes.size();
  std::vector<Dims> operands;
  Dims own(n);
  for (size_t d = 0, at = 0; at < n;) {
    if (int64_t(at) == r.first) {
      at += r.shape.size();
      if (at >= n) break;
    }
    while (d < size_t(input.dim()) && r.has(int64_t(d))) ++d;
    if (d >= size_t(input.dim())) break;
    own[at++] = input.strides()[d++];
  }
  operands.push_back(own);
  for (const auto& one : r.list) {
    Dims s(n);
    for (size_t d = 0; d < r.shape.size(); ++d) s[size_t(r.first) + d] = one.strides[d];
    operands.push_back(s);
  }
  auto compare = [&](size_t a, size_t b) {
    for (const Dims& s : operands) {
      if (s[a] == 0 || s[b] == 0) continue;
      if (s[a] != s[b]) return s[a] < s[b] ? -1 : 1;
      if (sizes[a] > sizes[b]) return 1;
    }
    return 0;
  };
  Dims order(n);  // from the innermost dim
  for (size_t i = 0; i < n; ++i) order[i] = int64_t(n - 1 - i);
  for (size_t i = 1; i < n; ++i)
    for (size_t at = i, j = i; j-- > 0;) {
      int c = compare(size_t(order[j]), size_t(order[at]));
      if (c < 0) break;
      if (c > 0) {
        std::swap(order[j], order[at]);
        at = j;
      }
    }
  Dims strides(n);
  int64_t step = 1;
  for (int64_t d : order) {
    strides[size_t(d)] = step;
    step *= std::max<int64_t>(sizes[size_t(d)], 1);
  }
  return strides;
}

// The step from one place of the broadcast shape to the next in a tensor that has these dims from `first` on, if even.
std::optional<int64_t> even_step(Ints shape, Ints strides, int64_t first) {
  int64_t step = 0, run = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    if (shape[d] == 1) continue;
    int64_t s = strides[size_t(first) + d];
    if (run == 1)
      step = s;
    else if (s != run * step)
      return std::nullopt;
    run *= shape[d];
  }
  return step;
}

// Rows of the indexed tensor against the dims of its counterpart, which are ordered as the result's.
RowDims row_dims(const Tensor& input, Ints other_strides, const Indices& r, bool input_is_dst) {
  RowDims rows;
  size_t at = 0;
  for (int64_t d = 0; d < input.dim(); ++d) {
    if (r.has(d)) continue;
    bool outer = int64_t(at) < r.first;
    int64_t other = other_strides[outer ? at : at + r.shape.size()];
    int64_t own = input.stride(d);
    (outer ? rows.outer : rows.inner).push_back(input.size(d));
    (outer ? rows.outer_dst : rows.inner_dst).push_back(input_is_dst ? own : other);
    (outer ? rows.outer_src : rows.inner_src).push_back(input_is_dst ? other : own);
    ++at;
  }
  rows.to_bytes(input.itemsize());
  return rows;
}

// The mask, if that is the whole index and it has the tensor's own shape.
const Tensor* whole_mask(const Tensor& input, TensorSpan indices) {
  if (indices.size() != 1 || !indices[0].defined() || indices[0].dtype() != Dtype::Bool) return nullptr;
  return indices[0].dim() > 0 && indices[0].sizes() == input.sizes() ? &indices[0] : nullptr;
}

}  // namespace

Tensor index(const Tensor& input, TensorSpan given) {
  check_indices(input, given);
  Brought indices(given, input.device());
  Tensor result;
  if (const Tensor* mask = whole_mask(input, indices); mask && mask_select_all(input, *mask, result)) return result;
  Indices r = prepare(input, indices);
  if (r.list.empty()) return clone(input);
  Dims sizes = result_sizes(input, r);
  Offsets offsets = offsets_of(input, r);
  Dims strides = result_strides(sizes, input, r);
  result = empty_strided(sizes, strides, input.dtype(), input.device());
  if (result.numel() == 0) return result;
  std::optional<int64_t> step = even_step(r.shape, strides, r.first);
  Tensor target = step ? result : empty(sizes, input.dtype(), input.device());
  if (!step) step = even_step(r.shape, target.strides(), r.first);
  RowDims rows = row_dims(input, target.strides(), r, false);
  kernel(kernels(input).gather_rows, "index", input.device())(rows.args(target, input, offsets, *step));
  if (!target.is(result)) copy_into(result, target);
  return result;
}

Tensor index_put(const Tensor& input, TensorSpan given_indices, const Tensor& given_values, bool accumulate,
                 const Out& out) {
  check_indices(input, given_indices);
  Brought indices(given_indices, input.device());
  // A single number of the CPU joins any device.
  bool lone = given_values.dim() == 0 && given_values.device().is_cpu();
  Tensor values = lone ? to(given_values, std::nullopt, input.device(), false, false) : given_values;
  check_same_device({&input, &values});
  // One value for what masks choose is a fill, which converts it.
  if (input.dtype() != values.dtype() && values.numel() == 1 && !accumulate &&
      std::all_of(indices.begin(), indices.end(),
                  [](const Tensor& t) { return !t.defined() || t.dtype() == Dtype::Bool; }))
    return index_put(input, indices, to_copy(values, input.dtype(), {}, false), accumulate, out);
  check(input.dtype() == values.dtype(), "Index put requires the source and destination dtypes match, got ",
        type_name(input.dtype()), " for the destination and ", type_name(values.dtype()), " for the source.");
  Tensor result = out.inplace ? out.tensor : begin_write(input, out, true);
  for (const Tensor& t : indices)
    if (t.defined()) check_no_partial_overlap(result, t);
  if (const Tensor* mask = whole_mask(result, indices);
      mask && !accumulate && values.numel() == 1 && mask_fill_all(result, *mask, apart(values, result)))
    return result;
  Indices r = prepare(input, indices);
  if (r.list.empty()) {
    copy(result, values, false, {});
    return result;
  }
  Dims sizes = result_sizes(input, r);
  Ints given = values.sizes();
  bool fits = given.size() <= sizes.size();
  Dims strides(sizes.size());
  for (size_t i = 0; fits && i < given.size(); ++i) {
    size_t d = sizes.size() - given.size() + i;
    fits = given[i] == sizes[d] || given[i] == 1;
    strides[d] = given[i] == 1 ? 0 : values.strides()[i];
  }
  // Leading ones beyond the result's dims are forgiven.
  if (!fits && given.size() > sizes.size() && numel_of(given.slice(0, given.size() - sizes.size())) == 1) {
    NoGrad guard;
    size_t lead = given.size() - sizes.size();
    Tensor less = make_view(values, given.slice(lead), values.strides().slice(lead), values.offset());
    return index_put(input, indices, less, accumulate, out.inplace ? out : Out{result, true});
  }
  check(fits, "shape mismatch: value tensor of shape ", to_string(given),
        " cannot be broadcast to indexing result of shape ", to_string(sizes));
  Offsets offsets = offsets_of(result, r);
  if (numel_of(sizes) == 0) return result;
  Tensor source = apart(values, result);
  if (!source.is(values))
    for (size_t i = 0; i < given.size(); ++i)
      strides[sizes.size() - given.size() + i] = given[i] == 1 ? 0 : source.strides()[i];
  std::optional<int64_t> step = even_step(r.shape, strides, r.first);
  if (!step) {
    NoGrad guard;
    source = contiguous_copy(make_view(source, sizes, strides, source.offset()));
    strides = source.strides();
    step = even_step(r.shape, strides, r.first);
  }
  RowDims rows = row_dims(result, strides, r, true);
  RowsArgs args = rows.args(result, source, offsets, *step);
  args.mode = accumulate ? ScatterMode::Add : ScatterMode::Assign;
  kernel(kernels(result).scatter_rows, "index_put", result.device())(args);
  return result;
}

// ---- indices into the flat tensor ----

namespace {
Offsets flat_offsets(const Tensor& index, const Tensor& input) {
  return row_offsets(index, input.numel(), int64_t(input.itemsize()), true,
                     {"out of range: tried to access index % on a tensor of % elements.", {input.numel()}});
}
}  // namespace

Tensor take(const Tensor& input, const Tensor& index, const Out& out) {
  check(index.dtype() == Dtype::Int64, "take(): Expected a long tensor for index, but got ", type_name(index.dtype()));
  if (out.defined())
    check(out.tensor.dtype() == input.dtype(),
          "take(): self and out expected to have the same dtype, but got "
          "self.dtype = ",
          type_name(input.dtype()), " and out.dtype = ", type_name(out.tensor.dtype()));
  check<IndexError>(input.numel() != 0 || index.numel() == 0, "take(): tried to take from an empty tensor");
  check_same_device({&input, &index});
  Offsets offsets = flat_offsets(index, input);
  Tensor result = begin_result("take", index.sizes(), input.dtype(), input.device(), out, {&input, &index});
  if (result.numel())
    kernel(kernels(input).gather_rows, "take", input.device())(RowDims().args(result, contiguous(input), offsets, 1));
  return end_write(result, out);
}

Tensor put(const Tensor& input, const Tensor& index, const Tensor& source, bool accumulate, const Out& out) {
  check(index.dtype() == Dtype::Int64, "put_(): Expected a long tensor for index, but got ", type_name(index.dtype()));
  check(input.dtype() == source.dtype(),
        "put_(): self and source expected to have the same dtype, but got self.dtype = ", type_name(input.dtype()),
        " and source.dtype = ", type_name(source.dtype()));
  check<IndexError>(source.numel() == index.numel(),
                    "put_(): Expected source and index to have the same number of "
                    "elements, but got source.numel() = ",
                    source.numel(), ", index.numel() = ", index.numel());
  check<IndexError>(input.numel() != 0 || index.numel() == 0, "put_(): tried to put elements into an empty tensor");
  check_same_device({&input, &index, &source});
  Offsets offsets = flat_offsets(index, input);
  Tensor result = begin_write(input, out, true);
  if (index.numel() == 0) return result;
  Tensor dense = contiguous(result);
  Tensor from = contiguous(apart(source, dense));
  RowsArgs args = RowDims().args(dense, from, offsets, 1);
  args.mode = accumulate ? ScatterMode::Add : ScatterMode::Assign;
  kernel(kernels(dense).scatter_rows, "put", dense.device())(args);
  if (!dense.is(result)) copy_into(result, dense);
  return result;
}

// ---- tables of vectors ----

namespace {
void check_embedding_indices(const Tensor& indices) {
  check(
      indices.dtype() == Dtype::Int64 || indices.dtype() == Dtype::Int32,
      "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.",
      type_name(indices.dtype()), "Tensor instead (while checking arguments for embedding)");
}
}  // namespace

Tensor embedding(const Tensor& weight, const Tensor& indices, int64_t, bool, bool) {
  check(weight.dim() == 2, "'weight' must be 2-D");
  check_embedding_indices(indices);
  check_same_device({&weight, &indices});
  Offsets offsets = row_offsets(indices, weight.size(0), weight.stride(0) * int64_t(weight.itemsize()), false,
                                {"index out of range in self. Index % for a table of % rows", {weight.size(0)}});
  Dims sizes(indices.sizes());
  sizes.push_back(weight.size(1));
  Tensor result = empty(sizes, weight.dtype(), weight.device());
  if (result.numel() == 0) return result;
  RowDims rows;
  rows.inner = {weight.size(1)};
  rows.inner_dst = {1};
  rows.inner_src = {weight.stride(1)};
  rows.to_bytes(weight.itemsize());
  kernel(kernels(weight).gather_rows, "embedding", weight.device())(rows.args(result, weight, offsets, weight.size(1)));
  return result;
}

Tensor embedding_dense_backward(const Tensor& grad_output, const Tensor& indices, int64_t num_weights,
                                int64_t padding_idx, bool scale_grad_by_freq) {
  check_embedding_indices(indices);
  int64_t width = grad_output.size(-1);
  check_same_device({&grad_output, &indices});
  Tensor result = zeros_of({num_weights, width}, grad_output.dtype(), grad_output.device());
  if (grad_output.numel() == 0) return result;
  DataError error{"index out of range in self. Index %"};
  Offsets offsets = row_offsets(indices, num_weights, width * int64_t(result.itemsize()), false, error, padding_idx);
  Tensor source = contiguous(grad_output);
  RowDims rows;
  rows.inner = {width};
  rows.inner_dst = rows.inner_src = {1};
  rows.to_bytes(result.itemsize());
  RowsArgs args = rows.args(result, source, offsets, width);
  args.mode = ScatterMode::Add;
  kernel(kernels(result).scatter_rows, "embedding_dense_backward", result.device())(args);
  if (!scale_grad_by_freq) return result;
  // How often each row was looked up: rows of ones added up.
  Tensor counts = zeros_of({num_weights, width}, Dtype::Int64, result.device());
  Tensor one = empty({}, Dtype::Int64, result.device());
  fill_with(one, Scalar(1));
  offsets = row_offsets(indices, num_weights, width * 8, false, error, padding_idx);
  rows.inner_dst = {8};
  rows.inner_src = {0};
  args = rows.args(counts, one, offsets, 0);
  args.mode = ScatterMode::Add;
  kernel(kernels(result).scatter_rows, "embedding_dense_backward", result.device())(args);
  kernel(kernels(result).divide_counts, "embedding_dense_backward", result.device())(
      result.data(), counts.data_as<int64_t>(), result.numel(), result.dtype());
  return result;
}

}  // namespace tl::ops
