#pragma once

#include "runtime/device.h"

// Words through which blocks tell each other how far they have come. All that is told stands in the one word, so that
// nothing else need be in order.

namespace tl::cuda {

#if defined(__CUDACC__)
TL_DEVICE uint32_t load_word(const uint32_t* p) {
  uint32_t v;
  asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(p) : "memory");
  return v;
}
TL_DEVICE void store_word(uint32_t* p, uint32_t v) {
  asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory");
}
TL_DEVICE uint64_t load_word(const uint64_t* p) {
  uint64_t v;
  asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(v) : "l"(p) : "memory");
  return v;
}
TL_DEVICE void store_word(uint64_t* p, uint64_t v) {
  asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(p), "l"(v) : "memory");
}
#else
template <class T>
TL_DEVICE T load_word(const T* p TL_HERE) {
  emulator::pause({file, line});
  return *p;
}
template <class T>
TL_DEVICE void store_word(T* p, T v) {
  *p = v;
}
#endif

}  // namespace tl::cuda
