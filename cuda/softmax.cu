#include "kernels/softmax.h"

#include "runtime/block.h"

// A line that lies in a row and fits into a block's registers is read once. Else maximum and sum come from one pass: a
// sum is scaled down when a larger maximum turns up (Milakov and Gimelshein, 2018). Half types compute in float32.

namespace tl::cuda {
namespace {

template <class A>
struct Running {
  A most, sum;
};
template <class A>
TL_DEVICE Running<A> join(Running<A> a, Running<A> b) {
  // NaN and what is beyond it travel through the sums.
  A most = a.most > b.most ? a.most : b.most;
  A x = a.sum == A(0) ? A(0) : a.sum * exponential(a.most - most);
  A y = b.sum == A(0) ? A(0) : b.sum * exponential(b.most - most);
  return {most, x + y};
}

struct Larger {
  template <class A>
  TL_DEVICE A operator()(A a, A b) const {
    return a > b ? a : b;
  }
};
struct Plus {
  template <class A>
  TL_DEVICE A operator()(A a, A b) const {
    return a + b;
  }
};
struct Join {
  template <class A>
  TL_DEVICE Running<A> operator()(Running<A> a, Running<A> b) const {
    return join(a, b);
  }
};

// ---- lines in a row that fit into the registers of a block: read once ----

template <class T>
constexpr int kKept = int(64 / sizeof(Sum<T>));  // elements of a thread
template <class T>
constexpr int64_t kMostRow = 1024 * kKept<T>;  // elements of a line

// The elements of a lane: packs `lanes` apart, or elements `lanes` apart where a row of n is no whole number of packs,
// so that neighbours still read neighbours.
template <class T>
struct LaneOfRow {
  static constexpr int P = kPack<T>;
  int n, lanes, lane;
  bool wide;

  TL_DEVICE bool apart() const { return n % P != 0; }
  TL_DEVICE int at(int j, int k) const { return j * P * lanes + (apart() ? k * lanes + lane : lane * P + k); }
  // Zeros beyond `end`.
  TL_DEVICE PackRead<T> load(const T* row, int j, int end) const {
    if (!apart()) return load_pack(row, at(j, 0), end, wide);
    return read_elements<T>([&](int k) { return row[at(j, k)]; }, [&](int k) { return at(j, k) < end; });
  }
  TL_DEVICE void store(T* row, int j, const Pack<T, P>& p) const {
    if (!apart()) return store_pack(row, at(j, 0), n, wide, p);
    TL_UNROLL
    for (int k = 0; k < P; ++k)
      if (at(j, k) < n) row[at(j, k)] = p.v[k];
  }
};

template <class T>
TL_KERNEL_OF(1024, 1)
softmax_rows(const T* input, T* output, int64_t rows, int n, int log_lanes, bool wide, bool log) {
  using A = Sum<T>;
  constexpr int P = kPack<T>, J = kKept<T> / P;
  TL_SHARED(A, warps, kWarp);
  int t = int(thread_index().x), lanes = 1 << log_lanes;
  const LaneOfRow<T> own{n, lanes, t & (lanes - 1), wide};
  int64_t row = block_index().x * int64_t(block_size().x >> log_lanes) + (t >> log_lanes);
  bool inside = row < rows;
  PackRead<T> raw[J];
  TL_UNROLL
  for (int j = 0; j < J; ++j) raw[j] = own.load(input + row * n, j, inside ? n : 0);
  A x[kKept<T>], most = -A(__builtin_inf()), sum = 0;
  TL_UNROLL
  for (int j = 0; j < J; ++j)
    for (int k = 0; k < P; ++k) {
      bool is_element = inside && own.at(j, k) < n;
      x[j * P + k] = is_element ? convert<A>(raw[j][k]) : -A(__builtin_inf());
      most = x[j * P + k] > most ? x[j * P + k] : most;
    }
  most = over_row<A>(warps, most, lanes, Larger());
  TL_UNROLL
  for (int j = 0; j < J; ++j)
    for (int k = 0; k < P; ++k) {
      // Past the end nothing is added, in a line of infinities too.
      A& v = x[j * P + k];
      A e = own.at(j, k) < n ? exponential(v - most) : A(0);
      sum += e;
      v = log ? v - most : e;
    }
  sum = over_row<A>(warps, sum, lanes, Plus());
  A last = log ? logarithm(sum) : A(1) / sum;
  if (!inside) return;
  TL_UNROLL
  for (int j = 0; j < J; ++j) {
    Pack<T, P> out;
    for (int k = 0; k < P; ++k) out.v[k] = convert<T>(log ? x[j * P + k] - last : x[j * P + k] * last);
    own.store(output + row * n, j, out);
  }
}

template <class T>
TL_KERNEL_OF(1024, 1)
softmax_rows_backward(const T* grad, const T* output, T* result, int64_t rows, int n, int log_lanes, bool wide,
                      bool log) {
  using A = Sum<T>;
  constexpr int P = kPack<T>, J = kKept<T> / 2 / P;
  TL_SHARED(A, warps, kWarp);
  int t = int(thread_index().x), lanes = 1 << log_lanes;
  const LaneOfRow<T> own{n, lanes, t & (lanes - 1), wide};
  int64_t row = block_index().x * int64_t(block_size().x >> log_lanes) + (t >> log_lanes);
  bool inside = row < rows;
  PackRead<T> g[J], y[J];
  TL_UNROLL
  for (int j = 0; j < J; ++j) {
    g[j] = own.load(grad + row * n, j, inside ? n : 0);
    y[j] = own.load(output + row * n, j, inside ? n : 0);
  }
  A sum = 0;
  TL_UNROLL
  for (int j = 0; j < J; ++j)
    for (int k = 0; k < P; ++k) {
      A v = convert<A>(g[j][k]);
      sum += log ? v : v * convert<A>(y[j][k]);
    }
  sum = over_row<A>(warps, sum, lanes, Plus());
  if (!inside) return;
  TL_UNROLL
  for (int j = 0; j < J; ++j) {
    Pack<T, P> d;
    for (int k = 0; k < P; ++k) {
      A v = convert<A>(g[j][k]), out = convert<A>(y[j][k]);
      d.v[k] = convert<T>(log ? v - exponential(out) * sum : (v - sum) * out);
    }
    own.store(result + row * n, j, d);
  }
}

// ---- other lines: `1 << log_lanes` threads of a block share each, and read it twice ----

constexpr int kBatch = 8;  // elements that a thread has under way

// Elements i, i + step, ... of a line, whose elements lie `inner` apart, before the end n.
template <class A, int count, class T>
TL_DEVICE void load_line(A (&v)[count], const T* line, int64_t i, int step, int64_t n, int64_t inner, A otherwise) {
  TL_UNROLL
  for (int k = 0; k < count; ++k) v[k] = i + k * step < n ? convert<A>(line[(i + k * step) * inner]) : otherwise;
}
template <class A, int count, class T>
TL_DEVICE void store_line(const A (&v)[count], T* line, int64_t i, int step, int64_t n, int64_t inner) {
  TL_UNROLL
  for (int k = 0; k < count; ++k)
    if (i + k * step < n) line[(i + k * step) * inner] = convert<T>(v[k]);
}

// Threads of neighbouring lines lie side by side where the lines do (inner > 1), else those of one line.
struct Lines {
  int64_t lines, n, inner;
  int log_lanes;

