"""Arithmetic, functions of elements, in place and into a given tensor."""

import math

import torch

torch.set_printoptions(precision=3, sci_mode=False)


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


x, y = torch.tensor([1.0, 2, 4, 8]), torch.tensor([2, 2, 2, 2])
print(x + y, x - y, x * y, x / y, x**y, x // 3, x % 3, -x, abs(-x), sep="\n")
print(2 + x, 2 - x, 2 * x, 2 / x, 2**x, 7 // x, 7 % x, +x, x.add(1), torch.add(x, y, alpha=10), torch.sub(x, 1, alpha=2), sep="\n")
print(x.mul(2), torch.multiply(x, 3), torch.div(x, 3, rounding_mode="floor"), torch.div(-x, 3, rounding_mode="trunc"), torch.true_divide(y, 4), torch.floor_divide(x, 3), sep="\n")
print(torch.fmod(torch.tensor([-3.0, 3.0]), 2), torch.remainder(torch.tensor([-3.0, 3.0]), 2), torch.tensor([-7, 7]) // 2, torch.tensor([-7, 7]) % 3, sep="\n")
print(x == y, x < 4, x >= 4, x != 4, torch.eq(x, y).all(), torch.equal(x, x), torch.allclose(x, x + 1e-9), torch.isclose(x, x + 1), (x > 1) & (x < 8), ~(x > 1), (x > 1) ^ (x > 4), sep="\n")

print("-- functions of one tensor")
t = torch.tensor([-1.5, -0.5, 0.0, 0.5, 1.5])
for name in "exp expm1 sin cos tan sinh cosh tanh atan asinh sigmoid abs neg sign square floor ceil round trunc frac erf erfc sgn exp2 relu sinc deg2rad rad2deg".split():
    print(name, getattr(torch, name)(t), getattr(t, name)())
p = torch.tensor([0.25, 0.5, 1.0, 2.0])
for name in "log log2 log10 log1p sqrt rsqrt reciprocal lgamma digamma i0".split():
    print(name, getattr(torch, name)(p))
q = torch.tensor([-0.9, 0.0, 0.9])
for name in "asin acos atanh erfinv arcsin arccos logit".split():
    print(name, getattr(torch, name)(q))
print(torch.acosh(torch.tensor([1.0, 2.0])), torch.special.expit(q), torch.special.entr(p), torch.polygamma(1, p))
print(torch.round(torch.tensor([2.5, 3.5, -0.5, 1.2345])), torch.round(torch.tensor([1.2345, 2.5555]), decimals=2), torch.nan_to_num(torch.tensor([math.nan, math.inf, -math.inf]), posinf=9, neginf=-9), sep="\n")
odd = torch.tensor([math.nan, math.inf, -math.inf, 0.0])
print(torch.isnan(odd), odd.isinf(), torch.isfinite(odd), torch.isposinf(odd), torch.isneginf(odd), torch.isreal(odd), odd.signbit(), odd != odd, sep="\n")

print("-- functions of two and three")
a, b = torch.tensor([3.0, -4.0, 0.5]), torch.tensor([4.0, 3.0, 0.0])
for name in "atan2 hypot copysign maximum minimum fmax fmin logaddexp logaddexp2 xlogy pow nextafter heaviside float_power".split():
    print(name, getattr(torch, name)(a.abs() if name in ("pow", "float_power", "xlogy") else a, b))
print(torch.gcd(torch.tensor([12, 18]), torch.tensor([8, 27])), torch.lcm(torch.tensor([4]), torch.tensor([6])), torch.lerp(a, b, 0.5), torch.ldexp(a, torch.tensor([1, 2, 3])), sep="\n")
print(torch.addcmul(a, a, b, value=0.5), torch.addcdiv(a, a, b + 5), torch.clamp(a, -1, 1), a.clip(min=0), torch.clamp(a, max=torch.tensor([0.0, 1.0, 0.25])), torch.where(a > 0, a, -a), sep="\n")
i, j = torch.tensor([5, 12]), torch.tensor([3, 10])
print(i & j, i | j, i ^ j, ~i, i << 1, i >> 1, torch.bitwise_and(i, j), torch.bitwise_left_shift(i, 2), torch.logical_and(i, j), torch.logical_not(i), torch.logical_xor(i > 5, j > 5), sep="\n")
c = torch.tensor([3 + 4j, 1 - 1j])
print(c, c.abs(), c.angle(), c.real, c.imag, c.conj(), torch.view_as_real(c), c * 1j, c.is_complex(), torch.real(c), torch.view_as_complex(torch.ones(2, 2)), sep="\n")

print("-- in place, and out=")
z = torch.ones(3)
same = z
z += 1
z.mul_(3).sub_(torch.tensor([1.0, 2.0, 3.0]))
z[0] **= 2
print(z, same is z, z.fill_(2).zero_(), z.add_(5).sqrt_(), z.clamp_(max=1), z.exp_().neg_(), z.copy_(torch.arange(3)), sep="\n")
out = torch.empty(3)
torch.add(z, 1, out=out)
print(out, torch.sin(z, out=out) is out, torch.mul(z, 2, out=out), torch.mm(torch.ones(1, 3), torch.ones(3, 1), out=torch.empty(1, 1)), sep="\n")
print(torch.arange(4).reshape(2, 2) @ torch.eye(2, dtype=torch.long), torch.matmul(torch.tensor([[1, 2]]), torch.tensor([[3], [4]]), out=torch.empty(1, 1, dtype=torch.int64)), sep="\n")
attempt(lambda: torch.add(x, y, out=torch.empty(4, dtype=torch.int32)))
attempt(lambda: torch.sin(3.0))
attempt(lambda: torch.sin("x"))
attempt(lambda: x.add(torch.ones(3)))
attempt(lambda: torch.tensor([1, 2]).pow(-1))
attempt(lambda: torch.ones(2, dtype=torch.int64).sqrt_())
attempt(lambda: x & 1)
attempt(lambda: torch.bitwise_not(x))
attempt(lambda: torch.floor(c))
attempt(lambda: torch.maximum(c, c))
attempt(lambda: torch.clamp(x))
attempt(lambda: torch.div(x, 2, rounding_mode="up"))
attempt(lambda: torch.tensor([1]).lerp(torch.tensor([2]), 0.5))
