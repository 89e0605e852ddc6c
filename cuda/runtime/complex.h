#pragma once

#include "core/float_math.h"

// Complex numbers in kernels. Elementary functions of them are computed in float64, for complex64 too, where that keeps
// intermediate values from overflowing; the C library has none on a device. This file comes before core/scalar_ops.h,
// which finds the functions by name.

namespace tl::cuda {

// A complex number with the arithmetic that kernels use; laid out as std::complex.
template <class R>
struct alignas(2 * sizeof(R)) Complex {
  using value_type = R;
  R re, im;
  Complex() = default;
  TL_HOST_DEVICE Complex(R r, R i = 0) : re(r), im(i) {}
  TL_HOST_DEVICE R real() const { return re; }
  TL_HOST_DEVICE R imag() const { return im; }
  TL_HOST_DEVICE friend Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
  TL_HOST_DEVICE friend Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
  TL_HOST_DEVICE friend Complex operator-(Complex a) { return {-a.re, -a.im}; }
  TL_HOST_DEVICE friend Complex operator*(Complex a, Complex b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  // Scaled by the larger part of the divisor (Smith, 1962), so that squares do not overflow.
  TL_HOST_DEVICE friend Complex operator/(Complex a, Complex b) {
    R x = b.re < 0 ? -b.re : b.re, y = b.im < 0 ? -b.im : b.im;
    if (x >= y) {
      if (x == 0 && y == 0) return {a.re / x, a.im / y};
      R ratio = b.im / b.re, scale = R(1) / (b.re + b.im * ratio);
      return {(a.re + a.im * ratio) * scale, (a.im - a.re * ratio) * scale};
    }
    R ratio = b.re / b.im, scale = R(1) / (b.re * ratio + b.im);
    return {(a.re * ratio + a.im) * scale, (a.im * ratio - a.re) * scale};
  }
  TL_HOST_DEVICE friend bool operator==(Complex a, Complex b) { return a.re == b.re && a.im == b.im; }
  TL_HOST_DEVICE friend bool operator!=(Complex a, Complex b) { return !(a == b); }
};

}  // namespace tl::cuda

namespace tl::fm {

// Called, not inlined: they are long, and each is a part of several kernels.
#if defined(__CUDACC__)
#define TL_CALLED static __host__ __device__ __noinline__
#else
#define TL_CALLED [[maybe_unused]] static
#endif

using Wide = cuda::Complex<double>;

namespace wide {

// x * y where an x of zero wins over an infinite y.
TL_FN double times(double x, double y) { return x == 0 ? x : x * y; }
// Multiplication by the imaginary unit, and by minus it.
TL_FN Wide turn(Wide z) { return {-z.im, z.re}; }
TL_FN Wide turn_back(Wide z) { return {z.im, -z.re}; }

TL_CALLED Wide exp(Wide z) {
  if (z.im == 0) return {::exp(z.re), z.im};
  // In two factors, so that e^x overflows only where the result does.
  double x = z.re > 700 && z.re < 1500 ? z.re - 700 : z.re, size = ::exp(x), c = ::cos(z.im), s = ::sin(z.im);
  if (z.re == -__builtin_inf()) return {::copysign(0.0, c == c ? c : 1), ::copysign(0.0, s == s ? s : 1)};
  Wide r(size * c, size * s);
  constexpr double kExp700 = 1.0142320547350045e304;
  return x == z.re ? r : Wide(r.re * kExp700, r.im * kExp700);
}

TL_CALLED Wide log(Wide z) {
  double a = ::fabs(z.re), b = ::fabs(z.im), high = a > b ? a : b, low = a > b ? b : a;
  // Near the unit circle the digits lie in |z|^2 - 1.
  double size =
      high > 0.5 && high < 2 && low < 2 ? ::log1p((high - 1) * (high + 1) + low * low) / 2 : ::log(::hypot(a, b));
  return {size, ::atan2(z.im, z.re)};
}

TL_CALLED Wide sqrt(Wide z) {
  double a = ::fabs(z.re), b = ::fabs(z.im);
  if (b == __builtin_inf()) return {b, z.im};
  if (a == __builtin_inf())
    return z.re > 0 ? Wide(a, ::copysign(z.im == z.im ? 0.0 : z.im, z.im))
                    : Wide(z.im == z.im ? 0.0 : z.im, ::copysign(a, z.im));
  if (a == 0 && b == 0) return {0.0, z.im};
  // Scaled by an even power of two, away from overflow and from what lies below the normal range.
  double scale = a > 1e300 || b > 1e300 ? 0.25 : a < 1e-290 && b < 1e-290 ? 0x1p108 : 1.0;
  double back = scale == 0.25 ? 2.0 : scale == 1.0 ? 1.0 : 0x1p-54;
  a *= scale, b *= scale;
  double t = ::sqrt((a + ::hypot(a, b)) / 2), u = b / (2 * t);
  return z.re >= 0 ? Wide(t * back, ::copysign(u * back, z.im)) : Wide(u * back, ::copysign(t * back, z.im));
}

TL_CALLED Wide cosh(Wide z) { return {::cosh(z.re) * ::cos(z.im), times(::sin(z.im), ::sinh(z.re))}; }
TL_CALLED Wide sinh(Wide z) { return {times(::sinh(z.re), ::cos(z.im)), times(::sin(z.im), ::cosh(z.re))}; }

// This and the inverse functions after Kahan, "Branch cuts for complex elementary functions" (1987).
TL_CALLED Wide tanh(Wide z) {
  if (::fabs(z.re) > 20) {
    double tail = ::fabs(z.im) < __builtin_inf() ? 4 * ::sin(z.im) * ::cos(z.im) * ::exp(-2 * ::fabs(z.re)) : 0.0;
    return {::copysign(1.0, z.re), ::copysign(tail, tail != 0 ? tail : z.im)};
  }
  double t = ::tan(z.im), beta = 1 + t * t, s = ::sinh(z.re), rho = ::sqrt(1 + s * s), d = 1 + beta * s * s;
  return {beta * rho * s / d, t / d};
}

TL_CALLED Wide acos(Wide z) {
  Wide a = sqrt(Wide(1 - z.re, -z.im)), b = sqrt(Wide(1 + z.re, z.im));
  return {2 * ::atan2(a.re, b.re), ::asinh(b.re * a.im - b.im * a.re)};
}
TL_CALLED Wide asin(Wide z) {
  Wide a = sqrt(Wide(1 - z.re, -z.im)), b = sqrt(Wide(1 + z.re, z.im));
  return {::atan2(z.re, a.re * b.re - a.im * b.im), ::asinh(a.re * b.im - a.im * b.re)};
}
TL_CALLED Wide acosh(Wide z) {
  Wide a = sqrt(Wide(z.re - 1, z.im)), b = sqrt(Wide(z.re + 1, z.im));
  return {::asinh(a.re * b.re + a.im * b.im), 2 * ::atan2(a.im, b.re)};
}
TL_CALLED Wide atanh(Wide z) {
  double x = ::fabs(z.re), y = ::fabs(z.im);
  if (x > 1e150 || y > 1e150) {
    double size = ::hypot(x, y);
    return {::copysign(size < __builtin_inf() ? x / size / size : 0.0, z.re), ::copysign(1.57079632679489661923, z.im)};
  }
  double from_one = (1 - x) * (1 - x) + y * y;
  double re = from_one == 0 ? __builtin_inf() : ::log1p(4 * x / from_one) / 4;
  return {::copysign(re, z.re), ::copysign(::atan2(2 * y, (1 - x) * (1 + x) - y * y) / 2, z.im)};
}

TL_CALLED Wide expm1(Wide z) {
  double a = ::expm1(z.re), b = ::sin(z.im / 2), c = -2 * b * b;  // c = cos(z.im) - 1
  return {a * (c + 1) + c, times(::sin(z.im), a + 1)};
}
TL_CALLED Wide log1p(Wide z) { return {::log1p(z.re * (2 + z.re) + z.im * z.im) / 2, ::atan2(z.im, 1 + z.re)}; }

TL_FN Wide asinh(Wide z) { return turn_back(asin(turn(z))); }
TL_FN Wide atan(Wide z) { return turn_back(atanh(turn(z))); }
TL_FN Wide tan(Wide z) { return turn_back(tanh(turn(z))); }
TL_FN Wide sin(Wide z) { return turn_back(sinh(turn(z))); }
TL_FN Wide cos(Wide z) { return cosh(turn(z)); }
TL_FN Wide scaled(Wide z, double by) { return {z.re * by, z.im * by}; }
TL_FN Wide log2(Wide z) { return scaled(log(z), 1.44269504088896340736); }
TL_FN Wide log10(Wide z) { return scaled(log(z), 0.43429448190325182765); }
TL_FN Wide exp2(Wide z) { return exp(scaled(z, 0.69314718055994530942)); }
TL_FN Wide sigmoid(Wide z) { return Wide(1) / (Wide(1) + exp(-z)); }
TL_FN Wide pow(Wide z, Wide w) {
  if (z == Wide(0)) return w == Wide(0) ? Wide(1) : Wide(0);
  return exp(w * log(z));
}

}  // namespace wide

#define TL_COMPLEX(name)                                   \
  template <class R>                                       \
  TL_FN cuda::Complex<R> name(cuda::Complex<R> z) {        \
    Wide r = wide::name(Wide(double(z.re), double(z.im))); \
    return {R(r.re), R(r.im)};                             \
  }
TL_COMPLEX(exp)
TL_COMPLEX(exp2)
TL_COMPLEX(expm1)
TL_COMPLEX(log)
TL_COMPLEX(log2)
TL_COMPLEX(log10)
TL_COMPLEX(log1p)
TL_COMPLEX(sqrt)
TL_COMPLEX(sin)
TL_COMPLEX(cos)
TL_COMPLEX(tan)
TL_COMPLEX(asin)
TL_COMPLEX(acos)
TL_COMPLEX(atan)
TL_COMPLEX(sinh)
TL_COMPLEX(cosh)
TL_COMPLEX(tanh)
TL_COMPLEX(asinh)
TL_COMPLEX(acosh)
TL_COMPLEX(atanh)
TL_COMPLEX(sigmoid)
#undef TL_COMPLEX
#undef TL_CALLED

template <class R>
TL_FN cuda::Complex<R> pow(cuda::Complex<R> z, cuda::Complex<R> w) {
  Wide r = wide::pow(Wide(double(z.re), double(z.im)), Wide(double(w.re), double(w.im)));
  return {R(r.re), R(r.im)};
}
template <class R>
TL_FN R abs(cuda::Complex<R> z) {
  return hypot(z.re, z.im);
}
template <class R>
TL_FN R arg(cuda::Complex<R> z) {
  return atan2(z.im, z.re);
}
template <class R>
TL_FN cuda::Complex<R> conj(cuda::Complex<R> z) {
  return {z.re, -z.im};
}

}  // namespace tl::fm
