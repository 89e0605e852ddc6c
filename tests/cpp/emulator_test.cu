// What the CUDA emulator promises, shown on right kernels and on ones with planted faults. Built with
// TENSORLITE_CUDA=EMULATE; prints "ok".

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "gemm_tiles.h"
#include "runtime/block.h"
#include "runtime/device.h"
#include "runtime/launch.h"

using namespace tl;
using namespace tl::cuda;

namespace {

int failures = 0;
void expect(bool ok, const char* what) {
  if (ok) return;
  ++failures;
  std::printf("FAILED: %s\n", what);
}

template <class T>
struct Buffer {
  size_t n;
  T* data;
  explicit Buffer(size_t count) : n(count), data(static_cast<T*>(driver::malloc(count * sizeof(T)))) {}
  explicit Buffer(const std::vector<T>& v) : Buffer(v.size()) {
    driver::copy(data, v.data(), n * sizeof(T), driver::CopyKind::HostToDevice, nullptr);
  }
  ~Buffer() {
    if (data) driver::free(data, nullptr);
  }
  std::vector<T> host() const {
    std::vector<T> v(n);
    driver::copy(v.data(), data, n * sizeof(T), driver::CopyKind::DeviceToHost, nullptr);
    return v;
  }
};

// ---- right kernels ----

TL_KERNEL add_one(float* out, const float* in, int n) {
  for (int64_t i = global_index(); i < n; i += global_size()) out[i] = in[i] + 1;
}

template <bool kBarrier, bool kSecond>
TL_KERNEL block_sum(float* out, const float* in) {
  TL_SHARED(float, partial, 256);
  int t = int(thread_index().x);
  partial[t] = in[global_index()];
  if (kBarrier) sync_block();
  for (int half = 128; half > 0; half /= 2) {
    if (t < half) partial[t] += partial[t + half];
    if (kSecond) sync_block();
  }
  if (t == 0) out[block_index().x] = partial[0];
}

template <bool kSync>
TL_KERNEL warp_reverse(int* out) {
  TL_SHARED(int, line, 64);
  int t = int(thread_index().x), warp = t / kWarp * kWarp;
  line[t] = t;
  if (kSync) sync_warp();
  out[t] = line[warp + kWarp - 1 - t % kWarp];
}

TL_KERNEL warp_sum(float* out, const float* in) {
  float v = in[thread_index().x];
  for (int bit = 16; bit; bit /= 2) v += shuffle_xor(v, bit);
  uint32_t odd = ballot(int(v) % 2 == 1);
  if (lane_index() == 0) out[thread_index().x / kWarp] = odd == kAllLanes ? v : -v;
}

TL_KERNEL warp_match(uint32_t* out) {
  uint32_t t = thread_index().x;
  out[t] = match_lanes<2>(t % 5);
}

// A scan whose blocks wait for the one before, in the order in which they come to run.
TL_KERNEL chained(uint32_t* ticket, uint32_t* done, uint32_t* out) {
  TL_SHARED(uint32_t, mine, 1);
  if (thread_index().x == 0) {
    mine[0] = atomic_add(ticket, 1u);
    uint32_t k = mine[0];
    while (load_acquire(done) != k) {
    }
    out[k] = k ? out[k - 1] + k : 0;
    fence();
    store_release(done, k + 1);
  }
  sync_block();
}

template <bool kWait>
TL_KERNEL staged(float* out, const float* in) {
  Shared<float> tile = dynamic_shared<float>(0, 128);
  int t = int(thread_index().x);
  copy_async<16>(tile, 4 * t, in + 4 * t, t != 3);
  copy_async_commit();
  if (kWait) copy_async_wait<0>();
  sync_block();
  out[t] = tile[127 - t];
}

// Two panels in turn; the next is copied where others may still read.
template <bool kBarrier>
TL_KERNEL refilled(float* out, const float* in) {
  Shared<float> tile = dynamic_shared<float>(0, 256);
  int t = int(thread_index().x);
  copy_async<16>(tile, 4 * t, in + 4 * t);
  copy_async_commit();
  copy_async_wait<0>();
  sync_block();
  float first = tile[255 - t];
  if (kBarrier) sync_block();
  copy_async<16>(tile, 4 * t, in + 4 * t);
  copy_async_commit();
  sync_block();
  copy_async_wait<0>();
  sync_block();
  out[t] = first + tile[255 - t];
}

// A warp's four 8 x 8 corners of a 16 x 16 matrix, as they are and transposed.
TL_KERNEL corners(uint32_t* out, const uint16_t* in) {
  TL_SHARED(uint16_t, tile, 256);
  int lane = lane_index();
  for (int i = lane; i < 256; i += 32) tile[i] = in[i];
  sync_warp();
  int row = lane % 8 + lane / 8 % 2 * 8, column = lane / 16 * 8;
  uint32_t r[4], turned[4];
  load_matrices(r, tile, row * 16 + column);
  load_matrices_transposed(turned, tile, row * 16 + column);
  for (int i = 0; i < 4; ++i) out[i * 32 + lane] = r[i], out[128 + i * 32 + lane] = turned[i];
}

// c (16 x 8) = a (16 x depth) b (depth x 8), of small integers: mma with its fragments as the PTX manual tells them, by
// the number of the element that a lane holds (groupID g, threadID_in_group t).
template <class T>
TL_KERNEL tile_product(float* c, const float* a, const float* b) {
  constexpr bool tf32 = sizeof(T) == 4;
  constexpr int each = tf32 ? 1 : 2, depth = 8 * each;  // elements of a register
  int lane = lane_index(), g = lane / 4, t = lane % 4;
  auto bits = [](float x) {
    if constexpr (tf32)
      return to_tf32(x);
    else
      return uint32_t(T(x).bits);
  };
  uint32_t fa[4] = {}, fb[2] = {};
  for (int i = 0; i < 4 * each; ++i) {
    int row = tf32 ? (i == 0 || i == 2 ? g : g + 8) : (0 <= i && i < 2) || (4 <= i && i < 6) ? g : g + 8;
    int column = tf32 ? (i == 0 || i == 1 ? t : t + 4) : i < 4 ? t * 2 + (i & 1) : t * 2 + (i & 1) + 8;
    fa[i / each] |= bits(a[row * depth + column]) << i % each * 16;
  }
  for (int i = 0; i < 2 * each; ++i) {
    int row = tf32 ? (i == 0 ? t : t + 4) : i < 2 ? t * 2 + (i & 1) : t * 2 + (i & 1) + 8;
    fb[i / each] |= bits(b[row * 8 + g]) << i % each * 16;
  }
  float d[4];
  for (int i = 0; i < 4; ++i) d[i] = float(i < 2 ? g : g + 8) * 1000 + float(t * 2 + (i & 1));
  if constexpr (tf32)
    mma_tf32(d, fa, fb);
  else if constexpr (dtype_of<T> == Dtype::Float16)
    mma_float16(d, fa, fb);
  else
    mma_bfloat16(d, fa, fb);
  for (int i = 0; i < 4; ++i) c[(i < 2 ? g : g + 8) * 8 + t * 2 + (i & 1)] = d[i];
}

// ---- planted faults ----

TL_KERNEL one_too_many(float* out, int n) {
  int64_t i = global_index();
  if (i <= n) out[i] = 1;
}
TL_KERNEL one_too_many_shared(float* out) {
  TL_SHARED(float, line, 32);
  int t = int(thread_index().x);
  line[t + 1] = 1;
  out[t] = 0;
}
TL_KERNEL same_place(int* out) {
  TL_SHARED(int, place, 1);
  place[0] = int(thread_index().x);
  sync_block();
  out[thread_index().x] = place[0];
}
TL_KERNEL half_barrier(float* out) {
  if (thread_index().x < 16) sync_block();
  out[thread_index().x] = 1;
}
TL_KERNEL two_barriers(float* out) {
  if (thread_index().x < 16)
    sync_block();
  else
    sync_block();
  out[thread_index().x] = 1;
}
TL_KERNEL missing_lane(int* out) {
  int t = int(thread_index().x);
  if (t != 5) out[t] = shuffle(t, 5);
  if (t == 5) sync_warp(1u << 5);
}
TL_KERNEL spin(uint32_t* flag) {
  while (load_acquire(flag) != 7u) {
  }
}

// The error that a launch ends with, in a process of its own: after an error a device is of no more use.
template <class F>
std::string outcome(F body) {
  int pipes[2];
  if (pipe(pipes)) std::abort();
  std::fflush(stdout);
  pid_t child = fork();
  if (!child) {
    dup2(pipes[1], 2);
    std::string text = "no error";
    try {
      driver::device_count(&text);  // which a program starts with: faults of memory have a handler from now on
      body();
      driver::synchronize_device();
    } catch (const Error& e) {
      text = e.what();
    }
    [[maybe_unused]] ssize_t n = write(pipes[1], text.data(), text.size());
    _exit(0);
  }
  close(pipes[1]);
  std::string text;
  char part[256];
  for (ssize_t n; (n = read(pipes[0], part, sizeof(part))) > 0;) text.append(part, size_t(n));
  close(pipes[0]);
  int status;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) text += str(" signal ", WTERMSIG(status));
  return text;
}

