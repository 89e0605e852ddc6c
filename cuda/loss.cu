#include "kernels/loss.h"

#include "core/scalar_ops.h"
#include "runtime/block.h"
#include "runtime/report.h"

// Losses are summed in float64: partial sums of blocks, then their sum, in an order that the length alone decides.

namespace tl::cuda {
namespace {

constexpr uint32_t kMostBlocks = 528;
constexpr int kAtOnce = 4;  // elements that a thread has under way, where a loss is no more than a few operations

// put(i, get(i)) for the elements of a thread; those of a short loss are all got before the first is put.
template <bool is_short, class Get, class Put>
TL_DEVICE void each_of_thread(int64_t n, const Get& get, const Put& put) {
  const int64_t step = global_size();
  int64_t i = global_index();
  if constexpr (is_short) {
    for (; i + (kAtOnce - 1) * step < n; i += kAtOnce * step) {
      decltype(get(i)) v[kAtOnce];
      TL_UNROLL
      for (int k = 0; k < kAtOnce; ++k) v[k] = get(i + k * step);
      TL_UNROLL
      for (int k = 0; k < kAtOnce; ++k) put(i + k * step, v[k]);
    }
  }
  TL_UNROLL_BY(1)
  for (; i < n; i += step) put(i, get(i));
}

template <class F>
TL_KERNEL partial_sums(const F f, int64_t n, double* partials) {
  TL_SHARED(double, warps, kThreads / kWarp);
  double sum = 0;
  each_of_thread<F::kIsShort>(n, f, [&](int64_t, double v) { sum += v; });
  sum = block_sum<double>(warps, sum);
  if (thread_index().x == 0) partials[block_index().x] = sum;
}

// out = sum / (the divisors' sum, or `divisor`); `total` receives the divisors' sum. For one block of kThreads.
template <class T>
TL_KERNEL finish_sums(const double* partials, const double* divisors, int count, double divisor, bool mean, T* out,
                      T* total) {
  TL_SHARED(double, warps, kThreads / kWarp);
  double sum = 0, by = 0;
  for (int i = int(thread_index().x); i < count; i += kThreads) {
    sum += partials[i];
    if (divisors) by += divisors[i];
  }
  sum = block_sum<double>(warps, sum);
  by = block_sum<double>(warps, by);
  if (thread_index().x != 0) return;
  if (mean) sum /= divisors ? by : divisor;
  *out = convert<T>(Sum<T>(sum));
  if (total) *total = convert<T>(Sum<T>(by));
}

template <class F>
TL_KERNEL each_element(const F f, int64_t n) {
  for (int64_t i = global_index(); i < n; i += global_size()) f.write(i);
}

// The same, where nothing but the output is written.
template <class F>
TL_KERNEL each_output(const F f, int64_t n) {
  each_of_thread<F::kIsShort>(n, [&](int64_t i) { return f.at(i); }, [&](int64_t i, auto v) { f.output[i] = v; });
}

// ---- negative log-likelihood ----

template <class T>
struct Nll {
  static constexpr bool kIsShort = true;
  const T *input, *weight, *grad, *total;
  T* output;
  const void* target;
  bool bytes;
  int64_t classes, ignore;
  Divide inner;  // places of a sample
  Reduction reduction;
  Report invalid;  // targets that are no class

