// The part of the shape family that makes new tensors: joining, repeating, turning, and sums over overlapping views.

#include "core/plan.h"
#include "kernels/shape.h"
#include "ops/cast.h"
#include "ops/shape.h"

namespace tl::ops {

namespace {

const ShapeKernels& kernels(const Tensor& t) { return shape_kernels[int(t.device().type)]; }

Dims bytes(Ints strides, size_t itemsize) {
  Dims result(strides);
  for (int64_t& s : result) s *= int64_t(itemsize);
  return result;
}

// Copies between layouts over one index space; strides in elements.
void move(const Tensor& dst, int64_t dst_shift, Ints dst_strides, const Tensor& src, int64_t src_shift,
          Ints src_strides, Ints sizes) {
  size_t item = dst.itemsize();
  Dims d = bytes(dst_strides, item), s = bytes(src_strides, item);
  kernel(kernels(dst).copy, "copy", dst.device())({dst.data_as<char>() + dst_shift * int64_t(item),
                                                   src.data_as<char>() + src_shift * int64_t(item),
                                                   int64_t(sizes.size()), sizes.data(), d.data(), s.data(), item});
}

}  // namespace

void copy_elements(const Tensor& dst, const Tensor& src) {
  if (dst.is_contiguous() && src.is_contiguous()) {
    int64_t n = dst.numel() * int64_t(dst.itemsize());
    const char* from = src.data_as<char>();
    if (n) kernel(kernels(dst).join, "copy", dst.device())({dst.data_as<char>(), 1, n, 1, &from, &n});
    return;
  }
  move(dst, 0, dst.strides(), src, 0, src.strides(), dst.sizes());
}

void accumulate_elements(const Tensor& dst, const Tensor& src) {
  Dims d = bytes(dst.strides(), dst.itemsize()), s = bytes(src.strides(), src.itemsize());
  kernel(kernels(dst).accumulate, "accumulate", dst.device())(
      {dst.data_as<char>(), src.data_as<char>(), dst.dim(), dst.sizes().data(), d.data(), s.data(), dst.dtype()});
}

Tensor zeros_of(Ints sizes, Dtype dtype, Device device) {
  Tensor result = empty(sizes, dtype, device);
  if (result.numel())
    kernel(kernels(result).zero, "zeros", device)(result.data(), size_t(result.numel()) * result.itemsize());
  return result;
}

// ---- joining ----

namespace {

// Writes the pieces one after another along `dim` of `out`, converting where dtypes differ.
void join_into(const Tensor& out, TensorSpan tensors, int64_t dim, bool new_dim) {
  if (out.numel() == 0) return;
  bool plain = out.is_contiguous();
  for (const Tensor& t : tensors) plain = plain && t.is_contiguous() && t.dtype() == out.dtype();
  if (plain && tensors.size() > 1) {
    // Runs of a few bytes are better moved one tensor at a time.
    int64_t rows = numel_of(out.sizes().slice(0, size_t(dim)));
    plain = rows < 64 || out.numel() / rows * int64_t(out.itemsize()) >= 32 * int64_t(tensors.size());
  }
  if (plain) {
    constexpr size_t kFew = 16;
    const char* few_src[kFew];
    int64_t few_bytes[kFew];
    std::vector<const char*> many_src;
    std::vector<int64_t> many_bytes;
    const char** src = few_src;
    int64_t* runs = few_bytes;
    if (tensors.size() > kFew) {
      many_src.resize(tensors.size());
      many_bytes.resize(tensors.size());
      src = many_src.data();
      runs = many_bytes.data();
    }
    int64_t rows = numel_of(out.sizes().slice(0, size_t(dim)));
    int64_t row_bytes = out.numel() / rows * int64_t(out.itemsize());
    for (size_t i = 0; i < tensors.size(); ++i) {
      src[i] = tensors[i].data_as<char>();
      runs[i] = tensors[i].numel() / rows * int64_t(out.itemsize());
    }
    kernel(kernels(out).join, "cat",
           out.device())({out.data_as<char>(), rows, row_bytes, int64_t(tensors.size()), src, runs});
    return;
  }
  int64_t at = 0, step = out.stride(dim);
  Dims strides(out.strides());
  if (new_dim) strides.erase(size_t(dim));
  for (const Tensor& t : tensors) {
    int64_t length = new_dim ? 1 : t.size(dim);
    if (t.numel() > 0) {
      if (t.dtype() == out.dtype()) {
        move(out, at * step, strides, t, 0, t.strides(), t.sizes());
      } else {
        NoGrad guard;
        copy_into(make_view(out, t.sizes(), strides, out.offset() + at * step), t);
      }
    }
    at += length;
  }
}

Tensor joined_out(const char* name, const Out& out, TensorSpan tensors, Ints sizes, Dtype dtype) {
  Tensor result = out.tensor;
  check<TypeError>(can_cast(dtype, result.dtype()), name, ": input types can't be cast to the desired output type ",
                   type_name(result.dtype()));
  for (const Tensor& t : tensors) check_no_overlap(result, t);
  resize_output(result, sizes, tensors[0].device());
  check_no_internal_overlap(result);
  return result;
}

void check_devices(const char* name, TensorSpan tensors) {
  for (const Tensor& t : tensors)
    check(t.device() == tensors[0].device(),
          "Expected all tensors to be on the same device, but found at least two "
          "devices, ",
          to_string(tensors[0].device()), " and ", to_string(t.device()), "! (when checking the tensors of ", name,
          ")");
}

}  // namespace

Tensor cat(TensorSpan tensors, int64_t dim, const Out& out) {
  check<ValueError>(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
  // Empty 1-dim tensors are left out of account whatever the others' shapes: an old custom.
  auto skipped = [](const Tensor& t) { return t.dim() == 1 && t.numel() == 0; };
  const Tensor* first = nullptr;
  size_t first_at = 0, used = 0;
  Dtype dtype = tensors[0].dtype();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    check(t.dim() > 0, "zero-dimensional tensor (at position ", i,
          ") cannot be concatenated. Use stack, or unsqueeze(0) it first.");
    if (t.dtype() != dtype) dtype = promote(dtype, t.dtype());
    if (skipped(t)) continue;
    if (!first) {
      first = &t;
      first_at = i;
    }
    ++used;
  }
  check_devices("cat", tensors);
  Device device = tensors[0].device();
  if (!first) {
    if (out.defined()) return joined_out("torch.cat()", out, tensors, {0}, dtype);
    return empty({0}, dtype, device);
  }
  int64_t n = first->dim();
  dim = wrap_dim(dim, n);
  Dims sizes(first->sizes());
  std::optional<MemoryFormat> format;  // the result's: that of all tensors, if they agree
  int64_t total = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    MemoryFormat its = suggested_format(t);
    format = format.value_or(its) == its ? its : MemoryFormat::Contiguous;
    if (skipped(t)) continue;
    check(t.dim() == n, "Tensors must have same number of dimensions: got ", n, " and ", t.dim());
    for (int64_t d = 0; d < n; ++d)
      if (d != dim && t.size(d) != sizes[size_t(d)])
        fail("Sizes of tensors must match except in dimension ", dim, ". Expected size ", sizes[size_t(d)],
             " but got size ", t.size(d), " for tensor number ", i, " in the list. Their shapes are ",
             to_string(first->sizes()), " and ", to_string(t.sizes()), ".");
    total += t.size(dim);
  }
  sizes[size_t(dim)] = total;
  Tensor result;
  if (out.defined()) {
    const bool resized = out.tensor.sizes() != Ints(sizes);
    result = joined_out("torch.cat()", out, tensors, sizes, dtype);
    if (resized && *format != MemoryFormat::Contiguous) {
      result.impl()->strides = format_strides(sizes, *format);
      result.impl()->refresh();
    }
  } else if (*format != MemoryFormat::Contiguous) {
    result = empty_strided(sizes, format_strides(sizes, *format), dtype, device);
  } else {
    result = empty(sizes, dtype, device);
  }
  if (used == tensors.size()) {
    join_into(result, tensors, dim, false);
  } else {
    std::vector<Tensor> kept;
    for (const Tensor& t : tensors.subspan(first_at))
      if (!skipped(t)) kept.push_back(t);
    join_into(result, kept, dim, false);
  }
  return result;
}

