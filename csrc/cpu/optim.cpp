#include "kernels/optim.h"

#include "core/parallel.h"
#include "cpu/lanes.h"

// The order of operations, fused ones among them, is that of PyTorch's single-tensor optimizers: float32 trajectories
// agree but for PyTorch's square root, which is not always the nearest float.

namespace tl::cpu::TL_ISA {
namespace {

// Calls step.template run<T>(piece) for every piece.
template <class Step>
void run(const OptimPiece* pieces, int64_t count, Step&& step) {
  if (!count) return;
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i) total += pieces[i].n;
  parallel_for(count, larger(count * kOptimPiece / larger(total, 1), 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      with_floating(pieces[i].dtype, [&]<class T>() { step.template operator()<T>(pieces[i]); });
  });
}

template <class T>
Lanes<Acc<T>> gradient(const OptimPiece& p, int64_t i, Lanes<Acc<T>> param, bool maximize, double weight_decay,
                       auto part) {
  using A = Acc<T>;
  Lanes<A> g = load_n(static_cast<const T*>(p.grad) + i, part, A(0));
  if (maximize) g = -g;
  return weight_decay != 0 ? fma(param, splat(A(weight_decay)), g) : g;
}

void sgd(const OptimPiece* pieces, int64_t count, const SgdOptions& o) {
  run(pieces, count, [&]<class T>(const OptimPiece& p) {
    using A = Acc<T>;
    T* w = static_cast<T*>(p.param);
    T* m = static_cast<T*>(p.state[0]);
    Lanes<A> minus_lr = splat(A(-o.lr)), momentum = splat(A(o.momentum)), keep = splat(A(1 - o.dampening));
    each<A>(p.n, [&](int64_t i, auto part) {
      Lanes<A> x = load_n(w + i, part, A(0));
      Lanes<A> g = gradient<T>(p, i, x, o.maximize, o.weight_decay, part);
      if (m) {
        Lanes<A> b = o.first_step ? g : fma(g, keep, load_n(m + i, part, A(0)) * momentum);
        store_n(m + i, b, part);
        g = o.nesterov ? fma(b, momentum, g) : b;
      }
      store_n(w + i, fma(g, minus_lr, x), part);
    });
  });
}

void adam(const OptimPiece* pieces, int64_t count, const AdamOptions& o) {
  run(pieces, count, [&]<class T>(const OptimPiece& p) {
    using A = Acc<T>;
    T* w = static_cast<T*>(p.param);
    T* m = static_cast<T*>(p.state[0]);
    T* v = static_cast<T*>(p.state[1]);
    T* largest = static_cast<T*>(p.state[2]);
    Lanes<A> minus_step = splat(A(-p.scalars[0])), correction = splat(A(p.scalars[1])), eps = splat(A(o.eps));
    Lanes<A> towards = splat(A(1 - o.beta1)), beta2 = splat(A(o.beta2)), rest2 = splat(A(1 - o.beta2));
    Lanes<A> decay = splat(A(1 - o.lr * o.weight_decay));
    // Linear interpolation from the nearer end, as lerp does.
    bool near = 1 - o.beta1 < 0.5;
    Lanes<A> back = splat(A(1) - A(1 - o.beta1));
    each<A>(p.n, [&](int64_t i, auto part) {
      Lanes<A> x = load_n(w + i, part, A(0));
      Lanes<A> g = gradient<T>(p, i, x, o.maximize, o.decoupled ? 0 : o.weight_decay, part);
      if (o.decoupled) x *= decay;
      Lanes<A> m0 = load_n(m + i, part, A(0)), v1 = fma(rest2 * g, g, load_n(v + i, part, A(0)) * beta2);
      Lanes<A> m1 = near ? fma(towards, g - m0, m0) : g - (g - m0) * back;
      store_n(m + i, m1, part);
      store_n(v + i, v1, part);
      if (o.amsgrad) {
        Lanes<A> old = load_n(largest + i, part, A(0));
        v1 = (v1 > old) | (v1 != v1) ? v1 : old;
        store_n(largest + i, v1, part);
      }
      Lanes<A> denominator = sqrt(v1) / correction + eps;
      store_n(w + i, x + minus_step * m1 / denominator, part);
    });
  });
}

void adagrad(const OptimPiece* pieces, int64_t count, const AdagradOptions& o) {
  run(pieces, count, [&]<class T>(const OptimPiece& p) {
    using A = Acc<T>;
    T* w = static_cast<T*>(p.param);
    T* s = static_cast<T*>(p.state[0]);
    Lanes<A> minus_lr = splat(A(-p.scalars[0])), eps = splat(A(o.eps));
    each<A>(p.n, [&](int64_t i, auto part) {
      Lanes<A> x = load_n(w + i, part, A(0));
      Lanes<A> g = gradient<T>(p, i, x, o.maximize, o.weight_decay, part);
      Lanes<A> sum = fma(g, g, load_n(s + i, part, A(0)));
      store_n(s + i, sum, part);
      store_n(w + i, x + minus_lr * g / (sqrt(sum) + eps), part);
    });
  });
}

void rmsprop(const OptimPiece* pieces, int64_t count, const RmspropOptions& o) {
  run(pieces, count, [&]<class T>(const OptimPiece& p) {
    using A = Acc<T>;
    T* w = static_cast<T*>(p.param);
    T* v = static_cast<T*>(p.state[0]);
    T* m = static_cast<T*>(p.state[1]);
    T* mean = static_cast<T*>(p.state[2]);
    Lanes<A> minus_lr = splat(A(-o.lr)), eps = splat(A(o.eps)), alpha = splat(A(o.alpha)), rest = splat(A(1 - o.alpha));
    Lanes<A> momentum = splat(A(o.momentum));
    each<A>(p.n, [&](int64_t i, auto part) {
      Lanes<A> x = load_n(w + i, part, A(0));
      Lanes<A> g = gradient<T>(p, i, x, o.maximize, o.weight_decay, part);
      Lanes<A> v1 = fma(rest * g, g, load_n(v + i, part, A(0)) * alpha);
      store_n(v + i, v1, part);
      if (o.centered) {
        Lanes<A> a0 = load_n(mean + i, part, A(0)), a1 = fma(rest, g - a0, a0);
        store_n(mean + i, a1, part);
        v1 = fma(-a1, a1, v1);
      }
      Lanes<A> denominator = sqrt(v1) + eps;
      if (m) {
        Lanes<A> b = load_n(m + i, part, A(0)) * momentum + g / denominator;
        store_n(m + i, b, part);
        store_n(w + i, fma(b, minus_lr, x), part);
      } else {
        store_n(w + i, x + minus_lr * g / denominator, part);
      }
    });
  });
}

void adadelta(const OptimPiece* pieces, int64_t count, const AdadeltaOptions& o) {
  run(pieces, count, [&]<class T>(const OptimPiece& p) {
    using A = Acc<T>;
    T* w = static_cast<T*>(p.param);
    T* v = static_cast<T*>(p.state[0]);
    T* acc = static_cast<T*>(p.state[1]);
    Lanes<A> minus_lr = splat(A(-o.lr)), eps = splat(A(o.eps)), rho = splat(A(o.rho)), rest = splat(A(1 - o.rho));
    each<A>(p.n, [&](int64_t i, auto part) {
      Lanes<A> x = load_n(w + i, part, A(0));
      Lanes<A> g = gradient<T>(p, i, x, o.maximize, o.weight_decay, part);
      Lanes<A> v1 = fma(rest * g, g, load_n(v + i, part, A(0)) * rho), a0 = load_n(acc + i, part, A(0));
      Lanes<A> delta = sqrt(a0 + eps) / sqrt(v1 + eps) * g;
      store_n(v + i, v1, part);
      store_n(acc + i, fma(rest * delta, delta, a0 * rho), part);
      store_n(w + i, fma(delta, minus_lr, x), part);
    });
  });
}

}  // namespace

void fill_optim() {
  OptimKernels& k = optim_kernels[int(DeviceType::CPU)];
  k.sgd = sgd;
  k.adam = adam;
  k.adagrad = adagrad;
  k.rmsprop = rmsprop;
  k.adadelta = adadelta;
}

}  // namespace tl::cpu::TL_ISA