  TL_DEVICE int64_t target_at(int64_t i) const {
    return bytes ? int64_t(static_cast<const uint8_t*>(target)[i]) : static_cast<const int64_t*>(target)[i];
  }
  // Where class t of place i stands.
  TL_DEVICE int64_t of_class(int64_t i, int64_t t) const {
    int64_t sample = inner(i);
    return (sample * classes + t) * inner.value + (i - sample * inner.value);
  }
  TL_DEVICE bool counts(int64_t t) const { return t != ignore && t >= 0 && t < classes; }
  TL_DEVICE Sum<T> weight_of(int64_t t) const { return weight ? convert<Sum<T>>(weight[t]) : Sum<T>(1); }
  TL_DEVICE Sum<T> loss(int64_t i) const {
    int64_t t = target_at(i);
    if (!counts(t)) {
      if (t != ignore) invalid(t, i);
      return Sum<T>(0);
    }
    return -weight_of(t) * convert<Sum<T>>(input[of_class(i, t)]);
  }
};
template <class T>
struct NllSum : Nll<T> {
  TL_DEVICE double operator()(int64_t i) const { return double(this->loss(i)); }
};
template <class T>
struct NllWeights : Nll<T> {
  TL_DEVICE double operator()(int64_t i) const {
    int64_t t = this->target_at(i);
    return this->counts(t) ? double(this->weight_of(t)) : 0.0;
  }
};
template <class T>
struct NllEach : Nll<T> {
  TL_DEVICE void write(int64_t i) const { this->output[i] = convert<T>(this->loss(i)); }
};
// Of the target's class; that of the others is zero already.
template <class T>
struct NllGradient : Nll<T> {
  TL_DEVICE void write(int64_t i) const {
    int64_t t = this->target_at(i);
    if (!this->counts(t)) return;
    Sum<T> v = convert<Sum<T>>(this->grad[this->reduction == Reduction::None ? i : 0]);
    if (this->reduction == Reduction::Mean) v /= convert<Sum<T>>(*this->total);
    this->output[this->of_class(i, t)] = convert<T>(-v * this->weight_of(t));
  }
};

int64_t nll(const NllArgs& a) {
  Launcher l = Launcher::of(a.output);
  with_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    Nll<T> f{static_cast<const T*>(a.input),
             static_cast<const T*>(a.weight),
             nullptr,
             nullptr,
             static_cast<T*>(a.output),
             a.target,
             a.byte_target,
             a.classes,
             a.ignore_index,
             Divide(a.inner, a.n * a.inner),
             a.reduction,
             report_to(target_error(a.classes))};
    int64_t n = a.n * a.inner;
    if (a.reduction == Reduction::None) {
      driver::set_bytes(a.total_weight, 0, sizeof(T), l.stream);
      if (n) launch({{blocks_for(n, kThreads)}, {kThreads}, 0, l.stream}, each_element<NllEach<T>>, NllEach<T>{f}, n);
      return;
    }
    uint32_t blocks = blocks_for(n, kThreads, 1, kMostBlocks);
    WorkArray<double> sums(l, 2 * blocks);
    launch({{blocks}, {kThreads}, 0, l.stream}, partial_sums<NllSum<T>>, NllSum<T>{f}, n, sums.data());
    launch({{blocks}, {kThreads}, 0, l.stream}, partial_sums<NllWeights<T>>, NllWeights<T>{f}, n, sums.data() + blocks);
    launch({{1}, {kThreads}, 0, l.stream}, finish_sums<T>, sums.data(), sums.data() + blocks, int(blocks), 1.0,
           a.reduction == Reduction::Mean, static_cast<T*>(a.output), static_cast<T*>(a.total_weight));
  });
  raise_at_once();
  return kAllTargetsValid;
}

int64_t nll_backward(const NllBackwardArgs& a) {
  int64_t n = a.n * a.inner;
  if (n * a.classes == 0) return kAllTargetsValid;
  Launcher l = Launcher::of(a.grad_input);
  with_floating(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    NllGradient<T> f{{nullptr, static_cast<const T*>(a.weight), static_cast<const T*>(a.grad),
                      static_cast<const T*>(a.total_weight), static_cast<T*>(a.grad_input), a.target, a.byte_target,
                      a.classes, a.ignore_index, Divide(a.inner, n), a.reduction, report_to(target_error(a.classes))}};
    driver::set_bytes(a.grad_input, 0, size_t(n * a.classes) * sizeof(T), l.stream);
    launch({{blocks_for(n, kThreads)}, {kThreads}, 0, l.stream}, each_element<NllGradient<T>>, f, n);
  });
  return kAllTargetsValid;
}

// ---- pairs ----

template <class T, PairLoss kind>
struct Pair {
  static constexpr bool kIsShort = kind != PairLoss::Bce && kind != PairLoss::BceWithLogits;
  const T *input, *target, *weight, *pos_weight, *grad;
  T* output;
  Sum<T> p;
  double scale;
  bool full;

  TL_DEVICE Sum<T> pos(int64_t i) const { return pos_weight ? convert<Sum<T>>(pos_weight[i]) : Sum<T>(1); }
  TL_DEVICE Sum<T> value(int64_t i) const {
    using A = Sum<T>;
    A x = convert<A>(input[i]), t = convert<A>(target[i]), d = x - t, z = d < A(0) ? -d : d, v;
    auto capped = [](A l) { return l < A(-100) ? A(-100) : l; };
    if constexpr (kind == PairLoss::Mse)
      v = d * d;
    else if constexpr (kind == PairLoss::SmoothL1)
      v = z < p ? A(0.5) * z * z / p : z - A(0.5) * p;
    else if constexpr (kind == PairLoss::Huber)
      v = z <= p ? A(0.5) * z * z : p * (z - A(0.5) * p);
    else if constexpr (kind == PairLoss::Bce)
      v = (t - A(1)) * capped(fm::log1p(-x)) - t * capped(fm::log(x));
    else
      v = (A(1) - t) * x + ((pos(i) - A(1)) * t + A(1)) * (fm::log1p(fm::exp(-fm::abs(x))) + (x < A(0) ? -x : A(0)));
    return weight ? v * convert<A>(weight[i]) : v;
  }
  TL_DEVICE Sum<T> slope(int64_t i) const {
    using A = Sum<T>;
    A x = convert<A>(input[i]), t = convert<A>(target[i]), d = x - t, v;
    if constexpr (kind == PairLoss::Mse) {
      v = d + d;
    } else if constexpr (kind == PairLoss::SmoothL1) {
      v = d <= -p ? A(-1) : d >= p ? A(1) : d / p;
    } else if constexpr (kind == PairLoss::Huber) {
      v = d < -p ? -p : d > p ? p : d;
    } else if constexpr (kind == PairLoss::Bce) {
      A q = (A(1) - x) * x;
      v = d / (q < A(1e-12) ? A(1e-12) : q);
    } else {
      v = ((pos(i) - A(1)) * t + A(1)) * (A(1) / (A(1) + fm::exp(-x))) - pos(i) * t;
    }
    return weight ? v * convert<A>(weight[i]) : v;
  }
};
template <class T, PairLoss kind>
struct PairSum : Pair<T, kind> {
  TL_DEVICE double operator()(int64_t i) const { return double(this->value(i)); }
};
template <class T, PairLoss kind>
struct PairEach : Pair<T, kind> {
  TL_DEVICE T at(int64_t i) const { return convert<T>(this->value(i)); }
};
template <class T, PairLoss kind>
struct PairGradient : Pair<T, kind> {
  TL_DEVICE T at(int64_t i) const {
    Sum<T> g = convert<Sum<T>>(this->grad[this->full ? i : 0]) * Sum<T>(this->scale);
    return convert<T>(this->slope(i) * g);
  }
};

