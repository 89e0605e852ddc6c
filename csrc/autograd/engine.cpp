#include "autograd/engine.h"

#include <algorithm>
#include <unordered_map>

#include "autograd/call.h"
#include "core/plan.h"
#include "ops/cast.h"

namespace tl {

AnomalyMode& anomaly_mode() {
  thread_local AnomalyMode mode;
  return mode;
}

namespace {

struct GradMode {
  bool previous = grad_enabled();
  explicit GradMode(bool on) { set_grad_enabled(on); }
  ~GradMode() { set_grad_enabled(previous); }
};

// The node that this thread evaluates, and which of its edges lead to nothing that is wanted.
struct Evaluated {
  const Node* node = nullptr;
  uint64_t unneeded = 0;
};
thread_local Evaluated evaluated;

struct NodeState {
  int dependencies = 0;
  bool needed = true;                              // leads to one of the wanted inputs
  bool started = false;                            // has received a gradient
  std::vector<std::pair<uint32_t, int>> captures;  // (input of the node, index of the answer)
  Grads buffer;
};

// Sums a gradient down to the shape that was broadcast up: leading dims vanish, others shrink to 1.
Tensor sum_to_size(const Tensor& grad, Ints sizes) {
  static Op sum("sum.dim"), view("view");
  Dims dims;
  int64_t lead = grad.dim() - int64_t(sizes.size());
  for (int64_t d = 0; d < grad.dim(); ++d)
    if (d < lead || (sizes[d - lead] == 1 && grad.size(d) != 1)) dims.push_back(d);
  Tensor result = dims.empty() ? grad : sum(grad, Ints(dims), true);
  return lead ? view(result, sizes) : result;
}

bool expands_to(Ints from, Ints to) {
  if (from.size() > to.size()) return false;
  size_t lead = to.size() - from.size();
  for (size_t d = 0; d < from.size(); ++d)
    if (from[d] != to[d + lead] && from[d] != 1) return false;
  return true;
}

class GraphTask {
 public:
  GraphTask(const std::vector<Edge>& inputs, BackwardOptions options) : inputs_(inputs), options_(options) {
    answers_.resize(options.accumulate ? 0 : inputs.size());
  }

  std::vector<Tensor> run(const std::vector<Edge>& roots, std::vector<Tensor> grads) {
    count_dependencies(roots);
    if (!inputs_.empty()) select_needed(roots);
    GradMode mode(options_.create_graph);
    for (size_t i = 0; i < roots.size(); ++i) deliver(roots[i], std::move(grads[i]), nullptr, 0, /*root=*/true);
    for (const Edge& r : roots) {
      NodeState& s = states_[r.node.get()];
      if (s.dependencies == 0 && !s.started) {
        s.started = true;
        push(r.node);
      }
    }
    while (!ready_.empty()) {
      std::pop_heap(ready_.begin(), ready_.end(), later);
      Ref<Node> node = std::move(ready_.back());
      ready_.pop_back();
      evaluate(node);
    }
    return std::move(answers_);
  }

 private:
  static bool later(const Ref<Node>& a, const Ref<Node>& b) { return a->sequence < b->sequence; }

  void push(Ref<Node> node) {
    ready_.push_back(std::move(node));
    std::push_heap(ready_.begin(), ready_.end(), later);
  }

  void count_dependencies(const std::vector<Edge>& roots) {
    std::vector<Node*> stack;
    for (const Edge& r : roots)
      if (states_.try_emplace(r.node.get()).second) stack.push_back(r.node.get());
    while (!stack.empty()) {
      Node* n = stack.back();
      stack.pop_back();
      for (const Edge& e : n->edges) {
        if (!e.node) continue;
        auto [it, fresh] = states_.try_emplace(e.node.get());
        ++it->second.dependencies;
        if (fresh) stack.push_back(e.node.get());
      }
    }
  }

