// dtype, device and Size objects, and Python numbers.

#include <cmath>

#include "bindings/tensor_object.h"
#include "core/allocator.h"
#include "core/cuda.h"
#include "core/parallel.h"
#include "ops/creation.h"

namespace tl::python {

// ---- dtype: one object for each, compared by identity ----

namespace {

struct PyDtype {
  PyObject_HEAD;
  Dtype dtype;
};
PyTypeObject* dtype_type;
PyObject* dtype_objects[kDtypes];

Dtype dtype_of(PyObject* self) { return reinterpret_cast<PyDtype*>(self)->dtype; }

PyObject* dtype_repr(PyObject* self) {
  return PyUnicode_FromFormat("%s.%s", package_name().c_str(), name(dtype_of(self)));
}
PyObject* dtype_reduce(PyObject* self, PyObject*) { return PyUnicode_FromString(name(dtype_of(self))); }
PyObject* dtype_to_real(PyObject* self, PyObject*) { return wrap(to_real(dtype_of(self))); }
PyObject* dtype_to_complex(PyObject* self, PyObject*) { return wrap(to_complex(dtype_of(self))); }
PyMethodDef dtype_methods[] = {{"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
                               {"to_real", dtype_to_real, METH_NOARGS, "The dtype of the real part."},
                               {"to_complex", dtype_to_complex, METH_NOARGS, "The complex dtype of this precision."},
                               {}};
PyObject* dtype_itemsize(PyObject* self, void*) { return PyLong_FromSize_t(itemsize(dtype_of(self))); }
PyObject* dtype_is_floating(PyObject* self, void*) { return PyBool_FromLong(is_floating(dtype_of(self))); }
PyObject* dtype_is_complex(PyObject* self, void*) { return PyBool_FromLong(is_complex(dtype_of(self))); }
PyObject* dtype_is_signed(PyObject* self, void*) {
  Dtype t = dtype_of(self);
  return PyBool_FromLong(t != Dtype::Bool && t != Dtype::UInt8);
}
PyGetSetDef dtype_getset[] = {{"itemsize", dtype_itemsize, nullptr, "Bytes of one element.", nullptr},
                              {"is_floating_point", dtype_is_floating, nullptr, nullptr, nullptr},
                              {"is_complex", dtype_is_complex, nullptr, nullptr, nullptr},
                              {"is_signed", dtype_is_signed, nullptr, nullptr, nullptr},
                              {}};
PyType_Slot dtype_slots[] = {{Py_tp_repr, (void*)dtype_repr},
                             {Py_tp_methods, dtype_methods},
                             {Py_tp_getset, dtype_getset},
                             {Py_tp_doc, (void*)"The type of a tensor's elements."},
                             {}};
PyType_Spec dtype_spec = {"tensorlite.dtype", sizeof(PyDtype), 0,
                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, dtype_slots};

void add_dtypes(py::module_& m) {
  dtype_type = make_type(m.ptr(), dtype_spec);
  for (int i = 0; i < kDtypes; ++i) {
    auto* o = PyObject_New(PyDtype, dtype_type);
    o->dtype = Dtype(i);
    dtype_objects[i] = reinterpret_cast<PyObject*>(o);
    must(PyModule_AddObjectRef(m.ptr(), name(Dtype(i)), dtype_objects[i]));
  }
  const std::pair<const char*, Dtype> aliases[] = {{"float", Dtype::Float32},    {"double", Dtype::Float64},
                                                   {"half", Dtype::Float16},     {"short", Dtype::Int16},
                                                   {"int", Dtype::Int32},        {"long", Dtype::Int64},
                                                   {"cfloat", Dtype::Complex64}, {"cdouble", Dtype::Complex128}};
  for (auto& [alias, t] : aliases) must(PyModule_AddObjectRef(m.ptr(), alias, dtype_objects[int(t)]));
}

}  // namespace

PyObject* wrap(Dtype t) { return Py_NewRef(dtype_objects[int(t)]); }
bool is_dtype(PyObject* o) {
  return Py_TYPE(o) == dtype_type || o == reinterpret_cast<PyObject*>(&PyFloat_Type) ||
         o == reinterpret_cast<PyObject*>(&PyLong_Type) || o == reinterpret_cast<PyObject*>(&PyBool_Type) ||
         o == reinterpret_cast<PyObject*>(&PyComplex_Type);
}
Dtype unwrap_dtype(PyObject* o) {
  if (Py_TYPE(o) == dtype_type) return dtype_of(o);
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) return Dtype::Float64;
  if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) return Dtype::Int64;
  if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) return Dtype::Complex128;
  return Dtype::Bool;
}

// ---- device ----

