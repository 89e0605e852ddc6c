#include "kernels/sort.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/allocator.h"
#include "core/parallel.h"

// Elements become unsigned keys of the same order. A key of up to 32 bits and the element's place make one 64-bit
// number, and such numbers are all different: any way of sorting or selecting gives the same, stable result.

namespace tl::cpu {
namespace {

constexpr int64_t kGrain = 1 << 12;  // elements
constexpr int64_t kColumns = 16;     // lines side by side that are gathered together

template <class T>
inline constexpr bool is_half_type = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T>
inline constexpr bool is_complex_type = std::is_same_v<T, complex64> || std::is_same_v<T, complex128>;
template <class T>
inline constexpr bool is_float_type = is_half_type<T> || std::is_floating_point_v<T>;

template <class T>
using Key = typename UnsignedOf<sizeof(T)>::type;

template <class T>
inline constexpr int kKeyBits = std::is_same_v<T, bool> ? 1 : int(sizeof(T)) * 8;

// The bits of infinity.
template <class T>
constexpr Key<T> infinity_bits() {
  if constexpr (std::is_same_v<T, Half>)
    return 0x7c00;
  else if constexpr (std::is_same_v<T, BFloat16>)
    return 0x7f80;
  else
    return bit_cast<Key<T>>(std::numeric_limits<T>::infinity());
}

template <class T>
inline Key<T> key_of(T v) {
  using K = Key<T>;
  constexpr K sign = K(K(1) << (sizeof(T) * 8 - 1));
  if constexpr (is_float_type<T>) {
    // without branches: signs are hard to predict
    K bits = bit_cast<K>(v), magnitude = K(bits & K(~sign)), negative = K(bits >> (sizeof(T) * 8 - 1));
    K key = K(bits ^ K(K(0) - negative) ^ K(sign & K(negative - 1)));
    key = K(key + K(key == K(~sign)));  // -0
    return K(key | K(K(0) - K(magnitude > infinity_bits<T>())));
  } else if constexpr (std::is_signed_v<T>) {
    return K(K(v) ^ sign);
  } else {
    return K(v);
  }
}

template <class T>
inline bool is_nan(T v) {
  if constexpr (is_float_type<T>)
    return key_of(v) == Key<T>(~Key<T>(0));
  else
    return false;
}

template <class T>
inline bool equal(T a, T b) {
  if constexpr (is_half_type<T>)
    return float(a) == float(b);
  else
    return a == b;
}

// A key with the place of its element.
struct Narrow {
  uint64_t bits;
  static Narrow make(uint64_t key, int64_t place) { return {key << 32 | uint64_t(place)}; }
  uint64_t key() const { return bits >> 32; }
  int64_t place() const { return int64_t(bits & 0xffffffffu); }
  bool operator<(Narrow o) const { return bits < o.bits; }
};
struct WideItem {
  uint64_t bits;
  int64_t at;
  static WideItem make(uint64_t key, int64_t place) { return {key, place}; }
  uint64_t key() const { return bits; }
  int64_t place() const { return at; }
  bool operator<(WideItem o) const { return bits < o.bits || (bits == o.bits && at < o.at); }
};

// Memory of a kernel's own, grown as needed.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { release(); }
  template <class I>
  I* get(int64_t n) {
    size_t bytes = size_t(n) * sizeof(I);
    if (bytes > bytes_) {
      release();
      data_ = allocator(DeviceType::CPU).allocate(bytes, Device{});
      bytes_ = bytes;
    }
    return static_cast<I*>(data_);
  }

