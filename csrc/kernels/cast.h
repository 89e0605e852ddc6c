#pragma once

#include "core/plan.h"
#include "kernels/kernels.h"

namespace tl {

struct CastKernels {
  // Operand 1 into operand 0, each of any dtype.
  void (*copy)(const Plan&);
};
TL_API extern CastKernels cast_kernels[kDeviceTypes];

}  // namespace tl
