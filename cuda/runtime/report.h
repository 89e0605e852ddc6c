#pragma once

#include "core/data_error.h"
#include "runtime/device.h"
#include "runtime/driver.h"

// Errors about numbers that kernels find in the data. A kernel leaves the number in pinned memory of the host, which
// looks there each time it has waited for a device: nobody waits for the sake of a check.

namespace tl::cuda {

// A kernel's side: report(number, i) says that the number, which stands at place i of the data, is refused. Whatever
// the order of threads, the first number of the first launch is kept: each quarter of its bits goes, below the launch
// and the place, into a word of which the least remains.
struct Report {
  static constexpr int kParts = 4, kPartBits = 16, kPlaceBits = 36;
  static constexpr uint64_t kNothing = UINT64_MAX;
  uint64_t *parts, *any;
  uint64_t launch;

  TL_DEVICE void operator()(int64_t number, int64_t i) const {
    uint64_t when = launch << kPlaceBits | (uint64_t(i) & ((uint64_t(1) << kPlaceBits) - 1));
    for (int k = 0; k < kParts; ++k)
      atomic_min(parts + k, when << kPartBits | (uint64_t(number) >> k * kPartBits & 0xffff));
    *any = 1;
  }
};

// Where a kernel reports numbers that this error is about; it is raised with the first of them.
Report report_to(const DataError& error);

// Raises what was reported.
void raise_reported();
// Called after a launch that reports: with TENSORLITE_CUDA_SYNC=1, which has waited for it, errors are raised there.
void raise_at_once();

// Copies to the host, waits, and raises what was reported before.
void read_back(void* to, const void* from, size_t bytes, Stream stream);

}  // namespace tl::cuda
