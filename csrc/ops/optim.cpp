#include "ops/optim.h"

#include <cmath>
#include <cstring>

#include "core/plan.h"
#include "kernels/optim.h"
#include "ops/cast.h"

namespace tl {
OptimKernels optim_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

// Cuts the tensors of a step into pieces. A parameter whose states and gradient share its dense layout is worked on in
// place; one that does not is copied to row-major memory, and back by finish().
class Pieces {
 public:
  Pieces(const char* op, TensorSpan params, TensorSpan grads) : op_(op), params_(params), grads_(grads) {
    check(params.size() == grads.size(), op, "(): ", params.size(), " parameters, but ", grads.size(), " gradients");
    pieces_.reserve(params.size());
  }

  // Adds parameter i with its states; a state list that is empty takes no part.
  void add(size_t i, std::initializer_list<TensorSpan> states, double scalar0 = 0, double scalar1 = 0) {
    const Tensor& p = params_[i];
    check(is_floating(p.dtype()), op_, "(): parameters must be real floating-point tensors, but got ", name(p.dtype()));
    if (!device_set_) device_ = p.device(), device_set_ = true;
    OptimPiece piece{};
    piece.dtype = p.dtype();
    piece.scalars[0] = scalar0;
    piece.scalars[1] = scalar1;
    bool in_place = is_dense(p) && same_layout(p, grads_[i]);
    for (TensorSpan s : states) in_place = in_place && (s.empty() || same_layout(p, s[i]));
    piece.param = place(p, p, in_place, true);
    piece.grad = place(grads_[i], p, in_place, false);
    int k = 0;
    for (TensorSpan s : states) {
      piece.state[k++] = s.empty() ? nullptr : place(s[i], p, in_place, true);
    }
    int64_t item = int64_t(itemsize(piece.dtype));
    for (int64_t from = 0; from < p.numel(); from += kOptimPiece) {
      OptimPiece part = piece;
      part.n = std::min(kOptimPiece, p.numel() - from);
      auto advance = [&](auto*& pointer) {
        using P = std::remove_reference_t<decltype(pointer)>;
        if (pointer)
          pointer =
              static_cast<P>(static_cast<char*>(const_cast<void*>(static_cast<const void*>(pointer))) + from * item);
      };
      advance(part.param);
      advance(part.grad);
      for (void*& s : part.state) advance(s);
      pieces_.push_back(part);
    }
  }

  template <class Options>
  void run(void (*OptimKernels::*entry)(const OptimPiece*, int64_t, const Options&), const Options& options) {
    if (pieces_.empty()) return;
    kernel(optim_kernels[int(device_.type)].*entry, op_, device_)(pieces_.data(), int64_t(pieces_.size()), options);
    for (auto& [to, from] : copies_back_) copy_into(to, from);
  }

 private:
  static bool same_layout(const Tensor& a, const Tensor& b) {
    if (a.dtype() != b.dtype() || !(a.sizes() == b.sizes())) return false;
    if (a.is_contiguous() && b.is_contiguous()) return true;
    for (int64_t d = 0; d < a.dim(); ++d)
      if (a.size(d) > 1 && a.stride(d) != b.stride(d)) return false;
    return true;
  }
  void* place(const Tensor& t, const Tensor& param, bool in_place, bool written) {
    check(t.sizes() == param.sizes(), op_, "(): a parameter of size ", to_string(param.sizes()),
          " has a gradient or state of size ", to_string(t.sizes()));
    check(t.device() == param.device(), op_, "(): a parameter on ", to_string(param.device()),
          " has a gradient or state on ", to_string(t.device()));
    if (in_place) return t.data();
    Tensor same = t.dtype() == param.dtype() ? t : to_dtype(t, param.dtype(), false, false);
    Tensor flat = contiguous(same);
    if (written && !flat.is(t)) copies_back_.emplace_back(t, flat);
    kept_.push_back(flat);
    return flat.data();
  }

  const char* op_;
  TensorSpan params_, grads_;
  Device device_;
  bool device_set_ = false;
  std::vector<OptimPiece> pieces_;
  std::vector<Tensor> kept_;
  std::vector<std::pair<Tensor, Tensor>> copies_back_;
};

// Counts one step up and returns the count.
double advance(const Tensor& step) {
  check(step.numel() == 1 && step.device().is_cpu(), "state_steps must be CPU tensors of one element");
  if (step.dtype() == Dtype::Float32) return double(*step.data_as<float>() += 1);
  if (step.dtype() == Dtype::Float64) return *step.data_as<double>() += 1;
  check(step.dtype() == Dtype::Int64, "state_steps must be float32, float64 or int64, but got ", name(step.dtype()));
  return double(*step.data_as<int64_t>() += 1);
}

void check_length(const char* op, TensorSpan params, std::initializer_list<TensorSpan> lists) {
  for (TensorSpan l : lists)
    check(l.size() == params.size(), op, "(): ", params.size(), " parameters, but a list of ", l.size(), " states");
}

}  // namespace

