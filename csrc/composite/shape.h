#pragma once

#include "ops/types.h"

// Shape operators that are made of recorded ones: their graphs show what they are made of, as PyTorch's do.

namespace tl::composite {

TL_API Tensor reshape(const Tensor& input, Ints shape);
TL_API Tensor reshape_as(const Tensor& input, const Tensor& other);
TL_API Tensor view_as(const Tensor& input, const Tensor& other);
TL_API Tensor expand_as(const Tensor& input, const Tensor& other);
TL_API Tensor broadcast_to(const Tensor& input, Ints size);
TL_API std::vector<Tensor> broadcast_tensors(TensorSpan tensors);
TL_API Tensor flatten(const Tensor& input, int64_t start_dim, int64_t end_dim);
TL_API Tensor unflatten(const Tensor& input, int64_t dim, Ints sizes);
TL_API Tensor ravel(const Tensor& input);
TL_API Tensor numpy_T(const Tensor& input);
TL_API Tensor matrix_H(const Tensor& input);
TL_API Tensor mT(const Tensor& input);
TL_API Tensor mH(const Tensor& input);
TL_API Tensor adjoint(const Tensor& input);
TL_API Tensor movedim(const Tensor& input, Ints source, Ints destination);
TL_API Tensor narrow(const Tensor& input, int64_t dim, int64_t start, int64_t length);
TL_API Tensor narrow_tensor(const Tensor& input, int64_t dim, const Tensor& start, int64_t length);
TL_API Tensor real(const Tensor& input);
TL_API Tensor imag(const Tensor& input);
TL_API Tensor diag(const Tensor& input, int64_t diagonal, const Out& out);

// The same tensor with the layout of a view of it: t_() and the like.
TL_API Tensor t_(const Tensor& input);
TL_API Tensor transpose_(const Tensor& input, int64_t dim0, int64_t dim1);
TL_API Tensor squeeze_(const Tensor& input);
TL_API Tensor squeeze_dim_(const Tensor& input, int64_t dim);
TL_API Tensor squeeze_dims_(const Tensor& input, Ints dim);
TL_API Tensor unsqueeze_(const Tensor& input, int64_t dim);
TL_API Tensor as_strided_(const Tensor& input, Ints size, Ints stride, OptInt storage_offset);

TL_API std::vector<Tensor> split_size(const Tensor& input, int64_t split_size, int64_t dim);
TL_API std::vector<Tensor> split_sections(const Tensor& input, Ints split_sizes, int64_t dim);
TL_API std::vector<Tensor> chunk(const Tensor& input, int64_t chunks, int64_t dim);
TL_API std::vector<Tensor> tensor_split(const Tensor& input, int64_t sections, int64_t dim);
TL_API std::vector<Tensor> tensor_split_indices(const Tensor& input, Ints indices, int64_t dim);
TL_API std::vector<Tensor> tensor_split_tensor(const Tensor& input, const Tensor& indices_or_sections, int64_t dim);
TL_API std::vector<Tensor> hsplit(const Tensor& input, int64_t sections);
TL_API std::vector<Tensor> hsplit_indices(const Tensor& input, Ints indices);
TL_API std::vector<Tensor> vsplit(const Tensor& input, int64_t sections);
TL_API std::vector<Tensor> vsplit_indices(const Tensor& input, Ints indices);
TL_API std::vector<Tensor> dsplit(const Tensor& input, int64_t sections);
TL_API std::vector<Tensor> dsplit_indices(const Tensor& input, Ints indices);

TL_API Tensor atleast_1d(const Tensor& input);
TL_API Tensor atleast_2d(const Tensor& input);
TL_API Tensor atleast_3d(const Tensor& input);
TL_API std::vector<Tensor> atleast_1d_list(TensorSpan tensors);
TL_API std::vector<Tensor> atleast_2d_list(TensorSpan tensors);
TL_API std::vector<Tensor> atleast_3d_list(TensorSpan tensors);

TL_API Tensor hstack(TensorSpan tensors, const Out& out);
TL_API Tensor vstack(TensorSpan tensors, const Out& out);
TL_API Tensor dstack(TensorSpan tensors, const Out& out);
TL_API Tensor column_stack(TensorSpan tensors, const Out& out);
TL_API std::vector<Tensor> meshgrid(TensorSpan tensors, std::string_view indexing);
TL_API Tensor tile(const Tensor& input, Ints dims);
TL_API Tensor fliplr(const Tensor& input);
TL_API Tensor flipud(const Tensor& input);
TL_API Tensor repeat_interleave(const Tensor& input, int64_t repeats, OptInt dim, OptInt output_size);
TL_API Tensor repeat_interleave_tensor(const Tensor& input, const Tensor& repeats, OptInt dim, OptInt output_size);
TL_API Tensor repeat_interleave_counts(const Tensor& repeats, OptInt output_size);
TL_API Tensor take_along_dim(const Tensor& input, const Tensor& indices, OptInt dim, const Out& out);

}  // namespace tl::composite
