#pragma once

#include <cstddef>
#include <cstdint>

#include "core/device.h"
#include "core/export.h"

namespace tl {

// One per device type. Blocks are 64-byte aligned and cached for reuse.
class TL_API Allocator {
 public:
  virtual void* allocate(size_t bytes, Device device) = 0;  // throws OutOfMemoryError
  virtual void free(void* data, size_t bytes, Device device) = 0;
  virtual void empty_cache() = 0;
};

struct MemoryStats {
  int64_t allocated;       // bytes in live blocks
  int64_t cached;          // bytes kept for reuse
  int64_t peak_allocated;  // the highest `allocated` since the start
};

TL_API Allocator& allocator(DeviceType type);
TL_API void set_allocator(DeviceType type, Allocator* a);
TL_API MemoryStats cpu_memory_stats();
// The most bytes that the CPU cache keeps; what is above goes back to the system.
TL_API void set_cpu_cache_limit(int64_t bytes);

}  // namespace tl
