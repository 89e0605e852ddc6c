#include <map>
#include <utility>

#include "autograd/call.h"
#include "autograd/engine.h"
#include "core/cuda.h"

namespace tl {

namespace detail {
Tensor answer(bool v) {
  Tensor t = empty({}, Dtype::Bool);
  *t.data_as<bool>() = v;
  return t;
}
}  // namespace detail

// ---- the operators by name ----

namespace {
std::map<std::string, Operator*>& operators() {
  static auto& table = *new std::map<std::string, Operator*>;
  return table;
}
}  // namespace

Operator& add_operator(Operator op) {
  auto*& slot = operators()[op.name];
  check(!slot, "operator '", op.name, "' is defined twice");
  slot = new Operator(std::move(op));
  return *slot;
}

Operator* find_operator(const std::string& name) {
  auto it = operators().find(name);
  return it == operators().end() ? nullptr : it->second;
}

Operator& get_operator(const std::string& name) {
  Operator* op = find_operator(name);
  check(op, "there is no operator '", name, "'");
  return *op;
}

// ---- recording ----

void FormulaNode::release_saved() {
  released = true;
  for (SavedValue& v : saved) {
    if (auto* t = std::get_if<SavedTensor>(&v))
      t->release();
    else if (auto* list = std::get_if<std::vector<SavedTensor>>(&v))
      for (SavedTensor& s : *list) s.release();
  }
}

void FormulaNode::visit_held(HeldVisitor& v) const {
  Node::visit_held(v);
  for (const SavedValue& s : saved) {
    if (auto* t = std::get_if<SavedTensor>(&s))
      t->visit_held(v);
    else if (auto* list = std::get_if<std::vector<SavedTensor>>(&s))
      for (const SavedTensor& t : *list) t.visit_held(v);
  }
}

namespace {

// A derivative that was never given: backward through it says so instead of giving a wrong gradient.
class MissingDerivative : public Node {
 public:
  explicit MissingDerivative(const Operator& op) : op_(op) {}
  std::string name() const override { return "NotImplemented"; }
  Grads apply(Grads) override {
    fail("derivative for aten::", op_.display,
         " is not implemented. Compute it under no_grad(), or detach() its inputs.");
  }

