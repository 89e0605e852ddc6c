#pragma once

#include "autograd/node.h"
#include "bindings/python.h"
#include "bindings/tensor_object.h"

namespace tl::python {

// A dict of Python callables, which the user's handles remove from.
class HookDict {
 public:
  explicit HookDict(PyObject* dict) : dict_(Py_NewRef(dict)) {}
  HookDict(const HookDict&) = delete;
  ~HookDict() {
    py::gil_scoped_acquire gil;
    Py_DECREF(dict_);
  }
  PyObject* dict() const { return dict_; }
  std::vector<py::object> callables() const {
    std::vector<py::object> all;
    py::object values = take(PyDict_Check(dict_) ? PyDict_Values(dict_) : PyMapping_Values(dict_));
    for (py::handle f : values) all.push_back(borrow(f.ptr()));
    return all;
  }

 private:
  PyObject* dict_;
};

class PyGradHook : public GradHook {
 public:
  explicit PyGradHook(PyObject* dict) : hooks_(dict) {}
  Tensor call(const Tensor& grad) override;
  void* object() const override { return hooks_.dict(); }

 private:
  HookDict hooks_;
};

class PyNodeHook : public NodeHook {
 public:
  explicit PyNodeHook(PyObject* dict) : hooks_(dict) {}
  void pre(Grads& grads) override;
  void post(Grads& results, const Grads& grads) override;
  void* object() const override { return hooks_.dict(); }

 private:
  HookDict hooks_;
};

// Calls each with the leaf itself.
class PyLeafHook : public NodeHook {
 public:
  explicit PyLeafHook(PyObject* dict) : hooks_(dict) {}
  void pre(Grads& leaf) override;
  void* object() const override { return hooks_.dict(); }

 private:
  HookDict hooks_;
};

py::object grads_to_tuple(const Grads& grads);
// One gradient or None; names what gave it when it is neither.
Tensor grad_from(PyObject* o, const char* who);

}  // namespace tl::python
