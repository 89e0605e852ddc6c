#pragma once

#include <cstddef>
#include <tuple>
#include <utility>

#include "runtime/driver.h"

namespace tl::cuda {

struct LaunchConfig {
  Dim3 grid, block;
  size_t shared = 0;  // bytes
  Stream stream = nullptr;
  const char* file = __builtin_FILE();
  int line = __builtin_LINE();
};

// Every kernel is launched here: launch({grid, block, shared bytes, stream}, kernel, arguments...). The arguments are
// converted to the kernel's parameters and copied. An error of the launch itself is raised here; one that arises while
// the kernel runs, where its stream is next synchronised (with TENSORLITE_CUDA_SYNC=1: here).
template <class... Params, class... Args>
void launch(const LaunchConfig& config, void (*kernel)(Params...), Args&&... args) {
  static_assert(sizeof...(Params) == sizeof...(Args));
  using Values = std::tuple<std::remove_cv_t<Params>...>;
#if defined(__CUDACC__)
  Values values(std::forward<Args>(args)...);
  std::apply(
      [&](auto&... value) {
        void* pointers[] = {static_cast<void*>(&value)..., nullptr};
        driver::launch(config, reinterpret_cast<const void*>(kernel), pointers);
      },
      values);
#else
  struct Call {
    void (*kernel)(Params...);
    Values values;
  };
  auto* call = new Call{kernel, Values(std::forward<Args>(args)...)};
  // A __global__ function gets copies, which it may change: each thread its own.
  auto run = [](void* c) {
    auto* self = static_cast<Call*>(c);
    std::apply(self->kernel, self->values);
  };
  driver::launch(config, run, call, [](void* c) { delete static_cast<Call*>(c); });
#endif
}

// Blocks of `threads` for n elements, each thread taking `each`; no more than keep a large device busy, as kernels step
// through the rest.
inline uint32_t blocks_for(int64_t n, int threads, int each = 1, uint32_t most = 132 * 32) {
  int64_t per_block = int64_t(threads) * each, blocks = (n + per_block - 1) / per_block;
  return uint32_t(blocks < 1 ? 1 : blocks > int64_t(most) ? int64_t(most) : blocks);
}

}  // namespace tl::cuda
