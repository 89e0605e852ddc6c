#pragma once

#include "cpu/conv_pass.h"

// Kernels of 3x3 by the minimal algorithm F(2x2, 3x3) (S. Winograd 1980; A. Lavin and S. Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2015): a tile of 2x2 results takes 16 products for each channel instead of 36. A tile
// d of 4x4 elements and a kernel g become B'dB and GgG'; their products, summed over the channels by 16 matrix
// products, become the results by A'mA. The gradient of the weights is the adjoint of the same.
//
// B'dB adds up to four elements, GgG' up to nine quarters, A'mA nine of their products: the error is at most 9 times
// the bound of the direct sum in which every element is as large as the largest of its tile. Where a result is not
// finite (an infinity meets its neighbours in the tile, or their sum overflows) nothing is promised: these functions
// return false, and the caller computes directly.

namespace tl::cpu::TL_ISA {

// Tiles (row, column) in row order, one unused place after each row of them: then all elements (i, j) of tiles side by
// side are a run of memory in the image that is split into its even and odd rows and columns.
struct Tiles {
  int64_t out[2];  // results, by rows and columns
  int64_t columns, pitch, places;
  Source source;

  // `turned`: the image is y, and x the result.
  Tiles(const ConvArgs& g, bool turned) {
    for (int i = 0; i < 3; ++i) {
      const ConvArgs::Dim& d = g.dim[i];
      SourceDim& q = source.dim[i];
      q.in = turned ? d.out : d.in;
      q.residue[0] = 0, q.residue[1] = 1;
      if (i == 0) {
        q.stride = q.phases = q.size = 1, q.padding = 0;
        continue;
      }
      out[i - 1] = turned ? d.in : d.out;
      q.stride = q.phases = 2;
      q.padding = turned ? 2 - d.padding : d.padding;
      q.size = (out[i - 1] + 1) / 2 + 1;
    }
    source.finish();
    pitch = source.dim[2].size, columns = pitch - 1;
    places = (source.dim[1].size - 1) * pitch - 1;
  }
  int64_t rows() const { return source.dim[1].size - 1; }
};

inline constexpr int64_t kBlockPlaces = 64;    // of the products with weights, at most
inline constexpr int64_t kSummedPlaces = 128;  // of those that are summed over places

inline bool winograd_fits(const ConvArgs& g) {
  const ConvArgs::Dim* d = g.dim;
  bool fits =
      g.dtype == Dtype::Float32 && g.groups == 1 && g.cin >= 16 && g.cout >= 16 && g.cin * g.cout >= 512 && g.batch > 0;
  fits = fits && d[0].kernel == 1 && d[0].in == 1 && d[0].out == 1;
  int64_t tiles = 1, places = 1;
  for (int i = 1; i < 3; ++i) {
    fits = fits && d[i].kernel == 3 && d[i].stride == 1 && d[i].dilation == 1 && d[i].padding <= 2;
    const int64_t n = least(d[i].in, d[i].out);
    tiles *= n, places *= (n + 1) / 2 + i - 1;
  }
  // At least 60 % of the places computed, in whole vectors, are results.
  return fits && tiles * 10 >= round_up(places, 16) * 4 * 6;
}

// Four vectors to B' times them.
template <class V>
[[gnu::always_inline]] inline void tile_sums(V& a, V& b, V& c, V& d) {
  const V bc = b + c, cb = c - b;
  a = a - c, d = b - d, b = bc, c = cb;
}

// B'dB of `count` tiles of every channel: element xi of place p and channel c goes to
// dst[xi * stride + (p / width * channels + c) * width + p % width].
inline void transform_tiles(const Tiles& t, const float* source, int64_t channels, int64_t first, int64_t count,
                            int64_t width, float* dst, int64_t stride) {
  constexpr int W = kLanes<float>;
  const int64_t plane = t.source.plane, pitch = t.pitch;
  for (int64_t c = 0; c < channels; ++c) {
    const float* from = source + c * t.source.channel + first;
    for (int64_t p = 0; p < count; p += W) {
      Vec<float> d[16];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j)
          d[4 * i + j] = load(from + p + ((i & 1) * 2 + (j & 1)) * plane + (i >> 1) * pitch + (j >> 1));
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) tile_sums(d[j], d[4 + j], d[8 + j], d[12 + j]);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) tile_sums(d[4 * i], d[4 * i + 1], d[4 * i + 2], d[4 * i + 3]);
      float* to = dst + (p / width * channels + c) * width + p % width;
#pragma GCC unroll 16
      for (int xi = 0; xi < 16; ++xi) store(to + xi * stride, d[xi]);
    }
  }
}

