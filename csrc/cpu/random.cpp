#include "kernels/random.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <vector>

#include "core/parallel.h"
#include "cpu/loops.h"
#include "cpu/random_blocks.h"

// The distributions draw from the stream and transform exactly as PyTorch's do on the CPU; what looks arbitrary (24
// bits here, 53 there, which draw is the angle) is what makes the numbers the same. Sources: Box and Muller (1958) for
// normal numbers, W. Hörmann, "The transformed rejection method for generating Poisson random variables" (1993).

namespace tl::cpu {

RandomBlocks random_blocks;

namespace {

constexpr int64_t kChunk = 1024;
constexpr double kPi = 3.14159265358979323846;

// Steps through one operand of a plan, run by run.
class Walk {
 public:
  Walk(const Plan& plan, int operand)
      : plan_(plan), strides_(plan.strides[operand]), at_(static_cast<char*>(plan.data[operand])) {}

  // f(first element, count) for the runs that make up the next n elements.
  template <class F>
  void next(int64_t n, F f) {
    while (n > 0) {
      int64_t run = std::min(n, plan_.sizes[0] - index_[0]);
      f(at_ + index_[0] * strides_[0], run);
      n -= run;
      index_[0] += run;
      for (int d = 0; index_[d] == plan_.sizes[d] && d + 1 < plan_.ndim; ++d) {
        at_ -= d ? index_[d] * strides_[d] : 0;
        index_[d] = 0;
        at_ += strides_[d + 1];
        ++index_[d + 1];
      }
    }
  }

