#include "composite/reduction.h"

#include "autograd/call.h"

namespace tl::composite {

Tensor renorm(const Tensor& input, const Scalar& p, int64_t dim, const Scalar& maxnorm, const Out& out) {
  static Op norm("linalg_vector_norm"), gt("gt"), where("where"), add("add"), div("div.base"), mul("mul"), mul_("mul_");
  check(!p.is_complex(), "renorm: p must be real-valued");
  check(p.to<double>() > 0, "renorm: non-positive-norm not supported");
  check(!maxnorm.is_complex(), "renorm: maxnorm must be real-valued");
  double limit = maxnorm.to<double>();
  check(limit >= 0, "renorm: expected maxnorm to be >= 0 but got ", limit);
  check(input.dim() > 1, "renorm: input needs at least 2 dimensions, got ", input.dim(), " dimensions");
  dim = wrap_dim(dim, input.dim());
  Dims others;
  for (int64_t d = 0; d < input.dim(); ++d)
    if (d != dim) others.push_back(d);
  Tensor sizes = norm(input, p, Ints(others), true);
  Tensor most = wrapped_number(Scalar(limit)), tiny = wrapped_number(Scalar(1e-7));
  Tensor factor = div(most, add(sizes, tiny, Scalar(1)));
  factor = where(gt(sizes, most), factor, wrapped_number(Scalar(1.0)));
  if (out.inplace) return mul_(input, factor);
  return out.defined() ? mul(input, factor, out.tensor) : mul(input, factor);
}

}  // namespace tl::composite
