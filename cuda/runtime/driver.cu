#include "runtime/driver.h"

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <atomic>
#include <cstdlib>

#include "core/cuda.h"
#include "core/error.h"
#include "runtime/cublas.h"
#include "runtime/graph.h"
#include "runtime/launch.h"
#include "runtime/machine.h"

// The machine is a GPU. cudart is linked statically; nothing here runs before a CUDA device is asked for.

namespace tl::cuda::driver {
namespace {

cudaStream_t native(Stream s) { return reinterpret_cast<cudaStream_t>(s); }
cudaEvent_t native(Event e) { return reinterpret_cast<cudaEvent_t>(e); }

bool synchronous() {
  static const bool on = [] {
    const char* text = std::getenv("TENSORLITE_CUDA_SYNC");
    return text && text[0] == '1';
  }();
  return on;
}

[[gnu::cold, gnu::noinline]] void raise(cudaError_t error, const char* where, int line) {
  cudaGetLastError();  // one that does not stay is forgotten
  if (error == cudaErrorMemoryAllocation) fail<OutOfMemoryError>("CUDA out of memory.");
  if (error == cudaErrorNoKernelImageForDevice)
    fail("CUDA error: ", cudaGetErrorString(error),
         ": this build of tensorlite has no code for this GPU. Build it where the GPU is, or for its architecture with "
         "CMAKE_CUDA_ARCHITECTURES.");
  if (error >= cudaErrorStreamCaptureUnsupported && error <= cudaErrorStreamCaptureWrongThread)
    fail_capture(cudaGetErrorString(error));
  const char* op = synchronous() ? current_operator() : nullptr;
  fail("CUDA error: ", cudaGetErrorString(error), op ? " in operator '" : "", op ? op : "", op ? "'" : "", " (", where,
       ":", line,
       "). CUDA kernel errors might be asynchronously reported at some other call; run with TENSORLITE_CUDA_SYNC=1 to "
       "be told of them where they arise.");
}
inline void must(cudaError_t error, const char* where = __builtin_FILE(), int line = __builtin_LINE()) {
  if (error != cudaSuccess) raise(error, where, line);
}

// Within a block, this thread may do what is not recorded while streams are captured.
struct Unrecorded {
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  Unrecorded() { must(cudaThreadExchangeStreamCaptureMode(&mode)); }
  ~Unrecorded() { cudaThreadExchangeStreamCaptureMode(&mode); }
};

}  // namespace

int device_count(std::string* why) {
  int n = 0;
  cudaError_t error = cudaGetDeviceCount(&n);
  if (error == cudaSuccess && n > 0) {
    for (int i = 0; i < n; ++i) {
      int major = 0, minor = 0;
      must(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, i));
      must(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, i));
      if (major * 10 + minor >= 75) continue;
      if (i) return i;  // the slowest come last
      *why =
          str("The GPU is of compute capability ", major, ".", minor,
              ", this build of tensorlite has code for 7.5 and newer. Use the CPU, or a build against CUDA 12 for it.");
      return 0;
    }
    return n;
  }
  cudaGetLastError();
  if (error == cudaErrorInsufficientDriver || error == cudaErrorNoDevice || error == cudaErrorSystemDriverMismatch) {
    int driver = 0, runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    if (driver == 0)
      *why =
          "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from "
          "http://www.nvidia.com/Download/index.aspx";
    else if (driver / 1000 < runtime / 1000)
      *why = str("The NVIDIA driver on your system is too old: it supports CUDA ", driver / 1000, ".",
                 driver % 1000 / 10, ", this build needs CUDA ", runtime / 1000,
                 ". Please update your GPU driver from http://www.nvidia.com/Download/index.aspx");
    else
      *why = "No CUDA GPUs are available";
  } else {
    *why = str("CUDA could not be initialised: ", cudaGetErrorString(error));
  }
  return 0;
}

bool emulated() { return false; }
bool caches_memory() {
  const char* text = std::getenv("TENSORLITE_CUDA_CACHE");
  return !text || text[0] != '0';
}

DeviceProperties properties(int device) {
  cudaDeviceProp c;
  must(cudaGetDeviceProperties(&c, device));
  DeviceProperties p;
  p.name = c.name;
  p.major = c.major;
  p.minor = c.minor;
  p.multiprocessors = c.multiProcessorCount;
  p.max_threads_per_multiprocessor = c.maxThreadsPerMultiProcessor;
  p.total_memory = int64_t(c.totalGlobalMem);
  p.shared_per_block = int64_t(c.sharedMemPerBlockOptin);
  p.shared_per_multiprocessor = int64_t(c.sharedMemPerMultiprocessor);
  p.l2_cache = c.l2CacheSize;
  p.registers_per_multiprocessor = c.regsPerMultiprocessor;
  return p;
}

