#pragma once

#include "core/plan.h"
#include "kernels/kernels.h"

namespace tl {

// How a reduction walks its input. Dim 0 is the innermost of each group; kept dims are in the order of the result,
// which is row-major; reduced dims are sorted by stride. Neighbours that step evenly are merged.
struct ReducePlan {
  const void* input;
  Dtype dtype;
  Device device;
  int32_t kept_ndim, reduced_ndim;
  int64_t outputs;                                               // elements of the result
  int64_t count;                                                 // elements reduced into each
  int64_t kept_sizes[kPlanDims], kept_strides[kPlanDims];        // bytes
  int64_t reduced_sizes[kPlanDims], reduced_strides[kPlanDims];  // bytes
};

enum class Reduce : uint8_t { Sum, NanSum, SumSquares, SumAbs, SumPowers, Prod, Max, Min };

struct ReduceArgs {
  ReducePlan plan;
  Dtype compute;           // Float32, Float64, Int64; UInt8 for Max and Min
  void* result;            // `outputs` elements of the compute dtype
  void* second = nullptr;  // of a variance: the means; of an argument: int64 indices
  double scale = 1;        // floats: what a sum is divided by; of a variance: the correction
  double power = 1;        // of SumPowers
};

struct ReductionKernels {
  void (*reduce)(Reduce op, const ReduceArgs& args);
  // The extreme value and the index along the only reduced dim where it stands first; NaN is beyond all.
  void (*argument)(bool max, const ReduceArgs& args);
  void (*variance)(const ReduceArgs& args);
};
TL_API extern ReductionKernels reduction_kernels[kDeviceTypes];

}  // namespace tl
