#include "ops/loss.h"

#include "kernels/loss.h"
#include "ops/place.h"
#include "ops/same_device.h"
#include "ops/shape.h"

namespace tl {
LossKernels loss_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

Reduction reduction_of(int64_t r) {
  check<ValueError>(r >= 0 && r <= 2, r, " is not a valid value for reduction. Give 0 (none), 1 (mean) or 2 (sum).");
  return Reduction(r);
}
void check_floating(const char* op, const Tensor& t) {
  check<NotImplementedError>(is_floating(t.dtype()), "\"", op, "\" not implemented for '", type_name(t.dtype()), "'");
}

// ---- negative log likelihood ----

void check_target(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t classes) {
  check(target.dtype() == Dtype::Int64 || target.dtype() == Dtype::UInt8,
        "expected target dtype to be Long or Byte, but got ", type_name(target.dtype()),
        ". Class indices are integers: use .long().");
  check_floating("nll_loss_out_frame", input);
  if (weight.defined()) {
    check(weight.dim() == 1 && weight.numel() == classes, "weight tensor should be defined either for all ", classes,
          " classes or no classes but got weight tensor of shape: ", to_string(weight.sizes()));
    check(weight.dtype() == input.dtype(), "expected scalar type ", type_name(input.dtype()), " but found ",
          type_name(weight.dtype()));
  }
  check(target.device() == input.device(), "Expected all tensors to be on the same device, but target is on ",
        to_string(target.device()), ", the input on ", to_string(input.device()));
  check_same_device({&input, &weight});
}

struct NllShape {
  int64_t n, classes, inner;
};
// The dims of an input of nll_loss; the target's size is checked against them.
NllShape nll_shape(Ints input, const Tensor& target) {
  if (input.size() == 1) return {1, input[0], 1};
  NllShape s{input[0], input[1], numel_of(input.slice(2))};
  return s;
}
std::tuple<Tensor, Tensor> nll(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t reduction,
                               int64_t ignore_index) {
  NllShape s = nll_shape(input.sizes(), target);
  check_target(input, target, weight, s.classes);
  Reduction r = reduction_of(reduction);
  Tensor x = contiguous(input), t = contiguous(target), w = weight.defined() ? contiguous(weight) : Tensor();
  Tensor total = empty({}, x.dtype(), x.device());
  Tensor loss = empty(r == Reduction::None ? t.sizes() : Ints(), x.dtype(), x.device());
  int64_t invalid = kernel(loss_kernels[int(x.device().type)].nll, "nll_loss", x.device())(
      {x.dtype(), t.dtype() == Dtype::UInt8, r, s.n, s.classes, s.inner, ignore_index, x.data(), t.data(),
       w.defined() ? w.data() : nullptr, loss.data(), total.data()});
  if (invalid != kAllTargetsValid) target_error(s.classes).raise(invalid);
  return {loss, total};
}

// ---- pairs ----

// The operands of a loss of pairs of elements, in one shape, row-major.
struct Pairs {
  Tensor input, target, weight, pos_weight;
  Dims sizes;
};
Tensor spread(const Tensor& t, Ints sizes, Dtype dtype, Device device) {
  if (!t.defined()) return t;
  Tensor same = t.dtype() == dtype ? t : to_dtype(t, dtype, false, false);
  if (!(same.device() == device)) same = to_copy(same, {}, device, false);  // a number of the host
  return contiguous(same.sizes() == sizes ? same : expand(same, sizes, false));
}
Pairs pairs(const char* op, const Tensor& input, const Tensor& target, const Tensor& weight = {},
            const Tensor& pos_weight = {}) {
  Dtype dtype = result_type(input, target);
  check<NotImplementedError>(is_floating(dtype), "\"", op, "\" not implemented for '", type_name(dtype), "'");
  const Device device = common_device(
      {&input, &target, weight.defined() ? &weight : &input, pos_weight.defined() ? &pos_weight : &input});
  Pairs p;
  p.sizes = input.sizes() == target.sizes() ? Dims(input.sizes()) : broadcast_shapes(input.sizes(), target.sizes());
  p.input = spread(input, p.sizes, dtype, device);
  p.target = spread(target, p.sizes, dtype, device);
  p.weight = spread(weight, p.sizes, dtype, device);
  p.pos_weight = spread(pos_weight, p.sizes, dtype, device);
  return p;
}
const void* data_or_null(const Tensor& t) { return t.defined() ? t.data() : nullptr; }

Tensor pair_loss(const char* op, PairLoss kind, const Pairs& p, int64_t reduction, double param) {
  Reduction r = reduction_of(reduction);
  Device device = p.input.device();
  Tensor out = empty(r == Reduction::None ? Ints(p.sizes) : Ints(), p.input.dtype(), device);
  kernel(loss_kernels[int(device.type)].pair, op,
         device)({kind, p.input.dtype(), r, p.input.numel(), param, p.input.data(), p.target.data(),
                  data_or_null(p.weight), data_or_null(p.pos_weight), out.data()});
  return out;
}
Tensor pair_backward(const char* op, PairLoss kind, const Tensor& grad, const Pairs& p, int64_t reduction,
                     double param) {
  Reduction r = reduction_of(reduction);
  Device device = p.input.device();
  Tensor g = spread(grad, r == Reduction::None ? Ints(p.sizes) : Ints(), p.input.dtype(), device);
  Tensor out = empty(p.sizes, p.input.dtype(), device);
  if (out.numel())
    kernel(loss_kernels[int(device.type)].pair_backward, op,
           device)({kind, p.input.dtype(), r, p.input.numel(), param, g.data(), p.input.data(), p.target.data(),
                    data_or_null(p.weight), data_or_null(p.pos_weight), out.data()});
  return out;
}

Pairs bce_pairs(const Tensor& input, const Tensor& target, const Tensor& weight) {
  check<ValueError>(input.sizes() == target.sizes(), "Using a target size (", to_string(target.sizes()),
                    ") that is different to the input size (", to_string(input.sizes()),
                    ") is deprecated. Please ensure they have the same size.");
  return pairs("binary_cross_entropy", input, target, weight);
}
void check_unit_interval(const Tensor& t, const char* text) {
  const DataError error{text, {}, false};
  if (!kernel(loss_kernels[int(t.device().type)].in_unit_interval, "binary_cross_entropy", t.device())(
          t.dtype(), t.data(), t.numel(), error))
    error.raise(0);
}
Pairs logits_pairs(const Tensor& input, const Tensor& target, const Tensor& weight, const Tensor& pos_weight) {
  check<ValueError>(input.sizes() == target.sizes(), "Target size (", to_string(target.sizes()),
                    ") must be the same as input size (", to_string(input.sizes()), ")");
  return pairs("binary_cross_entropy_with_logits", input, target, weight, pos_weight);
}

}  // namespace

