#pragma once

#include "cpu/norm.h"

namespace tl::cpu::TL_ISA {
namespace {

constexpr int64_t kRowPieces = 64;  // the most pieces that rows are summed in

// What the statistics of one channel lead to: saved values and running averages.
template <class A>
void keep_stats(const BatchNormArgs& a, int64_t c, double mean, double squares) {
  double count = double(a.batch * a.inner), var = squares / count;
  static_cast<A*>(a.mean)[c] = A(mean);
  static_cast<A*>(a.invstd)[c] = A(1 / square_root(var + a.eps));
  if (a.running_mean) {
    A& r = static_cast<A*>(a.running_mean)[c];
    r = A(a.momentum * mean + (1 - a.momentum) * double(r));
  }
  if (a.running_var) {
    A& r = static_cast<A*>(a.running_var)[c];
    r = A(a.momentum * (squares / (count - 1)) + (1 - a.momentum) * double(r));
  }
}
template <class A>
void use_running_stats(const BatchNormArgs& a) {
  for (int64_t c = 0; c < a.channels; ++c) {
    static_cast<A*>(a.mean)[c] = static_cast<const A*>(a.running_mean)[c];
    static_cast<A*>(a.invstd)[c] = A(1 / square_root(double(static_cast<const A*>(a.running_var)[c]) + a.eps));
  }
}
template <class A>
inline A parameter(const void* p, int64_t c, A otherwise) {
  return p ? static_cast<const A*>(p)[c] : otherwise;
}

template <class T>
void batch_planes(const BatchNormArgs& a) {
  using A = Acc<T>;
  const T* x = static_cast<const T*>(a.input);
  T* y = static_cast<T*>(a.output);
  int64_t S = a.inner, sample = a.channels * S;
  if (!a.training) use_running_stats<A>(a);
  parallel_for(a.channels, larger(16384 / larger(a.batch * S, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      if (a.training) {
        double sum = 0, squares = 0;
        for (int64_t n = 0; n < a.batch; ++n) sum += sum_of(x + n * sample + c * S, S);
        double mean = sum / double(a.batch * S);
        for (int64_t n = 0; n < a.batch; ++n) squares += squares_around(x + n * sample + c * S, S, A(mean));
        keep_stats<A>(a, c, mean, squares);
      }
      A scale = static_cast<const A*>(a.invstd)[c] * parameter<A>(a.weight, c, 1);
      Lanes<A> k = splat(scale), m = splat(static_cast<const A*>(a.mean)[c]), b = splat(parameter<A>(a.bias, c, 0));
      for (int64_t n = 0; n < a.batch; ++n) {
        int64_t at = n * sample + c * S;
        each<A>(
            S, [&](int64_t i, auto part) { store_n(y + at + i, fma(load_n(x + at + i, part, A(0)) - m, k, b), part); });
      }
    }
  });
}

template <class T>
void batch_planes_backward(const BatchNormBackwardArgs& a) {
  using A = Acc<T>;
  const T* x = static_cast<const T*>(a.input);
  const T* g = static_cast<const T*>(a.grad);
  T* d = static_cast<T*>(a.grad_input);
  int64_t S = a.inner, sample = a.channels * S;
  parallel_for(a.channels, larger(16384 / larger(a.batch * S, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      A mean = static_cast<const A*>(a.mean)[c], invstd = static_cast<const A*>(a.invstd)[c];
      Lanes<A> m = splat(mean);
      double sum = 0, dot = 0;
      for (int64_t n = 0; n < a.batch; ++n) {
        const T *gn = g + n * sample + c * S, *xn = x + n * sample + c * S;
        sum += sum_of(gn, S);
        dot += sum_over<A>(
            S, [&](int64_t i, auto part) { return load_n(gn + i, part, A(0)) * (load_n(xn + i, part, mean) - m); });
      }
      if (a.grad_weight) static_cast<A*>(a.grad_weight)[c] = A(dot * double(invstd));
      if (a.grad_bias) static_cast<A*>(a.grad_bias)[c] = A(sum);
      if (!d) continue;
      double count = double(a.batch * S);
      Lanes<A> scale = splat(invstd * parameter<A>(a.weight, c, 1));
      Lanes<A> shift = splat(A(a.training ? sum / count : 0));
      Lanes<A> slope = splat(A(a.training ? dot / count * double(invstd) * double(invstd) : 0));
      for (int64_t n = 0; n < a.batch; ++n) {
        int64_t at = n * sample + c * S;
        each<A>(S, [&](int64_t i, auto part) {
          Lanes<A> v = load_n(g + at + i, part, A(0)) - shift - (load_n(x + at + i, part, A(0)) - m) * slope;
          store_n(d + at + i, v * scale, part);
        });
      }
    }
  });
}

// Rows of channels: adds up `count` sums of each channel over pieces of the rows that depend on the shape alone, then
// over the pieces, into total (count, channels) in double. add(row, channel, part, sums) adds one row to them.
template <class A, int count, class F>
void sum_rows(int64_t rows, int64_t channels, double* total, F&& add) {
  constexpr int64_t L = kLanes<A>, block = 4 * L;
  int64_t pieces = smaller(kRowPieces, (rows + 31) / 32), width = (channels + L - 1) / L * L;
  A* partial = static_cast<A*>(__builtin_malloc(size_t(count * pieces * width + 1) * sizeof(A)));
  parallel_for(pieces, larger(16384 * pieces / larger(rows * channels, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      A* to = partial + p * count * width;
      int64_t from = p * rows / pieces, until = (p + 1) * rows / pieces, c = 0;
      for (; c + block <= channels; c += block) {
        Lanes<A> s[4][count] = {};
        for (int64_t r = from; r < until; ++r)
          for (int v = 0; v < 4; ++v) add(r, c + v * L, Whole{}, s[v]);
        for (int v = 0; v < 4; ++v)
          for (int k = 0; k < count; ++k) store(to + k * width + c + v * L, s[v][k]);
      }
      each<A>(channels - c, [&](int64_t i, auto part) {
        Lanes<A> s[count] = {};
        for (int64_t r = from; r < until; ++r) add(r, c + i, part, s);
        for (int k = 0; k < count; ++k) store(to + k * width + c + i, s[k]);
      });
    }
  });
  for (int k = 0; k < count; ++k)
    for (int64_t c = 0; c < channels; ++c) {
      double sum = 0;
      for (int64_t p = 0; p < pieces; ++p) sum += double(partial[(p * count + k) * width + c]);
      total[k * channels + c] = sum;
    }
  __builtin_free(partial);
}

template <class T>
void batch_columns(const BatchNormArgs& a) {
  using A = Acc<T>;
  const T* x = static_cast<const T*>(a.input);
  T* y = static_cast<T*>(a.output);
  A* mean = static_cast<A*>(a.mean);
  A* invstd = static_cast<A*>(a.invstd);
  int64_t C = a.channels, rows = a.batch * a.inner;
  if (!a.training) {
    use_running_stats<A>(a);
  } else {
    double* sums = static_cast<double*>(__builtin_malloc(size_t(2 * C) * sizeof(double)));
    double* squares = sums + C;
    sum_rows<A, 1>(rows, C, sums,
                   [&](int64_t r, int64_t c, auto part, Lanes<A>* s) { s[0] += load_n(x + r * C + c, part, A(0)); });
    for (int64_t c = 0; c < C; ++c) mean[c] = A(sums[c] / double(rows));
    sum_rows<A, 1>(rows, C, squares, [&](int64_t r, int64_t c, auto part, Lanes<A>* s) {
      Lanes<A> d = load_n(x + r * C + c, part, A(0)) - load_n(static_cast<const A*>(mean) + c, part, A(0));
      s[0] = fma(d, d, s[0]);
    });
    for (int64_t c = 0; c < C; ++c) keep_stats<A>(a, c, sums[c] / double(rows), squares[c]);
    __builtin_free(sums);
  }
  const A* w = static_cast<const A*>(a.weight);
  const A* b = static_cast<const A*>(a.bias);
  parallel_for(rows, larger(16384 / larger(C, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      each<A>(C, [&](int64_t c, auto part) {
        Lanes<A> k = load_n(static_cast<const A*>(invstd) + c, part, A(0));
        if (w) k *= load_n(w + c, part, A(0));
        Lanes<A> shift = b ? load_n(b + c, part, A(0)) : Lanes<A>{};
        Lanes<A> v = load_n(x + r * C + c, part, A(0)) - load_n(static_cast<const A*>(mean) + c, part, A(0));
        store_n(y + r * C + c, fma(v, k, shift), part);
      });
  });
}

template <class T>
void batch_columns_backward(const BatchNormBackwardArgs& a) {
  using A = Acc<T>;
  const T* x = static_cast<const T*>(a.input);
  const T* g = static_cast<const T*>(a.grad);
  const A* mean = static_cast<const A*>(a.mean);
  const A* invstd = static_cast<const A*>(a.invstd);
  const A* w = static_cast<const A*>(a.weight);
  T* d = static_cast<T*>(a.grad_input);
  int64_t C = a.channels, rows = a.batch * a.inner;
  double* sums = static_cast<double*>(__builtin_malloc(size_t(2 * C) * sizeof(double)));
  double* dots = sums + C;
  sum_rows<A, 2>(rows, C, sums, [&](int64_t r, int64_t c, auto part, Lanes<A>* s) {
    Lanes<A> gv = load_n(g + r * C + c, part, A(0)), m = load_n(mean + c, part, A(0));
    s[0] += gv;
    s[1] = fma(gv, load_n(x + r * C + c, part, A(0)) - m, s[1]);
  });
  for (int64_t c = 0; c < C; ++c) {
    if (a.grad_weight) static_cast<A*>(a.grad_weight)[c] = A(dots[c] * double(invstd[c]));
    if (a.grad_bias) static_cast<A*>(a.grad_bias)[c] = A(sums[c]);
  }
  if (d) {
    A* shift = static_cast<A*>(__builtin_malloc(size_t(2 * C) * sizeof(A)));
    A* slope = shift + C;
    for (int64_t c = 0; c < C; ++c) {
      shift[c] = A(a.training ? sums[c] / double(rows) : 0);
      slope[c] = A(a.training ? dots[c] / double(rows) * double(invstd[c]) * double(invstd[c]) : 0);
    }
    parallel_for(rows, larger(16384 / larger(C, 1), 1), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        each<A>(C, [&](int64_t c, auto part) {
          Lanes<A> k = load_n(invstd + c, part, A(0));
          if (w) k *= load_n(w + c, part, A(0));
          Lanes<A> v = load_n(x + r * C + c, part, A(0)) - load_n(mean + c, part, A(0));
          v = load_n(g + r * C + c, part, A(0)) - load_n(static_cast<const A*>(shift) + c, part, A(0)) -
              v * load_n(static_cast<const A*>(slope) + c, part, A(0));
          store_n(d + r * C + c, v * k, part);
        });
    });
    __builtin_free(shift);
  }
  __builtin_free(sums);
}

void batch_norm(const BatchNormArgs& a) {
  with_floating(a.dtype, [&]<class T>() { a.channels_last ? batch_columns<T>(a) : batch_planes<T>(a); });
}
void batch_norm_backward(const BatchNormBackwardArgs& a) {
  with_floating(a.dtype,
                [&]<class T>() { a.channels_last ? batch_columns_backward<T>(a) : batch_planes_backward<T>(a); });
}

}  // namespace
}  // namespace tl::cpu::TL_ISA
