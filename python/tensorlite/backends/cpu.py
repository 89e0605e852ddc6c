def get_cpu_capability() -> str:
    """The instruction set of the kernels in use: "DEFAULT", "AVX2" or "AVX512"."""
    from .. import _C

    return {"baseline": "DEFAULT", "avx2": "AVX2", "avx512": "AVX512"}[_C._cpu_capability()]
