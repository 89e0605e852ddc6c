#include "pointwise_loops.h"

// Comparisons, logic, bits, and questions about one number.

namespace tl::cuda {

void fill_pointwise_questions() {
  TL_U(LogicalNot, TL_ALL)
  TL_U(BitNot, uint8_t, int32_t, int64_t)
  TL_U(IsNan, TL_FLOATS)
  TL_U(IsInf, TL_FLOATS)
  TL_U(IsFinite, TL_FLOATS)
  TL_U(IsPosInf, TL_FLOATS)
  TL_U(IsNegInf, TL_FLOATS)
  TL_U(Signbit, float, double, int64_t)
  TL_B(Heaviside, TL_NUMBERS)
  TL_B(Eq, TL_ALL)
  TL_B(Ne, TL_ALL)
  TL_B(Lt, TL_ALL)
  TL_B(Le, TL_ALL)
  TL_B(Gt, TL_ALL)
  TL_B(Ge, TL_ALL)
  TL_B(LogicalAnd, TL_ALL)
  TL_B(LogicalOr, TL_ALL)
  TL_B(LogicalXor, TL_ALL)
  TL_B(IsClose, TL_NUMBERS)
  TL_B(BitAnd, uint8_t, int32_t, int64_t)
  TL_B(BitOr, uint8_t, int32_t, int64_t)
  TL_B(BitXor, uint8_t, int32_t, int64_t)
  TL_B(ShiftLeft, int64_t)
  TL_B(ShiftRight, int64_t)
}

}  // namespace tl::cuda
