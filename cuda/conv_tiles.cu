#include "conv.h"
#include "kernels/matmul.h"

// Convolutions by tiles. The weights are laid out along the depth, and a table says where its steps lie; one product
// for each residue of the strides writes the gradient of the input, so that no product meets zeros between places.

namespace tl::cuda {
namespace {

constexpr int64_t kMost = INT32_MAX / 2;

// ---- one product over places ----

// A dim of the places that one product writes, of the taps that reach them and of what they read.
struct Span {
  int64_t count, taps;
  int64_t size, step, first, tap_step;   // of what is read
  int64_t to_size, to_step, to_first;    // of what is written
  int64_t kernel, first_tap, every_tap;  // of the weights
};

int64_t gcd(int64_t a, int64_t b) { return b ? gcd(b, a % b) : a; }
int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

Span forward_span(const ConvArgs::Dim& d) {
  return {d.out, d.kernel, d.in, d.stride, -d.padding, d.dilation, d.out, 1, 0, d.kernel, 0, 1};
}
// The elements of x that are `residue` beyond a multiple of the stride, the padding counted: taps t with t * dilation =
// residue modulo the stride reach them.
Span residue_span(const ConvArgs::Dim& d, int64_t residue) {
  int64_t first = -floor_div(residue - d.padding, d.stride);
  int64_t count = floor_div(d.padding + d.in - 1 - residue, d.stride) - first + 1;
  int64_t every = d.stride / gcd(d.dilation, d.stride), tap = 0;
  while (tap < every && tap * d.dilation % d.stride != residue) ++tap;
  int64_t taps = tap < every && tap < d.kernel ? (d.kernel - tap + every - 1) / every : 0;
  return {count > 0 ? count : 0,
          taps,
          d.out,
          1,
          taps ? first + (residue - tap * d.dilation) / d.stride : 0,
          -(every * d.dilation / d.stride),
          d.in,
          d.stride,
          first * d.stride + residue - d.padding,
          d.kernel,
          tap,
          every};
}

struct Preparation {
  Extent<int32_t> taps[3], rows, pitch;
  int32_t size[3], tap_step[3], kernel[3], first_tap[3], every_tap[3];
  int32_t k, groups;
  int64_t row_step, channel_step, group_step;
};

// The weights as lines of `pitch` along the depth, and the table of the depth.
template <class T>
TL_KERNEL conv_prepare(const T* weights, T* packed, Tap* table, const Preparation p, int64_t count) {
  for (int64_t i = global_index(); i < count; i += global_size()) {
    int64_t rest = i;
    int32_t step = int32_t(rest % p.pitch.value);
    rest /= p.pitch.value;
    int32_t channel = step, t[3];
    for (int d = 2; d >= 0; --d) t[d] = p.taps[d].split(channel);
    if (i < p.k) {
      Tap tap;
      for (int d = 0; d < 3; ++d) tap.at[d] = t[d] * p.tap_step[d];
      tap.offset = ((channel * p.size[0] + tap.at[0]) * p.size[1] + tap.at[1]) * p.size[2] + tap.at[2];
      table[i] = tap;
    }
    if (!packed) continue;
    int64_t row = rest % p.rows.value, group = rest / p.rows.value, tap = 0;
    for (int d = 0; d < 3; ++d) tap = tap * p.kernel[d] + p.first_tap[d] + t[d] * p.every_tap[d];
    packed[i] = step < p.k ? weights[group * p.group_step + row * p.row_step + channel * p.channel_step + tap] : T(0.f);
  }
}

// ---- which kernel ----

template <class T, int kEach, class A, class B, class Out>
void plain(const Launcher& l, int64_t k, int64_t groups, const A& a, const B& b, const Out& out) {
  constexpr int kTile = kTileSide * kEach;
  in_parts<T>(l, out, k, groups, kTile, kTile, [&](const Tiling& tiling, const Out& to, Dim3 grid) {
    launch({grid, {kTileSide * kTileSide}, 0, l.stream}, gemm_plain<T, kEach, A, B, Out>, tiling, a, b, to);
  });
}
template <class Tile, class A, class B, class Out>
void warp_tiles(const Launcher& l, int64_t k, int64_t groups, const A& a, const B& b, const Out& out) {
  in_parts<float>(l, out, k, groups, Tile::kM, Tile::kN, [&](const Tiling& tiling, const Out& to, Dim3 grid) {
    launch({grid, {Tile::kBlock}, Tile::kShared, l.stream}, gemm_warp_tiles<Tile, A, B, Out>, tiling, a, b, to);
  });
}

template <class T, class A, class B, class Out, class Product>
void multiply(const Launcher& l, int64_t k, int64_t groups, const A& a, const B& b, const Out& out,
              const Product& product) {
  double work = double(out.m) * double(out.n) * double(k) * double(groups);
  constexpr Dtype dtype = dtype_of<T>;
  if constexpr (dtype == Dtype::Float32) {
    Choice tf32 = matmul_settings().allow_tf32 ? choose(Kernel::ConvTf32, work) : Choice::Simple;
    if (tf32 != Choice::Simple && has_tensor_cores()) return tensor_tiles(l, product, tf32);
    Choice choice = choose(Kernel::ConvFloat32, work);
    if (choice != Choice::Simple) {
      bool large = choice == Choice::Fast ? out.m > 64 && (out.m + 127) / 128 * ((out.n + 127) / 128) * groups >= 132
                                          : choice == Choice::FastLarge;
      return large ? warp_tiles<WarpTile<2, 4>>(l, k, groups, a, b, out)
                   : warp_tiles<WarpTile<1, 2>>(l, k, groups, a, b, out);
    }
  } else if constexpr (dtype != Dtype::Float64) {
    Choice choice = choose(dtype == Dtype::Float16 ? Kernel::ConvFloat16 : Kernel::ConvBFloat16, work);
    if (choice != Choice::Simple && has_tensor_cores()) return tensor_tiles(l, product, choice);
  }
  if (out.m <= 2 * kTileSide)
    plain<T, 2>(l, k, groups, a, b, out);
  else
    plain<T, 4>(l, k, groups, a, b, out);
}

// ---- products ----

// What a product over places reads and writes.
struct Sides {
  const void *from, *weights, *bias;
  void* to;
  int64_t channels, rows;  // of a group
  int64_t row_step, channel_step;
};

template <class T>
void over_places(const ConvArgs& a, const Sides& s, const Span (&span)[3], const Launcher& l) {
  int64_t plane = 1, to_plane = 1, count = 1, taps = 1;
  for (const Span& d : span) plane *= d.size, to_plane *= d.to_size, count *= d.count, taps *= d.taps;
  if (count == 0) return;
  int64_t k = s.channels * taps, kernel = a.dim[0].kernel * a.dim[1].kernel * a.dim[2].kernel;
  constexpr int64_t kChunk = 16 / int64_t(sizeof(T));
  int64_t pitch = (k + kChunk - 1) / kChunk * kChunk;
  bool as_they_are =
      s.channel_step == kernel && taps == kernel && pitch == k && reinterpret_cast<uintptr_t>(s.weights) % 16 == 0;
  int64_t packed_size = as_they_are ? 0 : a.groups * s.rows * pitch;
  Workspace memory(l, size_t(k) * sizeof(Tap) + size_t(packed_size) * sizeof(T));
  Tap* table = memory.as<Tap>();
  T* packed = packed_size ? reinterpret_cast<T*>(table + k) : nullptr;
  if (k) {
    Preparation p;
    p.rows = Extent<int32_t>(s.rows), p.pitch = Extent<int32_t>(pitch);
    for (int d = 0; d < 3; ++d) {
      p.taps[d] = Extent<int32_t>(span[d].taps);
      p.size[d] = int32_t(span[d].size), p.tap_step[d] = int32_t(span[d].tap_step);
      p.kernel[d] = int32_t(span[d].kernel);
      p.first_tap[d] = int32_t(span[d].first_tap), p.every_tap[d] = int32_t(span[d].every_tap);
    }
    p.k = int32_t(k), p.groups = int32_t(a.groups);
    p.row_step = s.row_step, p.channel_step = s.channel_step, p.group_step = a.cout * a.cin * kernel;
    int64_t work = packed ? packed_size : k;
    launch({{blocks_for(work, kThreads)}, {kThreads}, 0, l.stream}, conv_prepare<T>, static_cast<const T*>(s.weights),
           packed, table, p, work);
  }
  PlacesProduct<T> product;
  product.k = k, product.groups = a.groups;
  product.weights = {packed ? packed : static_cast<const T*>(s.weights), s.rows, pitch, 1, s.rows * pitch};
  Patches<T>& patches = product.patches;
  Images<T>& out = product.out;
  patches.data = static_cast<const T*>(s.from), patches.taps = table, patches.lines = int32_t(a.batch * count);
  patches.w.group_step = s.channels * plane, patches.w.image_step = a.groups * s.channels * plane;
  out.m = s.rows, out.n = a.batch * count;
  out.data = static_cast<T*>(s.to), out.bias = static_cast<const T*>(s.bias);
  out.places = Extent<int32_t>(count), out.plane = to_plane;
  out.group_step = s.rows * to_plane, out.image_step = a.groups * s.rows * to_plane;
  out.dense = true, out.parts = nullptr;
  for (int d = 0; d < 3; ++d) {
    const Span& q = span[d];
    patches.w.count[d] = out.count[d] = Extent<int32_t>(q.count);
    patches.w.size[d] = int32_t(q.size), patches.w.step[d] = int32_t(q.step), patches.w.first[d] = int32_t(q.first);
    out.size[d] = int32_t(q.to_size), out.step[d] = int32_t(q.to_step), out.first[d] = int32_t(q.to_first);
    out.dense = out.dense && q.to_step == 1 && q.to_first == 0 && q.count == q.to_size;
  }
  multiply<T>(l, k, a.groups, product.weights, patches, out, product);
}

template <class T>
void over_taps(const ConvArgs& a, const Launcher& l) {
  int64_t plane_x = 1, plane_y = 1, taps = 1;
  for (const auto& d : a.dim) plane_x *= d.in, plane_y *= d.out, taps *= d.kernel;
  WeightProduct<T> p;
  p.k = a.batch * plane_y, p.groups = a.groups;
  p.gradients = {static_cast<const T*>(a.y), Extent<int32_t>(plane_y), int32_t(a.cout), a.groups * a.cout * plane_y,
                 a.cout * plane_y};
  p.taps.data = static_cast<const T*>(a.x), p.taps.lines = int32_t(a.cin * taps);
  p.taps.w.image_step = a.groups * a.cin * plane_x, p.taps.w.group_step = a.cin * plane_x;
  for (int d = 0; d < 3; ++d) {
    const auto& q = a.dim[d];
    p.taps.w.count[d] = Extent<int32_t>(q.out), p.taps.taps[d] = Extent<int32_t>(q.kernel);
    p.taps.w.size[d] = int32_t(q.in), p.taps.w.step[d] = int32_t(q.stride), p.taps.w.first[d] = int32_t(-q.padding);
    p.taps.tap_step[d] = int32_t(q.dilation);
  }
  int64_t columns = a.cin * taps;
  p.out = Output<T>{};
  p.out.m = a.cout, p.out.n = columns;
  p.out.c = static_cast<T*>(a.w), p.out.c_row = columns, p.out.c_column = 1, p.out.c_batch = a.cout * columns;
  p.out.alpha = Sum<T>(1);
  multiply<T>(l, p.k, a.groups, p.gradients, p.taps, p.out, p);
}

// Whether what kernels compute with has 31 bits, and the products are large enough for tiles.
bool fits(const ConvArgs& a, int64_t rows, int64_t columns, int64_t k) {
  if (rows < 8 || columns < 8 || k < 8 || a.groups > 65535 || columns > kMost || k > kMost) return false;
  int64_t plane_x = 1, plane_y = 1, taps = 1;
  for (const auto& d : a.dim) {
    if (d.in + 2 * d.padding > kMost || d.kernel * d.dilation > kMost || d.out * d.stride > kMost) return false;
    plane_x *= d.in, plane_y *= d.out, taps *= d.kernel;
  }
  return a.cin * plane_x <= kMost && a.cout * plane_y <= kMost && a.groups * (a.cout + 8) * (a.cin * taps + 8) <= kMost;
}
template <class F>
bool when_floating(Dtype t, F f) {
  if (is_floating(t)) with_floating(t, f);
  return is_floating(t);
}
int64_t product(const ConvArgs& a, int64_t ConvArgs::Dim::* size) {
  return a.dim[0].*size * (a.dim[1].*size) * (a.dim[2].*size);
}

}  // namespace

bool conv_tiles(const ConvArgs& a, const Launcher& l) {
  int64_t taps = product(a, &ConvArgs::Dim::kernel);
  if (!fits(a, a.cout, a.batch * product(a, &ConvArgs::Dim::out), a.cin * taps)) return false;
  const Span span[3] = {forward_span(a.dim[0]), forward_span(a.dim[1]), forward_span(a.dim[2])};
  const Sides s{a.x, a.w, a.bias, a.y, a.cin, a.cout, a.cin * taps, taps};
  return when_floating(a.dtype, [&]<class T>(T) { over_places<T>(a, s, span, l); });
}

bool conv_tiles_input(const ConvArgs& a, const Launcher& l) {
  constexpr int64_t kResidues = 16;
  int64_t taps = product(a, &ConvArgs::Dim::kernel);
  if (product(a, &ConvArgs::Dim::stride) > kResidues) return false;
  if (!fits(a, a.cin, a.batch * product(a, &ConvArgs::Dim::in), a.cout * taps)) return false;
  const Sides s{a.y, a.w, a.bias, a.x, a.cout, a.cin, taps, a.cin * taps};
  return when_floating(a.dtype, [&]<class T>(T) {
    for (int64_t i = 0; i < a.dim[0].stride; ++i)
      for (int64_t j = 0; j < a.dim[1].stride; ++j)
        for (int64_t k = 0; k < a.dim[2].stride; ++k) {
          const Span span[3] = {residue_span(a.dim[0], i), residue_span(a.dim[1], j), residue_span(a.dim[2], k)};
          over_places<T>(a, s, span, l);
        }
  });
}

bool conv_tiles_weight(const ConvArgs& a, const Launcher& l) {
  int64_t taps = product(a, &ConvArgs::Dim::kernel);
  if (!fits(a, a.cout, a.cin * taps, a.batch * product(a, &ConvArgs::Dim::out))) return false;
  return when_floating(a.dtype, [&]<class T>(T) { over_taps<T>(a, l); });
}

}  // namespace tl::cuda
