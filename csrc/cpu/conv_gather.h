#pragma once

#include "cpu/conv_pass.h"

// Convolutions whose planes are too small to fill vectors (the last stages of image networks): one matrix product over
// the places of all images. Its right operand is gathered while it is packed: element (row, column) is
// source[row's offset + column's offset], of a tap and a place, or a place and a tap. Strides of the kernel are one,
// and there is one group.

namespace tl::cpu::TL_ISA {

inline bool planes_are_small(const ConvArgs& g) {
  const ConvArgs::Dim* d = g.dim;
  const int64_t in = d[0].in * d[1].in * d[2].in, out = d[0].out * d[1].out * d[2].out;
  bool fits = g.groups == 1 && g.batch > 1 && in <= 144 && out <= 100 && g.cin >= 32 && g.cout >= 32;
  int64_t padded = g.batch * most(g.cin, g.cout);
  for (int i = 0; i < 3; ++i) {
    const int64_t reach = (d[i].kernel - 1) * d[i].dilation;
    fits = fits && d[i].stride == 1 && reach >= d[i].padding;
    padded *= most(d[i].in, d[i].out) + reach;
  }
  return fits && padded < int64_t(1) << 31;
}

// The images of a batch, padded, with the offsets of taps (channel, kernel) and places (image, place) in them.
template <class T>
class GatheredImages {
 public:
  T* data;
  int32_t *taps, *places;
  int64_t k, count;

  // `turned`: the taps as the gradient of the input meets them.
  GatheredImages(const ConvArgs& g, const T* images, bool turned) : scratch_(bytes(g, turned)) {
    const ConvArgs::Dim* d = g.dim;
    const int64_t channels = turned ? g.cout : g.cin;
    Source s = source(g, turned);
    k = channels * d[0].kernel * d[1].kernel * d[2].kernel;
    count = g.batch;
    for (int i = 0; i < 3; ++i) count *= turned ? d[i].in : d[i].out;
    data = scratch_.as<T>();
    taps = scratch_.as<int32_t>(g.batch * channels * s.channel * int64_t(sizeof(T)));
    places = taps + k;
    auto shift = [&](int i, int64_t r) { return (turned ? d[i].kernel - 1 - r : r) * d[i].dilation; };
    const int64_t row = s.dim[2].size, slice = s.dim[1].size * row;
    int32_t* to = taps;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t r0 = 0; r0 < d[0].kernel; ++r0)
        for (int64_t r1 = 0; r1 < d[1].kernel; ++r1)
          for (int64_t r2 = 0; r2 < d[2].kernel; ++r2)
            *to++ = int32_t(c * s.channel + shift(0, r0) * slice + shift(1, r1) * row + shift(2, r2));
    to = places;
    const auto size = [&](int i) { return turned ? d[i].in : d[i].out; };
    for (int64_t n = 0; n < g.batch; ++n)
      for (int64_t z = 0; z < size(0); ++z)
        for (int64_t y = 0; y < size(1); ++y)
          for (int64_t x = 0; x < size(2); ++x) *to++ = int32_t(n * channels * s.channel + z * slice + y * row + x);
    const int64_t image = channels * s.dim[0].in * s.dim[1].in * s.dim[2].in, padded = channels * s.channel;
    parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
      // Rows are written in whole vectors: not into the next image, which another thread may be writing.
      Scratch own((padded + kNR<T>)*int64_t(sizeof(T)));
      for (int64_t n = begin; n < end; ++n) {
        fill_source<T, T>(s, images + n * image, channels, own.as<T>());
        __builtin_memcpy(data + n * padded, own.as<T>(), size_t(padded) * sizeof(T));
      }
    });
  }

 private:
  Scratch scratch_;

  static Source source(const ConvArgs& g, bool turned) {
    Source s;
    for (int i = 0; i < 3; ++i) {
      const ConvArgs::Dim& d = g.dim[i];
      const int64_t reach = (d.kernel - 1) * d.dilation;
      SourceDim& q = s.dim[i];
      q.stride = q.phases = 1;
      q.residue[0] = 0;
      q.in = turned ? d.out : d.in;
      q.padding = turned ? reach - d.padding : d.padding;
      q.size = (turned ? d.in : d.out) + reach;
    }
    s.finish();
    return s;
  }
  static int64_t bytes(const ConvArgs& g, bool turned) {
    const int64_t channels = turned ? g.cout : g.cin;
    int64_t taps = channels, places = g.batch;
    for (const ConvArgs::Dim& d : g.dim) taps *= d.kernel, places *= turned ? d.in : d.out;
    return g.batch * channels * source(g, turned).channel * int64_t(sizeof(T)) + (taps + places) * 4;
  }
};

// (outer, inner, plane) -> (inner, outer, plane), with a bias for each of `outer`, or none.
template <class T>
void exchange_outer(int64_t outer, int64_t inner, int64_t plane, const T* from, T* to, const T* bias) {
  parallel_for(inner, most(1, 30000 / most(1, outer * plane)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t o = 0; o < outer; ++o) {
        const T* src = from + (o * inner + i) * plane;
        T* dst = to + (i * outer + o) * plane;
        const T b = bias ? bias[o] : T(0);
        for (int64_t p = 0; p < plane; ++p) dst[p] = bias ? src[p] + b : src[p];
      }
  });
}

// c (m x n) = a (m x k, rows one after another) times the gathered operand.
template <class T>
void gathered_product(int64_t m, int64_t n, int64_t k, const T* a, const T* source, const int32_t* rows,
                      const int32_t* columns, T* c) {
  Problem<T> q{m, n, k, a, k, 1, source, 0, 0, c, n, nullptr, {}};
  q.b_rows = rows, q.b_columns = columns;
  gemm_parallel(q);
}

// result = weights * images + bias; `turned` for the gradient of the input.
template <class T>
void small_product(const ConvArgs& g, bool turned, int64_t m, const T* weights, const void* images, void* result) {
  GatheredImages<T> in(g, static_cast<const T*>(images), turned);
  Scratch sums(m * in.count * int64_t(sizeof(T)));
  gathered_product<T>(m, in.count, in.k, weights, in.data, in.taps, in.places, sums.as<T>());
  exchange_outer<T>(m, g.batch, in.count / g.batch, sums.as<T>(), static_cast<T*>(result),
                    static_cast<const T*>(g.bias));
}

template <class T>
void small_forward(const ConvArgs& g) {
  small_product<T>(g, false, g.cout, static_cast<const T*>(g.w), g.x, g.y);
}

template <class T>
void small_backward_input(const ConvArgs& g) {
  const int64_t taps = g.dim[0].kernel * g.dim[1].kernel * g.dim[2].kernel;
  Scratch weights(g.cin * g.cout * taps * int64_t(sizeof(T)));
  exchange_outer<T>(g.cout, g.cin, taps, static_cast<const T*>(g.w), weights.as<T>(), nullptr);
  small_product<T>(g, true, g.cin, weights.as<T>(), g.y, g.x);
}

template <class T>
void small_backward_weight(const ConvArgs& g) {
  GatheredImages<T> x(g, static_cast<const T*>(g.x), false);
  Scratch y(g.cout * x.count * int64_t(sizeof(T)));
  exchange_outer<T>(g.batch, g.cout, x.count / g.batch, static_cast<const T*>(g.y), y.as<T>(), nullptr);
  gathered_product<T>(g.cout, x.k, x.count, y.as<T>(), x.data, x.places, x.taps, static_cast<T*>(g.w));
}

}  // namespace tl::cpu::TL_ISA
