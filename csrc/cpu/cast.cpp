#include "kernels/cast.h"

#include <immintrin.h>

#include "cpu/isa.h"
#include "cpu/loops.h"

// Runs of elements: conversion between dtypes, gathering and scattering with a stride, small transposes, streaming.

namespace tl::cpu::TL_ISA {
namespace {

// ---- conversion ----

struct Bool8 {
  uint8_t v;
};

constexpr float kTwo31 = 2147483648.0f, kTwo63 = 9223372036854775808.0f;

// A float outside the range of the integer becomes its lowest value, as the machine's own conversion does.
TL_INLINE int32_t to_i32(float x) { return int32_t(x >= -kTwo31 && x < kTwo31 ? x : -kTwo31); }
TL_INLINE int64_t to_i64(float x) { return int64_t(x >= -kTwo63 && x < kTwo63 ? x : -kTwo63); }
TL_INLINE int32_t to_i32(double x) { return int32_t(x > -2147483649.0 && x < 2147483648.0 ? x : -2147483648.0); }
TL_INLINE int64_t to_i64(double x) { return int64_t(x >= -double(kTwo63) && x < double(kTwo63) ? x : -double(kTwo63)); }

template <class T>
constexpr bool is_float_type = false;
template <>
constexpr bool is_float_type<float> = true;
template <>
constexpr bool is_float_type<double> = true;
template <class T>
constexpr bool is_bool_type = false;
template <>
constexpr bool is_bool_type<Bool8> = true;

template <class To, class From>
TL_INLINE To convert_one(From x) {
  if constexpr (is_bool_type<From>) {
    if constexpr (is_bool_type<To>)
      return x;
    else
      return To(x.v);
  } else if constexpr (is_bool_type<To>) {
    return Bool8{uint8_t(x != From(0))};
  } else if constexpr (is_float_type<From> && !is_float_type<To>) {
    if constexpr (sizeof(To) == 8)
      return To(to_i64(x));
    else
      return To(to_i32(x));
  } else {
    return To(x);
  }
}

template <class To, class From>
void convert_run(void* to, const void* from, int64_t n) {
  auto* __restrict out = static_cast<To*>(to);
  auto* __restrict in = static_cast<const From*>(from);
  for (int64_t i = 0; i < n; ++i) out[i] = convert_one<To>(in[i]);
}

template <int kWidth>
void same_run(void* to, const void* from, int64_t n) {
  __builtin_memcpy(to, from, size_t(n) * kWidth);
}

TL_INLINE float bits_to_float(uint32_t u) {
  float f;
  __builtin_memcpy(&f, &u, 4);
  return f;
}
TL_INLINE uint32_t float_to_bits(float f) {
  uint32_t u;
  __builtin_memcpy(&u, &f, 4);
  return u;
}

void bfloat_to_float(void* to, const void* from, int64_t n) {
  auto* __restrict out = static_cast<float*>(to);
  auto* __restrict in = static_cast<const uint16_t*>(from);
  for (int64_t i = 0; i < n; ++i) out[i] = bits_to_float(uint32_t(in[i]) << 16);
}

void float_to_bfloat(void* to, const void* from, int64_t n) {
  auto* __restrict out = static_cast<uint16_t*>(to);
  auto* __restrict in = static_cast<const float*>(from);
  for (int64_t i = 0; i < n; ++i) {
    uint32_t u = float_to_bits(in[i]);
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    out[i] = uint16_t((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
  }
}

// Branch-free half conversions after F. Giesen, "float->half variants" (public domain).
TL_INLINE float half_one(uint16_t bits) {
  uint32_t shifted = uint32_t(bits & 0x7fffu) << 13;
  uint32_t exponent = shifted & (0x7c00u << 13);
  float normal = bits_to_float(shifted + ((127u - 15u) << 23));
  float infinite = bits_to_float(shifted + ((127u - 15u) << 23) + ((128u - 16u) << 23));
  float small = bits_to_float(shifted + (113u << 23)) - bits_to_float(113u << 23);
  float magnitude = exponent == (0x7c00u << 13) ? infinite : (exponent == 0 ? small : normal);
  return bits_to_float(float_to_bits(magnitude) | (uint32_t(bits & 0x8000u) << 16));
}

TL_INLINE uint16_t float_one(float f) {
  uint32_t u = float_to_bits(f);
  uint32_t sign = u & 0x80000000u;
  u ^= sign;
  uint32_t special = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
  uint32_t magic = ((127u - 15u) + (23u - 10u) + 1u) << 23;
  uint32_t small = float_to_bits(bits_to_float(u) + bits_to_float(magic)) - magic;
  uint32_t normal = (u + ((15u - 127u) << 23) + 0xfffu + ((u >> 13) & 1u)) >> 13;
  uint32_t magnitude = u >= (127u + 16u) << 23 ? special : (u < 113u << 23 ? small : normal);
  return uint16_t(magnitude | (sign >> 16));
}

void half_to_float(void* to, const void* from, int64_t n) {
  auto* __restrict out = static_cast<float*>(to);
  auto* __restrict in = static_cast<const uint16_t*>(from);
  int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
#endif
  for (; i < n; ++i) out[i] = half_one(in[i]);
}

void float_to_half(void* to, const void* from, int64_t n) {
  auto* __restrict out = static_cast<uint16_t*>(to);
  auto* __restrict in = static_cast<const float*>(from);
  int64_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
#endif
  for (; i < n; ++i) out[i] = float_one(in[i]);
}

template <class R>
void real_to_complex(void* to, const void* from, int64_t n) {
  auto* __restrict out = static_cast<R*>(to);
  auto* __restrict in = static_cast<const R*>(from);
  for (int64_t i = 0; i < n; ++i) {
    out[2 * i] = in[i];
    out[2 * i + 1] = 0;
  }
}

template <class R>
void complex_to_real(void* to, const void* from, int64_t n) {
  auto* __restrict out = static_cast<R*>(to);
  auto* __restrict in = static_cast<const R*>(from);
  for (int64_t i = 0; i < n; ++i) out[i] = in[2 * i];
}

template <class R>
void complex_to_bool(void* to, const void* from, int64_t n) {
  auto* __restrict out = static_cast<uint8_t*>(to);
  auto* __restrict in = static_cast<const R*>(from);
  for (int64_t i = 0; i < n; ++i) out[i] = in[2 * i] != 0 || in[2 * i + 1] != 0;
}

template <class To, class From>
void complex_to_complex(void* to, const void* from, int64_t n) {
  convert_run<To, From>(to, from, 2 * n);
}

// Two steps through a small buffer, for the pairs that are not worth a loop of their own.
template <BlockTools::Convert kFirst, BlockTools::Convert kSecond, int kFromWidth, int kToWidth>
void convert_twice(void* to, const void* from, int64_t n) {
  alignas(64) char buffer[4096];
  for (int64_t at = 0; at < n; at += 256) {
    int64_t m = n - at < 256 ? n - at : 256;
    kFirst(buffer, static_cast<const char*>(from) + at * kFromWidth, m);
    kSecond(static_cast<char*>(to) + at * kToWidth, buffer, m);
  }
}

// How a dtype reaches the arithmetic types: itself, or float32 for halves, or its real type for complex.
template <Dtype t>
struct Type {};
#define TL_REAL(tag, T)                                                    \
  template <>                                                              \
  struct Type<Dtype::tag> {                                                \
    using Via = T;                                                         \
    static constexpr bool direct = true;                                   \
    static constexpr BlockTools::Convert enter = nullptr, leave = nullptr; \
    static constexpr int width = sizeof(T);                                \
  };
#define TL_PACKED(tag, T, bytes, in, out)                         \
  template <>                                                     \
  struct Type<Dtype::tag> {                                       \
    using Via = T;                                                \
    static constexpr bool direct = false;                         \
    static constexpr BlockTools::Convert enter = in, leave = out; \
    static constexpr int width = bytes;                           \
  };
TL_REAL(Bool, Bool8)
TL_REAL(UInt8, uint8_t)
TL_REAL(Int8, int8_t)
TL_REAL(Int16, int16_t)
TL_REAL(Int32, int32_t)
TL_REAL(Int64, int64_t)
TL_REAL(Float32, float)
TL_REAL(Float64, double)
TL_PACKED(Float16, float, 2, half_to_float, float_to_half)
TL_PACKED(BFloat16, float, 2, bfloat_to_float, float_to_bfloat)
TL_PACKED(Complex64, float, 8, complex_to_real<float>, real_to_complex<float>)
TL_PACKED(Complex128, double, 16, complex_to_real<double>, real_to_complex<double>)

template <class A, class B>
constexpr bool same_type = false;
template <class A>
constexpr bool same_type<A, A> = true;

template <Dtype from, Dtype to>
constexpr BlockTools::Convert pick() {
  using F = Type<from>;
  using T = Type<to>;
  if constexpr (from == to) {
    return same_run<F::width>;
  } else if constexpr (to == Dtype::Bool && from == Dtype::Complex64) {
    return complex_to_bool<float>;
  } else if constexpr (to == Dtype::Bool && from == Dtype::Complex128) {
    return complex_to_bool<double>;
  } else if constexpr (from == Dtype::Complex64 && to == Dtype::Complex128) {
    return complex_to_complex<double, float>;
  } else if constexpr (from == Dtype::Complex128 && to == Dtype::Complex64) {
    return complex_to_complex<float, double>;
  } else if constexpr (F::direct && T::direct) {
    return convert_run<typename T::Via, typename F::Via>;
  } else if constexpr (F::direct) {
    if constexpr (same_type<typename F::Via, typename T::Via>)
      return T::leave;
    else
      return convert_twice<convert_run<typename T::Via, typename F::Via>, T::leave, F::width, T::width>;
  } else if constexpr (T::direct) {
    if constexpr (same_type<typename F::Via, typename T::Via>)
      return F::enter;
    else
      return convert_twice<F::enter, convert_run<typename T::Via, typename F::Via>, F::width, T::width>;
  } else {
    // Both packed: through float32 or float64, whichever the source has.
    if constexpr (same_type<typename F::Via, typename T::Via>)
      return convert_twice<F::enter, T::leave, F::width, T::width>;
    else
      return convert_twice<
          F::enter,
          convert_twice<convert_run<typename T::Via, typename F::Via>, T::leave, sizeof(typename F::Via), T::width>,
          F::width, T::width>;
  }
}

template <int from, int to>
void fill_pairs() {
  block_tools.convert[from][to] = pick<Dtype(from), Dtype(to)>();
  if constexpr (to + 1 < kDtypes)
    fill_pairs<from, to + 1>();
  else if constexpr (from + 1 < kDtypes)
    fill_pairs<from + 1, 0>();
}

// ---- strides ----

struct Wide16 {
  uint64_t a, b;
};

template <class T>
void gather(void* to, const void* from, int64_t n, int64_t stride) {
  auto* __restrict out = static_cast<T*>(to);
  auto* in = static_cast<const char*>(from);
  if (stride == 0) {
    T value;
    __builtin_memcpy(&value, in, sizeof(T));
    for (int64_t i = 0; i < n; ++i) out[i] = value;
    return;
  }
  if (stride % int64_t(sizeof(T)) == 0) {
    auto* __restrict source = static_cast<const T*>(from);
    int64_t step = stride / int64_t(sizeof(T));
    if (step == -1)
      for (int64_t i = 0; i < n; ++i) out[i] = source[-i];
    else if (step == 2)
      for (int64_t i = 0; i < n; ++i) out[i] = source[2 * i];
    else

      for (int64_t i = 0; i < n; ++i) out[i] = source[i * step];
    return;
  }
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(out + i, in + i * stride, sizeof(T));
}

template <class T>
void scatter(void* to, const void* from, int64_t n, int64_t stride) {
  auto* out = static_cast<char*>(to);
  auto* in = static_cast<const T*>(from);
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(out + i * stride, in + i, sizeof(T));
}

// ---- transposes ----

template <class T>
TL_INLINE void transpose_plain(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t r0,
                               int64_t r1, int64_t c0, int64_t c1) {
  for (int64_t c = c0; c < c1; ++c)
    for (int64_t r = r0; r < r1; ++r)
      __builtin_memcpy(to + r * to_stride + c * int64_t(sizeof(T)), from + c * from_stride + r * int64_t(sizeof(T)),
                       sizeof(T));
}

template <class T>
struct Square {
  static constexpr int64_t edge = 1;
};

template <>
struct Square<uint32_t> {
#if defined(__AVX2__)
  static constexpr int64_t edge = 8;
  TL_INLINE static void move(char* to, int64_t ts, const char* from, int64_t fs) {
    __m256 a[8], b[8];
    for (int i = 0; i < 8; ++i) a[i] = _mm256_loadu_ps(reinterpret_cast<const float*>(from + i * fs));
    for (int i = 0; i < 8; i += 2) {
      b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
      b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
      a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xee);
      a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
      a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee);
    }
    for (int i = 0; i < 4; ++i) {
      _mm256_storeu_ps(reinterpret_cast<float*>(to + i * ts), _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
      _mm256_storeu_ps(reinterpret_cast<float*>(to + (i + 4) * ts), _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
    }
  }
#else
  static constexpr int64_t edge = 4;
  TL_INLINE static void move(char* to, int64_t ts, const char* from, int64_t fs) {
    __m128 a = _mm_loadu_ps(reinterpret_cast<const float*>(from));
    __m128 b = _mm_loadu_ps(reinterpret_cast<const float*>(from + fs));
    __m128 c = _mm_loadu_ps(reinterpret_cast<const float*>(from + 2 * fs));
    __m128 d = _mm_loadu_ps(reinterpret_cast<const float*>(from + 3 * fs));
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(reinterpret_cast<float*>(to), a);
    _mm_storeu_ps(reinterpret_cast<float*>(to + ts), b);
    _mm_storeu_ps(reinterpret_cast<float*>(to + 2 * ts), c);
    _mm_storeu_ps(reinterpret_cast<float*>(to + 3 * ts), d);
  }
#endif
};

template <>
struct Square<uint64_t> {
#if defined(__AVX2__)
  static constexpr int64_t edge = 4;
  TL_INLINE static void move(char* to, int64_t ts, const char* from, int64_t fs) {
    __m256d a = _mm256_loadu_pd(reinterpret_cast<const double*>(from));
    __m256d b = _mm256_loadu_pd(reinterpret_cast<const double*>(from + fs));
    __m256d c = _mm256_loadu_pd(reinterpret_cast<const double*>(from + 2 * fs));
    __m256d d = _mm256_loadu_pd(reinterpret_cast<const double*>(from + 3 * fs));
    __m256d ab_lo = _mm256_unpacklo_pd(a, b), ab_hi = _mm256_unpackhi_pd(a, b);
    __m256d cd_lo = _mm256_unpacklo_pd(c, d), cd_hi = _mm256_unpackhi_pd(c, d);
    _mm256_storeu_pd(reinterpret_cast<double*>(to), _mm256_permute2f128_pd(ab_lo, cd_lo, 0x20));
    _mm256_storeu_pd(reinterpret_cast<double*>(to + ts), _mm256_permute2f128_pd(ab_hi, cd_hi, 0x20));
    _mm256_storeu_pd(reinterpret_cast<double*>(to + 2 * ts), _mm256_permute2f128_pd(ab_lo, cd_lo, 0x31));
    _mm256_storeu_pd(reinterpret_cast<double*>(to + 3 * ts), _mm256_permute2f128_pd(ab_hi, cd_hi, 0x31));
  }
#else
  static constexpr int64_t edge = 2;
  TL_INLINE static void move(char* to, int64_t ts, const char* from, int64_t fs) {
    __m128d a = _mm_loadu_pd(reinterpret_cast<const double*>(from));
    __m128d b = _mm_loadu_pd(reinterpret_cast<const double*>(from + fs));
    _mm_storeu_pd(reinterpret_cast<double*>(to), _mm_unpacklo_pd(a, b));
    _mm_storeu_pd(reinterpret_cast<double*>(to + ts), _mm_unpackhi_pd(a, b));
  }
#endif
};

template <class T>
void transpose(void* to, int64_t to_stride, const void* from, int64_t from_stride, int64_t rows, int64_t cols) {
  auto* out = static_cast<char*>(to);
  auto* in = static_cast<const char*>(from);
  constexpr int64_t edge = Square<T>::edge, width = sizeof(T);
  int64_t full_rows = 0, full_cols = 0;
  if constexpr (edge > 1) {
    full_rows = rows / edge * edge, full_cols = cols / edge * edge;
    for (int64_t c = 0; c < full_cols; c += edge)
      for (int64_t r = 0; r < full_rows; r += edge)
        Square<T>::move(out + r * to_stride + c * width, to_stride, in + c * from_stride + r * width, from_stride);
  }
  if (full_cols) transpose_plain<T>(out, to_stride, in, from_stride, full_rows, rows, 0, full_cols);
  transpose_plain<T>(out, to_stride, in, from_stride, 0, rows, full_cols, cols);
}

// ---- streaming ----

void stream(void* to, const void* from, int64_t bytes) {
  auto* out = static_cast<char*>(to);
  auto* in = static_cast<const char*>(from);
  int64_t head = int64_t(-reinterpret_cast<uintptr_t>(out) & (TL_VECTOR_BYTES - 1));
  if (head > bytes) head = bytes;
  __builtin_memcpy(out, in, size_t(head));
  int64_t i = head;
  for (; i + 4 * TL_VECTOR_BYTES <= bytes; i += 4 * TL_VECTOR_BYTES) {
#if defined(TL_ISA_avx512)
    for (int k = 0; k < 4; ++k)
      _mm512_stream_si512(reinterpret_cast<__m512i*>(out + i + 64 * k), _mm512_loadu_si512(in + i + 64 * k));
#elif defined(TL_ISA_avx2)
    for (int k = 0; k < 4; ++k)
      _mm256_stream_si256(reinterpret_cast<__m256i*>(out + i + 32 * k),
                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i + 32 * k)));
#else
    for (int k = 0; k < 4; ++k)
      _mm_stream_si128(reinterpret_cast<__m128i*>(out + i + 16 * k),
                       _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i + 16 * k)));
#endif
  }
  __builtin_memcpy(out + i, in + i, size_t(bytes - i));
}

void stream_fence() { _mm_sfence(); }

template <class T, int log2>
void fill_width() {
  block_tools.gather[log2] = gather<T>;
  block_tools.scatter[log2] = scatter<T>;
  block_tools.transpose[log2] = transpose<T>;
}

}  // namespace

void fill_cast() {
  fill_pairs<0, 0>();
  fill_width<uint8_t, 0>();
  fill_width<uint16_t, 1>();
  fill_width<uint32_t, 2>();
  fill_width<uint64_t, 3>();
  fill_width<Wide16, 4>();
  block_tools.stream = stream;
  block_tools.stream_fence = stream_fence;
  cast_kernels[int(DeviceType::CPU)].copy = copy;
}

}  // namespace tl::cpu::TL_ISA
