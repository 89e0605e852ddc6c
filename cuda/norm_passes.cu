#include "norm_passes.h"

namespace tl::cuda {
namespace {

constexpr int kBatch = 4;          // packs that a thread has under way
constexpr int64_t kBlocks = 528;   // that keep a large device busy
constexpr int64_t kMostY = 65535;  // blocks along y of a grid

template <class A>
TL_DEVICE Moments<A> join(Moments<A> a, Moments<A> b) {  // Chan, Golub and LeVeque (1979)
  if (a.n == A(0)) return b;
  if (b.n == A(0)) return a;
  A n = a.n + b.n, delta = b.mean - a.mean, part = b.n / n;
  return {n, a.mean + delta * part, a.squares + b.squares + delta * delta * a.n * part};
}

// A block takes a part of a channel's packs, which are counted through the batch.
struct PlaneRange {
  int64_t channels, inner, packs, per_part;  // packs of a channel
  Divide in_row;
  bool wide, single;

  template <class T>
  static PlaneRange of(const Planes& p, int64_t parts, const T* a, const T* b) {
    int64_t row = (p.inner + kPack<T> - 1) / kPack<T>, packs = row * p.batch;
    bool wide = p.inner % kPack<T> == 0 && is_aligned(a) && is_aligned(b);
    return {p.channels, p.inner, packs, (packs + parts - 1) / parts, Divide(row, packs), wide, p.batch == 1};
  }
  // Where pack `i` of channel c lies: its row, and the element within.
  TL_DEVICE void at(int64_t i, int64_t c, int P, int64_t& row, int64_t& inside) const {
    int64_t n = single ? 0 : in_row(i);
    row = (n * channels + c) * inner;
    inside = (i - n * in_row.value) * P;
  }
};

template <class T>
TL_KERNEL_OF(kThreads, 1)
plane_moments(const T* x, const PlaneRange r, int64_t parts, Moments<Sum<T>>* result) {
  using A = Sum<T>;
  constexpr int P = kPack<T>;
  TL_SHARED(Moments<A>, warps, kThreads / kWarp);
  int t = int(thread_index().x);
  int64_t c = block_index().x / parts, part = block_index().x % parts;
  int64_t begin = part * r.per_part, end = begin + r.per_part < r.packs ? begin + r.per_part : r.packs;
  Moments<A> total{A(0), A(0), A(0)};
  for (int64_t i = begin + t; i < end; i += kThreads * kBatch) {
    PackRead<T> v[kBatch];
    int count[kBatch], n = 0;
    TL_UNROLL
    for (int k = 0; k < kBatch; ++k) {
      int64_t j = i + k * kThreads, row = 0, inside = r.inner;
      if (j < end) r.at(j, c, P, row, inside);
      v[k] = load_pack(x + row, inside, r.inner, r.wide);
      count[k] = r.inner - inside < P ? int(r.inner - inside) : P;
      n += count[k];
    }
    A sum = 0, squares = 0;
    TL_UNROLL
    for (int k = 0; k < kBatch; ++k) TL_UNROLL
    for (int e = 0; e < P; ++e) sum += convert<A>(v[k][e]);  // zeros beyond the end
    A mean = sum / A(n);
    TL_UNROLL
    for (int k = 0; k < kBatch; ++k) TL_UNROLL
    for (int e = 0; e < P; ++e) {
      A d = convert<A>(v[k][e]) - mean;
      if (e < count[k]) squares += d * d;
    }
    total = join(total, Moments<A>{A(n), mean, squares});
  }
  for (int bits = kWarp / 2; bits; bits /= 2) {
    Moments<A> other{shuffle_xor(total.n, bits), shuffle_xor(total.mean, bits), shuffle_xor(total.squares, bits)};
    total = join(total, other);
  }
  if (t % kWarp == 0) warps[t / kWarp] = total;
  sync_block();
  if (t != 0) return;
  for (int w = 1; w < kThreads / kWarp; ++w) total = join<A>(total, warps[w]);
  result[block_index().x] = total;
}

template <class T>
TL_KERNEL_OF(kThreads, 1)
plane_grad_sums(const T* g, const T* x, const Sum<T>* means, const Divide per_mean, const Sum<T>* weight,
                bool wide_weight, const PlaneRange r, int64_t parts, GradSums<Sum<T>>* result) {
  using A = Sum<T>;
  constexpr int P = kPack<T>, kHere = kBatch / 2;
  TL_SHARED(A, sums, kThreads / kWarp);
  TL_SHARED(A, dots, kThreads / kWarp);
  int t = int(thread_index().x);
  int64_t c = block_index().x / parts, part = block_index().x % parts;
  int64_t begin = part * r.per_part, end = begin + r.per_part < r.packs ? begin + r.per_part : r.packs;
  A mean = means[per_mean(c)], sum = 0, dot = 0;
  for (int64_t i = begin + t; i < end; i += kThreads * kHere) {
    PackRead<T> gs[kHere], xs[kHere];
    int64_t insides[kHere];
    TL_UNROLL
    for (int k = 0; k < kHere; ++k) {
      int64_t j = i + k * kThreads, row = 0;
      insides[k] = r.inner;
      if (j < end) r.at(j, c, P, row, insides[k]);
      gs[k] = load_pack(g + row, insides[k], r.inner, r.wide);
      xs[k] = load_pack(x + row, insides[k], r.inner, r.wide);
    }
    TL_UNROLL
    for (int k = 0; k < kHere; ++k) {
      A w[P];
      if (weight) load_some(w, weight, insides[k], r.inner, wide_weight);
      TL_UNROLL
      for (int e = 0; e < P; ++e) {
        A v = convert<A>(gs[k][e]);  // zero beyond the end
        if (weight) v *= w[e];
        sum += v;
        dot += v * (convert<A>(xs[k][e]) - mean);
      }
    }
  }
  sum = warp_sum(sum), dot = warp_sum(dot);
  if (t % kWarp == 0) sums[t / kWarp] = sum, dots[t / kWarp] = dot;
  sync_block();
  if (t != 0) return;
  for (int w = 1; w < kThreads / kWarp; ++w) sum += sums[w], dot += dots[w];
  result[block_index().x] = {sum, dot};
}

// ---- columns: a thread keeps a pack of columns and steps through rows ----

struct ColumnTile {
  int lanes;  // packs side by side, a power of two up to a warp
  int64_t tiles, parts, per_part;

