#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/tensor.h"

namespace tl {

// Where an operator puts its result: nowhere given (undefined: allocate), into `out=`, or into the first input.
struct Out {
  Tensor tensor;
  bool inplace = false;
  bool defined() const { return tensor.defined(); }
};

using TensorSpan = std::span<const Tensor>;
using OptFormat = std::optional<MemoryFormat>;
using OptInt = std::optional<int64_t>;
using OptDtype = std::optional<Dtype>;
using OptDevice = std::optional<Device>;

}  // namespace tl
