#include "kernels/pool.h"

#include "runtime/workspace.h"

// Poolings. Forward a thread takes a result, or a warp where windows are large; backward a thread takes an element of
// the input and looks at the windows that it lies in, in order, so that nothing is added by two threads. Results follow
// each other as they lie in memory, so that neighbours read neighbours in both layouts. Half types compute in float32.

namespace tl::cuda {
namespace {

template <class I>
struct Window {
  I begin, end, step;
  I padded;  // elements, padding counted
};

// A place of one plane, and where its plane lies in the tensors.
template <class I>
struct Place {
  I d[3];
  I image;    // of the batch, or of batch and channels
  I channel;  // where channels lie side by side
};

template <class I>
struct Pooling {
  Extent<I> in[3], out[3], channels;
  I kernel[3], stride[3], padding[3], dilation[3];
  I unit;  // between neighbours in a row
  bool adaptive, channels_last, dilated;

  explicit Pooling(const PoolShape& s)
      : channels(s.channels),
        unit(I(s.channels_last ? s.channels : 1)),
        adaptive(s.adaptive),
        channels_last(s.channels_last),
        dilated(s.dilation[0] * s.dilation[1] * s.dilation[2] != 1) {
    for (int d = 0; d < 3; ++d) {
      in[d] = Extent<I>(s.in[d]), out[d] = Extent<I>(s.out[d]);
      kernel[d] = I(s.kernel[d]), stride[d] = I(s.stride[d]);
      padding[d] = I(s.padding[d]), dilation[d] = I(s.dilation[d]);
    }
  }

  TL_DEVICE Window<I> window(int d, I o) const {
    if (adaptive) {
      I begin = out[d].quotient(o * in[d].value);
      I end = out[d].quotient((o + 1) * in[d].value + out[d].value - 1);
      return {begin, end, 1, end - begin};
    }
    I start = o * stride[d] - padding[d], step = dilation[d];
    I end = start + (kernel[d] - 1) * step + 1, padded = start + kernel[d];
    if (padded > in[d].value + padding[d]) padded = in[d].value + padding[d];
    return {start < 0 ? start + (-start + step - 1) / step * step : start, end < in[d].value ? end : in[d].value, step,
            padded - start};
  }
  // The first and last window that may hold element i.
  TL_DEVICE void windows_of(int d, I i, I& first, I& last) const {
    if (adaptive) {
      first = in[d].quotient(i * out[d].value);
      last = in[d].quotient((i + 1) * out[d].value - 1);
    } else {
      I reach = (kernel[d] - 1) * dilation[d], at = i + padding[d];
      first = at > reach ? (at - reach + stride[d] - 1) / stride[d] : 0;
      last = at / stride[d];
    }
    if (last > out[d].value - 1) last = out[d].value - 1;
  }
  // Whether window o, one of those, has a tap on element i.
  TL_DEVICE bool taps(int d, I i, I o) const { return (i + padding[d] - o * stride[d]) % dilation[d] == 0; }

