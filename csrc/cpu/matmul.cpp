#include "kernels/matmul.h"

#include "core/error.h"
#include "cpu/block_product.h"
#include "cpu/gemv.h"

namespace tl::cpu::TL_ISA {
namespace {

template <class S>
struct Coefficients {
  using T = Compute<S>;
  T alpha, beta;
  explicit Coefficients(const GemmArgs& g) {
    if constexpr (__is_same(T, float) || __is_same(T, double))
      alpha = T(g.alpha), beta = T(g.beta);
    else
      alpha = T(g.alpha_int), beta = T(g.beta_int);
  }
};

template <class S>
const S* at(const void* p, int64_t offset) {
  return static_cast<const S*>(p) + offset;
}

// c = beta * d, when there is nothing to multiply.
template <class S>
void scale_only(const GemmArgs& g) {
  using T = Compute<S>;
  const T beta = Coefficients<S>(g).beta;
  for (int64_t l = 0; l < g.batch; ++l)
    for (int64_t i = 0; i < g.m; ++i)
      for (int64_t j = 0; j < g.n; ++j) {
        T v = beta == T(0) ? T(0) : T(beta * widen(*at<S>(g.d, l * g.d_batch + i * g.d_row + j * g.d_col)));
        if (g.relu && v < T(0)) v = T(0);
        static_cast<S*>(g.c)[l * g.c_batch + i * g.c_row + j * g.c_col] = narrow<S>(v);
      }
}

template <class S>
Problem<S> problem(const GemmArgs& g, int64_t l) {
  using T = Compute<S>;
  Problem<S> q;
  q.m = g.m, q.n = g.n, q.k = g.k;
  q.a = at<S>(g.a, l * g.a_batch), q.a_row = g.a_row, q.a_col = g.a_col;
  q.b = at<S>(g.b, l * g.b_batch), q.b_row = g.b_row, q.b_col = g.b_col;
  const Coefficients<S> s(g);
  Epilogue<T>& e = q.epilogue;
  e.alpha = s.alpha, e.beta = s.beta, e.relu = g.relu;
  e.d_row = g.d_row, e.d_col = g.d_col;
  e.finish = s.beta == T(0) && s.alpha == T(1) ? Finish::Store : Finish::General;
  q.c = nullptr;
  q.ldc = 0;
  q.d = nullptr;
  return q;
}

// The result in storage type, from the sums in the type of computation.
template <class S>
void narrow_result(const GemmArgs& g, int64_t l, const Compute<S>* sums) {
  using T = Compute<S>;
  const Coefficients<S> s(g);
  S* c = static_cast<S*>(g.c) + l * g.c_batch;
  const S* d = at<S>(g.d, l * g.d_batch);
  parallel_for(g.m, most(1, 30000 / g.n), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* row = sums + i * g.n;
      if (s.beta == T(0) && !g.relu && g.c_col == 1) {
        S* dst = c + i * g.c_row;
        for (int64_t j = 0; j < g.n; ++j) dst[j] = narrow<S>(T(s.alpha * row[j]));
        continue;
      }
      for (int64_t j = 0; j < g.n; ++j) {
        T v = T(s.alpha * row[j]);
        if (s.beta != T(0)) v = T(v + s.beta * widen(d[i * g.d_row + j * g.d_col]));
        if (g.relu && v < T(0)) v = T(0);
        c[i * g.c_row + j * g.c_col] = narrow<S>(v);
      }
    }
  });
}

#if defined(TL_ISA_avx512)
bool has_bfloat16_products() {
  static const bool has = __builtin_cpu_supports("avx512bf16");
  return has;
}
#endif