 private:
  const Operator& op_;
};

bool any_requires_grad(const Operator& op, const Value* args) {
  for (uint8_t i : op.tensor_args) {
    const Value& v = args[i];
    if (v.tag == Value::Tag::Tensor) {
      if (requires_grad(*v.tensor)) return true;
    } else if (v.tag == Value::Tag::Tensors) {
      for (const Tensor& t : v.tensor_list())
        if (t.defined() && requires_grad(t)) return true;
    }
  }
  return false;
}

void add_edge(Node& node, const Tensor& t, bool& needs) {
  if (t.defined() && requires_grad(t)) {
    node.edges.push_back(gradient_edge(t));
    needs = true;
  } else {
    node.edges.emplace_back();
  }
}

// Ties the node to the operator's inputs; returns which of them want a gradient.
uint32_t connect(Node& node, const Operator& op, const Value* args, Small<int32_t, 4>* list_sizes,
                 uint32_t* numbers = nullptr) {
  uint32_t mask = 0;
  for (size_t k = 0; k < op.tensor_args.size(); ++k) {
    const Value& v = args[op.tensor_args[k]];
    bool needs = false;
    if (v.tag == Value::Tag::Tensors)
      for (const Tensor& t : v.tensor_list()) add_edge(node, t, needs);
    else
      add_edge(node, v.tag == Value::Tag::Tensor ? *v.tensor : Tensor(), needs);
    if (needs)
      mask |= 1u << k;
    else if (numbers && v.tag == Value::Tag::Tensor && v.tensor->impl()->wrapped_number)
      *numbers |= 1u << k;
    if (list_sizes) list_sizes->push_back(v.tag == Value::Tag::Tensors ? int32_t(v.size) : -1);
  }
  return mask;
}

SavedValue save_argument(const Value& v) {
  switch (v.tag) {
    case Value::Tag::Tensor:
      return SavedTensor(*v.tensor, false);
    case Value::Tag::Tensors: {
      std::vector<SavedTensor> list;
      for (const Tensor& t : v.tensor_list()) list.emplace_back(t, false);
      return list;
    }
    case Value::Tag::Bool:
      return v.b;
    case Value::Tag::Int:
      return v.i;
    case Value::Tag::Float:
      return v.d;
    case Value::Tag::Scalar:
      return v.scalar;
    case Value::Tag::Ints:
      return Dims(v.int_list());
    case Value::Tag::Dtype:
      return v.dtype;
    case Value::Tag::Device:
      return v.device;
    case Value::Tag::String:
      return std::string(v.chars, v.size);
    default:
      return std::monostate{};
  }
}

SavedValue save_metadata(const Value& v, Formula::Save::What what) {
  using What = Formula::Save::What;
  if (v.tag == Value::Tag::Tensors) {
    std::vector<Dims> sizes;
    std::vector<Dtype> dtypes;
    for (const Tensor& t : v.tensor_list()) {
      sizes.emplace_back(t.sizes());
      dtypes.push_back(t.dtype());
    }
    if (what == What::Sizes) return sizes;
    return dtypes;
  }
  if (v.tag != Value::Tag::Tensor) return std::monostate{};
  const Tensor& t = *v.tensor;
  if (what == What::Sizes) return Dims(t.sizes());
  if (what == What::Strides) return Dims(t.strides());
  if (what == What::Offset) return t.offset();
  return t.dtype();
}

void save_arguments(FormulaNode& node, const Operator& op, const Value* args) {
  for (const Formula::Save& save : node.formula.saves) {
    SavedValue& slot = node.saved.emplace_back();
    if (save.wanted_by && !(save.wanted_by & node.needs_mask)) continue;
    switch (save.what) {
      case Formula::Save::What::Argument: {
        const Value& v = args[save.index];
        if (op.inplace && save.index == 0 && v.tag == Value::Tag::Tensor) {
          // The operator is about to overwrite it. The copy has the history of the original, for higher derivatives.
          NoGrad guard;
          static Op clone("clone");
          Tensor before = clone(*v.tensor);
          if (Edge edge = gradient_edge(*v.tensor); edge.node) {
            AutogradMeta& m = make_meta(before);
            m.grad_fn = std::move(edge.node);
            m.output_nr = edge.nr;
          }
          slot = SavedTensor(before, false);
        } else {
          slot = save_argument(v);
        }
        break;
      }
      case Formula::Save::What::Result:
        break;
      default:
        slot = save_metadata(args[save.index], save.what);
    }
  }
}

void save_results(FormulaNode& node, Results& results) {
  for (size_t k = 0; k < node.formula.saves.size(); ++k) {
    const Formula::Save& save = node.formula.saves[k];
    if (save.what != Formula::Save::What::Result || (save.wanted_by && !(save.wanted_by & node.needs_mask))) continue;
    node.saved[k] = SavedTensor(results[save.index], true);
  }
}

bool is_an_argument(const Operator& op, const Value* args, const Tensor& t) {
  for (uint8_t i : op.tensor_args) {
    const Value& v = args[i];
    if (v.tag == Value::Tag::Tensor && v.tensor->is(t)) return true;
    if (v.tag == Value::Tag::Tensors)
      for (const Tensor& u : v.tensor_list())
        if (u.is(t)) return true;
  }
  return false;
}

void bump_written(const Operator& op, const Value* args) {
  if (op.out_arg >= 0) {
    const Value& out = args[op.out_arg];
    if (out.tag == Value::Tag::Tensor)
      out.tensor->impl()->bump_version();
    else if (out.tag == Value::Tag::Tensors)
      for (const Tensor& t : out.tensor_list()) t.impl()->bump_version();
  }
  if (op.inplace_lists)
    for (uint8_t i : op.tensor_args)
      for (const Tensor& t : args[i].tensor_list())
        if (t.defined()) t.impl()->bump_version();
}

}  // namespace

namespace {
void (*formula_loader)() = nullptr;

[[gnu::noinline]] void load_formulas() {
  auto load = std::exchange(formula_loader, nullptr);
  try {
    load();
  } catch (...) {
    formula_loader = load;  // the next operator says it again, rather than that it has no derivative
    throw;
  }
}

}  // namespace

void set_formula_loader(void (*load)()) { formula_loader = load; }

Ref<Node> make_node(const Operator& op, const Value* args) {
  if (formula_loader) [[unlikely]]
    load_formulas();
  if (!op.formula) {
    Ref<Node> node = Ref<Node>::adopt(new MissingDerivative(op));
    connect(*node, op, args, nullptr);
    return node;
  }
  auto* n = new FormulaNode(op, *op.formula);
  Ref<Node> node = Ref<Node>::adopt(n);
  n->needs_mask = connect(*n, op, args, &n->list_sizes, &n->number_mask);
  save_arguments(*n, op, args);
  return node;
}

namespace {

void record(const Operator& op, const Value* args, Results& results) {
  if (op.inplace) check_inplace(*args[0].tensor);
  check(!op.inplace_lists, op.display, "(): writes to its arguments and is not recorded; call it under no_grad().");

  Ref<Node> node = make_node(op, args);
  if (anomaly_mode().enabled && anomaly_mode().remember) anomaly_mode().remember(*node);
  op.fn(args, results);
  if (op.inplace) {
    bump_written(op, args);
    if (is_differentiable(results[0].dtype())) rebase_history(results[0], node);
  } else {
    for (Tensor& r : results) {
      if (!r.defined()) {  // keeps its place among the gradients
        node->outputs.push_back(GradMeta{});
        continue;
      }
      if (!is_differentiable(r.dtype()) || is_an_argument(op, args, r))
        node->add_output(r);
      else
        set_history(r, node);
    }
  }
  if (op.formula) save_results(static_cast<FormulaNode&>(*node), results);
}

// What is written through out= has no history.
[[gnu::noinline]] void check_out(const Operator& op, const Value* args) {
  const Value& out = args[op.out_arg];
  bool wanted = any_requires_grad(op, args);
  for (const Tensor& t : out.tag == Value::Tag::Tensors ? out.tensor_list() : TensorSpan(out.tensor, 1))
    wanted = wanted || requires_grad(t);
  if (wanted)
    fail(op.display,
         "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
         "requires grad. Call it under no_grad(), or without out=.");
}

}  // namespace

namespace {
[[gnu::tls_model("initial-exec")]] thread_local const Operator* running = nullptr;

struct Running {
  const Operator* outer = running;
  explicit Running(const Operator& op) { running = &op; }
  ~Running() { running = outer; }
};
}  // namespace

const char* current_operator() { return running ? running->display.c_str() : nullptr; }

void call(const Operator& op, const Value* args, Results& results) {
  Running scope(op);
  if (op.out_arg >= 0 && !op.inplace && !args[op.out_arg].is_none() && grad_enabled() && !op.no_grad) [[unlikely]]
    check_out(op, args);
  if (op.inplace && args[0].tensor->impl()->inference && !inference_enabled()) [[unlikely]]
    fail(
        "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
        "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.");
  if (grad_enabled() && !op.no_grad && !op.composite && any_requires_grad(op, args)) [[unlikely]] {
    record(op, args, results);
    return;
  }
  op.fn(args, results);
  if (op.out_arg >= 0 || op.inplace_lists) bump_written(op, args);
}

}  // namespace tl
