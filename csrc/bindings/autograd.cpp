// Backward, grad modes, hooks and the registration of derivatives.

#include "autograd/engine.h"

#include "bindings/hooks.h"
#include "bindings/node_object.h"
#include "bindings/tensor_object.h"

namespace tl::python {

// ---- hooks ----

py::object grads_to_tuple(const Grads& grads) {
  py::object tuple = take(PyTuple_New(Py_ssize_t(grads.size())));
  for (size_t i = 0; i < grads.size(); ++i) PyTuple_SET_ITEM(tuple.ptr(), Py_ssize_t(i), must(wrap(grads[i])));
  return tuple;
}

Tensor grad_from(PyObject* o, const char* who) {
  if (o == Py_None) return Tensor();
  if (!is_tensor(o))
    fail_python(PyExc_TypeError, str("expected Variable or None (got ", Py_TYPE(o)->tp_name, ") from ", who));
  return unwrap(o);
}

static Grads grads_from(py::object o, const char* who) {
  Grads grads;
  if (PyTuple_Check(o.ptr()) || PyList_Check(o.ptr()))
    for (py::handle g : o) grads.push_back(grad_from(g.ptr(), who));
  else
    grads.push_back(grad_from(o.ptr(), who));
  return grads;
}

Tensor PyGradHook::call(const Tensor& grad) {
  Tensor current = grad;
  for (py::object& f : hooks_.callables()) {
    py::object argument = take(wrap(current));
    py::object result = take(PyObject_CallOneArg(f.ptr(), argument.ptr()));
    if (result.is_none()) continue;
    Tensor replaced = grad_from(result.ptr(), "a hook");
    check(replaced.sizes() == current.sizes(), "hook '",
          py::cast<std::string>(py::str(py::getattr(f, "__name__", py::str("?")))), "' has changed the size of value");
    current = replaced;
  }
  return current;
}

void PyNodeHook::pre(Grads& grads) {
  for (py::object& f : hooks_.callables()) {
    py::object result = take(PyObject_CallOneArg(f.ptr(), grads_to_tuple(grads).ptr()));
    if (!result.is_none()) grads = grads_from(result, "a pre-hook");
  }
}

void PyNodeHook::post(Grads& results, const Grads& grads) {
  for (py::object& f : hooks_.callables()) {
    py::object result = take(
        PyObject_CallFunctionObjArgs(f.ptr(), grads_to_tuple(results).ptr(), grads_to_tuple(grads).ptr(), nullptr));
    if (result.is_none()) continue;
    Grads replaced = grads_from(result, "a hook");
    check(replaced.size() == results.size(), "hook has returned an incorrect number of values (got ", replaced.size(),
          ", but expected ", results.size(), ")");
    results = std::move(replaced);
  }
}

void PyLeafHook::pre(Grads& leaf) {
  for (py::object& f : hooks_.callables()) take(PyObject_CallOneArg(f.ptr(), take(wrap(leaf[0])).ptr()));
}

// ---- formulas in Python ----

namespace {

class PyFormula : public Formula {
 public:
  explicit PyFormula(PyObject* f) : function_(Py_NewRef(f)) {}

  Grads apply(FormulaNode& node, Grads grads) override {
    check(
        !node.released || node.saved.empty() || !has_saved_tensor(node),
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
        "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
        "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
        "saved tensors after calling backward.");
    py::object self = take(wrap(Ref<Node>::share(&node)));
    constexpr size_t kMost = 16;
    check(grads.size() < kMost || grads.size() + 1 <= 4096, "too many outputs");
    std::vector<PyObject*> heap;
    PyObject* few[kMost];
    PyObject** args = few;
    size_t n = grads.size() + 1;
    if (n > kMost) {
      heap.resize(n);
      args = heap.data();
    }
    args[0] = self.ptr();
    for (size_t i = 0; i < grads.size(); ++i) args[i + 1] = must(wrap(std::move(grads[i])));
    PyObject* raw = PyObject_Vectorcall(function_, args, n, nullptr);
    for (size_t i = 1; i < n; ++i) Py_DECREF(args[i]);
    py::object result = take(raw);
    return flatten(node, result.ptr());
  }

 private:
  static bool has_saved_tensor(const FormulaNode& node) {
    for (const SavedValue& v : node.saved)
      if (std::holds_alternative<SavedTensor>(v) || std::holds_alternative<std::vector<SavedTensor>>(v)) return true;
    return false;
  }

