#include "kernels/conv.h"

#include "cpu/conv_columns.h"
#include "cpu/conv_depthwise.h"
#include "cpu/conv_gather.h"
#include "cpu/conv_pass.h"
#include "cpu/conv_winograd.h"
#include "cpu/gemv.h"

namespace tl::cpu::TL_ISA {
namespace {

using Dim = ConvArgs::Dim;

int64_t kernel_size(const ConvArgs& g) { return g.dim[0].kernel * g.dim[1].kernel * g.dim[2].kernel; }
int64_t input_plane(const ConvArgs& g) { return g.dim[0].in * g.dim[1].in * g.dim[2].in; }
int64_t output_plane(const ConvArgs& g) { return g.dim[0].out * g.dim[1].out * g.dim[2].out; }

// The image as the forward convolution reads it.
Source forward_source(const ConvArgs& g) {
  Source s;
  for (int i = 0; i < 3; ++i) {
    const Dim& d = g.dim[i];
    SourceDim& q = s.dim[i];
    q.in = d.in, q.stride = d.stride, q.padding = d.padding;
    q.size = d.out + (d.kernel - 1) * d.dilation / d.stride;
    q.phases = 0;
    for (int64_t r = 0; r < d.kernel && q.phases < 1024; ++r) {
      const int64_t residue = r * d.dilation % d.stride;
      bool seen = false;
      for (int64_t j = 0; j < q.phases; ++j) seen = seen || q.residue[j] == residue;
      if (!seen) q.residue[q.phases++] = residue;
    }
  }
  s.finish();
  return s;
}

// Offsets of the taps (channel, r, s, t) in that source.
void forward_offsets(const ConvArgs& g, const Source& s, int64_t* offsets) {
  int64_t k = 0;
  for (int64_t c = 0; c < g.cin; ++c)
    for (int64_t r0 = 0; r0 < g.dim[0].kernel; ++r0)
      for (int64_t r1 = 0; r1 < g.dim[1].kernel; ++r1)
        for (int64_t r2 = 0; r2 < g.dim[2].kernel; ++r2) {
          const int64_t r[3] = {r0, r1, r2};
          int64_t phase = 0, shift = 0;
          for (int i = 0; i < 3; ++i) {
            phase = phase * s.dim[i].phases + s.dim[i].phase_of(r[i], g.dim[i].dilation);
            shift = shift * s.dim[i].size + r[i] * g.dim[i].dilation / g.dim[i].stride;
          }
          offsets[k++] = c * s.channel + phase * s.plane + shift;
        }
}

// Calls f(n, group, source of that image and group), images in parallel when there are enough of them.
template <class S, class F>
void for_each_source(const ConvArgs& g, const Source& s, const S* images, int64_t channels, F f) {
  using T = Compute<S>;
  const bool direct = s.direct && __is_same(S, T) && kMaskedLoads;
  int64_t image = channels;
  for (int i = 0; i < 3; ++i) image *= s.dim[i].in;
  auto run = [&](int64_t begin, int64_t end) {
    // A tile may read past the last place.
    Scratch scratch(direct ? 0 : (channels * s.channel + kNR<T>)*int64_t(sizeof(T)));
    T* buffer = scratch.as<T>();
    if (!direct)
      for (int64_t i = 0; i < kNR<T>; ++i) buffer[channels * s.channel + i] = T(0);
    for (int64_t t = begin; t < end; ++t) {
      const S* from = images + t * image;
      if (!direct) fill_source<S, T>(s, from, channels, buffer);
      if constexpr (__is_same(S, T))
        f(t / g.groups, t % g.groups, direct ? from : buffer);
      else
        f(t / g.groups, t % g.groups, buffer);
    }
  };
  const int64_t tasks = g.batch * g.groups;
  const int64_t work = most(1, g.cin * g.cout * kernel_size(g) * output_plane(g));
  if (tasks < num_threads())
    run(0, tasks);
  else
    parallel_for(tasks, most(1, kParallelWork / work), run);
}

template <class S>
void forward(const ConvArgs& g) {
  using T = Compute<S>;
  const S *x = static_cast<const S*>(g.x), *w = static_cast<const S*>(g.w), *bias = static_cast<const S*>(g.bias);
  S* y = static_cast<S*>(g.y);
  const int64_t k = g.cin * kernel_size(g), panel = round_up(g.cout, kMR) * k;
  Scratch scratch(g.groups * panel * int64_t(sizeof(T)) + k * 8);
  int64_t* offsets = scratch.as<int64_t>();
  T* a = scratch.as<T>(k * 8);
  for (int64_t i = 0; i < g.groups; ++i) pack_a<S>(g.cout, k, w + i * g.cout * k, k, 1, a + i * panel);
  const Source s = forward_source(g);
  forward_offsets(g, s, offsets);
  const int64_t plane = output_plane(g);
  Pass<T> pass;
  pass.m = g.cout, pass.k = k, pass.offsets = offsets;
  for (int i = 0; i < 3; ++i) pass.count[i] = g.dim[i].out;
  pass.pitch[0] = s.dim[1].size * s.dim[2].size, pass.pitch[1] = s.dim[2].size;
  pass.start = 0, pass.channel = plane;
  pass.step[0] = g.dim[1].out * g.dim[2].out, pass.step[1] = g.dim[2].out, pass.step[2] = 1;
  for_each_source<S>(g, s, x, g.cin, [&](int64_t n, int64_t group, const T* source) {
    Pass<T> p = pass;
    p.a = a + group * panel;
    run_pass<S>(p, source, y + (n * g.groups + group) * g.cout * plane, bias ? bias + group * g.cout : nullptr);
  });
}

// One residue of the stride in one dim of the input: its places receive from taps r with r * dilation = residue.
struct Residue {
  int64_t first, count;  // places q (of element q * stride + residue - padding)
  int64_t taps;          // the taps are r = tap[0..taps)
  int64_t* tap;
};

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// x = sum over taps and output channels of y: for every residue of the strides one pass over y.
template <class S>
void backward_input(const ConvArgs& g) {
  using T = Compute<S>;
  if (image_is_larger(g)) return columns_backward_input<S>(g);
  const S *y = static_cast<const S*>(g.y), *w = static_cast<const S*>(g.w), *bias = static_cast<const S*>(g.bias);
  S* x = static_cast<S*>(g.x);
  const int64_t taps = kernel_size(g), plane = input_plane(g);
  int64_t strides = 0, kernels = 0;
  for (const Dim& d : g.dim) strides += d.stride, kernels += d.kernel * d.stride;
  Scratch tables(strides * int64_t(sizeof(Residue)) + kernels * 8);
  Residue* residues[3];
  residues[0] = tables.as<Residue>();
  int64_t* tap = tables.as<int64_t>(strides * int64_t(sizeof(Residue)));
  Source s;
  int64_t low[3];
  bool any = true;
  for (int i = 0; i < 3; ++i) {
    const Dim& d = g.dim[i];
    if (i) residues[i] = residues[i - 1] + g.dim[i - 1].stride;
    int64_t lo = 1, hi = 0;
    bool some = false;
    for (int64_t f = 0; f < d.stride; ++f) {
      Residue& r = residues[i][f];
      r.first = -floor_div(f - d.padding, d.stride);
      r.count = most(0, floor_div(d.padding + d.in - 1 - f, d.stride) - r.first + 1);
      r.taps = 0, r.tap = tap;
      tap += d.kernel;
      for (int64_t t = 0; t < d.kernel; ++t)
        if (t * d.dilation % d.stride == f) {
          r.tap[r.taps++] = t;
          if (r.count == 0) continue;
          const int64_t shift = t * d.dilation / d.stride, a = r.first - shift, b = r.first + r.count - 1 - shift;
          lo = some ? least(lo, a) : a;
          hi = some ? most(hi, b) : b;
          some = true;
        }
    }
    any = any && some;
    low[i] = lo;
    SourceDim& q = s.dim[i];
    q.in = d.out, q.stride = 1, q.padding = -lo, q.size = most(0, hi - lo + 1), q.phases = 1, q.residue[0] = 0;
  }
  s.finish();
  const int64_t all = g.dim[0].stride * g.dim[1].stride * g.dim[2].stride;
  const int64_t k_all = g.cout * taps, panels = round_up(g.cin, kMR) * k_all;
  // Weights and offsets of all passes one after the other: every tap belongs to exactly one.
  Scratch scratch(all * int64_t(sizeof(Pass<T>)) + k_all * 8 + g.groups * panels * int64_t(sizeof(T)));
  Pass<T>* passes = scratch.as<Pass<T>>();
  int64_t* offsets = scratch.as<int64_t>(all * int64_t(sizeof(Pass<T>)));
  T* packed = scratch.as<T>(all * int64_t(sizeof(Pass<T>)) + k_all * 8);
  int64_t count = 0, k_done = 0;
  bool holes = !any;
  for (int64_t f0 = 0; f0 < g.dim[0].stride; ++f0)
    for (int64_t f1 = 0; f1 < g.dim[1].stride; ++f1)
      for (int64_t f2 = 0; f2 < g.dim[2].stride; ++f2) {
        const Residue r[3] = {residues[0][f0], residues[1][f1], residues[2][f2]};
        const int64_t f[3] = {f0, f1, f2};
        if (r[0].count * r[1].count * r[2].count == 0) continue;
        const int64_t here = r[0].taps * r[1].taps * r[2].taps;
        if (here == 0) {
          holes = true;
          continue;
        }
        Pass<T>& p = passes[count++];
        p.m = g.cin, p.k = g.cout * here, p.offsets = offsets + k_done;
        p.a = packed + round_up(g.cin, kMR) * k_done;
        p.start = 0, p.channel = plane;
        p.pitch[0] = s.dim[1].size * s.dim[2].size, p.pitch[1] = s.dim[2].size;
        int64_t below = 1, start[3];
        for (int i = 2; i >= 0; --i) {
          start[i] = r[i].first * g.dim[i].stride + f[i] - g.dim[i].padding;
          p.count[i] = r[i].count;
          p.step[i] = below * g.dim[i].stride;
          p.start += start[i] * below;
          below *= g.dim[i].in;
        }
        int64_t k = 0;
        for (int64_t c = 0; c < g.cout; ++c)
          for (int64_t i0 = 0; i0 < r[0].taps; ++i0)
            for (int64_t i1 = 0; i1 < r[1].taps; ++i1)
              for (int64_t i2 = 0; i2 < r[2].taps; ++i2, ++k) {
                const int64_t t[3] = {r[0].tap[i0], r[1].tap[i1], r[2].tap[i2]};
                int64_t at = 0, which = 0;
                for (int i = 0; i < 3; ++i) {
                  at = at * s.dim[i].size + r[i].first - t[i] * g.dim[i].dilation / g.dim[i].stride - low[i];
                  which = which * g.dim[i].kernel + t[i];
                }
                offsets[k_done + k] = c * s.channel + at;
                for (int64_t group = 0; group < g.groups; ++group) {
                  const S* src = w + ((group * g.cout + c) * g.cin) * taps + which;
                  T* dst = packed + group * panels + round_up(g.cin, kMR) * k_done + k * kMR;
                  int rows;
                  for (int64_t m = 0; m < g.cin; m += rows, dst += p.k * kMR) {
                    rows = panel_rows(g.cin - m);
                    for (int i = 0; i < kMR; ++i) dst[i] = i < rows ? widen(src[(m + i) * taps]) : T(0);
                  }
                }
              }
        k_done += p.k;
      }
  auto fill_holes = [&](int64_t image) {
    S* dst = x + image * g.cin * plane;
    for (int64_t c = 0; c < g.cin; ++c)
      for (int64_t i = 0; i < plane; ++i)
        dst[c * plane + i] = bias ? bias[image % g.groups * g.cin + c] : narrow<S>(T(0));
  };
  if (!any) {
    for (int64_t i = 0; i < g.batch * g.groups; ++i) fill_holes(i);
    return;
  }
  for_each_source<S>(g, s, y, g.cout, [&](int64_t n, int64_t group, const T* source) {
    const int64_t image = n * g.groups + group;
    if (holes) fill_holes(image);
    for (int64_t i = 0; i < count; ++i) {
      Pass<T> p = passes[i];
      p.a += group * panels;
      run_pass<S>(p, source, x + image * g.cin * plane, bias ? bias + group * g.cin : nullptr);
    }
  });
}

// Adds the products of R taps with C output channels, each a run of places, to sums[tap * ld + channel].
template <class T, int R, int C>
void dot_tile(int64_t places, const T* x, const int64_t* offsets, const T* y, int64_t y_row, T* sums, int64_t ld) {
  constexpr int W = kLanes<T>;
  Vec<T> acc[R][C] = {};
  const T* rows[R];
  for (int i = 0; i < R; ++i) rows[i] = x + offsets[i];
  int64_t p = 0;
  for (; p + W <= places; p += W) {
    Vec<T> yv[C];
#pragma GCC unroll 8
    for (int j = 0; j < C; ++j) yv[j] = load(y + j * y_row + p);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      const Vec<T> xv = load(rows[i] + p);
#pragma GCC unroll 8
      for (int j = 0; j < C; ++j) acc[i][j] = fma<T>(xv, yv[j], acc[i][j]);
    }
  }
  if (p < places) {
    const Mask<T> mask(int(places - p));
    Vec<T> yv[C];
    for (int j = 0; j < C; ++j) yv[j] = mask.load(y + j * y_row + p);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      const Vec<T> xv = mask.load(rows[i] + p);
#pragma GCC unroll 8
      for (int j = 0; j < C; ++j) acc[i][j] = fma<T>(xv, yv[j], acc[i][j]);
    }
  }
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < C; ++j) sums[i * ld + j] = sums[i * ld + j] + lanes_sum<T>(acc[i][j]);
}

