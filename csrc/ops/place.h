#pragma once

#include "core/plan.h"
#include "ops/cast.h"

namespace tl::ops {

// Where an operator whose kernel writes row-major memory puts its result: `out=` itself when that has the layout, else
// a fresh tensor, which finish() copies to `out=`.
class Place {
 public:
  Place(const Out& out, Ints sizes, Dtype dtype, Device device) : out_(out.tensor) {
    if (out_.defined()) {
      check(out_.dtype() == dtype, "Expected out tensor to have dtype ", name(dtype), ", but got ", name(out_.dtype()),
            " instead");
      resize_output(out_, sizes, device);
    }
    target = out_.defined() && out_.is_contiguous() ? out_ : empty(sizes, dtype, device);
  }
  Tensor finish() {
    if (!out_.defined() || out_.is(target)) return target;
    copy_into(out_, target);
    return out_;
  }

  Tensor target;

 private:
  Tensor out_;
};

// The dtype that kernels of reductions over half types compute and keep statistics in.
inline Dtype accumulate_type(Dtype t) { return t == Dtype::Float64 ? t : Dtype::Float32; }

}  // namespace tl::ops
