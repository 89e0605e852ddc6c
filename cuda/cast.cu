#include "kernels/cast.h"

#include "runtime/walk.h"

// Copies within a device: of elements of the same dtype as words of their width, by tiles where one operand is
// transposed to the other; of other elements by fours where both operands lie in a row, else one by one.

namespace tl::cuda {
namespace {

template <class Word, class Index>
TL_KERNEL copy_strided(char* to, const char* from, int64_t n, const Walk<2, Index> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[2];
    walk.offsets(i, at);
    *reinterpret_cast<Word*>(to + at[0]) = *reinterpret_cast<const Word*>(from + at[1]);
  }
}

template <class From, class Index>
TL_KERNEL convert_strided(char* to, Dtype to_dtype, const char* from, int64_t n, const Walk<2, Index> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[2];
    walk.offsets(i, at);
    store_as(to + at[0], to_dtype, *reinterpret_cast<const From*>(from + at[1]));
  }
}

// ---- transposed ----

// A block takes a tile: rows of the source become rows of shared memory, whose columns become rows of the result, so
// that both are stepped through in the order of memory.
constexpr int kTile = 32, kTileRows = kThreads / kTile;

template <class Index>
struct Tiles {
  Extent<Index> across, down;  // tiles along the dim in which results lie in a row, and sources
  Index width, height;         // elements there
  Index from_step, to_step;    // of the source along the first, of the result along the second
};

template <class Word, class Index>
TL_KERNEL copy_tiles(char* to, const char* from, int64_t count, const Tiles<Index> s, const Walk<2, Index> rest) {
  TL_SHARED(Word, tile, kTile * (kTile + 1));
  const int lane = int(thread_index().x) % kTile, first = int(thread_index().x) / kTile;
  for (int64_t i = block_index().x; i < count; i += grid_size().x) {
    Index t = Index(i), x = s.across.split(t) * kTile, y = s.down.split(t) * kTile, at[2];
    rest.offsets(int64_t(t), at);
    Word v[kTile / kTileRows];
    TL_UNROLL
    for (int k = 0; k < kTile / kTileRows; ++k) {
      Index row = x + Index(first + k * kTileRows), column = y + Index(lane);
      if (row < s.width && column < s.height)
        v[k] = *reinterpret_cast<const Word*>(from + (at[1] + row * s.from_step + column * Index(sizeof(Word))));
    }
    TL_UNROLL
    for (int k = 0; k < kTile / kTileRows; ++k) tile[(first + k * kTileRows) * (kTile + 1) + lane] = v[k];
    sync_block();
    TL_UNROLL
    for (int k = 0; k < kTile / kTileRows; ++k) {
      Index row = y + Index(first + k * kTileRows), column = x + Index(lane);
      if (row < s.height && column < s.width)
        *reinterpret_cast<Word*>(to + (at[0] + row * s.to_step + column * Index(sizeof(Word)))) =
            tile[lane * (kTile + 1) + first + k * kTileRows];
    }
    sync_block();
  }
}

// The dim in which the source lies in a row where the result does so in another; 0: there is none worth a tile.
int transposed_dim(const Plan& p, int64_t width) {
  if (p.strides[0][0] != width || p.strides[1][0] == width || p.sizes[0] < kTileRows) return 0;
  for (int d = 1; d < p.ndim; ++d)
    if (p.strides[1][d] == width && p.sizes[d] >= kTileRows) return d;
  return 0;
}

template <class Word, class Index>
void move_tiles(const Plan& p, int d, const Launcher& l) {
  int64_t across = (p.sizes[0] + kTile - 1) / kTile, down = (p.sizes[d] + kTile - 1) / kTile;
  int64_t count = across * down * (p.numel / (p.sizes[0] * p.sizes[d]));
  Tiles<Index> s{Extent<Index>(across), Extent<Index>(down),    Index(p.sizes[0]),
                 Index(p.sizes[d]),     Index(p.strides[1][0]), Index(p.strides[0][d])};
  Plan rest = p;
  rest.ndim = 0;
  for (int k = 1; k < p.ndim; ++k) {
    if (k == d) continue;
    rest.sizes[rest.ndim] = p.sizes[k];
    for (int i = 0; i < 2; ++i) rest.strides[i][rest.ndim] = p.strides[i][k];
    ++rest.ndim;
  }
  launch({{blocks_for(count, 1)}, {kThreads}, 0, l.stream}, copy_tiles<Word, Index>, static_cast<char*>(p.data[0]),
         static_cast<const char*>(p.data[1]), count, s, Walk<2, Index>(rest));
}

// ---- in a row ----

constexpr int kFour = 4;
template <class T>
inline constexpr int kRowPack = sizeof(T) * kFour <= 16 ? kFour : int(16 / sizeof(T));

template <class To, class From>
TL_DEVICE void store_four(char* to, const From (&v)[kFour]) {
  constexpr int P = kRowPack<To>;
  for (int i = 0; i < kFour; i += P) {
    Pack<To, P> pack;
    for (int k = 0; k < P; ++k) pack.v[k] = convert<To>(v[i + k]);
    reinterpret_cast<Pack<To, P>*>(to)[i / P] = pack;
  }
}

