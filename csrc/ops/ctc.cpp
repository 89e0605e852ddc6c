#include "ops/ctc.h"

#include <algorithm>

#include "kernels/ctc.h"
#include "ops/cast.h"

namespace tl {
CtcKernels ctc_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

constexpr const char* kWhile = " (while checking arguments for ctc_loss_allocate_outputs)";

// The checked operands; keeps copies alive.
struct Operands {
  Tensor log_probs, targets;
  Dims starts;
  CtcArgs args;

  Operands(const Tensor& lp, const Tensor& t, Ints input_lengths, Ints target_lengths, int64_t blank) {
    check(lp.dim() == 3, "ctc_loss: expected log_probs of 3 dimensions (T, N, C), but got ", to_string(lp.sizes()));
    const int64_t steps = lp.size(0), batch = lp.size(1), classes = lp.size(2);
    check<NotImplementedError>(lp.dtype() == Dtype::Float32 || lp.dtype() == Dtype::Float64,
                               "\"ctc_loss_cpu\" not implemented for '", type_name(lp.dtype()),
                               "'. Convert log_probs to float32 or float64 first.");
    check(blank >= 0 && blank < classes, "blank must be in label range");
    check(int64_t(input_lengths.size()) == batch, "input_lengths must be of size batch_size");
    check(int64_t(target_lengths.size()) == batch, "target_lengths must be of size batch_size");
    int64_t longest = 0, total = 0;
    for (int64_t n = 0; n < batch; ++n) {
      const int64_t in = input_lengths[n], out = target_lengths[n];
      check(in >= 0, "Expected input_lengths to have value at least 0, but got value ", in, kWhile);
      check(in <= steps, "Expected input_lengths to have value at most ", steps, ", but got value ", in, kWhile);
      check(out >= 0, "Expected target_lengths to have value at least 0, but got value ", out, kWhile);
      starts.push_back(t.dim() == 1 ? total : n * t.size(1));
      longest = std::max(longest, out);
      total += out;
    }
    check(t.dim() == 1 || t.dim() == 2, "ctc_loss: expected targets of 1 or 2 dimensions, but got ",
          to_string(t.sizes()));
    if (t.dim() == 1) {
      check(t.size(0) == total, "Expected tensor to have size ", total, " at dimension 0, but got size ", t.size(0),
            " for argument #2 'targets'", kWhile);
    } else {
      check(t.size(0) == batch, "Expected tensor to have size ", batch, " at dimension 0, but got size ", t.size(0),
            " for argument #2 'targets'", kWhile);
      check(t.size(1) >= longest, "Expected tensor to have size at least ", longest, " at dimension 1, but got size ",
            t.size(1), " for argument #2 'targets'", kWhile);
    }
    log_probs = contiguous(lp);
    targets = contiguous(t.dtype() == Dtype::Int64 ? t : to_dtype(t, Dtype::Int64, false, false));
    if (targets.device() != lp.device()) targets = to_copy(targets, {}, lp.device(), false);
    const Tensor seen = targets.device().is_cpu() ? targets : to_copy(targets, {}, Device{}, false);
    const int64_t* labels = seen.data_as<int64_t>();
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t i = 0; i < target_lengths[n]; ++i) {
        const int64_t c = labels[starts[size_t(n)] + i];
        check<IndexError>(c >= 0 && c < classes, "ctc_loss: target ", c, " is out of range for ", classes, " classes");
      }
    args = {lp.dtype(),
            steps,
            batch,
            classes,
            2 * longest + 1,
            blank,
            input_lengths.data(),
            target_lengths.data(),
            starts.data(),
            targets.data_as<int64_t>(),
            log_probs.data(),
            nullptr,
            nullptr};
  }
};

}  // namespace

std::tuple<Tensor, Tensor> ctc_loss(const Tensor& log_probs, const Tensor& targets, Ints input_lengths,
                                    Ints target_lengths, int64_t blank, bool) {
  Operands o(log_probs, targets, input_lengths, target_lengths, blank);
  const Device device = log_probs.device();
  const Tensor loss = empty({o.args.batch}, log_probs.dtype(), device);
  const Tensor alpha = empty({o.args.batch, o.args.steps, o.args.width}, log_probs.dtype(), device);
  o.args.loss = loss.data();
  o.args.log_alpha = alpha.data();
  kernel(ctc_kernels[int(device.type)].forward, "ctc_loss", device)(o.args);
  return {loss, alpha};
}

Tensor ctc_loss_backward(const Tensor& grad_output, const Tensor& log_probs, const Tensor& targets, Ints input_lengths,
                         Ints target_lengths, const Tensor& loss, const Tensor& log_alpha, int64_t blank,
                         bool zero_infinity) {
  Operands o(log_probs, targets, input_lengths, target_lengths, blank);
  const Device device = log_probs.device();
  const Tensor grad = contiguous(grad_output), result = empty(log_probs.sizes(), log_probs.dtype(), device);
  o.args.loss = loss.data();
  o.args.log_alpha = log_alpha.data();
  kernel(ctc_kernels[int(device.type)].backward, "ctc_loss_backward",
         device)({o.args, zero_infinity, grad.data(), result.data()});
  return result;
}

}  // namespace tl::ops
