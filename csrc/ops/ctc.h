#pragma once

#include "ops/types.h"

namespace tl::ops {

// Minus the log-likelihood of label sequences whose alignment with the steps of log_probs (T, N, C) is not known.
// Targets are (N, longest) or one after the other. With the logarithms of the forward probabilities (N, T, states).
TL_API std::tuple<Tensor, Tensor> ctc_loss(const Tensor& log_probs, const Tensor& targets, Ints input_lengths,
                                           Ints target_lengths, int64_t blank, bool zero_infinity);
TL_API Tensor ctc_loss_backward(const Tensor& grad_output, const Tensor& log_probs, const Tensor& targets,
                                Ints input_lengths, Ints target_lengths, const Tensor& loss, const Tensor& log_alpha,
                                int64_t blank, bool zero_infinity);

}  // namespace tl::ops