template <class T, int C>
void dot_taps(int64_t k, int64_t places, const T* x, const int64_t* offsets, const T* y, int64_t y_row, T* sums,
              int64_t ld) {
  constexpr int R = kNV == 4 ? 6 : 3;  // sums that fit the registers
  int64_t i = 0;
  for (; i + R <= k; i += R) dot_tile<T, R, C>(places, x, offsets + i, y, y_row, sums + i * ld, ld);
  for (; i < k; ++i) dot_tile<T, 1, C>(places, x, offsets + i, y, y_row, sums + i * ld, ld);
}

// The gradient of the weights of one group, summed over places and images.
template <class T>
struct WeightSum {
  int64_t k, cols;          // taps, output channels padded to vectors
  int64_t rows, ow, pitch;  // places of y; of a row of x
  const int64_t* offsets;   // of the taps
  T* sums;                  // k x cols
  bool first = true;        // nothing is there yet

  // Adds a slice of the image, y with the channels side by side in panels: each row of y meets a run of x in every tap.
  void add(const T* x, const T* turned) {
    constexpr int NR = kNR<T>, W = kLanes<T>;
    constexpr int64_t kBlock = 1024;  // places
    const int64_t runs = most(1, kBlock / ow), places = rows * ow;
    for (int64_t row = 0; row < rows; row += runs)
      for (int64_t col = 0; col < ow; col += kBlock) {
        const int64_t n = least(kBlock, ow - col), lines = least(runs, rows - row);
        Epilogue<T> e;
        e.finish = first ? Finish::Store : Finish::Accumulate;
        first = false;
        parallel_for((k + kMR - 1) / kMR, most(1, kParallelWork / (kMR * cols * n * lines)),
                     [&](int64_t begin, int64_t end) {
                       TileArgs<T> t;
                       t.k = n, t.runs = lines, t.a_skip = pitch - n;
                       t.a = x + row * pitch + col;
                       t.a_step = 1, t.b_step = 0, t.b_offsets = nullptr;
                       t.ldc = cols, t.d = nullptr, t.epilogue = &e, t.last = W;
                       for (int64_t i = begin; i < end; ++i) {
                         const int r = int(least(kMR, k - i * kMR));
                         t.a_rows = offsets + i * kMR;
                         for (int64_t j = 0; j < cols; j += NR) {
                           t.b = turned + j * places + (row * ow + col) * NR;
                           t.c = sums + i * kMR * cols + j;
                           micro_table<T, kRowsPacked>.at[r - 1][int(least(NR, cols - j) / W) - 1](t);
                         }
                       }
                     });
      }
  }

