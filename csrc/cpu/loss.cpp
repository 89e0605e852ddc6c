#include "kernels/loss.h"

#include "core/float_math.h"
#include "core/parallel.h"
#include "cpu/lanes.h"

namespace tl::cpu::TL_ISA {
namespace {

constexpr int64_t kChunk = 4096;   // elements summed as one piece, whatever the number of threads
constexpr int64_t kPieces = 1024;  // the most pieces

// Sums f(begin, end) over pieces of [0, n) that depend on n alone.
template <class F>
double sum_pieces(int64_t n, F&& f) {
  int64_t chunk = larger((n + kPieces - 1) / kPieces, kChunk);
  int64_t pieces = (n + chunk - 1) / chunk;
  double partial[kPieces];
  parallel_for(pieces, 4, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) partial[p] = f(p * chunk, smaller((p + 1) * chunk, n));
  });
  double total = 0;
  for (int64_t p = 0; p < pieces; ++p) total += partial[p];
  return total;
}

inline int64_t target_at(const void* target, bool bytes, int64_t i) {
  return bytes ? static_cast<const uint8_t*>(target)[i] : static_cast<const int64_t*>(target)[i];
}

template <class Args>
int64_t first_invalid(const Args& a) {
  for (int64_t i = 0; i < a.n * a.inner; ++i) {
    int64_t t = target_at(a.target, a.byte_target, i);
    if (t != a.ignore_index && (t < 0 || t >= a.classes)) return t;
  }
  return kAllTargetsValid;
}

int64_t nll(const NllArgs& a) {
  int64_t invalid = first_invalid(a);
  if (invalid != kAllTargetsValid) return invalid;
  with_floating(a.dtype, [&]<class T>() {
    using A = Acc<T>;
    const T* x = static_cast<const T*>(a.input);
    const T* w = static_cast<const T*>(a.weight);
    T* out = static_cast<T*>(a.output);
    int64_t positions = a.n * a.inner;
    auto weight = [&](int64_t t) { return w ? load_one(w + t) : A(1); };
    auto value = [&](int64_t i, int64_t t) {
      return load_one(x + ((i / a.inner) * a.classes + t) * a.inner + i % a.inner);
    };
    if (a.reduction == Reduction::None) {
      for (int64_t i = 0; i < positions; ++i) {
        int64_t t = target_at(a.target, a.byte_target, i);
        store_one(out + i, t == a.ignore_index ? A(0) : -weight(t) * value(i, t));
      }
      store_one(static_cast<T*>(a.total_weight), A(0));
      return;
    }
    double loss = sum_pieces(positions, [&](int64_t begin, int64_t end) {
      double sum = 0;
      for (int64_t i = begin; i < end; ++i) {
        int64_t t = target_at(a.target, a.byte_target, i);
        if (t != a.ignore_index) sum -= double(weight(t)) * double(value(i, t));
      }
      return sum;
    });
    double total = sum_pieces(positions, [&](int64_t begin, int64_t end) {
      double sum = 0;
      for (int64_t i = begin; i < end; ++i) {
        int64_t t = target_at(a.target, a.byte_target, i);
        if (t != a.ignore_index) sum += double(weight(t));
      }
      return sum;
    });
    if (a.reduction == Reduction::Mean) loss /= total;
    store_one(out, A(loss));
    store_one(static_cast<T*>(a.total_weight), A(total));
  });
  return kAllTargetsValid;
}

int64_t nll_backward(const NllBackwardArgs& a) {
  int64_t invalid = first_invalid(a);
  if (invalid != kAllTargetsValid) return invalid;
  with_floating(a.dtype, [&]<class T>() {
    using A = Acc<T>;
    const T* w = static_cast<const T*>(a.weight);
    const T* g = static_cast<const T*>(a.grad);
    T* d = static_cast<T*>(a.grad_input);
    A scale = a.reduction == Reduction::None ? A(1) : load_one(g);
    if (a.reduction == Reduction::Mean) scale /= load_one(static_cast<const T*>(a.total_weight));
    int64_t sample = a.classes * a.inner;
    parallel_for(a.n, larger(32768 / larger(sample, 1), 1), [&](int64_t begin, int64_t end) {
      __builtin_memset(d + begin * sample, 0, size_t((end - begin) * sample) * sizeof(T));
      for (int64_t n = begin; n < end; ++n)
        for (int64_t k = 0; k < a.inner; ++k) {
          int64_t i = n * a.inner + k;
          int64_t t = target_at(a.target, a.byte_target, i);
          if (t == a.ignore_index) continue;
          A v = a.reduction == Reduction::None ? load_one(g + i) : scale;
          store_one(d + n * sample + t * a.inner + k, w ? -v * load_one(w + t) : -v);
        }
    });
  });
  return kAllTargetsValid;
}

