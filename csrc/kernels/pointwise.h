#pragma once

#include "core/plan.h"
#include "kernels/kernels.h"

namespace tl {

// The pointwise operators that a device implements; their scalar meaning is written in core/scalar_ops.h (and
// core/special_ops.h) under the same names.
// clang-format off
#define TL_POINTWISE(X)                                                                                             \
  /* arithmetic of two */                                                                                           \
  X(Add) X(AddScaled) X(Sub) X(Mul) X(Div) X(DivTrunc) X(DivFloor) X(Remainder) X(Fmod) X(Pow) X(Atan2) X(Hypot)     \
  X(Copysign) X(Maximum) X(Minimum) X(Fmax) X(Fmin) X(LogAddExp) X(LogAddExp2) X(Xlogy) X(Heaviside) X(Nextafter)    \
  X(Gcd) X(Lcm)                                                                                                      \
  /* questions */                                                                                                    \
  X(Eq) X(Ne) X(Lt) X(Le) X(Gt) X(Ge) X(LogicalAnd) X(LogicalOr) X(LogicalXor) X(LogicalNot) X(IsNan) X(IsInf)       \
  X(IsFinite) X(IsPosInf) X(IsNegInf) X(Signbit) X(IsClose)                                                          \
  /* bits */                                                                                                         \
  X(BitAnd) X(BitOr) X(BitXor) X(BitNot) X(ShiftLeft) X(ShiftRight)                                                  \
  /* of one */                                                                                                       \
  X(Neg) X(Abs) X(Square) X(Cube) X(Sqrt) X(Rsqrt) X(Reciprocal) X(Exp) X(Exp2) X(Expm1) X(Log) X(Log2) X(Log10) X(Log1p)    \
  X(Sin) X(Cos) X(Tan) X(Asin) X(Acos) X(Atan) X(Sinh) X(Cosh) X(Tanh) X(Asinh) X(Acosh) X(Atanh) X(Sigmoid)         \
  X(Logit) X(Erf) X(Erfc) X(Erfinv) X(Lgamma) X(Digamma) X(Floor) X(Ceil) X(Trunc) X(Round) X(RoundDecimals) X(Frac) \
  X(Sign) X(Sgn) X(Conj) X(Angle) X(NanToNum) X(Clamp) X(ClampMin) X(ClampMax)                                       \
  /* activations and their derivatives: (grad, input) or (grad, result) */                                           \
  X(Relu) X(LeakyRelu) X(Elu) X(Gelu) X(GeluTanh) X(Silu) X(Softplus) X(Threshold) X(Hardsigmoid) X(Hardswish)       \
  X(Mish) X(LogSigmoid) X(Softshrink) X(Hardshrink) X(ShrinkBackward)                                              \
  X(SigmoidBackward) X(TanhBackward) X(ThresholdBackward) X(LeakyReluBackward) X(EluBackward) X(GeluBackward)        \
  X(GeluTanhBackward) X(SiluBackward) X(SoftplusBackward) X(HardtanhBackward) X(HardsigmoidBackward)                 \
  X(HardswishBackward)                                                                                               \
  /* of three */                                                                                                     \
  X(Where) X(ClampTensor) X(Addcmul) X(Addcdiv) X(Lerp)                                                              \
  /* special functions: core/special_ops.h */                                                                        \
  X(I0) X(I0e) X(I1) X(I1e) X(BesselJ0) X(BesselJ1) X(BesselY0) X(BesselY1) X(BesselK0) X(BesselK1)                  \
  X(ScaledBesselK0) X(ScaledBesselK1) X(SphericalBesselJ0) X(AiryAi) X(Erfcx) X(Ndtr) X(LogNdtr) X(Ndtri) X(Entr)    \
  X(Sinc) X(Polygamma) X(Mantissa) X(Exponent) X(Igamma) X(Igammac) X(Zeta) X(Xlog1py)                               \
  X(ChebyshevT) X(ChebyshevU) X(ChebyshevV) X(ChebyshevW) X(ShiftedChebyshevT) X(ShiftedChebyshevU)                  \
  X(ShiftedChebyshevV) X(ShiftedChebyshevW) X(HermiteH) X(HermiteHe) X(LaguerreL) X(LegendreP)
// clang-format on

enum class Pointwise : uint8_t {
#define TL_ENUM(name) name,
  TL_POINTWISE(TL_ENUM)
#undef TL_ENUM
};
#define TL_COUNT(name) +1
inline constexpr int kPointwise = 0 TL_POINTWISE(TL_COUNT);
#undef TL_COUNT

// Numbers that an operator takes beside its tensors; integers also as such, complex ones with an imaginary part.
struct PointwiseParams {
  double d[3];
  int64_t i[3];
  double im[3];
  int32_t* division_by_zero;  // set to 1 when an integer was divided by zero

  PointwiseParams() : d{}, i{}, im{}, division_by_zero(nullptr) {}
  void set(int k, const Scalar& s) {
    d[k] = s.to<double>();
    i[k] = s.is_integral() ? s.i : s.is_complex() ? 0 : int64_t(s.d > -9e18 && s.d < 9e18 ? s.d : 0);
    im[k] = s.imag;
  }
};

// What the operator gives when it computes in a dtype.
inline Dtype pointwise_result(Pointwise op, Dtype compute) {
  if (op >= Pointwise::Eq && op <= Pointwise::IsClose) return Dtype::Bool;
  if (op == Pointwise::Abs || op == Pointwise::Angle) return to_real(compute);
  if (op == Pointwise::Exponent) return Dtype::Int32;
  return compute;
}

struct PointwiseKernels {
  // Whether the operator can compute in this dtype.
  bool (*supports)(Pointwise op, Dtype compute);
  void (*run)(Pointwise op, Dtype compute, const Plan& plan, const PointwiseParams* params);
};
TL_API extern PointwiseKernels pointwise_kernels[kDeviceTypes];

}  // namespace tl
