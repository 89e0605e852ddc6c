#pragma once

#include <cstdint>

#include "core/half.h"
#include "runtime/dim3.h"

// What kernels are written with. Everything of CUDA that is more than a function of numbers is reached through these
// wrappers, so that the emulator can stand in for it (tools/lint_cuda.py sees to it). A wrapper that others can wait
// for takes the place in the source where it is called, for the emulator's errors.

#if defined(__CUDACC__)
#define TL_KERNEL __global__ void
// A kernel whose blocks have at most `threads`, of which `blocks` shall fit on a multiprocessor: bounds its registers.
#define TL_KERNEL_OF(threads, blocks) __global__ void __launch_bounds__(threads, blocks)
#define TL_DEVICE __device__ __forceinline__
#define TL_CONSTANT __constant__
#define TL_UNROLL _Pragma("unroll")
#define TL_UNROLL_BY(n) TL_PRAGMA(unroll n)
#define TL_PRAGMA(x) _Pragma(#x)
#define TL_HERE
#define TL_HERE_ALONE
#else
#include "emulator/shared.h"
#define TL_KERNEL void
#define TL_KERNEL_OF(threads, blocks) void
#define TL_DEVICE inline
#define TL_CONSTANT
#define TL_UNROLL
#define TL_UNROLL_BY(n)
#define TL_HERE , const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define TL_HERE_ALONE const char *file = __builtin_FILE(), int line = __builtin_LINE()
#endif

namespace tl::cuda {

inline constexpr int kWarp = 32;
inline constexpr uint32_t kAllLanes = 0xffffffffu;

// 16 bytes, the widest access.
template <class T, int n>
struct alignas(sizeof(T) * n) Pack {
  T v[n];
};

// A pack in one access; an assignment the compiler may take apart.
template <class T, int n>
TL_DEVICE void store_whole(T* to, const Pack<T, n>& v) {
#if defined(__CUDA_ARCH__)
  if constexpr (sizeof(v) == 16 || sizeof(v) == 8) {
    uint32_t w[sizeof(v) / 4];
    __builtin_memcpy(w, &v, sizeof(v));
    size_t address = __cvta_generic_to_global(to);
    if constexpr (sizeof(v) == 16)
      asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(address), "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3])
                   : "memory");
    else
      asm volatile("st.global.v2.b32 [%0], {%1, %2};" ::"l"(address), "r"(w[0]), "r"(w[1]) : "memory");
    return;
  }
#endif
  *reinterpret_cast<Pack<T, n>*>(to) = v;
}

// a * b + c, rounded once.
TL_DEVICE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
TL_DEVICE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

// ---- half types, by the machine's conversions ----

TL_INLINE float widen(Half h) {
#if defined(__CUDA_ARCH__)
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h.bits));
  return f;
#else
  return float(h);
#endif
}
TL_INLINE float widen(BFloat16 b) { return float(b); }
template <class T>
TL_INLINE T narrow(float f);
template <>
TL_INLINE Half narrow<Half>(float f) {
#if defined(__CUDA_ARCH__)
  Half h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h.bits) : "f"(f));
  return h;
#else
  return Half(f);
#endif
}
template <>
TL_INLINE BFloat16 narrow<BFloat16>(float f) {
#if __CUDA_ARCH__ >= 800
  BFloat16 b;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(b.bits) : "f"(f));
  return b;
#else
  return BFloat16(f);
#endif
}

// ---- where a thread stands ----

#if defined(__CUDACC__)
TL_DEVICE Dim3 thread_index() { return {threadIdx.x, threadIdx.y, threadIdx.z}; }
TL_DEVICE Dim3 block_index() { return {blockIdx.x, blockIdx.y, blockIdx.z}; }
TL_DEVICE Dim3 block_size() { return {blockDim.x, blockDim.y, blockDim.z}; }
TL_DEVICE Dim3 grid_size() { return {gridDim.x, gridDim.y, gridDim.z}; }
#else
TL_DEVICE Dim3 thread_index() { return emulator::current->index; }
TL_DEVICE Dim3 block_index() { return emulator::current->block->index; }
TL_DEVICE Dim3 block_size() { return emulator::current_grid->block; }
TL_DEVICE Dim3 grid_size() { return emulator::current_grid->grid; }
#endif
TL_DEVICE int lane_index() { return int(thread_index().x % kWarp); }  // of one-dimensional blocks
TL_DEVICE int64_t global_index() { return int64_t(block_index().x) * block_size().x + thread_index().x; }
TL_DEVICE int64_t global_size() { return int64_t(grid_size().x) * block_size().x; }

