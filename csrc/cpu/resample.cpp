#include "kernels/resample.h"

#include <algorithm>
#include <cmath>

#include "core/half.h"
#include "core/parallel.h"

namespace tl::cpu {
namespace {

constexpr int64_t kBlock = 256;

template <class T>
struct Sum {
  using type = float;
};
template <>
struct Sum<double> {
  using type = double;
};

template <class T, class A>
T finished(A v) {
  if constexpr (std::is_same_v<T, uint8_t>)
    return uint8_t(std::clamp(std::nearbyint(v), A(0), A(255)));
  else
    return T(v);
}

template <class T>
void apply(const ResampleArgs& a) {
  using A = typename Sum<T>::type;
  const T* input = static_cast<const T*>(a.input);
  T* output = static_cast<T*>(a.output);
  const int64_t taps = std::max<int64_t>(1, a.starts[a.out] / std::max<int64_t>(1, a.out));
  if (a.inner == 1) {
    parallel_for(a.outer, std::max<int64_t>(1, 32768 / (a.out * taps)), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T* from = input + r * a.in;
        T* to = output + r * a.out;
        for (int64_t o = 0; o < a.out; ++o) {
          A sum = 0;
          for (int64_t k = a.starts[o]; k < a.starts[o + 1]; ++k) sum += A(a.weights[k]) * A(from[a.places[k]]);
          to[o] = finished<T>(sum);
        }
      }
    });
    return;
  }
  parallel_for(a.outer * a.out, std::max<int64_t>(1, 32768 / (a.inner * taps)), [&](int64_t begin, int64_t end) {
    A sum[kBlock];
    for (int64_t row = begin; row < end; ++row) {
      const int64_t o = row % a.out;
      const T* from = input + row / a.out * a.in * a.inner;
      for (int64_t first = 0; first < a.inner; first += kBlock) {
        const int64_t n = std::min(kBlock, a.inner - first);
        std::fill(sum, sum + n, A(0));
        for (int64_t k = a.starts[o]; k < a.starts[o + 1]; ++k) {
          const A w = A(a.weights[k]);
          const T* x = from + a.places[k] * a.inner + first;
          for (int64_t i = 0; i < n; ++i) sum[i] += w * A(x[i]);
        }
        T* to = output + row * a.inner + first;
        for (int64_t i = 0; i < n; ++i) to[i] = finished<T>(sum[i]);
      }
    }
  });
}

void resample(const ResampleArgs& a) {
  switch (a.dtype) {
    case Dtype::UInt8:
      return apply<uint8_t>(a);
    case Dtype::Float16:
      return apply<Half>(a);
    case Dtype::BFloat16:
      return apply<BFloat16>(a);
    case Dtype::Float64:
      return apply<double>(a);
    default:
      return apply<float>(a);
  }
}

[[maybe_unused]] const bool filled = [] {
  resample_kernels[int(DeviceType::CPU)] = {resample};
  return true;
}();

}  // namespace
}  // namespace tl::cpu