  // Marks the nodes from which a wanted input can be reached.
  void select_needed(const std::vector<Edge>& roots) {
    for (auto& [node, state] : states_) state.needed = false;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      auto it = states_.find(inputs_[i].node.get());
      if (it == states_.end()) continue;
      if (options_.accumulate)
        it->second.needed = true;
      else
        it->second.captures.emplace_back(inputs_[i].nr, int(i));
    }
    // Depth first with an explicit stack; a node is settled when its successors are.
    std::unordered_map<Node*, size_t> next_edge;
    std::vector<Node*> stack;
    for (const Edge& r : roots) {
      if (!next_edge.try_emplace(r.node.get(), 0).second) continue;
      stack.push_back(r.node.get());
      while (!stack.empty()) {
        Node* n = stack.back();
        size_t& i = next_edge[n];
        if (i < n->edges.size()) {
          Node* child = n->edges[i++].node.get();
          if (child && next_edge.try_emplace(child, 0).second) stack.push_back(child);
          continue;
        }
        stack.pop_back();
        NodeState& state = states_[n];
        for (const Edge& e : n->edges) {
          if (!e.node) continue;
          NodeState& child = states_[e.node.get()];
          if (child.needed || !child.captures.empty()) state.needed = true;
        }
      }
    }
  }

  void deliver(const Edge& edge, Tensor grad, Node* from, size_t index, bool root = false) {
    Node* node = edge.node.get();
    NodeState& state = states_[node];
    if (grad.defined() && (state.needed || !state.captures.empty())) {
      grad = conform(std::move(grad), node->outputs[edge.nr], from, index);
      if (state.buffer.size() < node->outputs.size()) state.buffer.resize(node->outputs.size());
      Tensor& slot = state.buffer[edge.nr];
      slot = slot.defined() ? sum(std::move(slot), std::move(grad)) : std::move(grad);
    }
    if (root) return;
    if (--state.dependencies == 0) {
      state.started = true;
      push(edge.node);
    }
  }

  // In the memory of one of the two where nothing else refers to it.
  static Tensor sum(Tensor a, Tensor b) {
    static Op add("add"), add_("add_");
    auto spare = [](const Tensor& t) { return !grad_enabled() && is_owned(t) && is_dense(t); };
    if (spare(a)) return add_(a, b);
    if (spare(b) && a.strides() == b.strides()) return add_(b, a);
    return add(a, b);
  }

  static Tensor conform(Tensor grad, const GradMeta& want, Node* from, size_t index) {
    static Op cast("_to_copy"), real("real");
    if (grad.sizes() != Ints(want.sizes)) {
      if (!expands_to(want.sizes, grad.sizes()))
        fail("Function ", from ? from->name() : "", from ? " " : "", "returned an invalid gradient at index ", index,
             " - got ", to_string(grad.sizes()), " but expected shape compatible with ", to_string(want.sizes));
      grad = sum_to_size(grad, want.sizes);
    }
    if (grad.dtype() != want.dtype) {
      if (is_complex(grad.dtype()) && !is_complex(want.dtype)) grad = real(grad);
      if (grad.dtype() != want.dtype) grad = cast(grad, want.dtype);
    }
    if (grad.device() != want.device) {
      // A copy to another device leads its gradient back; what else comes from elsewhere is a mistake of a function.
      const std::string name = from ? from->name() : "";
      if (from && grad.dim() != 0 && name != "ToCopyBackward0" && name != "CopyBackwards")
        fail("Function ", name, " returned an invalid gradient at index ", index, " - expected device ",
             to_string(want.device), " but got ", to_string(grad.device()));
      grad = cast(grad, want.dtype, want.device);
    }
    return grad;
  }

