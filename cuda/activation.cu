#include "pointwise_loops.h"

// Activations and their derivatives.

namespace tl::cuda {

void fill_activation() {
  TL_U(Relu, TL_NUMBERS)
  TL_U(Threshold, TL_NUMBERS)
  TL_U(LeakyRelu, TL_FLOATS)
  TL_U(Softshrink, TL_FLOATS)
  TL_U(Hardshrink, TL_FLOATS)
  TL_U(Hardsigmoid, TL_FLOATS)
  TL_U(Hardswish, TL_FLOATS)
  TL_U(Sigmoid, TL_FLOATS)
  TL_U(Gelu, TL_FLOATS)
  TL_U(GeluTanh, TL_FLOATS)
  TL_U(Silu, TL_FLOATS)
  TL_U(Softplus, TL_FLOATS)
  TL_U(Elu, TL_FLOATS)
  TL_U(Mish, TL_FLOATS)
  TL_U(LogSigmoid, TL_FLOATS)
  TL_B(SigmoidBackward, TL_FLOATS)
  TL_B(TanhBackward, TL_FLOATS)
  TL_B(ThresholdBackward, TL_NUMBERS)
  TL_B(LeakyReluBackward, TL_FLOATS)
  TL_B(EluBackward, TL_FLOATS)
  TL_B(GeluBackward, TL_FLOATS)
  TL_B(GeluTanhBackward, TL_FLOATS)
  TL_B(SiluBackward, TL_FLOATS)
  TL_B(SoftplusBackward, TL_FLOATS)
  TL_B(HardtanhBackward, TL_FLOATS)
  TL_B(HardsigmoidBackward, TL_FLOATS)
  TL_B(HardswishBackward, TL_FLOATS)
  TL_B(ShrinkBackward, TL_FLOATS)
}

}  // namespace tl::cuda
