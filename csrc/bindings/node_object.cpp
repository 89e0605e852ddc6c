#include "bindings/node_object.h"

#include <structmember.h>

#include <cstring>
#include <map>

#include "autograd/engine.h"
#include "bindings/collector.h"
#include "bindings/hooks.h"
#include "bindings/tensor_object.h"

namespace tl::python {

PyTypeObject* node_type;

namespace {

PyObject *needs_input_grad_name, *saved_prefix;

void node_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (as_node(self)->weakrefs) PyObject_ClearWeakRefs(self);
  if (Node* n = as_node(self)->node.get()) n->set_binding(nullptr);
  PyObject *error_type, *error_value, *traceback;
  PyErr_Fetch(&error_type, &error_value, &traceback);
  Py_CLEAR(as_node(self)->dict);
  as_node(self)->node.~Ref<Node>();
  PyErr_Restore(error_type, error_value, traceback);
  type->tp_free(self);
  Py_DECREF(type);
}

int node_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_node(self)->dict);
  Node* n = as_node(self)->node.get();
  return n ? Region(visit, arg).of(n) : 0;
}

int node_clear(PyObject* self) {
  Py_CLEAR(as_node(self)->dict);
  Node* n = as_node(self)->node.get();
  if (!n) return 0;
  if (n->has_hooks()) {
    auto pre = std::move(n->hooks().pre), post = std::move(n->hooks().post);
    auto tensor = std::move(n->hooks().tensor);
  }
  auto edges = std::move(n->edges);
  return 0;
}

// The names of a formula's saves, interned once so that look-up is a comparison of pointers.
struct SaveNames {
  std::vector<PyObject*> names, private_names;
};
const SaveNames& save_names(const Formula& f) {
  static auto& table = *new std::map<const Formula*, SaveNames>;
  SaveNames& n = table[&f];
  if (n.names.empty())
    for (const auto& save : f.saves) {
      n.names.push_back(PyUnicode_InternFromString(save.name.c_str()));
      n.private_names.push_back(PyUnicode_InternFromString(("_saved_" + save.name).c_str()));
    }
  return n;
}

// PyTorch's name of what a node saved: "_saved_self_sym_sizes" for our "input_shape". Null where there is none.
std::string our_name(std::string text) {
  auto replace = [&](std::string_view a, const char* b) {
    if (text.size() >= a.size() && text.compare(text.size() - a.size(), a.size(), a) == 0)
      text.replace(text.size() - a.size(), a.size(), b);
  };
  if (text.compare(0, 4, "self") == 0) text.replace(0, 4, "input");
  replace("_sym_sizes", "_shape");
  replace("_sym_strides", "_stride");
  replace("_sym_storage_offset", "_storage_offset");
  replace("_scalar_type", "_dtype");
  if (text == "indices") text = "result1";
  return text;
}
std::string their_name(const std::string& ours) {
  if (ours == "input") return "self";
  if (ours == "input_shape") return "self_sym_sizes";
  if (ours == "result1") return "indices";
  return ours;
}

// As programs see it: sizes are a plain tuple.
py::object saved_attribute(FormulaNode& n, size_t i) {
  py::object value = take(saved_to_python(n, n.saved[i]));
  return Py_TYPE(value.ptr()) == size_type ? take(PySequence_Tuple(value.ptr())) : value;
}

PyObject* saved_by_their_name(PyObject* self, FormulaNode& n, const std::string& name) {
  std::string wanted = our_name(name.substr(strlen("_saved_")));
  bool count = wanted == "input_sym_numel";
  for (size_t i = 0; i < n.formula.saves.size(); ++i) {
    if (n.formula.saves[i].name != (count ? "input_shape" : wanted)) continue;
    py::object value = count ? take(saved_to_python(n, n.saved[i])).attr("numel")() : saved_attribute(n, i);
    return value.release().ptr();
  }
  PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute '%s'", Py_TYPE(self)->tp_name, name.c_str());
  return nullptr;
}

PyObject* node_getattro(PyObject* self, PyObject* name) {
  if (auto* n = dynamic_cast<FormulaNode*>(as_node(self)->node.get())) {
    if (name == needs_input_grad_name) {
      Py_ssize_t count = Py_ssize_t(n->list_sizes.size());
      PyObject* tuple = PyTuple_New(count);
      const uint64_t unneeded = unneeded_edges(*n);
      size_t edge = 0;
      for (Py_ssize_t i = 0; tuple && i < count; ++i) {
        bool wanted = false;
        for (int32_t j = 0; j < (n->list_sizes[i] < 0 ? 1 : n->list_sizes[i]); ++j, ++edge)
          wanted |= edge >= 64 || !(unneeded >> edge & 1);
        PyTuple_SET_ITEM(tuple, i, PyBool_FromLong(wanted && (n->needs_mask >> i & 1)));
      }
      return tuple;
    }
    const SaveNames& names = save_names(n->formula);
    for (size_t i = 0; i < names.names.size(); ++i) {
      if (name == names.names[i]) return guarded([&] { return saved_to_python(*n, n->saved[i]); });
      if (name == names.private_names[i]) return guarded([&] { return saved_attribute(*n, i).release().ptr(); });
    }
    if (PyUnicode_Check(name) && PyUnicode_Tailmatch(name, saved_prefix, 0, PY_SSIZE_T_MAX, -1) == 1)
      return guarded([&] { return saved_by_their_name(self, *n, py::cast<std::string>(borrow(name))); });
  }
  return PyObject_GenericGetAttr(self, name);
}

