#include "cpu/random_blocks.h"

#include "cpu/isa.h"

namespace tl::cpu::TL_ISA {
namespace {

constexpr int kWords = Mt19937::kWords, kShift = Mt19937::kShift;
constexpr uint64_t kMask53 = (uint64_t(1) << 53) - 1;

// The same recurrence as Mt19937::twist, as three loops without carried dependences closer than 227 words.
void twist(Mt19937& engine) {
  uint32_t* w = engine.words;
  for (int k = 0; k < kWords - kShift; ++k) {
    uint32_t y = (w[k] & 0x80000000u) | (w[k + 1] & 0x7fffffffu);
    w[k] = w[k + kShift] ^ (y >> 1) ^ (-(w[k + 1] & 1u) & 0x9908b0dfu);
  }
  for (int k = kWords - kShift; k < kWords - 1; ++k) {
    uint32_t y = (w[k] & 0x80000000u) | (w[k + 1] & 0x7fffffffu);
    w[k] = w[k + kShift - kWords] ^ (y >> 1) ^ (-(w[k + 1] & 1u) & 0x9908b0dfu);
  }
  uint32_t y = (w[kWords - 1] & 0x80000000u) | (w[0] & 0x7fffffffu);
  w[kWords - 1] = w[kShift - 1] ^ (y >> 1) ^ (-(w[0] & 1u) & 0x9908b0dfu);
}

void draw(Mt19937& engine, uint32_t* __restrict__ words, int64_t n) {
  while (n > 0) {
    if (engine.left == 1) {
      twist(engine);
      engine.left = kWords + 1;
      engine.index = 0;
    }
    int64_t run = engine.left - 1;
    if (run > n) run = n;
    const uint32_t* from = engine.words + engine.index;
    for (int64_t i = 0; i < run; ++i) {
      uint32_t y = from[i];
      y ^= y >> 11;
      y ^= (y << 7) & 0x9d2c5680u;
      y ^= (y << 15) & 0xefc60000u;
      words[i] = y ^ (y >> 18);
    }
    engine.left -= int32_t(run);
    engine.index += uint32_t(run);
    words += run;
    n -= run;
  }
}

void uniform32(float* __restrict__ out, const uint32_t* __restrict__ words, int64_t n, float from, float to) {
  if (from == 0 && to == 1) {
    for (int64_t i = 0; i < n; ++i) out[i] = float(int32_t(words[i] & 0xffffffu)) * 0x1p-24f;
    return;
  }
  float width = to - from;
  for (int64_t i = 0; i < n; ++i) {
    float x = __builtin_fmaf(float(int32_t(words[i] & 0xffffffu)) * 0x1p-24f, width, from);
    out[i] = x >= to ? from : x;
  }
}

inline uint64_t wide(const uint32_t* words, int64_t i) { return (uint64_t(words[2 * i]) << 32) | words[2 * i + 1]; }

void uniform64(double* __restrict__ out, const uint32_t* __restrict__ words, int64_t n, double from, double to) {
  double width = to - from;
  if (from == 0 && to == 1) {
    for (int64_t i = 0; i < n; ++i) out[i] = double(int64_t(wide(words, i) & kMask53)) * 0x1p-53;
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    double x = __builtin_fma(double(int64_t(wide(words, i) & kMask53)) * 0x1p-53, width, from);
    out[i] = x >= to ? from : x;
  }
}

// The quotient from floating point is off by one at most, and the remainder shows which way.
inline int32_t remainder(uint32_t word, double inverse, int32_t range) {
  uint32_t q = uint32_t(int64_t(double(word) * inverse));
  int32_t r = int32_t(word - q * uint32_t(range));
  r += r < 0 ? range : 0;
  r -= r >= range ? range : 0;
  return r;
}

void below(int64_t* __restrict__ out, const uint32_t* __restrict__ words, int64_t n, uint32_t range, int64_t from) {
  double inverse = 1.0 / double(range);
  for (int64_t i = 0; i < n; ++i) out[i] = remainder(words[i], inverse, int32_t(range)) + from;
}

void below32(int32_t* __restrict__ out, const uint32_t* __restrict__ words, int64_t n, uint32_t range, int32_t from) {
  double inverse = 1.0 / double(range);
  for (int64_t i = 0; i < n; ++i) out[i] = remainder(words[i], inverse, int32_t(range)) + from;
}

void less(uint8_t* __restrict__ out, const uint32_t* __restrict__ words, int64_t n, uint64_t bound) {
  for (int64_t i = 0; i < n; ++i) out[i] = (wide(words, i) & kMask53) < bound;
}

template <class To, class From>
inline To bits(From v) {
  To to;
  __builtin_memcpy(&to, &v, sizeof(to));
  return to;
}

// Natural logarithm of a normal number > 0; polynomial of Cephes' logf (S. Moshier).
inline float log(float x) {
  // m * 2^e with m in [sqrt(1/2), sqrt(2))
  int32_t u = bits<int32_t>(x) - 0x3f3504f3;
  float e = float(u >> 23);
  float m = bits<float>((u & 0x007fffff) + 0x3f3504f3) - 1.0f;
  float z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  p = p * m * z + e * -2.12194440e-4f - 0.5f * z;
  return m + p + e * 0.693359375f;
}

// Sine and cosine of an angle in [0, 2 pi]; polynomials of Cephes' sinf and cosf.
inline void sincos(float angle, float& sine, float& cosine) {
  int32_t q = int32_t(angle * 0.636619772f + 0.5f);
  float j = float(q);
  float r = ((angle - j * 1.5703125f) - j * 4.837512969970703125e-4f) - j * 7.54978995489188e-8f;
  float z = r * r;
  float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
  int32_t odd = -(q & 1);
  int32_t si = bits<int32_t>(s), ci = bits<int32_t>(c);
  sine = bits<float>(((ci & odd) | (si & ~odd)) ^ ((q & 2) << 30));
  cosine = bits<float>(((si & odd) | (ci & ~odd)) ^ (((q + 1) & 2) << 30));
}

void box_muller(float* data, int64_t blocks, float mean, float std) {
  constexpr int kAtOnce = 16;
  alignas(64) float a[8 * kAtOnce], b[8 * kAtOnce];
  for (int64_t at = 0; at < blocks; at += kAtOnce) {
    float* d = data + 16 * at;
    int count = blocks - at < kAtOnce ? int(blocks - at) : kAtOnce;
    for (int k = 0; k < count; ++k) {
      __builtin_memcpy(a + 8 * k, d + 16 * k, 32);
      __builtin_memcpy(b + 8 * k, d + 16 * k + 8, 32);
    }
    for (int i = 0; i < 8 * count; ++i) {
      float radius = __builtin_sqrtf(-2.0f * log(1.0f - a[i]));
      float sine, cosine;
      sincos(6.2831855f * b[i], sine, cosine);
      a[i] = radius * cosine * std + mean;
      b[i] = radius * sine * std + mean;
    }
    for (int k = 0; k < count; ++k) {
      __builtin_memcpy(d + 16 * k, a + 8 * k, 32);
      __builtin_memcpy(d + 16 * k + 8, b + 8 * k, 32);
    }
  }
}

}  // namespace

void fill_random_blocks();
void fill_random_blocks() { random_blocks = {draw, uniform32, uniform64, below, below32, less, box_muller}; }

}  // namespace tl::cpu::TL_ISA
