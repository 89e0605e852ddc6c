#include "core/cuda.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "core/error.h"

namespace tl {

std::atomic<int> cuda_captures = 0;

namespace {

CudaRuntime* runtime = nullptr;
bool forked = false;  // in a child of a process that has started the driver
std::atomic<bool> initialized = false;
std::string trouble;  // why the library could not be opened, when there is one

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

// It calls set_cuda() while it is opened.
bool opens(const std::string& path) {
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) && runtime) return true;
  if (const char* text = dlerror()) trouble = text;
  return false;
}

// The file that TENSORLITE_CUDA_LIBRARY names; else the one beside this library, and where that is a link, beside what
// it points to.
void open_library() {
  if (const char* named = std::getenv("TENSORLITE_CUDA_LIBRARY"); named && *named) {
    opens(named);
    return;
  }
  Dl_info self;
  if (!dladdr(reinterpret_cast<void*>(&set_cuda), &self)) return;
  std::string places[2] = {folder_of(self.dli_fname), ""};
  if (char* real = realpath(self.dli_fname, nullptr)) {
    places[1] = folder_of(real);
    std::free(real);
  }
  for (const std::string& place : places) {
    std::string path = place + "libtensorlite_cuda.so";
    if (place.empty() || access(path.c_str(), R_OK)) continue;
    if (opens(path)) return;
  }
}

}  // namespace

CudaRuntime* find_cuda() {
  static std::once_flag once;
  std::call_once(once, open_library);
  return runtime;
}

int cuda_device_count() {
  CudaRuntime* r = find_cuda();
  if (!r) return 0;
  static const bool watched = pthread_atfork(nullptr, nullptr, [] { forked = true; }) == 0;
  (void)watched;
  return r->device_count();
}

CudaRuntime& cuda_runtime() {
  CudaRuntime* r = find_cuda();
  if (!r) [[unlikely]] {
    check(trouble.empty(), "libtensorlite_cuda.so could not be opened: ", trouble);
    fail<AssertionError>("Torch not compiled with CUDA enabled: this build of tensorlite computes on the CPU only.");
  }
  check(cuda_device_count() > 0, r->why_none());
  check(!forked,
        "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' "
        "start "
        "method");
  initialized.store(true, std::memory_order_relaxed);
  return *r;
}

bool cuda_is_initialized() { return initialized && !forked; }

void set_cuda(CudaRuntime* r) { runtime = r; }

Device resolve_device(Device d) {
  if (d.type != DeviceType::CUDA) return d;
  CudaRuntime& r = cuda_runtime();
  if (d.index < 0) return {d.type, int8_t(r.current_device())};
  check(d.index < r.device_count(), "CUDA error: invalid device ordinal: there is no device '", to_string(d),
        "', the last one is 'cuda:", r.device_count() - 1, "'");
  return d;
}

}  // namespace tl
