#pragma once

#include <span>

#include "autograd/value.h"

// Without Python's headers: the families' files compile in a blink.

namespace tl::python {

enum Flags : unsigned {
  kFunction = 1,       // tensorlite.name
  kMethod = 2,         // Tensor.name
  kInplace = 4,        // also name_: writes to the first argument
  kNN = 8,             // tensorlite._C.nn.name, for nn.functional
  kNoGrad = 16,        // the result never carries a gradient
  kInplaceLists = 32,  // writes to the tensors of its list arguments (optimizers)
  kInplaceOnly = 64,   // with kInplace: there is no out-of-place form
  kComposite = 128,    // made of recorded operators (composite/): is not recorded itself
};

// One operator: its signature in Python, the function that computes it, where it appears.
struct Row {
  const char* signature;
  BoxedFn fn;
  unsigned flags;
  const char* doc = "";
};

#define TL_OP(function) (&::tl::boxed<&function>)

// Each family's file ends with TL_ROWS(rows).
struct RowsRegistrar {
  explicit RowsRegistrar(std::span<const Row> rows);
};
#define TL_ROWS(rows) static const ::tl::python::RowsRegistrar tl_rows_registrar{rows};

}  // namespace tl::python
