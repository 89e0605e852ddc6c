#include "ops/index.h"

#include "bindings/table.h"
#include "composite/shape.h"

namespace tl::python {
namespace {

constexpr unsigned kBoth = kFunction | kMethod;

#define TL_OUT ", *, Tensor? out=None) -> Tensor"

const Row rows[] = {
    {"gather(Tensor input, int dim, Tensor index, *, bool sparse_grad=False, Tensor? out=None) -> Tensor",
     TL_OP(ops::gather), kBoth, "out[i][j] = input[index[i][j]][j] for dim 0, and so on: one index for each element."},
    {"scatter(Tensor input, int dim, Tensor index, Tensor src" TL_OUT, TL_OP(ops::scatter), kBoth | kInplace,
     "Writes src where the index points along a dimension: the inverse of gather."},
    {"scatter.value(Tensor input, int dim, Tensor index, Scalar value" TL_OUT, TL_OP(ops::scatter_value),
     kBoth | kInplace},
    {"scatter.reduce(Tensor input, int dim, Tensor index, Tensor src, *, str reduce, Tensor? out=None) -> Tensor",
     TL_OP(ops::scatter_with), kBoth | kInplace},
    {"scatter.value_reduce(Tensor input, int dim, Tensor index, Scalar value, *, str reduce, Tensor? out=None) -> "
     "Tensor",
     TL_OP(ops::scatter_value_with), kBoth | kInplace},
    {"scatter_add(Tensor input, int dim, Tensor index, Tensor src" TL_OUT, TL_OP(ops::scatter_add), kBoth | kInplace,
     "Adds src where the index points; several may meet, and are added in order."},
    {"scatter_reduce(Tensor input, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True, Tensor? "
     "out=None) -> Tensor",
     TL_OP(ops::scatter_reduce), kBoth | kInplace, "Reduces ('sum', 'prod', 'mean', 'amax', 'amin') what meets."},
    {"index_select(Tensor input, int dim, Tensor index" TL_OUT, TL_OP(ops::index_select), kBoth,
     "The slices of a dimension that a vector of indices names."},
    {"index_add(Tensor input, int dim, Tensor index, Tensor source, *, Scalar alpha=1, Tensor? out=None) -> Tensor",
     TL_OP(ops::index_add), kBoth | kInplace, "Adds alpha times the slices of source to the named ones."},
    {"index_copy(Tensor input, int dim, Tensor index, Tensor source" TL_OUT, TL_OP(ops::index_copy), kBoth | kInplace,
     "Writes the slices of source to the named ones."},
    {"index_fill(Tensor input, int dim, Tensor index, Scalar value" TL_OUT, TL_OP(ops::index_fill), kBoth | kInplace,
     "Writes one value to the named slices."},
    {"index_fill.tensor(Tensor input, int dim, Tensor index, Tensor value" TL_OUT, TL_OP(ops::index_fill_tensor),
     kBoth | kInplace},
    {"index(Tensor input, Tensor?[] indices) -> Tensor", TL_OP(ops::index), 0, "input[indices]"},
    {"index_put(Tensor input, Tensor?[] indices, Tensor values, bool accumulate=False" TL_OUT, TL_OP(ops::index_put),
     kBoth | kInplace, "input[indices] = values, or += with accumulate."},
    {"masked_select(Tensor input, Tensor mask" TL_OUT, TL_OP(ops::masked_select), kBoth,
     "The elements where the mask is true, in one dimension."},
    {"masked_scatter(Tensor input, Tensor mask, Tensor source" TL_OUT, TL_OP(ops::masked_scatter), kBoth | kInplace,
     "Writes the elements of source, in order, where the mask is true."},
    {"masked_scatter_backward(Tensor grad_output, Tensor mask, int[] sizes) -> Tensor",
     TL_OP(ops::masked_scatter_backward), 0},
    {"nonzero(Tensor input, *, !False as_tuple=False, Tensor? out=None) -> Tensor", TL_OP(ops::nonzero),
     kBoth | kNoGrad, "Coordinates of what is not zero: a row for each, or with as_tuple a tensor for each dimension."},
    {"nonzero.tuple(Tensor input, *, bool as_tuple) -> Tensor[]", TL_OP(ops::nonzero_tuple), kBoth | kNoGrad},
    {"argwhere(Tensor input) -> Tensor", TL_OP(ops::argwhere), kBoth | kNoGrad,
     "Coordinates of what is not zero, a row for each."},
    {"take(Tensor input, Tensor index" TL_OUT, TL_OP(ops::take), kBoth, "Elements by their place in the flat tensor."},
    {"put(Tensor input, Tensor index, Tensor source, bool accumulate=False" TL_OUT, TL_OP(ops::put), kBoth | kInplace,
     "Writes elements by their place in the flat tensor."},
    {"take_along_dim(Tensor input, Tensor indices, int? dim=None, *, Tensor? out=None) -> Tensor",
     TL_OP(composite::take_along_dim), kBoth | kNoGrad, "gather with broadcasting."},
    {"one_hot(Tensor input, int num_classes=-1) -> Tensor", TL_OP(ops::one_hot), kNN | kNoGrad,
     "1 in the place of each class, 0 elsewhere, in a new last dimension."},
    {"embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) "
     "-> "
     "Tensor",
     TL_OP(ops::embedding), kFunction, "Rows of a table."},
    {"embedding_dense_backward(Tensor grad_output, Tensor indices, int num_weights, int padding_idx, bool "
     "scale_grad_by_freq) -> Tensor",
     TL_OP(ops::embedding_dense_backward), 0},
};

}  // namespace
TL_ROWS(rows)

}  // namespace tl::python
