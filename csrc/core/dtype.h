#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>

#include "core/export.h"
#include "core/half.h"

namespace tl {

enum class Dtype : uint8_t {
  Bool,
  UInt8,
  Int8,
  Int16,
  Int32,
  Int64,
  Float16,
  BFloat16,
  Float32,
  Float64,
  Complex64,
  Complex128,
};
inline constexpr int kDtypes = 12;

namespace detail {
inline constexpr uint8_t itemsizes[kDtypes] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
}

inline constexpr size_t itemsize(Dtype t) { return detail::itemsizes[int(t)]; }
inline constexpr bool is_integral(Dtype t) { return t <= Dtype::Int64; }  // bool included
inline constexpr bool is_floating(Dtype t) { return t >= Dtype::Float16 && t <= Dtype::Float64; }
inline constexpr bool is_complex(Dtype t) { return t >= Dtype::Complex64; }
inline constexpr bool is_half(Dtype t) { return t == Dtype::Float16 || t == Dtype::BFloat16; }
inline constexpr bool is_differentiable(Dtype t) { return t >= Dtype::Float16; }

// "float32"
TL_API const char* name(Dtype t);
// "Float", the name that stands in error texts and in FloatTensor
TL_API const char* type_name(Dtype t);
// The dtype that two tensors of these dtypes and of the same category rank promote to.
TL_API Dtype promote(Dtype a, Dtype b);
TL_API bool can_cast(Dtype from, Dtype to);
// The real dtype of a complex one (complex64 -> float32), and back.
TL_API Dtype to_real(Dtype t);
TL_API Dtype to_complex(Dtype t);

TL_API Dtype default_dtype();
TL_API void set_default_dtype(Dtype t);

using complex64 = std::complex<float>;
using complex128 = std::complex<double>;

template <class T>
struct DtypeOf;
#define TL_FOR_EACH_DTYPE(X)        \
  X(bool, Bool)                     \
  X(uint8_t, UInt8)                 \
  X(int8_t, Int8)                   \
  X(int16_t, Int16)                 \
  X(int32_t, Int32)                 \
  X(int64_t, Int64)                 \
  X(::tl::Half, Float16)            \
  X(::tl::BFloat16, BFloat16)       \
  X(float, Float32)                 \
  X(double, Float64)                \
  X(std::complex<float>, Complex64) \
  X(std::complex<double>, Complex128)
#define TL_DTYPE_OF(type, tag)                 \
  template <>                                  \
  struct DtypeOf<type> {                       \
    static constexpr Dtype value = Dtype::tag; \
  };
TL_FOR_EACH_DTYPE(TL_DTYPE_OF)
#undef TL_DTYPE_OF

// visit(dtype, [&]<class T>() { ... }) calls the lambda with the C++ type of the dtype.
template <class F>
decltype(auto) visit(Dtype t, F&& f) {
  switch (t) {
#define TL_CASE(type, tag) \
  case Dtype::tag:         \
    return f.template operator()<type>();
    TL_FOR_EACH_DTYPE(TL_CASE)
#undef TL_CASE
  }
  __builtin_unreachable();
}

}  // namespace tl
