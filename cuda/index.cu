#include "index.h"
#include "radix_sort.h"

// Reading through indices, and masks. Elements are moved as words: nothing needs to know what they mean.

namespace tl::cuda {
namespace {

// ---- reading ----

template <class Word, class Index>
TL_KERNEL gather_elements(char* to, const char* from, const char* index, int64_t n, const Walk<3, Index> walk,
                          int64_t step, int64_t limit, const Report report) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t k = checked_index(index + at[2], i, limit, report);
    if (k >= 0) *reinterpret_cast<Word*>(to + at[0]) = *reinterpret_cast<const Word*>(from + at[1] + k * step);
  }
}

void gather(const AlongArgs& a) {
  Loops p;
  for (int64_t d = a.ndim; d-- > 0;)
    p.add(a.sizes[d], a.dst_strides[d], d == a.dim ? 0 : a.src_strides[d], a.index_strides[d] * 8);
  p.close();
  if (p.numel == 0) return;
  Launcher l = Launcher::of(a.dst);
  Report report = report_to(a.error);
  with_word(int64_t(itemsize(a.dtype)), [&](auto word) {
    using Word = decltype(word);
    auto run = [&](auto kernel, auto walk) {
      launch({{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream}, kernel, a.dst, a.src,
             reinterpret_cast<const char*>(a.index), p.numel, walk, a.src_strides[a.dim], a.limit, report);
    };
    if (p.index32)
      run(gather_elements<Word, uint32_t>, Walk<3, uint32_t>(p));
    else
      run(gather_elements<Word, int64_t>, Walk<3, int64_t>(p));
  });
  raise_at_once();
}

template <class I, class Index>
TL_KERNEL index_offsets(int64_t* offsets, bool first, bool wrap, const char* index, int64_t n,
                        const Walk<1, Index> walk, int64_t limit, int64_t stride, int64_t skip, const Report report) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[1];
    walk.offsets(i, at);
    int64_t given = int64_t(*reinterpret_cast<const I*>(index + at[0])), k = given;
    int64_t sum = first ? 0 : offsets[i];
    if (k < 0 && wrap) k += limit;
    if (uint64_t(k) >= uint64_t(limit)) {
      report(given, i);
      offsets[i] = -1;
    } else {
      offsets[i] = sum < 0 || (given >= 0 && given == skip) ? -1 : sum + k * stride;
    }
  }
}

void offsets(const OffsetArgs& a) {
  Loops p;
  for (int64_t d = a.ndim; d-- > 0;) p.add(a.sizes[d], a.index_strides[d], 0);
  p.close();
  if (p.numel == 0) return;
  Launcher l = Launcher::of(a.offsets);
  Report report = report_to(a.error);
  auto run = [&](auto kernel, auto walk) {
    launch({{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream}, kernel, a.offsets, a.first, a.wrap, a.index,
           p.numel, walk, a.limit, a.stride, a.skip, report);
  };
  auto of_index = [&](auto zero) {
    using I = decltype(zero);
    if (p.index32)
      run(index_offsets<I, uint32_t>, Walk<1, uint32_t>(p));
    else
      run(index_offsets<I, int64_t>, Walk<1, int64_t>(p));
  };
  a.index_dtype == Dtype::Int32 ? of_index(int32_t()) : of_index(int64_t());
  raise_at_once();
}

// The third operand of the walk counts rows.
template <class Word, class Index>
TL_KERNEL gather_words(char* to, const char* from, const int64_t* offsets, int64_t n, const Walk<3, Index> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    Index at[3];
    walk.offsets(i, at);
    int64_t offset = offsets[at[2]];
    if (offset < 0) continue;
    *reinterpret_cast<Word*>(to + at[0]) = *reinterpret_cast<const Word*>(from + at[1] + offset);
  }
}

