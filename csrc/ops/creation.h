#pragma once

#include "ops/types.h"

namespace tl::ops {

// Where this thread's factories make tensors that are not told where.
TL_API Device default_device();
TL_API void set_default_device(Device d);

// The result of a factory: `out`, resized without a warning, or a new tensor.
TL_API Tensor factory(Ints size, const Out& out, OptDtype dtype, Dtype otherwise, OptDevice device);

TL_API Tensor empty(Ints size, const Out& out, OptDtype dtype, OptDevice device, OptFormat format = {});
TL_API Tensor empty_strided(Ints size, Ints stride, OptDtype dtype, OptDevice device);
TL_API Tensor zeros(Ints size, const Out& out, OptDtype dtype, OptDevice device);
TL_API Tensor ones(Ints size, const Out& out, OptDtype dtype, OptDevice device);
// Without a dtype the number's own decides: bool, int64, the default dtype, its complex twin.
TL_API Tensor full(Ints size, const Scalar& fill_value, const Out& out, OptDtype dtype, OptDevice device);
// A 0-dim tensor.
TL_API Tensor scalar_tensor(const Scalar& s, OptDtype dtype, OptDevice device);

TL_API Tensor arange(const Scalar& end, const Out& out, OptDtype dtype, OptDevice device);
TL_API Tensor arange_start(const Scalar& start, const Scalar& end, const Scalar& step, const Out& out, OptDtype dtype,
                           OptDevice device);
TL_API Tensor range(const Scalar& start, const Scalar& end, const Scalar& step, const Out& out, OptDtype dtype,
                    OptDevice device);
// Tensors that cannot stand for numbers: these raise.
TL_API Tensor linspace_tensors(const Tensor& start, const Tensor& end, int64_t steps, const Out& out, OptDtype dtype,
                               OptDevice device);
TL_API Tensor logspace_tensors(const Tensor& start, const Tensor& end, int64_t steps, double base, const Out& out,
                               OptDtype dtype, OptDevice device);
TL_API Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, const Out& out, OptDtype dtype,
                       OptDevice device);
TL_API Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, const Out& out,
                       OptDtype dtype, OptDevice device);
TL_API Tensor eye(int64_t n, OptInt m, const Out& out, OptDtype dtype, OptDevice device);
TL_API Tensor tril_indices(int64_t row, int64_t col, int64_t offset, OptDtype dtype, OptDevice device);
TL_API Tensor triu_indices(int64_t row, int64_t col, int64_t offset, OptDtype dtype, OptDevice device);

// Shape, strides, dtype and device of the input, as far as not asked for otherwise.
TL_API Tensor empty_like_op(const Tensor& input, OptDtype dtype, OptDevice device, OptFormat format = {});
TL_API Tensor zeros_like(const Tensor& input, OptDtype dtype = {}, OptDevice device = {}, OptFormat format = {});
TL_API Tensor ones_like(const Tensor& input, OptDtype dtype = {}, OptDevice device = {}, OptFormat format = {});
TL_API Tensor full_like(const Tensor& input, const Scalar& fill_value, OptDtype dtype = {}, OptDevice device = {},
                        OptFormat format = {});

// Dtype and device of the input.
TL_API Tensor new_empty(const Tensor& input, Ints size, OptDtype dtype, OptDevice device);
TL_API Tensor new_empty_strided(const Tensor& input, Ints size, Ints stride, OptDtype dtype, OptDevice device);
TL_API Tensor new_zeros(const Tensor& input, Ints size, OptDtype dtype, OptDevice device);
TL_API Tensor new_ones(const Tensor& input, Ints size, OptDtype dtype, OptDevice device);
TL_API Tensor new_full(const Tensor& input, Ints size, const Scalar& fill_value, OptDtype dtype, OptDevice device);

// `value` is a number or a 0-dim tensor.
TL_API Tensor fill(const Tensor& input, const Tensor& value, const Out& out);
TL_API Tensor zero(const Tensor& input, const Out& out);
// Writes a number everywhere, without the checks of a public operator. Raises when the dtype cannot hold it.
TL_API void fill_with(const Tensor& to, const Scalar& value);
// The C++ name in PyTorch's texts: "int64_t", "c10::Half".
TL_API const char* c_type_name(Dtype t);
// Raises unless the dtype can hold the number.
TL_API void check_fits(const Scalar& value, Dtype dtype);

}  // namespace tl::ops