  // One entry for each tensor argument, lists inside, to one gradient for each edge.
  static Grads flatten(FormulaNode& node, PyObject* result) {
    Grads grads;
    const std::string where = node.name();
    if (node.list_sizes.size() == 1 && (node.list_sizes[0] < 0 || !PyTuple_Check(result))) {
      add(grads, node.list_sizes[0], result, where);
      return grads;
    }
    bool whole_list = node.list_sizes.size() == 1 && PyTuple_Check(result) &&
                      !(PyTuple_GET_SIZE(result) == 1 && PyList_Check(PyTuple_GET_ITEM(result, 0)));
    if (whole_list) {
      add(grads, node.list_sizes[0], result, where);
      return grads;
    }
    check(PyTuple_Check(result) && PyTuple_GET_SIZE(result) == Py_ssize_t(node.list_sizes.size()), where,
          ": the derivative must give one gradient for each of ", node.list_sizes.size(), " tensor arguments");
    for (size_t i = 0; i < node.list_sizes.size(); ++i)
      add(grads, node.list_sizes[i], PyTuple_GET_ITEM(result, Py_ssize_t(i)), where);
    return grads;
  }

  static void add(Grads& grads, int32_t list_size, PyObject* o, const std::string& where) {
    if (list_size < 0) {
      grads.push_back(grad_from(o, where.c_str()));
    } else if (o == Py_None) {
      for (int32_t i = 0; i < list_size; ++i) grads.emplace_back();
    } else {
      py::object list = take(PySequence_Fast(o, "a derivative must give a list of gradients for a list of tensors"));
      check(PySequence_Fast_GET_SIZE(list.ptr()) == list_size, where, ": wrong number of gradients for a list");
      for (int32_t i = 0; i < list_size; ++i)
        grads.push_back(grad_from(PySequence_Fast_ITEMS(list.ptr())[i], where.c_str()));
    }
  }

  PyObject* function_;
};

// "input.shape" and the like: what to keep of an argument.
Formula::Save parse_save(const Operator& op, const std::string& text) {
  using What = Formula::Save::What;
  Formula::Save save{What::Argument, -1, 0, text};
  std::string base = text;
  if (size_t dot = text.find('.'); dot != std::string::npos) {
    base = text.substr(0, dot);
    std::string field = text.substr(dot + 1);
    save.name = base + "_" + field;
    save.what = field == "shape"    ? What::Sizes
                : field == "dtype"  ? What::Dtype
                : field == "stride" ? What::Strides
                                    : What::Offset;
    check(field == "shape" || field == "dtype" || field == "stride" || field == "storage_offset", "derivative of ",
          op.name, ": unknown save '", text, "'");
  } else if (text.compare(0, 6, "result") == 0) {
    save.what = What::Result;
    save.index = text.size() > 6 ? std::stoi(text.substr(6)) : 0;
    return save;
  }
  for (size_t i = 0; i < op.params.size(); ++i)
    if (op.params[i] == base) save.index = int(i);
  check(save.index >= 0, "derivative of ", op.name, ": it has no argument '", base, "'");
  return save;
}

uint32_t mask_of(const Operator& op, py::handle inputs) {
  uint32_t mask = 0;
  auto add = [&](const std::string& name) {
    bool found = false;
    for (size_t k = 0; k < op.tensor_args.size(); ++k)
      if (op.params[op.tensor_args[k]] == name) {
        mask |= 1u << k;
        found = true;
      }
    check(found, "derivative of ", op.name, ": '", name, "' is no tensor argument");
  };
  if (py::isinstance<py::str>(inputs))
    add(py::cast<std::string>(inputs));
  else if (!inputs.is_none())
    for (py::handle i : inputs) add(py::cast<std::string>(i));
  return mask;
}

void attach(Operator& op, py::function f, py::object saves, const std::string& node_name,
            const std::string& number_name) {
  auto formula = std::make_shared<PyFormula>(f.ptr());
  formula->node_name = node_name;
  formula->number_name = number_name;
  if (py::isinstance<py::dict>(saves)) {
    for (auto& [key, inputs] : py::cast<py::dict>(saves)) {
      formula->saves.push_back(parse_save(op, py::cast<std::string>(key)));
      formula->saves.back().wanted_by = mask_of(op, inputs);
    }
  } else {
    for (py::handle key : saves) formula->saves.push_back(parse_save(op, py::cast<std::string>(key)));
  }
  op.formula = std::move(formula);
}

// Gives an operator, and its in-place twin, a derivative.
void register_derivative(const std::string& name, py::function f, py::object saves, const std::string& node_name,
                         const std::string& number_name) {
  std::string twin = name;
  size_t dot = twin.find('.');
  twin.insert(dot == std::string::npos ? twin.size() : dot, "_");
  Operator* op = find_operator(name);
  Operator* inplace = find_operator(twin);
  check(op || inplace, "derivative: there is no operator '", name, "'");
  if (op) attach(*op, f, saves, node_name, number_name);
  if (inplace) attach(*inplace, f, saves, node_name, number_name);
}

// ---- backward ----

std::vector<Edge> edges_of(py::handle tensors) {
  std::vector<Edge> edges;
  for (py::handle t : tensors) edges.push_back(gradient_edge(unwrap(t.ptr())));
  return edges;
}

py::object backward(py::object tensors, py::object grads, bool retain_graph, bool create_graph, py::object inputs,
                    bool accumulate, bool allow_unused) {
  std::vector<Edge> roots = edges_of(tensors);
  std::vector<Tensor> seeds;
  for (py::handle g : grads) seeds.push_back(grad_from(g.ptr(), "grad_tensors"));
  for (size_t i = 0; i < roots.size(); ++i)
    check(bool(roots[i].node), "element ", i, " of tensors does not require grad and does not have a grad_fn");
  std::vector<Edge> wanted;
  if (!inputs.is_none()) {
    size_t i = 0;
    for (py::handle t : inputs) {
      const Tensor& x = unwrap(t.ptr());
      check(requires_grad(x), "One of the differentiated Tensors does not require grad");
      if (accumulate) retain_grad(x);
      wanted.push_back(gradient_edge(x));
      ++i;
    }
  }
  std::vector<Tensor> answers = run_backward(roots, std::move(seeds), wanted, {retain_graph, create_graph, accumulate});
  py::object tuple = take(PyTuple_New(Py_ssize_t(answers.size())));
  for (size_t i = 0; i < answers.size(); ++i) {
    check(answers[i].defined() || allow_unused, "The differentiated Tensor at index ", i,
          " appears to not have been used in the graph. Set allow_unused=True "
          "if this is the desired behavior.");
    PyTuple_SET_ITEM(tuple.ptr(), Py_ssize_t(i), must(wrap(std::move(answers[i]))));
  }
  return tuple;
}

// ---- hooks on saved tensors ----

class PyPacked : public Packed {
 public:
  PyPacked(py::object value, py::object unpack) : value_(std::move(value)), unpack_(std::move(unpack)) {}
  ~PyPacked() override {
    py::gil_scoped_acquire gil;
    value_ = unpack_ = py::object();
  }
  Tensor unpack() override {
    py::object t = unpack_(value_);
    if (!is_tensor(t.ptr()))
      fail_python(PyExc_TypeError,
                  "Output of saved tensor unpack_hook expected to be a Tensor but got result of type " +
                      py::cast<std::string>(py::str(py::type::of(t))));
    return unwrap(t.ptr());
  }

