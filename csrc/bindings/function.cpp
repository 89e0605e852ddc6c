// Custom autograd.Functions: the ctx is the node's Python object (python/tensorlite/autograd/function.py).

#include "bindings/hooks.h"
#include "bindings/node_object.h"
#include "bindings/tensor_object.h"

namespace tl::python {

Grads FunctionNode::apply(Grads grads) {
  check(!released || !has_saved,
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
        "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
        "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
        "saved tensors after calling backward.");
  py::object self = borrow(object());
  py::object result = self.attr("_apply")(*grads_to_tuple(grads));
  Grads out;
  for (py::handle g : result) {
    check(g.is_none() || is_tensor(g.ptr()), "expected Variable or None (got ", Py_TYPE(g.ptr())->tp_name, ")");
    out.push_back(grad_from(g.ptr(), name_.c_str()));
  }
  return out;
}

void FunctionNode::release_saved() {
  released = true;
  for (SavedTensor& s : saved) s.release();
}

void FunctionNode::visit_held(HeldVisitor& v) const {
  Node::visit_held(v);
  for (const SavedTensor& s : saved) s.visit_held(v);
}

namespace {

FunctionNode& function_node(py::handle ctx) {
  auto* n = dynamic_cast<FunctionNode*>(as_node(ctx.ptr())->node.get());
  check(n, "not the ctx of a custom Function");
  return *n;
}

// Ties the ctx to the inputs of the forward: one edge for each tensor among the arguments.
bool connect(py::object ctx, py::object tensors) {
  FunctionNode& n = function_node(ctx);
  bool any = false;
  for (py::handle t : tensors) {
    if (requires_grad(unwrap(t.ptr()))) {
      n.edges.push_back(gradient_edge(unwrap(t.ptr())));
      any = true;
    } else {
      n.edges.emplace_back();
    }
  }
  return any;
}

// Gives one output its history. `dirty`: it is an input that forward wrote to; `is_input`: an input returned as it is.
py::object link_output(py::object ctx, Tensor t, bool dirty, bool is_input, bool differentiable, bool record) {
  Ref<Node> node = as_node(ctx.ptr())->node;
  if (dirty) t.impl()->bump_version();
  if (!record) return py::cast(t);
  if (!differentiable || !is_differentiable(t.dtype())) {
    if (is_input && !dirty) t = detach(t);
    if (!dirty) {
      t.impl()->requires_grad = false;
      if (AutogradMeta* m = meta(t)) m->grad_fn.reset();
    }
    node->add_output(t);
    return py::cast(t);
  }
  if (dirty) {
    check(t.impl()->base || !requires_grad(t) || !is_leaf(t),
          "a leaf Variable that requires grad has been used in an in-place operation.");
    check_inplace(t);
    rebase_history(t, node);
    return py::cast(t);
  }
  if (is_input) {
    NoGrad guard;
    t = make_view(t, t.sizes(), t.strides(), t.offset());
    t.impl()->view_kind = ViewKind::CustomFunction;
  } else if (t.impl()->base) {
    t.impl()->view_kind = ViewKind::CustomFunction;
  }
  set_history(t, node);
  return py::cast(t);
}

void save_tensors(py::object ctx, py::object tensors, py::object outputs) {
  FunctionNode& n = function_node(ctx);
  n.saved.clear();
  for (py::handle t : tensors) {
    if (t.is_none()) {
      n.saved.emplace_back();
      continue;
    }
    if (!is_tensor(t.ptr()))
      fail_python(PyExc_TypeError, str("save_for_backward can only save variables, but argument ", n.saved.size(),
                                       " is of type ", Py_TYPE(t.ptr())->tp_name));
    bool is_output = false;
    for (py::handle o : outputs) is_output |= o.is(t);
    Ref<Node> fn = grad_fn(unwrap(t.ptr()));
    n.saved.emplace_back(unwrap(t.ptr()), is_output && fn && fn.get() == &n);
    n.has_saved = true;
  }
}

py::object saved_tensors(py::object ctx) {
  FunctionNode& n = function_node(ctx);
  py::object tuple = take(PyTuple_New(Py_ssize_t(n.saved.size())));
  for (size_t i = 0; i < n.saved.size(); ++i)
    PyTuple_SET_ITEM(tuple.ptr(), Py_ssize_t(i), must(wrap(n.saved[i].unpack(&n))));
  return tuple;
}

py::object output_metadata(py::object ctx) {
  py::list all;
  for (const GradMeta& g : function_node(ctx).outputs)
    all.append(py::make_tuple(take(wrap_size(g.sizes)), take(wrap(g.dtype)), take(wrap(g.device))));
  return all;
}

}  // namespace

void add_functions(py::module_& m) {
  m.def("_function_connect", connect);
  m.def("_function_link", link_output);
  m.def("_function_save", save_tensors);
  m.def("_function_saved", saved_tensors);
  m.def("_function_outputs", output_metadata);
  m.def("_function_name", [](py::object ctx, std::string name) { function_node(ctx).name_ = std::move(name); });
}

}  // namespace tl::python
