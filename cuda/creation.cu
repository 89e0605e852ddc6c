#include "kernels/creation.h"

#include <cstring>

#include "runtime/walk.h"

// Elements of a dtype are filled as words of their width: nothing needs to know what they mean.

namespace tl::cuda {
namespace {

template <class Word>
TL_KERNEL fill_kernel(Word* to, int64_t n, Word value) {
  for (int64_t i = global_index(); i < n; i += global_size()) to[i] = value;
}

template <class Word>
void fill_words(void* data, int64_t n, const void* element, size_t width) {
  Word word;
  for (size_t at = 0; at < sizeof(Word); at += width)
    std::memcpy(reinterpret_cast<char*>(&word) + at, element, std::min(width, sizeof(Word)));
  Launcher l = Launcher::of(data);
  launch({{blocks_for(n, kThreads, 4)}, {kThreads}, 0, l.stream}, fill_kernel<Word>, static_cast<Word*>(data), n, word);
}

void fill(void* data, int64_t numel, size_t width, const void* element) {
  if (numel == 0) return;
  int64_t bytes = numel * int64_t(width);
  // Whole packs of 16 bytes, then what is left.
  bool aligned = reinterpret_cast<uintptr_t>(data) % 16 == 0;
  int64_t packs = aligned ? bytes / 16 : 0;
  if (packs) fill_words<Pack<uint32_t, 4>>(data, packs, element, width);
  int64_t rest = (bytes - packs * 16) / int64_t(width);
  if (!rest) return;
  void* tail = static_cast<char*>(data) + packs * 16;
  switch (width) {
    case 1:
      return fill_words<uint8_t>(tail, rest, element, 1);
    case 2:
      return fill_words<uint16_t>(tail, rest, element, 2);
    case 4:
      return fill_words<uint32_t>(tail, rest, element, 4);
    case 8:
      return fill_words<uint64_t>(tail, rest, element, 8);
    default:
      return fill_words<Pack<uint64_t, 2>>(tail, rest, element, 16);
  }
}

// What csrc/cpu/creation.cpp gives: one rounding of start + i * step, but runs of `run` numbers are counted from their
// rounded first one.
template <class T, class Real>
TL_KERNEL float_range(T* out, int64_t n, double start, double step, int run) {
  int64_t whole = n / (2 * run) * (2 * run);
  for (int64_t i = global_index(); i < n; i += global_size()) {
    int64_t first = i < whole ? i / run * run : i;
    double base = ::fma(step, double(first), start);
    if (i < whole) base = double(Real(T(Real(base))));
    out[i] = T(Real(::fma(step, double(i - first), base)));
  }
}

template <class T>
TL_KERNEL int_range(T* out, int64_t n, uint64_t first, uint64_t increment) {
  for (int64_t i = global_index(); i < n; i += global_size()) out[i] = T(first + increment * uint64_t(i));
}

template <class T, class Real>
void floats(const SequenceArgs& a, int run) {
  Launcher l = Launcher::of(a.data);
  launch({{blocks_for(a.numel, kThreads)}, {kThreads}, 0, l.stream}, float_range<T, Real>, static_cast<T*>(a.data),
         a.numel, a.start, a.step, run);
}
template <class T>
void integers(const SequenceArgs& a) {
  Launcher l = Launcher::of(a.data);
  launch({{blocks_for(a.numel, kThreads)}, {kThreads}, 0, l.stream}, int_range<T>, static_cast<T*>(a.data), a.numel,
         uint64_t(a.first), uint64_t(a.increment));
}

void arange(const SequenceArgs& a) {
  switch (a.dtype) {
    case Dtype::Float16:
      return floats<Half, float>(a, 16);
    case Dtype::BFloat16:
      return floats<BFloat16, float>(a, 16);
    case Dtype::Float32:
      return floats<float, float>(a, 8);
    case Dtype::Float64:
      return floats<double, double>(a, 4);
    case Dtype::UInt8:
      return integers<uint8_t>(a);
    case Dtype::Int8:
      return integers<int8_t>(a);
    case Dtype::Int16:
      return integers<int16_t>(a);
    case Dtype::Int32:
      return integers<int32_t>(a);
    default:
      return integers<int64_t>(a);
  }
}

// Counts from the nearer end; half types round after each step, integers first round the ends.
template <class T, class Real>
TL_KERNEL spaced(T* out, int64_t n, double from, double to, double power_base) {
  auto round = [](Real x) {
    if constexpr (is_half_type<T>)
      return Real(T(x));
    else
      return x;
  };
  constexpr bool integral = !is_half_type<T> && !is_floating_type<T> && !is_complex_type<T>;
  Real start = integral ? Real(int64_t(from)) : round(Real(from)), end = integral ? Real(int64_t(to)) : round(Real(to));
  Real step = n > 1 ? round(round(end - start) / round(Real(n - 1))) : Real(0);
  for (int64_t i = global_index(); i < n; i += global_size()) {
    bool near_start = i < n / 2 || n == 1;
    Real k = Real(near_start ? i : n - 1 - i), s = near_start ? step : -step, base = near_start ? start : end, x;
    if constexpr (is_half_type<T>)
      x = round(round(s * round(k)) + base);
    else
      x = ::fma(s, k, base);
    if (power_base != 0) x = ::pow(Real(power_base), x);
    if constexpr (integral)
      out[i] = T(int64_t(x));
    else
      out[i] = T(x);
  }
}

template <class T, class Real>
void spread(const SequenceArgs& a) {
  Launcher l = Launcher::of(a.data);
  launch({{blocks_for(a.numel, kThreads)}, {kThreads}, 0, l.stream}, spaced<T, Real>, static_cast<T*>(a.data), a.numel,
         a.start, a.end, a.base);
}

void linspace(const SequenceArgs& a) {
  switch (a.dtype) {
    case Dtype::Float64:
      return spread<double, double>(a);
    case Dtype::Complex128:
      return spread<Complex<double>, double>(a);
    case Dtype::Complex64:
      return spread<Complex<float>, float>(a);
    case Dtype::Float32:
      return spread<float, float>(a);
    case Dtype::Float16:
      return spread<Half, float>(a);
    case Dtype::BFloat16:
      return spread<BFloat16, float>(a);
    case Dtype::UInt8:
      return spread<uint8_t, float>(a);
    case Dtype::Int8:
      return spread<int8_t, float>(a);
    case Dtype::Int16:
      return spread<int16_t, float>(a);
    case Dtype::Int32:
      return spread<int32_t, float>(a);
    default:
      return spread<int64_t, float>(a);
  }
}

[[maybe_unused]] const bool filled = [] {
  creation_kernels[int(DeviceType::CUDA)] = {fill, arange, linspace};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
