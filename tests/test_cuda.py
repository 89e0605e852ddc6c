"""CUDA: the operator table on a device, and the runtime. On a machine without a GPU the emulator is the device (a build
with TENSORLITE_CUDA=EMULATE); in a build without CUDA nothing here runs.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl
from optable import OPS
from samples import LAYOUTS, Op, assert_close, contiguous, draw, leaves, tensors, to_numpy, walk

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")

EMULATED = IS_TENSORLITE and tl._C._cuda_is_emulated()


def on_device(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda lib, values, dtype: moved(make(lib, values, dtype))


def moved(t: Any) -> Any:
    """On the device, with the same strides."""
    there = tl.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="cuda")
    return there.copy_(t)


def host(value: Any) -> Any:
    return walk(value, lambda v: v.cpu() if isinstance(v, tl.Tensor) else v)


def agree(op: Op, got: Any, expected: Any, what: str, reach: float = 1) -> None:
    got = list(leaves(got))
    assert all(g.is_cuda for g in got if isinstance(g, tl.Tensor)), f"{what}: the result is not on the device"
    expected = [to_numpy(tl, e) for e in leaves(expected)]
    assert_close(tl, host(got), expected, 2 * op.tol * reach, what)


def compared(op: Op) -> bool:
    return not op.name.startswith(("rand", "bernoulli", "multinomial", "dropout", "normal"))


@pytest.mark.parametrize(
    ("op", "dtype"),
    [(op, dtype) for op in OPS if compared(op) for dtype in op.dtypes],
    ids=lambda v: v if isinstance(v, str) else v.name,
)
def test_values(op: Op, dtype: str) -> None:
    """What the CPU gives, the device gives, with the same strides."""
    for sample in op.samples:
        if dtype not in sample.dtypes:
            continue
        drawn = draw(op, sample, dtype)
        args, kwargs = tensors(tl, drawn)
        expected = op.function(tl)(*args, **kwargs)
        args, kwargs = tensors(tl, drawn, on_device(contiguous))
        got = op.function(tl)(*args, **kwargs)
        agree(op, got, expected, f"{op.name}{sample}")
        for a, b in zip(leaves(got), leaves(expected)):
            assert (a.dtype, a.shape, a.stride()) == (b.dtype, b.shape, b.stride()), f"{op.name}{sample}"


@pytest.mark.parametrize("op", [op for op in OPS if op.layouts and compared(op)], ids=str)
@pytest.mark.parametrize("layout", ["permuted", "sliced", "offset"])
def test_layouts(op: Op, layout: str) -> None:
    dtype = next(d for d in ("float32", *op.dtypes) if d in op.dtypes)
    for sample in op.samples:
        if dtype not in sample.dtypes:
            continue
        drawn = draw(op, sample, dtype)
        args, kwargs = tensors(tl, drawn, LAYOUTS[layout])
        expected = op.function(tl)(*args, **kwargs)
        args, kwargs = tensors(tl, drawn, lambda *a: LAYOUTS[layout](*a).cuda())
        got = op.function(tl)(*args, **kwargs)
        agree(op, got, expected, f"{op.name}{sample}")


@pytest.mark.parametrize("op", [op for op in OPS if op.out], ids=str)
def test_out_on_another_device(op: Op) -> None:
    """Neither device writes to the other's memory, nor is anything copied in silence."""
    sample = next(s for s in op.samples if op.dtypes[0] in s.dtypes)
    drawn = draw(op, sample, op.dtypes[0])
    for make, elsewhere in ((contiguous, "cuda"), (on_device(contiguous), "cpu")):
        args, kwargs = tensors(tl, drawn, make)
        result = op.function(tl)(*args, **kwargs)
        for shape in ((0,), tuple(result.shape)):
            with pytest.raises(RuntimeError, match="device"):
                op.function(tl)(*args, out=tl.empty(shape, dtype=result.dtype, device=elsewhere), **kwargs)


