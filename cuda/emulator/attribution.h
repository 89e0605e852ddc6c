#pragma once

namespace tl::cuda::emulator {

// The operator that queued the grid which runs, or null: for the text of its errors.
extern const char* operator_of_grid;

}  // namespace tl::cuda::emulator
