// A C++ program that uses libtensorlite without Python. Built and run by tests/test_cpp.py.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "core/generator.h"
#include "core/parallel.h"
#include "core/tensor.h"
#include "ops/creation.h"
#include "ops/random.h"

namespace {

int failures = 0;

void expect(bool ok, const char* what) {
  if (!ok) {
    std::printf("FAILED: %s\n", what);
    ++failures;
  }
}

}  // namespace

int main() {
  using namespace tl;

  Tensor x = ops::full({300, 1000}, Scalar(2.5), Out{}, Dtype::Float32, std::nullopt);
  expect(x.dim() == 2 && x.numel() == 300000 && x.is_contiguous(), "shape of a filled tensor");
  expect(reinterpret_cast<uintptr_t>(x.data()) % 64 == 0, "alignment");
  std::atomic<int64_t> right{0};
  parallel_for(x.numel(), 1000, [&](int64_t begin, int64_t end) {
    int64_t n = 0;
    for (int64_t i = begin; i < end; ++i) n += x.data_as<float>()[i] == 2.5f;
    right += n;
  });
  expect(right == x.numel(), "values of a filled tensor, counted in parallel");

  set_num_threads(3);
  std::atomic<int64_t> sum{0}, calls{0};
  for (int round = 0; round < 1000; ++round)
    parallel_for(100, 1, [&](int64_t begin, int64_t end) {
      ++calls;
      for (int64_t i = begin; i < end; ++i) sum += i;
      parallel_for(10, 1, [&](int64_t b, int64_t e) { sum += b == 0 && e == 10 ? 0 : 1; });
    });
  expect(sum == 1000 * 4950 && calls >= 1000, "parallel_for covers its range once, and runs inline inside itself");

  auto counts = [] {
    std::atomic<int64_t> n{0};
    parallel_for(1000, 1, [&](int64_t begin, int64_t end) { n += end - begin; });
    return n == 1000;
  };
  for (int round = 0; round < 5; ++round) {
    pid_t child = fork();
    if (child == 0) _exit(counts() ? 0 : 1);
    expect(counts(), "threads of the parent after a fork");
    int status = -1;
    waitpid(child, &status, 0);
    expect(status == 0, "threads of the child after a fork");
  }

  default_generator().manual_seed(2024);
  Tensor r = ops::rand({4, 2}, nullptr, Out{}, std::nullopt, std::nullopt);
  const float known[] = {0.5317f, 0.8313f, 0.9718f, 0.1193f, 0.1669f, 0.3495f, 0.2150f, 0.6201f};
  for (int i = 0; i < 8; ++i) expect(std::fabs(r.data_as<float>()[i] - known[i]) < 5e-5f, "known random numbers");

  uint8_t state[Generator::kStateBytes];
  default_generator().get_state(state);
  uint64_t first = default_generator().random64();
  default_generator().set_state(state, sizeof(state));
  expect(default_generator().random64() == first, "a generator's state");

  int64_t live = cpu_memory_stats().allocated;
  {
    Tensor y = empty({1000, 1000}, Dtype::Float64);
    expect(cpu_memory_stats().allocated >= live + 8000000, "live bytes are counted");
  }
  expect(cpu_memory_stats().allocated == live, "freed bytes are counted");
  allocator(DeviceType::CPU).empty_cache();
  expect(cpu_memory_stats().cached == 0, "the cache can be emptied");

  try {
    ops::arange_start(Scalar(5), Scalar(1), Scalar(1), Out{}, std::nullopt, std::nullopt);
    expect(false, "an error is thrown");
  } catch (const Error& e) {
    expect(std::strstr(e.what(), "inconsistent with step sign") != nullptr, "its text crosses the library's border");
  }
  try {
    empty({int64_t(1) << 50}, Dtype::Float32);
    expect(false, "running out of memory is thrown");
  } catch (const OutOfMemoryError& e) {
    expect(std::strstr(e.what(), "you tried to allocate") != nullptr, "the text of OutOfMemoryError");
  }

  if (!failures) std::puts("ok");
  return failures;
}