// Through memory, so that the compiler makes vectors of branch-free functions.
template <class V, class F>
V lane_by_lane(V v, F&& f) {
  constexpr int n = int(sizeof(V) / sizeof(v[0]));
  std::remove_reference_t<decltype(v[0])> lanes[n];
  __builtin_memcpy(lanes, &v, sizeof(v));
  for (int i = 0; i < n; ++i) lanes[i] = f(lanes[i]);
  __builtin_memcpy(&v, lanes, sizeof(v));
  return v;
}
inline float log_of(float x) { return fm::log(x); }
inline double log_of(double x) { return __builtin_log(x); }
inline float log1p_one(float x) { return fm::log1p(x); }
inline double log1p_one(double x) { return __builtin_log1p(x); }
template <class A>
Lanes<A> log_at_least(Lanes<A> x) {
  return lane_by_lane(x, [](A v) {
    A l = log_of(v);
    return l < A(-100) ? A(-100) : l;
  });
}
template <class A>
Lanes<A> log1p_minus_at_least(Lanes<A> x) {
  return lane_by_lane(x, [](A v) {
    A l = log1p_one(-v);
    return l < A(-100) ? A(-100) : l;
  });
}
template <class V>
V absolute(V x) {
  return x < 0 ? -x : x;
}
// log(1 + v) for v in [0, 1], within 2 ULP; the polynomial is core/float_math.h's.
inline Lanes<float> log1p_unit(Lanes<float> v) {
  using V = Lanes<float>;
  V u = v + 1.f;
  auto big = u > 1.41421356f;
  V f = (big ? u * 0.5f : u) - 1.f, e = big ? splat(1.f) : V{};
  V p = splat(6.971611471e-02f);
  constexpr float coefficients[] = {-1.147973385e-01f, 1.168541992e-01f, -1.242568733e-01f, 1.424905765e-01f,
                                    -1.666780232e-01f, 2.000071575e-01f, -2.499999696e-01f, 3.333333118e-01f};
  for (float c : coefficients) p = fma(p, f, splat(c));
  V f2 = f * f, lost = (v - (u - 1.f)) / u;
  V tail = fma(e, splat(-2.12194440e-4f), fma(f2 * f, p, f2 * -0.5f) + lost);
  return fma(e, splat(0.693359375f), f + tail);
}
inline Lanes<double> log1p_unit(Lanes<double> v) {
  return lane_by_lane(v, [](double x) { return __builtin_log1p(x); });
}
// log(1 + exp(-x)) without overflow
template <class A>
Lanes<A> softplus_minus(Lanes<A> x) {
  return log1p_unit(exp(-absolute(x))) + (x < 0 ? -x : Lanes<A>{});
}

template <PairLoss kind, class A>
Lanes<A> value(Lanes<A> x, Lanes<A> t, Lanes<A> pos, A p) {
  Lanes<A> d = x - t;
  if constexpr (kind == PairLoss::Mse) {
    return d * d;
  } else if constexpr (kind == PairLoss::SmoothL1) {
    Lanes<A> z = absolute(d);
    return z < p ? A(0.5) * z * z / p : z - A(0.5) * p;
  } else if constexpr (kind == PairLoss::Huber) {
    Lanes<A> z = absolute(d);
    return z <= p ? A(0.5) * z * z : p * (z - A(0.5) * p);
  } else if constexpr (kind == PairLoss::Bce) {
    return (t - 1) * log1p_minus_at_least<A>(x) - t * log_at_least<A>(x);
  } else {
    return (1 - t) * x + ((pos - 1) * t + 1) * softplus_minus<A>(x);
  }
}
template <PairLoss kind, class A>
Lanes<A> slope(Lanes<A> x, Lanes<A> t, Lanes<A> pos, A p) {
  Lanes<A> d = x - t;
  if constexpr (kind == PairLoss::Mse) {
    return d + d;
  } else if constexpr (kind == PairLoss::SmoothL1) {
    Lanes<A> one = splat(A(1));
    return d <= -p ? -one : (d >= p ? one : d / p);
  } else if constexpr (kind == PairLoss::Huber) {
    Lanes<A> lim = splat(p);
    return d < -p ? -lim : (d > p ? lim : d);
  } else if constexpr (kind == PairLoss::Bce) {
    Lanes<A> v = (1 - x) * x;
    return d / (v < A(1e-12) ? splat(A(1e-12)) : v);
  } else {
    Lanes<A> sigmoid = 1 / (1 + exp(-x));
    return ((pos - 1) * t + 1) * sigmoid - pos * t;
  }
}

template <class F>
void with_kind(PairLoss kind, F&& f) {
  switch (kind) {
    case PairLoss::Mse:
      return f.template operator()<PairLoss::Mse>();
    case PairLoss::SmoothL1:
      return f.template operator()<PairLoss::SmoothL1>();
    case PairLoss::Huber:
      return f.template operator()<PairLoss::Huber>();
    case PairLoss::Bce:
      return f.template operator()<PairLoss::Bce>();
    case PairLoss::BceWithLogits:
      return f.template operator()<PairLoss::BceWithLogits>();
  }
}

