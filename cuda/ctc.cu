#include "kernels/ctc.h"

#include "runtime/pinned.h"
#include "runtime/workspace.h"

// Graves, Fernández, Gomez and Schmidhuber (2006), in logarithms, as csrc/cpu/ctc.cpp has it. A block takes a sample
// and its threads the states of a step, one step after the other; the gradient of all steps is then taken at once.

namespace tl::cuda {
namespace {

template <class T>
TL_DEVICE T never() {
  return -T(__builtin_inf());
}
template <class T>
TL_DEVICE T log_sum(T a, T b, T c) {
  T top = a > b ? a : b;
  if (c > top) top = c;
  if (top == never<T>()) return top;
  if constexpr (sizeof(T) == 4)
    return ::logf(::expf(a - top) + ::expf(b - top) + ::expf(c - top)) + top;
  else
    return ::log(::exp(a - top) + ::exp(b - top) + ::exp(c - top)) + top;
}

// The arguments, with what the host says of each sample brought to the device: three numbers for each.
struct Problem {
  CtcArgs a;
  const int64_t* samples;
};

template <class T>
struct Sample {
  const CtcArgs& a;
  int64_t steps, states;
  const int64_t* target;
  const T* log_probs;
  int64_t alpha;  // where its log_alpha begins

  TL_DEVICE Sample(const Problem& p, int64_t n)
      : a(p.a),
        steps(p.samples[n]),
        states(2 * p.samples[p.a.batch + n] + 1),
        target(p.a.targets + p.samples[2 * p.a.batch + n]),
        log_probs(static_cast<const T*>(p.a.log_probs) + n * p.a.classes),
        alpha(n * p.a.steps * p.a.width) {}
  TL_DEVICE int64_t label(int64_t s) const { return s % 2 ? target[s / 2] : a.blank; }
  TL_DEVICE T log_prob(int64_t t, int64_t c) const { return log_probs[t * a.batch * a.classes + c]; }
  // Whether a path may jump over the blank between two states.
  TL_DEVICE bool skips(int64_t s) const { return s > 1 && s < states && label(s) != label(s - 2); }
};

template <class T>
TL_KERNEL ctc_forward(const Problem p) {
  T* all = static_cast<T*>(p.a.log_alpha);
  const int64_t width = p.a.width;
  for (int64_t n = block_index().x; n < p.a.batch; n += grid_size().x) {
    const Sample<T> x(p, n);
    T* alpha = all + x.alpha;
    for (int64_t t = 0; t < p.a.steps; ++t) {
      const T* before = alpha + (t - 1) * width;
      for (int64_t s = thread_index().x; s < width; s += block_size().x) {
        T v = never<T>();
        if (t == 0) {
          if (x.steps && s < 2 && s < x.states) v = x.log_prob(0, x.label(s));
        } else if (t < x.steps && s < x.states) {
          v = log_sum(before[s], s ? before[s - 1] : never<T>(), x.skips(s) ? before[s - 2] : never<T>()) +
              x.log_prob(t, x.label(s));
        }
        alpha[t * width + s] = v;
      }
      sync_block();
    }
    if (thread_index().x == 0) {
      T* loss = static_cast<T*>(p.a.loss) + n;
      if (x.steps == 0) {
        *loss = x.states == 1 ? T(0) : -never<T>();
      } else {
        const T* last = alpha + (x.steps - 1) * width;
        *loss = -log_sum(last[x.states - 1], x.states > 1 ? last[x.states - 2] : never<T>(), never<T>());
      }
    }
  }
}

// log_beta (batch, steps, width), and for each place of the targets (batch, longest) the next one with the same label:
// 0 if none, below 0 if it is not the first.
template <class T>
TL_KERNEL ctc_backward_states(const Problem p, T* beta_all, int32_t* links_all) {
  const int64_t width = p.a.width, longest = width / 2;
  for (int64_t n = block_index().x; n < p.a.batch; n += grid_size().x) {
    const Sample<T> x(p, n);
    int32_t* links = links_all + n * longest;
    for (int64_t i = thread_index().x; i < x.states / 2; i += block_size().x) {
      int64_t next = i + 1, before = i - 1;
      while (next < x.states / 2 && x.target[next] != x.target[i]) ++next;
      while (before >= 0 && x.target[before] != x.target[i]) --before;
      const int32_t link = next < x.states / 2 ? int32_t(next) : 0;
      links[i] = before < 0 ? link : -link - 1;
    }
    T* beta = beta_all + x.alpha;
    for (int64_t t = x.steps - 1; t >= 0; --t) {
      const T* next = beta + (t + 1) * width;
      for (int64_t s = thread_index().x; s < x.states; s += block_size().x) {
        T from;
        if (t == x.steps - 1)
          from = s >= x.states - 2 ? T(0) : never<T>();
        else
          from =
              log_sum(next[s], s + 1 < x.states ? next[s + 1] : never<T>(), x.skips(s + 2) ? next[s + 2] : never<T>());
        beta[t * width + s] = from + x.log_prob(t, x.label(s));
      }
      sync_block();
    }
  }
}

constexpr int kGradThreads = 128;

// A block takes a step of a sample. Classes get what they get without a state, then those that have states anew: the
// thread of a label's first place follows the places with the same label.
template <class T>
TL_KERNEL ctc_gradient(const Problem p, const T* grads, bool zero_infinity, const T* beta_all, const int32_t* links_all,
                       T* result) {
  TL_SHARED(T, warps, kGradThreads / kWarp);
  const CtcArgs& a = p.a;
  const int thread = int(thread_index().x);
  for (int64_t task = block_index().x; task < a.steps * a.batch; task += grid_size().x) {
    const int64_t t = task / a.batch, n = task % a.batch;
    const Sample<T> x(p, n);
    const T loss = static_cast<const T*>(a.loss)[n], grad = grads[n];
    T* g = result + task * a.classes;
    const bool none = t >= x.steps || (zero_infinity && loss == -never<T>());
    auto gradient = [&](int64_t c, T sum) {
      const T lp = x.log_prob(t, c);
      if constexpr (sizeof(T) == 4)
        return (::expf(lp) - ::expf(sum + loss - lp)) * grad;
      else
        return (::exp(lp) - ::exp(sum + loss - lp)) * grad;
    };
    for (int64_t c = thread; c < a.classes; c += kGradThreads) g[c] = none ? T(0) : gradient(c, never<T>());
    if (none) continue;  // the whole block
    const T *alpha = static_cast<const T*>(a.log_alpha) + x.alpha + t * a.width,
            *beta = beta_all + x.alpha + t * a.width;
    T blank = never<T>();
    for (int64_t s = 2 * thread; s < x.states; s += 2 * kGradThreads)
      blank = log_sum(blank, alpha[s] + beta[s], never<T>());
    // Labels may be the blank too.
    for (int64_t i = thread; i < x.states / 2; i += kGradThreads)
      if (x.target[i] == a.blank) blank = log_sum(blank, alpha[2 * i + 1] + beta[2 * i + 1], never<T>());
    for (int bits = kWarp / 2; bits; bits /= 2) blank = log_sum(blank, shuffle_xor(blank, bits), never<T>());
    if (thread % kWarp == 0) warps[thread / kWarp] = blank;
    sync_block();
    if (thread == 0) {
      for (int w = 1; w < kGradThreads / kWarp; ++w) {
        const T other = warps[w];
        blank = log_sum(blank, other, never<T>());
      }
      g[a.blank] = gradient(a.blank, blank);
    }
    const int32_t* links = links_all + n * (a.width / 2);
    for (int64_t i = thread; i < x.states / 2; i += kGradThreads) {
      if (links[i] < 0 || x.target[i] == a.blank) continue;
      T sum = never<T>();
      for (int64_t k = i;;) {
        sum = log_sum(sum, alpha[2 * k + 1] + beta[2 * k + 1], never<T>());
        const int32_t link = links[k] < 0 ? -links[k] - 1 : links[k];
        if (link == 0) break;
        k = link;
      }
      g[x.target[i]] = gradient(x.target[i], sum);
    }
    sync_block();
  }
}

Problem bring(const CtcArgs& a, const WorkArray<int64_t>& samples, const Launcher& l) {
  const size_t bytes = size_t(a.batch) * sizeof(int64_t);
  const int64_t* parts[3] = {a.input_length, a.target_length, a.target_start};
  for (int k = 0; k < 3; ++k) copy_staged(samples.data() + k * a.batch, parts[k], bytes, l.scope.now, l.stream);
  return {a, samples.data()};
}

// Threads for the states of a sample.
uint32_t threads_for(int64_t width) {
  uint32_t threads = kWarp;
  while (threads < 512 && threads < width) threads *= 2;
  return threads;
}

template <class T>
void forward(const CtcArgs& a) {
  if (a.batch == 0) return;
  Launcher l = Launcher::of(a.loss);
  WorkArray<int64_t> samples(l, 3 * a.batch);
  launch({{blocks_for(a.batch, 1)}, {threads_for(a.width)}, 0, l.stream}, ctc_forward<T>, bring(a, samples, l));
}

template <class T>
void backward(const CtcBackwardArgs& b) {
  const CtcArgs& a = b.forward;
  if (a.steps * a.batch * a.classes == 0) return;
  Launcher l = Launcher::of(b.grad_log_probs);
  WorkArray<int64_t> samples(l, 3 * a.batch);
  WorkArray<T> beta(l, a.batch * a.steps * a.width);
  WorkArray<int32_t> links(l, a.batch * (a.width / 2) + 1);
  const Problem p = bring(a, samples, l);
  launch({{blocks_for(a.batch, 1)}, {threads_for(a.width)}, 0, l.stream}, ctc_backward_states<T>, p, beta.data(),
         links.data());
  launch({{blocks_for(a.steps * a.batch, 1)}, {kGradThreads}, 0, l.stream}, ctc_gradient<T>, p,
         static_cast<const T*>(b.grad), b.zero_infinity, beta.data(), links.data(), static_cast<T*>(b.grad_log_probs));
}

[[maybe_unused]] const bool filled = [] {
  ctc_kernels[int(DeviceType::CUDA)] = {
      [](const CtcArgs& a) { a.dtype == Dtype::Float64 ? forward<double>(a) : forward<float>(a); },
      [](const CtcBackwardArgs& b) { b.forward.dtype == Dtype::Float64 ? backward<double>(b) : backward<float>(b); }};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
