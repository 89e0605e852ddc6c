#pragma once

#include <vector>

#include "autograd/node.h"

namespace tl {

struct BackwardOptions {
  bool retain_graph = false;
  bool create_graph = false;
  // Accumulate into .grad of the leaves (backward), else give the gradients of `inputs` (grad).
  bool accumulate = true;
};

// Anomaly detection: remembers where in the program each node was made, and with `check_nan` raises at the node that
// first gives a NaN. The binding says how to remember and how to tell.
struct AnomalyMode {
  bool enabled = false;
  bool check_nan = true;
  void (*remember)(Node& node) = nullptr;
  void (*tell)(Node& node) = nullptr;
};
TL_API AnomalyMode& anomaly_mode();

// Runs the graph from `roots` back, in the order opposite to recording. With `inputs`, only what leads to them; the
// answer then holds, unless `accumulate`, one gradient for each, undefined where none flows.
TL_API std::vector<Tensor> run_backward(const std::vector<Edge>& roots, std::vector<Tensor> grads,
                                        const std::vector<Edge>& inputs, BackwardOptions options);

// Bit i: nobody asks for the gradient at edge i of the node, while run_backward evaluates it for some inputs only.
TL_API uint64_t unneeded_edges(const Node& node);

}  // namespace tl