template <class T, PairLoss kind>
void pair_of(const PairLossArgs& a) {
  using A = Acc<T>;
  const T* x = static_cast<const T*>(a.input);
  const T* t = static_cast<const T*>(a.target);
  const T* w = static_cast<const T*>(a.weight);
  const T* pos = static_cast<const T*>(a.pos_weight);
  T* out = static_cast<T*>(a.output);
  A p = A(a.param);
  auto at = [&](int64_t i, auto part) {
    Lanes<A> pw = pos ? load_n(pos + i, part, A(1)) : splat(A(1));
    Lanes<A> v = value<kind, A>(load_n(x + i, part, A(0)), load_n(t + i, part, A(0)), pw, p);
    return w ? v * load_n(w + i, part, A(0)) : v;
  };
  if (a.reduction == Reduction::None) {
    parallel_for((a.n + kChunk - 1) / kChunk, 4, [&](int64_t begin, int64_t end) {
      int64_t from = begin * kChunk, to = smaller(end * kChunk, a.n);
      each<A>(to - from, [&](int64_t i, auto part) { store_n(out + from + i, at(from + i, part), part); });
    });
    return;
  }
  double total = sum_pieces(a.n, [&](int64_t from, int64_t to) {
    constexpr int L = kLanes<A>;
    Lanes<A> s0{}, s1{};
    int64_t i = from;
    for (; i + 2 * L <= to; i += 2 * L) {
      s0 += at(i, Whole{});
      s1 += at(i + L, Whole{});
    }
    double sum = 0;
    each<A>(to - i, [&](int64_t j, auto part) {
      Lanes<A> v = at(i + j, part);
      int64_t lanes = smaller(to - i - j, L);
      for (int64_t k = 0; k < lanes; ++k) sum += double(v[k]);
    });
    return sum + double(sum_lanes<A>(s0 + s1));
  });
  store_one(out, A(a.reduction == Reduction::Mean ? total / double(a.n) : total));
}

template <class T, PairLoss kind>
void pair_backward_of(const PairLossBackwardArgs& a) {
  using A = Acc<T>;
  const T* x = static_cast<const T*>(a.input);
  const T* t = static_cast<const T*>(a.target);
  const T* w = static_cast<const T*>(a.weight);
  const T* pos = static_cast<const T*>(a.pos_weight);
  const T* g = static_cast<const T*>(a.grad);
  T* d = static_cast<T*>(a.grad_input);
  A p = A(a.param);
  bool full = a.reduction == Reduction::None;
  Lanes<A> scale = splat(full ? A(1) : load_one(g) * (a.reduction == Reduction::Mean ? A(1.0 / double(a.n)) : A(1)));
  parallel_for((a.n + kChunk - 1) / kChunk, 4, [&](int64_t begin, int64_t end) {
    int64_t from = begin * kChunk, to = smaller(end * kChunk, a.n);
    each<A>(to - from, [&](int64_t j, auto part) {
      int64_t i = from + j;
      Lanes<A> pw = pos ? load_n(pos + i, part, A(1)) : splat(A(1));
      Lanes<A> v = slope<kind, A>(load_n(x + i, part, A(0)), load_n(t + i, part, A(0)), pw, p);
      if (w) v *= load_n(w + i, part, A(0));
      store_n(d + i, v * (full ? load_n(g + i, part, A(0)) : scale), part);
    });
  });
}

void pair(const PairLossArgs& a) {
  with_floating(a.dtype, [&]<class T>() { with_kind(a.kind, [&]<PairLoss kind>() { pair_of<T, kind>(a); }); });
}
void pair_backward(const PairLossBackwardArgs& a) {
  with_floating(a.dtype, [&]<class T>() { with_kind(a.kind, [&]<PairLoss kind>() { pair_backward_of<T, kind>(a); }); });
}

bool in_unit_interval(Dtype dtype, const void* data, int64_t n, const DataError&) {
  bool all = true;
  with_floating(dtype, [&]<class T>() {
    using A = Acc<T>;
    const T* x = static_cast<const T*>(data);
    Mask<A> outside{};
    each<A>(n, [&](int64_t i, auto part) {
      Lanes<A> v = load_n(x + i, part, A(0));
      outside |= ~((v >= 0) & (v <= 1));
    });
    all = !any(outside);
  });
  return all;
}

}  // namespace

void fill_loss() {
  LossKernels& k = loss_kernels[int(DeviceType::CPU)];
  k.nll = nll;
  k.nll_backward = nll_backward;
  k.pair = pair;
  k.pair_backward = pair_backward;
  k.in_unit_interval = in_unit_interval;
}

}  // namespace tl::cpu::TL_ISA
