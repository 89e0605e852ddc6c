"""CUDA's runtime beside kernels: pinned memory, copies that do not wait, several devices, errors that name the operator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE or not tl.cuda.is_available(), reason="no CUDA device")
EMULATED = IS_TENSORLITE and tl._C._cuda_is_emulated()


def program(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program of its own, where the process cannot be used further or needs other variables."""
    package = str(Path(tl.__file__).resolve().parents[1])
    return subprocess.run(
        [sys.executable, "-c", "import tensorlite as tl\n" + text],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": package, **environment},
    )


# ---- pinned memory ----


def test_pinned_memory() -> None:
    x = tl.arange(12.0).view(3, 4)
    p = x.pin_memory()
    assert p.is_pinned() and not x.is_pinned() and p.equal(x) and p.device.type == "cpu"
    assert p.pin_memory() is p and p[1:].is_pinned() and not x.cuda().is_pinned()
    assert x.t().pin_memory().stride() == (1, 4)
    assert tl.zeros(3, pin_memory=True).is_pinned() and tl.tensor([1.0], pin_memory=True).is_pinned()
    assert tl.empty(0, pin_memory=True).pin_memory().shape == (0,)
    with pytest.raises(
        RuntimeError, match=r"cannot pin 'torch\.cuda\.FloatTensor' only dense CPU tensors can be pinned"
    ):
        x.cuda().pin_memory()


@pytest.mark.order
@pytest.mark.sanitize
def test_copies_from_pinned_memory_do_not_wait() -> None:
    """What is freed and asked for again meanwhile is other memory, until the copy is done."""
    on_device = []
    for i in range(8):
        source = tl.full((1000,), float(i)).pin_memory()
        on_device.append(source.to("cuda", non_blocking=True))
        del source  # its block must not serve the next one before the copy is done
    back = [t.to("cpu", non_blocking=False) for t in on_device]
    assert [t[0].item() for t in back] == [t[-1].item() for t in back] == list(range(8))
    target = tl.empty(1000).pin_memory()
    target.copy_(on_device[3] + 1, non_blocking=True)
    tl.cuda.synchronize()
    assert (target == 4).all()


@pytest.mark.skipif(not EMULATED, reason="sees what is in flight")
def test_a_pinned_source_is_read_late() -> None:
    """The emulator copies when the stream is waited for: a program that does not wait reads what it wrote too early."""
    source = tl.zeros(10).pin_memory()
    there = source.to("cuda", non_blocking=True)
    source.fill_(7)
    assert there.cpu().tolist() == [7] * 10
    there = tl.zeros(10).to("cuda", non_blocking=True)  # pageable memory is read at once
    assert there.cpu().tolist() == [0] * 10


def test_pinned_blocks_are_used_again() -> None:
    tl.cuda.empty_cache()
    before = tl.cuda.host_memory_stats()["allocated_bytes.current"]
    for _ in range(20):
        t = tl.ones(5000).pin_memory()
        t.to("cuda", non_blocking=True)
        tl.cuda.synchronize()
        del t
    assert tl.cuda.host_memory_stats()["allocated_bytes.current"] - before <= 2 * 32768
    tl.cuda.empty_cache()
    assert tl.cuda.host_memory_stats()["allocated_bytes.current"] <= before


def test_loaders_pin_their_batches() -> None:
    data = tl.utils.data.TensorDataset(tl.arange(6.0).view(3, 2), tl.arange(3))
    loader = tl.utils.data.DataLoader(data, batch_size=2, pin_memory=True)
    assert all(t.is_pinned() for batch in loader for t in batch)
    named = tl.utils.data.DataLoader([{"a": 1.0, "b": "text"}], pin_memory=True)
    (batch,) = named
    assert batch["a"].is_pinned() and batch["b"] == ["text"]


# ---- streams and memory ----


@pytest.mark.order
def test_memory_that_another_stream_uses_is_kept() -> None:
    side = tl.cuda.Stream()
    results = []
    for i in range(6):
        x = tl.full((2000,), float(i), device="cuda")
        side.wait_stream(tl.cuda.current_stream())
        with tl.cuda.stream(side):
            results.append(x * 2)
        x.record_stream(side)
        del x
        tl.full((2000,), -1.0, device="cuda")
    tl.cuda.current_stream().wait_stream(side)
    assert [(r + 0).cpu()[0].item() for r in results] == [2.0 * i for i in range(6)]
    with pytest.raises(NotImplementedError):
        tl.ones(1).record_stream(side)


