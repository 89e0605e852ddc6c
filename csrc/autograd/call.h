#pragma once

#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include "autograd/node.h"
#include "autograd/value.h"

namespace tl {

struct Operator;
class FormulaNode;

// The derivative of an operator: what to keep, and how to go back. The formula itself is the binding's (Python).
struct TL_API Formula {
  struct Save {
    enum class What : uint8_t { Argument, Result, Sizes, Strides, Offset, Dtype };
    What what;
    int index;           // of the argument or result
    uint32_t wanted_by;  // bit mask of tensor arguments whose gradient needs it; 0: always kept
    std::string name;    // attribute of the node
  };
  std::string node_name;
  std::string number_name;  // where the second operand is a number, if PyTorch has another name then
  std::vector<Save> saves;
  virtual ~Formula() = default;
  virtual Grads apply(FormulaNode& node, Grads grads) = 0;
};

struct Operator {
  static constexpr int kMaxArgs = 24;
  std::string name;     // "sum.dim"
  std::string display;  // "sum"
  BoxedFn fn = nullptr;
  std::vector<std::string> params;
  std::vector<Value> defaults;       // of each parameter, from the signature; None where there is none
  std::vector<uint8_t> tensor_args;  // indices of parameters that may carry a gradient (out= excluded)
  int out_arg = -1;                  // index of `out`, which may be a list
  bool inplace = false;              // out is the first argument
  bool inplace_lists = false;        // writes to the tensors of its lists (optimizers)
  bool no_grad = false;              // its result never carries a gradient
  bool composite = false;            // made of recorded operators: is not recorded itself
  std::shared_ptr<Formula> formula;
};

// All operators by name; an entry lives for ever.
TL_API Operator& add_operator(Operator op);
TL_API Operator* find_operator(const std::string& name);
TL_API Operator& get_operator(const std::string& name);  // throws Error

// Runs an operator on boxed arguments and records it where a gradient may be asked for.
TL_API void call(const Operator& op, const Value* args, Results& results);
inline Tensor call(const Operator& op, std::initializer_list<Value> args) {
  Value all[Operator::kMaxArgs];
  size_t n = 0;
  for (const Value& v : args) all[n++] = v;
  for (; n < op.defaults.size(); ++n) all[n] = op.defaults[n];
  if (op.inplace) {
    all[op.out_arg] = all[0];
    all[op.out_arg].inplace = true;
  }
  Results results;
  call(op, all, results);
  return std::move(results[0]);
}

// Called once, before the first operator is recorded: gives the operators their formulas.
TL_API void set_formula_loader(void (*load)());

// The backward node of a call with these arguments, tied to them, before the operator runs.
TL_API Ref<Node> make_node(const Operator& op, const Value* args);

// A recorded call from C++, for operators that are made of others (composite/) and for autograd itself:
//   static Op mm("mm");  return mm(a, b);
// Arguments stand in the order of the signature; those left out at the end have their defaults.
class Op {
 public:
  explicit Op(const char* name) : name_(name) {}
  template <class... A>
  Tensor operator()(const A&... args) {
    if (!op_) op_ = &get_operator(name_);
    return call(*op_, {Value(args)...});
  }

 private:
  const char* name_;
  const Operator* op_ = nullptr;
};

// What a node keeps of an argument.
using SavedValue = std::variant<std::monostate, SavedTensor, std::vector<SavedTensor>, bool, int64_t, double, Scalar,
                                Dims, std::vector<Dims>, Dtype, std::vector<Dtype>, Device, std::string>;

// The node of an operator whose derivative is a Formula.
class TL_API FormulaNode : public Node {
 public:
  FormulaNode(const Operator& op, const Formula& formula) : op(op), formula(const_cast<Formula&>(formula)) {}
  std::string name() const override {
    return number_mask && !formula.number_name.empty() ? formula.number_name : formula.node_name;
  }
  Grads apply(Grads grads) override { return formula.apply(*this, std::move(grads)); }
  void release_saved() override;
  void visit_held(HeldVisitor& v) const override;

  const Operator& op;
  Formula& formula;
  uint32_t needs_mask = 0;       // bit i: tensor argument i (a list counts once) wants a gradient
  uint32_t number_mask = 0;      // bit i: tensor argument i was a number
  Small<int32_t, 4> list_sizes;  // of each tensor argument: -1 for a tensor, else the length of the list
  Small<SavedValue, 2> saved;    // parallel to formula.saves; monostate where not wanted
  bool released = false;
};

}  // namespace tl
