#include "kernels/ctc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"

// Graves, Fernández, Gomez and Schmidhuber (2006), in logarithms. The targets with a blank before, between and behind
// them are the states; alpha is the probability of all beginnings that end in a state, beta that of all continuations.

namespace tl::cpu {
namespace {

template <class T>
constexpr T kNever = -std::numeric_limits<T>::infinity();

template <class T>
T log_sum(T a, T b, T c) {
  const T top = std::max(std::max(a, b), c);
  if (top == kNever<T>) return top;
  return std::log(std::exp(a - top) + std::exp(b - top) + std::exp(c - top)) + top;
}

template <class T>
struct Sample {
  const CtcArgs& a;
  const int64_t steps, states;
  const int64_t* target;
  const T* log_probs;
  T* alpha;

  Sample(const CtcArgs& args, int64_t n)
      : a(args),
        steps(args.input_length[n]),
        states(2 * args.target_length[n] + 1),
        target(args.targets + args.target_start[n]),
        log_probs(static_cast<const T*>(args.log_probs) + n * args.classes),
        alpha(static_cast<T*>(args.log_alpha) + n * args.steps * args.width) {}
  int64_t label(int64_t s) const { return s % 2 ? target[s / 2] : a.blank; }
  T log_prob(int64_t t, int64_t c) const { return log_probs[t * a.batch * a.classes + c]; }
  // Whether a path may jump over the blank between two states.
  bool skips(int64_t s) const { return s > 1 && s < states && label(s) != label(s - 2); }
};

template <class T>
void forward(const CtcArgs& a) {
  parallel_for(a.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const Sample<T> x(a, n);
      T* loss = static_cast<T*>(a.loss) + n;
      std::fill(x.alpha, x.alpha + a.steps * a.width, kNever<T>);
      if (x.steps == 0) {
        *loss = x.states == 1 ? T(0) : -kNever<T>;
        continue;
      }
      x.alpha[0] = x.log_prob(0, a.blank);
      if (x.states > 1) x.alpha[1] = x.log_prob(0, x.label(1));
      for (int64_t t = 1; t < x.steps; ++t) {
        const T* before = x.alpha + (t - 1) * a.width;
        for (int64_t s = 0; s < x.states; ++s)
          x.alpha[t * a.width + s] =
              log_sum(before[s], s ? before[s - 1] : kNever<T>, x.skips(s) ? before[s - 2] : kNever<T>) +
              x.log_prob(t, x.label(s));
      }
      const T* last = x.alpha + (x.steps - 1) * a.width;
      *loss = -log_sum(last[x.states - 1], x.states > 1 ? last[x.states - 2] : kNever<T>, kNever<T>);
    }
  });
}

// As PyTorch's, the gradient takes log_probs for the result of log_softmax.
template <class T>
void backward(const CtcBackwardArgs& b) {
  const CtcArgs& a = b.forward;
  T* grad_all = static_cast<T*>(b.grad_log_probs);
  parallel_for(a.batch, 1, [&](int64_t begin, int64_t end) {
    std::vector<T> beta(size_t(a.width)), next(size_t(a.width)), sums(size_t(a.classes));
    for (int64_t n = begin; n < end; ++n) {
      const Sample<T> x(a, n);
      const T loss = static_cast<const T*>(a.loss)[n], grad = static_cast<const T*>(b.grad)[n];
      for (int64_t t = 0; t < a.steps; ++t) {
        T* g = grad_all + (t * a.batch + n) * a.classes;
        std::fill(g, g + a.classes, T(0));
      }
      if (b.zero_infinity && loss == -kNever<T>) continue;
      for (int64_t t = x.steps - 1; t >= 0; --t) {
        for (int64_t s = x.states - 1; s >= 0; --s) {
          T from;
          if (t == x.steps - 1)
            from = s >= x.states - 2 ? T(0) : kNever<T>;
          else
            from = log_sum(next[size_t(s)], s + 1 < x.states ? next[size_t(s + 1)] : kNever<T>,
                           x.skips(s + 2) ? next[size_t(s + 2)] : kNever<T>);
          beta[size_t(s)] = from + x.log_prob(t, x.label(s));
        }
        std::fill(sums.begin(), sums.end(), kNever<T>);
        for (int64_t s = 0; s < x.states; ++s) {
          T& sum = sums[size_t(x.label(s))];
          sum = log_sum(sum, x.alpha[t * a.width + s] + beta[size_t(s)], kNever<T>);
        }
        T* g = grad_all + (t * a.batch + n) * a.classes;
        for (int64_t c = 0; c < a.classes; ++c) {
          const T lp = x.log_prob(t, c);
          g[c] = (std::exp(lp) - std::exp(sums[size_t(c)] + loss - lp)) * grad;
        }
        beta.swap(next);
      }
    }
  });
}

[[maybe_unused]] const bool filled = [] {
  ctc_kernels[int(DeviceType::CPU)] = {
      [](const CtcArgs& a) { a.dtype == Dtype::Float64 ? forward<double>(a) : forward<float>(a); },
      [](const CtcBackwardArgs& b) { b.forward.dtype == Dtype::Float64 ? backward<double>(b) : backward<float>(b); }};
  return true;
}();

}  // namespace
}  // namespace tl::cpu
