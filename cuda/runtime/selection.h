#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Which of several kernels that compute the same is used. A kernel that has not run on hardware is not a default: the
// table in selection.cpp is filled from docs/gpu-report.md. TENSORLITE_CUDA_KERNELS=fast|simple sets all of it, and
// tests and benchmarks choose row by row.

namespace tl::cuda {

enum class Kernel {
  MatmulFloat32,
  MatmulTf32,
  MatmulFloat16,
  MatmulBFloat16,
  MatmulVector,
  MatmulParts,
  ConvFloat32,
  ConvTf32,
  ConvFloat16,
  ConvBFloat16,
  Count
};

// FastSmall and FastLarge ask for a size of tile; Fast leaves it to the shape.
enum class Choice { Simple, Fast, FastSmall, FastLarge };

// `work`: what the threshold of the kernel's row is measured in, for products m * n * k.
Choice choose(Kernel kernel, double work);

// Whether the current device runs the kernels by mma: it may have tensor cores and code without them.
bool has_tensor_cores();

struct SelectionRow {
  const char* name;
  double fast_from;    // of work on; infinite: never
  std::string chosen;  // by the environment or by hand, else empty
};
std::vector<SelectionRow> selection_table();
// "simple", "fast", "fast-small", "fast-large", or "" for what the table says. The name may be a beginning: "matmul".
void choose_by_hand(const std::string& name, const std::string& choice);

}  // namespace tl::cuda
