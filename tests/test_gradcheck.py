"""gradcheck, gradgradcheck and autograd.functional."""

import importlib
import math

import pytest
from library import IS_TENSORLITE, tl, torch

gradcheck, gradgradcheck = tl.autograd.gradcheck, tl.autograd.gradgradcheck
GradcheckError = importlib.import_module(tl.__name__ + ".autograd.gradcheck").GradcheckError
Function = tl.autograd.Function


def leaf(*shape, dtype=tl.float64):
    return tl.randn(*shape, dtype=dtype, requires_grad=True)


class TooLarge(Function):
    """2x with a gradient of 3."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 3


class WrongConjugate(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2j

    @staticmethod
    def backward(ctx, grad):
        return grad * 2j


class Noisy(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 2 * (1 + tl.rand(()) * 1e-4)


class ConstantGrad(Function):
    """Right for the unit gradients that a Jacobian takes, wrong for others."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return grad * 2 if grad.abs().sum() > 0 else grad + 1


class NoSecond(Function):
    """x squared, right once: its gradient does not know that it depends on x."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x.detach()


@pytest.mark.parametrize("fast", [False, True])
def test_passes(fast):
    x, y = leaf(2, 3), leaf(3)
    assert gradcheck(lambda x: x.exp() * 2, x, fast_mode=fast)
    assert gradcheck(lambda x, y: (x * y, (x + y).tanh().sum()), (x, y), fast_mode=fast)
    assert gradcheck(lambda x, k: x * k, (x, 3), fast_mode=fast)  # what is no tensor is passed on
    assert gradcheck(lambda x, y: x * y, (x, y.detach()), fast_mode=fast)
    assert gradcheck(lambda x: x.sum(), (tl.tensor(2.0, dtype=tl.float64, requires_grad=True),), fast_mode=fast)
    assert gradcheck(lambda x: x * 2, (leaf(0, 3),), fast_mode=fast)
    assert gradgradcheck(lambda x, y: (x * y * y, x**3), (x, y), fast_mode=fast)
    assert gradgradcheck(lambda x: x.exp(), (x,), fast_mode=fast, gen_non_contig_grad_outputs=True)


def test_leaves_the_inputs_as_they_were():
    x = leaf(2, 3)
    before = x.tolist()
    state = tl.get_rng_state().tolist()
    gradcheck(lambda x: x.sin(), x)
    gradgradcheck(lambda x: x.sin(), x, fast_mode=True)
    assert x.tolist() == before
    assert x.grad is None
    if IS_TENSORLITE:
        assert tl.get_rng_state().tolist() == state


@pytest.mark.parametrize("fast", [False, True])
def test_complex(fast):
    z = leaf(2, dtype=tl.complex128)
    x = leaf(2)
    assert gradcheck(lambda z: z * z, (z,), fast_mode=fast)
    assert gradcheck(lambda z: z.abs(), (z,), fast_mode=fast)
    assert gradcheck(lambda x: x * (1 + 2j), (x,), fast_mode=fast)
    assert gradgradcheck(lambda z: z * z * (1 - 1j), (z,), fast_mode=fast)
    with pytest.raises(GradcheckError, match="While considering the imaginary part of complex outputs only, Jacobian"):
        gradcheck(WrongConjugate.apply, (z,), fast_mode=fast)


@pytest.mark.cpu  # the text names the device elsewhere
def test_mismatch_shows_both():
    x = tl.tensor([0.5, 1.5], dtype=tl.float64, requires_grad=True)
    with pytest.raises(GradcheckError) as e:
        gradcheck(TooLarge.apply, x)
    assert str(e.value) == (
        "Jacobian mismatch for output 0 with respect to input 0,\n"
        "numerical:tensor([[2.0000, 0.0000],\n        [0.0000, 2.0000]], dtype=torch.float64)\n"
        "analytical:tensor([[3., 0.],\n        [0., 3.]], dtype=torch.float64)\n"
    ).replace("torch.", tl.__name__ + ".")
    assert gradcheck(TooLarge.apply, x, raise_exception=False) is False


def test_fast_mode_explains_itself():
    with pytest.raises(GradcheckError, match=r"The max per-element difference \(slow mode\) is: (1\.0|0\.9999)") as e:
        gradcheck(TooLarge.apply, (leaf(2),), fast_mode=True)
    assert str(e.value).startswith("Jacobian mismatch for output 0 with respect to input 0,\nnumerical:")


def test_names_the_output_and_the_input():
    x, y = leaf(2), leaf(2)
    with pytest.raises(GradcheckError, match="output 1 with respect to input 1"):
        gradcheck(lambda x, y: (x * y, x + TooLarge.apply(y)), (x, y))


def test_noise():
    x = leaf(2)
    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(Noisy.apply, x)
    assert gradcheck(Noisy.apply, x, nondet_tol=1e-3)


def test_scaling_by_grad_output():
    with pytest.raises(GradcheckError, match="backward not multiplied by grad_output"):
        gradcheck(ConstantGrad.apply, (leaf(3),))


def test_second_derivative_missing():
    x = leaf(2)
    assert gradcheck(NoSecond.apply, x)
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradgradcheck(NoSecond.apply, x)


def test_detached_output():
    with pytest.raises(GradcheckError, match="Numerical gradient for function expected to be zero"):
        gradcheck(lambda x: x.detach() * 2, leaf(2))
    assert gradcheck(lambda x: x.detach() * 0, leaf(2))


def test_inputs_are_checked():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(lambda x: x, tl.ones(2, dtype=tl.float64))
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        gradcheck(lambda x: x * 2, tl.ones(2, requires_grad=True), atol=1)
    with pytest.raises(RuntimeError, match="The 0th input has a dimension with stride 0"):
        gradcheck(lambda x: x * 2, tl.ones(1, 2, dtype=tl.float64).expand(2, 2).requires_grad_())


# ---- functional ----

F = tl.autograd.functional


def cube(x):
    return (x**3).sum()


def test_jacobian():
    x, y = tl.tensor([1.0, 2.0]), tl.tensor([3.0, 4.0, 5.0])
    assert F.jacobian(lambda x: x**2, x).tolist() == [[2, 0], [0, 4]]
    assert F.jacobian(lambda x: x**2, tl.tensor(3.0)).tolist() == 6
    both = F.jacobian(lambda x, y: (x.sum() * y, x), (x, y))
    assert [[tuple(b.shape) for b in row] for row in both] == [[(3, 2), (3, 3)], [(2, 2), (2, 3)]]
    assert both[0][0].tolist() == [[3, 3], [4, 4], [5, 5]]
    assert both[1][1].tolist() == [[0, 0, 0], [0, 0, 0]]
    assert F.jacobian(lambda x: x.detach(), x).tolist() == [[0, 0], [0, 0]]
    with tl.no_grad():
        assert not F.jacobian(lambda x: x**2, x).requires_grad
    leaf = x.clone().requires_grad_()
    F.jacobian(lambda x: x**3, leaf, create_graph=True).sum().backward()
    assert leaf.grad.tolist() == [6, 12]


def test_hessian():
    x, y = tl.tensor([1.0, 2.0]), tl.tensor([3.0, 4.0])
    assert F.hessian(cube, x).tolist() == [[6, 0], [0, 12]]
    blocks = F.hessian(lambda x, y: (x * x * y).sum(), (x, y))
    assert blocks[0][0].tolist() == [[6, 0], [0, 8]]
    assert blocks[0][1].tolist() == [[2, 0], [0, 4]]
    assert blocks[1][1].tolist() == [[0, 0], [0, 0]]


def test_products():
    x, v = tl.tensor([1.0, 2.0]), tl.tensor([1.0, -1.0])
    value, product = F.vjp(lambda x: x**2, x, v)
    assert (value.tolist(), product.tolist()) == ([1, 4], [2, -4])
    value, product = F.jvp(lambda x: (x**2, x.sum()), x, v)
    assert [p.tolist() for p in product] == [[2, -4], 0]
    for f in (F.vhp, F.hvp):
        value, product = f(cube, x, v)
        assert (value.tolist(), product.tolist()) == (9, [6, -12])
    assert F.vjp(cube, x)[1].tolist() == [3, 12]
    assert F.jvp(lambda x: x**2, tl.tensor(3.0))[1].item() == 6
    assert not value.requires_grad


REFUSED = [
    (lambda x: F.jacobian(cube, 3), TypeError, "The inputs given to jacobian must be either a Tensor or a tuple of"),
    (lambda x: F.jacobian(lambda x: 3, x), TypeError, "but the given outputs of the user-provided function has type"),
    (lambda x: F.vjp(lambda x: x, x), RuntimeError, "The vector v can only be None if the user-provided function ret"),
    (lambda x: F.jvp(lambda x: x, x), RuntimeError, "The vector v can only be None if the input to the user-provided"),
    (lambda x: F.vjp(lambda x: x, x, tl.ones(3)), RuntimeError, "v has invalid size: should be"),
    (lambda x: F.vjp(lambda x: (x, x), x, (x,)), RuntimeError, "v is a tuple of invalid length: should be 2 but got 1"),
    (lambda x: F.vjp(lambda x: x, x, (x, x)), RuntimeError, "The given v should contain a single Tensor."),
    (lambda x: F.hessian(lambda x: x, x), RuntimeError, "given to hessian should contain a single element"),
    (lambda x: F.hessian(lambda x: (cube(x),), x), RuntimeError, "given to hessian should return a single Tensor"),
    (
        lambda x: F.jacobian(lambda x: x.detach(), x, strict=True),
        RuntimeError,
        "Output 0 of the user-provided function",
    ),
    (
        lambda x: F.jacobian(lambda x, y: x * 2, (x, x), strict=True),
        RuntimeError,
        "Output 0 of the user-provided function is independent of input 1",
    ),
    (
        lambda x: F.jacobian(lambda x: x * 2, x, strict=True, create_graph=True),
        RuntimeError,
        "The jacobian of the user-provided function is independent of input 0",
    ),
    (lambda x: F.vhp(lambda x: x.sum(), x, x, strict=True), RuntimeError, "While computing the hessian, found that"),
]


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED, ids=range(len(REFUSED)))
def test_functional_refuses(call, kind, text):
    with pytest.raises(kind) as e:
        call(tl.tensor([1.0, 2.0]))
    assert text in str(e.value)


# ---- testing ----


def message(*args, **kwargs):
    with pytest.raises(AssertionError) as e:
        tl.testing.assert_close(*args, **kwargs)
    return str(e.value)


def test_assert_close_passes():
    close = tl.testing.assert_close
    close(tl.tensor([1.0, math.inf]), tl.tensor([1.0 + 1e-6, math.inf]))
    close(tl.tensor([math.nan]), tl.tensor([math.nan]), equal_nan=True)
    close([1, 2.0, {"a": tl.ones(2)}], (1, 2.0, {"a": tl.ones(2)}))
    close(tl.tensor([1, 2]), tl.tensor([1, 3]), rtol=0, atol=1)
    close(tl.ones(2), tl.ones(2, dtype=tl.float64), check_dtype=False)
    close(tl.zeros(0, 3), tl.zeros(0, 3))
    close(tl.tensor([1.0, 2.0]).numpy(), tl.tensor([1.0, 2.0]).numpy())
    close(None, None)
    with pytest.raises(ValueError, match="must be either specified or omitted, but got no atol"):
        close(1.0, 1.0, rtol=0.1)
    with pytest.raises(TypeError, match="No comparison pair was able to handle inputs of type"):
        close(tl.ones(2), [1.0, 1.0])


def test_assert_close_says_what_differs():
    t = tl.tensor
    assert message(t([1.0, 2.0]), t([1.0, 3.0])) == (
        "Tensor-likes are not close!\n\n"
        "Mismatched elements: 1 / 2 (50.0%)\n"
        "Greatest absolute difference: 1.0 at index (1,) (up to 1e-05 allowed)\n"
        "Greatest relative difference: 0.3333333432674408 at index (1,) (up to 1.3e-06 allowed)"
    )
    assert message(t(1), t(3)) == (
        "Scalars are not equal!\n\nExpected 3 but got 1.\n"
        "Absolute difference: 2\nRelative difference: 0.6666666666666666"
    )
    assert message(t([1]), t([1.0])) == (
        "The values for attribute 'dtype' do not match: torch.int64 != torch.float32.".replace(
            "torch.", tl.__name__ + "."
        )
    )
    assert message({"a": [t(1.0)]}, {"a": [t(2.0)]}).endswith("The failure occurred for item ['a'][0]")
    assert message([1], [1, 2]) == "The length of the sequences mismatch: 1 != 2"
    assert message(t([1.0]), t([2.0]), msg="mine") == "mine"
    assert message(t([1.0]), t([2.0]), msg=lambda m: "mine: " + m).startswith("mine: Tensor-likes are not close!")


@pytest.mark.parity
@pytest.mark.parametrize("name", ["bool", "uint8", "int8", "int64", "float32", "float64", "complex64"])
def test_make_tensor_draws_pytorch_s_numbers(name):
    results = []
    for lib in (tl, torch):
        lib.manual_seed(3)
        a = lib.testing.make_tensor(3, 2, dtype=getattr(lib, name), device="cpu")
        low = 1 if name in ("bool", "uint8") else -2
        b = lib.testing.make_tensor((4,), dtype=getattr(lib, name), device="cpu", low=low, high=2, noncontiguous=True)
        results.append((a.tolist(), b.tolist(), b.stride()))
    assert results[0] == results[1]


def test_make_tensor():
    make = tl.testing.make_tensor
    assert make((), dtype=tl.float32, device="cpu").shape == ()
    assert make(2, 3, dtype=tl.float32, device="cpu", requires_grad=True).is_leaf
    assert not (make(100, dtype=tl.int64, device="cpu", low=0, high=2, exclude_zero=True) == 0).any()
    assert make(4, 2, dtype=tl.float32, device="cpu", noncontiguous=True).stride() == (4, 2)
    with pytest.raises(ValueError, match="`low` must be less than `high`, but got 3 >= 2"):
        make(1, dtype=tl.float32, device="cpu", low=3, high=2)
    with pytest.raises(ValueError, match="is not supported for boolean and integral dtypes"):
        make(1, dtype=tl.int32, device="cpu", requires_grad=True)
