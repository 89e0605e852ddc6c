#include "composite/shape.h"

#include <atomic>

#include "autograd/call.h"
#include "core/plan.h"
#include "ops/cast.h"
#include "ops/creation.h"
#include "ops/scan.h"
#include "ops/shape.h"
#include "ops/sort.h"

namespace tl::composite {

namespace {

Op view("view"), unsafe_view("_unsafe_view"), reshape_alias("_reshape_alias"), clone("clone"),
    contiguous_copy("contiguous"), permute("permute"), transpose("transpose"), expand("expand"), unsqueeze("unsqueeze"),
    slice("slice"), select("select"), cat("cat"), stack("stack"), flip("flip"), repeat("repeat"), conj("conj"),
    index_select("index_select"), gather("gather"), view_as_real("view_as_real"), alias("alias"),
    diag_embed("diag_embed"), diagonal_copy("diagonal_copy"), remainder("remainder");

std::vector<Tensor> call_list(const char* name, std::initializer_list<Value> args) {
  Value all[Operator::kMaxArgs];
  std::copy(args.begin(), args.end(), all);
  Results results;
  call(get_operator(name), all, results);
  std::vector<Tensor> list;
  for (Tensor& t : results) list.push_back(std::move(t));
  return list;
}

Tensor joined(std::vector<Tensor> list, int64_t dim, const Out& out) {
  if (out.defined()) return cat(TensorSpan(list), dim, out.tensor);
  return cat(TensorSpan(list), dim);
}

}  // namespace

// ---- one tensor, another shape ----

Tensor reshape(const Tensor& input, Ints shape) {
  Dims sizes = ops::infer_size(shape, input.numel());
  bool records = grad_enabled() && requires_grad(input);
  if (input.is_contiguous()) return records ? view(input, Ints(sizes)) : ops::view(input, sizes);
  if (std::optional<Dims> strides = ops::view_strides(input.sizes(), input.strides(), sizes)) {
    if (!records) return make_view(input, sizes, *strides, input.offset());
    return reshape_alias(input, Ints(sizes), Ints(*strides));
  }
  return unsafe_view(contiguous_copy(input), Ints(sizes));
}

Tensor reshape_as(const Tensor& input, const Tensor& other) { return reshape(input, other.sizes()); }
Tensor view_as(const Tensor& input, const Tensor& other) { return view(input, other.sizes()); }
Tensor expand_as(const Tensor& input, const Tensor& other) { return expand(input, other.sizes()); }
Tensor broadcast_to(const Tensor& input, Ints size) { return expand(input, size); }

std::vector<Tensor> broadcast_tensors(TensorSpan tensors) {
  std::vector<Tensor> result;
  if (tensors.empty()) return result;
  Dims shape(tensors[0].sizes());
  for (const Tensor& t : tensors.subspan(1)) shape = broadcast_shapes(shape, t.sizes());
  for (const Tensor& t : tensors) result.push_back(expand(t, Ints(shape)));
  return result;
}

Tensor flatten(const Tensor& input, int64_t start_dim, int64_t end_dim) {
  int64_t from = wrap_dim(start_dim, input.dim()), to = wrap_dim(end_dim, input.dim());
  check(from <= to, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (input.dim() == 0) return reshape(input, {1});
  if (from == to) return input;
  Dims sizes;
  int64_t run = 1;
  for (int64_t d = 0; d < input.dim(); ++d) {
    if (d < from || d > to) sizes.push_back(input.size(d));
    if (d >= from && d <= to) run *= input.size(d);
    if (d == to) sizes.push_back(run);
  }
  return reshape(input, sizes);
}

Tensor unflatten(const Tensor& input, int64_t dim, Ints sizes) {
  dim = wrap_dim(dim, input.dim());
  check(!sizes.empty(), "unflatten: sizes must be non-empty");
  int64_t have = input.dim() ? input.size(dim) : 1;
  int64_t known = 1;
  int unknown = 0;
  for (int64_t s : sizes) s == -1 ? ++unknown : known *= s;
  if (unknown == 0)
    check(known == have, "unflatten: Provided sizes ", to_string(sizes), " don't multiply up to the size of dim ", dim,
          " (", have, ") in the input tensor");
  Dims part;
  try {
    check(unknown > 0 || input.dim() > 0, "a tensor without dims has none to unflatten");
    part = ops::infer_size(sizes, have);
  } catch (const Error& e) {
    fail("unflatten got an unexpected error:\n", e.what());
  }
  Dims all(input.sizes().slice(0, size_t(dim)));
  for (int64_t s : part) all.push_back(s);
  for (int64_t d = dim + 1; d < input.dim(); ++d) all.push_back(input.size(d));
  return view(input, Ints(all));
}

Tensor ravel(const Tensor& input) {
  return input.is_contiguous() ? view(input, Ints{-1}) : view(contiguous_copy(input), Ints{-1});
}

Tensor numpy_T(const Tensor& input) {
  static std::atomic<bool> warned{false};
  if (input.dim() != 2 && input.dim() != 0 && !warned.exchange(true))
    warn(
        "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw "
        "an "
        "error in a future release. Consider `x.mT` to transpose batches of matrices or "
        "`x.permute(*torch.arange(x.ndim "
        "- 1, -1, -1))` to reverse the dimensions of a tensor.");
  Dims order;
  for (int64_t d = input.dim(); d-- > 0;) order.push_back(d);
  return permute(input, Ints(order));
}

Tensor matrix_H(const Tensor& input) {
  check(input.dim() == 2 || input.dim() == 0, "tensor.H is only supported on matrices (2-D tensors). Got ", input.dim(),
        "-D tensor.", input.dim() > 2 ? " For batches of matrices, consider using tensor.mH" : "");
  if (input.dim() == 0) return is_complex(input.dtype()) ? conj(input) : input;
  Tensor turned = transpose(input, 0, 1);
  return is_complex(input.dtype()) ? conj(turned) : turned;
}

Tensor mT(const Tensor& input) {
  if (input.dim() == 0) return input;
  check(input.dim() >= 2, "tensor.mT is only supported on matrices or batches of matrices. Got ", input.dim(),
        "-D tensor.");
  return transpose(input, -2, -1);
}

Tensor mH(const Tensor& input) {
  if (input.dim() == 0) return matrix_H(input);
  check(input.dim() >= 2, "tensor.mH is only supported on matrices or batches of matrices. Got ", input.dim(),
        "-D tensor.");
  Tensor turned = transpose(input, -2, -1);
  return is_complex(input.dtype()) ? conj(turned) : turned;
}

Tensor adjoint(const Tensor& input) {
  check(input.dim() != 1, "tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.");
  return input.dim() == 0 ? matrix_H(input) : mH(input);
}

Tensor movedim(const Tensor& input, Ints source, Ints destination) {
  check(source.size() == destination.size(), "movedim: Invalid source or destination dims: source (", to_string(source),
        " dims) should contain the same number of dims as destination (", to_string(destination), " dims)");
  int64_t n = input.dim();
  Dims order(size_t(n), -1);
  uint64_t from = 0, to = 0;
  for (size_t i = 0; i < source.size(); ++i) {
    int64_t s = wrap_dim(source[i], n), d = wrap_dim(destination[i], n);
    check(!(from >> s & 1), "movedim: repeated dim in `source` (", to_string(source), ")");
    check(!(to >> d & 1), "movedim: repeated dim in `destination` (", to_string(destination), ")");
    from |= uint64_t(1) << s;
    to |= uint64_t(1) << d;
    if (n) order[size_t(d)] = s;
  }
  if (n == 0) return alias(input);
  for (int64_t d = 0, s = 0; d < n; ++d) {
    if (order[size_t(d)] >= 0) continue;
    while (from >> s & 1) ++s;
    order[size_t(d)] = s++;
  }
  return permute(input, Ints(order));
}

Tensor narrow(const Tensor& input, int64_t dim, int64_t start, int64_t length) {
  check(input.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  check(length >= 0, "narrow(): length must be non-negative.");
  int64_t size = input.size(wrap_dim(dim, input.dim()));
  check<IndexError>(start >= -size && start <= size, "start out of range (expected to be in range of [", -size, ", ",
                    size, "], but got ", start, ")");
  if (start < 0) start += size;
  check(start <= size - length, "start (", start, ") + length (", length, ") exceeds dimension size (", size, ").");
  return slice(input, dim, start, start + length, 1);
}

Tensor narrow_tensor(const Tensor& input, int64_t dim, const Tensor& start, int64_t length) {
  check(start.dim() == 0 && is_integral(start.dtype()) && start.dtype() != Dtype::Bool,
        "start must be an 0-dim integral Tensor.");
  return narrow(input, dim, *ops::to_copy(start, Dtype::Int64, Device{}, false).data_as<int64_t>(), length);
}

Tensor real(const Tensor& input) { return is_complex(input.dtype()) ? select(view_as_real(input), -1, 0) : input; }
Tensor imag(const Tensor& input) {
  check(is_complex(input.dtype()), "imag is not implemented for tensors with non-complex dtypes.");
  return select(view_as_real(input), -1, 1);
}

Tensor diag(const Tensor& input, int64_t diagonal, const Out& out) {
  check(input.dim() == 1 || input.dim() == 2, "diag(): Supports 1D or 2D tensors. Got ", input.dim(), "D");
  if (out.defined()) {
    if (input.dim() == 2) return ops::diagonal_copy(input, diagonal, 0, 1, out);
    const Tensor matrix = ops::diag_embed(input, diagonal, 0, 1);
    check_castable(matrix.dtype(), out.tensor.dtype());
    resize_output(out.tensor, matrix.sizes(), matrix.device());
    ops::copy_into(out.tensor, matrix);
    return out.tensor;
  }
  return input.dim() == 1 ? diag_embed(input, diagonal, 0, 1) : diagonal_copy(input, diagonal, 0, 1);
}

// ---- another layout in place ----

namespace {
// No element is written: the history grows by the view's node, that of a base it looks at does not change.
Tensor take_layout(const char* name, const Tensor& input, const Tensor& view, std::initializer_list<Value> args) {
  Ref<Node> node;
  if (grad_enabled() && requires_grad(input)) {
    check_inplace(input);
    Value all[Operator::kMaxArgs];
    std::copy(args.begin(), args.end(), all);
    node = make_node(get_operator(name), all);
  }
  TensorImpl* p = input.impl();
  p->sizes = view.sizes();
  p->strides = view.strides();
  p->offset = view.offset();
  p->refresh();
  if (node) set_history(input, node);
  return input;
}
}  // namespace

Tensor t_(const Tensor& input) { return take_layout("t_", input, ops::t(input), {input}); }
Tensor transpose_(const Tensor& input, int64_t dim0, int64_t dim1) {
  return take_layout("transpose_", input, ops::transpose(input, dim0, dim1), {input, dim0, dim1});
}
Tensor squeeze_(const Tensor& input) { return take_layout("squeeze_", input, ops::squeeze(input), {input}); }
Tensor squeeze_dim_(const Tensor& input, int64_t dim) {
  return take_layout("squeeze_.dim", input, ops::squeeze_dim(input, dim), {input, dim});
}
Tensor squeeze_dims_(const Tensor& input, Ints dim) {
  return take_layout("squeeze_.dims", input, ops::squeeze_dims(input, dim), {input, dim});
}
Tensor unsqueeze_(const Tensor& input, int64_t dim) {
  return take_layout("unsqueeze_", input, ops::unsqueeze(input, dim), {input, dim});
}
Tensor as_strided_(const Tensor& input, Ints size, Ints stride, OptInt storage_offset) {
  int64_t offset = storage_offset.value_or(input.offset());
  return take_layout("as_strided_", input, ops::as_strided(input, size, stride, offset), {input, size, stride, offset});
}

// ---- pieces ----

std::vector<Tensor> split_size(const Tensor& input, int64_t split_size, int64_t dim) {
  return call_list("split", {Value(input), Value(split_size), Value(dim)});
}
std::vector<Tensor> split_sections(const Tensor& input, Ints split_sizes, int64_t dim) {
  return call_list("split_with_sizes", {Value(input), Value(split_sizes), Value(dim)});
}

std::vector<Tensor> chunk(const Tensor& input, int64_t chunks, int64_t dim) {
  check(input.dim() > 0, "chunk expects at least a 1-dimensional tensor");
  check(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
  int64_t size = input.size(wrap_dim(dim, input.dim()));
  int64_t each = (size + chunks - 1) / chunks;
  if (each == 0) {
    Dims none(size_t(chunks), 0);
    return call_list("split_with_sizes", {Value(input), Value(Ints(none)), Value(dim)});
  }
  return call_list("split", {Value(input), Value(each), Value(dim)});
}

namespace {
int64_t check_tensor_split(const Tensor& input, int64_t dim) {
  check(input.dim() > 0, "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
  return wrap_dim(dim, input.dim());
}
}  // namespace

std::vector<Tensor> tensor_split(const Tensor& input, int64_t sections, int64_t dim) {
  dim = check_tensor_split(input, dim);
  check(sections > 0, "number of sections must be larger than 0, got ", sections);
  int64_t size = input.size(dim), each = size / sections, more = size % sections, start = 0;
  std::vector<Tensor> pieces;
  for (int64_t i = 0; i < sections; ++i) {
    int64_t end = start + each + (i < more);
    pieces.push_back(slice(input, dim, start, end, 1));
    start = end;
  }
  return pieces;
}

std::vector<Tensor> tensor_split_indices(const Tensor& input, Ints indices, int64_t dim) {
  dim = check_tensor_split(input, dim);
  std::vector<Tensor> pieces;
  int64_t start = 0;
  for (int64_t end : indices) {
    pieces.push_back(slice(input, dim, start, end, 1));
    start = end;
  }
  pieces.push_back(slice(input, dim, start, input.size(dim), 1));
  return pieces;
}

std::vector<Tensor> tensor_split_tensor(const Tensor& input, const Tensor& given, int64_t dim) {
  check_tensor_split(input, dim);
  check(given.dtype() == Dtype::Int64,
        "tensor_split expected tensor_indices_or_sections to have dtype of long, but got ", type_name(given.dtype()));
  check(given.dim() <= 1,
        "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or "
        "one-dimensional tensor, but got a tensor with ",
        given.dim(), " dims");
  check(given.device().is_cpu(), "tensor_split expected tensor_indices_or_sections to be on cpu, but it's on ",
        to_string(given.device()));
  if (given.dim() == 0) return tensor_split(input, *given.data_as<int64_t>(), dim);
  Dims indices(size_t(given.numel()));
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = given.data_as<int64_t>()[int64_t(i) * given.stride(0)];
  return tensor_split_indices(input, indices, dim);
}

namespace {
int64_t check_split(const char* name, const Tensor& input, int64_t dims, int64_t dim, int64_t sections) {
  check(input.dim() >= dims, "torch.", name, " requires a tensor with at least ", dims,
        " dimension, but got a tensor with ", input.dim(), " dimensions!");
  if (input.dim() == 1) dim = 0;
  check(sections != 0 && (sections < 0 || input.size(dim) % sections == 0), "torch.", name,
        " attempted to split along dimension ", dim, ", but the size of the dimension ", input.size(dim),
        " is not divisible by the split_size ", sections, "!");
  return dim;
}
}  // namespace

std::vector<Tensor> hsplit(const Tensor& input, int64_t sections) {
  int64_t dim = check_split("hsplit", input, 1, 1, sections);
  return tensor_split(input, sections, dim);
}
std::vector<Tensor> vsplit(const Tensor& input, int64_t sections) {
  check_split("vsplit", input, 2, 0, sections);
  return tensor_split(input, sections, 0);
}
std::vector<Tensor> dsplit(const Tensor& input, int64_t sections) {
  check_split("dsplit", input, 3, 2, sections);
  return tensor_split(input, sections, 2);
}
std::vector<Tensor> hsplit_indices(const Tensor& input, Ints indices) {
  int64_t dim = check_split("hsplit", input, 1, 1, -1);
  return tensor_split_indices(input, indices, dim);
}
std::vector<Tensor> vsplit_indices(const Tensor& input, Ints indices) {
  check_split("vsplit", input, 2, 0, -1);
  return tensor_split_indices(input, indices, 0);
}
std::vector<Tensor> dsplit_indices(const Tensor& input, Ints indices) {
  check_split("dsplit", input, 3, 2, -1);
  return tensor_split_indices(input, indices, 2);
}

// ---- more dims ----

Tensor atleast_1d(const Tensor& input) { return input.dim() ? input : reshape(input, {1}); }
Tensor atleast_2d(const Tensor& input) {
  if (input.dim() == 0) return reshape(input, {1, 1});
  return input.dim() == 1 ? unsqueeze(input, 0) : input;
}
Tensor atleast_3d(const Tensor& input) {
  if (input.dim() == 0) return reshape(input, {1, 1, 1});
  if (input.dim() == 1) return unsqueeze(unsqueeze(input, 0), -1);
  return input.dim() == 2 ? unsqueeze(input, -1) : input;
}

namespace {
template <Tensor (*F)(const Tensor&)>
std::vector<Tensor> each(TensorSpan tensors) {
  std::vector<Tensor> result;
  for (const Tensor& t : tensors) result.push_back(F(t));
  return result;
}
}  // namespace

std::vector<Tensor> atleast_1d_list(TensorSpan tensors) { return each<atleast_1d>(tensors); }
std::vector<Tensor> atleast_2d_list(TensorSpan tensors) { return each<atleast_2d>(tensors); }
std::vector<Tensor> atleast_3d_list(TensorSpan tensors) { return each<atleast_3d>(tensors); }

Tensor hstack(TensorSpan tensors, const Out& out) {
  check(!tensors.empty(), "hstack expects a non-empty TensorList");
  std::vector<Tensor> list = atleast_1d_list(tensors);
  int64_t dim = list[0].dim() == 1 ? 0 : 1;
  return joined(std::move(list), dim, out);
}
Tensor vstack(TensorSpan tensors, const Out& out) {
  check(!tensors.empty(), "vstack expects a non-empty TensorList");
  return joined(atleast_2d_list(tensors), 0, out);
}
Tensor dstack(TensorSpan tensors, const Out& out) {
  check(!tensors.empty(), "dstack expects a non-empty TensorList");
  return joined(atleast_3d_list(tensors), 2, out);
}
Tensor column_stack(TensorSpan tensors, const Out& out) {
  check(!tensors.empty(), "column_stack expects a non-empty TensorList");
  std::vector<Tensor> list;
  for (const Tensor& t : tensors) list.push_back(t.dim() <= 1 ? reshape(t, {t.numel(), 1}) : t);
  return joined(std::move(list), 1, out);
}

std::vector<Tensor> meshgrid(TensorSpan tensors, std::string_view indexing) {
  check(!tensors.empty(), "meshgrid expects a non-empty TensorList");
  for (const Tensor& t : tensors) {
    check(t.dtype() == tensors[0].dtype(), "meshgrid expects all tensors to have the same dtype");
    check(t.dim() <= 1, "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got one of shape ",
          to_string(t.sizes()));
  }
  bool swap = indexing == "xy" && tensors.size() >= 2;
  check(indexing == "xy" || indexing == "ij",
        "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: ", indexing);
  // "xy": the first tensor runs along dim 1, the second along dim 0.
  size_t n = tensors.size();
  auto place = [&](size_t i) { return swap && i < 2 ? 1 - i : i; };
  Dims shape(n);
  for (size_t i = 0; i < n; ++i) shape[place(i)] = tensors[i].numel();
  std::vector<Tensor> grids;
  for (size_t i = 0; i < n; ++i) {
    Dims own(n, 1);
    own[place(i)] = tensors[i].numel();
    grids.push_back(expand(view(tensors[i], Ints(own)), Ints(shape)));
  }
  return grids;
}

// ---- repeating ----

Tensor tile(const Tensor& input, Ints dims) {
  Dims all;
  for (int64_t d = int64_t(dims.size()); d < input.dim(); ++d) all.push_back(1);
  for (int64_t r : dims) all.push_back(r);
  return repeat(input, Ints(all));
}

Tensor fliplr(const Tensor& input) {
  check(input.dim() >= 2, "Input must be >= 2-d.");
  return flip(input, Ints{1});
}
Tensor flipud(const Tensor& input) {
  check(input.dim() >= 1, "Input must be >= 1-d.");
  return flip(input, Ints{0});
}

Tensor repeat_interleave(const Tensor& input, int64_t repeats, OptInt dim, OptInt output_size) {
  Tensor from = dim ? input : flatten(input, 0, -1);
  int64_t d = wrap_dim(dim.value_or(0), from.dim());
  check(repeats >= 0, "Repeats must be non-negative");
  if (from.dim() == 0) from = reshape(from, {1});
  Dims sizes(from.sizes());
  if (output_size)
    check(*output_size == sizes[size_t(d)] * repeats, "repeat_interleave: Invalid output_size, expected ",
          sizes[size_t(d)] * repeats, " but got ", *output_size);
  sizes.insert(size_t(d) + 1, repeats);
  Tensor wide = expand(unsqueeze(from, d + 1), Ints(sizes));
  sizes.erase(size_t(d) + 1);
  sizes[size_t(d)] *= repeats;
  Tensor own = wide.is_contiguous() ? clone(wide) : contiguous_copy(wide);
  return view(own, Ints(sizes));
}

Tensor repeat_interleave_counts(const Tensor& repeats, OptInt output_size) {
  check(repeats.dim() == 1, "repeat_interleave only accept 1D vector as repeat");
  check<NotImplementedError>(repeats.dtype() == Dtype::Int64 || repeats.dtype() == Dtype::Int32,
                             "\"repeat_interleave_cpu\" not implemented for '", type_name(repeats.dtype()), "'");
  Tensor counts = ops::contiguous(ops::to(repeats, Dtype::Int64, Device{}, false, false));
  const int64_t* c = counts.data_as<int64_t>();
  int64_t total = 0;
  for (int64_t i = 0; i < counts.numel(); ++i) {
    check(c[i] >= 0, "repeats can not be negative");
    total += c[i];
  }
  check(!output_size || *output_size == total, "allocated size does not match required size");
  if (!repeats.device().is_cpu()) {
    // A place belongs to the first count whose sum with those before goes beyond it.
    Tensor ends = ops::cumsum(repeats, 0, Dtype::Int64, {});
    Tensor places = ops::arange(Scalar(total), {}, Dtype::Int64, repeats.device());
    return ops::searchsorted(ends, places, false, true, std::nullopt, {}, {});
  }
  Tensor result = empty({total}, Dtype::Int64);
  int64_t* p = result.data_as<int64_t>();
  for (int64_t i = 0; i < counts.numel(); ++i)
    for (int64_t k = 0; k < c[i]; ++k) *p++ = i;
  return result;
}

Tensor repeat_interleave_tensor(const Tensor& input, const Tensor& repeats, OptInt dim, OptInt output_size) {
  Tensor from = dim ? input : flatten(input, 0, -1);
  int64_t d = wrap_dim(dim.value_or(0), from.dim());
  if (from.dim() == 0) from = reshape(from, {1});
  check(repeats.dim() <= 1, "repeats must be 0-dim or 1-dim tensor");
  Tensor each = repeats;
  if (repeats.dim() == 0 || (repeats.dim() == 1 && repeats.size(0) == 1))
    each = expand(reshape(repeats, {1}), Ints{from.size(d)});
  else
    check(repeats.size(0) == from.size(d),
          "repeats must have the same size as input along dim, but got repeats.size(0) "
          "= ",
          repeats.size(0), " and input.size(", d, ") = ", from.size(d));
  return index_select(from, d, repeat_interleave_counts(each, output_size));
}

Tensor take_along_dim(const Tensor& input, const Tensor& indices, OptInt dim, const Out& out) {
  check(indices.dtype() == Dtype::Int64, "torch.take_along_dim(): dtype of indices should be Long but got ",
        type_name(indices.dtype()));
  auto gathered = [&](const Tensor& x, int64_t d, const Tensor& index) {
    // Negative indices count from the end here, unlike in gather.
    const Tensor wrapped = index.numel() && x.dim() ? remainder(index, wrapped_number(Scalar(x.size(d)))) : index;
    return out.defined() ? gather(x, d, wrapped, false, out.tensor) : gather(x, d, wrapped);
  };
  if (!dim) return gathered(reshape(input, {-1}), 0, reshape(indices, {-1}));
  check(input.dim() == indices.dim(),
        "torch.take_along_dim(): input and indices should have the same number of "
        "dimensions, but got ",
        input.dim(), " dimensions for input, and ", indices.dim(), " dimensions for indices");
  int64_t d = wrap_dim(*dim, input.dim());
  Dims own(input.sizes()), other(indices.sizes());
  if (input.dim()) own[size_t(d)] = other[size_t(d)] = 1;
  Dims shape = broadcast_shapes(own, other);
  Dims input_sizes(shape), index_sizes(shape);
  if (input.dim()) {
    input_sizes[size_t(d)] = input.size(d);
    index_sizes[size_t(d)] = indices.size(d);
  }
  return gathered(expand(input, Ints(input_sizes)), d, expand(indices, Ints(index_sizes)));
}

}  // namespace tl::composite
