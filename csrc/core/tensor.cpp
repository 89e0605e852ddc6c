#include "core/tensor.h"

#include <cstring>
#include <new>

#include "core/cuda.h"

namespace tl {

BindingHooks binding_hooks{};

namespace {
thread_local bool grad_enabled_ = true;
thread_local bool inference_enabled_ = false;
}  // namespace

bool grad_enabled() { return grad_enabled_; }
void set_grad_enabled(bool on) { grad_enabled_ = on; }
bool inference_enabled() { return inference_enabled_; }
void set_inference_enabled(bool on) { inference_enabled_ = on; }

std::string to_string(Ints v) {
  std::string text = "[";
  for (size_t i = 0; i < v.size(); ++i) {
    if (i) text += ", ";
    text += std::to_string(v[i]);
  }
  return text + "]";
}

Dims contiguous_strides(Ints sizes) {
  Dims strides(sizes.size());
  int64_t step = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<int64_t>(sizes[i], 1);
  }
  return strides;
}

Dims format_strides(Ints sizes, MemoryFormat format) {
  if (format == MemoryFormat::Preserve || format == MemoryFormat::Contiguous) return contiguous_strides(sizes);
  size_t n = format == MemoryFormat::ChannelsLast ? 4 : 5;
  check(sizes.size() == n, "required rank ", n, " tensor to use channels_last", n == 5 ? "_3d" : "", " format");
  Dims strides(n);
  int64_t step = 1;
  auto next = [&](size_t d) {
    strides[d] = step;
    step *= std::max<int64_t>(sizes[d], 1);
  };
  next(1);
  for (size_t d = n; d-- > 2;) next(d);
  next(0);
  return strides;
}

bool is_contiguous(const Tensor& t, MemoryFormat format) {
  if (format == MemoryFormat::Preserve || format == MemoryFormat::Contiguous) return t.is_contiguous();
  if (t.dim() != (format == MemoryFormat::ChannelsLast ? 4 : 5)) return false;
  Dims wanted = format_strides(t.sizes(), format);
  for (size_t d = 0; d < wanted.size(); ++d)
    if (t.sizes()[d] != 1 && t.strides()[d] != wanted[d]) return t.numel() == 0;
  return true;
}

MemoryFormat suggested_format(const Tensor& t) {
  if (t.dim() != 4 && t.dim() != 5) return MemoryFormat::Contiguous;
  Ints sizes = t.sizes(), strides = t.strides();
  if (strides[1] == 0) return MemoryFormat::Contiguous;
  // Each stride must reach over the dim before it, in the order channels, width, height, (depth,) image.
  int64_t least = 0;
  for (int64_t k = 0; k < t.dim(); ++k) {
    int64_t d = k == 0 ? 1 : k == t.dim() - 1 ? 0 : t.dim() - k;
    if (sizes[d] == 0 || strides[d] < least) return MemoryFormat::Contiguous;
    if (d == 0 && least == strides[1]) return MemoryFormat::Contiguous;  // one channel, one pixel: it fits both
    least = strides[d] * std::max<int64_t>(sizes[d], 1);
  }
  return t.dim() == 4 ? MemoryFormat::ChannelsLast : MemoryFormat::ChannelsLast3d;
}

int64_t wrap_dim(int64_t d, int64_t ndim) {
  int64_t range = std::max<int64_t>(ndim, 1);
  if (d < -range || d >= range) [[unlikely]]
    fail<IndexError>("Dimension out of range (expected to be in range of [", -range, ", ", range - 1, "], but got ", d,
                     ")");
  return d < 0 ? d + range : d;
}

// ---- Storage ----

Ref<Storage> Storage::allocate(size_t nbytes, Device device) {
  void* data = nbytes ? allocator(device.type).allocate(nbytes, device) : nullptr;
  Storage* s = new Storage;
  s->data_ = data;
  s->nbytes_ = nbytes;
  s->device_ = device;
  return Ref<Storage>::adopt(s);
}

Ref<Storage> Storage::foreign(void* data, size_t nbytes, Device device, void (*deleter)(void*), void* context) {
  Storage* s = new Storage;
  s->data_ = data;
  s->nbytes_ = nbytes;
  s->device_ = device;
  s->deleter_ = deleter;
  s->context_ = context;
  return Ref<Storage>::adopt(s);
}

void Storage::destroy(Storage* s) {
  if (s->deleter_)
    s->deleter_(s->context_);
  else if (s->data_)
    allocator(s->device_.type).free(s->data_, s->nbytes_, s->device_);
  delete s;
}

void Storage::resize(size_t nbytes) {
  check(!deleter_,
        "Trying to resize storage that is not resizable: its memory belongs to another library. "
        "Work on a .clone() instead.");
  void* fresh = nbytes ? allocator(device_.type).allocate(nbytes, device_) : nullptr;
  if (size_t kept = std::min(nbytes, nbytes_)) {
    if (device_.is_cpu())
      std::memcpy(fresh, data_, kept);
    else
      cuda_runtime().copy(fresh, device_, data_, device_, kept, true);
  }
  if (data_) allocator(device_.type).free(data_, nbytes_, device_);
  data_ = fresh;
  nbytes_ = nbytes;
}

// ---- TensorImpl ----

void TensorImpl::destroy(TensorImpl* t) { delete t; }

void TensorImpl::refresh() {
  int64_t n = 1;
  bool dense = true;
  const int64_t *size = sizes.data(), *stride = strides.data();
  for (size_t i = sizes.size(); i-- > 0;) {
    if (size[i] != 1) dense &= stride[i] == n;
    n *= size[i];
  }
  numel = n;
  contiguous = dense || n == 0;
}

