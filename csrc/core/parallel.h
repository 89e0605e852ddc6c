#pragma once

#include <cstdint>
#include <type_traits>

#include "core/export.h"

namespace tl {

// The number of threads that parallel_for may use, the caller's among them.
TL_API int num_threads();
TL_API void set_num_threads(int n);

namespace detail {
using RangeFn = void (*)(void* context, int64_t begin, int64_t end);
TL_API void parallel_for(int64_t n, int64_t grain, RangeFn f, void* context);
}  // namespace detail

// Calls f(begin, end) over disjoint ranges that cover [0, n), possibly on several threads, and returns when all are
// done. `grain` is the least work worth a thread; with n <= grain f runs here. Nested calls run inline. Ranges depend
// on the number of threads: where results must not, divide the work by shape first and let n count those pieces. f must
// not own tensors. What it throws (out of memory for scratch) is thrown on from here when the other ranges are done.
template <class F>
inline void parallel_for(int64_t n, int64_t grain, F&& f) {
  if (n <= 0) return;
  if (n <= grain) return f(int64_t(0), n);
  using Fn = std::remove_reference_t<F>;
  detail::parallel_for(
      n, grain, [](void* c, int64_t b, int64_t e) { (*static_cast<Fn*>(c))(b, e); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

// Called around long work so that the host language can let other threads run (Python: releases its lock).
struct UnlockHooks {
  void* (*unlock)();
  void (*lock)(void*);
};
TL_API void set_unlock_hooks(UnlockHooks hooks);

}  // namespace tl
