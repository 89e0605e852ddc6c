#include "ops/resample.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

const Row rows[] = {
    {"resample(Tensor input, int dim, Tensor starts, Tensor places, Tensor weights, Tensor back_starts, Tensor "
     "back_places, Tensor back_weights) -> Tensor",
     TL_OP(ops::resample), kNN,
     "A sparse matrix, given with its transpose, applied along one dim: sums of weights[k] * input[places[k]] over k "
     "from starts[o] up to starts[o + 1]."},
};
TL_ROWS(rows)

}  // namespace
}  // namespace tl::python