  template <class T>
  static ColumnTile of(const Columns& c) {
    int64_t packs = (c.columns + kPack<T> - 1) / kPack<T>;
    int lanes = 1;
    while (lanes < kWarp && lanes < packs) lanes *= 2;
    ColumnTile t{lanes, (packs + lanes - 1) / lanes, 1, c.rows};
    // At least eight steps for a thread, if there are blocks enough.
    int64_t deep = kThreads / lanes * 8, most = (c.rows + deep - 1) / deep, wanted = (kBlocks + t.tiles - 1) / t.tiles;
    t.parts = wanted < most ? wanted : most;
    if (t.parts < 1) t.parts = 1;
    t.per_part = (c.rows + t.parts - 1) / t.parts;
    return t;
  }
  Dim3 grid() const { return {uint32_t(tiles), uint32_t(parts)}; }
};

template <class T>
TL_KERNEL_OF(kThreads, 1)
column_moments(const T* x, const Columns c, const ColumnTile tile, bool wide, Moments<Sum<T>>* result) {
  using A = Sum<T>;
  constexpr int P = kPack<T>;
  TL_SHARED(A, means, kThreads * P);
  TL_SHARED(A, squares, kThreads * P);
  int t = int(thread_index().x), lane = t & (tile.lanes - 1), y = t / tile.lanes, depth = kThreads / tile.lanes;
  int64_t col = (block_index().x * int64_t(tile.lanes) + lane) * P, part = block_index().y;
  int64_t begin = part * tile.per_part, end = begin + tile.per_part < c.rows ? begin + tile.per_part : c.rows;
  A mean[P] = {}, sq[P] = {}, n = 0;
  for (int64_t r = begin + y; r < end; r += depth * kBatch) {
    PackRead<T> v[kBatch];
    TL_UNROLL
    for (int k = 0; k < kBatch; ++k) {
      int64_t row = r + k * depth;
      v[k] = load_pack(x + row * c.columns, col, row < end ? c.columns : 0, wide);
    }
    TL_UNROLL
    for (int k = 0; k < kBatch; ++k) {
      if (r + k * depth >= end) break;
      n += A(1);
      A part_of_n = A(1) / n;  // Welford (1962)
      TL_UNROLL
      for (int e = 0; e < P; ++e) {
        A value = convert<A>(v[k][e]), d = value - mean[e];
        mean[e] += d * part_of_n;
        sq[e] += d * (value - mean[e]);
      }
    }
  }
  TL_UNROLL
  for (int e = 0; e < P; ++e) means[t * P + e] = mean[e], squares[t * P + e] = sq[e];
  sync_block();
  // The threads of the first depths each take columns, and go down them.
  for (int e = t; e < tile.lanes * P; e += kThreads) {
    int64_t at = block_index().x * int64_t(tile.lanes) * P + e;
    if (at >= c.columns) continue;
    Moments<A> total{A(0), A(0), A(0)};
    for (int d = 0; d < depth; ++d) {
      int64_t rows = end - begin - d;
      if (rows <= 0) break;
      A own_mean = means[d * tile.lanes * P + e], own_squares = squares[d * tile.lanes * P + e];
      total = join(total, Moments<A>{A((rows + depth - 1) / depth), own_mean, own_squares});
    }
    result[at * tile.parts + part] = total;
  }
}

template <class T>
TL_KERNEL_OF(kThreads, 1)
column_grad_sums(const T* g, const T* x, const Sum<T>* means, const Sum<T>* row_rstd, const Columns c,
                 const ColumnTile tile, bool wide, bool wide_means, GradSums<Sum<T>>* result) {
  using A = Sum<T>;
  constexpr int P = kPack<T>, kHere = kBatch / 2;
  TL_SHARED(A, sums, kThreads * P);
  TL_SHARED(A, dots, kThreads * P);
  int t = int(thread_index().x), lane = t & (tile.lanes - 1), y = t / tile.lanes, depth = kThreads / tile.lanes;
  int64_t col = (block_index().x * int64_t(tile.lanes) + lane) * P, part = block_index().y;
  int64_t begin = part * tile.per_part, end = begin + tile.per_part < c.rows ? begin + tile.per_part : c.rows;
  A mean[P] = {}, sum[P] = {}, dot[P] = {};
  if (!row_rstd) load_some(mean, means, col, c.columns, wide_means);
  for (int64_t r = begin + y; r < end; r += depth * kHere) {
    PackRead<T> gs[kHere], xs[kHere];
    TL_UNROLL
    for (int k = 0; k < kHere; ++k) {
      int64_t row = r + k * depth, n = row < end ? c.columns : 0;
      gs[k] = load_pack(g + row * c.columns, col, n, wide);
      xs[k] = load_pack(x + row * c.columns, col, n, wide);
    }
    TL_UNROLL
    for (int k = 0; k < kHere; ++k) {
      int64_t row = r + k * depth;
      if (row >= end) break;
      A row_mean = 0, by = 1;
      if (row_rstd) row_mean = means[row], by = row_rstd[row];
      TL_UNROLL
      for (int e = 0; e < P; ++e) {
        A v = convert<A>(gs[k][e]);
        sum[e] += v;
        dot[e] += v * ((convert<A>(xs[k][e]) - mean[e] - row_mean) * by);
      }
    }
  }
  TL_UNROLL
  for (int e = 0; e < P; ++e) sums[t * P + e] = sum[e], dots[t * P + e] = dot[e];
  sync_block();
  for (int e = t; e < tile.lanes * P; e += kThreads) {
    int64_t at = block_index().x * int64_t(tile.lanes) * P + e;
    if (at >= c.columns) continue;
    A s = 0, d = 0;
    for (int k = 0; k < depth; ++k) s += sums[k * tile.lanes * P + e], d += dots[k * tile.lanes * P + e];
    result[at * tile.parts + part] = {s, d};
  }
}

// ---- what is written ----

// Elements of planes in one row: the plane, the channel and the statistics of each.
struct PlaneWalk {
  int64_t elements, channels, inner;
  Divide by_inner, by_channels, by_stat;
  bool own_stats;

