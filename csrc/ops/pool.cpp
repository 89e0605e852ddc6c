#include "ops/pool.h"

#include "core/plan.h"
#include "kernels/pool.h"
#include "ops/cast.h"

namespace tl {
PoolKernels pool_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

// ---- memory layout ----

Dims channels_last_strides(Ints sizes) {
  Dims strides(sizes.size());
  int64_t step = 1;
  strides[1] = step;
  step *= sizes[1];
  for (size_t d = sizes.size(); d-- > 2;) {
    strides[d] = step;
    step *= sizes[d];
  }
  strides[0] = step;
  return strides;
}
bool has_strides(Ints sizes, Ints strides, Ints wanted) {
  for (size_t d = 0; d < sizes.size(); ++d)
    if (sizes[d] > 1 && strides[d] != wanted[d]) return false;
  return true;
}
// Row-major where a layout is both.
bool is_channels_last(Ints sizes, Ints strides, int spatial) {
  return int(sizes.size()) == spatial + 2 && !has_strides(sizes, strides, contiguous_strides(sizes)) &&
         has_strides(sizes, strides, channels_last_strides(sizes));
}
bool is_channels_last(const Tensor& t, int spatial) {
  return !t.is_contiguous() && is_channels_last(t.sizes(), t.strides(), spatial);
}
Tensor make(Ints sizes, bool channels_last, Dtype dtype, Device device) {
  return channels_last ? empty_strided(sizes, channels_last_strides(sizes), dtype, device)
                       : empty(sizes, dtype, device);
}
Tensor in_layout(const Tensor& t, bool channels_last, int spatial) {
  if (!channels_last) return contiguous(t);
  if (is_channels_last(t, spatial)) return t;
  Tensor copy = make(t.sizes(), true, t.dtype(), t.device());
  copy_into(copy, t);
  return copy;
}

// ---- shapes ----

struct Windows {
  Ints kernel;
  std::optional<Ints> stride;
  Ints padding, dilation;
  bool ceil_mode;
};
int64_t pick(Ints v, int d) { return v.size() == 1 ? v[0] : v[d]; }

const char* words(int spatial) { return spatial == 2 ? "two" : "three"; }
void check_count(const char* op, Ints v, int spatial, const char* what, const char* or_omitted = "") {
  check(v.size() == 1 || int(v.size()) == spatial, op, ": ", what, " must either ", or_omitted,
        "be a single int, or a tuple of ", words(spatial), " ints");
}
void set_sizes(PoolShape& s, Ints sizes, int spatial) {
  int64_t rank = int64_t(sizes.size());
  s.batch = rank == spatial + 2 ? sizes[0] : 1;
  s.channels = sizes[rank - spatial - 1];
  for (int d = 0; d < 3; ++d) {
    int at = d - (3 - spatial);
    s.in[d] = at < 0 ? 1 : sizes[rank - spatial + at];
    s.out[d] = s.kernel[d] = s.stride[d] = s.dilation[d] = 1;
    s.padding[d] = 0;
  }
}
std::string by_x(int64_t channels, const int64_t* size, int spatial) {
  std::string text = str("(", channels);
  for (int d = 3 - spatial; d < 3; ++d) text += str("x", size[d]);
  return text + ")";
}
// dT: 1 dH: 2 dW: 3
std::string by_dim(const char* what, Ints v, int spatial) {
  std::string text;
  for (int d = 0; d < spatial; ++d) text += str(d ? " " : "", what, "THW"[d + 3 - spatial], ": ", pick(v, d));
  return text;
}

// The windows over an input of these sizes; raises what PyTorch raises.
PoolShape shape_of(const char* op, Ints sizes, Dtype dtype, int spatial, const Windows& w) {
  check_count(op, w.kernel, spatial, "kernel_size");
  bool strided = w.stride && !w.stride->empty();
  if (strided)
    check(w.stride->size() == 1 || int(w.stride->size()) == spatial, op,
          ": stride must either be omitted, a single int, or a tuple of ", words(spatial), " ints");
  check_count(op, w.padding, spatial, "padding");
  check_count(op, w.dilation, spatial, "dilation");
  for (int d = 0; d < spatial; ++d) {
    const int64_t k = pick(w.kernel, d), pad = pick(w.padding, d), dil = pick(w.dilation, d);
    check(pick(strided ? *w.stride : w.kernel, d) != 0, "stride should not be zero");
    check(pad >= 0, "pad must be non-negative, but got pad: ", pad);
    check(pad * 2 <= (k - 1) * dil + 1 || dil <= 0 || k <= 0,
          "pad should be at most half of effective kernel size, but got pad=", pad, ", kernel_size=", k,
          " and dilation=", dil);
  }
  for (int d = 0; d < spatial; ++d) {
    check(pick(w.kernel, d) > 0, "kernel size should be greater than zero, but got ", by_dim("k", w.kernel, spatial));
    check(!strided || pick(*w.stride, d) > 0, "stride should be greater than zero, but got ",
          by_dim("d", strided ? *w.stride : w.kernel, spatial));
    check(pick(w.dilation, d) > 0, "dilation should be greater than zero, but got ",
          by_dim("dilation", w.dilation, spatial));
  }
  int64_t rank = int64_t(sizes.size());
  check(rank == spatial + 1 || rank == spatial + 2, "non-empty ", spatial + 1, "D or ", spatial + 2,
        "D (batch mode) tensor expected for input, but got ", to_string(sizes));
  bool full = true;
  for (int64_t d = rank - spatial - 1; d < rank; ++d) full = full && sizes[d] > 0;
  check(full, "Expected ", spatial + 1, "D or ", spatial + 2,
        "D (batch mode) tensor with optional 0 dim batch size for input, but got:", to_string(sizes));
  PoolShape s;
  s.dtype = dtype;
  set_sizes(s, sizes, spatial);
  bool empty_output = false;
  for (int d = 3 - spatial; d < 3; ++d) {
    int at = d - (3 - spatial);
    int64_t k = s.kernel[d] = pick(w.kernel, at);
    int64_t step = s.stride[d] = strided ? pick(*w.stride, at) : k;
    int64_t pad = s.padding[d] = pick(w.padding, at);
    int64_t dil = s.dilation[d] = pick(w.dilation, at);
    int64_t room = s.in[d] + 2 * pad - dil * (k - 1) - 1 + (w.ceil_mode ? step - 1 : 0);
    int64_t out = (room >= 0 ? room / step : -((-room + step - 1) / step)) + 1;
    // The last window starts inside of the input or its left padding.
    if (w.ceil_mode && (out - 1) * step >= s.in[d] + pad) --out;
    s.out[d] = out;
    empty_output = empty_output || out < 1;
  }
  check(!empty_output, "Given input size: ", by_x(s.channels, s.in, spatial),
        ". Calculated output size: ", by_x(s.channels, s.out, spatial), ". Output size is too small");
  return s;
}

PoolShape adaptive_shape(const char* op, Ints sizes, Dtype dtype, int spatial, Ints output_size, const char* colon) {
  const bool max = *colon;
  check(output_size.size() == 1 || int(output_size.size()) == spatial, op, max ? "(): internal error: " : ": ",
        max ? "output_size.size() must be " : "output_size must be ", spatial);
  int64_t rank = int64_t(sizes.size());
  check(rank == spatial + 1 || rank == spatial + 2, op, "(): Expected ", spatial + 1, "D or ", spatial + 2,
        "D tensor, but got", colon, " ", to_string(sizes));
  for (int64_t d = rank - spatial; d < rank; ++d)
    check(sizes[d] > 0, op, "(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ",
          to_string(sizes), " with dimension ", d, " being empty");
  PoolShape s;
  s.adaptive = true;
  s.dtype = dtype;
  set_sizes(s, sizes, spatial);
  for (int d = 3 - spatial; d < 3; ++d) {
    s.out[d] = pick(output_size, d - (3 - spatial));
    if (max && s.out[d] < 0) {
      Dims wanted(sizes);
      for (int i = 0; i < spatial; ++i) wanted[rank - spatial + i] = pick(output_size, i);
      fail("Trying to create tensor with negative dimension ", s.out[d], ": ", to_string(wanted));
    }
    check(s.out[d] >= 0, op, ": elements of output_size must be greater than or equal to 0 but received ",
          to_string(output_size));
  }
  return s;
}

Dims output_sizes(const PoolShape& s, Ints input, int spatial) {
  Dims sizes(input);
  for (int i = 0; i < spatial; ++i) sizes[input.size() - spatial + i] = s.out[3 - spatial + i];
  return sizes;
}
void check_floating(const char* op, Dtype dtype) {
  check<NotImplementedError>(is_floating(dtype), "\"", op, "\" not implemented for '", type_name(dtype),
                             "'. Convert the input to a floating dtype first.");
}

// ---- max ----

std::tuple<Tensor, Tensor> run_max(const char* op, const Tensor& input, PoolShape s, int spatial, bool with_indices) {
  Dtype dtype = input.dtype();
  if (!s.adaptive && is_integral(dtype) && dtype != Dtype::Bool && dtype != Dtype::Int64) {
    s.dtype = Dtype::Int64;
    auto [values, places] = run_max(op, to_dtype(input, Dtype::Int64, false, false), s, spatial, with_indices);
    return {to_dtype(values, dtype, false, false), places};
  }
  const bool whole = dtype == Dtype::Int64 && !s.adaptive;
  if (!whole) check_floating(op, dtype);
  s.channels_last = is_channels_last(input, spatial);
  Tensor x = in_layout(input, s.channels_last, spatial);
  Dims sizes = output_sizes(s, x.sizes(), spatial);
  Tensor out = make(sizes, s.channels_last, x.dtype(), x.device()), indices;
  if (with_indices) indices = make(sizes, s.channels_last, Dtype::Int64, x.device());
  const PoolKernels& k = pool_kernels[int(x.device().type)];
  if (out.numel())
    kernel(whole ? k.max_int64 : k.max, op,
           x.device())({s, x.data(), out.data(), with_indices ? indices.data_as<int64_t>() : nullptr});
  return {out, indices};
}
Tensor run_max_backward(const char* op, const Tensor& grad, const Tensor& input, const Tensor& indices, PoolShape s,
                        int spatial) {
  check(grad.sizes() == Ints(output_sizes(s, input.sizes(), spatial)), op, ": the gradient has sizes ",
        to_string(grad.sizes()), ", the output ", to_string(Ints(output_sizes(s, input.sizes(), spatial))));
  s.channels_last = is_channels_last(input, spatial);
  Tensor x = in_layout(input, s.channels_last, spatial);
  Tensor same = grad.dtype() == x.dtype() ? grad : to_dtype(grad, x.dtype(), false, false);
  Tensor g = in_layout(same, s.channels_last, spatial);
  Tensor where = indices.defined() ? in_layout(indices, s.channels_last, spatial) : Tensor();
  Tensor out = make(x.sizes(), s.channels_last, x.dtype(), x.device());
  if (out.numel())
    kernel(pool_kernels[int(x.device().type)].max_backward, op,
           x.device())({s, g.data(), x.data(), where.defined() ? where.data_as<int64_t>() : nullptr, out.data()});
  return out;
}

// ---- average ----

Tensor run_avg(const char* op, const Tensor& input, PoolShape s, int spatial, bool count_include_pad, int64_t divisor,
               const Out& out = {}) {
  const bool whole = input.dtype() == Dtype::Int64 && !s.adaptive;
  if (!whole) check_floating(op, input.dtype());
  s.channels_last = is_channels_last(input, spatial);
  Tensor x = in_layout(input, s.channels_last, spatial);
  const Dims sizes = output_sizes(s, x.sizes(), spatial);
  if (out.defined()) {
    check(out.tensor.dtype() == x.dtype(), "Expected out tensor to have dtype ", name(x.dtype()), ", but got ",
          name(out.tensor.dtype()), " instead");
    resize_output(out.tensor, sizes, x.device());
  }
  Tensor result = make(sizes, s.channels_last, x.dtype(), x.device());
  const PoolKernels& k = pool_kernels[int(x.device().type)];
  if (result.numel())
    kernel(whole ? k.avg_int64 : k.avg, op, x.device())({s, count_include_pad, divisor, x.data(), result.data()});
  if (!out.defined()) return result;
  copy_into(out.tensor, result);
  return out.tensor;
}
Tensor run_avg_backward(const char* op, const Tensor& grad, Ints input_size, Ints input_stride, PoolShape s,
                        int spatial, bool count_include_pad, int64_t divisor) {
  s.channels_last = is_channels_last(input_size, input_stride, spatial);
  Tensor g = in_layout(grad, s.channels_last, spatial);
  Tensor out = make(input_size, s.channels_last, g.dtype(), g.device());
  if (out.numel())
    kernel(pool_kernels[int(g.device().type)].avg_backward, op,
           g.device())({s, count_include_pad, divisor, g.data(), out.data()});
  return out;
}
int64_t divisor_of(OptInt divisor_override) {
  check(!divisor_override || *divisor_override != 0, "divisor must be not zero");
  return divisor_override.value_or(0);
}
const int64_t kOne = 1;
Ints no_dilation() { return Ints(&kOne, 1); }

}  // namespace

