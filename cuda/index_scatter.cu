#include <algorithm>

#include "core/dims.h"
#include "index.h"
#include "radix_sort.h"

// Writing through indices. Places that are met several times take what is sent there in the order of the index, so that
// results are the same bits each time: few rows find their like among all, many are sorted by where they go.

namespace tl::cuda {
namespace {

constexpr int kFew = 1024;  // rows that are compared with each other
constexpr int kFewThreads = 128;
constexpr int kLeastChunk = 32;  // sorted rows that a thread takes one after another

template <class A>
struct Fold {
  ScatterMode mode;
  Dtype dtype;
  bool scaled;
  A alpha;

  TL_DEVICE A value(const char* p) const {
    A v = load_number<A>(p, dtype);
    return scaled ? alpha * v : v;
  }
  TL_DEVICE A combine(A d, A s) const {
    if (mode == ScatterMode::Add) {
      if constexpr (std::is_same_v<A, int64_t>)
        return int64_t(uint64_t(d) + uint64_t(s));
      else
        return d + s;
    }
    if (mode == ScatterMode::Multiply) {
      if constexpr (std::is_same_v<A, int64_t>)
        return int64_t(uint64_t(d) * uint64_t(s));
      else
        return d * s;
    }
    if constexpr (is_complex_type<A>) {
      return d;  // refused before
    } else {
      if (d != d) return d;
      if (s != s) return s;
      return (mode == ScatterMode::Max ? d > s : d < s) ? d : s;
    }
  }
};

template <class A>
Fold<A> fold_of(const RowsArgs& a) {
  Fold<A> f{a.mode, a.dtype, a.mode == ScatterMode::Add && a.alpha.to<complex128>() != complex128(1), A()};
  if constexpr (is_complex_type<A>) {
    auto v = a.alpha.to<complex128>();
    f.alpha = A(typename A::value_type(v.real()), typename A::value_type(v.imag()));
  } else if constexpr (std::is_same_v<A, int64_t>) {
    f.alpha = a.dtype == Dtype::Bool ? int64_t(a.alpha.to<bool>()) : a.alpha.to<int64_t>();
  } else {
    f.alpha = a.alpha.to<A>();
  }
  return f;
}

// ---- few rows ----

// A block takes a row and lets it be unless it is the last one that goes there.
template <class Word, class Index>
TL_KERNEL assign_few(char* dst, const char* src, const int64_t* offsets, int count, int64_t step,
                     const Walk<2, Index> row, int64_t each) {
  for (int k = int(block_index().x); k < count; k += int(grid_size().x)) {
    int64_t offset = offsets[k];
    bool later = false;
    for (int j = k + 1 + int(thread_index().x); j < count; j += kFewThreads) later = later || offsets[j] == offset;
    if (sync_block_count(later) || offset < 0) continue;
    for (int64_t e = block_index().y * kFewThreads + thread_index().x; e < each; e += grid_size().y * kFewThreads) {
      Index at[2];
      row.offsets(e, at);
      *reinterpret_cast<Word*>(dst + offset + at[0]) = *reinterpret_cast<const Word*>(src + k * step + at[1]);
    }
  }
}

// A block takes a row, lists all that go where it goes, and lets them be unless it is the first.
template <class A, class Index>
TL_KERNEL fold_few(char* dst, const char* src, const int64_t* offsets, int count, int64_t step,
                   const Walk<2, Index> row, int64_t each, const Fold<A> fold) {
  TL_SHARED(uint16_t, list, kFew);
  TL_SHARED(int, warps, kFewThreads / kWarp);
  int t = int(thread_index().x), share = (count + kFewThreads - 1) / kFewThreads;
  int from = t * share < count ? t * share : count, to = from + share < count ? from + share : count;
  for (int k = int(block_index().x); k < count; k += int(grid_size().x)) {
    int64_t offset = offsets[k];
    int same = 0;
    bool earlier = false;
    for (int j = from; j < to; ++j)
      if (offsets[j] == offset) {
        ++same;
        earlier = earlier || j < k;
      }
    if (sync_block_count(earlier) || offset < 0) continue;
    int total, at_list = sum_before<int>(same, warps, &total);
    for (int j = from; same && j < to; ++j)
      if (offsets[j] == offset) list[at_list++] = uint16_t(j);
    sync_block();
    for (int64_t e = int64_t(block_index().y) * kFewThreads + t; e < each; e += int64_t(grid_size().y) * kFewThreads) {
      Index at[2];
      row.offsets(e, at);
      char* place = dst + offset + at[0];
      A v = load_number<A>(place, fold.dtype);
      for (int i = 0; i < total; ++i) v = fold.combine(v, fold.value(src + int64_t(uint16_t(list[i])) * step + at[1]));
      store_number(place, fold.dtype, v);
    }
    sync_block();
  }
}

// ---- many rows ----

// Where rows go, as numbers in [0, keys); those that go nowhere get `keys`.
template <class Key>
TL_KERNEL make_keys(Key* out, const int64_t* offsets, int64_t n, int64_t unit, int64_t keys) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    int64_t offset = offsets[i];
    out[i] = Key(offset < 0 ? keys : offset / unit);
  }
}