 private:
  void release() {
    if (data_) allocator(DeviceType::CPU).free(data_, bytes_, Device{});
  }
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

struct Workspace {
  Scratch items, spare, columns, counts;
};

// ---- sorting ----

constexpr int64_t kComparisons = 96;        // up to here comparing is faster than counting
constexpr int64_t kParallelLine = 1 << 17;  // from here several threads sort one line

// Least significant digit first; `items` and `spare` take turns. Returns the one that holds the result.
template <class I>
I* radix_sort(I* items, I* spare, int64_t n, int key_bits, Scratch& counts_memory) {
  const int width = n < (1 << 14) ? 8 : 11;
  const int64_t digits = int64_t(1) << width;
  const int passes = (key_bits + width - 1) / width;
  const int64_t parts = n < kParallelLine ? 1 : std::max(1, num_threads());
  const int64_t part = (n + parts - 1) / parts;
  // counts of each digit, part by part; with one part those of all passes are taken at once
  int64_t* counts = counts_memory.get<int64_t>((parts > 1 ? parts : passes) * digits);
  const uint64_t mask = uint64_t(digits - 1);
  if (parts == 1) {
    std::fill_n(counts, passes * digits, 0);
    for (int64_t i = 0; i < n; ++i) {
      uint64_t key = items[i].key();
      for (int p = 0; p < passes; ++p) ++counts[p * digits + int64_t(key >> (p * width) & mask)];
    }
  }
  for (int p = 0; p < passes; ++p) {
    const int shift = p * width;
    int64_t* first = parts == 1 ? counts + p * digits : counts;
    if (parts > 1)
      parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; ++t) {
          int64_t* mine = first + t * digits;
          std::fill_n(mine, digits, 0);
          for (int64_t i = t * part; i < std::min(n, (t + 1) * part); ++i) ++mine[items[i].key() >> shift & mask];
        }
      });
    int64_t sum = 0;
    bool all_alike = false;
    for (int64_t d = 0; d < digits; ++d) {
      int64_t before = sum;
      for (int64_t t = 0; t < parts; ++t) {
        int64_t count = first[t * digits + d];
        first[t * digits + d] = sum;
        sum += count;
      }
      all_alike |= sum - before == n;
    }
    if (all_alike) continue;
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        int64_t* next = first + t * digits;
        for (int64_t i = t * part; i < std::min(n, (t + 1) * part); ++i) {
          I item = items[i];
          spare[next[item.key() >> shift & mask]++] = item;
        }
      }
    });
    std::swap(items, spare);
  }
  return items;
}

template <class T>
inline constexpr Key<T> kAllOnes = Key<T>(kKeyBits<T> == 1 ? 1 : ~Key<T>(0));

// f(items) with the items of a line in order. Keys count from the least one, which often makes them short.
template <class T, class F>
void with_sorted(const T* line, int64_t n, bool descending, Workspace& w, F&& f) {
  const Key<T> flip = descending ? kAllOnes<T> : Key<T>(0);
  Key<T> least = 0, most = kAllOnes<T>;
  if (n > kComparisons) {
    least = most = Key<T>(key_of(line[0]) ^ flip);
    for (int64_t i = 1; i < n; ++i) {
      Key<T> key = Key<T>(key_of(line[i]) ^ flip);
      least = std::min(least, key);
      most = std::max(most, key);
    }
  }
  auto run = [&]<class I>() {
    I* items = w.items.get<I>(n);
    parallel_for(n, kParallelLine, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) items[i] = I::make(Key<T>(Key<T>(key_of(line[i]) ^ flip) - least), i);
    });
    if (n > kComparisons)
      items = radix_sort(items, w.spare.get<I>(n), n, 64 - std::countl_zero(uint64_t(most - least)), w.counts);
    else
      std::sort(items, items + n);
    f(static_cast<const I*>(items));
  };
  if (n < int64_t(1) << 32 && uint64_t(most - least) < uint64_t(1) << 32)
    run.template operator()<Narrow>();
  else
    run.template operator()<WideItem>();
}

// f(line, number, workspace) for each line, its elements side by side. What f writes for line (o, i) starts at
// o * length * inner + i and goes in steps of `inner`.
template <class T, class F>
void for_lines(const void* data, int64_t outer, int64_t n, int64_t inner, F&& f) {
  const T* in = static_cast<const T*>(data);
  int64_t tiles = (inner + kColumns - 1) / kColumns;
  int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, n * std::min(inner, kColumns)));
  parallel_for(outer * tiles, grain, [&](int64_t begin, int64_t end) {
    Workspace w;
    for (int64_t t = begin; t < end; ++t) {
      int64_t o = t / tiles, c = t % tiles * kColumns, columns = std::min(kColumns, inner - c);
      const T* from = in + o * n * inner + c;
      if (inner == 1) {
        f(from, o, int64_t(0), w);
        continue;
      }
      T* lines = w.columns.get<T>(n * columns);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < columns; ++k) lines[k * n + i] = from[i * inner + k];
      for (int64_t k = 0; k < columns; ++k) f(static_cast<const T*>(lines + k * n), o, c + k, w);
    }
  });
}

