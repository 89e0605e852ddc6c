import random
from pathlib import Path

import numpy as np
import pytest
from library import tl, torch


def pytest_report_header() -> list[str]:
    lines = [f"library: {tl.__name__} {tl.__version__} from {Path(tl.__file__).parent}"]
    lines.append(
        f"parity: against PyTorch {torch.__version__}" if torch else "parity: skipped, PyTorch is not installed"
    )
    return lines


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if torch is None and "parity" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="PyTorch is not installed"))


@pytest.fixture(autouse=True)
def _same_state_before_each_test():
    random.seed(0)
    np.random.seed(0)
    tl.manual_seed(0)
    yield
    assert tl.is_grad_enabled(), "the test left gradients switched off"
    assert tl.get_default_dtype() == tl.float32, "the test left another default dtype"
