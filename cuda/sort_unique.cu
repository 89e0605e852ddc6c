// The part of the sort family that goes by equal elements.

#include "kernels/sort.h"
#include "radix_sort.h"
#include "runtime/pinned.h"

namespace tl::cuda {
namespace {

constexpr int kWarps = kThreads / kWarp;

// ---- the order of rows ----

TL_KERNEL count_up(int64_t* out, int64_t n) {
  for (int64_t i = global_index(); i < n; i += global_size()) out[i] = i;
}

// By the first element that differs: less than 0, 0, more than 0.
template <class K>
TL_DEVICE int compare_rows(const K* rows, const KeyMap<K>& map, int64_t x, int64_t y, int64_t length) {
  for (int64_t i = 0; i < length; ++i) {
    K a = map.key(rows[x * length + i]), b = map.key(rows[y * length + i]);
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

// Runs of `width` rows, each in order, are merged in pairs: a row goes behind those of the other run that come before.
template <class K>
TL_KERNEL merge_rows(const K* rows, const KeyMap<K> map, int64_t count, int64_t length, int64_t width,
                     const int64_t* in, int64_t* out) {
  for (int64_t i = global_index(); i < count; i += global_size()) {
    const int64_t run = i / width, pair = run / 2 * 2 * width, row = in[i];
    const bool left = run % 2 == 0;
    const int64_t start = left ? pair + width : pair;
    int64_t low = start < count ? start : count, high = low + width < count ? low + width : count;
    const int64_t from = low;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      const int order = compare_rows(rows, map, in[middle], row, length);
      if (left ? order < 0 : order <= 0)
        low = middle + 1;
      else
        high = middle;
    }
    out[pair + (i - run * width) + (low - from)] = row;
  }
}

void row_order(const RowOrderArgs& a) {
  if (a.count == 0) return;
  Launcher l = Launcher::of(a.order);
  if (a.length == 1) return sort_lines({a.rows, a.dtype, 1, a.count, false, nullptr, a.order}, l);
  WorkArray<int64_t> spare(l, a.count);
  int passes = 0;
  while (int64_t(1) << passes < a.count) ++passes;
  int64_t *from = passes % 2 ? spare.data() : a.order, *to = passes % 2 ? a.order : spare.data();
  const LaunchConfig each{{blocks_for(a.count, kThreads)}, {kThreads}, 0, l.stream};
  launch(each, count_up, from, a.count);
  with_key(a.dtype, [&](auto key) {
    using K = decltype(key);
    for (int p = 0; p < passes; ++p) {
      launch(each, merge_rows<K>, static_cast<const K*>(a.rows), KeyMap<K>(a.dtype, false), a.count, a.length,
             int64_t(1) << p, from, to);
      std::swap(from, to);
    }
  });
}

// ---- runs of rows ----

constexpr int64_t kRowChunk = 4096;

template <class T>
TL_KERNEL mark_runs(const RowRunsArgs a, size_t width, uint8_t* fresh, int64_t* counts) {
  TL_SHARED(uint32_t, warps, kWarps);
  const char* rows = static_cast<const char*>(a.rows);
  for (int64_t begin = block_index().x * kRowChunk; begin < a.count; begin += grid_size().x * kRowChunk) {
    const int64_t end = begin + kRowChunk < a.count ? begin + kRowChunk : a.count;
    uint32_t mine = 0, all = 0;
    for (int64_t i = begin + thread_index().x; i < end; i += kThreads) {
      bool differs = i == 0;
      if (!differs) {
        const int64_t x = a.order ? a.order[i] : i, y = a.order ? a.order[i - 1] : i - 1;
        for (int64_t k = 0; !differs && k < a.length; ++k)
          differs = load_as<T>(rows + (x * a.length + k) * int64_t(width), a.dtype) !=
                    load_as<T>(rows + (y * a.length + k) * int64_t(width), a.dtype);
      }
      fresh[i] = differs;
      mine += differs;
    }
    sum_before<uint32_t>(mine, warps, &all);
    if (thread_index().x == 0) counts[begin / kRowChunk] = all;
  }
}

TL_KERNEL place_runs(const RowRunsArgs a, const uint8_t* fresh, const int64_t* counts, int64_t* total) {
  TL_SHARED(int64_t, sums, kWarps);
  TL_SHARED(uint32_t, warps, kWarps);
  const int t = int(thread_index().x);
  for (int64_t begin = block_index().x * kRowChunk; begin < a.count; begin += grid_size().x * kRowChunk) {
    const int64_t end = begin + kRowChunk < a.count ? begin + kRowChunk : a.count;
    int64_t mine = 0, runs = 0;
    for (int64_t c = t; c < begin / kRowChunk; c += kThreads) mine += counts[c];
    sum_before<int64_t>(mine, sums, &runs);
    for (int64_t first = begin; first < end; first += kThreads) {
      const int64_t i = first + t;
      const uint32_t starts = i < end ? fresh[i] : 0;
      uint32_t all = 0;
      const int64_t run = runs + sum_before<uint32_t>(starts, warps, &all) + starts - 1;
      if (starts) a.starts[run] = i;
      if (i < end && a.inverse) a.inverse[a.origins ? a.origins[i] : i] = run;
      runs += all;
    }
    if (end == a.count && t == 0) {
      a.starts[runs] = a.count;
      *total = runs;
    }
  }
}

int64_t row_runs(const RowRunsArgs& a) {
  Launcher l = Launcher::of(a.starts);
  if (a.count == 0) {
    driver::set_bytes(a.starts, 0, sizeof(int64_t), l.stream);
    return 0;
  }
  const int64_t chunks = (a.count + kRowChunk - 1) / kRowChunk;
  WorkArray<uint8_t> fresh(l, a.count);
  WorkArray<int64_t> counts(l, chunks + 1);
  const LaunchConfig each{{blocks_for(chunks, 1)}, {kThreads}, 0, l.stream};
  launch(each,
         is_complex(a.dtype)    ? mark_runs<Complex<double>>
         : is_floating(a.dtype) ? mark_runs<double>
                                : mark_runs<int64_t>,
         a, itemsize(a.dtype), fresh.data(), counts.data());
  launch(each, place_runs, a, fresh.data(), counts.data(), counts.data() + chunks);
  int64_t runs = 0;  // the size of a result: the host waits for it
  driver::copy(&runs, counts.data() + chunks, sizeof(runs), driver::CopyKind::DeviceToHost, l.stream);
  driver::synchronize_stream(l.stream);
  return runs;
}

// ---- counting ----

TL_KERNEL find_range(const char* in, Dtype dtype, size_t width, int64_t n, int64_t* extremes) {
  int64_t least = INT64_MAX, most = INT64_MIN;
  for (int64_t i = global_index(); i < n; i += global_size()) {
    const int64_t v = load_as<int64_t>(in + i * int64_t(width), dtype);
    if (v < least) least = v;
    if (v > most) most = v;
  }
  for (int bits = kWarp / 2; bits; bits /= 2) {
    const int64_t low = shuffle_xor(least, bits), high = shuffle_xor(most, bits);
    if (low < least) least = low;
    if (high > most) most = high;
  }
  if (lane_index() == 0) {
    atomic_min(extremes, least);
    atomic_min(extremes + 1, ~most);
  }
}

void range(const void* in, int64_t n, Dtype dtype, int64_t* least, int64_t* most) {
  Launcher l = Launcher::of(in);
  WorkArray<int64_t> extremes(l, 2);
  const int64_t none[2] = {INT64_MAX, INT64_MAX};
  int64_t found[2];
  copy_staged(extremes.data(), none, sizeof(none), l.scope.now, l.stream);
  launch({{blocks_for(n, kThreads, 16)}, {kThreads}, 0, l.stream}, find_range, static_cast<const char*>(in), dtype,
         itemsize(dtype), n, extremes.data());
  driver::copy(found, extremes.data(), sizeof(found), driver::CopyKind::DeviceToHost, l.stream);
  driver::synchronize_stream(l.stream);
  *least = found[0];
  *most = ~found[1];
}

constexpr int64_t kSharedBins = 4096;

TL_KERNEL count_each(const BincountArgs a, size_t width, int64_t* counts) {
  const char* in = static_cast<const char*>(a.in);
  for (int64_t i = global_index(); i < a.n; i += global_size())
    atomic_add(counts + load_as<int64_t>(in + i * int64_t(width), a.dtype), int64_t(1));
}

TL_KERNEL count_in_shared(const BincountArgs a, size_t width, int64_t* counts) {
  const Shared<uint32_t> bins = dynamic_shared<uint32_t>(0, size_t(a.bins));
  const char* in = static_cast<const char*>(a.in);
  for (int64_t b = thread_index().x; b < a.bins; b += kThreads) bins[b] = 0u;
  sync_block();
  for (int64_t i = global_index(); i < a.n; i += global_size())
    shared_atomic_add<uint32_t>(bins, int(load_as<int64_t>(in + i * int64_t(width), a.dtype)), 1u);
  sync_block();
  for (int64_t b = thread_index().x; b < a.bins; b += kThreads) {
    const uint32_t count = bins[b];
    if (count) atomic_add(counts + b, int64_t(count));
  }
}

TL_DEVICE int64_t first_not_below(const char* sorted, Dtype dtype, size_t width, int64_t n, int64_t bin) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (load_as<int64_t>(sorted + middle * int64_t(width), dtype) < bin)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// A warp adds up the weights of a bin, which stand side by side in `order`: always in the same way.
template <class W>
TL_KERNEL add_weights(const BincountArgs a, size_t width, const char* sorted, const int64_t* order) {
  const W* weights = static_cast<const W*>(a.weights);
  for (int64_t bin = global_index() / kWarp; bin < a.bins; bin += global_size() / kWarp) {
    const int64_t begin = first_not_below(sorted, a.dtype, width, a.n, bin);
    const int64_t end = first_not_below(sorted, a.dtype, width, a.n, bin + 1);
    double sum = 0;
    for (int64_t i = begin + lane_index(); i < end; i += kWarp) sum += double(weights[order[i]]);
    for (int bits = kWarp / 2; bits; bits /= 2) sum += shuffle_xor(sum, bits);
    if (lane_index() == 0) static_cast<W*>(a.counts)[bin] = W(sum);
  }
}

void bincount(const BincountArgs& a) {
  if (a.n == 0) return;
  Launcher l = Launcher::of(a.in);
  const size_t width = itemsize(a.dtype);
  if (!a.weights) {
    auto* counts = static_cast<int64_t*>(a.counts);
    if (a.bins > kSharedBins)
      return launch({{blocks_for(a.n, kThreads, 4)}, {kThreads}, 0, l.stream}, count_each, a, width, counts);
    return launch({{blocks_for(a.n, kThreads, 16, 528)}, {kThreads}, size_t(a.bins) * sizeof(uint32_t), l.stream},
                  count_in_shared, a, width, counts);
  }
  WorkArray<char> sorted(l, a.n * int64_t(width));
  WorkArray<int64_t> order(l, a.n);
  sort_lines({a.in, a.dtype, 1, a.n, false, sorted.data(), order.data()}, l);
  launch({{blocks_for(a.bins, kWarps)}, {kThreads}, 0, l.stream},
         a.weight_dtype == Dtype::Float32 ? add_weights<float> : add_weights<double>, a, width, sorted.data(),
         order.data());
}

[[maybe_unused]] const bool filled = [] {
  SortKernels& k = sort_kernels[int(DeviceType::CUDA)];
  k.row_order = row_order;
  k.row_runs = row_runs;
  k.range = range;
  k.bincount = bincount;
  return true;
}();

}  // namespace
}  // namespace tl::cuda
