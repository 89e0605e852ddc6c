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

// ---- selecting from long lines ----

// The digits of the element that would stand at a place of the sorted line are found one after another, most
// significant first: what has the digits found so far is counted by its next one.

constexpr int kDigits = 256;
constexpr int kWarps = kThreads / kWarp;
constexpr int kRows = 8;                     // that a warp takes at a time
constexpr int64_t kBite = kRows * kThreads;  // what a block takes at a time

// Lines in chunks, so that few lines busy a device.
struct Chunks {
  int64_t lines, n, length, count;
  Chunks(int64_t line_count, int64_t size) : lines(line_count), n(size) {
    int64_t wanted = (528 + lines - 1) / lines, most = (n + 4 * kBite - 1) / (4 * kBite);
    count = wanted < most ? wanted : most;
    length = ((n + count - 1) / count + kBite - 1) / kBite * kBite;
    count = (n + length - 1) / length;
  }
};

template <class K>
struct Search {
  const K* in;
  KeyMap<K> map;
  Chunks chunks;
  Pick pick;
  int64_t k;         // of Kth
  K* found;          // the digits found, line by line
  int64_t* rank;     // which one among those that have them
  uint64_t* counts;  // (lines, 256)
  uint64_t* nans;    // NaN in each line
};

template <class K>
TL_KERNEL count_next_digit(const Search<K> s, int pass) {
  TL_SHARED(uint32_t, bins, kDigits);
  TL_SHARED(uint32_t, nans, 1);
  const int t = int(thread_index().x), shift = 8 * (int(sizeof(K)) - 1 - pass);
  const bool count_nans = pass == 0 && s.pick >= Pick::Median;
  for (int64_t task = block_index().x; task < s.chunks.lines * s.chunks.count; task += grid_size().x) {
    const int64_t line = task / s.chunks.count, begin = task % s.chunks.count * s.chunks.length;
    const int64_t end = begin + s.chunks.length < s.chunks.n ? begin + s.chunks.length : s.chunks.n;
    bins[t] = 0u;
    if (t == 0) nans[0] = 0u;
    sync_block();
    const K found = pass ? s.found[line] : K(0);
    uint32_t last = 0, run = 0, missing = 0;
    each_in_chunk<8>(s.in + line * s.chunks.n, begin, end, [&](K bits) {
      K key = s.map.key(bits);
      missing += count_nans && s.map.is_nan(key);
      if (pass && K(key ^ found) >> (shift + 8)) return;
      uint32_t digit = uint32_t(key >> shift) & 255u;
      if (digit != last) {
        if (run) shared_atomic_add<uint32_t>(bins, int(last), run);
        last = digit;
        run = 0;
      }
      ++run;
    });
    if (run) shared_atomic_add<uint32_t>(bins, int(last), run);
    if (missing) shared_atomic_add<uint32_t>(nans, 0, missing);
    sync_block();
    uint32_t count = bins[t];
    if (count) atomic_add(s.counts + line * kDigits + t, uint64_t(count));
    if (t == 0 && count_nans && uint32_t(nans[0])) atomic_add(s.nans + line, uint64_t(uint32_t(nans[0])));
    sync_block();
  }
}

// Leaves the counts zero.
template <class K>
TL_KERNEL choose_digit(const Search<K> s, int pass) {
  TL_SHARED(uint64_t, warps, kWarps);
  const int t = int(thread_index().x), shift = 8 * (int(sizeof(K)) - 1 - pass);
  for (int64_t line = block_index().x; line < s.chunks.lines; line += grid_size().x) {
    const uint64_t count = s.counts[line * kDigits + t], before = sum_before<uint64_t>(count, warps, nullptr);
    const int64_t n = s.chunks.n;
    int64_t rank = s.k;
    if (pass) {
      rank = s.rank[line];
    } else if (s.pick >= Pick::Median) {
      const int64_t nans = int64_t(s.nans[line]);
      if (s.pick == Pick::Median)
        rank = nans ? n - nans : (n - 1) / 2;
      else
        rank = nans < n ? (n - nans - 1) / 2 : 0;
    }
    const K found = pass ? s.found[line] : K(0);
    sync_block();
    if (before <= uint64_t(rank) && uint64_t(rank) < before + count) {
      s.found[line] = K(found | K(K(t) << shift));
      s.rank[line] = rank - int64_t(before);
    }
    s.counts[line * kDigits + t] = 0;
  }
}

// How many elements of each chunk come before the one found, and how many have its key.
struct Standing {
  uint64_t less, equal;
};

