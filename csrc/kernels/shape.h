#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/export.h"
#include "kernels/kernels.h"

namespace tl {

// Moves elements as they are, whatever their dtype. Strides are in bytes and may be zero (source) or negative.
struct StridedCopyArgs {
  char* dst;
  const char* src;
  int64_t ndim;
  const int64_t* sizes;
  const int64_t* dst_strides;
  const int64_t* src_strides;
  size_t itemsize;
};

// Writes `rows` rows, each the join of one run of every piece. Piece i is `rows` runs of bytes[i], one after another.
struct JoinArgs {
  char* dst;
  int64_t rows;
  int64_t row_bytes;
  int64_t pieces;
  const char* const* src;
  const int64_t* bytes;
};

// Keeps one triangle of each matrix and writes zeros elsewhere; dst is row-major, and may be src.
struct TriangleArgs {
  char* dst;
  const char* src;  // row-major too
  int64_t batch, rows, cols;
  int64_t diagonal;
  bool upper;
  size_t itemsize;
};

// dst += src element by element, in order: places of dst may coincide. Strides are in bytes.
struct AccumulateArgs {
  char* dst;
  const char* src;
  int64_t ndim;
  const int64_t* sizes;
  const int64_t* dst_strides;
  const int64_t* src_strides;
  Dtype dtype;
};

struct ShapeKernels {
  void (*copy)(const StridedCopyArgs&);
  void (*join)(const JoinArgs&);
  void (*triangle)(const TriangleArgs&);
  void (*zero)(void* dst, size_t bytes);
  void (*accumulate)(const AccumulateArgs&);
};
TL_API extern ShapeKernels shape_kernels[kDeviceTypes];

}  // namespace tl
