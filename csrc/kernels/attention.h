#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "kernels/kernels.h"

namespace tl {

// Rows of (batch, heads, rows, width) memory; the elements of a row lie side by side.
struct HeadRows {
  void* data = nullptr;
  int64_t stride[3];  // of batch, head, row
};

enum class AttentionMask : uint8_t { None, Bool, Added };

// softmax(scale * query @ key.T + mask) @ value for each batch and head. Query heads share a key head in runs of
// heads / kv_heads. Statistics and an added mask are of the dtype that the kernel computes in: float64 for float64,
// else float32.
struct AttentionArgs {
  Dtype dtype;
  int64_t batch, heads, kv_heads;
  int64_t queries, keys, width, value_width;
  double scale;
  bool causal;  // query i looks at keys up to i
  AttentionMask mask_kind;
  const void* mask;
  int64_t mask_stride[4];
  HeadRows query, key, value, output;
  // (batch, heads, queries), row-major: the logarithm of the sum of exponentials; infinity where all is masked.
  void* log_sum;
};
struct AttentionBackwardArgs {
  AttentionArgs forward;  // output and log_sum are read
  HeadRows grad, grad_query, grad_key, grad_value;
};
struct AttentionKernels {
  void (*forward)(const AttentionArgs&);
  void (*backward)(const AttentionBackwardArgs&);
};
TL_API extern AttentionKernels attention_kernels[kDeviceTypes];

}  // namespace tl
