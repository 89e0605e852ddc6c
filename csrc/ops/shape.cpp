#include "ops/shape.h"

#include "kernels/shape.h"

namespace tl {
ShapeKernels shape_kernels[kDeviceTypes];
}

namespace tl::ops {

// ---- rules of sizes and strides ----

Dims infer_size(Ints size, int64_t numel) {
  Dims result(size);
  int64_t known = 1, unknown = -1;
  for (size_t i = 0; i < size.size(); ++i) {
    if (size[i] == -1) {
      check(unknown < 0, "only one dimension can be inferred");
      unknown = int64_t(i);
    } else {
      check(size[i] >= 0, "invalid shape dimension ", size[i], " at index ", i, " of shape ", to_string(size));
      if (__builtin_mul_overflow(known, size[i], &known)) known = -1;
    }
  }
  if (unknown >= 0 && known > 0 && numel % known == 0) {
    result[size_t(unknown)] = numel / known;
    return result;
  }
  if (unknown >= 0 && known == 0 && numel == 0)
    fail("cannot reshape tensor of 0 elements into shape ", to_string(size),
         " because the unspecified dimension size -1 can be any value and is ambiguous");
  check(unknown < 0 && known == numel, "shape '", to_string(size), "' is invalid for input of size ", numel);
  return result;
}

std::optional<Dims> view_strides(Ints old_sizes, Ints old_strides, Ints size) {
  size_t n = size.size();
  if (old_sizes.empty()) return Dims(n, 1);
  Dims strides(n);
  if (numel_of(old_sizes) == 0) {
    if (old_sizes == size) return Dims(old_strides);
    int64_t step = 1;
    for (size_t i = n; i-- > 0;) {
      strides[i] = step;
      step *= std::max<int64_t>(size[i], 1);
    }
    return strides;
  }
  // Runs of old dims that lie evenly in memory (a dim of size 1 lies evenly with any other), from the last on. Each run
  // has to be filled exactly by new dims.
  size_t next = n;  // new dims [next, n) are done
  int64_t run = 1;
  int64_t step = old_strides.back();
  for (size_t i = old_sizes.size(); i-- > 0;) {
    run *= old_sizes[i];
    bool ends = i == 0 || (old_sizes[i - 1] != 1 && old_strides[i - 1] != run * step);
    if (!ends) continue;
    int64_t filled = 1;
    while (next > 0 && (filled < run || size[next - 1] == 1)) {
      --next;
      strides[next] = filled * step;
      filled *= size[next];
    }
    if (filled != run) return std::nullopt;
    if (i > 0) {
      step = old_strides[i - 1];
      run = 1;
    }
  }
  if (next > 0) return std::nullopt;
  return strides;
}

uint64_t dim_mask(Ints dims, int64_t ndim) {
  check(ndim <= 64, "only tensors with up to 64 dims are supported");
  uint64_t mask = 0;
  for (int64_t d : dims) {
    int64_t w = wrap_dim(d, ndim);
    check(!(mask >> w & 1), "dim ", w, " appears multiple times in the list of dims");
    mask |= uint64_t(1) << w;
  }
  return mask;
}

// ---- views ----

Tensor view(const Tensor& input, Ints size) {
  Dims sizes = infer_size(size, input.numel());
  if (input.is_contiguous() && input.numel() > 0)
    return make_view(input, sizes, contiguous_strides(sizes), input.offset());
  std::optional<Dims> strides = view_strides(input.sizes(), input.strides(), sizes);
  check(strides.has_value(),
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead. The input's sizes are ",
        to_string(input.sizes()), ", its strides ", to_string(input.strides()), "; the view's sizes ", to_string(sizes),
        ".");
  return make_view(input, sizes, *strides, input.offset());
}

Tensor reshape_alias(const Tensor& input, Ints size, Ints stride) {
  return make_view(input, size, stride, input.offset());
}

Tensor unsafe_view(const Tensor& input, Ints size) {
  NoGrad guard;
  Tensor v = view(input, size);
  v.impl()->base = nullptr;
  v.impl()->view_kind = ViewKind::Default;
  return v;
}

namespace {
Tensor retyped(const Tensor& input, Ints sizes, Ints strides, int64_t offset, Dtype dtype) {
  Tensor v = make_view(input, sizes, strides, offset);
  v.impl()->dtype = dtype;
  v.impl()->refresh();
  return v;
}
}  // namespace

namespace {
Tensor read_as(const Tensor& input, Dtype dtype) {
  int64_t from = int64_t(input.itemsize()), to = int64_t(itemsize(dtype));
  if (from == to) return retyped(input, input.sizes(), input.strides(), input.offset(), dtype);
  std::string what = str("to view ", type_name(input.dtype()), " as ", type_name(dtype), " (different element sizes)");
  check(input.dim() > 0, "self.dim() cannot be 0 ", what);
  check(input.stride(-1) == 1, "self.stride(-1) must be 1 ", what, ", but got ", input.stride(-1));
  Dims sizes(input.sizes()), strides(input.strides());
  if (from > to) {
    int64_t ratio = from / to;
    for (size_t i = 0; i + 1 < strides.size(); ++i) strides[i] *= ratio;
    sizes.back() *= ratio;
    return retyped(input, sizes, strides, input.offset() * ratio, dtype);
  }
  int64_t ratio = to / from;
  check(input.size(-1) % ratio == 0, "self.size(-1) must be divisible by ", ratio, " ", what, ", but got ",
        input.size(-1));
  check(input.offset() % ratio == 0, "self.storage_offset() must be divisible by ", ratio, " ", what, ", but got ",
        input.offset());
  for (size_t i = 0; i + 1 < strides.size(); ++i) {
    check(strides[i] % ratio == 0, "self.stride(", i, ") must be divisible by ", ratio, " ", what, ", but got ",
          strides[i]);
    strides[i] /= ratio;
  }
  sizes.back() /= ratio;
  return retyped(input, sizes, strides, input.offset() / ratio, dtype);
}

}  // namespace

// No view to autograd: what is written to it means nothing in the other dtype.
Tensor view_dtype(const Tensor& input, Dtype dtype) {
  Tensor v = read_as(input, dtype);
  v.impl()->base = nullptr;
  v.impl()->view_kind = ViewKind::Default;
  return v;
}

Tensor permute(const Tensor& input, Ints dims) {
  size_t n = size_t(input.dim());
  check(dims.size() == n,
        "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
        "ordering of dimensions i.e. input.dim() = ",
        n, " is not equal to len(dims) = ", dims.size());
  Dims sizes(n), strides(n);
  uint64_t seen = 0;
  for (size_t i = 0; i < n; ++i) {
    int64_t d = wrap_dim(dims[i], int64_t(n));
    check(!(seen >> d & 1), "permute(): duplicate dims are not allowed. Got ", to_string(dims));
    seen |= uint64_t(1) << d;
    sizes[i] = input.impl()->sizes[size_t(d)];
    strides[i] = input.impl()->strides[size_t(d)];
  }
  return make_view(input, sizes, strides, input.offset());
}

Tensor transpose(const Tensor& input, int64_t dim0, int64_t dim1) {
  dim0 = wrap_dim(dim0, input.dim());
  dim1 = wrap_dim(dim1, input.dim());
  Dims sizes(input.sizes()), strides(input.strides());
  if (dim0 != dim1) {
    std::swap(sizes[size_t(dim0)], sizes[size_t(dim1)]);
    std::swap(strides[size_t(dim0)], strides[size_t(dim1)]);
  }
  return make_view(input, sizes, strides, input.offset());
}

Tensor t(const Tensor& input) {
  check(input.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", input.dim(), "D");
  return transpose(input, 0, input.dim() < 2 ? 0 : 1);
}

namespace {
Tensor squeeze_mask(const Tensor& input, uint64_t mask) {
  Dims sizes, strides;
  for (int64_t d = 0; d < input.dim(); ++d) {
    if (input.size(d) == 1 && mask >> d & 1) continue;
    sizes.push_back(input.size(d));
    strides.push_back(input.stride(d));
  }
  return make_view(input, sizes, strides, input.offset());
}
}  // namespace

Tensor squeeze(const Tensor& input) { return squeeze_mask(input, ~uint64_t(0)); }
Tensor squeeze_dim(const Tensor& input, int64_t dim) {
  return squeeze_mask(input, uint64_t(1) << wrap_dim(dim, input.dim()));
}
Tensor squeeze_dims(const Tensor& input, Ints dim) { return squeeze_mask(input, dim_mask(dim, input.dim())); }

Tensor unsqueeze(const Tensor& input, int64_t dim) {
  int64_t n = input.dim();
  size_t at = size_t(wrap_dim(dim, n + 1));
  Dims sizes(input.sizes()), strides(input.strides());
  int64_t stride = int64_t(at) < n ? sizes[at] * strides[at] : 1;
  sizes.insert(at, 1);
  strides.insert(at, stride);
  return make_view(input, sizes, strides, input.offset());
}

Tensor expand(const Tensor& input, Ints size, bool) {
  size_t n = size.size(), from = size_t(input.dim());
  check(n >= from, "expand(torch.", type_name(input.dtype()), "Tensor{", to_string(input.sizes()),
        "}, size=", to_string(size), "): the number of sizes provided (", n,
        ") must be greater or equal to the number of dimensions in the tensor (", from, ")");
  Dims sizes(n), strides(n);
  for (size_t i = n; i-- > 0;) {
    int64_t target = size[i];
    if (i >= n - from) {
      size_t d = i - (n - from);
      int64_t have = input.sizes()[d];
      if (target == -1) target = have;
      check(target == have || (have == 1 && target >= 0), "The expanded size of the tensor (", target,
            ") must match the existing size (", have, ") at non-singleton dimension ", i,
            ".  Target sizes: ", to_string(size), ".  Tensor sizes: ", to_string(input.sizes()));
      strides[i] = target == have ? input.strides()[d] : 0;
    } else {
      check(target >= 0, "The expanded size of the tensor (", target,
            ") isn't allowed in a leading, non-existing dimension ", i);
      strides[i] = target == 1 && from > 0 ? sizes[i + 1] * strides[i + 1] : 0;
    }
    sizes[i] = target;
  }
  return make_view(input, sizes, strides, input.offset());
}

Tensor select(const Tensor& input, int64_t dim, int64_t index) {
  check<IndexError>(input.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
  size_t d = size_t(wrap_dim(dim, input.dim()));
  int64_t size = input.sizes()[d];
  if (index < -size || index >= size) [[unlikely]]
    fail<IndexError>("select(): index ", index, " out of range for tensor of size ", to_string(input.sizes()),
                     " at dimension ", d);
  if (index < 0) index += size;
  Dims sizes(input.sizes()), strides(input.strides());
  int64_t offset = input.offset() + index * strides[d];
  sizes.erase(d);
  strides.erase(d);
  return make_view(input, sizes, strides, offset);
}

namespace {
// Brings the bounds of a slice into [0, size], as Python does.
int64_t clamp_slice(int64_t size, OptInt& start, OptInt& end) {
  int64_t a = start.value_or(0), b = end.value_or(size);
  if (a < 0) a += size;
  if (b < 0) b += size;
  a = std::clamp<int64_t>(a, 0, size);
  b = std::clamp<int64_t>(b, a, size);
  start = a;
  end = b;
  return b - a;
}
}  // namespace

Tensor slice(const Tensor& input, int64_t dim, OptInt start, OptInt end, int64_t step) {
  check<IndexError>(input.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  size_t d = size_t(wrap_dim(dim, input.dim()));
  check(step > 0, "slice step must be positive");
  Dims sizes(input.sizes()), strides(input.strides());
  int64_t length = clamp_slice(sizes[d], start, end);
  int64_t offset = input.offset() + *start * strides[d];
  sizes[d] = length == 0 ? 0 : (length - 1) / step + 1;
  strides[d] *= step;
  return make_view(input, sizes, strides, offset);
}

Tensor diagonal(const Tensor& input, int64_t offset, int64_t dim1, int64_t dim2) {
  int64_t n = input.dim();
  int64_t a = wrap_dim(dim1, n), b = wrap_dim(dim2, n);
  check(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  int64_t length =
      offset >= 0 ? std::min(input.size(a), input.size(b) - offset) : std::min(input.size(a) + offset, input.size(b));
  length = std::max<int64_t>(length, 0);
  int64_t start = input.offset();
  if (length > 0) start += offset >= 0 ? offset * input.stride(b) : -offset * input.stride(a);
  Dims sizes, strides;
  for (int64_t d = 0; d < n; ++d) {
    if (d == a || d == b) continue;
    sizes.push_back(input.size(d));
    strides.push_back(input.stride(d));
  }
  sizes.push_back(length);
  strides.push_back(input.stride(a) + input.stride(b));
  return make_view(input, sizes, strides, start);
}

Tensor unfold(const Tensor& input, int64_t dimension, int64_t size, int64_t step) {
  int64_t d = wrap_dim(dimension, input.dim());
  int64_t have = input.dim() ? input.size(d) : 1;
  int64_t stride = input.dim() ? input.stride(d) : 1;
  check(size >= 0, "size is ", size, " but must be >= 0");
  check(size <= have, "maximum size for tensor at dimension ", d, " is ", have, " but size is ", size);
  check(step > 0, "step is ", step, " but must be > 0");
  Dims sizes(input.sizes()), strides(input.strides());
  if (input.dim()) {
    sizes[size_t(d)] = (have - size) / step + 1;
    strides[size_t(d)] = stride * step;
  }
  sizes.push_back(size);
  strides.push_back(stride);
  return make_view(input, sizes, strides, input.offset());
}

Tensor as_strided(const Tensor& input, Ints size, Ints stride, OptInt storage_offset) {
  int64_t offset = storage_offset.value_or(input.offset());
  check(size.size() == stride.size(), "mismatch in length of strides and shape: ", to_string(stride), " and ",
        to_string(size));
  check(offset >= 0, "Tensor: invalid storage offset ", offset);
  int64_t last = 0;
  bool none = false;
  for (size_t i = 0; i < size.size(); ++i) {
    check(stride[i] >= 0,
          "as_strided: Negative strides are not supported at the moment, got strides: ", to_string(stride));
    int64_t reach = 0;
    if (size[i] < 0 || (size[i] > 0 && __builtin_mul_overflow(size[i] - 1, stride[i], &reach)) ||
        __builtin_add_overflow(last, reach, &last))
      fail("Storage size calculation overflowed with sizes=", to_string(size), " and strides=", to_string(stride));
    none |= size[i] == 0;
  }
  // As a count of bytes, which 128 bits hold without overflow.
  __int128 needed = none ? 0 : (__int128(offset) + last + 1) * int64_t(input.itemsize());
  if (needed > __int128(input.impl()->storage->nbytes()))
    fail("setStorage: sizes ", to_string(size), ", strides ", to_string(stride), ", storage offset ", offset,
         ", and itemsize ", input.itemsize(), " requiring a storage size of ", int64_t(needed),
         " are out of bounds for storage of size ", input.impl()->storage->nbytes());
  return make_view(input, size, stride, offset);
}

Tensor alias_view(const Tensor& input) { return make_view(input, input.sizes(), input.strides(), input.offset()); }

Tensor view_as_real(const Tensor& input) {
  check(is_complex(input.dtype()), "view_as_real is only supported for complex tensors, but got a tensor of dtype ",
        name(input.dtype()));
  Dims sizes(input.sizes()), strides(input.strides());
  for (int64_t& s : strides) s *= 2;
  sizes.push_back(2);
  strides.push_back(1);
  return retyped(input, sizes, strides, input.offset() * 2, to_real(input.dtype()));
}

Tensor view_as_complex(const Tensor& input) {
  check(input.dtype() == Dtype::Float32 || input.dtype() == Dtype::Float64,
        "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: ",
        type_name(input.dtype()));
  check(input.dim() > 0, "Input tensor must have one or more dimensions");
  check(input.size(-1) == 2, "Tensor must have a last dimension of size 2");
  check(input.stride(-1) == 1, "Tensor must have a last dimension with stride 1");
  check(input.offset() % 2 == 0, "Tensor must have a storage_offset divisible by 2");
  Dims sizes(input.sizes()), strides(input.strides());
  sizes.pop_back();
  strides.pop_back();
  for (int64_t& s : strides) {
    check(s % 2 == 0, "Tensor must have a stride divisible by 2 for all but last dimension");
    s /= 2;
  }
  return retyped(input, sizes, strides, input.offset() / 2, to_complex(input.dtype()));
}

// ---- views by the list ----

namespace {
Tensor piece(const Tensor& input, Ints sizes, Ints strides, int64_t offset) {
  Tensor v = make_view(input, sizes, strides, offset);
  if (v.impl()->view_kind == ViewKind::Default) v.impl()->view_kind = ViewKind::MultiOutput;
  return v;
}
}  // namespace

std::vector<Tensor> split(const Tensor& input, int64_t split_size, int64_t dim) {
  check(input.dim() > 0, "split expects at least a 1-dimensional tensor");
  check(split_size >= 0, "split expects split_size be non-negative, but got split_size=", split_size);
  size_t d = size_t(wrap_dim(dim, input.dim()));
  int64_t length = input.sizes()[d];
  check(split_size > 0 || length == 0, "split_size can only be 0 if dimension size is 0, but got dimension size of ",
        length);
  int64_t n = split_size == 0 ? 1 : std::max<int64_t>(1, (length + split_size - 1) / split_size);
  std::vector<Tensor> pieces;
  pieces.reserve(size_t(n));
  Dims sizes(input.sizes());
  for (int64_t i = 0; i < n; ++i) {
    sizes[d] = std::min(split_size, length - i * split_size);
    pieces.push_back(piece(input, sizes, input.strides(), input.offset() + i * split_size * input.strides()[d]));
  }
  return pieces;
}

std::vector<Tensor> split_with_sizes(const Tensor& input, Ints split_sizes, int64_t dim) {
  check(input.dim() > 0, "split expects at least a 1-dimensional tensor");
  size_t d = size_t(wrap_dim(dim, input.dim()));
  int64_t total = 0;
  for (int64_t s : split_sizes) {
    check(s >= 0, "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=",
          to_string(split_sizes));
    total += s;
  }
  check(total == input.sizes()[d], "split_with_sizes expects split_sizes to sum exactly to ", input.sizes()[d],
        " (input tensor's size at dimension ", d, "), but got split_sizes=", to_string(split_sizes));
  std::vector<Tensor> pieces;
  pieces.reserve(split_sizes.size());
  Dims sizes(input.sizes());
  int64_t offset = input.offset();
  for (int64_t s : split_sizes) {
    sizes[d] = s;
    pieces.push_back(piece(input, sizes, input.strides(), offset));
    offset += s * input.strides()[d];
  }
  return pieces;
}

std::vector<Tensor> unbind(const Tensor& input, int64_t dim) {
  check<IndexError>(input.dim() > 0, "Dimension specified as ", dim, " but tensor has no dimensions");
  size_t d = size_t(wrap_dim(dim, input.dim()));
  Dims sizes(input.sizes()), strides(input.strides());
  int64_t n = sizes[d], step = strides[d];
  sizes.erase(d);
  strides.erase(d);
  std::vector<Tensor> pieces;
  pieces.reserve(size_t(n));
  for (int64_t i = 0; i < n; ++i) pieces.push_back(piece(input, sizes, strides, input.offset() + i * step));
  return pieces;
}

// ---- their gradients ----

Tensor select_backward(const Tensor& grad, Ints input_sizes, int64_t dim, int64_t index) {
  Tensor result = zeros_of(input_sizes, grad.dtype(), grad.device());
  NoGrad guard;
  copy_elements(select(result, dim, index), grad);
  return result;
}

Tensor slice_backward(const Tensor& grad, Ints input_sizes, int64_t dim, OptInt start, OptInt end, int64_t step) {
  Tensor result = zeros_of(input_sizes, grad.dtype(), grad.device());
  NoGrad guard;
  copy_elements(slice(result, dim, start, end, step), grad);
  return result;
}

Tensor diagonal_backward(const Tensor& grad, Ints input_sizes, int64_t offset, int64_t dim1, int64_t dim2) {
  Tensor result = zeros_of(input_sizes, grad.dtype(), grad.device());
  NoGrad guard;
  copy_elements(diagonal(result, offset, dim1, dim2), grad);
  return result;
}

}  // namespace tl::ops
