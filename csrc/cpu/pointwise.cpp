#include "cpu/gelu_table.h"
#include "cpu/isa.h"
#include "cpu/pointwise_loops.h"

// The pointwise loops that vectors make faster, per instruction set.

namespace tl::cpu::TL_ISA {
namespace {

#define TL_U(name, ...) put_unary<scalar::name, __VA_ARGS__>(Pointwise::name);
#define TL_B(name, ...) put_cheap<scalar::name, __VA_ARGS__>(Pointwise::name);
#define TL_COSTLY_U(name, ...) put_unary<scalar::name, __VA_ARGS__>(Pointwise::name, 8);
#define TL_COSTLY_B(name, ...) put_binary<scalar::name, __VA_ARGS__>(Pointwise::name, 8);
#define TL_FLOATS float, double
#define TL_NUMBERS float, double, int32_t, int64_t
#define TL_ALL uint8_t, int32_t, int64_t, float, double

void fill_binary() {
  TL_B(Add, TL_NUMBERS)
  TL_B(Sub, TL_NUMBERS)
  TL_B(Mul, TL_NUMBERS)
  TL_B(Div, TL_FLOATS)
  TL_B(Maximum, TL_NUMBERS)
  TL_B(Minimum, TL_NUMBERS)
  TL_B(Eq, TL_ALL)
  TL_B(Ne, TL_ALL)
  TL_B(Lt, TL_ALL)
  TL_B(Le, TL_ALL)
  TL_B(Gt, TL_ALL)
  TL_B(Ge, TL_ALL)
  TL_B(LogicalAnd, TL_ALL)
  TL_B(LogicalOr, TL_ALL)
  TL_B(LogicalXor, TL_ALL)
  TL_B(BitAnd, uint8_t, int32_t, int64_t)
  TL_B(BitOr, uint8_t, int32_t, int64_t)
  TL_B(BitXor, uint8_t, int32_t, int64_t)
  TL_COSTLY_B(AddScaled, TL_NUMBERS)
  TL_COSTLY_B(Fmax, TL_NUMBERS)
  TL_COSTLY_B(Fmin, TL_NUMBERS)
  TL_COSTLY_B(DivTrunc, TL_FLOATS)
  TL_COSTLY_B(Copysign, TL_FLOATS)
  TL_COSTLY_B(Heaviside, TL_NUMBERS)
  TL_COSTLY_B(IsClose, TL_NUMBERS)
  TL_COSTLY_B(LogAddExp, float)
  TL_COSTLY_B(LogAddExp2, float)
  TL_COSTLY_B(Xlogy, float)
  TL_COSTLY_B(SigmoidBackward, TL_FLOATS)
  TL_COSTLY_B(TanhBackward, TL_FLOATS)
  TL_COSTLY_B(ThresholdBackward, TL_NUMBERS)
  TL_COSTLY_B(LeakyReluBackward, TL_FLOATS)
  TL_COSTLY_B(HardtanhBackward, TL_FLOATS)
  TL_COSTLY_B(HardsigmoidBackward, TL_FLOATS)
  TL_COSTLY_B(HardswishBackward, TL_FLOATS)
  TL_COSTLY_B(ShrinkBackward, TL_FLOATS)
  TL_COSTLY_B(EluBackward, float)
  TL_COSTLY_B(GeluBackward, float)
  TL_COSTLY_B(GeluTanhBackward, float)
  TL_COSTLY_B(SiluBackward, float)
  TL_COSTLY_B(SoftplusBackward, float)
  put_where<TL_ALL>();
  put_ternary<scalar::ClampTensor, TL_NUMBERS>(Pointwise::ClampTensor);
  put_ternary<scalar::Addcmul, TL_NUMBERS>(Pointwise::Addcmul);
  put_ternary<scalar::Addcdiv, TL_FLOATS>(Pointwise::Addcdiv);
  put_ternary<scalar::Lerp, TL_FLOATS>(Pointwise::Lerp);
}

void fill_unary() {
  TL_U(Neg, TL_NUMBERS)
  TL_U(Abs, TL_NUMBERS)
  TL_U(Square, TL_NUMBERS)
  TL_U(Cube, TL_NUMBERS)
  TL_U(Sign, TL_NUMBERS)
  TL_U(LogicalNot, TL_ALL)
  TL_U(BitNot, uint8_t, int32_t, int64_t)
  TL_U(Relu, TL_NUMBERS)
  TL_U(Clamp, TL_NUMBERS)
  TL_U(ClampMin, TL_NUMBERS)
  TL_U(ClampMax, TL_NUMBERS)
  TL_U(Threshold, TL_NUMBERS)
  TL_U(Sqrt, TL_FLOATS)
  TL_U(Rsqrt, TL_FLOATS)
  TL_U(Reciprocal, TL_FLOATS)
  TL_U(Floor, TL_FLOATS)
  TL_U(Ceil, TL_FLOATS)
  TL_U(Trunc, TL_FLOATS)
  TL_U(Round, TL_FLOATS)
  TL_U(RoundDecimals, TL_FLOATS)
  TL_U(Frac, TL_FLOATS)
  TL_U(IsNan, TL_FLOATS)
  TL_U(IsInf, TL_FLOATS)
  TL_U(IsFinite, TL_FLOATS)
  TL_U(IsPosInf, TL_FLOATS)
  TL_U(IsNegInf, TL_FLOATS)
  TL_U(NanToNum, TL_FLOATS)
  TL_U(LeakyRelu, TL_FLOATS)
  TL_U(Softshrink, TL_FLOATS)
  TL_U(Hardshrink, TL_FLOATS)
  TL_U(Hardsigmoid, TL_FLOATS)
  TL_U(Hardswish, TL_FLOATS)
  TL_COSTLY_U(Exp, float)
  TL_COSTLY_U(Exp2, float)
  TL_COSTLY_U(Expm1, float)
  TL_COSTLY_U(Log, float)
  TL_COSTLY_U(Log2, float)
  TL_COSTLY_U(Log10, float)
  TL_COSTLY_U(Log1p, float)
  TL_COSTLY_U(Tanh, float)
  TL_COSTLY_U(Sigmoid, float)
  TL_COSTLY_U(Erf, float)
  TL_COSTLY_U(Erfc, float)
#if defined(TL_ISA_avx512)
  put(Pointwise::Gelu, Dtype::Float32, gelu_by_table, 1, false, 8);
#else
  TL_COSTLY_U(Gelu, float)
#endif
  TL_COSTLY_U(GeluTanh, float)
  TL_COSTLY_U(Silu, float)
  TL_COSTLY_U(Softplus, float)
  TL_COSTLY_U(Elu, float)
  TL_COSTLY_U(Mish, float)
  TL_COSTLY_U(LogSigmoid, float)
  TL_COSTLY_U(Logit, float)
}

// Sine and cosine of huge arguments need the library's reduction.
template <template <class> class F, float (*kLibrary)(float)>
void trigonometric(void* to, const void* const* from, int64_t n, unsigned, const void* params) {
  const F<float> op{};
  auto* out = static_cast<float*>(to);
  auto* a = static_cast<const float*>(from[0]);
  for (int64_t at = 0; at < n; at += 256) {
    int64_t m = n - at < 256 ? n - at : 256;
    float in[256];
    __builtin_memcpy(in, a + at, size_t(m) * 4);
    int32_t huge = 0;
    for (int64_t i = 0; i < m; ++i) {
      out[at + i] = op(in[i]);
      huge |= !(fm::abs(in[i]) < fm::kTrigLimit);
    }
    if (!huge) continue;
    for (int64_t i = 0; i < m; ++i)
      if (!(fm::abs(in[i]) < fm::kTrigLimit)) out[at + i] = kLibrary(in[i]);
  }
}

}  // namespace

void fill_pointwise() {
  fill_pointwise_library();
  fill_binary();
  fill_unary();
  put(Pointwise::Sin, Dtype::Float32, trigonometric<scalar::Sin, ::sinf>, 1, false, 8);
  put(Pointwise::Cos, Dtype::Float32, trigonometric<scalar::Cos, ::cosf>, 1, false, 8);
  pointwise_kernels[int(DeviceType::CPU)] = {pointwise_supports, pointwise_run};
}

}  // namespace tl::cpu::TL_ISA