void gather_rows(const RowsArgs& a) {
  Loops p;
  for (int64_t d = a.inner_ndim; d-- > 0;) p.add(a.inner_sizes[d], a.inner_dst[d], a.inner_src[d]);
  p.add(a.count, a.step, 0, 1);
  for (int64_t d = a.outer_ndim; d-- > 0;) p.add(a.outer_sizes[d], a.outer_dst[d], a.outer_src[d]);
  if (p.numel == 0) return;
  int64_t width =
      p.widen(int64_t(itemsize(a.dtype)), uint64_t(a.unit) | uint64_t(a.step) | reinterpret_cast<uintptr_t>(a.dst) |
                                              reinterpret_cast<uintptr_t>(a.src));
  p.close();
  Launcher l = Launcher::of(a.dst);
  with_word(width, [&](auto word) {
    using Word = decltype(word);
    LaunchConfig config{{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream};
    if (p.index32)
      launch(config, gather_words<Word, uint32_t>, a.dst, a.src, a.offsets, p.numel, Walk<3, uint32_t>(p));
    else
      launch(config, gather_words<Word, int64_t>, a.dst, a.src, a.offsets, p.numel, Walk<3, int64_t>(p));
  });
}

// ---- masks ----

// A block takes a chunk: each thread 16 bytes of the mask.
constexpr int kMaskBytes = int(kMaskChunk) / kThreads;
static_assert(kMaskBytes == 16);

struct Bytes16 {
  uint64_t words[2];
};

// The thread's part of the chunk that begins at `begin`; what is past the end is false.
TL_DEVICE Bytes16 mask_bytes(const bool* mask, int64_t begin, int64_t n) {
  int64_t from = begin + int64_t(thread_index().x) * kMaskBytes;
  const bool* p = mask + from;
  Bytes16 b{{0, 0}};
  if (from + kMaskBytes <= n && reinterpret_cast<uintptr_t>(p) % 16 == 0) {
    auto pack = *reinterpret_cast<const Pack<uint64_t, 2>*>(p);
    b.words[0] = pack.v[0];
    b.words[1] = pack.v[1];
  } else {
    for (int k = 0; k < kMaskBytes && from + k < n; ++k) b.words[k / 8] |= uint64_t(p[k]) << (k % 8 * 8);
  }
  return b;
}
TL_DEVICE int count_bytes(const Bytes16& b) { return int(((b.words[0] + b.words[1]) * 0x0101010101010101u) >> 56); }

TL_KERNEL count_chunks(const bool* mask, int64_t n, int64_t chunks, int64_t* starts) {
  TL_SHARED(int, warps, kThreads / kWarp);
  for (int64_t c = block_index().x; c < chunks; c += grid_size().x) {
    int total;
    sum_before<int>(count_bytes(mask_bytes(mask, c * kMaskChunk, n)), warps, &total);
    if (thread_index().x == 0) starts[c + 1] = total;
  }
}

constexpr int kWide = 1024;

TL_KERNEL add_up_chunks(int64_t chunks, int64_t* starts) {
  TL_SHARED(int64_t, warps, kWide / kWarp);
  int64_t carry = 0;
  for (int64_t first = 0; first < chunks; first += kWide) {
    int64_t c = first + thread_index().x, total;
    int64_t v = c < chunks ? starts[c + 1] : 0;
    int64_t before = sum_before<int64_t>(v, warps, &total);
    if (c < chunks) starts[c + 1] = carry + before + v;
    carry += total;
  }
  if (thread_index().x == 0) starts[0] = 0;
}

int64_t mask_starts(const bool* mask, int64_t n, int64_t* starts) {
  Launcher l = Launcher::of(starts);
  int64_t chunks = mask_chunks(n), total = 0;
  if (n) launch({{blocks_for(chunks, 1)}, {kThreads}, 0, l.stream}, count_chunks, mask, n, chunks, starts);
  launch({{1}, {kWide}, 0, l.stream}, add_up_chunks, chunks, starts);
  read_back(&total, starts + chunks, sizeof(total), l.stream);
  return total;
}

// f(k, i) for the k-th true one, which is at i.
template <class F>
TL_KERNEL each_true(const bool* mask, int64_t n, int64_t chunks, const int64_t* starts, const F f) {
  TL_SHARED(uint16_t, places, kMaskChunk);
  TL_SHARED(int, warps, kThreads / kWarp);
  for (int64_t c = block_index().x; c < chunks; c += grid_size().x) {
    Bytes16 b = mask_bytes(mask, c * kMaskChunk, n);
    int total, k = sum_before<int>(count_bytes(b), warps, &total);
    for (int i = 0; i < kMaskBytes; ++i)
      if (b.words[i / 8] >> (i % 8 * 8) & 1) places[k++] = uint16_t(int(thread_index().x) * kMaskBytes + i);
    sync_block();
    int64_t start = starts[c];
    for (int i = int(thread_index().x); i < total; i += kThreads) f(start + i, c * kMaskChunk + uint16_t(places[i]));
    sync_block();
  }
}

template <class F>
void for_true(const bool* mask, int64_t n, const int64_t* starts, const F& f) {
  Launcher l = Launcher::of(starts);
  int64_t chunks = mask_chunks(n);
  launch({{blocks_for(chunks, 1)}, {kThreads}, 0, l.stream}, each_true<F>, mask, n, chunks, starts, f);
}

template <class Word, bool scatter>
struct MoveTrue {
  Word* dst;
  const Word* src;
  TL_DEVICE void operator()(int64_t k, int64_t i) const { scatter ? dst[i] = src[k] : dst[k] = src[i]; }
};

template <bool scatter>
void move_true(const MaskArgs& a) {
  with_word(int64_t(a.itemsize), [&](auto word) {
    using Word = decltype(word);
    for_true(a.mask, a.n, a.starts,
             MoveTrue<Word, scatter>{reinterpret_cast<Word*>(a.dst), reinterpret_cast<const Word*>(a.src)});
  });
}
void mask_select(const MaskArgs& a) { move_true<false>(a); }
void mask_scatter(const MaskArgs& a) { move_true<true>(a); }

struct Coordinates {
  int64_t *dst, total;
  int32_t ndim;
  int64_t sizes[kWalkDims];
  TL_DEVICE void operator()(int64_t k, int64_t i) const {
    for (int d = ndim; d-- > 1;) {
      int64_t rest = i / sizes[d];
      dst[d * total + k] = i - rest * sizes[d];
      i = rest;
    }
    dst[k] = i;
  }
};

void nonzero(const NonzeroArgs& a) {
  check(a.ndim <= kWalkDims, "nonzero() of more than ", kWalkDims, " dims is not supported on CUDA");
  Coordinates f{a.dst, a.total, int32_t(a.ndim), {}};
  for (int64_t d = 0; d < a.ndim; ++d) f.sizes[d] = a.sizes[d];
  for_true(a.mask, a.n, a.starts, f);
}

template <class Word>
TL_KERNEL fill_true(Word* dst, const Word* value, const bool* mask, int64_t n) {
  constexpr int kEach = 8;  // bytes of the mask under way
  Word v = *value;
  int64_t step = global_size();
  for (int64_t first = global_index(); first < n; first += step * kEach) {
    bool here[kEach];
    TL_UNROLL
    for (int k = 0; k < kEach; ++k) here[k] = first + k * step < n && mask[first + k * step];
    TL_UNROLL
    for (int k = 0; k < kEach; ++k)
      if (here[k]) dst[first + k * step] = v;
  }
}

void mask_fill(const MaskArgs& a) {
  if (a.n == 0) return;
  Launcher l = Launcher::of(a.dst);
  with_word(int64_t(a.itemsize), [&](auto word) {
    using Word = decltype(word);
    launch({{blocks_for(a.n, kThreads, 8)}, {kThreads}, 0, l.stream}, fill_true<Word>, reinterpret_cast<Word*>(a.dst),
           reinterpret_cast<const Word*>(a.src), a.mask, a.n);
  });
}

// ---- means ----

template <class A>
TL_KERNEL divide_by_counts(char* dst, const int64_t* counts, int64_t n, Dtype dtype, int item) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    int64_t c = counts[i] < 1 ? 1 : counts[i];
    A v = load_number<A>(dst + i * item, dtype);
    if constexpr (std::is_same_v<A, int64_t>) {
      v = v / c - (v % c < 0);
    } else if constexpr (is_complex_type<A>) {
      using R = typename A::value_type;
      v = A(v.re / R(c), v.im / R(c));
    } else {
      v = v / A(c);
    }
    store_number(dst + i * item, dtype, v);
  }
}

void divide_counts(void* dst, const int64_t* counts, int64_t n, Dtype dtype) {
  if (n == 0) return;
  Launcher l = Launcher::of(dst);
  with_number(dtype, [&](auto zero) {
    launch({{blocks_for(n, kThreads)}, {kThreads}, 0, l.stream}, divide_by_counts<decltype(zero)>,
           static_cast<char*>(dst), counts, n, dtype, int(itemsize(dtype)));
  });
}

[[maybe_unused]] const bool filled = [] {
  index_kernels[int(DeviceType::CUDA)] = {gather,      scatter,      offsets,   gather_rows, scatter_rows, mask_starts,
                                          mask_select, mask_scatter, mask_fill, nonzero,     divide_counts};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
