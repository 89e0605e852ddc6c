#include "ops/resample.h"

#include "core/plan.h"
#include "kernels/resample.h"
#include "ops/cast.h"

namespace tl {
ResampleKernels resample_kernels[kDeviceTypes];
}

namespace tl::ops {
namespace {

// Images whose channels lie side by side stay so.
bool channels_last(const Tensor& t) {
  if ((t.dim() != 4 && t.dim() != 5) || t.is_contiguous() || t.size(1) == 1) return false;
  int64_t step = t.size(1);
  if (t.stride(1) != 1) return false;
  for (int64_t d = t.dim() - 1; d != 1; d = d == 2 ? 0 : d - 1) {
    if (t.size(d) > 1 && t.stride(d) != step) return false;
    step *= t.size(d);
    if (d == 0) break;
  }
  return true;
}
Dims channels_last_strides(Ints sizes) {
  Dims strides(sizes.size(), 1);
  int64_t step = sizes[1];
  for (size_t d = sizes.size(); d-- > 2; step *= sizes[d]) strides[d] = step;
  strides[0] = step;
  return strides;
}

}  // namespace

Tensor resample(const Tensor& input, int64_t dim, const Tensor& starts, const Tensor& places, const Tensor& weights,
                const Tensor& back_starts, const Tensor&, const Tensor&) {
  check<NotImplementedError>(is_floating(input.dtype()) || input.dtype() == Dtype::UInt8,
                             "\"resample\" not implemented for '", type_name(input.dtype()),
                             "'. Convert the input to a floating dtype first.");
  common_device({&input, &starts, &places, &weights});
  dim = wrap_dim(dim, input.dim());
  const int64_t in = input.size(dim), out = starts.numel() - 1;
  check(starts.dtype() == Dtype::Int64 && places.dtype() == Dtype::Int64 && weights.dtype() == Dtype::Float64 &&
            starts.is_contiguous() && places.is_contiguous() && weights.is_contiguous() && out >= 0 &&
            places.numel() == weights.numel() && back_starts.numel() - 1 == in &&
            (!input.device().is_cpu() || starts.data_as<int64_t>()[out] == places.numel()),
        "resample: the tables are no sparse matrix over a dim of size ", in);
  const bool last = dim > 1 && channels_last(input);
  const Tensor x = last ? input : contiguous(input);
  Dims sizes(x.sizes());
  sizes[size_t(dim)] = out;
  const Tensor result = last ? empty_strided(sizes, channels_last_strides(sizes), x.dtype(), x.device())
                             : empty(sizes, x.dtype(), x.device());
  // As they lie in memory.
  int64_t outer = numel_of(x.sizes().slice(0, size_t(dim))), inner = numel_of(x.sizes().slice(size_t(dim) + 1));
  if (last) outer /= x.size(1), inner *= x.size(1);
  if (result.numel())
    kernel(resample_kernels[int(x.device().type)].apply, "resample",
           x.device())({x.dtype(), outer, in, out, inner, starts.data_as<int64_t>(), places.data_as<int64_t>(),
                        weights.data_as<double>(), x.data(), result.data()});
  return result;
}

}  // namespace tl::ops
