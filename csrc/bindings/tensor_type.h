#pragma once

#include <vector>

#include "bindings/python.h"

namespace tl::python {

// What the files of the Tensor type contribute to it.
extern PyMethodDef tensor_methods[];                       // tensor_methods.cpp
extern PyGetSetDef tensor_getset[];                        // tensor_methods.cpp
PyObject* tensor_complex(PyObject* self, PyObject*);       // tensor_operators.cpp
void add_operator_slots(std::vector<PyType_Slot>& slots);  // tensor_operators.cpp
void add_buffer_slots(std::vector<PyType_Slot>& slots);    // convert.cpp
// indexing.cpp
PyObject* tensor_getitem(PyObject* self, PyObject* index);
int tensor_setitem(PyObject* self, PyObject* index, PyObject* value);

// An operator called with Python arguments from C++; looked up at its first call.
class OperatorCall {
 public:
  explicit constexpr OperatorCall(const char* name) : name_(name) {}
  PyObject* operator()(PyObject* const* args, size_t n);

 private:
  const char* name_;
  PyObject* operator_ = nullptr;
};

}  // namespace tl::python