// ---- products with weights: the forward pass, and the gradient of the image ----

// GgG' of m x k kernels, packed as pack_a does it. `turned`: kernels are rotated, and lie in the order (k, m).
inline void transform_weights(const float* w, int64_t m, int64_t k, bool turned, float* u, int64_t stride) {
  constexpr int W = kLanes<float>;
  const int64_t panels = (m + kMR - 1) / kMR;
  parallel_for(panels, most(1, 2000 / k), [&](int64_t begin, int64_t end) {
    int64_t row = 0, panel = 0;
    for (int rows; panel < end; row += rows, ++panel) {
      rows = panel_rows(m - row);
      if (panel < begin) continue;
      for (int r = 0; r < rows; ++r)
        for (int64_t c = 0; c < k; c += W) {
          const int n = int(least(W, k - c));
          float taps[9][W] = {};
          for (int i = 0; i < n; ++i) {
            const float* from = w + (turned ? (c + i) * m + row + r : (row + r) * k + c + i) * 9;
            for (int s = 0; s < 9; ++s) taps[s][i] = from[turned ? 8 - s : s];
          }
          Vec<float> down[4][3], both[4][4];
          const Vec<float> half = splat(0.5f);
          auto spread = [&](Vec<float> a, Vec<float> b, Vec<float> c, auto to) {
            const Vec<float> ac = half * (a + c), b2 = half * b;
            *to(0) = a, *to(1) = ac + b2, *to(2) = ac - b2, *to(3) = c;
          };
          for (int j = 0; j < 3; ++j)
            spread(load(taps[j]), load(taps[3 + j]), load(taps[6 + j]), [&](int i) { return &down[i][j]; });
          for (int i = 0; i < 4; ++i) spread(down[i][0], down[i][1], down[i][2], [&](int j) { return &both[i][j]; });
          for (int xi = 0; xi < 16; ++xi) {
            float lanes[W];
            store(lanes, both[xi / 4][xi % 4]);
            float* to = u + xi * stride + (panel * k + c) * kMR + r;
            for (int i = 0; i < n; ++i) to[i * kMR] = lanes[i];
          }
        }
    }
  });
}

template <int W, class V, int... I>
[[gnu::always_inline]] inline void interleave(V& a, V& b, Indices<I...>) {
  const V x = a, y = b;
  a = __builtin_shufflevector(x, y, ((I & 1) * W + I / 2)...);
  b = __builtin_shufflevector(x, y, ((I & 1) * W + (I + W) / 2)...);
}

// to[2 i] = even[i], to[2 i + 1] = odd[i], n elements.
inline void store_pairs(float* to, const float* even, const float* odd, int64_t n) {
  constexpr int W = kLanes<float>;
  for (int64_t i = 0; i < n; i += 2 * W) {
    Vec<float> a = load(even + i / 2), b = load(odd + i / 2);
    interleave<W>(a, b, typename MakeIndices<W>::type{});
    if (n - i >= 2 * W) {
      store(to + i, a);
      store(to + i + W, b);
    } else if (n - i > W) {
      store(to + i, a);
      Mask<float>(int(n - i - W)).store(to + i + W, b);
    } else {
      Mask<float>(int(n - i)).store(to + i, a);
    }
  }
}