  TL_DEVICE Place<I> place(I i, const Extent<I> (&sizes)[3]) const {
    Place<I> p;
    p.channel = 0;
    if (channels_last) p.channel = channels.split(i);
    for (int d = 2; d >= 0; --d) p.d[d] = sizes[d].split(i);
    p.image = i;
    return p;
  }
  // Where the plane of a place begins in a tensor of these sizes.
  TL_DEVICE I start(const Place<I>& p, const Extent<I> (&sizes)[3]) const {
    return p.image * (sizes[0].value * sizes[1].value * sizes[2].value * unit) + p.channel;
  }
};

// Calls f(position in the plane) for what a lane of kLanes sees of a window, in order.
template <int kLanes, class I, class F>
TL_DEVICE void scan(const Pooling<I>& s, const Window<I> (&w)[3], int lane, F f) {
  I height = s.in[1].value, width = s.in[2].value;
  if constexpr (kLanes == 1) {
    for (I i = w[0].begin; i < w[0].end; i += w[0].step)
      for (I j = w[1].begin; j < w[1].end; j += w[1].step)
        for (I k = w[2].begin; k < w[2].end; k += w[2].step) f((i * height + j) * width + k);
  } else {
    I n[3];
    for (int d = 0; d < 3; ++d) n[d] = w[d].end > w[d].begin ? (w[d].end - w[d].begin + w[d].step - 1) / w[d].step : 0;
    if (n[1] == height && n[2] == width) {  // whole planes
      for (I i = w[0].begin; i < w[0].end; i += w[0].step)
        for (I k = I(lane); k < height * width; k += kLanes) f(i * height * width + k);
      return;
    }
    for (I i = I(lane); i < n[0] * n[1] * n[2]; i += kLanes) {
      I row = i / n[2], k = i - row * n[2], layer = row / n[1], j = row - layer * n[1];
      f(((w[0].begin + layer * w[0].step) * height + w[1].begin + j * w[1].step) * width + w[2].begin + k * w[2].step);
    }
  }
}
template <class I>
TL_DEVICE I first_position(const Pooling<I>& s, const Window<I> (&w)[3]) {
  return (w[0].begin * s.in[1].value + w[1].begin) * s.in[2].value + w[2].begin;
}

// ---- the largest ----

template <class A>
TL_DEVICE A lowest() {
  if constexpr (is_floating_type<A>)
    return -A(__builtin_inf());
  else
    return A(uint64_t(1) << (8 * sizeof(A) - 1));
}

// The first of the largest, but the last NaN: what a scan that replaces on "greater or NaN" ends with.
template <class T, class I>
struct Best {
  Sum<T> value;
  I at;
};
template <class T, int kLanes, class I>
TL_DEVICE Best<T, I> largest(const T* x, const Pooling<I>& s, const Window<I> (&w)[3], int lane) {
  using A = Sum<T>;
  Best<T, I> best{lowest<A>(), first_position(s, w)};
  scan<kLanes>(s, w, lane, [&](I p) {
    A v = convert<A>(x[p * s.unit]);
    if (v > best.value || v != v) best = {v, p};
  });
  for (int bits = kLanes / 2; bits; bits /= 2) {
    Best<T, I> other{shuffle_xor(best.value, bits), shuffle_xor(best.at, bits)};
    bool nan = best.value != best.value, other_nan = other.value != other.value;
    bool take = nan || other_nan            ? other_nan && (!nan || other.at > best.at)
                : other.value == best.value ? other.at < best.at
                                            : other.value > best.value;
    if (take) best = other;
  }
  return best;
}

template <class T, class I, int kLanes>
TL_KERNEL max_forward(const T* input, T* output, int64_t* indices, const Pooling<I> s, int64_t count) {
  int lane = kLanes == 1 ? 0 : lane_index();
  for (int64_t i = global_index() / kLanes; i < count; i += global_size() / kLanes) {
    Place<I> p = s.place(I(i), s.out);
    Window<I> w[3] = {s.window(0, p.d[0]), s.window(1, p.d[1]), s.window(2, p.d[2])};
    auto best = largest<T, kLanes>(input + s.start(p, s.in), s, w, lane);
    if (lane != 0) continue;
    if (output) output[i] = convert<T>(best.value);
    if (indices) indices[i] = int64_t(best.at);
  }
}

template <class T, class I>
TL_KERNEL max_backward(const T* grad, const T* input, const int64_t* indices, T* result, const Pooling<I> s,
                       int64_t count) {
  for (int64_t i = global_index(); i < count; i += global_size()) {
    Place<I> p = s.place(I(i), s.in);
    I out = s.start(p, s.out), position = (p.d[0] * s.in[1].value + p.d[1]) * s.in[2].value + p.d[2];
    I first[3], last[3];
    for (int d = 0; d < 3; ++d) s.windows_of(d, p.d[d], first[d], last[d]);
    Sum<T> sum = 0;
    for (I a = first[0]; a <= last[0]; ++a)
      for (I b = first[1]; b <= last[1]; ++b)
        for (I c = first[2]; c <= last[2]; ++c) {
          I o = out + ((a * s.out[1].value + b) * s.out[2].value + c) * s.unit;
          if (indices) {
            if (indices[o] != int64_t(position)) continue;
          } else {
            if (s.dilated && !(s.taps(0, p.d[0], a) && s.taps(1, p.d[1], b) && s.taps(2, p.d[2], c))) continue;
            Window<I> w[3] = {s.window(0, a), s.window(1, b), s.window(2, c)};
            if (largest<T, 1>(input + s.start(p, s.in), s, w, 0).at != position) continue;
          }
          sum += convert<Sum<T>>(grad[o]);
        }
    result[i] = convert<T>(sum);
  }
}

// ---- means ----

template <class A>
struct Mean {
  bool padded;
  int64_t divisor;  // 0: the size of the window

