#pragma once

#include "core/generator.h"
#include "runtime/device.h"
#include "runtime/driver.h"

namespace tl::cuda {

// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011). The counter is (position, or a group of positions; draw, below
// 16; offset of the call), so that numbers depend on seed, offset and position alone, not on how a grid is cut. A call
// has four offsets to itself.

struct Words {
  uint32_t w[4];
};

TL_DEVICE uint32_t high_product(uint32_t a, uint32_t b) { return uint32_t(uint64_t(a) * b >> 32); }

TL_DEVICE Words philox(uint64_t seed, uint64_t offset, uint32_t draw, uint64_t group) {
  uint32_t c[4] = {uint32_t(group), uint32_t(group >> 32) ^ (draw << 28), uint32_t(offset), uint32_t(offset >> 32)};
  uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    uint32_t h0 = high_product(0xd2511f53u, c[0]), l0 = 0xd2511f53u * c[0];
    uint32_t h1 = high_product(0xcd9e8d57u, c[2]), l1 = 0xcd9e8d57u * c[2];
    c[0] = h1 ^ c[1] ^ k0;
    c[1] = l1;
    c[2] = h0 ^ c[3] ^ k1;
    c[3] = l0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return {{c[0], c[1], c[2], c[3]}};
}

// Where the numbers of a call begin. In a graph the offset is counted from the one that each replay writes, with the
// seed, to the device's memory.
struct PhiloxState {
  uint64_t seed, offset;
  const uint64_t* replay;  // null outside of graphs

  TL_DEVICE PhiloxState now() const { return replay ? PhiloxState{replay[0], replay[1] + offset, nullptr} : *this; }
};
inline constexpr uint64_t kPhiloxStep = 4;  // PyTorch's states are multiples of four
// For one call of an operator on this stream; the generator goes on.
PhiloxState take_philox(Generator* g, Stream stream);
void set_philox(uint64_t* state, uint64_t seed, uint64_t offset, Stream stream);

// Numbers in [0, 1) for one position, drawn one after another: at most kDraws.
struct DrawStream {
  static constexpr int kDraws = 4 * 16 * 2;
  uint64_t seed, offset, position;
  int drawn = 0;
  Words words{};

  TL_DEVICE DrawStream(uint64_t s, uint64_t o, uint64_t p) : seed(s), offset(o), position(p) {}
  TL_DEVICE bool spent() const { return drawn >= kDraws; }
  TL_DEVICE uint64_t bits() {
    const int block = drawn / 2;
    const bool second = drawn++ & 1;
    if (!second) words = philox(seed, offset + uint64_t(block >> 4 & 3), uint32_t(block & 15), position);
    return second ? uint64_t(words.w[2]) << 32 | words.w[3] : uint64_t(words.w[0]) << 32 | words.w[1];
  }
  TL_DEVICE double unit() { return double(bits() >> 11) * 0x1p-53; }
};

}  // namespace tl::cuda