// A'mA of `count` places of one channel: its results, with the bias. Returns a vector that is zero if all are finite.
inline Vec<float> transform_results(const Tiles& t, const float* sums, int64_t stride, int64_t first, int64_t count,
                                    float bias, float* y) {
  constexpr int W = kLanes<float>;
  float results[2][2][kBlockPlaces + W];
  Vec<float> spoilt = {};
  const Vec<float> shift = splat(bias);
  for (int64_t p = 0; p < count; p += W) {
    Vec<float> down[2][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const float* at = sums + j * stride + p;
      const Vec<float> m1 = load(at + 4 * stride), m2 = load(at + 8 * stride);
      down[0][j] = load(at) + m1 + m2;
      down[1][j] = m1 - m2 - load(at + 12 * stride);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const Vec<float> a = down[i][0] + down[i][1] + down[i][2] + shift,
                       b = down[i][1] - down[i][2] - down[i][3] + shift;
      spoilt += (a - a) + (b - b);
      store(results[i][0] + p, a);
      store(results[i][1] + p, b);
    }
  }
  int64_t row = first / t.pitch, column = first % t.pitch;
  for (int64_t p = 0; p < count; ++row, column = 0) {
    const int64_t run = least(count - p, t.columns - column);
    if (run > 0)
      for (int i = 0; i < 2 && 2 * row + i < t.out[0]; ++i)
        store_pairs(y + (2 * row + i) * t.out[1] + 2 * column, results[i][0] + p, results[i][1] + p,
                    least(2 * run, t.out[1] - 2 * column));
    p += run + 1;
  }
  return spoilt;
}

// A number that is zero, or NaN if a lane is.
inline float any_lane(Vec<float> v) {
  float sum = 0;
  for (int i = 0; i < kLanes<float>; ++i) sum += v[i];
  return sum;
}

// Calls f(n, source) with each image split for the tiles, images in parallel when there are enough of them.
template <class F>
void for_each_split(const ConvArgs& g, const Tiles& t, const float* images, int64_t channels, F f) {
  const int64_t image = channels * t.source.dim[1].in * t.source.dim[2].in, size = channels * t.source.channel;
  auto run = [&](int64_t begin, int64_t end) {
    Scratch scratch((size + kNR<float>)*4);
    float* buffer = scratch.as<float>();
    for (int64_t i = 0; i < kNR<float>; ++i) buffer[size + i] = 0;
    for (int64_t n = begin; n < end; ++n) {
      fill_source<float, float>(t.source, images + n * image, channels, buffer);
      f(n, buffer);
    }
  };
  if (g.batch < num_threads())
    run(0, g.batch);
  else
    parallel_for(g.batch, 1, run);
}

inline bool winograd_product(const ConvArgs& g, bool turned, const void* images, void* results) {
  constexpr int NR = kNR<float>, W = kLanes<float>;
  const int64_t m = turned ? g.cin : g.cout, k = turned ? g.cout : g.cin;
  const Tiles t(g, turned);
  const float* bias = static_cast<const float*>(g.bias);
  const int64_t panels = (m + kMR - 1) / kMR;
  // A line apart, so that the 16 do not fall on one another in the caches.
  const int64_t u_stride = panels * k * kMR + 16, v_stride = k * kBlockPlaces + 16, m_stride = m * kBlockPlaces + 16;
  Scratch weights(16 * u_stride * 4);
  transform_weights(static_cast<const float*>(g.w), m, k, turned, weights.as<float>(), u_stride);
  bool finite = true;
  const int64_t plane = t.out[0] * t.out[1];
  int64_t blocks = (t.places + kBlockPlaces - 1) / kBlockPlaces;
  const int64_t size = round_up((t.places + blocks - 1) / blocks, W);
  blocks = (t.places + size - 1) / size;
  for_each_split(g, t, static_cast<const float*>(images), k, [&](int64_t n, const float* source) {
    parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
      Scratch scratch(16 * (v_stride + m_stride) * 4);
      float *tiles = scratch.as<float>(), *sums = tiles + 16 * v_stride;
      Epilogue<float> epilogue;
      TileArgs<float> a;
      a.k = k, a.a_rows = a.b_offsets = nullptr, a.d = nullptr, a.a_step = a.b_step = 0;
      a.ldc = kBlockPlaces, a.last = W, a.epilogue = &epilogue;
      Vec<float> spoilt = {};
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * size, count = least(size, t.places - first);
        transform_tiles(t, source, k, first, count, NR, tiles, v_stride);
        for (int64_t xi = 0; xi < 16; ++xi) {
          int rows;
          a.a = weights.as<float>() + xi * u_stride;
          for (int64_t i = 0; i < m; i += rows, a.a += k * kMR) {
            rows = panel_rows(m - i);
            for (int64_t j = 0; j < count; j += NR) {
              a.b = tiles + xi * v_stride + j * k;
              a.c = sums + xi * m_stride + i * kBlockPlaces + j;
              micro_table<float, kPackedPacked>.at[rows - 1][(least(NR, count - j) + W - 1) / W - 1](a);
            }
          }
        }
        for (int64_t o = 0; o < m; ++o)
          spoilt += transform_results(t, sums + o * kBlockPlaces, m_stride, first, count, bias ? bias[o] : 0.f,
                                      static_cast<float*>(results) + (n * m + o) * plane);
      }
      if (any_lane(spoilt) != 0) __atomic_store_n(&finite, false, __ATOMIC_RELAXED);
    });
  });
  return finite;
}

