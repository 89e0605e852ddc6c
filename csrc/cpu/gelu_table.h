#pragma once

#include <math.h>

#include "core/float_math.h"
#include "cpu/isa.h"

// gelu(x) = x Phi(x) where a table of polynomials fits two registers a coefficient (AVX-512): for |x| < 3.75, with
// half the work of fm::gelu, which serves the other lanes. 2 ULP.

#if defined(TL_ISA_avx512)
#include <immintrin.h>

namespace tl::cpu::TL_ISA {

// Phi(k / 4 + r) = high + (low + r poly(r)) for |r| <= 1/8; polynomial k is entry k mod 32.
struct NormalTable {
  static constexpr int kTerms = 7;
  static constexpr float kEnd = 3.75f;
  alignas(64) float high[32], low[32], poly[kTerms][32];

  // The polynomials through Phi at the Chebyshev nodes.
  NormalTable() {
    constexpr int n = kTerms + 1;
    for (int k = -15; k < 16; ++k) {
      double at[n], divided[n], c[n] = {};
      for (int i = 0; i < n; ++i) {
        at[i] = 0.125 * ::cos(M_PI * (i + 0.5) / n);
        divided[i] = fm::normal_cdf(0.25 * k + at[i]);
      }
      for (int order = 1; order < n; ++order)
        for (int i = n - 1; i >= order; --i) divided[i] = (divided[i] - divided[i - 1]) / (at[i] - at[i - order]);
      // From Newton's form to powers.
      for (int i = n - 1; i >= 0; --i) {
        for (int j = n - 1; j > 0; --j) c[j] = c[j - 1] - at[i] * c[j];
        c[0] = divided[i] - at[i] * c[0];
      }
      const int entry = k & 31;
      high[entry] = float(c[0]);
      low[entry] = float(c[0] - double(high[entry]));
      for (int j = 0; j < kTerms; ++j) poly[j][entry] = float(c[j + 1]);
    }
  }
};

inline void gelu_by_table(void* to, const void* const* from, int64_t n, unsigned, const void*) {
  static const NormalTable table;
  auto* out = static_cast<float*>(to);
  auto* in = static_cast<const float*>(from[0]);
  const __m512 magic = _mm512_set1_ps(fm::kMagic), end = _mm512_set1_ps(NormalTable::kEnd);
  const __m512 four = _mm512_set1_ps(4.0f), quarter = _mm512_set1_ps(0.25f);
  auto entry = [](const float* row, __m512i k) __attribute__((always_inline)) {
    return _mm512_permutex2var_ps(_mm512_load_ps(row), k, _mm512_load_ps(row + 16));
  };
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 here = n - i < 16 ? __mmask16((1u << (n - i)) - 1) : __mmask16(0xffff);
    const __m512 x = _mm512_maskz_loadu_ps(here, in + i);
    const __m512 shifted = _mm512_fmadd_ps(x, four, magic);
    const __m512 r = _mm512_fnmadd_ps(_mm512_sub_ps(shifted, magic), quarter, x);
    const __m512i k = _mm512_castps_si512(shifted);
    __m512 p = entry(table.poly[NormalTable::kTerms - 1], k);
#pragma GCC unroll 8
    for (int j = NormalTable::kTerms - 2; j >= 0; --j) p = _mm512_fmadd_ps(p, r, entry(table.poly[j], k));
    p = _mm512_fmadd_ps(p, r, entry(table.low, k));
    __m512 y = _mm512_fmadd_ps(x, entry(table.high, k), _mm512_mul_ps(x, p));
    const __mmask16 outside = ~_mm512_cmp_ps_mask(_mm512_abs_ps(x), end, _CMP_LT_OQ);
    if (outside) [[unlikely]] {
      alignas(64) float lanes[16];
      _mm512_store_ps(lanes, x);
      for (float& v : lanes) v = fm::gelu(v);
      y = _mm512_mask_mov_ps(y, outside, _mm512_load_ps(lanes));
    }
    _mm512_mask_storeu_ps(out + i, here, y);
  }
}

}  // namespace tl::cpu::TL_ISA
#endif
