#include "ops/softmax.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

const Row rows[] = {
    {"softmax(Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None) -> Tensor", TL_OP(ops::softmax),
     kFunction | kMethod,
     "exp(input) / sum(exp(input)) over `dim`, computed from input - max(input). The input is converted to `dtype` "
     "first. float16 and bfloat16 are computed in float32."},
    {"log_softmax(Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None) -> Tensor", TL_OP(ops::log_softmax),
     kFunction | kMethod,
     "log(softmax(input, dim)), without the loss of precision of taking the logarithm of small numbers."},
    {"_softmax_backward_data(Tensor grad_output, Tensor output, int dim, dtype input_dtype) -> Tensor",
     TL_OP(ops::softmax_backward_data), kFunction, "(grad - sum(grad * output, dim)) * output"},
    {"_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim, dtype input_dtype) -> Tensor",
     TL_OP(ops::log_softmax_backward_data), kFunction, "grad - exp(output) * sum(grad, dim)"},
};
TL_ROWS(rows)

}  // namespace
}  // namespace tl::python
