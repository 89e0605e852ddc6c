#pragma once

// Shared by the files of the index family.

#include "core/plan.h"
#include "kernels/index.h"
#include "ops/cast.h"
#include "ops/index.h"
#include "ops/same_device.h"

namespace tl::ops::indexing {

inline const IndexKernels& kernels(const Tensor& t) { return index_kernels[int(t.device().type)]; }

inline Dims bytes(Ints strides, size_t itemsize) {
  Dims result(strides);
  for (int64_t& s : result) s *= int64_t(itemsize);
  return result;
}

inline const char* lower_type_name(Dtype t) {
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

// Where an operator that changes a copy of `input` writes: input itself (in place), `out`, or a fresh copy.
inline Tensor begin_write(const Tensor& input, const Out& out, bool keep_layout = false) {
  if (out.inplace) {
    check_no_internal_overlap(out.tensor);
    return out.tensor;
  }
  if (!out.defined()) return keep_layout ? clone(input) : contiguous_copy(input);
  check(out.tensor.dtype() == input.dtype(), "Expected out tensor to have dtype ", lower_type_name(input.dtype()),
        ", but got ", lower_type_name(out.tensor.dtype()), " instead");
  resize_output(out.tensor, input.sizes(), input.device());
  check_no_internal_overlap(out.tensor);
  copy_into(out.tensor, input);
  return out.tensor;
}

// Where an operator with a result of these sizes writes: `out` when it is row-major and does not share memory with what
// is read, else fresh memory that `end_write` copies over.
inline Tensor begin_result(const char* op, Ints sizes, Dtype dtype, Device device, const Out& out,
                           std::initializer_list<const Tensor*> read) {
  if (!out.defined()) return empty(sizes, dtype, device);
  check(out.tensor.dtype() == dtype, op, "(): self and result must have the same scalar type, but got ", name(dtype),
        " and ", name(out.tensor.dtype()));
  check_no_internal_overlap(out.tensor);
  resize_output(out.tensor, sizes, device);
  bool shares = false;
  for (const Tensor* t : read) {
    check_no_overlap(out.tensor, *t);
    shares |= t->impl()->storage == out.tensor.impl()->storage;
  }
  if (out.tensor.is_contiguous() && !shares) return out.tensor;
  return empty(sizes, dtype, device);
}
inline Tensor end_write(const Tensor& result, const Out& out) {
  if (!out.defined() || result.is(out.tensor)) return result;
  copy_into(out.tensor, result);
  return out.tensor;
}

// A tensor that shares no memory with `written`.
inline Tensor apart(const Tensor& read, const Tensor& written) {
  return read.impl()->storage == written.impl()->storage ? clone(read) : read;
}

// Byte offsets of rows, in memory of the device, all multiples of `unit`.
struct Offsets {
  Tensor at;
  int64_t unit = 0;
};

// The sides of a rows kernel: dims before, the row's own dims, strides in elements of both sides.
struct RowDims {
  Dims outer, outer_dst, outer_src, inner, inner_dst, inner_src;
  void to_bytes(size_t itemsize) {
    for (Dims* d : {&outer_dst, &outer_src, &inner_dst, &inner_src})
      for (int64_t& s : *d) s *= int64_t(itemsize);
  }
  RowsArgs args(const Tensor& dst, const Tensor& src, const Offsets& offsets, int64_t step) const {
    int64_t span = 1;
    for (int64_t d = 0; d < dst.dim(); ++d) span += (dst.size(d) - 1) * dst.stride(d);
    return {dst.data_as<char>(),
            src.data_as<char>(),
            offsets.at.data_as<int64_t>(),
            offsets.at.numel(),
            step * int64_t(dst.itemsize()),
            int64_t(outer.size()),
            outer.data(),
            outer_dst.data(),
            outer_src.data(),
            int64_t(inner.size()),
            inner.data(),
            inner_dst.data(),
            inner_src.data(),
            dst.dtype(),
            ScatterMode::Assign,
            Scalar(1),
            offsets.unit,
            span * int64_t(dst.itemsize())};
  }
};

// The byte offsets of indices into a dim.
inline Offsets row_offsets(const Tensor& index, int64_t limit, int64_t stride, bool wrap, const DataError& error,
                           int64_t skip = -1) {
  Offsets offsets{empty({index.numel()}, Dtype::Int64, index.device()), stride};
  Dims strides = bytes(index.strides(), index.itemsize());
  kernel(kernels(index).offsets, "index",
         index.device())({offsets.at.data_as<int64_t>(), true, wrap, index.data_as<char>(), index.dtype(), index.dim(),
                          index.sizes().data(), strides.data(), limit, stride, skip, error});
  return offsets;
}

}  // namespace tl::ops::indexing