std::tuple<Tensor, Tensor> nll_loss_forward(const Tensor& input, const Tensor& target, const Tensor& weight,
                                            int64_t reduction, int64_t ignore_index) {
  check(input.dim() == 1 || input.dim() == 2, "input tensor should be 1D or 2D");
  check(target.dim() <= 1, "0D or 1D target tensor expected, multi-target not supported");
  check<ValueError>(input.dim() != 1 || target.numel() == 1,
                    "For 1D input, 1D target must have size 1, but got target size: ", target.numel());
  check(input.dim() == 1 ? target.numel() == 1 : target.dim() == 1 && input.size(0) == target.size(0),
        "size mismatch (got input: ", to_string(input.sizes()), ", target: ", to_string(target.sizes()), ")");
  return nll(input, target, weight, reduction, ignore_index);
}

std::tuple<Tensor, Tensor> nll_loss2d_forward(const Tensor& input, const Tensor& target, const Tensor& weight,
                                              int64_t reduction, int64_t ignore_index) {
  check(input.dim() >= 3,
        "only batches of spatial inputs supported (4D tensors), but got input of dimension: ", input.dim());
  if (input.dim() == 4)
    check(target.dim() == 3,
          "only batches of spatial targets supported (3D tensors) but got targets of dimension: ", target.dim());
  Dims expected(input.sizes());
  expected.erase(1);
  if (!(target.sizes() == Ints(expected))) {
    if (input.dim() == 4)
      fail("size mismatch (got input: ", to_string(input.sizes()), " , target: ", to_string(target.sizes()),
           "). The target has the input's sizes without the second.");
    fail("Expected target size ", to_string(Ints(expected)), ", got ", to_string(target.sizes()));
  }
  return nll(input, target, weight, reduction, ignore_index);
}

