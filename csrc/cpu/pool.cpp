#include "cpu/pool_max.h"

namespace tl::cpu::TL_ISA {
namespace {

// What a window's sum is divided by, as a product over the three dims.
struct Divisor {
  bool fixed;
  double value;
  bool padded;
  double of(Window w) const { return fixed ? 1 : double(padded ? w.padded : larger(w.end - w.begin, 0)); }
};
template <class Args>
Divisor divisor_of(const Args& a) {
  return {a.divisor != 0, double(a.divisor ? a.divisor : 1), a.count_include_pad};
}

// One mean of each plane.
template <class T>
void avg_global(const AvgPoolArgs& a) {
  using A = Acc<T>;
  constexpr int L = kLanes<A>;
  int64_t n = volume(a.shape.in);
  parallel_for(a.shape.batch * a.shape.channels, larger(16384 / n, 1), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const T* x = static_cast<const T*>(a.input) + c * n;
      Lanes<A> s0{}, s1{}, s2{}, s3{};
      int64_t i = 0;
      for (; i + 4 * L <= n; i += 4 * L) {
        s0 += load(x + i);
        s1 += load(x + i + L);
        s2 += load(x + i + 2 * L);
        s3 += load(x + i + 3 * L);
      }
      each<A>(n - i, [&](int64_t j, auto part) { s0 += load_n(x + i + j, part, A(0)); });
      store_one(static_cast<T*>(a.output) + c, sum_lanes<A>((s0 + s1) + (s2 + s3)) / A(n));
    }
  });
}

template <class T>
void avg_rows(const AvgPoolArgs& a) {
  using A = Acc<T>;
  const PoolShape& s = a.shape;
  Divisor div = divisor_of(a);
  int64_t rows_out = s.out[0] * s.out[1], pad = s.adaptive ? 0 : s.padding[2], step = s.stride[2];
  int64_t cost =
      larger(s.in[2] * (s.adaptive ? s.in[0] * s.in[1] / larger(rows_out, 1) : s.kernel[0] * s.kernel[1]), 1);
  parallel_for(s.batch * s.channels * rows_out, larger(16384 / cost, 1), [&](int64_t begin, int64_t end) {
    int64_t length = padded_row<A>(s);
    Scratch<A> row(length), counts(s.out[2] + kLanes<A>);
    for (int64_t i = 0; i < length; ++i) row[i] = 0;
    for (int64_t o = 0; o < s.out[2] + kLanes<A>; ++o) counts[o] = o < s.out[2] ? A(div.of(window(s, 2, o))) : A(1);
    for (int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(a.input) + r / rows_out * volume(s.in);
      T* y = static_cast<T*>(a.output) + r * s.out[2];
      Window depth = window(s, 0, r % rows_out / s.out[1]), height = window(s, 1, r % s.out[1]);
      Lanes<A> count = splat(A(div.of(depth) * div.of(height) * div.value));
      bool first = true;
      for (int64_t d = depth.begin; d < depth.end; d += depth.step)
        for (int64_t h = height.begin; h < height.end; h += height.step, first = false) {
          const T* line = x + (d * s.in[1] + h) * s.in[2];
          each<A>(s.in[2], [&](int64_t i, auto part) {
            Lanes<A> v = load_n(line + i, part, A(0));
            store(row + pad + i, first ? v : v + load(row + pad + i));
          });
        }
      if (!s.adaptive && step <= 2) {
        each<A>(s.out[2], [&](int64_t o, auto part) {
          Lanes<A> sum{};
          for (int64_t k = 0; k < s.kernel[2]; ++k) {
            const A* p = row + o * step + k;
            sum += step == 1 ? load(p) : even_lanes(load(p), load(p + kLanes<A>));
          }
          store_n(y + o, sum / (count * load(counts + o)), part);
        });
      } else {
        for (int64_t o = 0; o < s.out[2]; ++o) {
          Window w = window(s, 2, o);
          Lanes<A> sum{};
          each<A>(w.end - w.begin, [&](int64_t i, auto part) { sum += load_n(row + pad + w.begin + i, part, A(0)); });
          store_one(y + o, sum_lanes<A>(sum) / (count[0] * counts[o]));
        }
      }
    }
  });
}