// ---- shared memory ----

// TL_SHARED(float, tile, 256) declares an array; Shared<float> is what a function takes to be given it. Elements are
// read and written as tile[i]; shared_load<Pack<float, 4>>(tile, i) reads several.
#if defined(__CUDACC__)
template <class T>
using Shared = T*;
#define TL_SHARED(T, name, count) __shared__ __align__(16) T name[count]
template <class T>
TL_DEVICE T* dynamic_shared(size_t byte_offset, size_t count) {
  extern __shared__ __align__(16) unsigned char tl_dynamic_shared[];
  return reinterpret_cast<T*>(tl_dynamic_shared + byte_offset);
}
template <class V, class T>
TL_DEVICE V shared_load(T* from, int i) {
  return *reinterpret_cast<const V*>(from + i);
}
template <class V, class T>
TL_DEVICE void shared_store(T* to, int i, const V& v) {
  *reinterpret_cast<V*>(to + i) = v;
}
#else
template <class T>
using Shared = emulator::SharedArray<T>;
#define TL_SHARED(T, name, count)                  \
  static const char name##_key = 0;                \
  const ::tl::cuda::emulator::SharedArray<T> name( \
      ::tl::cuda::emulator::static_shared(&name##_key, sizeof(T) * size_t(count), 16), size_t(count))
template <class T>
TL_DEVICE Shared<T> dynamic_shared(size_t byte_offset, size_t count) {
  if (byte_offset + count * sizeof(T) > emulator::current_grid->dynamic_shared)
    emulator::fail_index(int64_t(byte_offset + count * sizeof(T)), emulator::current_grid->dynamic_shared,
                         {nullptr, 0});
  return {uint32_t(byte_offset), count};
}
template <class V, class T>
TL_DEVICE V shared_load(Shared<T> from, emulator::SharedIndex i) {
  return from.template load<V>(i);
}
template <class V, class T>
TL_DEVICE void shared_store(Shared<T> to, emulator::SharedIndex i, const V& v) {
  to.store(i, v);
}
#endif

// ---- barriers ----

#if defined(__CUDACC__)
TL_DEVICE void sync_block() { __syncthreads(); }
TL_DEVICE int sync_block_count(bool v) { return __syncthreads_count(v); }
TL_DEVICE void sync_warp(uint32_t mask = kAllLanes) { __syncwarp(mask); }
TL_DEVICE void fence() { __threadfence(); }
#else
TL_DEVICE void sync_block(TL_HERE_ALONE) { emulator::wait_barrier({file, line}); }
TL_DEVICE int sync_block_count(bool v TL_HERE) { return emulator::wait_barrier_sum(v, {file, line}); }
TL_DEVICE void sync_warp(uint32_t mask = kAllLanes TL_HERE) { emulator::wait_warp(mask, {file, line}); }
TL_DEVICE void fence() {}
#endif

// ---- shuffles and votes: of values of up to 16 bytes ----

#if defined(__CUDACC__)
template <class T>
TL_DEVICE T shuffle(T v, int source, uint32_t mask = kAllLanes) {
  static_assert(sizeof(T) % 4 == 0 || sizeof(T) <= 2);
  constexpr int n = sizeof(T) < 4 ? 1 : int(sizeof(T) / 4);
  uint32_t words[n] = {};
  __builtin_memcpy(words, &v, sizeof(T));
#pragma unroll
  for (int i = 0; i < n; ++i) words[i] = __shfl_sync(mask, words[i], source);
  __builtin_memcpy(&v, words, sizeof(T));
  return v;
}
TL_DEVICE uint32_t ballot(bool v, uint32_t mask = kAllLanes) { return __ballot_sync(mask, v); }
// The lanes that have the same lowest bits of `v`.
template <int bits>
TL_DEVICE uint32_t match_lanes(uint32_t v) {
  uint32_t peers = kAllLanes;
#pragma unroll
  for (int b = 0; b < bits; ++b) {
    bool set = v >> b & 1;
    uint32_t voted = __ballot_sync(kAllLanes, set);
    peers &= set ? voted : ~voted;
  }
  return peers;
}
TL_DEVICE int lanes_of(uint32_t mask) { return __popc(mask); }
#else
template <class T>
TL_DEVICE T shuffle(T v, int source, uint32_t mask = kAllLanes TL_HERE) {
  static_assert(sizeof(T) <= 16);
  uint64_t words[2] = {};
  __builtin_memcpy(words, &v, sizeof(T));
  emulator::exchange(mask, source & (kWarp - 1), words, {file, line});
  __builtin_memcpy(&v, words, sizeof(T));
  return v;
}
TL_DEVICE uint32_t ballot(bool v, uint32_t mask = kAllLanes TL_HERE) { return emulator::ballot(mask, v, {file, line}); }
template <int bits>
TL_DEVICE uint32_t match_lanes(uint32_t v TL_HERE) {
  return emulator::match(kAllLanes, v & uint32_t((uint64_t(1) << bits) - 1), {file, line});
}
TL_DEVICE int lanes_of(uint32_t mask) { return __builtin_popcount(mask); }
#endif
template <class T>
TL_DEVICE T shuffle_xor(T v, int bits, uint32_t mask = kAllLanes) {
  return shuffle(v, lane_index() ^ bits, mask);
}
// From the lane `n` above, or below; a lane that has none keeps its own.
template <class T>
TL_DEVICE T shuffle_down(T v, int n, uint32_t mask = kAllLanes) {
  int from = lane_index() + n;
  return shuffle(v, from < kWarp ? from : lane_index(), mask);
}
template <class T>
TL_DEVICE T shuffle_up(T v, int n, uint32_t mask = kAllLanes) {
  int from = lane_index() - n;
  return shuffle(v, from >= 0 ? from : lane_index(), mask);
}
TL_DEVICE bool any_lane(bool v, uint32_t mask = kAllLanes) { return ballot(v, mask) != 0; }
TL_DEVICE bool all_lanes(bool v, uint32_t mask = kAllLanes) { return ballot(!v, mask) == 0; }

// ---- atomics; each gives what was there ----

#if defined(__CUDACC__)
template <class T>
TL_DEVICE T atomic_add(T* p, T v) {
  if constexpr (sizeof(T) == 8 && T(1) / 2 == T(0))  // of 64 bits
    return T(atomicAdd(reinterpret_cast<unsigned long long*>(p), static_cast<unsigned long long>(v)));
  else
    return atomicAdd(p, v);
}
template <class T>
TL_DEVICE T atomic_max(T* p, T v) {
  if constexpr (sizeof(T) == 8 && T(-1) < T(0))
    return T(atomicMax(reinterpret_cast<long long*>(p), static_cast<long long>(v)));
  else if constexpr (sizeof(T) == 8)
    return T(atomicMax(reinterpret_cast<unsigned long long*>(p), static_cast<unsigned long long>(v)));
  else
    return atomicMax(p, v);
}
template <class T>
TL_DEVICE T atomic_min(T* p, T v) {
  if constexpr (sizeof(T) == 8 && T(-1) < T(0))
    return T(atomicMin(reinterpret_cast<long long*>(p), static_cast<long long>(v)));
  else if constexpr (sizeof(T) == 8)
    return T(atomicMin(reinterpret_cast<unsigned long long*>(p), static_cast<unsigned long long>(v)));
  else
    return atomicMin(p, v);
}
template <class T>
TL_DEVICE T atomic_exchange(T* p, T v) {
  return atomicExch(p, v);
}
template <class T>
TL_DEVICE T atomic_compare_exchange(T* p, T expected, T desired) {
  return atomicCAS(p, expected, desired);
}
TL_DEVICE uint32_t load_acquire(const uint32_t* p) {
  uint32_t v;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(p) : "memory");
  return v;
}
TL_DEVICE void store_release(uint32_t* p, uint32_t v) {
  asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory");
}
TL_DEVICE uint64_t load_acquire(const uint64_t* p) {
  uint64_t v;
  asm volatile("ld.acquire.gpu.global.u64 %0, [%1];" : "=l"(v) : "l"(p) : "memory");
  return v;
}
TL_DEVICE void store_release(uint64_t* p, uint64_t v) {
  asm volatile("st.release.gpu.global.u64 [%0], %1;" ::"l"(p), "l"(v) : "memory");
}
template <class T>
TL_DEVICE T shared_atomic_add(Shared<T> s, int i, T v) {
  return atomic_add(s + i, v);
}
#else
template <class T>
TL_DEVICE T atomic_add(T* p, T v) {
  T old = *p;
  *p = T(old + v);
  return old;
}
template <class T>
TL_DEVICE T atomic_max(T* p, T v) {
  T old = *p;
  if (v > old) *p = v;
  return old;
}
template <class T>
TL_DEVICE T atomic_min(T* p, T v) {
  T old = *p;
  if (v < old) *p = v;
  return old;
}
template <class T>
TL_DEVICE T atomic_exchange(T* p, T v) {
  T old = *p;
  *p = v;
  return old;
}
template <class T>
TL_DEVICE T atomic_compare_exchange(T* p, T expected, T desired) {
  T old = *p;
  if (old == expected) *p = desired;
  return old;
}
TL_DEVICE uint32_t load_acquire(const uint32_t* p TL_HERE) {
  emulator::pause({file, line});
  return *p;
}
TL_DEVICE void store_release(uint32_t* p, uint32_t v) { *p = v; }
TL_DEVICE uint64_t load_acquire(const uint64_t* p TL_HERE) {
  emulator::pause({file, line});
  return *p;
}
TL_DEVICE void store_release(uint64_t* p, uint64_t v) { *p = v; }
template <class T>
TL_DEVICE T shared_atomic_add(Shared<T> s, emulator::SharedIndex i, T v) {
  return atomic_add(s.atomic(i), v);
}
#endif

// ---- cp.async: 4, 8 or 16 bytes from global to shared memory, past the registers ----

// With `valid` false zeros are written and `from` is not read. What was copied may be read after copy_async_wait and a
// barrier.
#if defined(__CUDACC__)
template <int bytes, class T>
TL_DEVICE void copy_async(T* to, int i, const T* from, bool valid = true) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16);
  uint32_t address = uint32_t(__cvta_generic_to_shared(to + i));
  int size = valid ? bytes : 0;
