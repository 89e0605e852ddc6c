#pragma once

#include "runtime/driver.h"

// What kernels never ask: answered beside driver.h by the same two files.

namespace tl::cuda {

struct GraphHandle;
using ReadyGraph = GraphHandle*;

namespace driver {

struct MoreProperties {
  int64_t shared_per_block = 48 << 10;  // without opt-in
  int max_threads_per_block = 1024, warp_size = 32;
  int pci_domain = 0, pci_bus = 0, pci_device = 0;
  bool integrated = false;
};
MoreProperties more_properties(int device);
bool emulated();
// What the kernels that the current device runs were compiled for, 80 for compute capability 8.0: less than the
// device's own where its driver compiled them from the PTX of an older one.
int compiled_for();
int runtime_version();  // 13000: CUDA 13.0; 0 for the emulator
bool can_access_peer(int device, int peer);
// Keeps a stream busy for about so many cycles.
void sleep(int64_t cycles, Stream stream);

// What is queued on a capturing stream is recorded instead of run. What cannot be recorded raises, and the capture is
// invalid from there on. Memory may be allocated meanwhile, whatever the mode.
enum class CaptureMode { Global, ThreadLocal, Relaxed };
void begin_capture(Stream s, CaptureMode mode);
// Ready to be launched. Raises, with the stream as before the capture, when that was invalid.
ReadyGraph end_capture(Stream s, bool* empty);
struct Capture {
  bool underway = false;
  uint64_t id = 0;  // the same for the streams that take part; 0 when the capture is invalid
};
Capture capture_of(Stream s);
void launch_graph(ReadyGraph g, Stream s);
void destroy_graph(ReadyGraph g);  // what was launched of it goes on

}  // namespace driver
}  // namespace tl::cuda
