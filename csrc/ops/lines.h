#pragma once

// Shared by the families that work along the lines of one dim.

#include "core/plan.h"
#include "ops/cast.h"
#include "ops/elementwise.h"

namespace tl::ops {

// Sizes around a dim of a row-major tensor; a 0-dim tensor is a line of one.
struct Lines {
  int64_t outer = 1, n = 1, inner = 1;
  Lines(Ints sizes, int64_t dim) {
    for (int64_t d = 0; d < int64_t(sizes.size()); ++d) (d < dim ? outer : d == dim ? n : inner) *= sizes[size_t(d)];
  }
};

// The sizes with another one at `dim`, or without it.
inline Dims with_size(Ints sizes, int64_t dim, int64_t n) {
  Dims result(sizes);
  if (!sizes.empty()) result[size_t(dim)] = n;
  return result;
}
inline Dims reduced(Ints sizes, int64_t dim, bool keepdim) {
  Dims result = with_size(sizes, dim, 1);
  if (!keepdim && !sizes.empty()) result.erase(size_t(dim));
  return result;
}

inline bool share_memory(const Tensor& a, const Tensor& b) { return a.impl()->storage == b.impl()->storage; }

// Where a row-major result goes: `out` if it lies so and shares no memory with what is read, else fresh memory that
// `finish` copies over. `out` may be undefined.
inline Tensor prepare(const Tensor& out, Ints sizes, Dtype dtype, const Tensor& read) {
  if (!out.defined()) return empty(sizes, dtype, read.device());
  resize_output(out, sizes, read.device());
  check_no_internal_overlap(out);
  return out.is_contiguous() && !share_memory(out, read) ? out : empty(sizes, dtype, read.device());
}
inline Tensor finish(const Tensor& result, const Tensor& out) {
  if (!out.defined() || result.is(out)) return result;
  copy_into(out, result);
  return out;
}

// `out=` of an operator with two results.
struct OutPair {
  Tensor first, second;
  OutPair(TensorSpan out) {
    if (out.empty()) return;
    check<TypeError>(out.size() == 2, "expected tuple of 2 elements but got ", out.size());
    first = out[0];
    second = out[1];
  }
  bool defined() const { return first.defined(); }
};

inline const char* plain_type_name(Dtype t) {
  switch (t) {
    case Dtype::Float32:
      return "float";
    case Dtype::Float64:
      return "double";
    case Dtype::Int64:
      return "long int";
    case Dtype::Int32:
      return "int";
    default:
      return name(t);
  }
}
inline void check_out_dtype(const Tensor& out, Dtype dtype) {
  check(!out.defined() || out.dtype() == dtype, "Expected out tensor to have dtype ", plain_type_name(dtype),
        ", but got ", out.defined() ? plain_type_name(out.dtype()) : "", " instead");
}

}  // namespace tl::ops
