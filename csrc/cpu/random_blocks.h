#pragma once

#include <cstdint>

#include "core/generator.h"

namespace tl::cpu {

// The arithmetic of random numbers on runs of words of the stream; filled per instruction set by cpu/random_blocks.cpp.
// The results do not depend on the instruction set.
struct RandomBlocks {
  // The next n words of the stream.
  void (*draw)(Mt19937& engine, uint32_t* words, int64_t n);
  // [from, to) from 24 bits of a word each. Results that are rounded up to `to` become `from`.
  void (*uniform32)(float* out, const uint32_t* words, int64_t n, float from, float to);
  // [from, to) from 53 bits of two words each, the high one first.
  void (*uniform64)(double* out, const uint32_t* words, int64_t n, double from, double to);
  // from + word % range, range < 2^28.
  void (*below)(int64_t* out, const uint32_t* words, int64_t n, uint32_t range, int64_t from);
  void (*below32)(int32_t* out, const uint32_t* words, int64_t n, uint32_t range, int32_t from);
  // 1 where 53 bits of two words are less than `bound`.
  void (*less)(uint8_t* out, const uint32_t* words, int64_t n, uint64_t bound);
  // Turns blocks of 16 numbers from [0, 1) into 16 normal ones (Box and Muller, 1958), in place.
  void (*box_muller)(float* data, int64_t blocks, float mean, float std);
};
extern RandomBlocks random_blocks;

}  // namespace tl::cpu
