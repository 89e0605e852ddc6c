#pragma once

#include "ops/types.h"

// Order: NaN stands last, -0 equals 0, equal elements keep their places (also where PyTorch leaves it open).

namespace tl::ops {

TL_API std::tuple<Tensor, Tensor> sort(const Tensor& input, int64_t dim, bool descending, TensorSpan out);
TL_API std::tuple<Tensor, Tensor> sort_stable(const Tensor& input, std::optional<bool> stable, int64_t dim,
                                              bool descending, TensorSpan out);
TL_API Tensor argsort(const Tensor& input, int64_t dim, bool descending, bool stable);
TL_API std::tuple<Tensor, Tensor> topk(const Tensor& input, int64_t k, int64_t dim, bool largest, bool sorted,
                                       TensorSpan out);
TL_API std::tuple<Tensor, Tensor> kthvalue(const Tensor& input, int64_t k, int64_t dim, bool keepdim, TensorSpan out);
TL_API Tensor median(const Tensor& input);
TL_API Tensor nanmedian(const Tensor& input);
TL_API std::tuple<Tensor, Tensor> median_dim(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out);
TL_API std::tuple<Tensor, Tensor> nanmedian_dim(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out);
TL_API std::tuple<Tensor, Tensor> mode(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out);

// Values, where each input went, how many went there. What is not asked for is empty. Always sorted.
TL_API std::tuple<Tensor, Tensor, Tensor> unique2(const Tensor& input, bool sorted, bool return_inverse,
                                                  bool return_counts);
TL_API std::tuple<Tensor, Tensor, Tensor> unique_dim(const Tensor& input, int64_t dim, bool sorted, bool return_inverse,
                                                     bool return_counts);
TL_API std::tuple<Tensor, Tensor, Tensor> unique_consecutive(const Tensor& input, bool return_inverse,
                                                             bool return_counts, OptInt dim);

TL_API Tensor searchsorted(const Tensor& sorted_sequence, const Tensor& input, bool out_int32, bool right,
                           std::optional<std::string_view> side, const Tensor& sorter, const Out& out);
TL_API Tensor bucketize(const Tensor& input, const Tensor& boundaries, bool out_int32, bool right, const Out& out);
TL_API Tensor bincount(const Tensor& input, const Tensor& weights, int64_t minlength);

}  // namespace tl::ops
