#include "ops/random.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/random.h"
#include "ops/cast.h"
#include "ops/creation.h"
#include "ops/same_device.h"

namespace tl {

RandomKernels random_kernels[kDeviceTypes] = {};

namespace ops {
namespace {

RandomKernels& kernels(const Tensor& t) { return random_kernels[int(t.device().type)]; }

Generator* or_default(Generator* g, Device device) {
  if (!g) return &default_generator(device);
  check(g->device.type == device.type, "Expected a '", name(device.type), "' device type for generator but found '",
        name(g->device.type), "'");
  return g;
}

[[noreturn]] void not_implemented(const char* what, Dtype t) {
  fail<NotImplementedError>('"', what, "\" not implemented for '", type_name(t), "'");
}

// The names that PyTorch's messages have for the types of C++.
const char* c_name(Dtype t) {
  switch (t) {
    case Dtype::Bool:
      return "bool";
    case Dtype::UInt8:
      return "unsigned char";
    case Dtype::Int8:
      return "signed char";
    case Dtype::Int16:
      return "short";
    case Dtype::Int32:
      return "int";
    case Dtype::Int64:
      return "long";
    case Dtype::Float16:
      return "c10::Half";
    case Dtype::BFloat16:
      return "c10::BFloat16";
    case Dtype::Float32:
      return "float";
    default:
      return "double";
  }
}

// Bits of precision: integers up to 2^digits are all held.
int digits(Dtype t) {
  switch (t) {
    case Dtype::Bool:
      return 1;
    case Dtype::UInt8:
      return 8;
    case Dtype::Int8:
      return 7;
    case Dtype::Int16:
      return 15;
    case Dtype::Int32:
      return 31;
    case Dtype::Int64:
      return 63;
    case Dtype::Float16:
      return 11;
    case Dtype::BFloat16:
      return 8;
    case Dtype::Float32:
      return 24;
    default:
      return 53;
  }
}

double largest(Dtype t) {
  switch (t) {
    case Dtype::Float16:
      return 65504;
    case Dtype::BFloat16:
      return 3.3895313892515355e38;
    case Dtype::Float32:
      return std::numeric_limits<float>::max();
    default:
      return std::numeric_limits<double>::max();
  }
}

// The same memory as real numbers, twice as many in the last dim.
Tensor real_twin(const Tensor& t) {
  if (!is_complex(t.dtype())) return t;
  Tensor r = alias(t);
  TensorImpl* p = r.impl();
  p->dtype = to_real(t.dtype());
  for (int64_t& s : p->strides) s *= 2;
  p->offset *= 2;
  p->sizes.push_back(2);
  p->strides.push_back(1);
  p->refresh();
  return r;
}

// `p` read as if it had these sizes.
Tensor expand_to(const Tensor& p, Ints sizes) {
  if (p.sizes() == sizes) return p;
  Dims strides(sizes.size());
  int64_t shift = int64_t(sizes.size()) - p.dim();
  check(shift >= 0, "expand: the requested shape has too few dimensions: ", to_string(sizes), " for a tensor of shape ",
        to_string(p.sizes()));
  for (int64_t d = 0; d < p.dim(); ++d) {
    int64_t have = p.size(d), want = sizes[size_t(d + shift)];
    if (have == want)
      strides[size_t(d + shift)] = p.stride(d);
    else if (have != 1)
      fail("The expanded size of the tensor (", want, ") must match the existing size (", have,
           ") at non-singleton dimension ", d + shift, ".  Target sizes: ", to_string(sizes),
           ".  Tensor sizes: ", to_string(p.sizes()));
  }
  NoGrad guard;
  return make_view(p, sizes, strides, p.offset());
}

struct Fill {
  RandomArgs args{};
  Fill(const Tensor& to, const Tensor& from, Generator* g) {
    check_no_internal_overlap(to);
    make_copy_plan(args.plan, to, from);
    args.generator = or_default(g, to.device());
    args.row_major = to.is_contiguous();
  }
};

void run(RandomKernels::Fill entry, const char* name, const Tensor& to, Generator* g, double a, double b) {
  if (to.numel() == 0) return;
  Fill f(to, to, g);
  f.args.a = a;
  f.args.b = b;
  kernel(entry, name, to.device())(f.args);
}

void fill_uniform(const Tensor& input, double from, double to, Generator* g) {
  Tensor t = real_twin(input);
  Dtype dtype = t.dtype();
  if (!is_floating(dtype)) not_implemented("check_uniform_bounds", dtype);
  double most = largest(dtype);
  check(from >= -most && from <= most, "from is out of bounds for ", c_name(dtype));
  check(to >= -most && to <= most, "to is out of bounds for ", c_name(dtype));
  check(from <= to, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to);
  check(to - from <= most, "uniform_ expects to-from <= std::numeric_limits<", type_name(dtype),
        ">::max(), but found to=", to, " and from=", from, " which result in to-from to exceed the limit");
  run(kernels(t).uniform, "uniform_", t, g, from, to);
}

void check_std(double std) { check(std >= 0, "normal expects std >= 0.0, but found std ", std); }

void fill_normal(const Tensor& input, double mean, double std, Generator* g) {
  check_std(std);
  Tensor t = real_twin(input);
  if (!is_floating(t.dtype())) not_implemented("normal_kernel_cpu", t.dtype());
  // Real and imaginary part share the variance.
  if (is_complex(input.dtype())) std *= 0x1.6a09e667f3bcdp-1;  // sqrt(1/2)
  run(kernels(t).normal, "normal_", t, g, mean, std);
}

void run_integers(const Tensor& t, int64_t from, uint64_t range, bool wide, Generator* g) {
  if (t.numel() == 0) return;
  Fill f(t, t, g);
  f.args.from = from;
  f.args.range = range;
  f.args.wide = wide;
  kernel(kernels(t).integers, "random_", t.device())(f.args);
}

// Ranges of at least 2^28 take 64 bits a draw, so that no number is noticeably likelier than another.
void run_integers(const Tensor& t, int64_t from, uint64_t range, Generator* g) {
  run_integers(t, from, range, range >= (uint64_t(1) << 28) || range == 0, g);
}

void check_bound(int64_t v, const char* what, Dtype t) {
  if (tl::is_integral(t)) {
    int64_t high = t == Dtype::Int64 ? INT64_MAX : (int64_t(1) << digits(t)) - 1;
    int64_t low = t == Dtype::Bool || t == Dtype::UInt8 ? 0 : -high - 1;
    check(v >= low && v <= high, what, " is out of bounds for ", c_name(t));
    return;
  }
  check(std::abs(double(v)) <= largest(t), what, " is out of bounds for ", c_name(t));
  int64_t exact = int64_t(1) << digits(t);
  if (v < -exact || v > exact)
    warn(str(what, " is out of bounds [-(2^", digits(t), "), 2^", digits(t), "]. Due to precision limitations ",
             c_name(t),
             " can support discrete uniform distribution only within this range. This warning will become an error in "
             "version 1.7 release, please fix the code in advance"));
}

void fill_integers(const Tensor& t, int64_t from, int64_t to, Generator* g) {
  check(from < to, "random_ expects 'from' to be less than 'to', but got from=", from, " >= to=", to);
  check(!is_complex(t.dtype()), "check_random_bounds handles only integral, floating-point and boolean types");
  check_bound(from, "from", t.dtype());
  check_bound(to - 1, "to - 1", t.dtype());
  run_integers(t, from, uint64_t(to) - uint64_t(from), g);
}

Tensor random_target(Ints size, const Out& out, OptDtype dtype, Dtype otherwise, OptDevice device) {
  return factory(size, out, dtype, otherwise, device);
}

void check_float(const Tensor& t, const char* what) {
  if (!is_floating(t.dtype())) not_implemented(what, t.dtype());
}

void fill_bernoulli(const Tensor& t, const Tensor& p, Generator* g) {
  if (is_complex(t.dtype())) not_implemented("bernoulli_tensor_cpu_self_", t.dtype());
  check_float(p, "bernoulli_tensor_cpu_p_");
  check_same_device({&t, &p});
  Tensor each = expand_to(p, t.sizes());
  if (t.numel() == 0) return;
  Fill f(t, each, g);
  kernel(kernels(t).bernoulli_tensor, "bernoulli_", t.device())(f.args);
}

void fill_bernoulli(const Tensor& t, double p, Generator* g) {
  check(p >= 0 && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p=", p);
  if (is_complex(t.dtype())) not_implemented("bernoulli_scalar_cpu_", t.dtype());
  run(kernels(t).bernoulli, "bernoulli_", t, g, p, 0);
}

// standard normal * std + mean
Tensor shifted_normal(Ints shape, const Tensor& like, const Tensor& mean, const Tensor& std, Generator* g,
                      const Out& out) {
  Tensor result = out.tensor;
  if (!out.defined())
    result = like.sizes() == shape ? empty_like(like, like.dtype(), like.device())
                                   : tl::empty(shape, like.dtype(), like.device());
  else
    resize_output(result, shape, like.device());
  check_float(result, "normal_kernel_cpu");
  fill_normal(result, 0, 1, g);
  if (result.numel() == 0) return result;
  Plan plan;
  make_plan(plan, result, true, result.dtype(), {&result, &std, &mean});
  kernel(kernels(result).affine, "normal", result.device())(plan);
  return result;
}

// Beside a number, `out` broadcasts with the tensor, as in PyTorch.
Dims with_out(Ints sizes, const Out& out) {
  return out.defined() ? broadcast_shapes(sizes, out.tensor.sizes()) : Dims(sizes);
}

void check_stds(const Tensor& std) {
  check(!is_complex(std.dtype()), "normal expects standard deviation to be non-complex");
  Tensor values = contiguous(to_dtype(std, Dtype::Float64, false, false));
  if (!values.device().is_cpu()) values = to_copy(values, {}, Device{}, false);
  const double* v = values.data_as<double>();
  for (int64_t i = 0; i < values.numel(); ++i) check(v[i] >= 0, "normal expects all elements of std >= 0.0");
}

}  // namespace

Tensor rand(Ints size, Generator* generator, const Out& out, OptDtype dtype, OptDevice device) {
  Tensor t = random_target(size, out, dtype, default_dtype(), device);
  fill_uniform(t, 0, 1, generator);
  return t;
}

Tensor randn(Ints size, Generator* generator, const Out& out, OptDtype dtype, OptDevice device) {
  Tensor t = random_target(size, out, dtype, default_dtype(), device);
  fill_normal(t, 0, 1, generator);
  return t;
}

Tensor randint(int64_t high, Ints size, Generator* generator, const Out& out, OptDtype dtype, OptDevice device) {
  return randint_low(0, high, size, generator, out, dtype, device);
}

Tensor randint_low(int64_t low, int64_t high, Ints size, Generator* generator, const Out& out, OptDtype dtype,
                   OptDevice device) {
  Tensor t = random_target(size, out, dtype, Dtype::Int64, device);
  fill_integers(t, low, high, generator);
  return t;
}

Tensor randperm(int64_t n, Generator* generator, const Out& out, OptDtype dtype, OptDevice device) {
  Tensor t = random_target({n}, out, dtype, Dtype::Int64, device);
  if (t.dtype() == Dtype::Bool || is_complex(t.dtype())) not_implemented("randperm", t.dtype());
  if (is_floating(t.dtype())) {
    int64_t most = (int64_t(1) << digits(t.dtype())) + 1;
    check(n <= most, "n cannot be greater than ", most, " for ", type_name(t.dtype()), " type.");
  } else if (n > 0) {
    check_fits(Scalar(n - 1), t.dtype());
  }
  if (n == 0) return t;
  Tensor flat = t.is_contiguous() ? t : tl::empty({n}, t.dtype(), t.device());
  kernel(kernels(t).randperm, "randperm", t.device())(flat.data(), t.dtype(), n, or_default(generator, t.device()));
  if (!flat.is(t)) copy_into(t, flat);
  return t;
}

Tensor rand_like(const Tensor& input, Generator* generator, OptDtype dtype, OptDevice device, OptFormat format) {
  Tensor t = empty_like_op(input, dtype, device, format);
  fill_uniform(t, 0, 1, generator);
  return t;
}

Tensor randn_like(const Tensor& input, Generator* generator, OptDtype dtype, OptDevice device, OptFormat format) {
  Tensor t = empty_like_op(input, dtype, device, format);
  fill_normal(t, 0, 1, generator);
  return t;
}

Tensor randint_like(const Tensor& input, int64_t high, Generator* generator, OptDtype dtype, OptDevice device,
                    OptFormat format) {
  return randint_like_low(input, 0, high, generator, dtype, device, format);
}

Tensor randint_like_low(const Tensor& input, int64_t low, int64_t high, Generator* generator, OptDtype dtype,
                        OptDevice device, OptFormat format) {
  Tensor t = empty_like_op(input, dtype, device, format);
  fill_integers(t, low, high, generator);
  return t;
}

Tensor uniform_into(const Tensor& input, double from, double to, Generator* generator, const Out& out) {
  fill_uniform(out.tensor, from, to, generator);
  return out.tensor;
}

Tensor normal_into(const Tensor& input, double mean, double std, Generator* generator, const Out& out) {
  fill_normal(out.tensor, mean, std, generator);
  return out.tensor;
}

Tensor random_into(const Tensor& input, Generator* generator, const Out& out) {
  Dtype t = out.tensor.dtype();
  check(!is_complex(t), "random_ handles only integral, floating-point and boolean types");
  uint64_t range = (uint64_t(1) << digits(t)) + (is_floating(t) ? 1 : 0);
  run_integers(out.tensor, 0, range, t == Dtype::Int64 || t == Dtype::Float64, generator);
  return out.tensor;
}

Tensor random_below_into(const Tensor& input, int64_t to, Generator* generator, const Out& out) {
  fill_integers(out.tensor, 0, to, generator);
  return out.tensor;
}

Tensor random_from_into(const Tensor& input, int64_t from, OptInt to, Generator* generator, const Out& out) {
  const Tensor& t = out.tensor;
  if (to) {
    fill_integers(t, from, *to, generator);
    return t;
  }
  check(!is_complex(t.dtype()), "random_from_to handles only integral, floating-point and boolean types");
  check_bound(from, "from", t.dtype());
  int64_t last =
      t.dtype() == Dtype::Int64 ? INT64_MAX : (int64_t(1) << digits(t.dtype())) - (is_floating(t.dtype()) ? 0 : 1);
  check(from <= last, "random_ expects 'from' to be less than or equal to 'to_inc' (", last, "), but got from=", from);
  run_integers(t, from, uint64_t(last) - uint64_t(from) + 1, generator);
  return t;
}

Tensor bernoulli_into(const Tensor& input, double p, Generator* generator, const Out& out) {
  fill_bernoulli(out.tensor, p, generator);
  return out.tensor;
}

Tensor bernoulli_tensor_into(const Tensor& input, const Tensor& p, Generator* generator, const Out& out) {
  fill_bernoulli(out.tensor, p, generator);
  return out.tensor;
}

Tensor exponential_into(const Tensor& input, double lambd, Generator* generator, const Out& out) {
  const Tensor& t = out.tensor;
  check(is_floating(t.dtype()),
        "Exponential distribution is a continuous probability distribution. dtype must be a "
        "floating point but you specified ",
        type_name(t.dtype()));
  check(lambd > 0, "exponential_ expects lambda > 0.0, but found lambda=", lambd);
  run(kernels(t).exponential, "exponential_", t, generator, lambd, 0);
  return t;
}

Tensor geometric_into(const Tensor& input, double p, Generator* generator, const Out& out) {
  const Tensor& t = out.tensor;
  check(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
  if (t.dtype() == Dtype::Bool || is_complex(t.dtype())) not_implemented("geometric_cpu", t.dtype());
  run(kernels(t).geometric, "geometric_", t, generator, p, 0);
  return t;
}

Tensor log_normal_into(const Tensor& input, double mean, double std, Generator* generator, const Out& out) {
  const Tensor& t = out.tensor;
  check(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
  check_float(t, "log_normal_cpu");
  run(kernels(t).log_normal, "log_normal_", t, generator, mean, std);
  return t;
}

Tensor cauchy_into(const Tensor& input, double median, double sigma, Generator* generator, const Out& out) {
  const Tensor& t = out.tensor;
  check(is_floating(t.dtype()),
        "Cauchy distribution is a continuous probability distribution. dtype must be a floating "
        "point but you specified ",
        type_name(t.dtype()));
  check(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
  run(kernels(t).cauchy, "cauchy_", t, generator, median, sigma);
  return t;
}

Tensor bernoulli(const Tensor& input, Generator* generator, const Out& out) {
  Tensor t = out.tensor;
  if (!out.defined())
    t = empty_like_op(input, {}, {});
  else
    resize_output(t, input.sizes(), input.device());
  fill_bernoulli(t, input, generator);
  return t;
}

Tensor bernoulli_p(const Tensor& input, double p, Generator* generator) {
  Tensor t = empty_like_op(input, {}, {});
  fill_bernoulli(t, p, generator);
  return t;
}

Tensor normal(const Tensor& mean, const Tensor& std, Generator* generator, const Out& out) {
  check_stds(std);
  return shifted_normal(broadcast_shapes(mean.sizes(), std.sizes()), mean, mean, std, generator, out);
}

Tensor normal_mean(const Tensor& mean, double std, Generator* generator, const Out& out) {
  check_std(std);
  return shifted_normal(with_out(mean.sizes(), out), mean, mean, wrapped_number(Scalar(std)), generator, out);
}

Tensor normal_std(double mean, const Tensor& std, Generator* generator, const Out& out) {
  check_stds(std);
  return shifted_normal(with_out(std.sizes(), out), std, wrapped_number(Scalar(mean)), std, generator, out);
}

Tensor normal_size(double mean, double std, Ints size, Generator* generator, const Out& out, OptDtype dtype,
                   OptDevice device) {
  check_std(std);
  Tensor t = random_target(size, out, dtype, default_dtype(), device);
  fill_normal(t, mean, std, generator);
  return t;
}

Tensor poisson(const Tensor& input, Generator* generator) {
  check_float(input, "poisson_cpu");
  Tensor t = tl::empty(input.sizes(), input.dtype(), input.device());
  if (t.numel() == 0) return t;
  Fill f(t, input, generator);
  kernel(kernels(t).poisson, "poisson", t.device())(f.args);
  return t;
}

Tensor multinomial(const Tensor& input, int64_t num_samples, bool replacement, Generator* generator, const Out& out) {
  check(is_floating(input.dtype()),
        "multinomial only supports floating-point dtypes for input, got: ", type_name(input.dtype()));
  check(input.dim() == 1 || input.dim() == 2, "prob_dist must be 1 or 2 dim");
  check(num_samples > 0, "cannot sample n_sample <= 0 samples");
  int64_t categories = input.size(-1);
  check(replacement || num_samples <= categories,
        "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  check(categories <= int64_t(1) << 24, "number of categories cannot exceed 2^24");
  Dims shape(input.sizes());
  shape.back() = num_samples;
  Tensor result = tl::empty(shape, Dtype::Int64, input.device());
  if (out.defined()) {
    check(out.tensor.dtype() == Dtype::Int64,
          "multinomial expects Long tensor out, got: ", type_name(out.tensor.dtype()));
    resize_output(out.tensor, shape, input.device());
  }
  if (result.numel()) {
    Dtype computed = input.dtype() == Dtype::Float64 ? Dtype::Float64 : Dtype::Float32;
    Tensor weights = contiguous(to_dtype(input, computed, false, false));
    MultinomialArgs a{weights.data(), result.data_as<int64_t>(),
                      computed,       weights.numel() / categories,
                      categories,     num_samples,
                      replacement,    or_default(generator, input.device())};
    kernel(kernels(result).multinomial, "multinomial", input.device())(a);
  }
  if (!out.defined()) return result;
  copy_into(out.tensor, result);
  return out.tensor;
}

}  // namespace ops
}  // namespace tl
