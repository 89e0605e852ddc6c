#pragma once

#include "cpu/pool.h"

namespace tl::cpu::TL_ISA {
namespace {

// The larger one, or NaN where either is.
template <class V>
inline V larger_or_nan(V a, V b) {
  return a != a ? a : larger(a, b);
}
template <class A>
inline bool beats(A v, A best) {
  return v > best || v != v;
}

// Height and width 2, stride 2, nothing overhanging but a last odd row or column.
inline bool is_halving(const PoolShape& s) {
  if (s.adaptive || s.in[0] != 1 || s.kernel[0] != 1 || s.stride[0] != 1 || s.padding[0]) return false;
  for (int d = 1; d < 3; ++d)
    if (s.kernel[d] != 2 || s.stride[d] != 2 || s.padding[d] || s.dilation[d] != 1 || 2 * s.out[d] > s.in[d])
      return false;
  return true;
}

template <class T>
void max_halving(const MaxPoolArgs& a) {
  using A = Acc<T>;
  const PoolShape& s = a.shape;
  int64_t height = s.out[1], width = s.out[2], rows = s.batch * s.channels * height;
  parallel_for(rows, larger(16384 / larger(width, 16), 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x0 = static_cast<const T*>(a.input) + (r / height * s.in[1] + r % height * 2) * s.in[2];
      const T* x1 = x0 + s.in[2];
      T* y = static_cast<T*>(a.output) + r * width;
      each<A>(width, [&](int64_t o, auto part) {
        Two<T> p = load_two(x0 + 2 * o, part, A(0)), q = load_two(x1 + 2 * o, part, A(0));
        Lanes<A> low = larger_or_nan(p.low, q.low), high = larger_or_nan(p.high, q.high);
        store_n(y + o, larger_or_nan(even_lanes(low, high), odd_lanes(low, high)), part);
      });
    }
  });
}

template <class T>
void max_halving_backward(const MaxPoolBackwardArgs& a) {
  using A = Acc<T>;
  const PoolShape& s = a.shape;
  int64_t height = s.out[1], width = s.out[2];
  int64_t plane = s.in[1] * s.in[2];
  parallel_for(s.batch * s.channels, larger(16384 / larger(plane, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const T* x = static_cast<const T*>(a.input) + c * plane;
      const T* g = static_cast<const T*>(a.grad) + c * height * width;
      T* d = static_cast<T*>(a.grad_input) + c * plane;
      for (int64_t h = 0; h < height; ++h) {
        const T* x0 = x + 2 * h * s.in[2];
        const T* x1 = x0 + s.in[2];
        T* d0 = d + 2 * h * s.in[2];
        T* d1 = d0 + s.in[2];
        each<A>(width, [&](int64_t o, auto part) {
          Two<T> p = load_two(x0 + 2 * o, part, A(0)), q = load_two(x1 + 2 * o, part, A(0));
          Lanes<A> x00 = even_lanes(p.low, p.high), x01 = odd_lanes(p.low, p.high);
          Lanes<A> x10 = even_lanes(q.low, q.high), x11 = odd_lanes(q.low, q.high);
          Lanes<A> gv = load_n(g + h * width + o, part, A(0)), zero{};
          // The first of the largest, but the last NaN: what a scan that replaces on `greater or NaN` ends with.
          Mask<A> take01 = (x01 > x00) | (x01 != x01);
          Lanes<A> best = take01 ? x01 : x00;
          Mask<A> take10 = (x10 > best) | (x10 != x10);
          best = take10 ? x10 : best;
          Mask<A> take11 = (x11 > best) | (x11 != x11);
          Lanes<A> g11 = take11 ? gv : zero, left = take11 ? zero : gv;
          Lanes<A> g10 = take10 ? left : zero;
          left = take10 ? zero : left;
          Lanes<A> g01 = take01 ? left : zero, g00 = take01 ? zero : left;
          store_two(d0 + 2 * o, interleave_low(g00, g01), interleave_high(g00, g01), part);
          store_two(d1 + 2 * o, interleave_low(g10, g11), interleave_high(g10, g11), part);
        });
        for (int64_t w = 2 * width; w < s.in[2]; ++w) store_one(d0 + w, A(0)), store_one(d1 + w, A(0));
      }
      for (int64_t i = 2 * height * s.in[2]; i < plane; ++i) store_one(d + i, A(0));
    }
  });
}

// Any window, values only: the largest over the rows of the window first, then along the row.
template <class T>
void max_rows(const MaxPoolArgs& a) {
  using A = Acc<T>;
  const PoolShape& s = a.shape;
  int64_t rows_out = s.out[0] * s.out[1], pad = s.padding[2], step = s.stride[2];
  int64_t cost = larger(s.in[2] * s.kernel[0] * s.kernel[1] + s.out[2] * s.kernel[2], 1);
  parallel_for(s.batch * s.channels * rows_out, larger(16384 / cost, 1), [&](int64_t begin, int64_t end) {
    int64_t length = padded_row<A>(s);
    Scratch<A> row(length);
    for (int64_t i = 0; i < length; ++i) row[i] = -infinity<A>();
    for (int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(a.input) + r / rows_out * volume(s.in);
      T* y = static_cast<T*>(a.output) + r * s.out[2];
      Window depth = window(s, 0, r % rows_out / s.out[1]), height = window(s, 1, r % s.out[1]);
      bool first = true;
      for (int64_t d = depth.begin; d < depth.end; d += depth.step)
        for (int64_t h = height.begin; h < height.end; h += height.step, first = false) {
          const T* line = x + (d * s.in[1] + h) * s.in[2];
          each<A>(s.in[2], [&](int64_t i, auto part) {
            Lanes<A> v = load_n(line + i, part, -infinity<A>());
            store(row + pad + i, first ? v : larger_or_nan(v, load(row + pad + i)));
          });
        }
      if (step <= 2) {
        each<A>(s.out[2], [&](int64_t o, auto part) {
          Lanes<A> best = splat(-infinity<A>());
          for (int64_t k = 0; k < s.kernel[2]; ++k) {
            const A* p = row + o * step + k * s.dilation[2];
            best = larger_or_nan(step == 1 ? load(p) : even_lanes(load(p), load(p + kLanes<A>)), best);
          }
          store_n(y + o, best, part);
        });
      } else {
        for (int64_t o = 0; o < s.out[2]; ++o) {
          A best = -infinity<A>();
          for (int64_t k = 0; k < s.kernel[2]; ++k) {
            A v = row[o * step + k * s.dilation[2]];
            best = beats(v, best) ? v : best;
          }
          store_one(y + o, best);
        }
      }
    }
  });
}

// Calls f(position in the plane) over a window in order.
template <class F>
inline void scan(const PoolShape& s, Window d, Window h, Window w, F&& f) {
  for (int64_t i = d.begin; i < d.end; i += d.step)
    for (int64_t j = h.begin; j < h.end; j += h.step)
      for (int64_t k = w.begin; k < w.end; k += w.step) f((i * s.in[1] + j) * s.in[2] + k);
}
inline int64_t first_position(const PoolShape& s, Window d, Window h, Window w) {
  return (d.begin * s.in[1] + h.begin) * s.in[2] + w.begin;
}
// Calls f(output position, depth, height, width windows).
template <class F>
inline void outputs(const PoolShape& s, F&& f) {
  for (int64_t i = 0, o = 0; i < s.out[0]; ++i)
    for (int64_t j = 0; j < s.out[1]; ++j)
      for (int64_t k = 0; k < s.out[2]; ++k, ++o) f(o, window(s, 0, i), window(s, 1, j), window(s, 2, k));
}
template <class T>
inline int64_t argmax(const PoolShape& s, const T* x, Window d, Window h, Window w, Acc<T>& best) {
  best = -infinity<Acc<T>>();
  int64_t at = first_position(s, d, h, w);
  scan(s, d, h, w, [&](int64_t p) {
    Acc<T> v = load_one(x + p);
    if (beats(v, best)) best = v, at = p;
  });
  return at;
}

// The largest elements of a row of windows, a vector of outputs at a time, and where they are. The rows of the input
// that the windows touch are copied between padding first, so that no lane needs a bound.
template <class T>
class RowArgmax {
  using A = Acc<T>;
  using I = typename IntOf<A>::type;

