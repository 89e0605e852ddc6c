// Tensors from Python data and back: tensor(), item, tolist, NumPy by the buffer protocol, generators.

#include <cmath>
#include <cstring>

#include "bindings/parser.h"
#include "bindings/tensor_object.h"
#include "core/cuda.h"
#include "core/generator.h"
#include "core/plan.h"
#include "ops/cast.h"

namespace tl::python {

// ---- single values ----

namespace {

template <class T>
PyObject* element_to_python(const void* p) {
  T v = *static_cast<const T*>(p);
  if constexpr (std::is_same_v<T, bool>)
    return PyBool_FromLong(v);
  else if constexpr (std::is_integral_v<T>)
    return PyLong_FromLongLong(v);
  else if constexpr (std::is_same_v<T, complex64> || std::is_same_v<T, complex128>)
    return PyComplex_FromDoubles(v.real(), v.imag());
  else if constexpr (sizeof(T) == 2)
    return PyFloat_FromDouble(float(v));
  else
    return PyFloat_FromDouble(v);
}

PyObject* element_to_python(Dtype dtype, const void* p) {
  return visit(dtype, [&]<class T>() { return element_to_python<T>(p); });
}

Tensor on_host(const Tensor& t) {
  if (t.device().is_cpu()) return t;
  return ops::to_copy(t, {}, Device{}, false);
}

PyObject* nested_list(const Tensor& t, int64_t dim, const char* data) {
  if (dim == t.dim()) return element_to_python(t.dtype(), data);
  py::object list = take(PyList_New(t.size(dim)));
  int64_t step = t.stride(dim) * int64_t(t.itemsize());
  for (int64_t i = 0; i < t.size(dim); ++i)
    PyList_SET_ITEM(list.ptr(), i, must(nested_list(t, dim + 1, data + i * step)));
  return list.release().ptr();
}

}  // namespace

PyObject* item(const Tensor& t) {
  check(t.numel() == 1, "a Tensor with ", t.numel(), " elements cannot be converted to Scalar");
  Tensor host = on_host(t);
  return element_to_python(host.dtype(), host.data());
}

// ---- tensor(data) ----

namespace {

bool is_sequence(PyObject* o) {
  return PySequence_Check(o) && !PyUnicode_Check(o) && !PyBytes_Check(o) && !PyDict_Check(o);
}
bool has_array_data(PyObject* o) {
  return !PyList_CheckExact(o) && !PyTuple_CheckExact(o) && !is_tensor(o) &&
         PyObject_HasAttrString(o, "__array_interface__");
}
bool is_numpy_array(PyObject* o) {
  return !strncmp(Py_TYPE(o)->tp_name, "numpy.ndarray", 13) ||
         (has_array_data(o) && PyObject_CheckBuffer(o) && PySequence_Check(o));
}

Tensor from_buffer(PyObject* array, bool share);

// Shape of nested sequences, from the first element of each level.
Dims shape_of(PyObject* o) {
  Dims shape;
  py::object current = borrow(o);
  while (true) {
    if (is_tensor(current.ptr()) || !is_sequence(current.ptr())) return shape;
    Py_ssize_t n = PySequence_Length(current.ptr());
    if (n < 0) {  // a NumPy scalar looks like a sequence
      if (is_numpy_array(current.ptr())) throw py::error_already_set();
      PyErr_Clear();
      return shape;
    }
    shape.push_back(n);
    if (shape.size() > 128) fail_python(PyExc_ValueError, str("too many dimensions '", Py_TYPE(o)->tp_name, "'"));
    if (!n) return shape;
    current = take(PySequence_GetItem(current.ptr(), 0));
  }
}

Dtype numpy_dtype(PyObject* o) {
  static PyObject* asarray = py::object(py::module_::import("numpy").attr("asarray")).release().ptr();
  py::object array = take(PyObject_CallOneArg(asarray, o));
  return from_buffer(array.ptr(), true).dtype();
}

Dtype infer_dtype(PyObject* o) {
  if (PyFloat_CheckExact(o)) return default_dtype();
  if (PyBool_Check(o)) return Dtype::Bool;
  if (PyLong_Check(o)) return Dtype::Int64;
  if (is_tensor(o)) return unwrap(o).dtype();
  if (has_array_data(o)) return numpy_dtype(o);
  if (PyFloat_Check(o)) return default_dtype();
  if (PyComplex_Check(o)) return to_complex(default_dtype());
  if (PyUnicode_Check(o) || PyBytes_Check(o))
    fail_python(PyExc_TypeError, str("new(): invalid data type '", Py_TYPE(o)->tp_name, "'"));
  if (is_sequence(o)) {
    py::object fast = take(PySequence_Fast(o, "not a sequence"));
    Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.ptr());
    if (!n) return default_dtype();
    PyObject* first = PySequence_Fast_ITEMS(fast.ptr())[0];
    if (PyUnicode_Check(first))
      fail_python(PyExc_ValueError, str("too many dimensions '", Py_TYPE(first)->tp_name, "'"));
    Dtype result = infer_dtype(first);
    PyTypeObject* last = nullptr;
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* e = PySequence_Fast_ITEMS(fast.ptr())[i];
      if (PyUnicode_Check(e)) fail_python(PyExc_ValueError, str("too many dimensions '", Py_TYPE(e)->tp_name, "'"));
      bool plain = PyFloat_CheckExact(e) || PyLong_CheckExact(e) || PyBool_Check(e);
      if (plain && Py_TYPE(e) == last) continue;
      last = Py_TYPE(e);
      result = promote(result, infer_dtype(e));
      if (result == Dtype::Complex128) break;
    }
    return result;
  }
  fail("Could not infer dtype of ", Py_TYPE(o)->tp_name);
}