CACHED = """
before = tl.cuda.memory_reserved()
for i in range(50):
    x, y = tl.full((1000 + 100 * i,), float(i), device="cuda"), tl.arange(300_000.0, device="cuda")
    z = (x * 2).sum() + y[i]
    assert z.item() == 2 * i * (1000 + 100 * i) + i
    side.wait_stream(tl.cuda.current_stream())
    with tl.cuda.stream(side):
        w = y + 1
    y.record_stream(side)
    del y
    tl.cuda.current_stream().wait_stream(side)
    assert w.cpu()[-1].item() == 300_000
    w.record_stream(tl.cuda.current_stream())
    del w
tl.cuda.synchronize()
held = tl.cuda.memory_reserved() - before
assert 0 < held <= 2 * (22 << 20), held  # a segment of small blocks and one of larger ones for each stream
x = tl.empty(1 << 20, device="cuda")
x.fill_(3)
address = x.data_ptr()
del x
assert tl.empty(1 << 20, device="cuda").data_ptr() == address
del z
tl.cuda.empty_cache()
blocks = [tl.full((n,), 1.0, device="cuda") for n in (10, 3000, 70_000, 1_000_000, 5_000_000)]
assert tl.cuda.memory_allocated() >= sum(4 * b.numel() for b in blocks)
del blocks[::2]
rest = [b.sum().item() for b in blocks]
assert rest == [3000.0, 1_000_000.0]
blocks.clear()
tl.cuda.empty_cache()
assert tl.cuda.memory_reserved() <= 2 << 20, tl.cuda.memory_summary()
tl.cuda.set_per_process_memory_fraction(0.02)
total = tl.cuda.mem_get_info()[1]
a = tl.empty(total // 80, dtype=tl.uint8, device="cuda")
del a  # what is kept is given back before more than the limit is refused
b = tl.empty(total // 60, dtype=tl.uint8, device="cuda")
try:
    tl.empty(total // 100, dtype=tl.uint8, device="cuda")
    print("not refused")
except tl.cuda.OutOfMemoryError:
    print("ok", tl.cuda.memory_stats()["num_alloc_retries"])
"""


@pytest.mark.parametrize("seed", range(2))
def test_freed_memory_is_kept_and_used_again(seed: int) -> None:
    done = program("side = tl.cuda.Stream()\n" + CACHED, TENSORLITE_CUDA_CACHE="1", TENSORLITE_EMULATE_SEED=str(seed))
    assert done.stdout == "ok 2\n", done.stdout + done.stderr


def test_properties_and_counts() -> None:
    p = tl.cuda.get_device_properties()
    assert p.total_memory > 0 and p.warp_size == 32 and p.max_threads_per_block == 1024 and p.multi_processor_count > 0
    assert p.shared_memory_per_block >= 48 << 10 and (p.major, p.minor) == tl.cuda.get_device_capability()
    free, total = tl.cuda.mem_get_info()
    assert 0 < free <= total
    tl.cuda.reset_peak_memory_stats()
    before = tl.cuda.memory_stats()
    x = tl.empty(1000, device="cuda")
    after = tl.cuda.memory_stats()
    assert after["allocation.all.current"] == before["allocation.all.current"] + 1
    del x
    assert tl.cuda.memory_stats()["allocation.all.peak"] >= after["allocation.all.current"]
    assert tl.cuda.device_of(tl.ones(1)).idx is None
    with tl.cuda.device_of(tl.ones(1, device="cuda")):
        assert tl.cuda.current_device() == 0
    with tl.cuda.nvtx.range("a {}", 1):
        tl.cuda.nvtx.mark("b")
    tl.cuda._sleep(10)
    assert len(tl.cuda.default_generators) == tl.cuda.device_count()


