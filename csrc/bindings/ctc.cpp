#include "ops/ctc.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

const Row rows[] = {
    {"ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, bool "
     "zero_infinity=False) -> (Tensor, Tensor)",
     TL_OP(ops::ctc_loss), kNN,
     "Minus the log-likelihood of each target sequence under log_probs (T, N, C), and the forward probabilities."},
    {"ctc_loss_backward(Tensor grad_output, Tensor log_probs, Tensor targets, int[] input_lengths, int[] "
     "target_lengths, Tensor loss, Tensor log_alpha, int blank, bool zero_infinity) -> Tensor",
     TL_OP(ops::ctc_loss_backward), kNN, "The gradient of ctc_loss's log_probs."},
};
TL_ROWS(rows)

}  // namespace
}  // namespace tl::python
