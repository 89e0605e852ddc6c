"""What is no operator, on a CUDA device: conversions, printing, copies, exchange with other libraries, modules,
optimizers, operators that NumPy computes; and a part of PyTorch's operator database (all of it: python -m parity.devices).
"""

from __future__ import annotations

import copy
import os
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl, torch

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

CUDA = "cuda:0"


def on(device: str, *shape: int, dtype: Any = None) -> Any:
    return tl.arange(1.0, 1 + int(np.prod(shape))).reshape(shape).to(device, dtype or tl.float32)


# ---- creation ----

FACTORIES = {
    "tensor": lambda d: tl.tensor([[1, 2.5], [3, 4]], device=d),
    "tensor of a tensor": lambda d: tl.tensor([1, 2], dtype=tl.int16, device=d),
    "as_tensor": lambda d: tl.as_tensor(np.arange(3), device=d),
    "asarray": lambda d: tl.asarray([1.0, 2], device=d),
    "from_numpy": lambda d: tl.from_numpy(np.arange(4.0)).to(d),
    "zeros": lambda d: tl.zeros(2, 3, device=d),
    "ones": lambda d: tl.ones(2, dtype=tl.complex64, device=d),
    "full": lambda d: tl.full((2,), 7, device=d),
    "arange": lambda d: tl.arange(1, 10, 3, device=d),
    "linspace": lambda d: tl.linspace(0, 1, 5, device=d),
    "logspace": lambda d: tl.logspace(0, 2, 5, dtype=tl.float64, device=d),
    "eye": lambda d: tl.eye(3, 2, device=d),
    "tril_indices": lambda d: tl.tril_indices(3, 3, device=d),
    "scalar_tensor": lambda d: tl.scalar_tensor(3.0, device=d),
    "empty_strided": lambda d: tl.empty_strided((2, 3), (1, 2), device=d).fill_(1),
    "zeros_like": lambda d: tl.zeros_like(on(d, 2, 3)),
    "full_like": lambda d: tl.full_like(on(d, 2, 3), 2, dtype=tl.int64),
    "ones_like of the host": lambda d: tl.ones_like(on("cpu", 2), device=d),
    "new_tensor": lambda d: on(d, 2).new_tensor([1, 2, 3]),
    "new_zeros": lambda d: on(d, 2).new_zeros(2, 2),
    "new_full": lambda d: on(d, 2).new_full((2,), 5),
    "complex": lambda d: tl.complex(on(d, 3), on(d, 3)),
    "polar": lambda d: tl.polar(on(d, 3), on(d, 3)),
    "vander": lambda d: tl.vander(on(d, 3)),
    "hann_window": lambda d: tl.hann_window(5, device=d),
    "kaiser_window": lambda d: tl.kaiser_window(5, device=d),
    "combinations": lambda d: tl.combinations(on(d, 4)),
    "block_diag": lambda d: tl.block_diag(on(d, 2, 2), on(d, 1, 3)),
    "cartesian_prod": lambda d: tl.cartesian_prod(on(d, 2), on(d, 3)),
    "meshgrid": lambda d: tl.meshgrid(on(d, 2), on(d, 3), indexing="ij")[1],
}


def same(there: Any, here: Any) -> None:
    if isinstance(here, (tuple, list)):
        for a, b in zip(there, here, strict=True):
            same(a, b)
    elif isinstance(here, tl.Tensor):
        assert there.device == tl.device(CUDA)
        assert (there.dtype, there.shape, there.stride()) == (here.dtype, here.shape, here.stride())
        np.testing.assert_allclose(there.detach().cpu().numpy(), here.detach().numpy(), rtol=2e-5, atol=2e-6)
    else:
        assert there == here


@pytest.mark.parametrize("name", FACTORIES)
def test_creation(name: str) -> None:
    same(FACTORIES[name](CUDA), FACTORIES[name]("cpu"))


