// The part of the random family that chooses: how many, in which order, which ones.

#include "kernels/random.h"
#include "kernels/scan.h"
#include "philox.h"
#include "radix_sort.h"

namespace tl::cuda {
namespace {

// What kernels say of their arguments. The error must be raised here and now: the host waits for the answer.
int64_t answer(const WorkArray<int64_t>& from, const Launcher& l) {
  int64_t value = 0;
  driver::copy(&value, from.data(), sizeof(value), driver::CopyKind::DeviceToHost, l.stream);
  driver::synchronize_stream(l.stream);
  return value;
}

// ---- Poisson ----

// Below 10 by counting (Knuth), from there by transformed rejection (Hörmann, 1993).
TL_DEVICE double poisson_of(double rate, DrawStream& draws) {
  if (rate >= 10) {
    const double root = ::sqrt(rate), log_rate = ::log(rate);
    const double b = 0.931 + 2.53 * root, slope = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), limit = 0.9277 - 3.6224 / (b - 2.0);
    while (!draws.spent()) {
      const double u = draws.unit() - 0.5, v = draws.unit(), us = 0.5 - ::fabs(u);
      const double k = ::floor((2.0 * slope / us + b) * u + rate + 0.43);
      if (us >= 0.07 && v <= limit) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      if (::log(v) + ::log(inverse_alpha) - ::log(slope / (us * us) + b) <= -rate + k * log_rate - ::lgamma(k + 1.0))
        return k;
    }
    return ::floor(rate);
  }
  if (rate == 0) return 0;
  const double floor = ::exp(-rate);
  double product = 1, k = 0;
  for (;; ++k) {
    product *= draws.unit();
    if (!(product > floor) || draws.spent()) return k;
  }
}

TL_KERNEL poisson_kernel(char* out, Dtype dtype, const char* in, Dtype in_dtype, int64_t n, const PhiloxState state,
                         const Walk<2, int64_t> walk, int64_t* invalid) {
  const auto [seed, offset, _] = state.now();
  for (int64_t i = global_index(); i < n; i += global_size()) {
    int64_t at[2];
    walk.offsets(i, at);
    const double rate = load_as<double>(in + at[1], in_dtype);
    if (!(rate >= 0)) {
      atomic_max(invalid, int64_t(1));
      continue;
    }
    DrawStream draws(seed, offset, uint64_t(i));
    store_as(out + at[0], dtype, poisson_of(rate, draws));
  }
}

void poisson(const RandomArgs& a) {
  const Plan& p = a.plan;
  if (p.numel == 0) return;
  Launcher l(p.device);
  WorkArray<int64_t> invalid(l, 1);
  invalid.zero(l);
  launch({{blocks_for(p.numel, kThreads)}, {kThreads}, 0, l.stream}, poisson_kernel, static_cast<char*>(p.data[0]),
         p.dtypes[0], static_cast<const char*>(p.data[1]), p.dtypes[1], p.numel, take_philox(a.generator, l.stream),
         Walk<2, int64_t>(p), invalid.data());
  check(!answer(invalid, l), "invalid Poisson rate, expected rate to be non-negative");
}

// ---- permutations ----

template <class K>
TL_KERNEL draw_keys(K* keys, int64_t n, const PhiloxState state) {
  const auto [seed, offset, _] = state.now();
  constexpr int each = 16 / int(sizeof(K));
  for (int64_t group = global_index(); group * each < n; group += global_size()) {
    const Words r = philox(seed, offset, 0, uint64_t(group));
    TL_UNROLL
    for (int k = 0; k < each; ++k) {
      if (group * each + k >= n) break;
      if constexpr (sizeof(K) == 4)
        keys[group * each + k] = r.w[k];
      else
        keys[group * each + k] = uint64_t(r.w[2 * k]) << 32 | r.w[2 * k + 1];
    }
  }
}

// Sorting left those of equal keys in their order: they are shuffled (Fisher and Yates; Durstenfeld), so that every
// permutation is as likely as any other.
template <class K>
TL_KERNEL shuffle_equals(const K* sorted, int64_t* order, int64_t n, const PhiloxState state) {
  const auto [seed, offset, _] = state.now();
  for (int64_t i = global_index(); i + 1 < n; i += global_size()) {
    if (sorted[i] != sorted[i + 1] || (i > 0 && sorted[i - 1] == sorted[i])) continue;
    int64_t end = i + 2;
    while (end < n && sorted[end] == sorted[i]) ++end;
    DrawStream draws(seed, offset + 1, uint64_t(i));
    for (int64_t k = end - 1; k > i; --k) {
      const int64_t with = i + int64_t(draws.bits() % uint64_t(k - i + 1)), moved = order[with];
      order[with] = order[k];
      order[k] = moved;
    }
  }
}

TL_KERNEL write_order(char* out, Dtype dtype, size_t width, const int64_t* order, int64_t n) {
  for (int64_t i = global_index(); i < n; i += global_size()) store_as(out + i * int64_t(width), dtype, order[i]);
}

template <class K>
void permute(int64_t* order, int64_t n, Generator* g, const Launcher& l) {
  const PhiloxState state = take_philox(g, l.stream);
  WorkArray<K> keys(l, n), sorted(l, n);
  launch({{blocks_for(n, kThreads, 4)}, {kThreads}, 0, l.stream}, draw_keys<K>, keys.data(), n, state);
  sort_lines({keys.data(), sizeof(K) == 4 ? Dtype::Int32 : Dtype::Int64, 1, n, false, sorted.data(), order}, l);
  launch({{blocks_for(n, kThreads)}, {kThreads}, 0, l.stream}, shuffle_equals<K>, sorted.data(), order, n, state);
}

void randperm(void* out, Dtype dtype, int64_t n, Generator* g) {
  if (n == 0) return;
  Launcher l = Launcher::of(out);
  const bool direct = dtype == Dtype::Int64;
  WorkArray<int64_t> spare(l, direct ? 0 : n);
  int64_t* order = direct ? static_cast<int64_t*>(out) : spare.data();
  if (n < int64_t(1) << 24)  // few enough have equal keys
    permute<uint32_t>(order, n, g, l);
  else
    permute<uint64_t>(order, n, g, l);
  if (!direct)
    launch({{blocks_for(n, kThreads)}, {kThreads}, 0, l.stream}, write_order, static_cast<char*>(out), dtype,
           itemsize(dtype), order, n);
}

// ---- choices by weight ----

// The first row that is not a distribution: 2 * row for a weight that is none, 2 * row + 1 for nothing but zeros. A
// block looks at a row.
TL_KERNEL check_weights(const char* weights, Dtype dtype, size_t width, int64_t rows, int64_t categories,
                        int64_t* first) {
  for (int64_t row = block_index().x; row < rows; row += grid_size().x) {
    bool bad = false, some = false;
    for (int64_t c = thread_index().x; c < categories; c += kThreads) {
      const double w = load_as<double>(weights + (row * categories + c) * int64_t(width), dtype);
      bad |= !(w >= 0 && w < __builtin_inf());
      some |= w > 0;
    }
    const int wrong = sync_block_count(bad), positive = sync_block_count(some);
    if (thread_index().x == 0 && (wrong || !positive)) atomic_min(first, 2 * row + (wrong ? 0 : 1));
  }
}

TL_KERNEL widen_weights(const char* weights, Dtype dtype, size_t width, int64_t n, double* out) {
  for (int64_t i = global_index(); i < n; i += global_size())
    out[i] = load_as<double>(weights + i * int64_t(width), dtype);
}

// Each sample is the first category whose cumulative weight exceeds a number drawn below the sum.
TL_KERNEL sample_rows(const MultinomialArgs a, size_t width, const double* cumulative, const PhiloxState state) {
  const auto [seed, offset, _] = state.now();
  const char* weights = static_cast<const char*>(a.weights);
  for (int64_t i = global_index(); i < a.rows * a.samples; i += global_size()) {
    const int64_t row = i / a.samples, base = row * a.categories;
    const double* sums = cumulative + base;
    const double x = DrawStream(seed, offset, uint64_t(i)).unit() * sums[a.categories - 1];
    int64_t low = 0, high = a.categories - 1;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (sums[middle] > x)
        high = middle;
      else
        low = middle + 1;
    }
    // Rounding may raise a sum where nothing is added: a category without weight is never chosen.
    auto weightless = [&](int64_t c) { return load_as<double>(weights + (base + c) * int64_t(width), a.dtype) == 0; };
    while (low + 1 < a.categories && weightless(low)) ++low;
    while (low > 0 && weightless(low)) --low;
    a.out[i] = low;
  }
}