  // The same where y keeps its order, with zeros between its rows: vectors of places, for few channels.
  void add_by_places(const T* x, const T* y, int64_t channels) {
    const int64_t places = (rows - 1) * pitch + ow;
    if (first)
      for (int64_t i = 0; i < k * cols; ++i) sums[i] = T(0);
    first = false;
    for (int64_t j = 0; j < channels;) {
      const int64_t left = channels - j;
      const T* yj = y + j * places;
      if (left >= 4)
        dot_taps<T, 4>(k, places, x, offsets, yj, places, sums + j, cols), j += 4;
      else if (left >= 2)
        dot_taps<T, 2>(k, places, x, offsets, yj, places, sums + j, cols), j += 2;
      else
        dot_taps<T, 1>(k, places, x, offsets, yj, places, sums + j, cols), j += 1;
    }
  }
};

// w = sum over images and places of x (tap) times y (output channel). `apart` takes the rows of the output one by one,
// so that no tap meets an element of x that is not its own.
template <class S>
void backward_weight(const ConvArgs& g, bool apart = false) {
  using T = Compute<S>;
  constexpr int NR = kNR<T>, W = kLanes<T>;
  constexpr bool floating = __is_same(T, float) || __is_same(T, double);
  const S *x = static_cast<const S*>(g.x), *y = static_cast<const S*>(g.y);
  S* w = static_cast<S*>(g.w);
  const int64_t k = g.cin * kernel_size(g), cols = round_up(g.cout, W), plane = output_plane(g);
  const Source s = forward_source(g);
  const int64_t ow = g.dim[2].out, pitch = s.dim[2].size, rows = apart ? 1 : g.dim[1].out;
  // Images are added up in pieces whose number follows from the shape alone.
  const int64_t size = k * cols * int64_t(sizeof(T));
  const int64_t pieces = most(1, least(g.batch, size > (int64_t(4) << 20) ? 4 : 16));
  const int64_t per_piece = (g.batch + pieces - 1) / pieces;
  const bool direct = s.direct && __is_same(S, T);
  // Few channels would leave most lanes idle: then the lanes are places.
  const bool by_places = floating && g.cout * 2 <= W;
  const int64_t places = by_places ? (rows - 1) * pitch + ow : rows * ow;
  const int64_t turned_size = places * (by_places ? g.cout : round_up(g.cout, NR));
  Scratch sums(g.groups * pieces * size + k * 8);
  int64_t* offsets = sums.as<int64_t>();
  T* partial = sums.as<T>(k * 8);
  forward_offsets(g, s, offsets);
  auto run = [&](int64_t begin, int64_t end) {
    const int64_t source_size = direct ? 0 : round_up(g.cin * s.channel + NR, 16);
    Scratch scratch((source_size + turned_size) * int64_t(sizeof(T)));
    T* buffer = scratch.as<T>();
    T* turned = buffer + source_size;
    for (int64_t i = 0; i < turned_size; ++i) turned[i] = T(0);
    for (int64_t job = begin; job < end; ++job) {
      const int64_t group = job / pieces, piece = job % pieces;
      WeightSum<T> sum{k, cols, rows, ow, pitch, offsets, partial + job * k * cols};
      for (int64_t n = piece * per_piece; n < least(g.batch, (piece + 1) * per_piece); ++n) {
        const int64_t image = n * g.groups + group;
        const T* source = buffer;
        if constexpr (__is_same(S, T)) {
          if (direct) source = x + image * g.cin * s.channel;
        }
        if (!direct) fill_source<S, T>(s, x + image * g.cin * input_plane(g), g.cin, buffer);
        for (int64_t z = 0; z < g.dim[0].out * g.dim[1].out; z += rows) {
          const S* from = y + image * g.cout * plane + z * ow;
          const T* at = source + (z / g.dim[1].out * s.dim[1].size + z % g.dim[1].out) * pitch;
          if constexpr (floating) {
            if (by_places) {
              for (int64_t j = 0; j < g.cout; ++j)
                for (int64_t row = 0; row < rows; ++row)
                  for (int64_t col = 0; col < ow; ++col)
                    turned[j * places + row * pitch + col] = widen(from[j * plane + row * ow + col]);
              sum.add_by_places(at, turned, g.cout);
              continue;
            }
          }
          for (int64_t j = 0; j < g.cout; j += W) {
            T* to = turned + j / NR * places * NR + j % NR;
            const int channels = int(least(W, g.cout - j));
            if constexpr (__is_same(S, T))
              pack_transposed(from + j * plane, plane, channels, places, to, NR);
            else
              for (int64_t p = 0; p < places; ++p)
                for (int i = 0; i < channels; ++i) to[p * NR + i] = widen(from[(j + i) * plane + p]);
          }
          sum.add(at, turned);
        }
      }
      if (sum.first)
        for (int64_t i = 0; i < k * cols; ++i) sum.sums[i] = T(0);
    }
  };
  const int64_t jobs = g.groups * pieces;
  if (jobs < num_threads())
    run(0, jobs);
  else
    parallel_for(jobs, most(1, kParallelWork / most(1, k * g.cout * plane * per_piece)), run);
  bool finite = true;
  parallel_for(g.groups * g.cout, most(1, 30000 / most(1, k * pieces)), [&](int64_t begin, int64_t end) {
    T all = 0;
    for (int64_t o = begin; o < end; ++o) {
      const T* from = partial + o / g.cout * pieces * k * cols + o % g.cout;
      for (int64_t i = 0; i < k; ++i) {
        T sum = from[i * cols];
        for (int64_t p = 1; p < pieces; ++p) sum = T(sum + from[(p * k + i) * cols]);
        w[o * k + i] = narrow<S>(sum);
        all = T(all + (sum - sum));  // NaN if the sum is not finite
      }
    }
    if (all != all) __atomic_store_n(&finite, false, __ATOMIC_RELAXED);
  });
  // An infinity or NaN of x times a zero between the rows has spoilt taps that it does not belong to.
  if (!finite && by_places && !apart && pitch != ow) backward_weight<S>(g, true);
}

