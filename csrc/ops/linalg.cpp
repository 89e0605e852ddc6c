#include "ops/linalg.h"

#include "core/plan.h"
#include "ops/elementwise.h"
#include "ops/pointwise.h"
#include "ops/reduction.h"
#include "ops/shape.h"

namespace tl::ops {

Tensor trace(const Tensor& input) {
  check(input.dim() == 2, "trace: expected a matrix, but got tensor with dim ", input.dim());
  if (input.dtype() == Dtype::Bool) not_implemented("trace", input.dtype());
  return sum(diagonal(input, 0, 0, 1), std::nullopt);
}

Tensor linalg_cross(const Tensor& input, const Tensor& other, int64_t dim, const Out& out) {
  check(input.dim() == other.dim(), "linalg.cross: inputs must have the same number of dimensions.");
  wrap_dim(dim, input.dim());
  check(input.size(dim) == 3 && other.size(dim) == 3, "linalg.cross: inputs dimension ", dim,
        " must have length 3. Got ", input.size(dim), " and ", other.size(dim));
  if (result_type(input, other) == Dtype::Bool) not_implemented("cross", Dtype::Bool);
  auto turned = [&](const Tensor& t, int64_t by) { return roll(t, {by}, {dim}); };
  Tensor first = mul(turned(input, -1), turned(other, -2), {}), second = mul(turned(input, -2), turned(other, -1), {});
  return sub(first, second, Scalar(1), out);
}

Tensor dist(const Tensor& input, const Tensor& other, const Scalar& p) {
  return vector_norm(sub(input, other, Scalar(1), {}), p, std::nullopt, false, std::nullopt, {});
}

}  // namespace tl::ops
