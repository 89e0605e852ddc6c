#pragma once

#include "core/parallel.h"
#include "cpu/gemm_pack.h"
#include "kernels/matmul.h"

// The blocked product: c = finish(a @ b) for one matrix on one thread, and its division among threads.

namespace tl::cpu::TL_ISA {

template <class T>
inline constexpr int64_t kKC = 2048 / int64_t(sizeof(T));  // inner block: a panel of a stays in the first cache
template <class T>
inline constexpr int64_t kNC = 4 * kNR<T>;  // columns of b that stay in the second cache
inline constexpr int64_t kMC = 1536;        // rows of a packed at once

// The whole problem in terms of elements S; c is computed as T and has unit column stride.
template <class S>
struct Problem {
  using T = Compute<S>;
  int64_t m, n, k;
  const S* a;
  int64_t a_row, a_col;
  const S* b;
  int64_t b_row, b_col;
  T* c;
  int64_t ldc;
  const T* d;
  Epilogue<T> epilogue;
  // When given, element (p, j) of b is b[b_rows[p] + b_columns[j]], and S is T.
  const int32_t* b_rows = nullptr;
  const int32_t* b_columns = nullptr;
};

// The inner dimension is cut by its length alone: the cuts decide how sums are rounded.
template <class T>
inline int64_t inner_block(int64_t k) {
  const int64_t pieces = (k + kKC<T> - 1) / kKC<T>;
  return pieces <= 1 ? k : round_up((k + pieces - 1) / pieces, 8);
}

template <class S>
void gemm_one_thread(const Problem<S>& q) {
  using T = Compute<S>;
  constexpr int NR = kNR<T>, W = kLanes<T>;
  constexpr bool same = __is_same(S, T), pairs = __is_same(S, BF16Pair);
  // Pairs that lie side by side are words.
  const bool words = pairs && q.a_col == 2 && q.a_row % 2 == 0 && reinterpret_cast<uintptr_t>(q.a) % 4 == 0;
  const int64_t kc = inner_block<T>(q.k);
  const bool pack_right = !same || q.b_rows || q.b_col != 1 || q.m > 8 * kMR || (!kMaskedLoads && q.n % W != 0);
  // The left operand is read where it lies for results of up to so many columns.
  const int64_t in_place = words || (same && q.a_col == 1) ? 16 * NR : same ? NR : 0;
  const bool pack_left = pack_right && q.n > in_place;
  const int64_t mc = least(q.m, kMC), nc = least(q.n, kNC<T>);
  const int64_t a_size = pack_left ? round_up(mc, kMR) * kc : 0;
  const int64_t b_size = pack_right ? round_up(nc, NR) * kc : 0;
  constexpr int64_t kStack = 16384 / sizeof(T);
  alignas(64) T stack[kStack];
  const bool small = a_size + b_size <= kStack;
  Scratch scratch(small ? 0 : (a_size + b_size) * int64_t(sizeof(T)));
  T* b_buffer = small ? stack : scratch.as<T>();
  T* a_buffer = b_buffer + b_size;

  int64_t rows[kMR];
  for (int i = 0; i < kMR; ++i) rows[i] = pairs ? i * q.a_row / 2 : i * q.a_row;
  const auto& packed = micro_table<T, (pairs ? kPackedPairs : kPackedPacked)>;
  const auto& half = micro_table<T, (pairs ? kRowsPairs : kRowsPacked)>;
  const MicroTable<T, kRowsDirect>* direct = nullptr;
  if constexpr (same) direct = &micro_table<T, kRowsDirect>;

  for (int64_t p0 = 0; p0 < q.k; p0 += kc) {
    const int64_t kb = least(kc, q.k - p0);
    Epilogue<T> e = q.epilogue;
    // Later pieces of the inner dimension add to what the first one left; alpha scales each.
    Epilogue<T> later = e;
    later.finish = e.alpha == T(1) ? Finish::Accumulate : Finish::General;
    later.beta = 1;
    later.d_row = q.ldc;
    later.d_col = 1;
    const bool first = p0 == 0;
    if (!first) e = later;
    if (p0 + kb < q.k) e.relu = false;
    for (int64_t i0 = 0; i0 < q.m; i0 += kMC) {
      const int64_t mb = least(kMC, q.m - i0);
      if (pack_left) pack_a<S>(mb, kb, q.a + i0 * q.a_row + p0 * q.a_col, q.a_row, q.a_col, a_buffer);
      for (int64_t j0 = 0; j0 < q.n; j0 += kNC<T>) {
        const int64_t nb = least(kNC<T>, q.n - j0);
        const S* b = q.b + p0 * q.b_row + j0 * q.b_col;
        if (!q.b_rows) {
          if (pack_right) pack_b<S>(kb, nb, b, q.b_row, q.b_col, b_buffer);
        } else if constexpr (same) {
          pack_gathered<S>(kb, nb, q.b, q.b_rows + p0, q.b_columns + j0, b_buffer);
        }
        TileArgs<T> t;
        t.k = kb;
        t.a_rows = rows;
        t.a_step = pairs ? 1 : q.a_col;
        t.b_step = q.b_row;
        t.b_offsets = nullptr;
        t.ldc = q.ldc;
        t.epilogue = &e;
        int r;
        const T* panel = a_buffer;
        for (int64_t i = 0; i < mb; i += r, panel += kMR * kb) {
          r = panel_rows(mb - i);
          if (pack_left) {
            t.a = panel;
          } else if constexpr (same || pairs) {
            t.a = reinterpret_cast<const T*>(q.a + (i0 + i) * q.a_row + p0 * q.a_col);
          }
          for (int64_t j = 0; j < nb; j += NR) {
            const int cols = int(least(NR, nb - j)), v = (cols + W - 1) / W;
            t.last = cols - (v - 1) * W;
            t.c = q.c + (i0 + i) * q.ldc + j0 + j;
            t.d = first ? q.d + (i0 + i) * e.d_row + (j0 + j) * e.d_col : t.c;
            if (pack_right) {
              t.b = b_buffer + j * kb;
              (pack_left ? packed.at : half.at)[r - 1][v - 1](t);
            } else if constexpr (same) {
              t.b = b + j;
              direct->at[r - 1][v - 1](t);
            }
          }
        }
      }
    }
  }
}

// How many pieces to cut rows and columns into for `tasks` threads: even pieces first, little repeated packing second.
template <class T>
inline void choose_grid(int64_t m, int64_t n, int64_t tasks, int64_t* rows, int64_t* cols) {
  const int64_t mp = (m + kMR - 1) / kMR, np = (n + kNR<T> - 1) / kNR<T>;
  double best = 1e300;
  *rows = *cols = 1;
  for (int64_t tm = 1; tm <= tasks; ++tm) {
    const int64_t tn = tasks / tm;
    if (tm > mp || tn > np) continue;
    const double mr = double((mp + tm - 1) / tm * kMR), nr = double((np + tn - 1) / tn * kNR<T>);
    const double cost = mr * nr / kLanes<T> + 0.5 * (mr + nr) + 0.25 * mr;
    if (cost < best) best = cost, *rows = tm, *cols = tn;
  }
}

// Multiply-adds below which a second thread costs more than it brings.
inline constexpr int64_t kParallelWork = 600000;

template <class S>
void gemm_parallel(const Problem<S>& q) {
  using T = Compute<S>;
  const int64_t work = q.m * q.n * q.k;
  const int threads = work < kParallelWork ? 1 : num_threads();
  if (threads == 1) return gemm_one_thread(q);
  // More pieces than threads when the work is large, so that a busy core does not hold up the others.
  const int64_t tasks = threads * (work > 200000000 ? 4 : 1);
  int64_t tm, tn;
  choose_grid<T>(q.m, q.n, tasks, &tm, &tn);
  if (tm * tn < threads) choose_grid<T>(q.m, q.n, threads, &tm, &tn);
  const int64_t mb = round_up((q.m + tm - 1) / tm, kMR), nb = round_up((q.n + tn - 1) / tn, kNR<T>);
  tm = (q.m + mb - 1) / mb, tn = (q.n + nb - 1) / nb;
  parallel_for(tm * tn, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t i = t / tn * mb, j = t % tn * nb;
      Problem<S> piece = q;
      piece.m = least(mb, q.m - i);
      piece.n = least(nb, q.n - j);
      piece.a += i * q.a_row;
      if (q.b_rows)
        piece.b_columns += j;
      else
        piece.b += j * q.b_col;
      piece.c += i * q.ldc + j;
      if (piece.d) piece.d += i * q.epilogue.d_row + j * q.epilogue.d_col;
      gemm_one_thread(piece);
    }
  });
}

}  // namespace tl::cpu::TL_ISA
