#pragma once

#include "core/data_error.h"
#include "runtime/device.h"
#include "runtime/driver.h"

// Errors about numbers that kernels find in the data. A kernel leaves the number in pinned memory of the host, which
// looks there each time it has waited for a device: nobody waits for the sake of a check.

namespace tl::cuda {

// A kernel's side: report(number) says that the number is refused.
struct Report {
  static constexpr int64_t kNothing = INT64_MIN + 1;
  int64_t *place, *any;

  TL_DEVICE void operator()(int64_t number) const {
    *place = number == kNothing ? kNothing + 1 : number;
    *any = 1;
  }
};

// Where a kernel reports numbers that this error is about; it is raised with one of them.
Report report_to(const DataError& error);

// Raises what was reported.
void raise_reported();
// Called after a launch that reports: with TENSORLITE_CUDA_SYNC=1, which has waited for it, errors are raised there.
void raise_at_once();

// Copies to the host, waits, and raises what was reported before.
void read_back(void* to, const void* from, size_t bytes, Stream stream);

}  // namespace tl::cuda
