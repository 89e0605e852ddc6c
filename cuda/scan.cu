#include "kernels/scan.h"

#include "runtime/workspace.h"

// Every scan is a struct: what an element becomes, how what came before combines with it, where a result goes. Lines
// whose elements lie side by side are taken tile by tile by a warp or a block; others by a thread each, so that
// neighbours read neighbours. Where lines are few they are cut into chunks: the totals of chunks come first, then what
// stands before each, then the chunks with that. How they are cut depends on the shape alone, and so does the order in
// which anything is added up; a look-back at whatever neighbours happen to have finished would not give the same bits
// every time.

namespace tl::cuda {
namespace {

constexpr int kWarps = kThreads / kWarp;

// ---- elements ----

// f(S()) with the type that a dtype is stored as, of those computed in T: float64, 64-bit integers, complex128.
template <class T, class F>
TL_DEVICE void with_stored(Dtype t, F f) {
  if constexpr (is_complex_type<T>) {
    if (t == Dtype::Complex64)
      f(Complex<float>());
    else
      f(Complex<double>());
  } else if constexpr (is_floating_type<T>) {
    if (t == Dtype::Float32)
      f(float());
    else if (t == Dtype::Float64)
      f(double());
    else if (t == Dtype::Float16)
      f(Half());
    else
      f(BFloat16());
  } else {
    if (t == Dtype::Int64)
      f(int64_t());
    else if (t == Dtype::Int32)
      f(int32_t());
    else if (t == Dtype::Int16)
      f(int16_t());
    else if (t == Dtype::Int8)
      f(int8_t());
    else
      f(uint8_t());
  }
}

// `count` elements of a line from place `i` on, `step` apart, before `end`.
struct Stretch {
  int64_t base, inner;  // of the line: its first element, and from one to the next
  int64_t i, step, end;
  TL_DEVICE bool has(int k) const { return i + k * step < end; }
  TL_DEVICE int64_t at(int k) const { return base + (i + k * step) * inner; }
};

template <class T, int count>
TL_DEVICE void load(T (&v)[count], const void* in, Dtype t, const Stretch& s, T otherwise) {
  with_stored<T>(t, [&](auto zero) {
    using S = decltype(zero);
    const S* p = static_cast<const S*>(in);
    TL_UNROLL
    for (int k = 0; k < count; ++k) v[k] = s.has(k) ? convert<T>(p[s.at(k)]) : otherwise;
  });
}
template <class T, int count>
TL_DEVICE void store(const T (&v)[count], void* out, Dtype t, const Stretch& s) {
  with_stored<T>(t, [&](auto zero) {
    using S = decltype(zero);
    S* p = static_cast<S*>(out);
    TL_UNROLL
    for (int k = 0; k < count; ++k)
      if (s.has(k)) p[s.at(k)] = convert<S>(v[k]);
  });
}

// ---- what is scanned ----

TL_DEVICE Complex<double> log_one_plus_exp(Complex<double> d) {
  double size = ::exp(d.re), re = 1 + size * ::cos(d.im), im = size * ::sin(d.im);
  return {::log(::hypot(re, im)), ::atan2(im, re)};
}

template <class T, Scan kind>
struct Accumulate {
  using Value = T;
  const void* in;
  void* out;
  Dtype dtype;

  const void* memory() const { return out; }
  TL_DEVICE T identity() const {
    if constexpr (kind == Scan::Product) return T(1);
    if constexpr (kind == Scan::LogSumExp) return T(-__builtin_inf());
    return T(0);
  }
  TL_DEVICE T join(T a, T b) const {
    if constexpr (kind == Scan::Sum) {
      return a + b;
    } else if constexpr (kind == Scan::Product) {
      return a * b;
    } else if constexpr (is_complex_type<T>) {
      if (a.re != a.re || b.re != b.re) return a + b;
      T high = a.re < b.re ? b : a, low = a.re < b.re ? a : b;
      if (low.re == -__builtin_inf()) return high;
      return high + log_one_plus_exp(low - high);
    } else {
      if (a != a || b != b) return a + b;
      T high = a > b ? a : b, low = a > b ? b : a;
      if (high == T(__builtin_inf()) || low == -T(__builtin_inf()) || high == -T(__builtin_inf())) return high;
      return high + ::log1p(::exp(low - high));
    }
  }
  template <int count>
  TL_DEVICE void read(Value (&v)[count], const Stretch& s) const {
    load(v, in, dtype, s, identity());
  }
  template <int count>
  TL_DEVICE void write(const Value (&v)[count], const Stretch& s) const {
    store(v, out, dtype, s);
  }
  TL_DEVICE static Value from_lane(Value v, int lane) { return shuffle(v, lane); }
};

template <class T>
struct Found {
  T value;
  int64_t index;  // -1: nothing yet
};

// The latest of the extreme ones; NaN is beyond all.
template <class T, bool kMax>
struct Extreme {
  using Value = Found<T>;
  const void* in;
  void* values;
  int64_t* indices;
  Dtype dtype;

