#pragma once

#include "core/device.h"
#include "core/error.h"

// The kernels floor: what the operators ask of a device. Each family has a header here that declares one plain struct
// of function pointers and one exported instance per device type:
//
//   struct ScanKernels { void (*cumsum)(const ScanArgs&); };
//   TL_API extern ScanKernels scan_kernels[kDeviceTypes];          // defined in ops/scan.cpp
//
// cpu/scan.cpp (or the CUDA library when it loads) fills its column; an empty entry raises when used.

namespace tl {

// kernel(scan_kernels[int(device.type)].cumsum, "cumsum", device)(args)
template <class F>
inline F kernel(F entry, const char* op, Device device) {
  if (!entry) [[unlikely]]
    fail<NotImplementedError>(op, ": there is no kernel for device '", to_string(device),
                              "'. Move the tensors to the CPU with .cpu() to run it there.");
  return entry;
}

}  // namespace tl
