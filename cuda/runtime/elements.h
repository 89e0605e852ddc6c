#pragma once

#include "core/dtype.h"
#include "runtime/complex.h"
#include "runtime/device.h"

// Elements of tensors in kernels: the types that kernels compute in, and reads and writes that convert. What a
// conversion gives is what csrc/cpu/cast.cpp has it give. The host converts with them too: nvcc lets a template of the
// host call a function of the device, and ends the process there.

namespace tl::cuda {

template <class T>
inline constexpr bool is_complex_type = false;
template <class R>
inline constexpr bool is_complex_type<Complex<R>> = true;

// The dtype that a kernel's type stands for.
template <class T>
inline constexpr Dtype dtype_of = DtypeOf<T>::value;
template <>
inline constexpr Dtype dtype_of<Complex<float>> = Dtype::Complex64;
template <>
inline constexpr Dtype dtype_of<Complex<double>> = Dtype::Complex128;

// What sums and products of elements are computed in.
template <class T>
struct SumOf {
  using type = T;
};
template <>
struct SumOf<Half> {
  using type = float;
};
template <>
struct SumOf<BFloat16> {
  using type = float;
};
template <class T>
using Sum = typename SumOf<T>::type;

// Calls f with a zero of the dtype, a floating one.
template <class F>
void with_floating(Dtype t, F f) {
  switch (t) {
    case Dtype::Float16:
      return f(Half());
    case Dtype::BFloat16:
      return f(BFloat16());
    case Dtype::Float64:
      return f(double());
    default:
      return f(float());
  }
}

// A float outside of the integer's range becomes its lowest value.
template <class To, class From>
TL_INLINE To float_to_int(From x) {
  constexpr From limit = sizeof(To) == 8 ? From(9223372036854775808.0) : From(2147483648.0);
  if constexpr (sizeof(To) == 8)
    return To(int64_t(x >= -limit && x < limit ? x : -limit));
  else if constexpr (sizeof(From) == 8)
    return To(int32_t(x > -limit - 1 && x < limit ? x : -limit));
  else
    return To(int32_t(x >= -limit && x < limit ? x : -limit));
}

template <class T>
inline constexpr bool is_floating_type = false;
template <>
inline constexpr bool is_floating_type<float> = true;
template <>
inline constexpr bool is_floating_type<double> = true;
template <class T>
inline constexpr bool is_half_type = false;
template <>
inline constexpr bool is_half_type<Half> = true;
template <>
inline constexpr bool is_half_type<BFloat16> = true;

template <class T>
inline constexpr bool is_bool_type = false;
template <>
inline constexpr bool is_bool_type<bool> = true;

template <class To, class From>
TL_INLINE To convert(From x) {
  if constexpr (is_half_type<From>) {
    return convert<To>(widen(x));
  } else if constexpr (is_complex_type<To>) {
    using R = typename To::value_type;
    if constexpr (is_complex_type<From>)
      return To(R(x.re), R(x.im));
    else
      return To(convert<R>(x), R(0));
  } else if constexpr (is_complex_type<From>) {
    if constexpr (is_bool_type<To>)
      return x.re != 0 || x.im != 0;
    else
      return convert<To>(x.re);
  } else if constexpr (is_half_type<To>) {
    return narrow<To>(float(x));
  } else if constexpr (is_bool_type<To>) {
    return x != From(0);
  } else if constexpr (is_floating_type<From> && !is_floating_type<To>) {
    return float_to_int<To>(x);
  } else {
    return To(x);
  }
}

#define TL_STORED_INTEGERS(X) \
  X(uint8_t, UInt8)           \
  X(int8_t, Int8)             \
  X(int16_t, Int16)           \
  X(int32_t, Int32)           \
  X(int64_t, Int64)
#define TL_STORED_FLOATS(X) \
  X(Half, Float16)          \
  X(BFloat16, BFloat16)     \
  X(float, Float32)         \
  X(double, Float64)
#define TL_STORED_COMPLEX(X)   \
  X(Complex<float>, Complex64) \
  X(Complex<double>, Complex128)
#define TL_STORED(X)    \
  TL_STORED_INTEGERS(X) \
  TL_STORED_FLOATS(X)   \
  TL_STORED_COMPLEX(X)

// Conversions that promotion rules out are not among those below: they would be code that never runs. A kernel cannot
// raise, so that its host asks `reads` and `takes` first; the emulator raises.
TL_INLINE void ruled_out() {
#if !defined(__CUDACC__)
  emulator::fail_thread("converts from or to a dtype that promotion rules out", {nullptr, 0});
#endif
}
template <class T>
constexpr bool reads(Dtype t) {
  return is_complex_type<T> || (is_floating_type<T> ? !is_complex(t) : is_integral(t));
}
template <class T>
constexpr bool takes(Dtype t) {
  return is_complex_type<T> ? is_complex(t) : !is_floating_type<T> || !is_integral(t);
}

// The element at `p`, stored as `t`, as a T: of a dtype that promotes to T's category.
template <class T>
TL_INLINE T load_as(const void* p, Dtype t) {
#define TL_CASE(S, tag) \
  case Dtype::tag:      \
    return convert<T>(*static_cast<const S*>(p));
  if constexpr (is_complex_type<T>) {
    switch (t) {
      TL_STORED(TL_CASE)
      default:
        break;
    }
  } else if constexpr (is_floating_type<T>) {
    switch (t) {
      TL_STORED_INTEGERS(TL_CASE)
      TL_STORED_FLOATS(TL_CASE)
      default:
        break;
    }
  } else {
    switch (t) {
      TL_STORED_INTEGERS(TL_CASE)
      default:
        break;
    }
  }
#undef TL_CASE
  if (t != Dtype::Bool) ruled_out();
  return convert<T>(uint8_t(*static_cast<const uint8_t*>(p) != 0));
}

#define TL_CASE(S, tag)                  \
  case Dtype::tag:                       \
    *static_cast<S*>(p) = convert<S>(v); \
    return;
template <class T>
TL_INLINE void store_as(void* p, Dtype t, T v) {
  switch (t) {
    TL_STORED(TL_CASE)
    case Dtype::Bool:
      break;
  }
  *static_cast<bool*>(p) = convert<bool>(v);
}
// `t` is of T's category or one that it promotes to: where a result goes, `out=` too.
template <class T>
TL_INLINE void store_result(void* p, Dtype t, T v) {
  if constexpr (is_complex_type<T>) {
    switch (t) {
      TL_STORED_COMPLEX(TL_CASE)
      default:
        ruled_out();
    }
  } else if constexpr (is_floating_type<T>) {
    switch (t) {
      TL_STORED_FLOATS(TL_CASE)
      TL_STORED_COMPLEX(TL_CASE)
      default:
        ruled_out();
    }
  } else {
    store_as(p, t, v);
  }
}
#undef TL_CASE

}  // namespace tl::cuda
