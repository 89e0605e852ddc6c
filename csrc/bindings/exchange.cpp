// Memory shared with others: DLPack, buffers, storages.

#include <pybind11/stl.h>

#include <cstring>

#include "bindings/dlpack.h"
#include "bindings/parser.h"
#include "bindings/tensor_object.h"
#include "core/cuda.h"

namespace tl::python {

namespace {

// ---- DLPack: giving ----

dlpack::DataType type_of(Dtype t) {
  uint8_t code = t == Dtype::Bool       ? dlpack::kBool
                 : t == Dtype::UInt8    ? dlpack::kUInt
                 : is_integral(t)       ? dlpack::kInt
                 : t == Dtype::BFloat16 ? dlpack::kBFloat
                 : is_complex(t)        ? dlpack::kComplex
                                        : dlpack::kFloat;
  return {code, uint8_t(itemsize(t) * 8), 1};
}

// Keeps the tensor, and the shape and strides that the struct points to.
template <class M>
struct Given {
  M managed{};
  Tensor tensor;
  Dims shape, strides;
};

template <class M>
M* give(const Tensor& t) {
  auto* g = new Given<M>{{}, t, Dims(t.sizes()), Dims(t.strides())};
  // Strides of dims of size 1 mean nothing; some readers want those of a row-major array.
  for (size_t d = g->shape.size(); d-- > 0;)
    if (g->shape[d] < 2) g->strides[d] = d + 1 < g->shape.size() ? g->shape[d + 1] * g->strides[d + 1] : 1;
  dlpack::Array& a = g->managed.array;
  a.data = t.numel() ? t.data() : nullptr;
  a.device = t.device().is_cpu() ? dlpack::Device{dlpack::kCPU, 0} : dlpack::Device{dlpack::kCUDA, t.device().index};
  a.ndim = int32_t(t.dim());
  a.dtype = type_of(t.dtype());
  a.shape = g->shape.data();
  a.strides = g->strides.data();
  g->managed.context = g;
  g->managed.deleter = [](M* m) {
    py::gil_scoped_acquire gil;
    delete static_cast<Given<M>*>(m->context);
  };
  return &g->managed;
}

// A capsule that nobody has taken over frees what it holds; one that was taken has another name.
template <class M>
PyObject* capsule(M* m, const char* name) {
  return PyCapsule_New(m, name, [](PyObject* o) {
    const char* name = PyCapsule_GetName(o);
    if (!name || !strncmp(name, "used_", 5)) return;
    auto* m = static_cast<M*>(PyCapsule_GetPointer(o, name));
    if (m && m->deleter) m->deleter(m);
  });
}

py::object to_dlpack(Tensor t, bool versioned, bool copied) {
  if (!versioned) return take(capsule(give<dlpack::Managed>(t), "dltensor"));
  auto* m = give<dlpack::ManagedVersioned>(t);
  m->version = {1, 0};
  m->flags = (t.impl()->storage->writable ? 0 : dlpack::kReadOnly) | (copied ? dlpack::kCopied : 0);
  return take(capsule(m, "dltensor_versioned"));
}

// ---- DLPack: taking ----

Dtype dtype_from(dlpack::DataType t) {
  if (t.lanes != 1) fail("from_dlpack: vector types are not supported, but got lanes=", t.lanes);
  for (int i = 0; i < kDtypes; ++i) {
    dlpack::DataType known = type_of(Dtype(i));
    if (known.code == t.code && known.bits == t.bits) return Dtype(i);
  }
  constexpr const char* names[] = {"Int", "UInt", "Float", "OpaqueHandle", "Bfloat", "Complex", "Bool"};
  fail("from_dlpack: unsupported dtype ", t.code < 7 ? names[t.code] : "of code ", int(t.bits),
       ". Convert the array to a dtype that tensorlite has.");
}

Tensor over(const dlpack::Array& a, void (*deleter)(void*), void* context, bool writable) {
  Dtype dtype = dtype_from(a.dtype);
  check<NotImplementedError>(a.device.type >= dlpack::kCPU && a.device.type <= dlpack::kCUDAHost,
                             "from_dlpack: the data lies on a device of type ", a.device.type,
                             "; tensorlite reads the memory of the CPU and of CUDA devices only.");
  Device device;
  if (a.device.type == dlpack::kCUDA) device = resolve_device({DeviceType::CUDA, int8_t(a.device.id)});
  Dims sizes(size_t(a.ndim)), strides(size_t(a.ndim));
  int64_t extent = 1;
  for (int32_t d = a.ndim; d-- > 0;) {
    sizes[size_t(d)] = a.shape[d];
    strides[size_t(d)] = a.strides         ? a.strides[d]
                         : d == a.ndim - 1 ? 1
                                           : strides[size_t(d) + 1] * std::max<int64_t>(a.shape[d + 1], 1);
    if (strides[size_t(d)] < 0)
      fail_python(PyExc_ValueError, "from_dlpack: negative strides are not supported. Copy the array first.");
    extent = a.shape[d] ? extent + (a.shape[d] - 1) * strides[size_t(d)] : 0;
  }
  Tensor t(Ref<TensorImpl>::adopt(new TensorImpl));
  TensorImpl* p = t.impl();
  p->storage = Storage::foreign(static_cast<char*>(a.data) + a.byte_offset,
                                size_t(std::max<int64_t>(extent, 0)) * itemsize(dtype), device, deleter, context);
  p->storage->writable = writable;
  p->device = device;
  p->sizes = sizes;
  p->strides = strides;
  p->dtype = dtype;
  p->refresh();
  return t;
}

template <class M>
Tensor adopt(py::handle o, const char* name, bool writable) {
  auto* m = static_cast<M*>(PyCapsule_GetPointer(o.ptr(), name));
  if (!m) throw py::error_already_set();
  Tensor t = over(
      m->array,
      [](void* context) {
        py::gil_scoped_acquire gil;
        auto* m = static_cast<M*>(context);
        if (m->deleter) m->deleter(m);
      },
      m, writable);
  PyCapsule_SetName(o.ptr(), !strcmp(name, "dltensor") ? "used_dltensor" : "used_dltensor_versioned");
  return t;
}

Tensor from_dlpack(py::object o) {
  if (PyCapsule_IsValid(o.ptr(), "dltensor")) return adopt<dlpack::Managed>(o, "dltensor", true);
  if (PyCapsule_IsValid(o.ptr(), "dltensor_versioned")) {
    auto* m = static_cast<dlpack::ManagedVersioned*>(PyCapsule_GetPointer(o.ptr(), "dltensor_versioned"));
    if (m->version.major > 1)
      fail_python(PyExc_BufferError, str("from_dlpack: the producer speaks DLPack ", m->version.major, ".",
                                         m->version.minor, ", tensorlite 1.x."));
    return adopt<dlpack::ManagedVersioned>(o, "dltensor_versioned", !(m->flags & dlpack::kReadOnly));
  }
  fail(
      "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might "
      "have "
      "already constructed a tensor from it once.");
}

// Device memory that belongs to a Python object: the protocol __cuda_array_interface__.
Tensor from_device_memory(uintptr_t address, std::vector<int64_t> sizes, std::vector<int64_t> strides,
                          py::object dtype_object, int device, py::object owner) {
  dlpack::Array a{};
  a.data = reinterpret_cast<void*>(address);
  a.device = {dlpack::kCUDA, device};
  a.ndim = int32_t(sizes.size());
  a.dtype = type_of(unwrap_dtype(dtype_object.ptr()));
  a.shape = sizes.data();
  a.strides = strides.data();
  return over(
      a,
      [](void* object) {
        py::gil_scoped_acquire gil;
        Py_DECREF(static_cast<PyObject*>(object));
      },
      owner.release().ptr(), true);
}

// ---- buffers ----

Tensor from_buffer(py::object o, py::object dtype_object, int64_t count, int64_t offset) {
  if (!PyObject_CheckBuffer(o.ptr()))
    fail_python(PyExc_ValueError, "object does not implement Python buffer protocol.");
  Dtype dtype = unwrap_dtype(dtype_object.ptr());
  auto* view = new Py_buffer;
  bool writable = true;
  if (PyObject_GetBuffer(o.ptr(), view, PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    writable = false;
    if (PyObject_GetBuffer(o.ptr(), view, PyBUF_SIMPLE) < 0) {
      delete view;
      throw py::error_already_set();
    }
  }
  auto release = [](void* p) {
    py::gil_scoped_acquire gil;
    PyBuffer_Release(static_cast<Py_buffer*>(p));
    delete static_cast<Py_buffer*>(p);
  };
  Ref<Storage> storage;
  int64_t length = view->len, size = int64_t(itemsize(dtype));
  std::string why;
  if (length <= 0 || count == 0)
    why = str("both buffer length (", length, ") and count (", count, ") must not be 0");
  else if (offset < 0 || offset >= length)
    why = str("offset (", offset, " bytes) must be non-negative and no greater than buffer length (", length,
              " bytes) minus 1");
  else if (count < 0 && (length - offset) % size)
    why = str("buffer length (", length, " bytes) after offset (", offset,
              " bytes) must be a multiple of element size (", size, ")");
  else if (count > 0 && count > (length - offset) / size)
    why = str("requested buffer length (", count, " * ", size, " bytes) after offset (", offset,
              " bytes) must not be greater than actual buffer length (", length, " bytes)");
  if (!why.empty()) {
    release(view);
    fail_python(PyExc_ValueError, why);
  }
  if (count < 0) count = (length - offset) / size;
  storage = Storage::foreign(static_cast<char*>(view->buf) + offset, size_t(count * size), Device{}, release, view);
  storage->writable = writable;
  if (!writable)
    warn(
        "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write "
        "to the underlying (supposedly non-writable) buffer using the tensor. You may want to copy the buffer to "
        "protect its data or make it writable before converting it to a tensor.");
  Tensor t(Ref<TensorImpl>::adopt(new TensorImpl));
  TensorImpl* p = t.impl();
  p->storage = std::move(storage);
  p->sizes = Dims(Ints({count}));
  p->strides = Dims(Ints({1}));
  p->dtype = dtype;
  p->refresh();
  return t;
}

// ---- storages ----

// All of a storage's memory as a vector of `dtype`: python/tensorlite/storage.py.
Tensor storage_tensor(Tensor t, py::object dtype_object) {
  Dtype dtype = unwrap_dtype(dtype_object.ptr());
  Tensor all(Ref<TensorImpl>::adopt(new TensorImpl));
  TensorImpl* p = all.impl();
  p->storage = t.impl()->storage;
  p->sizes = Dims(Ints({int64_t(p->storage->nbytes() / itemsize(dtype))}));
  p->strides = Dims(Ints({1}));
  p->dtype = dtype;
  p->device = t.device();
  p->refresh();
  return all;
}

// Lets `t` look at the storage of `source` with these sizes and strides.
void set_storage(Tensor t, Tensor source, int64_t offset, std::vector<int64_t> sizes, std::vector<int64_t> strides) {
  TensorImpl* p = t.impl();
  check(sizes.size() == strides.size(), "set_: sizes and strides must have the same length");
  int64_t last = offset;
  bool empty = false;
  for (size_t d = 0; d < sizes.size(); ++d) {
    check(sizes[d] >= 0 && strides[d] >= 0, "set_: sizes and strides must not be negative");
    empty |= sizes[d] == 0;
    last += (sizes[d] - 1) * strides[d];
  }
  int64_t bytes = empty ? 0 : (last + 1) * int64_t(t.itemsize());
  check(offset >= 0, "Tensor: invalid storage offset ", offset);
  check(bytes <= int64_t(source.impl()->storage->nbytes()), "setStorage: sizes ", to_string(Ints(sizes)), ", strides ",
        to_string(Ints(strides)), ", storage offset ", offset, ", and itemsize ", t.itemsize(),
        " requiring a storage size of ", bytes, " are out of bounds for storage of size ",
        source.impl()->storage->nbytes());
  p->storage = source.impl()->storage;
  p->device = source.device();
  p->offset = offset;
  p->sizes = Dims(Ints(sizes));
  p->strides = Dims(Ints(strides));
  p->refresh();
  p->bump_version();
}

}  // namespace

void add_exchange(py::module_& m) {
  m.def("_to_dlpack", to_dlpack);
  m.def("_from_dlpack", from_dlpack);
  m.def("_from_device_memory", from_device_memory);
  m.def("_from_buffer", from_buffer);
  m.def("_storage_tensor", storage_tensor);
  m.def("_storage_id", [](Tensor t) { return reinterpret_cast<uintptr_t>(t.impl()->storage.get()); });
  m.def("_storage_resize", [](Tensor t, int64_t nbytes) { t.impl()->storage->resize(size_t(nbytes)); });
  m.def("_set_storage", set_storage);
  m.def("_resize", [](Tensor t, const std::vector<int64_t>& sizes, int format) {
    for (int64_t s : sizes)
      check(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", to_string(Ints(sizes)));
    resize(t, sizes);
    if (format > 1) {
      t.impl()->strides = format_strides(sizes, MemoryFormat(format));
      t.impl()->refresh();
    }
    t.impl()->bump_version();
  });
  m.def("_is_contiguous", [](Tensor t, int format) { return is_contiguous(t, MemoryFormat(format)); });
  m.def("_suggested_format", [](Tensor t) { return int(suggested_format(t)); });
}

}  // namespace tl::python
