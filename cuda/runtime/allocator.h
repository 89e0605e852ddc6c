#pragma once

#include "core/allocator.h"
#include "core/cuda.h"
#include "runtime/driver.h"

namespace tl::cuda {

// The allocator of CUDA memory. A freed block serves the next request of the stream that it was allocated on at once,
// as work on one stream runs in order; what other streams did with it (record_stream) is waited for by events. Blocks
// are split and merged within segments of the driver's memory. What a captured stream asks for comes from a pool that
// its graph enters, and whose memory serves nothing else until every graph has left it.
class CachingAllocator final : public Allocator {
 public:
  CachingAllocator();
  void* allocate(size_t bytes, Device device) override;
  void free(void* data, size_t bytes, Device device) override;
  void empty_cache() override;

  void record_stream(void* data, int device, Stream stream);  // the device of the stream
  void enter_pool(uint64_t pool);
  void leave_pool(uint64_t pool);
  CudaMemoryStats stats(int device);
  void reset_peak(int device);
  void set_limit(int device, int64_t bytes);

 private:
  struct State;
  State* state_;
};

CachingAllocator& caching_allocator();

}  // namespace tl::cuda
