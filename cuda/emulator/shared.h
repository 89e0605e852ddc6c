#pragma once

#include <type_traits>

#include "emulator/scheduler.h"

// Shared memory that knows who wrote it. An access is an error when it lies outside of its array, reads what nobody
// wrote, or meets an access of another thread to the same place, one of the two writing, that no barrier parts from it.

namespace tl::cuda::emulator {

unsigned char* shared_memory(Block& b);
// The offset of the array that this place in the source declares, for the block that runs.
uint32_t static_shared(const void* key, size_t bytes, size_t align);
// Copying: a cp.async was started; Landed: it was waited for.
enum class Access : uint8_t { Read, Write, Atomic, Copying, Landed };
void note_access(uint32_t offset, Access access, Site site);
[[noreturn]] void fail_index(int64_t index, size_t count, Site site);
void copy_async(uint32_t offset, uint32_t bytes, uint32_t step, const void* from);
void commit_copies();
void wait_copies(uint32_t allowed, Site site);

template <class T>
class SharedArray;

// One element: reads and writes are noted.
template <class T>
class SharedElement {
 public:
  SharedElement(uint32_t offset, Site site) : offset_(offset), site_(site) {}
  SharedElement(const SharedElement&) = default;
  operator T() const {
    note_access(offset_, Access::Read, site_);
    T v;
    __builtin_memcpy(&v, place(), sizeof(T));
    return v;
  }
  const SharedElement& operator=(T v) const {
    note_access(offset_, Access::Write, site_);
    __builtin_memcpy(place(), &v, sizeof(T));
    return *this;
  }
  const SharedElement& operator=(const SharedElement& o) const { return *this = T(o); }
  const SharedElement& operator+=(T v) const { return *this = T(T(*this) + v); }
  const SharedElement& operator*=(T v) const { return *this = T(T(*this) * v); }

 private:
  unsigned char* place() const { return current->block->shared.get() + offset_; }
  uint32_t offset_;
  Site site_;
};

// An index, and where in the source it stands.
struct SharedIndex {
  template <class I, class = std::enable_if_t<std::is_integral_v<I>>>
  SharedIndex(I i, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : value(int64_t(i)), site{file, line} {}
  int64_t value;
  Site site;
};

template <class T>
class SharedArray {
 public:
  SharedArray(uint32_t offset, size_t count) : offset_(offset), count_(count) {}
  SharedElement<T> operator[](SharedIndex i) const { return {at(i, 1), i.site}; }
  SharedArray operator+(int64_t n) const {
    if (n < 0 || size_t(n) > count_) fail_index(n, count_, {nullptr, 0});
    return {uint32_t(offset_ + n * int64_t(sizeof(T))), count_ - size_t(n)};
  }
  // Several neighbours as one value.
  template <class V>
  V load(SharedIndex i) const {
    uint32_t o = at(i, sizeof(V) / sizeof(T));
    for (size_t k = 0; k < sizeof(V); k += sizeof(T)) note_access(uint32_t(o + k), Access::Read, i.site);
    V v;
    __builtin_memcpy(&v, current->block->shared.get() + o, sizeof(V));
    return v;
  }
  template <class V>
  void store(SharedIndex i, const V& v) const {
    uint32_t o = at(i, sizeof(V) / sizeof(T));
    for (size_t k = 0; k < sizeof(V); k += sizeof(T)) note_access(uint32_t(o + k), Access::Write, i.site);
    __builtin_memcpy(current->block->shared.get() + o, &v, sizeof(V));
  }
  // For atomic operations and cp.async.
  T* atomic(SharedIndex i) const {
    uint32_t o = at(i, 1);
    note_access(o, Access::Atomic, i.site);
    return reinterpret_cast<T*>(current->block->shared.get() + o);
  }
  uint32_t at(SharedIndex i, size_t n) const {
    if (i.value < 0 || size_t(i.value) + n > count_) fail_index(i.value, count_, i.site);
    uint32_t o = uint32_t(offset_ + size_t(i.value) * sizeof(T));
    return o;
  }

 private:
  uint32_t offset_;
  size_t count_;
};

}  // namespace tl::cuda::emulator
