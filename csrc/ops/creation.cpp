#include "ops/creation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/plan.h"
#include "kernels/creation.h"
#include "ops/cast.h"

namespace tl {

CreationKernels creation_kernels[kDeviceTypes] = {};

namespace ops {
namespace {

thread_local Device factories;

Device device_of(OptDevice device) { return device ? *device : factories; }

CreationKernels& kernels(const Tensor& t) { return creation_kernels[int(t.device().type)]; }

// Raw element, flat memory.
void fill_bytes(const Tensor& to, const void* element) {
  kernel(kernels(to).fill, "fill", to.device())(to.data(), to.numel(), to.itemsize(), element);
}

double largest(Dtype t) {
  switch (t) {
    case Dtype::Float16:
      return 65504;
    case Dtype::BFloat16:
      return 3.3895313892515355e38;
    case Dtype::Float32:
    case Dtype::Complex64:
      return std::numeric_limits<float>::max();
    default:
      return std::numeric_limits<double>::max();
  }
}

bool float_fits(double v, Dtype t) { return !(std::abs(v) > largest(t)) || std::isinf(v); }

bool int_fits(int64_t v, Dtype t) {
  switch (t) {
    // A negative number may wrap around once.
    case Dtype::UInt8:
      return v <= 255 && v >= -255;
    case Dtype::Int8:
      return v == int8_t(v);
    case Dtype::Int16:
      return v == int16_t(v);
    case Dtype::Int32:
      return v == int32_t(v);
    default:
      return true;
  }
}

bool fits(const Scalar& v, Dtype t) {
  if (t == Dtype::Bool) return true;
  if (v.is_complex() && v.imag != 0 && !is_complex(t)) return false;
  if (is_integral(t)) {
    if (v.is_integral()) return int_fits(v.i, t);
    if (!(std::abs(v.d) < 9.3e18) || (v.d < 0 && t == Dtype::UInt8)) return false;
    return v.d >= -0x1p63 && v.d < 0x1p63 && int_fits(int64_t(v.d), t);
  }
  if (v.is_integral()) return float_fits(double(v.i), t);
  return float_fits(v.d, t) && float_fits(v.imag, t);
}

void check_sequence_dtype(const char* op, Dtype t, bool complex_too) {
  if (t == Dtype::Bool || (is_complex(t) && !complex_too))
    fail<NotImplementedError>('"', op, "_cpu\" not implemented for '", type_name(t), "'");
}

// Runs a kernel that writes flat memory on a tensor that may not be.
template <class F>
void write_flat(const Tensor& to, F f) {
  if (to.numel() == 0) return;
  if (to.is_contiguous()) return f(to);
  Tensor flat = tl::empty(to.sizes(), to.dtype(), to.device());
  f(flat);
  copy_into(to, flat);
}

struct Bounds {
  double start, end, step;
  bool integral;  // all three are integers
};

Bounds check_bounds(const Scalar& start, const Scalar& end, const Scalar& step) {
  Bounds b{start.to<double>(), end.to<double>(), step.to<double>(),
           start.is_integral() && end.is_integral() && step.is_integral()};
  check(!start.is_complex() && !end.is_complex() && !step.is_complex(), "arange: complex bounds are not supported");
  check(b.step != 0 && !std::isnan(b.step), "step must be nonzero");
  check(std::isfinite(b.start) && std::isfinite(b.end), "unsupported range: ", b.start, " -> ", b.end);
  check(b.step > 0 ? b.end >= b.start : b.end <= b.start, "upper bound and lower bound inconsistent with step sign");
  return b;
}

Tensor sequence(const Scalar& start, const Scalar& end, const Scalar& step, int64_t numel, const Tensor& to) {
  SequenceArgs a{};
  a.dtype = to.dtype();
  a.numel = numel;
  a.start = start.to<double>();
  a.end = end.to<double>();
  a.step = step.to<double>();
  if (tl::is_integral(a.dtype)) {
    a.first = start.to<int64_t>();
    a.increment = step.to<int64_t>();
  }
  write_flat(to, [&](const Tensor& t) {
    a.data = t.data();
    kernel(kernels(t).arange, "arange", t.device())(a);
  });
  return to;
}

}  // namespace

const char* c_type_name(Dtype t) {
  switch (t) {
    case Dtype::Bool:
      return "bool";
    case Dtype::UInt8:
      return "uint8_t";
    case Dtype::Int8:
      return "int8_t";
    case Dtype::Int16:
      return "int16_t";
    case Dtype::Int32:
      return "int";
    case Dtype::Int64:
      return "int64_t";
    case Dtype::Float16:
      return "c10::Half";
    case Dtype::BFloat16:
      return "c10::BFloat16";
    case Dtype::Float32:
      return "float";
    case Dtype::Float64:
      return "double";
    case Dtype::Complex64:
      return "c10::complex<float>";
    case Dtype::Complex128:
      return "c10::complex<double>";
  }
  __builtin_unreachable();
}

Device default_device() { return factories; }
void set_default_device(Device d) { factories = d; }

Tensor factory(Ints size, const Out& out, OptDtype dtype, Dtype otherwise, OptDevice device) {
  if (!out.defined()) return tl::empty(size, dtype.value_or(otherwise), device_of(device));
  const Tensor& t = out.tensor;
  check(!dtype || *dtype == t.dtype(), "dtype ", type_name(dtype.value_or(t.dtype())),
        " does not match dtype of out parameter (", type_name(t.dtype()), ")");
  check(!device || device->type == t.device().type, "device ", to_string(device_of(device)),
        " does not match device of out parameter (", to_string(t.device()), ")");
  for (int64_t s : size) check(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", to_string(size));
  resize(t, size);
  return t;
}

void check_fits(const Scalar& value, Dtype dtype) {
  if (!fits(value, dtype)) fail("value cannot be converted to type ", c_type_name(dtype), " without overflow");
}

void fill_with(const Tensor& to, const Scalar& value) {
  check_fits(value, to.dtype());
  alignas(16) char element[16];
  visit(to.dtype(), [&]<class T>() {
    T v = value.to<T>();
    std::memcpy(element, &v, sizeof(T));
  });
  if (to.numel() == 0) return;
  if (is_dense(to)) return fill_bytes(to, element);
  Tensor one = tl::empty({}, to.dtype(), to.device());
  fill_bytes(one, element);
  copy_into(to, make_view(one, to.sizes(), Dims(size_t(to.dim())), 0));
}

Tensor empty(Ints size, const Out& out, OptDtype dtype, OptDevice device, OptFormat format) {
  Tensor t = factory(size, out, dtype, default_dtype(), device);
  if (format && *format != MemoryFormat::Contiguous) {
    check(*format != MemoryFormat::Preserve, "unsupported memory format Preserve");
    t.impl()->strides = format_strides(size, *format);
    t.impl()->refresh();
  }
  return t;
}

Tensor empty_strided(Ints size, Ints stride, OptDtype dtype, OptDevice device) {
  check(size.size() == stride.size(), "dimensionality of sizes (", size.size(),
        ") must match dimensionality of strides (", stride.size(), ")");
  return tl::empty_strided(size, stride, dtype.value_or(default_dtype()), device_of(device));
}

Tensor zeros(Ints size, const Out& out, OptDtype dtype, OptDevice device) {
  for (int64_t s : size) check(s >= 0, "zeros: Dimension size must be non-negative.");
  Tensor t = factory(size, out, dtype, default_dtype(), device);
  fill_with(t, Scalar(0));
  return t;
}

Tensor ones(Ints size, const Out& out, OptDtype dtype, OptDevice device) {
  Tensor t = factory(size, out, dtype, default_dtype(), device);
  fill_with(t, Scalar(1));
  return t;
}

Tensor full(Ints size, const Scalar& fill_value, const Out& out, OptDtype dtype, OptDevice device) {
  Tensor t = factory(size, out, dtype, fill_value.dtype(), device);
  fill_with(t, fill_value);
  return t;
}

Tensor scalar_tensor(const Scalar& s, OptDtype dtype, OptDevice device) {
  Tensor t = tl::empty({}, dtype.value_or(default_dtype()), device_of(device));
  fill_with(t, s);
  return t;
}

Tensor arange(const Scalar& end, const Out& out, OptDtype dtype, OptDevice device) {
  return arange_start(Scalar(0), end, Scalar(1), out, dtype, device);
}

Tensor arange_start(const Scalar& start, const Scalar& end, const Scalar& step, const Out& out, OptDtype dtype,
                    OptDevice device) {
  Bounds b = check_bounds(start, end, step);
  Dtype kind =
      out.defined() ? dtype.value_or(out.tensor.dtype()) : dtype.value_or(b.integral ? Dtype::Int64 : default_dtype());
  check_sequence_dtype("arange", kind, false);
  int64_t numel;
  if (kind == Dtype::Int64) {
    // Exact, where float64 would not be.
    __int128 from = start.to<int64_t>(), to = end.to<int64_t>(), by = step.to<int64_t>();
    check<ValueError>(by != 0, "step must be nonzero");
    numel = int64_t((to - from + by - (by > 0 ? 1 : -1)) / by);
  } else {
    double size = std::ceil((b.end - b.start) / b.step);
    check(size >= 0 && size <= double(std::numeric_limits<int64_t>::max()),
          "invalid size, possible overflow? arange needs ", size, " elements");
    numel = int64_t(size);
  }
  if (!out.defined()) return sequence(start, end, step, numel, tl::empty({numel}, kind, device_of(device)));
  check(!dtype || *dtype == out.tensor.dtype(), "dtype ", type_name(kind), " does not match dtype of out parameter (",
        type_name(out.tensor.dtype()), ")");
  if (out.tensor.numel() != numel) {
    if (out.tensor.numel() > 0)
      warn(
          str("The number of elements in the out tensor of shape ", to_string(out.tensor.sizes()), " is ",
              out.tensor.numel(), " which does not match the computed number of elements ", numel,
              ". Note that this may occur as a result of rounding error. The out tensor will be resized to a tensor of "
              "shape (",
              numel, ",)."));
    resize(out.tensor, {numel});
  }
  return sequence(start, end, step, numel, out.tensor);
}

Tensor range(const Scalar& start, const Scalar& end, const Scalar& step, const Out& out, OptDtype dtype,
             OptDevice device) {
  warn(
      "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
      "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).");
  Bounds b = check_bounds(start, end, step);
  int64_t numel = int64_t((b.end - b.start) / b.step) + 1;
  Tensor to = factory({numel}, out, dtype, default_dtype(), device);
  check_sequence_dtype("range", to.dtype(), false);
  return sequence(start, end, step, numel, to);
}

namespace {

Tensor spaced(const char* op, const Scalar& start, const Scalar& end, int64_t steps, double base, const Out& out,
              OptDtype dtype, OptDevice device) {
  check(steps >= 0, "number of steps must be non-negative");
  bool complex_ends = start.is_complex() || end.is_complex();
  Dtype natural = complex_ends ? to_complex(default_dtype()) : default_dtype();
  if (dtype)
    check(!complex_ends || is_complex(*dtype), "torch.", op, "(): inferred dtype ", c_type_name(natural),
          " can't be safely cast to passed dtype ", type_name(*dtype));
  Tensor to = factory({steps}, out, dtype, natural, device);
  check_sequence_dtype(op, to.dtype(), true);
  check<NotImplementedError>(!complex_ends, op,
                             ": complex end points are not supported yet. Give real and imaginary "
                             "parts a ",
                             op, " each and join them with complex().");
  SequenceArgs a{};
  a.dtype = to.dtype();
  a.numel = steps;
  a.start = start.to<double>();
  a.end = end.to<double>();
  a.base = base;
  write_flat(to, [&](const Tensor& t) {
    a.data = t.data();
    kernel(kernels(t).linspace, op, t.device())(a);
  });
  return to;
}

Tensor triangle(const char* op, int64_t row, int64_t col, int64_t offset, bool upper, OptDtype dtype,
                OptDevice device) {
  check(row >= 0, "row must be non-negative, got", row);
  check(col >= 0, "col must be non-negative, got", col);
  Dtype kind = dtype.value_or(Dtype::Int64);
  if (kind != Dtype::Int64 && kind != Dtype::Int32)
    fail<NotImplementedError>('"', op, "\" not implemented for '", type_name(kind), "'");
  auto first = [&](int64_t r) { return upper ? std::clamp<int64_t>(r + offset, 0, col) : 0; };
  auto last = [&](int64_t r) { return upper ? col : std::clamp<int64_t>(r + offset + 1, 0, col); };
  int64_t n = 0;
  for (int64_t r = 0; r < row; ++r) n += last(r) - first(r);
  Tensor t = tl::empty({2, n}, kind);
  auto write = [&]<class T>() {
    T *rows = t.data_as<T>(), *cols = rows + n;
    for (int64_t r = 0; r < row; ++r)
      for (int64_t c = first(r); c < last(r); ++c) {
        *rows++ = T(r);
        *cols++ = T(c);
      }
  };
  kind == Dtype::Int64 ? write.template operator()<int64_t>() : write.template operator()<int32_t>();
  return device && !device->is_cpu() ? to_copy(t, kind, device, false) : t;
}

[[noreturn]] void refuse_ends(const char* op, const Tensor& start, const Tensor& end) {
  check(start.dim() == 0 && end.dim() == 0, op,
        " only supports 0-dimensional start and end tensors, but got start with ", start.dim(),
        " dimension(s) and end with ", end.dim(), " dimension(s).");
  fail(op, "(): there is no derivative for the start and the end. Detach them, or write start + (end - start) * w.");
}

}  // namespace

Tensor linspace_tensors(const Tensor& start, const Tensor& end, int64_t, const Out&, OptDtype, OptDevice) {
  refuse_ends("linspace", start, end);
}

Tensor logspace_tensors(const Tensor& start, const Tensor& end, int64_t, double, const Out&, OptDtype, OptDevice) {
  refuse_ends("logspace", start, end);
}

Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, const Out& out, OptDtype dtype,
                OptDevice device) {
  return spaced("linspace", start, end, steps, 0, out, dtype, device);
}

Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, const Out& out, OptDtype dtype,
                OptDevice device) {
  return spaced("logspace", start, end, steps, base, out, dtype, device);
}

Tensor eye(int64_t n, OptInt m, const Out& out, OptDtype dtype, OptDevice device) {
  check(n >= 0, "n must be greater or equal to 0, got ", n);
  int64_t cols = m.value_or(n);
  check(cols >= 0, "m must be greater or equal to 0, got ", cols);
  Tensor t = factory({n, cols}, out, dtype, default_dtype(), device);
  fill_with(t, Scalar(0));
  int64_t side = std::min(n, cols);
  if (side) {
    NoGrad guard;
    fill_with(make_view(t, {side}, {t.stride(0) + t.stride(1)}, t.offset()), Scalar(1));
  }
  return t;
}

Tensor tril_indices(int64_t row, int64_t col, int64_t offset, OptDtype dtype, OptDevice device) {
  return triangle("tril_indices", row, col, offset, false, dtype, device);
}

Tensor triu_indices(int64_t row, int64_t col, int64_t offset, OptDtype dtype, OptDevice device) {
  return triangle("triu_indices", row, col, offset, true, dtype, device);
}

Tensor empty_like_op(const Tensor& input, OptDtype dtype, OptDevice device, OptFormat format) {
  return empty_like(input, dtype.value_or(input.dtype()), device.value_or(input.device()), format);
}

Tensor zeros_like(const Tensor& input, OptDtype dtype, OptDevice device, OptFormat format) {
  Tensor t = empty_like_op(input, dtype, device, format);
  fill_with(t, Scalar(0));
  return t;
}

Tensor ones_like(const Tensor& input, OptDtype dtype, OptDevice device, OptFormat format) {
  Tensor t = empty_like_op(input, dtype, device, format);
  fill_with(t, Scalar(1));
  return t;
}

Tensor full_like(const Tensor& input, const Scalar& fill_value, OptDtype dtype, OptDevice device, OptFormat format) {
  Tensor t = empty_like_op(input, dtype, device, format);
  fill_with(t, fill_value);
  return t;
}

Tensor new_empty(const Tensor& input, Ints size, OptDtype dtype, OptDevice device) {
  return tl::empty(size, dtype.value_or(input.dtype()), device.value_or(input.device()));
}

Tensor new_empty_strided(const Tensor& input, Ints size, Ints stride, OptDtype dtype, OptDevice device) {
  return empty_strided(size, stride, dtype.value_or(input.dtype()), device.value_or(input.device()));
}

Tensor new_zeros(const Tensor& input, Ints size, OptDtype dtype, OptDevice device) {
  return new_full(input, size, Scalar(0), dtype, device);
}

Tensor new_ones(const Tensor& input, Ints size, OptDtype dtype, OptDevice device) {
  return new_full(input, size, Scalar(1), dtype, device);
}

Tensor new_full(const Tensor& input, Ints size, const Scalar& fill_value, OptDtype dtype, OptDevice device) {
  Tensor t = new_empty(input, size, dtype, device);
  fill_with(t, fill_value);
  return t;
}

Tensor fill(const Tensor& input, const Tensor& value, const Out& out) {
  check(value.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with ", value.dim(),
        " dimensions.");
  Tensor to = out.defined() ? out.tensor : empty_like_op(input, {}, {});
  if (out.defined() && !out.inplace) resize_output(to, input.sizes(), input.device());
  if (value.impl()->wrapped_number) {
    if (value.dtype() == Dtype::Bool)
      fill_with(to, Scalar(*value.data_as<bool>()));
    else if (value.dtype() == Dtype::Int64)
      fill_with(to, Scalar(*value.data_as<int64_t>()));
    else if (value.dtype() == Dtype::Float64)
      fill_with(to, Scalar(*value.data_as<double>()));
    else
      fill_with(to, Scalar(*value.data_as<complex128>()));
    return to;
  }
  // A number may be written to one place several times; PyTorch refuses that for a tensor.
  if (to.numel()) check_no_internal_overlap(to);
  Tensor one = to_copy(value, to.dtype(), to.device(), false);
  if (to.numel() == 0) return to;
  if (is_dense(to) && to.device().is_cpu()) {
    fill_bytes(to, one.data());
  } else {
    copy_into(to, make_view(one, to.sizes(), Dims(size_t(to.dim())), one.offset()));
  }
  return to;
}

Tensor zero(const Tensor& input, const Out& out) {
  Tensor to = out.defined() ? out.tensor : empty_like_op(input, {}, {});
  fill_with(to, Scalar(0));
  return to;
}

}  // namespace ops
}  // namespace tl