TL_KERNEL find_winners(uint32_t* winners, const int64_t* offsets, int64_t n, int64_t unit) {
  for (int64_t i = global_index(); i < n; i += global_size())
    if (offsets[i] >= 0) atomic_max(winners + offsets[i] / unit, uint32_t(i + 1));
}

// The third operand of the walk counts rows.
template <class Word, class Index>
TL_KERNEL assign_winners(char* dst, const char* src, const int64_t* offsets, const uint32_t* winners, int64_t n,
                         int64_t unit, int64_t step, const Walk<3, Index> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t k = at[2], offset = offsets[k];
    if (offset < 0 || winners[offset / unit] != uint32_t(k + 1)) continue;
    *reinterpret_cast<Word*>(dst + offset + at[0]) = *reinterpret_cast<const Word*>(src + k * step + at[1]);
  }
}

// Rows by where they go, in their order there.
template <class Key>
struct Sorted {
  const Key* keys;
  const int64_t* rows;
  int64_t count, unit, nowhere;
};

template <class Word, class Index, class Key>
TL_KERNEL assign_sorted(char* dst, const char* src, const Sorted<Key> s, int64_t n, int64_t step,
                        const Walk<3, Index> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t k = at[2];
    Key key = s.keys[k];
    if (int64_t(key) == s.nowhere || (k + 1 < s.count && s.keys[k + 1] == key)) continue;
    *reinterpret_cast<Word*>(dst + int64_t(key) * s.unit + at[0]) =
        *reinterpret_cast<const Word*>(src + s.rows[k] * step + at[1]);
  }
}

// A thread takes one element of a chunk of sorted rows. A run of rows that go to the same place and lie within the
// chunk is added there; what belongs to runs that go on beyond an end is kept: of the one that comes in, then of the
// one that goes out. The third operand of the walk counts chunks.
template <class A, class Index, class Key>
TL_KERNEL fold_chunks(char* dst, const char* src, const Sorted<Key> s, int64_t n, int64_t chunk, int64_t each,
                      int64_t step, const Walk<3, Index> walk, const Fold<A> fold, A* partials) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t c = at[2], begin = c * chunk, end = begin + chunk < s.count ? begin + chunk : s.count;
    const char* from = src + at[1];
    for (int64_t k = begin; k < end;) {
      Key key = s.keys[k];
      if (int64_t(key) == s.nowhere) break;
      int64_t stop = k + 1;
      while (stop < end && s.keys[stop] == key) ++stop;
      bool comes_in = k == begin && k > 0 && s.keys[k - 1] == key;
      bool goes_out = stop == end && stop < s.count && s.keys[stop] == key;
      bool whole = !comes_in && !goes_out;
      char* place = dst + int64_t(key) * s.unit + at[0];
      A v;
      if (whole)
        v = load_number<A>(place, fold.dtype);
      else
        v = fold.value(from + s.rows[k++] * step);
      for (; k < stop; ++k) v = fold.combine(v, fold.value(from + s.rows[k] * step));
      if (whole)
        store_number(place, fold.dtype, v);
      else
        partials[(2 * c + !comes_in) * each + (i - c * each)] = v;
    }
  }
}

// The runs that begin in one chunk and end in another.
template <class A, class Index, class Key>
TL_KERNEL fold_long_runs(char* dst, const Sorted<Key> s, int64_t n, int64_t chunk, int64_t each,
                         const Walk<3, Index> walk, const Fold<A> fold, const A* partials) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t c = at[2], begin = c * chunk, end = begin + chunk, e = i - c * each;
    if (end >= s.count) continue;
    Key key = s.keys[end];
    if (s.keys[end - 1] != key || int64_t(key) == s.nowhere) continue;
    if (begin > 0 && s.keys[begin - 1] == key) continue;
    char* place = dst + int64_t(key) * s.unit + at[0];
    A v = fold.combine(load_number<A>(place, fold.dtype), partials[(2 * c + 1) * each + e]);
    for (++c; c * chunk < s.count && s.keys[c * chunk] == key; ++c) v = fold.combine(v, partials[2 * c * each + e]);
    store_number(place, fold.dtype, v);
  }
}

