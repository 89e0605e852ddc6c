"""Which library the tests run on, and PyTorch beside it where it is installed.

TENSORLITE_TEST_LIBRARY=torch runs the same tests on PyTorch: it shows that the tests ask for what PyTorch does.
"""

import importlib
import os

tl = importlib.import_module(os.environ.get("TENSORLITE_TEST_LIBRARY", "tensorlite"))
IS_TENSORLITE = tl.__name__ == "tensorlite"

try:
    import torch
except ImportError:
    torch = None
