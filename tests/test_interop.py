"""Making tensors, and tensors beside NumPy, Python's protocols and other libraries, compared with PyTorch line by line."""

import gc
import pickle
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from library import IS_TENSORLITE, tl, torch
from prompt import programs, run

PROGRAMS = [
    pytest.param(program, id=f"{file.stem}-{i}")
    for file in sorted((Path(__file__).parent / "prompts").glob("*.txt"))
    for i, program in enumerate(programs(file.read_text()))
]


@pytest.mark.parity
@pytest.mark.parametrize("program", PROGRAMS)
def test_lines_show_what_pytorch_shows(program: str) -> None:
    for ours, theirs in zip(run(tl, program), run(torch, program), strict=True):
        if "cuda" in theirs and tl.cuda.is_available() != torch.cuda.is_available():
            return  # what follows may depend on it
        assert ours == theirs


# ---- DLPack ----

DTYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()


@pytest.mark.parity
@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_between_the_libraries(dtype: str, versioned: bool) -> None:
    version = (1, 0) if versioned else None
    name = "dltensor_versioned" if versioned else "dltensor"
    x = tl.arange(6).reshape(2, 3).to(getattr(tl, dtype)).t()
    capsule = x.__dlpack__(max_version=version)
    assert f'"{name}"' in repr(capsule)
    y = torch.utils.dlpack.from_dlpack(capsule)
    assert f'"used_{name}"' in repr(capsule)
    assert (y.data_ptr(), y.stride(), str(y.dtype)) == (x.data_ptr(), x.stride(), f"torch.{dtype}")
    assert y.tolist() == x.tolist()
    y[0, 1] = 7
    assert x.tolist() == y.tolist()
    z = tl.utils.dlpack.from_dlpack(y.__dlpack__(max_version=version))
    assert z.data_ptr() == x.data_ptr() and z.dtype is x.dtype and z.stride() == x.stride()


@pytest.mark.skipif(not IS_TENSORLITE, reason="what our capsules hold")
def test_dlpack_keeps_memory_as_long_as_it_is_needed() -> None:
    base = np.arange(5.0)
    alive = weakref.ref(base)
    t = tl.from_dlpack(base)
    view = np.from_dlpack(t[1:])
    del base, t
    gc.collect()
    assert alive() is not None and view.tolist() == [1, 2, 3, 4]
    del view
    gc.collect()
    assert alive() is None
    tl.ones(3).__dlpack__()  # a capsule that nobody takes frees what it holds
    for _ in range(100):
        tl.from_dlpack(np.arange(10_000.0))


@pytest.mark.skipif(not IS_TENSORLITE, reason="PyTorch ends the process")
def test_dlpack_refuses_negative_strides() -> None:
    with pytest.raises(ValueError, match="negative strides are not supported"):
        tl.from_dlpack(np.arange(3)[::-1])


def test_dlpack_of_read_only_memory() -> None:
    base = np.arange(3)
    base.flags.writeable = False
    t = tl.from_dlpack(base, copy=True)
    t[0] = 5
    assert base.tolist() == [0, 1, 2]


# ---- copies ----


def test_pickled_views_share_their_storage() -> None:
    """As torch.save keeps it; plain pickle of PyTorch does not."""
    x = tl.arange(6.0).reshape(2, 3)
    a, row, column = pickle.loads(pickle.dumps([x, x[0], x[:, 1]]))
    row[1] = 50
    if IS_TENSORLITE:
        assert a.tolist() == [[0, 50, 2], [3, 4, 5]] and column.tolist() == [50, 4]
    assert column.stride() == (3,)


class Tagged(tl.Tensor):
    pass


@pytest.mark.parametrize("protocol", range(6))
def test_pickle_keeps_class_and_attributes(protocol: int) -> None:
    x = tl.ones(2, 3).as_subclass(Tagged)
    x.tag = {"a": [1]}
    y = pickle.loads(pickle.dumps(x, protocol=protocol))
    assert type(y) is Tagged and y.tag == {"a": [1]} and y.tolist() == x.tolist()
    p = tl.nn.Parameter(tl.zeros(2))
    q = pickle.loads(pickle.dumps(p, protocol=protocol))
    assert type(q) is tl.nn.Parameter and q.requires_grad and q.is_leaf


def test_storages_are_told_apart_and_resized() -> None:
    x = tl.arange(4, dtype=tl.int32)
    s = x.untyped_storage()
    assert len(s) == s.nbytes() == 16 and s.data_ptr() == x.data_ptr() == x[1:].untyped_storage().data_ptr()
    s[0] = 9
    assert x[0] == 9 and s.tolist()[:5] == [9, 0, 0, 0, 1]
    s.resize_(32)
    x.set_(s, 0, (8,), (1,))
    assert x[:4].tolist() == [9, 1, 2, 3]
    with pytest.raises(RuntimeError, match="out of bounds for storage of size 32"):
        x.set_(s, 1, (8,), (1,))


@pytest.mark.skipif(not IS_TENSORLITE, reason="an addition of tensorlite's")
def test_tensors_have_the_buffer_protocol() -> None:
    x = tl.arange(6, dtype=tl.int16).reshape(2, 3)
    view = memoryview(x.t())
    assert (view.shape, view.strides, view.format, view.readonly) == ((3, 2), (2, 6), "h", False)
    view[1, 0] = 77
    assert x[0, 1] == 77
    with pytest.raises(BufferError, match="requires grad"):
        memoryview(tl.ones(1, requires_grad=True))


@pytest.mark.skipif(not IS_TENSORLITE, reason="about python -m tensorlite")
def test_processes_of_a_script_inherit_the_hook(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        """
import multiprocessing, subprocess, sys
import torch

def work(n):
    import torch
    return str(torch.ones(n, dtype=torch.float64)), torch.__name__

if __name__ == "__main__":
    for method in ("spawn", "fork", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(pool.apply(work, (2,)))
    print(subprocess.run([sys.executable, "-c", "import torch.nn as nn; print(nn.__name__)"], capture_output=True, text=True).stdout)
"""
    )
    result = subprocess.run(
        [sys.executable, "-m", "tensorlite", str(script)], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    line = "('tensor([1., 1.], dtype=torch.float64)', 'tensorlite')"
    assert result.stdout.split("\n") == [line, line, line, "tensorlite.nn", "", ""]
