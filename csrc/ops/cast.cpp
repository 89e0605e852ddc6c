#include "ops/cast.h"

#include "core/cuda.h"
#include "core/plan.h"
#include "kernels/cast.h"

namespace tl {

CastKernels cast_kernels[kDeviceTypes] = {};

namespace ops {

namespace {

// Between devices only bytes in a row travel; conversion and layout are done at one end or the other.
void copy_across(const Tensor& to, const Tensor& from, bool non_blocking) {
  bool alike = to.dtype() == from.dtype() && to.strides() == from.strides() && is_dense(to);
  Tensor source = from, target = to;
  if (!alike) {
    if (source.dtype() != to.dtype()) source = to_copy(source, to.dtype(), {}, non_blocking, MemoryFormat::Contiguous);
    if (!source.is_contiguous()) source = contiguous_copy(source);
    if (!to.is_contiguous()) target = empty(to.sizes(), to.dtype(), to.device());
  }
  cuda_runtime().copy(target.data(), to.device(), source.data(), from.device(), size_t(to.numel()) * to.itemsize(),
                      non_blocking && source.is(from));
  if (!target.is(to)) copy_into(to, target);
}

}  // namespace

void copy_into(const Tensor& to, const Tensor& from, bool non_blocking) {
  if (to.numel() == 0) return;
  if (!(to.device() == from.device()) && !(to.device().is_cpu() && from.device().is_cpu())) [[unlikely]]
    return copy_across(to, from, non_blocking);
  Plan plan;
  make_copy_plan(plan, to, from);
  kernel(cast_kernels[int(plan.device.type)].copy, "copy", plan.device)(plan);
}

Tensor copy(const Tensor& input, const Tensor& src, bool non_blocking, const Out&) {
  if (input.is(src)) return input;
  if (!(input.sizes() == src.sizes())) {
    Dims shape = broadcast_shapes(input.sizes(), src.sizes());
    if (!(Ints(shape) == input.sizes()))
      fail("output with shape ", to_string(input.sizes()), " doesn't match the broadcast shape ", to_string(shape));
  }
  bool same_memory = input.impl()->storage == src.impl()->storage;
  bool same_elements = same_memory && input.data() == src.data() && input.strides() == src.strides() &&
                       input.sizes() == src.sizes() && input.dtype() == src.dtype();
  if (same_elements) return input;
  check_no_internal_overlap(input);
  if (is_complex(src.dtype()) && !is_complex(input.dtype()) && input.dtype() != Dtype::Bool)
    warn("Casting complex values to real discards the imaginary part");
  if (input.numel() == 0) return input;
  bool in_step = input.data() == src.data() && input.strides() == src.strides() && input.itemsize() == src.itemsize();
  if (same_memory && !in_step) {
    // The two may interleave: read everything before writing.
    copy_into(input, clone(src));
    return input;
  }
  if (!(input.sizes() == src.sizes()) && !(input.device() == src.device())) {
    // Expanded where it arrives.
    Tensor there = to_copy(src, input.dtype(), input.device(), non_blocking, MemoryFormat::Contiguous);
    copy_into(input, there);
    return input;
  }
  copy_into(input, src, non_blocking);
  return input;
}

Tensor empty_like(const Tensor& input, Dtype dtype, Device device, OptFormat format) {
  if (format && *format != MemoryFormat::Preserve)
    return empty_strided(input.sizes(), format_strides(input.sizes(), *format), dtype, device);
  if (input.is_contiguous() || is_dense(input)) return empty_strided(input.sizes(), input.strides(), dtype, device);
  // Keep the order of the strides, close the gaps. Of equal strides the smaller dim lies inside; a stride of 0 says
  // nothing about its dim's place.
  Ints sizes = input.sizes(), old = input.strides();
  auto outside = [&](size_t a, size_t b) {
    if (old[a] == 0 || old[b] == 0) return 0;
    if (old[a] != old[b]) return old[a] > old[b] ? 1 : -1;
    return sizes[a] > sizes[b] ? 1 : 0;
  };
  Dims order;
  for (int64_t d = input.dim(); d-- > 0;) {
    order.push_back(d);
    size_t at = order.size() - 1;
    for (size_t i = at; i-- > 0;) {
      int where = outside(size_t(order[i]), size_t(order[at]));
      if (where < 0) break;
      if (where > 0) {
        std::swap(order[i], order[at]);
        at = i;
      }
    }
  }
  Dims strides(size_t(input.dim()));
  int64_t step = 1;
  for (int64_t d : order) {
    strides[size_t(d)] = step;
    step *= std::max<int64_t>(sizes[size_t(d)], 1);
  }
  return empty_strided(sizes, strides, dtype, device);
}

Tensor to_copy(const Tensor& input, OptDtype dtype, OptDevice device, bool non_blocking, OptFormat format) {
  Dtype to = dtype.value_or(input.dtype());
  if (is_complex(input.dtype()) && !is_complex(to) && to != Dtype::Bool)
    warn("Casting complex values to real discards the imaginary part");
  Tensor result = empty_like(input, to, device.value_or(input.device()), format);
  copy_into(result, input, non_blocking);
  return result;
}

Tensor to(const Tensor& input, OptDtype dtype, OptDevice device, bool non_blocking, bool copy, OptFormat format) {
  bool same_device = !device || *device == input.device() || (device->type == input.device().type && device->index < 0);
  MemoryFormat wanted = format.value_or(MemoryFormat::Preserve);
  bool same_format = wanted == MemoryFormat::Preserve || suggested_format(input) == wanted;
  if (!copy && same_device && same_format && dtype.value_or(input.dtype()) == input.dtype()) return input;
  return to_copy(input, dtype, same_device ? OptDevice() : device, non_blocking, format);
}

Tensor to_dtype(const Tensor& input, Dtype dtype, bool non_blocking, bool copy, OptFormat format) {
  return to(input, dtype, std::nullopt, non_blocking, copy, format);
}

Tensor to_device(const Tensor& input, Device device, OptDtype dtype, bool non_blocking, bool copy, OptFormat format) {
  return to(input, dtype, device, non_blocking, copy, format);
}

Tensor to_other(const Tensor& input, const Tensor& other, bool non_blocking, bool copy, OptFormat format) {
  return to(input, other.dtype(), other.device(), non_blocking, copy, format);
}

Tensor type_as(const Tensor& input, const Tensor& other) {
  return to(input, other.dtype(), other.device(), false, false);
}

Tensor clone(const Tensor& input, OptFormat format) {
  return to_copy(input, std::nullopt, std::nullopt, false, format);
}

Tensor contiguous_copy(const Tensor& input) {
  Tensor result = empty(input.sizes(), input.dtype(), input.device());
  copy_into(result, input);
  return result;
}

Tensor contiguous(const Tensor& input, OptFormat format) {
  MemoryFormat wanted = format.value_or(MemoryFormat::Contiguous);
  if (tl::is_contiguous(input, wanted)) return input;
  check(wanted != MemoryFormat::Preserve, "preserve memory format is unsupported by the contiguous operator");
  return wanted == MemoryFormat::Contiguous ? contiguous_copy(input) : clone(input, wanted);
}

}  // namespace ops
}  // namespace tl
