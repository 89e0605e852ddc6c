#pragma once

#include "cpu/conv_pass.h"
#include "cpu/gemv.h"

// Convolutions of every channel by itself (depthwise), straight from the image: square kernels of 3, 5 and 7, stride 1
// and 2. A few rows of the result are computed together, so that what is loaded of a row of the image serves all of
// them; elements outside the image are lanes that are not loaded.

namespace tl::cpu::TL_ISA {

struct Depthwise {
  int64_t planes, channels;  // images times channels; plane i has the weights of channel i % channels
  int64_t height, width, out_height, out_width;
  int64_t top, left;  // result (y, x) meets element (y * stride - top, x * stride - left) first
};

inline bool depthwise_fits(const ConvArgs& g) {
  const ConvArgs::Dim &d = g.dim[0], &h = g.dim[1], &w = g.dim[2];
  const bool square = h.kernel == w.kernel && h.stride == w.stride && h.dilation == 1 && w.dilation == 1;
  return g.dtype == Dtype::Float32 && g.cin == 1 && g.cout == 1 && d.in == 1 && d.out == 1 && d.kernel == 1 && square &&
         (h.kernel == 3 || h.kernel == 5 || h.kernel == 7) && h.stride <= 2;
}

// Every kS-th element from p on; of the elements before `lo` and from `hi` on zeros.
template <int kS>
[[gnu::always_inline]] inline Vec<float> spaced_lanes(const float* p, int64_t lo, int64_t hi) {
  constexpr int W = kLanes<float>;
  if constexpr (kS == 1)
    return load_lanes(p, lo, hi);
  else
    return even_lanes<float>(load_lanes(p, lo, hi), load_lanes(p + W, lo - W, hi - W), typename MakeIndices<W>::type{});
}
template <int kS>
[[gnu::always_inline]] inline Vec<float> spaced_lanes(const float* p) {
  if constexpr (kS == 1)
    return load(p);
  else
    return even_lanes<float>(load(p), load(p + kLanes<float>), typename MakeIndices<kLanes<float>>::type{});
}

// kR rows of a plane of the result.
template <int kK, int kS, int kR>
void depthwise_rows(const Depthwise& s, const float* image, const float* weights, float bias, int64_t y0, float* out) {
  constexpr int W = kLanes<float>;
  const int64_t top = y0 * kS - s.top;
  for (int64_t x = 0; x < s.out_width; x += W) {
    const int64_t left = x * kS - s.left, lanes = least(W, s.out_width - x);
    Vec<float> acc[kR];
    for (int q = 0; q < kR; ++q) acc[q] = splat(bias);
    auto sum = [&](auto lanes_at) __attribute__((always_inline)) {
#pragma GCC unroll 16
      for (int i = 0; i < (kR - 1) * kS + kK; ++i) {
        if (top + i < 0 || top + i >= s.height) continue;
        const float* row = image + (top + i) * s.width + left;
#pragma GCC unroll 8
        for (int c = 0; c < kK; ++c) {
          const Vec<float> v = lanes_at(row, c);
#pragma GCC unroll 4
          for (int q = 0; q < kR; ++q)
            if (i - q * kS >= 0 && i - q * kS < kK)
              acc[q] = fma<float>(splat(weights[(i - q * kS) * kK + c]), v, acc[q]);
        }
      }
    };
    if (left >= 0 && left + kK - 1 + kS * W <= s.width)
      sum([](const float* row, int c) __attribute__((always_inline)) { return spaced_lanes<kS>(row + c); });
    else
      sum([&](const float* row, int c)
              __attribute__((always_inline)) { return spaced_lanes<kS>(row + c, -left - c, s.width - left - c); });
    const Mask<float> mask{int(lanes)};
    for (int q = 0; q < kR; ++q) {
      float* to = out + (y0 + q) * s.out_width + x;
      if (lanes == W)
        store(to, acc[q]);
      else
        mask.store(to, acc[q]);
    }
  }
}

template <int kK, int kS>
void depthwise_product(const Depthwise& s, const float* images, const float* weights, const float* bias, float* out) {
  constexpr int kR = kK == 7 ? 2 : 4;
  constexpr int64_t kBand = 64;  // rows for one thread at a time
  const int64_t bands = (s.out_height + kBand - 1) / kBand;
  const int64_t work = kK * kK * s.out_width * least(kBand, s.out_height);
  parallel_for(s.planes * bands, most(1, kParallelWork / work), [&](int64_t begin, int64_t end) {
    for (int64_t job = begin; job < end; ++job) {
      const int64_t plane = job / bands, channel = plane % s.channels;
      const float* image = images + plane * s.height * s.width;
      const float* w = weights + channel * kK * kK;
      const float b = bias ? bias[channel] : 0.0f;
      float* to = out + plane * s.out_height * s.out_width;
      const int64_t last = least((job % bands + 1) * kBand, s.out_height);
      int64_t y = job % bands * kBand;
      for (; y + kR <= last; y += kR) depthwise_rows<kK, kS, kR>(s, image, w, b, y, to);
      for (; y < last; ++y) depthwise_rows<kK, kS, 1>(s, image, w, b, y, to);
    }
  });
}

// The products of kRows rows of taps, from row r0 on, with the gradient of one plane.
template <int kK, int kS, int kRows>
void depthwise_taps(const Depthwise& s, const float* image, const float* grad, int64_t r0, float* sums) {
  constexpr int W = kLanes<float>;
  Vec<float> acc[kRows][kK] = {};
  for (int64_t y = 0; y < s.out_height; ++y)
    for (int64_t x = 0; x < s.out_width; x += W) {
      const int64_t left = x * kS - s.left, lanes = least(W, s.out_width - x), top = y * kS - s.top + r0;
      const float* at = grad + y * s.out_width + x;
      auto add = [&](Vec<float> g, auto lanes_at) __attribute__((always_inline)) {
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
          if (top + r < 0 || top + r >= s.height) continue;
          const float* row = image + (top + r) * s.width + left;
#pragma GCC unroll 8
          for (int c = 0; c < kK; ++c) acc[r][c] = fma<float>(lanes_at(row, c), g, acc[r][c]);
        }
      };
      if (lanes == W && left >= 0 && left + kK - 1 + kS * W <= s.width) {
        add(load(at), [](const float* row, int c) __attribute__((always_inline)) { return spaced_lanes<kS>(row + c); });
      } else {
        // Elements that only lanes past the end of the row would meet are left out: they may be infinite.
        const int64_t end = (lanes - 1) * kS + 1;
        add(Mask<float>{int(lanes)}.load(at), [&](const float* row, int c) __attribute__((always_inline)) {
          return spaced_lanes<kS>(row + c, -left - c, least(end, s.width - left - c));
        });
      }
    }
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < kK; ++c) sums[r * kK + c] = lanes_sum<float>(acc[r][c]);
}

