#include "kernels/scan.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/parallel.h"

namespace tl::cpu {
namespace {

constexpr int64_t kGrain = 1 << 14;  // elements
constexpr int64_t kColumns = 64;     // lines side by side that are walked together
constexpr int64_t kChains = 8, kChain = 32, kBlock = kChains * kChain;
constexpr int64_t kChunk = 128 * kBlock;  // what a thread takes of a long line
constexpr int64_t kThreaded = 32;         // chunks: threads read twice

template <class T>
inline constexpr bool is_half_type = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T>
inline constexpr bool is_complex_type = std::is_same_v<T, complex64> || std::is_same_v<T, complex128>;

// What a scan adds up in.
template <class T>
struct WideOf {
  using type = std::conditional_t<std::is_integral_v<T>, uint64_t, double>;
};
template <>
struct WideOf<complex64> {
  using type = complex128;
};
template <>
struct WideOf<complex128> {
  using type = complex128;
};
template <class T>
using Wide = typename WideOf<T>::type;

template <class T>
inline Wide<T> widen(T v) {
  if constexpr (is_half_type<T>)
    return double(float(v));
  else
    return Wide<T>(v);
}
template <class T>
inline T narrow(Wide<T> v) {
  if constexpr (is_half_type<T>)
    return T(float(v));
  else if constexpr (std::is_same_v<T, bool>)
    return v != 0;
  else
    return T(v);
}

template <class T>
inline bool is_nan(T v) {
  if constexpr (is_half_type<T>)
    return std::isnan(float(v));
  else if constexpr (std::is_floating_point_v<T>)
    return std::isnan(v);
  else
    return false;
}

struct Plus {
  template <class W>
  static W first() {
    return W(0);
  }
  template <class W>
  static W join(W a, W b) {
    return a + b;
  }
};
struct Times {
  template <class W>
  static W first() {
    return W(1);
  }
  template <class W>
  static W join(W a, W b) {
    return a * b;
  }
};
struct LogAddExp {
  template <class W>
  static W first() {
    return W(-INFINITY);
  }
  static double join(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return a + b;
    double high = std::max(a, b), low = std::min(a, b);
    return std::isinf(high) || std::isinf(low) ? high : high + std::log1p(std::exp(low - high));
  }
  static complex128 join(complex128 a, complex128 b) {
    if (a.real() < b.real()) std::swap(a, b);
    if (std::isnan(a.real()) || std::isnan(b.real())) return a + b;
    if (b.real() == -INFINITY) return a;
    return a + std::log(complex128(1) + std::exp(b - a));
  }
};

// f(base, columns) for tiles of lines that lie side by side; base is the place of the first element.
template <class F>
void for_columns(int64_t outer, int64_t n, int64_t inner, F&& f) {
  int64_t tiles = (inner + kColumns - 1) / kColumns;
  int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, n * std::min(inner, kColumns)));
  parallel_for(outer * tiles, grain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      int64_t o = t / tiles, c = t % tiles * kColumns;
      f(o * n * inner + c, std::min(kColumns, inner - c));
    }
  });
}

template <class F>
void for_lines(int64_t outer, int64_t n, F&& f) {
  parallel_for(outer, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, n)), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) f(o * n);
  });
}

template <class O, class T>
void scan_in_order(const ScanArgs& a) {
  const T* in = static_cast<const T*>(a.in);
  T* out = static_cast<T*>(a.out);
  if (a.inner == 1) {
    // Where there are enough, several lines at a time, so that one's sum need not be waited for.
    auto walk = [&](int64_t base, auto lines) {
      Wide<T> sums[lines];
      std::fill_n(sums, lines, O::template first<Wide<T>>());
      for (int64_t i = base; i < base + a.n; ++i)
        for (int l = 0; l < lines; ++l) {
          sums[l] = O::join(sums[l], widen(in[i + l * a.n]));
          out[i + l * a.n] = narrow<T>(sums[l]);
        }
    };
    const int64_t together = a.outer / kChains >= num_threads() ? a.outer / kChains * kChains : 0;
    for_lines(together / kChains, kChains * a.n,
              [&](int64_t base) { walk(base, std::integral_constant<int, kChains>()); });
    for_lines(a.outer - together, a.n,
              [&](int64_t base) { walk(together * a.n + base, std::integral_constant<int, 1>()); });
    return;
  }
  for_columns(a.outer, a.n, a.inner, [&](int64_t base, int64_t columns) {
    Wide<T> sums[kColumns];
    std::fill_n(sums, columns, O::template first<Wide<T>>());
    for (int64_t i = 0; i < a.n; ++i) {
      const T* x = in + base + i * a.inner;
      T* y = out + base + i * a.inner;
      for (int64_t c = 0; c < columns; ++c) {
        sums[c] = O::join(sums[c], widen(x[c]));
        y[c] = narrow<T>(sums[c]);
      }
    }
  });
}

// A long line is cut into blocks of chains, which are added up side by side and then raised by what came before them.
// The cuts depend on the length alone, so the result does not depend on the threads.

// The sum of each chain of a block, one after another.
template <class T>
Wide<T> chunk_sum(const T* x, int64_t n) {
  Wide<T> total = 0;
  for (; n >= kBlock; x += kBlock, n -= kBlock) {
    Wide<T> sums[kChains] = {};
    for (int64_t i = 0; i < kChain; ++i)
#pragma GCC unroll 8
      for (int64_t c = 0; c < kChains; ++c) sums[c] += widen(x[c * kChain + i]);
    for (Wide<T> s : sums) total += s;
  }
  Wide<T> rest = 0;
  for (int64_t i = 0; i < n; ++i) rest += widen(x[i]);
  return total + rest;
}