def test_numbers_name_devices() -> None:
    x = on("cpu", 2)
    assert tl.device(0) == tl.device(CUDA) and tl.zeros(1, device=0).is_cuda and tl.tensor([1], device=0).is_cuda
    assert (
        x.cuda(0).device == x.to(0).device == x.cuda("cuda").device == x.cuda(tl.device(CUDA)).device == tl.device(CUDA)
    )
    m = model()
    assert m.cuda(0)[0].weight.is_cuda and m.cpu().to(0)[0].weight.is_cuda
    with pytest.raises(RuntimeError, match="Invalid device, must be cuda device"):
        x.cuda("cpu")
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        x.to(7)
    images = on("cpu", 1, 2, 3, 3).cuda(memory_format=tl.channels_last)
    assert images.is_contiguous(memory_format=tl.channels_last)


def test_default_device() -> None:
    tl.set_default_device(CUDA)
    try:
        assert tl.tensor([1.0]).is_cuda and tl.zeros(2).is_cuda and tl.nn.Linear(2, 2).weight.is_cuda
    finally:
        tl.set_default_device(None)
    assert not tl.zeros(2).is_cuda


# ---- what a tensor says of itself ----


def test_facts() -> None:
    x = on(CUDA, 2, 3)
    assert x.is_cuda and x.get_device() == 0 and x.device == tl.device("cuda", 0) and not x.cpu().is_cuda
    assert x.type() == "tensorlite.cuda.FloatTensor" and x.long().type() == "tensorlite.cuda.LongTensor"
    assert isinstance(x, tl.cuda.FloatTensor) and not isinstance(x.cpu(), tl.cuda.FloatTensor)
    assert x.type("tensorlite.cuda.DoubleTensor").dtype == tl.float64
    assert x.type(tl.FloatTensor).device == tl.device("cpu")
    assert x.cuda() is x and x.to("cuda") is x and x.to(CUDA, tl.float32) is x
    assert x.to(0) is x and x.cuda(0) is x and tl.device(0) == x.device and x.cpu().to(0, tl.float64).is_cuda
    assert tl.zeros(2, device=0).is_cuda and tl.nn.Linear(2, 2).cuda(0).weight.is_cuda
    assert tl.nn.Linear(2, 2).to(0).weight.is_cuda
    assert x.cpu().get_device() == -1
    assert x.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert x[1, 2].item() == 6 and float(x[0, 0]) == 1 and int(x[0, 1]) == 2 and bool(x[0, 0])
    assert list(range(6))[on(CUDA, 1).long()[0]] == 1
    assert len(x) == 2 and 3.0 in x and 7.0 not in x
    assert x.equal(x.clone()) and not x.equal(x + 1) and tl.allclose(x, x + 1e-9)
    assert hash(x) == hash(x)
    assert [row.tolist() for row in x] == x.tolist()


def test_printing() -> None:
    for x in (
        on("cpu", 2, 3), on("cpu", 40, 50), tl.tensor(1.5), tl.zeros(0, 3), on("cpu", 2).half(), tl.tensor([True]),
        on("cpu", 3) * 1j, on("cpu", 3).requires_grad_() * 2,
    ):  # fmt: skip
        here, there = repr(x), repr(x.cuda())
        assert "device='cuda:0'" in there
        said = "".join(there.replace("device='cuda:0'", "").replace("ToCopyBackward0", "MulBackward0").split())
        assert said.replace(",,", ",").replace(",)", ")") == "".join(here.split()).replace(",)", ")")
    assert f"{on(CUDA, 1)[0]:.2f}" == "1.00"


def test_errors() -> None:
    x, y = on(CUDA, 2), on("cpu", 2)
    text = "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
    for convert in (x.numpy, lambda: np.asarray(x), lambda: np.array(x)):
        with pytest.raises(TypeError) as e:
            convert()
        assert str(e.value) == text
    with pytest.raises((TypeError, BufferError)):
        memoryview(x)
    for call in (
        lambda: x + y,
        lambda: x @ y,
        lambda: tl.cat([x, y]),
        lambda: x.add_(y),
        lambda: tl.where(x > 0, x, y),
    ):
        with pytest.raises(RuntimeError, match=r"[Ee]xpected all tensors to be on the same device"):
            call()
    assert (x + tl.tensor(1.0)).tolist() == [2, 3]  # numbers of the host go along
    for call in (lambda: tl.zeros(2, device="cuda:7"), lambda: y.to(7), lambda: tl.cuda.set_device(7)):
        with pytest.raises(RuntimeError, match="CUDA error: invalid device ordinal"):
            call()
    with pytest.raises(AssertionError, match="Invalid device id"):
        tl.cuda.get_device_properties(7)
    with pytest.raises(TypeError):
        tl.set_rng_state(tl.get_rng_state().cuda())
    with pytest.raises(RuntimeError, match="to be on cpu, but it's on cuda:0"):
        tl.tensor_split(x, tl.tensor(2, device=CUDA))


