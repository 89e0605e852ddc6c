#include "ops/scan.h"

#include "bindings/table.h"
#include "composite/scan.h"

namespace tl::python {
namespace {

constexpr unsigned kBoth = kFunction | kMethod;

const Row rows[] = {
    {"cumsum(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None) -> Tensor", TL_OP(ops::cumsum),
     kBoth | kInplace, "Sums of all elements up to each, along a dimension."},
    {"cumprod(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None) -> Tensor", TL_OP(ops::cumprod),
     kBoth | kInplace, "Products of all elements up to each, along a dimension."},
    {"logcumsumexp(Tensor input, int dim, *, Tensor? out=None) -> Tensor", TL_OP(ops::logcumsumexp), kBoth,
     "Logarithms of the sums of the exponentials up to each element, along a dimension."},
    {"cummax(Tensor input, int dim, *, Tensor[2]? out=None) -> (Tensor values, Tensor indices)", TL_OP(ops::cummax),
     kBoth, "The largest element up to each, and where it stands (the last of equal ones)."},
    {"cummin(Tensor input, int dim, *, Tensor[2]? out=None) -> (Tensor values, Tensor indices)", TL_OP(ops::cummin),
     kBoth, "The smallest element up to each, and where it stands (the last of equal ones)."},
    {"diff(Tensor input, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None, *, Tensor? out=None) -> "
     "Tensor",
     TL_OP(composite::diff), kBoth | kComposite, "Differences of neighbours along a dimension, n times over."},
    {"_recurrence(Tensor input, Tensor factor, int dim) -> Tensor", TL_OP(ops::recurrence), 0,
     "result[k] = input[k] + factor[k] * result[k - 1]"},
};

}  // namespace
TL_ROWS(rows)

}  // namespace tl::python