// ---- rows ----

struct RowScatter {
  const RowsArgs& a;
  Launcher l;
  int64_t unit, keys;
  bool assign;
  int64_t width;  // of the words that rows are moved in

  explicit RowScatter(const RowsArgs& args) : a(args), l(Launcher::of(args.dst)) {
    unit = a.unit ? a.unit : int64_t(itemsize(a.dtype));
    keys = a.span / unit + 1;
    assign = a.mode == ScatterMode::Assign;
    width = int64_t(itemsize(a.dtype));
  }

  // The elements of a row, repeated for the outer dims, then `count` of them.
  Loops loops(int64_t count) {
    Loops p;
    for (int64_t d = a.inner_ndim; d-- > 0;) p.add(a.inner_sizes[d], a.inner_dst[d], a.inner_src[d]);
    for (int64_t d = a.outer_ndim; d-- > 0;) p.add(a.outer_sizes[d], a.outer_dst[d], a.outer_src[d]);
    if (assign)
      width = p.widen(width, uint64_t(a.unit) | uint64_t(a.step) | reinterpret_cast<uintptr_t>(a.dst) |
                                 reinterpret_cast<uintptr_t>(a.src));
    if (count > 1) p.add(count, 0, 0, 1);
    p.close();
    return p;
  }

  void few() {
    Loops p = loops(1);
    uint32_t across = blocks_for(p.numel, kFewThreads, 4, 64);
    LaunchConfig config{{uint32_t(a.count), across}, {kFewThreads}, 0, l.stream};
    auto run = [&](auto index) {
      using Index = decltype(index);
      Walk<2, Index> row(p);
      if (assign)
        with_word(width, [&](auto word) {
          launch(config, assign_few<decltype(word), Index>, a.dst, a.src, a.offsets, int(a.count), a.step, row,
                 p.numel);
        });
      else
        with_number(a.dtype, [&](auto zero) {
          using A = decltype(zero);
          launch(config, fold_few<A, Index>, a.dst, a.src, a.offsets, int(a.count), a.step, row, p.numel,
                 fold_of<A>(a));
        });
    };
    p.index32 ? run(uint32_t()) : run(int64_t());
  }

