#include "composite/conv.h"

#include "autograd/call.h"

namespace tl::composite {
namespace {

Op convolution_("convolution"), unsqueeze_("unsqueeze"), squeeze_("squeeze.dim"), pad_("constant_pad_nd");
Op as_real_("view_as_real"), select_("select"), complex_("complex"), add_("add"), sub_("sub");

struct Parts {
  Tensor real, imag;
  explicit Parts(const Tensor& t) {
    if (!t.defined()) return;
    const Tensor pairs = as_real_(t);
    real = select_(pairs, int64_t(-1), int64_t(0)), imag = select_(pairs, int64_t(-1), int64_t(1));
  }
};

Tensor run(int64_t dims, const char* name, const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride,
           Ints padding, Ints dilation, bool transposed, Ints output_padding, int64_t groups) {
  if (is_complex(input.dtype()) && weight.dtype() == input.dtype()) {
    const Parts x(input), w(weight), b(bias);
    auto part = [&](const Tensor& p, const Tensor& q, const Tensor& r) {
      return run(dims, name, p, q, r, stride, padding, dilation, transposed, output_padding, groups);
    };
    const Tensor real = sub_(part(x.real, w.real, b.real), part(x.imag, w.imag, {}));
    return complex_(real, add_(part(x.real, w.imag, b.imag), part(x.imag, w.real, {})));
  }
  if (input.dim() == dims + 2)
    return convolution_(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups);
  if (input.dim() != dims + 1)
    fail("Expected ", dims + 1, "D (unbatched) or ", dims + 2, "D (batched) input to ", name,
         ", but got input of size: ", to_string(input.sizes()));
  const Tensor batch = unsqueeze_(input, int64_t(0));
  return squeeze_(convolution_(batch, weight, bias, stride, padding, dilation, transposed, output_padding, groups),
                  int64_t(0));
}

const Dims& zeros() {
  static const Dims& z = *new Dims{0};
  return z;
}

// padding="same" or "valid".
Tensor run_named(int64_t dims, const char* name, const Tensor& input, const Tensor& weight, const Tensor& bias,
                 Ints stride, std::string_view padding, Ints dilation, int64_t groups) {
  if (padding == "valid")
    return run(dims, name, input, weight, bias, stride, zeros(), dilation, false, zeros(), groups);
  check(padding == "same", "Invalid padding string: '", padding, "'", ". It is 'same' or 'valid'.");
  for (int64_t s : stride) check(s == 1, "padding='same' is not supported for strided convolutions");
  check(weight.dim() == dims + 2, "Expected ", weight.dim(), "-dimensional input for ", weight.dim(),
        "-dimensional weight ", to_string(weight.sizes()), ", but got ", input.dim(), "-dimensional input of size ",
        to_string(input.sizes()), " instead");
  Dims both(size_t(dims), 0), extra;
  bool even = true;
  for (int64_t i = 0; i < dims; ++i) {
    const int64_t total = dilation[dilation.size() == 1 ? 0 : i] * (weight.size(2 + i) - 1);
    both[i] = total / 2;
    even = even && total % 2 == 0;
  }
  if (even) return run(dims, name, input, weight, bias, stride, both, dilation, false, zeros(), groups);
  // What is left over goes to the end of each dim.
  for (int64_t i = dims - 1; i >= 0; --i) {
    const int64_t total = dilation[dilation.size() == 1 ? 0 : i] * (weight.size(2 + i) - 1);
    extra.push_back(0);
    extra.push_back(total % 2);
  }
  const bool single = input.dim() == dims + 1;
  const Tensor batch = single ? unsqueeze_(input, int64_t(0)) : input;
  const Tensor padded = pad_(batch, Ints(extra), Scalar(int64_t(0)));
  const Tensor result = run(dims, name, padded, weight, bias, stride, both, dilation, false, zeros(), groups);
  return single ? squeeze_(result, int64_t(0)) : result;
}

}  // namespace

#define TL_CONV(name, dims)                                                                                            \
  Tensor name(const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride, Ints padding, Ints dilation, \
              int64_t groups) {                                                                                        \
    return run(dims, #name, input, weight, bias, stride, padding, dilation, false, zeros(), groups);                   \
  }                                                                                                                    \
  Tensor name##_named(const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride,                      \
                      std::string_view padding, Ints dilation, int64_t groups) {                                       \
    return run_named(dims, #name, input, weight, bias, stride, padding, dilation, groups);                             \
  }
TL_CONV(conv1d, 1)
TL_CONV(conv2d, 2)
TL_CONV(conv3d, 3)
#undef TL_CONV

#define TL_CONV(name, dims)                                                                                \
  Tensor name(const Tensor& input, const Tensor& weight, const Tensor& bias, Ints stride, Ints padding,    \
              Ints output_padding, int64_t groups, Ints dilation) {                                        \
    return run(dims, #name, input, weight, bias, stride, padding, dilation, true, output_padding, groups); \
  }
TL_CONV(conv_transpose1d, 1)
TL_CONV(conv_transpose2d, 2)
TL_CONV(conv_transpose3d, 3)
#undef TL_CONV

}  // namespace tl::composite