@pytest.mark.parametrize("name", ["sort", "topk", "kthvalue", "median", "mode", "cummax", "max"])
def test_pairs_of_outs_on_another_device(name: str) -> None:
    rest = (2,) if name in ("topk", "kthvalue") else (0,)
    for here, elsewhere in (("cpu", "cuda"), ("cuda", "cpu")):
        x = tl.arange(12.0, device=here).reshape(3, 4)
        for shapes in ((0,), (3, 4)):
            out = tl.empty(shapes, device=elsewhere), tl.empty(shapes, dtype=tl.int64, device=elsewhere)
            with pytest.raises(RuntimeError, match="device"):
                getattr(tl, name)(x, *rest, out=out)


@pytest.mark.order
@pytest.mark.sanitize
@pytest.mark.parametrize("op", [op for op in OPS if op.large and compared(op)], ids=str)
def test_large(op: Op) -> None:
    """Packs, tails, several blocks, chunks."""
    for dtype in ("float32", "float16", "int64"):
        if dtype not in op.dtypes:
            continue
        for sample in op.large:
            drawn = draw(op, sample, dtype)
            args, kwargs = tensors(tl, drawn)
            expected = op.function(tl)(*args, **kwargs)
            args, kwargs = tensors(tl, drawn, on_device(contiguous))
            got = op.function(tl)(*args, **kwargs)
            longest = max(t.numel() for t in leaves((args, kwargs)))  # sums of many terms, in another order
            reach = max(1, longest**0.5 / 10) if op.result == "sum" or op.tol > 2 else 1
            agree(op, got, expected, f"{op.name}{sample}", reach)


@pytest.mark.parametrize("op", [op for op in OPS if op.grad and "float64" in op.dtypes and compared(op)], ids=str)
def test_gradients(op: Op) -> None:
    for sample in op.samples:
        if not sample.grad or "dtype" in sample.kwargs or "float64" not in sample.dtypes:
            continue
        drawn = draw(op, sample, "float64")

        def gradients(make: Callable[..., Any], drawn: Any = drawn) -> list[Any]:
            inputs = []
            wanted = {id(v.values) for v in leaves(drawn) if v.grad and v.dtype == "float64"}

            def leaf(lib: Any, values: Any, dtype: str) -> Any:
                t = make(lib, values, dtype)
                if id(values) in wanted:
                    inputs.append(t.requires_grad_())
                return t

            args, kwargs = tensors(tl, drawn, leaf)
            results = [r for r in leaves(op.function(tl)(*args, **kwargs)) if r.requires_grad]
            total = sum((r * r).sum() for r in results)
            return [g for g in tl.autograd.grad(total, inputs, allow_unused=True) if g is not None]

        expected = gradients(contiguous)
        agree(op, gradients(on_device(contiguous)), expected, f"{op.name}{sample}")


# ---- the runtime ----


def test_copies_keep_values_strides_and_dtypes() -> None:
    x = tl.arange(24.0).view(2, 3, 4)
    assert x.to("cuda").device == tl.device("cuda:0") and x.cuda().cpu().equal(x)
    t = x.transpose(0, 2)
    assert t.cuda().stride() == t.stride() and t.cuda().cpu().equal(t)
    assert x[:, ::2].cuda().cpu().equal(x[:, ::2])
    assert x.to("cuda", tl.float16).dtype is tl.float16
    wide = tl.zeros(2, 3, 4, device="cuda")
    wide.copy_(x[0])
    assert wide.cpu().equal(x[:1].expand(2, 3, 4))
    wide[:, 1].copy_(tl.full((2, 4), 7, dtype=tl.int32))
    assert (wide.cpu()[:, 1] == 7).all()
    pinned = tl.ones(5)
    assert pinned.to("cuda", non_blocking=True).cpu().equal(pinned)
    assert "device='cuda:0'" in repr(wide)


def test_numbers_and_tensors_of_the_cpu() -> None:
    x = tl.ones(3, device="cuda")
    assert (x + 2).cpu().tolist() == [3, 3, 3] and (1 - x).is_cuda
    assert (x + tl.tensor(4.0)).is_cuda
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        x + tl.ones(3)
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        tl.ones(1, device="cuda:77")


