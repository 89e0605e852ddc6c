#include "ops/conv.h"

#include "bindings/table.h"
#include "composite/conv.h"

namespace tl::python {
namespace {

constexpr unsigned kConv = kFunction | kNN | kComposite;
#define TL_CONV(n, doc)                                                                                               \
  {"conv" #n "d(Tensor input, Tensor weight, Tensor? bias=None, int[" #n "] stride=1, int[" #n "] padding=0, int[" #n \
   "] dilation=1, int groups=1) -> Tensor",                                                                           \
   TL_OP(composite::conv##n##d), kConv, doc},                                                                         \
      {"conv" #n "d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[" #n                                  \
       "] stride=1, str padding=\"valid\", int[" #n "] dilation=1, int groups=1) -> Tensor",                          \
       TL_OP(composite::conv##n##d_named), kConv, ""},                                                                \
      {"conv_transpose" #n "d(Tensor input, Tensor weight, Tensor? bias=None, int[" #n "] stride=1, int[" #n          \
       "] padding=0, int[" #n "] output_padding=0, int groups=1, int[" #n "] dilation=1) -> Tensor",                  \
       TL_OP(composite::conv_transpose##n##d), kConv, doc " Transposed: the gradient of a convolution."}

const Row rows[] = {
    {"convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool "
     "transposed, int[] output_padding, int groups) -> Tensor",
     TL_OP(ops::convolution), kFunction,
     "Cross-correlation over one to three dims: (n, groups * cin, size...) with weight (groups * cout, cin, kernel...) "
     "or, transposed, (groups * cin, cout, kernel...)."},
    {"convolution_backward(Tensor grad_output, Tensor input, Tensor weight, int[] stride, int[] padding, int[] "
     "dilation, bool transposed, int[] output_padding, int groups, bool want_input, bool want_weight, bool want_bias) "
     "-> (Tensor, Tensor, Tensor)",
     TL_OP(ops::convolution_backward), kFunction,
     "Gradients of convolution with respect to input, weight and bias; None where not wanted."},
    {"constant_pad_nd(Tensor input, int[] pad, Scalar value=0) -> Tensor", TL_OP(ops::constant_pad_nd), kFunction,
     "With elements of one value before and after the last dims: pairs of counts, last dim first; negative ones cut."},
    TL_CONV(1, "Cross-correlation over one dim: (n, c, l) or (c, l); padding is a number, 'valid' or 'same'."),
    TL_CONV(2, "Cross-correlation over two dims: (n, c, h, w) or (c, h, w); padding is a number, 'valid' or 'same'."),
    TL_CONV(3,
            "Cross-correlation over three dims: (n, c, d, h, w) or (c, d, h, w); padding is a number, 'valid' or "
            "'same'."),
};

}  // namespace
TL_ROWS(rows)
}  // namespace tl::python
