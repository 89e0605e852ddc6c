#include "composite/sort.h"

#include "autograd/call.h"

namespace tl::composite {

Tensor msort(const Tensor& input, const Out& out) {
  static Op sort("sort");
  if (!out.defined()) return sort(input, int64_t(0));
  Tensor both[] = {out.tensor, empty({0}, Dtype::Int64, input.device())};
  return sort(input, int64_t(0), false, TensorSpan(both));
}

}  // namespace tl::composite
