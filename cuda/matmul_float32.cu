#include "matmul.h"

// float32 on the ordinary units: 64 x 64 or 128 x 128 results a block. Copies across lines take 16 bytes at a time;
// along them 4, as they are turned on their way into shared memory.

namespace tl::cuda {
namespace {

using Small = WarpTile<1, 2>;
using Large = WarpTile<2, 4>;

template <class Tile, class A, class B>
void run(const Product<float>& product, const A& a, const B& b) {
  int64_t tiles = (product.m + Tile::kM - 1) / Tile::kM * ((product.n + Tile::kN - 1) / Tile::kN) * product.batch;
  in_parts(product, parts_of(tiles, product.k, 256), [&](const Product<float>& p, Parts parts) {
    Tiling tiling(p.m, p.n, p.k, Tile::kM, Tile::kN, parts.count, parts.depth);
    A left = a;
    B right = b;
    left.data = p.a.data, right.data = p.b.data;
    launch({tiling.grid(p.batch), {Tile::kBlock}, Tile::kShared, p.stream}, gemm_warp_tiles<Tile, A, B, Output<float>>,
           tiling, left, right, p.out);
  });
}

template <class Tile>
void by_order(const Product<float>& p) {
  bool a_across = is_across(p.a), b_across = is_across(p.b);
  if ((!a_across && p.a.depth_step != 1) || (!b_across && p.b.depth_step != 1)) return run<Tile>(p, p.a, p.b);
  if (a_across && b_across) return run<Tile>(p, ordered<Order::Across>(p.a), ordered<Order::Across>(p.b));
  if (a_across) return run<Tile>(p, ordered<Order::Across>(p.a), ordered<Order::Along>(p.b));
  if (b_across) return run<Tile>(p, ordered<Order::Along>(p.a), ordered<Order::Across>(p.b));
  run<Tile>(p, ordered<Order::Along>(p.a), ordered<Order::Along>(p.b));
}

}  // namespace

void warp_tiles(const Product<float>& p, Choice choice) {
  // Large tiles read less, small ones fill the device earlier.
  bool large =
      choice == Choice::Fast ? (p.m + 127) / 128 * ((p.n + 127) / 128) * p.batch >= 132 : choice == Choice::FastLarge;
  large ? by_order<Large>(p) : by_order<Small>(p);
}

}  // namespace tl::cuda
