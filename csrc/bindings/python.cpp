#include "bindings/python.h"

#include "bindings/tensor_object.h"
#include "cpu/backend.h"

namespace tl::python {

static PyObject* out_of_memory_error = nullptr;

void set_error_from_exception() noexcept {
  try {
    throw;
  } catch (py::error_already_set& e) {
    e.restore();
  } catch (const IndexError& e) {
    PyErr_SetString(PyExc_IndexError, e.what());
  } catch (const TypeError& e) {
    PyErr_SetString(PyExc_TypeError, e.what());
  } catch (const ValueError& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const NotImplementedError& e) {
    PyErr_SetString(PyExc_NotImplementedError, e.what());
  } catch (const AssertionError& e) {
    PyErr_SetString(PyExc_AssertionError, e.what());
  } catch (const OutOfMemoryError& e) {
    PyErr_SetString(out_of_memory_error ? out_of_memory_error : PyExc_RuntimeError, e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "unknown C++ exception");
  }
}

void fail_python(PyObject* type, const std::string& message) {
  PyErr_SetString(type, message.c_str());
  throw py::error_already_set();
}

PyTypeObject* make_type(PyObject* module, PyType_Spec& spec, PyObject* base) {
  PyObject* bases = base ? must(PyTuple_Pack(1, base)) : nullptr;
  PyObject* type = must(PyType_FromSpecWithBases(&spec, bases));
  Py_XDECREF(bases);
  auto* t = reinterpret_cast<PyTypeObject*>(type);
  const char* dot = strrchr(spec.name, '.');
  must(PyModule_AddObjectRef(module, dot ? dot + 1 : spec.name, type));
  return t;  // types live for ever
}

static void warn_python(const std::string& message) {
  if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) < 0) throw py::error_already_set();
}

static void add_errors(py::module_& m) {
  out_of_memory_error = must(PyErr_NewExceptionWithDoc("tensorlite.OutOfMemoryError",
                                                       "Raised when a device has no memory left for a tensor.",
                                                       PyExc_RuntimeError, nullptr));
  m.attr("OutOfMemoryError") = borrow(out_of_memory_error);
  set_warning_handler(warn_python);
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const Error&) {
      set_error_from_exception();
    }
  });
  m.def("_cpu_capability", [] { return cpu_capability(); });
  m.def("_package_name", [] { return package_name(); });
  m.def("_set_name_prefix", [](std::string name) { set_package_name(std::move(name)); });
}

}  // namespace tl::python

PYBIND11_MODULE(_C, m) {
  using namespace tl::python;
  m.doc() = "The compiled part of tensorlite.";
  tl::binding_hooks = {[](void* o) { Py_INCREF(static_cast<PyObject*>(o)); },
                       [](void* o) { Py_DECREF(static_cast<PyObject*>(o)); },
                       [](void* o) { return Py_REFCNT(static_cast<PyObject*>(o)) == 1; }};
  add_errors(m);
  add_types(m);
  add_tensor(m);
  add_nodes(m);
  add_autograd(m);
  add_functions(m);
  add_conversions(m);
  add_exchange(m);
  add_cuda(m);
  add_operators(m);
}