template <class T>
T element_from_python(PyObject* o) {
  if constexpr (std::is_same_v<T, complex64> || std::is_same_v<T, complex128>) {
    return unwrap_scalar(o).to<T>();
  } else if constexpr (std::is_same_v<T, bool>) {
    int truth = PyObject_IsTrue(o);
    must(truth);
    return truth != 0;
  } else if constexpr (std::is_integral_v<T>) {
    if (PyFloat_Check(o)) {
      double v = PyFloat_AS_DOUBLE(o);
      check(v >= -0x1p63 && v < 0x1p63, "value cannot be converted to type ", name(DtypeOf<T>::value),
            " without overflow");
      return T(int64_t(v));
    }
    if (PyComplex_Check(o)) fail_python(PyExc_TypeError, "'complex' object cannot be interpreted as an integer");
    py::object index = PyLong_Check(o) ? borrow(o) : take(PyNumber_Long(o));
    int overflow;
    long long v = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (v == -1 && PyErr_Occurred()) throw py::error_already_set();
    if (overflow) fail_python(PyExc_ValueError, "Overflow when unpacking long long");
    // Unsigned types take negative numbers of their width, as a C cast does.
    bool fits = sizeof(T) == 8 || (v >= (std::is_signed_v<T> ? int64_t(std::numeric_limits<T>::min())
                                                             : -int64_t(std::numeric_limits<T>::max())) &&
                                   v <= int64_t(std::numeric_limits<T>::max()));
    check(fits, "value cannot be converted to type ", name(DtypeOf<T>::value), " without overflow");
    return T(v);
  } else {
    if (PyComplex_Check(o)) fail_python(PyExc_TypeError, "must be real number, not complex");
    double v = PyFloat_CheckExact(o) ? PyFloat_AS_DOUBLE(o) : PyFloat_AsDouble(o);
    if (v == -1 && PyErr_Occurred()) throw py::error_already_set();
    if constexpr (sizeof(T) == 2)
      return T(float(v));
    else
      return T(v);
  }
}

template <class T>
void store(PyObject* o, const Dims& shape, size_t dim, char* data, Ints strides) {
  if (dim == shape.size()) {
    if (is_tensor(o) && unwrap(o).numel() != 1 && std::is_integral_v<T>)
      fail_python(PyExc_TypeError, "only integer tensors of a single element can be converted to an index");
    if (is_tensor(o) && unwrap(o).numel() != 1)
      fail_python(PyExc_ValueError, "only one element tensors can be converted to Python scalars");
    py::object value = is_tensor(o) ? take(item(unwrap(o))) : borrow(o);
    if (is_sequence(o) && !is_tensor(o) && !is_number(o) && std::is_integral_v<T> && !std::is_same_v<T, bool>)
      fail_python(PyExc_TypeError, str("'", Py_TYPE(o)->tp_name, "' object cannot be interpreted as an integer"));
    if (is_sequence(o) && !is_tensor(o) && !is_number(o))
      fail_python(PyExc_TypeError, str("must be real number, not ", Py_TYPE(o)->tp_name));
    *reinterpret_cast<T*>(data) = element_from_python<T>(value.ptr());
    return;
  }
  if (!PySequence_Check(o)) fail_python(PyExc_TypeError, "not a sequence");
  py::object fast = take(PySequence_Fast(o, "not a sequence"));
  Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.ptr());
  if (n != shape[dim])
    fail_python(PyExc_ValueError, str("expected sequence of length ", shape[dim], " at dim ", dim, " (got ", n, ")"));
  PyObject** items = PySequence_Fast_ITEMS(fast.ptr());
  int64_t step = strides[dim] * int64_t(sizeof(T));
  for (Py_ssize_t i = 0; i < n; ++i) store<T>(items[i], shape, dim + 1, data + i * step, strides);
}