 private:
  const Plan& plan_;
  const int64_t* strides_;
  char* at_;
  int64_t index_[kPlanDims] = {};
};

bool flat(const Plan& p, int operand) {
  return p.ndim == 1 && (p.sizes[0] == 1 || p.strides[operand][0] == int64_t(itemsize(p.dtypes[operand])));
}

// Writes what produce(T* out, n) gives, n numbers after the other, to operand 0. `T` becomes the output's dtype.
template <class T, class Produce>
void emit(const RandomArgs& a, Dtype natural, Produce produce) {
  const Plan& p = a.plan;
  Dtype to = p.dtypes[0];
  if (flat(p, 0) && to == natural) return produce(static_cast<T*>(p.data[0]), p.numel);
  alignas(64) T made[kChunk];
  alignas(64) char converted[kChunk * 16];
  Walk out(p, 0);
  int width = log2_itemsize(to);
  for (int64_t left = p.numel; left > 0;) {
    int64_t n = std::min(left, kChunk);
    produce(made, n);
    const char* from = reinterpret_cast<const char*>(made);
    if (to != natural) {
      block_tools.convert[int(natural)][int(to)](converted, made, n);
      from = converted;
    }
    out.next(n, [&](char* at, int64_t run) {
      block_tools.scatter[width](at, from, run, p.strides[0][0]);
      from += run << width;
    });
    left -= n;
  }
}

// The next n elements of operand 1, as T.
template <class T>
void take(const Plan& p, Walk& walk, Dtype wanted, T* to, int64_t n) {
  alignas(64) char raw[kChunk * 16];
  char* at = raw;
  int width = log2_itemsize(p.dtypes[1]);
  walk.next(n, [&](const char* from, int64_t run) {
    block_tools.gather[width](at, from, run, p.strides[1][0]);
    at += run << width;
  });
  block_tools.convert[int(p.dtypes[1])][int(wanted)](to, raw, n);
}

// f(words, first, count) over chunks of `per` words for each of n numbers.
template <class F>
void with_words(Generator* g, int64_t n, int per, F f) {
  alignas(64) uint32_t words[2 * kChunk];
  for (int64_t i = 0; i < n; i += kChunk) {
    int64_t count = std::min(kChunk, n - i);
    random_blocks.draw(g->engine, words, count * per);
    f(words, i, count);
  }
}

void uniform_floats(Generator* g, float* out, int64_t n, float from, float to) {
  with_words(g, n, 1, [&](const uint32_t* w, int64_t i, int64_t count) {
    random_blocks.uniform32(out + i, w, count, from, to);
  });
}

void uniform_doubles(Generator* g, double* out, int64_t n, double from, double to) {
  with_words(g, n, 2, [&](const uint32_t* w, int64_t i, int64_t count) {
    random_blocks.uniform64(out + i, w, count, from, to);
  });
}

double uniform_double(Generator* g) { return double(g->random64() & ((uint64_t(1) << 53) - 1)) * 0x1p-53; }

template <class T>
void uniform_half(const RandomArgs& a) {
  float from = float(a.a), to = float(a.b);
  T low(from), high(to);
  emit<T>(a, a.plan.dtypes[0], [&](T* out, int64_t n) {
    alignas(64) float x[kChunk];
    for (int64_t i = 0; i < n; i += kChunk) {
      int64_t count = std::min(kChunk, n - i);
      uniform_floats(a.generator, x, count, from, to);
      for (int64_t k = 0; k < count; ++k) {
        T v(x[k]);
        out[i + k] = float(v) >= float(high) ? low : v;
      }
    }
  });
}

void uniform(const RandomArgs& a) {
  switch (a.plan.dtypes[0]) {
    case Dtype::Float16:
      return uniform_half<Half>(a);
    case Dtype::BFloat16:
      return uniform_half<BFloat16>(a);
    case Dtype::Float32:
      return emit<float>(a, Dtype::Float32,
                         [&](float* out, int64_t n) { uniform_floats(a.generator, out, n, float(a.a), float(a.b)); });
    default:
      return emit<double>(a, Dtype::Float64,
                          [&](double* out, int64_t n) { uniform_doubles(a.generator, out, n, a.a, a.b); });
  }
}

double normal_sample(Generator* g) {
  if (g->has_double_normal) {
    g->has_double_normal = false;
    return g->double_normal;
  }
  double u1 = uniform_double(g), u2 = uniform_double(g);
  double radius = std::sqrt(-2.0 * std::log1p(-u2)), angle = 2.0 * kPi * u1;
  g->double_normal = radius * std::sin(angle);
  g->has_double_normal = true;
  return radius * std::cos(angle);
}

void box_muller(double* d, double mean, double std) {
  for (int j = 0; j < 8; ++j) {
    double radius = std::sqrt(-2.0 * std::log(1.0 - d[j])), angle = 2.0 * kPi * d[j + 8];
    d[j] = std::fma(radius * std::cos(angle), std, mean);
    d[j + 8] = std::fma(radius * std::sin(angle), std, mean);
  }
}

// float32 and float64: all numbers are drawn first, and the last block, when it is not whole, is drawn again over the
// last 16 numbers.
void normal_floats(Generator* g, float* out, int64_t n, float mean, float std) {
  uniform_floats(g, out, n, 0, 1);
  parallel_for(n / 16, 512,
               [&](int64_t begin, int64_t end) { random_blocks.box_muller(out + 16 * begin, end - begin, mean, std); });
  if (n % 16) {
    uniform_floats(g, out + n - 16, 16, 0, 1);
    random_blocks.box_muller(out + n - 16, 1, mean, std);
  }
}

void normal_doubles(Generator* g, double* out, int64_t n, double mean, double std) {
  uniform_doubles(g, out, n, 0, 1);
  parallel_for(n / 16, 64, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) box_muller(out + 16 * b, mean, std);
  });
  if (n % 16) {
    uniform_doubles(g, out + n - 16, 16, 0, 1);
    box_muller(out + n - 16, mean, std);
  }
}

// Half types: blocks are drawn one by one in float32, the last 16 numbers anew.
template <class T>
void normal_halves(Generator* g, T* out, int64_t n, float mean, float std) {
  alignas(64) float x[kChunk];
  auto block = [&](int64_t at, int64_t count) {
    uniform_floats(g, x, count, 0, 1);
    random_blocks.box_muller(x, count / 16, mean, std);
    for (int64_t k = 0; k < count; ++k) out[at + k] = T(x[k]);
  };
  int64_t whole = n / 16 * 16;
  for (int64_t i = 0; i < whole; i += kChunk) block(i, std::min(kChunk, whole - i));
  if (n != whole) block(n - 16, 16);
}