  PlaneWalk(const Planes& p, int64_t channels_per_stat)
      : elements(p.batch * p.channels * p.inner),
        channels(p.channels),
        inner(p.inner),
        by_inner(p.inner, elements),
        by_channels(p.channels, elements),
        by_stat(channels_per_stat ? channels_per_stat : 1, elements),
        own_stats(channels_per_stat == 0) {}
  TL_DEVICE void of_plane(int64_t plane, int64_t& channel, int64_t& stat) const {
    channel = plane - by_channels(plane) * channels;
    stat = own_stats ? channel : by_stat(plane);
  }
};

template <class T>
TL_KERNEL_OF(kThreads, 1)
scale_planes(const T* x, T* y, const Scaling<Sum<T>> s, const PlaneWalk w, bool wide) {
  using A = Sum<T>;
  constexpr int P = kPack<T>;
  int64_t packs = (w.elements + P - 1) / P;
  for (int64_t i = global_index(); i < packs; i += global_size()) {
    int64_t first = i * P, plane = w.by_inner(first), left = (plane + 1) * w.inner - first;
    bool inside = wide && first + P <= w.elements;
    PackRead<T> v = load_pack(x, first, w.elements, inside);
    Pack<T, P> out;
    A mean, by, shift;
    auto take = [&] {
      int64_t channel, stat;
      w.of_plane(plane, channel, stat);
      mean = s.mean[stat], by = s.rstd[stat] * (s.weight ? s.weight[channel] : A(1));
      shift = s.bias ? s.bias[channel] : A(0);
    };
    take();
    TL_UNROLL
    for (int e = 0; e < P; ++e) {
      if (left == 0 && first + e < w.elements) {
        ++plane, left = w.inner;
        take();
      }
      --left;
      out.v[e] = convert<T>((convert<A>(v[e]) - mean) * by + shift);
    }
    store_pack(y, first, w.elements, inside, out);
  }
}

template <class T>
TL_KERNEL_OF(kThreads, 1)
scale_grad_planes(const T* g, const T* x, T* d, const GradScaling<Sum<T>> s, const PlaneWalk w, bool wide) {
  using A = Sum<T>;
  constexpr int P = kPack<T>;
  int64_t packs = (w.elements + P - 1) / P;
  for (int64_t i = global_index(); i < packs; i += global_size()) {
    int64_t first = i * P, plane = w.by_inner(first), left = (plane + 1) * w.inner - first;
    bool inside = wide && first + P <= w.elements;
    PackRead<T> gs = load_pack(g, first, w.elements, inside), xs = load_pack(x, first, w.elements, inside);
    Pack<T, P> out;
    A mean, before, shift, slope, after;
    auto take = [&] {
      int64_t channel, stat;
      w.of_plane(plane, channel, stat);
      A weight = s.weight ? s.weight[channel] : A(1), rstd = s.rstd[stat];
      mean = s.mean[stat], shift = s.shift[stat], slope = s.slope[stat];
      before = w.own_stats ? A(1) : weight, after = w.own_stats ? rstd * weight : rstd;
    };
    take();
    TL_UNROLL
    for (int e = 0; e < P; ++e) {
      if (left == 0 && first + e < w.elements) {
        ++plane, left = w.inner;
        take();
      }
      --left;
      A v = convert<A>(gs[e]) * before - shift - (convert<A>(xs[e]) - mean) * slope;
      out.v[e] = convert<T>(v * after);
    }
    store_pack(d, first, w.elements, inside, out);
  }
}

template <class T>
TL_KERNEL_OF(kThreads, 1)
scale_columns(const T* x, T* y, const Scaling<Sum<T>> s, const Columns c, const ColumnTile tile, bool per_row,
              bool wide, bool wide_parameters) {
  using A = Sum<T>;
  constexpr int P = kPack<T>;
  int t = int(thread_index().x), lane = t & (tile.lanes - 1), depth = kThreads / tile.lanes;
  int64_t col = (block_index().x * int64_t(tile.lanes) + lane) * P, step = int64_t(grid_size().y) * depth;
  A mean[P] = {}, by[P], shift[P] = {};
  TL_UNROLL
  for (int e = 0; e < P; ++e) by[e] = A(1);
  if (s.weight) load_some(by, s.weight, col, c.columns, wide_parameters);
  if (s.bias) load_some(shift, s.bias, col, c.columns, wide_parameters);
  if (!per_row) {
    A rstd[P];
    load_some(mean, s.mean, col, c.columns, wide_parameters);
    load_some(rstd, s.rstd, col, c.columns, wide_parameters);
    TL_UNROLL
    for (int e = 0; e < P; ++e) by[e] *= rstd[e];
  }
  for (int64_t r = int64_t(block_index().y) * depth + t / tile.lanes; r < c.rows; r += step) {
    PackRead<T> v = load_pack(x + r * c.columns, col, c.columns, wide);
    Pack<T, P> out;
    A row_mean = per_row ? s.mean[r] : A(0), row_rstd = per_row ? s.rstd[r] : A(1);
    TL_UNROLL
    for (int e = 0; e < P; ++e)
      out.v[e] = convert<T>((convert<A>(v[e]) - mean[e] - row_mean) * row_rstd * by[e] + shift[e]);
    store_pack(y + r * c.columns, col, c.columns, wide, out);
  }
}

template <class T>
TL_KERNEL_OF(kThreads, 1)
scale_grad_columns(const T* g, const T* x, T* d, const GradScaling<Sum<T>> s, const Columns c, const ColumnTile tile,
                   bool per_row, bool wide, bool wide_parameters) {
  using A = Sum<T>;
  constexpr int P = kPack<T>;
  int t = int(thread_index().x), lane = t & (tile.lanes - 1), depth = kThreads / tile.lanes;
  int64_t col = (block_index().x * int64_t(tile.lanes) + lane) * P, step = int64_t(grid_size().y) * depth;
  A mean[P] = {}, weight[P], shift[P] = {}, slope[P] = {};
  TL_UNROLL
  for (int e = 0; e < P; ++e) weight[e] = A(1);
  if (s.weight) load_some(weight, s.weight, col, c.columns, wide_parameters);
  if (!per_row) {
    A rstd[P];
    load_some(mean, s.mean, col, c.columns, wide_parameters);
    load_some(rstd, s.rstd, col, c.columns, wide_parameters);
    load_some(shift, s.shift, col, c.columns, wide_parameters);
    load_some(slope, s.slope, col, c.columns, wide_parameters);
    TL_UNROLL
    for (int e = 0; e < P; ++e) weight[e] *= rstd[e];
  }
  for (int64_t r = int64_t(block_index().y) * depth + t / tile.lanes; r < c.rows; r += step) {
    PackRead<T> gs = load_pack(g + r * c.columns, col, c.columns, wide);
    PackRead<T> xs = load_pack(x + r * c.columns, col, c.columns, wide);
    Pack<T, P> out;
    if (per_row) {
      A row_mean = s.mean[r], row_shift = s.shift[r], row_slope = s.slope[r], row_rstd = s.rstd[r];
      TL_UNROLL
      for (int e = 0; e < P; ++e) {
        A v = convert<A>(gs[e]) * weight[e] - row_shift - (convert<A>(xs[e]) - row_mean) * row_slope;
        out.v[e] = convert<T>(v * row_rstd);
      }
    } else {
      TL_UNROLL
      for (int e = 0; e < P; ++e) {
        A v = convert<A>(gs[e]) - shift[e] - (convert<A>(xs[e]) - mean[e]) * slope[e];
        out.v[e] = convert<T>(v * weight[e]);
      }
    }
    store_pack(d + r * c.columns, col, c.columns, wide, out);
  }
}

// Blocks for columns that are written: as many rows of blocks as keep the device busy.
Dim3 writing_grid(const ColumnTile& t, const Columns& c) {
  int64_t depth = kThreads / t.lanes, most = (c.rows + depth - 1) / depth,
          wanted = (4 * kBlocks + t.tiles - 1) / t.tiles;
  int64_t y = most < wanted ? most : wanted;
  return {uint32_t(t.tiles), uint32_t(y < 1 ? 1 : y > kMostY ? kMostY : y)};
}

}  // namespace

int64_t parts_of(const Planes& p, int64_t pack) {
  int64_t packs = p.batch * ((p.inner + pack - 1) / pack), most = packs / (2 * kThreads * kBatch);
  int64_t wanted = p.channels ? (kBlocks + p.channels - 1) / p.channels : 1;
  int64_t parts = wanted < most ? wanted : most;
  if (parts <= 1) return 1;
  int64_t each = (packs + parts - 1) / parts;
  return (packs + each - 1) / each;
}
int64_t parts_of(const Columns& c, int64_t pack) {
  return pack == 16 / 2   ? ColumnTile::of<Half>(c).parts
         : pack == 16 / 4 ? ColumnTile::of<float>(c).parts
                          : ColumnTile::of<double>(c).parts;
}

template <class T>
void moments(const Launcher& l, const Planes& p, const T* x, const MomentParts<T>& parts) {
  if (p.channels == 0) return;
  launch({{uint32_t(p.channels * parts.count)}, {kThreads}, 0, l.stream}, plane_moments<T>, x,
         PlaneRange::of(p, parts.count, x, x), parts.count, parts.memory.data());
}
template <class T>
void moments(const Launcher& l, const Columns& c, const T* x, const MomentParts<T>& parts) {
  ColumnTile tile = ColumnTile::of<T>(c);
  launch({tile.grid(), {kThreads}, 0, l.stream}, column_moments<T>, x, c, tile,
         c.columns % kPack<T> == 0 && is_aligned(x), parts.memory.data());
}

template <class T>
void grad_sums(const Launcher& l, const Planes& p, const T* g, const T* x, const Sum<T>* mean,
               int64_t channels_per_mean, const Sum<T>* weight, const GradParts<T>& parts) {
  if (p.channels == 0) return;
  launch({{uint32_t(p.channels * parts.count)}, {kThreads}, 0, l.stream}, plane_grad_sums<T>, g, x, mean,
         Divide(channels_per_mean, p.channels), weight, p.inner % kPack<T> == 0 && is_aligned(weight),
         PlaneRange::of(p, parts.count, g, x), parts.count, parts.memory.data());
}
template <class T>
void grad_sums(const Launcher& l, const Columns& c, const T* g, const T* x, const Sum<T>* mean, const Sum<T>* row_rstd,
               const GradParts<T>& parts) {
  ColumnTile tile = ColumnTile::of<T>(c);
  bool wide = c.columns % kPack<T> == 0;
  launch({tile.grid(), {kThreads}, 0, l.stream}, column_grad_sums<T>, g, x, mean, row_rstd, c, tile,
         wide && is_aligned(g) && is_aligned(x), wide && is_aligned(mean), parts.memory.data());
}

template <class T>
void scale(const Launcher& l, const Planes& p, int64_t channels_per_stat, const T* x, T* y, const Scaling<Sum<T>>& s) {
  PlaneWalk w(p, channels_per_stat);
  if (w.elements == 0) return;
  launch({{blocks_for(w.elements, kThreads, kPack<T>)}, {kThreads}, 0, l.stream}, scale_planes<T>, x, y, s, w,
         is_aligned(x) && is_aligned(y));
}
template <class T>
void scale_grad(const Launcher& l, const Planes& p, int64_t channels_per_stat, const T* g, const T* x, T* d,
                const GradScaling<Sum<T>>& s) {
  PlaneWalk w(p, channels_per_stat);
  if (w.elements == 0) return;
  launch({{blocks_for(w.elements, kThreads, kPack<T>)}, {kThreads}, 0, l.stream}, scale_grad_planes<T>, g, x, d, s, w,
         is_aligned(g) && is_aligned(x) && is_aligned(d));
}
template <class T>
void scale(const Launcher& l, const Columns& c, bool per_row, const T* x, T* y, const Scaling<Sum<T>>& s) {
  if (c.rows == 0 || c.columns == 0) return;
  ColumnTile tile = ColumnTile::of<T>(c);
  bool wide = c.columns % kPack<T> == 0, parameters = wide && is_aligned(s.weight) && is_aligned(s.bias);
  if (!per_row) parameters = parameters && is_aligned(s.mean) && is_aligned(s.rstd);
  launch({writing_grid(tile, c), {kThreads}, 0, l.stream}, scale_columns<T>, x, y, s, c, tile, per_row,
         wide && is_aligned(x) && is_aligned(y), parameters);
}
template <class T>
void scale_grad(const Launcher& l, const Columns& c, bool per_row, const T* g, const T* x, T* d,
                const GradScaling<Sum<T>>& s) {
  if (c.rows == 0 || c.columns == 0) return;
  ColumnTile tile = ColumnTile::of<T>(c);
  bool wide = c.columns % kPack<T> == 0, parameters = wide && is_aligned(s.weight);
  if (!per_row)
    parameters = parameters && is_aligned(s.mean) && is_aligned(s.rstd) && is_aligned(s.shift) && is_aligned(s.slope);
  launch({writing_grid(tile, c), {kThreads}, 0, l.stream}, scale_grad_columns<T>, g, x, d, s, c, tile, per_row,
         wide && is_aligned(g) && is_aligned(x) && is_aligned(d), parameters);
}

#define TL_PASSES(T)                                                                                                 \
  template void moments(const Launcher&, const Planes&, const T*, const MomentParts<T>&);                            \
  template void moments(const Launcher&, const Columns&, const T*, const MomentParts<T>&);                           \
  template void grad_sums(const Launcher&, const Planes&, const T*, const T*, const Sum<T>*, int64_t, const Sum<T>*, \
                          const GradParts<T>&);                                                                      \
  template void grad_sums(const Launcher&, const Columns&, const T*, const T*, const Sum<T>*, const Sum<T>*,         \
                          const GradParts<T>&);                                                                      \
  template void scale(const Launcher&, const Planes&, int64_t, const T*, T*, const Scaling<Sum<T>>&);                \
  template void scale_grad(const Launcher&, const Planes&, int64_t, const T*, const T*, T*,                          \
                           const GradScaling<Sum<T>>&);                                                              \
  template void scale(const Launcher&, const Columns&, bool, const T*, T*, const Scaling<Sum<T>>&);                  \
  template void scale_grad(const Launcher&, const Columns&, bool, const T*, const T*, T*, const GradScaling<Sum<T>>&);
TL_PASSES(Half)
TL_PASSES(BFloat16)
TL_PASSES(float)
TL_PASSES(double)
#undef TL_PASSES

}  // namespace tl::cuda