namespace {

struct PyDevice {
  PyObject_HEAD;
  Device device;
};
PyTypeObject* device_type;

Device device_of(PyObject* self) { return reinterpret_cast<PyDevice*>(self)->device; }

PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    PyObject *type = nullptr, *index = nullptr;
    const char* names[] = {"type", "index", nullptr};
    must(PyArg_ParseTupleAndKeywords(args, kwargs, "|OO", const_cast<char**>(names), &type, &index) ? 0 : -1);
    if (!type)
      fail_python(PyExc_TypeError,
                  "device() received an invalid combination of arguments - got (), but expected one of:\n * "
                  "(torch.device device)\n * (str type, int index = -1)\n");
    Device d;
    if (!is_device(type))
      fail_python(PyExc_TypeError,
                  str("device(): argument 'type' must be str or device, not ", Py_TYPE(type)->tp_name));
    d = unwrap_device(type);
    if (index && index != Py_None) {
      check(d.index < 0, "type (string) must not include an index because index was passed explicitly: ", to_string(d));
      if (!PyLong_Check(index))
        fail_python(PyExc_TypeError, str("device(): argument 'index' must be int, not ", Py_TYPE(index)->tp_name));
      long i = PyLong_AsLong(index);
      if (i == -1 && PyErr_Occurred()) throw py::error_already_set();
      check(i >= 0 && i < 128, "Device index must be between 0 and 127, got ", i);
      d.index = int8_t(i);
    }
    return wrap(d);
  });
}
PyObject* device_repr(PyObject* self) {
  Device d = device_of(self);
  if (d.index < 0) return PyUnicode_FromFormat("device(type='%s')", name(d.type));
  return PyUnicode_FromFormat("device(type='%s', index=%d)", name(d.type), int(d.index));
}
PyObject* device_str(PyObject* self) { return PyUnicode_FromString(to_string(device_of(self)).c_str()); }
Py_hash_t device_hash(PyObject* self) { return (int(device_of(self).type) + 1) * 1000 + device_of(self).index; }
PyObject* device_compare(PyObject* a, PyObject* b, int op) {
  if ((op != Py_EQ && op != Py_NE) || Py_TYPE(b) != device_type) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong((device_of(a) == device_of(b)) == (op == Py_EQ));
}
PyObject* device_get_type(PyObject* self, void*) { return PyUnicode_FromString(name(device_of(self).type)); }
PyObject* device_get_index(PyObject* self, void*) {
  int i = device_of(self).index;
  if (i < 0) Py_RETURN_NONE;
  return PyLong_FromLong(i);
}
PyObject* device_reduce(PyObject* self, PyObject*) {
  return Py_BuildValue("O(s)", device_type, to_string(device_of(self)).c_str());
}
// `with device:` makes it the default of this thread's factories.
thread_local std::vector<Device> outer_defaults;

void set_default(Device d) {
  allocator(d.type);  // raises where nothing can lie there
  ops::set_default_device(d);
}
PyObject* device_enter(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    Device before = ops::default_device();
    set_default(device_of(self));
    outer_defaults.push_back(before);
    return Py_NewRef(self);
  });
}
PyObject* device_exit(PyObject*, PyObject*) {
  if (!outer_defaults.empty()) {
    ops::set_default_device(outer_defaults.back());
    outer_defaults.pop_back();
  }
  Py_RETURN_NONE;
}
PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr},
                                {"__enter__", device_enter, METH_NOARGS, nullptr},
                                {"__exit__", device_exit, METH_VARARGS, nullptr},
                                {}};
PyGetSetDef device_getset[] = {{"type", device_get_type, nullptr, "'cpu' or 'cuda'", nullptr},
                               {"index", device_get_index, nullptr, "The number of the device, or None.", nullptr},
                               {}};
PyType_Slot device_slots[] = {{Py_tp_new, (void*)device_new},
                              {Py_tp_repr, (void*)device_repr},
                              {Py_tp_str, (void*)device_str},
                              {Py_tp_hash, (void*)device_hash},
                              {Py_tp_richcompare, (void*)device_compare},
                              {Py_tp_methods, device_methods},
                              {Py_tp_getset, device_getset},
                              {Py_tp_doc, (void*)"device(type, index=None): where a tensor's memory lies."},
                              {}};
PyType_Spec device_spec = {"tensorlite.device", sizeof(PyDevice), 0, Py_TPFLAGS_DEFAULT, device_slots};

}  // namespace

