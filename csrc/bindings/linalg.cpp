#include "ops/linalg.h"

#include "bindings/table.h"
#include "composite/linalg.h"

namespace tl::python {
namespace {

constexpr unsigned kBoth = kFunction | kMethod;

const Row rows[] = {
    {"trace(Tensor input) -> Tensor", TL_OP(ops::trace), kBoth, "The sum of the diagonal of a matrix."},
    {"dist(Tensor input, Tensor other, Scalar p=2) -> Tensor", TL_OP(ops::dist), kBoth,
     "The p-norm of input - other, which broadcast."},
    {"linalg_cross(Tensor input, Tensor other, *, int dim=-1, Tensor? out=None) -> Tensor", TL_OP(ops::linalg_cross), 0,
     "The vector products along a dimension of size 3; the others broadcast."},
    {"cross(Tensor input, Tensor other, int? dim=None, *, Tensor? out=None) -> Tensor", TL_OP(composite::cross),
     kBoth | kComposite, "The vector products along a dimension of size 3, by default the first such one."},
    {"kron(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", TL_OP(composite::kron), kBoth | kComposite,
     "The Kronecker product: each element of input times the whole of other, put together along all dims."},
};

}  // namespace
TL_ROWS(rows)
}  // namespace tl::python