def test_running_out_of_memory_tells_what_is_held() -> None:
    done = program(
        """
keep = [tl.empty(3 << 20, device="cuda"), tl.empty(1 << 20, device="cuda")]
try:
    tl.empty(1 << 41, device="cuda")
except tl.cuda.OutOfMemoryError as e:
    print(e)
tl.cuda.set_per_process_memory_fraction(0.0)
try:
    tl.empty(100 << 20, device="cuda")
except tl.cuda.OutOfMemoryError as e:
    print(type(e).__name__, tl.cuda.memory_stats()["num_ooms"])
"""
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("CUDA out of memory. Tried to allocate 8192.00 GiB. GPU 0 has a total capacity of ")
    assert "tensors hold 16.00 MiB" in first and "The largest live blocks: 12.00 MiB, 4.00 MiB." in first
    assert second == "OutOfMemoryError 2"


@pytest.mark.skipif(not EMULATED, reason="a real device is lost after this")
@pytest.mark.parametrize("sync", ["0", "1"])
def test_errors_of_the_device_name_the_operator(sync: str) -> None:
    """Memory that is taken away under a tensor: the read past its end is found where the device gets there."""
    done = program(
        """
x = tl.ones(5000, device="cuda")
x.untyped_storage().resize_(16)
try:
    y = x.exp()
    print("queued")
    y.cpu()
except RuntimeError as e:
    print(e)
""",
        TENSORLITE_CUDA_SYNC=sync,
    )
    assert "in operator 'exp', block " in done.stdout and " reads " in done.stdout, done.stdout + done.stderr
    assert ("queued" in done.stdout) == (sync == "0")


@pytest.mark.skipif(not EMULATED, reason="a real device is lost after this")
@pytest.mark.parametrize("cache", ["0", "1"])
def test_memory_of_a_broken_device_is_freed_in_silence(cache: str) -> None:
    done = program(
        """
x, y = tl.empty(1 << 20, device="cuda"), tl.ones(5, device="cuda")
side = tl.cuda.Stream()
y.record_stream(side)
event = tl.cuda.Event()
event.record(side)
x.untyped_storage().resize_(16)
try:
    x.exp().cpu()
except RuntimeError as e:
    print("raised")
del x, y, event
print("ok")
""",
        TENSORLITE_CUDA_CACHE=cache,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "raised\nok\n", "")


def test_streams_come_from_a_pool() -> None:
    """Memory that was freed on a stream waits there: streams without end would keep memory without end."""
    low, high = ({tl.cuda.Stream(priority=p).cuda_stream for _ in range(100)} for p in (0, -1))
    assert (len(low), len(high)) == (32, 32) and not low & high


# ---- the driver starts when a device is used, and does not outlive a fork ----

CHILD = """
import os
def child(run):
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except Exception as e:
            os._exit(7 if str(e).startswith("Cannot re-initialize CUDA in forked subprocess") else 1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


def test_seeds_and_questions_about_memory_start_no_driver() -> None:
    done = program(
        CHILD
        + """
tl.manual_seed(5)
tl.cuda.manual_seed_all(6)
tl.cuda.empty_cache()
assert tl.cuda.memory_allocated() == tl.cuda.max_memory_reserved() == 0 and tl.cuda.memory_stats() == {}
assert not tl.cuda.is_initialized() and "libtensorlite_cuda" not in open("/proc/self/maps").read()
assert child(lambda: tl.ones(1, device="cuda")) == 0
a = tl.rand(9, device="cuda").cpu()
assert tl.cuda.is_initialized() and tl.cuda.memory_stats()
tl.cuda.manual_seed(6)
assert a.equal(tl.rand(9, device="cuda").cpu())
assert tl.cuda.initial_seed() == 6
print("ok")
"""
    )
    assert done.stdout == "ok\n", done.stderr


def test_a_child_of_a_process_that_asked_for_devices_is_refused() -> None:
    done = program(
        CHILD
        + """
assert tl.cuda.is_available() and not tl.cuda.is_initialized()
assert child(lambda: tl.ones(1, device="cuda")) == 7
print("ok")
"""
    )
    assert done.stdout == "ok\n", done.stderr


@pytest.mark.parametrize("cache", ["0", "1"])
def test_a_child_lets_go_of_what_its_parent_had(cache: str) -> None:
    done = program(
        CHILD
        + """
side = tl.cuda.Stream()
kept = {"tensor": tl.ones(5, device="cuda"), "event": tl.cuda.Event(), "pinned": tl.ones(5).pin_memory()}
kept["copy"] = kept["pinned"].to("cuda", non_blocking=True)
kept["event"].record()
kept["tensor"].record_stream(side)
def let_go():
    kept.clear()
    assert not tl.cuda.is_initialized()
assert child(let_go) == 0
print(kept["tensor"].sum().item())
""",
        TENSORLITE_CUDA_CACHE=cache,
    )
    assert (done.stdout, done.stderr) == ("5.0\n", "")


# ---- several devices ----

TWO_DEVICES = """
assert tl.cuda.device_count() == 2
a = tl.arange(6.0, device="cuda:0")
b = a.to("cuda:1")
assert (a.device.index, b.device.index) == (0, 1) and (b * 2).device.index == 1
assert (b * 2).cpu().tolist() == [0, 2, 4, 6, 8, 10] and a.copy_(b + 1).tolist() == [1, 2, 3, 4, 5, 6]
try:
    a + b
except RuntimeError as e:
    assert "Expected all tensors to be on the same device" in str(e) and "cuda:1" in str(e), e
with tl.cuda.device(1):
    c = tl.ones(3, device="cuda")
    assert c.device.index == 1 and tl.cuda.current_device() == 1 and tl.cuda.memory_allocated() > 0
    s = tl.cuda.Stream()
    assert s.device.index == 1
    s.wait_stream(tl.cuda.current_stream())
    with tl.cuda.stream(s):
        d = c.sum()
    s.synchronize()
assert d.item() == 3 and tl.cuda.current_device() == 0
tl.cuda.set_device(1)
assert tl.randn(2, device="cuda").device.index == 1
tl.cuda.set_device("cuda:0")
tl.cuda.manual_seed_all(5)
assert tl.rand(9, device="cuda:0").cpu().equal(tl.rand(9, device="cuda:1").cpu())
model = tl.nn.Linear(3, 2).to("cuda:1")
x = tl.ones(4, 3, device="cuda:0", requires_grad=True)
model(x.to("cuda:1")).sum().backward()
assert x.grad.device.index == 0 and model.weight.grad.device.index == 1
assert not tl.cuda.can_device_access_peer(0, 1)
for i in range(3):
    big = tl.full((1000,), float(i), device="cuda:0")
    there = big.to("cuda:1", non_blocking=True)
    del big
    assert there.sum().item() == 1000.0 * i
tl.cuda.synchronize(1)
for i in range(3):  # read on a stream of the other device, where no copy is ordered behind it
    big = tl.full((1000,), float(i), device="cuda:0")
    side = tl.cuda.Stream("cuda:1")
    side.wait_stream(tl.cuda.current_stream("cuda:0"))
    with tl.cuda.stream(side):
        there = big.to("cuda:1", non_blocking=True)
    big.record_stream(side)
    del big
    tl.full((1000,), -1.0, device="cuda:0")
    side.synchronize()
    assert there.sum().item() == 1000.0 * i
empty = tl.nn.Parameter(tl.empty(0, device="cuda:1"))
empty.grad = tl.empty_like(empty)
full = tl.nn.Parameter(tl.ones(3, device="cuda:1"))
full.grad = tl.ones_like(full)
tl.optim.SGD([empty, full], lr=1.0).step()
assert full.tolist() == [0, 0, 0]
tl.cuda.empty_cache()
print("ok")
"""


@pytest.mark.skipif(not EMULATED, reason="the emulator makes two devices anywhere")
@pytest.mark.parametrize("cache", ["0", "1"])
@pytest.mark.parametrize("seed", range(3))
def test_two_devices(seed: int, cache: str) -> None:
    done = program(
        TWO_DEVICES,
        TENSORLITE_EMULATE_DEVICES="2",
        TENSORLITE_EMULATE_SEED=str(seed),
        TENSORLITE_CUDA_CACHE=cache,
    )
    assert done.stdout == "ok\n", done.stderr


@pytest.mark.skipif(IS_TENSORLITE and tl.cuda.device_count() < 2, reason="one device")
def test_two_real_devices() -> None:
    done = program(TWO_DEVICES.replace("not tl.cuda.can_device_access_peer", "0 <= tl.cuda.can_device_access_peer"))
    assert done.stdout == "ok\n", done.stderr
