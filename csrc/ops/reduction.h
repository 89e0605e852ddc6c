#pragma once

#include "ops/types.h"

// Reductions over all dims or some. `dim` empty or absent means all; `keepdim` leaves reduced dims with size 1.

namespace tl::ops {

using OptInts = std::optional<Ints>;

// Integers sum to int64; float32 accumulates in float64. `dtype` converts before summing.
TL_API Tensor sum(const Tensor& input, OptDtype dtype);
TL_API Tensor sum_dim(const Tensor& input, OptInts dim, bool keepdim, OptDtype dtype, const Out& out);
TL_API Tensor nansum(const Tensor& input, OptInts dim, bool keepdim, OptDtype dtype, const Out& out);
TL_API Tensor mean(const Tensor& input, OptDtype dtype, const Out& out);
TL_API Tensor mean_dim(const Tensor& input, OptInts dim, bool keepdim, OptDtype dtype, const Out& out);
TL_API Tensor nanmean(const Tensor& input, OptInts dim, bool keepdim, OptDtype dtype, const Out& out);
TL_API Tensor prod(const Tensor& input, OptDtype dtype);
TL_API Tensor prod_dim(const Tensor& input, int64_t dim, bool keepdim, OptDtype dtype, const Out& out);

// NaN beats every number.
TL_API Tensor max(const Tensor& input, const Out& out);
TL_API Tensor min(const Tensor& input, const Out& out);
TL_API std::tuple<Tensor, Tensor> max_dim(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out);
TL_API std::tuple<Tensor, Tensor> min_dim(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out);
TL_API Tensor amax(const Tensor& input, Ints dim, bool keepdim, const Out& out);
TL_API Tensor amin(const Tensor& input, Ints dim, bool keepdim, const Out& out);
TL_API std::tuple<Tensor, Tensor> aminmax(const Tensor& input, OptInt dim, bool keepdim, TensorSpan out);
TL_API Tensor argmax(const Tensor& input, OptInt dim, bool keepdim, const Out& out);
TL_API Tensor argmin(const Tensor& input, OptInt dim, bool keepdim, const Out& out);

TL_API Tensor any(const Tensor& input, OptInts dim, bool keepdim, const Out& out);
TL_API Tensor all(const Tensor& input, OptInts dim, bool keepdim, const Out& out);
TL_API Tensor count_nonzero(const Tensor& input, OptInts dim);

// The divisor is the number of elements less `correction` (1 when absent).
TL_API Tensor var(const Tensor& input, OptInts dim, const Scalar* correction, bool keepdim, const Out& out);
TL_API Tensor std(const Tensor& input, OptInts dim, const Scalar* correction, bool keepdim, const Out& out);
TL_API std::tuple<Tensor, Tensor> var_mean(const Tensor& input, OptInts dim, const Scalar* correction, bool keepdim);
TL_API std::tuple<Tensor, Tensor> std_mean(const Tensor& input, OptInts dim, const Scalar* correction, bool keepdim);
TL_API Tensor var_unbiased(const Tensor& input, bool unbiased);
TL_API Tensor std_unbiased(const Tensor& input, bool unbiased);
TL_API Tensor var_unbiased_dim(const Tensor& input, OptInts dim, bool unbiased, bool keepdim, const Out& out);
TL_API Tensor std_unbiased_dim(const Tensor& input, OptInts dim, bool unbiased, bool keepdim, const Out& out);
TL_API std::tuple<Tensor, Tensor> var_mean_unbiased(const Tensor& input, OptInts dim, bool unbiased, bool keepdim);
TL_API std::tuple<Tensor, Tensor> var_mean_all(const Tensor& input, bool unbiased);
TL_API std::tuple<Tensor, Tensor> std_mean_all(const Tensor& input, bool unbiased);
TL_API std::tuple<Tensor, Tensor> std_mean_unbiased(const Tensor& input, OptInts dim, bool unbiased, bool keepdim);

// (sum |x|^ord)^(1/ord); inf and -inf give the extremes, 0 counts what is not zero.
TL_API Tensor vector_norm(const Tensor& input, const Scalar& ord, OptInts dim, bool keepdim, OptDtype dtype,
                          const Out& out);
TL_API Tensor logsumexp(const Tensor& input, Ints dim, bool keepdim, const Out& out);

}  // namespace tl::ops