template <int kK, int kS>
void depthwise_weights(const Depthwise& s, const float* images, const float* grads, float* out) {
  constexpr int kRows = kK == 3 ? 3 : kK == 5 ? (kNV == 4 ? 5 : 2) : (kNV == 4 ? 3 : 1);  // sums that fit the registers
  constexpr int64_t kTaps = kK * kK;
  Scratch scratch(s.planes * kTaps * int64_t(sizeof(float)));
  float* parts = scratch.as<float>();
  const int64_t work = most(1, kTaps * s.out_width * s.out_height);
  parallel_for(s.planes, most(1, kParallelWork / work), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const float* image = images + p * s.height * s.width;
      const float* grad = grads + p * s.out_height * s.out_width;
      float* sums = parts + p * kTaps;
      int64_t r = 0;
      for (; r + kRows <= kK; r += kRows) depthwise_taps<kK, kS, kRows>(s, image, grad, r, sums + r * kK);
      for (; r < kK; ++r) depthwise_taps<kK, kS, 1>(s, image, grad, r, sums + r * kK);
    }
  });
  parallel_for(s.channels, most(1, 30000 * s.channels / most(1, s.planes * kTaps)), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      double totals[kTaps] = {};
      for (int64_t p = c; p < s.planes; p += s.channels)
        for (int64_t t = 0; t < kTaps; ++t) totals[t] += double(parts[p * kTaps + t]);
      for (int64_t t = 0; t < kTaps; ++t) out[c * kTaps + t] = float(totals[t]);
    }
  });
}

#define TL_EACH_DEPTHWISE(f, kernel, stride, ...)                         \
  switch (kernel) {                                                       \
    case 3:                                                               \
      return (stride) == 1 ? f<3, 1>(__VA_ARGS__) : f<3, 2>(__VA_ARGS__); \
    case 5:                                                               \
      return (stride) == 1 ? f<5, 1>(__VA_ARGS__) : f<5, 2>(__VA_ARGS__); \
    default:                                                              \
      return (stride) == 1 ? f<7, 1>(__VA_ARGS__) : f<7, 2>(__VA_ARGS__); \
  }

inline Depthwise depthwise_shape(const ConvArgs& g) {
  const ConvArgs::Dim &h = g.dim[1], &w = g.dim[2];
  return {g.batch * g.groups, g.groups, h.in, w.in, h.out, w.out, h.padding, w.padding};
}

inline void depthwise_forward(const ConvArgs& g) {
  TL_EACH_DEPTHWISE(depthwise_product, g.dim[1].kernel, g.dim[1].stride, depthwise_shape(g),
                    static_cast<const float*>(g.x), static_cast<const float*>(g.w), static_cast<const float*>(g.bias),
                    static_cast<float*>(g.y))
}

inline void depthwise_backward_weight(const ConvArgs& g) {
  TL_EACH_DEPTHWISE(depthwise_weights, g.dim[1].kernel, g.dim[1].stride, depthwise_shape(g),
                    static_cast<const float*>(g.x), static_cast<const float*>(g.y), static_cast<float*>(g.w))
}

// With stride 1, the convolution of y with the kernel turned round.
inline void depthwise_backward_input(const ConvArgs& g) {
  const ConvArgs::Dim &h = g.dim[1], &w = g.dim[2];
  const int64_t taps = h.kernel * w.kernel;
  Scratch scratch(g.groups * taps * int64_t(sizeof(float)));
  float* turned = scratch.as<float>();
  const float* weights = static_cast<const float*>(g.w);
  for (int64_t c = 0; c < g.groups; ++c)
    for (int64_t t = 0; t < taps; ++t) turned[c * taps + t] = weights[c * taps + taps - 1 - t];
  const Depthwise s{g.batch * g.groups,      g.groups, h.out, w.out, h.in, w.in, h.kernel - 1 - h.padding,
                    w.kernel - 1 - w.padding};
  TL_EACH_DEPTHWISE(depthwise_product, h.kernel, 1, s, static_cast<const float*>(g.y), turned,
                    static_cast<const float*>(g.bias), static_cast<float*>(g.x))
}

#undef TL_EACH_DEPTHWISE

}  // namespace tl::cpu::TL_ISA
