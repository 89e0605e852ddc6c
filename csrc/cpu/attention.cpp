#include "kernels/attention.h"

#include "core/allocator.h"
#include "core/parallel.h"
#include "cpu/block_product.h"
#include "cpu/lanes.h"

// Attention by tiles with an online softmax (Milakov and Gimelshein 2018; Dao et al. 2022): the scores of kQueries
// queries and kKeys keys are all that exists of the square matrix at a time. The backward recomputes them from the
// logarithm of each row's sum.

namespace tl::cpu::TL_ISA {
namespace {

constexpr int64_t kQueries = 64, kKeys = 128;

template <class A>
class Buffer {
 public:
  explicit Buffer(int64_t n) : bytes_(size_t(n) * sizeof(A)) {
    data_ = static_cast<A*>(allocator(DeviceType::CPU).allocate(bytes_, Device{}));
  }
  ~Buffer() { allocator(DeviceType::CPU).free(data_, bytes_, Device{}); }
  Buffer(const Buffer&) = delete;
  A* take(int64_t n) {
    A* p = data_ + used_;
    used_ += n;
    return p;
  }

 private:
  size_t bytes_;
  A* data_;
  int64_t used_ = 0;
};

// Rows as the products read them.
template <class A>
struct View {
  const A* data;
  int64_t row;
};
template <class T>
const T* rows_at(const HeadRows& r, int64_t batch, int64_t head, int64_t row) {
  return static_cast<const T*>(r.data) + batch * r.stride[0] + head * r.stride[1] + row * r.stride[2];
}
// In place, or widened into `buffer`.
template <class T, class A = Acc<T>>
View<A> view(const T* rows, int64_t stride, int64_t n, int64_t width, A* buffer) {
  if constexpr (sizeof(T) == sizeof(A)) {
    return {rows, stride};
  } else {
    for (int64_t i = 0; i < n; ++i)
      each<A>(width, [&](int64_t j, auto part) {
        store_n(buffer + i * width + j, load_n(rows + i * stride + j, part, A(0)), part);
      });
    return {buffer, width};
  }
}
template <class T>
constexpr bool kWidened = sizeof(T) != sizeof(Acc<T>);

template <class A>
void product(int64_t m, int64_t n, int64_t k, const A* a, int64_t a_row, int64_t a_col, const A* b, int64_t b_row,
             int64_t b_col, A* c, int64_t c_row, A alpha, bool add) {
  block_product(BlockProduct<A>{m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, alpha, add});
}

// Keys that queries up to `query` may look at.
inline int64_t visible(const AttentionArgs& a, int64_t query) { return a.causal ? smaller(a.keys, query + 1) : a.keys; }

// Scores of queries [i0, i0 + m) and keys [j0, j0 + n), minus infinity where masked.
template <class A>
void scores(const AttentionArgs& a, int64_t batch, int64_t head, View<A> q, View<A> k, int64_t i0, int64_t m,
            int64_t j0, int64_t n, A* s) {
  product<A>(m, n, a.width, q.data, q.row, 1, k.data, 1, k.row, s, kKeys, A(a.scale), false);
  for (int64_t i = 0; i < m; ++i) {
    A* row = s + i * kKeys;
    if (a.mask_kind != AttentionMask::None) {
      const int64_t at =
          batch * a.mask_stride[0] + head * a.mask_stride[1] + (i0 + i) * a.mask_stride[2] + j0 * a.mask_stride[3];
      const int64_t step = a.mask_stride[3];
      if (a.mask_kind == AttentionMask::Bool) {
        const bool* mask = static_cast<const bool*>(a.mask) + at;
        for (int64_t j = 0; j < n; ++j) row[j] = mask[j * step] ? row[j] : -infinity<A>();
      } else {
        const A* mask = static_cast<const A*>(a.mask) + at;
        for (int64_t j = 0; j < n; ++j) row[j] += mask[j * step];
      }
    }
    for (int64_t j = larger(0, visible(a, i0 + i) - j0); j < n; ++j) row[j] = -infinity<A>();
  }
}

template <class T>
void forward(const AttentionArgs& a) {
  using A = Acc<T>;
  const int64_t blocks = (a.queries + kQueries - 1) / kQueries, ev = a.value_width;
  auto run = [&](int64_t begin, int64_t end) {
    Buffer<A> buffer(kQueries * (kKeys + ev) + kLanes<A> +
                     (kWidened<T> ? (kQueries + kKeys) * a.width + kKeys * ev : 0));
    A *s = buffer.take(kQueries * kKeys), *out = buffer.take(kQueries * ev);
    A *wide_q = nullptr, *wide_k = nullptr, *wide_v = nullptr;
    if (kWidened<T>)
      wide_q = buffer.take(kQueries * a.width), wide_k = buffer.take(kKeys * a.width), wide_v = buffer.take(kKeys * ev);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t i0 = task % blocks * kQueries, head = task / blocks % a.heads, batch = task / blocks / a.heads;
      const int64_t kv = head / (a.heads / a.kv_heads), m = smaller(kQueries, a.queries - i0);
      const View<A> q = view<T>(rows_at<T>(a.query, batch, head, i0), a.query.stride[2], m, a.width, wide_q);
      A top[kQueries], sum[kQueries];
      for (int64_t i = 0; i < m; ++i) top[i] = -infinity<A>(), sum[i] = 0;
      for (int64_t i = 0; i < m * ev; ++i) out[i] = 0;
      const int64_t keys = visible(a, i0 + m - 1);
      for (int64_t j0 = 0; j0 < keys; j0 += kKeys) {
        const int64_t n = smaller(kKeys, keys - j0);
        const View<A> k = view<T>(rows_at<T>(a.key, batch, kv, j0), a.key.stride[2], n, a.width, wide_k);
        const View<A> v = view<T>(rows_at<T>(a.value, batch, kv, j0), a.value.stride[2], n, ev, wide_v);
        scores<A>(a, batch, head, q, k, i0, m, j0, n, s);
        for (int64_t i = 0; i < m; ++i) {
          A* row = s + i * kKeys;
          Lanes<A> most = splat(top[i]), total{};
          each<A>(n, [&](int64_t j, auto part) { most = larger(load_n(row + j, part, -infinity<A>()), most); });
          const A now = max_lanes<A>(most), at = now == -infinity<A>() ? A(0) : now;
          each<A>(n, [&](int64_t j, auto part) {
            const Lanes<A> e = exp(load_n(row + j, part, -infinity<A>()) - splat(at));
            store_n(row + j, e, part);
            total += e;
          });
          const A keep = exp(splat(top[i] - at))[0];
          sum[i] = sum[i] * keep + sum_lanes<A>(total);
          top[i] = now;
          if (keep != A(1))
            each<A>(ev, [&](int64_t j, auto part) {
              A* o = out + i * ev + j;
              store_n(o, load_n(o, part, A(0)) * splat(keep), part);
            });
        }
        product<A>(m, ev, n, s, kKeys, 1, v.data, v.row, 1, out, ev, A(1), true);
      }
      A* log_sum = static_cast<A*>(a.log_sum) + (batch * a.heads + head) * a.queries + i0;
      for (int64_t i = 0; i < m; ++i) {
        T* to = const_cast<T*>(rows_at<T>(a.output, batch, head, i0 + i));
        const Lanes<A> scale = splat(sum[i] == A(0) ? A(0) : A(1) / sum[i]);
        each<A>(ev, [&](int64_t j, auto part) { store_n(to + j, load_n(out + i * ev + j, part, A(0)) * scale, part); });
        log_sum[i] = sum[i] == A(0) ? infinity<A>() : top[i] + log_one(sum[i]);
      }
    }
  };
  parallel_for(a.batch * a.heads * blocks, larger(1, 100000 / larger(1, kQueries * a.keys * (a.width + ev))), run);
}

// One batch and key head at a time, so that the gradients of keys and values are added up in one order.
template <class T>
void backward(const AttentionBackwardArgs& b) {
  using A = Acc<T>;
  const AttentionArgs& a = b.forward;
  const int64_t e = a.width, ev = a.value_width, group = a.heads / a.kv_heads;
  auto run = [&](int64_t begin, int64_t end) {
    Buffer<A> buffer(kQueries * (2 * kKeys + e) + kLanes<A> + a.keys * (e + ev) +
                     (kWidened<T> ? (kQueries + a.keys) * (e + ev) : 0));
    A *s = buffer.take(kQueries * kKeys), *d = buffer.take(kQueries * kKeys), *grad_q = buffer.take(kQueries * e);
    A *grad_k = buffer.take(a.keys * e), *grad_v = buffer.take(a.keys * ev);
    A *wide_q = nullptr, *wide_g = nullptr, *wide_k = nullptr, *wide_v = nullptr;
    if (kWidened<T>)
      wide_q = buffer.take(kQueries * e), wide_g = buffer.take(kQueries * ev), wide_k = buffer.take(a.keys * e),
      wide_v = buffer.take(a.keys * ev);
    auto put = [](const HeadRows& to, int64_t batch, int64_t head, int64_t first, int64_t n, int64_t width,
                  const A* from) {
      for (int64_t i = 0; i < n; ++i) {
        T* row = const_cast<T*>(rows_at<T>(to, batch, head, first + i));
        each<A>(width, [&](int64_t j, auto part) { store_n(row + j, load_n(from + i * width + j, part, A(0)), part); });
      }
    };
    for (int64_t task = begin; task < end; ++task) {
      const int64_t kv = task % a.kv_heads, batch = task / a.kv_heads;
      const View<A> k = view<T>(rows_at<T>(a.key, batch, kv, 0), a.key.stride[2], a.keys, e, wide_k);
      const View<A> v = view<T>(rows_at<T>(a.value, batch, kv, 0), a.value.stride[2], a.keys, ev, wide_v);
      for (int64_t i = 0; i < a.keys * e; ++i) grad_k[i] = 0;
      for (int64_t i = 0; i < a.keys * ev; ++i) grad_v[i] = 0;
      for (int64_t head = kv * group; head < (kv + 1) * group; ++head)
        for (int64_t i0 = 0; i0 < a.queries; i0 += kQueries) {
          const int64_t m = smaller(kQueries, a.queries - i0);
          const View<A> q = view<T>(rows_at<T>(a.query, batch, head, i0), a.query.stride[2], m, e, wide_q);
          const View<A> g = view<T>(rows_at<T>(b.grad, batch, head, i0), b.grad.stride[2], m, ev, wide_g);
          const A* log_sum = static_cast<const A*>(a.log_sum) + (batch * a.heads + head) * a.queries + i0;
          A mean[kQueries];  // of the gradient of the weights, under the weights
          for (int64_t i = 0; i < m; ++i) {
            const T* out = rows_at<T>(a.output, batch, head, i0 + i);
            Lanes<A> total{};
            each<A>(ev, [&](int64_t j, auto part) {
              total = fma(load_n(out + j, part, A(0)), load_n(g.data + i * g.row + j, part, A(0)), total);
            });
            mean[i] = sum_lanes<A>(total);
          }
          for (int64_t i = 0; i < m * e; ++i) grad_q[i] = 0;
          const int64_t keys = visible(a, i0 + m - 1);
          for (int64_t j0 = 0; j0 < keys; j0 += kKeys) {
            const int64_t n = smaller(kKeys, keys - j0);
            const View<A> kj{k.data + j0 * k.row, k.row}, vj{v.data + j0 * v.row, v.row};
            scores<A>(a, batch, head, q, kj, i0, m, j0, n, s);
            for (int64_t i = 0; i < m; ++i)
              each<A>(n, [&](int64_t j, auto part) {
                A* p = s + i * kKeys + j;
                store_n(p, exp(load_n(p, part, A(0)) - splat(log_sum[i])), part);
              });
            product<A>(n, ev, m, s, 1, kKeys, g.data, g.row, 1, grad_v + j0 * ev, ev, A(1), true);
            product<A>(m, n, ev, g.data, g.row, 1, vj.data, 1, vj.row, d, kKeys, A(1), false);
            for (int64_t i = 0; i < m; ++i)
              each<A>(n, [&](int64_t j, auto part) {
                A* p = d + i * kKeys + j;
                const Lanes<A> w = load_n(s + i * kKeys + j, part, A(0));
                store_n(p, (load_n(p, part, A(0)) - splat(mean[i])) * w, part);
              });
            product<A>(m, e, n, d, kKeys, 1, kj.data, kj.row, 1, grad_q, e, A(a.scale), true);
            product<A>(n, e, m, d, 1, kKeys, q.data, q.row, 1, grad_k + j0 * e, e, A(a.scale), true);
          }
          put(b.grad_query, batch, head, i0, m, e, grad_q);
        }
      put(b.grad_key, batch, kv, 0, a.keys, e, grad_k);
      put(b.grad_value, batch, kv, 0, a.keys, ev, grad_v);
    }
  };
  parallel_for(a.batch * a.kv_heads, 1, run);
}

void attention_forward(const AttentionArgs& a) {
  with_floating(a.dtype, [&]<class T>() { forward<T>(a); });
}
void attention_backward(const AttentionBackwardArgs& a) {
  with_floating(a.forward.dtype, [&]<class T>() { backward<T>(a); });
}

}  // namespace

void fill_attention() { attention_kernels[int(DeviceType::CPU)] = {attention_forward, attention_backward}; }

}  // namespace tl::cpu::TL_ISA
