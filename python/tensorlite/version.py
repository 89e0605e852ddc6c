__version__ = "0.1.0"
cuda = None  # the CUDA toolkit this was built with
hip = None
git_version = None
