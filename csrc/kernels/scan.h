#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "core/export.h"
#include "kernels/kernels.h"

namespace tl {

enum class Scan : uint8_t { Sum, Product, LogSumExp };

// Each operand is row-major with dims (outer, n, inner); lines run along n.
struct ScanArgs {
  void* out;
  const void* in;  // of the same dtype; may be `out`
  int64_t outer, n, inner;
  Dtype dtype;
  Scan op;
};

struct RunningExtremeArgs {
  void* values;
  int64_t* indices;  // of the latest that is extreme; NaN is, whatever else there is
  const void* in;
  int64_t outer, n, inner;
  Dtype dtype;
  bool max;
};

// out[k] = add[k] + factor[k] * out[k - 1]; the first is add[0]
struct RecurrenceArgs {
  void* out;
  const void* factor;
  const void* add;
  int64_t outer, n, inner;
  Dtype dtype;
};

struct ScanKernels {
  void (*scan)(const ScanArgs&);
  void (*running_extreme)(const RunningExtremeArgs&);
  void (*recurrence)(const RecurrenceArgs&);  // floating and complex dtypes
};
TL_API extern ScanKernels scan_kernels[kDeviceTypes];

}  // namespace tl
