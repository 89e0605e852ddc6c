#include "kernels/reduction.h"

#include "runtime/allocator.h"
#include "runtime/walk.h"

// Every reduction is a struct: what an element becomes, how two such combine, what a result is. Where reduced elements
// lie side by side a block takes an output, else a thread does, so that neighbours read neighbours. Long reductions are
// cut into chunks whose results a second kernel combines; how they are cut depends on the shape alone.

namespace tl::cuda {
namespace {

constexpr int64_t kChunk = 16384;       // elements at least, of what a block reduces
constexpr int64_t kEnoughBlocks = 264;  // two for each multiprocessor of a large device

template <class T>
TL_DEVICE T lowest_of() {
  if constexpr (is_floating_type<T>)
    return -T(__builtin_inf());
  else if constexpr (T(-1) > T(0))
    return T(0);
  else
    return T(uint64_t(1) << (8 * sizeof(T) - 1));
}
template <class T>
TL_DEVICE T highest_of() {
  if constexpr (is_floating_type<T>)
    return T(__builtin_inf());
  else
    return T(~lowest_of<T>());
}

template <class T, Reduce kind>
struct Fold {
  using Element = T;
  using Partial = T;
  T* result;
  double scale, power;

  TL_DEVICE T identity() const {
    if constexpr (kind == Reduce::Prod) return T(1);
    if constexpr (kind == Reduce::Max) return lowest_of<T>();
    if constexpr (kind == Reduce::Min) return highest_of<T>();
    return T(0);
  }
  TL_DEVICE T lift(T x, int64_t) const {
    if constexpr (kind == Reduce::NanSum) return x == x ? x : T(0);
    if constexpr (kind == Reduce::SumSquares) return T(x * x);
    if constexpr (kind == Reduce::SumAbs) return x < T(0) ? T(-x) : x;
    if constexpr (kind == Reduce::SumPowers) return T(::pow(double(x < T(0) ? T(-x) : x), power));
    return x;
  }
  TL_DEVICE T combine(T a, T b) const {
    if constexpr (kind == Reduce::Prod) return T(a * b);
    if constexpr (kind == Reduce::Max) return a > b || a != a ? a : b;
    if constexpr (kind == Reduce::Min) return a < b || a != a ? a : b;
    return T(a + b);
  }
  TL_DEVICE void write(int64_t i, T v) const {
    if constexpr (is_floating_type<T>)
      result[i] = scale == 1 ? v : T(v / T(scale));
    else
      result[i] = v;
  }
  TL_DEVICE static T exchange(T v, int bits) { return shuffle_xor(v, bits); }
};

template <class T>
struct Found {
  T value;
  int64_t index;
};

// The extreme value and where it stands first; NaN is beyond all.
template <class T, bool kMax>
struct Argument {
  using Element = T;
  using Partial = Found<T>;
  T* result;
  int64_t* index;

  TL_DEVICE Partial identity() const { return {kMax ? lowest_of<T>() : highest_of<T>(), INT64_MAX}; }
  TL_DEVICE Partial lift(T x, int64_t i) const { return {x, i}; }
  TL_DEVICE Partial combine(Partial a, Partial b) const {
    bool a_nan = a.value != a.value, b_nan = b.value != b.value;
    if (a_nan != b_nan) return a_nan ? a : b;
    if (a_nan || a.value == b.value) return a.index < b.index ? a : b;
    return (kMax ? a.value > b.value : a.value < b.value) ? a : b;
  }
  TL_DEVICE void write(int64_t i, Partial v) const {
    if (result) result[i] = v.value;
    if (index) index[i] = v.index;
  }
  TL_DEVICE static Partial exchange(Partial v, int bits) {
    return {shuffle_xor(v.value, bits), shuffle_xor(v.index, bits)};
  }
};

template <class T>
struct Moments {
  T n, mean, squares;  // squares of differences from the mean
};

// Means and variances, combined as by Chan, Golub and LeVeque (1979).
template <class T>
struct Spread {
  using Element = T;
  using Partial = Moments<T>;
  T *variance, *mean;
  double correction;

