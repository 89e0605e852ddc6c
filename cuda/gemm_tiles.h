#pragma once

#include "runtime/walk.h"

// What products of matrices are made of, here and in convolutions: c[row, column] = sum over depth of a[row, depth] *
// b[depth, column], tile by tile. Where an operand lies is told by a *loader*, what becomes of the sums by an *output*;
// the loops between know neither.
//
// A loader gives addresses. An operand is a set of lines, the rows of a or the columns of b, each as long as the depth:
//
//   using Element = T;
//   static constexpr Order kOrder;
//   struct Line;                                  what is known of a line before its depths are asked for
//   bool depth_first() const;                     (Order::Any) neighbouring threads take neighbouring depths of a line
//   Line line(int64_t batch, int64_t index) const;        the index may lie outside
//   const T* at(const Line&, int64_t depth) const;        null counts as zero; the depth lies inside
//
// An output takes neighbouring sums of a row and leaves out what lies outside:
//
//   template <int n> void store(int64_t part, int64_t batch, int64_t row, int64_t column, const Sum<T> (&v)[n]) const;

namespace tl::cuda {

// How an operand lies in memory. Along: a step of depth is one element. Across: neighbouring lines lie side by side.
// Where a kernel copies 16 bytes at a time, such a copy never leaves the operand and is aligned.
enum class Order { Any, Along, Across };

// A matrix, or a batch of them, with any strides.
template <class T, Order order = Order::Any>
struct Matrix {
  using Element = T;
  static constexpr Order kOrder = order;
  struct Line {
    const T* p;
  };
  const T* data;
  int64_t lines, line_step, depth_step, batch_step;

  TL_HOST_DEVICE bool depth_first() const { return depth_step == 1; }
  TL_DEVICE Line line(int64_t batch, int64_t index) const {
    if (index >= lines) return {nullptr};
    return {data + batch * batch_step + index * (order == Order::Across ? 1 : line_step)};
  }
  TL_DEVICE const T* at(const Line& l, int64_t depth) const {
    return l.p ? l.p + depth * (order == Order::Along ? 1 : depth_step) : nullptr;
  }
};

// c = alpha * sum + beta * d, then perhaps relu; or, where the depth is split into parts, the bare sums of each.
template <class T>
struct Output {
  int64_t m, n;
  T* c;
  int64_t c_row, c_column, c_batch;
  const T* d;  // null: none
  int64_t d_row, d_column, d_batch;
  Sum<T> alpha, beta;
  bool relu;
  bool wide;      // 16 bytes of a row can be written at once
  Sum<T>* parts;  // null: the depth is whole

  TL_DEVICE Sum<T> finished(int64_t batch, int64_t row, int64_t column, Sum<T> sum) const {
    using A = Sum<T>;
    A v = A(alpha * sum);
    if (d) v = A(v + beta * convert<A>(d[batch * d_batch + row * d_row + column * d_column]));
    if constexpr (!is_complex_type<T>)
      if (relu) v = v <= A(0) ? A(0) : v;
    return v;
  }
  template <int count>
  TL_DEVICE void store(int64_t part, int64_t batch, int64_t row, int64_t column, const Sum<T> (&v)[count]) const {
    if (row >= m) return;
    if (parts) {
      Sum<T>* to = parts + part * m * n + row * n;
      TL_UNROLL
      for (int j = 0; j < count; ++j)
        if (column + j < n) to[column + j] = v[j];
      return;
    }
    T* to = c + batch * c_batch + row * c_row;
    Pack<T, count> packed{};
    TL_UNROLL
    for (int j = 0; j < count; ++j)
      if (column + j < n) packed.v[j] = convert<T>(finished(batch, row, column + j, v[j]));
    if (wide && column + count <= n) {
      store_whole(to + column, packed);
      return;
    }
    TL_UNROLL
    for (int j = 0; j < count; ++j)
      if (column + j < n) to[(column + j) * c_column] = packed.v[j];
  }
};

// The grid of a product: blocks along x are tiles, z is the batch times the parts of the depth.
struct Tiling {
  int64_t k;
  int64_t tiles_m, tiles_n;
  int64_t parts, depth;  // of a part, but for the last one

