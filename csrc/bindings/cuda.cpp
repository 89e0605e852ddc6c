#include "core/cuda.h"

#include "bindings/pinned.h"
#include "bindings/python.h"
#include "bindings/tensor_object.h"
#include "kernels/matmul.h"
#include "ops/cast.h"

// What python/tensorlite/cuda/ is made of.

namespace tl::python {

// The tensor in pinned memory, with the same layout; itself where it lies there.
Tensor pinned_copy(const Tensor& t, bool factory) {
  check(t.device().is_cpu(), "cannot pin '", t.device().type == DeviceType::CUDA ? "torch.cuda." : "torch.",
        type_name(t.dtype()), "Tensor' only dense CPU tensors can be pinned");
  check(cuda_device_count() > 0,
        factory
            ? "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is available "
              "on this system."
            : "Cannot access accelerator device when none is available.");
  CudaRuntime& cuda = cuda_runtime();
  if (t.numel() && cuda.is_pinned(t.data())) return t;
  Tensor like = ops::empty_like(t, t.dtype(), t.device());  // for its strides
  size_t bytes = like.impl()->storage->nbytes();
  Tensor result(Ref<TensorImpl>::adopt(new TensorImpl));
  TensorImpl* p = result.impl();
  void* data = cuda.allocate_pinned(bytes);
  p->storage = Storage::foreign(data, bytes, Device{}, [](void* block) { find_cuda()->free_pinned(block); }, data);
  p->sizes = like.sizes();
  p->strides = like.strides();
  p->dtype = t.dtype();
  p->refresh();
  if (t.numel()) ops::copy_into(result, t, false);
  return result;
}

void add_cuda(py::module_& m) {
  // Questions open no device.
  m.def("_cuda_is_built", [] { return find_cuda() != nullptr; });
  m.def("_cuda_kernel_table", [] {
    py::list rows;
    for (const auto& [name, from, chosen] : cuda_runtime().kernel_table())
      rows.append(py::make_tuple(name, from, chosen));
    return rows;
  });
  m.def("_cuda_choose_kernel",
        [](const std::string& name, const std::string& choice) { cuda_runtime().choose_kernel(name, choice); });
  m.def("_cuda_cublas_trouble", [] { return cuda_runtime().cublas_trouble(); });
  // What backends.cuda.matmul is made of.
  m.def("_cuda_matmul_settings", [] {
    const MatmulSettings& s = matmul_settings();
    return py::make_tuple(s.allow_tf32, s.half_sums_float16, s.half_sums_bfloat16, int(s.backend));
  });
  m.def("_cuda_set_matmul", [](bool tf32, bool float16, bool bfloat16, int backend, const std::string& folders) {
    MatmulSettings& s = matmul_settings();
    s.allow_tf32 = tf32, s.half_sums_float16 = float16, s.half_sums_bfloat16 = bfloat16;
    s.backend = MatmulBackend(backend);
    s.cublas_folders = folders;
  });
  m.def("_cuda_is_emulated", [] { return find_cuda() && find_cuda()->emulated(); });
  m.def("_cuda_device_count", [] { return cuda_device_count(); });
  m.def("_cuda_is_initialized", [] { return cuda_is_initialized(); });
  m.def("_cuda_init", [] { cuda_runtime(); });
  m.def("_cuda_current_device", [] { return cuda_runtime().current_device(); });
  m.def("_cuda_set_device", [](int device) { cuda_runtime().set_device(device); });
  m.def("_cuda_info", [](int device) {
    CudaDeviceInfo i = cuda_runtime().info(device);
    py::dict d;
    d["name"] = i.name;
    d["major"] = i.major;
    d["minor"] = i.minor;
    d["total_memory"] = i.total_memory;
    d["multi_processor_count"] = i.multiprocessors;
    d["max_threads_per_multi_processor"] = i.max_threads_per_multiprocessor;
    d["regs_per_multiprocessor"] = i.registers_per_multiprocessor;
    d["shared_memory_per_block_optin"] = i.shared_per_block;
    d["shared_memory_per_multiprocessor"] = i.shared_per_multiprocessor;
    d["L2_cache_size"] = i.l2_cache;
    d["shared_memory_per_block"] = i.shared_per_block_static;
    d["max_threads_per_block"] = i.max_threads_per_block;
    d["warp_size"] = i.warp_size;
    d["pci_domain_id"] = i.pci_domain;
    d["pci_bus_id"] = i.pci_bus;
    d["pci_device_id"] = i.pci_device;
    d["is_integrated"] = int(i.integrated);
    d["is_multi_gpu_board"] = 0;
    return d;
  });
  m.def("_cuda_synchronize", [](int device) {
    py::gil_scoped_release free;
    cuda_runtime().synchronize(device);
  });
  m.def("_cuda_memory_info", [](int device) {
    int64_t free, total;
    cuda_runtime().memory_info(device, &free, &total);
    return py::make_tuple(free, total);
  });
  m.def("_cuda_memory_stats", [](int device) {
    CudaMemoryStats s = cuda_runtime().memory_stats(device);
    py::dict d;
    d["allocated_bytes.all.current"] = s.allocated;
    d["allocated_bytes.all.peak"] = s.peak_allocated;
    d["reserved_bytes.all.current"] = s.reserved;
    d["reserved_bytes.all.peak"] = s.peak_reserved;
    d["allocation.all.allocated"] = s.allocations;
    d["allocation.all.freed"] = s.frees;
    d["allocation.all.current"] = s.active;
    d["allocation.all.peak"] = s.peak_active;
    d["active.all.current"] = s.active;
    d["active_bytes.all.current"] = s.allocated;
    d["active_bytes.all.peak"] = s.peak_allocated;
    d["segment.all.current"] = s.segments;
    d["num_alloc_retries"] = s.retries;
    d["num_ooms"] = s.out_of_memory;
    return d;
  });
  m.def("_cuda_reset_peak_memory_stats", [](int device) { cuda_runtime().reset_peak_memory_stats(device); });
  m.def("_cuda_empty_cache", [] {
    cuda_runtime();
    allocator(DeviceType::CUDA).empty_cache();
  });
  m.def("_cuda_runtime_version", [] { return find_cuda() ? find_cuda()->runtime_version() : -1; });
  m.def("_cuda_can_access_peer", [](int device, int peer) { return cuda_runtime().can_access_peer(device, peer); });
  m.def("_cuda_sleep", [](int64_t cycles) { cuda_runtime().sleep(cycles); });
  m.def("_cuda_set_memory_fraction",
        [](int device, double fraction) { cuda_runtime().set_memory_fraction(device, fraction); });
  m.def("_cuda_pinned_bytes", [] { return cuda_runtime().memory_stats(0).pinned; });
  m.def("_cuda_is_pinned",
        [](Tensor t) { return t.device().is_cpu() && cuda_device_count() > 0 && find_cuda()->is_pinned(t.data()); });
  m.def("_cuda_pin", [](Tensor t, bool factory) { return pinned_copy(t, factory); });
  m.def("_cuda_record_stream", [](Tensor t, int device, uintptr_t stream) {
    if (void* data = t.impl()->storage->data()) cuda_runtime().record_stream(data, device, stream);
  });

  m.def("_cuda_current_stream", [](int device) { return cuda_runtime().current_stream(device); });
  m.def("_cuda_set_stream", [](int device, uintptr_t stream) { cuda_runtime().set_stream(device, stream); });
  m.def("_cuda_create_stream", [](int device, int priority) { return cuda_runtime().create_stream(device, priority); });
  m.def("_cuda_synchronize_stream", [](int device, uintptr_t stream) {
    py::gil_scoped_release free;
    cuda_runtime().synchronize_stream(device, stream);
  });
  m.def("_cuda_query_stream", [](int device, uintptr_t stream) { return cuda_runtime().query_stream(device, stream); });

  m.def("_cuda_create_event", [](int device, bool timing) { return cuda_runtime().create_event(device, timing); });
  m.def("_cuda_destroy_event", [](uintptr_t event) {
    if (cuda_is_initialized()) cuda_runtime().destroy_event(event);
  });
  m.def("_cuda_record_event",
        [](uintptr_t event, int device, uintptr_t stream) { cuda_runtime().record_event(event, device, stream); });
  m.def("_cuda_wait_event",
        [](int device, uintptr_t stream, uintptr_t event) { cuda_runtime().wait_event(device, stream, event); });
  m.def("_cuda_query_event", [](uintptr_t event) { return cuda_runtime().query_event(event); });
  m.def("_cuda_synchronize_event", [](uintptr_t event) {
    py::gil_scoped_release free;
    cuda_runtime().synchronize_event(event);
  });
  py::class_<CudaGraph>(m, "_CUDAGraph")
      .def(py::init([] { return cuda_runtime().create_graph(); }))
      .def("capture_begin", &CudaGraph::capture_begin)
      .def("capture_end", &CudaGraph::capture_end)
      .def("replay", &CudaGraph::replay, py::call_guard<py::gil_scoped_release>())
      .def("reset", &CudaGraph::reset)
      .def("pool", &CudaGraph::pool);
  m.def("_cuda_create_graph_pool", [] { return cuda_runtime().create_graph_pool(); });
  m.def("_cuda_is_capturing", [] {
    if (!cuda_captures) return false;
    CudaRuntime& cuda = cuda_runtime();
    return cuda.is_capturing(cuda.current_device());
  });

  m.def("_cuda_elapsed_ms", [](uintptr_t from, uintptr_t to) { return cuda_runtime().elapsed_ms(from, to); });
}

}  // namespace tl::python
