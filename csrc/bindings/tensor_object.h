#pragma once

#include "autograd/call.h"
#include "bindings/python.h"

namespace tl::python {

// The Python object of a tensor. It owns one count of the tensor; while anything else holds the tensor too, the tensor
// holds the object (core/intrusive.h), so an object is unique and keeps its attributes for the tensor's lifetime.
struct PyTensor {
  PyObject_HEAD;
  Tensor tensor;
  PyObject* dict;
  PyObject* weakrefs;
};

extern PyTypeObject* tensor_type;

inline bool is_tensor(PyObject* o) { return Py_TYPE(o) == tensor_type || PyObject_TypeCheck(o, tensor_type); }
inline const Tensor& unwrap(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->tensor; }
// A new reference to the tensor's object, made when it has none; None for an undefined tensor.
PyObject* wrap(Tensor t);
PyObject* wrap_as(PyTypeObject* type, Tensor t);

// dtype, device and Size objects
PyObject* wrap(Dtype t);  // new reference
bool is_dtype(PyObject* o);
Dtype unwrap_dtype(PyObject* o);
PyObject* wrap(Device d);
bool is_device(PyObject* o);
Device unwrap_device(PyObject* o);
PyObject* wrap_size(Ints sizes);
extern PyTypeObject* size_type;

// grad_fn objects; None for a null node
PyObject* wrap(const Ref<Node>& node);
bool is_node(PyObject* o);
Ref<Node> unwrap_node(PyObject* o);

// A Python number, also NumPy's and a one-element tensor's.
bool is_number(PyObject* o);
Scalar unwrap_scalar(PyObject* o);
PyObject* wrap(const Scalar& s);
PyObject* item(const Tensor& t);

// The parts of the module, one for each file.
void add_types(py::module_& m);        // types.cpp
void add_tensor(py::module_& m);       // tensor_object.cpp
void add_nodes(py::module_& m);        // node_object.cpp
void add_autograd(py::module_& m);     // autograd.cpp
void add_functions(py::module_& m);    // function.cpp
void add_conversions(py::module_& m);  // convert.cpp
void add_exchange(py::module_& m);     // exchange.cpp
void add_cuda(py::module_& m);         // cuda.cpp
void add_operators(py::module_& m);    // table.cpp

}  // namespace tl::python

// pybind11 functions may take and give tensors.
template <>
struct pybind11::detail::type_caster<tl::Tensor> {
  PYBIND11_TYPE_CASTER(tl::Tensor, const_name("Tensor"));
  bool load(handle src, bool) {
    if (src.is_none()) return true;
    if (!tl::python::is_tensor(src.ptr())) return false;
    value = tl::python::unwrap(src.ptr());
    return true;
  }
  static handle cast(tl::Tensor t, return_value_policy, handle) { return tl::python::wrap(std::move(t)); }
};