template <class T>
void avg_backward_planes(const AvgPoolBackwardArgs& a) {
  using A = Acc<T>;
  const PoolShape& s = a.shape;
  Divisor div = divisor_of(a);
  int64_t in = volume(s.in), out = volume(s.out);
  parallel_for(s.batch * s.channels, larger(16384 / larger(in, 1), 1), [&](int64_t begin, int64_t end) {
    Scratch<A> row(s.in[2] + kLanes<A>), counts(s.out[2]);
    for (int64_t o = 0; o < s.out[2]; ++o) counts[o] = A(div.of(window(s, 2, o)));
    for (int64_t c = begin; c < end; ++c) {
      const T* g = static_cast<const T*>(a.grad) + c * out;
      T* to = static_cast<T*>(a.grad_input) + c * in;
      __builtin_memset(to, 0, size_t(in) * sizeof(T));
      for (int64_t i = 0; i < s.out[0]; ++i)
        for (int64_t j = 0; j < s.out[1]; ++j, g += s.out[2]) {
          Window d = window(s, 0, i), h = window(s, 1, j);
          A count = A(div.of(d) * div.of(h) * div.value);
          for (int64_t k = 0; k < s.in[2] + kLanes<A>; ++k) row[k] = 0;
          for (int64_t k = 0; k < s.out[2]; ++k) {
            Window w = window(s, 2, k);
            A v = load_one(g + k) / (count * counts[k]);
            for (int64_t x = w.begin; x < w.end; ++x) row[x] += v;
          }
          for (int64_t z = d.begin; z < d.end; ++z)
            for (int64_t y = h.begin; y < h.end; ++y) {
              T* line = to + (z * s.in[1] + y) * s.in[2];
              each<A>(s.in[2], [&](int64_t k, auto part) {
                store_n(line + k, load_n(static_cast<const T*>(line) + k, part, A(0)) + load(row + k), part);
              });
            }
        }
    }
  });
}

template <class T>
void avg_channels_last(const AvgPoolArgs& a) {
  using A = Acc<T>;
  const PoolShape& s = a.shape;
  Divisor div = divisor_of(a);
  int64_t C = s.channels, rows_out = s.out[0] * s.out[1];
  parallel_for(s.batch * rows_out, larger(4096 / larger(s.out[2] * C, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(a.input) + r / rows_out * volume(s.in) * C;
      Window d = window(s, 0, r % rows_out / s.out[1]), h = window(s, 1, r % s.out[1]);
      for (int64_t k = 0; k < s.out[2]; ++k) {
        Window w = window(s, 2, k);
        T* y = static_cast<T*>(a.output) + (r * s.out[2] + k) * C;
        Lanes<A> count = splat(A(div.of(d) * div.of(h) * div.of(w) * div.value));
        each<A>(C, [&](int64_t c, auto part) {
          Lanes<A> sum{};
          scan(s, d, h, w, [&](int64_t p) { sum += load_n(x + p * C + c, part, A(0)); });
          store_n(y + c, sum / count, part);
        });
      }
    }
  });
}

template <class T>
void avg_backward_channels_last(const AvgPoolBackwardArgs& a) {
  using A = Acc<T>;
  constexpr int L = kLanes<A>;
  const PoolShape& s = a.shape;
  Divisor div = divisor_of(a);
  int64_t C = s.channels, in = volume(s.in), out = volume(s.out), blocks = (C + 4 * L - 1) / (4 * L);
  parallel_for(s.batch * blocks, larger(1024 / larger(out, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      int64_t n = b / blocks, from = b % blocks * 4 * L, width = smaller(C - from, 4 * L);
      const T* g = static_cast<const T*>(a.grad) + n * out * C + from;
      T* to = static_cast<T*>(a.grad_input) + n * in * C + from;
      for (int64_t p = 0; p < in; ++p) __builtin_memset(to + p * C, 0, size_t(width) * sizeof(T));
      outputs(s, [&](int64_t o, Window d, Window h, Window w) {
        Lanes<A> count = splat(A(div.of(d) * div.of(h) * div.of(w) * div.value));
        each<A>(width, [&](int64_t c, auto part) {
          Lanes<A> v = load_n(g + o * C + c, part, A(0)) / count;
          scan(s, d, h, w, [&](int64_t p) {
            T* at = to + p * C + c;
            store_n(at, load_n(static_cast<const T*>(at), part, A(0)) + v, part);
          });
        });
      });
    }
  });
}

void avg_pool(const AvgPoolArgs& a) {
  with_floating(a.shape.dtype, [&]<class T>() {
    if (a.shape.channels_last)
      avg_channels_last<T>(a);
    else if (a.shape.adaptive && volume(a.shape.out) == 1)
      avg_global<T>(a);
    else
      avg_rows<T>(a);
  });
}
void avg_pool_backward(const AvgPoolBackwardArgs& a) {
  with_floating(a.shape.dtype, [&]<class T>() {
    a.shape.channels_last ? avg_backward_channels_last<T>(a) : avg_backward_planes<T>(a);
  });
}

}  // namespace

void fill_pool() {
  PoolKernels& k = pool_kernels[int(DeviceType::CPU)];
  k.max = max_pool;
  k.max_backward = max_pool_backward;
  k.avg = avg_pool;
  k.avg_backward = avg_pool_backward;
}

}  // namespace tl::cpu::TL_ISA
