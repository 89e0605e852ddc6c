#include <array>
#include <cstring>
#include <map>
#include <mutex>

#include "core/cuda.h"
#include "core/error.h"
#include "runtime/allocator.h"
#include "runtime/driver.h"
#include "runtime/graph.h"
#include "runtime/machine.h"
#include "runtime/pinned.h"
#include "runtime/report.h"
#include "runtime/selection.h"
#include "runtime/stream.h"

namespace tl::cuda {

std::string cublas_trouble();  // of matmul_cublas.cu
namespace {

constexpr int kMaxDevices = 64;
thread_local std::array<Stream, kMaxDevices> streams{};

Stream as_stream(uintptr_t s) { return reinterpret_cast<Stream>(s); }
Event as_event(uintptr_t e) { return reinterpret_cast<Event>(e); }

class Runtime final : public CudaRuntime {
 public:
  int device_count() override {
    static const int n = std::min(driver::device_count(&why_), kMaxDevices);
    return n;
  }
  std::string why_none() override {
    device_count();
    return why_;
  }
  bool emulated() override { return driver::emulated(); }
  int current_device() override { return driver::device(); }
  void set_device(int device) override {
    check(device >= 0 && device < device_count(), "CUDA error: invalid device ordinal");
    driver::set_device(device);
  }
  CudaDeviceInfo info(int device) override {
    DeviceProperties p = driver::properties(device);
    driver::MoreProperties more = driver::more_properties(device);
    return {p.name,
            p.major,
            p.minor,
            p.multiprocessors,
            p.max_threads_per_multiprocessor,
            p.registers_per_multiprocessor,
            p.total_memory,
            p.shared_per_block,
            p.shared_per_multiprocessor,
            p.l2_cache,
            more.shared_per_block,
            more.max_threads_per_block,
            more.warp_size,
            more.pci_domain,
            more.pci_bus,
            more.pci_device,
            more.integrated};
  }
  int runtime_version() override { return driver::runtime_version(); }
  bool can_access_peer(int device, int peer) override { return driver::can_access_peer(device, peer); }
  void sleep(int64_t cycles) override {
    DeviceScope scope(driver::device());
    driver::sleep(cycles, streams[size_t(scope.now)]);
  }
  void synchronize(int device) override {
    DeviceScope scope(device);
    driver::synchronize_device();
    raise_reported();
  }
  void memory_info(int device, int64_t* free, int64_t* total) override {
    DeviceScope scope(device);
    driver::memory_info(free, total);
  }

  CudaMemoryStats memory_stats(int device) override {
    CudaMemoryStats s = caching_allocator().stats(device);
    s.pinned = pinned_bytes();
    return s;
  }
  void set_memory_fraction(int device, double fraction) override {
    int64_t free = 0, total = 0;
    memory_info(device, &free, &total);
    caching_allocator().set_limit(device, int64_t(double(total) * fraction));
  }
  void reset_peak_memory_stats(int device) override { caching_allocator().reset_peak(device); }
  void record_stream(void* data, int device, uintptr_t stream) override {
    caching_allocator().record_stream(data, device, as_stream(stream));
  }

  void* allocate_pinned(size_t bytes) override { return cuda::allocate_pinned(bytes); }
  void free_pinned(void* data) override { cuda::free_pinned(data); }
  bool is_pinned(const void* data) override { return cuda::is_pinned(data); }

  uintptr_t current_stream(int device) override { return reinterpret_cast<uintptr_t>(streams[size_t(device)]); }
  void set_stream(int device, uintptr_t stream) override { streams[size_t(device)] = as_stream(stream); }
  // As in PyTorch from a pool, in turn: memory freed on a stream waits for its next use there, so that streams made
  // without end would keep memory without end.
  uintptr_t create_stream(int device, int priority) override {
    constexpr size_t kPool = 32;
    DeviceScope scope(device);
    std::lock_guard lock(pool_mutex_);
    auto& [made, taken] = pools_[{device, priority}];
    if (made.size() < kPool) made.push_back(driver::create_stream(priority));
    return reinterpret_cast<uintptr_t>(made[taken++ % kPool]);
  }
  void synchronize_stream(int device, uintptr_t stream) override {
    DeviceScope scope(device);
    driver::synchronize_stream(as_stream(stream));
    raise_reported();
  }
  bool query_stream(int device, uintptr_t stream) override {
    DeviceScope scope(device);
    return driver::query_stream(as_stream(stream));
  }

