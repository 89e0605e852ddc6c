#include "kernels/attention.h"

#include "runtime/block.h"

// Attention by tiles with an online softmax (Milakov and Gimelshein 2018; Dao et al. 2022): a block computes a tile of
// scores at a time, and what it multiplies. 16 x 16 threads hold kEach x kEach of the tile each. The backward computes
// the scores again from the logarithm of each row's sum: once for each of the three gradients, so that every result is
// written by one block, in one order.

namespace tl::cuda {
namespace {

constexpr int kSide = 16, kDepth = 16;  // threads along an edge; columns that a product takes at a time
template <class A>
inline constexpr int kEach = int(16 / sizeof(A));
template <class A>
inline constexpr int kTile = kSide * kEach<A>;
template <class A>
inline constexpr int kStride = kTile<A> + kEach<A>;  // of a row in shared memory
constexpr int kHalves = 2;                           // tiles of columns that a block accumulates

// Rows of one head, `width` elements each.
template <class T>
struct Rows {
  T* data;
  int64_t batch, head, row, width;
  bool wide;  // by packs

  explicit Rows(const HeadRows& r, int64_t w)
      : data(static_cast<T*>(r.data)), batch(r.stride[0]), head(r.stride[1]), row(r.stride[2]), width(w) {
    wide = is_aligned(data) && (batch | head | row | width) % kPack<T> == 0;
  }
  TL_DEVICE T* at(int64_t b, int64_t h, int64_t r) const { return data + b * batch + h * head + r * row; }
};

// What all kernels know. `shares` query heads look at a key head.
template <class T>
struct Attention {
  using A = Sum<T>;
  Rows<T> query, key, value, grad;
  int64_t heads, kv_heads, shares, queries, keys;
  A scale;
  bool causal;
  AttentionMask mask_kind;
  const void* mask;
  int64_t mask_stride[4];
  A *log_sum, *delta;

