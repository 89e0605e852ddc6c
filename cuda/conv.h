#pragma once

#include "gemm_tiles.h"
#include "kernels/conv.h"
#include "runtime/selection.h"
#include "runtime/workspace.h"

// Convolutions as products of matrices that are never written down (gemm_tiles.h): the rows are channels of the result,
// the columns its places in all images, the depth runs over channels and taps of what is read. In the gradient of the
// weights the columns are the taps and the depth runs over the places. Groups are the batch of the products.

namespace tl::cuda {

// A step of the depth: a channel and a tap, as a way from the element that the first tap of the first channel reads.
struct alignas(16) Tap {
  int32_t offset, at[3];
};

// The elements that places read: element at(q, t) = q * step + first + t * tap_step in each dim of an image.
struct Window {
  Extent<int32_t> count[3];  // places
  int32_t size[3], step[3], first[3];
  int64_t image_step, group_step;  // in memory

  TL_DEVICE bool has(int32_t a, int32_t b, int32_t c) const {
    return uint32_t(a) < uint32_t(size[0]) && uint32_t(b) < uint32_t(size[1]) && uint32_t(c) < uint32_t(size[2]);
  }
  TL_DEVICE int32_t offset(int32_t a, int32_t b, int32_t c) const { return (a * size[1] + b) * size[2] + c; }
};

// Lines are places, the depth is taps.
template <class T>
struct Patches {
  using Element = T;
  static constexpr Order kOrder = Order::Any;
  struct Line {
    const T* p;
    int32_t at[3];
  };
  const T* data;
  const Tap* taps;
  Window w;
  int32_t lines;

  TL_HOST_DEVICE bool depth_first() const { return false; }
  TL_DEVICE Line line(int64_t group, int64_t index) const {
    if (index >= lines) return {data, {INT32_MIN / 2, 0, 0}};
    int32_t rest = int32_t(index);
    int32_t c = w.count[2].split(rest) * w.step[2] + w.first[2];
    int32_t b = w.count[1].split(rest) * w.step[1] + w.first[1];
    int32_t a = w.count[0].split(rest) * w.step[0] + w.first[0];
    return {data + group * w.group_step + rest * w.image_step + w.offset(a, b, c), {a, b, c}};
  }
  TL_DEVICE const T* at(const Line& l, int64_t depth) const {
    const Tap t = taps[depth];
    return w.has(l.at[0] + t.at[0], l.at[1] + t.at[1], l.at[2] + t.at[2]) ? l.p + t.offset : nullptr;
  }
};

// Lines are taps, the depth is places.
template <class T>
struct TapsOfPlaces {
  using Element = T;
  static constexpr Order kOrder = Order::Any;
  struct Line {
    const T* p;
    int32_t at[3];
  };
  const T* data;
  Window w;
  Extent<int32_t> taps[3];
  int32_t tap_step[3];
  int32_t lines;

  TL_HOST_DEVICE bool depth_first() const { return true; }
  TL_DEVICE Line line(int64_t group, int64_t index) const {
    if (index >= lines) return {data, {INT32_MIN / 2, 0, 0}};
    int32_t rest = int32_t(index);
    int32_t c = taps[2].split(rest) * tap_step[2] + w.first[2];
    int32_t b = taps[1].split(rest) * tap_step[1] + w.first[1];
    int32_t a = taps[0].split(rest) * tap_step[0] + w.first[0];
    int64_t plane = int64_t(w.size[0]) * w.size[1] * w.size[2];
    return {data + group * w.group_step + rest * plane, {a, b, c}};
  }
  TL_DEVICE const T* at(const Line& l, int64_t depth) const {
    int32_t rest = int32_t(depth);
    int32_t c = w.count[2].split(rest) * w.step[2] + l.at[2];
    int32_t b = w.count[1].split(rest) * w.step[1] + l.at[1];
    int32_t a = w.count[0].split(rest) * w.step[0] + l.at[0];
    return w.has(a, b, c) ? l.p + rest * w.image_step + w.offset(a, b, c) : nullptr;
  }
};

// Lines are channels, the depth is places of all images.
template <class T>
struct Channels {
  using Element = T;
  static constexpr Order kOrder = Order::Any;
  struct Line {
    const T* p;
  };
  const T* data;
  Extent<int32_t> plane;
  int32_t lines;
  int64_t image_step, group_step;

  TL_HOST_DEVICE bool depth_first() const { return true; }
  TL_DEVICE Line line(int64_t group, int64_t index) const {
    return {index < lines ? data + group * group_step + index * plane.value : nullptr};
  }
  TL_DEVICE const T* at(const Line& l, int64_t depth) const {
    if (!l.p) return nullptr;
    int32_t image = int32_t(depth), place = plane.split(image);
    return l.p + image * image_step + place;
  }
};

// Sums become elements of images: in each dim place q is element q * step + first.
template <class T>
struct Images {
  int64_t m, n;
  T* data;
  const T* bias;  // null: none
  Extent<int32_t> count[3], places;
  int32_t size[3], step[3], first[3];
  int64_t image_step, group_step, plane;
  bool dense;  // places are the elements in order
  Sum<T>* parts;