template <class F>
void visit_ordered(Dtype dtype, F&& f) {
  visit(dtype, [&]<class T>() {
    if constexpr (!is_complex_type<T>) f.template operator()<T>();
  });
}

// f.operator()<T, I>: the dtype, and what an item of a line of n elements is.
template <class F>
void visit_items(Dtype dtype, int64_t n, F&& f) {
  visit_ordered(dtype, [&]<class T>() {
    if constexpr (sizeof(T) <= 4)
      if (n < int64_t(1) << 32) return f.template operator()<T, Narrow>();
    f.template operator()<T, WideItem>();
  });
}

void sort(const SortArgs& a) {
  visit_ordered(a.dtype, [&]<class T>() {
    for_lines<T>(a.in, a.outer, a.n, a.inner, [&](const T* line, int64_t o, int64_t column, Workspace& w) {
      int64_t at = o * a.n * a.inner + column;
      T* values = static_cast<T*>(a.values);
      with_sorted(line, a.n, a.descending, w, [&](const auto* items) {
        parallel_for(a.n, kParallelLine, [&](int64_t begin, int64_t end) {
          if (values)
            for (int64_t i = begin; i < end; ++i) values[at + i * a.inner] = line[items[i].place()];
          if (a.indices)
            for (int64_t i = begin; i < end; ++i) a.indices[at + i * a.inner] = items[i].place();
        });
      });
    });
  });
}

// ---- selecting ----

// Whether one of kStep flipped keys is below the limit; without branches, for vectors.
constexpr int64_t kStep = 32;
template <class T>
inline bool any_below(const T* line, Key<T> flip, Key<T> limit) {
  Key<T> any = 0;
  for (int64_t i = 0; i < kStep; ++i) any |= Key<T>(Key<T>(key_of(line[i]) ^ flip) < limit);
  return any != 0;
}

// Leaves the k least of the flipped keys of line[begin..end) at the front of `items`, which has room for 2 k + 16, in
// no order: those that may still be among them are collected, and thinned out when there are too many.
template <class T, class I>
void collect_least(const T* line, int64_t begin, int64_t end, int64_t k, Key<T> flip, I* items) {
  const int64_t room = 2 * k + 16;
  int64_t count = 0;
  Key<T> limit = Key<T>(~Key<T>(0));
  bool limited = false;
  for (int64_t i = begin; i < end;) {
    const int64_t stop = std::min(end, i + kStep);
    if (limited && stop - i == kStep && !any_below(line + i, flip, limit)) {
      i = stop;
      continue;
    }
    for (; i < stop; ++i) {
      Key<T> key = Key<T>(key_of(line[i]) ^ flip);
      if (limited && key >= limit) continue;
      items[count++] = I::make(key, i);
      if (count == room) {
        std::nth_element(items, items + k - 1, items + count);
        count = k;
        limit = Key<T>(items[k - 1].key());
        limited = true;
      }
    }
  }
  if (count > k) std::nth_element(items, items + k - 1, items + count);
}

// The k least of the flipped keys of a line, in no order.
template <class T, class I>
I* least_items(const T* line, int64_t n, int64_t k, Key<T> flip, Workspace& w) {
  if (k > n / 8 || n < 256) {
    I* items = w.items.get<I>(n);
    for (int64_t i = 0; i < n; ++i) items[i] = I::make(Key<T>(key_of(line[i]) ^ flip), i);
    if (k < n) std::nth_element(items, items + k - 1, items + n);
    return items;
  }
  // Every thread's piece of a long line gives its own k least. What is chosen does not depend on the pieces.
  const int64_t most = n / std::max<int64_t>(16 * k, 1 << 15) + 1;
  const int64_t room = 2 * k + 16, pieces = std::min<int64_t>(most, num_threads());
  const int64_t piece = (n + pieces - 1) / pieces;
  I* items = w.items.get<I>(room * pieces);
  parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      collect_least<T, I>(line, i * piece, std::min(n, (i + 1) * piece), k, flip, items + i * room);
  });
  if (pieces == 1) return items;
  for (int64_t i = 1; i < pieces; ++i) std::copy(items + i * room, items + i * room + k, items + i * k);
  std::nth_element(items, items + k - 1, items + pieces * k);
  return items;
}

