#include "composite/matmul.h"

#include "autograd/call.h"
#include "composite/shape.h"
#include "core/plan.h"
#include "ops/cast.h"
#include "ops/matmul.h"
#include "ops/shape.h"

namespace tl::composite {
namespace {

Op mm_("mm"), mv_("mv"), dot_("dot"), bmm_("bmm"), addmm_("addmm"), add_("add"), mul_("mul");
Op t_op("t"), transpose_op("transpose"), view_("view"), unsafe_view_("_unsafe_view"), reshape_("reshape");
Op expand_("expand"), permute_("permute"), clone_("clone"), contiguous_("contiguous");
Op squeeze_op("squeeze.dim"), unsqueeze_op("unsqueeze"), sum_("sum.dim"), sum_all_("sum"), squeeze_all_("squeeze");

bool recorded(const Tensor& a, const Tensor& b) { return grad_enabled() && (requires_grad(a) || requires_grad(b)); }

// Whether the dims before the last can be merged without moving elements.
bool merges(const Tensor& t) {
  for (int64_t i = 0; i + 2 < t.dim(); ++i)
    if (t.stride(i) != t.stride(i + 1) * t.size(i + 1)) return false;
  return true;
}

// A stack of matrices times one matrix (or vector) is one tall matrix times it.
bool should_fold(const Tensor& a, const Tensor& b) {
  const bool a_is_larger = a.dim() >= b.dim();
  const Tensor& large = a_is_larger ? a : b;
  const Tensor& small = a_is_larger ? b : a;
  if (large.dim() < 3 || small.dim() > 2) return false;
  if (requires_grad(small) && grad_enabled()) return true;
  if (a.dim() == 2) return false;
  if (large.numel() == 0) return true;
  return a_is_larger ? merges(large) : false;
}

Tensor product(const Tensor& a, const Tensor& b, const char* name = "matmul") {
  const int64_t da = a.dim(), db = b.dim();
  if (!da || !db)
    fail("both arguments to ", name, " need to be at least 1D, but they are ", da, "D and ", db, "D",
         ". Multiply by a single number with *.");
  if (da == 2 && db == 2) return mm_(a, b);
  if (da == 1 && db == 1) return dot_(a, b);
  if (da == 2 && db == 1) return mv_(a, b);
  if (da == 1 && db == 2) return squeeze_dim_(mm_(unsqueeze_op(a, int64_t(0)), b), 0);
  if (da == 3 && db == 3 && a.size(0) != b.size(0)) {
    if (b.size(0) == 1) return product(a, squeeze_op(b, int64_t(0)), name);
    if (a.size(0) == 1) return product(squeeze_op(a, int64_t(0)), b, name);
  }
  if (should_fold(a, b)) {
    const bool swapped = da < db;
    const Tensor large = swapped ? transpose_op(b, int64_t(-2), int64_t(-1)) : a;
    const Tensor small = swapped && da == 2 ? t_op(a) : (swapped ? a : b);
    const Dims folded{numel_of(large.sizes().slice(0, large.dim() - 1)), large.size(-1)};
    Dims sizes(large.sizes().slice(0, large.dim() - 1));
    const Tensor tall = reshape_(large, Ints(folded));
    if (small.dim() == 1) return unsafe_view_(mv_(tall, small), Ints(sizes));
    sizes.push_back(small.size(1));
    const Tensor result = unsafe_view_(mm_(tall, small), Ints(sizes));
    return swapped ? contiguous_(transpose_op(result, int64_t(-2), int64_t(-1))) : result;
  }
  // Batches: both operands become stacks of the same length.
  if (da == 3 && db == 3 && a.size(0) == b.size(0) && !recorded(a, b)) return bmm_(a, b);
  const Tensor a2 = da == 1 ? unsqueeze_op(a, int64_t(0)) : a, b2 = db == 1 ? unsqueeze_op(b, int64_t(1)) : b;
  const int64_t n = a2.size(-2), k = a2.size(-1), k2 = b2.size(-2), p = b2.size(-1);
  Dims batch = broadcast_shapes(a2.sizes().slice(0, a2.dim() - 2), b2.sizes().slice(0, b2.dim() - 2));
  const int64_t count = numel_of(batch);
  Dims sa = batch, sb = batch, so = batch;
  sa.push_back(n), sa.push_back(k);
  sb.push_back(k2), sb.push_back(p);
  const Tensor x = reshape_(expand_(a2, Ints(sa)), Ints{count, n, k});
  const Tensor y = reshape_(expand_(b2, Ints(sb)), Ints{count, k2, p});
  if (da > 1) so.push_back(n);
  if (db > 1) so.push_back(p);
  return unsafe_view_(bmm_(x, y), Ints(so));
}

Tensor into(const char* name, const Out& out, const Tensor& a, const Tensor& b, const Tensor& result) {
  if (!out.defined()) return result;
  check(!recorded(a, b), name,
        "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
        "requires grad.");
  check_castable(result.dtype(), out.tensor.dtype());
  resize_output(out.tensor, result.sizes(), result.device());
  ops::copy_into(out.tensor, result);
  return out.tensor;
}

}  // namespace

Tensor matmul(const Tensor& input, const Tensor& other, const Out& out) {
  if (!out.defined()) return product(input, other);
  if (input.dim() == 2 && other.dim() == 2 && !recorded(input, other)) return ops::mm(input, other, out);
  const bool overlap = recorded(input, other);
  return into("matmul", out, input, other, overlap ? input : product(input, other));
}

Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias, const Out& out) {
  if (out.defined()) return into("linear", out, input, weight, linear(input, weight, bias));
  const Tensor w = t_op(weight);
  const int64_t dim = input.dim();
  if (!bias.defined()) return product(input, w, "linear");
  if (dim == 2) return addmm_(bias, input, w);
  if (bias.dim() == 1 && dim > 0 && weight.dim() == 2 && input.is_contiguous()) {
    const int64_t k = input.size(-1);
    const int64_t rows = numel_of(input.sizes().slice(0, dim - 1));
    Dims sizes(input.sizes());
    sizes[dim - 1] = weight.size(0);
    return view_(addmm_(bias, view_(input, Ints{rows, k}), w), Ints(sizes));
  }
  if (weight.dim() == 1 && bias.dim() != 0)
    fail("mat2 must be a matrix, got 1-D tensor. A weight of one dim takes a bias without dims.");
  return add_(product(input, w, "linear"), bias);
}

