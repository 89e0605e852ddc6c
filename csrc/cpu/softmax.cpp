#include "kernels/softmax.h"

#include "core/parallel.h"
#include "cpu/lanes.h"

namespace tl::cpu::TL_ISA {
namespace {

constexpr int64_t kGrain = 16384;   // elements worth a thread
constexpr int64_t kScratch = 8192;  // the longest row whose exponentials are kept beside the output
constexpr int64_t kColumns = 512;   // columns that are worked on together when the dim is not the last

template <class T>
Acc<T> row_max(const T* x, int64_t n) {
  using A = Acc<T>;
  constexpr int L = kLanes<A>;
  Lanes<A> m0 = splat(-infinity<A>()), m1 = m0, m2 = m0, m3 = m0;
  int64_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    m0 = larger(load(x + i), m0);
    m1 = larger(load(x + i + L), m1);
    m2 = larger(load(x + i + 2 * L), m2);
    m3 = larger(load(x + i + 3 * L), m3);
  }
  m0 = larger(larger(m0, m1), larger(m2, m3));
  each<A>(n - i, [&](int64_t j, auto part) { m0 = larger(load_n(x + i + j, part, -infinity<A>()), m0); });
  return max_lanes<A>(m0);
}

// Calls put(i, e, part) with e = exp(x[i] - max) and returns the sum of all e.
template <class T, class Put>
Acc<T> row_exp(const T* x, int64_t n, Acc<T> max, Put&& put) {
  using A = Acc<T>;
  constexpr int L = kLanes<A>;
  Lanes<A> s0{}, s1{}, m = splat(max);
  int64_t i = 0;
  for (; i + 2 * L <= n; i += 2 * L) {
    Lanes<A> e0 = exp(load(x + i) - m), e1 = exp(load(x + i + L) - m);
    put(i, e0, Whole{});
    put(i + L, e1, Whole{});
    s0 += e0;
    s1 += e1;
  }
  each<A>(n - i, [&](int64_t j, auto part) {
    Lanes<A> e = exp(load_n(x + i + j, part, -infinity<A>()) - m);
    put(i + j, e, part);
    // Lanes past the end are exp(-inf - max) = 0 unless max is infinite; then the row is NaN anyway.
    s0 += e;
  });
  return sum_lanes<A>(s0 + s1);
}

template <class T>
void softmax_row(const T* x, T* y, int64_t n, bool streaming, Acc<T>* scratch) {
  using A = Acc<T>;
  A max = row_max(x, n);
  if (n <= kScratch) {
    A sum = row_exp(x, n, max, [&](int64_t i, Lanes<A> e, auto) { store(scratch + i, e); });
    Lanes<A> scale = splat(A(1) / sum);
    write_row(y, n, streaming, [&](int64_t i, auto) { return load(scratch + i) * scale; });
  } else {
    A sum = row_exp(x, n, max, [](int64_t, Lanes<A>, auto) {});
    Lanes<A> scale = splat(A(1) / sum), m = splat(max);
    write_row(y, n, streaming, [&](int64_t i, auto part) { return exp(load_n(x + i, part, A(0)) - m) * scale; });
  }
}

template <class T>
void log_softmax_row(const T* x, T* y, int64_t n, bool streaming) {
  using A = Acc<T>;
  A max = row_max(x, n);
  A sum = row_exp(x, n, max, [](int64_t, Lanes<A>, auto) {});
  Lanes<A> m = splat(max), l = splat(log_one(sum));
  write_row(y, n, streaming, [&](int64_t i, auto part) { return load_n(x + i, part, A(0)) - m - l; });
}

template <class T>
void rows(const SoftmaxArgs& a) {
  using A = Acc<T>;
  const T* x = static_cast<const T*>(a.input);
  T* y = static_cast<T*>(a.output);
  bool streaming = should_stream(y, a.n, a.outer);
  parallel_for(a.outer, larger(kGrain / a.n, 1), [&](int64_t begin, int64_t end) {
    alignas(64) A scratch[kScratch];
    for (int64_t r = begin; r < end; ++r)
      if (a.log)
        log_softmax_row(x + r * a.n, y + r * a.n, a.n, streaming);
      else
        softmax_row(x + r * a.n, y + r * a.n, a.n, streaming, scratch);
    if (streaming) streamed();
  });
}

// The largest element of each column and the sum of exp(element - largest), in one pass over the memory: eight rows at
// a time, the sum so far scaled when they raise the largest.
template <class T>
void column_sums(const T* x, int64_t n, int64_t stride, int64_t width, Acc<T>* max, Acc<T>* sum) {
  using A = Acc<T>;
  for (int64_t i = 0; i < width + kLanes<A>; ++i) max[i] = -infinity<A>(), sum[i] = 0;
  auto take = [&]<int count>(const T* from) {
    each<A>(width, [&](int64_t i, auto part) {
      Lanes<A> v[count], before = load(max + i), m = before;
      for (int k = 0; k < count; ++k) {
        v[k] = load_n(from + k * stride + i, part, -infinity<A>());
        m = larger(v[k], m);
      }
      // Where all are minus infinity so far, their exponentials are to be 0.
      Lanes<A> at = m == -infinity<A>() ? Lanes<A>{} : m;
      Lanes<A> s = load(sum + i) * exp(before - at);
      for (int k = 0; k < count; ++k) s += exp(v[k] - at);
      store(max + i, m);
      store(sum + i, s);
    });
  };
  int64_t j = 0;
  for (; j + 8 <= n; j += 8) take.template operator()<8>(x + j * stride);
  for (; j < n; ++j) take.template operator()<1>(x + j * stride);
}

// The dim is not the last: up to kColumns neighbouring columns at a time, each row of them contiguous.
template <class T>
void columns(const SoftmaxArgs& a) {
  using A = Acc<T>;
  int64_t blocks = (a.inner + kColumns - 1) / kColumns, grain = a.n * smaller(a.inner, kColumns);
  bool streaming = should_stream(static_cast<T*>(a.output), a.inner, a.outer * a.n);
  parallel_for(a.outer * blocks, larger(kGrain / grain, 1), [&](int64_t begin, int64_t end) {
    alignas(64) A max[kColumns + kLanes<A>], sum[kColumns + kLanes<A>];
    for (int64_t b = begin; b < end; ++b) {
      int64_t first = b % blocks * kColumns, width = smaller(a.inner - first, kColumns);
      int64_t base = b / blocks * a.n * a.inner + first;
      const T* x = static_cast<const T*>(a.input) + base;
      T* y = static_cast<T*>(a.output) + base;
      column_sums(x, a.n, a.inner, width, max, sum);
      for (int64_t i = 0; i < width; ++i) sum[i] = a.log ? log_one(sum[i]) : A(1) / sum[i];
      for (int64_t j = 0; j < a.n; ++j)
        write_row(y + j * a.inner, width, streaming, [&](int64_t i, auto part) {
          Lanes<A> v = load_n(x + j * a.inner + i, part, A(0)) - load(max + i), s = load(sum + i);
          return a.log ? v - s : exp(v) * s;
        });
    }
    if (streaming) streamed();
  });
}

template <class T>
void rows_backward(const SoftmaxBackwardArgs& a) {
  using A = Acc<T>;
  parallel_for(a.outer, larger(kGrain / a.n, 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* g = static_cast<const T*>(a.grad) + r * a.n;
      const T* y = static_cast<const T*>(a.output) + r * a.n;
      T* d = static_cast<T*>(a.grad_input) + r * a.n;
      Lanes<A> total{};
      each<A>(a.n, [&](int64_t i, auto part) {
        Lanes<A> gi = load_n(g + i, part, A(0));
        total = a.log ? total + gi : fma(gi, load_n(y + i, part, A(0)), total);
      });
      Lanes<A> s = splat(sum_lanes<A>(total));
      each<A>(a.n, [&](int64_t i, auto part) {
        Lanes<A> gi = load_n(g + i, part, A(0)), yi = load_n(y + i, part, A(0));
        store_n(d + i, a.log ? gi - exp(yi) * s : (gi - s) * yi, part);
      });
    }
  });
}