template <class F>
void caught(const char* fault, const char* expected, F body) {
  std::string text = outcome(body);
  bool ok = text.find(expected) != std::string::npos;
  if (!ok) ++failures;
  std::printf("%s %s: %s\n", ok ? "caught" : "MISSED", fault, text.c_str());
}

template <class T>
void check_tile_product(int depth) {
  std::vector<float> a(size_t(16 * depth)), b(size_t(depth * 8)), c(128);
  for (size_t i = 0; i < a.size(); ++i) a[i] = float(int(i * 37 % 61) - 30);
  for (size_t i = 0; i < b.size(); ++i) b[i] = float(int(i * 29 % 53) - 26);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j) {
      float& sum = c[size_t(i * 8 + j)] = float(i * 1000 + j);
      for (int k = 0; k < depth; ++k) sum += a[size_t(i * depth + k)] * b[size_t(k * 8 + j)];
    }
  Buffer<float> da(a), db(b), dc(128);
  launch({{1}, {32}}, tile_product<T>, dc.data, da.data, db.data);
  expect(dc.host() == c, "mma");
}

void right_kernels() {
  std::vector<float> v(1000);
  for (size_t i = 0; i < v.size(); ++i) v[i] = float(i);
  {
    Buffer<float> in(v), out(v.size());
    launch({{7}, {64}}, add_one, out.data, in.data, 1000);
    auto r = out.host();
    bool ok = true;
    for (size_t i = 0; i < r.size(); ++i) ok &= r[i] == float(i) + 1;
    expect(ok, "add_one");
  }
  {
    const int64_t far = (int64_t(1) << 33) + 7;
    bool ok = true;
    for (int64_t by : {1, 2, 3, 7, 1000003})
      ok &= Divide(by, far + 1)(far) == far / by && Divide(by, 100)(99) == 99 / by;
    expect(ok, "division of places beyond 32 bits");
  }
  {
    Buffer<float> in(std::vector<float>(1024, 1.0f)), out(4);
    launch({{4}, {256}}, block_sum<true, true>, out.data, in.data);
    expect(out.host() == std::vector<float>(4, 256.0f), "block_sum");
  }
  {
    Buffer<int> out(64);
    launch({{1}, {64}}, warp_reverse<true>, out.data);
    auto r = out.host();
    expect(r[0] == 31 && r[63] == 32, "warp_reverse");
  }
  {
    Buffer<float> in(std::vector<float>(v.begin() + 1, v.begin() + 65)), out(2);
    launch({{1}, {64}}, warp_sum, out.data, in.data);
    auto r = out.host();
    expect(r[0] == -528.0f && r[1] == -1552.0f, "warp_sum");
  }
  {
    Buffer<uint32_t> out(32);
    launch({{1}, {32}}, warp_match, out.data);
    bool right = true;
    std::vector<uint32_t> r = out.host();
    for (uint32_t i = 0; i < 32; ++i)
      for (uint32_t k = 0; k < 32; ++k) right &= (r[i] >> k & 1) == (i % 5 % 4 == k % 5 % 4);
    expect(right, "warp_match");
  }
  {
    Buffer<uint32_t> ticket(std::vector<uint32_t>{0}), done(std::vector<uint32_t>{0}), out(40);
    launch({{40}, {32}}, chained, ticket.data, done.data, out.data);
    expect(out.host()[39] == 780, "chained");
  }
  {
    Buffer<float> in(std::vector<float>(v.begin(), v.begin() + 128)), out(32);
    launch({{1}, {32}, 128 * sizeof(float)}, staged<true>, out.data, in.data);
    expect(out.host()[0] == 127.0f, "cp.async");
  }
  {
    Buffer<float> in(std::vector<float>(v.begin(), v.begin() + 256)), out(64);
    launch({{1}, {64}, 256 * sizeof(float)}, refilled<true>, out.data, in.data);
    expect(out.host()[0] == 510.0f, "cp.async again");
  }
  {
    std::vector<uint16_t> elements(256);
    for (size_t i = 0; i < 256; ++i) elements[i] = uint16_t(i);
    Buffer<uint16_t> in(elements);
    Buffer<uint32_t> out(256);
    launch({{1}, {32}}, corners, out.data, in.data);
    auto r = out.host();
    bool ok = true;
    for (uint32_t lane = 0; lane < 32; ++lane)
      for (uint32_t corner = 0; corner < 4; ++corner) {
        uint32_t row = corner % 2 * 8, column = corner / 2 * 8, g = lane / 4, t = lane % 4;
        uint32_t at = (row + g) * 16 + column + 2 * t, first = (row + 2 * t) * 16 + column + g;
        ok &= r[corner * 32 + lane] == (at | (at + 1) << 16);
        ok &= r[128 + corner * 32 + lane] == (first | (first + 16) << 16);
      }
    expect(ok, "ldmatrix");
  }
  check_tile_product<float>(8);
  check_tile_product<Half>(16);
  check_tile_product<BFloat16>(16);
  {
    // What a product ends with: 2 a b - 3 d, and relu; wide stores and single ones.
    std::vector<float> a{1, 2, 3, 4, 5, 6}, d{3, 30, 4, 5};
    Buffer<float> da(a), db(a), dd(d), c(8), narrow(16);
    Matrix<float> left{da.data, 2, 3, 1, 0}, right{db.data, 4, 1, 0, 0};  // b's rows are all 1 2 3 4
    Output<float> out{2, 4, c.data, 4, 1, 0, dd.data, 0, 1, 0, 2, -3, true, true, nullptr};
    launch({{1}, {256}}, gemm_plain<float, 1, Matrix<float>, Matrix<float>, Output<float>>, Tiling(2, 4, 3, 16, 16),
           left, right, out);
    expect(c.host() == std::vector<float>{3, 0, 24, 33, 21, 0, 78, 105}, "relu of a product");
    out.c = narrow.data, out.c_row = 8, out.c_column = 2, out.wide = false, out.relu = false;
    using Tile = WarpTile<1, 2>;
    launch({{1}, {Tile::kBlock}, Tile::kShared}, gemm_warp_tiles<Tile, Matrix<float>, Matrix<float>, Output<float>>,
           Tiling(2, 4, 3, Tile::kM, Tile::kN), left, right, out);
    auto r = narrow.host();
    expect(r[0] == 3 && r[2] == -66 && r[4] == 24 && r[10] == -30 && r[14] == 105, "a product in every other column");
  }
  {
    // A stream that waits for an event of another, whichever the seed lets run first.
    Stream s = driver::create_stream(0);
    Event e = driver::create_event(false);
    Buffer<float> x(std::vector<float>(8, 1.0f)), y(8), z(8);
    driver::synchronize_device();
    launch({{1}, {32}, 0, s}, add_one, y.data, x.data, 8);
    driver::record_event(e, s);
    driver::wait_event(nullptr, e);
    launch({{1}, {32}}, add_one, z.data, y.data, 8);
    expect(z.host() == std::vector<float>(8, 3.0f), "streams and events");
    driver::destroy_event(e);
    driver::destroy_stream(s);
  }
}

