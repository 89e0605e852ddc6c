"""Where the headers and the library of tensorlite are, for C++ programs that use it without Python.

::

    flags=$(python -c "from tensorlite.utils import cpp_extension as c; print(c.compile_flags())")
    g++ -std=c++20 program.cpp $flags -o program
"""

from __future__ import annotations

import os

import tensorlite._C as _C

__all__ = ["compile_flags", "include_paths", "library_paths"]

_home = os.path.dirname(os.path.abspath(_C.__file__))


def include_paths(device_type: str = "cpu") -> list[str]:
    """The directories for ``-I``: ``#include "core/tensor.h"``, ``"ops/pointwise.h"``, ..."""
    return [os.path.join(_home, "include")]


def library_paths(device_type: str = "cpu") -> list[str]:
    """The directories for ``-L``; the library is ``-ltensorlite``."""
    return [_home]


def compile_flags() -> str:
    """What a compiler needs, on one line; the program finds the library where it is now."""
    includes = " ".join(f"-I{path}" for path in include_paths())
    return f"{includes} -L{_home} -ltensorlite -Wl,-rpath,{_home}"
