"""CUDA graphs: what is recorded once and replayed equals what is asked for anew each time."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from library import IS_TENSORLITE, tl

HAVE = IS_TENSORLITE and tl.cuda.is_available()
needs_cuda = pytest.mark.skipif(not HAVE, reason="no CUDA device")
EMULATED = HAVE and tl._C._cuda_is_emulated()


def captured(work: Callable[[], Any], **options: Any) -> tuple[Any, Any]:
    """The graph of some work, and what the work returned while it was recorded."""
    g = tl.cuda.CUDAGraph()
    with tl.cuda.graph(g, **options):
        out = work()
    return g, out


def on_side_stream(work: Callable[[], Any], times: int = 1) -> None:
    side = tl.cuda.Stream()
    side.wait_stream(tl.cuda.current_stream())
    with tl.cuda.stream(side):
        for _ in range(times):
            work()
    tl.cuda.current_stream().wait_stream(side)


@needs_cuda
@pytest.mark.order
@pytest.mark.sanitize
def test_replays_compute_from_what_was_copied_in() -> None:
    x, w = tl.zeros(6, 5, device="cuda"), tl.randn(5, 7, device="cuda")
    assert not tl.cuda.is_current_stream_capturing()
    g = tl.cuda.CUDAGraph()
    with tl.cuda.graph(g):
        assert tl.cuda.is_current_stream_capturing()
        y = (x @ w).relu() * 2
        total = (y + 1).sum(dim=1).softmax(0)
    assert not tl.cuda.is_current_stream_capturing()
    results = []
    for k in range(3):
        x.copy_(tl.randn(6, 5) + k)
        g.replay()
        results.append((x.clone(), y.clone(), total.clone()))
    for x_k, y_k, total_k in results:
        expected = (x_k @ w).relu() * 2
        assert y_k.equal(expected) and total_k.equal((expected + 1).sum(dim=1).softmax(0))


def network(optimizer: str = "SGD") -> tuple[Any, Any, Any]:
    tl.manual_seed(3)
    model = tl.nn.Sequential(
        tl.nn.Linear(6, 8), tl.nn.BatchNorm1d(8), tl.nn.ReLU(), tl.nn.Dropout(0.3), tl.nn.Linear(8, 3)
    ).to("cuda")
    options = {"lr": 0.1, "momentum": 0.9} if optimizer == "SGD" else {"lr": 0.01, "capturable": True}
    return model, tl.nn.CrossEntropyLoss(), getattr(tl.optim, optimizer)(model.parameters(), **options)


@needs_cuda
@pytest.mark.order
@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop"])
def test_training_captured_whole_equals_the_eager_loop(optimizer: str) -> None:
    inputs, targets = tl.randn(6, 4, 6), tl.randint(0, 3, (6, 4))

    def train(steps: Callable[[Any, Any, Any, Any, Any], list[float]]) -> tuple[list[float], list[Any], Any]:
        model, loss_of, opt = network(optimizer)
        x, t = tl.zeros(4, 6, device="cuda"), tl.zeros(4, dtype=tl.int64, device="cuda")

        def step() -> Any:
            opt.zero_grad(set_to_none=True)
            loss = loss_of(model(x), t)
            loss.backward()
            tl.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            return loss

        on_side_stream(step, 3)
        losses = steps(step, x, t, model, opt)
        state = [p.detach().cpu() for p in (*model.parameters(), *model.buffers())]
        return losses, state, tl.cuda.get_rng_state()

    def eager(step: Any, x: Any, t: Any, model: Any, opt: Any) -> list[float]:
        losses = []
        for a, b in zip(inputs, targets):
            x.copy_(a), t.copy_(b)
            losses.append(step().item())
        return losses

    def graphed(step: Any, x: Any, t: Any, model: Any, opt: Any) -> list[float]:
        opt.zero_grad(set_to_none=True)
        g, loss = captured(step)
        losses = []
        for a, b in zip(inputs, targets):
            x.copy_(a), t.copy_(b)
            g.replay()
            losses.append(loss.item())
        return losses

    (losses, state, rng), (expected, expected_state, expected_rng) = train(graphed), train(eager)
    assert losses == expected and len(set(losses)) == len(losses)
    assert all(a.equal(b) for a, b in zip(state, expected_state)) and rng.equal(expected_rng)


@needs_cuda
@pytest.mark.order
def test_random_numbers_go_on_as_they_do_without_a_graph() -> None:
    own = tl.Generator(device="cuda")

    def draws() -> list[Any]:
        x = tl.ones(50, device="cuda")
        return [
            tl.rand(9, device="cuda"),
            tl.nn.functional.dropout(x, 0.5),
            tl.randperm(20, device="cuda"),
            tl.randn(3, device="cuda", generator=own),
            tl.randint(0, 1000, (7,), device="cuda"),
            tl.nn.functional.dropout(x, 0.5),
        ]

    g, out = captured(draws)
    state = tl.cuda.get_rng_state()
    seeds = [(11, 12), (11, 12), (5, 6)]
    replayed = []
    for first, second in seeds:
        tl.cuda.manual_seed(first)
        own.manual_seed(second)
        for _ in range(2):
            g.replay()
            replayed.append([t.clone() for t in out])
        replayed.append([tl.rand(4, device="cuda")])
    eager = []
    for first, second in seeds:
        tl.cuda.manual_seed(first)
        own.manual_seed(second)
        eager += [draws(), draws(), [tl.rand(4, device="cuda")]]
    assert all(a.equal(b) for one, other in zip(replayed, eager) for a, b in zip(one, other))
    assert not replayed[0][0].equal(replayed[1][0]) and not out[1].equal(out[5])
    assert len(state) == 16


@needs_cuda
def test_a_capture_draws_nothing() -> None:
    tl.cuda.manual_seed(1)
    before = tl.cuda.get_rng_state()
    g, _ = captured(lambda: tl.rand(3, device="cuda"))
    assert tl.cuda.get_rng_state().equal(before)
    g.replay()
    assert not tl.cuda.get_rng_state().equal(before)

    def seeded() -> None:
        tl.cuda.manual_seed(1)  # the same seed: nothing to be done
        with pytest.raises(RuntimeError, match="only if new seed is the same as the original seed"):
            tl.cuda.manual_seed(2)
        with pytest.raises(RuntimeError, match="during CUDA graph capture"):
            tl.cuda.set_rng_state(before)
        tl.ones(1, device="cuda")

    captured(seeded)


# ---- streams within a graph ----


@needs_cuda
@pytest.mark.order
def test_work_that_forks_and_joins() -> None:
    x = tl.zeros(300, device="cuda")
    own, side = tl.cuda.Stream(), tl.cuda.Stream()

    def work() -> Any:
        a = x + 1
        side.wait_stream(tl.cuda.current_stream())
        with tl.cuda.stream(side):
            b = a * 2
            for _ in range(3):
                b = b + 1
            a.record_stream(side)
        c = a * 3
        del a
        for _ in range(3):
            c = c - 1
        tl.cuda.current_stream().wait_stream(side)
        b.record_stream(tl.cuda.current_stream())
        return b + c

    g, out = captured(work, stream=own)
    for k in range(3):
        x.fill_(k)
        g.replay()
        assert (out == (k + 1) * 5).all()


@needs_cuda
def test_streams_that_do_not_join() -> None:
    x, own, side = tl.ones(3, device="cuda"), tl.cuda.Stream(), tl.cuda.Stream()
    g = tl.cuda.CUDAGraph()
    unjoined = "CUDA error: capturing stream has unjoined work"
    with pytest.raises(RuntimeError, match=unjoined), tl.cuda.graph(g, stream=own):
        side.wait_stream(tl.cuda.current_stream())
        with tl.cuda.stream(side):
            x * 2
    with tl.cuda.stream(side):
        assert not tl.cuda.is_current_stream_capturing() and (x * 2).tolist() == [2, 2, 2]
    early = tl.cuda.Event()
    early.record()
    with pytest.raises(RuntimeError, match="dependency created on uncaptured work in another stream"), tl.cuda.graph(g):
        early.wait()
    assert (x + 1).tolist() == [2, 2, 2]


# ---- memory ----


def reserved() -> int:
    gc.collect()
    tl.cuda.empty_cache()
    tl.cuda.synchronize()
    return tl.cuda.memory_reserved()


@needs_cuda
def test_memory_is_kept_for_the_graph_and_used_again_within_it() -> None:
    x = tl.ones(1 << 20, device="cuda")  # 4 MiB
    before = reserved()
    g = tl.cuda.CUDAGraph()
    with tl.cuda.graph(g):
        y = x
        places = set()
        for _ in range(6):
            y = y + 1
            places.add(y.data_ptr())
    assert len(places) == 2, "temporaries do not use each other's memory"
    held = reserved()
    assert held - before >= 8 << 20, "the memory of the graph is given back while it lives"
    other = [tl.full((1 << 20,), float(k), device="cuda") for k in range(3)]
    assert not places & {t.data_ptr() for t in other}
    g.replay()
    assert (y == 7).all() and (other[0] == 0).all()
    del other
    g.reset()
    assert y[0].item() == 7, "a result outlives its graph"
    assert reserved() > before
    del y
    assert reserved() == before
    with pytest.raises(RuntimeError, match="Called CUDAGraph::replay without a preceding successful capture"):
        g.replay()
    with tl.cuda.graph(g):
        z = x * 3
    g.replay()
    assert (z == 3).all()
    del g, z
    assert reserved() == before


@needs_cuda
@pytest.mark.order
def test_graphs_that_share_a_pool() -> None:
    x = tl.ones(1 << 18, device="cuda")
    pool = tl.cuda.graph_pool_handle()

    def chain() -> Any:
        y = x
        for _ in range(4):
            y = y * 2
        return y.sum()

    g, first = captured(chain, pool=pool)
    size = tl.cuda.memory_reserved()
    h, second = captured(lambda: chain() + first, pool=g.pool())
    assert g.pool() == h.pool() == pool and tl.cuda.memory_reserved() == size
    for k in range(2):
        x.fill_(k + 1.0)
        g.replay(), h.replay()
        assert first.item() == (k + 1) * 16 * 2**18 and second.item() == 2 * first.item()
    g.reset()
    x.fill_(3)
    h.replay()
    assert second.item() == 48 * 2**18 + 2 * 16 * 2**18


@needs_cuda
@pytest.mark.order
def test_blocks_that_other_streams_use_are_freed_during_a_capture() -> None:
    """Their events wait until no stream is captured."""
    side, live = tl.cuda.Stream(), tl.cuda.memory_stats()["allocation.all.current"]
    results = []
    a = tl.full((2000,), 2.0, device="cuda")
    side.wait_stream(tl.cuda.current_stream())
    with tl.cuda.stream(side):
        results.append(a * 2)
    a.record_stream(side)
    x = tl.ones(4, device="cuda")

    def work() -> Any:
        nonlocal a
        del a
        return x + 1

    g, out = captured(work)
    tl.full((2000,), -1.0, device="cuda")
    g.replay()
    tl.cuda.current_stream().wait_stream(side)
    assert out.tolist() == [2] * 4 and (results[0] == 4).all()
    del g, out
    x = None
    results.clear()
    assert tl.cuda.memory_stats()["allocation.all.current"] == live


# ---- the host's memory ----


@needs_cuda
@pytest.mark.order
def test_copies_of_pinned_memory_are_part_of_a_graph() -> None:
    source, target = tl.zeros(500).pin_memory(), tl.zeros(500).pin_memory()

    def work() -> Any:
        x = source.to("cuda", non_blocking=True)
        target.copy_(x * 2, non_blocking=True)
        return x

    g, x = captured(work)
    for k in range(3):
        source.fill_(k)
        g.replay()
        tl.cuda.synchronize()
        assert (target == 2 * k).all()
    source = None
    other = tl.full((500,), 9.0).pin_memory()
    g.replay()
    assert (x == 2).all() and (other == 9).all(), "memory that a graph reads was given away"

    def pageable() -> None:
        y = tl.empty(500, device="cuda")
        with pytest.raises(RuntimeError, match="Cannot copy between CPU and CUDA tensors during CUDA graph capture"):
            y.copy_(tl.ones(500), non_blocking=True)
        tl.add(y, 1, out=y)

    captured(pageable)


@needs_cuda
@pytest.mark.order
def test_tables_of_the_host_live_as_long_as_the_graph() -> None:
    params = [tl.nn.Parameter(tl.full((40 + k,), float(k), device="cuda")) for k in range(5)]
    for p in params:
        p.grad = tl.ones_like(p)
    opt = tl.optim.SGD(params, lr=1)
    g, _ = captured(opt.step)
    for _ in range(20):
        tl.full((2000,), 7.0).pin_memory()
    for _ in range(3):
        g.replay()
    assert [p.mean().item() for p in params] == [k - 3 for k in range(5)]
    pinned = tl.cuda.host_memory_stats()["allocated_bytes.current"]
    g.reset()
    tl.cuda.empty_cache()
    assert tl.cuda.host_memory_stats()["allocated_bytes.current"] < pinned


@needs_cuda
def test_data_errors_are_found_in_replays() -> None:
    table, at = tl.arange(10.0, device="cuda"), tl.tensor([1, 2], device="cuda")
    g, out = captured(lambda: table[at] + table.index_select(0, at))
    g.replay()
    assert out.tolist() == [2, 4]
    at.copy_(tl.tensor([3, 12]))
    g.replay()
    with pytest.raises(IndexError, match="12 is out of bounds"):
        tl.cuda.synchronize()
    at.copy_(tl.tensor([3, 4]))
    g.replay()
    assert out.tolist() == [6, 8]


# ---- what cannot be recorded ----

UNSUPPORTED = "CUDA error: operation not permitted when stream is capturing"
WAITS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "item": (lambda x: x.sum().item(), UNSUPPORTED),
    "cpu": (lambda x: x.cpu(), UNSUPPORTED),
    "print": (repr, UNSUPPORTED),
    "synchronize": (lambda x: tl.cuda.synchronize(), UNSUPPORTED),
    "stream": (lambda x: tl.cuda.current_stream().synchronize(), UNSUPPORTED),
    "query": (lambda x: tl.cuda.current_stream().query(), UNSUPPORTED),
    "nonzero": (lambda x: x.nonzero(), UNSUPPORTED + " in operator 'nonzero'"),
    "mask": (lambda x: x[x > 0], UNSUPPORTED),
    "ctc_loss": (
        lambda x: tl.nn.functional.ctc_loss(x.view(8, 1, 1), tl.zeros(1, 1, device="cuda").long(), (8,), (1,)),
        UNSUPPORTED + " in operator 'ctc_loss'",
    ),
    "unique": (lambda x: tl.unique(x), UNSUPPORTED + " in operator '"),
    "multinomial": (lambda x: tl.multinomial(x, 2), UNSUPPORTED + " in operator 'multinomial'"),
    "poisson": (lambda x: tl.poisson(x), UNSUPPORTED + " in operator 'poisson'"),
    "branch": (lambda x: 1 if x.sum() > 0 else 0, UNSUPPORTED),
    "nested": (lambda x: captured(lambda: x + 1), UNSUPPORTED),
    "event": (lambda x: tl.cuda.current_stream().record_event().query(), "CUDA error: operation not permitted on an "),
}


@needs_cuda
@pytest.mark.parametrize("name", WAITS)
def test_what_waits_for_the_device_ends_the_capture(name: str) -> None:
    wait, words = WAITS[name]
    x, stream = tl.rand(8, device="cuda") + 1, tl.cuda.Stream()
    expected = (x * 2).cpu()
    g = tl.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match=words), tl.cuda.graph(g, stream=stream):
        y = x * 2
        wait(y)
    assert not tl.cuda.is_current_stream_capturing()
    with pytest.raises(RuntimeError, match="Called CUDAGraph::replay without a preceding successful capture"):
        g.replay()
    with tl.cuda.stream(stream):
        assert not tl.cuda.is_current_stream_capturing() and (x * 2).cpu().equal(expected)
    with tl.cuda.graph(g, stream=stream):
        y = x * 2
    g.replay()
    assert y.cpu().equal(expected)
    # Whoever goes on after the error is told at the end.
    with pytest.raises(RuntimeError, match="operation failed due to a previous error during capture"):
        with tl.cuda.graph(tl.cuda.CUDAGraph()):
            with pytest.raises(RuntimeError, match=words):
                wait(x * 2)
    assert (x * 2).cpu().equal(expected)


@needs_cuda
def test_an_exception_leaves_the_stream_as_it_was() -> None:
    g, x = tl.cuda.CUDAGraph(), tl.ones(3, device="cuda")
    before = tl.cuda.current_stream()
    with pytest.raises(KeyError, match="mine"), tl.cuda.graph(g):
        x * 2
        raise KeyError("mine")
    assert tl.cuda.current_stream() == before and not tl.cuda.is_current_stream_capturing()
    assert (x * 2).tolist() == [2, 2, 2]
    h = tl.cuda.CUDAGraph()
    with tl.cuda.stream(tl.cuda.Stream()):
        h.capture_begin()
        x + 1
        del h  # a graph that is forgotten ends its capture
        gc.collect()
        assert not tl.cuda.is_current_stream_capturing() and (x + 1).tolist() == [2, 2, 2]


@needs_cuda
def test_misuse() -> None:
    g, x = tl.cuda.CUDAGraph(), tl.ones(3, device="cuda")
    without = "without a preceding successful capture"
    for ask in (g.replay, g.pool):
        with pytest.raises(RuntimeError, match=without):
            ask()
    g.reset()
    with pytest.raises(RuntimeError, match="CUDA graphs must be captured on a non-default stream"):
        g.capture_begin()
    with pytest.raises(RuntimeError, match=r"Unknown capture error mode\. Expected `global`, `thread_local`"):
        with tl.cuda.graph(g, capture_error_mode="other"):
            pass
    assert tl.cuda.current_stream() == tl.cuda.default_stream()
    with pytest.raises(RuntimeError, match="capture_end without"):
        g.capture_end()
    for mode in ("thread_local", "relaxed"):
        h, y = captured(lambda: x + 1, capture_error_mode=mode)
        h.replay()
        assert y.tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="This CUDAGraph instance already owns a captured graph"), tl.cuda.graph(h):
        pass
    with tl.cuda.graph(g):
        x + 1
        with pytest.raises(RuntimeError, match="Cannot prepare for replay during capturing stage"):
            h.replay()
        with (
            tl.cuda.stream(tl.cuda.default_stream()),
            pytest.raises(RuntimeError, match="Capture must end on the same stream it began on"),
        ):
            g.capture_end()
    g.replay()
    with pytest.warns(UserWarning, match="The CUDA Graph is empty"):
        captured(lambda: None)


@needs_cuda
def test_optimizers_that_count_on_the_host() -> None:
    def step(name: str, **options: Any) -> None:
        p = tl.nn.Parameter(tl.ones(3, device="cuda"))
        p.grad = tl.ones(3, device="cuda")
        opt = getattr(tl.optim, name)([p], **options)
        captured(opt.step)

    for name in ("Adam", "AdamW", "NAdam", "Adamax", "RMSprop", "Adadelta"):
        text = f"Attempting CUDA graph capture of step\\(\\) for an instance of {name} but param_groups' capturable is False"
        with pytest.raises(RuntimeError, match=text):
            step(name)
    for name in ("Adam", "AdamW", "NAdam", "Adamax"):
        with pytest.raises(NotImplementedError, match="counts its steps on the host"):
            step(name, capturable=True)
    with pytest.raises(RuntimeError, match="for an instance of Adagrad"):
        step("Adagrad", lr_decay=0.1)
    step("Adagrad")
    step("Adadelta", capturable=True)


# ---- other processes ----


def program(text: str, **environment: str) -> str:
    package = str(Path(tl.__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", "import tensorlite as tl\n" + text],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": package, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not IS_TENSORLITE, reason="about the package")
def test_a_build_without_cuda() -> None:
    out = program(
        """
