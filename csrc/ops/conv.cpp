#include "ops/conv.h"

#include "core/plan.h"
#include "kernels/conv.h"
#include "ops/cast.h"
#include "ops/creation.h"
#include "ops/same_device.h"
#include "ops/shape.h"

namespace tl {

ConvKernels conv_kernels[kDeviceTypes];

namespace ops {
namespace {

struct Geometry {
  int64_t dims;  // 1 to 3
  Dims stride, padding, dilation, output_padding;
};

Dims per_dim(Ints v, int64_t dims, const char* what) {
  if (v.size() == 1) return Dims(size_t(dims), v[0]);
  check(int64_t(v.size()) == dims, "expected ", what, " to be a single integer value or a list of ", dims,
        " values to match the convolution dimensions, but got ", what, "=", to_string(v));
  return Dims(v);
}

bool any_below(Ints v, int64_t least) {
  for (int64_t x : v)
    if (x < least) return true;
  return false;
}

// "(2 x 2)"
std::string times_text(Ints v) {
  std::string s = "(";
  for (size_t i = 0; i < v.size(); ++i) s += (i ? " x " : "") + std::to_string(v[i]);
  return s + ")";
}

// "kernel_height: 0 kernel_width: 3"
std::string named_text(const char* what, Ints v) {
  static constexpr const char* names[] = {"depth", "height", "width"};
  std::string s;
  for (size_t i = 0; i < v.size(); ++i) s += str(i ? " " : "", what, "_", names[3 - v.size() + i], ": ", v[i]);
  return s;
}

Geometry geometry(const Tensor& input, const Tensor& weight, Ints stride, Ints padding, Ints dilation, bool transposed,
                  Ints output_padding, int64_t groups) {
  Geometry g;
  g.dims = weight.dim() - 2;
  check(g.dims > 0, "weight should have at least three dimensions");
  check(groups > 0, "non-positive groups is not supported");
  g.stride = per_dim(stride, g.dims, "stride");
  g.padding = per_dim(padding, g.dims, "padding");
  g.dilation = per_dim(dilation, g.dims, "dilation");
  g.output_padding = per_dim(output_padding, g.dims, "output_padding");
  check(!any_below(g.padding, 0), "negative padding is not supported");
  check(!any_below(g.output_padding, 0), "negative output_padding is not supported");
  check(!any_below(g.stride, 1), "non-positive stride is not supported");
  check(!any_below(g.dilation, 0), "dilation should be greater than zero, but got ", to_string(g.dilation));
  check(!any_below(g.dilation, 1), "non-positive dilation is not supported");
  check(g.dims <= 3, "convolution of ", g.dims, " dimensions is not supported; at most 3");
  check(input.dim() == weight.dim(), "Expected ", weight.dim(), "-dimensional input for ", weight.dim(),
        "-dimensional weight ", to_string(weight.sizes()), ", but got ", input.dim(), "-dimensional input of size ",
        to_string(input.sizes()), " instead");
  check(weight.size(0) >= groups, "Given groups=", groups, ", expected weight to be at least ", groups,
        " at dimension 0, but got weight of size ", to_string(weight.sizes()), " instead");
  check(weight.size(0) % groups == 0, "Given groups=", groups, ", expected weight to be divisible by ", groups,
        " at dimension 0, but got weight of size [", to_string(weight.sizes()), "] instead");
  if (transposed) {
    if (input.size(1) != weight.size(0))
      fail("Given transposed=1, weight of size ", to_string(weight.sizes()), ", expected input",
           to_string(input.sizes()), " to have ", weight.size(0), " channels, but got ", input.size(1),
           " channels instead");
  } else if (input.size(1) != weight.size(1) * groups) {
    fail("Given groups=", groups, ", weight of size ", to_string(weight.sizes()), ", expected input",
         to_string(input.sizes()), " to have ", weight.size(1) * groups, " channels, but got ", input.size(1),
         " channels instead");
  }
  const Ints kernel = weight.sizes().slice(2);
  check(!any_below(kernel, 1), "kernel size should be greater than zero, but got ", named_text("kernel", kernel));
  for (int64_t s : g.stride) check(s <= 1024, "convolution: a stride of ", s, " is not supported; at most 1024");
  return g;
}

Dims output_sizes(const Geometry& g, const Tensor& input, const Tensor& weight, bool transposed, int64_t groups) {
  Dims sizes{input.size(0), transposed ? weight.size(1) * groups : weight.size(0)};
  Dims padded;
  bool too_small = false;
  for (int64_t i = 0; i < g.dims; ++i) {
    const int64_t in = input.size(2 + i), reach = g.dilation[i] * (weight.size(2 + i) - 1);
    if (transposed) {
      check(g.output_padding[i] < g.stride[i] || g.output_padding[i] < g.dilation[i],
            "output padding must be smaller than either stride or dilation, but got ",
            named_text("output_padding", g.output_padding), " ", named_text("stride", g.stride), " ",
            named_text("dilation", g.dilation));
      sizes.push_back((in - 1) * g.stride[i] - 2 * g.padding[i] + reach + g.output_padding[i] + 1);
    } else {
      padded.push_back(in + 2 * g.padding[i]);
      too_small |= padded.back() < reach + 1;
      sizes.push_back((padded.back() - reach - 1) / g.stride[i] + 1);
    }
  }
  if (too_small) {
    Dims kernel;
    for (int64_t i = 0; i < g.dims; ++i) kernel.push_back(g.dilation[i] * (weight.size(2 + i) - 1) + 1);
    fail("Calculated padded input size per channel: ", times_text(padded), ". Kernel size: ", times_text(kernel),
         ". Kernel size can't be greater than actual input size");
  }
  if (transposed && any_below(Ints(sizes).slice(2), 1))
    fail("Given input size per channel: ", times_text(input.sizes().slice(2)),
         ". Calculated output size per channel: ", times_text(Ints(sizes).slice(2)), ". Output size is too small");
  return sizes;
}

// `image` is what the convolution that is not transposed reads, `result` what it writes; `weight` is laid out alike for
// both kinds: (channels of result, channels of image per group, kernel...).
ConvArgs arguments(const Geometry& g, const Tensor& image, const Tensor& weight, const Tensor& result, int64_t groups) {
  ConvArgs a;
  a.dtype = image.dtype();
  a.batch = image.size(0);
  a.groups = groups;
  a.cin = image.size(1) / groups;
  a.cout = result.size(1) / groups;
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t j = i - (3 - g.dims);
    if (j < 0)
      a.dim[i] = {1, 1, 1, 1, 0, 1};
    else
      a.dim[i] = {image.size(2 + j), result.size(2 + j), weight.size(2 + j), g.stride[j], g.padding[j], g.dilation[j]};
  }
  a.x = image.data();
  a.w = weight.data();
  a.y = result.data();
  return a;
}

const char* dtype_word(Dtype t) {
  static constexpr const char* words[kDtypes] = {
      "bool",  "unsigned char", "signed char",         "short int",
      "int",   "long int",      "c10::Half",           "c10::BFloat16",
      "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return words[int(t)];
}

void check_dtypes(const Tensor& input, const Tensor& weight, const Tensor& bias, bool transposed) {
  const Dtype t = input.dtype();
  if (bias.defined() && bias.dtype() != t)
    fail("Input type (", dtype_word(t), ") and bias type (", dtype_word(bias.dtype()), ") should be the same");
  if (weight.dtype() != t)
    fail("Input type (", dtype_word(t), ") and weight type (", dtype_word(weight.dtype()),
         ") should be the same. Convert one of them with .to(dtype).");
  if (t == Dtype::Bool || is_complex(t) || (transposed && is_integral(t) && t != Dtype::Int64))
    fail<NotImplementedError>("\"", transposed ? "slow_conv_transpose2d_out_cpu" : "slow_conv2d_cpu",
                              "\" not implemented for '", type_name(t), "'. Convert the operands with .float() first.");
}

bool channels_last(const Tensor& t) {
  if (t.dim() != 4 || t.is_contiguous() || t.size(1) == 1) return false;
  return t.stride(1) == 1 && t.stride(3) == t.size(1) && t.stride(2) == t.size(3) * t.stride(3) &&
         t.stride(0) == t.size(2) * t.stride(2);
}

// In the layout of images whose channels lie side by side, when the operands have it.
Tensor in_layout_of(const Tensor& result, const Tensor& a, const Tensor& b) {
  if (!channels_last(a) && !channels_last(b)) return result;
  const int64_t c = result.size(1), h = result.size(2), w = result.size(3);
  Tensor t = empty_strided(result.sizes(), {c * h * w, 1, w * c, c}, result.dtype(), result.device());
  copy_into(t, result);
  return t;
}

Tensor zeros_or_bias(Ints sizes, const Tensor& bias, Dtype dtype, Device device) {
  Tensor y = zeros_of(sizes, dtype, device);
  if (bias.defined()) {
    Dims shape(sizes.size() - 1, 1);
    shape[0] = sizes[1];
    copy_into(y, expand(view(contiguous(bias), shape), sizes, false));
  }
  return y;
}

}  // namespace

Tensor convolution(const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride, Ints padding,
                   Ints dilation, bool transposed, Ints output_padding, int64_t groups) {
  const Geometry g = geometry(input, weight, stride, padding, dilation, transposed, output_padding, groups);
  const int64_t channels = transposed ? weight.size(1) * groups : weight.size(0);
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != channels))
    fail("Given ", transposed ? "transposed=1, " : "", "weight of size ", to_string(weight.sizes()),
         ", expected bias to be 1-dimensional with ", channels, " elements, but got bias of size ",
         to_string(bias.sizes()), " instead");
  const Dims sizes = output_sizes(g, input, weight, transposed, groups);
  check_dtypes(input, weight, bias, transposed);
  const Device device = common_device({&input, &weight});
  check_same_device({&input, &bias});
  if (numel_of(sizes) == 0 || input.numel() == 0 || weight.numel() == 0)
    return zeros_or_bias(sizes, bias, input.dtype(), device);
  const Tensor x = contiguous(input), w = contiguous(weight), b = bias.defined() ? contiguous(bias) : bias;
  const Tensor y = empty(sizes, input.dtype(), device);
  ConvArgs a = transposed ? arguments(g, y, w, x, groups) : arguments(g, x, w, y, groups);
  if (b.defined()) a.bias = b.data();
  const ConvKernels& k = conv_kernels[int(device.type)];
  kernel(transposed ? k.backward_input : k.forward, "convolution", device)(a);
  return in_layout_of(y, input, weight);
}