template <PairLoss k>
struct Kind {
  static constexpr PairLoss value = k;
};
template <class F>
void with_kind(PairLoss kind, F f) {
  switch (kind) {
    case PairLoss::Mse:
      return f(Kind<PairLoss::Mse>());
    case PairLoss::SmoothL1:
      return f(Kind<PairLoss::SmoothL1>());
    case PairLoss::Huber:
      return f(Kind<PairLoss::Huber>());
    case PairLoss::Bce:
      return f(Kind<PairLoss::Bce>());
    case PairLoss::BceWithLogits:
      return f(Kind<PairLoss::BceWithLogits>());
  }
}

template <class T, PairLoss kind, class Args>
Pair<T, kind> pair_of(const Args& a) {
  Pair<T, kind> f{};
  f.input = static_cast<const T*>(a.input);
  f.target = static_cast<const T*>(a.target);
  f.weight = static_cast<const T*>(a.weight);
  f.pos_weight = static_cast<const T*>(a.pos_weight);
  f.p = Sum<T>(a.param);
  f.full = a.reduction == Reduction::None;
  return f;
}

void pair(const PairLossArgs& a) {
  Launcher l = Launcher::of(a.output);
  with_floating(a.dtype, [&](auto zero) {
    with_kind(a.kind, [&](auto k) {
      using T = decltype(zero);
      constexpr PairLoss kind = decltype(k)::value;
      auto f = pair_of<T, kind>(a);
      f.output = static_cast<T*>(a.output);
      if (f.full) {
        if (a.n)
          launch({{blocks_for(a.n, kThreads)}, {kThreads}, 0, l.stream}, each_output<PairEach<T, kind>>,
                 PairEach<T, kind>{f}, a.n);
        return;
      }
      uint32_t blocks = blocks_for(a.n, kThreads, 1, kMostBlocks);
      WorkArray<double> sums(l, blocks);
      launch({{blocks}, {kThreads}, 0, l.stream}, partial_sums<PairSum<T, kind>>, PairSum<T, kind>{f}, a.n,
             sums.data());
      launch({{1}, {kThreads}, 0, l.stream}, finish_sums<T>, sums.data(), nullptr, int(blocks), double(a.n),
             a.reduction == Reduction::Mean, f.output, nullptr);
    });
  });
}

void pair_backward(const PairLossBackwardArgs& a) {
  if (a.n == 0) return;
  Launcher l = Launcher::of(a.grad_input);
  with_floating(a.dtype, [&](auto zero) {
    with_kind(a.kind, [&](auto k) {
      using T = decltype(zero);
      constexpr PairLoss kind = decltype(k)::value;
      PairGradient<T, kind> f{pair_of<T, kind>(a)};
      f.grad = static_cast<const T*>(a.grad);
      f.output = static_cast<T*>(a.grad_input);
      f.scale = a.reduction == Reduction::Mean ? 1.0 / double(a.n) : 1.0;
      launch({{blocks_for(a.n, kThreads)}, {kThreads}, 0, l.stream}, each_output<PairGradient<T, kind>>, f, a.n);
    });
  });
}

TL_KERNEL find_outside(const char* data, Dtype dtype, int64_t width, int64_t n, const Report outside) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    double v = load_as<double>(data + i * width, dtype);
    if (!(v >= 0 && v <= 1)) outside(0, i);
  }
}

bool in_unit_interval(Dtype dtype, const void* data, int64_t n, const DataError& error) {
  if (n == 0) return true;
  Launcher l = Launcher::of(data);
  launch({{blocks_for(n, kThreads)}, {kThreads}, 0, l.stream}, find_outside, static_cast<const char*>(data), dtype,
         int64_t(itemsize(dtype)), n, report_to(error));
  raise_at_once();
  return true;
}

[[maybe_unused]] const bool filled = [] {
  loss_kernels[int(DeviceType::CUDA)] = {nll, nll_backward, pair, pair_backward, in_unit_interval};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
