#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/export.h"

namespace tl {

// A read-only run of integers: sizes, strides, dims.
class Ints {
 public:
  Ints() = default;
  Ints(const int64_t* data, size_t size) : data_(data), size_(size) {}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime"
  // For arguments only: the list lives until the end of the full expression.
  Ints(std::initializer_list<int64_t> l) : data_(l.begin()), size_(l.size()) {}
#pragma GCC diagnostic pop
  Ints(const std::vector<int64_t>& v) : data_(v.data()), size_(v.size()) {}

  const int64_t* begin() const { return data_; }
  const int64_t* end() const { return data_ + size_; }
  const int64_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t operator[](size_t i) const { return data_[i]; }
  int64_t back() const { return data_[size_ - 1]; }
  Ints slice(size_t from, size_t n) const { return {data_ + from, n}; }
  Ints slice(size_t from) const { return {data_ + from, size_ - from}; }
  bool operator==(Ints o) const { return size_ == o.size_ && std::equal(begin(), end(), o.begin()); }

 private:
  const int64_t* data_ = nullptr;
  size_t size_ = 0;
};

// A growable run of integers that needs no allocation up to five of them.
class Dims {
 public:
  static constexpr size_t kInline = 5;
  Dims() = default;
  explicit Dims(size_t n, int64_t fill = 0) { resize(n, fill); }
  Dims(std::initializer_list<int64_t> l) { assign(l.begin(), l.size()); }
  Dims(Ints v) { assign(v.data(), v.size()); }
  Dims(const Dims& o) { assign(o.data(), o.size()); }
  Dims(Dims&& o) noexcept { steal(o); }
  Dims& operator=(const Dims& o) {
    if (this != &o) assign(o.data(), o.size());
    return *this;
  }
  Dims& operator=(Dims&& o) noexcept {
    if (this != &o) {
      if (heap_) delete[] heap_;
      steal(o);
    }
    return *this;
  }
  ~Dims() {
    if (heap_) delete[] heap_;
  }

  operator Ints() const { return {data(), size_}; }
  int64_t* data() { return heap_ ? heap_ : inline_; }
  const int64_t* data() const { return heap_ ? heap_ : inline_; }
  int64_t* begin() { return data(); }
  int64_t* end() { return data() + size_; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t& operator[](size_t i) { return data()[i]; }
  int64_t operator[](size_t i) const { return data()[i]; }
  int64_t& back() { return data()[size_ - 1]; }
  int64_t back() const { return data()[size_ - 1]; }
  bool operator==(const Dims& o) const { return Ints(*this) == Ints(o); }

  void resize(size_t n, int64_t fill = 0) {
    reserve(n);
    for (size_t i = size_; i < n; ++i) data()[i] = fill;
    size_ = uint32_t(n);
  }
  void push_back(int64_t v) {
    reserve(size_ + 1);
    data()[size_++] = v;
  }
  void pop_back() { --size_; }
  void insert(size_t at, int64_t v) {
    push_back(v);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(size_t at) {
    std::copy(begin() + at + 1, end(), begin() + at);
    --size_;
  }
  void assign(const int64_t* d, size_t n) {
    reserve(n);
    if (n) std::memmove(data(), d, n * sizeof(int64_t));
    size_ = uint32_t(n);
  }
  void clear() { size_ = 0; }

 private:
  void reserve(size_t n) {
    if (n <= capacity_) return;
    size_t grown = std::max<size_t>(n, 2 * capacity_);
    int64_t* fresh = new int64_t[grown];
    std::memcpy(fresh, data(), size_ * sizeof(int64_t));
    if (heap_) delete[] heap_;
    heap_ = fresh;
    capacity_ = uint32_t(grown);
  }
  void steal(Dims& o) {
    size_ = o.size_;
    capacity_ = o.capacity_;
    heap_ = o.heap_;
    if (!heap_) std::memcpy(inline_, o.inline_, sizeof(inline_));
    o.heap_ = nullptr;
    o.size_ = 0;
    o.capacity_ = kInline;
  }
  uint32_t size_ = 0;
  uint32_t capacity_ = kInline;
  int64_t* heap_ = nullptr;
  int64_t inline_[kInline];
};

// "[2, 3]"
TL_API std::string to_string(Ints v);
inline int64_t numel_of(Ints sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  return n;
}
// Strides of a row-major tensor.
TL_API Dims contiguous_strides(Ints sizes);

}  // namespace tl
