#include "ops/optim.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

constexpr unsigned kStep = kFunction | kNoGrad | kInplaceLists;

const Row rows[] = {
    {"_fused_sgd_(Tensor[] params, Tensor[] grads, Tensor[] momentum_buffers, *, float lr, float momentum=0, float "
     "dampening=0, float weight_decay=0, bool nesterov=False, bool maximize=False, bool is_first_step=False) -> None",
     TL_OP(ops::fused_sgd), kStep,
     "One step of SGD over all parameters. In the first step the momentum buffers are written, not read."},
    {"_fused_adam_(Tensor[] params, Tensor[] grads, Tensor[] exp_avgs, Tensor[] exp_avg_sqs, Tensor[] max_exp_avg_sqs, "
     "Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay=0, float eps=1e-8, bool "
     "amsgrad=False, bool maximize=False, bool decoupled_weight_decay=False) -> None",
     TL_OP(ops::fused_adam), kStep,
     "One step of Adam over all parameters (Kingma and Ba 2014), or of AdamW with decoupled_weight_decay (Loshchilov "
     "and Hutter 2017). Advances state_steps."},
    {"_fused_adagrad_(Tensor[] params, Tensor[] grads, Tensor[] state_sums, Tensor[] state_steps, *, float lr, float "
     "lr_decay=0, float weight_decay=0, float eps=1e-10, bool maximize=False) -> None",
     TL_OP(ops::fused_adagrad), kStep, "One step of Adagrad over all parameters. Advances state_steps."},
    {"_fused_rmsprop_(Tensor[] params, Tensor[] grads, Tensor[] square_avgs, Tensor[] momentum_buffers, Tensor[] "
     "grad_avgs, Tensor[] state_steps, *, float lr, float alpha, float eps=1e-8, float weight_decay=0, float "
     "momentum=0, bool centered=False, bool maximize=False) -> None",
     TL_OP(ops::fused_rmsprop), kStep, "One step of RMSprop over all parameters. Advances state_steps."},
    {"_fused_adadelta_(Tensor[] params, Tensor[] grads, Tensor[] square_avgs, Tensor[] acc_deltas, Tensor[] "
     "state_steps, *, float lr, float rho, float eps=1e-6, float weight_decay=0, bool maximize=False) -> None",
     TL_OP(ops::fused_adadelta), kStep, "One step of Adadelta over all parameters. Advances state_steps."},
};
TL_ROWS(rows)

}  // namespace
}  // namespace tl::python
