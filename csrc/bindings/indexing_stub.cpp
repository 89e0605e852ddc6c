#include "bindings/tensor_type.h"
namespace tl::python {
PyObject* tensor_getitem(PyObject*, PyObject*) { PyErr_SetString(PyExc_NotImplementedError, "soon"); return nullptr; }
int tensor_setitem(PyObject*, PyObject*, PyObject*) { PyErr_SetString(PyExc_NotImplementedError, "soon"); return -1; }
}
