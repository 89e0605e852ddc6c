#include "ops/matmul.h"

#include "core/plan.h"
#include "kernels/matmul.h"
#include "ops/cast.h"
#include "ops/same_device.h"
#include "ops/shape.h"

namespace tl {

MatmulKernels matmul_kernels[kDeviceTypes];

MatmulSettings& matmul_settings() {
  static MatmulSettings* settings = new MatmulSettings;
  return *settings;
}

namespace ops {
namespace {

// The name that PyTorch's check of two matrices gives a dtype.
const char* cpp_name(Dtype t) {
  static constexpr const char* names[kDtypes] = {
      "bool",  "unsigned char", "signed char",         "short int",
      "int",   "long int",      "c10::Half",           "c10::BFloat16",
      "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return names[int(t)];
}

std::string shape_text(const Tensor& t) { return str(t.size(0), "x", t.size(1)); }

void check_not_bool(Dtype t, const char* kernel_name) {
  check<NotImplementedError>(t != Dtype::Bool, '"', kernel_name, "\" not implemented for 'Bool'",
                             ". Convert the operands to another dtype first, say with .float() or .int().");
}

bool same_memory(const Tensor& a, const Tensor& b) {
  return a.defined() && b.defined() && a.impl()->storage.get() == b.impl()->storage.get();
}

bool same_place(const Tensor& a, const Tensor& b) {
  return same_memory(a, b) && a.offset() == b.offset() && a.sizes() == b.sizes() && a.strides() == b.strides();
}

void set_coefficients(GemmArgs& g, const Scalar& beta, const Scalar& alpha) {
  if (is_integral(g.dtype)) {
    g.alpha_int = alpha.to<int64_t>();
    g.beta_int = beta.to<int64_t>();
    return;
  }
  if (!is_complex(g.dtype) && ((alpha.is_complex() && alpha.imag != 0) || (beta.is_complex() && beta.imag != 0)))
    fail("value cannot be converted to type ", cpp_name(g.dtype),
         " without overflow. alpha and beta of real matrices are real numbers.");
  g.alpha = alpha.to<double>();
  g.beta = beta.to<double>();
  g.alpha_imag = alpha.imag;
  g.beta_imag = beta.imag;
}

bool is_zero(const Scalar& s, Dtype t) {
  return is_integral(t) ? s.to<int64_t>() == 0 : s.to<double>() == 0 && s.imag == 0;
}

// Where the result goes. `fresh` says that it has to be made apart and copied, because an operand shares its memory.
Tensor result_for(const Out& out, Ints sizes, Dtype dtype, Device device, std::initializer_list<const Tensor*> operands,
                  const Tensor& addend, bool& fresh) {
  fresh = false;
  if (!out.defined()) return empty(sizes, dtype, device);
  const Tensor& t = out.tensor;
  if (out.inplace) {
    check(t.sizes() == sizes, "Bad in-place call: input tensor size ", to_string(t.sizes()), " and output tensor size ",
          to_string(sizes), " should match");
  } else {
    check(t.dtype() == dtype, "Expected out tensor to have dtype ", cpp_name(dtype), ", but got ", cpp_name(t.dtype()),
          " instead");
    resize_output(t, sizes, device);
  }
  check_no_internal_overlap(t);
  for (const Tensor* o : operands) fresh |= same_memory(*o, t);
  fresh |= same_memory(addend, t) && !same_place(addend, t);
  return fresh ? empty(sizes, dtype, device) : t;
}

Tensor deliver(const Out& out, const Tensor& result, bool fresh) {
  if (!fresh) return result;
  copy_into(out.tensor, result);
  return out.tensor;
}

// Strides under which `t` broadcasts to `sizes`; complains as expand does.
Dims expanded_strides(const Tensor& t, Ints sizes) {
  const int64_t extra = int64_t(sizes.size()) - t.dim();
  bool fits = extra >= 0;
  Dims strides(sizes.size(), 0);
  for (int64_t i = 0; fits && i < t.dim(); ++i) {
    if (t.size(i) == sizes[extra + i])
      strides[extra + i] = t.size(i) == 1 ? 0 : t.stride(i);
    else if (t.size(i) != 1)
      fits = false;
  }
  if (!fits) expand(t, sizes, false);
  return strides;
}

// Fills in matrices [m, k] and [k, n], the last two dims of a, b and c, and the batch before them.
void product(const char* op, const Tensor& c, const Tensor& a, const Tensor& b, const Tensor& addend,
             const Scalar& beta, const Scalar& alpha) {
  if (c.numel() == 0) return;
  GemmArgs g;
  g.dtype = c.dtype();
  g.m = c.size(-2);
  g.n = c.size(-1);
  g.k = a.size(-1);
  g.a = a.data();
  g.a_row = a.stride(-2);
  g.a_col = a.stride(-1);
  g.b = b.data();
  g.b_row = b.stride(-2);
  g.b_col = b.stride(-1);
  g.c = c.data();
  g.c_row = c.stride(-2);
  g.c_col = c.stride(-1);
  set_coefficients(g, beta, alpha);
  const bool batched = c.dim() == 3;
  if (batched) {
    g.batch = c.size(0);
    g.a_batch = a.stride(0);
    g.b_batch = b.stride(0);
    g.c_batch = c.stride(0);
  }
  if (addend.defined() && !is_zero(beta, g.dtype)) {
    const Dims s = expanded_strides(addend, c.sizes());
    g.d = addend.data();
    g.d_row = s[s.size() - 2];
    g.d_col = s[s.size() - 1];
    if (batched) g.d_batch = s[0];
  } else {
    g.beta = g.beta_imag = 0;
    g.beta_int = 0;
  }
  kernel(matmul_kernels[int(c.device().type)].gemm, op, c.device())(g);
}

void product_with_vector(const char* op, const Tensor& y, const Tensor& a, const Tensor& x, const Tensor& addend,
                         const Scalar& beta, const Scalar& alpha) {
  if (y.numel() == 0) return;
  GemmArgs g;
  g.dtype = y.dtype();
  g.m = a.size(0);
  g.n = 1;
  g.k = a.size(1);
  g.a = a.data();
  g.a_row = a.stride(0);
  g.a_col = a.stride(1);
  g.b = x.data();
  g.b_row = x.stride(0);
  g.b_col = 1;
  g.c = y.data();
  g.c_row = y.stride(0);
  g.c_col = 1;
  set_coefficients(g, beta, alpha);
  if (addend.defined() && !is_zero(beta, g.dtype)) {
    g.d = addend.data();
    g.d_row = expanded_strides(addend, y.sizes())[0];
  } else {
    g.beta = g.beta_imag = 0;
    g.beta_int = 0;
  }
  kernel(matmul_kernels[int(y.device().type)].gemm, op, y.device())(g);
}

void check_multipliable(const Tensor& a, const Tensor& b) {
  if (a.size(1) != b.size(0))
    fail("mat1 and mat2 shapes cannot be multiplied (", shape_text(a), " and ", shape_text(b),
         "). The columns of the first must be as many as the rows of the second.");
}

const Scalar kOne = int64_t(1), kZero = int64_t(0);

}  // namespace

Tensor mm(const Tensor& input, const Tensor& mat2, const Out& out) {
  check(input.dim() == 2, "self must be a matrix");
  check(mat2.dim() == 2, "mat2 must be a matrix");
  check_multipliable(input, mat2);
  const Dtype dtype = input.dtype();
  if (dtype != mat2.dtype())
    fail("expected m1 and m2 to have the same dtype, but got: ", cpp_name(dtype), " != ", cpp_name(mat2.dtype()),
         ". Convert one of them with .to(dtype).");
  check_not_bool(dtype, "addmm_impl_cpu_");
  bool fresh;
  Tensor c =
      result_for(out, {input.size(0), mat2.size(1)}, dtype, common_device({&input, &mat2}), {&input, &mat2}, {}, fresh);
  product("mm", c, input, mat2, {}, kZero, kOne);
  return deliver(out, c, fresh);
}

Tensor addmm(const Tensor& input, const Tensor& mat1, const Tensor& mat2, const Scalar& beta, const Scalar& alpha,
             const Out& out) {
  check(mat1.dim() == 2, "mat1 must be a matrix, got ", mat1.dim(), "-D tensor");
  check(mat2.dim() == 2, "mat2 must be a matrix, got ", mat2.dim(), "-D tensor");
  check_multipliable(mat1, mat2);
  const Dtype dtype = mat1.dtype();
  const Dims sizes{mat1.size(0), mat2.size(1)};
  if (input.dtype() != mat2.dtype())
    fail("self and mat2 must have the same dtype, but got ", type_name(input.dtype()), " and ", type_name(mat2.dtype()),
         ". Convert one of them with .to(dtype).");
  if (dtype != mat2.dtype())
    fail("mat1 and mat2 must have the same dtype, but got ", type_name(dtype), " and ", type_name(mat2.dtype()),
         ". Convert one of them with .to(dtype).");
  check_not_bool(dtype, "addmm_impl_cpu_");
  if (!out.inplace) expanded_strides(input, sizes);
  check_same_device({&mat1, &mat2, &input});
  bool fresh;
  Tensor c = result_for(out, sizes, dtype, mat1.device(), {&mat1, &mat2}, input, fresh);
  product("addmm", c, mat1, mat2, input, beta, alpha);
  return deliver(out, c, fresh);
}

Tensor bmm(const Tensor& input, const Tensor& mat2, const Out& out) {
  return baddbmm({}, input, mat2, kZero, kOne, out);
}

Tensor baddbmm(const Tensor& input, const Tensor& batch1, const Tensor& batch2, const Scalar& beta, const Scalar& alpha,
               const Out& out) {
  check(batch1.dim() == 3, "batch1 must be a 3D tensor");
  check(batch2.dim() == 3, "batch2 must be a 3D tensor");
  if (batch2.size(0) != batch1.size(0) || batch2.size(1) != batch1.size(2))
    fail("Expected size for first two dimensions of batch2 tensor to be: [", batch1.size(0), ", ", batch1.size(2),
         "] but got: [", batch2.size(0), ", ", batch2.size(1), "].");
  const Dtype dtype = batch1.dtype();
  if (batch2.dtype() != dtype)
    fail("expected scalar type ", type_name(dtype), " but found ", type_name(batch2.dtype()),
         ". Convert one of them with .to(dtype).");
  if (input.defined() && input.dtype() != dtype)
    fail("Input dtypes must be the same, got: input ", cpp_name(input.dtype()), ", batch1: ", cpp_name(dtype),
         ", batch2: ", cpp_name(batch2.dtype()));
  check_not_bool(dtype, input.defined() ? "baddbmm" : "bmm");
  const Dims sizes{batch1.size(0), batch1.size(1), batch2.size(2)};
  if (input.defined()) expanded_strides(input, sizes);
  check_same_device({&batch1, &batch2, &input});
  bool fresh;
  Tensor c = result_for(out, sizes, dtype, batch1.device(), {&batch1, &batch2}, input, fresh);
  product(input.defined() ? "baddbmm" : "bmm", c, batch1, batch2, input, beta, alpha);
  return deliver(out, c, fresh);
}

Tensor addbmm(const Tensor& input, const Tensor& batch1, const Tensor& batch2, const Scalar& beta, const Scalar& alpha,
              const Out& out) {
  check(batch1.dim() == 3, "batch1 must be a 3D tensor");
  check(batch2.dim() == 3, "batch2 must be a 3D tensor");
  const Dims sizes{batch1.size(1), batch2.size(2)};
  if (!out.inplace) expanded_strides(input, sizes);
  check(batch1.size(0) == batch2.size(0), "batch1 and batch2 must have same number of batches, got ", batch1.size(0),
        " and ", batch2.size(0));
  if (batch1.size(2) != batch2.size(1))
    fail("Incompatible matrix sizes for bmm (", batch1.size(1), "x", batch1.size(2), " and ", batch2.size(1), "x",
         batch2.size(2), ")");
  const Dtype dtype = batch1.dtype();
  if (dtype != batch2.dtype() || dtype != input.dtype())
    fail("self and mat2 must have the same dtype, but got ", type_name(input.dtype()), " and ",
         type_name(dtype != input.dtype() ? dtype : batch2.dtype()));
  check_not_bool(dtype, "addmm_impl_cpu_");
  check_same_device({&batch1, &batch2, &input});
  // Half types are summed in float32 and rounded once.
  if (is_half(dtype)) {
    auto wide = [](const Tensor& t) { return to_dtype(t, Dtype::Float32, false, false); };
    Tensor sum = addbmm(wide(input), wide(batch1), wide(batch2), beta, alpha, {});
    if (!out.defined()) return to_dtype(sum, dtype, false, false);
    bool fresh;
    Tensor c = result_for(out, sizes, dtype, batch1.device(), {}, {}, fresh);
    copy_into(c, sum);
    return c;
  }
  bool fresh;
  Tensor c = result_for(out, sizes, dtype, common_device({&batch1, &batch2}), {&batch1, &batch2}, input, fresh);
  const int64_t batches = batch1.size(0);
  for (int64_t l = 0; l < batches; ++l) {
    Tensor a = select(batch1, 0, l), b = select(batch2, 0, l);
    product("addbmm", c, a, b, l == 0 ? input : c, l == 0 ? beta : kOne, alpha);
  }
  if (batches == 0) {
    Tensor none = empty({sizes[0], 0}, dtype, c.device()), none2 = empty({0, sizes[1]}, dtype, c.device());
    product("addbmm", c, none, none2, input, beta, alpha);
  }
  return deliver(out, c, fresh);
}

namespace {

void check_matrix_vector(const Tensor& input, const Tensor& mat, const Tensor& vec, int64_t input_dim) {
  if (mat.dim() != 2 || vec.dim() != 1 || input_dim > 1)
    fail("vector + matrix @ vector expected, got ", input_dim, ", ", mat.dim(), ", ", vec.dim());
  const int64_t rows = input.defined() && input_dim == 1 ? input.size(0) : mat.size(0);
  if (mat.size(1) != vec.size(0) || (rows != mat.size(0) && rows != 1))
    fail("size mismatch, got input (", rows, "), mat (", shape_text(mat), "), vec (", vec.size(0), ")");
  const Dtype first = input.defined() ? input.dtype() : vec.dtype();
  if (mat.dtype() != vec.dtype() || first != mat.dtype())
    fail("addmv input tensors must have the same dtype, but got ", type_name(first), ", ", type_name(mat.dtype()),
         ", and ", type_name(vec.dtype()));
  check_not_bool(mat.dtype(), "addmv_impl_cpu");
}

}  // namespace

Tensor mv(const Tensor& input, const Tensor& vec, const Out& out) {
  check_matrix_vector({}, input, vec, 1);
  bool fresh;
  Tensor y = result_for(out, {input.size(0)}, input.dtype(), common_device({&input, &vec}), {&input, &vec}, {}, fresh);
  product_with_vector("mv", y, input, vec, {}, kZero, kOne);
  return deliver(out, y, fresh);
}

Tensor addmv(const Tensor& input, const Tensor& mat, const Tensor& vec, const Scalar& beta, const Scalar& alpha,
             const Out& out) {
  check_matrix_vector(input, mat, vec, input.dim());
  check_same_device({&mat, &vec, &input});
  bool fresh;
  Tensor y = result_for(out, {mat.size(0)}, mat.dtype(), mat.device(), {&mat, &vec}, input, fresh);
  product_with_vector("addmv", y, mat, vec, input, beta, alpha);
  return deliver(out, y, fresh);
}

namespace {

Tensor dot_product(const char* op, bool conjugate, const Tensor& a, const Tensor& b, const Out& out) {
  check(a.dim() == 1 && b.dim() == 1, "1D tensors expected, but got ", a.dim(), "D and ", b.dim(), "D tensors");
  check(a.dtype() == b.dtype(), "dot : expected both vectors to have same dtype, but found ", type_name(a.dtype()),
        " and ", type_name(b.dtype()));
  check(a.numel() == b.numel(), "inconsistent tensor size, expected tensor ", to_string(a.sizes()), " and src ",
        to_string(b.sizes()), " to have the same number of elements, but got ", a.numel(), " and ", b.numel(),
        " elements respectively");
  check_not_bool(a.dtype(), "dot");
  bool fresh;
  Tensor result = result_for(out, {}, a.dtype(), common_device({&a, &b}), {&a, &b}, {}, fresh);
  DotArgs g{a.dtype(), conjugate, a.numel(), a.data(), a.stride(0), b.data(), b.stride(0), result.data()};
  kernel(matmul_kernels[int(result.device().type)].dot, op, result.device())(g);
  return deliver(out, result, fresh);
}

}  // namespace

Tensor dot(const Tensor& input, const Tensor& tensor, const Out& out) {
  return dot_product("dot", false, input, tensor, out);
}

Tensor vdot(const Tensor& input, const Tensor& other, const Out& out) {
  return dot_product("vdot", true, input, other, out);
}

Tensor addr(const Tensor& input, const Tensor& vec1, const Tensor& vec2, const Scalar& beta, const Scalar& alpha,
            const Out& out) {
  check(vec1.dim() == 1, "addr: Expected 1-D argument vec1, but got ", vec1.dim(), "-D");
  check(vec2.dim() == 1, "addr: Expected 1-D argument vec2, but got ", vec2.dim(), "-D");
  const Dims sizes{vec1.size(0), vec2.size(0)};
  if (out.inplace) {
    check(input.dim() == 2, "2D tensor expected, got ", input.dim(), "D tensor for input");
    check(input.sizes() == Ints(sizes), "size mismatch, input: ", to_string(input.sizes()),
          ", v1: ", to_string(vec1.sizes()), ", v2: ", to_string(vec2.sizes()));
  } else {
    expanded_strides(input, sizes);
  }
  const Dtype dtype = result_type({&input, &vec1, &vec2});
  // bool counts in integers: any product that is not zero is true.
  const Dtype compute = dtype == Dtype::Bool ? Dtype::Int64 : dtype;
  auto as = [&](const Tensor& t) { return to_dtype(t, compute, false, false); };
  Tensor d = as(input), u = as(vec1), v = as(vec2);
  const Dtype result = out.defined() ? out.tensor.dtype() : dtype;
  check_castable(dtype, result);
  bool fresh;
  check_same_device({&vec1, &vec2, &input});
  Tensor c = result_for(out, sizes, result, vec1.device(), {&vec1, &vec2}, input, fresh);
  const Tensor sums = result == compute ? c : empty(sizes, compute, c.device());
  product("addr", sums, unsqueeze(u, 1), unsqueeze(v, 0), d, beta, alpha);
  if (!sums.is(c)) copy_into(c, sums);
  return deliver(out, c, fresh);
}

}  // namespace ops
}  // namespace tl