template <class S>
void one_matrix(const GemmArgs& g, int64_t l, bool parallel) {
  using T = Compute<S>;
  Problem<S> q = problem<S>(g, l);
  if constexpr (__is_same(S, T)) {
    if (g.c_col == 1) {
      q.c = static_cast<T*>(g.c) + l * g.c_batch;
      q.ldc = g.c_row;
      q.d = q.epilogue.beta == T(0) ? nullptr : at<T>(g.d, l * g.d_batch);
      Epilogue<T>& e = q.epilogue;
      if (e.alpha == T(1) && e.beta == T(1) && e.d_col == 1) {
        if (q.d == q.c && e.d_row == q.ldc)
          e.finish = Finish::Accumulate;
        else if (e.d_row == 0)
          e.finish = Finish::ColumnBias;
      }
      return parallel ? gemm_parallel(q) : gemm_one_thread(q);
    }
  }
  Scratch sums(g.m * g.n * int64_t(sizeof(T)));
  q.c = sums.as<T>();
  q.ldc = g.n;
  q.epilogue = Epilogue<T>();
#if defined(TL_ISA_avx512)
  if constexpr (__is_same(S, BF16)) {
    if (has_bfloat16_products() && g.k % 2 == 0) {
      const auto* a = reinterpret_cast<const BF16Pair*>(q.a);
      const auto* b = reinterpret_cast<const BF16Pair*>(q.b);
      Problem<BF16Pair> pairs{q.m,         q.n,     q.k / 2, a,     q.a_row, q.a_col * 2, b,
                              q.b_row * 2, q.b_col, q.c,     q.ldc, nullptr, q.epilogue};
      parallel ? gemm_parallel(pairs) : gemm_one_thread(pairs);
      return narrow_result<S>(g, l, sums.as<T>());
    }
  }
#endif
  parallel ? gemm_parallel(q) : gemm_one_thread(q);
  narrow_result<S>(g, l, sums.as<T>());
}

// a @ x for every matrix of the batch; n is 1.
template <class T>
void matrix_vector(const GemmArgs& g) {
  for (int64_t l = 0; l < g.batch; ++l) {
    Problem<T> q = problem<T>(g, l);
    T* y = static_cast<T*>(g.c) + l * g.c_batch;
    const T* d = at<T>(g.d, l * g.d_batch);
    if (g.a_row == 1 && g.m > 1 && g.a_col != 1) {
      gemv_cols<T>(g.m, g.k, q.a, g.a_col, q.b, g.b_row, y, g.c_row, d, g.d_row, q.epilogue);
      continue;
    }
    // Rows (and x) that are not contiguous are gathered first.
    const bool gather_a = g.a_col != 1 && g.k > 1, gather_x = g.b_row != 1 && g.k > 1;
    constexpr int64_t kRows = 64;
    Scratch scratch((int64_t(gather_x) + (gather_a ? kRows : 0)) * g.k * int64_t(sizeof(T)));
    const T* x = q.b;
    if (gather_x) {
      T* dst = scratch.as<T>();
      for (int64_t p = 0; p < g.k; ++p) dst[p] = q.b[p * g.b_row];
      x = dst;
    }
    if (!gather_a) {
      gemv_rows<T>(g.m, g.k, q.a, g.a_row, x, y, g.c_row, d, g.d_row, q.epilogue);
      continue;
    }
    T* rows = scratch.as<T>() + (gather_x ? g.k : 0);
    for (int64_t i0 = 0; i0 < g.m; i0 += kRows) {
      const int64_t mb = least(kRows, g.m - i0);
      for (int64_t i = 0; i < mb; ++i)
        for (int64_t p = 0; p < g.k; ++p) rows[i * g.k + p] = q.a[(i0 + i) * g.a_row + p * g.a_col];
      gemv_rows<T>(mb, g.k, rows, g.k, x, y + i0 * g.c_row, g.c_row, d + i0 * g.d_row, g.d_row, q.epilogue);
    }
  }
}

template <class T>
void exchange_values(T& a, T& b) {
  T t = a;
  a = b;
  b = t;
}

// The transposed problem: c' = b' @ a'.
void flip(GemmArgs& g) {
  exchange_values(g.a, g.b);
  exchange_values(g.a_row, g.b_col);
  exchange_values(g.a_col, g.b_row);
  exchange_values(g.a_batch, g.b_batch);
  exchange_values(g.m, g.n);
  exchange_values(g.c_row, g.c_col);
  exchange_values(g.d_row, g.d_col);
}

