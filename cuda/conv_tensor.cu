#include "conv.h"

// Convolutions on tensor cores: float32 rounded to tf32, float16, bfloat16; summed in float32.

namespace tl::cuda {
namespace {

template <class T>
using Small = TensorTile<T, 2, 2, 32>;
template <class T>
using Large = TensorTile<T, 2, 4, 64>;

template <class Tile, class T, class A, class B, class Out>
void run(const Launcher& l, int64_t k, int64_t groups, const A& a, const B& b, const Out& out) {
  in_parts<T>(l, out, k, groups, Tile::kM, Tile::kN, [&](const Tiling& tiling, const Out& to, Dim3 grid) {
    launch({grid, {Tile::kBlock}, tensor_shared<Tile, A, B>(), l.stream}, gemm_tensor_tiles<Tile, A, B, Out>, tiling, a,
           b, to);
  });
}

template <class T, class A, class B, class Out>
void by_size(const Launcher& l, int64_t k, int64_t groups, const A& a, const B& b, const Out& out, Choice choice) {
  // Large tiles read less, small ones fill the device earlier.
  bool large = choice == Choice::Fast ? out.m > 64 && (out.m + 127) / 128 * ((out.n + 127) / 128) * groups >= 132
                                      : choice == Choice::FastLarge;
  large ? run<Large<T>, T>(l, k, groups, a, b, out) : run<Small<T>, T>(l, k, groups, a, b, out);
}

}  // namespace

#define TL_TENSOR(T)                                                               \
  void tensor_tiles(const Launcher& l, const PlacesProduct<T>& p, Choice choice) { \
    by_size<T>(l, p.k, p.groups, p.weights, p.patches, p.out, choice);             \
  }                                                                                \
  void tensor_tiles(const Launcher& l, const WeightProduct<T>& p, Choice choice) { \
    by_size<T>(l, p.k, p.groups, p.gradients, p.taps, p.out, choice);              \
  }
TL_TENSOR(float)
TL_TENSOR(Half)
TL_TENSOR(BFloat16)
#undef TL_TENSOR

}  // namespace tl::cuda
