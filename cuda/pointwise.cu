#include "core/error.h"
#include "pointwise_loops.h"
#include "runtime/allocator.h"

namespace tl::cuda {

PointwiseFn pointwise_table[kPointwise][kDtypes];

int32_t* note_of(int device) {
  static int32_t* notes[64];
  int32_t*& p = notes[device];
  if (!p) p = static_cast<int32_t*>(driver::malloc(sizeof(int32_t)));
  if (!p) {
    caching_allocator().empty_cache();
    p = static_cast<int32_t*>(driver::malloc(sizeof(int32_t)));
    check<OutOfMemoryError>(p, "CUDA out of memory.");
  }
  return p;
}

void fill_pointwise_binary() {
  TL_B(Add, TL_NUMBERS)
  TL_B(AddScaled, TL_NUMBERS)
  TL_B(Sub, TL_NUMBERS)
  TL_B(Mul, TL_NUMBERS)
  TL_B(Div, TL_FLOATS)
  TL_B(DivTrunc, TL_NUMBERS)
  TL_B(DivFloor, TL_NUMBERS)
  TL_B(Remainder, TL_NUMBERS)
  TL_B(Fmod, TL_NUMBERS)
  TL_B(Pow, TL_NUMBERS)
  TL_B(Atan2, TL_FLOATS)
  TL_B(Hypot, TL_FLOATS)
  TL_B(Copysign, TL_FLOATS)
  TL_B(Maximum, TL_NUMBERS)
  TL_B(Minimum, TL_NUMBERS)
  TL_B(Fmax, TL_NUMBERS)
  TL_B(Fmin, TL_NUMBERS)
  TL_B(LogAddExp, TL_FLOATS)
  TL_B(LogAddExp2, TL_FLOATS)
  TL_B(Xlogy, TL_FLOATS)
  TL_B(Nextafter, TL_FLOATS)
  TL_B(Gcd, int64_t)
  TL_B(Lcm, int64_t)
  put_where<TL_ALL>();
  TL_T(ClampTensor, TL_NUMBERS)
  TL_T(Addcmul, TL_NUMBERS)
  TL_T(Addcdiv, TL_FLOATS)
  TL_T(Lerp, TL_FLOATS)
}

namespace {

bool supports(Pointwise op, Dtype compute) { return pointwise_table[int(op)][int(compute)]; }

void run_table(Pointwise op, Dtype compute, const Plan& plan, const PointwiseParams* params) {
  pointwise_table[int(op)][int(compute)](plan, params);
}

[[maybe_unused]] const bool filled = [] {
  fill_pointwise_binary();
  fill_pointwise_unary();
  fill_pointwise_questions();
  fill_pointwise_complex();
  fill_activation();
  fill_special();
  pointwise_kernels[int(DeviceType::CUDA)] = {supports, run_table};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
