#pragma once

#include <cstddef>
#include <cstdint>

#include "core/device.h"
#include "core/export.h"
#include "core/intrusive.h"

namespace tl {

// The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), seeded by the low 32 bits of the seed.
struct TL_API Mt19937 {
  static constexpr int kWords = 624, kShift = 397;

  uint64_t seed;
  int32_t left;    // one more than the words not yet given out
  uint32_t index;  // of the next word
  uint32_t words[kWords];

  void reset(uint64_t value);
  void twist();

  uint32_t operator()() {
    if (--left == 0) twist();
    uint32_t y = words[index++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
};

// A source of random numbers. On the CPU: the same numbers as PyTorch's for the same seed. On a CUDA device the numbers
// come from Philox4x32-10, counted by `offset`, and the engine holds only the seed. Not to be used by two threads at
// once.
class TL_API Generator : public Counted {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;
  static constexpr size_t kStateBytes = 5056, kPhiloxStateBytes = 16;

  explicit Generator(uint64_t seed = kDefaultSeed) { manual_seed(seed); }
  static void destroy(Generator* g) { delete g; }

  void manual_seed(uint64_t seed);
  // Seeds from the system's entropy and returns that seed.
  uint64_t seed();
  uint64_t initial_seed() const { return engine.seed; }

  uint32_t random() { return engine(); }
  // The first draw is the high half.
  uint64_t random64() {
    uint64_t high = engine();
    return (high << 32) | engine();
  }

  // PyTorch's layouts, so that states may be exchanged with it.
  size_t state_bytes() const { return device.is_cpu() ? kStateBytes : kPhiloxStateBytes; }
  void get_state(uint8_t* bytes) const;
  void set_state(const uint8_t* bytes, size_t size);
  Ref<Generator> clone() const;

  Device device;
  uint64_t offset = 0;  // of the next call, on a CUDA device
  Mt19937 engine;
  // The second of two normal samples that were drawn together, until it is asked for.
  bool has_float_normal = false, has_double_normal = false;
  float float_normal = 0;
  double double_normal = 0;
};

TL_API Generator& default_generator();
// Of a device, which must be "cpu" or have an index.
TL_API Generator& default_generator(Device device);
// Seeds the generators of all CUDA devices, those to come among them: no device is asked for.
TL_API void seed_cuda_generators(uint64_t seed);

}  // namespace tl
