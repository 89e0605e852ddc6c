#include "kernels/creation.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/parallel.h"

namespace tl::cpu {
namespace {

constexpr int64_t kFillGrainBytes = int64_t(256) << 10;
constexpr int64_t kSequenceGrain = 32768;

void fill(void* data, int64_t numel, size_t width, const void* element) {
  const char* e = static_cast<const char*>(element);
  bool same = true;  // every byte of the element is the same: zeros, most often
  for (size_t i = 1; i < width; ++i) same &= e[i] == e[0];
  // A block that holds a whole number of elements is copied over and over.
  alignas(64) char block[1024];
  int64_t bytes = numel * int64_t(width);
  if (!same)
    for (size_t i = 0; i < sizeof(block) && int64_t(i) < bytes; i += width) std::memcpy(block + i, e, width);
  parallel_for(bytes, kFillGrainBytes, [&](int64_t begin, int64_t end) {
    char* to = static_cast<char*>(data);
    if (same) {
      std::memset(to + begin, e[0], size_t(end - begin));
      return;
    }
    while (begin < end) {
      int64_t phase = begin % int64_t(sizeof(block)),
              n = std::min<int64_t>(end - begin, int64_t(sizeof(block)) - phase);
      std::memcpy(to + begin, block + phase, size_t(n));
      begin += n;
    }
  });
}

// Each number is one rounding of start + i * step, except that runs of kRun numbers are counted from their rounded
// first one, as PyTorch's vectors do.
template <class T, class Real, int kRun>
void float_range(const SequenceArgs& a) {
  T* out = static_cast<T*>(a.data);
  int64_t whole = a.numel / (2 * kRun) * (2 * kRun);
  double start = a.start, step = a.step;
  parallel_for((a.numel + kRun - 1) / kRun, kSequenceGrain / kRun, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t i = r * kRun;
      if (i < whole) {
        double base = double(Real(T(Real(std::fma(step, double(i), start)))));
        for (int k = 0; k < kRun; ++k) out[i + k] = T(Real(std::fma(step, k, base)));
      } else {
        for (int64_t k = i; k < std::min(i + kRun, a.numel); ++k) out[k] = T(Real(std::fma(step, double(k), start)));
      }
    }
  });
}

void arange(const SequenceArgs& a) {
  switch (a.dtype) {
    case Dtype::Float16:
      return float_range<Half, float, 16>(a);
    case Dtype::BFloat16:
      return float_range<BFloat16, float, 16>(a);
    case Dtype::Float32:
      return float_range<float, float, 8>(a);
    case Dtype::Float64:
      return float_range<double, double, 4>(a);
    default:
      break;
  }
  visit(a.dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T>)
      parallel_for(a.numel, kSequenceGrain, [&](int64_t begin, int64_t end) {
        T* out = static_cast<T*>(a.data);
        for (int64_t i = begin; i < end; ++i) out[i] = T(uint64_t(a.first) + uint64_t(a.increment) * uint64_t(i));
      });
  });
}

// Counts from the nearer end, so that both ends are hit exactly.
// Half types round after each step; integers first round the ends.
template <class T, class Real>
void spaced(const SequenceArgs& a) {
  auto round = [](Real x) {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
      return Real(T(x));
    else
      return x;
  };
  Real start = round(Real(a.start)), end = round(Real(a.end));
  if constexpr (std::is_integral_v<T>) start = Real(int64_t(a.start)), end = Real(int64_t(a.end));
  Real step = a.numel > 1 ? round(round(end - start) / round(Real(a.numel - 1))) : Real(0);
  int64_t half = a.numel / 2;
  parallel_for(a.numel, kSequenceGrain / 8, [&](int64_t from, int64_t to) {
    T* out = static_cast<T*>(a.data);
    for (int64_t i = from; i < to; ++i) {
      Real x, s = i < half || a.numel == 1 ? step : -step, base = i < half || a.numel == 1 ? start : end;
      Real k = Real(i < half || a.numel == 1 ? i : a.numel - 1 - i);
      if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
        x = round(round(s * round(k)) + base);
      else
        x = std::fma(s, k, base);
      if (a.base != 0) x = std::pow(Real(a.base), x);
      if constexpr (std::is_integral_v<T>)
        out[i] = T(int64_t(x));
      else
        out[i] = T(x);
    }
  });
}

void linspace(const SequenceArgs& a) {
  visit(a.dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, double> || std::is_same_v<T, complex128>)
      spaced<T, double>(a);
    else
      spaced<T, float>(a);
  });
}

[[maybe_unused]] const bool filled = [] {
  creation_kernels[int(DeviceType::CPU)] = {fill, arange, linspace};
  return true;
}();

}  // namespace
}  // namespace tl::cpu