@pytest.mark.order
@pytest.mark.sanitize
def test_streams_and_events() -> None:
    side = tl.cuda.Stream()
    assert side != tl.cuda.current_stream() == tl.cuda.default_stream()
    x = tl.arange(1000.0, device="cuda")
    side.wait_stream(tl.cuda.current_stream())
    with tl.cuda.stream(side):
        assert tl.cuda.current_stream() == side
        y = x * 2
    tl.cuda.current_stream().wait_stream(side)
    z = y + 1
    assert z.cpu().tolist()[-1] == 1999
    start, end = tl.cuda.Event(enable_timing=True), tl.cuda.Event(enable_timing=True)
    start.record()
    x.exp()
    end.record()
    end.synchronize()
    assert end.query() and start.elapsed_time(end) >= 0
    tl.cuda.synchronize()
    assert side.query()


def test_memory_is_counted() -> None:
    tl.cuda.synchronize()
    tl.cuda.empty_cache()  # of which a block somewhat larger would be taken
    before = tl.cuda.memory_allocated()
    x = tl.empty(1 << 20, device="cuda")
    assert tl.cuda.memory_allocated() - before == 4 << 20
    assert tl.cuda.max_memory_allocated() >= 4 << 20 and tl.cuda.memory_reserved() >= 4 << 20
    del x
    assert tl.cuda.memory_allocated() == before
    tl.cuda.empty_cache()
    with pytest.raises(tl.cuda.OutOfMemoryError, match=r"CUDA out of memory\. Tried to allocate 8192\.00 GiB"):
        tl.empty(1 << 41, device="cuda")
    assert "allocated_bytes" in tl.cuda.memory_summary()


