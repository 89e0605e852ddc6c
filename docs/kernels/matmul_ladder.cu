// The ladder from the naive matrix product to the one in use, rung by rung: c = a b, rows in a row in memory.
// docs/kernels/matmul.md tells what each rung changes. Every rung is predicted before it is run:
//
//   sectors   32-byte pieces of memory that its warps ask for (what the second-level cache has to deliver)
//   requests  instructions of a warp that ask for them
//   waves     turns that shared memory takes: 128 bytes each, one a cycle and multiprocessor
//
// matmul_ladder                     all rungs with size 4096: time, TFLOP/s, share of the limit and of the peak
// matmul_ladder --size 1024         another size, a multiple of 128
// matmul_ladder --count             counts sectors and requests instead (in the emulator, with size 128)
//
// Built by nvcc and by the emulator's build (cmake --build build --target matmul_ladder).

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>
#if !defined(__CUDACC__)
#include <set>
#include <tuple>
#endif

#include "gemm_tiles.h"
#include "runtime/machine.h"

namespace tl::cuda {
namespace {

// ---- counting: in the emulator every access passes here ----

#if defined(__CUDACC__)
template <class T>
TL_DEVICE T* seen(T* p, int = sizeof(T)) {
  return p;
}
#else
struct Count {
  // (warp, its how-manieth access, sector) and without the sector.
  std::set<std::tuple<uint64_t, uint32_t, uint64_t>> sectors;
  std::set<std::pair<uint64_t, uint32_t>> requests;
  std::vector<uint32_t> accesses;  // by thread of the grid
} count;

template <class T>
T* seen(T* p, int bytes = sizeof(T)) {
  Dim3 b = block_index(), size = block_size(), grid = grid_size();
  uint64_t threads = uint64_t(size.x) * size.y, block = b.x + uint64_t(b.y) * grid.x;
  uint64_t thread = block * threads + emulator::current->linear, warp = thread / kWarp;
  if (count.accesses.size() <= thread) count.accesses.resize(thread + 1);
  uint32_t turn = count.accesses[thread]++;
  count.requests.insert({warp, turn});
  for (uint64_t at = reinterpret_cast<uintptr_t>(p); at < reinterpret_cast<uintptr_t>(p) + uint64_t(bytes); at += 4)
    count.sectors.insert({warp, turn, at / 32});
  return p;
}
#endif

// ---- the rungs; n is a multiple of 128 ----

// 1. A thread a result. Neighbouring threads take neighbouring rows: a warp reads 32 rows of a at once.
TL_KERNEL naive(int n, const float* a, const float* b, float* c) {
  int row = int(block_index().x * 32 + thread_index().x), column = int(block_index().y * 32 + thread_index().y);
  float sum = 0;
  for (int k = 0; k < n; ++k) sum = fused(*seen(a + int64_t(row) * n + k), *seen(b + int64_t(k) * n + column), sum);
  *seen(c + int64_t(row) * n + column) = sum;
}

// 2. The same with neighbouring threads along a row: b and c are read and written in one piece.
TL_KERNEL coalesced(int n, const float* a, const float* b, float* c) {
  int row = int(block_index().y * 32 + thread_index().y), column = int(block_index().x * 32 + thread_index().x);
  float sum = 0;
  for (int k = 0; k < n; ++k) sum = fused(*seen(a + int64_t(row) * n + k), *seen(b + int64_t(k) * n + column), sum);
  *seen(c + int64_t(row) * n + column) = sum;
}

// 3. Tiles of 32 x 32 in shared memory: an element is fetched once for 32 results.
TL_KERNEL shared_tiles(int n, const float* a, const float* b, float* c) {
  TL_SHARED(float, left, 32 * 32);
  TL_SHARED(float, right, 32 * 32);
  int x = int(thread_index().x), y = int(thread_index().y);
  int64_t row = block_index().y * 32 + y, column = block_index().x * 32 + x;
  float sum = 0;
  for (int k0 = 0; k0 < n; k0 += 32) {
    left[y * 32 + x] = *seen(a + row * n + k0 + x);
    right[y * 32 + x] = *seen(b + int64_t(k0 + y) * n + column);
    sync_block();
    TL_UNROLL
    for (int k = 0; k < 32; ++k) sum = fused(left[y * 32 + k], right[k * 32 + x], sum);
    sync_block();
  }
  *seen(c + row * n + column) = sum;
}

// 4. Tiles of 64 x 64, a thread keeps 4 x 4 results in registers: 8 reads of shared memory for 16 multiply-adds.
TL_KERNEL register_tiles(int n, const float* a, const float* b, float* c) {
  TL_SHARED(float, left, 16 * 65);  // turned; 65 for the banks
  TL_SHARED(float, right, 16 * 64);
  int t = int(thread_index().x), x = t % 16, y = t / 16;
  int64_t row0 = block_index().y * 64, column0 = block_index().x * 64;
  float sums[4][4] = {};
  for (int k0 = 0; k0 < n; k0 += 16) {
    TL_UNROLL
    for (int i = 0; i < 4; ++i) {
      left[x * 65 + y + 16 * i] = *seen(a + (row0 + y + 16 * i) * n + k0 + x);
      right[(t / 64 + 4 * i) * 64 + t % 64] = *seen(b + int64_t(k0 + t / 64 + 4 * i) * n + column0 + t % 64);
    }
    sync_block();
    TL_UNROLL
    for (int k = 0; k < 16; ++k) {
      float p[4], q[4];
      TL_UNROLL
      for (int i = 0; i < 4; ++i) p[i] = left[k * 65 + y + 16 * i], q[i] = right[k * 64 + x + 16 * i];
      TL_UNROLL
      for (int i = 0; i < 4; ++i) TL_UNROLL
      for (int j = 0; j < 4; ++j) sums[i][j] = fused(p[i], q[j], sums[i][j]);
    }
    sync_block();
  }
  TL_UNROLL
  for (int i = 0; i < 4; ++i) TL_UNROLL
  for (int j = 0; j < 4; ++j) *seen(c + (row0 + y + 16 * i) * n + column0 + x + 16 * j) = sums[i][j];
}

// 5. The same in pieces of 16 bytes, of memory and of shared memory.
TL_KERNEL vectorised(int n, const float* a, const float* b, float* c) {
  using Four = Pack<float, 4>;
  TL_SHARED(float, left, 16 * 68);
  TL_SHARED(float, right, 16 * 64);
  int t = int(thread_index().x), x = t % 16, y = t / 16;
  int64_t row0 = block_index().y * 64, column0 = block_index().x * 64;
  float sums[4][4] = {};
  for (int k0 = 0; k0 < n; k0 += 16) {
    Four v = *reinterpret_cast<const Four*>(seen(a + (row0 + t / 4) * n + k0 + t % 4 * 4, 16));
    TL_UNROLL
    for (int i = 0; i < 4; ++i) left[(t % 4 * 4 + i) * 68 + t / 4] = v.v[i];
    shared_store(right, y * 64 + x * 4,
                 *reinterpret_cast<const Four*>(seen(b + int64_t(k0 + y) * n + column0 + x * 4, 16)));
    sync_block();
    TL_UNROLL
    for (int k = 0; k < 16; ++k) {
      Four p = shared_load<Four>(left, k * 68 + y * 4), q = shared_load<Four>(right, k * 64 + x * 4);
      TL_UNROLL
      for (int i = 0; i < 4; ++i) TL_UNROLL
      for (int j = 0; j < 4; ++j) sums[i][j] = fused(p.v[i], q.v[j], sums[i][j]);
    }
    sync_block();
  }
  TL_UNROLL
  for (int i = 0; i < 4; ++i) {
    Four v = {{sums[i][0], sums[i][1], sums[i][2], sums[i][3]}};
    *reinterpret_cast<Four*>(seen(c + (row0 + y * 4 + i) * n + column0 + x * 4, 16)) = v;
  }
}

// 6, 7, 8. The kernels in use (cuda/gemm_tiles.h), with their operands and results watched.
template <class T, Order order>
struct Watched : Matrix<T, order> {
  int chunk;  // elements that a copy takes
  TL_DEVICE const T* at(const typename Matrix<T, order>::Line& l, int64_t depth) const {
    return seen(Matrix<T, order>::at(l, depth), chunk * int(sizeof(T)));
  }
};
template <class T>
struct WatchedOutput : Output<T> {
  template <int n>
  TL_DEVICE void store(int64_t part, int64_t batch, int64_t row, int64_t column, const float (&v)[n]) const {
    seen(this->c + row * this->c_row + column, n * int(sizeof(T)));
    Output<T>::template store<n>(part, batch, row, column, v);
  }
};

template <class T>
WatchedOutput<T> output(int n, T* c) {
  return {{n, n, c, n, 1, 0, nullptr, 0, 0, 0, 1.f, 0.f, false, true, nullptr}};
}

using Operands = void (*)(int n, const void* a, const void* b, void* c);

void run_warp_tiles(int n, const void* a, const void* b, void* c) {
  using Tile = WarpTile<2, 4>;
  using A = Watched<float, Order::Along>;
  using B = Watched<float, Order::Across>;
  A left{{static_cast<const float*>(a), n, n, 1, 0}, 1};
  B right{{static_cast<const float*>(b), n, 1, n, 0}, 4};
  Tiling tiling(n, n, n, Tile::kM, Tile::kN);
  launch({tiling.grid(1), {Tile::kBlock}, Tile::kShared}, gemm_warp_tiles<Tile, A, B, WatchedOutput<float>>, tiling,
         left, right, output(n, static_cast<float*>(c)));
}

template <class T>
void run_tensor_tiles(int n, const void* a, const void* b, void* c) {
  using Tile = TensorTile<T, 2, 4, 64>;
  using A = Watched<T, Order::Along>;
  using B = Watched<T, Order::Across>;
  A left{{static_cast<const T*>(a), n, n, 1, 0}, 16 / int(sizeof(T))};
  B right{{static_cast<const T*>(b), n, 1, n, 0}, 16 / int(sizeof(T))};
  Tiling tiling(n, n, n, Tile::kM, Tile::kN);
  launch({tiling.grid(1), {Tile::kBlock}, tensor_shared<Tile, A, B>()}, gemm_tensor_tiles<Tile, A, B, WatchedOutput<T>>,
         tiling, left, right, output(n, static_cast<T*>(c)));
}

template <void kernel(int, const float*, const float*, float*), int edge, int x, int y>
void run_plain(int n, const void* a, const void* b, void* c) {
  launch({{uint32_t(n / edge), uint32_t(n / edge)}, {x, y}}, kernel, n, static_cast<const float*>(a),
         static_cast<const float*>(b), static_cast<float*>(c));
}

// ---- predictions ----

struct Rung {
  const char* name;
  Dtype dtype;
  bool tensor_cores;
  Operands run;
  double (*sectors)(double n);
  double (*requests)(double n);
  double (*waves)(double n);  // of shared memory's reads in the inner loop
};

double tiled_sectors(double n, double edge, double bytes) {
  return (2 * n * n * n / edge + n * n) * bytes / 32;  // an operand's element once for `edge` results
}

const Rung kRungs[] = {
    {"1 naive", Dtype::Float32, false, run_plain<naive, 32, 32, 32>,
     [](double n) { return n * n / 32 * (33 * n + 32); },  // of a 32, of b the same one for all
     [](double n) { return n * n / 32 * (2 * n + 1); }, [](double) { return 0.; }},
    {"2 coalesced", Dtype::Float32, false, run_plain<coalesced, 32, 32, 32>,
     [](double n) { return n * n / 32 * (5 * n + 4); }, [](double n) { return n * n / 32 * (2 * n + 1); },
     [](double) { return 0.; }},
    {"3 shared tiles", Dtype::Float32, false, run_plain<shared_tiles, 32, 32, 32>,
     [](double n) { return tiled_sectors(n, 32, 4); }, [](double n) { return n * n / 32 * (2 * n / 32 + 1); },
     [](double n) { return n * n * n / 32 * 2; }},
    {"4 register tiles", Dtype::Float32, false, run_plain<register_tiles, 64, 256, 1>,
     [](double n) { return tiled_sectors(n, 64, 4); }, [](double n) { return n * n / 4096 * 8 * (n / 16 * 8 + 16); },
     [](double n) { return n * n * n / 32 / 16 * 8; }},
    {"5 vectorised", Dtype::Float32, false, run_plain<vectorised, 64, 256, 1>,
     [](double n) { return tiled_sectors(n, 64, 4); }, [](double n) { return n * n / 4096 * 8 * (n / 16 * 2 + 4); },
     // 16 x 16 bytes of b in two waves, 2 x 16 of a in one.
     [](double n) { return n * n * n / 32 / 16 * 3; }},
    {"6 warp tiles", Dtype::Float32, false, run_warp_tiles, [](double n) { return tiled_sectors(n, 128, 4); },
     [](double n) { return n * n / 16384 * 8 * (n / 16 * (8 + 2) + 16); },
     [](double n) { return n * n * n / 32 / 64 * 4; }},
    // 16 x 8 of a warp's 64 x 32 results a time; a: 4 reads of 128 bytes for 16 x 8 elements, b: 2 for 8 x 8.
    {"7 tensor cores, tf32", Dtype::Float32, true, run_tensor_tiles<float>,
     [](double n) { return tiled_sectors(n, 128, 4); }, [](double n) { return n * n / 16384 * 8 * (n / 16 * 4 + 16); },
     [](double n) { return n * n / 2048 * n / 8 * 24; }},
    {"8 tensor cores, bf16", Dtype::BFloat16, true, run_tensor_tiles<BFloat16>,
     [](double n) { return tiled_sectors(n, 128, 2); }, [](double n) { return n * n / 16384 * 8 * (n / 32 * 4 + 16); },
     [](double n) { return n * n / 2048 * n / 16 * 24; }},
};

// The machine that limits are stated for: an H200 by its data sheet, the second-level cache as others have measured it.
struct Machine {
  double multiprocessors = 132, clock = 1.98e9, cache = 5.5e12, memory = 4.3e12;
  double float32 = 67e12, tf32 = 494e12, bfloat16 = 989e12;
  double peak(const Rung& r) const { return !r.tensor_cores ? float32 : r.dtype == Dtype::Float32 ? tf32 : bfloat16; }
};

struct Limit {
  double flops;
  const char* by;
};
Limit limit(const Rung& r, double n, const Machine& m) {
  double flops = 2 * n * n * n, element = r.dtype == Dtype::Float32 ? 4 : 2;
  Limit all[] = {{m.peak(r), "arithmetic"},
                 {flops / (r.sectors(n) * 32) * m.cache, "cache"},
                 {flops / (3 * n * n * element) * m.memory, "memory"},
                 {r.waves(n) ? flops / r.waves(n) * m.multiprocessors * m.clock : 1e30, "shared memory"}};
  return *std::min_element(std::begin(all), std::end(all), [](Limit a, Limit b) { return a.flops < b.flops; });
}

// ---- running ----

struct Buffer {
  void* data;
  explicit Buffer(size_t bytes) : data(driver::malloc(bytes)) {
    if (!data) {
      std::puts("out of device memory");
      std::exit(1);
    }
  }
  ~Buffer() { driver::free(data, nullptr); }
};

uint16_t bfloat16_bits(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  return uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
float from_bfloat16(uint16_t bits) {
  uint32_t u = uint32_t(bits) << 16;
  float x;
  std::memcpy(&x, &u, 4);
  return x;
}

// The largest error of some results, relative to the rounding of the dtype over the depth.
double error_of(const Rung& r, int n, const std::vector<float>& a, const std::vector<float>& b, const void* device) {
  const bool half = r.dtype == Dtype::BFloat16;
  std::vector<unsigned char> raw(size_t(n) * size_t(n) * (half ? 2 : 4));
  driver::copy(raw.data(), device, raw.size(), driver::CopyKind::DeviceToHost, nullptr);
  driver::synchronize_device();
  std::mt19937 random(1);
  double worst = 0;
  for (int s = 0; s < 2000; ++s) {
    size_t i = random() % unsigned(n), j = random() % unsigned(n), at = i * size_t(n) + j;
    double sum = 0;
    for (int k = 0; k < n; ++k) sum += double(a[i * size_t(n) + size_t(k)]) * double(b[size_t(k) * size_t(n) + j]);
    float got;
    uint16_t bits;
    if (half) {
      std::memcpy(&bits, raw.data() + at * 2, 2);
      got = from_bfloat16(bits);
    } else {
      std::memcpy(&got, raw.data() + at * 4, 4);
    }
    double eps = half ? 8e-3 : r.tensor_cores ? 1e-3 : 2e-6;
    worst = std::max(worst, std::fabs(got - sum) / (eps * (std::fabs(sum) + 4 * std::sqrt(double(n)))));
  }
  return worst;
}

float median_ms(const std::function<void()>& call) {
  call();
  std::vector<float> times;
  for (int i = 0; i < 7; ++i) {
    Event from = driver::create_event(true), to = driver::create_event(true);
    driver::record_event(from, nullptr);
    call();
    driver::record_event(to, nullptr);
    driver::synchronize_event(to);
    times.push_back(driver::elapsed_ms(from, to));
    driver::destroy_event(from);
    driver::destroy_event(to);
  }
  std::sort(times.begin(), times.end());
  return times[3];
}

int climb(int n, bool counting) {
  std::string why;
  if (!driver::device_count(&why)) {
    std::printf("%s\n", why.c_str());
    return 1;
  }
  DeviceProperties device = driver::properties(0);
  Machine machine;
  std::printf("%s, %d x %d by %d x %d; limits are those of an H200\n", device.name.c_str(), n, n, n, n);
  std::mt19937 random(0);
  std::normal_distribution<float> normal;
  size_t elements = size_t(n) * size_t(n);
  std::vector<float> a(elements), b(elements);
  for (size_t i = 0; i < elements; ++i) a[i] = normal(random), b[i] = normal(random);
  bool right = true;
  if (counting)
    std::printf("%-22s %12s %12s %12s %12s %8s\n", "rung", "sectors", "predicted", "requests", "predicted", "error");
  else
    std::printf("%-22s %9s %10s %10s %9s %-14s %9s %9s %7s %7s\n", "rung", "GFLOP", "GB asked", "flop/byte", "limit",
                "by", "ms", "TFLOP/s", "limit", "peak");
  for (const Rung& r : kRungs) {
    if (r.tensor_cores && driver::compiled_for() < 80) continue;
    const bool half = r.dtype == Dtype::BFloat16;
    std::vector<float> x = a, y = b;
    std::vector<uint16_t> x_half, y_half;
    if (half)
      for (size_t i = 0; i < elements; ++i) {
        x_half.push_back(bfloat16_bits(a[i])), y_half.push_back(bfloat16_bits(b[i]));
        x[i] = from_bfloat16(x_half[i]), y[i] = from_bfloat16(y_half[i]);
      }
    size_t bytes = elements * (half ? 2 : 4);
    Buffer left(bytes), right_operand(bytes), result(bytes);
    const void* x_data = half ? static_cast<const void*>(x_half.data()) : x.data();
    const void* y_data = half ? static_cast<const void*>(y_half.data()) : y.data();
    driver::copy(left.data, x_data, bytes, driver::CopyKind::HostToDevice, nullptr);
    driver::copy(right_operand.data, y_data, bytes, driver::CopyKind::HostToDevice, nullptr);
    driver::set_bytes(result.data, 0xff, bytes, nullptr);
#if !defined(__CUDACC__)
    count = {};
#endif
    r.run(n, left.data, right_operand.data, result.data);
    driver::synchronize_device();
    double error = error_of(r, n, x, y, result.data);
    right &= error <= 1;
    if (counting) {
#if !defined(__CUDACC__)
      double sectors = double(count.sectors.size()), requests = double(count.requests.size());
      std::printf("%-22s %12.0f %12.0f %12.0f %12.0f %8.3f\n", r.name, sectors, r.sectors(n), requests, r.requests(n),
                  error);
      right &= sectors == r.sectors(n) && requests == r.requests(n);
#endif
      continue;
    }
    float ms = median_ms([&] { r.run(n, left.data, right_operand.data, result.data); });
    double flops = 2. * n * n * n, rate = flops / (ms * 1e-3);
    Limit most = limit(r, n, machine);
    std::printf("%-22s %9.2f %10.2f %10.1f %9.1f %-14s %9.3f %9.2f %6.0f%% %6.0f%%\n", r.name, flops * 1e-9,
                r.sectors(n) * 32e-9, flops / (r.sectors(n) * 32), most.flops * 1e-12, most.by, double(ms),
                rate * 1e-12, rate / most.flops * 100, rate / machine.peak(r) * 100);
    std::fflush(stdout);
  }
  if (!right) std::puts(counting ? "a result or a prediction is wrong" : "a result is wrong");
  return !right;
}

}  // namespace
}  // namespace tl::cuda

int main(int argc, char** argv) {
  int n = 0;
  bool counting = false;
  for (int i = 1; i < argc; ++i)
    if (!std::strcmp(argv[i], "--size") && i + 1 < argc)
      n = std::atoi(argv[++i]);
    else if (!std::strcmp(argv[i], "--count"))
      counting = true;
    else
      return std::puts("matmul_ladder [--size N] [--count]"), 2;
#if defined(__CUDACC__)
  if (counting) return std::puts("--count is for the emulator"), 2;
#endif
  if (!n) n = counting ? 128 : 4096;
  if (n % 128) return std::puts("the size is a multiple of 128"), 2;
  return tl::cuda::climb(n, counting);
}