std::tuple<Tensor, Tensor, Tensor> convolution_backward(const Tensor& grad_output, const Tensor& input,
                                                        const Tensor& weight, Ints stride, Ints padding, Ints dilation,
                                                        bool transposed, Ints output_padding, int64_t groups,
                                                        bool want_input, bool want_weight, bool want_bias) {
  const Geometry g = geometry(input, weight, stride, padding, dilation, transposed, output_padding, groups);
  const Dims sizes = output_sizes(g, input, weight, transposed, groups);
  check(grad_output.sizes() == Ints(sizes), "convolution_backward: expected grad_output of size ", to_string(sizes),
        " but got ", to_string(grad_output.sizes()));
  check_dtypes(input, weight, grad_output, true);
  check<NotImplementedError>(is_floating(input.dtype()), "convolution_backward: there is no gradient of ",
                             name(input.dtype()), " tensors");
  const Device device = common_device({&grad_output, &input, &weight});
  const Dtype dtype = input.dtype();
  Tensor gx, gw, gb;
  const bool nothing = grad_output.numel() == 0 || input.numel() == 0 || weight.numel() == 0;
  if (nothing) {
    if (want_input) gx = zeros_of(input.sizes(), dtype, device);
    if (want_weight) gw = zeros_of(weight.sizes(), dtype, device);
    if (want_bias && grad_output.numel() == 0) return {gx, gw, zeros_of({sizes[1]}, dtype, device)};
  }
  const Tensor grad = contiguous(grad_output);
  const ConvKernels& k = conv_kernels[int(device.type)];
  if (want_input && !nothing) {
    gx = empty(input.sizes(), dtype, device);
    const Tensor w = contiguous(weight);
    const ConvArgs a = transposed ? arguments(g, grad, w, gx, groups) : arguments(g, gx, w, grad, groups);
    kernel(transposed ? k.forward : k.backward_input, "convolution_backward", device)(a);
    gx = in_layout_of(gx, input, weight);
  }
  if (want_weight && !nothing) {
    gw = empty(weight.sizes(), dtype, device);
    const Tensor x = contiguous(input);
    const ConvArgs a = transposed ? arguments(g, grad, gw, x, groups) : arguments(g, x, gw, grad, groups);
    kernel(k.backward_weight, "convolution_backward", device)(a);
    gw = in_layout_of(gw, weight, weight);
  }
  if (want_bias) {
    gb = empty({sizes[1]}, dtype, device);
    ConvArgs a{};
    a.dtype = dtype;
    a.batch = sizes[0];
    a.groups = 1;
    a.cout = sizes[1];
    for (int64_t i = 0; i < 3; ++i) a.dim[i].out = i < 3 - g.dims ? 1 : sizes[2 + i - (3 - g.dims)];
    a.y = grad.data();
    a.bias = gb.data();
    kernel(k.backward_bias, "convolution_backward", device)(a);
  }
  return {gx, gw, gb};
}

