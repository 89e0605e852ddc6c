#pragma once

#include "core/generator.h"
#include "ops/types.h"

namespace tl::ops {

// A null generator is the default one. What ends in `_into` writes to `out`, which is its first input.

TL_API Tensor rand(Ints size, Generator* generator, const Out& out, OptDtype dtype, OptDevice device);
TL_API Tensor randn(Ints size, Generator* generator, const Out& out, OptDtype dtype, OptDevice device);
TL_API Tensor randint(int64_t high, Ints size, Generator* generator, const Out& out, OptDtype dtype, OptDevice device);
TL_API Tensor randint_low(int64_t low, int64_t high, Ints size, Generator* generator, const Out& out, OptDtype dtype,
                          OptDevice device);
TL_API Tensor randperm(int64_t n, Generator* generator, const Out& out, OptDtype dtype, OptDevice device);
TL_API Tensor rand_like(const Tensor& input, Generator* generator, OptDtype dtype, OptDevice device, OptFormat format);
TL_API Tensor randn_like(const Tensor& input, Generator* generator, OptDtype dtype, OptDevice device, OptFormat format);
TL_API Tensor randint_like(const Tensor& input, int64_t high, Generator* generator, OptDtype dtype, OptDevice device,
                           OptFormat format);
TL_API Tensor randint_like_low(const Tensor& input, int64_t low, int64_t high, Generator* generator, OptDtype dtype,
                               OptDevice device, OptFormat format);

TL_API Tensor uniform_into(const Tensor& input, double from, double to, Generator* generator, const Out& out);
TL_API Tensor normal_into(const Tensor& input, double mean, double std, Generator* generator, const Out& out);
// All values that the dtype holds exactly, from 0 up.
TL_API Tensor random_into(const Tensor& input, Generator* generator, const Out& out);
TL_API Tensor random_below_into(const Tensor& input, int64_t to, Generator* generator, const Out& out);
// [from, to); without `to` up to the dtype's largest.
TL_API Tensor random_from_into(const Tensor& input, int64_t from, OptInt to, Generator* generator, const Out& out);
TL_API Tensor bernoulli_into(const Tensor& input, double p, Generator* generator, const Out& out);
TL_API Tensor bernoulli_tensor_into(const Tensor& input, const Tensor& p, Generator* generator, const Out& out);
TL_API Tensor exponential_into(const Tensor& input, double lambd, Generator* generator, const Out& out);
TL_API Tensor geometric_into(const Tensor& input, double p, Generator* generator, const Out& out);
TL_API Tensor log_normal_into(const Tensor& input, double mean, double std, Generator* generator, const Out& out);
TL_API Tensor cauchy_into(const Tensor& input, double median, double sigma, Generator* generator, const Out& out);

// Elements of the input are the probabilities.
TL_API Tensor bernoulli(const Tensor& input, Generator* generator, const Out& out);
TL_API Tensor bernoulli_p(const Tensor& input, double p, Generator* generator);
TL_API Tensor normal(const Tensor& mean, const Tensor& std, Generator* generator, const Out& out);
TL_API Tensor normal_mean(const Tensor& mean, double std, Generator* generator, const Out& out);
TL_API Tensor normal_std(double mean, const Tensor& std, Generator* generator, const Out& out);
TL_API Tensor normal_size(double mean, double std, Ints size, Generator* generator, const Out& out, OptDtype dtype,
                          OptDevice device);
TL_API Tensor poisson(const Tensor& input, Generator* generator);
// Rows of weights (..., n) -> (..., num_samples) int64 indices.
TL_API Tensor multinomial(const Tensor& input, int64_t num_samples, bool replacement, Generator* generator,
                          const Out& out);

}  // namespace tl::ops
