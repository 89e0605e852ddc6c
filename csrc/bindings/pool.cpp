#include "ops/pool.h"

#include "bindings/table.h"
#include "composite/pool.h"

namespace tl::python {
namespace {

constexpr unsigned kParts = kFunction | kComposite;
constexpr unsigned kInner = kNN;

#define TL_WINDOWS(n)                                                                            \
  "(Tensor input, int[" n "] kernel_size, int[" n "]? stride=None, int[" n "] padding=0, int[" n \
  "] dilation=1, bool "                                                                          \
  "ceil_mode=False) -> "
#define TL_MEANS(n)                                                        \
  "(Tensor input, int[" n "] kernel_size, int[" n "]? stride=None, int[" n \
  "] padding=0, bool ceil_mode=False, bool "                               \
  "count_include_pad=True, int? divisor_override=None, *, Tensor? out=None) -> Tensor"

constexpr const char* kMaxDoc =
    "The largest element of each window, NaN where there is one. Padding counts as minus infinity; without a stride "
    "windows do not overlap.";
constexpr const char* kAvgDoc =
    "The mean of each window; padding counts as zeros, and as elements unless count_include_pad is False.";

const Row rows[] = {
    {"max_pool1d" TL_WINDOWS("1") "Tensor", TL_OP(composite::max_pool1d), kParts, kMaxDoc},
    {"max_pool1d_with_indices" TL_WINDOWS("1") "(Tensor, Tensor)", TL_OP(composite::max_pool1d_with_indices), kParts,
     kMaxDoc},
    {"max_pool2d" TL_WINDOWS("2") "Tensor", TL_OP(ops::max_pool2d), kFunction, kMaxDoc},
    {"max_pool3d" TL_WINDOWS("3") "Tensor", TL_OP(ops::max_pool3d), kFunction, kMaxDoc},
    {"max_pool2d_with_indices" TL_WINDOWS("2") "(Tensor, Tensor)", TL_OP(ops::max_pool2d_with_indices), kNN, kMaxDoc},
    {"max_pool3d_with_indices" TL_WINDOWS("3") "(Tensor, Tensor)", TL_OP(ops::max_pool3d_with_indices), kNN, kMaxDoc},
    {"max_pool_backward(Tensor grad_output, Tensor input, Tensor? indices, int[] kernel_size, int[]? stride, int[] "
     "padding, int[] dilation, bool ceil_mode) -> Tensor",
     TL_OP(ops::max_pool_backward), kInner, "The gradient of max_pool's input."},

    {"avg_pool1d(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool ceil_mode=False, bool "
     "count_include_pad=True) -> Tensor",
     TL_OP(composite::avg_pool1d), kParts, kAvgDoc},
    {"avg_pool2d" TL_MEANS("2"), TL_OP(ops::avg_pool2d), kNN, kAvgDoc},
    {"avg_pool3d" TL_MEANS("3"), TL_OP(ops::avg_pool3d), kNN, kAvgDoc},
    {"avg_pool_backward(Tensor grad_output, int[] input_size, int[] input_stride, int[] kernel_size, int[]? stride, "
     "int[] padding, bool "
     "ceil_mode, bool count_include_pad, int? divisor_override) -> Tensor",
     TL_OP(ops::avg_pool_backward), kInner, "The gradient of avg_pool's input."},

    {"adaptive_avg_pool1d(Tensor input, int[1] output_size) -> Tensor", TL_OP(composite::adaptive_avg_pool1d), kParts,
     "The means of `output_size` windows that cover the input evenly."},
    {"adaptive_avg_pool2d(Tensor input, int[2] output_size) -> Tensor", TL_OP(ops::adaptive_avg_pool2d), kNN,
     "The means of `output_size` windows that cover the input evenly."},
    {"adaptive_avg_pool3d(Tensor input, int[3] output_size) -> Tensor", TL_OP(ops::adaptive_avg_pool3d), kNN,
     "The means of `output_size` windows that cover the input evenly."},
    {"adaptive_avg_pool_backward(Tensor grad_output, int[] input_size, int[] input_stride, int spatial) -> Tensor",
     TL_OP(ops::adaptive_avg_pool_backward), kInner, "The gradient of adaptive_avg_pool's input."},
    {"adaptive_max_pool1d(Tensor input, int[1] output_size) -> (Tensor, Tensor)", TL_OP(composite::adaptive_max_pool1d),
     kParts, "The largest elements of `output_size` windows that cover the input evenly, and their places."},
    {"adaptive_max_pool2d(Tensor input, int[2] output_size) -> (Tensor, Tensor)", TL_OP(ops::adaptive_max_pool2d), kNN,
     "The largest elements of `output_size` windows that cover the input evenly, and their places."},
    {"adaptive_max_pool3d(Tensor input, int[3] output_size) -> (Tensor, Tensor)", TL_OP(ops::adaptive_max_pool3d), kNN,
     "The largest elements of `output_size` windows that cover the input evenly, and their places."},
    {"adaptive_max_pool_backward(Tensor grad_output, Tensor input, Tensor indices, int spatial) -> Tensor",
     TL_OP(ops::adaptive_max_pool_backward), kInner, "The gradient of adaptive_max_pool's input."},
};
#undef TL_WINDOWS
#undef TL_MEANS
TL_ROWS(rows)

}  // namespace
}  // namespace tl::python
