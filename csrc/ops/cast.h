#pragma once

#include "ops/types.h"

namespace tl::ops {

// Copies `src`, broadcast and converted, into `input`. `out` is `input`.
TL_API Tensor copy(const Tensor& input, const Tensor& src, bool non_blocking, const Out& out);
// The same without the checks of a public operator: same sizes, `to` may be written.
// With `non_blocking` a copy between pinned memory and a device may still be under way when this returns.
TL_API void copy_into(const Tensor& to, const Tensor& from, bool non_blocking = false);

// A fresh tensor of this dtype and device; strides are kept when the input is dense, else their order is, unless a
// memory format is asked for.
TL_API Tensor to_copy(const Tensor& input, OptDtype dtype, OptDevice device, bool non_blocking, OptFormat format = {});
// The same, but the input itself where nothing changes and `copy` is not asked for.
TL_API Tensor to(const Tensor& input, OptDtype dtype, OptDevice device, bool non_blocking, bool copy,
                 OptFormat format = {});
TL_API Tensor to_dtype(const Tensor& input, Dtype dtype, bool non_blocking, bool copy, OptFormat format = {});
TL_API Tensor to_device(const Tensor& input, Device device, OptDtype dtype, bool non_blocking, bool copy,
                        OptFormat format);
TL_API Tensor to_other(const Tensor& input, const Tensor& other, bool non_blocking, bool copy, OptFormat format);
TL_API Tensor type_as(const Tensor& input, const Tensor& other);

// x.float() and its kin
template <Dtype dtype>
Tensor to_fixed(const Tensor& input, OptFormat format) {
  return to(input, dtype, std::nullopt, false, false, format);
}
inline Tensor cpu(const Tensor& input, OptFormat format) {
  return to(input, std::nullopt, Device{}, false, false, format);
}

TL_API Tensor clone(const Tensor& input, OptFormat format = {});
// The input itself when it is row-major (or lies as the format has it), else such a copy.
TL_API Tensor contiguous(const Tensor& input, OptFormat format = {});
TL_API Tensor contiguous_copy(const Tensor& input);
// Uninitialised memory shaped and laid out like the input.
TL_API Tensor empty_like(const Tensor& input, Dtype dtype, Device device, OptFormat format = {});

}  // namespace tl::ops