// ---- the gradient of the weights ----

// y (channels, rows, columns) with the channels innermost, into rows of 2 * pitch places of `padded` channels.
inline void turn_places(const Tiles& t, const float* y, int64_t channels, int64_t padded, float* to) {
  constexpr int W = kLanes<float>;
  for (int64_t o = 0; o < channels; o += W)
    for (int64_t row = 0; row < t.out[0]; ++row)
      pack_transposed(y + (o * t.out[0] + row) * t.out[1], t.out[0] * t.out[1], int(least(W, channels - o)), t.out[1],
                      to + row * 2 * t.pitch * padded + o, padded);
}

// AyA' of `count` tiles: element xi of place p and channel c goes to dst[xi * stride], there as pack_b has it.
inline void transform_gradients(const Tiles& t, const float* turned, int64_t padded, int64_t first, int64_t count,
                                float* dst, int64_t stride) {
  constexpr int NR = kNR<float>, W = kLanes<float>;
  const int64_t below = 2 * t.pitch * padded;
  for (int64_t p = 0; p < count; ++p) {
    const int64_t row = (first + p) / t.pitch, column = (first + p) % t.pitch;
    const float* from = turned + row * 2 * below + column * 2 * padded;
    for (int64_t c = 0; c < padded; c += W) {
      Vec<float> down[4][2];
#pragma GCC unroll 2
      for (int j = 0; j < 2; ++j) {
        const Vec<float> a = load(from + c + j * padded), b = load(from + c + below + j * padded);
        down[0][j] = a, down[1][j] = a + b, down[2][j] = a - b, down[3][j] = -b;
      }
      float* to = dst + (c / NR * kSummedPlaces + p) * NR + c % NR;
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const Vec<float> a = down[i][0], b = down[i][1];
        store(to + (4 * i) * stride, a);
        store(to + (4 * i + 1) * stride, a + b);
        store(to + (4 * i + 2) * stride, a - b);
        store(to + (4 * i + 3) * stride, -b);
      }
    }
  }
}

// w = G'pG of the sums p over the pieces; returns whether all is finite.
inline bool finish_weights(const ConvArgs& g, const float* sums, int64_t padded, int64_t pieces, int64_t piece) {
  constexpr int W = kLanes<float>;
  bool finite = true;
  parallel_for(g.cin, most(1, 2000 / g.cout), [&](int64_t begin, int64_t end) {
    Vec<float> spoilt = {};
    for (int64_t c = begin; c < end; ++c)
      for (int64_t o = 0; o < g.cout; o += W) {
        Vec<float> p[16];
        for (int64_t xi = 0; xi < 16; ++xi) {
          const float* from = sums + (xi * g.cin + c) * padded + o;
          p[xi] = load(from);
          for (int64_t i = 1; i < pieces; ++i) p[xi] += load(from + i * piece);
        }
        const Vec<float> half = splat(0.5f);
        auto gather = [&](Vec<float> a, Vec<float> b, Vec<float> c, Vec<float> d, auto to) {
          const Vec<float> plus = half * (b + c);
          *to(0) = a + plus, *to(1) = half * (b - c), *to(2) = plus + d;
        };
        Vec<float> down[3][4], taps[3][3];
        for (int j = 0; j < 4; ++j) gather(p[j], p[4 + j], p[8 + j], p[12 + j], [&](int i) { return &down[i][j]; });
        for (int i = 0; i < 3; ++i)
          gather(down[i][0], down[i][1], down[i][2], down[i][3], [&](int j) { return &taps[i][j]; });
        const int n = int(least(W, g.cout - o));
        for (int s = 0; s < 9; ++s) {
          float lanes[W];
          store(lanes, taps[s / 3][s % 3]);
          spoilt += taps[s / 3][s % 3] - taps[s / 3][s % 3];
          for (int i = 0; i < n; ++i) static_cast<float*>(g.w)[((o + i) * g.cin + c) * 9 + s] = lanes[i];
        }
      }
    if (any_lane(spoilt) != 0) __atomic_store_n(&finite, false, __ATOMIC_RELAXED);
  });
  return finite;
}