PyObject* node_new(PyTypeObject* type, PyObject*, PyObject*) {
  return guarded([&]() -> PyObject* {
    if (type == node_type) fail_python(PyExc_TypeError, "cannot create 'Node' instances: operators make them");
    PyObject* self = must(type->tp_alloc(type, 0));
    auto* n = new FunctionNode;
    const char* dot = strrchr(type->tp_name, '.');
    n->name_ = dot ? dot + 1 : type->tp_name;
    new (&as_node(self)->node) Ref<Node>(Ref<Node>::adopt(n));
    n->set_binding(self);
    return self;
  });
}

PyObject* node_name(PyObject* self, PyObject*) { return PyUnicode_FromString(as_node(self)->node->name().c_str()); }
// Whether PyTorch's node has no edge there: for an index or mask, and for a number where its operator takes one.
bool is_hidden(Node& node, size_t edge) {
  auto* n = dynamic_cast<FormulaNode*>(&node);
  if (!n || node.edges[edge].node || n->op.tensor_args.size() != node.edges.size()) return false;
  const std::string& argument = n->op.params[n->op.tensor_args[edge]];
  for (const char* index : {"condition", "mask", "index", "indices"})
    if (argument == index) return true;
  if (!(n->number_mask >> edge & 1)) return false;
  for (const char* op : {"pow", "rsub", "remainder", "fmod", "fill", "masked_fill", "xlogy", "float_power"})
    if (n->op.display == op || n->op.display == std::string(op) + "_") return true;
  return false;
}
PyObject* node_next_functions(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    Node& n = *as_node(self)->node;
    py::list edges;
    for (size_t i = 0; i < n.edges.size(); ++i)
      if (!is_hidden(n, i)) edges.append(py::make_tuple(take(wrap(n.edges[i].node)), n.edges[i].nr));
    return PyList_AsTuple(edges.ptr());
  });
}
PyObject* node_variable(PyObject* self, void*) {
  return guarded([&]() -> PyObject* {
    if (auto* leaf = dynamic_cast<AccumulateGrad*>(as_node(self)->node.get())) return wrap(leaf->variable);
    PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'variable'", Py_TYPE(self)->tp_name);
    return nullptr;
  });
}
PyObject* node_sequence(PyObject* self, PyObject*) {
  return PyLong_FromUnsignedLongLong(as_node(self)->node->sequence);
}
PyObject* node_register_hooks(PyObject* self, PyObject* dict, bool pre) {
  return guarded([&]() -> PyObject* {
    auto& hooks = as_node(self)->node->hooks();
    (pre ? hooks.pre : hooks.post).push_back(std::make_shared<PyNodeHook>(dict));
    Py_RETURN_NONE;
  });
}
PyObject* node_add_pre(PyObject* self, PyObject* dict) { return node_register_hooks(self, dict, true); }
PyObject* node_add_post(PyObject* self, PyObject* dict) { return node_register_hooks(self, dict, false); }

PyObject* node_dir(PyObject* self, PyObject*) {
  return guarded([&] {
    py::list names = take(PyObject_CallMethod(reinterpret_cast<PyObject*>(&PyBaseObject_Type), "__dir__", "O", self));
    if (auto* n = dynamic_cast<FormulaNode*>(as_node(self)->node.get()))
      for (const auto& save : n->formula.saves) names.append("_saved_" + their_name(save.name));
    return names.release().ptr();
  });
}
// node(*grads): the gradients of the operator's inputs.
PyObject* node_call(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    if (kwargs && PyDict_GET_SIZE(kwargs)) fail_python(PyExc_TypeError, "a node takes gradients by position only");
    Node& n = *as_node(self)->node;
    Grads grads;
    for (py::handle g : borrow(args)) grads.push_back(grad_from(g.ptr(), "the caller"));
    size_t wanted = std::max<size_t>(n.outputs.size(), 1);
    if (grads.size() != wanted)
      fail_python(PyExc_TypeError, str(n.name(), " expected ", wanted, " arguments, got ", grads.size(), " instead."));
    Grads result = n.apply(std::move(grads));
    if (result.size() == 1) return must(wrap(result[0]));
    return grads_to_tuple(result).release().ptr();
  });
}

