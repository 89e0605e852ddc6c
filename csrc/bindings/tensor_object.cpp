// The life of a tensor's Python object. Its methods are in tensor_methods.cpp, its operators in tensor_operators.cpp.

#include "bindings/tensor_object.h"

#include <structmember.h>

#include "bindings/collector.h"
#include "bindings/tensor_type.h"

namespace tl::python {

PyTypeObject* tensor_type;

namespace {

PyObject* new_hook = nullptr;  // Python's constructor of Tensor(...)

PyTensor* as(PyObject* o) { return reinterpret_cast<PyTensor*>(o); }

PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  if (!new_hook) {
    PyErr_SetString(PyExc_RuntimeError, "tensorlite is not fully imported");
    return nullptr;
  }
  return guarded([&] {
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    py::object full = take(PyTuple_New(n + 1));
    PyTuple_SET_ITEM(full.ptr(), 0, Py_NewRef(reinterpret_cast<PyObject*>(type)));
    for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(full.ptr(), i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    return must(PyObject_Call(new_hook, full.ptr(), kwargs));
  });
}

void tensor_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (as(self)->weakrefs) PyObject_ClearWeakRefs(self);
  if (TensorImpl* impl = as(self)->tensor.impl()) impl->set_binding(nullptr);
  PyObject *error_type, *error_value, *traceback;
  PyErr_Fetch(&error_type, &error_value, &traceback);
  as(self)->tensor.~Tensor();
  PyErr_Restore(error_type, error_value, traceback);
  Py_CLEAR(as(self)->dict);
  type->tp_free(self);
  Py_DECREF(type);
}

int tensor_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as(self)->dict);
  TensorImpl* impl = as(self)->tensor.impl();
  return impl && (impl->base || impl->autograd) ? Region(visit, arg).of(impl) : 0;
}

int tensor_clear(PyObject* self) {
  Py_CLEAR(as(self)->dict);
  if (TensorImpl* impl = as(self)->tensor.impl()) {
    auto dying = std::move(impl->autograd);
    impl->base.reset();
  }
  return 0;
}

// By identity; the same number as id(), which programs use as a key too.
Py_hash_t tensor_hash(PyObject* self) {
  auto id = Py_hash_t(reinterpret_cast<uintptr_t>(self));
  return id == -1 ? -2 : id;
}

PyMemberDef tensor_members[] = {{"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
                                {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weakrefs), READONLY, nullptr},
                                {}};
PyGetSetDef dict_getset[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr}, {}};

PyType_Spec tensor_spec = {"tensorlite.Tensor", sizeof(PyTensor), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, nullptr};

}  // namespace

PyObject* wrap_as(PyTypeObject* type, Tensor t) {
  PyObject* self = type->tp_alloc(type, 0);
  if (!self) return nullptr;
  TensorImpl* impl = t.impl();
  new (&as(self)->tensor) Tensor(std::move(t));
  impl->set_binding(self);
  if (impl->use_count() > 1) Py_INCREF(self);  // on behalf of the other holders
  return self;
}

PyObject* wrap(Tensor t) {
  if (!t.defined()) Py_RETURN_NONE;
  if (void* known = t.impl()->binding()) return Py_NewRef(static_cast<PyObject*>(known));
  return wrap_as(tensor_type, std::move(t));
}

void add_tensor(py::module_& m) {
  std::vector<PyType_Slot> slots = {{Py_tp_new, (void*)tensor_new},
                                    {Py_tp_dealloc, (void*)tensor_dealloc},
                                    {Py_tp_traverse, (void*)tensor_traverse},
                                    {Py_tp_clear, (void*)tensor_clear},
                                    {Py_tp_members, tensor_members},
                                    {Py_tp_methods, tensor_methods},
                                    {Py_tp_hash, (void*)tensor_hash},
                                    {Py_tp_doc, (void*)"A multi-dimensional array of numbers of one dtype."}};
  static std::vector<PyGetSetDef> getset;
  for (PyGetSetDef* d = tensor_getset; d->name; ++d) getset.push_back(*d);
  getset.push_back(dict_getset[0]);
  getset.push_back({});
  slots.push_back({Py_tp_getset, getset.data()});
  add_operator_slots(slots);
  add_buffer_slots(slots);
  slots.push_back({});
  tensor_spec.slots = slots.data();
  tensor_type = make_type(m.ptr(), tensor_spec);
  tensor_type->tp_name = "Tensor";  // in messages, as that of a class made in Python
  m.def("_set_tensor_new", [](py::object f) { new_hook = f.release().ptr(); });
}

}  // namespace tl::python
