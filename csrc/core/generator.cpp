#include "core/generator.h"

#include <cstring>
#include <map>
#include <mutex>
#include <random>

#include "core/error.h"

namespace tl {

void Mt19937::reset(uint64_t value) {
  seed = value;
  words[0] = uint32_t(value);
  for (uint32_t i = 1; i < kWords; ++i) words[i] = 1812433253u * (words[i - 1] ^ (words[i - 1] >> 30)) + i;
  left = 1;
  index = 0;
}

void Mt19937::twist() {
  auto mix = [&](int k, int next, int far) {
    uint32_t y = (words[k] & 0x80000000u) | (words[next] & 0x7fffffffu);
    words[k] = words[far] ^ (y >> 1) ^ (-(words[next] & 1u) & 0x9908b0dfu);
  };
  for (int k = 0; k < kWords - kShift; ++k) mix(k, k + 1, k + kShift);
  for (int k = kWords - kShift; k < kWords - 1; ++k) mix(k, k + 1, k + kShift - kWords);
  mix(kWords - 1, 0, kShift - 1);
  left = kWords;
  index = 0;
}

void Generator::manual_seed(uint64_t seed) {
  engine.reset(seed);
  offset = 0;
  has_float_normal = has_double_normal = false;
}

uint64_t Generator::seed() {
  std::random_device entropy;
  // 53 bits, so that the seed survives a way through a float64.
  uint64_t value = ((uint64_t(entropy()) << 32) | entropy()) & ((uint64_t(1) << 53) - 1);
  manual_seed(value);
  return value;
}

namespace {

// The bytes of torch.get_rng_state(): a struct of 2017 followed by what was added to it later.
struct State {
  uint64_t seed;
  int32_t left;
  int32_t seeded;
  uint64_t index;
  uint64_t words[Mt19937::kWords];
  double normal_x, normal_y, normal_rho;
  int32_t normal_valid;
  int32_t padding;
  float next_float;
  uint8_t next_float_valid;
  uint8_t padding2[3];
};
static_assert(sizeof(State) == Generator::kStateBytes);

}  // namespace

void Generator::get_state(uint8_t* bytes) const {
  if (!device.is_cpu()) {
    std::memcpy(bytes, &engine.seed, 8);
    std::memcpy(bytes + 8, &offset, 8);
    return;
  }
  State s = {};
  s.seed = engine.seed;
  s.left = engine.left;
  s.seeded = 1;
  s.index = engine.index;
  for (int i = 0; i < Mt19937::kWords; ++i) s.words[i] = engine.words[i];
  if (has_double_normal) {
    s.normal_y = double_normal;
    s.normal_valid = 1;
  }
  if (has_float_normal) {
    s.next_float = float_normal;
    s.next_float_valid = 1;
  }
  std::memcpy(bytes, &s, sizeof(s));
}

void Generator::set_state(const uint8_t* bytes, size_t size) {
  if (!device.is_cpu()) {
    check(size == kPhiloxStateBytes, "RNG state is wrong size: expected ", kPhiloxStateBytes,
          " bytes, as get_rng_state() returns, but got ", size);
    std::memcpy(&engine.seed, bytes, 8);
    std::memcpy(&offset, bytes + 8, 8);
    return;
  }
  check(size == kStateBytes, "RNG state is wrong size: expected ", kStateBytes,
        " bytes, as get_rng_state() returns, but got ", size);
  State s;
  std::memcpy(&s, bytes, sizeof(s));
  check(s.seeded == 1 && s.left >= 1 && s.left <= Mt19937::kWords && s.index <= Mt19937::kWords &&
            (s.left == 1 || int64_t(s.index) + s.left - 1 == Mt19937::kWords),
        "Invalid mt19937 state: it was not made by get_rng_state()");
  engine.seed = s.seed;
  engine.left = s.left;
  engine.index = uint32_t(s.index);
  for (int i = 0; i < Mt19937::kWords; ++i) engine.words[i] = uint32_t(s.words[i]);
  has_double_normal = s.normal_valid;
  double_normal = s.normal_y;
  has_float_normal = s.next_float_valid;
  float_normal = s.next_float;
}

Ref<Generator> Generator::clone() const {
  auto copy = Ref<Generator>::adopt(new Generator);
  copy->device = device;
  copy->offset = offset;
  copy->engine = engine;
  copy->has_float_normal = has_float_normal;
  copy->has_double_normal = has_double_normal;
  copy->float_normal = float_normal;
  copy->double_normal = double_normal;
  return copy;
}

Generator& default_generator() {
  static Generator* g = new Generator;
  return *g;
}

namespace {
struct DeviceGenerators {
  std::mutex mutex;
  uint64_t seed = Generator::kDefaultSeed;
  std::map<int, Generator*> made;
};
DeviceGenerators& device_generators() {
  static auto* all = new DeviceGenerators;
  return *all;
}
}  // namespace

Generator& default_generator(Device device) {
  if (device.is_cpu()) return default_generator();
  DeviceGenerators& all = device_generators();
  std::lock_guard lock(all.mutex);
  Generator*& g = all.made[device.index];
  if (!g) {
    g = new Generator(all.seed);
    g->device = device;
  }
  return *g;
}

void seed_cuda_generators(uint64_t seed) {
  DeviceGenerators& all = device_generators();
  std::lock_guard lock(all.mutex);
  all.seed = seed;
  for (auto& [index, g] : all.made) g->manual_seed(seed);
}

}  // namespace tl
