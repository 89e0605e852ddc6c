#pragma once

#include "runtime/complex.h"

#include "core/scalar_ops.h"
#include "kernels/pointwise.h"
#include "runtime/walk.h"

// The kernels over scalar_ops.h: one for operands that lie in a row in the dtype that is computed in, by packs of 16
// bytes; one for float32 arithmetic on rows of any floating dtype, which may be broadcast (a bias, a column, strided
// rows), by packs of 8 elements; and one for all others, which converts at each read and write. Plans beyond 31-bit
// offsets are cut by the host.

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
    store_result(out + at[0], out_dtype, apply<Op, A, T, N>(op, a, rest));
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

// Eight elements, of one of the floating dtypes; bytes as they are.
template <class T>
TL_DEVICE void read_eight(const char* p, Dtype dtype, bool repeated, T (&v)[8]) {
  if (repeated) {
    T x = load_as<T>(p, dtype);
    for (int k = 0; k < 8; ++k) v[k] = x;
  } else if constexpr (sizeof(T) == 1) {
    auto pack = *reinterpret_cast<const Pack<T, 8>*>(p);
    for (int k = 0; k < 8; ++k) v[k] = pack.v[k];
  } else if (dtype == Dtype::Float32) {
    auto low = reinterpret_cast<const Pack<float, 4>*>(p)[0], high = reinterpret_cast<const Pack<float, 4>*>(p)[1];
    for (int k = 0; k < 4; ++k) v[k] = low.v[k], v[k + 4] = high.v[k];
  } else {
    auto raw = *reinterpret_cast<const Pack<uint16_t, 8>*>(p);
    if (dtype == Dtype::Float16)
      for (int k = 0; k < 8; ++k) v[k] = convert<float>(bit_cast<Half>(raw.v[k]));
    else
      for (int k = 0; k < 8; ++k) v[k] = convert<float>(bit_cast<BFloat16>(raw.v[k]));
  }
}
template <class R>
TL_DEVICE void write_eight(char* p, Dtype dtype, const R (&v)[8]) {
  if constexpr (std::is_same_v<R, float>) {
    if (dtype != Dtype::Float32) {
      Pack<uint16_t, 8> raw;
      if (dtype == Dtype::Float16)
        for (int k = 0; k < 8; ++k) raw.v[k] = convert<Half>(v[k]).bits;
      else
        for (int k = 0; k < 8; ++k) raw.v[k] = convert<BFloat16>(v[k]).bits;
      *reinterpret_cast<Pack<uint16_t, 8>*>(p) = raw;
      return;
    }
  }
  constexpr int P = sizeof(R) > 2 ? 4 : 8;
  for (int i = 0; i < 8; i += P) {
    Pack<R, P> pack;
    for (int k = 0; k < P; ++k) pack.v[k] = v[i + k];
    reinterpret_cast<Pack<R, P>*>(p)[i / P] = pack;
  }
}

