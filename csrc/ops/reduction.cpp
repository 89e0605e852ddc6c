#include "ops/reduction.h"

#include <cmath>

#include "kernels/reduction.h"
#include "ops/cast.h"
#include "ops/elementwise.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace tl {

ReductionKernels reduction_kernels[kDeviceTypes] = {};

namespace ops {
namespace {

// ---- which dims, which shape ----

using DimMask = uint64_t;

DimMask dim_mask(const Tensor& t, OptInts dims) {
  int64_t n = t.dim();
  check(n <= 64, "only tensors with up to 64 dims are supported");
  if (!dims || dims->empty()) return n == 64 ? ~DimMask(0) : (DimMask(1) << n) - 1;
  DimMask mask = 0;
  for (int64_t d : *dims) {
    int64_t w = wrap_dim(d, n);
    check(!(mask >> w & 1), "dim ", w, " appears multiple times in the list of dims");
    mask |= DimMask(1) << w;
  }
  return n == 0 ? 0 : mask;
}

Dims reduced_shape(const Tensor& t, DimMask mask, bool keepdim) {
  Dims sizes;
  for (int64_t d = 0; d < t.dim(); ++d) {
    if (!(mask >> d & 1))
      sizes.push_back(t.sizes()[d]);
    else if (keepdim)
      sizes.push_back(1);
  }
  return sizes;
}

int64_t reduced_count(const Tensor& t, DimMask mask) {
  int64_t n = 1;
  for (int64_t d = 0; d < t.dim(); ++d)
    if (mask >> d & 1) n *= t.sizes()[d];
  return n;
}

void add_dim(int32_t& n, int64_t* sizes, int64_t* strides, int64_t size, int64_t stride) {
  if (size == 1) return;
  if (n > 0 && stride == strides[n - 1] * sizes[n - 1]) {
    sizes[n - 1] *= size;
    return;
  }
  check(n < kPlanDims, "tensors whose strides need more than ", kPlanDims, " nested loops are not supported");
  sizes[n] = size;
  strides[n++] = stride;
}

void make_reduce_plan(ReducePlan& p, const Tensor& t, DimMask mask) {
  int64_t width = int64_t(t.itemsize());
  p.input = t.data();
  p.dtype = t.dtype();
  p.device = t.device();
  p.kept_ndim = p.reduced_ndim = 0;
  p.count = reduced_count(t, mask);
  p.outputs = 1;
  int64_t order[64], n = 0;
  for (int64_t d = t.dim(); d-- > 0;) {
    if (mask >> d & 1) {
      int64_t at = n++;
      while (at > 0 && std::abs(t.strides()[order[at - 1]]) > std::abs(t.strides()[d])) {
        order[at] = order[at - 1];
        --at;
      }
      order[at] = d;
    } else {
      p.outputs *= t.sizes()[d];
      add_dim(p.kept_ndim, p.kept_sizes, p.kept_strides, t.sizes()[d], t.strides()[d] * width);
    }
  }
  for (int64_t k = 0; k < n; ++k)
    add_dim(p.reduced_ndim, p.reduced_sizes, p.reduced_strides, t.sizes()[order[k]], t.strides()[order[k]] * width);
  if (p.reduced_ndim == 0) {
    p.reduced_ndim = 1;
    p.reduced_sizes[0] = 1;
    p.reduced_strides[0] = width;
  }
}

// ---- where the result goes ----

// Puts a fresh result where `out=` asks for it, if it does.
Tensor deliver(const Tensor& result, const Out& out) {
  if (!out.defined()) return result;
  check_castable(result.dtype(), out.tensor.dtype());
  resize_output(out.tensor, result.sizes(), result.device());
  return copy(out.tensor, result, false, {});
}

Tensor as_dtype(const Tensor& t, Dtype dtype) {
  return t.dtype() == dtype ? t : to_copy(t, dtype, std::nullopt, false);
}

void fill_with(const Tensor& t, double value) { copy(t, wrapped_number(Scalar(value)), false, {}); }

// The dtype a sum or product is computed in so that it comes out as `result`.
Dtype wide(Dtype result) {
  return result == Dtype::Float64 ? Dtype::Float64 : is_floating(result) ? Dtype::Float32 : Dtype::Int64;
}

double identity_of(Reduce op) { return op == Reduce::Prod ? 1.0 : 0.0; }

Tensor reduce(Reduce op, const char* name, const Tensor& input, DimMask mask, bool keepdim, Dtype compute,
              double divisor = 1, double power = 1) {
  Tensor result = empty(reduced_shape(input, mask, keepdim), compute, input.device());
  if (result.numel() == 0) return result;
  ReduceArgs args;
  make_reduce_plan(args.plan, input, mask);
  if (args.plan.count == 0) {
    fill_with(result, identity_of(op) / divisor);
    return result;
  }
  args.compute = compute;
  args.result = result.data();
  args.scale = divisor;
  args.power = power;
  kernel(reduction_kernels[int(input.device().type)].reduce, name, input.device())(op, args);
  return result;
}

// A sum of complex numbers is that of their parts.
Tensor complex_sum(const Tensor& input, DimMask mask, bool keepdim, double divisor) {
  Tensor parts = view_as_real(input);
  // Nobody else knows of the sums of the parts: the result is no view.
  return detach(view_as_complex(reduce(Reduce::Sum, "sum", parts, mask, keepdim, parts.dtype(), divisor)));
}

Tensor sum_as(const Tensor& input, DimMask mask, bool keepdim, Dtype result, double divisor) {
  if (is_complex(result) || is_complex(input.dtype())) {
    Tensor source = is_complex(input.dtype()) && is_complex(result) ? input : as_dtype(input, result);
    if (is_complex(source.dtype())) return as_dtype(complex_sum(source, mask, keepdim, divisor), result);
    return as_dtype(reduce(Reduce::Sum, "sum", source, mask, keepdim, wide(result), divisor), result);
  }
  return as_dtype(reduce(Reduce::Sum, "sum", input, mask, keepdim, wide(result), divisor), result);
}

Dtype sum_dtype(const Tensor& input, OptDtype dtype, const Out& out) {
  if (dtype) return *dtype;
  if (out.defined()) return is_integral(input.dtype()) ? out.tensor.dtype() : input.dtype();
  return is_integral(input.dtype()) ? Dtype::Int64 : input.dtype();
}

Dtype mean_dtype(const Tensor& input, OptDtype dtype, const char* name) {
  Dtype d = dtype.value_or(input.dtype());
  if (!is_differentiable(d))
    fail(name, "(): could not infer output dtype. ", dtype ? "Optional" : "Input",
         " dtype must be either a floating point or complex dtype. Got: ", type_name(d),
         ". Convert with .float() first.");
  return d;
}

}  // namespace

// ---- sums ----

Tensor sum(const Tensor& input, OptDtype dtype) { return sum_dim(input, std::nullopt, false, dtype, {}); }

Tensor sum_dim(const Tensor& input, OptInts dim, bool keepdim, OptDtype dtype, const Out& out) {
  DimMask mask = dim_mask(input, dim);
  return deliver(sum_as(input, mask, keepdim, sum_dtype(input, dtype, out), 1), out);
}

Tensor nansum(const Tensor& input, OptInts dim, bool keepdim, OptDtype dtype, const Out& out) {
  DimMask mask = dim_mask(input, dim);
  check(!is_complex(input.dtype()), "nansum on CPU does not support complex inputs");
  if (is_integral(input.dtype())) return sum_dim(input, dim, keepdim, dtype, out);
  Dtype d = dtype.value_or(input.dtype());
  Dtype compute = is_floating(d) ? wide(d) : Dtype::Float64;
  return deliver(as_dtype(reduce(Reduce::NanSum, "nansum", input, mask, keepdim, compute), d), out);
}

Tensor mean(const Tensor& input, OptDtype dtype, const Out& out) {
  return mean_dim(input, std::nullopt, false, dtype, out);
}

Tensor mean_dim(const Tensor& input, OptInts dim, bool keepdim, OptDtype dtype, const Out& out) {
  Dtype d = mean_dtype(input, dtype, "mean");
  DimMask mask = dim_mask(input, dim);
  return deliver(sum_as(input, mask, keepdim, d, double(reduced_count(input, mask))), out);
}

Tensor nanmean(const Tensor& input, OptInts dim, bool keepdim, OptDtype dtype, const Out& out) {
  check(is_differentiable(input.dtype()), "nanmean(): expected input to have floating point or complex dtype but got ",
        type_name(input.dtype()));
  check(
      !dtype || is_differentiable(*dtype),
      "nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. Got: ",
      type_name(dtype.value_or(input.dtype())));
  Tensor there = logical_not(isnan(input), {});
  Tensor count = sum_dim(there, dim, keepdim, std::nullopt, {});
  return div(nansum(input, dim, keepdim, dtype, {}), count, out);
}

namespace {

// Multiplies the halves of a dim until one element is left.
Tensor complex_prod(Tensor t, DimMask mask, bool keepdim) {
  Dims sizes = reduced_shape(t, mask, keepdim);
  if (reduced_count(t, mask) == 0) {
    Tensor result = empty(sizes, t.dtype(), t.device());
    fill_with(result, 1);
    return result;
  }
  auto part = [&](const Tensor& from, int64_t d, int64_t begin, int64_t n) {
    Dims shape(from.sizes());
    shape[d] = n;
    return make_view(from, shape, from.strides(), from.offset() + begin * from.strides()[d]);
  };
  for (int64_t d = 0; d < t.dim(); ++d) {
    if (!(mask >> d & 1)) continue;
    while (t.size(d) > 1) {
      int64_t n = t.size(d), half = n / 2;
      Tensor product = mul(part(t, d, 0, half), part(t, d, half, half), {});
      if (n % 2) {
        Tensor first = part(product, d, 0, 1);
        mul(first, part(t, d, n - 1, 1), Out{first, true});
      }
      t = product;
    }
  }
  Tensor result = empty(sizes, t.dtype(), t.device());
  copy_into(make_view(result, t.sizes(), contiguous_strides(t.sizes()), 0), t);
  return result;
}

Tensor prod_mask(const Tensor& input, DimMask mask, bool keepdim, OptDtype dtype) {
  Dtype d = dtype.value_or(is_integral(input.dtype()) ? Dtype::Int64 : input.dtype());
  if (is_complex(d)) return complex_prod(as_dtype(input, d), mask, keepdim);
  return as_dtype(reduce(Reduce::Prod, "prod", input, mask, keepdim, wide(d)), d);
}

}  // namespace

Tensor prod(const Tensor& input, OptDtype dtype) {
  return prod_mask(input, dim_mask(input, std::nullopt), false, dtype);
}

Tensor prod_dim(const Tensor& input, int64_t dim, bool keepdim, OptDtype dtype, const Out& out) {
  return deliver(prod_mask(input, dim_mask(input, Ints(&dim, 1)), keepdim, dtype), out);
}

// ---- extremes ----

namespace {

Dtype extreme_compute(Dtype d) {
  if (d == Dtype::Bool || d == Dtype::UInt8) return Dtype::UInt8;
  return wide(d);
}

void check_not_empty(const Tensor& input, OptInts dims, const char* name, bool index_error = false) {
  if (input.numel() != 0) return;
  if (!dims || dims->empty()) {
    if (index_error)
      fail<IndexError>(name, "(): Expected reduction dim to be specified for input.numel() == 0.",
                       " Specify the reduction dim with the 'dim' argument.");
    fail(name,
         "(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
         "'dim' argument.");
  }
  for (int64_t d : *dims) {
    int64_t w = wrap_dim(d, input.dim());
    check<IndexError>(input.dim() == 0 || input.size(w) != 0, name, "(): Expected reduction dim ", w,
                      " to have non-zero size.");
  }
}

Tensor extreme(bool max, const Tensor& input, OptInts dims, bool keepdim, const char* name, const char* kernel_name) {
  if (is_complex(input.dtype())) not_implemented(kernel_name, input.dtype());
  DimMask mask = dim_mask(input, dims);
  check_not_empty(input, dims, name);
  Tensor result = reduce(max ? Reduce::Max : Reduce::Min, name, input, mask, keepdim, extreme_compute(input.dtype()));
  return as_dtype(result, input.dtype());
}

struct Extreme {
  Tensor values, indices;
};

Extreme argument(bool max, const char* name, const Tensor& input, DimMask mask, bool keepdim) {
  Dims sizes = reduced_shape(input, mask, keepdim);
  Dtype compute = wide(input.dtype());
  Extreme e{empty(sizes, compute, input.device()), empty(sizes, Dtype::Int64, input.device())};
  if (e.values.numel() == 0) return e;
  ReduceArgs args;
  make_reduce_plan(args.plan, input, mask);
  args.compute = compute;
  args.result = e.values.data();
  args.second = e.indices.data();
  kernel(reduction_kernels[int(input.device().type)].argument, name, input.device())(max, args);
  return e;
}

std::tuple<Tensor, Tensor> extreme_dim(bool max, const char* name, const Tensor& input, int64_t dim, bool keepdim,
                                       TensorSpan out) {
  check(!is_complex(input.dtype()), name, "(): does not support complex input");
  DimMask mask = dim_mask(input, Ints(&dim, 1));
  check_not_empty(input, Ints(&dim, 1), name);
  Extreme e = argument(max, name, input, mask, keepdim);
  Tensor values = as_dtype(e.values, input.dtype());
  if (out.empty()) return {values, e.indices};
  check(out[0].dtype() == input.dtype(), "Expected out tensor to have dtype ", tl::name(input.dtype()), ", but got ",
        tl::name(out[0].dtype()), " instead");
  check(out[1].dtype() == Dtype::Int64, "Expected out tensor to have dtype int64, but got ", tl::name(out[1].dtype()),
        " instead");
  return {deliver(values, Out{out[0]}), deliver(e.indices, Out{out[1]})};
}

Tensor argument_of(bool max, const char* name, const Tensor& input, OptInt dim, bool keepdim, const Out& out) {
  check(!is_complex(input.dtype()), name, "(): does not support complex input");
  check(input.dtype() != Dtype::Bool, name, "(): does not support bool input");
  if (dim) {
    DimMask mask = dim_mask(input, Ints(&*dim, 1));
    check_not_empty(input, Ints(&*dim, 1), name);
    return deliver(argument(max, name, input, mask, keepdim).indices, out);
  }
  check_not_empty(input, std::nullopt, name, true);
  // The index counts in row-major order, whatever the strides.
  Tensor flat = contiguous(input);
  return deliver(argument(max, name, flat, dim_mask(flat, std::nullopt), keepdim).indices, out);
}

}  // namespace

Tensor max(const Tensor& input, const Out& out) {
  return deliver(extreme(true, input, std::nullopt, false, "max", "max_all"), out);
}
Tensor min(const Tensor& input, const Out& out) {
  return deliver(extreme(false, input, std::nullopt, false, "min", "min_all"), out);
}

std::tuple<Tensor, Tensor> max_dim(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out) {
  return extreme_dim(true, "max", input, dim, keepdim, out);
}
std::tuple<Tensor, Tensor> min_dim(const Tensor& input, int64_t dim, bool keepdim, TensorSpan out) {
  return extreme_dim(false, "min", input, dim, keepdim, out);
}

namespace {

void check_same_dtype(const Tensor& input, const Tensor& out) {
  check(!out.defined() || out.dtype() == input.dtype(), "Expected the dtype for input and out to match, but got ",
        type_name(input.dtype()), " for input's dtype and ", out.defined() ? type_name(out.dtype()) : "",
        " for out's dtype.");
}

}  // namespace

Tensor amax(const Tensor& input, Ints dim, bool keepdim, const Out& out) {
  check_same_dtype(input, out.tensor);
  return deliver(extreme(true, input, dim, keepdim, "amax", "max_values_cpu"), out);
}
Tensor amin(const Tensor& input, Ints dim, bool keepdim, const Out& out) {
  check_same_dtype(input, out.tensor);
  return deliver(extreme(false, input, dim, keepdim, "amin", "min_values_cpu"), out);
}

std::tuple<Tensor, Tensor> aminmax(const Tensor& input, OptInt dim, bool keepdim, TensorSpan out) {
  check(input.numel() > 0 || dim,
        "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.");
  for (const Tensor& t : out) check_same_dtype(input, t);
  OptInts dims = dim ? OptInts(Ints(&*dim, 1)) : std::nullopt;
  Tensor low = extreme(false, input, dims, keepdim, "aminmax", "aminmax_cpu");
  Tensor high = extreme(true, input, dims, keepdim, "aminmax", "aminmax_cpu");
  if (out.empty()) return {low, high};
  return {deliver(low, Out{out[0]}), deliver(high, Out{out[1]})};
}

Tensor argmax(const Tensor& input, OptInt dim, bool keepdim, const Out& out) {
  return argument_of(true, "argmax", input, dim, keepdim, out);
}
Tensor argmin(const Tensor& input, OptInt dim, bool keepdim, const Out& out) {
  return argument_of(false, "argmin", input, dim, keepdim, out);
}

// ---- truth ----

namespace {

Tensor truth(const Tensor& input) {
  if (input.dtype() == Dtype::Bool) return input;
  return ne(input, wrapped_number(Scalar(0)), {});
}

Tensor quantified(Reduce op, const char* name, const Tensor& input, OptInts dim, bool keepdim, const Out& out) {
  DimMask mask = dim_mask(input, dim);
  Tensor result;
  if (input.numel() == 0 || reduced_count(input, mask) == 0) {
    result = empty(reduced_shape(input, mask, keepdim), Dtype::Bool, input.device());
    fill_with(result, op == Reduce::Min);
  } else {
    result = reduce(op, name, truth(input), mask, keepdim, Dtype::UInt8);
    // 0 and 1 are the same bytes as False and True.
    result.impl()->dtype = Dtype::Bool;
  }
  return deliver(input.dtype() == Dtype::UInt8 ? as_dtype(result, Dtype::UInt8) : result, out);
}

}  // namespace

Tensor any(const Tensor& input, OptInts dim, bool keepdim, const Out& out) {
  return quantified(Reduce::Max, "any", input, dim, keepdim, out);
}
Tensor all(const Tensor& input, OptInts dim, bool keepdim, const Out& out) {
  return quantified(Reduce::Min, "all", input, dim, keepdim, out);
}
Tensor count_nonzero(const Tensor& input, OptInts dim) { return sum_dim(truth(input), dim, false, std::nullopt, {}); }

// ---- variance ----

namespace {

struct Spread {
  Tensor variance, mean;
};

Spread spread(const char* name, const Tensor& input, OptInts dim, double correction, bool keepdim, bool want_mean) {
  if (!is_differentiable(input.dtype()))
    fail(want_mean ? name : "std and var", " only support floating point and complex dtypes");
  DimMask mask = dim_mask(input, dim);
  if (is_complex(input.dtype())) {
    Spread re = spread(name, ops::real(input), dim, correction, keepdim, want_mean);
    Spread im = spread(name, ops::imag(input), dim, correction, keepdim, want_mean);
    Spread s{add(re.variance, im.variance, Scalar(1), {}), {}};
    if (want_mean) s.mean = complex(re.mean, im.mean, {});
    return s;
  }
  int64_t count = reduced_count(input, mask);
  Dims sizes = reduced_shape(input, mask, keepdim);
  Dtype compute = wide(input.dtype());
  Spread s{empty(sizes, compute, input.device()), want_mean ? empty(sizes, compute, input.device()) : Tensor()};
  if (s.variance.numel() == 0) return s;
  if (double(count) - correction <= 0)
    warn(str(name,
             "(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input "
             "numel divided by output numel)."));
  if (count == 0) {
    fill_with(s.variance, NAN);
    if (want_mean) fill_with(s.mean, NAN);
  } else {
    ReduceArgs args;
    make_reduce_plan(args.plan, input, mask);
    args.compute = compute;
    args.result = s.variance.data();
    args.second = want_mean ? s.mean.data() : nullptr;
    args.scale = correction;
    kernel(reduction_kernels[int(input.device().type)].variance, name, input.device())(args);
  }
  return s;
}

double correction_of(const Scalar* correction) { return correction ? correction->to<double>() : 1.0; }

std::tuple<Tensor, Tensor> both(const char* name, bool root, const Tensor& input, OptInts dim, double correction,
                                bool keepdim) {
  Spread s = spread(name, input, dim, correction, keepdim, true);
  Tensor first = root ? ops::sqrt(s.variance, {}) : s.variance;
  return {as_dtype(first, to_real(input.dtype())), as_dtype(s.mean, input.dtype())};
}

Tensor one(const char* name, bool root, const Tensor& input, OptInts dim, double correction, bool keepdim,
           const Out& out) {
  Spread s = spread(name, input, dim, correction, keepdim, false);
  Tensor result = root ? ops::sqrt(s.variance, {}) : s.variance;
  return deliver(as_dtype(result, to_real(input.dtype())), out);
}

}  // namespace

Tensor var(const Tensor& input, OptInts dim, const Scalar* correction, bool keepdim, const Out& out) {
  return one("var", false, input, dim, correction_of(correction), keepdim, out);
}
Tensor std(const Tensor& input, OptInts dim, const Scalar* correction, bool keepdim, const Out& out) {
  return one("std", true, input, dim, correction_of(correction), keepdim, out);
}
std::tuple<Tensor, Tensor> var_mean(const Tensor& input, OptInts dim, const Scalar* correction, bool keepdim) {
  return both("var_mean", false, input, dim, correction_of(correction), keepdim);
}
std::tuple<Tensor, Tensor> std_mean(const Tensor& input, OptInts dim, const Scalar* correction, bool keepdim) {
  return both("std_mean", true, input, dim, correction_of(correction), keepdim);
}
Tensor var_unbiased(const Tensor& input, bool unbiased) {
  return one("var", false, input, std::nullopt, unbiased, false, {});
}
Tensor std_unbiased(const Tensor& input, bool unbiased) {
  return one("std", true, input, std::nullopt, unbiased, false, {});
}
Tensor var_unbiased_dim(const Tensor& input, OptInts dim, bool unbiased, bool keepdim, const Out& out) {
  return one("var", false, input, dim, unbiased, keepdim, out);
}
Tensor std_unbiased_dim(const Tensor& input, OptInts dim, bool unbiased, bool keepdim, const Out& out) {
  return one("std", true, input, dim, unbiased, keepdim, out);
}
std::tuple<Tensor, Tensor> var_mean_unbiased(const Tensor& input, OptInts dim, bool unbiased, bool keepdim) {
  return both("var_mean", false, input, dim, unbiased, keepdim);
}
std::tuple<Tensor, Tensor> var_mean_all(const Tensor& input, bool unbiased) {
  return both("var_mean", false, input, std::nullopt, unbiased, false);
}
std::tuple<Tensor, Tensor> std_mean_all(const Tensor& input, bool unbiased) {
  return both("std_mean", true, input, std::nullopt, unbiased, false);
}
std::tuple<Tensor, Tensor> std_mean_unbiased(const Tensor& input, OptInts dim, bool unbiased, bool keepdim) {
  return both("std_mean", true, input, dim, unbiased, keepdim);
}

// ---- norms ----

Tensor vector_norm(const Tensor& input, const Scalar& ord, OptInts dim, bool keepdim, OptDtype dtype, const Out& out) {
  check(is_differentiable(input.dtype()),
        "linalg.vector_norm: Expected a floating point or complex tensor as input. Got ", type_name(input.dtype()));
  Dtype d = dtype.value_or(input.dtype());
  if (dtype) {
    check(is_differentiable(d), "linalg.vector_norm: dtype should be floating point or complex, but got ",
          type_name(d));
    check(is_complex(d) == is_complex(input.dtype()), "linalg.vector_norm: dtype should be ",
          is_complex(d) ? "real for real" : "complex for complex", " inputs, but got ", type_name(d));
    check(promote(d, input.dtype()) == d, "linalg.vector_norm: the dtype of the input (", type_name(input.dtype()),
          ") should be convertible without narrowing to the specified dtype (", type_name(d), ")");
  }
  Tensor x = as_dtype(input, d);
  if (is_complex(d)) x = abs(x, {});
  Dtype real = to_real(d), compute = wide(real);
  DimMask mask = dim_mask(x, dim);
  double p = ord.to<double>();
  auto done = [&](const Tensor& t) { return deliver(as_dtype(t, real), out); };
  if (p == 2) return done(ops::sqrt(reduce(Reduce::SumSquares, "norm", x, mask, keepdim, compute), {}));
  if (p == 1) return done(reduce(Reduce::SumAbs, "norm", x, mask, keepdim, compute));
  if (p == 0) return done(as_dtype(sum_dim(truth(x), dim, keepdim, std::nullopt, {}), real));
  if (std::isinf(p)) {
    check(reduced_count(x, mask) > 0 || x.numel() > 0 || reduced_shape(x, mask, false).size() > 0,
          "linalg.vector_norm cannot compute the ", p > 0 ? "inf" : "-inf",
          " norm on an empty tensor because the operation does not have an identity");
    return done(reduce(p > 0 ? Reduce::Max : Reduce::Min, "norm", abs(x, {}), mask, keepdim, compute));
  }
  Tensor powers = reduce(Reduce::SumPowers, "norm", x, mask, keepdim, compute, 1, p);
  return done(pow_scalar(powers, Scalar(1 / p), {}));
}

Tensor logsumexp(const Tensor& input, Ints dim, bool keepdim, const Out& out) {
  Tensor x = is_integral(input.dtype()) ? to_copy(input, default_dtype(), std::nullopt, false) : input;
  if (x.numel() == 0) return deliver(ops::log(sum_dim(ops::exp(x, {}), dim, keepdim, std::nullopt, {}), {}), out);
  // Of complex numbers the real parts say how large the exponentials are.
  Tensor top = amax(is_complex(x.dtype()) ? ops::real(x) : x, dim, true, {});
  // Infinities are left to exp and log: inf - inf would be NaN.
  Tensor infinite = isinf(top);
  top = masked_fill(top, infinite, Scalar(0.0), {});
  Tensor total = sum_dim(ops::exp(sub(x, top, Scalar(1), {}), {}), dim, true, std::nullopt, {});
  Tensor result = add(ops::log(total, {}), top, Scalar(1), {});
  if (!keepdim)
    result = make_view(result, reduced_shape(x, dim_mask(x, OptInts(dim)), false),
                       contiguous_strides(reduced_shape(x, dim_mask(x, OptInts(dim)), false)), result.offset());
  return deliver(keepdim ? result : alias(result), out);
}

}  // namespace ops
}  // namespace tl
