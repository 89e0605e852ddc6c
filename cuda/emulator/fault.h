#pragma once

namespace tl::cuda::emulator {

// While one lives, a bad access of a kernel ends its grid with an error. At all times, the host's access to device
// memory is told from other faults before the process ends.
struct FaultGuard {
  FaultGuard();
  ~FaultGuard();
};

// Makes the process tell of host accesses from now on.
void install_fault_handler();

}  // namespace tl::cuda::emulator