Tensor nll_loss_backward(const Tensor& grad_output, Ints input_size, const Tensor& target, const Tensor& weight,
                         int64_t reduction, int64_t ignore_index, const Tensor& total_weight) {
  NllShape s = nll_shape(input_size, target);
  Reduction r = reduction_of(reduction);
  Dtype dtype = total_weight.dtype();
  Tensor g = spread(grad_output, r == Reduction::None ? target.sizes() : Ints(), dtype, target.device());
  Tensor t = contiguous(target), w = weight.defined() ? contiguous(weight) : Tensor();
  Tensor out = empty(input_size, dtype, g.device());
  int64_t invalid = kernel(loss_kernels[int(g.device().type)].nll_backward, "nll_loss_backward",
                           g.device())({dtype, t.dtype() == Dtype::UInt8, r, s.n, s.classes, s.inner, ignore_index,
                                        g.data(), t.data(), data_or_null(w), total_weight.data(), out.data()});
  if (invalid != kAllTargetsValid) target_error(s.classes).raise(invalid);
  return out;
}

Tensor mse_loss(const Tensor& input, const Tensor& target, int64_t reduction) {
  return pair_loss("mse_loss", PairLoss::Mse, pairs("mse_cpu", input, target), reduction, 0);
}
Tensor mse_loss_backward(const Tensor& grad, const Tensor& input, const Tensor& target, int64_t reduction) {
  return pair_backward("mse_loss_backward", PairLoss::Mse, grad, pairs("mse_backward_cpu_out", input, target),
                       reduction, 0);
}
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, int64_t reduction, double beta) {
  check(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
  return pair_loss("smooth_l1_loss", PairLoss::SmoothL1, pairs("smooth_l1_cpu", input, target), reduction, beta);
}
Tensor smooth_l1_loss_backward(const Tensor& grad, const Tensor& input, const Tensor& target, int64_t reduction,
                               double beta) {
  return pair_backward("smooth_l1_loss_backward", PairLoss::SmoothL1, grad, pairs("smooth_l1_cpu", input, target),
                       reduction, beta);
}
Tensor huber_loss(const Tensor& input, const Tensor& target, int64_t reduction, double delta) {
  check(delta > 0, "huber_loss does not support non-positive values for delta.");
  return pair_loss("huber_loss", PairLoss::Huber, pairs("huber_cpu", input, target), reduction, delta);
}
Tensor huber_loss_backward(const Tensor& grad, const Tensor& input, const Tensor& target, int64_t reduction,
                           double delta) {
  return pair_backward("huber_loss_backward", PairLoss::Huber, grad, pairs("huber_cpu", input, target), reduction,
                       delta);
}
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t reduction) {
  Pairs p = bce_pairs(input, target, weight);
  check_unit_interval(p.input,
                      "all elements of input should be between 0 and 1. Use binary_cross_entropy_with_logits for "
                      "numbers before the sigmoid.");
  check_unit_interval(p.target, "all elements of target should be between 0 and 1");
  return pair_loss("binary_cross_entropy", PairLoss::Bce, p, reduction, 0);
}
Tensor binary_cross_entropy_backward(const Tensor& grad, const Tensor& input, const Tensor& target,
                                     const Tensor& weight, int64_t reduction) {
  return pair_backward("binary_cross_entropy_backward", PairLoss::Bce, grad, bce_pairs(input, target, weight),
                       reduction, 0);
}
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, const Tensor& weight,
                                        const Tensor& pos_weight, int64_t reduction) {
  return pair_loss("binary_cross_entropy_with_logits", PairLoss::BceWithLogits,
                   logits_pairs(input, target, weight, pos_weight), reduction, 0);
}
Tensor binary_cross_entropy_with_logits_backward(const Tensor& grad, const Tensor& input, const Tensor& target,
                                                 const Tensor& weight, const Tensor& pos_weight, int64_t reduction) {
  return pair_backward("binary_cross_entropy_with_logits_backward", PairLoss::BceWithLogits, grad,
                       logits_pairs(input, target, weight, pos_weight), reduction, 0);
}

}  // namespace tl::ops
