#include "ops/creation.h"
#include "ops/index_common.h"

namespace tl {
IndexKernels index_kernels[kDeviceTypes];
}

namespace tl::ops {

using namespace indexing;

// ---- one index for each element ----

namespace {

Tensor as_int64(const Tensor& index) {
  return index.dtype() == Dtype::Int64 ? index : to_dtype(index, Dtype::Int64, false, false);
}

void check_index_type(const char* op, const Tensor& index) {
  check(index.dtype() == Dtype::Int64 || index.dtype() == Dtype::Int32, op,
        "(): Expected dtype int32/int64 for index, but got ", name(index.dtype()), ". Convert it with .long().");
}

// A 0-dim tensor counts as one element in a row.
Dims at_least_1d(Ints v, int64_t fill) { return v.empty() ? Dims{fill} : Dims(v); }

int64_t size_at(const Tensor& t, int64_t dim) { return t.dim() ? t.size(dim) : 1; }
int64_t stride_at(const Tensor& t, int64_t dim) { return t.dim() ? t.stride(dim) : 0; }

int64_t index_dims(const Tensor& t) { return std::max<int64_t>(t.dim(), 1); }

DataError out_of_bounds(int64_t dim, int64_t size) {
  return {"index % is out of bounds for dimension % with size %", {dim, size}, false};
}

void along(const Tensor& dst, const Tensor& src, const Tensor& index, int64_t dim, const Tensor& indexed,
           ScatterMode mode, bool scatter) {
  Dims sizes = at_least_1d(index.sizes(), 1), steps = at_least_1d(index.strides(), 1);
  Dims ds = bytes(at_least_1d(dst.strides(), 1), dst.itemsize()),
       ss = bytes(at_least_1d(src.strides(), 1), src.itemsize());
  if (src.dim() == 0 && scatter) ss = Dims(sizes.size());
  if (ds.size() != sizes.size()) ds.resize(sizes.size());
  if (ss.size() != sizes.size()) ss.resize(sizes.size());
  auto entry = scatter ? kernels(dst).scatter : kernels(dst).gather;
  int64_t limit = size_at(indexed, dim);
  kernel(entry, scatter ? "scatter" : "gather", dst.device())(
      {dst.data_as<char>(), src.data_as<char>(), index.data_as<int64_t>(), int64_t(sizes.size()), dim, sizes.data(),
       ds.data(), ss.data(), steps.data(), limit, dst.dtype(), mode, out_of_bounds(dim, limit)});
}

// `src` undefined: a single value.
int64_t check_scatter(const char* op, const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src) {
  dim = wrap_dim(dim, input.dim());
  check_same_device({&input, &index, &src});
  if (index.numel() != 0) check_index_type(op, index);
  if (src.defined()) {
    check(src.dtype() == input.dtype(), "scatter(): Expected self.dtype to be equal to src.dtype, but got ",
          name(input.dtype()), " and ", name(src.dtype()));
  }
  if (index.numel() == 0) return dim;
  check(index_dims(index) == index_dims(input), "Index tensor must have the same number of dimensions as self tensor");
  if (src.defined())
    check(index_dims(index) == index_dims(src), "Index tensor must have the same number of dimensions as src tensor");
  for (int64_t d = 0; d < index.dim(); ++d) {
    int64_t room = input.dim() ? input.size(d) : 1;
    bool fits =
        (d == dim || index.size(d) <= room) && (!src.defined() || index.size(d) <= (src.dim() ? src.size(d) : 1));
    if (fits) continue;
    if (src.defined())
      fail("Expected index ", to_string(index.sizes()), " to be no larger than self ", to_string(input.sizes()),
           " apart from dimension ", dim, " and to be no larger size than src ", to_string(src.sizes()));
    fail("Expected index ", to_string(index.sizes()), " to be no larger than self ", to_string(input.sizes()),
         " apart from dimension ", dim);
  }
  return dim;
}

Tensor scatter_into(const char* op, const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src,
                    const Tensor& value, ScatterMode mode, const Out& out) {
  dim = check_scatter(op, input, dim, index, src);
  Tensor result = begin_write(input, out);
  if (index.numel() == 0) return result;
  check_no_partial_overlap(result, index);
  if (src.defined()) check_no_partial_overlap(result, src);
  const Tensor& from = src.defined() ? src : value;
  Tensor index64 = apart(as_int64(index), result);
  along(result, apart(from, result), index64, dim, result, mode, true);
  return result;
}

Tensor scalar_tensor(const Scalar& value, Dtype dtype, Device device) {
  if (!value.is_complex()) check_fits(value, dtype);
  check(is_complex(dtype) || !value.is_complex() || value.imag == 0, "value cannot be converted to type ",
        lower_type_name(dtype), " without overflow");
  Tensor t = empty({}, dtype, device);
  fill_with(t, value.is_complex() && !is_complex(dtype) ? Scalar(value.d) : value);
  return t;
}

ScatterMode legacy_mode(std::string_view reduce) {
  if (reduce == "add") return ScatterMode::Add;
  if (reduce == "multiply") return ScatterMode::Multiply;
  fail("reduce argument must be either add or multiply.");
}

}  // namespace

Tensor gather(const Tensor& input, int64_t dim, const Tensor& index, bool, const Out& out) {
  dim = wrap_dim(dim, input.dim());
  check_same_device({&input, &index});
  if (index.numel() != 0) {
    check_index_type("gather", index);
    check(index_dims(index) == index_dims(input),
          "Index tensor must have the same number of dimensions as input tensor. Got ", index.dim(), " and ",
          input.dim());
    for (int64_t d = 0; d < std::min(index.dim(), input.dim()); ++d)
      check(d == dim || index.size(d) <= input.size(d), "Size does not match at dimension ", d, " expected index ",
            to_string(index.sizes()), " to be no larger than self ", to_string(input.sizes()), " apart from dimension ",
            dim);
  }
  Tensor target;
  if (out.defined()) {
    check(out.tensor.dtype() == input.dtype(), "Expected out tensor to have dtype ", lower_type_name(input.dtype()),
          ", but got ", lower_type_name(out.tensor.dtype()), " instead");
  }
  Tensor result = begin_result("gather", index.sizes(), input.dtype(), input.device(), out, {&input, &index});
  if (result.numel() == 0) return end_write(result, out);
  along(result, input, as_int64(index), dim, input, ScatterMode::Assign, false);
  return end_write(result, out);
}

Tensor scatter(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src, const Out& out) {
  return scatter_into("scatter", input, dim, index, src, {}, ScatterMode::Assign, out);
}

Tensor scatter_value(const Tensor& input, int64_t dim, const Tensor& index, const Scalar& value, const Out& out) {
  return scatter_into("scatter", input, dim, index, {}, scalar_tensor(value, input.dtype(), input.device()),
                      ScatterMode::Assign, out);
}

Tensor scatter_with(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                    const Out& out) {
  return scatter_into("scatter", input, dim, index, src, {}, legacy_mode(reduce), out);
}

Tensor scatter_value_with(const Tensor& input, int64_t dim, const Tensor& index, const Scalar& value,
                          std::string_view reduce, const Out& out) {
  return scatter_into("scatter", input, dim, index, {}, scalar_tensor(value, input.dtype(), input.device()),
                      legacy_mode(reduce), out);
}

Tensor scatter_add(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src, const Out& out) {
  return scatter_into("scatter_add", input, dim, index, src, {}, ScatterMode::Add, out);
}

namespace {
// What an element has before the first of its sources, where the input itself does not count.
Tensor identity_of(ScatterMode mode, Dtype dtype, Device device) {
  double inf = __builtin_inf();
  Scalar value = Scalar(mode == ScatterMode::Multiply ? 1 : 0);
  if (mode == ScatterMode::Max || mode == ScatterMode::Min) {
    bool least = mode == ScatterMode::Max;
    if (is_floating(dtype))
      value = Scalar(least ? -inf : inf);
    else if (dtype == Dtype::Bool)
      value = Scalar(!least);
    else if (dtype == Dtype::UInt8)
      value = Scalar(least ? 0 : 255);
    else {
      int64_t top = int64_t((uint64_t(1) << (8 * itemsize(dtype) - 1)) - 1);
      value = Scalar(least ? -top - 1 : top);
    }
  }
  return scalar_tensor(value, dtype, device);
}
}  // namespace

Tensor scatter_reduce(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                      bool include_self, const Out& out) {
  bool mean = reduce == "mean";
  ScatterMode mode;
  if (reduce == "sum" || mean)
    mode = ScatterMode::Add;
  else if (reduce == "prod")
    mode = ScatterMode::Multiply;
  else if (reduce == "amax")
    mode = ScatterMode::Max;
  else if (reduce == "amin")
    mode = ScatterMode::Min;
  else
    fail("reduce argument must be either sum, prod, mean, amax or amin, got ", reduce);
  check<NotImplementedError>(!is_complex(input.dtype()) || mode == ScatterMode::Add || mode == ScatterMode::Multiply,
                             "scatter_reduce(): '", reduce, "' is not defined for complex tensors");
  dim = check_scatter("scatter_reduce", input, dim, index, src);
  Tensor result = begin_write(input, out);
  if (index.numel() == 0) return result;
  check_no_partial_overlap(result, src);
  Tensor from = apart(src, result), at = as_int64(index);
  if (!include_self)
    along(result, identity_of(mode, result.dtype(), result.device()), at, dim, result, ScatterMode::Assign, true);
  along(result, from, at, dim, result, mode, true);
  if (mean) {
    Tensor counts = empty(result.sizes(), Dtype::Int64, result.device());
    fill_with(counts, Scalar(include_self ? 1 : 0));
    along(counts, scalar_tensor(Scalar(1), Dtype::Int64, result.device()), at, dim, counts, ScatterMode::Add, true);
    Tensor dense = contiguous(result);
    kernel(kernels(dense).divide_counts, "scatter_reduce", dense.device())(dense.data(), counts.data_as<int64_t>(),
                                                                           dense.numel(), dense.dtype());
    if (!dense.is(result)) copy_into(result, dense);
  }
  return result;
}

// ---- one index for each slice ----

namespace {

// The dims around `dim`, of `shape`; a side without dims is one element for all.
RowDims rows_around(const Tensor& shape, const Tensor& dst, const Tensor& src, int64_t dim) {
  RowDims r;
  for (int64_t d = 0; d < shape.dim(); ++d) {
    if (d == dim) continue;
    (d < dim ? r.outer : r.inner).push_back(shape.size(d));
    (d < dim ? r.outer_dst : r.inner_dst).push_back(dst.dim() ? dst.stride(d) : 0);
    (d < dim ? r.outer_src : r.inner_src).push_back(src.dim() ? src.stride(d) : 0);
  }
  r.to_bytes(dst.itemsize());
  return r;
}

void write_rows(const char* op, const Tensor& result, const Tensor& src, int64_t dim, const Offsets& offsets,
                ScatterMode mode, const Scalar& alpha) {
  RowDims r = rows_around(result, result, src, dim);
  RowsArgs args = r.args(result, src, offsets, stride_at(src, dim));
  args.mode = mode;
  args.alpha = alpha;
  kernel(kernels(result).scatter_rows, op, result.device())(args);
}

}  // namespace

Tensor index_select(const Tensor& input, int64_t dim, const Tensor& index, const Out& out) {
  check<IndexError>(index.dim() <= 1, "index_select(): Index is supposed to be a vector");
  check(index.dtype() == Dtype::Int64 || index.dtype() == Dtype::Int32,
        "index_select(): Expected dtype int32 or int64 for index, but got ", name(index.dtype()));
  dim = wrap_dim(dim, input.dim());
  check(input.dim() > 0 || index.numel() == 1, "index_select(): Index to scalar can have only 1 value, got ",
        index.numel(), " value(s)");
  Dims sizes(input.sizes());
  if (input.dim()) sizes[size_t(dim)] = index.numel();
  check_same_device({&input, &index});
  int64_t limit = size_at(input, dim);
  Offsets offsets = row_offsets(index, limit, stride_at(input, dim) * int64_t(input.itemsize()), false,
                                {"index out of range in self. Index % for dimension % with size %", {dim, limit}});
  Tensor result = begin_result("index_select", sizes, input.dtype(), input.device(), out, {&input, &index});
  if (result.numel() == 0) return end_write(result, out);
  RowDims r = rows_around(input, result, input, dim);
  kernel(kernels(input).gather_rows, "index_select",
         input.device())(r.args(result, input, offsets, stride_at(result, dim)));
  return end_write(result, out);
}

Tensor index_add(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& source, const Scalar& alpha,
                 const Out& out) {
  dim = wrap_dim(dim, input.dim());
  check<IndexError>(index.dim() <= 1, "index_add_(): Index is supposed to be a vector, but got dim: ", index.dim(),
                    " with type: ", type_name(index.dtype()), " and size: ", to_string(index.sizes()));
  check(index.dtype() == Dtype::Int64 || index.dtype() == Dtype::Int32,
        "index_add_(): Expected dtype int32/int64 for index but got: ", type_name(index.dtype()));
  check(input.dtype() == source.dtype(), "index_add_(): self (", type_name(input.dtype()), ") and source (",
        type_name(source.dtype()), ") must have the same scalar type");
  check(source.dim() == 0 || dim < source.dim(), "index_add_(): Indexing dim ", dim,
        " is out of bounds of source tensor");
  check(index.numel() == size_at(source, dim), "index_add_(): Number of indices (", index.numel(),
        ") should be equal to source.size(dim): (", size_at(source, dim), "), for dim: ", dim);
  bool same = input.dim() == source.dim() || (input.dim() <= 1 && source.dim() <= 1);
  for (int64_t d = 0; same && d < std::min(input.dim(), source.dim()); ++d)
    same = d == dim || input.size(d) == source.size(d);
  check(same, "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = ",
        to_string(input.sizes()), " source.shape = ", to_string(source.sizes()));
  check(!alpha.is_complex() || is_complex(input.dtype()),
        "For non-complex input tensors, argument alpha must not be a "
        "complex number.");
  check_same_device({&input, &index, &source});
  Tensor result = begin_write(input, out);
  int64_t limit = size_at(result, dim);
  Offsets offsets =
      row_offsets(index, limit, stride_at(result, dim) * int64_t(result.itemsize()), false, out_of_bounds(dim, limit));
  if (source.numel()) write_rows("index_add", result, apart(source, result), dim, offsets, ScatterMode::Add, alpha);
  return result;
}

Tensor index_copy(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& source, const Out& out) {
  dim = wrap_dim(dim, input.dim());
  check<IndexError>(index.dim() < 2, "index_copy_(): Index should have dimension 1 or 0 (got ", index.dim(), ")");
  int64_t n = index.numel();
  check<IndexError>(source.dim() > 0 || n == 1,
                    "index_copy_(): When source is scalar, index should have one element (got ", n, ")");
  check<IndexError>(source.dim() == input.dim() || source.dim() == 0 || input.dim() == 0,
                    "index_copy_(): When source and destination are not scalars, their dimensionality must match. "
                    "Source dimensionality (",
                    source.dim(), "), destination dimensionality (", input.dim(), ")");
  check(index.dtype() == Dtype::Int64, "index_copy_(): Expected a long tensor for index, but got ",
        type_name(index.dtype()));
  check(input.dtype() == source.dtype(),
        "index_copy_(): self and source expected to have the same dtype, but got "
        "(self) ",
        type_name(input.dtype()), " and (source) ", type_name(source.dtype()));
  for (int64_t d = 0; d < std::min(input.dim(), source.dim()); ++d)
    if (d != dim && input.size(d) != source.size(d))
      fail(
          "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: ",
          [&] {
            std::string s;
            for (int64_t k = 0; k < input.dim(); ++k)
              if (k != dim) s += (s.empty() ? "" : " ") + std::to_string(input.size(k));
            return s;
          }(),
          " at dimension ", dim, " and source slice shape: ",
          [&] {
            std::string s;
            for (int64_t k = 0; k < source.dim(); ++k)
              if (k != dim) s += (s.empty() ? "" : " ") + std::to_string(source.size(k));
            return s;
          }(),
          " at dimension 0.");
  check<IndexError>(source.dim() == 0 || n == source.size(dim), "index_copy_(): Number of indices (", n,
                    ") should be equal to source.size(dim) (", source.dim() ? source.size(dim) : 1, ")");
  check_same_device({&input, &index, &source});
  Tensor result = begin_write(input, out);
  int64_t limit = size_at(result, dim);
  Offsets offsets = row_offsets(index, limit, stride_at(result, dim) * int64_t(result.itemsize()), false,
                                {"index_copy_(): index % is out of bounds for dimension % with size %", {dim, limit}});
  if (source.numel())
    write_rows("index_copy", result, apart(source, result), dim, offsets, ScatterMode::Assign, Scalar(1));
  return result;
}

Tensor index_fill_tensor(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& value, const Out& out) {
  check(value.dim() == 0, "index_fill_ only supports a 0-dimensional value tensor, but got tensor with ", value.dim(),
        " dimension(s).");
  check<IndexError>(index.dtype() == Dtype::Int64, "index_fill_(): Expected dtype int64 for index.");
  check(index.dim() <= 1, "Index has to be a vector/scalar");
  check(is_complex(input.dtype()) || !is_complex(value.dtype()),
        "index_fill_(): Converting complex Scalar to non-complex type is not supported");
  dim = wrap_dim(dim, input.dim());
  check_same_device({&input, &index});
  Tensor result = begin_write(input, out, true);
  int64_t limit = size_at(result, dim);
  Offsets offsets = row_offsets(index, limit, stride_at(result, dim) * int64_t(result.itemsize()), true,
                                {"index % is out of bounds for dimension % with size %", {dim, limit}});
  if (result.numel() == 0) return result;
  Tensor one;
  if (value.impl()->wrapped_number && !input.device().is_cpu())
    one = fill(empty({}, input.dtype(), input.device()), value, {});
  else
    one = to_copy(value, input.dtype(), input.device(), false);
  write_rows("index_fill", result, one, dim, offsets, ScatterMode::Assign, Scalar(1));
  return result;
}

Tensor index_fill(const Tensor& input, int64_t dim, const Tensor& index, const Scalar& value, const Out& out) {
  if (!value.is_complex() && index.dtype() == Dtype::Int64) check_fits(value, input.dtype());
  return index_fill_tensor(input, dim, index, wrapped_number(value), out);
}

}  // namespace tl::ops