#if __CUDA_ARCH__ >= 800
  if constexpr (bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(size) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(address), "l"(from), "n"(bytes), "r"(size)
                 : "memory");
#else
#pragma unroll
  for (int k = 0; k < bytes / int(sizeof(T)); ++k) to[i + k] = size ? from[k] : T();
#endif
}
TL_DEVICE void copy_async_commit() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// Until at most `allowed` of the committed groups are under way.
template <int allowed>
TL_DEVICE void copy_async_wait() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(allowed) : "memory");
#endif
}
#else
template <int bytes, class T>
TL_DEVICE void copy_async(Shared<T> to, emulator::SharedIndex i, const T* from, bool valid = true) {
  static_assert(bytes == 4 || bytes == 8 || bytes == 16);
  uint32_t offset = to.at(i, bytes / sizeof(T));
  if (offset % bytes || (valid && reinterpret_cast<uintptr_t>(from) % bytes))
    emulator::fail_thread("copies asynchronously from or to an address that is not aligned", i.site);
  emulator::copy_async(offset, bytes, sizeof(T), valid ? from : nullptr);
}
TL_DEVICE void copy_async_commit() { emulator::commit_copies(); }
template <int allowed>
TL_DEVICE void copy_async_wait(TL_HERE_ALONE) {
  emulator::wait_copies(allowed, {file, line});
}
#endif

}  // namespace tl::cuda

#include "runtime/mma.h"