  TL_DEVICE void put(T* to, int64_t column, Sum<T> v) const {
    int32_t rest = int32_t(column);
    int32_t c = count[2].split(rest) * step[2] + first[2];
    int32_t b = count[1].split(rest) * step[1] + first[1];
    int32_t a = count[0].split(rest) * step[0] + first[0];
    to[rest * image_step + (int64_t(a) * size[1] + b) * size[2] + c] = convert<T>(v);
  }
  template <int neighbours>
  TL_DEVICE void store(int64_t part, int64_t group, int64_t row, int64_t column, const Sum<T> (&v)[neighbours]) const {
    if (row >= m) return;
    if (parts) {
      Sum<T>* to = parts + (part * m + row) * n;
      for (int j = 0; j < neighbours; ++j)
        if (column + j < n) to[column + j] = v[j];
      return;
    }
    const Sum<T> add = bias ? convert<Sum<T>>(bias[group * m + row]) : Sum<T>(0);
    T* to = data + group * group_step + row * plane;
    if (dense && neighbours > 1) {
      int32_t image = int32_t(column), place = places.split(image);
      T* at = to + image * image_step + place;
      if (column + neighbours <= n && place + neighbours <= places.value) {
        Pack<T, neighbours> packed;
        for (int j = 0; j < neighbours; ++j) packed.v[j] = convert<T>(Sum<T>(v[j] + add));
        if (reinterpret_cast<uintptr_t>(at) % sizeof(packed) == 0)
          store_whole(at, packed);
        else
          for (int j = 0; j < neighbours; ++j) at[j] = packed.v[j];
        return;
      }
    }
    for (int j = 0; j < neighbours; ++j)
      if (column + j < n) put(to, column + j, Sum<T>(v[j] + add));
  }
};

// Adds the parts of a divided depth in their order.
template <class T, class Out>
TL_KERNEL conv_add_parts(const Out out, int64_t parts, int64_t groups) {
  int64_t results = out.m * out.n;
  Out whole = out;
  whole.parts = nullptr;
  for (int64_t i = global_index(); i < groups * results; i += global_size()) {
    int64_t group = i / results, at = i - group * results;
    const Sum<T>* from = out.parts + group * parts * results + at;
    Sum<T> sum = from[0];
    for (int64_t p = 1; p < parts; ++p) sum = Sum<T>(sum + from[p * results]);
    const Sum<T> v[1] = {sum};
    whole.template store<1>(0, group, at / out.n, at % out.n, v);
  }
}

// Parts of the depth, so that few tiles fill a device too: by shape alone, for the same bits everywhere.
struct Division {
  int64_t parts = 1, depth = 0;
  Division(int64_t tiles, int64_t k, int64_t groups) : depth(k) {
    constexpr int64_t kBusy = 2 * 132, kLeast = 512, kMost = 256;
    if (tiles * 2 > kBusy || k < 2 * kLeast) return;
    int64_t count = kBusy / tiles;
    if (count > k / kLeast) count = k / kLeast;
    if (count > kMost) count = kMost;
    if (count > 65535 / groups) count = 65535 / groups;
    if (count < 2) return;
    depth = ((k + count - 1) / count + 63) / 64 * 64;
    parts = (k + depth - 1) / depth;
  }
};

// Calls run(tiling, output, parts of z), and adds the parts.
template <class T, class Out, class Run>
void in_parts(const Launcher& l, Out out, int64_t k, int64_t groups, int tile_m, int tile_n, Run run) {
  int64_t tiles = (out.m + tile_m - 1) / tile_m * ((out.n + tile_n - 1) / tile_n) * groups;
  Division d(tiles, k, groups);
  Workspace sums(l, d.parts > 1 ? size_t(groups * d.parts * out.m * out.n) * sizeof(Sum<T>) : 0);
  out.parts = sums.as<Sum<T>>();
  Tiling tiling(out.m, out.n, k, tile_m, tile_n, d.parts, d.depth);
  run(tiling, out, tiling.grid(groups));
  if (out.parts)
    launch({{blocks_for(groups * out.m * out.n, kThreads)}, {kThreads}, 0, l.stream}, conv_add_parts<T, Out>, out,
           d.parts, groups);
}

// The products. Other files: by tensor cores.
template <class T>
struct PlacesProduct {
  int64_t k, groups;
  Matrix<T, Order::Along> weights;
  Patches<T> patches;
  Images<T> out;
};
template <class T>
struct WeightProduct {
  int64_t k, groups;
  Channels<T> gradients;
  TapsOfPlaces<T> taps;
  Output<T> out;
};
void tensor_tiles(const Launcher& l, const PlacesProduct<float>& p, Choice choice);
void tensor_tiles(const Launcher& l, const PlacesProduct<Half>& p, Choice choice);
void tensor_tiles(const Launcher& l, const PlacesProduct<BFloat16>& p, Choice choice);
void tensor_tiles(const Launcher& l, const WeightProduct<float>& p, Choice choice);
void tensor_tiles(const Launcher& l, const WeightProduct<Half>& p, Choice choice);
void tensor_tiles(const Launcher& l, const WeightProduct<BFloat16>& p, Choice choice);

// Convolutions by tiles; false where the shape is none for them.
bool conv_tiles(const ConvArgs& a, const Launcher& l);         // writes y
bool conv_tiles_input(const ConvArgs& a, const Launcher& l);   // writes x
bool conv_tiles_weight(const ConvArgs& a, const Launcher& l);  // writes w

}  // namespace tl::cuda
