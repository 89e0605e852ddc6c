#pragma once

#include "runtime/complex.h"

#include "core/scalar_ops.h"
#include "kernels/pointwise.h"
#include "runtime/walk.h"

// The kernels over scalar_ops.h: one for operands that lie in a row in the dtype that is computed in, by packs of 16
// bytes, and one for all others, which converts at each read and write. Plans beyond 31-bit offsets are cut by the
// host.

namespace tl::cuda {

using PointwiseFn = void (*)(const Plan& plan, const PointwiseParams* params);
// By operator and the dtype it computes in; null where there is none.
extern PointwiseFn pointwise_table[kPointwise][kDtypes];
void fill_pointwise_binary();
void fill_pointwise_unary();
void fill_pointwise_questions();
void fill_pointwise_complex();
void fill_activation();
void fill_special();
// Where a division by zero is noted; on a device nobody reads it, as in PyTorch.
int32_t* note_of(int device);

namespace {

// How one input is read.
template <class T>
struct Input {
  const char* data;
  T value;  // of a number that came with the call
  Dtype dtype;
  bool constant;  // `value` is it
};

// What differs between the inputs of operators: Where's condition is bytes.
template <class A, class T, int N>
struct Inputs {
  Input<A> first;
  Input<T> rest[N > 1 ? N - 1 : 1];
  bool repeated[N];  // flat operands only: one element for all
};

template <class Op, class A, class T, int N>
TL_DEVICE auto apply(const Op& op, A a, const T* rest) {
  if constexpr (N == 1)
    return op(a);
  else if constexpr (N == 2)
    return op(a, rest[0]);
  else
    return op(a, rest[0], rest[1]);
}

// What `apply` gives; asked of the operator itself, as the host's compiler does not look into device functions.
template <class Op, class A, class T, int N>
struct Result;
template <class Op, class A, class T>
struct Result<Op, A, T, 1> {
  using type = decltype(std::declval<const Op&>()(A()));
};
template <class Op, class A, class T>
struct Result<Op, A, T, 2> {
  using type = decltype(std::declval<const Op&>()(A(), T()));
};
template <class Op, class A, class T>
struct Result<Op, A, T, 3> {
  using type = decltype(std::declval<const Op&>()(A(), T(), T()));
};

template <class T>
TL_DEVICE T read(const Input<T>& in, int64_t offset) {
  return in.constant ? in.value : load_as<T>(in.data + offset, in.dtype);
}

template <class Op, class A, class T, int N>
TL_KERNEL general_kernel(char* out, Dtype out_dtype, const Inputs<A, T, N> in, int64_t n, const Op op,
                         const Walk<N + 1, uint32_t> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    uint32_t at[N + 1];
    walk.offsets(i, at);
    A a = read(in.first, at[1]);
    T rest[2];
    for (int k = 1; k < N; ++k) rest[k - 1] = read(in.rest[k - 1], at[k + 1]);
    store_as(out + at[0], out_dtype, apply<Op, A, T, N>(op, a, rest));
  }
}

template <int P, class T>
TL_DEVICE Pack<T, P> read_pack(const Input<T>& in, bool repeated, int64_t i) {
  Pack<T, P> pack;
  if (in.constant || repeated) {
    T v = in.constant ? in.value : *reinterpret_cast<const T*>(in.data);
    for (int k = 0; k < P; ++k) pack.v[k] = v;
  } else {
    pack = reinterpret_cast<const Pack<T, P>*>(in.data)[i];
  }
  return pack;
}

template <class Op, class A, class T, int N, int P>
TL_KERNEL flat_kernel(char* out, const Inputs<A, T, N> in, int64_t packs, const Op op) {
  using R = typename Result<Op, A, T, N>::type;
  for (int64_t i = global_index(); i < packs; i += global_size()) {
    Pack<A, P> a = read_pack<P>(in.first, in.repeated[0], i);
    Pack<T, P> b[2];
    for (int k = 1; k < N; ++k) b[k - 1] = read_pack<P>(in.rest[k - 1], in.repeated[k], i);
    Pack<R, P> r;
    for (int k = 0; k < P; ++k) {
      T rest[2];
      for (int j = 1; j < N; ++j) rest[j - 1] = b[j - 1].v[k];
      r.v[k] = apply<Op, A, T, N>(op, a.v[k], rest);
    }
    reinterpret_cast<Pack<R, P>*>(out)[i] = r;
  }
}

// ---- the host's part ----

template <class Op, class T>
Op make(const PointwiseParams* params) {
  Op op{};
  if (params) {
    const PointwiseParams& p = *params;
    if constexpr (is_complex_type<T>) {
      using R = typename T::value_type;
      op.p0 = T(R(p.d[0]), R(p.im[0])), op.p1 = T(R(p.d[1]), R(p.im[1])), op.p2 = T(R(p.d[2]), R(p.im[2]));
    } else if constexpr (scalar::is_int<T>) {
      op.p0 = T(p.i[0]), op.p1 = T(p.i[1]), op.p2 = T(p.i[2]);
    } else {
      op.p0 = T(p.d[0]), op.p1 = T(p.d[1]), op.p2 = T(p.d[2]);
    }
  }
  return op;
}

// Numbers that came with the call lie on the host.
template <class T>
Input<T> make_input(const Plan& p, int i) {
  Input<T> in{static_cast<const char*>(p.data[i]), T(), p.dtypes[i], false};
  for (int d = 0; d < p.ndim; ++d)
    if (p.strides[i][d]) return in;
  if (driver::is_device_pointer(in.data)) return in;
  in.value = load_as<T>(in.data, in.dtype);
  in.constant = true;
  return in;
}

// Dim of most elements cut in halves until 31 bits hold all offsets.
template <class F>
void within_32_bits(const Plan& p, F f) {
  if (p.index32 && p.numel < (int64_t(1) << 31)) return f(p);
  int widest = 0;
  for (int d = 1; d < p.ndim; ++d)
    if (p.sizes[d] > p.sizes[widest]) widest = d;
  int64_t half = p.sizes[widest] / 2;
  for (int part = 0; part < 2; ++part) {
    Plan q = p;
    q.sizes[widest] = part ? p.sizes[widest] - half : half;
    q.numel = p.numel / p.sizes[widest] * q.sizes[widest];
    int64_t reach = 16;
    for (int i = 0; i < p.operands; ++i) {
      if (part) q.data[i] = static_cast<char*>(p.data[i]) + half * p.strides[i][widest];
      int64_t span = 16;
      for (int d = 0; d < p.ndim; ++d) span += (q.sizes[d] - 1) * p.strides[i][d];
      if (span > reach) reach = span;
    }
    q.index32 = reach < (int64_t(1) << 31);
    within_32_bits(q, f);
  }
}

// The part of the elements that packs hold: none where operands do not lie in a row in the dtypes that are computed in.
template <class Op, class A, class T, int N>
int64_t run_flat(const Plan& plan, Inputs<A, T, N>& in, const Op& op, const Launcher& l) {
  using R = typename Result<Op, A, T, N>::type;
  // The widest packs that every operand's address and width allow.
  constexpr size_t widest = sizeof(T) > sizeof(R) ? sizeof(T) : sizeof(R);
  constexpr int P = int(16 / widest);
  bool flat = plan.ndim == 1 && plan.dtypes[0] == dtype_of<R> && plan.strides[0][0] == int64_t(sizeof(R)) &&
              reinterpret_cast<uintptr_t>(plan.data[0]) % (P * sizeof(R)) == 0;
  auto lies_flat = [&](int i, bool constant, Dtype wanted, size_t width) {
    if (constant) return true;
    in.repeated[i - 1] = plan.strides[i][0] == 0 && plan.numel > 1;
    bool dtype = plan.dtypes[i] == wanted || (wanted == Dtype::UInt8 && plan.dtypes[i] == Dtype::Bool);
    return dtype && (in.repeated[i - 1] || (plan.strides[i][0] == int64_t(width) &&
                                            reinterpret_cast<uintptr_t>(plan.data[i]) % (P * width) == 0));
  };
  flat = flat && lies_flat(1, in.first.constant, dtype_of<A>, sizeof(A));
  for (int k = 1; k < N; ++k) flat = flat && lies_flat(k + 1, in.rest[k - 1].constant, dtype_of<T>, sizeof(T));

  int64_t packs = flat ? plan.numel / P : 0;
  if (packs)
    launch({{blocks_for(packs, kThreads)}, {kThreads}, 0, l.stream}, flat_kernel<Op, A, T, N, P>,
           static_cast<char*>(plan.data[0]), in, packs, op);
  return packs * P;
}

// `costly`: arithmetic outweighs memory by far, so that packs are not worth a kernel of their own.
template <class Op, class A, class T, int N, bool costly>
void run(const Plan& plan, const PointwiseParams* params) {
  Launcher l(plan.device);
  Op op = make<Op, T>(params);
  op.division_by_zero = note_of(plan.device.index);

  Inputs<A, T, N> in{};
  in.first = make_input<A>(plan, 1);
  for (int k = 1; k < N; ++k) in.rest[k - 1] = make_input<T>(plan, k + 1);

  int64_t done = 0;
  if constexpr (!costly) done = run_flat<Op, A, T, N>(plan, in, op, l);
  if (done == plan.numel) return;
  Plan rest = plan;
  if (done) {
    rest.numel = rest.sizes[0] = plan.numel - done;
    rest.index32 = true;
    for (int i = 0; i <= N; ++i) rest.data[i] = static_cast<char*>(plan.data[i]) + done * plan.strides[i][0];
  }
  within_32_bits(rest, [&](const Plan& p) {
    Inputs<A, T, N> part = in;
    part.first.data = static_cast<const char*>(p.data[1]);
    for (int k = 1; k < N; ++k) part.rest[k - 1].data = static_cast<const char*>(p.data[k + 1]);
    launch({{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream}, general_kernel<Op, A, T, N>,
           static_cast<char*>(p.data[0]), p.dtypes[0], part, p.numel, op, Walk<N + 1, uint32_t>(p));
  });
}

template <template <class> class F, int N, bool costly, class... T>
void put(Pointwise op) {
  ((pointwise_table[int(op)][int(dtype_of<T>)] = run<F<T>, T, T, N, costly>), ...);
}
template <class... T>
void put_where() {
  ((pointwise_table[int(Pointwise::Where)][int(dtype_of<T>)] = run<scalar::Where<T>, uint8_t, T, 3, false>), ...);
}

using C64 = Complex<float>;
using C128 = Complex<double>;
#define TL_U(name, ...) put<scalar::name, 1, false, __VA_ARGS__>(Pointwise::name);
#define TL_B(name, ...) put<scalar::name, 2, false, __VA_ARGS__>(Pointwise::name);
#define TL_T(name, ...) put<scalar::name, 3, false, __VA_ARGS__>(Pointwise::name);
#define TL_COSTLY_U(name, ...) put<scalar::name, 1, true, __VA_ARGS__>(Pointwise::name);
#define TL_COSTLY_B(name, ...) put<scalar::name, 2, true, __VA_ARGS__>(Pointwise::name);
#define TL_FLOATS float, double
#define TL_NUMBERS float, double, int32_t, int64_t
#define TL_ALL uint8_t, int32_t, int64_t, float, double

}  // namespace
}  // namespace tl::cuda