template <class S>
void gemm_real(const GemmArgs& args) {
  if (args.k == 0) return scale_only<S>(args);
  GemmArgs g = args;
  // The stride of a dim of size one says nothing.
  if (g.m == 1) g.a_row = g.k, g.c_row = g.n;
  if (g.n == 1) g.b_col = g.b_row == 1 ? g.k : 1, g.c_col = 1;
  if (g.k == 1) g.a_col = 1;
  if constexpr (__is_same(S, float) || __is_same(S, double)) {
    if (g.n == 1 || g.m == 1) {
      if (g.n != 1) flip(g);
      const int64_t work = g.m * g.k;
      if (g.batch == 1 || work >= 60000) return matrix_vector<S>(g);
      parallel_for(g.batch, most(1, 60000 / most(1, work)), [&](int64_t begin, int64_t end) {
        GemmArgs piece = g;
        piece.batch = end - begin;
        piece.a = at<S>(g.a, begin * g.a_batch);
        piece.b = at<S>(g.b, begin * g.b_batch);
        piece.c = static_cast<S*>(g.c) + begin * g.c_batch;
        if (g.d) piece.d = at<S>(g.d, begin * g.d_batch);
        matrix_vector<S>(piece);
      });
      return;
    }
  }
  if (g.c_col != 1 && g.c_row == 1) flip(g);
  const int64_t work = g.m * g.n * g.k;
  if (g.batch == 1) return one_matrix<S>(g, 0, true);
  if (work > 30000000 || (work > kParallelWork && g.batch < num_threads())) {
    for (int64_t l = 0; l < g.batch; ++l) one_matrix<S>(g, l, true);
    return;
  }
  parallel_for(g.batch, most(1, kParallelWork / work), [&](int64_t begin, int64_t end) {
    for (int64_t l = begin; l < end; ++l) one_matrix<S>(g, l, false);
  });
}

template <class T>
struct Complex {
  T re, im;
};

