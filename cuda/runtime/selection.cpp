#include "runtime/selection.h"

#include <atomic>
#include <cstdlib>
#include <limits>

#include "core/error.h"
#include "runtime/machine.h"

namespace tl::cuda {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

struct Row {
  const char* name;
  double fast_from;
};
// No GPU has measured these yet.
constexpr Row kTable[int(Kernel::Count)] = {
    {"matmul.float32", kNever}, {"matmul.tf32", kNever},   {"matmul.float16", kNever}, {"matmul.bfloat16", kNever},
    {"matmul.vector", kNever},  {"matmul.parts", kNever},  {"conv.float32", kNever},   {"conv.tf32", kNever},
    {"conv.float16", kNever},   {"conv.bfloat16", kNever},
};

constexpr const char* kChoices[] = {"simple", "fast", "fast-small", "fast-large"};

int choice_of(const std::string& text) {
  for (int i = 0; i < 4; ++i)
    if (text == kChoices[i]) return i;
  return -1;
}

struct State {
  std::atomic<int> chosen[int(Kernel::Count)];  // -1: as the table says
  State() {
    const char* text = std::getenv("TENSORLITE_CUDA_KERNELS");
    int all = text ? choice_of(text) : -1;
    for (auto& c : chosen) c = all;
  }
};
State& state() {
  static State* s = new State;
  return *s;
}

}  // namespace

Choice choose(Kernel kernel, double work) {
  int chosen = state().chosen[int(kernel)].load(std::memory_order_relaxed);
  if (chosen >= 0) return Choice(chosen);
  return work >= kTable[int(kernel)].fast_from ? Choice::Fast : Choice::Simple;
}

bool has_tensor_cores() {
  static std::atomic<int> known[64];  // by device: 1 no, 2 yes
  std::atomic<int>& k = known[driver::device() % 64];
  if (!k) k = driver::compiled_for() >= 80 ? 2 : 1;
  return k == 2;
}

std::vector<SelectionRow> selection_table() {
  std::vector<SelectionRow> rows;
  for (int i = 0; i < int(Kernel::Count); ++i) {
    int chosen = state().chosen[i];
    rows.push_back({kTable[i].name, kTable[i].fast_from, chosen < 0 ? "" : kChoices[chosen]});
  }
  return rows;
}

void choose_by_hand(const std::string& name, const std::string& choice) {
  int chosen = choice_of(choice);
  check<ValueError>(chosen >= 0 || choice.empty(), "no such choice of a kernel: '", choice,
                    "'; it is 'simple', 'fast', 'fast-small', 'fast-large' or '' for the table's");
  bool found = false;
  for (int i = 0; i < int(Kernel::Count); ++i) {
    const std::string row = kTable[i].name;
    if (row != name && row.rfind(name + ".", 0) != 0 && !name.empty()) continue;
    state().chosen[i] = chosen;
    found = true;
  }
  check<ValueError>(found, "no such row in the table of kernels: '", name, "'");
}

}  // namespace tl::cuda
