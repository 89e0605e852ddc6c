"""What computes: which libraries are used, and flags that scripts set.

A flag about a library that tensorlite does not use can be set and read, and changes nothing.
"""

from . import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
