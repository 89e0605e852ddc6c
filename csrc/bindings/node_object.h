#pragma once

#include "autograd/call.h"
#include "bindings/python.h"

namespace tl::python {

// The Python object of a graph node (Tensor.grad_fn, the ctx of a custom Function). Unique, like a tensor's.
struct PyNode {
  PyObject_HEAD;
  Ref<Node> node;
  PyObject* dict;
  PyObject* weakrefs;
};

extern PyTypeObject* node_type;
inline PyNode* as_node(PyObject* o) { return reinterpret_cast<PyNode*>(o); }

// The node behind a custom autograd.Function: its Python object is the ctx, which knows how to go back.
class FunctionNode : public Node {
 public:
  std::string name() const override { return name_; }
  Grads apply(Grads grads) override;
  void release_saved() override;
  void visit_held(HeldVisitor& v) const override;

  std::string name_;
  std::vector<SavedTensor> saved;
  bool has_saved = false;
  bool released = false;
  PyObject* object() const { return static_cast<PyObject*>(binding()); }
};

PyObject* saved_to_python(FormulaNode& node, const SavedValue& value);

}  // namespace tl::python
