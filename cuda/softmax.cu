#include "kernels/softmax.h"

#include "runtime/walk.h"

// A block takes a line. Maximum and sum come from one pass: a sum is scaled down when a larger maximum turns up
// (Milakov and Gimelshein, 2018). Half types compute in float32.

namespace tl::cuda {
namespace {

template <class A>
TL_DEVICE A exponential(A x) {
  if constexpr (sizeof(A) == 4)
    return ::expf(x);
  else
    return ::exp(x);
}
template <class A>
TL_DEVICE A logarithm(A x) {
  if constexpr (sizeof(A) == 4)
    return ::logf(x);
  else
    return ::log(x);
}

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

// Combines one value of each thread; every thread gets the result, which is the same bits in all.
template <class V, class Join>
TL_DEVICE V over_block(Shared<V> warps, V v, Join combine) {
  int t = int(thread_index().x);
  for (int bits = kWarp / 2; bits; bits /= 2) v = combine(v, shuffle_xor(v, bits));
  if (t % kWarp == 0) warps[t / kWarp] = v;
  sync_block();
  v = warps[0];
  for (int w = 1; w < kThreads / kWarp; ++w) {
    V other = warps[w];
    v = combine(v, other);
  }
  sync_block();
  return v;
}

template <class T, class A>
TL_KERNEL softmax_forward(const T* input, T* output, int64_t lines, int64_t n, int64_t inner, bool log) {
  TL_SHARED(Running<A>, warps, kThreads / kWarp);
  for (int64_t line = block_index().x; line < lines; line += grid_size().x) {
    int64_t start = line / inner * n * inner + line % inner;
    Running<A> v{-A(__builtin_inf()), A(0)};
    for (int64_t i = thread_index().x; i < n; i += kThreads) {
      A x = convert<A>(input[start + i * inner]);
      if (x == -A(__builtin_inf())) continue;  // adds nothing
      v = x > v.most ? Running<A>{x, join(v, Running<A>{x, A(1)}).sum}
                     : Running<A>{v.most, v.sum + exponential(x - v.most)};
    }
    v = over_block<Running<A>>(warps, v, [](Running<A> a, Running<A> b) { return join(a, b); });
    // A line without one finite or infinite number to speak of is NaN, as 0 / 0 is.
    A log_sum = logarithm(v.sum);
    for (int64_t i = thread_index().x; i < n; i += kThreads) {
      A x = convert<A>(input[start + i * inner]);
      output[start + i * inner] = convert<T>(log ? x - v.most - log_sum : exponential(x - v.most) / v.sum);
    }
  }
}

template <class T, class A>
TL_KERNEL softmax_backward(const T* grad, const T* output, T* result, int64_t lines, int64_t n, int64_t inner,
                           bool log) {
  TL_SHARED(A, warps, kThreads / kWarp);
  for (int64_t line = block_index().x; line < lines; line += grid_size().x) {
    int64_t start = line / inner * n * inner + line % inner;
    A sum = 0;
    for (int64_t i = thread_index().x; i < n; i += kThreads) {
      A g = convert<A>(grad[start + i * inner]);
      sum += log ? g : g * convert<A>(output[start + i * inner]);
    }
    sum = over_block<A>(warps, sum, [](A a, A b) { return a + b; });
    for (int64_t i = thread_index().x; i < n; i += kThreads) {
      A g = convert<A>(grad[start + i * inner]), y = convert<A>(output[start + i * inner]);
      result[start + i * inner] = convert<T>(log ? g - exponential(y) * sum : (g - sum) * y);
    }
  }
}

template <class F>
void with_type(Dtype t, F f) {
  switch (t) {
    case Dtype::Float16:
      return f(Half(), float());
    case Dtype::BFloat16:
      return f(BFloat16(), float());
    case Dtype::Float64:
      return f(double(), double());
    default:
      return f(float(), float());
  }
}

void forward(const SoftmaxArgs& a) {
  int64_t lines = a.outer * a.inner;
  if (lines == 0 || a.n == 0) return;
  Launcher l = Launcher::of(a.output);
  with_type(a.dtype, [&](auto t, auto acc) {
    using T = decltype(t);
    launch({{blocks_for(lines, 1)}, {kThreads}, 0, l.stream}, softmax_forward<T, decltype(acc)>,
           static_cast<const T*>(a.input), static_cast<T*>(a.output), lines, a.n, a.inner, a.log);
  });
}

void backward(const SoftmaxBackwardArgs& a) {
  int64_t lines = a.outer * a.inner;
  if (lines == 0 || a.n == 0) return;
  Launcher l = Launcher::of(a.grad_input);
  with_type(a.dtype, [&](auto t, auto acc) {
    using T = decltype(t);
    launch({{blocks_for(lines, 1)}, {kThreads}, 0, l.stream}, softmax_backward<T, decltype(acc)>,
           static_cast<const T*>(a.grad), static_cast<const T*>(a.output), static_cast<T*>(a.grad_input), lines, a.n,
           a.inner, a.log);
  });
}

[[maybe_unused]] const bool filled = [] {
  softmax_kernels[int(DeviceType::CUDA)] = {forward, backward};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