Tensor constant_pad_nd(const Tensor& input, Ints pad, const Scalar& value) {
  check(pad.size() % 2 == 0, "Length of pad must be even but instead it equals ", pad.size());
  const int64_t pairs = int64_t(pad.size()) / 2;
  check(pairs <= input.dim(),
        "Length of pad should be no more than twice the number of dimensions of the input. Pad length is ", pad.size(),
        " while the input has ", input.dim(), " dimensions.");
  Dims sizes(input.sizes());
  for (int64_t i = 0; i < pairs; ++i) {
    int64_t& size = sizes[input.dim() - 1 - i];
    const int64_t before = pad[2 * i], after = pad[2 * i + 1];
    if (size + before + after < 0)
      fail("The input size ", size, ", plus negative padding ", before, " and ", after,
           " resulted in a negative output size, which is invalid. Check dimension ", input.dim() - 1 - i,
           " of your input.");
    size += before + after;
  }
  const Tensor result = full(sizes, value, {}, input.dtype(), input.device());
  Tensor to = result, from = input;
  for (int64_t i = 0; i < pairs; ++i) {
    const int64_t dim = input.dim() - 1 - i, before = pad[2 * i], after = pad[2 * i + 1];
    to = slice(to, dim, std::max<int64_t>(before, 0), sizes[dim] - std::max<int64_t>(after, 0), 1);
    from = slice(from, dim, std::max<int64_t>(-before, 0), input.size(dim) - std::max<int64_t>(-after, 0), 1);
  }
  if (from.numel() && to.numel()) copy_into(to, from);
  return result;
}

}  // namespace ops
}  // namespace tl
