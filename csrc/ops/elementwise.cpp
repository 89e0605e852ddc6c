#include "ops/elementwise.h"

#include "ops/cast.h"

namespace tl {

PointwiseKernels pointwise_kernels[kDeviceTypes] = {};

namespace ops {

void not_implemented(const char* name, Dtype dtype) {
  fail<NotImplementedError>('"', name, "\" not implemented for '", type_name(dtype),
                            "'. Convert the input with .to(dtype) first.");
}

namespace {

// The dtype that the kernel computes in: halves in float32, small integers in a wider one that wraps to the same bits.
Dtype compute_dtype(const PointwiseKernels& kernels, Pointwise op, const char* name, Dtype common, const Out& out) {
  Dtype compute = common;
  switch (common) {
    case Dtype::Bool:
    case Dtype::UInt8:
      compute = Dtype::UInt8;
      // Only where eight bits are all that matters.
      if (((op >= Pointwise::Eq && op <= Pointwise::LogicalNot) ||
           (op >= Pointwise::BitAnd && op <= Pointwise::BitXor) || op == Pointwise::Where ||
           (op == Pointwise::BitNot && common == Dtype::UInt8)) &&
          kernels.supports(op, compute))
        return compute;
      [[fallthrough]];
    case Dtype::Int8:
    case Dtype::Int16:
    case Dtype::Int32:
      compute = Dtype::Int32;
      if (kernels.supports(op, compute)) return compute;
      compute = Dtype::Int64;
      break;
    case Dtype::Float16:
    case Dtype::BFloat16:
      compute = Dtype::Float32;
      break;
    default:
      break;
  }
  if (!kernels.supports(op, compute)) [[unlikely]] {
    if (out.defined()) check_castable(pointwise_result(op, common), out.tensor.dtype());
    not_implemented(name, common);
  }
  return compute;
}

bool same_shape(const Tensor& a, const Tensor& b) { return a.sizes() == b.sizes(); }

// A number beyond the operands' dtype, which would be seen where the kernel computes in a wider one: uint8 % -1.
bool is_too_wide(const Tensor& t, Dtype common) {
  return t.dim() == 0 && is_integral(t.dtype()) && itemsize(t.dtype()) > itemsize(common);
}

}  // namespace

Tensor elementwise(Pointwise op, const char* name, Dtype common, const Out& out,
                   std::initializer_list<const Tensor*> inputs, const PointwiseParams* params) {
  const Tensor& first = **inputs.begin();
  Device device = first.device();
  // Contiguous inputs of one shape, or with numbers: no sorting, no strides to work out.
  bool flat = !out.defined() && first.is_contiguous() && device.is_cpu();
  for (const Tensor* t : inputs)
    flat &=
        t->device() == device && ((t->is_contiguous() && same_shape(first, *t)) || (t->dim() == 0 && first.dim() > 0));
  if (!flat) device = common_device(inputs);

  const PointwiseKernels& kernels = pointwise_kernels[int(device.type)];
  kernel(kernels.run, name, device);
  Dtype result = pointwise_result(op, common);
  Dtype compute = compute_dtype(kernels, op, name, common, out);
  if (compute != common && is_integral(common) && common != Dtype::Bool) [[unlikely]] {
    for (size_t k = 0; k < inputs.size(); ++k) {
      if (!is_too_wide(*inputs.begin()[k], common)) continue;
      Tensor narrow = to_copy(*inputs.begin()[k], common, {}, false);
      const Tensor* all[3] = {};
      for (size_t i = 0; i < inputs.size(); ++i) all[i] = i == k ? &narrow : inputs.begin()[i];
      return inputs.size() == 2 ? elementwise(op, name, common, out, {all[0], all[1]}, params)
                                : elementwise(op, name, common, out, {all[0], all[1], all[2]}, params);
    }
  }
  Plan plan;
  if (flat) {
    Tensor target = empty(first.sizes(), result, device);
    plan.set_flat(target.numel(), int(inputs.size()) + 1);
    plan.set_operand(0, target);
    int i = 1;
    for (const Tensor* t : inputs) {
      bool repeated = t->dim() == 0 && first.dim() > 0;
      plan.set_operand(i++, *t, repeated);
    }
    if (plan.numel) kernels.run(op, compute, plan, params);
    return target;
  }
  Tensor target = make_plan(plan, out.tensor, out.inplace, result, inputs);
  if (plan.numel) kernels.run(op, compute, plan, params);
  return target;
}

}  // namespace ops
}  // namespace tl