PyMethodDef node_methods[] = {{"__dir__", node_dir, METH_NOARGS, nullptr},
                              {"name", node_name, METH_NOARGS, "The node's name, as MulBackward0."},
                              {"_sequence_nr", node_sequence, METH_NOARGS, nullptr},
                              {"_add_pre_hooks", node_add_pre, METH_O, nullptr},
                              {"_add_post_hooks", node_add_post, METH_O, nullptr},
                              {}};
PyGetSetDef node_getset[] = {{"next_functions", node_next_functions, nullptr,
                              "The nodes that the gradients go to, with input numbers.", nullptr},
                             {"variable", node_variable, nullptr, "Of AccumulateGrad: the leaf.", nullptr},
                             {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
                             {}};
PyMemberDef node_members[] = {{"__dictoffset__", T_PYSSIZET, offsetof(PyNode, dict), READONLY, nullptr},
                              {"__weaklistoffset__", T_PYSSIZET, offsetof(PyNode, weakrefs), READONLY, nullptr},
                              {}};
PyType_Slot node_slots[] = {{Py_tp_new, (void*)node_new},
                            {Py_tp_dealloc, (void*)node_dealloc},
                            {Py_tp_traverse, (void*)node_traverse},
                            {Py_tp_clear, (void*)node_clear},
                            {Py_tp_getattro, (void*)node_getattro},
                            {Py_tp_call, (void*)node_call},
                            {Py_tp_methods, node_methods},
                            {Py_tp_getset, node_getset},
                            {Py_tp_members, node_members},
                            {Py_tp_doc, (void*)"A step of the backward graph."},
                            {}};
PyType_Spec node_spec = {"tensorlite._C.Node", sizeof(PyNode), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, node_slots};

// Every kind of node has a class of its own, named as in PyTorch.
PyTypeObject* type_of(std::string name) {
  if (size_t at = name.rfind("::"); at != std::string::npos) name.erase(0, at + 2);
  static auto& types = *new std::map<std::string, PyTypeObject*>;
  PyTypeObject*& type = types[name];
  if (!type) {
    py::dict attributes;
    attributes["__module__"] = "builtins";
    type = reinterpret_cast<PyTypeObject*>(must(PyObject_CallFunction(
        reinterpret_cast<PyObject*>(&PyType_Type), "s(O)O", name.c_str(), node_type, attributes.ptr())));
  }
  return type;
}

PyObject* tensor_or_none(Node& owner, const SavedTensor& s) { return wrap(s.unpack(&owner)); }

struct ToPython {
  FormulaNode& node;
  PyObject* operator()(std::monostate) { Py_RETURN_NONE; }
  PyObject* operator()(const SavedTensor& s) { return tensor_or_none(node, s); }
  PyObject* operator()(const std::vector<SavedTensor>& list) {
    py::object all = take(PyTuple_New(Py_ssize_t(list.size())));
    for (size_t i = 0; i < list.size(); ++i)
      PyTuple_SET_ITEM(all.ptr(), Py_ssize_t(i), must(tensor_or_none(node, list[i])));
    return all.release().ptr();
  }
  PyObject* operator()(bool v) { return PyBool_FromLong(v); }
  PyObject* operator()(int64_t v) { return PyLong_FromLongLong(v); }
  PyObject* operator()(double v) { return PyFloat_FromDouble(v); }
  PyObject* operator()(const Scalar& v) { return wrap(v); }
  PyObject* operator()(const Dims& v) { return wrap_size(v); }
  PyObject* operator()(const std::vector<Dims>& v) {
    py::list all;
    for (const Dims& d : v) all.append(take(wrap_size(d)));
    return all.release().ptr();
  }
  PyObject* operator()(Dtype v) { return wrap(v); }
  PyObject* operator()(const std::vector<Dtype>& v) {
    py::list all;
    for (Dtype d : v) all.append(take(wrap(d)));
    return all.release().ptr();
  }
  PyObject* operator()(Device v) { return wrap(v); }
  PyObject* operator()(const std::string& v) { return PyUnicode_FromString(v.c_str()); }
};

}  // namespace

PyObject* saved_to_python(FormulaNode& node, const SavedValue& value) { return std::visit(ToPython{node}, value); }

PyObject* wrap(const Ref<Node>& node) {
  if (!node) Py_RETURN_NONE;
  if (void* known = node->binding()) return Py_NewRef(static_cast<PyObject*>(known));
  PyTypeObject* type = type_of(node->name());
  PyObject* self = type->tp_alloc(type, 0);
  if (!self) return nullptr;
  new (&as_node(self)->node) Ref<Node>(node);
  node->set_binding(self);
  if (node->use_count() > 1) Py_INCREF(self);  // on behalf of the other holders
  return self;
}

bool is_node(PyObject* o) { return PyObject_TypeCheck(o, node_type); }
Ref<Node> unwrap_node(PyObject* o) { return as_node(o)->node; }

void add_nodes(py::module_& m) {
  needs_input_grad_name = PyUnicode_InternFromString("needs_input_grad");
  saved_prefix = PyUnicode_InternFromString("_saved_");
  node_type = make_type(m.ptr(), node_spec);
}

}  // namespace tl::python