template <class T>
Complex<T> times(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// Four real products of planes.
template <class T>
void gemm_complex(const GemmArgs& g) {
  using C = Complex<T>;
  const C alpha{T(g.alpha), T(g.alpha_imag)}, beta{T(g.beta), T(g.beta_imag)};
  const bool plain = alpha.re == 1 && alpha.im == 0, no_d = beta.re == 0 && beta.im == 0;
  const int64_t as = g.m * g.k, bs = g.k * g.n, cs = g.m * g.n;
  Scratch scratch(2 * (as + bs + cs) * int64_t(sizeof(T)));
  T *are = scratch.as<T>(), *aim = are + as, *bre = aim + as, *bim = bre + bs, *cre = bim + bs, *cim = cre + cs;
  for (int64_t l = 0; l < g.batch; ++l) {
    const C *a = at<C>(g.a, l * g.a_batch), *b = at<C>(g.b, l * g.b_batch), *d = at<C>(g.d, l * g.d_batch);
    C* c = static_cast<C*>(g.c) + l * g.c_batch;
    for (int64_t i = 0; i < g.m; ++i)
      for (int64_t p = 0; p < g.k; ++p) {
        const C v = a[i * g.a_row + p * g.a_col];
        are[i * g.k + p] = v.re, aim[i * g.k + p] = v.im;
      }
    for (int64_t p = 0; p < g.k; ++p)
      for (int64_t j = 0; j < g.n; ++j) {
        const C v = b[p * g.b_row + j * g.b_col];
        bre[p * g.n + j] = v.re, bim[p * g.n + j] = v.im;
      }
    auto product = [&](const T* x, const T* y, T* z, T sign, bool add) {
      Problem<T> q{g.m, g.n, g.k, x, g.k, 1, y, g.n, 1, z, g.n, z, {}};
      q.epilogue = {add || sign != 1 ? Finish::General : Finish::Store, false, sign, T(add), g.n, 1};
      if (g.k > 0) return gemm_parallel(q);
      for (int64_t i = 0; i < cs; ++i) z[i] = 0;
    };
    product(are, bre, cre, 1, false);
    product(aim, bim, cre, -1, true);
    product(are, bim, cim, 1, false);
    product(aim, bre, cim, 1, true);
    for (int64_t i = 0; i < g.m; ++i)
      for (int64_t j = 0; j < g.n; ++j) {
        C v{cre[i * g.n + j], cim[i * g.n + j]};
        if (!plain) v = times(alpha, v);
        if (!no_d) {
          const C w = times(beta, d[i * g.d_row + j * g.d_col]);
          v = {v.re + w.re, v.im + w.im};
        }
        c[i * g.c_row + j * g.c_col] = v;
      }
  }
}

void gemm(const GemmArgs& g) {
  if (g.m == 0 || g.n == 0 || g.batch == 0) return;
  switch (g.dtype) {
    case Dtype::Float32:
      return gemm_real<float>(g);
    case Dtype::Float64:
      return gemm_real<double>(g);
    case Dtype::Float16:
      return gemm_real<F16>(g);
    case Dtype::BFloat16:
      return gemm_real<BF16>(g);
    case Dtype::Int64:
      return gemm_real<uint64_t>(g);
    case Dtype::Int32:
      return gemm_real<uint32_t>(g);
    case Dtype::Int16:
      return gemm_real<uint16_t>(g);
    case Dtype::Bool:
    case Dtype::Int8:
    case Dtype::UInt8:
      return gemm_real<uint8_t>(g);
    case Dtype::Complex64:
      return gemm_complex<float>(g);
    case Dtype::Complex128:
      return gemm_complex<double>(g);
  }
}

template <class S>
void dot_real(const DotArgs& g) {
  using T = Compute<S>;
  const S *a = at<S>(g.a, 0), *b = at<S>(g.b, 0);
  T sum = 0;
  if constexpr (__is_same(S, T)) {
    if (g.n > 0 && g.a_step == 1 && g.b_step == 1) {
      *static_cast<S*>(g.result) = dot_contiguous<T>(g.n, a, b);
      return;
    }
  }
  constexpr int64_t kBlock = 1024;
  T x[kBlock], y[kBlock];
  for (int64_t p = 0; p < g.n; p += kBlock) {
    const int64_t n = least(kBlock, g.n - p);
    for (int64_t i = 0; i < n; ++i) x[i] = widen(a[(p + i) * g.a_step]), y[i] = widen(b[(p + i) * g.b_step]);
    sum = T(sum + dot_contiguous<T>(n, x, y));
  }
  *static_cast<S*>(g.result) = narrow<S>(sum);
}

template <class T>
void dot_complex(const DotArgs& g) {
  const Complex<T>*a = at<Complex<T>>(g.a, 0), *b = at<Complex<T>>(g.b, 0);
  constexpr int64_t kBlock = 1024;
  Complex<T> total{0, 0};
  for (int64_t p = 0; p < g.n; p += kBlock) {
    Complex<T> sum{0, 0};
    for (int64_t i = p; i < least(p + kBlock, g.n); ++i) {
      Complex<T> x = a[i * g.a_step];
      if (g.conjugate) x.im = -x.im;
      const Complex<T> v = times(x, b[i * g.b_step]);
      sum.re += v.re, sum.im += v.im;
    }
    total.re += sum.re, total.im += sum.im;
  }
  *static_cast<Complex<T>*>(g.result) = total;
}

void dot(const DotArgs& g) {
  switch (g.dtype) {
    case Dtype::Float32:
      return dot_real<float>(g);
    case Dtype::Float64:
      return dot_real<double>(g);
    case Dtype::Float16:
      return dot_real<F16>(g);
    case Dtype::BFloat16:
      return dot_real<BF16>(g);
    case Dtype::Int64:
      return dot_real<uint64_t>(g);
    case Dtype::Int32:
      return dot_real<uint32_t>(g);
    case Dtype::Int16:
      return dot_real<uint16_t>(g);
    case Dtype::Bool:
    case Dtype::Int8:
    case Dtype::UInt8:
      return dot_real<uint8_t>(g);
    case Dtype::Complex64:
      return dot_complex<float>(g);
    case Dtype::Complex128:
      return dot_complex<double>(g);
  }
}

}  // namespace

void fill_matmul();
void fill_matmul() { matmul_kernels[int(DeviceType::CPU)] = {gemm, dot}; }

template <class T>
static void product(const BlockProduct<T>& p) {
  Problem<T> q{p.m, p.n, p.k, p.a, p.a_row, p.a_col, p.b, p.b_row, p.b_col, p.c, p.c_row, p.add ? p.c : nullptr, {}};
  if (p.add && p.alpha == T(1))
    q.epilogue = {Finish::Accumulate, false, T(1), T(1), p.c_row, 1};
  else
    q.epilogue = {p.add || p.alpha != T(1) ? Finish::General : Finish::Store, false, p.alpha, T(p.add), p.c_row, 1};
  if (p.k > 0) return gemm_one_thread(q);
  for (int64_t i = 0; !p.add && i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) p.c[i * p.c_row + j] = 0;
}
void block_product(const BlockProduct<float>& p) { product(p); }
void block_product(const BlockProduct<double>& p) { product(p); }

}  // namespace tl::cpu::TL_ISA
