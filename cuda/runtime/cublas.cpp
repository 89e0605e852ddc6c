#include "runtime/cublas.h"

#include <dlfcn.h>

#include <cstdlib>
#include <vector>

#include "core/error.h"

namespace tl::cuda {
namespace {

template <class F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function;
}

}  // namespace

const CublasCalls* load_cublas(const std::string& folders, std::string* why) {
  constexpr const char* kNames[] = {"libcublas.so.13", "libcublas.so.12"};
  void* library = nullptr;
  std::string path;
  auto open = [&](const std::string& p, int flags) {
    if (library) return;
    // What it needs lies beside it, where it need not look by itself.
    if (size_t at = p.rfind("libcublas.so"); at != std::string::npos && at > 0)
      dlopen((p.substr(0, at) + "libcublasLt" + p.substr(at + 9)).c_str(), RTLD_NOW | RTLD_LOCAL);
    if ((library = dlopen(p.c_str(), RTLD_NOW | RTLD_LOCAL | flags))) path = p;
  };
  if (const char* chosen = std::getenv("TENSORLITE_CUBLAS")) {
    open(chosen, 0);
  } else {
    for (const char* name : kNames) open(name, RTLD_NOLOAD);
    for (size_t at = 0; at < folders.size();) {
      size_t end = folders.find(':', at);
      if (end == std::string::npos) end = folders.size();
      if (end > at)
        for (const char* name : kNames) open(folders.substr(at, end - at) + "/" + name, 0);
      at = end + 1;
    }
    for (const char* name : kNames) open(std::string("/usr/local/cuda/lib64/") + name, 0);
    for (const char* name : kNames) open(name, 0);
  }
  if (!library) {
    const char* trouble = dlerror();
    *why = str("cuBLAS was asked for and could not be opened (", trouble ? trouble : "libcublas.so",
               "). Install it with `pip install nvidia-cublas`, name the library in TENSORLITE_CUBLAS, or set "
               "backends.cuda.matmul.backend = \"native\" to use tensorlite's own kernels.");
    return nullptr;
  }
  auto* calls = new CublasCalls;
  calls->path = path;
  if (!find(library, "cublasCreate_v2", calls->create) || !find(library, "cublasSetStream_v2", calls->set_stream) ||
      !find(library, "cublasSetMathMode", calls->set_math_mode) ||
      !find(library, "cublasGemmStridedBatchedEx", calls->gemm)) {
    *why = str("the cuBLAS in ", path, " lacks a function that tensorlite calls; it needs cuBLAS 12 or 13");
    delete calls;
    return nullptr;
  }
  return calls;
}

}  // namespace tl::cuda
