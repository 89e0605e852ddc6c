#include "conv.h"

#include "kernels/matmul.h"
#include "runtime/block.h"

// Convolutions computed directly, by a thread for a result: any dtype and shape, and right for few channels
// (depthwise). Half types are summed in float32.

namespace tl::cuda {
namespace {

int64_t volume(const ConvArgs& a, int64_t ConvArgs::Dim::* size) {
  return a.dim[0].*size * (a.dim[1].*size) * (a.dim[2].*size);
}
int64_t taps(const ConvArgs& a) { return volume(a, &ConvArgs::Dim::kernel); }
int64_t plane_x(const ConvArgs& a) { return volume(a, &ConvArgs::Dim::in); }
int64_t plane_y(const ConvArgs& a) { return volume(a, &ConvArgs::Dim::out); }

// Whether every number that a kernel computes with has 31 bits; a block steps past the last place.
bool is_narrow(const ConvArgs& a) {
  constexpr int64_t kMost = INT32_MAX - kThreads;
  for (const auto& d : a.dim)
    if (d.in + 2 * d.padding > kMost / 2 || d.kernel * d.dilation > kMost / 2 || d.out * d.stride > kMost / 2)
      return false;
  return a.batch * a.groups * a.cin * plane_x(a) <= kMost && a.batch * a.groups * a.cout * plane_y(a) <= kMost &&
         a.groups * a.cout * a.cin * taps(a) <= kMost;
}

// The sizes of a convolution as kernels divide by them.
template <class I>
struct Geometry {
  Extent<I> in[3], out[3], kernel[3], cin, cout, groups;
  I batch, stride[3], padding[3], dilation[3];

  explicit Geometry(const ConvArgs& a) : cin(a.cin), cout(a.cout), groups(a.groups), batch(I(a.batch)) {
    for (int d = 0; d < 3; ++d) {
      in[d] = Extent<I>(a.dim[d].in), out[d] = Extent<I>(a.dim[d].out), kernel[d] = Extent<I>(a.dim[d].kernel);
      stride[d] = I(a.dim[d].stride), padding[d] = I(a.dim[d].padding), dilation[d] = I(a.dim[d].dilation);
    }
  }
  TL_DEVICE I plane_x() const { return in[0].value * in[1].value * in[2].value; }
  TL_DEVICE I plane_y() const { return out[0].value * out[1].value * out[2].value; }
  TL_DEVICE I taps() const { return kernel[0].value * kernel[1].value * kernel[2].value; }

