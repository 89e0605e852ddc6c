#include "composite/scan.h"

#include "autograd/call.h"
#include "core/plan.h"

namespace tl::composite {
namespace {

Op cat("cat"), slice("slice"), sub("sub"), differ("logical_xor"), clone("clone"), copy("copy_");

}  // namespace

Tensor diff(const Tensor& input, int64_t n, int64_t dim, const Tensor& prepend, const Tensor& append, const Out& out) {
  check(input.dim() >= 1, "diff expects input to be at least one-dimensional");
  for (const Tensor* t : {&prepend, &append})
    check(!t->defined() || t->dim() == input.dim(), "diff expects prepend or append to be the same dimension as input");
  check(n >= 0, "order must be non-negative but got ", n);
  dim = wrap_dim(dim, input.dim());
  if (n == 0) {  // the ends are left out
    if (!out.defined()) return clone(input);
    resize_output(out.tensor, input.sizes(), input.device());
    return copy(out.tensor, input);
  }
  Tensor x = input;
  if (prepend.defined() || append.defined()) {
    std::vector<Tensor> parts;
    for (const Tensor* t : {&prepend, &input, &append})
      if (t->defined()) parts.push_back(*t);
    x = cat(TensorSpan(parts), dim);
  }
  n = std::min(n, x.size(dim));
  if (n == 0) {
    if (!out.defined()) return clone(x);
    resize_output(out.tensor, x.sizes(), x.device());
    return copy(out.tensor, x);
  }
  for (int64_t i = 0; i < n; ++i) {
    int64_t size = x.size(dim);
    Tensor after = slice(x, dim, int64_t(1), size), before = slice(x, dim, int64_t(0), size - 1);
    bool into = out.defined() && i == n - 1;
    if (x.dtype() == Dtype::Bool)
      x = into ? differ(after, before, out.tensor) : differ(after, before);
    else
      x = into ? sub(after, before, Scalar(1), out.tensor) : sub(after, before);
  }
  return x;
}

}  // namespace tl::composite
