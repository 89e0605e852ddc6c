#include "autograd/node.h"

#include <algorithm>
#include <atomic>

#include "autograd/call.h"
#include "core/plan.h"
#include "ops/cast.h"

namespace tl {

namespace {
std::atomic<uint64_t> next_sequence{0};
// Set while nodes are being freed: a node that dies meanwhile waits here instead of recursing.
thread_local std::vector<Node*>* dying = nullptr;
}  // namespace

Node::Node() : sequence(next_sequence.fetch_add(1, std::memory_order_relaxed)) {}

void Node::destroy(Node* n) {
  if (dying) {
    dying->push_back(n);
    return;
  }
  std::vector<Node*> queue;
  dying = &queue;
  delete n;
  while (!queue.empty()) {
    Node* next = queue.back();
    queue.pop_back();
    delete next;
  }
  dying = nullptr;
}

uint32_t Node::add_output(const Tensor& t) {
  outputs.push_back(GradMeta{Dims(t.sizes()), t.dtype(), t.device()});
  return uint32_t(outputs.size() - 1);
}

void Node::visit_held(HeldVisitor& v) const {
  for (const Edge& e : edges) v.node(e.node.get());
}

Node::Hooks& Node::hooks() {
  if (!hooks_) hooks_ = std::make_unique<Hooks>();
  return *hooks_;
}

// ---- what a tensor carries ----

namespace {

void forget_retained(AutogradMeta& m) {
  if (!m.retains_grad || !m.grad_fn || !m.grad_fn->has_hooks()) return;
  auto& retained = m.grad_fn->hooks().retained;
  std::erase_if(retained, [&](auto& r) { return r.second == m.self; });
}

}  // namespace

AutogradMeta::~AutogradMeta() { forget_retained(*this); }

AutogradMeta& make_meta(const Tensor& t) {
  if (!t.impl()->autograd) {
    auto m = std::make_unique<AutogradMeta>();
    m->self = t.impl();
    t.impl()->autograd = std::move(m);
  }
  return *meta(t);
}

void set_history(const Tensor& t, const Ref<Node>& node) {
  AutogradMeta& m = make_meta(t);
  forget_retained(m);
  m.output_nr = node->add_output(t);
  m.grad_fn = node;
  t.impl()->requires_grad = false;
  t.impl()->view_version = t.impl()->version();
  if (m.retains_grad) node->hooks().retained.emplace_back(m.output_nr, t.impl());
}

namespace {

// "AddBackward0" -> "Add", as messages have it.
std::string short_name(const Node& node) {
  std::string name = node.name();
  if (size_t at = name.rfind("Backward"); at != std::string::npos) {
    name.erase(at, 8);
    if (name.size() == at + 1 && name.back() == '0') name.pop_back();
  }
  return name;
}

// Autograd cannot follow a write to this view, or to its base.
[[noreturn]] void refuse_view(const Tensor& t, const char* what_happened) {
  ViewKind kind = t.impl()->view_kind;
  const char* mode = kind == ViewKind::Inference ? "inference_mode" : "no_grad";
  std::string text;
  if (AutogradMeta* m = meta(t); m && m->grad_fn)
    text = str("Output ", m->output_nr, " of ", short_name(*m->grad_fn), " is a view ",
               kind == ViewKind::NoGrad ? "of a view which was created in no_grad mode " : "", "and ", what_happened,
               kind == ViewKind::NoGrad ? " with grad mode enabled. " : ". ");
  else if (kind == ViewKind::Inference)
    text = str("A view was created in inference mode and ", what_happened, " in normal mode. ");
  else
    text = str("A view was created in no_grad mode and ", what_happened, " with grad mode enabled. ");
  switch (kind) {
    case ViewKind::MultiOutput:
      fail(text,
           "This view is the output of a function that returns multiple views. Such functions do not allow the "
           "output views to be modified inplace. You should replace the inplace operation by an out-of-place one.");
    case ViewKind::CustomFunction:
      fail(text,
           "This view was created inside a custom Function (or because an input was returned as-is) and the "
           "autograd logic to handle view+inplace would override the custom backward associated with the custom "
           "Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the "
           "output of the custom Function.");
    default:
      fail(text,
           "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by "
           "moving both the view and the inplace either both inside the ",
           mode,
           " block (if you don't want the "
           "inplace to be tracked) or both outside (if you want the inplace to be tracked).");
  }
}

// The part of a base that a view shows: with this layout, counted in elements of the view's dtype. One of them may be
// complex and the other the real numbers that it is made of.
Tensor part_of(const Tensor& base, Dtype dtype, Ints sizes, Ints strides, int64_t offset) {
  static Op as_strided("as_strided"), view_as_real("view_as_real"), view_as_complex("view_as_complex");
  if (is_complex(base.dtype()) == is_complex(dtype)) return as_strided(base, sizes, strides, offset);
  if (is_complex(base.dtype())) return as_strided(view_as_real(base), sizes, strides, offset);
  Dims pair_sizes(sizes), pair_strides;
  for (int64_t s : strides) pair_strides.push_back(2 * s);
  pair_sizes.push_back(2);
  pair_strides.push_back(1);
  return view_as_complex(as_strided(base, Ints(pair_sizes), Ints(pair_strides), 2 * offset));
}

Ref<Node> view_node(const Tensor& base, const Tensor& t) {
  if (!requires_grad(base)) {  // it has been detached: its gradient goes nowhere
    static Operator& as_strided = get_operator("as_strided");
    Value args[] = {base, t.sizes(), t.strides(), t.offset()};
    return make_node(as_strided, args);
  }
  struct Recording {
    bool previous = grad_enabled();
    Recording() { set_grad_enabled(true); }
    ~Recording() { set_grad_enabled(previous); }
  } recording;
  return meta(part_of(base, t.dtype(), t.sizes(), t.strides(), t.offset()))->grad_fn;
}

// How many elements of the view's dtype lie before the base's first one.
int64_t base_offset(const Tensor& base, const Tensor& view) {
  if (is_complex(base.dtype()) == is_complex(view.dtype())) return base.offset();
  return is_complex(base.dtype()) ? 2 * base.offset() : base.offset() / 2;
}

}  // namespace

Ref<Node> grad_fn(const Tensor& t) {
  TensorImpl* p = t.impl();
  AutogradMeta* m = meta(t);
  if (p->base && p->view_version != p->version()) {
    Tensor base(p->base);
    if ((m && m->grad_fn) || requires_grad(base)) {
      if (p->view_kind != ViewKind::Default)
        refuse_view(t, "its base or another view of its base has been modified inplace");
      // The base was written to after this view was made: its history is now a view of the base's.
      Ref<Node> ref = view_node(base, t);
      ref->outputs.clear();
      set_history(t, ref);
      return ref;
    }
  }
  return m ? m->grad_fn : nullptr;
}

Ref<Node> accumulator(const Tensor& leaf) {
  AutogradMeta& m = make_meta(leaf);
  if (m.accumulator) return Ref<Node>::share(m.accumulator);
  Ref<Node> node = Ref<Node>::adopt(new AccumulateGrad(leaf));
  m.accumulator = node.get();
  return node;
}

Edge gradient_edge(const Tensor& t) {
  if (Ref<Node> fn = grad_fn(t)) return {std::move(fn), meta(t)->output_nr};
  // Its own wish counts: a view of a leaf that was made under no_grad has no gradient, though its base has one.
  if (t.impl()->requires_grad) return {accumulator(t), 0};
  return {};
}

void retain_grad(const Tensor& t) {
  check(requires_grad(t), "can't retain_grad on Tensor that has requires_grad=False");
  Ref<Node> fn = grad_fn(t);
  if (!fn) return;  // a leaf keeps its gradient anyway
  AutogradMeta& m = *meta(t);
  if (m.retains_grad) return;
  m.retains_grad = true;
  fn->hooks().retained.emplace_back(m.output_nr, t.impl());
}

void add_tensor_hook(const Tensor& t, std::shared_ptr<GradHook> hook) {
  Ref<Node> fn = grad_fn(t);
  AutogradMeta& m = make_meta(t);
  if (fn)
    fn->hooks().tensor.push_back({m.output_nr, std::move(hook)});
  else
    m.hook = std::move(hook);
}

// ---- in-place ----

void check_inplace(const Tensor& t) {
  TensorImpl* p = t.impl();
  if (p->base && p->view_kind != ViewKind::Default) refuse_view(t, "is being modified inplace");
  if (!requires_grad(t)) return;
  if (p->base && is_leaf(Tensor(p->base)))
    fail("a view of a leaf Variable that requires grad is being used in an in-place operation.");
  if (is_leaf(t)) fail("a leaf Variable that requires grad is being used in an in-place operation.");
}

void rebase_history(const Tensor& t, const Ref<Node>& node) {
  TensorImpl* p = t.impl();
  if (!p->base) {
    set_history(t, node);
    return;
  }
  Tensor base(p->base);
  node->add_output(t);
  set_history(base, Ref<Node>::adopt(new CopySlices(base, t, node)));
  p->view_version = p->version() - 1;  // whatever history it has is out of date
  grad_fn(t);                          // ties the view to its base's new history
}

CopySlices::CopySlices(const Tensor& base, const Tensor& view, Ref<Node> inner)
    : base_sizes_(base.sizes()),
      base_strides_(base.strides()),
      sizes_(view.sizes()),
      strides_(view.strides()),
      offset_(view.offset() - base_offset(base, view)),
      dtype_(view.dtype()),
      inner_(std::move(inner)) {
  edges.push_back(gradient_edge(base));
  for (size_t i = 1; i < inner_->edges.size(); ++i) edges.push_back(Edge{inner_->edges[i].node, inner_->edges[i].nr});
}

Grads CopySlices::apply(Grads grads) {
  static Op new_empty_strided("empty_strided"), copy("copy_"), clone("clone"), zero("zero_");
  Grads result;
  result.resize(edges.size());
  if (!grads[0].defined()) return result;
  check(bool(inner_),
        "Trying to backward through the graph a second time (or directly access saved tensors after they "
        "have already been freed). Saved intermediate values of the graph are freed when you call "
        ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
        "graph a second time or if you need to access saved tensors after calling backward.");
  Tensor whole = empty_strided(base_sizes_, base_strides_, grads[0].dtype(), grads[0].device());
  copy(whole, grads[0]);
  Tensor slice = part_of(whole, dtype_, Ints(sizes_), Ints(strides_), offset_);
  Grads inner_grads;
  inner_grads.push_back(clone(slice));
  Grads inner = inner_->apply(std::move(inner_grads));
  for (size_t i = 0; i < inner.size() && i < result.size(); ++i) {
    if (i == 0) {
      if (inner[0].defined())
        copy(slice, inner[0]);
      else
        zero(slice);
      result[0] = whole;
    } else if (needs(i)) {
      result[i] = inner[i];
    }
  }
  if (!needs(0)) result[0] = Tensor();
  return result;
}

void CopySlices::release_saved() { inner_.reset(); }

void CopySlices::visit_held(HeldVisitor& v) const {
  Node::visit_held(v);
  v.node(inner_.get());
}

// ---- leaves ----

AccumulateGrad::AccumulateGrad(const Tensor& v) : variable(v) {
  sequence = UINT64_MAX;  // leaves first: their gradients are freed soonest
  add_output(v);
}

bool is_owned(const Tensor& t) {
  const Storage& storage = *t.impl()->storage;
  return t.impl()->is_sole() && !t.impl()->base && storage.use_count() == 1 && !storage.is_foreign();
}

AccumulateGrad::~AccumulateGrad() {
  if (AutogradMeta* m = meta(variable); m && m->accumulator == this) m->accumulator = nullptr;
}

void AccumulateGrad::visit_held(HeldVisitor& v) const { v.tensor(variable.impl()); }

Grads AccumulateGrad::apply(Grads grads) {
  static Op add("add"), add_("add_"), clone("clone"), copy("copy_");
  Tensor grad = std::move(grads[0]);
  if (!grad.defined() || !requires_grad(variable)) return {};
  AutogradMeta& m = make_meta(variable);
  check(!m.grad_fn, "leaf variable has been moved into the graph interior");
  if (!m.grad.defined()) {
    bool same_layout =
        (grad.is_contiguous() && variable.is_contiguous()) || (grad.strides() == variable.strides() && is_dense(grad));
    if (!grad_enabled()) {
      // The engine's own tensor is taken as it is; one that somebody else holds, or laid out otherwise, is copied.
      if (is_owned(grad) && same_layout) {
        grad.impl()->autograd.reset();
        m.grad = std::move(grad);
      } else {
        m.grad = ops::empty_like(variable, grad.dtype(), grad.device());
        copy(m.grad, grad);
      }
    } else {
      m.grad = clone(grad);
    }
  } else if (!grad_enabled()) {
    add_(m.grad, grad);
  } else {
    m.grad = add(m.grad, grad);
  }
  if (m.post_accumulate) {
    Grads none;
    auto hook = m.post_accumulate;
    none.push_back(variable);
    hook->pre(none);
  }
  return {};
}

// ---- saved tensors ----

SavedTensor::SavedTensor(const Tensor& t, bool is_output) : defined_(t.defined()) {
  if (!defined_) return;
  check(!t.impl()->inference,
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
        "inference mode in computation tracked by autograd. To work around this, you can make a clone to get a normal "
        "tensor and use it in autograd, or use `",
        package_name(), ".no_grad()` instead of `", package_name(), ".inference_mode()`.");
  is_output_ = is_output;
  has_history_ = !is_output && bool(grad_fn(t));
  version_ = t.impl()->version();
  if (AutogradMeta* m = meta(t)) output_nr_ = m->output_nr;
  if (is_output) output_requires_grad_ = requires_grad(t);
  if (!pack_hooks().empty() && !t.impl()->wrapped_number) [[unlikely]]
    pack(t);
  else
    data_ = is_output ? detach(t) : t;
}

std::vector<std::shared_ptr<PackHook>>& pack_hooks() {
  static thread_local std::vector<std::shared_ptr<PackHook>> hooks;
  return hooks;
}

void SavedTensor::pack(const Tensor& t) {
  if (!is_output_) history_ = gradient_edge(t);
  NoGrad guard;
  std::shared_ptr<PackHook> hook = pack_hooks().back();
  packed_ = hook->pack(detach(t));
}

Tensor SavedTensor::unpack(Node* owner) const {
  if (!defined_) return Tensor();
  if (packed_) [[unlikely]] {
    Tensor t = detach(packed_->unpack());
    Edge edge = is_output_ ? Edge{output_requires_grad_ && owner ? Ref<Node>::share(owner) : Ref<Node>(), output_nr_}
                           : history_;
    if (edge.node) {
      AutogradMeta& m = make_meta(t);
      m.output_nr = edge.nr;
      m.grad_fn = std::move(edge.node);
    }
    return t;
  }
  check(data_.defined(),
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
        "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
        "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
        "saved tensors after calling backward.");
  uint32_t now = data_.impl()->version();
  if (now != version_) [[unlikely]] {
    Ref<Node> fn = is_output_ ? Ref<Node>::share(owner) : grad_fn(data_);
    // Dtypes that are younger than the classes of tensors, torch.FloatTensor and so on, are named otherwise.
    Dtype dtype = data_.dtype();
    bool young = dtype == Dtype::BFloat16 || is_complex(dtype), cpu = data_.device().is_cpu();
    std::string type = young ? str(cpu ? "CPU" : "CUDA", type_name(dtype), "Type")
                             : str(package_name(), ".", cpu ? "" : "cuda.", type_name(dtype), "Tensor");
    std::string what = str("[", type, " ", to_string(data_.sizes()), "]");
    if (fn) what += str(", which is output ", output_nr_, " of ", short_name(*fn), ",");
    fail("one of the variables needed for gradient computation has been modified by an inplace operation: ", what,
         " is at version ", now, "; expected version ", version_,
         " instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with ",
         package_name(), ".autograd.set_detect_anomaly(True, check_nan=False).");
  }
  if (!is_output_) {
    check(!has_history_ || meta(data_)->grad_fn,
          "Trying to use a saved tensor that has been detached in-place, i.e. with .detach_().This is not supported, "
          "please use out-of-place `.detach()` instead");
    return data_;
  }
  Tensor t = detach(data_);
  if (output_requires_grad_ && owner) {
    AutogradMeta& m = make_meta(t);
    m.grad_fn = Ref<Node>::share(owner);
    m.output_nr = output_nr_;
  }
  return t;
}

void SavedTensor::release() {
  data_ = Tensor();
  packed_.reset();
  history_ = Edge{};
}

}  // namespace tl
