#pragma once

#include "core/export.h"

namespace tl {

// The instruction set that the hot CPU kernels were chosen for: "baseline", "avx2" or "avx512".
TL_API const char* cpu_capability();

}  // namespace tl
