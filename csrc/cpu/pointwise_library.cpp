#include "cpu/pointwise_loops.h"

// The pointwise loops that call the C library, and complex ones. Not worth an instruction set of their own.

namespace tl::cpu {

Loop pointwise_loops[kPointwise][kDtypes];

namespace {

using C64 = std::complex<float>;
using C128 = std::complex<double>;

#define TL_U(name, ...) put_unary<scalar::name, __VA_ARGS__>(Pointwise::name, 16);
#define TL_B(name, ...) put_binary<scalar::name, __VA_ARGS__>(Pointwise::name, 16);

void fill_real() {
  TL_B(Pow, float, double, int32_t, int64_t)
  TL_B(DivTrunc, int32_t, int64_t)
  TL_B(DivFloor, float, double, int32_t, int64_t)
  TL_B(Remainder, float, double, int32_t, int64_t)
  TL_B(Fmod, float, double, int32_t, int64_t)
  TL_B(ShiftLeft, int64_t)
  TL_B(ShiftRight, int64_t)
  TL_B(Gcd, int64_t)
  TL_B(Lcm, int64_t)
  TL_B(Atan2, float, double)
  TL_B(Hypot, float, double)
  TL_B(Nextafter, float, double)
  TL_B(LogAddExp, double)
  TL_B(LogAddExp2, double)
  TL_B(Xlogy, double)
  TL_B(EluBackward, double)
  TL_B(GeluBackward, double)
  TL_B(GeluTanhBackward, double)
  TL_B(SiluBackward, double)
  TL_B(SoftplusBackward, double)
  TL_U(Tan, float, double)
  TL_U(Asin, float, double)
  TL_U(Acos, float, double)
  TL_U(Atan, float, double)
  TL_U(Sinh, float, double)
  TL_U(Cosh, float, double)
  TL_U(Asinh, float, double)
  TL_U(Acosh, float, double)
  TL_U(Atanh, float, double)
  TL_U(Erfinv, float, double)
  TL_U(Lgamma, float, double)
  TL_U(Digamma, float, double)
  TL_U(Signbit, float, double, int64_t)
  TL_U(Angle, float, double)
  TL_U(Exp, double)
  TL_U(Exp2, double)
  TL_U(Expm1, double)
  TL_U(Log, double)
  TL_U(Log2, double)
  TL_U(Log10, double)
  TL_U(Log1p, double)
  TL_U(Sin, double)
  TL_U(Cos, double)
  TL_U(Tanh, double)
  TL_U(Sigmoid, double)
  TL_U(Logit, double)
  TL_U(Erf, double)
  TL_U(Erfc, double)
  TL_U(Gelu, double)
  TL_U(GeluTanh, double)
  TL_U(Silu, double)
  TL_U(Softplus, double)
  TL_U(Elu, double)
  TL_U(Mish, double)
  TL_U(LogSigmoid, double)
}

void fill_complex() {
  TL_B(Add, C64, C128)
  TL_B(AddScaled, C64, C128)
  TL_B(Sub, C64, C128)
  TL_B(Mul, C64, C128)
  TL_B(Div, C64, C128)
  TL_B(Pow, C64, C128)
  TL_B(Eq, C64, C128)
  TL_B(IsClose, C64, C128)
  TL_B(LogAddExp, C64, C128)
  TL_B(Ne, C64, C128)
  TL_B(LogicalAnd, C64, C128)
  TL_B(LogicalOr, C64, C128)
  TL_B(LogicalXor, C64, C128)
  TL_B(SigmoidBackward, C64, C128)
  TL_B(TanhBackward, C64, C128)
  TL_U(LogicalNot, C64, C128)
  TL_U(IsNan, C64, C128)
  TL_U(Neg, C64, C128)
  TL_U(Square, C64, C128)
  TL_U(Cube, C64, C128)
  TL_U(Sgn, C64, C128)
  TL_U(Conj, C64, C128)
  TL_U(Angle, C64, C128)
  TL_U(Sqrt, C64, C128)
  TL_U(Rsqrt, C64, C128)
  TL_U(Reciprocal, C64, C128)
  TL_U(Exp, C64, C128)
  TL_U(Exp2, C64, C128)
  TL_U(Expm1, C64, C128)
  TL_U(Log, C64, C128)
  TL_U(Log2, C64, C128)
  TL_U(Log10, C64, C128)
  TL_U(Log1p, C64, C128)
  TL_U(Sin, C64, C128)
  TL_U(Cos, C64, C128)
  TL_U(Tan, C64, C128)
  TL_U(Asin, C64, C128)
  TL_U(Acos, C64, C128)
  TL_U(Atan, C64, C128)
  TL_U(Sinh, C64, C128)
  TL_U(Cosh, C64, C128)
  TL_U(Tanh, C64, C128)
  TL_U(Asinh, C64, C128)
  TL_U(Acosh, C64, C128)
  TL_U(Atanh, C64, C128)
  TL_U(Sigmoid, C64, C128)
  TL_U(Abs, C64, C128)
  TL_U(IsInf, C64, C128)
  TL_U(IsFinite, C64, C128)
  put_where<C64, C128>();
  put_ternary<scalar::Addcmul, C64, C128>(Pointwise::Addcmul);
  put_ternary<scalar::Addcdiv, C64, C128>(Pointwise::Addcdiv);
  put_ternary<scalar::Lerp, C64, C128>(Pointwise::Lerp);
}

}  // namespace

void fill_pointwise_library() {
  fill_real();
  fill_complex();
  fill_special();
}

bool pointwise_supports(Pointwise op, Dtype compute) { return pointwise_loops[int(op)][int(compute)].fn; }

void pointwise_run(Pointwise op, Dtype compute, const Plan& plan, const PointwiseParams* params) {
  run(plan, pointwise_loops[int(op)][int(compute)], params);
}

}  // namespace tl::cpu