Tensor stack(TensorSpan tensors, int64_t dim, const Out& out) {
  check(!tensors.empty(), "stack expects a non-empty TensorList");
  const Tensor& first = tensors[0];
  dim = wrap_dim(dim, first.dim() + 1);
  Dtype dtype = first.dtype();
  for (size_t i = 1; i < tensors.size(); ++i) {
    check(tensors[i].sizes() == first.sizes(), "stack expects each tensor to be equal size, but got ",
          to_string(first.sizes()), " at entry 0 and ", to_string(tensors[i].sizes()), " at entry ", i);
    if (tensors[i].dtype() != dtype) dtype = promote(dtype, tensors[i].dtype());
  }
  check_devices("stack", tensors);
  Dims sizes(first.sizes());
  sizes.insert(size_t(dim), int64_t(tensors.size()));
  Tensor result =
      out.defined() ? joined_out("torch.stack()", out, tensors, sizes, dtype) : empty(sizes, dtype, first.device());
  join_into(result, tensors, dim, true);
  return result;
}

// ---- repeating and turning ----

Tensor repeat(const Tensor& input, Ints repeats) {
  size_t n = repeats.size(), from = size_t(input.dim());
  check(n >= from,
        "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor. Got repeats ",
        to_string(repeats), " for a tensor of shape ", to_string(input.sizes()));
  Dims sizes(n), pair_sizes, src, dst;
  for (size_t i = 0; i < n; ++i) sizes[i] = repeats[i] * (i < n - from ? 1 : input.sizes()[i - (n - from)]);
  Tensor result = empty(sizes, input.dtype(), input.device());
  if (result.numel() == 0) return result;
  for (size_t i = 0; i < n; ++i) {
    bool old = i >= n - from;
    int64_t size = old ? input.sizes()[i - (n - from)] : 1, step = result.strides()[i];
    pair_sizes.push_back(repeats[i]);
    src.push_back(0);
    dst.push_back(size * step);
    pair_sizes.push_back(size);
    src.push_back(old ? input.strides()[i - (n - from)] : 0);
    dst.push_back(step);
  }
  move(result, 0, dst, input, 0, src, pair_sizes);
  return result;
}

