#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "core/device.h"
#include "core/export.h"

namespace tl {

struct CudaMemoryStats {
  int64_t allocated = 0, peak_allocated = 0;
  int64_t reserved = 0, peak_reserved = 0;
  int64_t allocations = 0, frees = 0;  // of blocks, since the start
  int64_t segments = 0, retries = 0, out_of_memory = 0;
  int64_t active = 0, peak_active = 0;  // live blocks
  int64_t pinned = 0;                   // bytes of the host's pinned memory, those kept for reuse among them
};

struct CudaDeviceInfo {
  std::string name;
  int major = 0, minor = 0;
  int multiprocessors = 0, max_threads_per_multiprocessor = 0, registers_per_multiprocessor = 0;
  int64_t total_memory = 0, shared_per_block = 0, shared_per_multiprocessor = 0, l2_cache = 0;
  int64_t shared_per_block_static = 0;
  int max_threads_per_block = 0, warp_size = 0, pci_domain = 0, pci_bus = 0, pci_device = 0;
  bool integrated = false;
};

// What a stream was asked for, to be asked for again; its memory comes from a pool that graphs may share.
class TL_API CudaGraph {
 public:
  virtual ~CudaGraph() = default;
  // Of the current stream. `mode`: "global", "thread_local" or "relaxed".
  virtual void capture_begin(uint64_t pool, const std::string& mode) = 0;
  virtual void capture_end() = 0;
  virtual void replay() = 0;
  virtual void reset() = 0;
  virtual uint64_t pool() = 0;
};
// How many streams are being captured.
TL_API extern std::atomic<int> cuda_captures;

// What libtensorlite_cuda.so offers beside kernels and the allocator; the library is opened when a CUDA device is first
// asked for. Streams and events are its own handles, as numbers; stream 0 is a device's default one.
class TL_API CudaRuntime {
 public:
  virtual int device_count() = 0;
  virtual std::string why_none() = 0;  // what is the matter when there are no devices, and what to do
  virtual bool emulated() = 0;
  virtual int current_device() = 0;
  virtual void set_device(int device) = 0;
  virtual CudaDeviceInfo info(int device) = 0;
  virtual int runtime_version() = 0;  // 13000: CUDA 13.0; 0 for the emulator
  virtual bool can_access_peer(int device, int peer) = 0;
  virtual void synchronize(int device) = 0;
  // Keeps the current stream busy for about so many cycles.
  virtual void sleep(int64_t cycles) = 0;
  virtual void memory_info(int device, int64_t* free, int64_t* total) = 0;

  virtual CudaMemoryStats memory_stats(int device) = 0;
  virtual void reset_peak_memory_stats(int device) = 0;
  // The share of a device's memory that the allocator may take.
  virtual void set_memory_fraction(int device, double fraction) = 0;
  virtual void record_stream(void* data, int device, uintptr_t stream) = 0;

  virtual uintptr_t current_stream(int device) = 0;
  virtual void set_stream(int device, uintptr_t stream) = 0;
  virtual uintptr_t create_stream(int device, int priority) = 0;
  virtual void synchronize_stream(int device, uintptr_t stream) = 0;
  virtual bool query_stream(int device, uintptr_t stream) = 0;

  virtual uintptr_t create_event(int device, bool timing) = 0;
  virtual void destroy_event(uintptr_t event) = 0;
  virtual void record_event(uintptr_t event, int device, uintptr_t stream) = 0;
  virtual void wait_event(int device, uintptr_t stream, uintptr_t event) = 0;
  virtual bool query_event(uintptr_t event) = 0;
  virtual void synchronize_event(uintptr_t event) = 0;
  virtual float elapsed_ms(uintptr_t from, uintptr_t to) = 0;

  virtual std::unique_ptr<CudaGraph> create_graph() = 0;
  virtual uint64_t create_graph_pool() = 0;
  virtual bool is_capturing(int device) = 0;  // its current stream

  // Memory of the host that devices copy from and to while the host goes on. A freed block is used again when the
  // copies that touch it are done.
  virtual void* allocate_pinned(size_t bytes) = 0;
  virtual void free_pinned(void* data) = 0;
  virtual bool is_pinned(const void* data) = 0;

  // Bytes between devices, the CPU among them, both in a row. `to` may be read and `from` changed when this returns,
  // unless `non_blocking` and the host's memory is pinned.
  virtual void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes,
                    bool non_blocking) = 0;

  // Which kernels are used (cuda/runtime/selection.h): name, the work from which on the fast one is the default,
  // what was chosen by hand. And why there is no cuBLAS; empty when there is.
  virtual std::vector<std::tuple<std::string, double, std::string>> kernel_table() = 0;
  virtual void choose_kernel(const std::string& name, const std::string& choice) = 0;
  virtual std::string cublas_trouble() = 0;
};

// Null when this build has no CUDA library, or it could not be opened.
TL_API CudaRuntime* find_cuda();
// How many devices there are. Asking starts the driver, which a forked child cannot use.
TL_API int cuda_device_count();
// Raises as PyTorch does where there is no library or no device.
TL_API CudaRuntime& cuda_runtime();
// Whether a device was used.
TL_API bool cuda_is_initialized();
// The operator that this thread is in, or null; errors of a device name it.
TL_API const char* current_operator();
// Called by the library while it is opened.
TL_API void set_cuda(CudaRuntime* runtime);
// "cuda" becomes the current device, "cuda:1"; raises when there is no such device.
TL_API Device resolve_device(Device d);

}  // namespace tl
