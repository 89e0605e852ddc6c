#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "core/export.h"

namespace tl {

// What a language binding hangs on a counted object: while anything besides the binding's own object holds it, the
// counted object keeps the binding's object alive ("toggle reference"), so that its identity and attributes survive.
// The binding's object owns one count. Counts that cross 1 <-> 2 with a binding attached do so under the binding's
// lock.
struct BindingHooks {
  void (*retain)(void* object);
  void (*release)(void* object);
  bool (*idle)(void* object);  // whether nothing but the counted object holds it
};
TL_API extern BindingHooks binding_hooks;

class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  void retain() noexcept {
    int32_t old = count_.fetch_add(1, std::memory_order_relaxed);
    if (old == 1 && binding_) [[unlikely]]
      binding_hooks.retain(binding_);
  }
  // True when the last count is gone and the caller must destroy the object.
  bool release() noexcept {
    // The object may be gone as soon as the count has been given back: read the binding before.
    void* binding = binding_;
    int32_t old = count_.fetch_sub(1, std::memory_order_acq_rel);
    if (old == 2 && binding) [[unlikely]]
      binding_hooks.release(binding);
    return old == 1;
  }
  int32_t use_count() const noexcept { return count_.load(std::memory_order_relaxed); }
  // Whether the caller holds the only reference, but for a binding's object that nobody else knows. Under the
  // binding's lock.
  bool is_sole() const noexcept {
    return use_count() == 1 || (use_count() == 2 && binding_ && binding_hooks.idle(binding_));
  }
  void* binding() const noexcept { return binding_; }
  void set_binding(void* b) noexcept { binding_ = b; }

 protected:
  ~Counted() = default;

 private:
  std::atomic<int32_t> count_{1};
  void* binding_ = nullptr;
};

// A counted pointer. T provides retain(), release() and a static void destroy(T*).
template <class T>
class Ref {
 public:
  Ref() noexcept = default;
  Ref(std::nullptr_t) noexcept {}
  Ref(const Ref& o) noexcept : p_(o.p_) {
    if (p_) p_->retain();
  }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() { reset(); }

  // Takes over a count that the caller owns.
  static Ref adopt(T* p) noexcept {
    Ref r;
    r.p_ = p;
    return r;
  }
  static Ref share(T* p) noexcept {
    if (p) p->retain();
    return adopt(p);
  }
  void reset() noexcept {
    T* p = std::exchange(p_, nullptr);
    if (p && p->release()) T::destroy(p);
  }
  T* detach() noexcept { return std::exchange(p_, nullptr); }
  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  bool operator==(const Ref& o) const noexcept { return p_ == o.p_; }

 private:
  T* p_ = nullptr;
};

}  // namespace tl
