#include "ops/sort.h"

#include "bindings/table.h"
#include "composite/sort.h"

namespace tl::python {
namespace {

constexpr unsigned kBoth = kFunction | kMethod;

#define TL_PAIR "*, Tensor[2]? out=None) -> (Tensor values, Tensor indices)"

const Row rows[] = {
    {"sort(Tensor input, int dim=-1, bool descending=False, " TL_PAIR, TL_OP(ops::sort), kBoth,
     "The elements along a dimension in order, and where each stood. NaN is last; equal ones keep their order."},
    {"sort.stable(Tensor input, *, bool? stable, int dim=-1, bool descending=False, Tensor[2]? out=None) -> (Tensor "
     "values, Tensor indices)",
     TL_OP(ops::sort_stable), kBoth},
    {"argsort(Tensor input, int dim=-1, bool descending=False, bool stable=False) -> Tensor", TL_OP(ops::argsort),
     kBoth | kNoGrad, "The indices that sort along a dimension."},
    {"msort(Tensor input, *, Tensor? out=None) -> Tensor", TL_OP(composite::msort), kBoth | kComposite,
     "The elements along the first dimension in order."},
    {"topk(Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True, " TL_PAIR, TL_OP(ops::topk), kBoth,
     "The k largest (or smallest) elements along a dimension, in order, and where they stand."},
    {"kthvalue(Tensor input, int k, int dim=-1, bool keepdim=False, " TL_PAIR, TL_OP(ops::kthvalue), kBoth,
     "The k-th smallest element along a dimension, counted from 1, and where it stands."},
    {"median(Tensor input) -> Tensor", TL_OP(ops::median), kBoth,
     "The middle element, the lower of two; NaN if there is one. With a dimension: along it, and where it stands."},
    {"median.dim(Tensor input, int dim, bool keepdim=False, " TL_PAIR, TL_OP(ops::median_dim), kBoth},
    {"nanmedian(Tensor input) -> Tensor", TL_OP(ops::nanmedian), kBoth, "The median of what is not NaN."},
    {"nanmedian.dim(Tensor input, int dim, bool keepdim=False, " TL_PAIR, TL_OP(ops::nanmedian_dim), kBoth},
    {"mode(Tensor input, int dim=-1, bool keepdim=False, " TL_PAIR, TL_OP(ops::mode), kBoth,
     "The most frequent value along a dimension, the least of several, and where it stands last."},
    {"_unique2(Tensor input, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, "
     "Tensor, "
     "Tensor)",
     TL_OP(ops::unique2), kFunction},
    {"unique_dim(Tensor input, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> "
     "(Tensor, Tensor, Tensor)",
     TL_OP(ops::unique_dim), 0},
    {"_unique_consecutive(Tensor input, bool return_inverse=False, bool return_counts=False, int? dim=None) -> "
     "(Tensor, "
     "Tensor, Tensor)",
     TL_OP(ops::unique_consecutive), 0},
    {"searchsorted(Tensor sorted_sequence, Operand input, *, bool out_int32=False, bool right=False, str? side=None, "
     "Tensor? sorter=None, Tensor? out=None) -> Tensor",
     TL_OP(ops::searchsorted), kFunction | kNoGrad,
     "Where the values would go into a sorted sequence: before their equals, or after them if right."},
    {"bucketize(Operand input, Tensor boundaries, *, bool out_int32=False, bool right=False, Tensor? out=None) -> "
     "Tensor",
     TL_OP(ops::bucketize), kFunction | kNoGrad, "The bucket of each value between sorted boundaries."},
    {"bincount(Tensor input, Tensor? weights=None, int minlength=0) -> Tensor", TL_OP(ops::bincount), kBoth,
     "How often each non-negative integer occurs, or the sum of the weights of its places."},
};

}  // namespace
TL_ROWS(rows)

}  // namespace tl::python
