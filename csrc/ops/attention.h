#pragma once

#include "ops/types.h"

namespace tl::ops {

// softmax(scale * query @ key.T + mask) @ value of (batch, heads, rows, width) tensors; key and value may have fewer
// heads, each for a run of query heads. `mask` broadcasts to (batch, heads, queries, keys): bool, true where a query
// may look, or added to the scores. With the logarithm of the sum of exponentials of each row, for the backward.
TL_API std::tuple<Tensor, Tensor> attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                            const Tensor& mask, bool causal, double scale);
TL_API std::tuple<Tensor, Tensor, Tensor> attention_backward(const Tensor& grad_output, const Tensor& query,
                                                             const Tensor& key, const Tensor& value, const Tensor& mask,
                                                             const Tensor& output, const Tensor& log_sum, bool causal,
                                                             double scale);

}  // namespace tl::ops