  // Where the places are not many more than the rows, each remembers the last row that is sent there.
  void by_winners() {
    Workspace winners(l, size_t(keys) * sizeof(uint32_t));
    driver::set_bytes(winners.as<uint32_t>(), 0, size_t(keys) * sizeof(uint32_t), l.stream);
    launch({{blocks_for(a.count, kThreads)}, {kThreads}, 0, l.stream}, find_winners, winners.as<uint32_t>(), a.offsets,
           a.count, unit);
    Loops p = loops(a.count);
    LaunchConfig config{{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream};
    with_word(width, [&](auto word) {
      using Word = decltype(word);
      auto run = [&](auto kernel, auto walk) {
        launch(config, kernel, a.dst, a.src, a.offsets, winners.as<uint32_t>(), p.numel, unit, a.step, walk);
      };
      if (p.index32)
        run(assign_winners<Word, uint32_t>, Walk<3, uint32_t>(p));
      else
        run(assign_winners<Word, int64_t>, Walk<3, int64_t>(p));
    });
  }

  template <class Index, class Key>
  void sorted() {
    auto n = size_t(a.count);
    Workspace unsorted(l, n * sizeof(Key)), keys_in_order(l, n * sizeof(Key)), rows(l, n * sizeof(int64_t));
    launch({{blocks_for(a.count, kThreads)}, {kThreads}, 0, l.stream}, make_keys<Key>, unsorted.as<Key>(), a.offsets,
           a.count, unit, keys);
    sort_lines({unsorted.as<Key>(), dtype_of<Key>, 1, a.count, false, keys_in_order.as<Key>(), rows.as<int64_t>()}, l);
    Sorted<Key> s{keys_in_order.as<Key>(), rows.as<int64_t>(), a.count, unit, keys};
    if (assign) {
      Loops p = loops(a.count);
      with_word(width, [&](auto word) {
        launch({{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream}, assign_sorted<decltype(word), Index, Key>,
               a.dst, a.src, s, p.numel, a.step, Walk<3, Index>(p));
      });
      return;
    }
    int64_t chunk = std::max<int64_t>(kLeastChunk, a.count >> 14), chunks = (a.count + chunk - 1) / chunk;
    Loops p = loops(chunks);
    LaunchConfig config{{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream};
    Walk<3, Index> walk(p);
    with_number(a.dtype, [&](auto zero) {
      using A = decltype(zero);
      Workspace partials(l, size_t(p.numel) * 2 * sizeof(A));
      int64_t each = p.numel / chunks;
      Fold<A> fold = fold_of<A>(a);
      launch(config, fold_chunks<A, Index, Key>, a.dst, a.src, s, p.numel, chunk, each, a.step, walk, fold,
             partials.as<A>());
      if (chunks > 1)
        launch(config, fold_long_runs<A, Index, Key>, a.dst, s, p.numel, chunk, each, walk, fold, partials.as<A>());
    });
  }

  void run() {
    if (a.count <= kFew) return few();
    int64_t n = loops(a.count).numel;
    width = int64_t(itemsize(a.dtype));
    if (assign && a.count < UINT32_MAX && keys <= 4 * n) return by_winners();
    bool narrow = loops(a.count).index32 && keys < INT32_MAX;
    width = int64_t(itemsize(a.dtype));
    narrow ? sorted<uint32_t, int32_t>() : sorted<int64_t, int64_t>();
  }
};

// ---- one index for each element ----

// The third operand of the walk is the index.
template <class Word, class Index>
TL_KERNEL assign_one_value(char* dst, const Word* src, const char* index, int64_t n, const Walk<3, Index> walk,
                           int64_t step, int64_t limit, const Report report) {
  Word v = *src;
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t k = checked_index(index + at[2], i, limit, report);
    if (k >= 0) *reinterpret_cast<Word*>(dst + at[0] + k * step) = v;
  }
}

template <class T, class Index>
TL_KERNEL add_integers(char* dst, const char* src, const char* index, int64_t n, const Walk<3, Index> walk,
                       int64_t step, int64_t limit, const Report report) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t k = checked_index(index + at[2], i, limit, report);
    if (k >= 0) atomic_add(reinterpret_cast<T*>(dst + at[0] + k * step), *reinterpret_cast<const T*>(src + at[1]));
  }
}

template <class Index>
TL_KERNEL places_of(int64_t* offsets, const char* index, int64_t n, const Walk<3, Index> walk, int64_t step,
                    int64_t limit, const Report report) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t k = checked_index(index + at[2], i, limit, report);
    offsets[i] = k >= 0 ? at[0] + k * step : -1;
  }
}

struct ElementScatter {
  const AlongArgs& a;
  Launcher l;
  Report report;
  int64_t item, numel = 1;

  explicit ElementScatter(const AlongArgs& args)
      : a(args), l(Launcher::of(args.dst)), report(report_to(args.error)), item(int64_t(itemsize(args.dtype))) {
    for (int64_t d = 0; d < a.ndim; ++d) numel *= a.sizes[d];
  }

