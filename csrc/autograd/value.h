#pragma once

#include "core/small.h"
#include "ops/types.h"

namespace tl {

class Generator;

// An operator's argument in a form that the parser, the recorder and the derivatives share. Borrows what it points to.
struct Value {
  enum class Tag : uint8_t { None, Tensor, Tensors, Bool, Int, Float, Scalar, Ints, Dtype, Device, String, Generator };

  Tag tag = Tag::None;
  bool inplace = false;  // of `out`: it is the first argument
  uint32_t size = 0;     // of a list or string
  union {
    const tl::Tensor* tensor;
    const tl::Tensor* tensors;
    bool b;
    int64_t i;
    double d;
    tl::Scalar scalar;
    const int64_t* ints;
    tl::Dtype dtype;
    tl::Device device;
    const char* chars;
    tl::Generator* generator;
  };

  Value() : tensor(nullptr) {}
  Value(std::nullptr_t) : tensor(nullptr) {}
  Value(const tl::Tensor& t) : tag(t.defined() ? Tag::Tensor : Tag::None), tensor(&t) {}
  Value(TensorSpan v) : tag(Tag::Tensors), size(uint32_t(v.size())), tensors(v.data()) {}
  Value(bool v) : tag(Tag::Bool), b(v) {}
  Value(int v) : tag(Tag::Int), i(v) {}
  Value(int64_t v) : tag(Tag::Int), i(v) {}
  Value(double v) : tag(Tag::Float), d(v) {}
  Value(const tl::Scalar& v) : tag(Tag::Scalar), scalar(v) {}
  Value(tl::Ints v) : tag(Tag::Ints), size(uint32_t(v.size())), ints(v.data()) {}
  Value(tl::Dtype v) : tag(Tag::Dtype), dtype(v) {}
  Value(tl::Device v) : tag(Tag::Device), device(v) {}

  bool is_none() const { return tag == Tag::None; }
  TensorSpan tensor_list() const { return {tensors, size}; }
  tl::Ints int_list() const { return {ints, size}; }
};

using Results = Small<Tensor, 3>;

namespace detail {

inline const Tensor undefined_tensor;

// Value -> C++ parameter. One specialisation for each type that an operator may take (the contract of ops/).
template <class T>
struct Unbox;
template <>
struct Unbox<const Tensor&> {
  static const Tensor& get(const Value& v) { return v.is_none() ? undefined_tensor : *v.tensor; }
};
template <>
struct Unbox<const Out&> {
  static Out get(const Value& v) { return v.is_none() ? Out{} : Out{*v.tensor, v.inplace}; }
};
template <>
struct Unbox<TensorSpan> {
  static TensorSpan get(const Value& v) { return v.is_none() ? TensorSpan{} : v.tensor_list(); }
};
template <>
struct Unbox<const Scalar&> {
  static const Scalar& get(const Value& v) { return v.scalar; }
};
template <>
struct Unbox<const Scalar*> {
  static const Scalar* get(const Value& v) { return v.is_none() ? nullptr : &v.scalar; }
};
template <>
struct Unbox<int64_t> {
  static int64_t get(const Value& v) { return v.i; }
};
template <>
struct Unbox<double> {
  static double get(const Value& v) { return v.d; }
};
template <>
struct Unbox<bool> {
  static bool get(const Value& v) { return v.b; }
};
template <>
struct Unbox<Ints> {
  static Ints get(const Value& v) { return v.int_list(); }
};
template <>
struct Unbox<MemoryFormat> {
  static MemoryFormat get(const Value& v) { return MemoryFormat(v.i); }
};
template <>
struct Unbox<Dtype> {
  static Dtype get(const Value& v) { return v.dtype; }
};
template <>
struct Unbox<Device> {
  static Device get(const Value& v) { return v.device; }
};
template <>
struct Unbox<std::string_view> {
  static std::string_view get(const Value& v) { return {v.chars, v.size}; }
};
template <>
struct Unbox<Generator*> {
  static Generator* get(const Value& v) { return v.is_none() ? nullptr : v.generator; }
};
template <class T>
struct Unbox<std::optional<T>> {
  static std::optional<T> get(const Value& v) {
    if (v.is_none()) return std::nullopt;
    return Unbox<T>::get(v);
  }
};
template <class T>
struct Unbox<const std::optional<T>&> : Unbox<std::optional<T>> {};

inline void collect(Results& out, Tensor&& t) { out.push_back(std::move(t)); }
inline void collect(Results& out, std::vector<Tensor>&& v) {
  for (Tensor& t : v) out.push_back(std::move(t));
}
template <class... T>
void collect(Results& out, std::tuple<T...>&& v) {
  std::apply([&](auto&... t) { (collect(out, std::move(t)), ...); }, v);
}
// Operators that answer a question give a bool as a 0-dim tensor; the binding makes a Python bool of it.
TL_API Tensor answer(bool v);
inline void collect(Results& out, bool v) { out.push_back(answer(v)); }

template <auto F, class R, class... A, size_t... I>
void invoke(const Value* args, Results& out, R (*)(A...), std::index_sequence<I...>) {
  if constexpr (std::is_void_v<R>)
    F(Unbox<A>::get(args[I])...);
  else
    collect(out, F(Unbox<A>::get(args[I])...));
}

template <class R, class... A>
constexpr size_t arity(R (*)(A...)) {
  return sizeof...(A);
}

}  // namespace detail

using BoxedFn = void (*)(const Value* args, Results& out);

// The boxed form of an operator function.
template <auto F>
void boxed(const Value* args, Results& out) {
  detail::invoke<F>(args, out, F, std::make_index_sequence<detail::arity(F)>{});
}

}  // namespace tl
