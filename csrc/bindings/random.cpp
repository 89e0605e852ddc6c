#include "ops/random.h"

#include "bindings/table.h"

namespace tl::python {
namespace {

#define TL_FACTORY                                                                           \
  "*, Generator? generator=None, Tensor? out=None, dtype? dtype=None, !layout layout=None, " \
  "device? device=None, !pin_memory pin_memory=False, bool requires_grad=False) -> Tensor"
#define TL_LIKE                                                                                 \
  "*, Generator? generator=None, dtype? dtype=None, !layout layout=None, device? device=None, " \
  "!pin_memory pin_memory=False, format? memory_format=None, bool requires_grad=False) -> Tensor"
#define TL_DRAW "*, Generator? generator=None, Tensor? out=None) -> Tensor"

constexpr unsigned kFactory = kFunction | kNoGrad;
constexpr unsigned kFill = kMethod | kInplace | kInplaceOnly;

const Row rows[] = {
    {"rand(Size size, " TL_FACTORY, TL_OP(ops::rand), kFactory, "Uniform random numbers from [0, 1)."},
    {"randn(Size size, " TL_FACTORY, TL_OP(ops::randn), kFactory,
     "Random numbers of the standard normal distribution."},
    {"randint(int high, shape size, " TL_FACTORY, TL_OP(ops::randint), kFactory,
     "Random integers from [low, high); low is 0 when left out."},
    {"randint.low(int low, int high, shape size, " TL_FACTORY, TL_OP(ops::randint_low), kFactory},
    {"randperm(int n, " TL_FACTORY, TL_OP(ops::randperm), kFactory, "0 to n - 1 in random order."},
    {"rand_like(Tensor input, " TL_LIKE, TL_OP(ops::rand_like), kFactory,
     "Uniform random numbers from [0, 1), shaped like the input."},
    {"randn_like(Tensor input, " TL_LIKE, TL_OP(ops::randn_like), kFactory,
     "Random numbers of the standard normal distribution, shaped like the input."},
    {"randint_like(Tensor input, int high, " TL_LIKE, TL_OP(ops::randint_like), kFactory,
     "Random integers from [low, high), shaped like the input."},
    {"randint_like.low(Tensor input, int low, int high, " TL_LIKE, TL_OP(ops::randint_like_low), kFactory},

    {"uniform(Tensor input, float from=0.0, float to=1.0, " TL_DRAW, TL_OP(ops::uniform_into), kFill,
     "Fills with uniform random numbers from [from, to)."},
    {"normal.fill(Tensor input, float mean=0.0, float std=1.0, " TL_DRAW, TL_OP(ops::normal_into), kFill,
     "Fills with normal random numbers of this mean and standard deviation."},
    {"random(Tensor input, " TL_DRAW, TL_OP(ops::random_into), kFill,
     "Fills with random integers from [from, to), or from 0 up to the largest that the dtype holds exactly."},
    {"random.to(Tensor input, int to, " TL_DRAW, TL_OP(ops::random_below_into), kFill},
    {"random.from(Tensor input, int from, int? to=None, " TL_DRAW, TL_OP(ops::random_from_into), kFill},
    {"bernoulli.fill_tensor(Tensor input, Tensor p, " TL_DRAW, TL_OP(ops::bernoulli_tensor_into), kFill,
     "Fills with 1 (probability p, a number or a tensor of probabilities) and 0."},
    {"bernoulli.fill(Tensor input, float p=0.5, " TL_DRAW, TL_OP(ops::bernoulli_into), kFill},
    {"exponential(Tensor input, float lambd=1.0, " TL_DRAW, TL_OP(ops::exponential_into), kFill,
     "Fills with numbers of the exponential distribution of rate lambd."},
    {"geometric(Tensor input, float p, " TL_DRAW, TL_OP(ops::geometric_into), kFill,
     "Fills with the number of trials up to the first success of probability p."},
    {"log_normal(Tensor input, float mean=1.0, float std=2.0, " TL_DRAW, TL_OP(ops::log_normal_into), kFill,
     "Fills with exp(x) of normal numbers x of this mean and standard deviation."},
    {"cauchy(Tensor input, float median=0.0, float sigma=1.0, " TL_DRAW, TL_OP(ops::cauchy_into), kFill,
     "Fills with numbers of the Cauchy distribution."},

    {"bernoulli(Tensor input, " TL_DRAW, TL_OP(ops::bernoulli), kFunction | kMethod,
     "1 with the probability that the input's element gives, else 0."},
    {"bernoulli.p(Tensor input, float p, *, Generator? generator=None) -> Tensor", TL_OP(ops::bernoulli_p),
     kFunction | kMethod},
    {"normal(Tensor mean, Tensor std, " TL_DRAW, TL_OP(ops::normal), kFunction,
     "Normal random numbers; each of mean and std is a number or a tensor."},
    {"normal.mean(Tensor mean, float std=1.0, " TL_DRAW, TL_OP(ops::normal_mean), kFunction},
    {"normal.std(float mean, Tensor std, " TL_DRAW, TL_OP(ops::normal_std), kFunction},
    {"normal.size(float mean, float std, shape size, " TL_FACTORY, TL_OP(ops::normal_size), kFactory},
    {"poisson(Tensor input, Generator? generator=None) -> Tensor", TL_OP(ops::poisson), kFunction,
     "Random counts of the Poisson distribution; the input gives the rates."},
    {"multinomial(Tensor input, int num_samples, bool replacement=False, " TL_DRAW, TL_OP(ops::multinomial),
     kFunction | kMethod | kNoGrad,
     "num_samples indices a row (n) or (m, n) of weights, each as likely as its weight. Raises when the weights of a "
     "row "
     "are negative or all 0."},
};

}  // namespace
TL_ROWS(rows)

}  // namespace tl::python
