#include "kernels/sort.h"

#include "radix_sort.h"

namespace tl::cuda {
namespace {

// ---- lines that do not lie side by side ----

constexpr int kTile = 32;

// (outer, rows, columns) becomes (outer, columns, rows).
template <class W>
TL_KERNEL transpose_kernel(const W* in, W* out, int64_t outer, int64_t rows, int64_t columns) {
  TL_SHARED(W, tile, kTile * (kTile + 1));
  const int64_t across = (columns + kTile - 1) / kTile, down = (rows + kTile - 1) / kTile;
  const int x = int(thread_index().x) % kTile, y = int(thread_index().x) / kTile;
  for (int64_t task = block_index().x; task < outer * across * down; task += grid_size().x) {
    const int64_t o = task / (across * down), r = task / across % down * kTile, c = task % across * kTile;
    const int64_t base = o * rows * columns;
    for (int k = y; k < kTile; k += kThreads / kTile)
      if (r + k < rows && c + x < columns) tile[k * (kTile + 1) + x] = in[base + (r + k) * columns + c + x];
    sync_block();
    for (int k = y; k < kTile; k += kThreads / kTile)
      if (r + x < rows && c + k < columns) out[base + (c + k) * rows + r + x] = tile[x * (kTile + 1) + k];
    sync_block();
  }
}

void transpose(const void* in, void* out, size_t width, int64_t outer, int64_t rows, int64_t columns,
               const Launcher& l) {
  auto run = [&](auto w) {
    using W = decltype(w);
    launch({{blocks_for(outer * ((rows + kTile - 1) / kTile) * ((columns + kTile - 1) / kTile), 1)},
            {kThreads},
            0,
            l.stream},
           transpose_kernel<W>, static_cast<const W*>(in), static_cast<W*>(out), outer, rows, columns);
  };
  if (width == 1) return run(uint8_t());
  if (width == 2) return run(uint16_t());
  if (width == 4) return run(uint32_t());
  run(uint64_t());
}

// The lines of (outer, n, inner) side by side: as they are, or a copy.
struct Gathered {
  WorkArray<uint8_t> copy;
  const void* data;
  Gathered(const Launcher& l, const void* in, Dtype t, int64_t outer, int64_t n, int64_t inner)
      : copy(l, inner == 1 || n == 1 ? 0 : outer * n * inner * int64_t(itemsize(t))), data(in) {
    if (!copy.data()) return;
    data = copy.data();
    transpose(in, copy.data(), itemsize(t), outer, n, inner, l);
  }
};

// Results for an (outer, n, inner) tensor that kernels write line by line.
template <class T>
struct Scattered {
  WorkArray<uint8_t> copy;
  T *out, *data;
  size_t width;
  int64_t outer, n, inner;
  Scattered(const Launcher& l, T* to, size_t element, int64_t outer_size, int64_t size, int64_t inner_size)
      : copy(l, !to || inner_size == 1 || size == 1 ? 0 : outer_size * size * inner_size * int64_t(element)),
        out(to),
        data(copy.data() ? reinterpret_cast<T*>(copy.data()) : to),
        width(element),
        outer(outer_size),
        n(size),
        inner(inner_size) {}
  void finish(const Launcher& l) const {
    if (data != out) transpose(data, out, width, outer, inner, n, l);
  }
};

void sort(const SortArgs& a) {
  if (a.outer * a.n * a.inner == 0) return;
  Launcher l = Launcher::of(a.in);
  Gathered in(l, a.in, a.dtype, a.outer, a.n, a.inner);
  Scattered values(l, static_cast<uint8_t*>(a.values), itemsize(a.dtype), a.outer, a.n, a.inner);
  Scattered indices(l, a.indices, sizeof(int64_t), a.outer, a.n, a.inner);
  sort_lines({in.data, a.dtype, a.outer * a.inner, a.n, a.descending, values.data, indices.data}, l);
  values.finish(l);
  indices.finish(l);
}

[[maybe_unused]] const bool filled = [] {
  SortKernels& k = sort_kernels[int(DeviceType::CUDA)];
  k.sort = sort;
  return true;
}();

}  // namespace
}  // namespace tl::cuda