// The walk counts packs in its first dim.
template <class Op, class A, class T, int N>
TL_KERNEL rows_kernel(char* out, Dtype out_dtype, const Inputs<A, T, N> in, int64_t packs, const Op op,
                      const Walk<N + 1, uint32_t> walk) {
  using R = typename Result<Op, A, T, N>::type;
  for (int64_t i = global_index(); i < packs; i += global_size()) {
    uint32_t at[N + 1];
    walk.offsets(i, at);
    A a[8];
    T b[N > 1 ? N - 1 : 1][8];
    if (in.first.constant)
      for (int k = 0; k < 8; ++k) a[k] = in.first.value;
    else
      read_eight(in.first.data + at[1], in.first.dtype, in.repeated[0], a);
    for (int j = 1; j < N; ++j) {
      const Input<T>& other = in.rest[j - 1];
      if (other.constant)
        for (int k = 0; k < 8; ++k) b[j - 1][k] = other.value;
      else
        read_eight(other.data + at[j + 1], other.dtype, in.repeated[j], b[j - 1]);
    }
    R r[8];
    for (int k = 0; k < 8; ++k) {
      T rest[2];
      for (int j = 1; j < N; ++j) rest[j - 1] = b[j - 1][k];
      r[k] = apply<Op, A, T, N>(op, a[k], rest);
    }
    write_eight(out + at[0], out_dtype, r);
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

template <class T>
Input<T> make_input(const Plan& p, int i) {
  check(reads<T>(p.dtypes[i]), "no conversion from ", name(p.dtypes[i]), " for arithmetic in ", name(dtype_of<T>));
  Input<T> in{static_cast<const char*>(p.data[i]), T(), p.dtypes[i], false};
  if (!(p.on_host >> i & 1)) return in;
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
  if (half > 64) half &= ~int64_t(63);  // so that packs stay whole
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

// Whether an operand's rows are read or written by packs of 8 elements of `width` bytes.
inline bool in_packs(const Plan& p, int i, size_t width) {
  uintptr_t bytes = width == 4 ? 16 : 8 * width, odd = reinterpret_cast<uintptr_t>(p.data[i]) % bytes;
  for (int d = 1; d < p.ndim; ++d) odd |= uintptr_t(p.strides[i][d]) % bytes;
  return odd == 0 && p.strides[i][0] == int64_t(width);
}
template <class T>
bool fits_rows(Dtype t) {
  if (sizeof(T) == 1) return t == Dtype::Bool || t == Dtype::UInt8;
  return t == Dtype::Float32 || t == Dtype::Float16 || t == Dtype::BFloat16;
}

// The part of a plan, from its start, that rows_kernel may take; empty where it may not.
template <class R, class A, class T, int N>
int64_t rows_of(const Plan& p, Inputs<A, T, N>& in) {
  if (p.numel < 8 || (p.ndim > 1 && p.sizes[0] % 8)) return 0;
  bool out = std::is_same_v<R, float> ? fits_rows<float>(p.dtypes[0]) : p.dtypes[0] == dtype_of<R>;
  if (!out || !in_packs(p, 0, itemsize(p.dtypes[0]))) return 0;
  auto fits = [&](int i, bool constant, bool dtype) {
    if (constant) return true;
    in.repeated[i - 1] = p.strides[i][0] == 0;
    return dtype && (in.repeated[i - 1] || in_packs(p, i, itemsize(p.dtypes[i])));
  };
  if (!fits(1, in.first.constant, fits_rows<A>(p.dtypes[1]))) return 0;
  for (int k = 1; k < N; ++k)
    if (!fits(k + 1, in.rest[k - 1].constant, fits_rows<T>(p.dtypes[k + 1]))) return 0;
  return p.numel / 8 * 8;
}

// The end of a plan of one dim.
inline Plan after(const Plan& p, int64_t done) {
  Plan rest = p;
  rest.numel = rest.sizes[0] = p.numel - done;
  for (int i = 0; i < p.operands; ++i) rest.data[i] = static_cast<char*>(p.data[i]) + done * p.strides[i][0];
  return rest;
}

// The part of the elements that packs hold: none where operands do not lie in a row in the dtypes that are computed in.
template <class Op, class A, class T, int N>
int64_t run_flat(const Plan& plan, Inputs<A, T, N>& in, const Op& op, const Launcher& l) {
  using R = typename Result<Op, A, T, N>::type;
  // The widest packs that every operand's address and width allow.
  constexpr size_t widest = sizeof(T) > sizeof(R) ? sizeof(T) : sizeof(R);
  constexpr int P = int(16 / widest);
  bool stored = plan.dtypes[0] == dtype_of<R>;
  // Of bools two of these, or one of two, is a bool.
  if constexpr (std::is_same_v<R, uint8_t> && N > 1)
    stored =
        stored || (plan.dtypes[0] == Dtype::Bool && plan.dtypes[N - 1] == Dtype::Bool && plan.dtypes[N] == Dtype::Bool);
  bool flat = stored && plan.ndim == 1 && plan.strides[0][0] == int64_t(sizeof(R)) &&
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
  using R = typename Result<Op, A, T, N>::type;
  check(takes<R>(plan.dtypes[0]), "no conversion from ", name(dtype_of<R>), " to ", name(plan.dtypes[0]));
  Launcher l(plan.device);
  Op op = make<Op, T>(params);
  op.division_by_zero = note_of(plan.device.index);

  Inputs<A, T, N> in{};
  in.first = make_input<A>(plan, 1);
  for (int k = 1; k < N; ++k) in.rest[k - 1] = make_input<T>(plan, k + 1);

  int64_t done = 0;
  if constexpr (!costly) done = run_flat<Op, A, T, N>(plan, in, op, l);
  if (done == plan.numel) return;
  auto with_data = [&](const Plan& p) {
    Inputs<A, T, N> part = in;
    part.first.data = static_cast<const char*>(p.data[1]);
    for (int k = 1; k < N; ++k) part.rest[k - 1].data = static_cast<const char*>(p.data[k + 1]);
    return part;
  };
  auto general = [&](const Plan& p) {
    launch({{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream}, general_kernel<Op, A, T, N>,
           static_cast<char*>(p.data[0]), p.dtypes[0], with_data(p), p.numel, op, Walk<N + 1, uint32_t>(p));
  };
  Plan rest = done ? after(plan, done) : plan;
  if (done) rest.index32 = true;
  within_32_bits(rest, [&](const Plan& p) {
    if constexpr (std::is_same_v<T, float> && !costly) {
      Inputs<A, T, N> part = with_data(p);
      if (int64_t taken = done ? 0 : rows_of<R, A, T, N>(p, part)) {
        Plan packs = p;
        packs.sizes[0] = taken / (p.numel / p.sizes[0]) / 8;
        for (int i = 0; i <= N; ++i) packs.strides[i][0] *= 8;
        launch({{blocks_for(taken / 8, kThreads)}, {kThreads}, 0, l.stream}, rows_kernel<Op, A, T, N>,
               static_cast<char*>(p.data[0]), p.dtypes[0], part, taken / 8, op, Walk<N + 1, uint32_t>(packs));
        if (taken < p.numel) general(after(p, taken));
        return;
      }
    }
    general(p);
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