template <class From>
TL_KERNEL convert_row(char* to, Dtype to_dtype, int width, const From* from, int64_t n) {
  constexpr int P = kRowPack<From>;
  for (int64_t i = global_index() * kFour; i < n; i += global_size() * kFour) {
    if (i + kFour > n) {
      for (int64_t k = i; k < n; ++k) store_as(to + k * width, to_dtype, from[k]);
      return;
    }
    From v[kFour];
    for (int j = 0; j < kFour; j += P) {
      auto pack = *reinterpret_cast<const Pack<From, P>*>(from + i + j);
      for (int k = 0; k < P; ++k) v[j + k] = pack.v[k];
    }
    char* there = to + i * width;
    switch (to_dtype) {
#define TL_CASE(S, tag)      \
  case Dtype::tag:           \
    store_four<S>(there, v); \
    break;
      TL_STORED(TL_CASE)
#undef TL_CASE
      case Dtype::Bool:
        store_four<bool>(there, v);
    }
  }
}

bool lies_in_packs(const Plan& p, int i) {
  uintptr_t width = itemsize(p.dtypes[i]), pack = width * kFour < 16 ? width * kFour : 16;
  return p.strides[i][0] == int64_t(width) && reinterpret_cast<uintptr_t>(p.data[i]) % pack == 0;
}

// ---- the host's part ----

template <class Word>
void move(const Plan& p, const Launcher& l) {
  if (int d = transposed_dim(p, sizeof(Word)))
    return p.index32 ? move_tiles<Word, uint32_t>(p, d, l) : move_tiles<Word, int64_t>(p, d, l);
  LaunchConfig config{{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream};
  auto* to = static_cast<char*>(p.data[0]);
  auto* from = static_cast<const char*>(p.data[1]);
  if (p.index32)
    launch(config, copy_strided<Word, uint32_t>, to, from, p.numel, Walk<2, uint32_t>(p));
  else
    launch(config, copy_strided<Word, int64_t>, to, from, p.numel, Walk<2, int64_t>(p));
}

template <class From>
void convert_from(const Plan& p, const Launcher& l) {
  LaunchConfig config{{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream};
  auto* to = static_cast<char*>(p.data[0]);
  auto* from = static_cast<const char*>(p.data[1]);
  if (p.ndim == 1 && lies_in_packs(p, 0) && lies_in_packs(p, 1)) {
    config.grid = {blocks_for(p.numel, kThreads, kFour)};
    launch(config, convert_row<From>, to, p.dtypes[0], int(itemsize(p.dtypes[0])), reinterpret_cast<const From*>(from),
           p.numel);
    return;
  }
  if (p.index32)
    launch(config, convert_strided<From, uint32_t>, to, p.dtypes[0], from, p.numel, Walk<2, uint32_t>(p));
  else
    launch(config, convert_strided<From, int64_t>, to, p.dtypes[0], from, p.numel, Walk<2, int64_t>(p));
}

// The same copy in the widest words that addresses and steps allow, where both operands lie in rows; their width.
int64_t widen(Plan& p, int64_t width) {
  if (p.strides[0][0] != width || p.strides[1][0] != width) return width;
  uint64_t low = uint64_t(p.sizes[0] * width) | 16;
  for (int i = 0; i < 2; ++i) {
    low |= reinterpret_cast<uintptr_t>(p.data[i]);
    for (int d = 1; d < p.ndim; ++d) low |= uint64_t(p.strides[i][d]);
  }
  int64_t wide = int64_t(low & -low);
  if (wide <= width) return width;
  p.sizes[0] /= wide / width;
  p.numel /= wide / width;
  p.strides[0][0] = p.strides[1][0] = wide;
  return wide;
}

void copy(const Plan& given) {
  if (given.numel == 0) return;
  Plan p = given;
  Launcher l(p.device);
  if (p.dtypes[0] == p.dtypes[1]) {
    int64_t width = int64_t(itemsize(p.dtypes[0])), bytes = p.numel * width;
    bool flat = p.ndim == 1 && p.strides[0][0] == width && p.strides[1][0] == width;
    if (flat) {
      driver::copy(p.data[0], p.data[1], size_t(bytes), driver::CopyKind::DeviceToDevice, l.stream);
      return;
    }
    switch (widen(p, width)) {
      case 1:
        return move<uint8_t>(p, l);
      case 2:
        return move<uint16_t>(p, l);
      case 4:
        return move<uint32_t>(p, l);
      case 8:
        return move<uint64_t>(p, l);
      default:
        return move<Pack<uint64_t, 2>>(p, l);
    }
  }
  switch (p.dtypes[1]) {
#define TL_CASE(S, tag) \
  case Dtype::tag:      \
    return convert_from<S>(p, l);
    TL_STORED(TL_CASE)
#undef TL_CASE
    case Dtype::Bool:
      return convert_from<bool>(p, l);
  }
}

[[maybe_unused]] const bool filled = [] {
  cast_kernels[int(DeviceType::CUDA)] = {copy};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