Tensor max_pool2d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, Ints dilation,
                  bool ceil_mode) {
  PoolShape s =
      shape_of("max_pool2d", input.sizes(), input.dtype(), 2, {kernel_size, stride, padding, dilation, ceil_mode});
  return std::get<0>(run_max("max_pool2d", input, s, 2, false));
}
Tensor max_pool3d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, Ints dilation,
                  bool ceil_mode) {
  PoolShape s =
      shape_of("max_pool3d", input.sizes(), input.dtype(), 3, {kernel_size, stride, padding, dilation, ceil_mode});
  return std::get<0>(run_max("max_pool3d", input, s, 3, false));
}
std::tuple<Tensor, Tensor> max_pool2d_with_indices(const Tensor& input, Ints kernel_size, std::optional<Ints> stride,
                                                   Ints padding, Ints dilation, bool ceil_mode) {
  PoolShape s =
      shape_of("max_pool2d", input.sizes(), input.dtype(), 2, {kernel_size, stride, padding, dilation, ceil_mode});
  return run_max("max_pool2d", input, s, 2, true);
}
std::tuple<Tensor, Tensor> max_pool3d_with_indices(const Tensor& input, Ints kernel_size, std::optional<Ints> stride,
                                                   Ints padding, Ints dilation, bool ceil_mode) {
  PoolShape s =
      shape_of("max_pool3d", input.sizes(), input.dtype(), 3, {kernel_size, stride, padding, dilation, ceil_mode});
  return run_max("max_pool3d", input, s, 3, true);
}
Tensor max_pool_backward(const Tensor& grad_output, const Tensor& input, const Tensor& indices, Ints kernel_size,
                         std::optional<Ints> stride, Ints padding, Ints dilation, bool ceil_mode) {
  int spatial = int(kernel_size.size());
  PoolShape s = shape_of("max_pool_backward", input.sizes(), input.dtype(), spatial,
                         {kernel_size, stride, padding, dilation, ceil_mode});
  return run_max_backward("max_pool_backward", grad_output, input, indices, s, spatial);
}