Tensor tensor_from(PyObject* data, OptDtype dtype) {
  if (is_tensor(data)) {
    NoGrad guard;
    const Tensor& t = unwrap(data);
    return ops::to_copy(detach(t), dtype, {}, false);
  }
  if (PyUnicode_Check(data))
    fail_python(PyExc_TypeError, str("new(): invalid data type '", Py_TYPE(data)->tp_name, "'"));
  if (has_array_data(data)) {
    py::object array = borrow(data);
    if (!is_numpy_array(data)) array = py::module_::import("numpy").attr("asarray")(array);
    Tensor t = from_buffer(array.ptr(), true);
    return ops::to_copy(t, dtype ? dtype : OptDtype(t.dtype()), {}, false);
  }
  Dims shape = shape_of(data);
  if (!shape.empty() && is_sequence(data) && PySequence_Length(data) > 0) {
    py::object first = take(PySequence_GetItem(data, 0));
    if (is_numpy_array(first.ptr()) && shape.size() > 1)
      warn(
          "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a "
          "single numpy.ndarray with numpy.array() before converting to a tensor.");
  }
  Dtype type = dtype ? *dtype : infer_dtype(data);
  // A level of one-element tensors holds numbers.
  Tensor t = empty(shape, type);
  visit(type, [&]<class T>() { store<T>(data, shape, 0, t.data_as<char>(), t.strides()); });
  return t;
}

// ---- NumPy: memory by the buffer protocol ----

Dtype dtype_of_format(const Py_buffer& view) {
  const char* f = view.format ? view.format : "B";
  if (*f == '<' || *f == '=' || *f == '@') ++f;
  if (*f == '>' || *f == '!') {
    if (view.itemsize > 1)
      fail_python(PyExc_ValueError,
                  "given numpy array has byte order different from the native byte order. Conversion "
                  "between byte orders is currently not supported.");
    ++f;
  }
  std::string kind = f;
  if (kind == "?") return Dtype::Bool;
  if (kind == "B") return Dtype::UInt8;
  if (kind == "e") return Dtype::Float16;
  if (kind == "f") return Dtype::Float32;
  if (kind == "d") return Dtype::Float64;
  if (kind == "Zf") return Dtype::Complex64;
  if (kind == "Zd") return Dtype::Complex128;
  if (kind == "b" || kind == "h" || kind == "i" || kind == "l" || kind == "q") switch (view.itemsize) {
      case 1:
        return Dtype::Int8;
      case 2:
        return Dtype::Int16;
      case 4:
        return Dtype::Int32;
      default:
        return Dtype::Int64;
    }
  fail<TypeError>("");
}

[[noreturn]] void unsupported_array(PyObject* array) {
  std::string type = "object";
  if (PyObject_HasAttrString(array, "dtype"))
    type = py::cast<std::string>(py::str(borrow(array).attr("dtype").attr("type").attr("__name__")));
  fail_python(PyExc_TypeError, str("can't convert np.ndarray of type numpy.", type,
                                   ". The only supported types are: float64, float32, float16, complex64, complex128, "
                                   "int64, int32, int16, int8, uint8, and bool."));
}

