#pragma once

#include "ops/types.h"

// What changes a tensor's shape and moves its elements. The first group are views: they share memory with `input` and
// have PyTorch's strides exactly, in dims of size 0 and 1 too. Operators made of these live in composite/shape.h.

namespace tl::ops {

TL_API Tensor view(const Tensor& input, Ints size);
TL_API Tensor view_dtype(const Tensor& input, Dtype dtype);
TL_API Tensor reshape_alias(const Tensor& input, Ints size, Ints stride);
TL_API Tensor permute(const Tensor& input, Ints dims);
TL_API Tensor transpose(const Tensor& input, int64_t dim0, int64_t dim1);
TL_API Tensor t(const Tensor& input);
TL_API Tensor squeeze(const Tensor& input);
TL_API Tensor squeeze_dim(const Tensor& input, int64_t dim);
TL_API Tensor squeeze_dims(const Tensor& input, Ints dim);
TL_API Tensor unsqueeze(const Tensor& input, int64_t dim);
TL_API Tensor expand(const Tensor& input, Ints size, bool implicit);
TL_API Tensor select(const Tensor& input, int64_t dim, int64_t index);
TL_API Tensor slice(const Tensor& input, int64_t dim, OptInt start, OptInt end, int64_t step);
TL_API Tensor diagonal(const Tensor& input, int64_t offset, int64_t dim1, int64_t dim2);
TL_API Tensor unfold(const Tensor& input, int64_t dimension, int64_t size, int64_t step);
TL_API Tensor as_strided(const Tensor& input, Ints size, Ints stride, OptInt storage_offset);
TL_API Tensor alias_view(const Tensor& input);
TL_API Tensor view_as_real(const Tensor& input);
TL_API Tensor view_as_complex(const Tensor& input);
TL_API std::vector<Tensor> split(const Tensor& input, int64_t split_size, int64_t dim);
TL_API std::vector<Tensor> split_with_sizes(const Tensor& input, Ints split_sizes, int64_t dim);
TL_API std::vector<Tensor> unbind(const Tensor& input, int64_t dim);

// A fresh tensor's new shape: no view to autograd.
TL_API Tensor unsafe_view(const Tensor& input, Ints size);

TL_API Tensor cat(TensorSpan tensors, int64_t dim, const Out& out);
TL_API Tensor stack(TensorSpan tensors, int64_t dim, const Out& out);
TL_API Tensor repeat(const Tensor& input, Ints repeats);
TL_API Tensor flip(const Tensor& input, Ints dims);
TL_API Tensor roll(const Tensor& input, Ints shifts, Ints dims);
TL_API Tensor rot90(const Tensor& input, int64_t k, Ints dims);
TL_API Tensor tril(const Tensor& input, int64_t diagonal, const Out& out);
TL_API Tensor triu(const Tensor& input, int64_t diagonal, const Out& out);
TL_API Tensor diag_embed(const Tensor& input, int64_t offset, int64_t dim1, int64_t dim2);
TL_API Tensor diagonal_copy(const Tensor& input, int64_t offset, int64_t dim1, int64_t dim2, const Out& out = {});

// Gradients of the views that leave elements out: zeros of the input's sizes with `grad` in the view's place.
TL_API Tensor select_backward(const Tensor& grad, Ints input_sizes, int64_t dim, int64_t index);
TL_API Tensor slice_backward(const Tensor& grad, Ints input_sizes, int64_t dim, OptInt start, OptInt end, int64_t step);
TL_API Tensor diagonal_backward(const Tensor& grad, Ints input_sizes, int64_t offset, int64_t dim1, int64_t dim2);
TL_API Tensor unfold_backward(const Tensor& grad, Ints input_sizes, int64_t dim, int64_t size, int64_t step);
// Of as_strided: lays `grad` (of layout `from`) into memory, where what overlaps is summed, and reads it in layout
// `to`.
TL_API Tensor as_strided_backward(const Tensor& grad, Ints to_sizes, Ints to_strides, int64_t to_offset,
                                  Ints from_strides, int64_t from_offset);

// Helpers of this and other families.
// The sizes with -1 filled in from the number of elements.
TL_API Dims infer_size(Ints size, int64_t numel);
// Strides under which `size` views the same memory, or nothing.
TL_API std::optional<Dims> view_strides(Ints old_sizes, Ints old_strides, Ints size);
// Copies elements of the same dtype between layouts.
TL_API void copy_elements(const Tensor& dst, const Tensor& src);
// Adds elements in order; places of dst may coincide.
TL_API void accumulate_elements(const Tensor& dst, const Tensor& src);
TL_API Tensor zeros_of(Ints sizes, Dtype dtype, Device device);
// Wraps each dim, complains of repeats; bit d of the result is set for dim d.
TL_API uint64_t dim_mask(Ints dims, int64_t ndim);

}  // namespace tl::ops
