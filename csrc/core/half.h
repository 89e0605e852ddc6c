#pragma once

#include <cstdint>

// Half types: two bytes of storage. Arithmetic is done in float32 and rounded to nearest even.

// Always inlined: a hot kernel file must not leave a copy that the linker could take for another instruction set.
#if defined(__CUDACC__)
#define TL_HOST_DEVICE __host__ __device__
#define TL_INLINE __host__ __device__ __forceinline__
#else
#define TL_HOST_DEVICE
#define TL_INLINE __attribute__((always_inline)) inline
#endif

namespace tl {

template <class To, class From>
TL_INLINE To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}

struct BFloat16 {
  uint16_t bits;

  BFloat16() = default;
  TL_INLINE explicit BFloat16(float f) {
    uint32_t u = bit_cast<uint32_t>(f);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    bits = (u & 0x7fffffffu) > 0x7f800000u ? uint16_t(0x7fc0u) : uint16_t(rounded);
  }
  TL_INLINE explicit operator float() const { return bit_cast<float>(uint32_t(bits) << 16); }
};

struct Half {
  uint16_t bits;

  Half() = default;
  // Branch-free forms after F. Giesen, "float->half variants" (public domain), so that loops vectorise.
  TL_INLINE explicit Half(float f) {
    uint32_t u = bit_cast<uint32_t>(f);
    uint32_t sign = u & 0x80000000u;
    u ^= sign;
    uint32_t special = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
    float denormal_magic = bit_cast<float>(((127u - 15u) + (23u - 10u) + 1u) << 23);
    uint32_t small = bit_cast<uint32_t>(bit_cast<float>(u) + denormal_magic) - bit_cast<uint32_t>(denormal_magic);
    uint32_t normal = (u + ((15u - 127u) << 23) + 0xfffu + ((u >> 13) & 1u)) >> 13;
    uint32_t magnitude = u >= (127u + 16u) << 23 ? special : (u < 113u << 23 ? small : normal);
    bits = uint16_t(magnitude | (sign >> 16));
  }
  TL_INLINE explicit operator float() const {
    uint32_t shifted = uint32_t(bits & 0x7fffu) << 13;
    uint32_t exponent = shifted & (0x7c00u << 13);
    float normal = bit_cast<float>(shifted + ((127u - 15u) << 23));
    float infinite = bit_cast<float>(shifted + ((127u - 15u) << 23) + ((128u - 16u) << 23));
    float magic = bit_cast<float>(113u << 23);
    float small = bit_cast<float>(shifted + (113u << 23)) - magic;
    float magnitude = exponent == (0x7c00u << 13) ? infinite : (exponent == 0 ? small : normal);
    return bit_cast<float>(bit_cast<uint32_t>(magnitude) | (uint32_t(bits & 0x8000u) << 16));
  }
};

}  // namespace tl
