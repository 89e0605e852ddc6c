#include "ops/matmul.h"

#include "bindings/table.h"
#include "composite/matmul.h"

namespace tl::python {
namespace {

#define TL_SCALED ", *, Scalar beta=1, Scalar alpha=1, Tensor? out=None) -> Tensor"
constexpr unsigned kBoth = kFunction | kMethod;

const Row rows[] = {
    {"mm(Tensor input, Tensor mat2, *, Tensor? out=None) -> Tensor", TL_OP(ops::mm), kBoth,
     "The product (n, p) of an (n, m) matrix and an (m, p) matrix of the same dtype. Does not broadcast; see matmul."},
    {"bmm(Tensor input, Tensor mat2, *, Tensor? out=None) -> Tensor", TL_OP(ops::bmm), kBoth,
     "The products (b, n, p) of two stacks of matrices, (b, n, m) and (b, m, p), of the same dtype."},
    {"mv(Tensor input, Tensor vec, *, Tensor? out=None) -> Tensor", TL_OP(ops::mv), kBoth,
     "The product (n,) of an (n, m) matrix and an (m,) vector of the same dtype."},
    {"dot(Tensor input, Tensor tensor, *, Tensor? out=None) -> Tensor", TL_OP(ops::dot), kBoth,
     "The sum of the products of two vectors of the same length and dtype."},
    {"vdot(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", TL_OP(ops::vdot), kBoth,
     "The same as dot with the first vector conjugated."},
    {"addmm(Tensor input, Tensor mat1, Tensor mat2" TL_SCALED, TL_OP(ops::addmm), kBoth | kInplace,
     "beta * input + alpha * (mat1 @ mat2), where input broadcasts to the product. With beta 0, input is not read."},
    {"addmv(Tensor input, Tensor mat, Tensor vec" TL_SCALED, TL_OP(ops::addmv), kBoth | kInplace,
     "beta * input + alpha * (mat @ vec), where input broadcasts to the product. With beta 0, input is not read."},
    {"baddbmm(Tensor input, Tensor batch1, Tensor batch2" TL_SCALED, TL_OP(ops::baddbmm), kBoth | kInplace,
     "beta * input + alpha * (batch1 @ batch2) for stacks of matrices. With beta 0, input is not read."},
    {"addbmm(Tensor input, Tensor batch1, Tensor batch2" TL_SCALED, TL_OP(ops::addbmm), kBoth | kInplace,
     "beta * input + alpha * the sum over the stack of batch1 @ batch2. With beta 0, input is not read."},
    {"addr(Tensor input, Tensor vec1, Tensor vec2" TL_SCALED, TL_OP(ops::addr), kBoth | kInplace,
     "beta * input + alpha * (vec1 outer vec2). With beta 0, input is not read."},
    {"matmul(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", TL_OP(composite::matmul), kBoth | kComposite,
     "The matrix product of the last two dims; dims before them are broadcast. A 1-D operand is a row on the left, a "
     "column on the right, and its dim is dropped from the result; two of them give their dot product."},
    {"linear(Tensor input, Tensor weight, Tensor? bias=None, *, Tensor? out=None) -> Tensor", TL_OP(composite::linear),
     kNN | kComposite, "input @ weight.T + bias: (*, in), (out, in), (out,) -> (*, out)."},
    {"outer(Tensor input, Tensor vec2, *, Tensor? out=None) -> Tensor", TL_OP(composite::outer), kBoth | kComposite,
     "The (n, m) matrix of products of an (n,) and an (m,) vector."},
    {"ger(Tensor input, Tensor vec2, *, Tensor? out=None) -> Tensor", TL_OP(composite::outer), kBoth | kComposite,
     "The same as outer."},
    {"inner(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", TL_OP(composite::inner), kBoth | kComposite,
     "Dot products along the last dims: (*, k), (+, k) -> (*, +)."},
    {"_tensordot(Tensor a, Tensor b, int[] dims_a, int[] dims_b) -> Tensor", TL_OP(composite::tensordot),
     kFunction | kComposite, "Contracts a over dims_a with b over dims_b."},
    {"_multi_dot(Tensor[] tensors) -> Tensor", TL_OP(composite::multi_dot), kFunction | kComposite,
     "The product of a chain of matrices in the order that costs least."},
};

}  // namespace
TL_ROWS(rows)
}  // namespace tl::python
