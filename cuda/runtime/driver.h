#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/dim3.h"

// What the runtime asks of the machine: the CUDA runtime library (driver.cu) or the emulator (emulator/driver.cpp).
// Errors are raised; streams and events belong to the device that was current when they were made. An event is recorded
// on streams of its own device only, and waited for on any; kernels are launched on streams of the current device.

namespace tl::cuda {

struct StreamHandle;
using Stream = StreamHandle*;  // null: the device's default stream
struct EventHandle;
using Event = EventHandle*;
struct LaunchConfig;

struct DeviceProperties {
  std::string name;
  int major = 0, minor = 0;
  int multiprocessors = 0;
  int max_threads_per_multiprocessor = 0;
  int64_t total_memory = 0;
  int64_t shared_per_block = 0;  // with opt-in
  int64_t shared_per_multiprocessor = 0;
  int64_t l2_cache = 0;
  int registers_per_multiprocessor = 0;
};

namespace driver {

// Devices that this build has code for. When there are none, `why` says what is the matter and what to do.
int device_count(std::string* why);
// Whether the memory of freed blocks is reused at once; the emulator wants every block anew.
bool caches_memory();
DeviceProperties properties(int device);
void set_device(int device);
int device();
// The device becomes current; gives the one that was. And back again: a device that was not used yet is then only
// remembered, as making it current would take some of its memory.
int exchange_device(int device);
void restore_device(int device) noexcept;
void synchronize_device();
void memory_info(int64_t* free, int64_t* total);

void* malloc(size_t bytes);            // null when out of memory
void free(void* data, Stream stream);  // after what was queued on the stream, when the memory is not cached
void* malloc_host(size_t bytes);       // null when there is none
void free_host(void* data);
bool is_pinned(const void* data);
int device_of(const void* data);

// From pageable host memory the source is read, and to it the result is there, before this returns.
enum class CopyKind { HostToDevice, DeviceToHost, DeviceToDevice };
void copy(void* to, const void* from, size_t bytes, CopyKind kind, Stream stream);
void copy_peer(void* to, int to_device, const void* from, int from_device, size_t bytes, Stream stream);
void set_bytes(void* data, int value, size_t bytes, Stream stream);

Stream create_stream(int priority);
void destroy_stream(Stream s);
bool query_stream(Stream s);
void synchronize_stream(Stream s);
Event create_event(bool timing);
void destroy_event(Event e);
void record_event(Event e, Stream s);
void wait_event(Stream s, Event e);
bool query_event(Event e);
void synchronize_event(Event e);
float elapsed_ms(Event from, Event to);

#if defined(__CUDACC__)
void launch(const LaunchConfig& config, const void* kernel, void** args);
#else
// `done` frees the context after the grid ended.
void launch(const LaunchConfig& config, void (*run)(void*), void* context, void (*done)(void*));
#endif

}  // namespace driver
}  // namespace tl::cuda