  // The element of x in dim d that tap t of place q reads; false where it lies in the padding.
  TL_DEVICE bool element(int d, I q, I t, I& at) const {
    at = q * stride[d] - padding[d] + t * dilation[d];
    return at >= 0 && at < in[d].value;
  }
  // The place of y in dim d whose tap t reads element i, if there is one.
  TL_DEVICE bool place(int d, I i, I t, I& at) const {
    I from = i + padding[d] - t * dilation[d];
    at = from / stride[d];
    return from >= 0 && at < out[d].value && at * stride[d] == from;
  }
};

// y from x, or with kBack x from y: in the order of memory, so that neighbours read neighbours.
template <class T, class I, bool kBack>
TL_KERNEL conv_direct(const T* from, const T* w, const T* bias, T* to, const Geometry<I> g, int64_t count) {
  using A = Sum<T>;
  I channels = kBack ? g.cout.value : g.cin.value, plane = kBack ? g.plane_y() : g.plane_x(), taps = g.taps();
  I step = kBack ? g.cin.value * taps : taps;  // of the weights from channel to channel
  for (int64_t i = global_index(); i < count; i += global_size()) {
    I rest = I(i), q[3];
    for (int d = 2; d >= 0; --d) q[d] = (kBack ? g.in : g.out)[d].split(rest);
    I row = (kBack ? g.cin : g.cout).split(rest), group = rest - g.groups.quotient(rest) * g.groups.value;
    const T* source = from + int64_t(rest) * channels * plane;
    const T* weights =
        w + int64_t(group) * g.cout.value * g.cin.value * taps + row * (kBack ? taps : g.cin.value * taps);
    A sum = A(0);
    for (I r = 0, tap = 0; r < g.kernel[0].value; ++r)
      for (I s = 0; s < g.kernel[1].value; ++s)
        for (I t = 0; t < g.kernel[2].value; ++t, ++tap) {
          I a, b, c;
          if constexpr (kBack) {
            if (!(g.place(0, q[0], r, a) && g.place(1, q[1], s, b) && g.place(2, q[2], t, c))) continue;
          } else {
            if (!(g.element(0, q[0], r, a) && g.element(1, q[1], s, b) && g.element(2, q[2], t, c))) continue;
          }
          const Extent<I>(&size)[3] = kBack ? g.out : g.in;
          const T* p = source + (a * size[1].value + b) * size[2].value + c;
          const T* v = weights + tap;
          for (I k = 0; k < channels; ++k, p += plane, v += step) sum = A(sum + convert<A>(*v) * convert<A>(*p));
        }
    if (bias) sum = A(sum + convert<A>(bias[group * (kBack ? g.cin : g.cout).value + row]));
    to[i] = convert<T>(sum);
  }
}

// A block sums one weight's gradient over the places of all images.
template <class T, class I>
TL_KERNEL conv_weight_direct(const T* x, const T* y, T* w, const Geometry<I> g, int64_t count) {
  using A = Sum<T>;
  TL_SHARED(A, warps, kThreads / kWarp);
  I plane_x = g.plane_x(), plane_y = g.plane_y(), places = g.batch * plane_y;
  for (int64_t i = block_index().x; i < count; i += grid_size().x) {
    I rest = I(i), tap[3];
    for (int d = 2; d >= 0; --d) tap[d] = g.kernel[d].split(rest);
    I in = g.cin.split(rest), channel = rest, group = g.cout.quotient(channel);
    const T* from_x = x + int64_t(group * g.cin.value + in) * plane_x;
    const T* from_y = y + int64_t(channel) * plane_y;
    A sum = A(0);
    for (I e = I(thread_index().x); e < places; e += kThreads) {
      I image = e, q[3], at[3];
      for (int d = 2; d >= 0; --d) q[d] = g.out[d].split(image);
      if (!(g.element(0, q[0], tap[0], at[0]) && g.element(1, q[1], tap[1], at[1]) &&
            g.element(2, q[2], tap[2], at[2])))
        continue;
      I place = e - image * plane_y;
      A a = convert<A>(from_x[int64_t(image) * (g.groups.value * g.cin.value * plane_x) +
                              (at[0] * g.in[1].value + at[1]) * g.in[2].value + at[2]]);
      A b = convert<A>(from_y[int64_t(image) * (g.groups.value * g.cout.value * plane_y) + place]);
      sum = A(sum + a * b);
    }
    sum = block_sum<A>(warps, sum);
    if (thread_index().x == 0) w[i] = convert<T>(sum);
  }
}

// Each channel's sum over images and places, in parts that `finish` adds.
template <class T>
TL_KERNEL bias_parts(const T* y, T* bias, Sum<T>* partial, int64_t batch, int64_t channels, int64_t plane,
                     int64_t parts, int64_t length) {
  using A = Sum<T>;
  TL_SHARED(A, warps, kThreads / kWarp);
  for (int64_t task = block_index().x; task < channels * parts; task += grid_size().x) {
    int64_t channel = task / parts, first = task % parts * length;
    int64_t last = first + length < batch * plane ? first + length : batch * plane;
    A sum = A(0);
    int64_t e = first + thread_index().x, image = e / plane, place = e - image * plane;
    int64_t images = kThreads / plane, places = kThreads - images * plane;
    for (; e < last; e += kThreads) {
      sum = A(sum + convert<A>(y[(image * channels + channel) * plane + place]));
      image += images, place += places;
      if (place >= plane) place -= plane, ++image;
    }
    sum = block_sum<A>(warps, sum);
    if (thread_index().x != 0) continue;
    if (parts == 1)
      bias[channel] = convert<T>(sum);
    else
      partial[task] = sum;
  }
}
template <class T>
TL_KERNEL bias_finish(const Sum<T>* partial, T* bias, int64_t channels, int64_t parts) {
  for (int64_t c = global_index(); c < channels; c += global_size()) {
    Sum<T> sum = partial[c * parts];
    for (int64_t p = 1; p < parts; ++p) sum = Sum<T>(sum + partial[c * parts + p]);
    bias[c] = convert<T>(sum);
  }
}

template <class F>
void with_index(const ConvArgs& a, F f) {
  if (is_narrow(a))
    f(Geometry<int32_t>(a));
  else
    f(Geometry<int64_t>(a));
}

template <class T, bool kBack>
void direct(const ConvArgs& a, Stream stream) {
  int64_t count = a.batch * a.groups * (kBack ? a.cin * plane_x(a) : a.cout * plane_y(a));
  with_index(a, [&]<class I>(const Geometry<I>& g) {
    launch({{blocks_for(count, kThreads)}, {kThreads}, 0, stream}, conv_direct<T, I, kBack>,
           static_cast<const T*>(kBack ? a.y : a.x), static_cast<const T*>(a.w), static_cast<const T*>(a.bias),
           static_cast<T*>(kBack ? a.x : a.y), g, count);
  });
}

template <class T>
void direct_weight(const ConvArgs& a, Stream stream) {
  int64_t count = a.groups * a.cout * a.cin * taps(a);
  with_index(a, [&]<class I>(const Geometry<I>& g) {
    launch({{blocks_for(count, 1)}, {kThreads}, 0, stream}, conv_weight_direct<T, I>, static_cast<const T*>(a.x),
           static_cast<const T*>(a.y), static_cast<T*>(a.w), g, count);
  });
}

template <class T>
void bias_gradient(const ConvArgs& a, const Launcher& l) {
  constexpr int64_t kLeast = 4096, kEnoughBlocks = 264;
  int64_t channels = a.groups * a.cout, plane = plane_y(a), count = a.batch * plane, parts = 1;
  if (channels < kEnoughBlocks && count > 2 * kLeast) {
    int64_t wanted = (kEnoughBlocks + channels - 1) / channels, most = count / kLeast;
    parts = wanted < most ? wanted : most;
  }
  int64_t length = (count + parts - 1) / parts;
  Workspace partial(l, parts > 1 ? size_t(channels * parts) * sizeof(Sum<T>) : 0);
  launch({{blocks_for(channels * parts, 1)}, {kThreads}, 0, l.stream}, bias_parts<T>, static_cast<const T*>(a.y),
         static_cast<T*>(a.bias), partial.as<Sum<T>>(), a.batch, channels, plane, parts, length);
  if (parts > 1)
    launch({{blocks_for(channels, kThreads)}, {kThreads}, 0, l.stream}, bias_finish<T>,
           static_cast<const Sum<T>*>(partial.as<Sum<T>>()), static_cast<T*>(a.bias), channels, parts);
}

template <class F>
void only_floating(Dtype t, F f) {
  check<NotImplementedError>(is_floating(t), "convolutions of ", name(t), " are not implemented for CUDA");
  with_floating(t, f);
}

// A kernel of one tap makes a product of matrices as they lie in memory, one for each image.
bool is_product(const ConvArgs& a) {
  if (a.groups != 1 || taps(a) != 1 || !is_floating(a.dtype)) return false;
  for (const auto& d : a.dim)
    if (d.stride != 1 || d.padding != 0) return false;
  return true;
}
void multiply(const ConvArgs& a, bool back) {
  GemmArgs g;
  g.dtype = a.dtype;
  g.batch = a.batch;
  g.m = back ? a.cin : a.cout, g.k = back ? a.cout : a.cin, g.n = plane_x(a);
  g.a = a.w, g.a_row = back ? 1 : a.cin, g.a_col = back ? a.cin : 1;
  g.b = back ? a.y : a.x, g.b_row = g.n, g.b_col = 1, g.b_batch = g.k * g.n;
  g.c = back ? a.x : a.y, g.c_row = g.n, g.c_col = 1, g.c_batch = g.m * g.n;
  g.d = a.bias, g.d_row = 1, g.beta = a.bias ? 1 : 0;
  matmul_kernels[int(DeviceType::CUDA)].gemm(g);
}

void forward(const ConvArgs& a) {
  Launcher l = Launcher::of(a.y);
  if (is_product(a)) return multiply(a, false);
  if (conv_tiles(a, l)) return;
  if (is_floating(a.dtype)) return with_floating(a.dtype, [&]<class T>(T) { direct<T, false>(a, l.stream); });
  switch (itemsize(a.dtype)) {
    case 1:
      return direct<uint8_t, false>(a, l.stream);
    case 2:
      return direct<uint16_t, false>(a, l.stream);
    case 4:
      return direct<uint32_t, false>(a, l.stream);
    default:
      return direct<uint64_t, false>(a, l.stream);
  }
}
void backward_input(const ConvArgs& a) {
  Launcher l = Launcher::of(a.x);
  if (is_product(a)) return multiply(a, true);
  if (conv_tiles_input(a, l)) return;
  // Whole numbers are computed without a sign, which gives the same bits.
  if (a.dtype == Dtype::Int64) return direct<uint64_t, true>(a, l.stream);
  only_floating(a.dtype, [&]<class T>(T) { direct<T, true>(a, l.stream); });
}
void backward_weight(const ConvArgs& a) {
  Launcher l = Launcher::of(a.w);
  if (conv_tiles_weight(a, l)) return;
  only_floating(a.dtype, [&]<class T>(T) { direct_weight<T>(a, l.stream); });
}
void backward_bias(const ConvArgs& a) {
  Launcher l = Launcher::of(a.bias);
  only_floating(a.dtype, [&]<class T>(T) { bias_gradient<T>(a, l); });
}

[[maybe_unused]] const bool filled = [] {
  conv_kernels[int(DeviceType::CUDA)] = {forward, backward_input, backward_weight, backward_bias};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
