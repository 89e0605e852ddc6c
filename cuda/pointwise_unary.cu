#include "pointwise_loops.h"

namespace tl::cuda {
namespace {

// Arguments beyond the reach of the short reduction go to the library's.
#define TL_TRIGONOMETRIC(Name, function)                                            \
  template <class T>                                                                \
  struct Name : scalar::Params<T> {                                                 \
    TL_HOST_DEVICE T operator()(T a) const {                                        \
      if constexpr (sizeof(T) == 4)                                                 \
        return fm::abs(a) < fm::kTrigLimit ? fm::function(a) : T(::function##f(a)); \
      else                                                                          \
        return fm::function(a);                                                     \
    }                                                                               \
  };
TL_TRIGONOMETRIC(Sin, sin)
TL_TRIGONOMETRIC(Cos, cos)

}  // namespace

void fill_pointwise_unary() {
  TL_U(Neg, TL_NUMBERS)
  TL_U(Abs, TL_NUMBERS)
  TL_U(Square, TL_NUMBERS)
  TL_U(Cube, TL_NUMBERS)
  TL_U(Sign, TL_NUMBERS)
  TL_U(Sgn, TL_NUMBERS)
  TL_U(Clamp, TL_NUMBERS)
  TL_U(ClampMin, TL_NUMBERS)
  TL_U(ClampMax, TL_NUMBERS)
  TL_U(Sqrt, TL_FLOATS)
  TL_U(Rsqrt, TL_FLOATS)
  TL_U(Reciprocal, TL_FLOATS)
  TL_U(Floor, TL_FLOATS)
  TL_U(Ceil, TL_FLOATS)
  TL_U(Trunc, TL_FLOATS)
  TL_U(Round, TL_FLOATS)
  TL_U(RoundDecimals, TL_FLOATS)
  TL_U(Frac, TL_FLOATS)
  TL_U(Angle, TL_FLOATS)
  TL_U(NanToNum, TL_FLOATS)
  TL_U(Exp, TL_FLOATS)
  TL_U(Exp2, TL_FLOATS)
  TL_U(Expm1, TL_FLOATS)
  TL_U(Log, TL_FLOATS)
  TL_U(Log2, TL_FLOATS)
  TL_U(Log10, TL_FLOATS)
  TL_U(Log1p, TL_FLOATS)
  put<Sin, 1, false, TL_FLOATS>(Pointwise::Sin);
  put<Cos, 1, false, TL_FLOATS>(Pointwise::Cos);
  TL_U(Tan, TL_FLOATS)
  TL_U(Asin, TL_FLOATS)
  TL_U(Acos, TL_FLOATS)
  TL_U(Atan, TL_FLOATS)
  TL_U(Sinh, TL_FLOATS)
  TL_U(Cosh, TL_FLOATS)
  TL_U(Tanh, TL_FLOATS)
  TL_U(Asinh, TL_FLOATS)
  TL_U(Acosh, TL_FLOATS)
  TL_U(Atanh, TL_FLOATS)
  TL_U(Logit, TL_FLOATS)
  TL_U(Erf, TL_FLOATS)
  TL_U(Erfc, TL_FLOATS)
  TL_U(Erfinv, TL_FLOATS)
  TL_U(Lgamma, TL_FLOATS)
  TL_U(Digamma, TL_FLOATS)
}

}  // namespace tl::cuda