template <class K>
TL_KERNEL count_standings(const Search<K> s, Standing* standings) {
  TL_SHARED(uint64_t, warps, kWarps);
  for (int64_t task = block_index().x; task < s.chunks.lines * s.chunks.count; task += grid_size().x) {
    const int64_t line = task / s.chunks.count, begin = task % s.chunks.count * s.chunks.length;
    const int64_t end = begin + s.chunks.length < s.chunks.n ? begin + s.chunks.length : s.chunks.n;
    const K found = s.found[line];
    Standing mine{0, 0}, all;
    each_in_chunk<8>(s.in + line * s.chunks.n, begin, end, [&](K bits) {
      K key = s.map.key(bits);
      mine.less += key < found;
      mine.equal += key == found;
    });
    sum_before<uint64_t>(mine.less, warps, &all.less);
    sum_before<uint64_t>(mine.equal, warps, &all.equal);
    if (thread_index().x == 0) standings[task] = all;
  }
}

// The first k elements of each line, those that come before the one found and then its equals, each in the order of
// their places; or the one found alone.
template <class K>
TL_KERNEL collect(const Search<K> s, const Standing* standings, int64_t k, bool alone, K* values, int64_t* places) {
  TL_SHARED(uint64_t, warps, kWarps);
  TL_SHARED(uint32_t, sums, kWarps);
  const int t = int(thread_index().x), warp = t / kWarp, lane = lane_index();
  for (int64_t task = block_index().x; task < s.chunks.lines * s.chunks.count; task += grid_size().x) {
    const int64_t line = task / s.chunks.count, chunk = task % s.chunks.count, begin = chunk * s.chunks.length;
    const int64_t end = begin + s.chunks.length < s.chunks.n ? begin + s.chunks.length : s.chunks.n;
    const K found = s.found[line];
    const int64_t rank = s.rank[line];
    Standing mine{0, 0}, before;
    for (int64_t c = t; c < chunk; c += kThreads) {
      Standing other = standings[line * s.chunks.count + c];
      mine.less += other.less;
      mine.equal += other.equal;
    }
    sum_before<uint64_t>(mine.less, warps, &before.less);
    sum_before<uint64_t>(mine.equal, warps, &before.equal);
    int64_t less = int64_t(before.less), equal = int64_t(before.equal);
    for (int64_t bite = begin; bite < end; bite += kBite) {
      const int64_t first = bite + warp * kRows * kWarp + lane;
      uint32_t is_less[kRows], is_equal[kRows], sum = 0;
      TL_UNROLL
      for (int r = 0; r < kRows; ++r) {
        int64_t i = first + r * kWarp;
        K key = i < end ? s.map.key(s.in[line * s.chunks.n + i]) : K(0);
        is_less[r] = ballot(i < end && key < found);
        is_equal[r] = ballot(i < end && key == found);
        sum += uint32_t(lanes_of(is_less[r])) | uint32_t(lanes_of(is_equal[r])) << 16;
      }
      if (lane == 0) sums[warp] = sum;
      sync_block();
      uint32_t ahead = 0, all = 0;
      for (int w = 0; w < kWarps; ++w) {
        uint32_t other = sums[w];
        if (w < warp) ahead += other;
        all += other;
      }
      int64_t next_less = less + (ahead & 0xffffu), next_equal = equal + (ahead >> 16);
      const uint32_t below = (1u << lane) - 1;
      TL_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const int64_t i = first + r * kWarp, e = next_equal + lanes_of(is_equal[r] & below);
        const bool mine_equal = is_equal[r] >> lane & 1;
        int64_t to = -1;
        if (alone) {
          if (mine_equal && e == rank) to = line;
        } else if (is_less[r] >> lane & 1) {
          to = line * k + next_less + lanes_of(is_less[r] & below);
        } else if (mine_equal && e <= rank) {
          to = line * k + (k - 1 - rank) + e;
        }
        if (to >= 0) {
          values[to] = s.in[line * s.chunks.n + i];
          if (places) places[to] = i;
        }
        next_less += lanes_of(is_less[r]);
        next_equal += lanes_of(is_equal[r]);
      }
      less += all & 0xffffu;
      equal += all >> 16;
      sync_block();
    }
  }
}

