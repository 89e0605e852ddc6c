#pragma once

#include "core/scalar_ops.h"
#include "cpu/loops.h"
#include "kernels/pointwise.h"

// The loops over scalar_ops.h. In an unnamed namespace: each file that includes this has its own, for its instruction
// set.

namespace tl::cpu {

// By operator and the dtype it computes in; fn is null where there is none.
extern Loop pointwise_loops[kPointwise][kDtypes];
// float64, complex and the operators that call the C library; compiled once.
void fill_pointwise_library();
void fill_special();
bool pointwise_supports(Pointwise op, Dtype compute);
void pointwise_run(Pointwise op, Dtype compute, const Plan& plan, const PointwiseParams* params);

namespace {

template <class T>
struct TagOf;
#define TL_TAG(T, tag)                         \
  template <>                                  \
  struct TagOf<T> {                            \
    static constexpr Dtype value = Dtype::tag; \
  };
TL_TAG(uint8_t, UInt8)
TL_TAG(int32_t, Int32)
TL_TAG(int64_t, Int64)
TL_TAG(float, Float32)
TL_TAG(double, Float64)
#if !defined(TL_ISA)
TL_TAG(std::complex<float>, Complex64)
TL_TAG(std::complex<double>, Complex128)
#endif
#undef TL_TAG

template <class Op, class T>
inline __attribute__((always_inline)) Op make(const void* params) {
  Op op{};
  if (!params) return op;
  auto& p = *static_cast<const PointwiseParams*>(params);
  if constexpr (scalar::is_int<T>) {
    op.p0 = T(p.i[0]), op.p1 = T(p.i[1]), op.p2 = T(p.i[2]);
  } else if constexpr (scalar::is_float<T>) {
    op.p0 = T(p.d[0]), op.p1 = T(p.d[1]), op.p2 = T(p.d[2]);
  } else {
    using R = typename T::value_type;
    op.p0 = T(R(p.d[0]), R(p.im[0])), op.p1 = T(R(p.d[1]), R(p.im[1])), op.p2 = T(R(p.d[2]), R(p.im[2]));
  }
  op.division_by_zero = p.division_by_zero;
  return op;
}

template <template <class> class F, class T>
void unary(void* to, const void* const* from, int64_t n, unsigned repeated, const void* params) {
  const F<T> op = make<F<T>, T>(params);
  using R = decltype(op(T()));
  auto* out = static_cast<R*>(to);
  auto* a = static_cast<const T*>(from[0]);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = op(a[i]);
}

template <template <class> class F, class T>
void binary(void* to, const void* const* from, int64_t n, unsigned repeated, const void* params) {
  const F<T> op = make<F<T>, T>(params);
  using R = decltype(op(T(), T()));
  auto* out = static_cast<R*>(to);
  auto* a = static_cast<const T*>(from[0]);
  auto* b = static_cast<const T*>(from[1]);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = op(a[i], b[i]);
}

// For cheap operators, one operand that is the same for all needs no memory.
template <template <class> class F, class T>
void binary_repeated(void* to, const void* const* from, int64_t n, unsigned repeated, const void* params) {
  if (!repeated) return binary<F, T>(to, from, n, 0, params);
  const F<T> op = make<F<T>, T>(params);
  using R = decltype(op(T(), T()));
  auto* out = static_cast<R*>(to);
  auto* a = static_cast<const T*>(from[0]);
  auto* b = static_cast<const T*>(from[1]);
  if (repeated == 3) {
    R value = op(*a, *b);
    for (int64_t i = 0; i < n; ++i) out[i] = value;
  } else if (repeated == 1) {
    const T x = *a;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) out[i] = op(x, b[i]);
  } else {
    const T x = *b;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) out[i] = op(a[i], x);
  }
}

template <template <class> class F, class T, class A>
void ternary(void* to, const void* const* from, int64_t n, unsigned repeated, const void* params) {
  const F<T> op = make<F<T>, T>(params);
  auto* out = static_cast<T*>(to);
  auto* a = static_cast<const A*>(from[0]);
  auto* b = static_cast<const T*>(from[1]);
  auto* c = static_cast<const T*>(from[2]);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = op(a[i], b[i], c[i]);
}

inline void put(Pointwise op, Dtype compute, LoopFn fn, int inputs, bool takes_repeated, int cost) {
  Loop& loop = pointwise_loops[int(op)][int(compute)];
  loop.fn = fn;
  loop.out = pointwise_result(op, compute);
  for (int i = 0; i < inputs; ++i) loop.in[i] = compute;
  if (op == Pointwise::Where) loop.in[0] = Dtype::Bool;
  loop.takes_repeated = takes_repeated;
  loop.cost = cost;
}

// put_unary<scalar::Neg, float, double>(Pointwise::Neg)
template <template <class> class F, class... T>
void put_unary(Pointwise op, int cost = 1) {
  (put(op, TagOf<T>::value, unary<F, T>, 1, false, cost), ...);
}
template <template <class> class F, class... T>
void put_binary(Pointwise op, int cost = 1) {
  (put(op, TagOf<T>::value, binary<F, T>, 2, false, cost), ...);
}
template <template <class> class F, class... T>
void put_cheap(Pointwise op) {
  (put(op, TagOf<T>::value, binary_repeated<F, T>, 2, true, 1), ...);
}
template <template <class> class F, class... T>
void put_ternary(Pointwise op, int cost = 1) {
  (put(op, TagOf<T>::value, ternary<F, T, T>, 3, false, cost), ...);
}
template <class... T>
void put_where() {
  (put(Pointwise::Where, TagOf<T>::value, ternary<scalar::Where, T, uint8_t>, 3, false, 1), ...);
}

}  // namespace
}  // namespace tl::cpu
