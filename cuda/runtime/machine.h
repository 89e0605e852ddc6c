#pragma once

#include "runtime/driver.h"

// What kernels never ask: answered beside driver.h by the same two files.

namespace tl::cuda::driver {

struct MoreProperties {
  int64_t shared_per_block = 48 << 10;  // without opt-in
  int max_threads_per_block = 1024, warp_size = 32;
  int pci_domain = 0, pci_bus = 0, pci_device = 0;
  bool integrated = false;
};
MoreProperties more_properties(int device);
bool emulated();
int runtime_version();  // 13000: CUDA 13.0; 0 for the emulator
bool can_access_peer(int device, int peer);
// Keeps a stream busy for about so many cycles.
void sleep(int64_t cycles, Stream stream);

}  // namespace tl::cuda::driver
