#include "kernels/shape.h"

#include "index.h"
#include "kernels/cast.h"
#include "runtime/walk.h"

// Moves of elements as they are: plans for the copy of cuda/cast.cu, in a dtype of their width.

namespace tl::cuda {
namespace {

Dtype word_of(size_t width) {
  return width == 1   ? Dtype::UInt8
         : width == 2 ? Dtype::Int16
         : width == 4 ? Dtype::Int32
         : width == 8 ? Dtype::Int64
                      : Dtype::Complex128;
}

void run_copy(Plan& p, size_t width, const void* where) {
  p.operands = 2;
  p.dtypes[0] = p.dtypes[1] = word_of(width);
  p.device = {DeviceType::CUDA, int8_t(Launcher::of(where).scope.now)};
  int64_t reach[2] = {16, 16};
  bool backwards = false;
  for (int i = 0; i < 2; ++i)
    for (int d = 0; d < p.ndim; ++d) {
      backwards |= p.strides[i][d] < 0;
      reach[i] += (p.sizes[d] - 1) * p.strides[i][d];
    }
  p.index32 = !backwards && reach[0] < (int64_t(1) << 31) && reach[1] < (int64_t(1) << 31);
  cast_kernels[int(DeviceType::CUDA)].copy(p);
}

void copy(const StridedCopyArgs& a) {
  Plan p;
  p.ndim = 0;
  p.numel = 1;
  for (int64_t d = a.ndim; d-- > 0;) {
    p.numel *= a.sizes[d];
    if (a.sizes[d] == 1) continue;
    int n = p.ndim;
    if (n && a.dst_strides[d] == p.strides[0][n - 1] * p.sizes[n - 1] &&
        a.src_strides[d] == p.strides[1][n - 1] * p.sizes[n - 1]) {
      p.sizes[n - 1] *= a.sizes[d];
      continue;
    }
    check(n < kPlanDims, "copies of more than ", kPlanDims, " nested loops are not supported");
    p.sizes[n] = a.sizes[d];
    p.strides[0][n] = a.dst_strides[d];
    p.strides[1][n] = a.src_strides[d];
    ++p.ndim;
  }
  if (p.numel == 0) return;
  if (p.ndim == 0) {
    p.ndim = 1;
    p.sizes[0] = 1;
    p.strides[0][0] = p.strides[1][0] = int64_t(a.itemsize);
  }
  p.data[0] = a.dst;
  p.data[1] = const_cast<char*>(a.src);
  run_copy(p, a.itemsize, a.dst);
}

// Piece by piece, in the widest words that addresses and sizes are multiples of.
void join(const JoinArgs& a) {
  int64_t offset = 0;
  for (int64_t i = 0; i < a.pieces; offset += a.bytes[i++]) {
    int64_t bytes = a.bytes[i];
    if (bytes == 0 || a.rows == 0) continue;
    char* to = a.dst + offset;
    uint64_t low = uint64_t(bytes) | uint64_t(a.row_bytes) | reinterpret_cast<uintptr_t>(to) |
                   reinterpret_cast<uintptr_t>(a.src[i]) | 16;
    int64_t width = int64_t(low & -low);
    Plan p;
    p.numel = bytes / width * a.rows;
    p.ndim = 1;
    p.sizes[0] = bytes / width;
    p.strides[0][0] = p.strides[1][0] = width;
    if (a.rows > 1) {
      if (a.row_bytes == bytes) {
        p.sizes[0] *= a.rows;
      } else {
        p.ndim = 2;
        p.sizes[1] = a.rows;
        p.strides[0][1] = a.row_bytes;
        p.strides[1][1] = bytes;
      }
    }
    p.data[0] = to;
    p.data[1] = const_cast<char*>(a.src[i]);
    run_copy(p, size_t(width), to);
  }
}

template <class Word, class I>
TL_KERNEL keep_triangle(Word* to, const Word* from, int64_t n, const Extent<I> rows, const Extent<I> cols,
                        int64_t diagonal, bool upper) {
  for (int64_t i = global_index(); i < n; i += global_size()) {
    I rest = I(i), col = cols.split(rest), row = rows.split(rest);
    int64_t distance = int64_t(col) - int64_t(row);
    bool kept = upper ? distance >= diagonal : distance <= diagonal;
    to[i] = kept ? from[i] : Word{};
  }
}

template <class Word>
void triangle_of(const TriangleArgs& a) {
  Launcher l = Launcher::of(a.dst);
  int64_t n = a.batch * a.rows * a.cols;
  auto run = [&](auto index) {
    using I = decltype(index);
    launch({{blocks_for(n, kThreads)}, {kThreads}, 0, l.stream}, keep_triangle<Word, I>, reinterpret_cast<Word*>(a.dst),
           reinterpret_cast<const Word*>(a.src), n, Extent<I>(a.rows), Extent<I>(a.cols), a.diagonal, a.upper);
  };
  n <= INT32_MAX ? run(int32_t()) : run(int64_t());
}

void triangle(const TriangleArgs& a) {
  if (a.batch * a.rows * a.cols == 0) return;
  switch (a.itemsize) {
    case 1:
      return triangle_of<uint8_t>(a);
    case 2:
      return triangle_of<uint16_t>(a);
    case 4:
      return triangle_of<uint32_t>(a);
    case 8:
      return triangle_of<uint64_t>(a);
    default:
      return triangle_of<Pack<uint64_t, 2>>(a);
  }
}

void zero(void* dst, size_t bytes) {
  if (!bytes) return;
  Launcher l = Launcher::of(dst);
  driver::set_bytes(dst, 0, bytes, l.stream);
}

[[maybe_unused]] const bool filled = [] {
  shape_kernels[int(DeviceType::CUDA)] = {copy, join, triangle, zero, accumulate};
  return true;
}();

}  // namespace
}  // namespace tl::cuda
