#pragma once

#include "cpu/gemm.h"
#include "kernels/conv.h"

// A convolution as a matrix product whose right operand is never built. The source image is padded (and, for strides,
// split into its phases) so that every tap of the kernel, for all output places in row order, is one run of memory at a
// fixed offset: row k of the right operand starts at offsets[k]. Places between the rows of the output are computed and
// dropped.

namespace tl::cpu::TL_ISA {

// How one source dim is laid out: `phases` planes of `size` places; tap r reads plane phase[r] from place shift[r] on.
struct SourceDim {
  int64_t in, stride, padding;
  int64_t size;    // places
  int64_t phases;  // residues of the stride that some tap uses
  int64_t residue[1024];
  int64_t taps;
  int64_t phase_of(int64_t r, int64_t dilation) const {
    for (int64_t i = 0; i < phases; ++i)
      if (residue[i] == r * dilation % stride) return i;
    return 0;
  }
};

// Padded copy of channels; place q of phase i is element q * stride + residue[i] - padding, zero outside.
struct Source {
  SourceDim dim[3];
  int64_t plane;    // one phase of one channel
  int64_t channel;  // all its phases
  bool direct;      // the image itself will do

  void finish() {
    plane = dim[0].size * dim[1].size * dim[2].size;
    channel = plane * dim[0].phases * dim[1].phases * dim[2].phases;
    direct = true;
    for (const SourceDim& d : dim) direct = direct && d.stride == 1 && d.padding == 0 && d.size == d.in;
  }
};

// Lanes from lo up to hi, zero elsewhere; only those are read.
#if defined(TL_ISA_avx512)
template <class T>
[[gnu::always_inline]] inline Vec<T> load_lanes(const T* p, int64_t lo, int64_t hi) {
  const int64_t a = least(most(lo, 0), kLanes<T>), b = least(most(hi, 0), kLanes<T>);
  const unsigned bits = ((1u << b) - 1u) & ~((1u << a) - 1u);
  if constexpr (sizeof(T) == 4)
    return __builtin_bit_cast(Vec<T>, _mm512_maskz_loadu_epi32(__mmask16(bits), p));
  else
    return __builtin_bit_cast(Vec<T>, _mm512_maskz_loadu_epi64(__mmask8(bits), p));
}
#else
template <class T>
inline Vec<T> load_lanes(const T* p, int64_t lo, int64_t hi) {
  Vec<T> v = {};
  for (int i = 0; i < kLanes<T>; ++i)
    if (i >= lo && i < hi) v[i] = p[i];
  return v;
}
#endif

template <class T, int... I>
[[gnu::always_inline]] inline Vec<T> even_lanes(Vec<T> a, Vec<T> b, Indices<I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}

// dst needs room for one tile behind it.
template <class S, class T>
void fill_source(const Source& s, const S* image, int64_t channels, T* dst) {
  const SourceDim &d = s.dim[0], &h = s.dim[1], &w = s.dim[2];
  for (int64_t c = 0; c < channels; ++c, image += d.in * h.in * w.in)
    for (int64_t fd = 0; fd < d.phases; ++fd)
      for (int64_t fh = 0; fh < h.phases; ++fh)
        for (int64_t fw = 0; fw < w.phases; ++fw) {
          // The places whose element lies inside the row.
          const int64_t shift = w.residue[fw] - w.padding;
          const int64_t lo = shift >= 0 ? 0 : least(w.size, (-shift + w.stride - 1) / w.stride);
          const int64_t hi = shift >= w.in ? lo : most(lo, least(w.size, (w.in - 1 - shift) / w.stride + 1));
          for (int64_t qd = 0; qd < d.size; ++qd)
            for (int64_t qh = 0; qh < h.size; ++qh, dst += w.size) {
              const int64_t z = qd * d.stride + d.residue[fd] - d.padding,
                            y = qh * h.stride + h.residue[fh] - h.padding;
              if (z < 0 || z >= d.in || y < 0 || y >= h.in) {
                for (int64_t q = 0; q < w.size; ++q) dst[q] = T(0);
                continue;
              }
              const S* row = image + (z * h.in + y) * w.in + shift;
#if defined(TL_ISA_avx512)
              if constexpr (__is_same(S, T)) {
                if (w.stride == 1) {
                  // What a store writes past its row is overwritten by the next; the last one has slack behind it.
                  for (int64_t q = 0; q < w.size; q += kLanes<T>) store(dst + q, load_lanes(row + q, lo - q, hi - q));
                  continue;
                }
                if (w.stride == 2) {
                  constexpr int64_t W = kLanes<T>;
                  for (int64_t q = 0; q < w.size; q += W) {
                    const int64_t e = 2 * q, low = 2 * lo - e, high = 2 * hi - 1 - e;
                    store(dst + q,
                          even_lanes<T>(load_lanes(row + e, low, high), load_lanes(row + e + W, low - W, high - W),
                                        typename MakeIndices<int(W)>::type{}));
                  }
                  continue;
                }
              }
#endif
              for (int64_t q = 0; q < lo; ++q) dst[q] = T(0);
              if (w.stride == 1)
                for (int64_t q = lo; q < hi; ++q) dst[q] = widen(row[q]);
              else
                for (int64_t q = lo; q < hi; ++q) dst[q] = widen(row[q * w.stride]);
              for (int64_t q = hi; q < w.size; ++q) dst[q] = T(0);
            }
        }
}

// One product over a source: m rows of weights, k taps, places count[0] x count[1] x count[2].
template <class T>
struct Pass {
  int64_t m, k;
  const T* a;              // packed in panels of kMR rows
  const int64_t* offsets;  // of the taps
  int64_t count[3];
  int64_t pitch[2];  // places of the source in a (depth, row)
  // Where place (z, y, x) of row i goes: start + i * channel + z * step[0] + y * step[1] + x * step[2].
  int64_t start, channel, step[3];
};

template <class T>
inline constexpr bool kCompress = false;
#if defined(TL_ISA_avx512)
template <>
inline constexpr bool kCompress<float> = true;
template <>
inline constexpr bool kCompress<double> = true;

[[gnu::always_inline]] inline Vec<float> compress(unsigned keep, Vec<float> v) {
  return (Vec<float>)_mm512_maskz_compress_ps(__mmask16(keep), (__m512)v);
}
[[gnu::always_inline]] inline Vec<double> compress(unsigned keep, Vec<double> v) {
  return (Vec<double>)_mm512_maskz_compress_pd(__mmask8(keep), (__m512d)v);
}
#endif

// One row of weights (depthwise): row by row, sums in registers.
template <class T>
void run_single(const Pass<T>& p, const T* source, T* out, const T* bias) {
  constexpr int W = kLanes<T>, V = kNV;
  const int64_t cols = p.count[2];
  const T b = bias ? *bias : T(0);
  auto run = [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t z = row / p.count[1], y = row % p.count[1];
      const T* base = source + z * p.pitch[0] + y * p.pitch[1];
      T* to = out + p.start + z * p.step[0] + y * p.step[1];
      int64_t x = 0;
      for (; x + V * W <= cols; x += V * W) {
        Vec<T> acc[V] = {};
        for (int64_t k = 0; k < p.k; ++k) {
          const T* from = base + p.offsets[k] + x;
          const Vec<T> w = splat(p.a[k * kMR]);
#pragma GCC unroll 8
          for (int v = 0; v < V; ++v) acc[v] = fma<T>(w, load(from + v * W), acc[v]);
        }
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) store(to + x + v * W, acc[v] + b);
      }
      for (; x < cols; x += 2 * W) {
        const int64_t left = cols - x;
        const Mask<T> first(int(least(left, W))), second(int(most(0, least(left - W, W))));
        Vec<T> a0 = {}, a1 = {};
        for (int64_t k = 0; k < p.k; ++k) {
          const T* from = base + p.offsets[k] + x;
          const Vec<T> w = splat(p.a[k * kMR]);
          a0 = fma<T>(w, first.load(from), a0);
          a1 = fma<T>(w, second.load(from + W), a1);
        }
        first.store(to + x, a0 + b);
        second.store(to + x + W, a1 + b);
      }
    }
  };
  parallel_for(p.count[0] * p.count[1], most(1, kParallelWork / most(1, p.k * cols)), run);
}