@pytest.mark.order
@pytest.mark.sanitize
def test_large_reductions_are_cut_in_chunks() -> None:
    x = np.random.default_rng(0).standard_normal((3, 70_000)).astype(np.float32)
    t = tl.from_numpy(x).cuda()
    np.testing.assert_allclose(t.sum(1).cpu().numpy(), x.sum(1, dtype=np.float64), rtol=1e-4)
    np.testing.assert_allclose(t.sum(0).cpu().numpy(), x.sum(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(t.var(1).cpu().numpy(), x.var(1, ddof=1), rtol=1e-4)
    assert t.argmax().item() == x.argmax() and t.argmin(1).cpu().tolist() == x.argmin(1).tolist()
    assert t.sum(1).cpu().equal(t.sum(1).cpu())


@pytest.mark.skipif(not EMULATED, reason="shows the emulator's checks")
@pytest.mark.parametrize("seed", range(4))
def test_the_emulator_catches_planted_faults(seed: int) -> None:
    library = os.environ.get("TENSORLITE_CUDA_LIBRARY") or Path(tl._C.__file__).parent / "libtensorlite.so"
    program = Path(library).resolve().parent / "emulator_test"
    if not program.exists():
        pytest.skip("emulator_test is not built")
    done = subprocess.run(
        [program], capture_output=True, text=True, timeout=120, env={"TENSORLITE_EMULATE_SEED": str(seed)}
    )
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done.stdout + done.stderr


def test_a_forked_child_is_refused() -> None:
    tl.cuda.init()
    pid = os.fork()
    if pid == 0:
        try:
            tl.ones(1, device="cuda")
        except RuntimeError as e:
            os._exit(0 if str(e).startswith("Cannot re-initialize CUDA in forked subprocess") else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# ---- random numbers ----


def test_generators_repeat_and_keep_their_state() -> None:
    tl.cuda.manual_seed(7)
    a = tl.rand(1000, device="cuda")
    state = tl.cuda.get_rng_state()
    b, c = tl.rand(1000, device="cuda"), tl.randn(1000, device="cuda")
    tl.cuda.set_rng_state(state)
    assert tl.rand(1000, device="cuda").cpu().equal(b.cpu()) and tl.randn(1000, device="cuda").cpu().equal(c.cpu())
    tl.manual_seed(7)
    assert tl.rand(1000, device="cuda").cpu().equal(a.cpu()) and not a.cpu().equal(b.cpu())
    own = tl.Generator(device="cuda")
    own.manual_seed(7)
    assert tl.rand(1000, device="cuda", generator=own).cpu().equal(a.cpu()) and own.device.type == "cuda"
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
        tl.rand(3, device="cuda", generator=tl.Generator())


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_distributions(dtype: str) -> None:
    kind, n = getattr(tl, dtype), 20_000

    def drawn(fill: Callable[[Any], Any]) -> np.ndarray:
        return fill(tl.empty(n, dtype=kind, device="cuda")).cpu().double().numpy()

    u = drawn(lambda t: t.uniform_(-1, 3))
    assert u.min() >= -1 and u.max() < 3 and abs(u.mean() - 1) < 0.05 and abs(u.std() - 4 / 12**0.5) < 0.05
    g = drawn(lambda t: t.normal_(2, 3))
    assert abs(g.mean() - 2) < 0.1 and abs(g.std() - 3) < 0.1 and abs(((g - 2) ** 3).mean()) < 3
    assert abs(drawn(lambda t: t.exponential_(2)).mean() - 0.5) < 0.03
    assert abs(drawn(lambda t: t.bernoulli_(0.3)).mean() - 0.3) < 0.02


def test_integers_and_probabilities() -> None:
    i = tl.randint(-3, 4, (20_000,), device="cuda").cpu().numpy()
    assert set(i) == set(range(-3, 4)) and abs(i.mean()) < 0.1
    p = tl.tensor([0.0, 1.0, 0.5], device="cuda").expand(10_000, 3)
    drawn = tl.bernoulli(p).cpu().numpy().mean(0)
    assert drawn[0] == 0 and drawn[1] == 1 and abs(drawn[2] - 0.5) < 0.03
    x = tl.ones(20_000, device="cuda")
    kept = tl.nn.functional.dropout(x, 0.25).cpu().numpy()
    assert set(np.unique(kept)) == {np.float32(0), np.float32(1 / 0.75)} and abs((kept == 0).mean() - 0.25) < 0.02


# ---- training ----


@pytest.mark.order
@pytest.mark.sanitize
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"])
def test_training_follows_the_cpu(name: str) -> None:
    """A small network: the same losses step by step."""

    def losses(device: str) -> list[float]:
        tl.manual_seed(0)
        model = tl.nn.Sequential(
            tl.nn.Linear(6, 16), tl.nn.GELU(), tl.nn.Linear(16, 16), tl.nn.ReLU(), tl.nn.Linear(16, 4)
        )
        x, y = tl.randn(40, 6), tl.randint(0, 4, (40,))
        model, x, y = model.to(device), x.to(device), y.to(device)
        extra = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
        optimizer = getattr(tl.optim, name)(model.parameters(), lr=0.05, **extra)
        result = []
        for _ in range(6):
            optimizer.zero_grad()
            loss = tl.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            result.append(loss.item())
        assert all(p.device.type == device for p in model.parameters())
        return result

    np.testing.assert_allclose(losses("cuda"), losses("cpu"), rtol=2e-4)


def test_targets_out_of_range_are_named() -> None:
    x = tl.zeros(3, 4, device="cuda")
    with pytest.raises(IndexError, match="Target 4 is out of bounds"):
        tl.nn.functional.cross_entropy(x, tl.tensor([0, 4, 1], device="cuda")).item()


def test_gradients_come_back_to_the_device_of_their_tensor() -> None:
    x = tl.ones(3, requires_grad=True)
    for _ in range(2):
        (x.cuda() * tl.arange(3.0).cuda()).sum().backward()
    assert x.grad.device == x.device and x.grad.tolist() == [0, 2, 4]

    class Stray(tl.autograd.Function):
        @staticmethod
        def forward(ctx: Any, t: Any) -> Any:
            return t * 2

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad.cpu()

    y = tl.ones(3, device="cuda", requires_grad=True)
    with pytest.raises(RuntimeError, match="invalid gradient at index 0 - expected device cuda:0 but got cpu"):
        Stray.apply(y).sum().backward()
