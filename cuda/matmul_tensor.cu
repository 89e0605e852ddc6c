#include "matmul.h"

// Tensor cores by mma.sync: float32 rounded to tf32, float16, bfloat16; 64 x 64 or 128 x 128 results a block.

namespace tl::cuda {
namespace {

template <class T>
using Small = TensorTile<T, 2, 2, 32>;
template <class T>
using Large = TensorTile<T, 2, 4, 64>;

template <class Tile, class T, class A, class B>
void run(const Product<T>& product, const A& a, const B& b) {
  int64_t tiles = (product.m + Tile::kM - 1) / Tile::kM * ((product.n + Tile::kN - 1) / Tile::kN) * product.batch;
  in_parts(product, parts_of(tiles, product.k, 512), [&](const Product<T>& p, Parts parts) {
    Tiling tiling(p.m, p.n, p.k, Tile::kM, Tile::kN, parts.count, parts.depth);
    A left = a;
    B right = b;
    left.data = p.a.data, right.data = p.b.data;
    launch({tiling.grid(p.batch), {Tile::kBlock}, tensor_shared<Tile, A, B>(), p.stream},
           gemm_tensor_tiles<Tile, A, B, Output<T>>, tiling, left, right, p.out);
  });
}

template <class Tile, class T>
void by_order(const Product<T>& p) {
  bool a_across = is_across(p.a), b_across = is_across(p.b), a_along = is_along(p.a, p.k), b_along = is_along(p.b, p.k);
  if (!(a_across || a_along) || !(b_across || b_along)) return run<Tile>(p, p.a, p.b);
  if (a_along && b_along) return run<Tile>(p, ordered<Order::Along>(p.a), ordered<Order::Along>(p.b));
  if (a_along) return run<Tile>(p, ordered<Order::Along>(p.a), ordered<Order::Across>(p.b));
  if (b_along) return run<Tile>(p, ordered<Order::Across>(p.a), ordered<Order::Along>(p.b));
  run<Tile>(p, ordered<Order::Across>(p.a), ordered<Order::Across>(p.b));
}

template <class T>
void by_size(const Product<T>& p, Choice choice) {
  bool large =
      choice == Choice::Fast ? (p.m + 127) / 128 * ((p.n + 127) / 128) * p.batch >= 132 : choice == Choice::FastLarge;
  large ? by_order<Large<T>>(p) : by_order<Small<T>>(p);
}

}  // namespace

void tensor_tiles(const Product<float>& p, Choice choice) { by_size(p, choice); }
void tensor_tiles(const Product<Half>& p, Choice choice) { by_size(p, choice); }
void tensor_tiles(const Product<BFloat16>& p, Choice choice) { by_size(p, choice); }

}  // namespace tl::cuda