void planted_faults() {
  std::vector<float> ones(256, 1.0f);
  caught("dropped __syncthreads", "no barrier between", [&] {
    Buffer<float> in(ones), out(1);
    launch({{1}, {256}}, block_sum<true, false>, out.data, in.data);
    out.host();
  });
  caught("dropped __syncwarp", "shared memory that", [&] {
    Buffer<int> out(64);
    launch({{1}, {64}}, warp_reverse<false>, out.data);
    out.host();
  });
  caught("off by one, a buffer that fills its pages", "writes 0 bytes past the end of an allocation of 4096 bytes",
         [&] {
           Buffer<float> out(1024);
           launch({{9}, {128}}, one_too_many, out.data, 1024);
           driver::synchronize_device();
         });
  caught("off by one, a small buffer", "past the end of an allocation of 404 bytes", [&] {
    Buffer<float> out(101);
    launch({{2}, {128}}, one_too_many, out.data, 101);
    driver::synchronize_device();
  });
  caught("off by one, shared memory", "uses element 32 of a shared array of 32", [&] {
    Buffer<float> out(32);
    launch({{1}, {32}}, one_too_many_shared, out.data);
    driver::synchronize_device();
  });
  caught("use after free", "a freed allocation", [&] {
    float* gone;
    {
      Buffer<float> out(100);
      gone = out.data;
    }
    launch({{1}, {32}}, one_too_many, gone, 10);
    driver::synchronize_device();
  });
  caught("race on shared memory", "no barrier between", [&] {
    Buffer<int> out(32);
    launch({{1}, {32}}, same_place, out.data);
    driver::synchronize_device();
  });
  caught("host read of device memory", "the host touches device memory", [&] {
    Buffer<float> in(ones);
    driver::synchronize_device();
    volatile float x = in.data[0];
    (void)x;
  });
  caught("divergence at a barrier", "barrier", [&] {
    Buffer<float> out(32);
    launch({{1}, {32}}, half_barrier, out.data);
    driver::synchronize_device();
  });
  caught("two barriers", "wait at another", [&] {
    Buffer<float> out(32);
    launch({{1}, {32}}, two_barriers, out.data);
    driver::synchronize_device();
  });
  caught("a shuffle with a lane missing", "takes no part in", [&] {
    Buffer<int> out(32);
    launch({{1}, {32}}, missing_lane, out.data);
    driver::synchronize_device();
  });
  caught("a dropped __syncthreads before a cp.async", "shared memory that", [&] {
    Buffer<float> in(ones), out(64);
    launch({{1}, {64}, 1024}, refilled<false>, out.data, in.data);
    driver::synchronize_device();
  });
  caught("a missing wait of cp.async", "nobody wrote", [&] {
    Buffer<float> in(ones), out(32);
    launch({{1}, {32}, 512}, staged<false>, out.data, in.data);
    driver::synchronize_device();
  });
  caught("two streams without an event", "no error", [&] {
    // Legal in either order, so no error; what is read may be either.
    Stream s = driver::create_stream(0);
    Buffer<float> x(ones), y(ones), z(256);
    launch({{1}, {32}, 0, s}, add_one, y.data, x.data, 256);
    launch({{1}, {32}}, add_one, z.data, y.data, 256);
  });
}

}  // namespace

int main(int argc, char** argv) {
  planted_faults();  // in processes of their own, before this one has a driver, which no fork outlives
  if (argc > 1 && !std::strcmp(argv[1], "--slow"))
    caught("a wait for what nobody writes", "nobody writes", [] {
      Buffer<uint32_t> flag(std::vector<uint32_t>{0});
      launch({{1}, {1}}, spin, flag.data);
      driver::synchronize_device();
    });
  right_kernels();
  std::puts(failures ? "failed" : "ok");
  return failures != 0;
}