Tensor avg_pool2d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, bool ceil_mode,
                  bool count_include_pad, OptInt divisor_override, const Out& out) {
  int64_t divisor = divisor_of(divisor_override);
  check<IndexError>(input.dim() > 2, "Dimension out of range (expected to be in range of [",
                    -std::max<int64_t>(input.dim(), 1), ", ", std::max<int64_t>(input.dim(), 1) - 1,
                    "], but got -3). avg_pool2d takes (N, C, H, W) or (C, H, W), not ", to_string(input.sizes()));
  PoolShape s =
      shape_of("avg_pool2d", input.sizes(), input.dtype(), 2, {kernel_size, stride, padding, no_dilation(), ceil_mode});
  return run_avg("avg_pool2d", input, s, 2, count_include_pad, divisor, out);
}
Tensor avg_pool3d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, bool ceil_mode,
                  bool count_include_pad, OptInt divisor_override, const Out& out) {
  int64_t divisor = divisor_of(divisor_override);
  PoolShape s =
      shape_of("avg_pool3d", input.sizes(), input.dtype(), 3, {kernel_size, stride, padding, no_dilation(), ceil_mode});
  return run_avg("avg_pool3d", input, s, 3, count_include_pad, divisor, out);
}
Tensor avg_pool_backward(const Tensor& grad_output, Ints input_size, Ints input_stride, Ints kernel_size,
                         std::optional<Ints> stride, Ints padding, bool ceil_mode, bool count_include_pad,
                         OptInt divisor_override) {
  int spatial = int(kernel_size.size());
  PoolShape s = shape_of("avg_pool_backward", input_size, grad_output.dtype(), spatial,
                         {kernel_size, stride, padding, no_dilation(), ceil_mode});
  return run_avg_backward("avg_pool_backward", grad_output, input_size, input_stride, s, spatial, count_include_pad,
                          divisor_of(divisor_override));
}