Tensor from_buffer(PyObject* array, bool share) {
  auto view = std::make_unique<Py_buffer>();
  if (PyObject_GetBuffer(array, view.get(), PyBUF_RECORDS_RO) < 0) {
    PyErr_Clear();
    unsupported_array(array);
  }
  auto release = [](void* p) {
    py::gil_scoped_acquire gil;
    PyBuffer_Release(static_cast<Py_buffer*>(p));
    delete static_cast<Py_buffer*>(p);
  };
  std::unique_ptr<Py_buffer, void (*)(Py_buffer*)> guard(view.release(), [](Py_buffer* p) {
    PyBuffer_Release(p);
    delete p;
  });
  Py_buffer* v = guard.get();
  Dtype dtype;
  try {
    dtype = dtype_of_format(*v);
  } catch (const TypeError&) {
    unsupported_array(array);
  }
  Dims sizes, strides;
  int64_t extent = 1;
  for (int i = 0; i < v->ndim; ++i) {
    sizes.push_back(v->shape[i]);
    if (v->strides[i] < 0)
      fail_python(PyExc_ValueError,
                  "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
                  "currently supported. (You can probably work around this by making a copy of your array  with "
                  "array.copy().) ");
    if (v->strides[i] % v->itemsize)
      fail_python(PyExc_ValueError,
                  "given numpy array strides not a multiple of the element byte size. Copy the numpy array to "
                  "reallocate the memory.");
    strides.push_back(v->strides[i] / v->itemsize);
    extent = v->shape[i] ? extent + (v->shape[i] - 1) * strides.back() : extent;
  }
  if (v->readonly && share == false)
    warn(
        "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing "
        "to this tensor will result in undefined behavior. You may want to copy the array to protect its data or make "
        "it writable before converting it to a tensor.");
  Ref<Storage> storage = Storage::foreign(v->buf, size_t(extent) * size_t(v->itemsize), Device{}, release, v);
  guard.release();
  Tensor t(Ref<TensorImpl>::adopt(new TensorImpl));
  TensorImpl* p = t.impl();
  p->storage = std::move(storage);
  p->sizes = sizes;
  p->strides = strides;
  p->dtype = dtype;
  p->refresh();
  return t;
}

Tensor from_numpy(py::object array) {
  if (!is_numpy_array(array.ptr()))
    fail_python(PyExc_TypeError, str("expected np.ndarray (got ", Py_TYPE(array.ptr())->tp_name, ")"));
  return from_buffer(array.ptr(), false);
}

const char* format_of(Dtype t) {
  constexpr const char* formats[kDtypes] = {"?", "B", "b", "h", "i", "q", "e", nullptr, "f", "d", "Zf", "Zd"};
  return formats[int(t)];
}

// What an exported buffer needs as long as it lives.
struct Exported {
  Ref<Storage> storage;
  std::vector<Py_ssize_t> shape, strides;
};

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  const Tensor& t = unwrap(self);
  const char* format = format_of(t.dtype());
  std::string on_device = "can't convert " + to_string(t.device()) +
                          " device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.";
  const char* why = !t.device().is_cpu() ? on_device.c_str()
                    : requires_grad(t)   ? "Can't call numpy() on Tensor that requires grad. Use "
                                           "tensor.detach().numpy() instead."
                    : !format            ? "Got unsupported ScalarType BFloat16"
                    : ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && !t.is_contiguous()) ? "the tensor is not contiguous"
                                                                                       : nullptr;
  if (why) {
    PyErr_SetString(PyExc_BufferError, why);
    return -1;
  }
  auto* e = new Exported{t.impl()->storage, {}, {}};
  for (int64_t i = 0; i < t.dim(); ++i) {
    e->shape.push_back(t.size(i));
    e->strides.push_back(t.stride(i) * int64_t(t.itemsize()));
  }
  static char nothing[16];
  view->buf = t.impl()->storage->data() ? t.data() : nothing;
  view->len = t.numel() * int64_t(t.itemsize());
  view->itemsize = Py_ssize_t(t.itemsize());
  view->readonly = !t.impl()->storage->writable;
  view->ndim = int(t.dim());
  view->format = flags & PyBUF_FORMAT ? const_cast<char*>(format) : nullptr;
  view->shape = e->shape.data();
  view->strides = e->strides.data();
  view->suboffsets = nullptr;
  view->internal = e;
  view->obj = Py_NewRef(self);
  return 0;
}

void release_buffer(PyObject*, Py_buffer* view) { delete static_cast<Exported*>(view->internal); }

py::object to_numpy(Tensor t, bool force) {
  if (force) {
    t = on_host(detach(t));
  } else if (requires_grad(t)) {
    fail("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
  }
  if (!t.device().is_cpu())
    fail_python(PyExc_TypeError, str("can't convert ", to_string(t.device()),
                                     " device type tensor to numpy. Use "
                                     "Tensor.cpu() to copy the tensor to host memory first."));
  if (!format_of(t.dtype())) fail_python(PyExc_TypeError, "Got unsupported ScalarType BFloat16");
  static PyObject* asarray = py::object(py::module_::import("numpy").attr("asarray")).release().ptr();
  // A subclass or a tensor with __array__ would come back here: hand over a plain memoryview.
  py::object view = take(PyMemoryView_FromObject(take(wrap(alias(t))).ptr()));
  return take(PyObject_CallOneArg(asarray, view.ptr()));
}

}  // namespace

