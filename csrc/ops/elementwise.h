#pragma once

#include "core/plan.h"
#include "kernels/pointwise.h"
#include "ops/types.h"

// Shared by the files of the pointwise family: one call that plans, allocates and runs.

namespace tl::ops {

// Computes `op` on inputs promoted to `common`. `name` is what the error says when there is no such kernel.
Tensor elementwise(Pointwise op, const char* name, Dtype common, const Out& out,
                   std::initializer_list<const Tensor*> inputs, const PointwiseParams* params = nullptr);
// Raises NotImplementedError as PyTorch words it.
[[noreturn]] void not_implemented(const char* name, Dtype dtype);

// `op` on one input whose dtype needs no promotion; the common case is decided here, inline.
inline Tensor elementwise_unary(Pointwise op, const char* name, const Tensor& input, const Out& out,
                                const PointwiseParams* params = nullptr) {
  return elementwise(op, name, input.dtype(), out, {&input}, params);
}

}  // namespace tl::ops