// Lines longer than a block sorts. The element found: the k-th of each line (or a median) alone, or all up to it.
template <class K>
void search_lines(const LineSort& in, Pick pick, int64_t k, K* values, int64_t* places, const Launcher& l) {
  const bool alone = pick != Pick::Leading;
  WorkArray<K> found(l, in.lines);
  WorkArray<int64_t> rank(l, in.lines);
  WorkArray<uint64_t> counts(l, in.lines * kDigits), nans(l, in.lines);
  counts.zero(l);
  nans.zero(l);
  Search<K> s{static_cast<const K*>(in.in),
              KeyMap<K>(in.dtype, in.descending),
              Chunks(in.lines, in.n),
              pick,
              alone ? k : k - 1,
              found.data(),
              rank.data(),
              counts.data(),
              nans.data()};
  const int64_t tasks = s.chunks.lines * s.chunks.count;
  WorkArray<Standing> standings(l, tasks);
  for (int pass = 0; pass < int(sizeof(K)); ++pass) {
    launch({{blocks_for(tasks, 1)}, {kThreads}, 0, l.stream}, count_next_digit<K>, s, pass);
    launch({{blocks_for(in.lines, 1)}, {kThreads}, 0, l.stream}, choose_digit<K>, s, pass);
  }
  launch({{blocks_for(tasks, 1)}, {kThreads}, 0, l.stream}, count_standings<K>, s, standings.data());
  launch({{blocks_for(tasks, 1)}, {kThreads}, 0, l.stream}, collect<K>, s, standings.data(), k, alone, values, places);
}

// indices[i] = places[line of i][indices[i]]
TL_KERNEL look_up(int64_t* indices, const int64_t* places, int64_t lines, int64_t k) {
  for (int64_t i = global_index(); i < lines * k; i += global_size()) indices[i] = places[i / k * k + indices[i]];
}

}  // namespace

void top_lines(const LineSort& s, int64_t k, const Launcher& l) {
  if (fits_block(s.dtype, s.n)) return pick_sorted(s, Pick::Leading, 0, k, l);
  with_key(s.dtype, [&](auto key) {
    using K = decltype(key);
    WorkArray<K> values(l, s.lines * k);
    WorkArray<int64_t> places(l, s.lines * k);
    search_lines<K>(s, Pick::Leading, k, values.data(), places.data(), l);
    sort_lines({values.data(), s.dtype, s.lines, k, s.descending, s.values, s.indices}, l);
    launch({{blocks_for(s.lines * k, kThreads)}, {kThreads}, 0, l.stream}, look_up, s.indices, places.data(), s.lines,
           k);
  });
}

namespace {

void topk(const TopkArgs& a) {
  if (a.outer * a.inner == 0) return;
  Launcher l = Launcher::of(a.in);
  Gathered in(l, a.in, a.dtype, a.outer, a.n, a.inner);
  Scattered values(l, static_cast<uint8_t*>(a.values), itemsize(a.dtype), a.outer, a.k, a.inner);
  Scattered indices(l, a.indices, sizeof(int64_t), a.outer, a.k, a.inner);
  top_lines({in.data, a.dtype, a.outer * a.inner, a.n, a.largest, values.data, indices.data}, a.k, l);
  values.finish(l);
  indices.finish(l);
}

// ---- the most frequent ----

struct Run {
  int64_t length, last;  // how long; where it ends
};

TL_DEVICE Run longest_in_warp(Run v) {
  for (int bits = kWarp / 2; bits; bits /= 2) {
    Run other{shuffle_xor(v.length, bits), shuffle_xor(v.last, bits)};
    if (other.length > v.length || (other.length == v.length && other.last < v.last)) v = other;
  }
  return v;
}

constexpr int64_t kModeChunk = 2048;

// A warp finds the longest run of equal keys that ends in its chunk of a sorted line; of several the first. NaN makes
// no run.
template <class K>
TL_KERNEL longest_runs(const K* sorted, const KeyMap<K> map, int64_t lines, int64_t n, int64_t chunks, Run* runs) {
  for (int64_t task = global_index() / kWarp; task < lines * chunks; task += global_size() / kWarp) {
    const K* line = sorted + task / chunks * n;
    int64_t begin = task % chunks * kModeChunk, end = begin + kModeChunk < n ? begin + kModeChunk : n;
    Run best{0, 0};
    for (int64_t i = begin + lane_index(); i < end; i += kWarp) {
      const K key = map.key(line[i]);
      if (map.is_nan(key) || (i + 1 < n && map.key(line[i + 1]) == key)) continue;
      int64_t low = 0, high = i;
      while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (map.key(line[middle]) < key)
          low = middle + 1;
        else
          high = middle;
      }
      if (i + 1 - low > best.length) best = {i + 1 - low, i};
    }
    best = longest_in_warp(best);
    if (lane_index() == 0) runs[task] = best;
  }
}

