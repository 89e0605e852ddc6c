#include "composite/pool.h"

#include "autograd/call.h"
#include "ops/pool.h"
#include "ops/shape.h"

namespace tl::composite {
namespace {

Op unsqueeze("unsqueeze"), squeeze("squeeze.dim");

// Two numbers for the height of 1 and the length.
struct Pair {
  int64_t v[2];
  Pair(int64_t first, int64_t second) : v{first, second} {}
  operator Ints() const { return {v, 2}; }
};
int64_t only(const char* op, const char* what, Ints v) {
  check(v.size() == 1, op, "() ", what, " must be a single int or a tuple of one int, but got ", to_string(v));
  return v[0];
}

int64_t one_size(const char* op, Ints v) {
  check(v.size() == 1, op, "() argument 'output_size' should contain one int (got ", v.size(), ")");
  return v[0];
}

struct Windows {
  Pair kernel, stride, padding, dilation;
};
Windows max_windows(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, Ints dilation,
                    bool ceil_mode, bool with_indices) {
  if (with_indices)
    check((input.dim() == 2 || input.dim() == 3) && input.size(-1) > 0 && input.size(-2) > 0,
          "Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:",
          to_string(input.sizes()));
  check(input.dim() == 2 || input.dim() == 3,
        "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:",
        to_string(input.sizes()));
  int64_t k = only("max_pool1d", "kernel_size", kernel_size), p = only("max_pool1d", "padding", padding);
  int64_t s = stride && !stride->empty() ? only("max_pool1d", "stride", *stride) : k;
  int64_t d = only("max_pool1d", "dilation", dilation);
  if (with_indices) return {{1, k}, {1, s}, {0, p}, {1, d}};  // checked in two dims
  check(k > 0, "max_pool1d() kernel_size must be greater than zero, but got ", k);
  check(s > 0, "max_pool1d() stride must be greater than zero, but got ", s);
  check(p >= 0, "max_pool1d() padding must be non-negative, but got ", p);
  check(p <= k / 2, "max_pool1d() padding should be at most half of kernel size, but got padding=", p,
        " and kernel_size=", k);
  check(d > 0, "max_pool1d() dilation must be greater than zero, but got ", d);
  int64_t room = input.size(-1) + 2 * p - d * (k - 1) - 1 + (ceil_mode ? s - 1 : 0);
  check(room >= 0, "max_pool1d() Invalid computed output size: ", -((-room + s - 1) / s) + 1,
        ". The window is larger than the padded input of length ", input.size(-1) + 2 * p);
  return {{1, k}, {1, s}, {0, p}, {1, d}};
}
void check_dims(const char* op, const Tensor& input) {
  check(input.dim() == 2 || input.dim() == 3, "Expected 2 to 3 dimensions, but got ", input.dim(),
        "-dimensional tensor for argument #1 'self' (while checking arguments for ", op, ")");
}
// Runs a recorded operator of two results.
std::tuple<Tensor, Tensor> call_two(const Operator& op, std::initializer_list<Value> args) {
  Value all[Operator::kMaxArgs];
  size_t n = 0;
  for (const Value& v : args) all[n++] = v;
  for (; n < op.defaults.size(); ++n) all[n] = op.defaults[n];
  Results results;
  call(op, all, results);
  return {squeeze(results[0], int64_t(-2)), squeeze(results[1], int64_t(-2))};
}

}  // namespace

Tensor max_pool1d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, Ints dilation,
                  bool ceil_mode) {
  static Op pool("max_pool2d");
  Windows w = max_windows(input, kernel_size, stride, padding, dilation, ceil_mode, false);
  if (!(grad_enabled() && requires_grad(input)))  // the result is no view
    return alias(ops::squeeze_dim(ops::max_pool2d(ops::unsqueeze(input, -2), Ints(w.kernel), Ints(w.stride),
                                                  Ints(w.padding), Ints(w.dilation), ceil_mode),
                                  -2));
  Tensor x = unsqueeze(input, int64_t(-2));
  return squeeze(pool(x, Ints(w.kernel), Ints(w.stride), Ints(w.padding), Ints(w.dilation), ceil_mode), int64_t(-2));
}
std::tuple<Tensor, Tensor> max_pool1d_with_indices(const Tensor& input, Ints kernel_size, std::optional<Ints> stride,
                                                   Ints padding, Ints dilation, bool ceil_mode) {
  static const Operator& pool = get_operator("max_pool2d_with_indices");
  Windows w = max_windows(input, kernel_size, stride, padding, dilation, ceil_mode, true);
  Tensor x = unsqueeze(input, int64_t(-2));
  return call_two(pool, {x, Ints(w.kernel), Ints(w.stride), Ints(w.padding), Ints(w.dilation), ceil_mode});
}

Tensor avg_pool1d(const Tensor& input, Ints kernel_size, std::optional<Ints> stride, Ints padding, bool ceil_mode,
                  bool count_include_pad) {
  static Op pool("avg_pool2d");
  check_dims("avg_pool1d", input);
  int64_t k = only("avg_pool1d", "kernel_size", kernel_size), p = only("avg_pool1d", "padding", padding);
  int64_t s = stride && !stride->empty() ? only("avg_pool1d", "stride", *stride) : k;
  Pair kernel(1, k), step(1, s), pad(0, p);
  Tensor x = unsqueeze(input, int64_t(-2));
  return squeeze(pool(x, Ints(kernel), Ints(step), Ints(pad), ceil_mode, count_include_pad), int64_t(-2));
}

Tensor adaptive_avg_pool1d(const Tensor& input, Ints output_size) {
  static Op pool("adaptive_avg_pool2d");
  check_dims("adaptive_avg_pool1d", input);
  Pair out(1, one_size("adaptive_avg_pool1d", output_size));
  Tensor x = unsqueeze(input, int64_t(-2));
  return squeeze(pool(x, Ints(out)), int64_t(-2));
}
std::tuple<Tensor, Tensor> adaptive_max_pool1d(const Tensor& input, Ints output_size) {
  static const Operator& pool = get_operator("adaptive_max_pool2d");
  check_dims("adaptive_max_pool1d", input);
  Pair out(1, one_size("adaptive_max_pool1d", output_size));
  Tensor x = unsqueeze(input, int64_t(-2));
  return call_two(pool, {x, Ints(out)});
}

}  // namespace tl::composite
