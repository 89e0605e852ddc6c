#include "core/plan.h"

namespace tl {

// ---- dtypes ----

namespace {

// Undefined is spelled -1 while operands are being gathered.
int join(int a, int b) { return a < 0 ? b : b < 0 ? a : int(promote(Dtype(a), Dtype(b))); }

int combine(int higher, int lower) {
  if (higher < 0) return lower;
  if (lower < 0) return higher;
  Dtype h = Dtype(higher), l = Dtype(lower);
  if (is_complex(h)) return higher;
  if (is_floating(h)) return is_complex(l) ? int(to_complex(h)) : higher;
  if (h == Dtype::Bool || !is_integral(l)) return join(higher, lower);
  return higher;
}

struct Gathered {
  int dims = -1, zero = -1, wrapped = -1;
  void add(const Tensor& t) {
    int dtype = int(operand_type(t));
    int& slot = t.dim() > 0 ? dims : t.impl()->wrapped_number ? wrapped : zero;
    slot = join(slot, dtype);
  }
  Dtype result() const { return Dtype(combine(dims, combine(zero, wrapped))); }
};

}  // namespace

Dtype operand_type(const Tensor& t) {
  Dtype d = t.dtype();
  if (!t.impl()->wrapped_number) return d;
  return is_complex(d) ? to_complex(default_dtype()) : is_floating(d) ? default_dtype() : d;
}

Dtype result_type(const Tensor& a) { return operand_type(a); }

Dtype result_type(const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype() && !a.impl()->wrapped_number && !b.impl()->wrapped_number) return a.dtype();
  Gathered g;
  g.add(a);
  g.add(b);
  return g.result();
}

Dtype result_type(const Tensor& a, const Scalar& b) {
  Gathered g;
  g.add(a);
  g.wrapped = join(g.wrapped, int(b.dtype()));
  return g.result();
}

Dtype result_type(std::initializer_list<const Tensor*> operands) {
  Gathered g;
  for (const Tensor* t : operands) g.add(*t);
  return g.result();
}

// ---- shapes and devices ----

Dims broadcast_shapes(Ints a, Ints b) {
  size_t n = std::max(a.size(), b.size());
  Dims shape(n);
  for (size_t from_back = 0; from_back < n; ++from_back) {
    size_t i = n - 1 - from_back;
    int64_t x = from_back < a.size() ? a[a.size() - 1 - from_back] : 1;
    int64_t y = from_back < b.size() ? b[b.size() - 1 - from_back] : 1;
    if (x != y && x != 1 && y != 1)
      fail("The size of tensor a (", x, ") must match the size of tensor b (", y, ") at non-singleton dimension ", i,
           ". The shapes ", to_string(a), " and ", to_string(b),
           " do not broadcast: aligned at the right, sizes must be equal or 1.");
    shape[i] = x == 1 ? y : x;
  }
  return shape;
}

Device common_device(std::initializer_list<const Tensor*> operands) {
  const Tensor* first = nullptr;
  for (const Tensor* t : operands) {
    if (t->dim() == 0 && t->device().is_cpu()) continue;
    if (!first)
      first = t;
    else if (!(t->device() == first->device()))
      fail("Expected all tensors to be on the same device, but found at least two devices, ",
           to_string(first->device()), " and ", to_string(t->device()), "! Move them together with .to(device).");
  }
  return first ? first->device() : Device{};
}

// ---- memory ----

bool is_dense(const Tensor& t) {
  if (t.is_contiguous()) return true;
  const Dims &sizes = t.impl()->sizes, &strides = t.impl()->strides;
  // Walk dims from the smallest stride: each must continue where the block before ended.
  int64_t expected = 1;
  uint64_t used = 0;
  for (size_t round = 0; round < sizes.size(); ++round) {
    size_t best = sizes.size();
    for (size_t d = 0; d < sizes.size(); ++d)
      if (!(used >> d & 1) && sizes[d] != 1 && (best == sizes.size() || strides[d] < strides[best])) best = d;
    if (best == sizes.size()) return true;
    if (strides[best] != expected) return false;
    expected *= sizes[best];
    used |= uint64_t(1) << best;
  }
  return true;
}

void check_no_internal_overlap(const Tensor& t) {
  if (t.is_contiguous()) return;
  for (int64_t d = 0; d < t.dim(); ++d)
    if (t.sizes()[d] > 1 && t.strides()[d] == 0)
      fail(
          "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
          "Please clone() the tensor before performing the operation.");
}

namespace {

// The bytes that a tensor spans.
void extent(const Tensor& t, const char*& begin, const char*& end) {
  int64_t low = 0, high = 0;
  for (int64_t d = 0; d < t.dim(); ++d) {
    int64_t span = (t.sizes()[d] - 1) * t.strides()[d];
    (span < 0 ? low : high) += span;
  }
  begin = static_cast<const char*>(t.data()) + low * int64_t(t.itemsize());
  end = static_cast<const char*>(t.data()) + (high + 1) * int64_t(t.itemsize());
}

}  // namespace