  void evaluate(const Ref<Node>& node) {
    NodeState& state = states_[node.get()];
    Grads grads = std::move(state.buffer);
    if (grads.size() < node->outputs.size()) grads.resize(node->outputs.size());
    bool alive = state.needed || !state.captures.empty();
    if (alive) {
      run_tensor_hooks(*node, grads);
      for (auto& [nr, index] : state.captures) answers_[index] = grads[nr];
    }
    Grads results;
    bool any = false;
    for (const Tensor& g : grads) any |= g.defined();
    if (state.needed && any) {
      const Evaluated outer = evaluated;
      evaluated = {node.get(), inputs_.empty() ? 0 : unneeded(*node)};
      struct Restore {
        const Evaluated& outer;
        ~Restore() { evaluated = outer; }
      } restore{outer};
      results = anomaly_mode().enabled ? apply_watched(*node, std::move(grads)) : apply(*node, std::move(grads));
      if (!options_.retain_graph) node->release_saved();
    }
    for (size_t i = 0; i < node->edges.size(); ++i) {
      if (!node->edges[i].node) continue;
      deliver(node->edges[i], i < results.size() ? std::move(results[i]) : Tensor(), node.get(), i);
    }
  }

  uint64_t unneeded(const Node& node) {
    uint64_t mask = 0;
    for (size_t i = 0; i < node.edges.size() && i < 64; ++i) {
      if (!node.edges[i].node) continue;
      const NodeState& next = states_[node.edges[i].node.get()];
      if (!next.needed && next.captures.empty()) mask |= uint64_t(1) << i;
    }
    return mask;
  }

  static void run_tensor_hooks(Node& node, Grads& grads) {
    if (auto* leaf = dynamic_cast<AccumulateGrad*>(&node)) {
      AutogradMeta* m = meta(leaf->variable);
      if (m && m->hook && grads[0].defined()) {
        auto hook = m->hook;
        grads[0] = hook->call(grads[0]);
      }
      return;
    }
    if (!node.has_hooks()) return;
    auto hooks = node.hooks().tensor;
    for (TensorHook& h : hooks)
      if (grads[h.nr].defined()) grads[h.nr] = h.hook->call(grads[h.nr]);
    for (auto& [nr, impl] : node.hooks().retained) {
      if (!grads[nr].defined()) continue;
      Tensor t = Tensor::share(impl);
      AutogradMeta& m = *meta(t);
      static Op add("add"), clone("clone");
      m.grad = m.grad.defined() ? add(m.grad, grads[nr]) : clone(grads[nr]);
    }
  }

  static Grads apply_watched(Node& node, Grads grads) {
    try {
      Grads results = apply(node, std::move(grads));
      if (!anomaly_mode().check_nan) return results;
      static Op isnan("isnan"), any("any");
      for (size_t i = 0; i < results.size(); ++i) {
        if (!results[i].defined() || !is_differentiable(results[i].dtype())) continue;
        NoGrad guard;
        Tensor found = ops::to(any(isnan(results[i])), {}, Device{}, false, false);
        check(!*found.data_as<bool>(), "Function '", node.name(), "' returned nan values in its ", i, "th output.");
      }
      return results;
    } catch (...) {
      if (anomaly_mode().tell) anomaly_mode().tell(node);
      throw;
    }
  }

  static Grads apply(Node& node, Grads grads) {
    if (!node.has_hooks() || (node.hooks().pre.empty() && node.hooks().post.empty()))
      return node.apply(std::move(grads));
    auto pre = node.hooks().pre, post = node.hooks().post;
    for (auto& h : pre) h->pre(grads);
    if (post.empty()) return node.apply(std::move(grads));
    Grads kept;
    for (const Tensor& g : grads) kept.push_back(g);
    Grads results = node.apply(std::move(grads));
    for (auto& h : post) h->post(results, kept);
    return results;
  }

  const std::vector<Edge>& inputs_;
  BackwardOptions options_;
  std::unordered_map<Node*, NodeState> states_;
  std::vector<Ref<Node>> ready_;
  std::vector<Tensor> answers_;
};

}  // namespace

uint64_t unneeded_edges(const Node& node) { return evaluated.node == &node ? evaluated.unneeded : 0; }

std::vector<Tensor> run_backward(const std::vector<Edge>& roots, std::vector<Tensor> grads,
                                 const std::vector<Edge>& inputs, BackwardOptions options) {
  return GraphTask(inputs, options).run(roots, std::move(grads));
}

}  // namespace tl
