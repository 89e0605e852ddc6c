#include "kernels/optim.h"

#include <algorithm>

#include "runtime/pinned.h"
#include "runtime/workspace.h"

// One launch runs over all pieces of all parameters of a dtype: a block takes a piece. The order of operations is that
// of csrc/cpu/optim.cpp.

namespace tl::cuda {
namespace {

TL_DEVICE float root(float x) { return ::sqrtf(x); }
TL_DEVICE double root(double x) { return ::sqrt(x); }
TL_DEVICE float fused(float a, float b, float c) { return ::fmaf(a, b, c); }
TL_DEVICE double fused(double a, double b, double c) { return ::fma(a, b, c); }

// One element of a piece, in the type that it is computed in; states that take no part hold nothing.
template <class A>
struct Element {
  A x, g, state[3];

  TL_DEVICE A gradient(bool maximize, double weight_decay) const {
    A gradient = maximize ? -g : g;
    return weight_decay != 0 ? fused(x, A(weight_decay), gradient) : gradient;
  }
};

struct Sgd {
  SgdOptions o;
  template <class A>
  TL_DEVICE void step(Element<A>& e, const OptimPiece& p) const {
    A g = e.gradient(o.maximize, o.weight_decay);
    if (p.state[0]) {
      A b = o.first_step ? g : fused(g, A(1 - o.dampening), e.state[0] * A(o.momentum));
      e.state[0] = b;
      g = o.nesterov ? fused(b, A(o.momentum), g) : b;
    }
    e.x = fused(g, A(-o.lr), e.x);
  }
};

struct Adam {
  AdamOptions o;
  template <class A>
  TL_DEVICE void step(Element<A>& e, const OptimPiece& p) const {
    A x = e.x, g = e.gradient(o.maximize, o.decoupled ? 0 : o.weight_decay);
    if (o.decoupled) x *= A(1 - o.lr * o.weight_decay);
    A towards = A(1 - o.beta1), m0 = e.state[0];
    // Linear interpolation from the nearer end, as lerp does.
    A m1 = 1 - o.beta1 < 0.5 ? fused(towards, g - m0, m0) : g - (g - m0) * (A(1) - towards);
    A v1 = fused(A(1 - o.beta2) * g, g, e.state[1] * A(o.beta2));
    e.state[0] = m1;
    e.state[1] = v1;
    if (o.amsgrad) {
      A old = e.state[2];
      v1 = v1 > old || v1 != v1 ? v1 : old;
      e.state[2] = v1;
    }
    A denominator = root(v1) / A(p.scalars[1]) + A(o.eps);
    e.x = x + A(-p.scalars[0]) * m1 / denominator;
  }
};

struct Adagrad {
  AdagradOptions o;
  template <class A>
  TL_DEVICE void step(Element<A>& e, const OptimPiece& p) const {
    A g = e.gradient(o.maximize, o.weight_decay), sum = fused(g, g, e.state[0]);
    e.state[0] = sum;
    e.x = e.x + A(-p.scalars[0]) * g / (root(sum) + A(o.eps));
  }
};

struct Rmsprop {
  RmspropOptions o;
  template <class A>
  TL_DEVICE void step(Element<A>& e, const OptimPiece& p) const {
    A g = e.gradient(o.maximize, o.weight_decay), rest = A(1 - o.alpha);
    A v1 = fused(rest * g, g, e.state[0] * A(o.alpha));
    e.state[0] = v1;
    if (o.centered) {
      A a0 = e.state[2], a1 = fused(rest, g - a0, a0);
      e.state[2] = a1;
      v1 = fused(-a1, a1, v1);
    }
    A denominator = root(v1) + A(o.eps);
    if (p.state[1]) {
      A b = e.state[1] * A(o.momentum) + g / denominator;
      e.state[1] = b;
      e.x = fused(b, A(-o.lr), e.x);
    } else {
      e.x = e.x + A(-o.lr) * g / denominator;
    }
  }
};

struct Adadelta {
  AdadeltaOptions o;
  template <class A>
  TL_DEVICE void step(Element<A>& e, const OptimPiece&) const {
    A g = e.gradient(o.maximize, o.weight_decay), rest = A(1 - o.rho), eps = A(o.eps);
    A v1 = fused(rest * g, g, e.state[0] * A(o.rho)), a0 = e.state[1];
    A delta = root(a0 + eps) / root(v1 + eps) * g;
    e.state[0] = v1;
    e.state[1] = fused(rest * delta, delta, a0 * A(o.rho));
    e.x = fused(delta, A(-o.lr), e.x);
  }
};

template <int N, class T, class F>
TL_DEVICE void read_some(const void* from, int64_t i, F f) {
  auto pack = *reinterpret_cast<const Pack<T, N>*>(static_cast<const T*>(from) + i);
  for (int k = 0; k < N; ++k) f(k) = convert<Sum<T>>(pack.v[k]);
}
template <int N, class T, class F>
TL_DEVICE void write_some(void* to, int64_t i, F f) {
  Pack<T, N> pack;
  for (int k = 0; k < N; ++k) pack.v[k] = convert<T>(f(k));
  *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(to) + i) = pack;
}

// Elements [i, i + N) of a piece.
template <int N, class T, class Step>
TL_DEVICE void step_some(const Step& s, const OptimPiece& p, int64_t i) {
  using A = Sum<T>;
  Element<A> e[N];
  read_some<N, T>(p.param, i, [&](int k) -> A& { return e[k].x; });
  read_some<N, T>(p.grad, i, [&](int k) -> A& { return e[k].g; });
  TL_UNROLL
  for (int j = 0; j < 3; ++j)
    if (p.state[j]) read_some<N, T>(p.state[j], i, [&](int k) -> A& { return e[k].state[j]; });
  TL_UNROLL
  for (int k = 0; k < N; ++k) s.step(e[k], p);
  TL_UNROLL
  for (int j = 0; j < 3; ++j)
    if (p.state[j]) write_some<N, T>(p.state[j], i, [&](int k) -> A& { return e[k].state[j]; });
  write_some<N, T>(p.param, i, [&](int k) -> A& { return e[k].x; });
}

// The pieces of one dtype, by packs where all that takes part lies at such addresses.
template <class T, class Step>
TL_KERNEL optimize(const OptimPiece* pieces, int64_t count, const Step s) {
  constexpr int N = sizeof(T) == 8 ? 2 : 4;
  for (int64_t k = block_index().x; k < count; k += grid_size().x) {
    const OptimPiece p = pieces[k];
    if (p.dtype != dtype_of<T>) continue;
    uintptr_t odd = reinterpret_cast<uintptr_t>(p.param) | reinterpret_cast<uintptr_t>(p.grad);
    for (int j = 0; j < 3; ++j) odd |= reinterpret_cast<uintptr_t>(p.state[j]);
    int64_t whole = odd % (N * sizeof(T)) == 0 ? p.n / N * N : 0;
    for (int64_t i = int64_t(thread_index().x) * N; i < whole; i += kThreads * N) step_some<N, T>(s, p, i);
    for (int64_t i = whole + thread_index().x; i < p.n; i += kThreads) step_some<1, T>(s, p, i);
  }
}

template <class Step>
void run(const OptimPiece* pieces, int64_t count, const Step& s) {
  if (count == 0) return;
  Launcher l = Launcher::of(pieces[0].param);
  Workspace there(l, size_t(count) * sizeof(OptimPiece));
  size_t bytes = size_t(count) * sizeof(OptimPiece);
  copy_staged(there.as<OptimPiece>(), pieces, bytes, l.scope.now, l.stream);
  for (Dtype t : {Dtype::Float32, Dtype::Float16, Dtype::BFloat16, Dtype::Float64}) {
    if (std::none_of(pieces, pieces + count, [&](const OptimPiece& p) { return p.dtype == t; })) continue;
    with_floating(t, [&]<class T>(T) {
      launch({{blocks_for(count, 1)}, {kThreads}, 0, l.stream}, optimize<T, Step>, there.as<OptimPiece>(), count, s);
    });
  }
}

[[maybe_unused]] const bool filled = [] {
  OptimKernels& k = optim_kernels[int(DeviceType::CUDA)];
  k.sgd = [](const OptimPiece* p, int64_t n, const SgdOptions& o) { run(p, n, Sgd{o}); };
  k.adam = [](const OptimPiece* p, int64_t n, const AdamOptions& o) { run(p, n, Adam{o}); };
  k.adagrad = [](const OptimPiece* p, int64_t n, const AdagradOptions& o) { run(p, n, Adagrad{o}); };
  k.rmsprop = [](const OptimPiece* p, int64_t n, const RmspropOptions& o) { run(p, n, Rmsprop{o}); };
  k.adadelta = [](const OptimPiece* p, int64_t n, const AdadeltaOptions& o) { run(p, n, Adadelta{o}); };
  return true;
}();

}  // namespace
}  // namespace tl::cuda
