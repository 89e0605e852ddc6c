#pragma once

#include <cstdint>

namespace tl::cuda {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};
inline uint64_t volume(Dim3 d) { return uint64_t(d.x) * d.y * d.z; }

}  // namespace tl::cuda
