"""Which library the tests run on, and PyTorch beside it where it is installed.

TENSORLITE_TEST_LIBRARY=torch runs the same tests on PyTorch: it shows that the tests ask for what PyTorch does.
TENSORLITE_TEST_DEVICE=cuda runs them with their tensors on that device: factories make them there, what comes from NumPy
is moved there, and what NumPy asks for is moved back. Tests marked `cpu` are left out then.
TENSORLITE_TEST_PARITY=0 leaves PyTorch out.
"""

import importlib
import os

tl = importlib.import_module(os.environ.get("TENSORLITE_TEST_LIBRARY", "tensorlite"))
IS_TENSORLITE = tl.__name__ == "tensorlite"
DEVICE = os.environ.get("TENSORLITE_TEST_DEVICE", "cpu")

try:
    if os.environ.get("TENSORLITE_TEST_PARITY") == "0":
        raise ImportError
    import torch
except ImportError:
    torch = None


def there(text: str) -> str:
    """The text as it is on the device of the tests, where it names a class of tensors."""
    return text if DEVICE == "cpu" else text.replace(".FloatTensor", ".cuda.FloatTensor")


def move_tests_to(device: str) -> None:
    """Every tensor that a test makes lies on the device, and NumPy sees it all the same."""
    from_numpy, numpy, array = tl.from_numpy, tl.Tensor.numpy, tl.Tensor.__array__
    tl.set_default_device(device)
    tl.from_numpy = lambda a: from_numpy(a).to(device)
    tl.Tensor.numpy = lambda self, **kwargs: numpy(self.cpu(), **kwargs)
    tl.Tensor.__array__ = lambda self, *args, **kwargs: array(self.cpu(), *args, **kwargs)


# What a kernel does wrong on a GPU is told at some later wait, so that each test waits.
GPU = IS_TENSORLITE and tl.cuda.is_available() and not tl._C._cuda_is_emulated()


def settle() -> None:
    """Waits for the device, where errors about numbers in the data are raised."""
    if GPU:
        tl._C._cuda_synchronize(tl._C._cuda_current_device())
    elif DEVICE != "cpu":
        tl.cuda.synchronize()


if DEVICE != "cpu":
    move_tests_to(DEVICE)