Tensor adaptive_avg_pool2d(const Tensor& input, Ints output_size) {
  PoolShape s = adaptive_shape("adaptive_avg_pool2d", input.sizes(), input.dtype(), 2, output_size, "");
  return run_avg("adaptive_avg_pool2d", input, s, 2, false, 0);
}
Tensor adaptive_avg_pool3d(const Tensor& input, Ints output_size) {
  PoolShape s = adaptive_shape("adaptive_avg_pool3d", input.sizes(), input.dtype(), 3, output_size, "");
  return run_avg("adaptive_avg_pool3d", input, s, 3, false, 0);
}
std::tuple<Tensor, Tensor> adaptive_max_pool2d(const Tensor& input, Ints output_size) {
  PoolShape s = adaptive_shape("adaptive_max_pool2d", input.sizes(), input.dtype(), 2, output_size, ":");
  return run_max("adaptive_max_pool2d", input, s, 2, true);
}
std::tuple<Tensor, Tensor> adaptive_max_pool3d(const Tensor& input, Ints output_size) {
  PoolShape s = adaptive_shape("adaptive_max_pool3d", input.sizes(), input.dtype(), 3, output_size, ":");
  return run_max("adaptive_max_pool3d", input, s, 3, true);
}

Tensor adaptive_avg_pool_backward(const Tensor& grad_output, Ints input_size, Ints input_stride, int64_t spatial) {
  Ints out = grad_output.sizes();
  PoolShape s = adaptive_shape("adaptive_avg_pool_backward", input_size, grad_output.dtype(), int(spatial),
                               out.slice(out.size() - size_t(spatial)), "");
  return run_avg_backward("adaptive_avg_pool_backward", grad_output, input_size, input_stride, s, int(spatial), false,
                          0);
}
Tensor adaptive_max_pool_backward(const Tensor& grad_output, const Tensor& input, const Tensor& indices,
                                  int64_t spatial) {
  Ints out = grad_output.sizes();
  PoolShape s = adaptive_shape("adaptive_max_pool_backward", input.sizes(), input.dtype(), int(spatial),
                               out.slice(out.size() - size_t(spatial)), "");
  return run_max_backward("adaptive_max_pool_backward", grad_output, input, indices, s, int(spatial));
}

}  // namespace tl::ops
