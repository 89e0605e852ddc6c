#include "composite/linalg.h"

#include <atomic>

#include "autograd/call.h"
#include "core/plan.h"
#include "ops/cast.h"

namespace tl::composite {
namespace {

Op mul_("mul"), unsafe_view_("_unsafe_view"), reshape_("reshape"), linalg_cross_("linalg_cross");

}  // namespace

Tensor kron(const Tensor& input, const Tensor& other, const Out& out) {
  const int64_t n = std::max(input.dim(), other.dim());
  // (a0, 1, a1, 1 ...) * (1, b0, 1, b1 ...), each pair of dims made one.
  Dims left, right, sizes;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t ia = i - (n - input.dim()), ib = i - (n - other.dim());
    const int64_t a = ia < 0 ? 1 : input.size(ia), b = ib < 0 ? 1 : other.size(ib);
    left.push_back(a), left.push_back(1);
    right.push_back(1), right.push_back(b);
    sizes.push_back(a * b);
  }
  Tensor product = mul_(reshape_(input, Ints(left)), reshape_(other, Ints(right)));
  // The product keeps the order of its factors' memory.
  Tensor result = product.is_contiguous() ? unsafe_view_(product, Ints(sizes)) : reshape_(product, Ints(sizes));
  if (!out.defined()) return result;
  check(!grad_enabled() || !(requires_grad(input) || requires_grad(other)),
        "kron(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
        "requires grad.");
  check_castable(result.dtype(), out.tensor.dtype());
  resize_output(out.tensor, result.sizes(), result.device());
  ops::copy_into(out.tensor, result);
  return out.tensor;
}

Tensor cross(const Tensor& input, const Tensor& other, OptInt dim, const Out& out) {
  if (!dim) {
    static std::atomic<bool> warned{false};
    if (!warned.exchange(true))
      warn(
          "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
          "simply use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in "
          "a future release.");
    for (int64_t i = 0; i < input.dim() && !dim; ++i)
      if (input.size(i) == 3) dim = i;
    check(dim.has_value(), "no dimension of size 3 in input");
  }
  if (out.defined()) return linalg_cross_(input, other, *dim, out.tensor);
  return linalg_cross_(input, other, *dim);
}

}  // namespace tl::composite
