#pragma once

#include "ops/types.h"

namespace tl::ops {

// Reductions are PyTorch's numbers: 0 none, 1 mean, 2 sum.

// (N, C) or (C) with class indices (N) or (); the second has (N, C, d1, ...) and (N, d1, ...). Returns the loss and the
// sum of the weights of all targets that are not ignored.
TL_API std::tuple<Tensor, Tensor> nll_loss_forward(const Tensor& input, const Tensor& target, const Tensor& weight,
                                                   int64_t reduction, int64_t ignore_index);
TL_API std::tuple<Tensor, Tensor> nll_loss2d_forward(const Tensor& input, const Tensor& target, const Tensor& weight,
                                                     int64_t reduction, int64_t ignore_index);
TL_API Tensor nll_loss_backward(const Tensor& grad_output, Ints input_size, const Tensor& target, const Tensor& weight,
                                int64_t reduction, int64_t ignore_index, const Tensor& total_weight);

// Losses of pairs of elements, broadcast against each other. The backward operators give the gradient of the input, in
// the broadcast shape.
TL_API Tensor mse_loss(const Tensor& input, const Tensor& target, int64_t reduction);
TL_API Tensor mse_loss_backward(const Tensor& grad_output, const Tensor& input, const Tensor& target,
                                int64_t reduction);
TL_API Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, int64_t reduction, double beta);
TL_API Tensor smooth_l1_loss_backward(const Tensor& grad_output, const Tensor& input, const Tensor& target,
                                      int64_t reduction, double beta);
TL_API Tensor huber_loss(const Tensor& input, const Tensor& target, int64_t reduction, double delta);
TL_API Tensor huber_loss_backward(const Tensor& grad_output, const Tensor& input, const Tensor& target,
                                  int64_t reduction, double delta);
TL_API Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t reduction);
TL_API Tensor binary_cross_entropy_backward(const Tensor& grad_output, const Tensor& input, const Tensor& target,
                                            const Tensor& weight, int64_t reduction);
TL_API Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const Tensor& weight,
                                               const Tensor& pos_weight, int64_t reduction);
TL_API Tensor binary_cross_entropy_with_logits_backward(const Tensor& grad_output, const Tensor& input,
                                                        const Tensor& target, const Tensor& weight,
                                                        const Tensor& pos_weight, int64_t reduction);

}  // namespace tl::ops
