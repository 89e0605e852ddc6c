#pragma once

#include "core/scalar.h"
#include "kernels/index.h"
#include "kernels/shape.h"
#include "runtime/report.h"
#include "runtime/workspace.h"

// Shared by the files of the index family.

namespace tl::cuda {

// Dims that up to three operands are stepped through, added from the innermost outwards. Neighbours that all operands
// step through evenly become one.
struct Loops : Plan {
  Loops() : Plan() { numel = 1; }

  void add(int64_t size, int64_t a, int64_t b, int64_t c = 0) {
    numel *= size;
    if (size == 1) return;
    int64_t step[3] = {a, b, c};
    if (int n = ndim) {
      bool even = true;
      for (int i = 0; i < 3; ++i) even = even && step[i] == strides[i][n - 1] * sizes[n - 1];
      if (even) {
        sizes[n - 1] *= size;
        return;
      }
    }
    check(ndim < kPlanDims, "indexing in more than ", kPlanDims, " nested loops is not supported");
    sizes[ndim] = size;
    for (int i = 0; i < 3; ++i) strides[i][ndim] = step[i];
    ++ndim;
  }

  // Elements of `item` bytes that lie in a row in both operands are moved as wider words, as far as addresses and steps
  // (the bits in `low`) allow; the width of a word.
  int64_t widen(int64_t item, uint64_t low) {
    if (ndim == 0 || strides[0][0] != item || strides[1][0] != item || strides[2][0] != 0) return item;
    low |= uint64_t(sizes[0] * item) | 16;
    for (int d = 1; d < ndim; ++d) low |= uint64_t(strides[0][d]) | uint64_t(strides[1][d]);
    int64_t width = int64_t(low & -low);
    if (width <= item) return item;
    sizes[0] /= width / item;
    numel /= width / item;
    strides[0][0] = strides[1][0] = width;
    return width;
  }

  // After the last dim: whether 32 bits hold every offset.
  void close() {
    if (ndim == 0) {
      ndim = 1;
      sizes[0] = 1;
      for (auto& s : strides) s[0] = 0;
    }
    index32 = numel < INT32_MAX;
    for (int i = 0; i < 3; ++i) {
      int64_t reach = 16;
      for (int d = 0; d < ndim; ++d) {
        index32 = index32 && strides[i][d] >= 0;
        reach += (sizes[d] - 1) * strides[i][d];
      }
      index32 = index32 && reach < INT32_MAX;
    }
  }
};

// The index at place i of the data, or -1 where it lies outside of `limit`, which is reported.
TL_DEVICE int64_t checked_index(const char* index, int64_t i, int64_t limit, const Report& report) {
  int64_t k = *reinterpret_cast<const int64_t*>(index);
  if (uint64_t(k) < uint64_t(limit)) return k;
  report(k, i);
  return -1;
}

// f(Word()) with a type of so many bytes, for moves of elements as they are.
template <class F>
void with_word(int64_t bytes, F f) {
  switch (bytes) {
    case 1:
      return f(uint8_t());
    case 2:
      return f(uint16_t());
    case 4:
      return f(uint32_t());
    case 8:
      return f(uint64_t());
    default:
      return f(Pack<uint64_t, 2>());
  }
}

// f(A()) with the type that numbers of this dtype are combined in: float for halves, int64_t for bools and integers.
template <class F>
void with_number(Dtype t, F f) {
  switch (t) {
    case Dtype::Float16:
    case Dtype::BFloat16:
    case Dtype::Float32:
      return f(float());
    case Dtype::Float64:
      return f(double());
    case Dtype::Complex64:
      return f(Complex<float>());
    case Dtype::Complex128:
      return f(Complex<double>());
    default:
      return f(int64_t());
  }
}
template <class A>
TL_DEVICE A load_number(const void* p, Dtype t) {
  if constexpr (std::is_same_v<A, float>) {
    if (t == Dtype::Float32) return *static_cast<const float*>(p);
    return t == Dtype::Float16 ? float(*static_cast<const Half*>(p)) : float(*static_cast<const BFloat16*>(p));
  } else if constexpr (std::is_same_v<A, int64_t>) {
    switch (t) {
      case Dtype::Int64:
        return *static_cast<const int64_t*>(p);
      case Dtype::Int32:
        return *static_cast<const int32_t*>(p);
      case Dtype::Int16:
        return *static_cast<const int16_t*>(p);
      case Dtype::Int8:
        return *static_cast<const int8_t*>(p);
      case Dtype::UInt8:
        return *static_cast<const uint8_t*>(p);
      default:
        return *static_cast<const uint8_t*>(p) != 0;
    }
  } else {
    return *static_cast<const A*>(p);
  }
}
template <class A>
TL_DEVICE void store_number(void* p, Dtype t, A v) {
  if constexpr (std::is_same_v<A, float>) {
    if (t == Dtype::Float32)
      *static_cast<float*>(p) = v;
    else if (t == Dtype::Float16)
      *static_cast<Half*>(p) = Half(v);
    else
      *static_cast<BFloat16*>(p) = BFloat16(v);
  } else if constexpr (std::is_same_v<A, int64_t>) {
    switch (t) {
      case Dtype::Int64:
        *static_cast<int64_t*>(p) = v;
        return;
      case Dtype::Int32:
        *static_cast<int32_t*>(p) = int32_t(v);
        return;
      case Dtype::Int16:
        *static_cast<int16_t*>(p) = int16_t(v);
        return;
      case Dtype::Int8:
      case Dtype::UInt8:
        *static_cast<uint8_t*>(p) = uint8_t(v);
        return;
      default:
        *static_cast<bool*>(p) = v != 0;
        return;
    }
  } else {
    *static_cast<A*>(p) = v;
  }
}

// index_scatter.cu
void scatter(const AlongArgs& a);
void scatter_rows(const RowsArgs& a);
void accumulate(const AccumulateArgs& a);

}  // namespace tl::cuda
