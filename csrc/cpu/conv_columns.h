#pragma once

#include "cpu/conv_pass.h"

// The gradient of the image where it is much larger than the result (few places, large kernels, no padding): every
// tap's weights times y, added to the places that the tap has seen. Reading y from the image's side would mostly meet
// the zeros around it. Strides of the kernel are one.

namespace tl::cpu::TL_ISA {

inline bool image_is_larger(const ConvArgs& g) {
  int64_t in = 1, out = 1;
  bool fits = g.cin >= 4 && g.cout >= 8;
  for (const ConvArgs::Dim& d : g.dim) {
    fits = fits && d.stride == 1;
    in *= d.in, out *= d.out;
  }
  return fits && out >= 16 && in * 10 >= out * 14;
}

template <class S>
void columns_backward_input(const ConvArgs& g) {
  using T = Compute<S>;
  constexpr int NR = kNR<T>, W = kLanes<T>;
  const ConvArgs::Dim* d = g.dim;
  const S *y = static_cast<const S*>(g.y), *w = static_cast<const S*>(g.w), *bias = static_cast<const S*>(g.bias);
  S* x = static_cast<S*>(g.x);
  // x with its padding.
  int64_t size[3], taps = 1, plane = 1, in_plane = 1, padded = 1;
  for (int i = 0; i < 3; ++i) {
    size[i] = d[i].in + 2 * d[i].padding;
    taps *= d[i].kernel, plane *= d[i].out, in_plane *= d[i].in, padded *= size[i];
  }
  const int64_t panels = (g.cin + kMR - 1) / kMR, tap_size = panels * kMR * g.cout;
  Scratch weights(g.groups * taps * tap_size * int64_t(sizeof(T)));
  for (int64_t i = 0; i < g.groups * taps; ++i)
    pack_a<S>(g.cin, g.cout, w + i / taps * g.cout * g.cin * taps + i % taps, taps, g.cin * taps,
              weights.as<T>() + i * tap_size);

  // Adds the products of one panel of channels to them.
  auto add_panel = [&](const T* a, const T* columns, int rows, T* to) {
    alignas(64) T tile[kMR * NR];
    Epilogue<T> epilogue;
    TileArgs<T> t;
    t.k = g.cout, t.a_rows = t.b_offsets = nullptr, t.a_step = t.b_step = 0;
    t.c = tile, t.ldc = NR, t.last = W, t.d = nullptr, t.epilogue = &epilogue;
    for (int64_t j = 0; j < plane; j += NR) {
      const int64_t width = least(NR, plane - j);
      t.b = columns + j * g.cout;
      for (int64_t tap = 0; tap < taps; ++tap) {
        t.a = a + tap * tap_size;
        micro_table<T, kPackedPacked>.at[rows - 1][(width + W - 1) / W - 1](t);
        const int64_t t2 = tap % d[2].kernel, t1 = tap / d[2].kernel % d[1].kernel,
                      t0 = tap / d[2].kernel / d[1].kernel;
        const int64_t shift = (t0 * d[0].dilation * size[1] + t1 * d[1].dilation) * size[2] + t2 * d[2].dilation;
        for (int64_t q = 0; q < width;) {
          const int64_t row = (j + q) / d[2].out, col = (j + q) % d[2].out, n = least(width - q, d[2].out - col);
          T* place = to + (row / d[1].out * size[1] + row % d[1].out) * size[2] + col + shift;
          for (int i = 0; i < rows; ++i, place += padded)
            for (int64_t l = 0; l < n; l += W) {
              const Mask<T> mask(int(least(W, n - l)));
              mask.store(place + l, mask.load(place + l) + mask.load(tile + i * NR + q + l));
            }
          q += n;
        }
      }
    }
  };
  auto copy_out = [&](const T* from, S* to, T b) {
    for (int64_t z = 0; z < d[0].in; ++z)
      for (int64_t r = 0; r < d[1].in; ++r)
        for (int64_t c = 0; c < d[2].in; ++c, ++to) {
          const int64_t at[3] = {z + d[0].padding, r + d[1].padding, c + d[2].padding};
          *to = narrow<S>(T(from[(at[0] * size[1] + at[1]) * size[2] + at[2]] + b));
        }
  };
  auto run = [&](int64_t begin, int64_t end) {
    Scratch scratch((round_up(plane, NR) * g.cout) * int64_t(sizeof(T)));
    for (int64_t image = begin; image < end; ++image) {
      const int64_t group = image % g.groups;
      pack_b<S>(g.cout, plane, y + image * g.cout * plane, plane, 1, scratch.as<T>());
      parallel_for(panels, 1, [&](int64_t first, int64_t last) {
        Scratch sums((kMR * padded + W) * int64_t(sizeof(T)));
        int64_t channel = 0;
        int rows;
        for (int64_t p = 0; p < last; ++p, channel += rows) {
          rows = panel_rows(g.cin - channel);
          if (p < first) continue;
          for (int64_t i = 0; i < rows * padded; ++i) sums.as<T>()[i] = T(0);
          add_panel(weights.as<T>() + group * taps * tap_size + p * kMR * g.cout, scratch.as<T>(), rows, sums.as<T>());
          for (int i = 0; i < rows; ++i) {
            const int64_t c = group * g.cin + channel + i;
            copy_out(sums.as<T>() + i * padded, x + (image * g.cin + channel + i) * in_plane,
                     bias ? T(widen(bias[c])) : T(0));
          }
        }
      });
    }
  };
  const int64_t images = g.batch * g.groups;
  if (images < num_threads())
    run(0, images);
  else
    parallel_for(images, most(1, kParallelWork / most(1, g.cin * g.cout * taps * plane)), run);
}

}  // namespace tl::cpu::TL_ISA
