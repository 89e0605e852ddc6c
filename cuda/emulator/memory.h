#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

// The emulated device's memory. Every allocation has pages of its own, right before a page that nobody may touch, and
// addresses are never used twice: an access one past the end or after a free stops at the instruction that makes it.
// Outside kernels and copies nobody may touch any of it. What page borders cannot see is guarded by bytes that are
// looked at when a stream is synchronised and when the block is freed.

namespace tl::cuda::emulator {

// Null when the device is full. Filled with 0xff, so that NaN tells of memory that nobody wrote.
void* device_malloc(size_t bytes, int device);
// Raises when it is no live allocation or when bytes around it were overwritten.
void device_free(void* data);
void check_guards();
size_t device_memory_total();
size_t device_memory_used(int device);
int device_of_memory(const void* p);
// The device whose kernels run from here on: they may touch no other's memory.
void run_on(int device);

bool is_device_memory(const void* p);
// "4 bytes past the end of an allocation of 400 bytes": for the text of an error.
std::string describe(const void* p);

// Opens the memory within which `p` lies, for the device; false when there is none.
bool open_device_memory(const void* p);
// Raises unless all of [p, p + bytes) lies in one live allocation; opens it.
void check_device_range(const void* p, size_t bytes, const char* what);
// Closes what was opened: from here on the host would be stopped.
void close_device_memory();

}  // namespace tl::cuda::emulator
