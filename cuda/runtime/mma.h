#pragma once

// Included by device.h. Matrix products of a warp, d += a b, in the fragments of the PTX manual (mma.m16n8k16 and
// mma.m16n8k8): with g = lane / 4 and t = lane % 4
//   a, 16-bit: {(g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8)}, each with its right neighbour
//   b, 16-bit: {(2t, g), (2t + 8, g)}, each with its lower neighbour
//   a, tf32: {(g, t), (g + 8, t), (g, t + 4), (g + 8, t + 4)};  b: {(t, g), (t + 4, g)}
//   d: {(g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1)}, float32
// load_matrices reads four 8 x 8 matrices of 16-bit elements from shared memory, a row of 16 bytes where each lane says
// (lane 8 c + i: row i of matrix c). Of each a lane gets {(g, 2t), (g, 2t + 1)}, transposed {(2t, g), (2t + 1, g)}.

namespace tl::cuda {

#if defined(__CUDACC__)
#if __CUDA_ARCH__ >= 800
#define TL_MMA(shape_and_types)                                                                              \
  asm("mma.sync.aligned." shape_and_types " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                       \
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
#else
#define TL_MMA(shape_and_types) __trap()  // the host chooses another kernel below sm_80
#endif
// float32 rounded to the nearest tf32, ties away from zero.
TL_DEVICE uint32_t to_tf32(float x) {
  uint32_t r = 0;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(x));
#endif
  return r;
}
TL_DEVICE void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  TL_MMA("m16n8k8.row.col.f32.tf32.tf32.f32");
}
TL_DEVICE void mma_float16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  TL_MMA("m16n8k16.row.col.f32.f16.f16.f32");
}
TL_DEVICE void mma_bfloat16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  TL_MMA("m16n8k16.row.col.f32.bf16.bf16.f32");
}
#undef TL_MMA
template <class T>
TL_DEVICE void load_matrices(uint32_t (&r)[4], T* from, int i) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(uint32_t(__cvta_generic_to_shared(from + i)))
               : "memory");
}
template <class T>
TL_DEVICE void load_matrices_transposed(uint32_t (&r)[4], T* from, int i) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(uint32_t(__cvta_generic_to_shared(from + i)))
               : "memory");
}
#else
TL_DEVICE uint32_t to_tf32(float x) {
  uint32_t u = bit_cast<uint32_t>(x);
  return (u & 0x7f800000u) == 0x7f800000u ? u : (u + 0x1000u) & ~0x1fffu;
}

namespace emulator {

struct Fragments {
  uint32_t a[4], b[2];
};

// The lanes meet, each with its fragments; what a lane then computes is its own part of d, summed in order of k.
template <int k_size, class Element>
inline void mma(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Element element, Site site) {
  Thread& self = *current;
  Warp& warp = self.block->warps[self.warp()];
  static_assert(sizeof(Fragments) == 6 * sizeof(uint32_t));
  if (!warp.fragments) warp.fragments.reset(new uint32_t[32 * 6]);
  auto* all = reinterpret_cast<Fragments*>(warp.fragments.get());
  __builtin_memcpy(all[self.lane()].a, a, sizeof(a));
  __builtin_memcpy(all[self.lane()].b, b, sizeof(b));
  ballot(~0u, true, site);
  constexpr int per_register = k_size / 8, half = k_size / 2;
  int g = int(self.lane() / 4), t = int(self.lane() % 4);
  for (int i = 0; i < 4; ++i) {
    int row = i < 2 ? g : g + 8, column = 2 * t + i % 2;
    for (int k = 0; k < k_size; ++k) {
      int owner = k % half / per_register, part = k % per_register, upper = k >= half;
      uint32_t x = all[row % 8 * 4 + owner].a[upper * 2 + (row >= 8)], y = all[column * 4 + owner].b[upper];
      d[i] += element(x, part) * element(y, part);
    }
  }
  ballot(~0u, true, site);
}

// The lanes meet, each with the place of its row; then each reads its own elements.
inline void load_matrices(uint32_t (&r)[4], uint32_t offset, bool transposed, Site site) {
  Thread& self = *current;
  Warp& warp = self.block->warps[self.warp()];
  if (offset % 16) fail_thread("loads a matrix from a row that is not aligned to 16 bytes", site);
  if (!warp.fragments) warp.fragments.reset(new uint32_t[32 * 6]);
  warp.fragments[self.lane()] = offset;
  ballot(~0u, true, site);
  uint32_t g = self.lane() / 4, t = self.lane() % 4;
  for (uint32_t c = 0; c < 4; ++c) {
    uint16_t pair[2];
    for (uint32_t e = 0; e < 2; ++e) {
      uint32_t row = transposed ? 2 * t + e : g, column = transposed ? g : 2 * t + e;
      uint32_t at = warp.fragments[c * 8 + row] + column * 2;
      note_access(at, Access::Read, site);
      __builtin_memcpy(&pair[e], self.block->shared.get() + at, 2);
    }
    r[c] = pair[0] | uint32_t(pair[1]) << 16;
  }
  ballot(~0u, true, site);
}

}  // namespace emulator

template <class T>
TL_DEVICE void load_matrices(uint32_t (&r)[4], Shared<T> from, emulator::SharedIndex i) {
  static_assert(sizeof(T) == 2);
  emulator::load_matrices(r, from.at(i, 8), false, i.site);
}
template <class T>
TL_DEVICE void load_matrices_transposed(uint32_t (&r)[4], Shared<T> from, emulator::SharedIndex i) {
  static_assert(sizeof(T) == 2);
  emulator::load_matrices(r, from.at(i, 8), true, i.site);
}

TL_DEVICE void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] TL_HERE) {
  // What is not rounded yet is cut off, as the hardware does.
  auto element = [](uint32_t x, int) { return bit_cast<float>(x & ~0x1fffu); };
  emulator::mma<8>(d, a, b, element, {file, line});
}
TL_DEVICE void mma_float16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] TL_HERE) {
  auto element = [](uint32_t x, int part) {
    Half h;
    h.bits = uint16_t(x >> 16 * part);
    return float(h);
  };
  emulator::mma<16>(d, a, b, element, {file, line});
}
TL_DEVICE void mma_bfloat16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2] TL_HERE) {
  auto element = [](uint32_t x, int part) { return bit_cast<float>(part ? x & 0xffff0000u : x << 16); };
  emulator::mma<16>(d, a, b, element, {file, line});
}
#endif

}  // namespace tl::cuda
