#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace tl {

// A growable array whose first N elements need no allocation. Not copyable: it lives inside objects that are not
// either.
template <class T, size_t N>
class Small {
 public:
  Small() = default;
  Small(const Small&) = delete;
  Small& operator=(const Small&) = delete;
  Small(Small&& o) noexcept { take(o); }
  Small& operator=(Small&& o) noexcept {
    if (this != &o) {
      clear();
      free_heap();
      take(o);
    }
    return *this;
  }
  ~Small() {
    clear();
    free_heap();
  }

  template <class... A>
  T& emplace_back(A&&... args) {
    if (size_ == capacity_) grow();
    return *new (data_ + size_++) T(std::forward<A>(args)...);
  }
  void push_back(T v) { emplace_back(std::move(v)); }
  void resize(size_t n) {
    while (size_ > n) data_[--size_].~T();
    while (size_ < n) emplace_back();
  }
  void clear() { resize_down(0); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }

 private:
  T* inline_data() { return reinterpret_cast<T*>(raw_); }
  void resize_down(size_t n) {
    while (size_ > n) data_[--size_].~T();
  }
  void grow() {
    uint32_t grown = capacity_ * 2;
    T* fresh = static_cast<T*>(::operator new(grown * sizeof(T), std::align_val_t(alignof(T))));
    for (uint32_t i = 0; i < size_; ++i) {
      new (fresh + i) T(std::move(data_[i]));
      data_[i].~T();
    }
    free_heap();
    data_ = fresh;
    capacity_ = grown;
  }
  void free_heap() {
    if (data_ != inline_data()) ::operator delete(data_, std::align_val_t(alignof(T)));
  }
  void take(Small& o) {
    if (o.data_ != o.inline_data()) {
      data_ = o.data_;
      capacity_ = o.capacity_;
      size_ = o.size_;
    } else {
      data_ = inline_data();
      capacity_ = N;
      size_ = 0;
      for (T& v : o) emplace_back(std::move(v));
      o.clear();
    }
    o.data_ = o.inline_data();
    o.capacity_ = N;
    o.size_ = 0;
  }

  T* data_ = inline_data();
  uint32_t size_ = 0;
  uint32_t capacity_ = N;
  alignas(T) unsigned char raw_[N * sizeof(T)];
};

}  // namespace tl