void normal(const RandomArgs& a) {
  Generator* g = a.generator;
  const Plan& p = a.plan;
  if (a.row_major && p.numel >= 16) {
    switch (p.dtypes[0]) {
      case Dtype::Float16:
        return normal_halves(g, static_cast<Half*>(p.data[0]), p.numel, float(a.a), float(a.b));
      case Dtype::BFloat16:
        return normal_halves(g, static_cast<BFloat16*>(p.data[0]), p.numel, float(a.a), float(a.b));
      case Dtype::Float32:
        return normal_floats(g, static_cast<float*>(p.data[0]), p.numel, float(a.a), float(a.b));
      default:
        return normal_doubles(g, static_cast<double*>(p.data[0]), p.numel, a.a, a.b);
    }
  }
  emit<double>(a, Dtype::Float64, [&](double* out, int64_t n) {
    for (int64_t i = 0; i < n; ++i) out[i] = std::fma(normal_sample(g), a.b, a.a);
  });
}

void integers(const RandomArgs& a) {
  Generator* g = a.generator;
  if (a.wide) {
    return emit<int64_t>(a, Dtype::Int64, [&](int64_t* out, int64_t n) {
      with_words(g, n, 2, [&](const uint32_t* w, int64_t i, int64_t count) {
        for (int64_t k = 0; k < count; ++k) {
          uint64_t v = (uint64_t(w[2 * k]) << 32) | w[2 * k + 1];
          out[i + k] = int64_t(a.range ? v % a.range + uint64_t(a.from) : v);
        }
      });
    });
  }
  bool fits32 = a.from >= INT32_MIN && a.from <= INT32_MAX && a.range < (uint64_t(1) << 28) &&
                a.from + int64_t(a.range) <= INT32_MAX;
  if (fits32 && a.plan.dtypes[0] != Dtype::Int64) {
    return emit<int32_t>(a, Dtype::Int32, [&](int32_t* out, int64_t n) {
      with_words(g, n, 1, [&](const uint32_t* w, int64_t i, int64_t count) {
        random_blocks.below32(out + i, w, count, uint32_t(a.range), int32_t(a.from));
      });
    });
  }
  emit<int64_t>(a, Dtype::Int64, [&](int64_t* out, int64_t n) {
    with_words(g, n, 1, [&](const uint32_t* w, int64_t i, int64_t count) {
      if (a.range < (uint64_t(1) << 28)) return random_blocks.below(out + i, w, count, uint32_t(a.range), a.from);
      for (int64_t k = 0; k < count; ++k) out[i + k] = int64_t(w[k] % a.range) + a.from;
    });
  });
}

void bernoulli(const RandomArgs& a) {
  // u * 2^-53 < p exactly when u < ceil(p * 2^53).
  uint64_t bound = uint64_t(std::ceil(a.a * 0x1p53));
  emit<uint8_t>(a, Dtype::Bool, [&](uint8_t* out, int64_t n) {
    with_words(a.generator, n, 2,
               [&](const uint32_t* w, int64_t i, int64_t count) { random_blocks.less(out + i, w, count, bound); });
  });
}

template <class P>
void bernoulli_each(const RandomArgs& a, Dtype probability) {
  Walk in(a.plan, 1);
  emit<uint8_t>(a, Dtype::Bool, [&](uint8_t* out, int64_t n) {
    alignas(64) P p[kChunk], u[kChunk];
    for (int64_t i = 0; i < n; i += kChunk) {
      int64_t count = std::min(kChunk, n - i);
      take(a.plan, in, probability, p, count);
      if constexpr (std::is_same_v<P, double>)
        uniform_doubles(a.generator, u, count, 0, 1);
      else
        uniform_floats(a.generator, u, count, 0, 1);
      for (int64_t k = 0; k < count; ++k) {
        check(p[k] >= 0 && p[k] <= 1,
              "Expected p_in >= 0 && p_in <= 1 to be true, but got false. bernoulli takes "
              "probabilities between 0 and 1; one is ",
              p[k], ".");
        out[i + k] = u[k] < p[k];
      }
    }
  });
}