 public:
  static bool fits(const PoolShape& s) { return !s.adaptive && (sizeof(I) == 8 || volume(s.in) < INT32_MAX); }

  explicit RowArgmax(const PoolShape& s)
      : s_(s),
        length_(padded_row<A>(s)),
        rows_(s.kernel[0] * s.kernel[1] * length_),
        starts_(s.kernel[0] * s.kernel[1]),
        first_(s.out[2] + kLanes<A>) {
    for (int64_t i = 0; i < s.kernel[0] * s.kernel[1] * length_; ++i) rows_[i] = -infinity<A>();
    for (int64_t o = 0; o < s.out[2] + kLanes<A>; ++o) first_[o] = o < s.out[2] ? I(window(s, 2, o).begin) : I(0);
    for (int l = 0; l < kLanes<A>; ++l) ramp_[l] = I(l * s.stride[2]);
  }

  // Calls f(first output, part, largest, position) along the row of outputs with these windows of depth and height.
  template <class F>
  void run(const T* plane, Window depth, Window height, F&& f) {
    int64_t count = 0, step = s_.stride[2], pad = s_.padding[2];
    for (int64_t d = depth.begin; d < depth.end; d += depth.step)
      for (int64_t h = height.begin; h < height.end; h += height.step, ++count) {
        I start = I((d * s_.in[1] + h) * s_.in[2]);
        A* to = rows_ + count * length_ + pad;
        each<A>(s_.in[2], [&](int64_t i, auto part) { store_n(to + i, load_n(plane + start + i, part, A(0)), part); });
        starts_[count] = start;
      }
    each<A>(s_.out[2], [&](int64_t o, auto part) {
      Lanes<A> best = splat(-infinity<A>());
      Mask<A> at = load_lanes(first_ + o) + starts_[0];
      for (int64_t r = 0; r < count; ++r)
        for (int64_t k = 0; k < s_.kernel[2]; ++k) {
          int64_t from = o * step + k * s_.dilation[2];
          Lanes<A> v = strided(rows_ + r * length_ + from, step);
          Mask<A> better = (v > best) | (v != v);
          best = better ? v : best;
          at = better ? ramp_ + I(starts_[r] + from - pad) : at;
        }
      f(o, part, best, at);
    });
  }
  static int64_t lanes_in(Whole) { return kLanes<A>; }
  static int64_t lanes_in(Rest r) { return r.n; }