#if defined(TL_ISA_avx512)
// The same with the taps of a tile's places copied side by side, a piece of the inner dimension at a time.
template <class T>
void run_packed(const Pass<T>& p, const T* source, T* out, const T* bias) {
  constexpr int W = kLanes<T>, NR = kNR<T>;
  const int64_t cols = p.count[2], pitch = p.pitch[1], all = p.count[1] * cols;
  const int64_t tiles = (all + NR - 1) / NR, kc = inner_block<T>(p.k);
  auto run = [&](int64_t begin, int64_t end) {
    Scratch scratch((kc * NR + W) * int64_t(sizeof(T)));
    T* panel = scratch.as<T>();
    for (int64_t job = begin; job < end; ++job) {
      const int64_t z = job / tiles, j = job % tiles * NR;
      const int width = int(least(NR, all - j)), v = (width + W - 1) / W;
      // The places lie in vectors from place `first` of the source on, of which some lanes are kept.
      const int64_t first = j / cols * pitch + j % cols;
      unsigned bits[NR];
      int64_t at[NR];
      int64_t x = j % cols;
      int steps = 0;
      for (int64_t done = 0, place = 0; done < width; place += W) {
        unsigned kept = 0;
        for (int l = 0; l < W; ++l) {
          if (x < cols && done < width) kept |= 1u << l, ++done;
          if (++x == pitch) x = 0;
        }
        if (kept) bits[steps] = kept, at[steps++] = place;
      }
      TileArgs<T> t;
      Epilogue<T> e;
      t.epilogue = &e;
      t.a_rows = nullptr;
      t.b_offsets = nullptr;
      t.a_step = t.b_step = 0;
      t.ldc = p.channel;
      t.last = width - (v - 1) * W;
      t.b = panel;
      for (int64_t k0 = 0; k0 < p.k; k0 += kc) {
        const int64_t kb = least(kc, p.k - k0);
        const T* base = source + z * p.pitch[0] + first;
        for (int64_t k = 0; k < kb; ++k) {
          const T* from = base + p.offsets[k0 + k];
          T* to = panel + k * NR;
          for (int s = 0; s < steps; ++s) {
            Vec<T> got;
            if constexpr (sizeof(T) == 4)
              got = (Vec<T>)_mm512_maskz_loadu_ps(__mmask16(bits[s]), from + at[s]);
            else
              got = (Vec<T>)_mm512_maskz_loadu_pd(__mmask8(bits[s]), from + at[s]);
            store(to, compress(bits[s], got));
            to += __builtin_popcount(bits[s]);
          }
        }
        e.finish = k0 > 0 ? Finish::Accumulate : bias ? Finish::RowBias : Finish::Store;
        e.d_row = 1;
        t.k = kb;
        int r;
        t.a = p.a + k0 * kMR;
        for (int64_t i = 0; i < p.m; i += r, t.a += kMR * p.k) {
          r = panel_rows(p.m - i);
          t.c = out + p.start + z * p.step[0] + i * p.channel + j;
          t.d = bias ? bias + i : nullptr;
          micro_table<T, kPackedPacked>.at[r - 1][v - 1](t);
        }
      }
    }
  };
  parallel_for(p.count[0] * tiles, most(1, kParallelWork / most(1, p.m * p.k * NR)), run);
}
#endif