  // Over the dims from `first` to `last`.
  Loops loops(int64_t first, int64_t last) const {
    Loops p;
    for (int64_t d = last; d-- > first;)
      p.add(a.sizes[d], d == a.dim ? 0 : a.dst_strides[d], a.src_strides[d], a.index_strides[d] * 8);
    p.close();
    return p;
  }
  template <class Walks, class... Args>
  void start(const Loops& p, void (*kernel)(Args...), Walks walk, auto... rest) const {
    launch({{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream}, kernel, rest...,
           reinterpret_cast<const char*>(a.index), p.numel, walk, a.dst_strides[a.dim], a.limit, report);
  }

  void one_value() const {
    Loops p = loops(0, a.ndim);
    with_word(item, [&](auto word) {
      using Word = decltype(word);
      auto* src = reinterpret_cast<const Word*>(a.src);
      if (p.index32)
        start(p, assign_one_value<Word, uint32_t>, Walk<3, uint32_t>(p), a.dst, src);
      else
        start(p, assign_one_value<Word, int64_t>, Walk<3, int64_t>(p), a.dst, src);
    });
  }
  void integers() const {
    Loops p = loops(0, a.ndim);
    auto run = [&](auto zero) {
      using T = decltype(zero);
      if (p.index32)
        start(p, add_integers<T, uint32_t>, Walk<3, uint32_t>(p), a.dst, a.src);
      else
        start(p, add_integers<T, int64_t>, Walk<3, int64_t>(p), a.dst, a.src);
    };
    a.dtype == Dtype::Int32 ? run(int32_t()) : run(int64_t());
  }
  void places(const Loops& p, int64_t* offsets) const {
    if (p.index32)
      start(p, places_of<uint32_t>, Walk<3, uint32_t>(p), offsets);
    else
      start(p, places_of<int64_t>, Walk<3, int64_t>(p), offsets);
  }

  RowsArgs rows(const int64_t* offsets, int64_t count, int64_t step) const {
    RowsArgs r{a.dst,   a.src,   offsets, count,     step,    0,
               nullptr, nullptr, nullptr, 0,         nullptr, nullptr,
               nullptr, a.dtype, a.mode,  Scalar(1), item,    item + (a.limit - 1) * a.dst_strides[a.dim]};
    for (int64_t d = 0; d < a.ndim; ++d)
      if (d != a.dim) r.span += (a.sizes[d] - 1) * a.dst_strides[d];
    return r;
  }

  // The index goes by one dim: it names whole rows.
  void lines() const {
    int64_t count = a.sizes[a.dim], after = a.dim + 1;
    Workspace offsets(l, size_t(count) * sizeof(int64_t));
    places(loops(a.dim, after), offsets.as<int64_t>());
    RowsArgs r = rows(offsets.as<int64_t>(), count, a.src_strides[a.dim]);
    r.outer_ndim = a.dim;
    r.outer_sizes = a.sizes;
    r.outer_dst = a.dst_strides;
    r.outer_src = a.src_strides;
    r.inner_ndim = a.ndim - after;
    r.inner_sizes = a.sizes + after;
    r.inner_dst = a.dst_strides + after;
    r.inner_src = a.src_strides + after;
    r.unit = a.dst_strides[a.dim];
    RowScatter(r).run();
  }

  void elements(bool one) const {
    Workspace offsets(l, size_t(numel) * sizeof(int64_t));
    places(loops(0, a.ndim), offsets.as<int64_t>());
    Dims dense(size_t(a.ndim));
    int64_t run = item;
    bool in_order = true;
    for (int64_t d = a.ndim; d-- > 0; run *= a.sizes[d]) {
      dense[size_t(d)] = run;
      in_order = in_order && (a.sizes[d] == 1 || a.src_strides[d] == run);
    }
    Workspace copied(l, one || in_order ? 0 : size_t(numel * item));
    RowsArgs r = rows(offsets.as<int64_t>(), numel, one ? 0 : item);
    if (!one && !in_order) {
      shape_kernels[int(DeviceType::CUDA)].copy(
          {copied.as<char>(), a.src, a.ndim, a.sizes, dense.data(), a.src_strides, size_t(item)});
      r.src = copied.as<char>();
    }
    RowScatter(r).run();
  }

  void run() const {
    bool one = true, by_dim = true;
    for (int64_t d = 0; d < a.ndim; ++d) {
      one = one && (a.sizes[d] == 1 || a.src_strides[d] == 0);
      by_dim = by_dim && (d == a.dim || a.sizes[d] == 1 || a.index_strides[d] == 0);
    }
    if (numel == 0) return;
    if (a.mode == ScatterMode::Assign && one)
      one_value();
    else if (a.mode == ScatterMode::Add && (a.dtype == Dtype::Int32 || a.dtype == Dtype::Int64))
      integers();
    else if (by_dim)
      lines();
    else
      elements(one);
    raise_at_once();
  }
};

// ---- places that coincide by their strides ----

template <class A, class Index>
TL_KERNEL add_elements(char* dst, const char* src, int64_t n, const Walk<2, Index> walk, const Fold<A> fold) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[2];
    walk.offsets(i, at);
    char* place = dst + at[0];
    store_number(place, fold.dtype, fold.combine(load_number<A>(place, fold.dtype), fold.value(src + at[1])));
  }
}

template <class Index>
TL_KERNEL places_by_strides(int64_t* offsets, int64_t n, const Walk<1, Index> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[1];
    walk.offsets(i, at);
    offsets[i] = at[0];
  }
}

constexpr int64_t kMostRounds = 64;

