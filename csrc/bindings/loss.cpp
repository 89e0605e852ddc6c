#include "ops/loss.h"

#include "bindings/table.h"
#include "composite/loss.h"

namespace tl::python {
namespace {

// Backward operators, and those with a second result: for formulas.
constexpr unsigned kInner = kNN;
constexpr unsigned kParts = kNN | kComposite;

#define TL_GRAD_OF(name, more)                                                                                         \
  #name "_backward(Tensor grad_output, Tensor input, Tensor target, " more ") -> Tensor", TL_OP(ops::name##_backward), \
      kInner

const Row rows[] = {
    {"nll_loss(Tensor input, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100) -> Tensor",
     TL_OP(composite::nll_loss), kParts,
     "-weight[target] * input[target] for an input (C), (N, C) or (N, C, d1, ...) of log probabilities and class "
     "indices () or (N) or (N, d1, ...). The mean is over the weights."},
    {"nll_loss_forward(Tensor input, Tensor target, Tensor? weight, int reduction, int ignore_index) -> (Tensor, "
     "Tensor)",
     TL_OP(ops::nll_loss_forward), kInner, "nll_loss of (N, C) or (C), and the total weight"},
    {"nll_loss2d_forward(Tensor input, Tensor target, Tensor? weight, int reduction, int ignore_index) -> (Tensor, "
     "Tensor)",
     TL_OP(ops::nll_loss2d_forward), kInner, "nll_loss of (N, C, d1, ...), and the total weight"},
    {"nll_loss_backward(Tensor grad_output, int[] input_size, Tensor target, Tensor? weight, int reduction, int "
     "ignore_index, Tensor total_weight) -> Tensor",
     TL_OP(ops::nll_loss_backward), kInner, "the gradient of nll_loss's input"},
    {"l1_loss(Tensor input, Tensor target, int reduction=1) -> Tensor", TL_OP(composite::l1_loss), kParts,
     "|input - target|"},
    {"mse_loss(Tensor input, Tensor target, int reduction=1) -> Tensor", TL_OP(ops::mse_loss), kNN,
     "(input - target) ** 2"},
    {TL_GRAD_OF(mse_loss, "int reduction")},
    {"smooth_l1_loss(Tensor input, Tensor target, int reduction=1, float beta=1.0) -> Tensor",
     TL_OP(ops::smooth_l1_loss), kNN, "d * d / (2 beta) where d = |input - target| < beta, else d - beta / 2"},
    {TL_GRAD_OF(smooth_l1_loss, "int reduction, float beta")},
    {"huber_loss(Tensor input, Tensor target, int reduction=1, float delta=1.0) -> Tensor", TL_OP(ops::huber_loss), kNN,
     "d * d / 2 where d = |input - target| <= delta, else delta * (d - delta / 2)"},
    {TL_GRAD_OF(huber_loss, "int reduction, float delta")},
    {"binary_cross_entropy(Tensor input, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor",
     TL_OP(ops::binary_cross_entropy), kNN,
     "-weight * (target * log(input) + (1 - target) * log(1 - input)), logarithms not below -100"},
    {TL_GRAD_OF(binary_cross_entropy, "Tensor? weight, int reduction")},
    {"binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int "
     "reduction=1) -> Tensor",
     TL_OP(ops::binary_cross_entropy_with_logits), kFunction,
     "binary_cross_entropy(sigmoid(input), target), stable for large inputs; pos_weight multiplies what target = 1 "
     "costs"},
    {TL_GRAD_OF(binary_cross_entropy_with_logits, "Tensor? weight, Tensor? pos_weight, int reduction")},
};
#undef TL_GRAD_OF
TL_ROWS(rows)

}  // namespace
}  // namespace tl::python