template <class K>
TL_KERNEL take_modes(const Run* runs, int64_t lines, int64_t n, int64_t chunks, const K* in, const int64_t* order,
                     K* values, int64_t* indices) {
  for (int64_t line = global_index() / kWarp; line < lines; line += global_size() / kWarp) {
    Run best{0, 0};
    for (int64_t c = lane_index(); c < chunks; c += kWarp) {
      Run other = runs[line * chunks + c];
      if (other.length > best.length) best = other;
    }
    best = longest_in_warp(best);
    if (lane_index() == 0) {
      int64_t place = order[line * n + (best.length ? best.last : 0)];
      values[line] = in[line * n + place];
      if (indices) indices[line] = place;
    }
  }
}

template <class K>
void mode(const LineSort& s, K* values, int64_t* indices, const Launcher& l) {
  const int64_t chunks = (s.n + kModeChunk - 1) / kModeChunk;
  WorkArray<K> sorted(l, s.lines * s.n);
  WorkArray<int64_t> order(l, s.lines * s.n);
  WorkArray<Run> runs(l, s.lines * chunks);
  sort_lines({s.in, s.dtype, s.lines, s.n, false, sorted.data(), order.data()}, l);
  constexpr int warps = kThreads / kWarp;
  launch({{blocks_for(s.lines * chunks, warps)}, {kThreads}, 0, l.stream}, longest_runs<K>, sorted.data(),
         KeyMap<K>(s.dtype, false), s.lines, s.n, chunks, runs.data());
  launch({{blocks_for(s.lines, warps)}, {kThreads}, 0, l.stream}, take_modes<K>, runs.data(), s.lines, s.n, chunks,
         static_cast<const K*>(s.in), order.data(), values, indices);
}

void select(const SelectArgs& a) {
  if (a.outer * a.inner == 0) return;
  Launcher l = Launcher::of(a.in);
  Gathered in(l, a.in, a.dtype, a.outer, a.n, a.inner);
  LineSort s{in.data, a.dtype, a.outer * a.inner, a.n, false, a.values, a.indices};
  with_key(a.dtype, [&](auto key) {
    using K = decltype(key);
    K* values = static_cast<K*>(a.values);
    if (a.what == Select::Mode) return mode<K>(s, values, a.indices, l);
    const Pick pick = a.what == Select::Kth ? Pick::Kth : a.what == Select::Median ? Pick::Median : Pick::NanMedian;
    if (fits_block(s.dtype, s.n)) return pick_sorted(s, pick, a.k, 1, l);
    search_lines<K>(s, pick, a.k, values, a.indices, l);
  });
}

// ---- searching ----

// T: int64_t for integers, double for floats, which hold them all.
template <class T>
TL_KERNEL search_sorted(const SearchArgs a, size_t width) {
  const char *sequences = static_cast<const char*>(a.sequences), *values = static_cast<const char*>(a.values);
  for (int64_t i = global_index(); i < a.lines * a.per_line; i += global_size()) {
    const int64_t base = a.shared ? 0 : i / a.per_line * a.n;
    const T v = load_as<T>(values + i * int64_t(width), a.dtype);
    int64_t low = 0, high = a.n;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2, at = base + (a.sorter ? a.sorter[base + middle] : middle);
      const T x = load_as<T>(sequences + at * int64_t(width), a.dtype);
      if (a.right ? !(x > v) : !(x >= v))
        low = middle + 1;
      else
        high = middle;
    }
    if (a.int32)
      static_cast<int32_t*>(a.out)[i] = int32_t(low);
    else
      static_cast<int64_t*>(a.out)[i] = low;
  }
}

void search(const SearchArgs& a) {
  const int64_t count = a.lines * a.per_line;
  if (count == 0) return;
  Launcher l = Launcher::of(a.out);
  launch({{blocks_for(count, kThreads)}, {kThreads}, 0, l.stream},
         is_floating(a.dtype) ? search_sorted<double> : search_sorted<int64_t>, a, itemsize(a.dtype));
}

[[maybe_unused]] const bool filled = [] {
  SortKernels& k = sort_kernels[int(DeviceType::CUDA)];
  k.sort = sort;
  k.topk = topk;
  k.select = select;
  k.search = search;
  return true;
}();

}  // namespace
}  // namespace tl::cuda