// Whether each of these dims steps beyond all that the ones with smaller steps cover.
bool meets_no_place_twice(const AccumulateArgs& a, Dims dims) {
  std::sort(dims.begin(), dims.end(), [&](int64_t x, int64_t y) { return a.dst_strides[x] < a.dst_strides[y]; });
  int64_t reach = 0;
  for (int64_t d : dims) {
    if (a.dst_strides[d] <= reach) return false;
    reach += (a.sizes[d] - 1) * a.dst_strides[d];
  }
  return true;
}

}  // namespace

void scatter_rows(const RowsArgs& a) {
  int64_t n = a.count;
  for (int64_t d = 0; d < a.outer_ndim; ++d) n *= a.outer_sizes[d];
  for (int64_t d = 0; d < a.inner_ndim; ++d) n *= a.inner_sizes[d];
  if (n) RowScatter(a).run();
}

void scatter(const AlongArgs& a) { ElementScatter(a).run(); }

// Dims that meet no place twice, the longest first, are added at once, the others round by round, unless that takes too
// many rounds.
void accumulate(const AccumulateArgs& a) {
  Dims order;
  int64_t numel = 1, rounds = 1, item = int64_t(itemsize(a.dtype));
  for (int64_t d = 0; d < a.ndim; ++d) {
    numel *= a.sizes[d];
    if (a.sizes[d] != 1) order.push_back(d);
  }
  if (numel == 0) return;
  std::sort(order.begin(), order.end(),
            [&](int64_t x, int64_t y) { return std::pair(a.sizes[y], x) < std::pair(a.sizes[x], y); });
  Dims single, together;
  for (int64_t d : order) {
    Dims wider = single;
    wider.push_back(d);
    if (meets_no_place_twice(a, wider)) {
      single = wider;
    } else {
      together.push_back(d);
      rounds *= a.sizes[d];
    }
  }
  Loops apart;
  std::sort(single.begin(), single.end(), [&](int64_t x, int64_t y) { return a.dst_strides[x] < a.dst_strides[y]; });
  for (int64_t d : single) apart.add(a.sizes[d], a.dst_strides[d], a.src_strides[d]);
  Launcher l = Launcher::of(a.dst);
  RowsArgs r{a.dst,   a.src,   nullptr,          numel,     item, 0,   nullptr, nullptr, nullptr, 0, nullptr, nullptr,
             nullptr, a.dtype, ScatterMode::Add, Scalar(1), item, item};
  if (rounds > kMostRounds) {
    Dims dense(size_t(a.ndim));
    Loops p;
    int64_t run = item;
    for (int64_t d = a.ndim; d-- > 0; run *= a.sizes[d]) {
      dense[size_t(d)] = run;
      r.span += (a.sizes[d] - 1) * a.dst_strides[d];
      p.add(a.sizes[d], a.dst_strides[d], 0);
    }
    p.close();
    Workspace offsets(l, size_t(numel) * sizeof(int64_t)), copied(l, size_t(numel * item));
    shape_kernels[int(DeviceType::CUDA)].copy(
        {copied.as<char>(), a.src, a.ndim, a.sizes, dense.data(), a.src_strides, size_t(item)});
    LaunchConfig config{{blocks_for(numel, kThreads)}, {kThreads}, 0, l.stream};
    if (p.index32)
      launch(config, places_by_strides<uint32_t>, offsets.as<int64_t>(), numel, Walk<1, uint32_t>(p));
    else
      launch(config, places_by_strides<int64_t>, offsets.as<int64_t>(), numel, Walk<1, int64_t>(p));
    r.src = copied.as<char>();
    r.offsets = offsets.as<int64_t>();
    RowScatter(r).run();
    return;
  }
  apart.close();
  LaunchConfig config{{blocks_for(apart.numel, kThreads)}, {kThreads}, 0, l.stream};
  for (int64_t round = 0; round < rounds; ++round) {
    int64_t rest = round, to = 0, from = 0;
    for (int64_t d : together) {
      to += rest % a.sizes[d] * a.dst_strides[d];
      from += rest % a.sizes[d] * a.src_strides[d];
      rest /= a.sizes[d];
    }
    with_number(a.dtype, [&](auto zero) {
      using A = decltype(zero);
      if (apart.index32)
        launch(config, add_elements<A, uint32_t>, a.dst + to, a.src + from, apart.numel, Walk<2, uint32_t>(apart),
               fold_of<A>(r));
      else
        launch(config, add_elements<A, int64_t>, a.dst + to, a.src + from, apart.numel, Walk<2, int64_t>(apart),
               fold_of<A>(r));
    });
  }
}

}  // namespace tl::cuda
