#pragma once

#include "ops/types.h"

namespace tl::ops {

// A sparse matrix applied along `dim`: element o of the result is the sum of weights[k] * input[places[k]] over k from
// starts[o] up to starts[o + 1]. The last three are the transposed matrix, which the gradient needs. The tables are
// int64, int64 and float64, on the CPU.
TL_API Tensor resample(const Tensor& input, int64_t dim, const Tensor& starts, const Tensor& places,
                       const Tensor& weights, const Tensor& back_starts, const Tensor& back_places,
                       const Tensor& back_weights);

}  // namespace tl::ops