  const void* memory() const { return values; }
  TL_DEVICE Value identity() const { return {T(0), -1}; }
  TL_DEVICE Value join(Value a, Value b) const {
    if (a.index < 0 || b.index < 0) return a.index < 0 ? b : a;
    bool better = b.value != b.value || (a.value == a.value && (kMax ? b.value >= a.value : b.value <= a.value));
    return better ? b : a;
  }
  template <int count>
  TL_DEVICE void read(Value (&v)[count], const Stretch& s) const {
    T x[count];
    load(x, in, dtype, s, T(0));
    TL_UNROLL
    for (int k = 0; k < count; ++k) v[k] = {x[k], s.has(k) ? s.i + k * s.step : int64_t(-1)};
  }
  template <int count>
  TL_DEVICE void write(const Value (&v)[count], const Stretch& s) const {
    T x[count];
    TL_UNROLL
    for (int k = 0; k < count; ++k) x[k] = v[k].value;
    store(x, values, dtype, s);
    TL_UNROLL
    for (int k = 0; k < count; ++k)
      if (s.has(k)) indices[s.at(k)] = v[k].index;
  }
  TL_DEVICE static Value from_lane(Value v, int lane) { return shuffle(v, lane); }
};

template <class T>
struct Linear {
  T factor, add;  // x becomes add + factor * x
};

// A composition of linear maps. What adds nothing stays nothing, though the product of the factors behind it may be too
// large for a number.
template <class T>
struct Recur {
  using Value = Linear<T>;
  const void *factor, *add;
  void* out;
  Dtype dtype;

