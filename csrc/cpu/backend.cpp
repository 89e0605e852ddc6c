#include "cpu/backend.h"

#include <cpuid.h>

#include <cstdlib>
#include <cstring>

// Chooses the instruction set of the hot kernels once, when the library is loaded. The kernel tables are plain
// zero-initialised data, so the order of static initialisers does not matter.

// A family that has not been built leaves a null address here, and its table empty.
#define TL_FAMILY(name)                                                                                     \
  namespace tl::cpu {                                                                                       \
  namespace baseline {                                                                                      \
  [[gnu::weak]] void fill_##name();                                                                         \
  }                                                                                                         \
  namespace avx2 {                                                                                          \
  [[gnu::weak]] void fill_##name();                                                                         \
  }                                                                                                         \
  namespace avx512 {                                                                                        \
  [[gnu::weak]] void fill_##name();                                                                         \
  }                                                                                                         \
  static void choose_##name(int isa) {                                                                      \
    void (*fill)() = isa == 2 ? avx512::fill_##name : isa == 1 ? avx2::fill_##name : baseline::fill_##name; \
    if (fill) fill();                                                                                       \
  }                                                                                                         \
  }

TL_FAMILY(cast)
TL_FAMILY(pointwise)
TL_FAMILY(reduction)
TL_FAMILY(softmax)
TL_FAMILY(loss)
TL_FAMILY(matmul)
TL_FAMILY(conv)
TL_FAMILY(pool)
TL_FAMILY(norm)
TL_FAMILY(optim)
TL_FAMILY(random_blocks)
TL_FAMILY(attention)
#undef TL_FAMILY

namespace tl {
namespace {

constexpr const char* names[] = {"baseline", "avx2", "avx512"};

bool has_f16c() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

int machine_isa() {
  __builtin_cpu_init();
  bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") && has_f16c();
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512cd");
  return avx512 ? 2 : avx2 ? 1 : 0;
}

int detect_isa() {
  int isa = machine_isa();
  // Asking for more than the machine has gives what it has.
  if (const char* wanted = std::getenv("TENSORLITE_CPU"))
    for (int i = 0; i < isa; ++i)
      if (!std::strcmp(wanted, names[i])) return i;
  return isa;
}

int chosen_isa() {
  static const int isa = detect_isa();
  return isa;
}

[[maybe_unused]] const bool filled = [] {
  int isa = chosen_isa();
  cpu::choose_cast(isa);
  cpu::choose_pointwise(isa);
  cpu::choose_reduction(isa);
  cpu::choose_softmax(isa);
  cpu::choose_loss(isa);
  cpu::choose_matmul(isa);
  cpu::choose_conv(isa);
  cpu::choose_pool(isa);
  cpu::choose_norm(isa);
  cpu::choose_optim(isa);
  cpu::choose_random_blocks(isa);
  cpu::choose_attention(isa);
  return true;
}();

}  // namespace

const char* cpu_capability() { return names[chosen_isa()]; }

}  // namespace tl
