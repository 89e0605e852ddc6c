__version__ = "0.1.0"
hip = None
git_version = None


def __getattr__(name: str) -> object:
    if name == "cuda":  # the CUDA toolkit this was built with, "13.0"; None without one
        from . import _C

        version = _C._cuda_runtime_version()
        return f"{version // 1000}.{version % 1000 // 10}" if version > 0 else None
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
