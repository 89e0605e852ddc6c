#include "radix_sort.h"

#include <algorithm>

#include "runtime/look_back.h"

// Short lines are sorted in registers by bitonic merges (Batcher, 1968), several to a block; long ones by digits of
// eight bits, least significant first. A pass over a digit reads and writes everything once: each tile counts its
// digits, learns from the tiles before it what stands in front (Merrill and Garland, "Single-pass parallel prefix scan
// with decoupled look-back", 2016; Adinets and Merrill, "Onesweep", 2022) and writes its elements in runs. Counts are
// integers, so the result does not depend on who came first.

namespace tl::cuda {
namespace {

constexpr int kDigits = 256;
constexpr int kWarps = kThreads / kWarp;
static_assert(kThreads == kDigits);

// ---- long lines ----

template <class K>
constexpr int kPasses = int(sizeof(K));
// Elements of a thread in a pass: what 48 KiB of shared memory hold.
template <class K, class Index>
constexpr int kEach = sizeof(K) + sizeof(Index) <= 8 ? 16 : 8;

// How often each digit occurs in each line, for all passes at once. Neighbours are often alike in their high digits: a
// thread counts such a run before it adds.
template <class K, class Index>
TL_KERNEL count_digits(const K* in, const KeyMap<K> map, int64_t lines, int64_t n, int64_t chunk, int64_t chunks,
                       Index* counts) {
  TL_SHARED(uint32_t, bins, kPasses<K>* kDigits);
  int t = int(thread_index().x);
  for (int64_t task = block_index().x; task < lines * chunks; task += grid_size().x) {
    int64_t line = task / chunks, begin = task % chunks * chunk, end = begin + chunk < n ? begin + chunk : n;
    for (int i = t; i < kPasses<K> * kDigits; i += kThreads) bins[i] = 0u;
    sync_block();
    uint32_t last[kPasses<K>], run[kPasses<K>];
    TL_UNROLL
    for (int p = 0; p < kPasses<K>; ++p) last[p] = run[p] = 0;
    each_in_chunk<sizeof(K) <= 2 ? 16 : int(32 / sizeof(K))>(in + line * n, begin, end, [&](K bits) {
      K key = map.key(bits);
      TL_UNROLL
      for (int p = 0; p < kPasses<K>; ++p) {
        uint32_t digit = uint32_t(key >> (8 * p)) & 255u;
        if (digit != last[p]) {
          if (run[p]) shared_atomic_add<uint32_t>(bins, p * kDigits + int(last[p]), run[p]);
          last[p] = digit;
          run[p] = 0;
        }
        ++run[p];
      }
    });
    TL_UNROLL
    for (int p = 0; p < kPasses<K>; ++p)
      if (run[p]) shared_atomic_add<uint32_t>(bins, p * kDigits + int(last[p]), run[p]);
    sync_block();
    for (int i = t; i < kPasses<K> * kDigits; i += kThreads) {
      uint32_t count = bins[i];
      if (count) atomic_add(counts + line * kPasses<K> * kDigits + i, Index(count));
    }
    sync_block();
  }
}

// Counts become places. A pass is active when it would change the order of a line.
template <class Index>
TL_KERNEL start_digits(Index* counts, int64_t tables, int passes, Index n, uint32_t* active) {
  TL_SHARED(Index, warps, kWarps);
  int t = int(thread_index().x);
  for (int64_t table = block_index().x; table < tables; table += grid_size().x) {
    Index* mine = counts + table * kDigits + t;
    Index count = *mine;
    if (count && count != n) atomic_max(active + table % passes, 1u);
    *mine = sum_before<Index>(count, warps, nullptr);
  }
}

template <class K, class Index>
struct PassArgs {
  const K* in;
  KeyMap<K> map;
  K *keys, *other_keys;
  Index *places, *other_places;
  K* values;
  int64_t* indices;
  const Index* starts;     // (lines, passes, 256)
  const uint32_t* active;  // (passes)
  Index* states;           // (lines * tiles, 256): zeros
  uint32_t* ticket;        // zero
  int64_t n, tiles;
  int pass;
};

template <class K, class Index>
TL_KERNEL sort_by_digit(const PassArgs<K, Index> a) {
  constexpr int each = kEach<K, Index>, tile_size = kThreads * each;
  constexpr Index kSum = Index(1) << (8 * sizeof(Index) - 2), kPrefix = kSum << 1, kCount = kSum - 1;
  // Data moves between input, two buffers and output as far as passes are active; at least one is.
  int round = 0, rounds = 0;
  TL_UNROLL
  for (int p = 0; p < kPasses<K>; ++p) {
    bool on = a.active[p] != 0;
    rounds += on;
    round += on && p < a.pass;
  }
  if (rounds == 0 ? a.pass != kPasses<K> - 1 : a.active[a.pass] == 0) return;
  const bool first = round == 0, last = round + 1 >= rounds;
  const int shift = 8 * a.pass;
  const bool odd = round & 1;
  const K* from_keys = first ? a.in : odd ? a.keys : a.other_keys;
  const Index* from_places = odd ? a.places : a.other_places;
  K* to_keys = odd ? a.other_keys : a.keys;
  Index* to_places = odd ? a.other_places : a.places;

  TL_SHARED(uint32_t, counts, kWarps* kDigits);
  TL_SHARED(K, tile_keys, tile_size);
  TL_SHARED(Index, tile_places, tile_size);
  TL_SHARED(uint32_t, local, kDigits);
  TL_SHARED(Index, bases, kDigits);
  TL_SHARED(uint32_t, warps, kWarps);
  TL_SHARED(uint32_t, ticket, 1);
  const int t = int(thread_index().x), warp = t / kWarp, lane = lane_index();

  // Tiles are taken in the order of arrival: those before this one have started.
  if (t == 0) ticket[0] = atomic_add(a.ticket, 1u);
  TL_UNROLL
  for (int w = 0; w < kWarps; ++w) counts[w * kDigits + t] = 0u;
  sync_block();
  const int64_t number = uint32_t(ticket[0]);
  const int64_t line = number / a.tiles, tile = number % a.tiles, base = line * a.n, begin = tile * tile_size;
  const int valid = a.n - begin < tile_size ? int(a.n - begin) : tile_size;

  // A warp's elements side by side, a lane's 32 apart: the order of ranks below. What lies beyond the end gets the last
  // key, and so stays behind everything else.
  const int mine = warp * kWarp * each + lane;
  K key[each];
  const K* source = from_keys + base + begin;
  TL_UNROLL
  for (int i = 0; i < each; ++i) {
    int at = mine + i * kWarp;
    key[i] = at < valid ? source[at] : K(0);
  }
  TL_UNROLL
  for (int i = 0; i < each; ++i) {
    if (first) key[i] = a.map.key(key[i]);
    if (mine + i * kWarp >= valid) key[i] = K(~K(0));
  }
  uint32_t rank[each];
  TL_UNROLL
  for (int i = 0; i < each; ++i) {
    int digit = int(key[i] >> shift & 255u);
    uint32_t peers = match_lanes<8>(uint32_t(digit)), below = peers & ((1u << lane) - 1);
    uint32_t before = counts[warp * kDigits + digit];
    sync_warp();
    if (!below) counts[warp * kDigits + digit] = before + uint32_t(lanes_of(peers));
    sync_warp();
    rank[i] = before + uint32_t(lanes_of(below));
  }
  sync_block();

  // From here on thread t answers for digit t.
  uint32_t sum = 0;
  TL_UNROLL
  for (int w = 0; w < kWarps; ++w) {
    uint32_t count = counts[w * kDigits + t];
    counts[w * kDigits + t] = sum;
    sum += count;
  }
  const Index real = t == kDigits - 1 ? Index(sum - uint32_t(tile_size - valid)) : Index(sum);
  Index* state = a.states + number * kDigits + t;
  store_word(state, Index((tile == 0 ? kPrefix : kSum) | real));
  uint32_t start = sum_before<uint32_t>(sum, warps, nullptr);
  local[t] = start;
  Index before = 0;
  if (tile > 0) {
    for (const Index* at = state - kDigits;; at -= kDigits) {
      Index found;
      do found = load_word(at);
      while (found == 0);
      before += found & kCount;
      if (found & kPrefix) break;
    }
    store_word(state, Index(kPrefix | (before + real)));
  }
  bases[t] = Index(a.starts[(line * kPasses<K> + a.pass) * kDigits + t] + before - start);
  sync_block();

  TL_UNROLL
  for (int i = 0; i < each; ++i) {
    int digit = int(key[i] >> shift & 255u), at = mine + i * kWarp;
    uint32_t position = rank[i] + counts[warp * kDigits + digit] + local[digit];
    Index place = Index(begin + at);
    if (!first && at < valid) place = from_places[base + begin + at];
    tile_keys[position] = key[i];
    tile_places[position] = place;
  }
  sync_block();
  TL_UNROLL_BY(4)
  for (int i = t; i < valid; i += kThreads) {
    K k = tile_keys[i];
    Index place = tile_places[i];
    int64_t at = base + int64_t(Index(bases[int(k >> shift & 255u)] + Index(i)));
    if (!last) {
      to_keys[at] = k;
      to_places[at] = place;
    } else {
      if (a.values) a.values[at] = a.map.is_shared(k) ? a.in[base + int64_t(place)] : a.map.bits(k);
      if (a.indices) a.indices[at] = int64_t(place);
    }
  }
}

template <class K, class Index>
void sort_long(const LineSort& s, const Launcher& l) {
  constexpr int tile_size = kThreads * kEach<K, Index>;
  const int64_t tiles = (s.n + tile_size - 1) / tile_size, tables = s.lines * kPasses<K>, all = s.lines * s.n;
  const int64_t buffers = kPasses<K> > 2 ? 2 : kPasses<K> - 1;
  WorkArray<K> keys(l, buffers * all);
  WorkArray<Index> places(l, buffers * all), counts(l, tables * kDigits), states(l, s.lines * tiles * kDigits);
  WorkArray<uint32_t> flags(l, 2 * kPasses<K>);
  counts.zero(l);
  flags.zero(l);
  KeyMap<K> map(s.dtype, s.descending);
  const K* in = static_cast<const K*>(s.in);
  // Four blocks to a multiprocessor of a large device; what a block counts fits 32 bits.
  int64_t chunk = std::min(std::max<int64_t>(all / 528, 8192), std::min<int64_t>(s.n, int64_t(1) << 30));
  int64_t chunks = (s.n + chunk - 1) / chunk;
  launch({{blocks_for(s.lines * chunks, 1)}, {kThreads}, 0, l.stream}, count_digits<K, Index>, in, map, s.lines, s.n,
         chunk, chunks, counts.data());
  launch({{blocks_for(tables, 1)}, {kThreads}, 0, l.stream}, start_digits<Index>, counts.data(), tables, kPasses<K>,
         Index(s.n), flags.data());
  for (int p = 0; p < kPasses<K>; ++p) {
    states.zero(l);
    PassArgs<K, Index> a{};
    a.in = in;
    a.map = map;
    a.keys = keys.data();
    a.other_keys = keys.data() + all;
    a.places = places.data();
    a.other_places = places.data() + all;
    a.values = static_cast<K*>(s.values);
    a.indices = s.indices;
    a.starts = counts.data();
    a.active = flags.data();
    a.states = states.data();
    a.ticket = flags.data() + kPasses<K> + p;
    a.n = s.n;
    a.tiles = tiles;
    a.pass = p;
    launch({{uint32_t(s.lines * tiles)}, {kThreads}, 0, l.stream}, sort_by_digit<K, Index>, a);
  }
}

// ---- short lines ----

// A key and a place in one number, all different: any order of comparing gives the same, stable result. Items beyond
// the end are all ones, behind everything.
struct WideItem {
  uint32_t low, high, at;
};
template <class K>
struct ItemOf {
  using type = uint32_t;
};
template <>
struct ItemOf<uint32_t> {
  using type = uint64_t;
};
template <>
struct ItemOf<uint64_t> {
  using type = WideItem;
};
TL_DEVICE bool is_less(uint32_t a, uint32_t b) { return a < b; }
TL_DEVICE bool is_less(uint64_t a, uint64_t b) { return a < b; }
TL_DEVICE uint64_t key_in(WideItem v) { return uint64_t(v.high) << 32 | v.low; }
TL_DEVICE bool is_less(WideItem a, WideItem b) {
  uint64_t x = key_in(a), y = key_in(b);
  return x < y || (x == y && a.at < b.at);
}
TL_DEVICE uint32_t key_in(uint32_t v) { return v >> 16; }
TL_DEVICE uint32_t key_in(uint64_t v) { return uint32_t(v >> 32); }
TL_DEVICE int place_in(uint32_t v) { return int(v & 0xffffu); }
TL_DEVICE int place_in(uint64_t v) { return int(uint32_t(v)); }
TL_DEVICE int place_in(WideItem v) { return int(v.at); }
template <class Item, class K>
TL_DEVICE Item make_item(K key, uint32_t place) {
  if constexpr (sizeof(Item) == 4)
    return uint32_t(key) << 16 | (place & 0xffffu);
  else if constexpr (sizeof(Item) == 8)
    return uint64_t(key) << 32 | place;
  else
    return {uint32_t(key), uint32_t(uint64_t(key) >> 32), place};
}

template <class K>
constexpr int64_t kBlockLine = sizeof(K) == 8 ? 2048 : 4096;

// A line is sorted by `team` threads, a power of two from 32 to the block's size, which have `each` elements each.
template <class K, int each>
TL_KERNEL sort_in_block(const K* in, const KeyMap<K> map, int64_t lines, int n, int team, K* values, int64_t* indices,
                        Pick pick, int64_t k, int64_t keep) {
  using Item = typename ItemOf<K>::type;
  const int size = team * each, padded = size + size / each;  // one more after each thread's: other banks
  const int teams = int(block_size().x) / team, mine = int(thread_index().x) / team, t = int(thread_index().x) % team;
  const Shared<Item> stage = dynamic_shared<Item>(0, size_t(teams * padded)) + mine * padded;
  TL_SHARED(uint32_t, nans, 32);
  for (int64_t group = block_index().x; group * teams < lines; group += grid_size().x) {
    const int64_t line = group * teams + mine;
    const bool there = line < lines;
    if (pick >= Pick::Median) {
      if (t == 0) nans[mine] = 0u;
      sync_block();
    }
    Item v[each];
    uint32_t found = 0;
    TL_UNROLL
    for (int e = 0; e < each; ++e) {
      int at = e * team + t;
      v[e] = make_item<Item>(K(~K(0)), 0xffffffffu);
      if (there && at < n) {
        K key = map.key(in[line * n + at]);
        found += map.is_nan(key);
        v[e] = make_item<Item>(key, uint32_t(at));
      }
    }
    if (pick >= Pick::Median && found) shared_atomic_add<uint32_t>(nans, mine, found);

    // Position t * each + e is v[e] of thread t.
    for (int sorted = 2; sorted <= size; sorted *= 2) {
      for (int step = sorted / 2; step >= each; step /= 2) {
        const int bit = step / each;
        const bool up = !(t * each & sorted), keep_less = up == !(t & bit);
        if (bit < kWarp) {
          TL_UNROLL
          for (int e = 0; e < each; ++e) {
            Item other = shuffle_xor(v[e], bit);
            if (is_less(other, v[e]) == keep_less) v[e] = other;
          }
        } else {
          sync_block();
          TL_UNROLL
          for (int e = 0; e < each; ++e) stage[e * team + t] = v[e];
          sync_block();
          TL_UNROLL
          for (int e = 0; e < each; ++e) {
            Item other = stage[e * team + (t ^ bit)];
            if (is_less(other, v[e]) == keep_less) v[e] = other;
          }
        }
      }
      TL_UNROLL
      for (int step = each / 2; step >= 1; step /= 2) {
        if (step >= sorted) continue;
        TL_UNROLL
        for (int e = 0; e < each; ++e) {
          if (e & step) continue;
          const bool up = !((t * each + e) & sorted);
          Item low = v[e], high = v[e + step];
          if (is_less(high, low) == up) v[e] = high, v[e + step] = low;
        }
      }
    }

    // Through shared memory, so that neighbours write neighbours.
    sync_block();
    TL_UNROLL
    for (int e = 0; e < each; ++e) stage[t * (each + 1) + e] = v[e];
    sync_block();
    int64_t from = 0;
    if (pick == Pick::Kth) {
      from = k;
    } else if (pick >= Pick::Median) {
      int64_t missing = uint32_t(nans[mine]);
      if (pick == Pick::Median)
        from = missing ? n - missing : (n - 1) / 2;
      else
        from = missing < n ? (n - missing - 1) / 2 : 0;
    }
    if (there)
      for (int64_t i = t; i < keep; i += team) {
        int at = int(from + i);
        Item item = stage[at + at / each];
        int place = place_in(item);
        if (values) {
          K key = K(key_in(item));
          values[line * keep + i] = map.is_shared(key) ? in[line * n + place] : map.bits(key);
        }
        if (indices) indices[line * keep + i] = place;
      }
    sync_block();
  }
}

template <class K, int each>
void sort_short_with(const LineSort& s, Pick pick, int64_t k, int64_t keep, const Launcher& l) {
  int team = kWarp;
  while (team * each < s.n) team *= 2;
  int threads = team < kThreads ? kThreads : team, teams = threads / team;
  size_t shared = sizeof(typename ItemOf<K>::type) * size_t(threads) * size_t(each + 1);
  launch({{blocks_for(s.lines, teams)}, {uint32_t(threads)}, shared, l.stream}, sort_in_block<K, each>,
         static_cast<const K*>(s.in), KeyMap<K>(s.dtype, s.descending), s.lines, int(s.n), team,
         static_cast<K*>(s.values), s.indices, pick, k, keep);
}

template <class K>
void sort_short(const LineSort& s, Pick pick, int64_t k, int64_t keep, const Launcher& l) {
  if (s.n <= kWarp) return sort_short_with<K, 1>(s, pick, k, keep, l);
  if (s.n <= 4 * kWarp) return sort_short_with<K, 4>(s, pick, k, keep, l);
  sort_short_with<K, 8>(s, pick, k, keep, l);
}

}  // namespace

bool fits_block(Dtype t, int64_t n) { return n <= (itemsize(t) == 8 ? kBlockLine<uint64_t> : kBlockLine<uint32_t>); }

void pick_sorted(const LineSort& s, Pick pick, int64_t k, int64_t keep, const Launcher& l) {
  if (s.lines == 0 || s.n == 0) return;
  with_key(s.dtype, [&](auto key) { sort_short<decltype(key)>(s, pick, k, keep, l); });
}

void sort_lines(const LineSort& s, const Launcher& l) {
  if (fits_block(s.dtype, s.n)) return pick_sorted(s, Pick::Leading, 0, s.n, l);
  with_key(s.dtype, [&](auto key) {
    using K = decltype(key);
    // Two of 32 bits tell how far a count has come.
    if (s.n < int64_t(1) << 30) return sort_long<K, uint32_t>(s, l);
    sort_long<K, uint64_t>(s, l);
  });
}

}  // namespace tl::cuda
