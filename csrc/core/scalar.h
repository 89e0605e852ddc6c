#pragma once

#include <complex>

#include "core/dtype.h"

namespace tl {

// A Python number: bool, int, float or complex.
struct Scalar {
  enum class Kind : uint8_t { Bool, Int, Float, Complex };
  Kind kind;
  union {
    int64_t i;
    double d;
  };
  double imag = 0;

  Scalar(bool v) : kind(Kind::Bool), i(v) {}
  Scalar(int v) : kind(Kind::Int), i(v) {}
  Scalar(int64_t v) : kind(Kind::Int), i(v) {}
  Scalar(double v) : kind(Kind::Float), d(v) {}
  Scalar(std::complex<double> v) : kind(Kind::Complex), d(v.real()), imag(v.imag()) {}

  bool is_integral() const { return kind <= Kind::Int; }
  bool is_float() const { return kind == Kind::Float; }
  bool is_complex() const { return kind == Kind::Complex; }
  // The dtype a tensor of this number has: bool, int64, the default dtype, its complex twin.
  Dtype dtype() const {
    return kind == Kind::Bool    ? Dtype::Bool
           : kind == Kind::Int   ? Dtype::Int64
           : kind == Kind::Float ? default_dtype()
                                 : to_complex(default_dtype());
  }
  template <class T>
  T to() const {
    if constexpr (std::is_same_v<T, complex64> || std::is_same_v<T, complex128>) {
      using R = typename T::value_type;
      return T(R(to<double>()), R(imag));
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      return T(float(to<double>()));
    } else if constexpr (std::is_same_v<T, bool>) {
      return is_integral() ? i != 0 : (d != 0 || imag != 0);
    } else {
      return is_integral() ? T(i) : T(d);
    }
  }
};

}  // namespace tl
