#include "kernels/random.h"

#include "philox.h"
#include "runtime/walk.h"

namespace tl::cuda {
namespace {

// Four elements' worth of random bits: 32 of each from `a`, 32 more from `b` where a distribution asks for them.
struct Bits {
  Words a, b;
  TL_DEVICE uint64_t wide(int k) const { return uint64_t(a.w[k]) << 32 | b.w[k]; }
  TL_DEVICE double unit(int k) const { return double(wide(k) >> 11) * 0x1p-53; }  // [0, 1)
};

// What RandomArgs asks for, as values for a kernel. Every distribution is a function of an element's bits.
struct Shape {
  double a, b;
  int64_t from;
  uint64_t range;
  int bits;   // of precision of the dtype
  float end;  // b in a dtype that is no float64
  bool is_double;
};

// How many bits of an element a distribution looks at.
enum class Draws { ByDtype, Wide, WideAtTheEdge };

// Standard normal numbers in pairs (Box and Muller, 1958).
TL_DEVICE double normal_of(const Bits& r, int k, bool is_double) {
  int first = k & ~1;
  if (is_double) {
    double radius = ::sqrt(-2 * ::log(1 - r.unit(first))), angle = 6.283185307179586477 * r.unit(first + 1);
    return radius * (k & 1 ? ::sin(angle) : ::cos(angle));
  }
  float u = float((r.a.w[first] >> 8) + 1) * 0x1p-24f, v = float(r.a.w[first + 1] >> 8) * 0x1p-24f;
  float radius = ::sqrtf(-2 * ::logf(u)), angle = 6.283185307f * v;
  return radius * (k & 1 ? ::sinf(angle) : ::cosf(angle));
}

struct Uniform {
  using Value = double;
  static constexpr Draws kDraws = Draws::ByDtype;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    // As many bits as the dtype holds, so that nothing is rounded up to the end.
    double u = s.is_double ? r.unit(k) : double(r.a.w[k] >> (32 - s.bits)) * (1.0 / double(uint64_t(1) << s.bits));
    double v = s.a + u * (s.b - s.a);
    if (s.is_double) return v < s.b ? v : s.a;
    // What the dtype rounds up to the end, which is no such number, becomes the beginning.
    float stored = float(v);
    if (s.bits == 11) stored = widen(narrow<Half>(stored));
    if (s.bits == 8) stored = widen(narrow<BFloat16>(stored));
    return stored < s.end ? v : s.a;
  }
};
struct Normal {
  using Value = double;
  static constexpr Draws kDraws = Draws::ByDtype;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    return s.a + s.b * normal_of(r, k, s.is_double);
  }
};
struct Integers {
  using Value = int64_t;
  static constexpr Draws kDraws = Draws::ByDtype;
  TL_DEVICE int64_t operator()(const Shape& s, const Bits& r, int k, double) const {
    if (s.range == 0) return int64_t(r.wide(k));
    return int64_t(uint64_t(s.from) + (s.is_double ? r.wide(k) : r.a.w[k]) % s.range);
  }
};
struct Bernoulli {
  using Value = double;
  static constexpr Draws kDraws = Draws::WideAtTheEdge;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const { return r.unit(k) < s.a; }
};
struct BernoulliTensor {
  using Value = double;
  static constexpr Draws kDraws = Draws::Wide;
  TL_DEVICE double operator()(const Shape&, const Bits& r, int k, double p) const { return r.unit(k) < p; }
};
struct Exponential {
  using Value = double;
  static constexpr Draws kDraws = Draws::Wide;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    return -::log(1 - r.unit(k)) / s.a;
  }
};
struct Geometric {
  using Value = double;
  static constexpr Draws kDraws = Draws::Wide;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    double n = ::ceil(::log(1 - r.unit(k)) / ::log1p(-s.a));
    return n < 1 ? 1 : n;
  }
};
struct LogNormal {
  using Value = double;
  static constexpr Draws kDraws = Draws::ByDtype;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    return ::exp(s.a + s.b * normal_of(r, k, s.is_double));
  }
};
struct Cauchy {
  using Value = double;
  static constexpr Draws kDraws = Draws::Wide;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    return s.a + s.b * ::tan(3.14159265358979323846 * (r.unit(k) - 0.5));
  }
};

// Whether the lower 32 bits of an element matter for its being below p.
TL_DEVICE bool on_the_edge(uint32_t bits, double p) {
  double least = double(bits) * 0x1p-32;
  return least < p && p < least + 0x1p-32;
}

// Four elements in a row.
template <class V>
TL_DEVICE void store_four(char* p, Dtype t, int64_t width, const V (&v)[4]) {
  if (t == Dtype::Float32) {
    Pack<float, 4> pack;
    for (int k = 0; k < 4; ++k) pack.v[k] = convert<float>(v[k]);
    *reinterpret_cast<Pack<float, 4>*>(p) = pack;
  } else if (t == Dtype::Float16 || t == Dtype::BFloat16) {
    Pack<uint16_t, 4> pack;
    for (int k = 0; k < 4; ++k)
      pack.v[k] = t == Dtype::Float16 ? convert<Half>(v[k]).bits : convert<BFloat16>(v[k]).bits;
    *reinterpret_cast<Pack<uint16_t, 4>*>(p) = pack;
  } else {
    for (int k = 0; k < 4; ++k) store_as(p + k * width, t, v[k]);
  }
}