Tensor outer(const Tensor& input, const Tensor& vec2, const Out& out) {
  check(input.dim() == 1, "outer: Expected 1-D argument self, but got ", input.dim(), "-D");
  check(vec2.dim() == 1, "outer: Expected 1-D argument vec2, but got ", vec2.dim(), "-D");
  return into("outer", out, input, vec2, mul_(reshape_(input, Ints{input.size(0), 1}), vec2));
}

Tensor tensordot(const Tensor& a, const Tensor& b, Ints dims_a, Ints dims_b) {
  check(dims_a.size() == dims_b.size(), "both dimension lists should have same length");
  check(a.dtype() == b.dtype(), "both inputs should have same dtype");
  const uint64_t ma = ops::dim_mask(dims_a, a.dim()), mb = ops::dim_mask(dims_b, b.dim());
  Tensor x = a, y = b;
  int64_t k = 1;
  for (size_t i = 0; i < dims_a.size(); ++i) {
    const int64_t i1 = wrap_dim(dims_a[i], a.dim()), i2 = wrap_dim(dims_b[i], b.dim());
    const int64_t s1 = a.size(i1), s2 = b.size(i2);
    // One of the two may be broadcast: the other is summed over that dim.
    if (s2 == 1) {
      if (s1 != 1) x = sum_(x, Ints{i1}, true, a.dtype());
    } else if (s1 == 1) {
      y = sum_(y, Ints{i2}, true, a.dtype());
    } else {
      check(s1 == s2, "contracted dimensions need to match, but first has size ", s1, " in dim ", dims_a[i],
            " and second has size ", s2, " in dim ", dims_b[i]);
      k *= s1;
    }
  }
  Dims pa, pb, sizes;
  int64_t rows = 1, cols = 1;
  for (int64_t i = 0; i < a.dim(); ++i)
    if (!(ma >> i & 1)) pa.push_back(i), sizes.push_back(a.size(i)), rows *= a.size(i);
  for (int64_t d : dims_a) pa.push_back(wrap_dim(d, a.dim()));
  for (int64_t d : dims_b) pb.push_back(wrap_dim(d, b.dim()));
  for (int64_t i = 0; i < b.dim(); ++i)
    if (!(mb >> i & 1)) pb.push_back(i), sizes.push_back(b.size(i)), cols *= b.size(i);
  if (a.dim() == 0 && b.dim() == 0) return mul_(a, b);
  x = permute_(x, Ints(pa));
  y = permute_(y, Ints(pb));
  // Nothing is left over: one number.
  if (pa.size() == dims_a.size() && pb.size() == dims_b.size()) {
    if (!x.is_contiguous() || !y.is_contiguous())
      return view_(sum_all_(mul_(squeeze_all_(x), squeeze_all_(y)), a.dtype()), Ints{});
    if (x.dim() > 1) x = reshape_(x, Ints{k}), y = reshape_(y, Ints{k});
    return view_(dot_(x, y), Ints{});
  }
  return reshape_(mm_(reshape_(x, Ints{rows, k}), reshape_(y, Ints{k, cols})), Ints(sizes));
}

