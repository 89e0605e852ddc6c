"""Random numbers do not depend on what was there before: gradients are zero."""

from . import derivative


def _zero(n, grad):
    return grad.new_zeros(grad.shape)


for _name in (
    "uniform",
    "normal.fill",
    "random",
    "random.to",
    "random.from",
    "bernoulli.fill",
    "exponential",
    "geometric",
    "log_normal",
    "cauchy",
    "bernoulli",
    "bernoulli.p",
    "poisson",
    "normal.mean",
):
    derivative(_name)(_zero)


@derivative("bernoulli.fill_tensor", saves=("p.shape",))
def bernoulli_fill_tensor(n, grad):
    return grad.new_zeros(grad.shape), grad.new_zeros(n.p_shape)


@derivative("normal", saves=("mean.shape", "std.shape"))
def normal(n, grad):
    return grad.new_zeros(n.mean_shape), grad.new_zeros(n.std_shape)


@derivative("normal.std")
def normal_std(n, grad):
    return grad.new_zeros(grad.shape)