template <class T>
Wide<T> chunk_scan(T* y, const T* x, int64_t n, Wide<T> before) {
  Wide<T> total = 0, partial[kBlock];
  for (; n >= kBlock; x += kBlock, y += kBlock, n -= kBlock) {
    Wide<T> sums[kChains] = {};
    for (int64_t i = 0; i < kChain; ++i)
#pragma GCC unroll 8
      for (int64_t c = 0; c < kChains; ++c) partial[c * kChain + i] = sums[c] += widen(x[c * kChain + i]);
    for (int64_t c = 0; c < kChains; ++c) {
      Wide<T> base = before + total;
      for (int64_t i = c * kChain; i < (c + 1) * kChain; ++i) y[i] = narrow<T>(base + partial[i]);
      total += sums[c];
    }
  }
  Wide<T> base = before + total, rest = 0;
  for (int64_t i = 0; i < n; ++i) {
    rest += widen(x[i]);
    y[i] = narrow<T>(base + rest);
  }
  return total + rest;
}

template <class T>
void cumsum_line(T* y, const T* x, int64_t n) {
  int64_t chunks = (n + kChunk - 1) / kChunk;
  if (chunks < kThreaded || num_threads() == 1) {
    Wide<T> before = 0;
    for (int64_t at = 0; at < n; at += kChunk) before += chunk_scan(y + at, x + at, std::min(kChunk, n - at), before);
    return;
  }
  std::unique_ptr<Wide<T>[]> before(new Wide<T>[size_t(chunks)]);
  parallel_for(chunks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      before[size_t(c)] = chunk_sum(x + c * kChunk, std::min(kChunk, n - c * kChunk));
  });
  Wide<T> total = 0;
  for (int64_t c = 0; c < chunks; ++c) {
    Wide<T> sum = before[size_t(c)];
    before[size_t(c)] = total;
    total += sum;
  }
  parallel_for(chunks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      chunk_scan(y + c * kChunk, x + c * kChunk, std::min(kChunk, n - c * kChunk), before[size_t(c)]);
  });
}

template <class T>
void cumsum(const ScanArgs& a) {
  if (a.inner > 1) return scan_in_order<Plus, T>(a);
  const T* in = static_cast<const T*>(a.in);
  T* out = static_cast<T*>(a.out);
  if (a.outer == 1) return cumsum_line(out, in, a.n);
  for_lines(a.outer, a.n, [&](int64_t base) { cumsum_line(out + base, in + base, a.n); });
}

void scan(const ScanArgs& a) {
  visit(a.dtype, [&]<class T>() {
    if (a.op == Scan::Sum) return cumsum<T>(a);
    if (a.op == Scan::Product) return scan_in_order<Times, T>(a);
    if constexpr (!std::is_integral_v<T>) scan_in_order<LogAddExp, T>(a);
  });
}

template <class T, bool max>
void running_extreme_of(const RunningExtremeArgs& a) {
  using C = std::conditional_t<is_half_type<T>, float, T>;
  const T* in = static_cast<const T*>(a.in);
  T* values = static_cast<T*>(a.values);
  auto better = [](T x, T best) { return is_nan(x) || (!is_nan(best) && (max ? C(x) >= C(best) : C(x) <= C(best))); };
  if (a.inner == 1)
    return for_lines(a.outer, a.n, [&](int64_t base) {
      T best = in[base];
      int64_t at = 0;
      for (int64_t i = 0; i < a.n; ++i) {
        if (better(in[base + i], best)) {
          best = in[base + i];
          at = i;
        }
        values[base + i] = best;
        a.indices[base + i] = at;
      }
    });
  for_columns(a.outer, a.n, a.inner, [&](int64_t base, int64_t columns) {
    T best[kColumns];
    int64_t at[kColumns];
    for (int64_t i = 0; i < a.n; ++i) {
      int64_t row = base + i * a.inner;
      for (int64_t c = 0; c < columns; ++c) {
        T x = in[row + c];
        if (i == 0 || better(x, best[c])) {
          best[c] = x;
          at[c] = i;
        }
        values[row + c] = best[c];
        a.indices[row + c] = at[c];
      }
    }
  });
}

void running_extreme(const RunningExtremeArgs& a) {
  visit(a.dtype, [&]<class T>() {
    if constexpr (!is_complex_type<T>) a.max ? running_extreme_of<T, true>(a) : running_extreme_of<T, false>(a);
  });
}

void recurrence(const RecurrenceArgs& a) {
  visit(a.dtype, [&]<class T>() {
    if constexpr (!std::is_integral_v<T>) {
      const T *factor = static_cast<const T*>(a.factor), *add = static_cast<const T*>(a.add);
      T* out = static_cast<T*>(a.out);
      for_columns(a.outer, a.n, a.inner, [&](int64_t base, int64_t columns) {
        Wide<T> last[kColumns];
        for (int64_t i = 0; i < a.n; ++i) {
          int64_t row = base + i * a.inner;
          for (int64_t c = 0; c < columns; ++c) {
            Wide<T> v = widen(add[row + c]);
            last[c] = i ? v + widen(factor[row + c]) * last[c] : v;
            out[row + c] = narrow<T>(last[c]);
          }
        }
      });
    }
  });
}

const bool filled = [] {
  scan_kernels[int(DeviceType::CPU)] = {scan, running_extreme, recurrence};
  return true;
}();

}  // namespace
}  // namespace tl::cpu