def test_copies() -> None:
    x = on(CUDA, 3, 4).t()
    x.note = "kept"
    for y in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.is_cuda and y.stride() == x.stride() and y.note == "kept" and tl.equal(x, y)
    assert copy.deepcopy(x).data_ptr() != x.data_ptr()
    both = pickle.loads(pickle.dumps([x, x[0]]))
    both[0].fill_(9)
    assert both[1].tolist() == [9, 9, 9]  # the storage is shared still
    p = tl.nn.Parameter(on(CUDA, 2))
    q = copy.deepcopy(p)
    assert isinstance(q, tl.nn.Parameter) and q.is_cuda and q.requires_grad
    s = x.untyped_storage()
    assert s.is_cuda and s.cpu().tolist() == s.tolist() and s.clone().device == x.device
    y = on(CUDA, 4)
    y.resize_(2, 4)
    assert y[0].tolist() == [1, 2, 3, 4]
    z = tl.empty(0).set_(on(CUDA, 4))
    assert z.is_cuda and z.tolist() == [1, 2, 3, 4]


def test_exchange() -> None:
    x = on(CUDA, 2, 3)
    assert x.__dlpack_device__() == (2, 0)
    y = tl.from_dlpack(x)
    assert y.is_cuda and y.data_ptr() == x.data_ptr() and y.tolist() == x.tolist()
    assert np.from_dlpack(x.cpu()).tolist() == x.tolist()
    assert tl.from_dlpack(x, device="cpu").tolist() == x.tolist()
    told = x.t().__cuda_array_interface__
    assert told["shape"] == (3, 2) and told["strides"] == (4, 12) and told["typestr"] == "<f4"
    assert told["data"] == (x.data_ptr(), False) and x.__cuda_array_interface__["strides"] is None

    class Foreign:
        __cuda_array_interface__ = told

    z = tl.as_tensor(Foreign())
    assert z.is_cuda and z.data_ptr() == x.data_ptr() and z.tolist() == x.t().tolist()
    assert not hasattr(x.cpu(), "__cuda_array_interface__")
    with pytest.raises(BufferError):
        on(CUDA, 1).requires_grad_().__dlpack__()


# ---- operators that NumPy computes, and their kin ----

HOSTED = {
    "inv": lambda x: tl.linalg.inv(x),
    "solve": lambda x: tl.linalg.solve(x, x[:, :2]),
    "det": lambda x: tl.linalg.det(x),
    "slogdet": lambda x: tl.linalg.slogdet(x)[1],
    "eigh": lambda x: tl.linalg.eigh(x @ x.mT)[0],
    "svd": lambda x: tl.linalg.svd(x)[1],
    "qr": lambda x: tl.linalg.qr(x)[1],
    "cholesky": lambda x: tl.linalg.cholesky(x @ x.mT),
    "lstsq": lambda x: tl.linalg.lstsq(x, x[:, :2])[0],
    "lu": lambda x: tl.linalg.lu(x)[2],
    "pinv": lambda x: tl.linalg.pinv(x[:, :3]),
    "matrix_exp": lambda x: tl.linalg.matrix_exp(x),
    "norm": lambda x: tl.linalg.matrix_norm(x, 2),
    "solve_triangular": lambda x: tl.linalg.solve_triangular(x, x, upper=True),
    "fft": lambda x: tl.view_as_real(tl.fft.fft(x)),
    "rfft": lambda x: tl.fft.irfft(tl.fft.rfft(x, n=6), n=6),
    "fft2": lambda x: tl.fft.ifft2(tl.fft.fft2(x)).real,
    "stft": lambda x: tl.view_as_real(tl.stft(x.flatten(), 4, window=tl.ones_like(x[0]), return_complex=True)),
    "einsum": lambda x: tl.einsum("ij,jk,ik->i", x, x, x),
    "tensordot": lambda x: tl.tensordot(x, x, 1),
    "gradient": lambda x: tl.gradient(x)[0],
    "trapezoid": lambda x: tl.trapezoid(x),
    "i0": lambda x: tl.special.i0(x / 4),
    "zeta": lambda x: tl.special.zeta(tl.full_like(x, 3).detach(), x.abs() + 1),
    "complex": lambda x: tl.view_as_real(tl.complex(x, x.mT).tanh().exp()),
}