  const void* memory() const { return out; }
  TL_DEVICE Value identity() const { return {T(1), T(0)}; }
  TL_DEVICE Value join(Value a, Value b) const {
    return {a.factor * b.factor, a.add == T(0) ? b.add : b.add + b.factor * a.add};
  }
  template <int count>
  TL_DEVICE void read(Value (&v)[count], const Stretch& s) const {
    T f[count], x[count];
    load(f, factor, dtype, s, T(1));
    load(x, add, dtype, s, T(0));
    TL_UNROLL
    for (int k = 0; k < count; ++k) v[k] = {f[k], x[k]};
  }
  template <int count>
  TL_DEVICE void write(const Value (&v)[count], const Stretch& s) const {
    T x[count];
    TL_UNROLL
    for (int k = 0; k < count; ++k) x[k] = v[k].add;
    store(x, out, dtype, s);
  }
  TL_DEVICE static Value from_lane(Value v, int lane) { return {shuffle(v.factor, lane), shuffle(v.add, lane)}; }
};

// ---- kernels ----

// Chunk k of a line is [k * length, (k + 1) * length). A kernel that is given `totals` writes no results, but what each
// chunk comes to; one that is given `before` starts its chunks with that.
template <class V>
struct Chunks {
  int64_t count, length;
  V* totals;
  const V* before;
};

template <class Op>
TL_DEVICE typename Op::Value over_lanes(const Op& op, typename Op::Value v) {
  for (int step = 1; step < kWarp; step *= 2) {
    auto other = Op::from_lane(v, lane_index() >= step ? lane_index() - step : lane_index());
    if (lane_index() >= step) v = op.join(other, v);
  }
  return v;
}

template <class Op>
constexpr int kEach = sizeof(typename Op::Value) <= 8    ? 8
                      : sizeof(typename Op::Value) <= 16 ? 4
                                                         : 2;

// A team of threads, a warp or the block, takes a chunk of a line tile by tile. Elements come and go through shared
// memory, so that the device's is read in order and a thread still gets neighbours.
template <class Op, int team>
TL_KERNEL scan_rows(const Op op, int64_t lines, int64_t n, const Chunks<typename Op::Value> chunks) {
  using Value = typename Op::Value;
  constexpr int each = kEach<Op>, tile = team * each, teams = kThreads / team, padded = team * (each + 1);
  TL_SHARED(Value, staged, teams * padded);
  TL_SHARED(Value, sums, kWarps);
  const int mine = int(thread_index().x) / team, t = int(thread_index().x) % team, lane = lane_index();
  const Shared<Value> stage = staged + mine * padded;
  auto meet = [] {
    if constexpr (team == kWarp)
      sync_warp();
    else
      sync_block();
  };
  for (int64_t task = int64_t(block_index().x) * teams + mine; task < lines * chunks.count;
       task += int64_t(grid_size().x) * teams) {
    const int64_t line = task / chunks.count, begin = task % chunks.count * chunks.length;
    const int64_t end = begin + chunks.length < n ? begin + chunks.length : n;
    Value carry = chunks.before ? chunks.before[task] : op.identity();
    for (int64_t start = begin; start < end; start += tile) {
      const Stretch stretch{line * n, 1, start + t, team, end};
      Value v[each];
      op.read(v, stretch);
      TL_UNROLL
      for (int k = 0; k < each; ++k) stage[(t + k * team) + (t + k * team) / each] = v[k];
      meet();
      TL_UNROLL
      for (int k = 0; k < each; ++k) v[k] = stage[t * (each + 1) + k];
      TL_UNROLL
      for (int k = 1; k < each; ++k) v[k] = op.join(v[k - 1], v[k]);
      const Value sum = over_lanes(op, v[each - 1]);
      Value before = carry, all = carry;
      if constexpr (team == kWarp) {
        all = op.join(carry, Op::from_lane(sum, kWarp - 1));
      } else {
        if (lane == kWarp - 1) sums[t / kWarp] = sum;
        sync_block();
        for (int w = 0; w < team / kWarp; ++w) {
          const Value other = sums[w];
          all = op.join(all, other);
          if (w + 1 == t / kWarp) before = all;
        }
      }
      const Value ahead = Op::from_lane(sum, lane ? lane - 1 : 0);
      if (lane) before = op.join(before, ahead);
      carry = all;
      if (!chunks.totals) {
        TL_UNROLL
        for (int k = 0; k < each; ++k) stage[t * (each + 1) + k] = op.join(before, v[k]);
        meet();
        TL_UNROLL
        for (int k = 0; k < each; ++k) v[k] = stage[(t + k * team) + (t + k * team) / each];
        op.write(v, stretch);
      }
      meet();
    }
    if (chunks.totals && t == 0) chunks.totals[task] = carry;
  }
}

// A thread takes a chunk of a line: (outer, n, inner) with lines along n. Totals are (chunks, outer * inner).
template <class Op>
TL_KERNEL scan_columns(const Op op, int64_t columns, int64_t n, int64_t inner,
                       const Chunks<typename Op::Value> chunks) {
  using Value = typename Op::Value;
  constexpr int each = 4;
  for (int64_t task = global_index(); task < columns * chunks.count; task += global_size()) {
    const int64_t column = task % columns, begin = task / columns * chunks.length;
    const int64_t end = begin + chunks.length < n ? begin + chunks.length : n;
    Value carry = chunks.before ? chunks.before[task] : op.identity();
    for (int64_t i = begin; i < end; i += each) {
      const Stretch stretch{column / inner * n * inner + column % inner, inner, i, 1, end};
      Value v[each];
      op.read(v, stretch);
      TL_UNROLL
      for (int k = 0; k < each; ++k) v[k] = carry = op.join(carry, v[k]);
      if (!chunks.totals) op.write(v, stretch);
    }
    if (chunks.totals) chunks.totals[task] = carry;
  }
}

// What stands before each chunk, a warp for a line; chunk k of line i is totals[i * line_step + k * chunk_step].
template <class Op>
TL_KERNEL scan_totals(const Op op, typename Op::Value* totals, int64_t lines, int64_t chunks, int64_t line_step,
                      int64_t chunk_step) {
  const int lane = lane_index();
  for (int64_t line = global_index() / kWarp; line < lines; line += global_size() / kWarp) {
    auto carry = op.identity();
    for (int64_t first = 0; first < chunks; first += kWarp) {
      auto* at = totals + line * line_step + (first + lane) * chunk_step;
      const bool there = first + lane < chunks;
      auto sum = over_lanes(op, there ? *at : op.identity());
      auto ahead = Op::from_lane(sum, lane ? lane - 1 : 0), all = Op::from_lane(sum, kWarp - 1);
      if (there) *at = lane ? op.join(carry, ahead) : carry;
      carry = op.join(carry, all);
    }
  }
}

constexpr int64_t kShort = 16;       // elements of a line that a thread takes in any case
constexpr int64_t kWarpLine = 1024;  // that a warp takes

template <class Op>
void run_in_parts(const Op& op, int64_t lines, int64_t n, int64_t inner, const Launcher& l) {
  using Value = typename Op::Value;
  const bool rows = (inner == 1 && n > kShort) || (lines == 1 && n > 1);
  const int64_t tile = rows ? kThreads * kEach<Op> : 64;
  // Enough for a large device: blocks for rows, threads for columns.
  const int64_t wanted = rows ? 528 : 132 * 1024;
  int64_t count = 1, length = n;
  if (lines < wanted / 2 && n > 4 * tile) {
    const int64_t most = n / tile, parts = (wanted + lines - 1) / lines;
    count = parts < most ? parts : most;
    length = ((n + count - 1) / count + tile - 1) / tile * tile;
    count = (n + length - 1) / length;
  }
  auto pass = [&](Value* totals, const Value* before) {
    const Chunks<Value> chunks{count, length, totals, before};
    const int64_t tasks = lines * count;
    if (!rows)
      launch({{blocks_for(tasks, kThreads)}, {kThreads}, 0, l.stream}, scan_columns<Op>, op, lines, n, inner, chunks);
    else if (n <= kWarpLine)
      launch({{blocks_for(tasks, kWarps)}, {kThreads}, 0, l.stream}, scan_rows<Op, kWarp>, op, lines, n, chunks);
    else
      launch({{blocks_for(tasks, 1)}, {kThreads}, 0, l.stream}, scan_rows<Op, kThreads>, op, lines, n, chunks);
  };
  if (count == 1) return pass(nullptr, nullptr);
  WorkArray<Value> totals(l, lines * count);
  pass(totals.data(), nullptr);
  launch({{blocks_for(lines, kWarps)}, {kThreads}, 0, l.stream}, scan_totals<Op>, op, totals.data(), lines, count,
         rows ? count : int64_t(1), rows ? int64_t(1) : lines);
  pass(nullptr, totals.data());
}

// The imaginary part of a logarithm is known up to multiples of 2 pi, and which one comes out depends on the order.
template <class Op>
constexpr bool kInOrder = false;
template <>
constexpr bool kInOrder<Accumulate<Complex<double>, Scan::LogSumExp>> = true;

template <class Op>
void run(const Op& op, int64_t outer, int64_t n, int64_t inner) {
  using Value = typename Op::Value;
  const int64_t lines = outer * inner;
  if (lines * n == 0) return;
  Launcher l = Launcher::of(op.memory());
  if constexpr (kInOrder<Op>)
    return launch({{blocks_for(lines, kThreads)}, {kThreads}, 0, l.stream}, scan_columns<Op>, op, lines, n, inner,
                  Chunks<Value>{1, n, nullptr, nullptr});
  else
    return run_in_parts(op, lines, n, inner, l);
}

template <Scan kind>
void accumulate(const ScanArgs& a) {
  if (is_complex(a.dtype))
    run(Accumulate<Complex<double>, kind>{a.in, a.out, a.dtype}, a.outer, a.n, a.inner);
  else if (is_floating(a.dtype))
    run(Accumulate<double, kind>{a.in, a.out, a.dtype}, a.outer, a.n, a.inner);
  else if constexpr (kind != Scan::LogSumExp)
    run(Accumulate<uint64_t, kind>{a.in, a.out, a.dtype}, a.outer, a.n, a.inner);
}

void scan(const ScanArgs& a) {
  if (a.op == Scan::Sum) return accumulate<Scan::Sum>(a);
  if (a.op == Scan::Product) return accumulate<Scan::Product>(a);
  accumulate<Scan::LogSumExp>(a);
}

template <bool kMax>
void extreme(const RunningExtremeArgs& a) {
  if (is_floating(a.dtype))
    run(Extreme<double, kMax>{a.in, a.values, a.indices, a.dtype}, a.outer, a.n, a.inner);
  else
    run(Extreme<int64_t, kMax>{a.in, a.values, a.indices, a.dtype}, a.outer, a.n, a.inner);
}

void running_extreme(const RunningExtremeArgs& a) { a.max ? extreme<true>(a) : extreme<false>(a); }

void recurrence(const RecurrenceArgs& a) {
  if (is_complex(a.dtype))
    run(Recur<Complex<double>>{a.factor, a.add, a.out, a.dtype}, a.outer, a.n, a.inner);
  else
    run(Recur<double>{a.factor, a.add, a.out, a.dtype}, a.outer, a.n, a.inner);
}

[[maybe_unused]] const bool filled = [] {
  scan_kernels[int(DeviceType::CUDA)] = {scan, running_extreme, recurrence};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
