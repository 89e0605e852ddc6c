#pragma once

#include <cstddef>
#include <cstdint>

#include "core/data_error.h"
#include "core/dtype.h"
#include "core/export.h"
#include "core/scalar.h"
#include "kernels/kernels.h"

namespace tl {

// What happens to the element that an index points to.
enum class ScatterMode : uint8_t { Assign, Add, Multiply, Max, Min };

// One index for each element, along one dim: gather reads src[.., index, ..], scatter writes dst[.., index, ..].
struct AlongArgs {
  char* dst;
  const char* src;
  const int64_t* index;
  int64_t ndim;  // at least 1
  int64_t dim;
  const int64_t* sizes;          // of the index
  const int64_t* dst_strides;    // bytes
  const int64_t* src_strides;    // bytes
  const int64_t* index_strides;  // elements
  int64_t limit;                 // indices lie in [0, limit)
  Dtype dtype;
  ScatterMode mode;
  DataError error;  // about an index out of range
};

// Turns indices into byte offsets: offsets[i] (+)= index[i] * stride. Negative indices count from the end if `wrap`.
// Where the error is raised later, an index out of range has the offset -1.
struct OffsetArgs {
  int64_t* offsets;
  bool first;  // assign, do not add
  bool wrap;
  const char* index;
  Dtype index_dtype;  // Int32 or Int64
  int64_t ndim;
  const int64_t* sizes;
  const int64_t* index_strides;  // bytes
  int64_t limit;
  int64_t stride;  // bytes
  int64_t skip;    // an index whose offset becomes -1; -1: none
  DataError error;
};

// `count` rows at `offsets` (bytes) of the indexed side, and at multiples of `step` of the other; all of it repeated
// for each position of the outer dims. gather_rows: the indexed side is src; scatter_rows: dst, where rows may coincide
// and are taken in order, and a negative offset is left out.
struct RowsArgs {
  char* dst;
  const char* src;
  const int64_t* offsets;
  int64_t count;
  int64_t step;
  int64_t outer_ndim;
  const int64_t *outer_sizes, *outer_dst, *outer_src;
  int64_t inner_ndim;  // the dims of a row
  const int64_t *inner_sizes, *inner_dst, *inner_src;
  Dtype dtype;
  ScatterMode mode;  // scatter_rows: Assign or Add
  Scalar alpha;      // Add: dst += alpha * src
  int64_t unit;      // what all offsets are multiples of
  int64_t span;      // offsets into dst lie in [0, span)
};

// A mask is `n` bools in a row, cut into chunks; starts[c], in the device's memory, is the number of true ones before
// chunk c, and starts[mask_chunks(n)] that of all.
inline constexpr int64_t kMaskChunk = 1 << 12;
inline constexpr int64_t mask_chunks(int64_t n) { return (n + kMaskChunk - 1) / kMaskChunk; }

struct MaskArgs {
  char* dst;
  const char* src;
  const bool* mask;
  int64_t n;
  const int64_t* starts;
  size_t itemsize;
};

struct NonzeroArgs {
  int64_t* dst;  // ndim columns of `total` numbers
  const bool* mask;
  int64_t n;
  const int64_t* starts;
  int64_t total;
  int64_t ndim;
  const int64_t* sizes;
};

struct IndexKernels {
  void (*gather)(const AlongArgs&);
  void (*scatter)(const AlongArgs&);
  void (*offsets)(const OffsetArgs&);
  void (*gather_rows)(const RowsArgs&);
  void (*scatter_rows)(const RowsArgs&);
  int64_t (*mask_starts)(const bool* mask, int64_t n, int64_t* starts);  // gives the number of true ones
  void (*mask_select)(const MaskArgs&);                                  // dst[k++] = src[i] where mask[i]
  void (*mask_scatter)(const MaskArgs&);                                 // dst[i] = src[k++] where mask[i]
  void (*mask_fill)(const MaskArgs&);                                    // dst[i] = src[0] where mask[i]
  void (*nonzero)(const NonzeroArgs&);
  // dst[i] = dst[i] / max(counts[i], 1), integers rounded down
  void (*divide_counts)(void* dst, const int64_t* counts, int64_t n, Dtype dtype);
};
TL_API extern IndexKernels index_kernels[kDeviceTypes];

}  // namespace tl
