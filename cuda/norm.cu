#include "kernels/norm.h"

#include "norm_passes.h"

// Rows that fit into the registers of a block are read once: mean, then squares around it, then the result. Longer ones
// are cut into parts (norm_passes.cu).

namespace tl::cuda {
namespace {

template <class A>
TL_DEVICE A reciprocal_root(A v) {
  if constexpr (sizeof(A) == 4)
    return 1.0f / ::sqrtf(v);
  else
    return 1.0 / ::sqrt(v);
}

// ---- rows in registers ----

constexpr int kForwardPacks = 4, kBackwardPacks = 2;  // of a thread
constexpr int kForwardThreads = 512, kBackwardThreads = 512;
constexpr int64_t kPartialRows = 264;  // blocks that add up the gradients of parameters

template <class T>
constexpr int64_t kForwardMost = int64_t(kPack<T>) * kForwardPacks * kForwardThreads;
template <class T>
constexpr int64_t kBackwardMost = int64_t(kPack<T>) * kBackwardPacks * kBackwardThreads;

// The sums over the lanes of each row; every lane gets the same bits.
template <int count, class A>
TL_DEVICE void row_sums(Shared<A> warps, A (&v)[count], int lanes) {
  int width = lanes < kWarp ? lanes : kWarp;
  TL_UNROLL
  for (int k = 0; k < count; ++k) v[k] = warp_sum(v[k], width);
  if (lanes <= kWarp) return;
  int t = int(thread_index().x), first = t / lanes * (lanes / kWarp);
  TL_UNROLL
  for (int k = 0; k < count; ++k)
    if (t % kWarp == 0) warps[k * kWarp + t / kWarp] = v[k];
  sync_block();
  TL_UNROLL
  for (int k = 0; k < count; ++k) {
    v[k] = warps[k * kWarp + first];
    for (int w = 1; w < lanes / kWarp; ++w) v[k] += warps[k * kWarp + first + w];
  }
  sync_block();
}

// Parameters of elements [i, i + N) of a row: one for each element, or one for `inner` of them.
struct ParameterWalk {
  int64_t groups, channels;
  int n, inner;
  Divisor by_inner;
  bool wide;