Tensor inner(const Tensor& input, const Tensor& other, const Out& out) {
  if (input.dim() == 0 || other.dim() == 0) return into("inner", out, input, other, mul_(input, other));
  check(input.size(-1) == other.size(-1), "inner() the last dimension must match on both input tensors but got shapes ",
        to_string(input.sizes()), " and ", to_string(other.sizes()));
  return into("inner", out, input, other, tensordot(input, other, {-1}, {-1}));
}

Tensor multi_dot(TensorSpan tensors) {
  const size_t n = tensors.size();
  check(n >= 2, "multi_dot(): expected at least 2 tensors but got ", n);
  std::vector<Tensor> m(tensors.begin(), tensors.end());
  check(m.front().dim() == 1 || m.front().dim() == 2, "multi_dot(): the first tensor must be 1D or 2D but got ",
        m.front().dim(), "D");
  check(m.back().dim() == 1 || m.back().dim() == 2, "multi_dot(): the last tensor must be 1D or 2D but got ",
        m.back().dim(), "D");
  Dims sizes;
  if (m.front().dim() == 1)
    m.front() = unsqueeze_op(m.front(), int64_t(0));
  else
    sizes.push_back(m.front().size(0));
  if (m.back().dim() == 1)
    m.back() = unsqueeze_op(m.back(), int64_t(1));
  else
    sizes.push_back(m.back().size(-1));
  Dims p;
  for (size_t i = 0; i < n; ++i) {
    check(m[i].dim() == 2, "multi_dot(): tensor ", i, " must be 2D but got ", m[i].dim(), "D");
    check(i == 0 || m[i].size(0) == m[i - 1].size(1), "multi_dot(): tensors ", i - 1, " and ", i, " with shapes ",
          to_string(m[i ? i - 1 : 0].sizes()), " and ", to_string(m[i].sizes()), " cannot be multiplied");
    p.push_back(m[i].size(0));
  }
  p.push_back(m[n - 1].size(1));
  // The cheapest order of products, by dynamic programming over all chains (Cormen et al., Introduction to Algorithms,
  // section on matrix-chain multiplication).
  std::vector<double> cost(n * n, 0);
  std::vector<size_t> split(n * n, 0);
  for (size_t length = 2; length <= n; ++length)
    for (size_t i = 0; i + length <= n; ++i) {
      const size_t j = i + length - 1;
      cost[i * n + j] = 1e300;
      for (size_t s = i; s < j; ++s) {
        const double c = cost[i * n + s] + cost[(s + 1) * n + j] + double(p[i]) * double(p[s + 1]) * double(p[j + 1]);
        if (c < cost[i * n + j]) cost[i * n + j] = c, split[i * n + j] = s;
      }
    }
  auto chain = [&](auto& self, size_t i, size_t j) -> Tensor {
    if (i == j) return m[i];
    const size_t s = split[i * n + j];
    return mm_(self(self, i, s), self(self, s + 1, j));
  };
  return reshape_(chain(chain, 0, n - 1), Ints(sizes));
}

}  // namespace tl::composite