// A race in which each category's time is exponential with its weight as the rate: the larger the key, the earlier.
TL_KERNEL race(const MultinomialArgs a, size_t width, double* keys, const PhiloxState state) {
  const auto [seed, offset, _] = state.now();
  const char* weights = static_cast<const char*>(a.weights);
  for (int64_t i = global_index(); i < a.rows * a.categories; i += global_size()) {
    const double u = DrawStream(seed, offset, uint64_t(i)).unit();
    keys[i] = load_as<double>(weights + i * int64_t(width), a.dtype) / -::log(u > 0 ? u : 0x1p-54);
  }
}

void multinomial(const MultinomialArgs& a) {
  const int64_t n = a.rows * a.categories;
  if (a.rows * a.samples == 0) return;
  Launcher l = Launcher::of(a.out);
  const char* weights = static_cast<const char*>(a.weights);
  const size_t width = itemsize(a.dtype);
  const LaunchConfig each{{blocks_for(n, kThreads)}, {kThreads}, 0, l.stream};

  WorkArray<int64_t> first(l, 1);
  driver::set_bytes(first.data(), 0x7f, sizeof(int64_t), l.stream);
  launch({{blocks_for(a.rows, 1)}, {kThreads}, 0, l.stream}, check_weights, weights, a.dtype, width, a.rows,
         a.categories, first.data());
  const int64_t wrong = answer(first, l);
  if (wrong != 0x7f7f7f7f7f7f7f7f) {
    check(wrong % 2, "probability tensor contains either `inf`, `nan` or element < 0");
    fail("invalid multinomial distribution (sum of probabilities <= 0)");
  }

  const PhiloxState state = take_philox(a.generator, l.stream);
  WorkArray<double> work(l, n);
  if (a.replacement || a.samples == 1) {
    launch(each, widen_weights, weights, a.dtype, width, n, work.data());
    scan_kernels[int(DeviceType::CUDA)].scan(
        {work.data(), work.data(), a.rows, a.categories, 1, Dtype::Float64, Scan::Sum});
    launch({{blocks_for(a.rows * a.samples, kThreads)}, {kThreads}, 0, l.stream}, sample_rows, a, width, work.data(),
           state);
  } else {
    launch(each, race, a, width, work.data(), state);
    top_lines({work.data(), Dtype::Float64, a.rows, a.categories, true, nullptr, a.out}, a.samples, l);
  }
}

[[maybe_unused]] const bool filled = [] {
  RandomKernels& k = random_kernels[int(DeviceType::CUDA)];
  k.poisson = poisson;
  k.randperm = randperm;
  k.multinomial = multinomial;
  return true;
}();

}  // namespace
}  // namespace tl::cuda