  Tiling(int64_t m, int64_t n, int64_t k, int tile_m, int tile_n, int64_t parts = 1, int64_t depth = 0)
      : k(k),
        tiles_m((m + tile_m - 1) / tile_m),
        tiles_n((n + tile_n - 1) / tile_n),
        parts(parts),
        depth(parts == 1 ? k : depth) {}
  Dim3 grid(int64_t batch) const { return {uint32_t(tiles_m * tiles_n), 1, uint32_t(batch * parts)}; }
};

// Where a block works. Blocks that run side by side take 8 rows of tiles, so that what they read stays in the cache.
struct Place {
  int64_t row, column;  // of tiles
  int64_t part, batch;
  int64_t first, last;  // of the depth

  TL_DEVICE explicit Place(const Tiling& t) {
    constexpr int64_t kBand = 8;
    int64_t x = block_index().x, band = x / (kBand * t.tiles_n), rest = x - band * kBand * t.tiles_n;
    int64_t left = t.tiles_m - band * kBand, high = left < kBand ? left : kBand;
    row = band * kBand + rest % high;
    column = rest / high;
    part = block_index().z;
    batch = part / t.parts;
    first = (part - batch * t.parts) * t.depth;
    last = first + t.depth < t.k ? first + t.depth : t.k;
  }
};

// ---- plain tiles: any dtype, any loader ----

constexpr int kTileSide = 16;  // threads along a tile's edge
constexpr int kTileDepth = 16;

// A block computes a square of kTileSide * kEach results, a thread kEach x kEach of them.
template <class T, int kEach, class A, class B, class Out>
TL_KERNEL gemm_plain(const Tiling tiling, const A a, const B b, const Out out) {
  using S = Sum<T>;
  constexpr int kTile = kTileSide * kEach, kThreadsOfTile = kTileSide * kTileSide;
  constexpr int kPitch = kTile + 1;  // so that what is copied along the depth goes to other banks
  TL_SHARED(S, left, kTileDepth * kPitch);
  TL_SHARED(S, right, kTileDepth * kPitch);
  const Place place(tiling);
  int t = int(thread_index().x), row = t / kTileSide, column = t % kTileSide;
  int64_t row0 = place.row * kTile, column0 = place.column * kTile;

  // A thread's share of a panel: kEach elements, always of the same lines.
  const bool a_along = a.depth_first(), b_along = b.depth_first();
  int a_line[kEach], b_line[kEach], a_depth[kEach], b_depth[kEach];
  typename A::Line a_lines[kEach];
  typename B::Line b_lines[kEach];
  TL_UNROLL
  for (int e = 0; e < kEach; ++e) {
    int i = t + e * kThreadsOfTile;
    a_line[e] = a_along ? i / kTileDepth : i % kTile, a_depth[e] = a_along ? i % kTileDepth : i / kTile;
    b_line[e] = b_along ? i / kTileDepth : i % kTile, b_depth[e] = b_along ? i % kTileDepth : i / kTile;
    a_lines[e] = a.line(place.batch, row0 + a_line[e]);
    b_lines[e] = b.line(place.batch, column0 + b_line[e]);
  }

  S sums[kEach][kEach];
  TL_UNROLL
  for (int i = 0; i < kEach; ++i) TL_UNROLL
  for (int j = 0; j < kEach; ++j) sums[i][j] = S(0);

  for (int64_t k0 = place.first; k0 < place.last; k0 += kTileDepth) {
    TL_UNROLL
    for (int e = 0; e < kEach; ++e) {
      int64_t depth = k0 + a_depth[e];
      const T* p = depth < place.last ? a.at(a_lines[e], depth) : nullptr;
      left[a_depth[e] * kPitch + a_line[e]] = p ? convert<S>(*p) : S(0);
    }
    TL_UNROLL
    for (int e = 0; e < kEach; ++e) {
      int64_t depth = k0 + b_depth[e];
      const T* p = depth < place.last ? b.at(b_lines[e], depth) : nullptr;
      right[b_depth[e] * kPitch + b_line[e]] = p ? convert<S>(*p) : S(0);
    }
    sync_block();
    for (int depth = 0; depth < kTileDepth; ++depth) {
      S x[kEach], y[kEach];
      TL_UNROLL
      for (int i = 0; i < kEach; ++i) x[i] = left[depth * kPitch + row + i * kTileSide];
      TL_UNROLL
      for (int j = 0; j < kEach; ++j) y[j] = right[depth * kPitch + column + j * kTileSide];
      TL_UNROLL
      for (int i = 0; i < kEach; ++i) TL_UNROLL
      for (int j = 0; j < kEach; ++j) sums[i][j] = S(sums[i][j] + x[i] * y[j]);
    }
    sync_block();
  }
  TL_UNROLL
  for (int i = 0; i < kEach; ++i) TL_UNROLL
  for (int j = 0; j < kEach; ++j) {
    const S v[1] = {sums[i][j]};
    out.template store<1>(place.part, place.batch, row0 + row + i * kTileSide, column0 + column + j * kTileSide, v);
  }
}

// ---- panels in shared memory, filled by asynchronous copies ----

// A panel of kLines lines and kDepth of their depth in shared memory: line after line (kByLine), or depth after depth.
// kPad elements between them spread the columns over the banks.
template <class Loader, int kLines, int kDepth, int kBlock, bool kByLine, int kPad>
struct Panel {
  using T = typename Loader::Element;
  static constexpr Order kOrder = Loader::kOrder;
  static constexpr int kPitch = (kByLine ? kDepth : kLines) + kPad;
  static constexpr int kSize = (kByLine ? kLines : kDepth) * kPitch;
  // 16 bytes at a time where memory and panel have the same order.
  static constexpr bool kWide = kByLine ? kOrder == Order::Along : kOrder == Order::Across;
  static constexpr int kChunk = kWide ? 16 / int(sizeof(T)) : 1;
  static constexpr int kCopies = kLines * kDepth / kChunk / kBlock;  // of a thread
  static constexpr int kRun = 8;                                     // threads along the depth of a line
  static constexpr int kOwn = !kWide ? kLines * kRun / kBlock : kByLine ? kCopies : 1;  // lines of a thread
  static_assert(kCopies * kChunk * kBlock == kLines * kDepth && kOwn >= 1 && kCopies % kOwn == 0);
  static_assert(kWide || (kBlock % kLines == 0 && kDepth % kRun == 0));
  static_assert(kPitch * sizeof(T) % 16 == 0);

