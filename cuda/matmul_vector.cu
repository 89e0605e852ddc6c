#include "matmul.h"

// Products with a vector read a matrix once: the bytes of the matrix are all that counts.

namespace tl::cuda {
namespace {

struct Lines {
  int64_t k, parts, depth;
  bool as_row;  // the results are a row of c
};

template <class T>
struct Vector {
  const T* data;
  int64_t step, batch_step;
};

// `share` warps of a block, 1 or 8, sum a line. `chunk` neighbours are read at once.
template <class T, int chunk>
TL_KERNEL_OF(kThreads, 4)
gemv_along(const Lines s, const Matrix<T> a, const Vector<T> x, int share, const Output<T> out) {
  using S = Sum<T>;
  constexpr int kWarps = kThreads / kWarp;
  TL_SHARED(S, warps, kWarps);
  int t = int(thread_index().x), warp = t / kWarp, lane = t % kWarp;
  int64_t part = block_index().z, batch = part / s.parts, first = (part - batch * s.parts) * s.depth;
  int64_t last = first + s.depth < s.k ? first + s.depth : s.k;
  int64_t index = share == 1 ? int64_t(block_index().x) * kWarps + warp : int64_t(block_index().x);
  S sum = S(0);
  if (index < a.lines) {
    const T* line = a.data + batch * a.batch_step + index * a.line_step;
    const T* v = x.data + batch * x.batch_step;
    int start = share == 1 ? lane : t;
    int64_t step = int64_t(share) * kWarp * chunk;
    TL_UNROLL_BY(4)
    for (int64_t k = first + start * chunk; k < last; k += step) {
      if constexpr (chunk > 1) {
        auto p = *reinterpret_cast<const Pack<T, chunk>*>(line + k);
        auto q = *reinterpret_cast<const Pack<T, chunk>*>(v + k);
        TL_UNROLL
        for (int i = 0; i < chunk; ++i) sum = S(sum + convert<S>(p.v[i]) * convert<S>(q.v[i]));
      } else {
        sum = S(sum + convert<S>(line[k * a.depth_step]) * convert<S>(v[k * x.step]));
      }
    }
  }
  for (int bits = kWarp / 2; bits; bits /= 2) sum = S(sum + shuffle_xor(sum, bits));
  if (share > 1) {
    if (lane == 0) warps[warp] = sum;
    sync_block();
    if (t != 0) return;
    for (int w = 1; w < kWarps; ++w) {
      S other = warps[w];
      sum = S(sum + other);
    }
  }
  if (lane == 0 && index < a.lines) {
    const S r[1] = {sum};
    out.template store<1>(part, batch, s.as_row ? 0 : index, s.as_row ? index : 0, r);
  }
}

// A warp takes 32 lines that lie side by side; the warps of a block take turns along the depth.
template <class T>
TL_KERNEL_OF(kThreads, 4)
gemv_across(const Lines s, const Matrix<T> a, const Vector<T> x, const Output<T> out) {
  using S = Sum<T>;
  constexpr int kWarps = kThreads / kWarp;
  TL_SHARED(S, sums, kThreads);
  int t = int(thread_index().x), warp = t / kWarp, lane = t % kWarp;
  int64_t part = block_index().z, batch = part / s.parts, first = (part - batch * s.parts) * s.depth;
  int64_t last = first + s.depth < s.k ? first + s.depth : s.k;
  int64_t index = int64_t(block_index().x) * kWarp + lane;
  S sum = S(0);
  if (index < a.lines) {
    const T* line = a.data + batch * a.batch_step + index * a.line_step;
    const T* v = x.data + batch * x.batch_step;
    TL_UNROLL_BY(4)
    for (int64_t k = first + warp; k < last; k += kWarps)
      sum = S(sum + convert<S>(line[k * a.depth_step]) * convert<S>(v[k * x.step]));
  }
  sums[t] = sum;
  sync_block();
  if (warp != 0 || index >= a.lines) return;
  for (int w = 1; w < kWarps; ++w) {
    S other = sums[w * kWarp + lane];
    sum = S(sum + other);
  }
  const S r[1] = {sum};
  out.template store<1>(part, batch, s.as_row ? 0 : index, s.as_row ? index : 0, r);
}

}  // namespace

template <class T>
void vector_product(const Product<T>& product) {
  const bool as_row = product.n != 1;  // m is 1
  const Matrix<T>& matrix = as_row ? product.b : product.a;
  const bool across = matrix.line_step == 1 && matrix.depth_step != 1 && matrix.lines > 1;
  const int share = !across && product.k >= 2048 && matrix.lines * product.batch < 4096 ? 8 : 1;
  const int64_t per_block = across ? kWarp : 8 / share;
  const int64_t blocks = (matrix.lines + per_block - 1) / per_block;
  Parts parts = parts_of(blocks * product.batch, product.k, share == 8 ? 8192 : 1024);
  in_parts(product, parts, [&](const Product<T>& p, Parts split) {
    const Matrix<T>& m = as_row ? p.b : p.a;
    const Matrix<T>& v = as_row ? p.a : p.b;
    Lines lines{p.k, split.count, split.count == 1 ? p.k : split.depth, as_row};
    Vector<T> x{v.data, v.depth_step, v.batch_step};
    LaunchConfig config{{uint32_t(blocks), 1, uint32_t(p.batch * split.count)}, {kThreads}, 0, p.stream};
    constexpr int kChunk = 16 / int(sizeof(T));
    if (across)
      launch(config, gemv_across<T>, lines, m, x, p.out);
    else if (kChunk > 1 && is_along(m, p.k) && is_along(v, p.k))
      launch(config, gemv_along<T, kChunk>, lines, m, x, share, p.out);
    else
      launch(config, gemv_along<T, 1>, lines, m, x, share, p.out);
  });
}

#define TL_CASE(S, tag) template void vector_product(const Product<S>&);
TL_STORED(TL_CASE)
#undef TL_CASE

}  // namespace tl::cuda