 private:
  py::object value_, unpack_;
};

class PyPackHook : public PackHook {
 public:
  PyPackHook(py::object pack, py::object unpack) : pack_(std::move(pack)), unpack_(std::move(unpack)) {}
  ~PyPackHook() override {
    py::gil_scoped_acquire gil;
    pack_ = unpack_ = py::object();
  }
  std::shared_ptr<Packed> pack(const Tensor& t) override {
    return std::make_shared<PyPacked>(pack_(py::cast(t)), unpack_);
  }

 private:
  py::object pack_, unpack_;
};

// ---- anomaly detection ----

void remember_traceback(Node& node) {
  py::object self = take(wrap(Ref<Node>::share(&node)));
  self.attr("__dict__")["_traceback"] = py::module_::import("traceback").attr("format_stack")();
}

void tell_traceback(Node& node) {
  py::error_scope keep;
  py::object self = take(wrap(Ref<Node>::share(&node)));
  py::module_::import("tensorlite.autograd.anomaly_mode").attr("_tell")(self);
}

}  // namespace

void add_autograd(py::module_& m) {
  m.def("_run_backward", backward);
  m.def("_register_derivative", register_derivative);
  set_formula_loader([] {
    py::gil_scoped_acquire gil;
    py::module_::import("tensorlite.autograd.derivatives").attr("load")();
  });
  m.def("_anomaly_mode", [] { return py::make_tuple(anomaly_mode().enabled, anomaly_mode().check_nan); });
  m.def("_set_anomaly_mode",
        [](bool on, bool check_nan) { anomaly_mode() = {on, check_nan, remember_traceback, tell_traceback}; });
  m.def("is_grad_enabled", [] { return grad_enabled(); }, "Whether operators are recorded.");
  m.def("_set_grad_enabled", [](bool on) { set_grad_enabled(on); });
  m.def("is_inference_mode_enabled", [] { return inference_enabled(); });
  m.def("_set_inference_enabled", [](bool on) { set_inference_enabled(on); });
  m.def("_add_tensor_hooks",
        [](Tensor t, py::object dict) { add_tensor_hook(t, std::make_shared<PyGradHook>(dict.ptr())); });
  m.def("_add_post_accumulate_hooks",
        [](Tensor t, py::object dict) { make_meta(t).post_accumulate = std::make_shared<PyLeafHook>(dict.ptr()); });
  m.def("_push_pack_hooks", [](py::object pack, py::object unpack) {
    pack_hooks().push_back(std::make_shared<PyPackHook>(std::move(pack), std::move(unpack)));
  });
  m.def("_pop_pack_hooks", [] { pack_hooks().pop_back(); });
  m.def("_gradient_edge", [](Tensor t) {
    Edge e = gradient_edge(t);
    return py::make_tuple(take(wrap(e.node)), e.nr);
  });
}

}  // namespace tl::python
