#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "core/export.h"
#include "kernels/kernels.h"

namespace tl {

// The order of all kernels here: numbers ascending, -0 equal to 0, NaN last; equal ones by their place. Complex dtypes
// have none. An operand with lines is row-major with dims (outer, n, inner), and lines run along n.

// An element sorts by a number without a sign of its width.
template <size_t bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using type = uint8_t;
};
template <>
struct UnsignedOf<2> {
  using type = uint16_t;
};
template <>
struct UnsignedOf<4> {
  using type = uint32_t;
};
template <>
struct UnsignedOf<8> {
  using type = uint64_t;
};

struct SortArgs {
  void* values;      // may be null
  int64_t* indices;  // may be null
  const void* in;
  int64_t outer, n, inner;
  Dtype dtype;
  bool descending;  // NaN first; equal ones still by their place
};

struct TopkArgs {
  void* values;  // (outer, k, inner)
  int64_t* indices;
  const void* in;
  int64_t outer, n, inner;
  int64_t k;  // at least 1, at most n
  Dtype dtype;
  bool largest;
};

enum class Select : uint8_t { Kth, Median, NanMedian, Mode };

// One element of each line, n > 0. Median: the lower of two middle ones, the first NaN if there is one; NanMedian
// leaves NaN out. Mode: the least of the most frequent values, at its last place.
struct SelectArgs {
  void* values;      // (outer, inner)
  int64_t* indices;  // may be null
  const void* in;
  int64_t outer, n, inner;
  int64_t k;  // of Kth, from 0
  Dtype dtype;
  Select what;
};

// Where values would stand in sorted sequences: before their equals, or after them if `right`.
struct SearchArgs {
  void* out;  // int32 or int64, one for each value
  const void* sequences;
  const int64_t* sorter;  // null, or the order of each sequence
  const void* values;
  int64_t lines;  // of values; each has a sequence of its own, unless `shared`
  int64_t n;      // length of a sequence
  int64_t per_line;
  Dtype dtype;
  bool shared, right, int32;
};

// Rows of `length` elements side by side.
struct RowOrderArgs {
  int64_t* order;
  const void* rows;
  int64_t count, length;
  Dtype dtype;
};

// Runs of equal neighbours among rows, of any dtype. NaN differs from itself.
struct RowRunsArgs {
  int64_t* starts;   // count of runs + 1
  int64_t* inverse;  // null, or the run of each row
  const void* rows;
  const int64_t* order;    // null, or which row stands where
  const int64_t* origins;  // null, or the place in `inverse` of what stands there
  int64_t count, length;
  Dtype dtype;
};

struct BincountArgs {
  void* counts;  // zeros: int64, or the dtype of the weights
  const void* in;
  const void* weights;  // null, or float32 or float64
  int64_t n, bins;
  Dtype dtype;  // an integer one
  Dtype weight_dtype;
};

struct SortKernels {
  void (*sort)(const SortArgs&);
  void (*topk)(const TopkArgs&);
  void (*select)(const SelectArgs&);
  void (*search)(const SearchArgs&);
  void (*row_order)(const RowOrderArgs&);   // by the first element that differs
  int64_t (*row_runs)(const RowRunsArgs&);  // gives their number
  // The least and the largest of n > 0 integers.
  void (*range)(const void* in, int64_t n, Dtype dtype, int64_t* least, int64_t* most);
  void (*bincount)(const BincountArgs&);  // each of `in` is the place of a count
};
TL_API extern SortKernels sort_kernels[kDeviceTypes];

}  // namespace tl
