#include "cpu/loops.h"

#include <cstring>

#include "core/parallel.h"
#include "kernels/cast.h"

namespace tl::cpu {

BlockTools block_tools;

namespace {

constexpr int64_t kTileBytes = 16384;
constexpr int64_t kMaxInputs = kPlanOperands - 1;

// The rectangle of elements that is worked on at once: `cols` steps of dim 0, `rows` steps of dim `row_dim`.
struct Tiling {
  int row_dim = -1;  // -1: one row at a time
  int64_t cols, rows;
  int64_t col_tiles, row_tiles, count;
  bool packed;  // rows are short: all staged back to back and computed in one call
};

Tiling tile(const Plan& p, int64_t width) {
  Tiling t;
  int64_t room = kTileBytes / width;
  // An operand that steps less along another dim than along dim 0 wants that dim in the tile.
  for (int i = 0; i < p.operands && t.row_dim < 0; ++i) {
    int64_t step = std::abs(p.strides[i][0]);
    if (step <= int64_t(itemsize(p.dtypes[i]))) continue;
    int64_t best = step;
    for (int d = 1; d < p.ndim; ++d) {
      int64_t s = std::abs(p.strides[i][d]);
      if (s && s < best && p.sizes[d] >= 4) best = s, t.row_dim = d;
    }
  }
  t.packed = false;
  if (t.row_dim > 0) {
    int64_t edge = width <= 4 ? 64 : 32;
    t.rows = std::min(p.sizes[t.row_dim], edge);
    t.cols = std::min(p.sizes[0], room / t.rows);
    if (p.sizes[0] < edge) t.rows = std::min(p.sizes[t.row_dim], room / t.cols);
  } else if (p.sizes[0] < 64 && p.ndim > 1) {
    t.row_dim = 1;
    t.cols = p.sizes[0];
    t.rows = std::min(p.sizes[1], room / 2 / t.cols);
    t.packed = true;
  } else {
    t.rows = 1;
    t.cols = std::min(p.sizes[0], room / 2);
  }
  t.col_tiles = (p.sizes[0] + t.cols - 1) / t.cols;
  t.row_tiles = t.row_dim < 0 ? 1 : (p.sizes[t.row_dim] + t.rows - 1) / t.rows;
  t.count = t.col_tiles * t.row_tiles;
  for (int d = 1; d < p.ndim; ++d)
    if (d != t.row_dim) t.count *= p.sizes[d];
  return t;
}

struct Tile {
  int64_t cols, rows;
  int64_t offset[kPlanOperands];
};

void locate(const Plan& p, const Tiling& t, int64_t index, Tile& out) {
  int64_t c = index % t.col_tiles * t.cols;
  index /= t.col_tiles;
  out.cols = std::min(t.cols, p.sizes[0] - c);
  out.rows = 1;
  for (int i = 0; i < p.operands; ++i) out.offset[i] = c * p.strides[i][0];
  if (t.row_dim > 0) {
    int64_t r = index % t.row_tiles * t.rows;
    index /= t.row_tiles;
    out.rows = std::min(t.rows, p.sizes[t.row_dim] - r);
    for (int i = 0; i < p.operands; ++i) out.offset[i] += r * p.strides[i][t.row_dim];
  }
  for (int d = 1; d < p.ndim; ++d) {
    if (d == t.row_dim) continue;
    int64_t k = index % p.sizes[d];
    index /= p.sizes[d];
    for (int i = 0; i < p.operands; ++i) out.offset[i] += k * p.strides[i][d];
  }
}

// Brings rows x cols elements into `to`, back to back, without converting.
void load(char* to, const char* from, int width_log2, int64_t rows, int64_t cols, int64_t row_step, int64_t col_step) {
  int64_t width = int64_t(1) << width_log2;
  if (rows == 1) {
    if (col_step == width)
      std::memcpy(to, from, size_t(cols * width));
    else
      block_tools.gather[width_log2](to, from, cols, col_step);
  } else if (row_step == width && col_step != width && cols > 1) {
    block_tools.transpose[width_log2](to, cols * width, from, col_step, rows, cols);
  } else if (col_step == width) {
    for (int64_t r = 0; r < rows; ++r) std::memcpy(to + r * cols * width, from + r * row_step, size_t(cols * width));
  } else {
    for (int64_t r = 0; r < rows; ++r)
      block_tools.gather[width_log2](to + r * cols * width, from + r * row_step, cols, col_step);
  }
}

void store(char* to, const char* from, int width_log2, int64_t rows, int64_t cols, int64_t row_step, int64_t col_step,
           bool stream) {
  int64_t width = int64_t(1) << width_log2;
  if (col_step == width) {
    int64_t bytes = cols * width;
    if (rows > 1 && row_step == bytes) bytes *= rows, rows = 1;
    for (int64_t r = 0; r < rows; ++r)
      if (stream && bytes >= 128)
        block_tools.stream(to + r * row_step, from + r * cols * width, bytes);
      else
        std::memcpy(to + r * row_step, from + r * cols * width, size_t(bytes));
  } else if (rows > 1 && row_step == width) {
    block_tools.transpose[width_log2](to, col_step, from, cols * width, cols, rows);
  } else {
    for (int64_t r = 0; r < rows; ++r)
      block_tools.scatter[width_log2](to + r * row_step, from + r * cols * width, cols, col_step);
  }
}

// Elements that are computed before they are streamed. Few: no memory is read while a block is written.
constexpr int64_t kStreamed = 128;

struct Run {
  const Plan& p;
  const Loop& loop;
  const void* params;
  unsigned repeated = 0;  // inputs that are one element
  bool stream = false;
  alignas(16) char values[kMaxInputs][16];

