#pragma once

#include "runtime/driver.h"

namespace tl::cuda {

// The stream of this thread on a device; kernels and copies of operators go there.
Stream current_stream(int device);
void set_current_stream(int device, Stream s);

// Makes a device the driver's current one within a block.
struct DeviceScope {
  int previous, now;
  explicit DeviceScope(int device) : previous(driver::exchange_device(device)), now(device) {}
  ~DeviceScope() {
    if (now != previous) driver::restore_device(previous);
  }
  DeviceScope(const DeviceScope&) = delete;
};

}  // namespace tl::cuda