template <class T>
void columns_backward(const SoftmaxBackwardArgs& a) {
  using A = Acc<T>;
  int64_t blocks = (a.inner + kColumns - 1) / kColumns;
  parallel_for(a.outer * blocks, larger(kGrain / (a.n * smaller(a.inner, kColumns)), 1),
               [&](int64_t begin, int64_t end) {
                 alignas(64) A sum[kColumns + kLanes<A>];
                 for (int64_t b = begin; b < end; ++b) {
                   int64_t first = b % blocks * kColumns, width = smaller(a.inner - first, kColumns);
                   int64_t base = b / blocks * a.n * a.inner + first;
                   const T* g = static_cast<const T*>(a.grad) + base;
                   const T* y = static_cast<const T*>(a.output) + base;
                   T* d = static_cast<T*>(a.grad_input) + base;
                   for (int64_t i = 0; i < width + kLanes<A>; ++i) sum[i] = 0;
                   for (int64_t j = 0; j < a.n; ++j)
                     each<A>(width, [&](int64_t i, auto part) {
                       Lanes<A> gi = load_n(g + j * a.inner + i, part, A(0)), s = load(sum + i);
                       store(sum + i, a.log ? s + gi : fma(gi, load_n(y + j * a.inner + i, part, A(0)), s));
                     });
                   for (int64_t j = 0; j < a.n; ++j)
                     each<A>(width, [&](int64_t i, auto part) {
                       int64_t at = j * a.inner + i;
                       Lanes<A> gi = load_n(g + at, part, A(0)), yi = load_n(y + at, part, A(0)), s = load(sum + i);
                       store_n(d + at, a.log ? gi - exp(yi) * s : (gi - s) * yi, part);
                     });
                 }
               });
}

void forward(const SoftmaxArgs& a) {
  with_floating(a.dtype, [&]<class T>() { a.inner == 1 ? rows<T>(a) : columns<T>(a); });
}

void backward(const SoftmaxBackwardArgs& a) {
  with_floating(a.dtype, [&]<class T>() { a.inner == 1 ? rows_backward<T>(a) : columns_backward<T>(a); });
}

}  // namespace

void fill_softmax() {
  SoftmaxKernels& k = softmax_kernels[int(DeviceType::CPU)];
  k.forward = forward;
  k.backward = backward;
}

}  // namespace tl::cpu::TL_ISA