void add_buffer_slots(std::vector<PyType_Slot>& slots) {
  slots.push_back({Py_bf_getbuffer, (void*)get_buffer});
  slots.push_back({Py_bf_releasebuffer, (void*)release_buffer});
}

// ---- generators ----

namespace {

PyTypeObject* generator_type;
struct PyGenerator {
  PyObject_HEAD;
  Generator* generator;
};
PyGenerator* as_generator(PyObject* o) { return reinterpret_cast<PyGenerator*>(o); }

PyObject* wrap_generator(Ref<Generator> g) {
  auto* self = PyObject_New(PyGenerator, generator_type);
  if (self) self->generator = g.detach();
  return reinterpret_cast<PyObject*>(self);
}

PyObject* generator_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    PyObject* device = nullptr;
    Device d;
    const char* names[] = {"device", nullptr};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", const_cast<char**>(names), &device))
      throw py::error_already_set();
    if (device && device != Py_None) {
      if (!is_device(device))
        fail_python(PyExc_TypeError,
                    str("Generator(): argument 'device' must be device, not ", Py_TYPE(device)->tp_name));
      d = unwrap_device(device);
      check(d.is_cpu() || find_cuda(), "Cannot get CUDA generator without ATen_cuda library. ",
            "This build of tensorlite computes on the CPU only.");
      d = resolve_device(d);
    }
    auto g = Ref<Generator>::adopt(new Generator);
    g->device = d;
    return wrap_generator(std::move(g));
  });
}
void generator_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Ref<Generator>::adopt(as_generator(self)->generator);
  type->tp_free(self);
  Py_DECREF(type);
}

uint64_t seed_from(PyObject* o) {
  if (!PyLong_Check(o) && !PyIndex_Check(o)) fail("manual_seed expected a long, but got ", Py_TYPE(o)->tp_name);
  py::object n = take(PyNumber_Index(o));
  int overflow;
  long long v = PyLong_AsLongLongAndOverflow(n.ptr(), &overflow);
  if (!overflow) return uint64_t(v);
  uint64_t u = overflow > 0 ? PyLong_AsUnsignedLongLong(n.ptr()) : uint64_t(-1);
  if (overflow < 0 || PyErr_Occurred()) {
    PyErr_Clear();
    fail("Overflow when unpacking long long");
  }
  return u;
}

Tensor state_of(Generator& g) {
  Tensor t = empty({int64_t(g.state_bytes())}, Dtype::UInt8);
  g.get_state(t.data_as<uint8_t>());
  return t;
}
void set_state(Generator& g, PyObject* o) {
  if (!is_tensor(o))
    fail_python(PyExc_TypeError, str("expected a ", package_name(), ".ByteTensor, but got ", Py_TYPE(o)->tp_name));
  const Tensor& t = unwrap(o);
  if (t.dtype() != Dtype::UInt8 || !t.is_contiguous() || !t.device().is_cpu())
    fail_python(PyExc_TypeError, "RNG state must be a " + package_name() + ".ByteTensor");
  g.set_state(t.data_as<uint8_t>(), size_t(t.numel()));
}

bool is_captured(const Generator& g) {
  return cuda_captures && !g.device.is_cpu() && cuda_runtime().is_capturing(g.device.index);
}

PyObject* generator_manual_seed(PyObject* self, PyObject* seed) {
  return guarded([&] {
    Generator& g = *as_generator(self)->generator;
    uint64_t value = seed_from(seed);
    if (is_captured(g))
      check(value == g.initial_seed(),
            "CUDAGeneratorImpl::set_current_seed can be called during stream capture only if new seed is the same as "
            "the original seed.");
    else
      g.manual_seed(value);
    return Py_NewRef(self);
  });
}
PyObject* generator_seed(PyObject* self, PyObject*) {
  return guarded([&] {
    Generator& g = *as_generator(self)->generator;
    check(!is_captured(g), "Cannot call CUDAGeneratorImpl::seed during CUDA graph capture: seed before each replay.");
    return PyLong_FromUnsignedLongLong(g.seed());
  });
}
PyObject* generator_initial_seed(PyObject* self, PyObject*) {
  return PyLong_FromUnsignedLongLong(as_generator(self)->generator->initial_seed());
}
PyObject* generator_get_state(PyObject* self, PyObject*) {
  return guarded([&] { return wrap(state_of(*as_generator(self)->generator)); });
}
PyObject* generator_set_state(PyObject* self, PyObject* state) {
  return guarded([&] {
    Generator& g = *as_generator(self)->generator;
    check(!is_captured(g),
          "Cannot call CUDAGeneratorImpl::set_state during CUDA graph capture: set it before each replay.");
    set_state(g, state);
    return Py_NewRef(self);
  });
}
PyObject* generator_clone(PyObject* self, PyObject*) {
  return guarded([&] { return wrap_generator(as_generator(self)->generator->clone()); });
}
PyObject* generator_device(PyObject* self, void*) { return wrap(as_generator(self)->generator->device); }