  TL_DEVICE void of(int64_t& line, int& lane, int64_t& start) const {
    int t = int(thread_index().x), together = kThreads >> log_lanes;
    lane = inner > 1 ? t / together : t & ((1 << log_lanes) - 1);
    line = block_index().x * int64_t(together) + (inner > 1 ? t % together : t >> log_lanes);
    int64_t outer = line / inner;
    start = outer * n * inner + (line - outer * inner);
  }
};

// As over_row, for the lanes of such a line.
template <class V, class Combine>
TL_DEVICE V over_line(Shared<V> all, V v, const Lines& l, Combine combine) {
  if (l.inner == 1) return over_row<V>(all, v, 1 << l.log_lanes, combine);
  int t = int(thread_index().x), together = kThreads >> l.log_lanes, own = t % together;
  all[t] = v;
  sync_block();
  v = all[own];
  for (int k = 1; k < 1 << l.log_lanes; ++k) {
    V other = all[k * together + own];
    v = combine(v, other);
  }
  sync_block();
  return v;
}

template <class T>
TL_KERNEL_OF(kThreads, 1)
softmax_lines(const T* input, T* output, const Lines l, bool log) {
  using A = Sum<T>;
  TL_SHARED(Running<A>, all, kThreads);
  int64_t line, start;
  int lane, lanes = 1 << l.log_lanes;
  l.of(line, lane, start);
  int64_t n = line < l.lines ? l.n : 0;
  constexpr A kLow = -A(__builtin_inf());
  Running<A> v{kLow, A(0)};
  for (int64_t i = lane; i < n; i += kBatch * lanes) {
    A x[kBatch], most = v.most;
    load_line(x, input + start, i, lanes, n, l.inner, kLow);
    TL_UNROLL
    for (int k = 0; k < kBatch; ++k) most = x[k] > most ? x[k] : most;
    A sum = v.sum == A(0) ? A(0) : v.sum * exponential(v.most - most);
    TL_UNROLL
    for (int k = 0; k < kBatch; ++k) sum += x[k] == kLow ? A(0) : exponential(x[k] - most);
    v = {most, sum};
  }
  v = over_line<Running<A>>(all, v, l, Join());
  // A line without one finite or infinite number to speak of is NaN, as 0 / 0 is.
  A log_sum = logarithm(v.sum);
  for (int64_t i = lane; i < n; i += kBatch * lanes) {
    A x[kBatch];
    load_line(x, input + start, i, lanes, n, l.inner, kLow);
    TL_UNROLL
    for (int k = 0; k < kBatch; ++k) x[k] = log ? x[k] - v.most - log_sum : exponential(x[k] - v.most) / v.sum;
    store_line(x, output + start, i, lanes, n, l.inner);
  }
}

template <class T>
TL_KERNEL_OF(kThreads, 1)
softmax_lines_backward(const T* grad, const T* output, T* result, const Lines l, bool log) {
  using A = Sum<T>;
  TL_SHARED(A, all, kThreads);
  int64_t line, start;
  int lane, lanes = 1 << l.log_lanes;
  l.of(line, lane, start);
  int64_t n = line < l.lines ? l.n : 0;
  constexpr int kHere = kBatch / 2;
  A g[kHere], y[kHere], sum = 0;
  for (int64_t i = lane; i < n; i += kHere * lanes) {
    load_line(g, grad + start, i, lanes, n, l.inner, A(0));
    if (!log) load_line(y, output + start, i, lanes, n, l.inner, A(0));
    TL_UNROLL
    for (int k = 0; k < kHere; ++k) sum += log ? g[k] : g[k] * y[k];
  }
  sum = over_line<A>(all, sum, l, Plus());
  for (int64_t i = lane; i < n; i += kHere * lanes) {
    load_line(g, grad + start, i, lanes, n, l.inner, A(0));
    load_line(y, output + start, i, lanes, n, l.inner, A(0));
    TL_UNROLL
    for (int k = 0; k < kHere; ++k) g[k] = log ? g[k] - exponential(y[k]) * sum : (g[k] - sum) * y[k];
    store_line(g, result + start, i, lanes, n, l.inner);
  }
}

// ---- the host's part ----

Lines lines_of(int64_t lines, int64_t n, int64_t inner) {
  int log_lanes = 8;  // a block for a line
  if (inner > 1)      // half a warp of lines side by side at least, where there are as many, and the lines' length
    for (log_lanes = 0; log_lanes < 4 && (int64_t(16) << log_lanes) < n;) ++log_lanes;
  return {lines, n, inner, log_lanes};
}
uint32_t blocks_of(const Lines& l) {
  int64_t together = kThreads >> l.log_lanes;
  return uint32_t((l.lines + together - 1) / together);
}

void forward(const SoftmaxArgs& a) {
  int64_t lines = a.outer * a.inner;
  if (lines == 0 || a.n == 0) return;
  Launcher l = Launcher::of(a.output);
  with_floating(a.dtype, [&](auto t) {
    using T = decltype(t);
    auto* x = static_cast<const T*>(a.input);
    auto* y = static_cast<T*>(a.output);
    if (a.inner == 1 && a.n <= kMostRow<T>) {
      RowBlock block(a.n, kKept<T>);
      launch({{uint32_t((lines + block.rows() - 1) / block.rows())}, {uint32_t(block.threads)}, 0, l.stream},
             softmax_rows<T>, x, y, lines, int(a.n), block.log_lanes,
             a.n % kPack<T> == 0 && is_aligned(x) && is_aligned(y), a.log);
    } else {
      Lines walk = lines_of(lines, a.n, a.inner);
      launch({{blocks_of(walk)}, {kThreads}, 0, l.stream}, softmax_lines<T>, x, y, walk, a.log);
    }
  });
}

void backward(const SoftmaxBackwardArgs& a) {
  int64_t lines = a.outer * a.inner;
  if (lines == 0 || a.n == 0) return;
  Launcher l = Launcher::of(a.grad_input);
  with_floating(a.dtype, [&](auto t) {
    using T = decltype(t);
    auto *g = static_cast<const T*>(a.grad), *y = static_cast<const T*>(a.output);
    auto* d = static_cast<T*>(a.grad_input);
    if (a.inner == 1 && a.n <= kMostRow<T> / 2) {
      RowBlock block(a.n, kKept<T> / 2);
      launch({{uint32_t((lines + block.rows() - 1) / block.rows())}, {uint32_t(block.threads)}, 0, l.stream},
             softmax_rows_backward<T>, g, y, d, lines, int(a.n), block.log_lanes,
             a.n % kPack<T> == 0 && is_aligned(g) && is_aligned(y) && is_aligned(d), a.log);
    } else {
      Lines walk = lines_of(lines, a.n, a.inner);
      launch({{blocks_of(walk)}, {kThreads}, 0, l.stream}, softmax_lines_backward<T>, g, y, d, walk, a.log);
    }
  });
}

[[maybe_unused]] const bool filled = [] {
  softmax_kernels[int(DeviceType::CUDA)] = {forward, backward};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