VersionCounter* TensorImpl::shared_counter() {
  if (!counter_) {
    counter_ = Ref<VersionCounter>::adopt(new VersionCounter);
    counter_->value = version_;
  }
  return counter_.get();
}

void TensorImpl::share_counter(TensorImpl& other) { counter_ = Ref<VersionCounter>::share(other.shared_counter()); }

// ---- making tensors ----

namespace {

size_t checked_bytes(Ints sizes, Dtype dtype) {
  int64_t n = 1;
  for (int64_t s : sizes) {
    check(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", to_string(sizes));
    if (__builtin_mul_overflow(n, s, &n)) fail("Storage size calculation overflowed with sizes=", to_string(sizes));
  }
  int64_t bytes;
  if (__builtin_mul_overflow(n, int64_t(itemsize(dtype)), &bytes))
    fail("Storage size calculation overflowed with sizes=", to_string(sizes));
  return size_t(bytes);
}

Tensor fresh(Ref<Storage> storage, Ints sizes, Ints strides, Dtype dtype, Device device) {
  TensorImpl* t = new TensorImpl;
  t->storage = std::move(storage);
  t->sizes = sizes;
  t->strides = strides;
  t->dtype = dtype;
  t->device = device;
  t->inference = inference_enabled_;
  t->refresh();
  return Tensor(Ref<TensorImpl>::adopt(t));
}

Tensor twin(const Tensor& self, Ints sizes, Ints strides, int64_t offset) {
  Tensor t = fresh(self.impl()->storage, sizes, strides, self.dtype(), self.device());
  t.impl()->offset = offset;
  t.impl()->conj = self.impl()->conj;
  t.impl()->neg = self.impl()->neg;
  t.impl()->inference = self.impl()->inference;
  return t;
}

}  // namespace

Tensor empty(Ints sizes, Dtype dtype, Device device) {
  size_t bytes = checked_bytes(sizes, dtype);
  if (!device.is_cpu()) [[unlikely]]
    device = resolve_device(device);
  TensorImpl* t = new TensorImpl;
  Tensor result(Ref<TensorImpl>::adopt(t));
  t->storage = Storage::allocate(bytes, device);
  t->sizes = sizes;
  t->strides.resize(sizes.size());
  int64_t step = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    t->strides[i] = step;
    step *= std::max<int64_t>(sizes[i], 1);
  }
  t->numel = int64_t(bytes / itemsize(dtype));
  t->dtype = dtype;
  t->device = device;
  t->inference = inference_enabled_;
  return result;
}

Tensor empty_strided(Ints sizes, Ints strides, Dtype dtype, Device device) {
  check(sizes.size() == strides.size(), "mismatch in length of strides and shape: ", to_string(strides), " and ",
        to_string(sizes));
  checked_bytes(sizes, dtype);
  device = resolve_device(device);
  int64_t extent = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    check(strides[i] >= 0, "empty_strided: strides must not be negative, but got ", to_string(strides));
    if (sizes[i] == 0) {
      extent = 0;
      break;
    }
    int64_t span;
    if (__builtin_mul_overflow(sizes[i] - 1, strides[i], &span) || __builtin_add_overflow(extent, span, &extent) ||
        extent > INT64_MAX / 16)
      fail("Storage size calculation overflowed with sizes=", to_string(sizes), " and strides=", to_string(strides));
  }
  return fresh(Storage::allocate(size_t(extent) * itemsize(dtype), device), sizes, strides, dtype, device);
}

Tensor wrapped_number(const Scalar& value) {
  Dtype dtype = value.is_float() ? Dtype::Float64 : value.is_complex() ? Dtype::Complex128 : value.dtype();
  Tensor t = empty({}, dtype);
  t.impl()->wrapped_number = true;
  switch (dtype) {
    case Dtype::Bool:
      *t.data_as<bool>() = value.i != 0;
      break;
    case Dtype::Int64:
      *t.data_as<int64_t>() = value.i;
      break;
    case Dtype::Float64:
      *t.data_as<double>() = value.d;
      break;
    default:
      *t.data_as<complex128>() = value.to<complex128>();
  }
  return t;
}

Tensor make_view(const Tensor& self, Ints sizes, Ints strides, int64_t offset) {
  Tensor view = twin(self, sizes, strides, offset);
  TensorImpl *from = self.impl(), *to = view.impl();
  to->share_counter(*from);
  to->view_version = to->version();
  // Nothing is ever recorded on a tensor of inference mode, so nothing is to be found through its views.
  if (!from->inference) to->base = from->base ? from->base : Ref<TensorImpl>::share(from);
  if (!grad_enabled_) to->view_kind = inference_enabled_ && !from->inference ? ViewKind::Inference : ViewKind::NoGrad;
  if (from->base && from->view_kind != ViewKind::Default && grad_enabled_) to->view_kind = from->view_kind;
  return view;
}

Tensor detach(const Tensor& self) {
  Tensor t = twin(self, self.sizes(), self.strides(), self.offset());
  t.impl()->share_counter(*self.impl());
  return t;
}

Tensor alias(const Tensor& self) { return twin(self, self.sizes(), self.strides(), self.offset()); }

void resize(const Tensor& self, Ints sizes) {
  TensorImpl* t = self.impl();
  if (Ints(t->sizes) == sizes) return;
  size_t bytes = checked_bytes(sizes, t->dtype) + size_t(t->offset) * itemsize(t->dtype);
  if (bytes > t->storage->nbytes()) t->storage->resize(bytes);
  t->sizes = sizes;
  t->strides = contiguous_strides(sizes);
  t->refresh();
}

}  // namespace tl