  // A score as the softmax sees it.
  TL_DEVICE A score(A product, int64_t b, int64_t h, int64_t q, int64_t k) const {
    A v = product * scale;
    if (q >= queries || k >= keys || (causal && k > q)) return -A(__builtin_inf());
    if (mask_kind == AttentionMask::None) return v;
    int64_t at = b * mask_stride[0] + h * mask_stride[1] + q * mask_stride[2] + k * mask_stride[3];
    if (mask_kind == AttentionMask::Added) return v + static_cast<const A*>(mask)[at];
    return static_cast<const uint8_t*>(mask)[at] ? v : -A(__builtin_inf());
  }
};

template <class A>
using Tile = A[kEach<A>][kEach<A>];

// c += left right^T, of kTile rows each, of which those beyond the given numbers count as zero.
template <class T, class A>
TL_DEVICE void add_product(Tile<A>& c, Shared<A> shared, const Rows<T>& of_left, const T* left, int64_t left_rows,
                           const Rows<T>& of_right, const T* right, int64_t right_rows) {
  constexpr int E = kEach<A>, P = kPack<T>, kInRow = kDepth / P, S = kStride<A>;
  int t = int(thread_index().x), ty = t / kSide, tx = t % kSide;
  Shared<A> from_left = shared, from_right = shared + kDepth * S;
  int64_t width = of_left.width;
  for (int64_t d0 = 0; d0 < width; d0 += kDepth) {
    sync_block();
    for (int q = t; q < kTile<A> * kInRow; q += kSide * kSide) {
      int row = q / kInRow, d = q % kInRow * P;
      PackRead<T> x = load_pack(left + row * of_left.row, d0 + d, row < left_rows ? width : 0, of_left.wide);
      PackRead<T> y = load_pack(right + row * of_right.row, d0 + d, row < right_rows ? width : 0, of_right.wide);
      TL_UNROLL
      for (int k = 0; k < P; ++k) {
        from_left[(d + k) * S + row] = convert<A>(x[k]);
        from_right[(d + k) * S + row] = convert<A>(y[k]);
      }
    }
    sync_block();
    TL_UNROLL
    for (int d = 0; d < kDepth; ++d) {
      auto x = shared_load<Pack<A, E>>(from_left, d * S + ty * E),
           y = shared_load<Pack<A, E>>(from_right, d * S + tx * E);
      TL_UNROLL
      for (int i = 0; i < E; ++i)
        for (int j = 0; j < E; ++j) c[i][j] += x.v[i] * y.v[j];
    }
  }
}

// sums += w m over the tile's columns, with m's columns from `first` on.
template <class T, class A>
TL_DEVICE void add_weighted(Tile<A> (&sums)[kHalves], const Tile<A>& w, Shared<A> weights, Shared<A> shared,
                            const Rows<T>& of, const T* m, int64_t rows, int64_t first) {
  constexpr int E = kEach<A>, P = kPack<T>, kInRow = kTile<A> / P, S = kStride<A>;
  int t = int(thread_index().x), ty = t / kSide, tx = t % kSide;
  sync_block();
  TL_UNROLL
  for (int j = 0; j < E; ++j) {
    Pack<A, E> column;
    TL_UNROLL
    for (int i = 0; i < E; ++i) column.v[i] = w[i][j];
    shared_store(weights, (tx * E + j) * S + ty * E, column);
  }
  TL_UNROLL
  for (int h = 0; h < kHalves; ++h) {
    int64_t c0 = first + h * kTile<A>;
    if (c0 >= of.width) break;
    if (h) sync_block();
    for (int q = t; q < kTile<A> * kInRow; q += kSide * kSide) {
      int row = q / kInRow, c = q % kInRow * P;
      PackRead<T> x = load_pack(m + row * of.row, c0 + c, row < rows ? of.width : 0, of.wide);
      TL_UNROLL
      for (int k = 0; k < P; ++k) shared[row * S + c + k] = convert<A>(x[k]);
    }
    sync_block();
#if defined(__CUDACC__)
#pragma unroll 8
#endif
    for (int k = 0; k < kTile<A>; ++k) {
      auto x = shared_load<Pack<A, E>>(weights, k * S + ty * E), y = shared_load<Pack<A, E>>(shared, k * S + tx * E);
      TL_UNROLL
      for (int i = 0; i < E; ++i)
        for (int j = 0; j < E; ++j) sums[h][i][j] += x.v[i] * y.v[j];
    }
  }
}

template <class T, class A>
TL_DEVICE void write_sums(const Tile<A> (&sums)[kHalves], const A (&by)[kEach<A>], const Rows<T>& to, T* out,
                          int64_t rows, int64_t first) {
  constexpr int E = kEach<A>;
  int t = int(thread_index().x), ty = t / kSide, tx = t % kSide;
  TL_UNROLL
  for (int h = 0; h < kHalves; ++h)
    for (int i = 0; i < E; ++i)
      for (int j = 0; j < E; ++j) {
        int64_t c = first + h * kTile<A> + tx * E + j;
        if (ty * E + i < rows && c < to.width) out[(ty * E + i) * to.row + c] = convert<T>(sums[h][i][j] * by[i]);
      }
}

// Which tile of rows, which columns of the result, which head and batch a block takes; the last rows, which look at the
// most keys, come first.
struct Place {
  int64_t tiles, chunks, heads;
  TL_DEVICE void of(int64_t block, int64_t& tile, int64_t& chunk, int64_t& head, int64_t& batch) const {
    chunk = block % chunks;
    block /= chunks;
    head = block % heads;
    block /= heads;
    tile = tiles - 1 - block % tiles;
    batch = block / tiles;
  }
};

template <class T>
TL_KERNEL_OF(kSide* kSide, 1)
attend(const Attention<T> a, const Rows<T> output, const Place place) {
  using A = Sum<T>;
  constexpr int E = kEach<A>;
  constexpr A kLow = -A(__builtin_inf());
  TL_SHARED(A, weights, kTile<A> * kStride<A>);
  TL_SHARED(A, shared, kTile<A> * kStride<A>);
  int t = int(thread_index().x), ty = t / kSide, tx = t % kSide;
  int64_t tile, chunk, head, batch;
  place.of(block_index().x, tile, chunk, head, batch);
  int64_t q0 = tile * kTile<A>, kv = head / a.shares, first = chunk * kHalves * kTile<A>;
  int64_t limit = a.causal && q0 + kTile<A> < a.keys ? q0 + kTile<A> : a.keys;
  const T* query = a.query.at(batch, head, q0);
  Tile<A> sums[kHalves] = {};
  A top[E], total[E] = {};
  TL_UNROLL
  for (int i = 0; i < E; ++i) top[i] = kLow;
  for (int64_t k0 = 0; k0 < limit; k0 += kTile<A>) {
    Tile<A> s = {};
    add_product<T, A>(s, shared, a.query, query, a.queries - q0, a.key, a.key.at(batch, kv, k0), a.keys - k0);
    TL_UNROLL
    for (int i = 0; i < E; ++i) {
      A most = top[i], sum = 0;
      TL_UNROLL
      for (int j = 0; j < E; ++j) {
        s[i][j] = a.score(s[i][j], batch, head, q0 + ty * E + i, k0 + tx * E + j);
        most = s[i][j] > most ? s[i][j] : most;
      }
      for (int bits = kSide / 2; bits; bits /= 2) {
        A other = shuffle_xor(most, bits);
        most = other > most ? other : most;
      }
      A at = most == kLow ? A(0) : most, keep = exponential(top[i] - at);
      TL_UNROLL
      for (int j = 0; j < E; ++j) s[i][j] = exponential(s[i][j] - at), sum += s[i][j];
      total[i] = total[i] * keep + warp_sum(sum, kSide);
      top[i] = most;
      TL_UNROLL
      for (int h = 0; h < kHalves; ++h)
        for (int j = 0; j < E; ++j) sums[h][i][j] *= keep;
    }
    add_weighted<T, A>(sums, s, weights, shared, a.value, a.value.at(batch, kv, k0), a.keys - k0, first);
  }
  A by[E];
  A* log_sum = a.log_sum + (batch * a.heads + head) * a.queries;
  TL_UNROLL
  for (int i = 0; i < E; ++i) {
    int64_t q = q0 + ty * E + i;
    by[i] = total[i] == A(0) ? A(0) : A(1) / total[i];
    if (chunk == 0 && tx == 0 && q < a.queries) log_sum[q] = total[i] == A(0) ? -kLow : top[i] + logarithm(total[i]);
  }
  write_sums<T, A>(sums, by, output, output.at(batch, head, q0), a.queries - q0, first);
}

// The mean of the gradient of the weights under the weights is the product of a row's output and gradient.
template <class T>
TL_KERNEL_OF(kThreads, 1)
grad_means(const Rows<T> grad, const Rows<T> output, int64_t heads, int64_t queries, int64_t rows, Sum<T>* delta) {
  using A = Sum<T>;
  constexpr int P = kPack<T>;
  int64_t row = global_index() / kWarp;
  if (row >= rows) return;
  int64_t q = row % queries, h = row / queries % heads, b = row / queries / heads;
  const T *g = grad.at(b, h, q), *o = output.at(b, h, q);
  A sum = 0;
  for (int64_t i = lane_index() * P; i < grad.width; i += kWarp * P) {
    PackRead<T> x = load_pack(g, i, grad.width, grad.wide), y = load_pack(o, i, grad.width, output.wide);
    TL_UNROLL
    for (int k = 0; k < P; ++k) sum += convert<A>(x[k]) * convert<A>(y[k]);
  }
  sum = warp_sum(sum);
  if (lane_index() == 0) delta[row] = sum;
}

enum class Of { Query, Key, Value };

// The gradient of a tile of queries, which looks along the keys, or of keys or values, which looks along the queries of
// all heads that share them.
template <class T, Of of>
TL_KERNEL_OF(kSide* kSide, 1)
attend_backward(const Attention<T> a, const Rows<T> result, const Place place) {
  using A = Sum<T>;
  constexpr int E = kEach<A>;
  constexpr bool along_keys = of == Of::Query;
  TL_SHARED(A, weights, kTile<A> * kStride<A>);
  TL_SHARED(A, shared, kTile<A> * kStride<A>);
  int t = int(thread_index().x), ty = t / kSide, tx = t % kSide;
  int64_t tile, chunk, own, batch;
  place.of(block_index().x, tile, chunk, own, batch);
  int64_t r0 = tile * kTile<A>, first = chunk * kHalves * kTile<A>;
  int64_t kv = along_keys ? own / a.shares : own, begin = 0, end = along_keys ? a.keys : a.queries;
  if (a.causal && along_keys && r0 + kTile<A> < end) end = r0 + kTile<A>;
  if (a.causal && !along_keys) begin = r0;
  Tile<A> sums[kHalves] = {};
  for (int64_t turn = 0; turn < (along_keys ? 1 : a.shares); ++turn) {
    int64_t head = along_keys ? own : own * a.shares + turn;
    const A *log_sum = a.log_sum + (batch * a.heads + head) * a.queries,
            *delta = a.delta + (batch * a.heads + head) * a.queries;
    for (int64_t c0 = begin; c0 < end; c0 += kTile<A>) {
      int64_t q0 = along_keys ? r0 : c0, k0 = along_keys ? c0 : r0, q_rows = a.queries - q0, k_rows = a.keys - k0;
      const T *query = a.query.at(batch, head, q0), *grad = a.grad.at(batch, head, q0);
      const T *key = a.key.at(batch, kv, k0), *value = a.value.at(batch, kv, k0);
      Tile<A> w = {}, d = {};
      if constexpr (along_keys) {
        add_product<T, A>(w, shared, a.query, query, q_rows, a.key, key, k_rows);
        add_product<T, A>(d, shared, a.grad, grad, q_rows, a.value, value, k_rows);
      } else {
        add_product<T, A>(w, shared, a.key, key, k_rows, a.query, query, q_rows);
        if constexpr (of == Of::Key) add_product<T, A>(d, shared, a.value, value, k_rows, a.grad, grad, q_rows);
      }
      TL_UNROLL
      for (int i = 0; i < E; ++i)
        for (int j = 0; j < E; ++j) {
          int64_t q = q0 + (along_keys ? ty * E + i : tx * E + j), k = k0 + (along_keys ? tx * E + j : ty * E + i);
          A p = q < a.queries ? exponential(a.score(w[i][j], batch, head, q, k) - log_sum[q]) : A(0);
          w[i][j] = of == Of::Value ? p : q < a.queries ? (d[i][j] - delta[q]) * p : A(0);
        }
      add_weighted<T, A>(sums, w, weights, shared,
                         of == Of::Query ? a.key
                         : of == Of::Key ? a.query
                                         : a.grad,
                         of == Of::Query ? key
                         : of == Of::Key ? query
                                         : grad,
                         along_keys ? k_rows : q_rows, first);
    }
  }
  A by[E];
  TL_UNROLL
  for (int i = 0; i < E; ++i) by[i] = of == Of::Value ? A(1) : a.scale;
  write_sums<T, A>(sums, by, result, result.at(batch, own, r0), (along_keys ? a.queries : a.keys) - r0, first);
}

// ---- the host's part ----

template <class T>
Attention<T> attention_of(const AttentionArgs& a) {
  using A = Sum<T>;
  Rows<T> value(a.value, a.value_width);
  Attention<T> r{Rows<T>(a.query, a.width),
                 Rows<T>(a.key, a.width),
                 value,
                 value,
                 a.heads,
                 a.kv_heads,
                 a.heads / a.kv_heads,
                 a.queries,
                 a.keys,
                 A(a.scale),
                 a.causal,
                 a.mask_kind,
                 a.mask,
                 {a.mask_stride[0], a.mask_stride[1], a.mask_stride[2], a.mask_stride[3]},
                 static_cast<A*>(a.log_sum),
                 nullptr};
  return r;
}

int64_t tiles_of(int64_t n, int64_t tile) { return (n + tile - 1) / tile; }

template <class T, class Kernel>
void run(Kernel kernel, const Launcher& l, const Attention<T>& a, const Rows<T>& result, int64_t batch, int64_t heads,
         int64_t rows) {
  using A = Sum<T>;
  Place place{tiles_of(rows, kTile<A>), tiles_of(result.width, kHalves * kTile<A>), heads};
  int64_t blocks = batch * heads * place.tiles * place.chunks;
  if (blocks) launch({{uint32_t(blocks)}, {kSide * kSide}, 0, l.stream}, kernel, a, result, place);
}

void forward(const AttentionArgs& args) {
  Launcher l = Launcher::of(args.log_sum);
  with_floating(args.dtype, [&](auto t) {
    using T = decltype(t);
    run(attend<T>, l, attention_of<T>(args), Rows<T>(args.output, args.value_width), args.batch, args.heads,
        args.queries);
  });
}

void backward(const AttentionBackwardArgs& b) {
  const AttentionArgs& args = b.forward;
  Launcher l = Launcher::of(args.log_sum);
  with_floating(args.dtype, [&](auto t) {
    using T = decltype(t);
    using A = Sum<T>;
    Attention<T> a = attention_of<T>(args);
    a.grad = Rows<T>(b.grad, args.value_width);
    int64_t rows = args.batch * args.heads * args.queries;
    WorkArray<A> delta(l, rows);
    a.delta = delta.data();
    if (rows)
      launch({{uint32_t(tiles_of(rows, kThreads / kWarp))}, {kThreads}, 0, l.stream}, grad_means<T>, a.grad,
             Rows<T>(args.output, args.value_width), args.heads, args.queries, rows, delta.data());
    run(attend_backward<T, Of::Query>, l, a, Rows<T>(b.grad_query, args.width), args.batch, args.heads, args.queries);
    run(attend_backward<T, Of::Key>, l, a, Rows<T>(b.grad_key, args.width), args.batch, args.kv_heads, args.keys);
    run(attend_backward<T, Of::Value>, l, a, Rows<T>(b.grad_value, args.value_width), args.batch, args.kv_heads,
        args.keys);
  });
}

[[maybe_unused]] const bool filled = [] {
  attention_kernels[int(DeviceType::CUDA)] = {forward, backward};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