// `packed`: the output lies in a row, at an address that four elements may be written to at once.
template <class D>
TL_KERNEL fill_kernel(char* out, Dtype dtype, bool packed, const char* in, Dtype in_dtype, int64_t n, const Shape shape,
                      const PhiloxState state, const Walk<2, int64_t> walk) {
  const auto [seed, offset, _] = state.now();
  for (int64_t group = global_index(); group * 4 < n; group += global_size()) {
    Bits r{philox(seed, offset, 0, uint64_t(group)), {}};
    bool wide = D::kDraws == Draws::Wide || shape.is_double;
    if constexpr (D::kDraws == Draws::WideAtTheEdge) {
      wide = false;
      for (int k = 0; k < 4; ++k) wide = wide || on_the_edge(r.a.w[k], shape.a);
    }
    if (wide) r.b = philox(seed, offset, 1, uint64_t(group));
    if (packed && group * 4 + 4 <= n) {
      typename D::Value v[4];
      for (int k = 0; k < 4; ++k) v[k] = D()(shape, r, k, 0);
      store_four(out + group * 4 * walk.strides[0][0], dtype, walk.strides[0][0], v);
      continue;
    }
    for (int k = 0; k < 4 && group * 4 + k < n; ++k) {
      int64_t at[2];
      walk.offsets(group * 4 + k, at);
      double p = in ? load_as<double>(in + at[1], in_dtype) : 0;
      store_as(out + at[0], dtype, typename D::Value(D()(shape, r, k, p)));
    }
  }
}

int precision(Dtype t) { return t == Dtype::Float16 ? 11 : t == Dtype::BFloat16 ? 8 : 24; }
float rounded(double x, Dtype t) {
  return t == Dtype::Float16 ? float(Half(float(x))) : t == Dtype::BFloat16 ? float(BFloat16(float(x))) : float(x);
}

template <class D>
void fill(const RandomArgs& a) {
  const Plan& p = a.plan;
  if (p.numel == 0) return;
  Launcher l(p.device);
  Dtype dtype = p.dtypes[0];
  bool is_double = dtype == Dtype::Float64 || a.wide || (std::is_same_v<D, Integers> && a.range == 0);
  Shape shape{a.a, a.b, a.from, a.range, precision(dtype), rounded(a.b, dtype), is_double};
  const char* in = std::is_same_v<D, BernoulliTensor> ? static_cast<const char*>(p.data[1]) : nullptr;
  auto width = int64_t(itemsize(dtype));
  bool packed =
      !in && p.ndim == 1 && p.strides[0][0] == width && reinterpret_cast<uintptr_t>(p.data[0]) % (4 * width) == 0;
  launch({{blocks_for(p.numel, kThreads, 4)}, {kThreads}, 0, l.stream}, fill_kernel<D>, static_cast<char*>(p.data[0]),
         dtype, packed, in, p.dtypes[1], p.numel, shape, take_philox(a.generator, l.stream), Walk<2, int64_t>(p));
}

TL_KERNEL affine_kernel(char* out, Dtype dtype, const char* x, Dtype x_dtype, const char* y, Dtype y_dtype,
                        const char* z, Dtype z_dtype, int64_t n, const Walk<4, int64_t> walk) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    int64_t at[4];
    walk.offsets(i, at);
    double v =
        load_as<double>(x + at[1], x_dtype) * load_as<double>(y + at[2], y_dtype) + load_as<double>(z + at[3], z_dtype);
    store_as(out + at[0], dtype, v);
  }
}

void affine(const Plan& p) {
  if (p.numel == 0) return;
  Launcher l(p.device);
  auto in = [&](int i) { return static_cast<const char*>(p.data[i]); };
  launch({{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream}, affine_kernel, static_cast<char*>(p.data[0]),
         p.dtypes[0], in(1), p.dtypes[1], in(2), p.dtypes[2], in(3), p.dtypes[3], p.numel, Walk<4, int64_t>(p));
}

TL_KERNEL write_state(uint64_t* state, uint64_t seed, uint64_t offset) {
  state[0] = seed;
  state[1] = offset;
}

[[maybe_unused]] const bool filled = [] {
  RandomKernels& k = random_kernels[int(DeviceType::CUDA)];
  k.uniform = fill<Uniform>;
  k.normal = fill<Normal>;
  k.integers = fill<Integers>;
  k.bernoulli = fill<Bernoulli>;
  k.bernoulli_tensor = fill<BernoulliTensor>;
  k.exponential = fill<Exponential>;
  k.geometric = fill<Geometric>;
  k.log_normal = fill<LogNormal>;
  k.cauchy = fill<Cauchy>;
  k.affine = affine;
  return true;
}();

}  // namespace

void set_philox(uint64_t* state, uint64_t seed, uint64_t offset, Stream stream) {
  launch({{1}, {1}, 0, stream}, write_state, state, seed, offset);
}

}  // namespace tl::cuda