@pytest.mark.parametrize("name", HOSTED)
def test_operators_of_numpy(name: str) -> None:
    results = []
    for device in (CUDA, "cpu"):
        x = (tl.tensor([[4, 1, -2, 1], [1, 5, 0.5, 2], [-2, 3, 6, 0.7], [0.3, 2, 1, 7]], dtype=tl.float64) / 3).to(
            device
        )
        x.requires_grad_()
        y = HOSTED[name](x)
        weight = tl.arange(1.0, 1 + y.numel(), dtype=y.dtype).reshape(y.shape).to(device).cos()
        (grad,) = tl.autograd.grad((y * weight).sum(), x)
        results.append((y, grad))
    same(*results)


def test_gradcheck() -> None:
    x = tl.tensor([[2.0, 0.5], [0.3, 1.0]], dtype=tl.float64, device=CUDA, requires_grad=True)
    assert tl.autograd.gradcheck(lambda x: tl.linalg.inv(x).tanh(), x)
    assert tl.autograd.gradgradcheck(lambda x: (x @ x).exp(), x)


# ---- special functions and complex numbers where they are delicate ----

EDGES = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -2.5,
    1e-8,
    30.0,
    -30.0,
    1e4,
    -1e-30,
    3.0,
    float("inf"),
    -float("inf"),
    float("nan"),
]
SPECIAL = """i0 i0e i1 i1e bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_k0 modified_bessel_k1 erfcx ndtr log_ndtr
    ndtri entr sinc airy_ai spherical_bessel_j0 scaled_modified_bessel_k0 scaled_modified_bessel_k1""".split()


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_special_functions(dtype: str) -> None:
    x = tl.tensor(EDGES, dtype=tl.float64).to(getattr(tl, dtype))
    for name in SPECIAL:
        f = getattr(tl.special, name)
        if dtype == "bfloat16" and name not in ("i0", "ndtr", "sinc", "entr"):
            continue
        got, expected = f(x.cuda()).cpu().double(), f(x).double()
        np.testing.assert_allclose(
            got.numpy(), expected.numpy(), rtol=1e-6 if dtype == "float32" else 1e-14, err_msg=name
        )
    if dtype == "bfloat16":
        return
    a, b = x[:12].abs() + 0.25, tl.linspace(0.1, 8, 12, dtype=x.dtype)
    for name in ("gammainc", "gammaincc", "zeta", "xlog1py"):
        got = getattr(tl.special, name)(a.cuda(), b.cuda()).cpu()
        np.testing.assert_allclose(got, getattr(tl.special, name)(a, b), rtol=3e-6, atol=1e-300, err_msg=name)


COMPLEX = """exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sigmoid
    square reciprocal sgn abs angle neg isfinite isinf isnan sinc""".split()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_functions(dtype: str) -> None:
    parts = [0.0, 1e-9, 0.3, 1.0, -0.7, -1.0, 4.0, -20.0, 80.0]
    z = tl.tensor([complex(a, b) for a in parts for b in parts], dtype=getattr(tl, dtype))
    rtol = 2e-5 if dtype == "complex64" else 2e-13
    for name in COMPLEX:
        f = getattr(tl, name)
        got, expected = f(z.cuda()).cpu().numpy(), f(z).numpy()
        finite = np.isfinite(expected)
        assert (np.isfinite(got) == finite).all(), name
        size = np.maximum(np.abs(expected[finite]), 1e-30)
        # The host's float32 functions lose digits near their zeros, the device's are computed in float64.
        reach = 1e-6 if dtype == "complex64" else 1e-15
        error = np.abs(got[finite].astype(complex) - expected[finite].astype(complex))
        assert (error <= rtol * size + reach).all(), (name, z.numpy()[finite][np.argmax(error / size)], error.max())
    w = z.flip(0).clone()
    for f in (tl.add, tl.mul, tl.div, tl.eq, tl.ne, tl.isclose, tl.logical_and, tl.logaddexp):
        a, b = z[12:60], w[12:60]
        got, expected = f(a.cuda(), b.cuda()).cpu().numpy(), f(a, b).numpy()
        finite = np.isfinite(expected)
        np.testing.assert_allclose(
            got[finite], expected[finite], rtol=rtol, atol=1e-6 if dtype == "complex64" else 1e-12
        )
    got, expected = (z[:40].cuda() ** (0.5 + 0.25j)).cpu().numpy(), (z[:40] ** (0.5 + 0.25j)).numpy()
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-6)


