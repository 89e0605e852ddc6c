#include "ops/attention.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

const Row rows[] = {
    {"attention(Tensor query, Tensor key, Tensor value, Tensor? mask, bool causal, float scale) -> (Tensor, Tensor)",
     TL_OP(ops::attention), kNN,
     "softmax(scale * query @ key.T + mask) @ value by tiles, and the logarithm of each row's sum of exponentials."},
    {"attention_backward(Tensor grad_output, Tensor query, Tensor key, Tensor value, Tensor? mask, Tensor output, "
     "Tensor log_sum, bool causal, float scale) -> (Tensor, Tensor, Tensor)",
     TL_OP(ops::attention_backward), kNN, "The gradients of query, key and value."},
};
TL_ROWS(rows)

}  // namespace
}  // namespace tl::python