template <class S, class T = Compute<S>>
void run_pass(const Pass<T>& p, const T* source, S* out, const S* bias) {
  constexpr int W = kLanes<T>, NR = kNR<T>;
  const int64_t rows = p.count[1], cols = p.count[2], pitch = p.pitch[1];
  if (p.count[0] <= 0 || rows <= 0 || cols <= 0) return;
  const int64_t places = (rows - 1) * pitch + cols;
  const int64_t tiles = (places + NR - 1) / NR;
  const bool contiguous = p.step[2] == 1 && (rows == 1 || p.step[1] == cols);
  const bool dense = __is_same(S, T) && contiguous && (pitch == cols || rows == 1);
  const bool compressed = __is_same(S, T) && kCompress<T> && contiguous;
  if constexpr (__is_same(S, T)) {
    if (p.m == 1 && p.k <= 64 && p.step[2] == 1) return run_single(p, source, out, bias);
    // Rows one by one take more vectors, but the results need not be picked out of them: that costs about as much as
    // eight taps.
    const int64_t apart = rows * ((cols + W - 1) / W), together = (places + W - 1) / W;
    if (compressed && !dense && p.count[0] == 1 && apart * (p.k + 3) < together * (p.k + 11)) {
      Pass<T> q = p;
      q.count[0] = rows, q.count[1] = 1;
      q.pitch[0] = pitch, q.step[0] = p.step[1];
      return run_pass<S>(q, source, out, bias);
    }
  }
#if defined(TL_ISA_avx512)
  if constexpr (__is_same(S, T) && kCompress<T>) {
    // With many rows of weights, leaving out the places between rows is worth a copy of the taps.
    const int64_t with = (places + W - 1) / W, without = (rows * cols + W - 1) / W;
    if (compressed && !dense && p.m * (with - without) > 4 * with) return run_packed(p, source, out, bias);
  }
#endif
  const MicroTable<T, kPackedIndirect>& table = micro_table<T, kPackedIndirect>;
  auto run = [&](int64_t begin, int64_t end) {
    alignas(64) T tile[kMR * NR];
    int lane[NR];
    int64_t place_of[NR];
    for (int64_t job = begin; job < end; ++job) {
      const int64_t z = job / tiles, j = job % tiles * NR;
      const int width = int(least(NR, places - j)), v = (width + W - 1) / W;
      TileArgs<T> t;
      t.k = p.k;
      t.a_rows = nullptr;
      t.a_step = t.b_step = 0;
      t.b_offsets = p.offsets;
      t.b = source + z * p.pitch[0] + j;
      t.last = width - (v - 1) * W;
      Epilogue<T> e;
      t.epilogue = &e;
      S* place = out + p.start + z * p.step[0];
      if (dense) {
        if constexpr (__is_same(S, T)) {
          if (bias) {
            e.finish = Finish::RowBias;
            e.d_row = 1;
          }
          t.ldc = p.channel;
          int r;
          t.a = p.a;
          for (int64_t i = 0; i < p.m; i += r, t.a += kMR * p.k) {
            r = panel_rows(p.m - i);
            t.c = place + i * p.channel + j;
            t.d = bias ? bias + i : nullptr;
            table.at[r - 1][v - 1](t);
          }
        }
        continue;
      }
      t.ldc = NR;
      t.c = tile;
      t.d = nullptr;
      // Which lanes are places of the output.
      int64_t y = j / pitch, x = j % pitch;
      [[maybe_unused]] const int64_t first = y * cols + least(x, cols);
      int kept = 0;
      uint64_t keep = 0;
      for (int l = 0; l < width;) {
        const int64_t to_edge = x < cols ? cols - x : pitch - x;
        const int n = int(least(to_edge, width - l));
        if (x < cols) {
          keep |= (n < 64 ? (uint64_t(1) << n) - 1 : ~uint64_t(0)) << l;
          if (!compressed)
            for (int q = 0; q < n; ++q) {
              lane[kept] = l + q;
              place_of[kept++] = y * p.step[1] + (x + q) * p.step[2];
            }
        }
        l += n, x += n;
        if (x == pitch) x = 0, ++y;
      }
      int r;
      t.a = p.a;
      for (int64_t i = 0; i < p.m; i += r, t.a += kMR * p.k) {
        r = panel_rows(p.m - i);
        table.at[r - 1][v - 1](t);
        for (int q = 0; q < r; ++q) {
          const T* from = tile + q * NR;
          S* to = place + (i + q) * p.channel;
          const T b = bias ? T(widen(bias[i + q])) : T(0);
#if defined(TL_ISA_avx512)
          if constexpr (__is_same(S, T) && kCompress<T>) {
            if (compressed) {
              S* dst = to + first;
              const Vec<T> bv = splat(b);
              for (int u = 0; u < v; ++u) {
                const unsigned bits = unsigned(keep >> u * W) & ((1u << W) - 1u);
                const int n = __builtin_popcount(bits);
                Mask<T>(n).store(dst, compress(bits, load(from + u * W) + bv));
                dst += n;
              }
              continue;
            }
          }
#endif
          for (int l = 0; l < kept; ++l) to[place_of[l]] = narrow<S>(T(from[lane[l]] + b));
        }
      }
    }
  };
  const int64_t jobs = p.count[0] * tiles;
  const int64_t work = most(1, p.m * p.k * NR);
  parallel_for(jobs, most(1, kParallelWork / work), run);
}

}  // namespace tl::cpu::TL_ISA
