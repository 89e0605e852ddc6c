#include "composite/loss.h"

#include "autograd/call.h"

namespace tl::composite {

Tensor nll_loss(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t reduction,
                int64_t ignore_index) {
  static Op flat("nll_loss_forward"), spatial("nll_loss2d_forward");
  check<ValueError>(input.dim() >= 1, "Expected 1 or more dimensions (got ", input.dim(), ")");
  if (input.dim() > 1) {
    int64_t n = target.dim() ? target.size(0) : 0;
    check<ValueError>(input.size(0) == n, "Expected input batch_size (", input.size(0),
                      ") to match target batch_size (", n, ").");
  }
  return (input.dim() <= 2 ? flat : spatial)(input, target, weight, reduction, ignore_index);
}

Tensor l1_loss(const Tensor& input, const Tensor& target, int64_t reduction) {
  static Op sub("sub"), abs("abs"), mean("mean"), sum("sum");
  Tensor loss = abs(sub(input, target));
  return reduction == 0 ? loss : reduction == 1 ? mean(loss) : sum(loss);
}

}  // namespace tl::composite
