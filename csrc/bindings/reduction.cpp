#include "ops/reduction.h"

#include "bindings/table.h"
#include "composite/reduction.h"
#include "ops/pointwise.h"

namespace tl::python {
namespace {

constexpr unsigned kBoth = kFunction | kMethod;
constexpr unsigned kQuestion = kBoth | kNoGrad;
#define TL_DTYPE_OUT ", *, dtype? dtype=None, Tensor? out=None) -> Tensor"
#define TL_OUT ", *, Tensor? out=None) -> Tensor"

#define TL_EXTREME(name, pairwise, doc)                                                    \
  {#name "(Tensor input" TL_OUT, TL_OP(ops::name), kBoth, doc},                            \
      {#name ".other(Tensor input, Tensor other" TL_OUT, TL_OP(ops::pairwise), kBoth, ""}, \
      {#name                                                                               \
       ".dim(Tensor input, int dim, bool keepdim=False, *, Tensor[2]? out=None) -> "       \
       "(Tensor values, Tensor indices)",                                                  \
       TL_OP(ops::name##_dim), kBoth, ""},

#define TL_SPREAD(name, doc)                                                                                       \
  {#name ".unbiased(Tensor input, bool unbiased) -> Tensor", TL_OP(ops::name##_unbiased), kBoth, doc},             \
      {#name                                                                                                       \
       "(Tensor input, int[]? dim=None, *, Scalar? correction=1, bool keepdim=False, Tensor? out=None) -> Tensor", \
       TL_OP(ops::name), kBoth, ""},                                                                               \
      {#name ".dim(Tensor input, int[]? dim, bool unbiased=True, bool keepdim=False" TL_OUT,                       \
       TL_OP(ops::name##_unbiased_dim), kBoth, ""},

const Row rows[] = {
    {"sum(Tensor input, *, dtype? dtype=None) -> Tensor", TL_OP(ops::sum), kBoth,
     "The sum of all elements, or over `dim`; of integers in int64."},
    {"sum.dim(Tensor input, int[]? dim, bool keepdim=False" TL_DTYPE_OUT, TL_OP(ops::sum_dim), kBoth, ""},
    {"nansum(Tensor input, int[]? dim=None, bool keepdim=False" TL_DTYPE_OUT, TL_OP(ops::nansum), kBoth,
     "The sum with NaN counted as zero."},
    {"mean(Tensor input" TL_DTYPE_OUT, TL_OP(ops::mean), kBoth,
     "The mean of all elements, or over `dim`; of float and complex tensors."},
    {"mean.dim(Tensor input, int[]? dim, bool keepdim=False" TL_DTYPE_OUT, TL_OP(ops::mean_dim), kBoth, ""},
    {"nanmean(Tensor input, int[]? dim=None, bool keepdim=False" TL_DTYPE_OUT, TL_OP(ops::nanmean), kBoth,
     "The mean of what is not NaN."},
    {"prod(Tensor input, *, dtype? dtype=None) -> Tensor", TL_OP(ops::prod), kBoth,
     "The product of all elements, or over `dim`; of integers in int64."},
    {"prod.dim(Tensor input, int dim, bool keepdim=False" TL_DTYPE_OUT, TL_OP(ops::prod_dim), kBoth, ""},
    TL_EXTREME(max, maximum,
               "The largest element; (values, indices) along `dim`; or the larger of two tensors' elements.")
        TL_EXTREME(min, minimum,
                   "The smallest element; (values, indices) along `dim`; or the smaller of two tensors' elements."){
            "amax(Tensor input, int[] dim=[], bool keepdim=False" TL_OUT, TL_OP(ops::amax), kBoth,
            "The largest over `dim`."},
    {"amin(Tensor input, int[] dim=[], bool keepdim=False" TL_OUT, TL_OP(ops::amin), kBoth, "The smallest over `dim`."},
    {"aminmax(Tensor input, *, int? dim=None, bool keepdim=False, Tensor[2]? out=None) -> (Tensor min, Tensor max)",
     TL_OP(ops::aminmax), kBoth, "The smallest and the largest."},
    {"argmax(Tensor input, int? dim=None, bool keepdim=False" TL_OUT, TL_OP(ops::argmax), kQuestion,
     "Where the largest element stands first: along `dim`, or counted in row-major order."},
    {"argmin(Tensor input, int? dim=None, bool keepdim=False" TL_OUT, TL_OP(ops::argmin), kQuestion,
     "Where the smallest element stands first."},
    {"any(Tensor input, int[]? dim=None, bool keepdim=False" TL_OUT, TL_OP(ops::any), kQuestion,
     "Whether an element is not zero."},
    {"all(Tensor input, int[]? dim=None, bool keepdim=False" TL_OUT, TL_OP(ops::all), kQuestion,
     "Whether no element is zero."},
    {"count_nonzero(Tensor input, int[]? dim=None) -> Tensor", TL_OP(ops::count_nonzero), kQuestion,
     "How many elements are not zero."},
    TL_SPREAD(var, "The variance; the divisor is the number of elements less `correction`.")
        TL_SPREAD(std, "The standard deviation; the divisor is the number of elements less `correction`."){
            "var_mean.unbiased(Tensor input, bool unbiased) -> (Tensor, Tensor)", TL_OP(ops::var_mean_all), kFunction,
            "Variance and mean."},
    {"var_mean(Tensor input, int[]? dim=None, *, Scalar? correction=1, bool keepdim=False) -> (Tensor, Tensor)",
     TL_OP(ops::var_mean), kFunction, "Variance and mean."},
    {"var_mean.dim(Tensor input, int[]? dim=None, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
     TL_OP(ops::var_mean_unbiased), kFunction},
    {"std_mean.unbiased(Tensor input, bool unbiased) -> (Tensor, Tensor)", TL_OP(ops::std_mean_all), kFunction,
     "Standard deviation and mean."},
    {"std_mean(Tensor input, int[]? dim=None, *, Scalar? correction=1, bool keepdim=False) -> (Tensor, Tensor)",
     TL_OP(ops::std_mean), kFunction, "Standard deviation and mean."},
    {"std_mean.dim(Tensor input, int[]? dim=None, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)",
     TL_OP(ops::std_mean_unbiased), kFunction},
    {"linalg_vector_norm(Tensor input, Scalar ord=2, int[]? dim=None, bool keepdim=False" TL_DTYPE_OUT,
     TL_OP(ops::vector_norm), kFunction, "(sum |x|^ord)^(1/ord), for any real ord, inf and -inf too."},
    {"renorm(Tensor input, Scalar p, int dim, Scalar maxnorm" TL_OUT, TL_OP(composite::renorm),
     kBoth | kInplace | kComposite, "The slices along `dim` whose p-norm is above maxnorm scaled down to it."},
    {"logsumexp(Tensor input, int[] dim, bool keepdim=False" TL_OUT, TL_OP(ops::logsumexp), kBoth,
     "log(sum(exp(input))) without overflow."},
};

}  // namespace

TL_ROWS(rows)

}  // namespace tl::python