Tensor flip(const Tensor& input, Ints dims) {
  uint64_t mask = dim_mask(dims, input.dim());
  Tensor result = empty_like(input, input.dtype(), input.device());
  if (result.numel() == 0) return result;
  Dims src(input.strides());
  int64_t shift = 0;
  for (size_t d = 0; d < src.size(); ++d)
    if (mask >> d & 1) {
      shift += (input.sizes()[d] - 1) * src[d];
      src[d] = -src[d];
    }
  move(result, 0, result.strides(), input, shift, src, input.sizes());
  return result;
}

Tensor roll(const Tensor& input, Ints shifts, Ints dims) {
  check(!shifts.empty(), "`shifts` required");
  check(shifts.size() == dims.size() || (dims.empty() && shifts.size() == 1),
        "shifts and dimensions must align. shifts: ", shifts.size(), ", dims:", dims.size());
  check<IndexError>(input.dim() > 0 || dims.empty(), "Dimension specified as ", dims.empty() ? 0 : dims[0],
                    " but tensor has no dimensions");
  Tensor result = empty(input.sizes(), input.dtype(), input.device());
  int64_t n = input.numel();
  if (n == 0) return result;
  auto modulo = [](int64_t a, int64_t m) { return (a % m + m) % m; };
  if (dims.empty()) {
    Tensor flat = contiguous(input);
    int64_t s = modulo(shifts[0], n);
    move(result, s, {1}, flat, 0, {1}, {n - s});
    if (s) move(result, 0, {1}, flat, n - s, {1}, {s});
    return result;
  }
  // Each rolled dim falls into two blocks; 2^k copies move all of them.
  Dims shift(size_t(input.dim()));
  for (size_t i = 0; i < dims.size(); ++i) {
    size_t d = size_t(wrap_dim(dims[i], input.dim()));
    shift[d] = modulo(shift[d] + shifts[i], input.sizes()[d]);
  }
  Dims rolled;
  for (size_t d = 0; d < shift.size(); ++d)
    if (shift[d]) rolled.push_back(int64_t(d));
  for (uint64_t block = 0; block < uint64_t(1) << rolled.size(); ++block) {
    Dims sizes(input.sizes());
    int64_t from = 0, to = 0;
    for (size_t k = 0; k < rolled.size(); ++k) {
      size_t d = size_t(rolled[k]);
      int64_t s = shift[d], rest = sizes[d] - s;
      if (block >> k & 1) {
        from += rest * input.strides()[d];
        sizes[d] = s;
      } else {
        to += s * result.strides()[d];
        sizes[d] = rest;
      }
    }
    move(result, to, result.strides(), input, from, input.strides(), sizes);
  }
  return result;
}

Tensor rot90(const Tensor& input, int64_t k, Ints dims) {
  check(dims.size() == 2, "expected total rotation dims == 2, but got dims = ", dims.size());
  check(input.dim() >= 2, "expected total dims >= 2, but got total dims = ", input.dim());
  int64_t a = wrap_dim(dims[0], input.dim()), b = wrap_dim(dims[1], input.dim());
  check(a != b, "expected rotation dims to be different, but got dim0 = ", dims[0], " and dim1 = ", dims[1]);
  k = (k % 4 + 4) % 4;
  if (k == 0) return contiguous_copy(input);
  if (k == 2) return flip(input, {a, b});
  Tensor result = flip(input, {k == 1 ? b : a});
  TensorImpl* p = result.impl();
  std::swap(p->sizes[size_t(a)], p->sizes[size_t(b)]);
  std::swap(p->strides[size_t(a)], p->strides[size_t(b)]);
  p->refresh();
  return result;
}

