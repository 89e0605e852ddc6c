#include "kernels/resample.h"

#include "runtime/walk.h"

// A thread takes an element of the result; the sums run in the order of the matrix, as on the CPU.

namespace tl::cuda {
namespace {

template <class T, class I>
TL_KERNEL resample(const T* input, T* output, const int64_t* starts, const int64_t* places, const double* weights, I in,
                   const Extent<I> out, const Extent<I> inner, int64_t count) {
  using A = std::conditional_t<std::is_same_v<T, double>, double, float>;
  for (int64_t i = global_index(); i < count; i += global_size()) {
    I outer = I(i), at = inner.split(outer), o = out.split(outer);
    const T* x = input + int64_t(outer) * in * inner.value + at;
    A sum = 0;
    for (int64_t k = starts[o], end = starts[o + 1]; k < end; ++k)
      sum += A(weights[k]) * convert<A>(x[places[k] * inner.value]);
    if constexpr (std::is_same_v<T, uint8_t>) {
      A whole = ::rintf(sum);
      output[i] = T(whole < 0 ? 0 : whole > 255 ? 255 : whole);
    } else {
      output[i] = convert<T>(sum);
    }
  }
}

template <class T>
void apply_as(const ResampleArgs& a) {
  Launcher l = Launcher::of(a.output);
  int64_t count = a.outer * a.out * a.inner;
  auto run = [&](auto index) {
    using I = decltype(index);
    launch({{blocks_for(count, kThreads)}, {kThreads}, 0, l.stream}, resample<T, I>, static_cast<const T*>(a.input),
           static_cast<T*>(a.output), a.starts, a.places, a.weights, I(a.in), Extent<I>(a.out), Extent<I>(a.inner),
           count);
  };
  if (count <= INT32_MAX && a.in <= INT32_MAX)
    run(int32_t());
  else
    run(int64_t());
}

void apply(const ResampleArgs& a) {
  switch (a.dtype) {
    case Dtype::UInt8:
      return apply_as<uint8_t>(a);
    case Dtype::Float16:
      return apply_as<Half>(a);
    case Dtype::BFloat16:
      return apply_as<BFloat16>(a);
    case Dtype::Float64:
      return apply_as<double>(a);
    default:
      return apply_as<float>(a);
  }
}

[[maybe_unused]] const bool filled = [] {
  resample_kernels[int(DeviceType::CUDA)] = {apply};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