  typename Loader::Line lines[kOwn];
  int line0, depth0;  // of the thread's first copy
  bool along;

  TL_DEVICE Panel(const Loader& loader, int64_t batch, int64_t first_line) {
    int t = int(thread_index().x);
    along = kOrder == Order::Along || (kOrder == Order::Any && loader.depth_first());
    if constexpr (kWide) {
      constexpr int kAcross = (kByLine ? kDepth : kLines) / kChunk;
      line0 = kByLine ? t / kAcross : t % kAcross * kChunk;
      depth0 = kByLine ? t % kAcross * kChunk : t / kAcross;
    } else {
      line0 = along ? t / kRun : t % kLines;
      depth0 = along ? t % kRun : t / kLines;
    }
    TL_UNROLL
    for (int i = 0; i < kOwn; ++i) lines[i] = loader.line(batch, first_line + line_of(i));
  }

  TL_DEVICE int line_of(int copy) const {
    if constexpr (kWide)
      return kByLine ? line0 + copy * (kBlock * kChunk / kDepth) : line0;
    else
      return along ? line0 + copy % kOwn * (kBlock / kRun) : line0;
  }
  TL_DEVICE int depth_of(int copy) const {
    if constexpr (kWide)
      return kByLine ? depth0 : depth0 + copy * (kBlock * kChunk / kLines);
    else
      return along ? depth0 + copy / kOwn * kRun : depth0 + copy * (kBlock / kLines);
  }