 private:
  static Mask<A> load_lanes(const I* p) {
    Mask<A> v;
    __builtin_memcpy(&v, p, sizeof(v));
    return v;
  }
  static Lanes<A> strided(const A* p, int64_t step) {
    if (step == 1) return load(p);
    if (step == 2) return even_lanes(load(p), load(p + kLanes<A>));
    Lanes<A> v;
    for (int l = 0; l < kLanes<A>; ++l) v[l] = p[l * step];
    return v;
  }

  const PoolShape& s_;
  int64_t length_;
  Scratch<A> rows_;
  Scratch<I> starts_;  // of each row, in the plane
  Scratch<I> first_;   // the first column of each output's window
  Mask<A> ramp_;
};

// Calls put(output, position, value) for all outputs of a plane in order.
template <class T, class Put>
void row_maxima(const PoolShape& s, RowArgmax<T>& rows, const T* plane, Put&& put) {
  int64_t row = 0;
  for (int64_t i = 0; i < s.out[0]; ++i)
    for (int64_t j = 0; j < s.out[1]; ++j, row += s.out[2])
      rows.run(plane, window(s, 0, i), window(s, 1, j), [&](int64_t o, auto part, Lanes<Acc<T>> best, Mask<Acc<T>> at) {
        for (int64_t l = 0; l < RowArgmax<T>::lanes_in(part); ++l) put(row + o + l, int64_t(at[l]), best[l]);
      });
}

template <class T>
void max_with_indices(const MaxPoolArgs& a) {
  const PoolShape& s = a.shape;
  int64_t in = volume(s.in), out = volume(s.out);
  parallel_for(s.batch * s.channels, larger(4096 / larger(out, 1), 1), [&](int64_t begin, int64_t end) {
    auto planes = [&](auto&& one) {
      for (int64_t c = begin; c < end; ++c)
        one(static_cast<const T*>(a.input) + c * in, static_cast<T*>(a.output) + c * out, a.indices + c * out);
    };
    if (RowArgmax<T>::fits(s)) {
      RowArgmax<T> rows(s);
      planes([&](const T* x, T* y, int64_t* where) {
        row_maxima(s, rows, x, [&](int64_t o, int64_t at, Acc<T> best) {
          store_one(y + o, best);  // a window may lie in the padding as a whole: then there is no element `at`
          where[o] = at;
        });
      });
    } else {
      planes([&](const T* x, T* y, int64_t* where) {
        outputs(s, [&](int64_t o, Window d, Window h, Window w) {
          Acc<T> best;
          where[o] = argmax(s, x, d, h, w, best);
          store_one(y + o, best);
        });
      });
    }
  });
}

template <class T>
void max_backward_planes(const MaxPoolBackwardArgs& a) {
  const PoolShape& s = a.shape;
  int64_t in = volume(s.in), out = volume(s.out);
  parallel_for(s.batch * s.channels, larger(4096 / larger(out, 1), 1), [&](int64_t begin, int64_t end) {
    auto planes = [&](auto&& one) {
      for (int64_t c = begin; c < end; ++c) {
        const T* g = static_cast<const T*>(a.grad) + c * out;
        T* d = static_cast<T*>(a.grad_input) + c * in;
        __builtin_memset(d, 0, size_t(in) * sizeof(T));
        one(c, [=](int64_t at, int64_t o) {
          if (at < in) store_one(d + at, load_one(d + at) + load_one(g + o));
        });
      }
    };
    const T* x = static_cast<const T*>(a.input);
    if (a.indices) {
      planes([&](int64_t c, auto add) {
        for (int64_t o = 0; o < out; ++o) add(a.indices[c * out + o], o);
      });
    } else if (RowArgmax<T>::fits(s)) {
      RowArgmax<T> rows(s);
      planes([&](int64_t c, auto add) {
        row_maxima(s, rows, x + c * in, [&](int64_t o, int64_t at, Acc<T>) { add(at, o); });
      });
    } else {
      planes([&](int64_t c, auto add) {
        Acc<T> best;
        outputs(s, [&](int64_t o, Window i, Window j, Window k) { add(argmax(s, x + c * in, i, j, k, best), o); });
      });
    }
  });
}

// Channels last: neighbouring channels side by side.
template <class T>
void max_channels_last(const MaxPoolArgs& a) {
  using A = Acc<T>;
  const PoolShape& s = a.shape;
  int64_t C = s.channels, out = volume(s.out), rows_out = s.out[0] * s.out[1];
  parallel_for(s.batch * rows_out, larger(4096 / larger(s.out[2] * C, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(a.input) + r / rows_out * volume(s.in) * C;
      Window d = window(s, 0, r % rows_out / s.out[1]), h = window(s, 1, r % s.out[1]);
      for (int64_t k = 0; k < s.out[2]; ++k) {
        Window w = window(s, 2, k);
        int64_t o = (r / rows_out * out + r % rows_out * s.out[2] + k) * C;
        each<A>(C, [&](int64_t c, auto part) {
          Lanes<A> best = splat(-infinity<A>());
          scan(s, d, h, w, [&](int64_t p) { best = larger_or_nan(load_n(x + p * C + c, part, A(0)), best); });
          store_n(static_cast<T*>(a.output) + o + c, best, part);
        });
        if (a.indices)
          for (int64_t c = 0; c < C; ++c) {
            A best = -infinity<A>();
            int64_t at = first_position(s, d, h, w);
            scan(s, d, h, w, [&](int64_t p) {
              A v = load_one(x + p * C + c);
              if (beats(v, best)) best = v, at = p;
            });
            a.indices[o + c] = at;
          }
      }
    }
  });
}

template <class T>
void max_backward_channels_last(const MaxPoolBackwardArgs& a) {
  using A = Acc<T>;
  constexpr int L = kLanes<A>;
  const PoolShape& s = a.shape;
  int64_t C = s.channels, in = volume(s.in), out = volume(s.out);
  // A block of channels of one sample belongs to one thread, because windows may overlap.
  int64_t blocks = (C + 4 * L - 1) / (4 * L);
  parallel_for(s.batch * blocks, larger(1024 / larger(out, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      int64_t n = b / blocks, from = b % blocks * 4 * L, width = smaller(C - from, 4 * L);
      const T* x = static_cast<const T*>(a.input) + n * in * C + from;
      const T* g = static_cast<const T*>(a.grad) + n * out * C + from;
      T* d = static_cast<T*>(a.grad_input) + n * in * C + from;
      for (int64_t p = 0; p < in; ++p) __builtin_memset(d + p * C, 0, size_t(width) * sizeof(T));
      outputs(s, [&](int64_t o, Window i, Window j, Window k) {
        if (a.indices) {
          for (int64_t c = 0; c < width; ++c) {
            const int64_t at = a.indices[(n * out + o) * C + from + c];
            if (at < in) store_one(d + at * C + c, load_one(d + at * C + c) + load_one(g + o * C + c));
          }
          return;
        }
        each<A>(width, [&](int64_t c, auto part) {
          Lanes<A> best = splat(-infinity<A>());
          Mask<A> at{}, count{};
          scan(s, i, j, k, [&](int64_t p) {
            Lanes<A> v = load_n(x + p * C + c, part, A(0));
            Mask<A> better = (v > best) | (v != v);
            best = better ? v : best;
            at = better ? count : at;
            count += 1;
          });
          Lanes<A> gv = load_n(g + o * C + c, part, A(0)), zero{};
          count = Mask<A>{};
          scan(s, i, j, k, [&](int64_t p) {
            T* to = d + p * C + c;
            store_n(to, load_n(static_cast<const T*>(to), part, A(0)) + (at == count ? gv : zero), part);
            count += 1;
          });
        });
      });
    }
  });
}

void max_pool(const MaxPoolArgs& a) {
  with_floating(a.shape.dtype, [&]<class T>() {
    if (a.shape.channels_last)
      max_channels_last<T>(a);
    else if (a.indices || a.shape.adaptive)
      max_with_indices<T>(a);
    else if (is_halving(a.shape))
      max_halving<T>(a);
    else
      max_rows<T>(a);
  });
}

void max_pool_backward(const MaxPoolBackwardArgs& a) {
  with_floating(a.shape.dtype, [&]<class T>() {
    if (a.shape.channels_last)
      max_backward_channels_last<T>(a);
    else if (!a.indices && is_halving(a.shape))
      max_halving_backward<T>(a);
    else
      max_backward_planes<T>(a);
  });
}

}  // namespace
}  // namespace tl::cpu::TL_ISA
