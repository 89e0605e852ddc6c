#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/allocator.h"
#include "core/device.h"
#include "core/dims.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/intrusive.h"
#include "core/scalar.h"

namespace tl {

// Memory that tensors share. Owns `data` through its allocator, or a foreign owner through `deleter`.
class TL_API Storage : public Counted {
 public:
  static Ref<Storage> allocate(size_t nbytes, Device device);
  static Ref<Storage> foreign(void* data, size_t nbytes, Device device, void (*deleter)(void*), void* context);
  static void destroy(Storage* s);

  void* data() const { return data_; }
  size_t nbytes() const { return nbytes_; }
  Device device() const { return device_; }
  bool is_foreign() const { return deleter_ != nullptr; }
  // Keeps the contents up to the smaller size.
  void resize(size_t nbytes);
  bool writable = true;

 private:
  void* data_ = nullptr;
  size_t nbytes_ = 0;
  Device device_;
  void (*deleter_)(void*) = nullptr;
  void* context_ = nullptr;
};

// Counts in-place writes; shared by a tensor, its views and its detached twins.
struct VersionCounter : Counted {
  uint32_t value = 0;
  static void destroy(VersionCounter* v) { delete v; }
};

// What the autograd floor keeps with a tensor; core knows only how to free it.
struct TL_API AutogradMetaBase {
  virtual ~AutogradMetaBase() = default;
};

// How a view came to be; decides which in-place writes on it autograd can follow.
enum class ViewKind : uint8_t { Default, MultiOutput, NoGrad, CustomFunction, Inference };

// The order of the dims in memory. Preserve: as the input has it.
enum class MemoryFormat : uint8_t { Preserve, Contiguous, ChannelsLast, ChannelsLast3d };

class Tensor;

class TL_API TensorImpl : public Counted {
 public:
  static void destroy(TensorImpl* t);

  Ref<Storage> storage;
  Dims sizes, strides;  // strides in elements
  int64_t offset = 0;   // elements
  int64_t numel = 0;
  Dtype dtype = Dtype::Float32;
  Device device;
  bool contiguous = true;
  bool wrapped_number = false;  // a Python scalar: weak in type promotion
  bool requires_grad = false;   // of a leaf; a tensor with a grad_fn requires grad too
  bool inference = false;
  bool conj = false, neg = false;  // reserved for lazy conjugation
  ViewKind view_kind = ViewKind::Default;
  Ref<TensorImpl> base;       // of a view: the tensor that is no view
  uint32_t view_version = 0;  // of a view: the version its grad_fn was made for
  std::unique_ptr<AutogradMetaBase> autograd;

  void refresh();  // after sizes or strides changed: numel and contiguity
  uint32_t version() const { return counter_ ? counter_->value : version_; }
  void bump_version() { counter_ ? ++counter_->value : ++version_; }
  VersionCounter* shared_counter();
  void share_counter(TensorImpl& other);

 private:
  Ref<VersionCounter> counter_;  // made when first shared
  uint32_t version_ = 0;
};

// A handle to a tensor; copying it shares the tensor. An undefined handle stands for "no tensor".
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<TensorImpl> p) : p_(std::move(p)) {}
  static Tensor share(TensorImpl* p) { return Tensor(Ref<TensorImpl>::share(p)); }

  bool defined() const { return bool(p_); }
  TensorImpl* impl() const { return p_.get(); }
  Ref<TensorImpl>& ref() { return p_; }
  bool is(const Tensor& o) const { return p_ == o.p_; }

  int64_t dim() const { return int64_t(p_->sizes.size()); }
  Ints sizes() const { return p_->sizes; }
  Ints strides() const { return p_->strides; }
  // Accept negative dims.
  int64_t size(int64_t d) const { return p_->sizes[d < 0 ? d + dim() : d]; }
  int64_t stride(int64_t d) const { return p_->strides[d < 0 ? d + dim() : d]; }
  int64_t numel() const { return p_->numel; }
  int64_t offset() const { return p_->offset; }
  Dtype dtype() const { return p_->dtype; }
  Device device() const { return p_->device; }
  size_t itemsize() const { return tl::itemsize(p_->dtype); }
  bool is_contiguous() const { return p_->contiguous; }
  void* data() const { return static_cast<char*>(p_->storage->data()) + p_->offset * int64_t(itemsize()); }
  template <class T>
  T* data_as() const {
    return static_cast<T*>(data());
  }

 private:
  Ref<TensorImpl> p_;
};

// Uninitialised memory, row-major.
TL_API Tensor empty(Ints sizes, Dtype dtype, Device device = {});
// Uninitialised memory with these strides, which must not overlap.
TL_API Tensor empty_strided(Ints sizes, Ints strides, Dtype dtype, Device device = {});
// A 0-dim CPU tensor of a Python number, weak in promotion.
TL_API Tensor wrapped_number(const Scalar& value);
// A view of the same storage: shares the version counter, remembers its base.
TL_API Tensor make_view(const Tensor& self, Ints sizes, Ints strides, int64_t offset);
// The same memory without history: shares the version counter, no base.
TL_API Tensor detach(const Tensor& self);
// Another tensor over the same storage with no tie at all (Tensor.data).
TL_API Tensor alias(const Tensor& self);
TL_API void resize(const Tensor& self, Ints sizes);

// Whether operators are recorded, for this thread. Lives here because views remember it.
TL_API bool grad_enabled();
TL_API void set_grad_enabled(bool on);
TL_API bool inference_enabled();
TL_API void set_inference_enabled(bool on);
struct NoGrad {
  bool previous = grad_enabled();
  NoGrad() { set_grad_enabled(false); }
  ~NoGrad() { set_grad_enabled(previous); }
};

// The strides of a dense tensor of this format; raises when it has another number of dims.
TL_API Dims format_strides(Ints sizes, MemoryFormat format);
// Whether the elements lie as format_strides() has them; dims of size 1 do not matter.
TL_API bool is_contiguous(const Tensor& t, MemoryFormat format);
// The format that the strides tell of: channels-last, or Contiguous for all others.
TL_API MemoryFormat suggested_format(const Tensor& t);

// Checks a dim and makes it non-negative; a 0-dim tensor counts as one dim.
TL_API int64_t wrap_dim(int64_t d, int64_t ndim);

}  // namespace tl
