#include "kernels/random.h"

#include "philox.h"
#include "runtime/walk.h"

namespace tl::cuda {
namespace {

// Four elements' worth of random bits: 32 of each from `a`, 32 more from `b`.
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
  int bits;  // of precision of the dtype
  bool is_double;
};

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
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    // As many bits as the dtype holds, so that nothing is rounded up to the end.
    double u = s.is_double ? r.unit(k) : double(r.a.w[k] >> (32 - s.bits)) * (1.0 / double(uint64_t(1) << s.bits));
    return s.a + u * (s.b - s.a);
  }
};
struct Normal {
  using Value = double;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    return s.a + s.b * normal_of(r, k, s.is_double);
  }
};
struct Integers {
  using Value = int64_t;
  TL_DEVICE int64_t operator()(const Shape& s, const Bits& r, int k, double) const {
    if (s.range == 0) return int64_t(r.wide(k));
    return int64_t(uint64_t(s.from) + (s.is_double ? r.wide(k) : r.a.w[k]) % s.range);
  }
};
struct Bernoulli {
  using Value = double;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const { return r.unit(k) < s.a; }
};
struct BernoulliTensor {
  using Value = double;
  TL_DEVICE double operator()(const Shape&, const Bits& r, int k, double p) const { return r.unit(k) < p; }
};
struct Exponential {
  using Value = double;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    return -::log(1 - r.unit(k)) / s.a;
  }
};
struct Geometric {
  using Value = double;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    double n = ::ceil(::log(1 - r.unit(k)) / ::log1p(-s.a));
    return n < 1 ? 1 : n;
  }
};
struct LogNormal {
  using Value = double;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    return ::exp(s.a + s.b * normal_of(r, k, s.is_double));
  }
};
struct Cauchy {
  using Value = double;
  TL_DEVICE double operator()(const Shape& s, const Bits& r, int k, double) const {
    return s.a + s.b * ::tan(3.14159265358979323846 * (r.unit(k) - 0.5));
  }
};

template <class D>
TL_KERNEL fill_kernel(char* out, Dtype dtype, const char* in, Dtype in_dtype, int64_t n, const Shape shape,
                      uint64_t seed, uint64_t offset, const Walk<2, int64_t> walk) {
  for (int64_t group = global_index(); group * 4 < n; group += global_size()) {
    Bits r{philox(seed, offset, 0, uint64_t(group)), philox(seed, offset, 1, uint64_t(group))};
    for (int k = 0; k < 4 && group * 4 + k < n; ++k) {
      int64_t at[2];
      walk.offsets(group * 4 + k, at);
      double p = in ? load_as<double>(in + at[1], in_dtype) : 0;
      store_as(out + at[0], dtype, typename D::Value(D()(shape, r, k, p)));
    }
  }
}

int precision(Dtype t) { return t == Dtype::Float16 ? 11 : t == Dtype::BFloat16 ? 8 : 24; }

template <class D>
void fill(const RandomArgs& a) {
  const Plan& p = a.plan;
  if (p.numel == 0) return;
  Launcher l(p.device);
  bool is_double = p.dtypes[0] == Dtype::Float64 || (a.wide && !is_floating(p.dtypes[0]));
  Shape shape{a.a, a.b, a.from, a.range, precision(p.dtypes[0]), is_double || a.wide};
  const char* in = std::is_same_v<D, BernoulliTensor> ? static_cast<const char*>(p.data[1]) : nullptr;
  uint64_t offset = a.generator->offset;
  a.generator->offset += 4;  // PyTorch's states are multiples of four
  launch({{blocks_for(p.numel, kThreads, 4)}, {kThreads}, 0, l.stream}, fill_kernel<D>, static_cast<char*>(p.data[0]),
         p.dtypes[0], in, p.dtypes[1], p.numel, shape, a.generator->initial_seed(), offset, Walk<2, int64_t>(p));
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
}  // namespace tl::cuda
