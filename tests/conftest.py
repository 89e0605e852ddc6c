import os
import random
from pathlib import Path

import numpy as np
import pytest
from library import DEVICE, GPU, settle, tl, torch


def pytest_report_header() -> list[str]:
    lines = [f"library: {tl.__name__} {tl.__version__} from {Path(tl.__file__).parent}"]
    lines.append(
        f"parity: against PyTorch {torch.__version__}" if torch else "parity: skipped, PyTorch is not installed"
    )
    lines.append(f"device: {DEVICE}")
    return lines


# What is about the CPU's memory, threads, random numbers and files, or about the package and not about tensors.
CPU_ALONE = {
    "test_compat", "test_course", "test_cpp", "test_data", "test_docs", "test_float_math", "test_fuzz", "test_interop",
    "test_packaging", "test_printing", "test_random", "test_stubs",
}  # fmt: skip


SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")

# Of the tests of a CUDA family (test_cuda_<family>.py) every so-manieth is also run with other orders of threads, and under
# the sanitizers.
ORDER_EACH, SANITIZE_EACH = 5, 10


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    family = [i for i in items if i.module.__name__.startswith("test_cuda_") and "slow" not in i.keywords]
    for position, item in enumerate(family):
        if position % ORDER_EACH == 0:
            item.add_marker("order")
        if position % SANITIZE_EACH == 0:
            item.add_marker("sanitize")
    for item in items:
        if torch is None and "parity" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="PyTorch is not installed"))
        name = item.module.__name__
        if DEVICE != "cpu" and ("cpu" in item.keywords or name in CPU_ALONE or name.startswith("test_cuda")):
            item.add_marker(pytest.mark.skip(reason="about the CPU"))
        if SANITIZED and "memory" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="the sanitizers need memory of their own"))


def lost() -> bool:
    """Whether the GPU computes nothing more in this process: it is so after a kernel has failed."""
    try:
        settle()
    except RuntimeError:
        try:  # once more: errors about numbers in the data are raised once
            settle()
        except RuntimeError:
            return True
    return False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item):
    """One failing kernel fails one test: a worker of pytest-xdist ends, and another takes its place."""
    result = yield
    if GPU and lost():
        if "PYTEST_XDIST_WORKER" in os.environ:
            os._exit(3)
        item.session.shouldfail = f"the device is lost after {item.nodeid}; pytest-xdist (-n 1) would go on"
    return result


class Settled:
    """`pytest.raises` that waits for the device before it looks."""

    def __init__(self, *args, **kwargs):
        self.inner = raises(*args, **kwargs)

    def __enter__(self):
        return self.inner.__enter__()

    def __exit__(self, kind, error, traceback):
        if error is None:
            try:
                settle()
            except Exception as e:
                return self.inner.__exit__(type(e), e, e.__traceback__)
        return self.inner.__exit__(kind, error, traceback)


raises = pytest.raises
if DEVICE != "cpu":
    pytest.raises = lambda *args, **kwargs: (Settled if len(args) < 2 else raises)(*args, **kwargs)


@pytest.fixture(autouse=True)
def _same_state_before_each_test():
    random.seed(0)
    np.random.seed(0)
    tl.manual_seed(0)
    yield
    settle()
    assert tl.is_grad_enabled(), "the test left gradients switched off"
    assert tl.get_default_dtype() == tl.float32, "the test left another default dtype"
