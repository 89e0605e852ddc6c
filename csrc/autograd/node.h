#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/small.h"
#include "core/tensor.h"

namespace tl {

class Node;

// Where a gradient flows: input `nr` of `node`.
struct Edge {
  Ref<Node> node;
  uint32_t nr = 0;
};

// What the gradient of one of a node's outputs must look like.
struct GradMeta {
  Dims sizes;
  Dtype dtype;
  Device device;
};

using Grads = Small<Tensor, 3>;

// A gradient passes through: the hook may return another one.
struct TL_API GradHook {
  virtual ~GradHook() = default;
  virtual Tensor call(const Tensor& grad) = 0;
  // The Python object inside, for the garbage collector.
  virtual void* object() const { return nullptr; }
};
// Sees, and may replace, all gradients that enter (pre) or leave (post) a node.
struct TL_API NodeHook {
  virtual ~NodeHook() = default;
  virtual void pre(Grads& grads) {}
  virtual void post(Grads& results, const Grads& grads) {}
  virtual void* object() const { return nullptr; }
};

struct TensorHook {
  uint32_t nr;
  std::shared_ptr<GradHook> hook;
};

// Is shown the counted objects that a node holds, once for each count: for a garbage collector.
struct HeldVisitor {
  virtual void node(Node* n) = 0;
  virtual void tensor(TensorImpl* t) = 0;

 protected:
  ~HeldVisitor() = default;
};

// One step of the backward graph: takes the gradients of an operator's outputs, gives those of its inputs.
class TL_API Node : public Counted {
 public:
  Node();
  virtual ~Node() = default;
  // Frees whole chains without recursion.
  static void destroy(Node* n);

  virtual std::string name() const = 0;
  // The results stand in the order of `edges`.
  virtual Grads apply(Grads grads) = 0;
  virtual void release_saved() {}
  virtual void visit_held(HeldVisitor& v) const;

  bool needs(size_t i) const { return i < edges.size() && edges[i].node; }
  uint32_t add_output(const Tensor& t);

  uint64_t sequence;
  Small<Edge, 2> edges;
  Small<GradMeta, 1> outputs;  // of the forward operator, so the inputs of apply()

  struct Hooks {
    std::vector<TensorHook> tensor;                          // run first, in order
    std::vector<std::pair<uint32_t, TensorImpl*>> retained;  // then these keep .grad
    std::vector<std::shared_ptr<NodeHook>> pre, post;
  };
  Hooks& hooks();
  bool has_hooks() const { return bool(hooks_); }

 private:
  std::unique_ptr<Hooks> hooks_;
};

// What a tensor carries once it takes part in autograd.
struct TL_API AutogradMeta : AutogradMetaBase {
  ~AutogradMeta() override;
  Ref<Node> grad_fn;
  uint32_t output_nr = 0;
  bool retains_grad = false;
  Tensor grad;
  Node* accumulator = nullptr;  // of a leaf; not owned
  TensorImpl* self = nullptr;
  std::shared_ptr<GradHook> hook;             // Tensor.register_hook on a leaf; otherwise grad_fn has it
  std::shared_ptr<NodeHook> post_accumulate;  // Tensor.register_post_accumulate_grad_hook
};

inline AutogradMeta* meta(const Tensor& t) { return static_cast<AutogradMeta*>(t.impl()->autograd.get()); }
TL_API AutogradMeta& make_meta(const Tensor& t);

// Of a view, also when its base requires grad: a view made under no_grad() is then a leaf beside the graph.
inline bool requires_grad(const Tensor& t) {
  auto of = [](TensorImpl* p) {
    return p->requires_grad || (p->autograd && static_cast<AutogradMeta*>(p->autograd.get())->grad_fn);
  };
  TensorImpl* p = t.impl();
  return of(p) || (p->base && of(p->base.get()));
}
// The node that made the tensor, null for a leaf. Of a view whose base was written to since: made anew.
TL_API Ref<Node> grad_fn(const Tensor& t);
inline bool is_leaf(const Tensor& t) { return !requires_grad(t) || !grad_fn(t); }
// Where a gradient of this tensor flows: its grad_fn, or the node that accumulates into a leaf's .grad.
TL_API Edge gradient_edge(const Tensor& t);
TL_API Ref<Node> accumulator(const Tensor& leaf);
TL_API void set_history(const Tensor& t, const Ref<Node>& node);
// After an in-place operator: gives `t`, and where it is a view its base, the new history.
TL_API void rebase_history(const Tensor& t, const Ref<Node>& node);
// Raises where PyTorch refuses to write to `t` in place while recording.
TL_API void check_inplace(const Tensor& t);
TL_API void retain_grad(const Tensor& t);
TL_API void add_tensor_hook(const Tensor& t, std::shared_ptr<GradHook> hook);

// Whether nobody besides the caller can see the tensor or its memory.
TL_API bool is_owned(const Tensor& t);

class TL_API AccumulateGrad : public Node {
 public:
  explicit AccumulateGrad(const Tensor& variable);
  ~AccumulateGrad() override;
  std::string name() const override { return package_name() + "::autograd::AccumulateGrad"; }
  Grads apply(Grads grads) override;
  void visit_held(HeldVisitor& v) const override;
  Tensor variable;
};

// The history of a base after an in-place operator on one of its views: the gradient outside the view passes, the part
// inside goes through the operator's own node.
class CopySlices : public Node {
 public:
  CopySlices(const Tensor& base, const Tensor& view, Ref<Node> inner);
  std::string name() const override { return package_name() + "::autograd::CopySlices"; }
  Grads apply(Grads grads) override;
  void release_saved() override;
  void visit_held(HeldVisitor& v) const override;

 private:
  Dims base_sizes_, base_strides_, sizes_, strides_;
  int64_t offset_;
  Dtype dtype_;
  Ref<Node> inner_;
};

// Something else that is kept in a saved tensor's place (autograd.graph.saved_tensors_hooks).
struct TL_API Packed {
  virtual ~Packed() = default;
  virtual Tensor unpack() = 0;
};
struct TL_API PackHook {
  virtual ~PackHook() = default;
  virtual std::shared_ptr<Packed> pack(const Tensor& t) = 0;
};
// The hooks in force in this thread; the last one counts.
TL_API std::vector<std::shared_ptr<PackHook>>& pack_hooks();

// A tensor that a node keeps for backward. Checks on the way out that it was not written to since.
class TL_API SavedTensor {
 public:
  SavedTensor() = default;
  // An output is kept without its grad_fn, which would be a cycle; unpacking ties it to `owner` again.
  SavedTensor(const Tensor& t, bool is_output);
  Tensor unpack(Node* owner) const;
  void release();
  void visit_held(HeldVisitor& v) const {
    v.tensor(data_.impl());
    if (packed_) v.node(history_.node.get());
  }

 private:
  void pack(const Tensor& t);

  Tensor data_;
  std::shared_ptr<Packed> packed_;  // instead of data_
  Edge history_;                    // of a packed input
  uint32_t version_ = 0;
  uint32_t output_nr_ = 0;
  bool is_output_ = false;
  bool has_history_ = false;
  bool output_requires_grad_ = false;
  bool defined_ = false;
};

}  // namespace tl