PyMethodDef generator_methods[] = {
    {"manual_seed", generator_manual_seed, METH_O, "manual_seed(seed): sets the seed and returns the generator."},
    {"seed", generator_seed, METH_NOARGS, "Seeds from the system's entropy and returns that seed."},
    {"initial_seed", generator_initial_seed, METH_NOARGS, "The seed last set."},
    {"get_state", generator_get_state, METH_NOARGS, "The state as a uint8 tensor, exchangeable with PyTorch's."},
    {"set_state", generator_set_state, METH_O, "Restores a state of get_state()."},
    {"clone_state", generator_clone, METH_NOARGS, "A new generator in the same state."},
    {}};
PyGetSetDef generator_getset[] = {{"device", generator_device, nullptr, nullptr, nullptr}, {}};
PyType_Slot generator_slots[] = {{Py_tp_new, (void*)generator_new},
                                 {Py_tp_dealloc, (void*)generator_dealloc},
                                 {Py_tp_methods, generator_methods},
                                 {Py_tp_getset, generator_getset},
                                 {Py_tp_doc, (void*)"Generator(device='cpu'): a source of random numbers of its own."},
                                 {}};
PyType_Spec generator_spec = {"tensorlite._C.Generator", sizeof(PyGenerator), 0, Py_TPFLAGS_DEFAULT, generator_slots};

}  // namespace

bool is_generator(PyObject* o) { return Py_TYPE(o) == generator_type; }
Generator* unwrap_generator(PyObject* o) { return as_generator(o)->generator; }

void add_conversions(py::module_& m) {
  generator_type = make_type(m.ptr(), generator_spec);
  m.def("_cuda_generator", [](int device) {
    Device d{DeviceType::CUDA, int8_t(device)};
    return take(wrap_generator(Ref<Generator>::share(&default_generator(resolve_device(d)))));
  });
  // These start no driver.
  m.def("_cuda_seed", [](int device, py::object seed) {
    default_generator({DeviceType::CUDA, int8_t(device)}).manual_seed(seed_from(seed.ptr()));
  });
  m.def("_cuda_seed_all", [](py::object seed) { seed_cuda_generators(seed_from(seed.ptr())); });
  m.attr("default_generator") = take(wrap_generator(Ref<Generator>::share(&default_generator())));
  m.def("_seed_from", [](py::object o) { return seed_from(o.ptr()); });
  m.def("_tensor_from", [](py::object data, py::object dtype) {
    if (!dtype.is_none() && !is_dtype(dtype.ptr()))
      fail_python(PyExc_TypeError, str("tensor(): argument 'dtype' must be ", package_name(), ".dtype, not ",
                                       Py_TYPE(dtype.ptr())->tp_name));
    return tensor_from(data.ptr(), dtype.is_none() ? OptDtype() : OptDtype(unwrap_dtype(dtype.ptr())));
  });
  m.def("from_numpy", from_numpy, "A tensor that shares the array's memory.");
  m.def("_is_numpy_array", [](py::object o) { return is_numpy_array(o.ptr()); });
  m.def("_to_numpy", to_numpy);
  m.def("_result_type", [](py::object a, py::object b) {
    auto operand = [](const py::object& o) {
      return is_tensor(o.ptr()) ? unwrap(o.ptr()) : wrapped_number(unwrap_scalar(o.ptr()));
    };
    return take(wrap(result_type(operand(a), operand(b))));
  });
  m.def("_tolist", [](Tensor t) {
    Tensor host = on_host(t);
    return take(nested_list(host, 0, host.data_as<char>()));
  });
}

}  // namespace tl::python
