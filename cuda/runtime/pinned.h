#pragma once

#include <set>

#include "runtime/driver.h"

namespace tl::cuda {

// The host's pinned memory: blocks of powers of two, kept for reuse. What copies in flight touch is not handed out
// again until the events behind them have passed.
void* allocate_pinned(size_t bytes);
void free_pinned(void* data);
bool is_pinned(const void* data);
int64_t pinned_bytes();
// A copy on this stream reads or writes there.
void used_by(const void* data, int device, Stream stream);
// From memory of the host that may be gone when this returns, by way of a pinned block: from other memory the driver
// may wait for the stream before it copies.
void copy_staged(void* to, const void* from, size_t bytes, int device, Stream stream);
// A graph's copies touch it whenever they are replayed; false when it is no memory from here. Released, it is not
// handed out before what these streams have been asked for is done.
bool hold_pinned(const void* data);
void release_pinned(const void* data, int device, const std::set<Stream>& streams);
// Gives back what nobody uses.
void empty_pinned_cache();

}  // namespace tl::cuda
