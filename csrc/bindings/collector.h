#pragma once

#include <unordered_map>
#include <vector>

#include "autograd/node.h"
#include "bindings/python.h"

namespace tl::python {

// Shows Python's garbage collector what a Python object reaches through C++.
//
// Between two Python objects lie tensors and nodes that have none. The region of an object are those of them that it
// alone keeps alive, found by counting: all counts of such a thing come from the region. It belongs to one region only,
// so nothing is shown twice. A Python object at the edge is shown when, beside itself, only the region holds its tensor
// or node: the reference it then has (core/intrusive.h) is the region's. A count from anywhere else keeps it alive, so
// a holder that is not known here can only make the collector spare something.
class Region final : public HeldVisitor {
 public:
  Region(visitproc visit, void* arg) : visit_(visit), arg_(arg) {}

  int of(TensorImpl* t) {
    open(t);
    return run();
  }
  int of(Node* n) {
    open(n);
    return run();
  }

  void node(Node* n) override { meet(n, nodes_); }
  void tensor(TensorImpl* t) override { meet(t, tensors_); }

 private:
  template <class T>
  void meet(T* p, std::vector<T*>& owned) {
    if (!p) return;
    int32_t others = p->use_count() - (p->binding() ? 1 : 0);
    if (others > 1 && ++seen_[p] < others) return;
    if (p->binding())
      show(p->binding());
    else
      owned.push_back(p);
  }
  template <class Hook>
  void hook(const std::shared_ptr<Hook>& h) {
    if (h && h->object() && ++seen_[h.get()] == h.use_count()) show(h->object());
  }
  void show(void* object) {
    if (!result_) result_ = visit_(static_cast<PyObject*>(object), arg_);
  }

  void open(TensorImpl* t) {
    tensor(t->base.get());
    auto* m = static_cast<AutogradMeta*>(t->autograd.get());
    if (!m) return;
    tensor(m->grad.impl());
    node(m->grad_fn.get());
    hook(m->hook);
    hook(m->post_accumulate);
  }
  void open(Node* n) {
    n->visit_held(*this);
    if (!n->has_hooks()) return;
    for (const TensorHook& h : n->hooks().tensor) hook(h.hook);
    for (auto& h : n->hooks().pre) hook(h);
    for (auto& h : n->hooks().post) hook(h);
  }
  int run() {
    while (!result_ && !(nodes_.empty() && tensors_.empty())) {
      if (!nodes_.empty()) {
        Node* n = nodes_.back();
        nodes_.pop_back();
        open(n);
      } else {
        TensorImpl* t = tensors_.back();
        tensors_.pop_back();
        open(t);
      }
    }
    return result_;
  }

  visitproc visit_;
  void* arg_;
  int result_ = 0;
  std::unordered_map<const void*, long> seen_;  // counts that come from the region
  std::vector<Node*> nodes_;
  std::vector<TensorImpl*> tensors_;
};

}  // namespace tl::python