  TL_DEVICE void fill(const Loader& loader, Shared<T> panel, int64_t k0, int64_t last) const {
    TL_UNROLL
    for (int e = 0; e < kCopies; ++e) {
      int line = line_of(e), depth = depth_of(e);
      const T* from = k0 + depth < last ? loader.at(lines[e % kOwn], k0 + depth) : nullptr;
      int to = kByLine ? line * kPitch + depth : depth * kPitch + line;
      if constexpr (kWide)
        copy_async<16>(panel, to, from, from != nullptr);
      else if constexpr (sizeof(T) >= 4)
        copy_async<sizeof(T)>(panel, to, from, from != nullptr);
      else
        panel[to] = from ? *from : T(0.f);  // too small to be copied asynchronously
    }
  }
};

// Panels of `stages` tiles of depth are under way or in use: while a block computes with one, the next are copied.
template <int stages, class Fill, class Compute>
TL_DEVICE void pipeline(const Place& place, int depth, const Fill& fill, const Compute& compute) {
  int64_t tiles = (place.last - place.first + depth - 1) / depth;
  TL_UNROLL
  for (int s = 0; s < stages - 1; ++s) {
    if (s < tiles) fill(s, place.first + s * depth);
    copy_async_commit();
  }
  int now = 0, next = stages - 1;
  for (int64_t i = 0; i < tiles; ++i) {
    copy_async_wait<stages - 2>();
    sync_block();
    // Into the panels that everyone was done with at the barrier.
    if (i + stages - 1 < tiles) fill(next, place.first + (i + stages - 1) * depth);
    copy_async_commit();
    compute(now);
    now = now + 1 == stages ? 0 : now + 1;
    next = next + 1 == stages ? 0 : next + 1;
  }
}

// Bytes of shared memory that the blocks of a multiprocessor have at the least: GPUs for desks have less.
#if __CUDA_ARCH__ == 750
inline constexpr size_t kSharedOfAll = 64 << 10;
#elif __CUDA_ARCH__ == 860 || __CUDA_ARCH__ == 890 || __CUDA_ARCH__ >= 1200
inline constexpr size_t kSharedOfAll = 100 << 10;
#else
inline constexpr size_t kSharedOfAll = 164 << 10;
#endif

// Blocks of a tile that shall fit on a multiprocessor: operands in no order cost more registers for their addresses,
// and so do those of small blocks, where a thread copies more. Where no more fit for their shared memory, of which the
// system takes 1 KB a block, registers need not be saved.
template <class Tile, class A, class B>
constexpr int resident(size_t shared) {
  int fit = int(kSharedOfAll / (shared + 1024));
  int blocks = (A::kOrder == Order::Any || B::kOrder == Order::Any ? 256
                : Tile::kBlock < 128                               ? 384
                                                                   : 512) /
               Tile::kBlock;
  return blocks < fit ? blocks : fit;
}

// ---- float32 without tensor cores: warp tiles ----

// A block of kWarpsM x kWarpsN warps. A warp computes 64 x 32 results, a thread 8 x 8 of them as 2 x 2 squares of 4 x
// 4: its operands for one step of depth are four 16-byte reads of shared memory for 64 multiply-adds.
template <int warps_m, int warps_n>
struct WarpTile {
  static constexpr int kWarpsM = warps_m, kWarpsN = warps_n;
  static constexpr int kM = 64 * warps_m, kN = 32 * warps_n, kDepth = 16, kStages = 3;
  static constexpr int kBlock = 32 * warps_m * warps_n;
  static constexpr int kPad = 4;
  static constexpr size_t kShared = size_t(kStages) * kDepth * (kM + kN + 2 * kPad) * sizeof(float);
};

template <class Tile, class A, class B, class Out>
TL_KERNEL_OF(Tile::kBlock, (resident<Tile, A, B>(Tile::kShared)))
gemm_warp_tiles(const Tiling tiling, const A a, const B b, const Out out) {
  using PanelA = Panel<A, Tile::kM, Tile::kDepth, Tile::kBlock, false, Tile::kPad>;
  using PanelB = Panel<B, Tile::kN, Tile::kDepth, Tile::kBlock, false, Tile::kPad>;
  constexpr size_t kStage = (PanelA::kSize + PanelB::kSize) * sizeof(float);
  static_assert(kStage * Tile::kStages == Tile::kShared);
  const Place place(tiling);
  const int64_t row0 = place.row * Tile::kM, column0 = place.column * Tile::kN;
  const PanelA panel_a(a, place.batch, row0);
  const PanelB panel_b(b, place.batch, column0);
  int warp = int(thread_index().x) / kWarp, lane = lane_index();
  int row = warp / Tile::kWarpsN * 64 + lane / 4 * 4, column = warp % Tile::kWarpsN * 32 + lane % 4 * 4;
  auto left = [&](int stage) { return dynamic_shared<float>(size_t(stage) * kStage, PanelA::kSize); };
  auto right = [&](int stage) {
    return dynamic_shared<float>(size_t(stage) * kStage + PanelA::kSize * sizeof(float), PanelB::kSize);
  };

  float sums[2][2][4][4] = {};
  auto fill = [&](int stage, int64_t k0) {
    panel_a.fill(a, left(stage), k0, place.last);
    panel_b.fill(b, right(stage), k0, place.last);
  };
  auto compute = [&](int stage) {
    Shared<float> x_panel = left(stage), y_panel = right(stage);
    TL_UNROLL
    for (int depth = 0; depth < Tile::kDepth; ++depth) {
      Pack<float, 4> x[2], y[2];
      TL_UNROLL
      for (int i = 0; i < 2; ++i) {
        x[i] = shared_load<Pack<float, 4>>(x_panel, depth * PanelA::kPitch + row + i * 32);
        y[i] = shared_load<Pack<float, 4>>(y_panel, depth * PanelB::kPitch + column + i * 16);
      }
      TL_UNROLL
      for (int i = 0; i < 2; ++i) TL_UNROLL
      for (int j = 0; j < 2; ++j) TL_UNROLL
      for (int r = 0; r < 4; ++r) TL_UNROLL
      for (int c = 0; c < 4; ++c) sums[i][j][r][c] = fused(x[i].v[r], y[j].v[c], sums[i][j][r][c]);
    }
  };
  pipeline<Tile::kStages>(place, Tile::kDepth, fill, compute);
  TL_UNROLL
  for (int i = 0; i < 2; ++i) TL_UNROLL
  for (int r = 0; r < 4; ++r) TL_UNROLL
  for (int j = 0; j < 2; ++j)
    out.template store<4>(place.part, place.batch, row0 + row + i * 32 + r, column0 + column + j * 16, sums[i][j][r]);
}

// ---- tensor cores: float32 as tf32, float16, bfloat16; summed in float32 ----

// A warp computes kWarpM x 32 results in tiles of 16 x 8.
template <class T, int warps_m, int warps_n, int warp_m>
struct TensorTile {
  static constexpr int kWarpsM = warps_m, kWarpsN = warps_n, kWarpM = warp_m, kWarpN = 32;
  static constexpr int kM = warp_m * warps_m, kN = 32 * warps_n, kStages = 3;
  static constexpr int kDepth = 64 / int(sizeof(T));
  static constexpr int kStep = 32 / int(sizeof(T));  // depth of one mma
  static constexpr int kBlock = 32 * warps_m * warps_n;
};

// 16 bytes more than a power of two, so that the 8 rows of a fragment lie in different banks.
template <class Loader, int kLines, class Tile>
using TensorPanel = Panel<Loader, kLines, Tile::kDepth, Tile::kBlock, Loader::kOrder != Order::Across,
                          Loader::kOrder == Order::Across ? 8 : 16 / int(sizeof(typename Loader::Element))>;

template <class Tile, class A, class B>
constexpr size_t tensor_shared() {
  return size_t(Tile::kStages) * (TensorPanel<A, Tile::kM, Tile>::kSize + TensorPanel<B, Tile::kN, Tile>::kSize) *
         sizeof(typename A::Element);
}

// The fragment of a for the 16 x kStep elements at (line, depth) of a panel, or those of two columns of tiles of b, 8
// lines each: both are four 8 x 8 (float32: 8 x 4) corners, a's lines first and b's depth first.
template <bool kLinesFirst, class P, class T>
TL_DEVICE void load_fragment(uint32_t (&r)[4], Shared<T> panel, int line, int depth) {
  int lane = lane_index();
  constexpr bool kByLine = P::kOrder != Order::Across;
  if constexpr (sizeof(T) == 2) {
    // Corner c, row i of it: the address that lane 8 c + i gives.
    int corner = lane / 8, in = lane % 8;
    int upper_line = kLinesFirst ? corner % 2 : corner / 2, upper_depth = kLinesFirst ? corner / 2 : corner % 2;
    if constexpr (kByLine)
      load_matrices(r, panel, (line + upper_line * 8 + in) * P::kPitch + depth + upper_depth * 8);
    else
      load_matrices_transposed(r, panel, (depth + upper_depth * 8 + in) * P::kPitch + line + upper_line * 8);
  } else {
    int g = lane / 4, t = lane % 4;
    TL_UNROLL
    for (int corner = 0; corner < 4; ++corner) {
      int l = line + g + 8 * (kLinesFirst ? corner % 2 : corner / 2);
      int d = depth + t + 4 * (kLinesFirst ? corner / 2 : corner % 2);
      r[corner] = to_tf32(panel[kByLine ? l * P::kPitch + d : d * P::kPitch + l]);
    }
  }
}

template <class T>
TL_DEVICE void multiply_fragments(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  if constexpr (sizeof(T) == 4)
    mma_tf32(d, a, b);
  else if constexpr (dtype_of<T> == Dtype::Float16)
    mma_float16(d, a, b);
  else
    mma_bfloat16(d, a, b);
}

template <class Tile, class A, class B, class Out>
TL_KERNEL_OF(Tile::kBlock, (resident<Tile, A, B>(tensor_shared<Tile, A, B>())))
gemm_tensor_tiles(const Tiling tiling, const A a, const B b, const Out out) {
  using T = typename A::Element;
  using PanelA = TensorPanel<A, Tile::kM, Tile>;
  using PanelB = TensorPanel<B, Tile::kN, Tile>;
  constexpr size_t kStage = (PanelA::kSize + PanelB::kSize) * sizeof(T);
  constexpr int kRows = Tile::kWarpM / 16, kColumns = Tile::kWarpN / 8;
#if __CUDA_ARCH__ >= 1000 && __CUDA_ARCH__ < 1200
  // Half types that lie across want a register more than there are, if the steps of a panel are unrolled.
  [[maybe_unused]] constexpr int kAtOnce =
      sizeof(T) == 2 && A::kOrder == Order::Across && B::kOrder == Order::Across ? 1 : 2;
#else
  [[maybe_unused]] constexpr int kAtOnce = 2;
#endif
  const Place place(tiling);
  const int64_t row0 = place.row * Tile::kM, column0 = place.column * Tile::kN;
  const PanelA panel_a(a, place.batch, row0);
  const PanelB panel_b(b, place.batch, column0);
  int warp = int(thread_index().x) / kWarp, lane = lane_index();
  int row = warp / Tile::kWarpsN * Tile::kWarpM, column = warp % Tile::kWarpsN * Tile::kWarpN;
  auto left = [&](int stage) { return dynamic_shared<T>(size_t(stage) * kStage, PanelA::kSize); };
  auto right = [&](int stage) {
    return dynamic_shared<T>(size_t(stage) * kStage + PanelA::kSize * sizeof(T), PanelB::kSize);
  };

  float sums[kRows][kColumns][4] = {};
  auto fill = [&](int stage, int64_t k0) {
    panel_a.fill(a, left(stage), k0, place.last);
    panel_b.fill(b, right(stage), k0, place.last);
  };
  auto compute = [&](int stage) {
    Shared<T> x_panel = left(stage), y_panel = right(stage);
    TL_UNROLL_BY(kAtOnce)
    for (int depth = 0; depth < Tile::kDepth; depth += Tile::kStep) {
      uint32_t x[kRows][4], y[kColumns / 2][4];
      TL_UNROLL
      for (int i = 0; i < kRows; ++i) load_fragment<true, PanelA>(x[i], x_panel, row + i * 16, depth);
      TL_UNROLL
      for (int j = 0; j < kColumns / 2; ++j) load_fragment<false, PanelB>(y[j], y_panel, column + j * 16, depth);
      TL_UNROLL
      for (int i = 0; i < kRows; ++i) TL_UNROLL
      for (int j = 0; j < kColumns; ++j) {
        const uint32_t two[2] = {y[j / 2][j % 2 * 2], y[j / 2][j % 2 * 2 + 1]};
        multiply_fragments<T>(sums[i][j], x[i], two);
      }
    }
  };
  pipeline<Tile::kStages>(place, Tile::kDepth, fill, compute);
  // Of two tiles side by side a lane has two columns each. Neighbouring lanes swap a pair, so that each has four
  // columns of one tile, and a row is written in whole sectors.
  const bool odd = lane & 1;
  TL_UNROLL
  for (int i = 0; i < kRows; ++i) TL_UNROLL
  for (int half = 0; half < 2; ++half) TL_UNROLL
  for (int j = 0; j < kColumns; j += 2) {
    const Pack<float, 2> p = {{sums[i][j][half * 2], sums[i][j][half * 2 + 1]}};
    const Pack<float, 2> q = {{sums[i][j + 1][half * 2], sums[i][j + 1][half * 2 + 1]}};
    const Pack<float, 2> other = shuffle_xor(odd ? p : q, 1);
    const float v[4] = {odd ? other.v[0] : p.v[0], odd ? other.v[1] : p.v[1], odd ? q.v[0] : other.v[0],
                        odd ? q.v[1] : other.v[1]};
    out.template store<4>(place.part, place.batch, row0 + row + i * 16 + half * 8 + lane / 4,
                          column0 + column + (j + odd) * 8 + lane % 4 / 2 * 4, v);
  }
}

}  // namespace tl::cuda
