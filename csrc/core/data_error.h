#pragma once

#include <cstdint>

#include "core/error.h"

namespace tl {

// An error about a number in the data, such as an index out of range. It is worded before the data is looked at: a
// device that works behind the host's back has it raised where the host next waits for it.
struct TL_API DataError {
  const char* text;  // of static life; a % stands for the number, the next ones for the values
  int64_t values[2] = {0, 0};
  bool is_index_error = true;

  [[noreturn]] void raise(int64_t number) const;
};

}  // namespace tl
