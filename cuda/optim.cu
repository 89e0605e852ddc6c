#include "kernels/optim.h"

#include "runtime/allocator.h"
#include "runtime/walk.h"

// One launch runs over all pieces of all parameters: a block takes a piece. The order of operations is that of
// csrc/cpu/optim.cpp.

namespace tl::cuda {
namespace {

TL_DEVICE float root(float x) { return ::sqrtf(x); }
TL_DEVICE double root(double x) { return ::sqrt(x); }
TL_DEVICE float fused(float a, float b, float c) { return ::fmaf(a, b, c); }
TL_DEVICE double fused(double a, double b, double c) { return ::fma(a, b, c); }

// One element of a piece, in the type that it is computed in.
template <class T>
struct At {
  using A = Sum<T>;
  const OptimPiece& p;
  int64_t i;
  TL_DEVICE A param() const { return convert<A>(static_cast<const T*>(p.param)[i]); }
  TL_DEVICE void param(A v) const { static_cast<T*>(p.param)[i] = convert<T>(v); }
  TL_DEVICE bool has(int k) const { return p.state[k]; }
  TL_DEVICE A state(int k) const { return convert<A>(static_cast<const T*>(p.state[k])[i]); }
  TL_DEVICE void state(int k, A v) const { static_cast<T*>(p.state[k])[i] = convert<T>(v); }
  TL_DEVICE A gradient(A x, bool maximize, double weight_decay) const {
    A g = convert<A>(static_cast<const T*>(p.grad)[i]);
    if (maximize) g = -g;
    return weight_decay != 0 ? fused(x, A(weight_decay), g) : g;
  }
};

struct Sgd {
  SgdOptions o;
  template <class T>
  TL_DEVICE void step(const At<T>& e) const {
    using A = Sum<T>;
    A x = e.param(), g = e.gradient(x, o.maximize, o.weight_decay);
    if (e.has(0)) {
      A b = o.first_step ? g : fused(g, A(1 - o.dampening), e.state(0) * A(o.momentum));
      e.state(0, b);
      g = o.nesterov ? fused(b, A(o.momentum), g) : b;
    }
    e.param(fused(g, A(-o.lr), x));
  }
};

struct Adam {
  AdamOptions o;
  template <class T>
  TL_DEVICE void step(const At<T>& e) const {
    using A = Sum<T>;
    A x = e.param(), g = e.gradient(x, o.maximize, o.decoupled ? 0 : o.weight_decay);
    if (o.decoupled) x *= A(1 - o.lr * o.weight_decay);
    A towards = A(1 - o.beta1), m0 = e.state(0);
    // Linear interpolation from the nearer end, as lerp does.
    A m1 = 1 - o.beta1 < 0.5 ? fused(towards, g - m0, m0) : g - (g - m0) * (A(1) - towards);
    A v1 = fused(A(1 - o.beta2) * g, g, e.state(1) * A(o.beta2));
    e.state(0, m1);
    e.state(1, v1);
    if (o.amsgrad) {
      A old = e.state(2);
      v1 = v1 > old || v1 != v1 ? v1 : old;
      e.state(2, v1);
    }
    A denominator = root(v1) / A(e.p.scalars[1]) + A(o.eps);
    e.param(x + A(-e.p.scalars[0]) * m1 / denominator);
  }
};

struct Adagrad {
  AdagradOptions o;
  template <class T>
  TL_DEVICE void step(const At<T>& e) const {
    using A = Sum<T>;
    A x = e.param(), g = e.gradient(x, o.maximize, o.weight_decay), sum = fused(g, g, e.state(0));
    e.state(0, sum);
    e.param(x + A(-e.p.scalars[0]) * g / (root(sum) + A(o.eps)));
  }
};

struct Rmsprop {
  RmspropOptions o;
  template <class T>
  TL_DEVICE void step(const At<T>& e) const {
    using A = Sum<T>;
    A x = e.param(), g = e.gradient(x, o.maximize, o.weight_decay), rest = A(1 - o.alpha);
    A v1 = fused(rest * g, g, e.state(0) * A(o.alpha));
    e.state(0, v1);
    if (o.centered) {
      A a0 = e.state(2), a1 = fused(rest, g - a0, a0);
      e.state(2, a1);
      v1 = fused(-a1, a1, v1);
    }
    A denominator = root(v1) + A(o.eps);
    if (e.has(1)) {
      A b = e.state(1) * A(o.momentum) + g / denominator;
      e.state(1, b);
      e.param(fused(b, A(-o.lr), x));
    } else {
      e.param(x + A(-o.lr) * g / denominator);
    }
  }
};

struct Adadelta {
  AdadeltaOptions o;
  template <class T>
  TL_DEVICE void step(const At<T>& e) const {
    using A = Sum<T>;
    A x = e.param(), g = e.gradient(x, o.maximize, o.weight_decay), rest = A(1 - o.rho), eps = A(o.eps);
    A v1 = fused(rest * g, g, e.state(0) * A(o.rho)), a0 = e.state(1);
    A delta = root(a0 + eps) / root(v1 + eps) * g;
    e.state(0, v1);
    e.state(1, fused(rest * delta, delta, a0 * A(o.rho)));
    e.param(fused(delta, A(-o.lr), x));
  }
};

template <class Step, class T>
TL_DEVICE void run_piece(const Step& s, const OptimPiece& p) {
  for (int64_t i = thread_index().x; i < p.n; i += kThreads) s.template step<T>(At<T>{p, i});
}

template <class Step>
TL_KERNEL optimize(const OptimPiece* pieces, int64_t count, const Step s) {
  for (int64_t k = block_index().x; k < count; k += grid_size().x) {
    const OptimPiece p = pieces[k];
    switch (p.dtype) {
      case Dtype::Float16:
        run_piece<Step, Half>(s, p);
        break;
      case Dtype::BFloat16:
        run_piece<Step, BFloat16>(s, p);
        break;
      case Dtype::Float64:
        run_piece<Step, double>(s, p);
        break;
      default:
        run_piece<Step, float>(s, p);
    }
  }
}

template <class Step>
void run(const OptimPiece* pieces, int64_t count, const Step& s) {
  if (count == 0) return;
  Launcher l = Launcher::of(pieces[0].param);
  Device device{DeviceType::CUDA, int8_t(driver::device_of(pieces[0].param))};
  size_t bytes = size_t(count) * sizeof(OptimPiece);
  auto* there = static_cast<OptimPiece*>(caching_allocator().allocate(bytes, device));
  driver::copy(there, pieces, bytes, driver::CopyKind::HostToDevice, l.stream);
  launch({{blocks_for(count, 1)}, {kThreads}, 0, l.stream}, optimize<Step>, there, count, s);
  caching_allocator().free(there, bytes, device);
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