  TL_DEVICE int64_t first(int64_t row) const { return groups > 1 ? row % groups * channels : 0; }
  template <class A, int N>
  TL_DEVICE void load(A (&to)[N], const A* p, int i) const {
    if (inner == 1) return load_some(to, p, i, n, wide);
    int channel = int(by_inner(uint32_t(i))), left = (channel + 1) * inner - i;
    A v = i < n ? p[channel] : A(0);
    TL_UNROLL
    for (int k = 0; k < N; ++k) {
      if (left == 0) {
        ++channel, left = inner;
        if (i + k < n) v = p[channel];
      }
      --left;
      to[k] = v;
    }
  }
};

template <class T>
TL_KERNEL_OF(kForwardThreads, 1)
normalise_rows(const T* input, T* output, const Sum<T>* weight, const Sum<T>* bias, Sum<T>* means, Sum<T>* rstds,
               int64_t rows, Sum<T> eps, int log_lanes, bool wide, const ParameterWalk w) {
  using A = Sum<T>;
  constexpr int P = kPack<T>;
  TL_SHARED(A, warps, kWarp);
  int t = int(thread_index().x), lanes = 1 << log_lanes, lane = t & (lanes - 1), n = w.n;
  int64_t row = block_index().x * int64_t(block_size().x >> log_lanes) + (t >> log_lanes);
  bool inside = row < rows;
  const T* x = input + row * n;
  if (weight) weight += w.first(row);
  if (bias) bias += w.first(row);
  PackRead<T> kept[kForwardPacks];
  TL_UNROLL
  for (int j = 0; j < kForwardPacks; ++j) kept[j] = load_pack(x, (j * lanes + lane) * P, inside ? n : 0, wide);
  A sum[1] = {};
  TL_UNROLL
  for (int j = 0; j < kForwardPacks; ++j) TL_UNROLL
  for (int k = 0; k < P; ++k) sum[0] += convert<A>(kept[j][k]);
  row_sums<1, A>(warps, sum, lanes);
  A mean = sum[0] / A(n);
  sum[0] = 0;
  TL_UNROLL
  for (int j = 0; j < kForwardPacks; ++j) TL_UNROLL
  for (int k = 0; k < P; ++k) {
    A d = convert<A>(kept[j][k]) - mean;
    if ((j * lanes + lane) * P + k < n) sum[0] += d * d;
  }
  row_sums<1, A>(warps, sum, lanes);
  A rstd = reciprocal_root(sum[0] / A(n) + eps);
  if (!inside) return;
  if (lane == 0) means[row] = mean, rstds[row] = rstd;
  TL_UNROLL
  for (int j = 0; j < kForwardPacks; ++j) {
    int i = (j * lanes + lane) * P;
    A by[P], shift[P];
    if (weight) w.load(by, weight, i);
    if (bias) w.load(shift, bias, i);
    Pack<T, P> out;
    TL_UNROLL
    for (int k = 0; k < P; ++k) {
      A v = (convert<A>(kept[j][k]) - mean) * rstd;
      if (weight) v *= by[k];
      if (bias) v += shift[k];
      out.v[k] = convert<T>(v);
    }
    store_pack(output + row * n, i, n, wide, out);
  }
}

// One weight for each element. A block takes many rows and adds up the gradients of the parameters on its way; those
// of block b lie at partials[b * n].
template <class T>
TL_KERNEL_OF(kBackwardThreads, 1)
normalise_rows_backward(const T* grad, const T* input, const Sum<T>* weight, const Sum<T>* means, const Sum<T>* rstds,
                        T* result, GradSums<Sum<T>>* partials, int64_t rows, int n, int log_lanes, bool wide,
                        bool wide_weight) {
  using A = Sum<T>;
  constexpr int P = kPack<T>, J = kBackwardPacks;
  TL_SHARED(A, warps, 2 * kWarp);
  TL_SHARED(GradSums<A>, shared, kThreads * J * P / 2);
  int t = int(thread_index().x), lanes = 1 << log_lanes, lane = t & (lanes - 1), own = t >> log_lanes;
  int together = int(block_size().x) >> log_lanes;
  A w[J][P], of_weight[J][P] = {}, of_bias[J][P] = {};
  TL_UNROLL
  for (int j = 0; j < J; ++j) {
    if (weight) {
      load_some(w[j], weight, (j * lanes + lane) * P, n, wide_weight);
    } else {
      TL_UNROLL
      for (int k = 0; k < P; ++k) w[j][k] = A(1);
    }
  }
  for (int64_t base = block_index().x * int64_t(together); base < rows; base += grid_size().x * int64_t(together)) {
    int64_t row = base + own;
    bool inside = row < rows;
    A mean = inside ? means[row] : A(0), rstd = inside ? rstds[row] : A(0);
    PackRead<T> g[J], x[J];
    TL_UNROLL
    for (int j = 0; j < J; ++j) {
      int i = (j * lanes + lane) * P;
      g[j] = load_pack(grad + row * n, i, inside ? n : 0, wide);
      x[j] = load_pack(input + row * n, i, inside ? n : 0, wide);
    }
    A sums[2] = {};
    TL_UNROLL
    for (int j = 0; j < J; ++j) TL_UNROLL
    for (int k = 0; k < P; ++k) {
      A gi = convert<A>(g[j][k]), d = convert<A>(x[j][k]) - mean;
      of_bias[j][k] += gi;  // zero beyond the end
      of_weight[j][k] += gi * (d * rstd);
      sums[0] += gi * w[j][k];
      sums[1] += gi * w[j][k] * d;
    }
    row_sums<2, A>(warps, sums, lanes);
    if (!result) continue;
    A shift = sums[0] / A(n), slope = sums[1] * rstd * rstd / A(n);
    TL_UNROLL
    for (int j = 0; j < J; ++j) {
      Pack<T, P> out;
      TL_UNROLL
      for (int k = 0; k < P; ++k) {
        A v = convert<A>(g[j][k]) * w[j][k] - shift - (convert<A>(x[j][k]) - mean) * slope;
        out.v[k] = convert<T>(v * rstd);
      }
      store_pack(result + row * n, (j * lanes + lane) * P, inside ? n : 0, wide, out);
    }
  }
  if (!partials) return;
  // The rows that the block took at a time, one after the other.
  for (int turn = 1; turn < together; ++turn) {
    if (own == turn) {
      TL_UNROLL
      for (int j = 0; j < J; ++j) TL_UNROLL
      for (int k = 0; k < P; ++k) shared[(j * P + k) * lanes + lane] = GradSums<A>{of_bias[j][k], of_weight[j][k]};
    }
    sync_block();
    if (own == 0) {
      TL_UNROLL
      for (int j = 0; j < J; ++j) TL_UNROLL
      for (int k = 0; k < P; ++k) {
        GradSums<A> other = shared[(j * P + k) * lanes + lane];
        of_bias[j][k] += other.sum, of_weight[j][k] += other.dot;
      }
    }
    sync_block();
  }
  if (own != 0) return;
  TL_UNROLL
  for (int j = 0; j < J; ++j) TL_UNROLL
  for (int k = 0; k < P; ++k) {
    int i = (j * lanes + lane) * P + k;
    if (i < n) partials[block_index().x * int64_t(n) + i] = {of_bias[j][k], of_weight[j][k]};
  }
}

// Gradients of parameters from those of `count` blocks, of elements `part_step` apart; a warp's lanes take neighbouring
// elements, its block's warps every eighth part.
template <class A>
TL_KERNEL_OF(kThreads, 1)
sum_parameters(const GradSums<A>* partials, int64_t count, int64_t n, A* grad_weight, A* grad_bias) {
  TL_SHARED(GradSums<A>, shared, kThreads);
  int t = int(thread_index().x), warp = t / kWarp;
  int64_t i = block_index().x * int64_t(kWarp) + t % kWarp;
  GradSums<A> total{A(0), A(0)};
  if (i < n)
    for (int64_t p = warp; p < count; p += kThreads / kWarp) {
      GradSums<A> v = partials[p * n + i];
      total.sum += v.sum, total.dot += v.dot;
    }
  shared[t] = total;
  sync_block();
  if (warp != 0 || i >= n) return;
  for (int k = 1; k < kThreads / kWarp; ++k) {
    GradSums<A> v = shared[k * kWarp + t];
    total.sum += v.sum, total.dot += v.dot;
  }
  if (grad_weight) grad_weight[i] = total.dot;
  if (grad_bias) grad_bias[i] = total.sum;
}

// ---- long rows and channels in parts: what follows from the partial results ----

template <class A>
TL_DEVICE Moments<A> all_moments(const Moments<A>* partials, int64_t count) {
  Moments<A> total{A(0), A(0), A(0)};
  auto join = [](Moments<A> a, Moments<A> b) -> Moments<A> {  // Chan, Golub and LeVeque (1979)
    if (a.n == A(0)) return b;
    if (b.n == A(0)) return a;
    A n = a.n + b.n, delta = b.mean - a.mean, part = b.n / n;
    return {n, a.mean + delta * part, a.squares + b.squares + delta * delta * a.n * part};
  };
  for (int64_t p = lane_index(); p < count; p += kWarp) total = join(total, partials[p]);
  for (int bits = kWarp / 2; bits; bits /= 2) {
    Moments<A> other{shuffle_xor(total.n, bits), shuffle_xor(total.mean, bits), shuffle_xor(total.squares, bits)};
    total = join(total, other);
  }
  if (total.n == A(0)) total.mean = A(__builtin_nan(""));
  return total;
}
TL_DEVICE int64_t warp_of_grid() { return global_index() / kWarp; }
Dim3 warps(int64_t n) { return {uint32_t((n + kThreads / kWarp - 1) / (kThreads / kWarp))}; }

// A warp for each channel. Running statistics are those of batch norm.
template <class A>
TL_KERNEL_OF(kThreads, 1)
finish_moments(const Moments<A>* partials, int64_t channels, int64_t parts, A eps, A momentum, A* mean, A* rstd,
               A* running_mean, A* running_var) {
  int64_t c = warp_of_grid();
  if (c >= channels) return;
  Moments<A> m = all_moments(partials + c * parts, parts);
  if (lane_index() != 0) return;
  mean[c] = m.mean;
  rstd[c] = reciprocal_root(m.squares / m.n + eps);
  if (running_mean) running_mean[c] = momentum * m.mean + (A(1) - momentum) * running_mean[c];
  if (running_var) running_var[c] = momentum * (m.squares / (m.n - A(1))) + (A(1) - momentum) * running_var[c];
}

template <class A>
TL_KERNEL_OF(kThreads, 1)
use_running(const A* running_mean, const A* running_var, int64_t channels, A eps, A* mean, A* rstd) {
  for (int64_t c = global_index(); c < channels; c += global_size())
    mean[c] = running_mean[c], rstd[c] = reciprocal_root(running_var[c] + eps);
}

// What the gradient of the input needs of each row of `channels` channels (a warp for each): its means.
template <class A>
TL_KERNEL_OF(kThreads, 1)
finish_rows(const GradSums<A>* partials, int64_t rows, int64_t groups, int64_t channels, const Divide parts, A count,
            const A* weight, const A* rstd, A* shift, A* slope) {
  int64_t row = warp_of_grid(), entries = channels * parts.value;
  if (row >= rows) return;
  const A* w = weight ? weight + row % groups * channels : nullptr;
  A sum = 0, dot = 0;
  for (int64_t e = lane_index(); e < entries; e += kWarp) {
    GradSums<A> v = partials[row * entries + e];
    A by = w ? w[parts(e)] : A(1);
    sum += v.sum * by, dot += v.dot * by;
  }
  sum = warp_sum(sum), dot = warp_sum(dot);
  if (lane_index() == 0) shift[row] = sum / count, slope[row] = dot * rstd[row] * rstd[row] / count;
}

// Gradients of parameters: a warp for each channel, which lies once in each of `batch`. The dot of a channel is times
// the rstd of its statistics; of one that lies only once, shift and slope are what batch norm wants.
template <class A>
TL_KERNEL_OF(kThreads, 1)
finish_channels(const GradSums<A>* partials, int64_t batch, int64_t channels, const Divide parts,
                const Divide channels_per_stat, const A* rstd, A* grad_weight, A* grad_bias, A* shift, A* slope,
                A count) {
  int64_t c = warp_of_grid();
  if (c >= channels) return;
  A sum = 0, dot = 0;
  for (int64_t e = lane_index(); e < batch * parts.value; e += kWarp) {
    int64_t sample = parts(e), at = sample * channels + c;
    GradSums<A> v = partials[at * parts.value + e - sample * parts.value];
    sum += v.sum, dot += rstd ? v.dot * rstd[channels_per_stat(at)] : v.dot;
  }
  sum = warp_sum(sum), dot = warp_sum(dot);
  if (lane_index() != 0) return;
  if (grad_weight) grad_weight[c] = dot;
  if (grad_bias) grad_bias[c] = sum;
  if (shift) shift[c] = count > A(0) ? sum / count : A(0), slope[c] = count > A(0) ? dot * rstd[c] / count : A(0);
}

// ---- the entries ----

template <class T>
ParameterWalk walk_of(int64_t groups, int64_t channels, int64_t inner, const void* weight, const void* bias) {
  bool wide = channels % kPack<T> == 0 && is_aligned(weight) && is_aligned(bias);
  return {groups, channels, int(channels * inner), int(inner), Divisor(uint32_t(inner ? inner : 1)), wide};
}

template <class T>
void rows_of(const RowNormArgs& a) {
  using A = Sum<T>;
  Launcher l = Launcher::of(a.output);
  auto* x = static_cast<const T*>(a.input);
  auto* y = static_cast<T*>(a.output);
  auto *w = static_cast<const A*>(a.weight), *b = static_cast<const A*>(a.bias);
  auto *mean = static_cast<A*>(a.mean), *rstd = static_cast<A*>(a.rstd);
  int64_t n = a.channels * a.inner;
  if (n <= kForwardMost<T>) {
    RowBlock block(n, kPack<T> * kForwardPacks);
    int64_t grid = (a.rows + block.rows() - 1) / block.rows();
    launch({{uint32_t(grid)}, {uint32_t(block.threads)}, 0, l.stream}, normalise_rows<T>, x, y, w, b, mean, rstd,
           a.rows, A(a.eps), block.log_lanes, n % kPack<T> == 0 && is_aligned(x) && is_aligned(y),
           walk_of<T>(a.groups, a.channels, a.inner, w, b));
    return;
  }
  Planes rows{1, a.rows, n};
  Parts<Moments<A>> parts(a.rows, parts_of(rows, kPack<T>), l);
  moments<T>(l, rows, x, parts);
  launch({warps(a.rows), {kThreads}, 0, l.stream}, finish_moments<A>,
         static_cast<const Moments<A>*>(parts.memory.data()), a.rows, parts.count, A(a.eps), A(0), mean, rstd,
         static_cast<A*>(nullptr), static_cast<A*>(nullptr));
  Scaling<A> s{mean, rstd, w, b};
  if (a.groups == 1 && a.inner == 1)
    scale<T>(l, Columns{a.rows, n}, true, x, y, s);
  else
    scale<T>(l, Planes{a.rows / a.groups, a.groups * a.channels, a.inner}, a.channels, x, y, s);
}

template <class T>
void sum_rows_parameters(const Launcher& l, const GradSums<Sum<T>>* partials, int64_t count, int64_t n,
                         Sum<T>* grad_weight, Sum<T>* grad_bias) {
  launch({{uint32_t((n + kWarp - 1) / kWarp)}, {kThreads}, 0, l.stream}, sum_parameters<Sum<T>>, partials, count, n,
         grad_weight, grad_bias);
}

template <class T>
void layer_backward(const RowNormBackwardArgs& a, const Launcher& l) {
  using A = Sum<T>;
  auto *g = static_cast<const T*>(a.grad), *x = static_cast<const T*>(a.input);
  auto* d = static_cast<T*>(a.grad_input);
  auto *w = static_cast<const A*>(a.weight), *mean = static_cast<const A*>(a.mean),
       *rstd = static_cast<const A*>(a.rstd);
  auto *gw = static_cast<A*>(a.grad_weight), *gb = static_cast<A*>(a.grad_bias);
  int64_t n = a.channels;
  bool parameters = gw || gb;
  if (n == 0 || (a.rows == 0 && !parameters)) return;
  if (n <= kBackwardMost<T>) {
    RowBlock block(n, kPack<T> * kBackwardPacks);
    int64_t grid = (a.rows + block.rows() - 1) / block.rows();
    // Long rows in fewer blocks, as each leaves sums of a row's length.
    int64_t most = kPartialRows * (block.threads > kThreads ? 1 : 2), wanted = (grid + 1) / 2;
    if (parameters) grid = wanted < 1 ? 1 : wanted < most ? wanted : most;
    WorkArray<GradSums<A>> partials(l, parameters ? grid * n : 0);
    launch({{uint32_t(grid)}, {uint32_t(block.threads)}, 0, l.stream}, normalise_rows_backward<T>, g, x, w, mean, rstd,
           d, parameters ? partials.data() : nullptr, a.rows, int(n), block.log_lanes,
           n % kPack<T> == 0 && is_aligned(g) && is_aligned(x) && is_aligned(d), n % kPack<T> == 0 && is_aligned(w));
    if (parameters) sum_rows_parameters<T>(l, partials.data(), grid, n, gw, gb);
    return;
  }
  if (d) {
    Planes rows{1, a.rows, n};
    Parts<GradSums<A>> parts(a.rows, parts_of(rows, kPack<T>), l);
    grad_sums<T>(l, rows, g, x, mean, 1, w, parts);
    WorkArray<A> means(l, 2 * a.rows);
    launch({warps(a.rows), {kThreads}, 0, l.stream}, finish_rows<A>,
           static_cast<const GradSums<A>*>(parts.memory.data()), a.rows, int64_t(1), int64_t(1),
           Divide(parts.count, parts.count), A(n), static_cast<const A*>(nullptr), rstd, means.data(),
           means.data() + a.rows);
    scale_grad<T>(l, Columns{a.rows, n}, true, g, x, d,
                  GradScaling<A>{mean, rstd, w, means.data(), means.data() + a.rows});
  }
  if (!parameters) return;
  Columns columns{a.rows, n};
  Parts<GradSums<A>> parts(n, parts_of(columns, kPack<T>), l);
  grad_sums<T>(l, columns, g, x, mean, rstd, parts);
  launch({warps(n), {kThreads}, 0, l.stream}, finish_channels<A>, static_cast<const GradSums<A>*>(parts.memory.data()),
         int64_t(1), n, Divide(parts.count, parts.count), Divide(1, n), static_cast<const A*>(nullptr), gw, gb,
         static_cast<A*>(nullptr), static_cast<A*>(nullptr), A(0));
}

template <class T>
void group_backward(const RowNormBackwardArgs& a, const Launcher& l) {
  using A = Sum<T>;
  auto *g = static_cast<const T*>(a.grad), *x = static_cast<const T*>(a.input);
  auto *w = static_cast<const A*>(a.weight), *mean = static_cast<const A*>(a.mean),
       *rstd = static_cast<const A*>(a.rstd);
  int64_t batch = a.rows / a.groups, channels = a.groups * a.channels;
  Planes planes{1, batch * channels, a.inner};
  Parts<GradSums<A>> parts(planes.channels, parts_of(planes, kPack<T>), l);
  grad_sums<T>(l, planes, g, x, mean, a.channels, static_cast<const A*>(nullptr), parts);
  const GradSums<A>* partials = parts.memory.data();
  if (a.grad_weight || a.grad_bias)
    launch({warps(channels), {kThreads}, 0, l.stream}, finish_channels<A>, partials, batch, channels,
           Divide(parts.count, batch * parts.count), Divide(a.channels, planes.channels), rstd,
           static_cast<A*>(a.grad_weight), static_cast<A*>(a.grad_bias), static_cast<A*>(nullptr),
           static_cast<A*>(nullptr), A(0));
  if (!a.grad_input || a.rows == 0) return;
  WorkArray<A> means(l, 2 * a.rows);
  launch({warps(a.rows), {kThreads}, 0, l.stream}, finish_rows<A>, partials, a.rows, a.groups, a.channels,
         Divide(parts.count, a.channels * parts.count), A(a.channels * a.inner), w, rstd, means.data(),
         means.data() + a.rows);
  scale_grad<T>(l, Planes{batch, channels, a.inner}, a.channels, g, x, static_cast<T*>(a.grad_input),
                GradScaling<A>{mean, rstd, w, means.data(), means.data() + a.rows});
}

template <class T>
void batch_of(const BatchNormArgs& a) {
  using A = Sum<T>;
  Launcher l = Launcher::of(a.mean);
  auto* x = static_cast<const T*>(a.input);
  auto* y = static_cast<T*>(a.output);
  auto *mean = static_cast<A*>(a.mean), *rstd = static_cast<A*>(a.invstd);
  auto *running_mean = static_cast<A*>(a.running_mean), *running_var = static_cast<A*>(a.running_var);
  if (a.channels == 0) return;
  Planes planes{a.batch, a.channels, a.inner};
  Columns columns{a.batch * a.inner, a.channels};
  if (!a.training) {
    launch({{blocks_for(a.channels, kThreads)}, {kThreads}, 0, l.stream}, use_running<A>,
           static_cast<const A*>(running_mean), static_cast<const A*>(running_var), a.channels, A(a.eps), mean, rstd);
  } else {
    int64_t pack = kPack<T>, count = a.channels_last ? parts_of(columns, pack) : parts_of(planes, pack);
    Parts<Moments<A>> parts(a.channels, count, l);
    if (a.channels_last)
      moments<T>(l, columns, x, parts);
    else
      moments<T>(l, planes, x, parts);
    launch({warps(a.channels), {kThreads}, 0, l.stream}, finish_moments<A>,
           static_cast<const Moments<A>*>(parts.memory.data()), a.channels, count, A(a.eps), A(a.momentum), mean, rstd,
           running_mean, running_var);
  }
  Scaling<A> s{mean, rstd, static_cast<const A*>(a.weight), static_cast<const A*>(a.bias)};
  if (a.channels_last)
    scale<T>(l, columns, false, x, y, s);
  else
    scale<T>(l, planes, 0, x, y, s);
}

template <class T>
void batch_backward_of(const BatchNormBackwardArgs& a) {
  using A = Sum<T>;
  Launcher l = Launcher::of(a.mean);
  auto *g = static_cast<const T*>(a.grad), *x = static_cast<const T*>(a.input);
  auto *mean = static_cast<const A*>(a.mean), *rstd = static_cast<const A*>(a.invstd);
  if (a.channels == 0) return;
  Planes planes{a.batch, a.channels, a.inner};
  Columns columns{a.batch * a.inner, a.channels};
  int64_t pack = kPack<T>, count = a.channels_last ? parts_of(columns, pack) : parts_of(planes, pack);
  Parts<GradSums<A>> parts(a.channels, count, l);
  if (a.channels_last)
    grad_sums<T>(l, columns, g, x, mean, nullptr, parts);
  else
    grad_sums<T>(l, planes, g, x, mean, 1, nullptr, parts);
  WorkArray<A> means(l, 2 * a.channels);
  A *shift = means.data(), *slope = means.data() + a.channels;
  launch({warps(a.channels), {kThreads}, 0, l.stream}, finish_channels<A>,
         static_cast<const GradSums<A>*>(parts.memory.data()), int64_t(1), a.channels, Divide(count, count),
         Divide(1, a.channels), rstd, static_cast<A*>(a.grad_weight), static_cast<A*>(a.grad_bias), shift, slope,
         a.training ? A(columns.rows) : A(0));
  if (!a.grad_input) return;
  GradScaling<A> s{mean, rstd, static_cast<const A*>(a.weight), shift, slope};
  if (a.channels_last)
    scale_grad<T>(l, columns, false, g, x, static_cast<T*>(a.grad_input), s);
  else
    scale_grad<T>(l, planes, 0, g, x, static_cast<T*>(a.grad_input), s);
}

void rows(const RowNormArgs& a) {
  with_floating(a.dtype, [&](auto t) { rows_of<decltype(t)>(a); });
}
void rows_backward(const RowNormBackwardArgs& a) {
  Launcher l = Launcher::of(a.grad_input ? a.grad_input : a.mean);
  with_floating(a.dtype, [&](auto t) {
    if (a.inner == 1 && a.groups == 1)
      layer_backward<decltype(t)>(a, l);
    else
      group_backward<decltype(t)>(a, l);
  });
}
void batch(const BatchNormArgs& a) {
  with_floating(a.dtype, [&](auto t) { batch_of<decltype(t)>(a); });
}
void batch_backward(const BatchNormBackwardArgs& a) {
  with_floating(a.dtype, [&](auto t) { batch_backward_of<decltype(t)>(a); });
}

[[maybe_unused]] const bool filled = [] {
  norm_kernels[int(DeviceType::CUDA)] = {rows, rows_backward, batch, batch_backward};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
