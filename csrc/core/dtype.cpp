#include "core/dtype.h"

#include "core/error.h"

namespace tl {
namespace {

constexpr const char* names[kDtypes] = {"bool",    "uint8",    "int8",    "int16",   "int32",     "int64",
                                        "float16", "bfloat16", "float32", "float64", "complex64", "complex128"};
constexpr const char* type_names[kDtypes] = {"Bool", "Byte",     "Char",  "Short",  "Int",          "Long",
                                             "Half", "BFloat16", "Float", "Double", "ComplexFloat", "ComplexDouble"};
Dtype default_dtype_ = Dtype::Float32;

Dtype promote_integers(Dtype a, Dtype b) {
  if (a > b) std::swap(a, b);
  // uint8 with a signed type needs one that holds both.
  if (a == Dtype::UInt8 && b == Dtype::Int8) return Dtype::Int16;
  return b;
}

Dtype promote_floats(Dtype a, Dtype b) {
  if (a > b) std::swap(a, b);
  if (a == Dtype::Float16 && b == Dtype::BFloat16) return Dtype::Float32;
  return b;
}

}  // namespace

const char* name(Dtype t) { return names[int(t)]; }
const char* type_name(Dtype t) { return type_names[int(t)]; }

Dtype to_real(Dtype t) { return t == Dtype::Complex64 ? Dtype::Float32 : t == Dtype::Complex128 ? Dtype::Float64 : t; }

Dtype to_complex(Dtype t) {
  return t == Dtype::Float64 || t == Dtype::Complex128 ? Dtype::Complex128 : Dtype::Complex64;
}

Dtype promote(Dtype a, Dtype b) {
  if (a == b) return a;
  if (is_complex(a) || is_complex(b)) {
    bool wide = a == Dtype::Complex128 || b == Dtype::Complex128 || a == Dtype::Float64 || b == Dtype::Float64;
    return wide ? Dtype::Complex128 : Dtype::Complex64;
  }
  if (is_floating(a) && is_floating(b)) return promote_floats(a, b);
  if (is_floating(a)) return a;
  if (is_floating(b)) return b;
  return promote_integers(a, b);
}

bool can_cast(Dtype from, Dtype to) {
  if (is_complex(from)) return is_complex(to);
  if (is_floating(from)) return !is_integral(to);
  return from == Dtype::Bool || to != Dtype::Bool;
}

Dtype default_dtype() { return default_dtype_; }

void set_default_dtype(Dtype t) {
  check<TypeError>(is_floating(t), "only floating-point types are supported as the default type. It cannot be ",
                   name(t));
  default_dtype_ = t;
}

}  // namespace tl
