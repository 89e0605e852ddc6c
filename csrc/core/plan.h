#pragma once

#include <initializer_list>

#include "core/tensor.h"

namespace tl {

inline constexpr int kPlanDims = 16;
inline constexpr int kPlanOperands = 5;

// How an elementwise kernel walks its operands: operand 0 is written, the others are read. Dims are sorted so that dim
// 0 is the innermost, and neighbours that every operand steps through evenly are merged. A broadcast dim has stride 0.
// Plain data: a CUDA kernel takes it by value. Nothing is set before a plan is made.
struct Plan {
  int64_t numel;
  int32_t ndim;
  int32_t operands;
  bool index32;     // all offsets, in bytes, fit 31 bits
  uint8_t on_host;  // bit i: operand i is a number in the host's memory, for an operator of another device
  Device device;
  Dtype dtypes[kPlanOperands];
  void* data[kPlanOperands];
  int64_t sizes[kPlanDims];
  int64_t strides[kPlanOperands][kPlanDims];  // bytes

  // Every operand is `numel` elements in a row, or one element that is repeated.
  void set_flat(int64_t n, int count) {
    numel = n;
    ndim = 1;
    operands = count;
    index32 = n < (int64_t(1) << 27);
    on_host = 0;
    device = Device{};
    sizes[0] = n;
  }
  void set_operand(int i, const Tensor& t, bool repeated = false) {
    const TensorImpl* p = t.impl();
    dtypes[i] = p->dtype;
    data[i] = t.data();
    strides[i][0] = repeated ? 0 : int64_t(itemsize(p->dtype));
  }
};

// The dtype that an operator on these operands computes in: tensors with dims outrank 0-dim tensors, which outrank
// Python numbers, as long as the category (bool, integer, float, complex) is the same.
TL_API Dtype result_type(const Tensor& a);
TL_API Dtype result_type(const Tensor& a, const Tensor& b);
TL_API Dtype result_type(const Tensor& a, const Scalar& b);
TL_API Dtype result_type(std::initializer_list<const Tensor*> operands);
// The default dtype in place of an integer one.
inline Dtype float_type(Dtype t) { return is_integral(t) ? default_dtype() : t; }
// The dtype that an operand brings along on its own (a Python float brings the default dtype).
TL_API Dtype operand_type(const Tensor& t);

// The shape that both broadcast to.
TL_API Dims broadcast_shapes(Ints a, Ints b);
// The device of an operator on these operands; a 0-dim CPU tensor joins any device.
TL_API Device common_device(std::initializer_list<const Tensor*> operands);

// Whether the elements of a tensor lie in memory without gaps and without sharing.
TL_API bool is_dense(const Tensor& t);
// Raises when two elements of a tensor that is written share memory, or when `read` partly overlaps `written`.
TL_API void check_no_internal_overlap(const Tensor& written);
TL_API void check_no_partial_overlap(const Tensor& written, const Tensor& read);
// Raises when the two share memory at all.
TL_API void check_no_overlap(const Tensor& written, const Tensor& read);
// For `out=`: gives it this shape, with PyTorch's warning when it had another and was not empty. Raises when it does
// not lie on the device of the result.
TL_API void resize_output(const Tensor& out, Ints sizes, Device device);
// For `out=` and in-place forms: raises unless a result of this dtype may go there.
TL_API void check_castable(Dtype result, Dtype out);

// Plans one output of dtype `result` and up to four inputs. With `out` undefined a tensor is allocated, its strides in
// the order of the inputs'; else the result goes to `out`, which is the first input when `inplace`. Returns the output.
TL_API Tensor make_plan(Plan& plan, const Tensor& out, bool inplace, Dtype result,
                        std::initializer_list<const Tensor*> inputs);

// Plans reading one operand and writing the other, already of the same shape, without any check.
TL_API void make_copy_plan(Plan& plan, const Tensor& to, const Tensor& from);

}  // namespace tl