inline bool winograd_backward_weight(const ConvArgs& g) {
  constexpr int NR = kNR<float>, W = kLanes<float>;
  const Tiles t(g, false);
  const int64_t padded = round_up(g.cout, W), piece = 16 * g.cin * padded;
  // Images are added up in pieces whose number follows from the shape alone.
  const int64_t pieces = least(g.batch, piece * 4 > (int64_t(4) << 20) ? 4 : 16);
  const int64_t per_piece = (g.batch + pieces - 1) / pieces;
  const int64_t v_stride = g.cin * kSummedPlaces + 16, y_stride = round_up(padded, NR) * kSummedPlaces + 16;
  const int64_t split = g.cin * t.source.channel + NR, turned = t.rows() * 4 * t.pitch * padded;
  const int64_t image = g.cin * t.source.dim[1].in * t.source.dim[2].in, plane = t.out[0] * t.out[1];
  Scratch partial(pieces * piece * 4);
  auto run = [&](int64_t begin, int64_t end) {
    Scratch scratch((16 * (v_stride + y_stride) + split + turned) * 4);
    float *tiles = scratch.as<float>(), *gradients = tiles + 16 * v_stride, *source = gradients + 16 * y_stride;
    float* places = source + split;
    for (int64_t i = 0; i < NR; ++i) source[split - NR + i] = 0;
    for (int64_t i = 0; i < turned; ++i) places[i] = 0;
    int64_t a_rows[kMR];
    for (int i = 0; i < kMR; ++i) a_rows[i] = i * kSummedPlaces;
    for (int64_t job = begin; job < end; ++job) {
      Epilogue<float> epilogue;
      float* sums = partial.as<float>() + job * piece;
      if (job * per_piece >= g.batch)
        for (int64_t i = 0; i < piece; ++i) sums[i] = 0;
      for (int64_t n = job * per_piece; n < least(g.batch, (job + 1) * per_piece); ++n) {
        fill_source<float, float>(t.source, static_cast<const float*>(g.x) + n * image, g.cin, source);
        turn_places(t, static_cast<const float*>(g.y) + n * g.cout * plane, g.cout, padded, places);
        for (int64_t first = 0; first < t.places; first += kSummedPlaces) {
          const int64_t count = least(kSummedPlaces, t.places - first);
          transform_tiles(t, source, g.cin, first, count, kSummedPlaces, tiles, v_stride);
          transform_gradients(t, places, padded, first, count, gradients, y_stride);
          parallel_for(16, 1, [&](int64_t xi_begin, int64_t xi_end) {
            TileArgs<float> a;
            a.k = count, a.a_rows = a_rows, a.a_step = 1, a.b_step = 0, a.b_offsets = nullptr, a.d = nullptr;
            a.ldc = padded, a.last = W, a.epilogue = &epilogue;
            for (int64_t xi = xi_begin; xi < xi_end; ++xi)
              for (int64_t c = 0; c < g.cin; c += kMR) {
                a.a = tiles + xi * v_stride + c * kSummedPlaces;
                for (int64_t o = 0; o < padded; o += NR) {
                  a.b = gradients + xi * y_stride + o * kSummedPlaces;
                  a.c = sums + (xi * g.cin + c) * padded + o;
                  micro_table<float, kRowsPacked>.at[least(kMR, g.cin - c) - 1][least(NR, padded - o) / W - 1](a);
                }
              }
          });
          epilogue.finish = Finish::Accumulate;
        }
      }
    }
  };
  if (pieces < num_threads())
    run(0, pieces);
  else
    parallel_for(pieces, 1, run);
  return finish_weights(g, partial.as<float>(), padded, pieces, piece);
}

}  // namespace tl::cpu::TL_ISA