template <class S>
void backward_bias(const ConvArgs& g) {
  using T = Compute<S>;
  constexpr int W = kLanes<T>;
  const S* y = static_cast<const S*>(g.y);
  S* bias = static_cast<S*>(g.bias);
  const int64_t plane = output_plane(g), channels = g.groups * g.cout;
  parallel_for(channels, most(1, 50000 / most(1, plane * g.batch)), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      T total = 0;
      for (int64_t n = 0; n < g.batch; ++n) {
        const S* src = y + (n * channels + c) * plane;
        T lanes[2 * W] = {};
        int64_t i = 0;
        for (; i + 2 * W <= plane; i += 2 * W)
          for (int l = 0; l < 2 * W; ++l) lanes[l] = T(lanes[l] + widen(src[i + l]));
        for (int l = 0; i < plane; ++i, ++l) lanes[l] = T(lanes[l] + widen(src[i]));
        for (int h = W; h > 0; h /= 2)
          for (int l = 0; l < h; ++l) lanes[l] = T(lanes[l] + lanes[l + h]);
        total = T(total + lanes[0]);
      }
      bias[c] = narrow<S>(total);
    }
  });
}

#define TL_EACH_TYPE(f, g) \
  switch ((g).dtype) {     \
    case Dtype::Float32:   \
      return f<float>(g);  \
    case Dtype::Float64:   \
      return f<double>(g); \
    case Dtype::Float16:   \
      return f<F16>(g);    \
    case Dtype::BFloat16:  \
      return f<BF16>(g);   \
    default:               \
      break;               \
  }