MoreProperties more_properties(int device) {
  cudaDeviceProp c;
  must(cudaGetDeviceProperties(&c, device));
  MoreProperties p;
  p.shared_per_block = int64_t(c.sharedMemPerBlock);
  p.max_threads_per_block = c.maxThreadsPerBlock;
  p.warp_size = c.warpSize;
  p.pci_domain = c.pciDomainID;
  p.pci_bus = c.pciBusID;
  p.pci_device = c.pciDeviceID;
  p.integrated = c.integrated != 0;
  return p;
}
int runtime_version() {
  int version = 0;
  must(cudaRuntimeGetVersion(&version));
  return version;
}
bool can_access_peer(int device, int peer) {
  int can = 0;
  must(cudaDeviceCanAccessPeer(&can, device, peer));
  return can != 0;
}

namespace {
__global__ void wait_cycles(int64_t cycles) {
  int64_t start = clock64();
  while (clock64() - start < cycles) {
  }
}
}  // namespace

void sleep(int64_t cycles, Stream stream) {
  LaunchConfig config{{1}, {1}, 0, stream};
  tl::cuda::launch(config, wait_cycles, cycles);
}

int compiled_for() {
  cudaFuncAttributes a;
  must(cudaFuncGetAttributes(&a, wait_cycles));
  return a.ptxVersion;
}

namespace {
thread_local int remembered = -1;  // the current device, as far as anyone is told, while the driver has another one

bool has_context(int device) {
  using State = int (*)(int device, unsigned* flags, int* active);
  static const auto state = [] {
    void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    return library ? reinterpret_cast<State>(dlsym(library, "cuDevicePrimaryCtxGetState")) : nullptr;
  }();
  unsigned flags = 0;
  int active = 1;
  return !state || state(device, &flags, &active) != 0 || active;
}
}  // namespace

void set_device(int device) {
  must(cudaSetDevice(device));
  remembered = -1;
}
int device() {
  if (remembered >= 0) return remembered;
  int d = 0;
  must(cudaGetDevice(&d));
  return d;
}
int exchange_device(int device) {
  int now = 0;
  must(cudaGetDevice(&now));
  int previous = remembered >= 0 ? remembered : now;
  if (now != device) set_device(device);
  remembered = -1;
  return previous;
}
void restore_device(int device) noexcept {
  if (has_context(device) && cudaSetDevice(device) == cudaSuccess) return;
  cudaGetLastError();  // who next uses the device is told
  remembered = device;
}
void synchronize_device() { must(cudaDeviceSynchronize()); }
void memory_info(int64_t* free, int64_t* total) {
  size_t f, t;
  must(cudaMemGetInfo(&f, &t));
  *free = int64_t(f), *total = int64_t(t);
}