  TL_DEVICE Partial identity() const { return {T(0), T(0), T(0)}; }
  TL_DEVICE Partial lift(T x, int64_t) const { return {T(1), x, T(0)}; }
  TL_DEVICE Partial combine(Partial a, Partial b) const {
    if (a.n == T(0)) return b;
    if (b.n == T(0)) return a;
    T n = a.n + b.n, delta = b.mean - a.mean, part = b.n / n;
    return {n, a.mean + delta * part, a.squares + b.squares + delta * delta * a.n * part};
  }
  TL_DEVICE void write(int64_t i, Partial v) const {
    T divisor = T(double(v.n) - correction);
    variance[i] = v.squares / (divisor > T(0) ? divisor : T(0));
    if (mean) mean[i] = v.mean;
  }
  TL_DEVICE static Partial exchange(Partial v, int bits) {
    return {shuffle_xor(v.n, bits), shuffle_xor(v.mean, bits), shuffle_xor(v.squares, bits)};
  }
};

TL_DEVICE int64_t offset_of(int64_t i, int ndim, const int64_t* sizes, const int64_t* strides) {
  if (ndim <= 1) return ndim ? i * strides[0] : 0;
  int64_t offset = 0;
  for (int d = 0; d + 1 < ndim; ++d) {
    int64_t q = i / sizes[d];
    offset += (i - q * sizes[d]) * strides[d];
    i = q;
  }
  return offset + i * strides[ndim - 1];
}

// An output's chunks: chunk k reduces [k * length, (k + 1) * length).
struct Chunks {
  int64_t count, length;
};

template <class Op>
TL_DEVICE typename Op::Partial reduce_from(const ReducePlan& p, const Op& op, int64_t output, int64_t begin,
                                           int64_t end, int64_t step) {
  const char* base = static_cast<const char*>(p.input) + offset_of(output, p.kept_ndim, p.kept_sizes, p.kept_strides);
  auto total = op.identity();
  for (int64_t r = begin; r < end; r += step) {
    const char* at = base + offset_of(r, p.reduced_ndim, p.reduced_sizes, p.reduced_strides);
    total = op.combine(total, op.lift(load_as<typename Op::Element>(at, p.dtype), r));
  }
  return total;
}

template <class Op>
TL_KERNEL reduce_by_blocks(const ReducePlan p, const Op op, const Chunks chunks, typename Op::Partial* partials) {
  using Partial = typename Op::Partial;
  TL_SHARED(Partial, warps, kThreads / kWarp);
  int t = int(thread_index().x);
  for (int64_t task = block_index().x; task < p.outputs * chunks.count; task += grid_size().x) {
    int64_t output = task / chunks.count, chunk = task % chunks.count;
    int64_t begin = chunk * chunks.length, end = begin + chunks.length < p.count ? begin + chunks.length : p.count;
    Partial v = reduce_from(p, op, output, begin + t, end, kThreads);
    for (int bits = kWarp / 2; bits; bits /= 2) v = op.combine(v, Op::exchange(v, bits));
    if (t % kWarp == 0) warps[t / kWarp] = v;
    sync_block();
    if (t == 0) {
      for (int w = 1; w < kThreads / kWarp; ++w) v = op.combine(v, warps[w]);
      if (partials)
        partials[chunk * p.outputs + output] = v;
      else
        op.write(output, v);
    }
    sync_block();
  }
}

template <class Op>
TL_KERNEL reduce_by_threads(const ReducePlan p, const Op op, const Chunks chunks, typename Op::Partial* partials) {
  for (int64_t task = global_index(); task < p.outputs * chunks.count; task += global_size()) {
    int64_t output = task % p.outputs, chunk = task / p.outputs;
    int64_t begin = chunk * chunks.length, end = begin + chunks.length < p.count ? begin + chunks.length : p.count;
    auto v = reduce_from(p, op, output, begin, end, 1);
    if (partials)
      partials[task] = v;
    else
      op.write(output, v);
  }
}

template <class Op>
TL_KERNEL combine_chunks(const Op op, int64_t outputs, int64_t chunks, const typename Op::Partial* partials) {
  for (int64_t i = global_index(); i < outputs; i += global_size()) {
    auto v = partials[i];
    for (int64_t k = 1; k < chunks; ++k) v = op.combine(v, partials[k * outputs + i]);
    op.write(i, v);
  }
}

template <class Op>
void reduce_with(const ReducePlan& p, const Op& op) {
  if (p.outputs == 0) return;
  Launcher l(p.device);
  int64_t step = p.reduced_strides[0] < 0 ? -p.reduced_strides[0] : p.reduced_strides[0];
  bool side_by_side = p.kept_ndim == 0 || step <= p.kept_strides[0];
  bool by_blocks = side_by_side && p.count >= 2 * kWarp;
  int64_t tasks = by_blocks ? p.outputs : (p.outputs + kThreads - 1) / kThreads;
  int64_t least = by_blocks ? kChunk : 256;
  Chunks chunks{1, p.count};
  if (tasks < kEnoughBlocks && p.count > 2 * least) {
    int64_t wanted = (kEnoughBlocks + tasks - 1) / tasks, most = p.count / least;
    chunks.count = wanted < most ? wanted : most;
    chunks.length = (p.count + chunks.count - 1) / chunks.count;
    chunks.count = (p.count + chunks.length - 1) / chunks.length;
  }
  using Partial = typename Op::Partial;
  Partial* partials = nullptr;
  if (chunks.count > 1)
    partials = static_cast<Partial*>(
        caching_allocator().allocate(size_t(p.outputs * chunks.count) * sizeof(Partial), p.device));
  if (by_blocks)
    launch({{blocks_for(p.outputs * chunks.count, 1)}, {kThreads}, 0, l.stream}, reduce_by_blocks<Op>, p, op, chunks,
           partials);
  else
    launch({{blocks_for(p.outputs * chunks.count, kThreads)}, {kThreads}, 0, l.stream}, reduce_by_threads<Op>, p, op,
           chunks, partials);
  if (!partials) return;
  launch({{blocks_for(p.outputs, kThreads)}, {kThreads}, 0, l.stream}, combine_chunks<Op>, op, p.outputs, chunks.count,
         static_cast<const Partial*>(partials));
  // The next user of the memory comes after these on the stream.
  caching_allocator().free(partials, 0, p.device);
}

template <class F>
void with_type(Dtype compute, F f) {
  switch (compute) {
    case Dtype::Float32:
      return f(float());
    case Dtype::Float64:
      return f(double());
    case Dtype::Int64:
      return f(int64_t());
    default:
      return f(uint8_t());
  }
}

template <Reduce kind>
void fold(const ReduceArgs& a) {
  with_type(a.compute, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (sizeof(T) > 1 || kind == Reduce::Max || kind == Reduce::Min)
      reduce_with(a.plan, Fold<T, kind>{static_cast<T*>(a.result), a.scale, a.power});
    else
      fail<NotImplementedError>("reductions in ", name(a.compute), " are not implemented for CUDA");
  });
}

void reduce(Reduce op, const ReduceArgs& a) {
  switch (op) {
    case Reduce::Sum:
      return fold<Reduce::Sum>(a);
    case Reduce::NanSum:
      return fold<Reduce::NanSum>(a);
    case Reduce::SumSquares:
      return fold<Reduce::SumSquares>(a);
    case Reduce::SumAbs:
      return fold<Reduce::SumAbs>(a);
    case Reduce::SumPowers:
      return fold<Reduce::SumPowers>(a);
    case Reduce::Prod:
      return fold<Reduce::Prod>(a);
    case Reduce::Max:
      return fold<Reduce::Max>(a);
    case Reduce::Min:
      return fold<Reduce::Min>(a);
  }
}

void argument(bool max, const ReduceArgs& a) {
  with_type(a.compute, [&](auto zero) {
    using T = decltype(zero);
    auto* result = static_cast<T*>(a.result);
    auto* index = static_cast<int64_t*>(a.second);
    if (max)
      reduce_with(a.plan, Argument<T, true>{result, index});
    else
      reduce_with(a.plan, Argument<T, false>{result, index});
  });
}

void variance(const ReduceArgs& a) {
  if (a.compute == Dtype::Float64)
    reduce_with(a.plan, Spread<double>{static_cast<double*>(a.result), static_cast<double*>(a.second), a.scale});
  else
    reduce_with(a.plan, Spread<float>{static_cast<float*>(a.result), static_cast<float*>(a.second), a.scale});
}

[[maybe_unused]] const bool filled = [] {
  reduction_kernels[int(DeviceType::CUDA)] = {reduce, argument, variance};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