def test_signs_on_branch_cuts() -> None:
    """Of a zero imaginary part, the sign says on which side of a cut the number lies."""
    z = tl.tensor([complex(a, b) for a in (-2.0, 2.0, -0.5, 0.0) for b in (0.0, -0.0)], dtype=tl.complex128)
    for name in ("log", "sqrt", "asin", "acos", "atanh", "acosh", "angle"):
        np.testing.assert_allclose(
            getattr(tl, name)(z.cuda()).cpu().numpy(),
            getattr(tl, name)(z).numpy(),
            rtol=1e-14,
            atol=1e-15,
            err_msg=name,
        )


# ---- models ----


def model() -> Any:
    tl.manual_seed(1)
    return tl.nn.Sequential(tl.nn.Linear(4, 8), tl.nn.Tanh(), tl.nn.Linear(8, 3))


def test_modules_move_with_their_gradients_and_buffers() -> None:
    m = model()
    m.register_buffer("count", tl.tensor(3))
    m(on("cpu", 2, 4)).sum().backward()
    p = m[0].weight
    assert m.cuda() is m and m[0].weight is p and p.is_cuda and p.grad.is_cuda and m.count.is_cuda
    m.to("cpu")
    assert not p.is_cuda and not p.grad.is_cuda
    m.to(CUDA, tl.float64)
    assert p.dtype == tl.float64 and m.count.dtype == tl.int64 and m(on(CUDA, 2, 4).double()).is_cuda


def test_state_dicts_cross_devices() -> None:
    there, here = model().cuda(), model()
    here[0].weight.data.fill_(2)
    there.load_state_dict(here.state_dict())
    assert there[0].weight.is_cuda and tl.equal(there[0].weight.cpu(), here[0].weight)
    here.load_state_dict(there.state_dict())
    assert not here[0].weight.is_cuda
    again = pickle.loads(pickle.dumps(there))
    assert again[0].weight.is_cuda and tl.equal(again[0].weight, there[0].weight)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam"])
def test_optimizers(name: str) -> None:
    weights = []
    for device in (CUDA, "cpu"):
        m = model().to(device)
        options = {"momentum": 0.9} if name == "SGD" else {}
        optimizer = getattr(tl.optim, name)(m.parameters(), lr=0.05, **options)
        for _ in range(2):
            optimizer.zero_grad()
            (m(on(device, 5, 4) / 10) ** 2).mean().backward()
            optimizer.step()
        for p, state in optimizer.state.items():
            assert all(v.device == p.device for v in state.values() if tl.is_tensor(v) and v.dim())
        fresh = getattr(tl.optim, name)(m.parameters(), lr=0.05, **options)
        fresh.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
        fresh.step()
        norm = tl.nn.utils.clip_grad_norm_(m.parameters(), 0.5)
        weights.append([p.detach() for p in m.parameters()] + [norm])
    same(*weights)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam"])