// ---- triangles and diagonals ----

namespace {
Tensor triangle(const char* name, const Tensor& input, int64_t diagonal, bool upper, const Out& out) {
  check(input.dim() >= 2, name, ": input tensor must have at least 2 dimensions");
  Tensor src = contiguous(input);
  Tensor result;
  if (out.defined()) {
    check(out.tensor.dtype() == input.dtype(), "Expected out tensor to have dtype ", tl::name(input.dtype()),
          ", but got ", tl::name(out.tensor.dtype()), " instead");
    resize_output(out.tensor, input.sizes(), input.device());
    result = out.tensor;
  }
  Tensor dst =
      result.defined() && result.is_contiguous() ? result : empty(input.sizes(), input.dtype(), input.device());
  if (input.numel()) {
    int64_t rows = input.size(-2), cols = input.size(-1);
    kernel(kernels(input).triangle, name,
           input.device())({dst.data_as<char>(), src.data_as<char>(), input.numel() / (rows * cols), rows, cols,
                            diagonal, upper, input.itemsize()});
  }
  if (!result.defined()) return dst;
  if (!result.is(dst)) copy_elements(result, dst);
  return result;
}
}  // namespace

Tensor tril(const Tensor& input, int64_t diagonal, const Out& out) {
  return triangle("tril", input, diagonal, false, out);
}
Tensor triu(const Tensor& input, int64_t diagonal, const Out& out) {
  return triangle("triu", input, diagonal, true, out);
}

Tensor diag_embed(const Tensor& input, int64_t offset, int64_t dim1, int64_t dim2) {
  int64_t n = input.dim() + 1;
  int64_t a = wrap_dim(dim1, n), b = wrap_dim(dim2, n);
  check(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  int64_t side = std::abs(offset) + input.size(-1);
  Dims sizes(input.sizes());
  sizes.pop_back();
  sizes.insert(size_t(std::min(a, b)), side);
  sizes.insert(size_t(std::max(a, b)), side);
  return diagonal_backward(input, sizes, offset, a, b);
}

Tensor diagonal_copy(const Tensor& input, int64_t offset, int64_t dim1, int64_t dim2, const Out& out) {
  NoGrad guard;
  Tensor view = diagonal(input, offset, dim1, dim2);
  if (!out.defined()) return contiguous_copy(view);
  check_castable(input.dtype(), out.tensor.dtype());
  resize_output(out.tensor, view.sizes(), view.device());
  copy_into(out.tensor, view);
  return out.tensor;
}

// ---- gradients of views that may overlap ----

Tensor unfold_backward(const Tensor& grad, Ints input_sizes, int64_t dim, int64_t size, int64_t step) {
  Tensor result = zeros_of(input_sizes, grad.dtype(), grad.device());
  NoGrad guard;
  Tensor windows = unfold(result, dim, size, step);
  if (step >= size)
    copy_elements(windows, grad);
  else
    accumulate_elements(windows, grad);
  return result;
}

namespace {
int64_t reach(Ints sizes, Ints strides) {
  int64_t last = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return 0;
    last += (sizes[i] - 1) * strides[i];
  }
  return last + 1;
}

// Whether two indices may meet in one place of memory; sorted by stride, each dim must step over all smaller ones.
bool may_overlap(Ints sizes, Ints strides) {
  Dims order;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return false;
    if (sizes[i] > 1) order.push_back(int64_t(i));
  }
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return strides[size_t(a)] < strides[size_t(b)]; });
  int64_t span = 0;
  for (int64_t d : order) {
    if (strides[size_t(d)] <= span) return true;
    span += (sizes[size_t(d)] - 1) * strides[size_t(d)];
  }
  return false;
}
}  // namespace

Tensor as_strided_backward(const Tensor& grad, Ints to_sizes, Ints to_strides, int64_t to_offset, Ints from_strides,
                           int64_t from_offset) {
  NoGrad guard;
  Ints from_sizes = grad.sizes();
  int64_t start = std::min(to_offset, from_offset);
  to_offset -= start;
  from_offset -= start;
  int64_t n = std::max(to_offset + reach(to_sizes, to_strides), from_offset + reach(from_sizes, from_strides));
  Tensor memory = zeros_of({n}, grad.dtype(), grad.device());
  Tensor place = make_view(memory, from_sizes, from_strides, from_offset);
  if (may_overlap(from_sizes, from_strides))
    accumulate_elements(place, grad);
  else
    copy_elements(place, grad);
  return contiguous_copy(make_view(memory, to_sizes, to_strides, to_offset));
}

}  // namespace tl::ops