assert not tl.cuda.is_current_stream_capturing()
for make in (tl.cuda.CUDAGraph, tl.cuda.graph_pool_handle):
    try:
        make()
    except RuntimeError as e:
        print(e)
opt = tl.optim.Adam([tl.nn.Parameter(tl.ones(1))])
opt.step()
""",
        TENSORLITE_CUDA_LIBRARY="/nonexistent",
    )
    assert out.splitlines() == [
        f"Tried to instantiate dummy base class {name}: this build of tensorlite computes on the CPU only."
        for name in ("CUDAGraph", "_graph_pool_handle")
    ]


@needs_cuda
def test_with_every_launch_waited_for() -> None:
    out = program(
        """
x = tl.ones(4, device="cuda")
g = tl.cuda.CUDAGraph()
with tl.cuda.graph(g):
    y = tl.nn.functional.dropout(x + 1, 0.5) * 0 + x[tl.arange(4, device="cuda")]
x.fill_(5)
g.replay()
print(y.tolist())
""",
        TENSORLITE_CUDA_SYNC="1",
    )
    assert out == "[5.0, 5.0, 5.0, 5.0]\n"


@needs_cuda
@pytest.mark.skipif(not EMULATED, reason="the emulator makes two devices anywhere")
def test_a_second_device() -> None:
    out = program(
        """
x = tl.ones(4, device="cuda:1")
with tl.cuda.device(1):
    g = tl.cuda.CUDAGraph()
    with tl.cuda.graph(g):
        y = x * 3 + tl.rand(4, device="cuda") * 0
g.replay()
h = tl.cuda.CUDAGraph()
try:
    with tl.cuda.graph(h):
        z = tl.ones(3, device="cuda:0") * 2
        x.to("cuda:0", non_blocking=True)
except RuntimeError as e:
    print(e)
print(y.tolist(), (x + 1).tolist())
""",
        TENSORLITE_EMULATE_DEVICES="2",
    )
    assert out.startswith("CUDA error: ") and out.endswith("[3.0, 3.0, 3.0, 3.0] [2.0, 2.0, 2.0, 2.0]\n"), out