void bernoulli_tensor(const RandomArgs& a) {
  if (a.plan.dtypes[1] == Dtype::Float64)
    bernoulli_each<double>(a, Dtype::Float64);
  else
    bernoulli_each<float>(a, Dtype::Float32);
}

// One 53-bit number each, transformed.
template <class F>
void transform(const RandomArgs& a, F f) {
  emit<double>(a, Dtype::Float64, [&](double* out, int64_t n) {
    uniform_doubles(a.generator, out, n, 0, 1);
    parallel_for(n, 2048, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = f(out[i]);
    });
  });
}

void exponential(const RandomArgs& a) {
  double scale = -1.0 / a.a;
  transform(a, [=](double u) { return scale * std::log1p(-u); });
}

void geometric(const RandomArgs& a) {
  double log_miss = std::log1p(-a.a);
  transform(a, [=](double u) { return std::ceil(std::log(u) / log_miss); });
}

void cauchy(const RandomArgs& a) {
  transform(a, [&](double u) { return std::fma(std::tan(kPi * (u - 0.5)), a.b, a.a); });
}

void log_normal(const RandomArgs& a) {
  emit<double>(a, Dtype::Float64, [&](double* out, int64_t n) {
    for (int64_t i = 0; i < n; ++i) out[i] = std::exp(std::fma(normal_sample(a.generator), a.b, a.a));
  });
}

double poisson_sample(Generator* g, double rate) {
  if (rate >= 10) {
    double root = std::sqrt(rate), log_rate = std::log(rate);
    double b = 0.931 + 2.53 * root, slope = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2.0);
    for (;;) {
      double u = uniform_double(g) - 0.5, v = uniform_double(g);
      double us = 0.5 - std::fabs(u);
      double k = std::floor((2.0 * slope / us + b) * u + rate + 0.43);
      if (us >= 0.07 && v <= v_r) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      if (std::log(v) + std::log(inverse_alpha) - std::log(slope / (us * us) + b) <=
          -rate + k * log_rate - std::lgamma(k + 1.0))
        return k;
    }
  }
  if (rate == 0) return 0;
  double floor = std::exp(-rate), product = 1;
  for (double k = 0;; ++k) {
    product *= uniform_double(g);
    if (!(product > floor)) return k;
  }
}

void poisson(const RandomArgs& a) {
  Walk in(a.plan, 1);
  emit<double>(a, Dtype::Float64, [&](double* out, int64_t n) {
    for (int64_t i = 0; i < n; i += kChunk) {
      int64_t count = std::min(kChunk, n - i);
      take(a.plan, in, Dtype::Float64, out + i, count);
      for (int64_t k = i; k < i + count; ++k) {
        check(out[k] >= 0, "invalid Poisson rate, expected rate to be non-negative");
        out[k] = poisson_sample(a.generator, out[k]);
      }
    }
  });
}

// Shuffles from the front (Fisher and Yates; Durstenfeld).
template <class T>
void shuffle(T* p, int64_t n, Generator* g) {
  std::iota(p, p + n, T(0));
  if (n < int64_t(UINT32_MAX / 20)) {
    with_words(g, std::max<int64_t>(n - 1, 0), 1, [&](const uint32_t* w, int64_t i, int64_t count) {
      for (int64_t k = 0; k < count; ++k) std::swap(p[i + k], p[i + k + w[k] % uint32_t(n - i - k)]);
    });
  } else {
    for (int64_t i = 0; i < n - 1; ++i) std::swap(p[i], p[i + int64_t(g->random64() % uint64_t(n - i))]);
  }
}

void randperm(void* out, Dtype dtype, int64_t n, Generator* g) {
  auto through = [&]<class T>(Dtype own) {
    if (dtype == own) return shuffle(static_cast<T*>(out), n, g);
    std::vector<T> p((size_t(n)));
    shuffle(p.data(), n, g);
    block_tools.convert[int(own)][int(dtype)](out, p.data(), n);
  };
  // Half the bytes for the caches to hold.
  if (n <= INT32_MAX)
    through.template operator()<int32_t>(Dtype::Int32);
  else
    through.template operator()<int64_t>(Dtype::Int64);
}