// Half types and integers have no gathered form.
#define TL_WHEN_SMALL(f, g)                                       \
  if (planes_are_small(g)) {                                      \
    if ((g).dtype == Dtype::Float32) return small_##f<float>(g);  \
    if ((g).dtype == Dtype::Float64) return small_##f<double>(g); \
  }

void conv_forward(const ConvArgs& g) {
  if (depthwise_fits(g)) return depthwise_forward(g);
  TL_WHEN_SMALL(forward, g)
  if (winograd_fits(g) && winograd_product(g, false, g.x, g.y)) return;
  TL_EACH_TYPE(forward, g)
  switch (itemsize(g.dtype)) {
    case 1:
      return forward<uint8_t>(g);
    case 2:
      return forward<uint16_t>(g);
    case 4:
      return forward<uint32_t>(g);
    default:
      return forward<uint64_t>(g);
  }
}
void conv_backward_input(const ConvArgs& g) {
  if (depthwise_fits(g) && g.dim[1].stride == 1) return depthwise_backward_input(g);
  TL_WHEN_SMALL(backward_input, g)
  if (winograd_fits(g) && winograd_product(g, true, g.y, g.x)) return;
  TL_EACH_TYPE(backward_input, g)
  backward_input<uint64_t>(g);
}
void conv_backward_weight(const ConvArgs& g) {
  if (depthwise_fits(g)) return depthwise_backward_weight(g);
  TL_WHEN_SMALL(backward_weight, g)
  if (winograd_fits(g) && winograd_backward_weight(g)) return;
  TL_EACH_TYPE(backward_weight, g)
}
void conv_backward_bias(const ConvArgs& g) { TL_EACH_TYPE(backward_bias, g) }

}  // namespace

void fill_conv();
void fill_conv() {
  conv_kernels[int(DeviceType::CPU)] = {conv_forward, conv_backward_input, conv_backward_weight, conv_backward_bias};
}

}  // namespace tl::cpu::TL_ISA
