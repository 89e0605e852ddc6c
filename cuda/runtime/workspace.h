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

}  // namespace tl::cuda