  uintptr_t create_event(int device, bool timing) override {
    DeviceScope scope(device);
    return reinterpret_cast<uintptr_t>(driver::create_event(timing));
  }
  void destroy_event(uintptr_t event) override { driver::destroy_event(as_event(event)); }
  void record_event(uintptr_t event, int device, uintptr_t stream) override {
    DeviceScope scope(device);
    driver::record_event(as_event(event), as_stream(stream));
  }
  void wait_event(int device, uintptr_t stream, uintptr_t event) override {
    DeviceScope scope(device);
    driver::wait_event(as_stream(stream), as_event(event));
  }
  bool query_event(uintptr_t event) override { return driver::query_event(as_event(event)); }
  void synchronize_event(uintptr_t event) override {
    driver::synchronize_event(as_event(event));
    raise_reported();
  }
  float elapsed_ms(uintptr_t from, uintptr_t to) override { return driver::elapsed_ms(as_event(from), as_event(to)); }

  std::unique_ptr<CudaGraph> create_graph() override { return std::make_unique<Graph>(); }
  uint64_t create_graph_pool() override {
    static std::atomic<uint64_t> last = 0;
    return ++last;
  }
  bool is_capturing(int device) override { return driver::capture_of(streams[size_t(device)]).underway; }

  void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes,
            bool non_blocking) override {
    if (!bytes) return;
    if (to_device.is_cpu() && from_device.is_cpu()) {
      std::memcpy(to, from, bytes);
      return;
    }
    int device = to_device.is_cpu() ? from_device.index : to_device.index;
    DeviceScope scope(device);
    Stream stream = streams[size_t(device)];
    if (!to_device.is_cpu() && !from_device.is_cpu() && to_device.index != from_device.index) {
      // Behind the work of both devices.
      Stream source = streams[size_t(from_device.index)];
      {
        DeviceScope there(from_device.index);
        Event made = driver::create_event(false);
        driver::record_event(made, source);
        DeviceScope here(device);
        driver::wait_event(stream, made);
        driver::destroy_event(made);
      }
      driver::copy_peer(to, to_device.index, from, from_device.index, bytes, stream);
      Event copied = driver::create_event(false);
      driver::record_event(copied, stream);
      DeviceScope there(from_device.index);
      driver::wait_event(source, copied);
      driver::destroy_event(copied);
      return;
    }
    auto kind = to_device.is_cpu()     ? driver::CopyKind::DeviceToHost
                : from_device.is_cpu() ? driver::CopyKind::HostToDevice
                                       : driver::CopyKind::DeviceToDevice;
    const void* host = to_device.is_cpu() ? to : from;
    if (capturing() && kind != driver::CopyKind::DeviceToDevice && driver::capture_of(stream).underway) {
      if (to_device.is_cpu() && (!non_blocking || !cuda::is_pinned(to))) driver::synchronize_stream(stream);  // raises
      check(
          cuda::is_pinned(host),
          "Cannot copy between CPU and CUDA tensors during CUDA graph capture unless the CPU tensor is pinned. Please "
          "use tensor.pin_memory() or allocate the tensor with pin_memory=True.");
    }
    driver::copy(to, from, bytes, kind, stream);
    if (kind == driver::CopyKind::DeviceToDevice) return;
    if (!non_blocking) {
      driver::synchronize_stream(stream);
      return raise_reported();
    }
    // Pinned memory is read or written after this returns: it is kept until then.
    used_by(host, device, stream);
  }

  std::vector<std::tuple<std::string, double, std::string>> kernel_table() override {
    std::vector<std::tuple<std::string, double, std::string>> rows;
    for (const SelectionRow& r : selection_table()) rows.emplace_back(r.name, r.fast_from, r.chosen);
    return rows;
  }
  void choose_kernel(const std::string& name, const std::string& choice) override { choose_by_hand(name, choice); }
  std::string cublas_trouble() override { return cuda::cublas_trouble(); }

 private:
  std::string why_;
  std::mutex pool_mutex_;
  std::map<std::pair<int, int>, std::pair<std::vector<Stream>, size_t>> pools_;  // by device and priority
};

[[maybe_unused]] const bool registered = [] {
  set_cuda(new Runtime);
  set_allocator(DeviceType::CUDA, &caching_allocator());
  return true;
}();

}  // namespace

Stream current_stream(int device) { return streams[size_t(device)]; }
void set_current_stream(int device, Stream s) { streams[size_t(device)] = s; }

}  // namespace tl::cuda