PyObject* wrap(Device d) {
  auto* o = PyObject_New(PyDevice, device_type);
  if (o) o->device = d;
  return reinterpret_cast<PyObject*>(o);
}
bool is_device(PyObject* o) {
  return Py_TYPE(o) == device_type || PyUnicode_Check(o) || (PyLong_Check(o) && !PyBool_Check(o));
}
Device unwrap_device(PyObject* o) {
  if (Py_TYPE(o) == device_type) return device_of(o);
  if (PyLong_Check(o)) {
    long i = PyLong_AsLong(o);
    check(i >= 0 && i < 128, "Device index must be between 0 and 127, got ", i);
    check(cuda_device_count() > 0, "Cannot access accelerator device when none is available.");
    return {DeviceType::CUDA, int8_t(i)};
  }
  return parse_device(py::cast<std::string>(o));
}

// ---- Size: a tuple of ints ----

PyTypeObject* size_type;

namespace {

PyObject* as_size(PyObject* tuple) {
  if (!tuple || !PyTuple_Check(tuple)) return tuple;
  PyObject* args = PyTuple_Pack(1, tuple);
  PyObject* size = args ? PyTuple_Type.tp_new(size_type, args, nullptr) : nullptr;
  Py_XDECREF(args);
  Py_DECREF(tuple);
  return size;
}
PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    py::object self = take(PyTuple_Type.tp_new(type, args, kwargs));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self.ptr()); ++i) {
      PyObject* v = PyTuple_GET_ITEM(self.ptr(), i);
      if (PyLong_CheckExact(v)) continue;
      if (!PyIndex_Check(v))
        fail_python(PyExc_TypeError, str(package_name(), ".Size() takes an iterable of 'int' (item ", i, " is '",
                                         Py_TYPE(v)->tp_name, "')"));
      PyTuple_SET_ITEM(self.ptr(), i, must(PyNumber_Index(v)));
      Py_DECREF(v);
    }
    return self.release().ptr();
  });
}
PyObject* size_repr(PyObject* self) {
  std::string text = package_name() + ".Size([";
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
    if (i) text += ", ";
    text += std::to_string(PyLong_AsLongLong(PyTuple_GET_ITEM(self, i)));
  }
  return PyUnicode_FromString((text + "])").c_str());
}
PyObject* size_numel(PyObject* self, PyObject*) {
  int64_t n = 1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) n *= PyLong_AsLongLong(PyTuple_GET_ITEM(self, i));
  return PyLong_FromLongLong(n);
}
// Either may be a plain tuple.
PyObject* size_add(PyObject* a, PyObject* b) {
  for (PyObject* o : {a, b})
    if (!PyTuple_Check(o)) {
      PyErr_Format(PyExc_TypeError, "can only concatenate tuple (not %s) to %s.Size", Py_TYPE(o)->tp_name,
                   package_name().c_str());
      return nullptr;
    }
  return as_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b));
}
PyObject* size_repeat(PyObject* a, Py_ssize_t n) { return as_size(PyTuple_Type.tp_as_sequence->sq_repeat(a, n)); }
PyObject* size_subscript(PyObject* a, PyObject* key) {
  PyObject* r = PyTuple_Type.tp_as_mapping->mp_subscript(a, key);
  return PySlice_Check(key) ? as_size(r) : r;
}
PyObject* size_reduce(PyObject* self, PyObject*) { return Py_BuildValue("O(N)", size_type, PySequence_List(self)); }
PyMethodDef size_methods[] = {{"numel", size_numel, METH_NOARGS, "The number of elements of a tensor of this size."},
                              {"__reduce__", size_reduce, METH_NOARGS, nullptr},
                              {}};
PyType_Slot size_slots[] = {{Py_tp_new, (void*)size_new},
                            {Py_tp_repr, (void*)size_repr},
                            {Py_tp_methods, size_methods},
                            {Py_nb_add, (void*)size_add},
                            {Py_sq_concat, (void*)size_add},
                            {Py_sq_repeat, (void*)size_repeat},
                            {Py_mp_subscript, (void*)size_subscript},
                            {Py_tp_doc, (void*)"The sizes of a tensor's dimensions: a tuple of ints."},
                            {}};
PyType_Spec size_spec = {"tensorlite.Size", 0, 0, Py_TPFLAGS_DEFAULT, size_slots};

}  // namespace

PyObject* wrap_size(Ints sizes) {
  PyObject* self = size_type->tp_alloc(size_type, Py_ssize_t(sizes.size()));
  if (!self) return nullptr;
  for (size_t i = 0; i < sizes.size(); ++i) PyTuple_SET_ITEM(self, i, PyLong_FromLongLong(sizes[i]));
  return self;
}

// ---- numbers ----

