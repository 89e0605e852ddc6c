#pragma once

#include "runtime/block.h"

// Passes over whole tensors that the normalisations are made of where a row does not fit into a block's registers:
// statistics, sums of the gradient, and what is written with them. Parameters and statistics are of Sum.

namespace tl::cuda {

// (batch, channels, inner) memory; what is summed up lies in `inner` of each of the batch.
struct Planes {
  int64_t batch, channels, inner;
};
// (rows, columns) memory.
struct Columns {
  int64_t rows, columns;
};

template <class A>
struct Moments {
  A n, mean, squares;  // squares of differences from the mean
};
template <class A>
struct GradSums {
  A sum, dot;  // of the gradient, and of the gradient times (input - mean)
};

// Partial results: those of a channel lie side by side.
template <class P>
struct Parts {
  Parts(int64_t c, int64_t n, const Launcher& l) : count(n), memory(l, c * n) {}
  int64_t count;
  WorkArray<P> memory;
};

template <class T>
using MomentsOf = Moments<Sum<T>>;
template <class T>
using GradSumsOf = GradSums<Sum<T>>;
template <class T>
using MomentParts = Parts<MomentsOf<T>>;
template <class T>
using GradParts = Parts<GradSumsOf<T>>;

// How many parts the channels are cut into, by the shape alone.
int64_t parts_of(const Planes& p, int64_t pack);
int64_t parts_of(const Columns& c, int64_t pack);

template <class T>
void moments(const Launcher& l, const Planes& p, const T* x, const MomentParts<T>& parts);
template <class T>
void moments(const Launcher& l, const Columns& c, const T* x, const MomentParts<T>& parts);

// `weight`, of an element of `inner`, may be null.
template <class T>
void grad_sums(const Launcher& l, const Planes& p, const T* g, const T* x, const Sum<T>* mean,
               int64_t channels_per_mean, const Sum<T>* weight, const GradParts<T>& parts);
// Of columns; mean and rstd are the columns' own, or the rows' (then the dot is of the normalised input).
template <class T>
void grad_sums(const Launcher& l, const Columns& c, const T* g, const T* x, const Sum<T>* mean, const Sum<T>* row_rstd,
               const GradParts<T>& parts);

// (x - mean) * rstd * weight + bias; weight and bias may be null.
template <class A>
struct Scaling {
  const A *mean, *rstd, *weight, *bias;
};
// (g * weight - shift - (x - mean) * slope) * rstd. With `per_row` false the weight multiplies the whole instead.
template <class A>
struct GradScaling {
  const A *mean, *rstd, *weight, *shift, *slope;
};

// Statistics of channel c of the planes lie at c / channels_per_stat, or c where they are the channels' own (0).
// `channels` of parameters repeat over the batch.
template <class T>
void scale(const Launcher& l, const Planes& p, int64_t channels_per_stat, const T* x, T* y, const Scaling<Sum<T>>& s);
template <class T>
void scale_grad(const Launcher& l, const Planes& p, int64_t channels_per_stat, const T* g, const T* x, T* d,
                const GradScaling<Sum<T>>& s);
// Statistics of the rows or of the columns; weight and bias are the columns'.
template <class T>
void scale(const Launcher& l, const Columns& c, bool per_row, const T* x, T* y, const Scaling<Sum<T>>& s);
template <class T>
void scale_grad(const Launcher& l, const Columns& c, bool per_row, const T* g, const T* x, T* d,
                const GradScaling<Sum<T>>& s);

}  // namespace tl::cuda
