#include "ops/softmax.h"

#include "kernels/softmax.h"
#include "ops/place.h"

namespace tl {
SoftmaxKernels softmax_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

struct Split {
  int64_t outer = 1, n = 1, inner = 1;
};
Split split_at(Ints sizes, int64_t dim) {
  Split s;
  for (size_t i = 0; i < sizes.size(); ++i)
    (int64_t(i) < dim ? s.outer : int64_t(i) == dim ? s.n : s.inner) *= sizes[i];
  return s;
}

Tensor forward(const char* op, bool log, const Tensor& input, int64_t dim, OptDtype dtype, const Out& out) {
  Tensor x = dtype && *dtype != input.dtype() ? to_dtype(input, *dtype, false, false) : input;
  dim = wrap_dim(dim, x.dim());
  Split s = split_at(x.sizes(), dim);
  check<NotImplementedError>(is_floating(x.dtype()), "\"", op, dim + 1 >= x.dim() ? "_lastdim" : "",
                             "_kernel_impl\" not implemented for '", type_name(x.dtype()),
                             "'. Convert the input to a floating dtype first, or pass dtype=.");
  x = contiguous(x);
  Place place(out, x.sizes(), x.dtype(), x.device());
  if (x.numel())
    kernel(softmax_kernels[int(x.device().type)].forward, op,
           x.device())({x.dtype(), log, s.outer, s.n, s.inner, x.data(), place.target.data()});
  return place.finish();
}

Tensor backward(const char* op, bool log, const Tensor& grad, const Tensor& output, int64_t dim, Dtype input_dtype) {
  check(grad.sizes() == output.sizes(), op, ": the gradient has sizes ", to_string(grad.sizes()), ", the output ",
        to_string(output.sizes()));
  Tensor g = contiguous(grad.dtype() == output.dtype() ? grad : to_dtype(grad, output.dtype(), false, false));
  Tensor y = contiguous(output);
  Tensor result = empty(y.sizes(), y.dtype(), y.device());
  Split s = split_at(y.sizes(), wrap_dim(dim, y.dim()));
  if (y.numel())
    kernel(softmax_kernels[int(y.device().type)].backward, op,
           y.device())({y.dtype(), log, s.outer, s.n, s.inner, g.data(), y.data(), result.data()});
  return input_dtype == y.dtype() ? result : to_dtype(result, input_dtype, false, false);
}

}  // namespace

Tensor softmax(const Tensor& input, int64_t dim, OptDtype dtype, const Out& out) {
  return forward("softmax", false, input, dim, dtype, out);
}
Tensor log_softmax(const Tensor& input, int64_t dim, OptDtype dtype, const Out& out) {
  return forward("log_softmax", true, input, dim, dtype, out);
}
Tensor softmax_backward_data(const Tensor& grad, const Tensor& output, int64_t dim, Dtype input_dtype) {
  return backward("_softmax_backward_data", false, grad, output, dim, input_dtype);
}
Tensor log_softmax_backward_data(const Tensor& grad, const Tensor& output, int64_t dim, Dtype input_dtype) {
  return backward("_log_softmax_backward_data", true, grad, output, dim, input_dtype);
}

}  // namespace tl::ops