  void whole(int64_t begin, int64_t end) const {  // flat operands of the loop's dtypes
    const void* in[kMaxInputs];
    for (int i = 1; i < p.operands; ++i)
      in[i - 1] = repeated >> (i - 1) & 1 ? static_cast<const void*>(values[i - 1])
                                          : static_cast<char*>(p.data[i]) + begin * p.strides[i][0];
    int64_t width = int64_t(itemsize(loop.out));
    char* out = static_cast<char*>(p.data[0]) + begin * width;
    if (!stream) return loop.fn(out, in, end - begin, repeated, params);
    alignas(64) char buffer[kStreamed * 16];
    for (int64_t at = begin; at < end; at += kStreamed) {
      int64_t n = std::min(kStreamed, end - at);
      loop.fn(buffer, in, n, repeated, params);
      block_tools.stream(out, buffer, n * width);
      out += n * width;
      for (int i = 1; i < p.operands; ++i)
        if (!(repeated >> (i - 1) & 1)) in[i - 1] = static_cast<const char*>(in[i - 1]) + n * p.strides[i][0];
    }
    block_tools.stream_fence();
  }

  void tiles(const Tiling& t, int64_t begin, int64_t end) const {
    alignas(64) char raw[kTileBytes];
    alignas(64) char staged[kPlanOperands][kTileBytes];
    const void* row_in[kMaxInputs];
    // Repeated values for a loop that wants all operands in full.
    if (!loop.takes_repeated)
      for (int i = 1; i < p.operands; ++i)
        if (repeated >> (i - 1) & 1)
          block_tools.gather[log2_itemsize(loop.in[i - 1])](staged[i], values[i - 1],
                                                            t.packed ? t.cols * t.rows : t.cols, 0);
    for (int64_t index = begin; index < end; ++index) {
      Tile tile;
      locate(p, t, index, tile);
      int64_t rows = tile.rows, cols = tile.cols;
      bool together = t.packed || rows == 1;
      const char* base[kPlanOperands];
      int64_t step[kPlanOperands];  // bytes from row to row of what the loop reads
      unsigned mask = 0;
      for (int i = 1; i < p.operands; ++i) {
        unsigned bit = 1u << (i - 1);
        if (repeated & bit) {
          base[i] = loop.takes_repeated ? values[i - 1] : staged[i];
          step[i] = 0;
          if (loop.takes_repeated) mask |= bit;
          continue;
        }
        Dtype dtype = p.dtypes[i], wanted = loop.in[i - 1];
        int64_t width = int64_t(itemsize(dtype)), col_step = p.strides[i][0];
        int64_t row_step = t.row_dim > 0 ? p.strides[i][t.row_dim] : 0;
        const char* from = static_cast<char*>(p.data[i]) + tile.offset[i];
        bool in_place = dtype == wanted && col_step == width && (!together || rows == 1 || row_step == cols * width);
        if (in_place) {
          base[i] = from;
          step[i] = row_step;
          continue;
        }
        if (col_step == 0 && rows == 1 && loop.takes_repeated) {
          block_tools.convert[int(dtype)][int(wanted)](staged[i], from, 1);
          base[i] = staged[i];
          step[i] = 0;
          mask |= bit;
          continue;
        }
        bool contiguous = col_step == width && (rows == 1 || row_step == cols * width);
        if (dtype == wanted) {
          load(staged[i], from, log2_itemsize(dtype), rows, cols, row_step, col_step);
        } else if (contiguous) {
          block_tools.convert[int(dtype)][int(wanted)](staged[i], from, rows * cols);
        } else {
          load(raw, from, log2_itemsize(dtype), rows, cols, row_step, col_step);
          block_tools.convert[int(dtype)][int(wanted)](staged[i], raw, rows * cols);
        }
        base[i] = staged[i];
        step[i] = cols * int64_t(itemsize(wanted));
      }
      Dtype dtype = p.dtypes[0];
      int64_t width = int64_t(itemsize(dtype)), col_step = p.strides[0][0];
      int64_t row_step = t.row_dim > 0 ? p.strides[0][t.row_dim] : 0;
      char* to = static_cast<char*>(p.data[0]) + tile.offset[0];
      bool direct =
          dtype == loop.out && col_step == width && !stream && (!together || rows == 1 || row_step == cols * width);
      char* result = direct ? to : staged[0];
      int64_t result_step = direct ? row_step : cols * int64_t(itemsize(loop.out));
      int64_t calls = together ? 1 : rows, n = together ? rows * cols : cols;
      for (int64_t r = 0; r < calls; ++r) {
        for (int i = 1; i < p.operands; ++i) row_in[i - 1] = base[i] + r * step[i];
        loop.fn(result + r * result_step, row_in, n, mask, params);
      }
      if (direct) continue;
      if (dtype != loop.out) {
        bool contiguous = col_step == width && (rows == 1 || row_step == cols * width);
        if (contiguous && !stream) {
          block_tools.convert[int(loop.out)][int(dtype)](to, staged[0], rows * cols);
          continue;
        }
        block_tools.convert[int(loop.out)][int(dtype)](raw, staged[0], rows * cols);
      }
      store(to, dtype == loop.out ? staged[0] : raw, log2_itemsize(dtype), rows, cols, row_step, col_step, stream);
    }
    if (stream) block_tools.stream_fence();
  }
};

// Whether writing past the caches pays: a large result that no input has brought into them.
bool wants_stream(const Plan& p) {
  if (p.numel * int64_t(itemsize(p.dtypes[0])) < kStreamBytes) return false;
  for (int i = 1; i < p.operands; ++i)
    if (p.data[i] == p.data[0]) return false;
  return true;
}

}  // namespace

void run(const Plan& p, const Loop& loop, const void* params) {
  if (p.numel == 0) return;
  Run r{p, loop, params};
  bool flat =
      p.ndim == 1 && p.dtypes[0] == loop.out && (p.strides[0][0] == int64_t(itemsize(loop.out)) || p.numel == 1);
  for (int i = 1; i < p.operands; ++i) {
    bool one = true;
    for (int d = 0; d < p.ndim; ++d) one &= p.strides[i][d] == 0;
    if (one && (p.numel > 1 || p.dtypes[i] != loop.in[i - 1])) {
      block_tools.convert[int(p.dtypes[i])][int(loop.in[i - 1])](r.values[i - 1], p.data[i], 1);
      r.repeated |= 1u << (i - 1);
    } else {
      flat &= p.dtypes[i] == loop.in[i - 1] && (p.strides[i][0] == int64_t(itemsize(loop.in[i - 1])) || p.numel == 1);
    }
  }
  if (r.repeated && p.numel == 1 && !loop.takes_repeated && flat) {
    const void* in[kMaxInputs];
    for (int i = 1; i < p.operands; ++i) in[i - 1] = r.repeated >> (i - 1) & 1 ? r.values[i - 1] : p.data[i];
    return loop.fn(p.data[0], in, 1, 0, params);
  }
  if (flat && (!r.repeated || loop.takes_repeated)) {
    if (p.numel * loop.cost <= kGrain) return r.whole(0, p.numel);
    r.stream = wants_stream(p);
    // Ranges of whole cache lines, so that threads do not share one.
    constexpr int64_t kUnit = 1024;
    int64_t units = (p.numel + kUnit - 1) / kUnit;
    return parallel_for(units, std::max<int64_t>(1, kGrain / kUnit / loop.cost),
                        [&](int64_t b, int64_t e) { r.whole(b * kUnit, std::min(e * kUnit, p.numel)); });
  }
  int64_t width = int64_t(itemsize(loop.out));
  for (int i = 0; i < p.operands; ++i) width = std::max(width, int64_t(itemsize(p.dtypes[i])));
  for (int i = 1; i < p.operands; ++i) width = std::max(width, int64_t(itemsize(loop.in[i - 1])));
  Tiling t = tile(p, width);
  r.stream = wants_stream(p);
  int64_t per_tile = std::max<int64_t>(1, p.numel / t.count);
  parallel_for(t.count, std::max<int64_t>(1, kGrain / per_tile / loop.cost),
               [&](int64_t b, int64_t e) { r.tiles(t, b, e); });
}

namespace {

template <int kWidth>
void move_loop(void* out, const void* const* in, int64_t n, unsigned repeated, const void*) {
  if (repeated)
    block_tools.gather[__builtin_ctz(kWidth)](out, in[0], n, 0);
  else
    std::memcpy(out, in[0], size_t(n * kWidth));
}

// Converts inside the loop function, so that a contiguous conversion needs no buffer.
void convert_loop(void* out, const void* const* in, int64_t n, unsigned, const void* params) {
  (*static_cast<const BlockTools::Convert*>(params))(out, in[0], n);
}

}  // namespace

void copy(const Plan& p) {
  if (p.numel == 0) return;
  Dtype to = p.dtypes[0], from = p.dtypes[1];
  if (to == from) {
    // The smallest dtype of that width stands for all of them.
    static constexpr LoopFn moves[] = {move_loop<1>, move_loop<2>, move_loop<4>, move_loop<8>, move_loop<16>};
    bool flat = p.ndim == 1 && p.strides[0][0] == int64_t(itemsize(to)) && p.strides[1][0] == p.strides[0][0];
    if (flat && wants_stream(p)) {
      int64_t width = int64_t(itemsize(to)), bytes = p.numel * width;
      constexpr int64_t kPiece = 1 << 16;
      return parallel_for((bytes + kPiece - 1) / kPiece, 2, [&](int64_t b, int64_t e) {
        int64_t begin = b * kPiece, end = std::min(e * kPiece, bytes);
        block_tools.stream(static_cast<char*>(p.data[0]) + begin, static_cast<char*>(p.data[1]) + begin, end - begin);
        block_tools.stream_fence();
      });
    }
    return run(p, Loop{moves[log2_itemsize(to)], to, {to}, true}, nullptr);
  }
  bool repeated = true;
  for (int d = 0; d < p.ndim; ++d) repeated &= p.strides[1][d] == 0;
  if (repeated) {
    alignas(16) char value[16];
    block_tools.convert[int(from)][int(to)](value, p.data[1], 1);
    Plan filled = p;
    filled.dtypes[1] = to;
    filled.data[1] = value;
    return copy(filled);
  }
  BlockTools::Convert convert = block_tools.convert[int(from)][int(to)];
  run(p, Loop{convert_loop, to, {from}, false}, &convert);
}

}  // namespace tl::cpu
