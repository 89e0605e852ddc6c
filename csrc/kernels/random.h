#pragma once

#include "core/generator.h"
#include "core/plan.h"
#include "kernels/kernels.h"

namespace tl {

// Operand 0 of the plan is written, in the plan's order; operand 1 is read where a kernel has an input.
struct RandomArgs {
  Plan plan;
  Generator* generator;
  double a, b;     // the distribution's parameters
  int64_t from;    // of `integers`
  uint64_t range;  // of `integers`; 0: all 2^64, without `from`
  bool wide;       // of `integers`: 64 bits a draw
  bool row_major;  // the output is contiguous
};

struct MultinomialArgs {
  const void* weights;  // rows x categories, contiguous
  int64_t* out;         // rows x samples
  Dtype dtype;
  int64_t rows, categories, samples;
  bool replacement;
  Generator* generator;
};

struct RandomKernels {
  using Fill = void (*)(const RandomArgs&);
  Fill uniform;           // [a, b)
  Fill normal;            // mean a, standard deviation b
  Fill integers;          // from + draw % range
  Fill bernoulli;         // probability a
  Fill bernoulli_tensor;  // probabilities from operand 1
  Fill exponential;       // rate a
  Fill geometric;         // probability a
  Fill log_normal;        // exp of normal(a, b)
  Fill cauchy;            // median a, scale b
  Fill poisson;           // rates from operand 1
  void (*randperm)(void* out, Dtype dtype, int64_t n, Generator* generator);
  void (*multinomial)(const MultinomialArgs&);
  void (*affine)(const Plan&);  // operand 1 * operand 2 + operand 3
};
TL_API extern RandomKernels random_kernels[kDeviceTypes];

}  // namespace tl
