#include "ops/creation.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

// What every factory takes at the end.
#define TL_OUT "*, Tensor? out=None, dtype? dtype=None, !layout layout=None, device? device=None, "
#define TL_NEW "*, dtype? dtype=None, !layout layout=None, device? device=None, "
#define TL_END "!pin_memory pin_memory=False, bool requires_grad=False) -> Tensor"
#define TL_END_FORMAT "!pin_memory pin_memory=False, format? memory_format=None, bool requires_grad=False) -> Tensor"

constexpr unsigned kFactory = kFunction | kNoGrad;
constexpr unsigned kNew = kMethod | kNoGrad;

const Row rows[] = {
    {"empty(Size size, " TL_OUT TL_END_FORMAT, TL_OP(ops::empty), kFactory, "Uninitialised memory of this size."},
    {"empty_strided(int[] size, int[] stride, " TL_NEW TL_END, TL_OP(ops::empty_strided), kFactory,
     "Uninitialised memory of this size and these strides."},
    {"zeros(Size size, " TL_OUT TL_END, TL_OP(ops::zeros), kFactory, "A tensor full of 0."},
    {"ones(Size size, " TL_OUT TL_END, TL_OP(ops::ones), kFactory, "A tensor full of 1."},
    {"full(shape size, Scalar fill_value, " TL_OUT TL_END, TL_OP(ops::full), kFactory,
     "A tensor full of `fill_value`, whose kind gives the dtype: bool, int64, the default dtype, its complex twin."},
    {"scalar_tensor(Scalar s, " TL_NEW TL_END, TL_OP(ops::scalar_tensor), kFactory, "A tensor without dims."},
    {"arange(Scalar end, " TL_OUT TL_END, TL_OP(ops::arange), kFactory,
     "The numbers from start (0) up to, not including, end, by step (1): ceil((end - start) / step) of them. int64 "
     "when "
     "all three are integers, else the default dtype."},
    {"arange.start(Scalar start, Scalar end, Scalar step=1, " TL_OUT TL_END, TL_OP(ops::arange_start), kFactory, ""},
    {"range(Scalar start, Scalar end, Scalar step=1, " TL_OUT TL_END, TL_OP(ops::range), kFactory,
     "Like arange, but includes end. Deprecated."},
    {"linspace(Scalar start, Scalar end, int steps, " TL_OUT TL_END, TL_OP(ops::linspace), kFactory,
     "`steps` numbers, evenly from start to end, both included."},
    {"linspace.tensors(Operand start, Operand end, int steps, " TL_OUT TL_END, TL_OP(ops::linspace_tensors), kFactory},
    {"logspace(Scalar start, Scalar end, int steps, float base=10.0, " TL_OUT TL_END, TL_OP(ops::logspace), kFactory,
     "`steps` powers of `base`, exponents evenly from start to end, both included."},
    {"logspace.tensors(Operand start, Operand end, int steps, float base=10.0, " TL_OUT TL_END,
     TL_OP(ops::logspace_tensors), kFactory},
    {"eye(int n, int? m=None, " TL_OUT TL_END, TL_OP(ops::eye), kFactory,
     "An n x m matrix (m = n when left out) with 1 on its diagonal and 0 elsewhere."},
    {"tril_indices(int row, int col, int offset=0, " TL_NEW TL_END, TL_OP(ops::tril_indices), kFactory,
     "Row and column (2, n) of each element of the lower triangle of a row x col matrix, in row order."},
    {"triu_indices(int row, int col, int offset=0, " TL_NEW TL_END, TL_OP(ops::triu_indices), kFactory,
     "Row and column (2, n) of each element of the upper triangle of a row x col matrix, in row order."},
    {"empty_like(Tensor input, " TL_NEW TL_END_FORMAT, TL_OP(ops::empty_like_op), kFactory,
     "Uninitialised memory shaped and laid out like the input."},
    {"zeros_like(Tensor input, " TL_NEW TL_END_FORMAT, TL_OP(ops::zeros_like), kFactory, "0, shaped like the input."},
    {"ones_like(Tensor input, " TL_NEW TL_END_FORMAT, TL_OP(ops::ones_like), kFactory, "1, shaped like the input."},
    {"full_like(Tensor input, Scalar fill_value, " TL_NEW TL_END_FORMAT, TL_OP(ops::full_like), kFactory,
     "`fill_value`, shaped like the input."},
    {"new_empty(Tensor input, Size size, " TL_NEW TL_END, TL_OP(ops::new_empty), kNew,
     "Uninitialised memory of this size, with the dtype and device of this tensor."},
    {"new_empty_strided(Tensor input, int[] size, int[] stride, " TL_NEW TL_END, TL_OP(ops::new_empty_strided), kNew,
     "Uninitialised memory of this size and strides, with the dtype and device of this tensor."},
    {"new_zeros(Tensor input, Size size, " TL_NEW TL_END, TL_OP(ops::new_zeros), kNew,
     "0, with the dtype and device of this tensor."},
    {"new_ones(Tensor input, Size size, " TL_NEW TL_END, TL_OP(ops::new_ones), kNew,
     "1, with the dtype and device of this tensor."},
    {"new_full(Tensor input, shape size, Scalar fill_value, " TL_NEW TL_END, TL_OP(ops::new_full), kNew,
     "`fill_value`, with the dtype and device of this tensor."},
    {"fill(Tensor input, Operand value, *, Tensor? out=None) -> Tensor", TL_OP(ops::fill), kFunction | kInplace,
     "The input with every element replaced by `value`, a number or a tensor without dims."},
    {"zero(Tensor input, *, Tensor? out=None) -> Tensor", TL_OP(ops::zero),
     kFunction | kMethod | kInplace | kInplaceOnly, "Sets every element to 0."},
};

}  // namespace
TL_ROWS(rows)

}  // namespace tl::python