  template <class I>
  TL_DEVICE A of(const Window<I> (&w)[3]) const {
    if (divisor) return A(divisor);
    A n[3];
    for (int d = 0; d < 3; ++d) {
      I inside = w[d].end > w[d].begin ? w[d].end - w[d].begin : 0;
      n[d] = A(padded ? w[d].padded : inside);
    }
    return A(A(n[0] * n[1]) * n[2]);
  }
};

template <class T, class I, int kLanes>
TL_KERNEL avg_forward(const T* input, T* output, const Pooling<I> s, const Mean<Sum<T>> mean, int64_t count) {
  using A = Sum<T>;
  int lane = kLanes == 1 ? 0 : lane_index();
  for (int64_t i = global_index() / kLanes; i < count; i += global_size() / kLanes) {
    Place<I> p = s.place(I(i), s.out);
    Window<I> w[3] = {s.window(0, p.d[0]), s.window(1, p.d[1]), s.window(2, p.d[2])};
    const T* x = input + s.start(p, s.in);
    A sum = 0;
    scan<kLanes>(s, w, lane, [&](I at) { sum = A(sum + convert<A>(x[at * s.unit])); });
    for (int bits = kLanes / 2; bits; bits /= 2) sum = A(sum + shuffle_xor(sum, bits));
    if (lane != 0) continue;
    if constexpr (is_floating_type<A>) {
      output[i] = convert<T>(sum / mean.of(w));
    } else {
      bool any = w[0].end > w[0].begin && w[1].end > w[1].begin && w[2].end > w[2].begin;
      output[i] = any ? T(sum / mean.of(w)) : T(0);
    }
  }
}

template <class T, class I>
TL_KERNEL avg_backward(const T* grad, T* result, const Pooling<I> s, const Mean<Sum<T>> mean, int64_t count) {
  using A = Sum<T>;
  for (int64_t i = global_index(); i < count; i += global_size()) {
    Place<I> p = s.place(I(i), s.in);
    const T* g = grad + s.start(p, s.out);
    I first[3], last[3];
    for (int d = 0; d < 3; ++d) s.windows_of(d, p.d[d], first[d], last[d]);
    A sum = 0;
    for (I a = first[0]; a <= last[0]; ++a)
      for (I b = first[1]; b <= last[1]; ++b) {
        A row = 0;
        for (I c = first[2]; c <= last[2]; ++c) {
          Window<I> w[3] = {s.window(0, a), s.window(1, b), s.window(2, c)};
          row += convert<A>(g[((a * s.out[1].value + b) * s.out[2].value + c) * s.unit]) / mean.of(w);
        }
        sum += row;
      }
    result[i] = convert<T>(sum);
  }
}

// ---- the host's side ----

int64_t volume(const int64_t (&d)[3]) { return d[0] * d[1] * d[2]; }

// Whether every number that a kernel computes with has 31 bits.
bool is_narrow(const PoolShape& s) {
  constexpr int64_t kMost = INT32_MAX;
  if (s.batch * s.channels * volume(s.in) > kMost || s.batch * s.channels * volume(s.out) > kMost) return false;
  for (int d = 0; d < 3; ++d) {
    if (s.adaptive) {
      if ((s.in[d] + 1) * (s.out[d] + 1) > kMost) return false;
      continue;
    }
    if (s.kernel[d] > kMost / 4 || s.dilation[d] > kMost / 4 || s.stride[d] > kMost / 4) return false;
    if (s.out[d] * s.stride[d] + s.padding[d] + s.kernel[d] * s.dilation[d] > kMost) return false;
  }
  return true;
}
// Elements of the largest window; without outputs there is none.
int64_t window_size(const PoolShape& s) {
  if (volume(s.out) == 0) return 0;
  int64_t n = 1;
  for (int d = 0; d < 3; ++d) n *= s.adaptive ? (s.in[d] + s.out[d] - 1) / s.out[d] : s.kernel[d];
  return n;
}
bool overlap(const PoolShape& s) {
  if (s.adaptive) return true;
  for (int d = 0; d < 3; ++d)
    if (s.out[d] > 1 && s.stride[d] <= (s.kernel[d] - 1) * s.dilation[d]) return true;
  return false;
}

// Calls f(Pooling, lanes that share a window).
template <class F>
void with_index(const PoolShape& s, F f) {
  if (!is_narrow(s)) return f(Pooling<int64_t>(s), std::integral_constant<int, 1>());
  if (!s.channels_last && window_size(s) >= 2 * kWarp)
    f(Pooling<int32_t>(s), std::integral_constant<int, kWarp>());
  else
    f(Pooling<int32_t>(s), std::integral_constant<int, 1>());
}

template <class T>
void run_max(const PoolShape& shape, const void* input, void* output, int64_t* indices, Stream stream) {
  int64_t count = shape.batch * shape.channels * volume(shape.out);
  if (count == 0) return;
  with_index(shape, [&]<class I, int kLanes>(const Pooling<I>& s, std::integral_constant<int, kLanes>) {
    launch({{blocks_for(count, kThreads / kLanes)}, {kThreads}, 0, stream}, max_forward<T, I, kLanes>,
           static_cast<const T*>(input), static_cast<T*>(output), indices, s, count);
  });
}
void max_pool(const MaxPoolArgs& a) {
  Launcher l = Launcher::of(a.input);
  with_floating(a.shape.dtype, [&]<class T>(T) { run_max<T>(a.shape, a.input, a.output, a.indices, l.stream); });
}
void max_int64(const MaxPoolArgs& a) {
  Launcher l = Launcher::of(a.input);
  run_max<int64_t>(a.shape, a.input, a.output, a.indices, l.stream);
}

void max_pool_backward(const MaxPoolBackwardArgs& a) {
  Launcher l = Launcher::of(a.grad_input);
  const PoolShape& shape = a.shape;
  int64_t count = shape.batch * shape.channels * volume(shape.in);
  int64_t outputs = shape.batch * shape.channels * volume(shape.out);
  if (count == 0) return;
  with_floating(shape.dtype, [&]<class T>(T) {
    // Windows that overlap are searched once, not once for each of their elements.
    const int64_t* indices = a.indices;
    Workspace found(l, !indices && overlap(shape) ? size_t(outputs) * sizeof(int64_t) : 0);
    if (auto* places = found.as<int64_t>()) {
      run_max<T>(shape, a.input, nullptr, places, l.stream);
      indices = places;
    }
    with_index(shape, [&]<class I, int kLanes>(const Pooling<I>& s, std::integral_constant<int, kLanes>) {
      launch({{blocks_for(count, kThreads)}, {kThreads}, 0, l.stream}, max_backward<T, I>,
             static_cast<const T*>(a.grad), static_cast<const T*>(a.input), indices, static_cast<T*>(a.grad_input), s,
             count);
    });
  });
}

template <class T>
void run_avg(const AvgPoolArgs& a) {
  Launcher l = Launcher::of(a.input);
  int64_t count = a.shape.batch * a.shape.channels * volume(a.shape.out);
  if (count == 0) return;
  Mean<Sum<T>> mean{a.count_include_pad, a.divisor};
  with_index(a.shape, [&]<class I, int kLanes>(const Pooling<I>& s, std::integral_constant<int, kLanes>) {
    launch({{blocks_for(count, kThreads / kLanes)}, {kThreads}, 0, l.stream}, avg_forward<T, I, kLanes>,
           static_cast<const T*>(a.input), static_cast<T*>(a.output), s, mean, count);
  });
}
void avg_pool(const AvgPoolArgs& a) {
  with_floating(a.shape.dtype, [&]<class T>(T) { run_avg<T>(a); });
}

void avg_pool_backward(const AvgPoolBackwardArgs& a) {
  Launcher l = Launcher::of(a.grad_input);
  int64_t count = a.shape.batch * a.shape.channels * volume(a.shape.in);
  if (count == 0) return;
  with_floating(a.shape.dtype, [&]<class T>(T) {
    Mean<Sum<T>> mean{a.count_include_pad, a.divisor};
    with_index(a.shape, [&]<class I, int kLanes>(const Pooling<I>& s, std::integral_constant<int, kLanes>) {
      launch({{blocks_for(count, kThreads)}, {kThreads}, 0, l.stream}, avg_backward<T, I>,
             static_cast<const T*>(a.grad), static_cast<T*>(a.grad_input), s, mean, count);
    });
  });
}

[[maybe_unused]] const bool filled = [] {
  pool_kernels[int(DeviceType::CUDA)] = {max_pool,          max_int64, run_avg<int64_t>,
                                         max_pool_backward, avg_pool,  avg_pool_backward};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