namespace {

bool is_numpy_scalar(PyObject* o) {
  static PyTypeObject* generic = nullptr;
  if (!generic) {
    if (strncmp(Py_TYPE(o)->tp_name, "numpy.", 6) != 0) return false;
    generic = reinterpret_cast<PyTypeObject*>(py::object(py::module_::import("numpy").attr("generic")).release().ptr());
  }
  return PyObject_TypeCheck(o, generic);
}

}  // namespace

bool is_number(PyObject* o) {
  if (PyFloat_CheckExact(o) || PyLong_CheckExact(o)) return true;
  if (PyFloat_Check(o) || PyLong_Check(o) || PyComplex_Check(o)) return true;
  if (is_tensor(o)) return false;
  return is_numpy_scalar(o) && (PyIndex_Check(o) || Py_TYPE(o)->tp_as_number->nb_float);
}

Scalar unwrap_scalar(PyObject* o) {
  if (PyFloat_Check(o)) return PyFloat_AS_DOUBLE(o);
  if (PyBool_Check(o)) return o == Py_True;
  if (PyLong_Check(o) || (PyIndex_Check(o) && !is_tensor(o))) {
    py::object index = PyLong_Check(o) ? borrow(o) : take(PyNumber_Index(o));
    int overflow = 0;
    long long v = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (overflow) {
      if (overflow > 0) {
        unsigned long long u = PyLong_AsUnsignedLongLong(index.ptr());
        if (!PyErr_Occurred()) return int64_t(u);
        PyErr_Clear();
      }
      fail("Overflow when unpacking long long: ", py::cast<std::string>(py::str(index)), " does not fit into int64");
    }
    return int64_t(v);
  }
  if (PyComplex_Check(o)) return std::complex<double>(PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o));
  if (is_tensor(o)) {
    py::object v = take(item(unwrap(o)));
    return unwrap_scalar(v.ptr());
  }
  if (PyObject_HasAttrString(o, "dtype")) {  // a NumPy number that is no Python number
    py::object kind = borrow(o).attr("dtype").attr("kind");
    if (py::cast<std::string>(kind) == "b") {
      int truth = PyObject_IsTrue(o);
      must(truth);
      return bool(truth);
    }
    if (py::cast<std::string>(kind) == "c") {
      Py_complex c = PyComplex_AsCComplex(o);
      if (PyErr_Occurred()) throw py::error_already_set();
      return std::complex<double>(c.real, c.imag);
    }
  }
  double v = PyFloat_AsDouble(o);
  if (v == -1 && PyErr_Occurred()) throw py::error_already_set();
  return v;
}

PyObject* wrap(const Scalar& s) {
  switch (s.kind) {
    case Scalar::Kind::Bool:
      return PyBool_FromLong(s.i != 0);
    case Scalar::Kind::Int:
      return PyLong_FromLongLong(s.i);
    case Scalar::Kind::Float:
      return PyFloat_FromDouble(s.d);
    default:
      return PyComplex_FromDoubles(s.d, s.imag);
  }
}

void add_types(py::module_& m) {
  add_dtypes(m);
  device_type = make_type(m.ptr(), device_spec);
  size_type = make_type(m.ptr(), size_spec, reinterpret_cast<PyObject*>(&PyTuple_Type));
  set_unlock_hooks({[]() -> void* { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; },
                    [](void* state) {
                      if (state) PyEval_RestoreThread(static_cast<PyThreadState*>(state));
                    }});
  m.def("get_default_dtype", [] { return take(wrap(default_dtype())); }, "The dtype that floating-point literals get.");
  m.def("_default_device", [] { return py::reinterpret_steal<py::object>(wrap(ops::default_device())); });
  m.def("_set_default_device", [](py::object d) { set_default(unwrap_device(d.ptr())); });
  m.def("set_default_dtype", [](py::object d) {
    if (Py_TYPE(d.ptr()) != dtype_type)
      fail_python(PyExc_TypeError, "invalid dtype object: only floating-point types are supported as the default type");
    set_default_dtype(unwrap_dtype(d.ptr()));
  });
  m.def("promote_types", [](py::object a, py::object b) {
    if (!is_dtype(a.ptr()) || !is_dtype(b.ptr()))
      fail_python(PyExc_TypeError, "promote_types(): both arguments must be dtypes");
    return take(wrap(promote(unwrap_dtype(a.ptr()), unwrap_dtype(b.ptr()))));
  });
  m.def("can_cast", [](py::object a, py::object b) { return can_cast(unwrap_dtype(a.ptr()), unwrap_dtype(b.ptr())); });
  m.def("get_num_threads", [] { return num_threads(); });
  m.def("set_num_threads", [](int n) {
    check(n > 0, "set_num_threads expects a positive integer");
    set_num_threads(n);
  });
}

}  // namespace tl::python