void check_no_overlap(const Tensor& written, const Tensor& read) {
  if (!(written.impl()->storage == read.impl()->storage) || written.numel() == 0 || read.numel() == 0) return;
  const char *a, *a_end, *b, *b_end;
  extent(written, a, a_end);
  extent(read, b, b_end);
  if (a < b_end && b < a_end)
    fail(
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation.");
}

void check_no_partial_overlap(const Tensor& written, const Tensor& read) {
  if (written.is(read) || !(written.impl()->storage == read.impl()->storage)) return;
  if (written.numel() == 0 || read.numel() == 0) return;
  // Tensors with gaps may interleave without meeting; like PyTorch we do not look closer.
  if (!is_dense(written) || !is_dense(read)) return;
  if (written.data() == read.data() && written.dtype() == read.dtype() && written.strides() == read.strides() &&
      written.sizes() == read.sizes())
    return;
  const char *a, *a_end, *b, *b_end;
  extent(written, a, a_end);
  extent(read, b, b_end);
  if (a < b_end && b < a_end &&
      !(a == b && a_end == b_end && written.dim() <= 1 && read.dim() <= 1 && written.dtype() == read.dtype()))
    fail(
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation.");
}

void resize_output(const Tensor& out, Ints sizes, Device device) {
  check(out.device() == device, "Expected out tensor to have device ", to_string(device), ", but got ",
        to_string(out.device()), " instead");
  if (out.sizes() == sizes) return;
  if (out.numel() != 0)
    warn(str("An output with one or more elements was resized since it had shape ", to_string(out.sizes()),
             ", which does not match the required output shape ", to_string(sizes),
             ". This behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they "
             "have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements "
             "with t.resize_(0)."));
  resize(out, sizes);
}

void check_castable(Dtype result, Dtype out) {
  if (result != out && !can_cast(result, out))
    fail("result type ", type_name(result), " can't be cast to the desired output type ", type_name(out));
}

// ---- the plan ----

namespace {

constexpr int kMaxRawDims = 64;

// Operands aligned to the broadcast shape, dims in their own order, before sorting.
struct Raw {
  int ndim = 0, operands = 0;
  int64_t sizes[kMaxRawDims];
  int64_t strides[kPlanOperands][kMaxRawDims];  // bytes
  int perm[kMaxRawDims];                        // perm[0] is the innermost dim

  void set_strides(int operand, const Tensor& t) {
    int shift = ndim - int(t.dim());
    int64_t width = int64_t(t.itemsize());
    for (int d = 0; d < shift; ++d) strides[operand][d] = 0;
    for (int d = shift; d < ndim; ++d)
      strides[operand][d] = t.sizes()[d - shift] == 1 && sizes[d] != 1 ? 0 : t.strides()[d - shift] * width;
  }

  // Positive when dim a must lie outside of dim b, negative when inside, 0 when the operands do not say.
  int compare(int a, int b, int first) const {
    for (int i = first; i < operands; ++i) {
      int64_t x = strides[i][a], y = strides[i][b];
      if (x == 0 || y == 0) continue;
      if (x != y) return x < y ? -1 : 1;
      if (sizes[a] > sizes[b]) return 1;
    }
    return 0;
  }

  // Insertion sort that only moves a dim past those it can be compared with: ties keep row-major order.
  void sort(int first) {
    for (int d = 0; d < ndim; ++d) perm[d] = ndim - 1 - d;
    for (int i = 1; i < ndim; ++i) {
      int moving = i;
      for (int j = i - 1; j >= 0; --j) {
        int order = compare(perm[j], perm[moving], first);
        if (order > 0) {
          std::swap(perm[j], perm[moving]);
          moving = j;
        } else if (order < 0) {
          break;
        }
      }
    }
  }

  void write(Plan& plan) const {
    int n = 0;
    for (int k = 0; k < ndim; ++k) {
      int d = perm[k];
      if (sizes[d] == 1) continue;
      bool merges = n > 0;
      for (int i = 0; merges && i < operands; ++i) merges = strides[i][d] == plan.strides[i][n - 1] * plan.sizes[n - 1];
      if (merges) {
        plan.sizes[n - 1] *= sizes[d];
        continue;
      }
      check(n < kPlanDims, "tensors whose strides need more than ", kPlanDims, " nested loops are not supported");
      plan.sizes[n] = sizes[d];
      for (int i = 0; i < operands; ++i) plan.strides[i][n] = strides[i][d];
      ++n;
    }
    if (n == 0) {
      plan.sizes[0] = 1;
      for (int i = 0; i < operands; ++i) plan.strides[i][0] = 0;
      n = 1;
    }
    plan.ndim = n;
    int64_t widest = 0;
    for (int i = 0; i < operands; ++i) {
      int64_t span = 16;
      for (int k = 0; k < n; ++k) span += (plan.sizes[k] - 1) * std::abs(plan.strides[i][k]);
      widest = std::max(widest, span);
    }
    plan.index32 = widest < (int64_t(1) << 31);
  }
};

// Whether one allocation order suits all without sorting: every input has the full shape and the same strides, dense.
bool same_layout(Ints shape, std::initializer_list<const Tensor*> inputs) {
  const Tensor* first = *inputs.begin();
  for (const Tensor* t : inputs)
    if (!(t->sizes() == shape) || !(t->strides() == first->strides())) return false;
  return is_dense(*first);
}

}  // namespace

Tensor make_plan(Plan& plan, const Tensor& out, bool inplace, Dtype result,
                 std::initializer_list<const Tensor*> inputs) {
  const Tensor& first = **inputs.begin();
  Dims shape = first.impl()->sizes;
  bool all_contiguous = true;
  for (const Tensor* t : inputs) {
    if (!(t->sizes() == Ints(shape))) shape = broadcast_shapes(shape, t->sizes());
    all_contiguous &= t->is_contiguous();
  }
  check(shape.size() <= kMaxRawDims, "tensors of more than ", kMaxRawDims, " dimensions are not supported");
  Device device = common_device(inputs);

  Raw raw;
  raw.ndim = int(shape.size());
  raw.operands = 1;
  std::copy(shape.begin(), shape.end(), raw.sizes);
  for (const Tensor* t : inputs) raw.set_strides(raw.operands++, *t);

  Tensor target = out;
  if (out.defined()) {
    if (inplace) {
      if (!(out.sizes() == Ints(shape)))
        fail("output with shape ", to_string(out.sizes()), " doesn't match the broadcast shape ", to_string(shape));
    } else {
      if (!(out.device() == device))
        fail("Expected all tensors to be on the same device, but found at least two devices, ", to_string(device),
             " and ", to_string(out.device()), "! Move out= to ", to_string(device), ".");
      resize_output(out, shape, device);
    }
    check_castable(result, out.dtype());
    check_no_internal_overlap(out);
    for (const Tensor* t : inputs) check_no_partial_overlap(out, *t);
  } else if (all_contiguous || raw.ndim <= 1) {
    target = empty(shape, result, device);
  } else if (same_layout(shape, inputs)) {
    target = empty_strided(shape, first.strides(), result, device);
  } else {
    raw.sort(1);
    Dims strides(shape.size());
    int64_t step = 1;
    for (int k = 0; k < raw.ndim; ++k) {
      strides[raw.perm[k]] = step;
      step *= std::max<int64_t>(shape[raw.perm[k]], 1);
    }
    target = empty_strided(shape, strides, result, device);
  }
  raw.set_strides(0, target);
  raw.sort(0);

  plan.numel = target.numel();
  plan.operands = raw.operands;
  plan.device = device;
  plan.dtypes[0] = target.dtype();
  plan.data[0] = target.data();
  plan.on_host = 0;
  int i = 1;
  for (const Tensor* t : inputs) {
    if (t->device().is_cpu() && !device.is_cpu()) plan.on_host |= uint8_t(1 << i);
    plan.dtypes[i] = t->dtype();
    plan.data[i++] = t->data();
  }
  if (plan.numel) {
    raw.write(plan);
  } else {
    plan.ndim = 1;
    plan.sizes[0] = 0;
    plan.index32 = true;
  }
  return target;
}

void make_copy_plan(Plan& plan, const Tensor& to, const Tensor& from) {
  plan.device = to.device();
  plan.on_host = 0;
  plan.dtypes[0] = to.dtype();
  plan.dtypes[1] = from.dtype();
  plan.data[0] = to.data();
  plan.data[1] = from.data();
  plan.operands = 2;
  plan.numel = to.numel();
  if (to.is_contiguous() && from.is_contiguous() && to.numel() == from.numel()) {
    plan.ndim = 1;
    plan.sizes[0] = plan.numel;
    plan.strides[0][0] = int64_t(to.itemsize());
    plan.strides[1][0] = int64_t(from.itemsize());
    plan.index32 = plan.numel < (int64_t(1) << 27);
    return;
  }
  Raw raw;
  raw.ndim = int(to.dim());
  raw.operands = 2;
  std::copy(to.sizes().begin(), to.sizes().end(), raw.sizes);
  raw.set_strides(0, to);
  raw.set_strides(1, from);
  raw.sort(0);
  if (plan.numel) {
    raw.write(plan);
  } else {
    plan.ndim = 1;
    plan.sizes[0] = 0;
    plan.index32 = true;
  }
}

}  // namespace tl