def test_states_that_a_program_moves_by_itself(name: str) -> None:
    """The recipe of many programs: train on the CPU, move the model, then every tensor of the optimizer's state."""
    m, x = model(), on("cpu", 5, 4) / 10
    optimizer = getattr(tl.optim, name)(m.parameters(), lr=0.05)
    weights = []
    for device in ("cpu", CUDA, "cpu"):
        m.to(device)
        for state in optimizer.state.values():
            for k, v in state.items():
                state[k] = v.to(device) if tl.is_tensor(v) else v
        optimizer.zero_grad()
        (m(x.to(device)) ** 2).mean().backward()
        optimizer.step()
        weights.append(m[0].weight.sum().item())
    expected, reference = [], model()
    optimizer = getattr(tl.optim, name)(reference.parameters(), lr=0.05)
    for _ in weights:
        optimizer.zero_grad()
        (reference(x) ** 2).mean().backward()
        optimizer.step()
        expected.append(reference[0].weight.sum().item())
    np.testing.assert_allclose(weights, expected, rtol=1e-4)


def test_data_loader_and_checkpoint() -> None:
    from tensorlite.utils.checkpoint import checkpoint
    from tensorlite.utils.data import DataLoader, TensorDataset

    data = TensorDataset(on("cpu", 6, 4), on("cpu", 6))
    m = model().cuda()
    seen = 0
    for x, y in DataLoader(data, batch_size=4):
        loss = (checkpoint(m, x.to(CUDA), use_reentrant=False).sum(1) - y.to(CUDA)).square().mean()
        loss.backward()
        seen += len(x)
    assert seen == 6 and m[0].weight.grad.is_cuda
    on_device = TensorDataset(on(CUDA, 3, 2))
    assert next(iter(DataLoader(on_device, batch_size=3)))[0].is_cuda


def test_saved_tensors_hooks() -> None:
    packed = []

    def pack(t: Any) -> Any:
        packed.append(t.device)
        return t.cpu()

    with tl.autograd.graph.saved_tensors_hooks(pack, lambda t: t.cuda()):
        x = on(CUDA, 3).requires_grad_()
        y = (x * x).exp().sum()
    y.backward()
    assert packed and x.grad.is_cuda
    with tl.autograd.graph.save_on_cpu():
        z = (x * x).sum()
    z.backward()
    seen = []
    x.register_hook(lambda g: seen.append(g.device))
    (x * 2).sum().backward()
    assert seen == [tl.device(CUDA)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with tl.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="returned nan"):
            (x.detach() * 0 - 1).requires_grad_().sqrt().sum().backward()


def test_grad_scaler() -> None:
    p = tl.nn.Parameter(tl.tensor([1.0, 2.0], device=CUDA))
    optimizer = tl.optim.SGD([p], lr=0.5)
    scaler = tl.amp.GradScaler("cuda", init_scale=4.0, growth_interval=1)
    scaler.scale(p.sum()).backward()
    assert p.grad.tolist() == [4, 4]
    scaler.unscale_(optimizer)
    assert p.grad.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="already been called on this optimizer since the last update"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert p.tolist() == [0.5, 1.5] and scaler.get_scale() == 8
    p.grad.fill_(float("inf"))
    scaler.step(optimizer)
    scaler.update()
    assert p.tolist() == [0.5, 1.5] and scaler.get_scale() == 4
    other = tl.amp.GradScaler("cuda")
    other.load_state_dict(scaler.state_dict())
    assert other.get_scale() == 4


# ---- PyTorch's operator database ----

# A part of the entries; of the emulator's time all of them take several minutes.
SAMPLED = (
    "^(add|clamp|where|cat|split|logsumexp|std|linalg.solve|fft.rfft|roll|addcmul|polar|special.i1|sgn|unravel_index)$"
)


@pytest.mark.skipif(torch is None, reason="no PyTorch")
def test_entries_of_the_operator_database() -> None:
    pytest.importorskip("expecttest")
    from parity import devices

    previous = os.environ.get("TENSORLITE_EMULATE_MEMORY")
    os.environ["TENSORLITE_EMULATE_MEMORY"] = str(1 << 30)
    try:
        results = {devices.database.key(e): devices.check_entry(e, 1) for e in devices.database.entries(SAMPLED)}
    finally:
        if previous is None:
            del os.environ["TENSORLITE_EMULATE_MEMORY"]
        else:
            os.environ["TENSORLITE_EMULATE_MEMORY"] = previous
    assert len(results) > 10
    assert not {name: r for name, r in results.items() if r.get("found", True)}