void topk(const TopkArgs& a) {
  visit_items(a.dtype, a.n, [&]<class T, class I>() {
    T* values = static_cast<T*>(a.values);
    for_lines<T>(a.in, a.outer, a.n, a.inner, [&](const T* line, int64_t o, int64_t column, Workspace& w) {
      int64_t at = o * a.k * a.inner + column;
      auto write = [&](const auto* items) {
        for (int64_t i = 0; i < a.k; ++i) {
          values[at + i * a.inner] = line[items[i].place()];
          a.indices[at + i * a.inner] = items[i].place();
        }
      };
      if (a.k > 256 && a.k > a.n / 8) return with_sorted(line, a.n, a.largest, w, write);
      I* items = least_items<T, I>(line, a.n, a.k, a.largest ? kAllOnes<T> : Key<T>(0), w);
      std::sort(items, items + a.k);
      write(items);
    });
  });
}

// The place of the element that would be k-th if the line were sorted.
template <class T, class I>
int64_t kth_place(const T* line, int64_t n, int64_t k, Workspace& w) {
  int64_t count = n;
  I* items;
  if (n < 4096) {
    items = w.items.get<I>(n);
    for (int64_t i = 0; i < n; ++i) items[i] = I::make(key_of(line[i]), i);
  } else {
    // The leading bits say which elements come into question.
    constexpr int bits = std::min(kKeyBits<T>, 12), shift = kKeyBits<T> - bits;
    int64_t* counts = w.counts.get<int64_t>(4 << bits);
    std::fill_n(counts, 4 << bits, 0);
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)  // four tables: neighbours are often alike
      for (int64_t j = 0; j < 4; ++j) ++counts[(j << bits) + int64_t(key_of(line[i + j]) >> shift)];
    for (; i < n; ++i) ++counts[key_of(line[i]) >> shift];
    uint64_t lead = 0;
    for (;; ++lead) {
      count = 0;
      for (int64_t j = 0; j < 4; ++j) count += counts[(j << bits) + int64_t(lead)];
      if (k < count) break;
      k -= count;
    }
    items = w.items.get<I>(count);
    int64_t kept = 0;
    for (i = 0; kept < count; ++i) {
      Key<T> key = key_of(line[i]);
      if (uint64_t(key >> shift) == lead) items[kept++] = I::make(key, i);
    }
  }
  std::nth_element(items, items + k, items + count);
  return items[k].place();
}

// NaN is the mode only where there is nothing else.
template <class T>
int64_t mode_place(const T* line, int64_t n, Workspace& w) {
  int64_t place, most = 0;
  with_sorted(line, n, false, w, [&](const auto* items) {
    place = items[0].place();
    for (int64_t i = 0, run = 0; i < n && !is_nan(line[items[i].place()]); ++i) {
      run = i && items[i].key() == items[i - 1].key() ? run + 1 : 1;
      if (run <= most) continue;
      most = run;
      place = items[i].place();
    }
  });
  return place;
}

template <class T, class I>
int64_t selected(const T* line, const SelectArgs& a, Workspace& w) {
  if (a.what == Select::Mode) return mode_place(line, a.n, w);
  int64_t k = a.k;
  if (a.what != Select::Kth) {
    int64_t nans = 0;
    if constexpr (is_float_type<T>)
      for (int64_t i = 0; i < a.n; ++i) nans += is_nan(line[i]);
    if (a.what == Select::Median)
      k = nans ? a.n - nans : (a.n - 1) / 2;
    else
      k = std::max<int64_t>(0, (a.n - nans - 1) / 2);
  }
  return kth_place<T, I>(line, a.n, k, w);
}

