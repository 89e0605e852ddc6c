#pragma once

#include <pybind11/pybind11.h>

#include "core/tensor.h"

// Ground rules of the bindings: C API functions catch every C++ exception at their edge (`guarded`), and a Python error
// travels through C++ as py::error_already_set.

namespace py = pybind11;

namespace tl::python {

// Sets the Python error that stands for the C++ exception in flight.
void set_error_from_exception() noexcept;

// Runs f and gives its value, or `failure` with the Python error set.
template <class F, class R>
R guarded(R failure, F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_error_from_exception();
    return failure;
  }
}
template <class F>
PyObject* guarded(F&& f) noexcept {
  return guarded<F, PyObject*>(nullptr, std::forward<F>(f));
}

// Passes a new reference on, or throws the Python error in flight.
inline PyObject* must(PyObject* o) {
  if (!o) throw py::error_already_set();
  return o;
}
inline void must(int status) {
  if (status < 0) throw py::error_already_set();
}
inline py::object take(PyObject* o) { return py::reinterpret_steal<py::object>(must(o)); }
inline py::object borrow(PyObject* o) { return py::reinterpret_borrow<py::object>(o); }

[[noreturn]] void fail_python(PyObject* type, const std::string& message);

// Makes a heap type and adds it to the module; `base` may be null.
PyTypeObject* make_type(PyObject* module, PyType_Spec& spec, PyObject* base = nullptr);

}  // namespace tl::python