void* malloc(size_t bytes) {
  Unrecorded scope;
  void* p = nullptr;
  cudaError_t error = cudaMalloc(&p, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  must(error);
  return p;
}
void free(void* data, Stream) {
  if (caches_memory()) return must(cudaFree(data));
  // While a tensor goes away nothing may be raised; what a kernel did wrong is told at the next call.
  cudaDeviceSynchronize();
  cudaFree(data);
}
void* malloc_host(size_t bytes) {
  Unrecorded scope;
  void* p = nullptr;
  cudaError_t error = cudaMallocHost(&p, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  must(error);
  return p;
}
void free_host(void* data) { must(cudaFreeHost(data)); }
bool is_pinned(const void* data) {
  cudaPointerAttributes a;
  if (cudaPointerGetAttributes(&a, data) != cudaSuccess) {
    cudaGetLastError();
    return false;
  }
  return a.type == cudaMemoryTypeHost;
}
int device_of(const void* data) {
  cudaPointerAttributes a;
  if (!data) return device();  // of an empty tensor
  must(cudaPointerGetAttributes(&a, data));
  return a.device;
}

namespace {
bool reaches_pageable_memory(int device) {
  static std::atomic<int> known[64];  // 1 no, 2 yes
  std::atomic<int>& k = known[device % 64];
  if (!k) {
    int yes = 0;
    must(cudaDeviceGetAttribute(&yes, cudaDevAttrPageableMemoryAccess, device));
    k = yes ? 2 : 1;
  }
  return k == 2;
}
}  // namespace

void copy(void* to, const void* from, size_t bytes, CopyKind kind, Stream stream) {
  auto direction = kind == CopyKind::HostToDevice   ? cudaMemcpyHostToDevice
                   : kind == CopyKind::DeviceToHost ? cudaMemcpyDeviceToHost
                                                    : cudaMemcpyDeviceToDevice;
  must(cudaMemcpyAsync(to, from, bytes, direction, native(stream)));
  // A device that reads the host's memory as it lies there need not stage it: the copy may be under way still.
  if (kind == CopyKind::DeviceToDevice || !reaches_pageable_memory(device())) return;
  if (!is_pinned(kind == CopyKind::HostToDevice ? from : to)) must(cudaStreamSynchronize(native(stream)));
}
void copy_peer(void* to, int to_device, const void* from, int from_device, size_t bytes, Stream stream) {
  must(cudaMemcpyPeerAsync(to, to_device, from, from_device, bytes, native(stream)));
}
void set_bytes(void* data, int value, size_t bytes, Stream stream) {
  must(cudaMemsetAsync(data, value, bytes, native(stream)));
}

Stream create_stream(int priority) {
  cudaStream_t s;
  must(cudaStreamCreateWithPriority(&s, cudaStreamNonBlocking, priority));
  return reinterpret_cast<Stream>(s);
}
void destroy_stream(Stream s) { must(cudaStreamDestroy(native(s))); }
bool query_stream(Stream s) {
  cudaError_t error = cudaStreamQuery(native(s));
  if (error == cudaErrorNotReady) return false;
  must(error);
  return true;
}
void synchronize_stream(Stream s) { must(cudaStreamSynchronize(native(s))); }

Event create_event(bool timing) {
  cudaEvent_t e;
  must(cudaEventCreateWithFlags(&e, timing ? cudaEventDefault : cudaEventDisableTiming));
  return reinterpret_cast<Event>(e);
}
// Raises nothing: its owner goes, where the device may be gone already.
void destroy_event(Event e) {
  if (cudaEventDestroy(native(e)) != cudaSuccess) cudaGetLastError();
}
void record_event(Event e, Stream s) { must(cudaEventRecord(native(e), native(s))); }
void wait_event(Stream s, Event e) { must(cudaStreamWaitEvent(native(s), native(e), 0)); }
bool query_event(Event e) {
  Unrecorded scope;
  cudaError_t error = cudaEventQuery(native(e));
  if (error == cudaErrorNotReady) return false;
  must(error);
  return true;
}
void synchronize_event(Event e) { must(cudaEventSynchronize(native(e))); }
float elapsed_ms(Event from, Event to) {
  float ms;
  must(cudaEventElapsedTime(&ms, native(from), native(to)));
  return ms;
}

void begin_capture(Stream s, CaptureMode mode) {
  must(cudaStreamBeginCapture(native(s), mode == CaptureMode::Global        ? cudaStreamCaptureModeGlobal
                                         : mode == CaptureMode::ThreadLocal ? cudaStreamCaptureModeThreadLocal
                                                                            : cudaStreamCaptureModeRelaxed));
}
ReadyGraph end_capture(Stream s, bool* empty) {
  cudaGraph_t graph = nullptr;
  must(cudaStreamEndCapture(native(s), &graph));
  size_t nodes = 0;
  cudaGraphExec_t ready = nullptr;
  cudaError_t error = cudaGraphGetNodes(graph, nullptr, &nodes);
  if (error == cudaSuccess) error = cudaGraphInstantiateWithFlags(&ready, graph, 0);
  cudaGraphDestroy(graph);
  must(error);
  *empty = nodes == 0;
  return reinterpret_cast<ReadyGraph>(ready);
}
Capture capture_of(Stream s) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  unsigned long long id = 0;
  if (cudaStreamGetCaptureInfo(native(s), &status, &id) != cudaSuccess) {
    cudaGetLastError();  // the legacy stream, while one that waits for it is captured
    return {};
  }
  return {status != cudaStreamCaptureStatusNone, status == cudaStreamCaptureStatusActive ? id : 0};
}
void launch_graph(ReadyGraph g, Stream s) {
  must(cudaGraphLaunch(reinterpret_cast<cudaGraphExec_t>(g), native(s)));
  if (synchronous()) must(cudaStreamSynchronize(native(s)));
}
void destroy_graph(ReadyGraph g) { must(cudaGraphExecDestroy(reinterpret_cast<cudaGraphExec_t>(g))); }

void launch(const LaunchConfig& c, const void* kernel, void** args) {
  // More than this a kernel must ask for.
  if (c.shared > (size_t(48) << 10))
    must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(c.shared)), c.file, c.line);
  must(cudaLaunchKernel(kernel, dim3(c.grid.x, c.grid.y, c.grid.z), dim3(c.block.x, c.block.y, c.block.z), args,
                        c.shared, native(c.stream)),
       c.file, c.line);
  if (synchronous() && !capture_of(c.stream).underway) must(cudaStreamSynchronize(native(c.stream)), c.file, c.line);
}

const CublasCalls* cublas(const std::string& folders, std::string* why) { return load_cublas(folders, why); }

}  // namespace tl::cuda::driver