void fused_sgd(TensorSpan params, TensorSpan grads, TensorSpan momentum_buffers, double lr, double momentum,
               double dampening, double weight_decay, bool nesterov, bool maximize, bool is_first_step) {
  bool buffers = momentum != 0;
  if (buffers) check_length("_fused_sgd_", params, {momentum_buffers});
  Pieces pieces("_fused_sgd_", params, grads);
  for (size_t i = 0; i < params.size(); ++i) pieces.add(i, {buffers ? momentum_buffers : TensorSpan()});
  pieces.run(&OptimKernels::sgd, SgdOptions{lr, momentum, dampening, weight_decay, nesterov, maximize, is_first_step});
}

void fused_adam(TensorSpan params, TensorSpan grads, TensorSpan exp_avgs, TensorSpan exp_avg_sqs,
                TensorSpan max_exp_avg_sqs, TensorSpan state_steps, double lr, double beta1, double beta2,
                double weight_decay, double eps, bool amsgrad, bool maximize, bool decoupled_weight_decay) {
  check_length("_fused_adam_", params, {exp_avgs, exp_avg_sqs, state_steps});
  if (amsgrad) check_length("_fused_adam_", params, {max_exp_avg_sqs});
  Pieces pieces("_fused_adam_", params, grads);
  for (size_t i = 0; i < params.size(); ++i) {
    double step = advance(state_steps[i]);
    double step_size = lr / (1 - std::pow(beta1, step));
    double correction = std::sqrt(1 - std::pow(beta2, step));
    pieces.add(i, {exp_avgs, exp_avg_sqs, amsgrad ? max_exp_avg_sqs : TensorSpan()}, step_size, correction);
  }
  pieces.run(&OptimKernels::adam,
             AdamOptions{lr, beta1, beta2, weight_decay, eps, amsgrad, maximize, decoupled_weight_decay});
}

void fused_adagrad(TensorSpan params, TensorSpan grads, TensorSpan state_sums, TensorSpan state_steps, double lr,
                   double lr_decay, double weight_decay, double eps, bool maximize) {
  check_length("_fused_adagrad_", params, {state_sums, state_steps});
  Pieces pieces("_fused_adagrad_", params, grads);
  for (size_t i = 0; i < params.size(); ++i)
    pieces.add(i, {state_sums}, lr / (1 + (advance(state_steps[i]) - 1) * lr_decay));
  pieces.run(&OptimKernels::adagrad, AdagradOptions{weight_decay, eps, maximize});
}

void fused_rmsprop(TensorSpan params, TensorSpan grads, TensorSpan square_avgs, TensorSpan momentum_buffers,
                   TensorSpan grad_avgs, TensorSpan state_steps, double lr, double alpha, double eps,
                   double weight_decay, double momentum, bool centered, bool maximize) {
  check_length("_fused_rmsprop_", params, {square_avgs, state_steps});
  bool buffers = momentum > 0;
  if (buffers) check_length("_fused_rmsprop_", params, {momentum_buffers});
  if (centered) check_length("_fused_rmsprop_", params, {grad_avgs});
  Pieces pieces("_fused_rmsprop_", params, grads);
  for (size_t i = 0; i < params.size(); ++i) {
    advance(state_steps[i]);
    pieces.add(i, {square_avgs, buffers ? momentum_buffers : TensorSpan(), centered ? grad_avgs : TensorSpan()});
  }
  pieces.run(&OptimKernels::rmsprop, RmspropOptions{lr, alpha, eps, weight_decay, momentum, centered, maximize});
}

void fused_adadelta(TensorSpan params, TensorSpan grads, TensorSpan square_avgs, TensorSpan acc_deltas,
                    TensorSpan state_steps, double lr, double rho, double eps, double weight_decay, bool maximize) {
  check_length("_fused_adadelta_", params, {square_avgs, acc_deltas, state_steps});
  Pieces pieces("_fused_adadelta_", params, grads);
  for (size_t i = 0; i < params.size(); ++i) {
    advance(state_steps[i]);
    pieces.add(i, {square_avgs, acc_deltas});
  }
  pieces.run(&OptimKernels::adadelta, AdadeltaOptions{lr, rho, eps, weight_decay, maximize});
}

}  // namespace tl::ops