// Inverse of the cumulative distribution, which is summed in float32 or float64.
template <class T>
void sample_rows(const MultinomialArgs& a) {
  using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;
  std::vector<Real> cumulative((size_t(a.categories)));
  for (int64_t r = 0; r < a.rows; ++r) {
    const T* w = static_cast<const T*>(a.weights) + r * a.categories;
    Real sum = 0;
    for (int64_t c = 0; c < a.categories; ++c) cumulative[size_t(c)] = sum += Real(w[c]);
    for (Real& c : cumulative) c /= sum;
    cumulative.back() = 1;
    for (int64_t s = 0; s < a.samples; ++s) {
      double u = uniform_double(a.generator);
      auto at =
          std::lower_bound(cumulative.begin(), cumulative.end(), u, [](Real c, double v) { return double(c) < v; });
      a.out[r * a.samples + s] = at - cumulative.begin();
    }
  }
}

// Without replacement: the categories of the largest weight / exponential(1), a race in which each category's time is
// exponential with its weight as the rate.
template <class T>
void race_rows(const MultinomialArgs& a) {
  // Half types round after each step.
  using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;
  std::vector<Real> key((size_t(a.categories)));
  std::vector<int64_t> order((size_t(a.categories)));
  for (int64_t r = 0; r < a.rows; ++r) {
    const T* w = static_cast<const T*>(a.weights) + r * a.categories;
    for (int64_t c = 0; c < a.categories; ++c) {
      T time = T(Real(-std::log1p(-uniform_double(a.generator))));
      key[size_t(c)] = Real(T(Real(w[c]) / Real(time)));
    }
    std::iota(order.begin(), order.end(), int64_t(0));
    std::partial_sort(order.begin(), order.begin() + a.samples, order.end(), [&](int64_t x, int64_t y) {
      Real kx = key[size_t(x)], ky = key[size_t(y)];
      return kx != ky ? kx > ky : x < y;
    });
    std::copy_n(order.begin(), a.samples, a.out + r * a.samples);
  }
}

template <class T>
void multinomial_of(const MultinomialArgs& a) {
  const T* w = static_cast<const T*>(a.weights);
  for (int64_t r = 0; r < a.rows; ++r) {
    double sum = 0;
    for (int64_t c = 0; c < a.categories; ++c) {
      double v = double(float(w[r * a.categories + c]));
      if constexpr (std::is_same_v<T, double>) v = w[r * a.categories + c];
      check(v >= 0 && !std::isinf(v), "probability tensor contains either `inf`, `nan` or element < 0");
      sum += v;
    }
    check(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
  }
  if (!a.replacement || a.samples == 1)
    race_rows<T>(a);
  else
    sample_rows<T>(a);
}

void multinomial(const MultinomialArgs& a) {
  switch (a.dtype) {
    case Dtype::Float16:
      return multinomial_of<Half>(a);
    case Dtype::BFloat16:
      return multinomial_of<BFloat16>(a);
    case Dtype::Float32:
      return multinomial_of<float>(a);
    default:
      return multinomial_of<double>(a);
  }
}

template <class T>
void affine_run(void* out, const void* const* in, int64_t n, unsigned, const void*) {
  auto* o = static_cast<T*>(out);
  auto *x = static_cast<const T*>(in[0]), *scale = static_cast<const T*>(in[1]), *shift = static_cast<const T*>(in[2]);
  for (int64_t i = 0; i < n; ++i) o[i] = x[i] * scale[i] + shift[i];
}

void affine(const Plan& p) {
  Dtype t = p.dtypes[0] == Dtype::Float64 ? Dtype::Float64 : Dtype::Float32;
  run(p, {t == Dtype::Float64 ? affine_run<double> : affine_run<float>, t, {t, t, t}, false}, nullptr);
}

[[maybe_unused]] const bool filled = [] {
  random_kernels[int(DeviceType::CPU)] = {uniform,     normal,      integers,   bernoulli, bernoulli_tensor,
                                          exponential, geometric,   log_normal, cauchy,    poisson,
                                          randperm,    multinomial, affine};
  return true;
}();

}  // namespace
}  // namespace tl::cpu