void select(const SelectArgs& a) {
  visit_items(a.dtype, a.n, [&]<class T, class I>() {
    T* values = static_cast<T*>(a.values);
    for_lines<T>(a.in, a.outer, a.n, a.inner, [&](const T* line, int64_t o, int64_t column, Workspace& w) {
      int64_t place = selected<T, I>(line, a, w), at = o * a.inner + column;
      values[at] = line[place];
      if (a.indices) a.indices[at] = place;
    });
  });
}

// ---- searching ----

void search(const SearchArgs& a) {
  visit_ordered(a.dtype, [&]<class T>() {
    using C = std::conditional_t<is_half_type<T>, float, T>;
    const T *sequences = static_cast<const T*>(a.sequences), *values = static_cast<const T*>(a.values);
    int64_t steps = 1;
    while (a.n >> steps) ++steps;
    parallel_for(a.lines * a.per_line, std::max<int64_t>(1, kGrain / steps), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t base = a.shared ? 0 : i / a.per_line * a.n, low = 0, high = a.n;
        const T* line = sequences + base;
        const int64_t* sorter = a.sorter ? a.sorter + base : nullptr;
        C v = C(values[i]);
        while (low < high) {
          int64_t middle = low + (high - low) / 2;
          C x = C(line[sorter ? sorter[middle] : middle]);
          bool before = a.right ? !(x > v) : !(x >= v);
          if (before)
            low = middle + 1;
          else
            high = middle;
        }
        if (a.int32)
          static_cast<int32_t*>(a.out)[i] = int32_t(low);
        else
          static_cast<int64_t*>(a.out)[i] = low;
      }
    });
  });
}

// ---- rows ----

void row_order(const RowOrderArgs& a) {
  visit_ordered(a.dtype, [&]<class T>() {
    const T* rows = static_cast<const T*>(a.rows);
    for (int64_t i = 0; i < a.count; ++i) a.order[i] = i;
    std::stable_sort(a.order, a.order + a.count, [&](int64_t x, int64_t y) {
      const T *p = rows + x * a.length, *q = rows + y * a.length;
      for (int64_t i = 0; i < a.length; ++i) {
        auto u = key_of(p[i]), v = key_of(q[i]);
        if (u != v) return u < v;
      }
      return false;
    });
  });
}

int64_t row_runs(const RowRunsArgs& a) {
  int64_t runs = 0;
  visit(a.dtype, [&]<class T>() {
    const T *rows = static_cast<const T*>(a.rows), *last = nullptr;
    for (int64_t i = 0; i < a.count; ++i) {
      const T* row = rows + (a.order ? a.order[i] : i) * a.length;
      bool fresh = i == 0;
      for (int64_t k = 0; !fresh && k < a.length; ++k) fresh = !equal(row[k], last[k]);
      if (fresh) a.starts[runs++] = i;
      if (a.inverse) a.inverse[a.origins ? a.origins[i] : i] = runs - 1;
      last = row;
    }
  });
  a.starts[runs] = a.count;
  return runs;
}

void range(const void* data, int64_t n, Dtype dtype, int64_t* least, int64_t* most) {
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      const T* in = static_cast<const T*>(data);
      auto [low, high] = std::minmax_element(in, in + n);
      *least = int64_t(*low);
      *most = int64_t(*high);
    }
  });
}

void bincount(const BincountArgs& a) {
  visit(a.dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>) {
      const T* in = static_cast<const T*>(a.in);
      auto add = [&]<class W>() {
        W* counts = static_cast<W*>(a.counts);
        const W* weights = static_cast<const W*>(a.weights);
        for (int64_t i = 0; i < a.n; ++i) counts[int64_t(in[i])] += weights ? weights[i] : W(1);
      };
      if (!a.weights)
        add.template operator()<int64_t>();
      else if (a.weight_dtype == Dtype::Float32)
        add.template operator()<float>();
      else
        add.template operator()<double>();
    }
  });
}

const bool filled = [] {
  sort_kernels[int(DeviceType::CPU)] = {sort, topk, select, search, row_order, row_runs, range, bincount};
  return true;
}();

}  // namespace
}  // namespace tl::cpu
