#include "cpu/norm_batch.h"

namespace tl::cpu::TL_ISA {
namespace {

template <class T>
void row_norm(const RowNormArgs& a) {
  using A = Acc<T>;
  const A* weight = static_cast<const A*>(a.weight);
  const A* bias = static_cast<const A*>(a.bias);
  int64_t n = a.channels * a.inner;
  bool streaming = should_stream(static_cast<T*>(a.output), n, a.rows);
  parallel_for(a.rows, larger(16384 / larger(n, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(a.input) + r * n;
      T* y = static_cast<T*>(a.output) + r * n;
      A mean = A(sum_of(x, n) / double(n));
      A rstd = A(1 / square_root(squares_around(x, n, mean) / double(n) + a.eps));
      static_cast<A*>(a.mean)[r] = mean;
      static_cast<A*>(a.rstd)[r] = rstd;
      Lanes<A> m = splat(mean), s = splat(rstd);
      int64_t first = r % a.groups * a.channels;
      const A* w = weight ? weight + first : nullptr;
      const A* b = bias ? bias + first : nullptr;
      if (a.inner == 1 || (!w && !b)) {
        write_row(y, n, streaming, [&](int64_t i, auto part) {
          Lanes<A> v = (load_n(x + i, part, A(0)) - m) * s;
          if (w) v *= load_n(w + i, part, A(0));
          if (b) v += load_n(b + i, part, A(0));
          return v;
        });
      } else {
        for (int64_t c = 0; c < a.channels; ++c) {
          Lanes<A> k = splat(w ? w[c] * rstd : rstd), shift = splat(b ? b[c] : A(0));
          each<A>(a.inner, [&](int64_t i, auto part) {
            int64_t at = c * a.inner + i;
            store_n(y + at, fma(load_n(x + at, part, A(0)) - m, k, shift), part);
          });
        }
      }
    }
    if (streaming) streamed();
  });
}

// grad_input of one row from the two means over the row of u = grad * weight: mean(u) and mean(u * normalised).
template <class T, class Grad>
void row_grad_input(T* d, const T* x, int64_t n, Acc<T> mean, Acc<T> rstd, double u, double ux, Grad&& scaled_grad) {
  using A = Acc<T>;
  Lanes<A> m = splat(mean), s = splat(rstd), mean_u = splat(A(u)), mean_ux = splat(A(ux) * rstd);
  each<A>(n, [&](int64_t i, auto part) {
    Lanes<A> v = scaled_grad(i, part) - mean_u - (load_n(x + i, part, A(0)) - m) * mean_ux;
    store_n(d + i, v * s, part);
  });
}

template <class T>
void layer_norm_backward(const RowNormBackwardArgs& a) {
  using A = Acc<T>;
  constexpr int L = kLanes<A>;
  const A* w = static_cast<const A*>(a.weight);
  int64_t n = a.channels, width = (n + L - 1) / L * L;
  bool params = a.grad_weight || a.grad_bias;
  int64_t pieces = smaller(32, (a.rows + 7) / 8);
  A* partial = params ? static_cast<A*>(__builtin_malloc(size_t(2 * pieces * width) * sizeof(A))) : nullptr;
  parallel_for(pieces, larger(16384 * pieces / larger(a.rows * n, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      A* gw = partial + 2 * p * width;
      A* gb = gw + width;
      if (params)
        for (int64_t i = 0; i < 2 * width; ++i) gw[i] = 0;
      for (int64_t r = p * a.rows / pieces; r < (p + 1) * a.rows / pieces; ++r) {
        const T* g = static_cast<const T*>(a.grad) + r * n;
        const T* x = static_cast<const T*>(a.input) + r * n;
        A mean = static_cast<const A*>(a.mean)[r], rstd = static_cast<const A*>(a.rstd)[r];
        Lanes<A> m = splat(mean), s = splat(rstd);
        auto scaled = [&](int64_t i, auto part) {
          Lanes<A> v = load_n(g + i, part, A(0));
          return w ? v * load_n(w + i, part, A(0)) : v;
        };
        if (a.grad_input) {
          double u = sum_over<A>(n, scaled);
          double ux =
              sum_over<A>(n, [&](int64_t i, auto part) { return scaled(i, part) * (load_n(x + i, part, mean) - m); });
          row_grad_input(static_cast<T*>(a.grad_input) + r * n, x, n, mean, rstd, u / double(n),
                         ux * double(rstd) / double(n), scaled);
        }
        if (params)
          each<A>(n, [&](int64_t i, auto part) {
            Lanes<A> gi = load_n(g + i, part, A(0)), xi = load_n(x + i, part, mean);
            store(gw + i, fma(gi, (xi - m) * s, load(gw + i)));
            store(gb + i, load(gb + i) + gi);
          });
      }
    }
  });
  if (!params) return;
  for (int64_t i = 0; i < n; ++i) {
    double gw = 0, gb = 0;
    for (int64_t p = 0; p < pieces; ++p)
      gw += double(partial[2 * p * width + i]), gb += double(partial[(2 * p + 1) * width + i]);
    if (a.grad_weight) static_cast<A*>(a.grad_weight)[i] = A(gw);
    if (a.grad_bias) static_cast<A*>(a.grad_bias)[i] = A(gb);
  }
  __builtin_free(partial);
}

template <class T>
void group_norm_backward(const RowNormBackwardArgs& a) {
  using A = Acc<T>;
  int64_t n = a.channels * a.inner, all = a.groups * a.channels, C = a.channels, S = a.inner;
  // For every sample and channel: the sum of the gradient, and of gradient * (input - mean).
  double* sums = static_cast<double*>(__builtin_malloc(size_t(2 * a.rows * C + 1) * sizeof(double)));
  parallel_for(a.rows, larger(16384 / larger(n, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* g = static_cast<const T*>(a.grad) + r * n;
      const T* x = static_cast<const T*>(a.input) + r * n;
      const A* w = a.weight ? static_cast<const A*>(a.weight) + r % a.groups * C : nullptr;
      A mean = static_cast<const A*>(a.mean)[r], rstd = static_cast<const A*>(a.rstd)[r];
      Lanes<A> m = splat(mean);
      double u = 0, ux = 0;
      for (int64_t c = 0; c < C; ++c) {
        const T *gc = g + c * S, *xc = x + c * S;
        double sum = sum_of(gc, S);
        double dot = sum_over<A>(
            S, [&](int64_t i, auto part) { return load_n(gc + i, part, A(0)) * (load_n(xc + i, part, mean) - m); });
        sums[2 * (r * C + c)] = sum;
        sums[2 * (r * C + c) + 1] = dot;
        u += w ? sum * double(w[c]) : sum;
        ux += w ? dot * double(w[c]) : dot;
      }
      if (a.grad_input)
        for (int64_t c = 0; c < C; ++c) {
          Lanes<A> k = splat(w ? w[c] : A(1));
          row_grad_input(static_cast<T*>(a.grad_input) + r * n + c * S, x + c * S, S, mean, rstd, u / double(n),
                         ux * double(rstd) / double(n),
                         [&](int64_t i, auto part) { return load_n(g + c * S + i, part, A(0)) * k; });
        }
    }
  });
  if (a.grad_weight || a.grad_bias)
    for (int64_t c = 0; c < all; ++c) {
      double gw = 0, gb = 0;
      for (int64_t r = c / C; r < a.rows; r += a.groups) {
        const double* s = sums + 2 * (r * C + c % C);
        gb += s[0];
        gw += s[1] * double(static_cast<const A*>(a.rstd)[r]);
      }
      if (a.grad_weight) static_cast<A*>(a.grad_weight)[c] = A(gw);
      if (a.grad_bias) static_cast<A*>(a.grad_bias)[c] = A(gb);
    }
  __builtin_free(sums);
}

void rows(const RowNormArgs& a) {
  with_floating(a.dtype, [&]<class T>() { row_norm<T>(a); });
}
void rows_backward(const RowNormBackwardArgs& a) {
  with_floating(a.dtype, [&]<class T>() {
    a.inner == 1 && a.groups == 1 ? layer_norm_backward<T>(a) : group_norm_backward<T>(a);
  });
}

}  // namespace

void fill_norm() {
  NormKernels& k = norm_kernels[int(DeviceType::CPU)];
  k.rows = rows;
  k.rows_backward = rows_backward;
  k.batch = batch_norm;
  k.batch_backward = batch_norm_backward;
}

}  // namespace tl::cpu::TL_ISA
