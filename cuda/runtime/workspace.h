#pragma once

#include "runtime/allocator.h"
#include "runtime/walk.h"

namespace tl::cuda {

// Memory that kernels of one operator pass on to each other. It is given back when the operator returns: its next user
// comes after them on the stream.
class Workspace {
 public:
  Workspace(const Launcher& l, size_t bytes) : device_{DeviceType::CUDA, int8_t(l.scope.now)} {
    if (bytes) data_ = caching_allocator().allocate(bytes, device_);
  }
  ~Workspace() {
    if (data_) caching_allocator().free(data_, 0, device_);
  }
  Workspace(const Workspace&) = delete;
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Device device_;
  void* data_ = nullptr;
};

// The same, of n elements of one type.
template <class T>
class WorkArray : public Workspace {
 public:
  WorkArray(const Launcher& l, int64_t n) : Workspace(l, size_t(n) * sizeof(T)), bytes_(size_t(n) * sizeof(T)) {}
  T* data() const { return as<T>(); }
  void zero(const Launcher& l) const {
    if (bytes_) driver::set_bytes(data(), 0, bytes_, l.stream);
  }

 private:
  size_t bytes_;
};

}  // namespace tl::cuda
