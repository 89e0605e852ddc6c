#pragma once

#include "ops/types.h"

// Reading and writing through tensors of indices and masks.

namespace tl::ops {

// One index for each element, along one dim.
TL_API Tensor gather(const Tensor& input, int64_t dim, const Tensor& index, bool sparse_grad, const Out& out);
TL_API Tensor scatter(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src, const Out& out);
TL_API Tensor scatter_value(const Tensor& input, int64_t dim, const Tensor& index, const Scalar& value, const Out& out);
// `reduce` is "add" or "multiply".
TL_API Tensor scatter_with(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src,
                           std::string_view reduce, const Out& out);
TL_API Tensor scatter_value_with(const Tensor& input, int64_t dim, const Tensor& index, const Scalar& value,
                                 std::string_view reduce, const Out& out);
TL_API Tensor scatter_add(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src, const Out& out);
// `reduce` is "sum", "prod", "mean", "amax" or "amin".
TL_API Tensor scatter_reduce(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src,
                             std::string_view reduce, bool include_self, const Out& out);

// One index for each slice of a dim.
TL_API Tensor index_select(const Tensor& input, int64_t dim, const Tensor& index, const Out& out);
TL_API Tensor index_add(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& source,
                        const Scalar& alpha, const Out& out);
TL_API Tensor index_copy(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& source, const Out& out);
TL_API Tensor index_fill(const Tensor& input, int64_t dim, const Tensor& index, const Scalar& value, const Out& out);
TL_API Tensor index_fill_tensor(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& value,
                                const Out& out);

// NumPy's rules: one tensor (or none) of integers or bools for each dim.
TL_API Tensor index(const Tensor& input, TensorSpan indices);
TL_API Tensor index_put(const Tensor& input, TensorSpan indices, const Tensor& values, bool accumulate, const Out& out);

TL_API Tensor masked_select(const Tensor& input, const Tensor& mask, const Out& out);
TL_API Tensor masked_scatter(const Tensor& input, const Tensor& mask, const Tensor& source, const Out& out);
TL_API Tensor masked_scatter_backward(const Tensor& grad, const Tensor& mask, Ints sizes);
TL_API Tensor nonzero(const Tensor& input, const Out& out);
TL_API std::vector<Tensor> where_condition(const Tensor& condition);
TL_API std::vector<Tensor> nonzero_tuple(const Tensor& input, bool as_tuple = true);
TL_API Tensor argwhere(const Tensor& input);

// Indices into the tensor as if it were flat.
TL_API Tensor take(const Tensor& input, const Tensor& index, const Out& out);
TL_API Tensor put(const Tensor& input, const Tensor& index, const Tensor& source, bool accumulate, const Out& out);

TL_API Tensor one_hot(const Tensor& input, int64_t num_classes);
TL_API Tensor embedding(const Tensor& weight, const Tensor& indices, int64_t padding_idx, bool scale_grad_by_freq,
                        bool sparse);
TL_API Tensor embedding_dense_backward(const Tensor& grad_output, const Tensor& indices, int64_t num_weights,
                                       int64_t padding_idx, bool scale_grad_by_freq);

}  // namespace tl::ops
