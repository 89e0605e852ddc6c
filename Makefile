# make mnist   train a small network on MNIST and draw two pictures
# make test    install what the tests need and run them (the parity group too where PyTorch is installed: make torch)
# make lint    ruff, clang-format, the stubs     make format   let them repair what they can
# make stubs   write the type stubs (*.pyi) anew from the table of operators
# make bench   tensorlite against PyTorch and NumPy, into docs/benchmarks.md; CASES=regex chooses
# make emulate run the tests of CUDA, and the suites with their tensors on that device, on the emulator, a CUDA device made
#              of the host's processor; SEEDS="1 2" draws other orders of threads for the tests marked `order`
# make cuda    compile the CUDA backend with nvcc, warnings and spills of hot kernels are errors; ARCH=90-real;120-real chooses GPUs
# make ladder  every rung of docs/kernels/matmul.md on a GPU, with its time; CUDA=EMULATE ARGS=--count counts its accesses
# make gpu-check  on a machine with a GPU: build, test, measure, write docs/gpu-report.md; STEP="build test" chooses steps,
#              each of at most 9 minutes; see tools/gpu_check.py
# make asan    build with AddressSanitizer and UndefinedBehaviorSanitizer and run the tests marked `sanitize`, those on
#              the emulator too
# make coverage  run PyTorch's operator database on both libraries and write docs/coverage.md
# make torch   install the PyTorch that the parity tests and benchmarks compare with
# make check-all  the long matrix: every instruction set, other seeds, every test under the sanitizers, every GPU
# make wheel-cuda the wheel with CUDA for every GPU, and its size
# make clean   remove everything that the targets above have made
#
# Everything lives in .venv and build/. What is installed already is not fetched again. WHEEL=file installs that wheel of
# these sources instead of compiling them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
CASES ?= .

SOURCES := pyproject.toml CMakeLists.txt README.md $(shell find cmake csrc cuda python -type f -not -name '*.so' -not -name '*.pyc')
BUILD_TOOLS := "scikit-build-core>=0.10" "pybind11>=2.13" "cmake>=3.20" "ninja>=1.10"
LINTERS := $(shell sed -n 's/^dev = \[\(.*\)\]/\1/p' pyproject.toml | tr -d ',')
# Builds in one directory, with the tools of the virtual environment: a second installation compiles what has changed.
INSTALL = SKBUILD_BUILD_DIR=build/$(notdir $(VENV)) $(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation

# What clang-format keeps.
CPP := $(shell find csrc cuda tests examples -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh')

.PHONY: mnist test style lint stubs format bench coverage emulate cuda gpu-check check-all wheel-cuda ladder asan torch clean
.DELETE_ON_ERROR:

mnist: $(VENV)/.with-examples
	$(BIN)/python examples/mnist.py $(ARGS)

test: $(VENV)/.with-test
	$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/.with-test
	$(BIN)/python -m benchmarks --cases '$(CASES)' $(ARGS)

# What needs no build.
style: $(VENV)/.lint
	$(BIN)/ruff check .
	@echo "clang-format"; $(BIN)/clang-format --dry-run -Werror $(CPP)
	$(BIN)/python tools/lint_cuda.py

lint: style $(VENV)/.with-test
	$(BIN)/python tools/stubs.py --check

stubs: $(VENV)/.with-test
	$(BIN)/python tools/stubs.py

format: $(VENV)/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/clang-format -i $(CPP)

coverage: $(VENV)/.with-test $(VENV)/.torch
	PYTHONPATH=tests $(BIN)/python -m parity --write docs/coverage.md $(ARGS)

# The CUDA backend alone, for the library that is installed in the environment: $(1) is the build's folder.
PACKAGE = $$($(BIN)/python -c 'import importlib.util as u; print(u.find_spec("tensorlite").submodule_search_locations[0])')
define BUILD_BACKEND
	@mkdir -p build
	$(BIN)/cmake -G Ninja -S . -B $(1) -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) \
	  -DPython_EXECUTABLE=$(abspath $(BIN)/python) -DTENSORLITE_LIBRARY=$(PACKAGE)/libtensorlite.so $(2) >$(1).log || \
	  { cat $(1).log; exit 1; }
	$(BIN)/ninja --quiet -C $(1) $(3)
endef
EMULATED = TENSORLITE_CUDA_LIBRARY=$(abspath build/$(1)/libtensorlite_cuda.so)
SEEDS ?= 1 2 3
# The emulator is one thread, so that two processes run side by side. The parity group compares CPUs.
ON_EMULATOR = TENSORLITE_TEST_PARITY=0 $(call EMULATED,emulate) $(BIN)/python -m pytest -q -n 2
CUDA_TESTS = $(wildcard tests/test_cuda*.py)

emulate: $(VENV)/.with-test $(VENV)/.xdist
	$(call BUILD_BACKEND,build/emulate,-DTENSORLITE_CUDA=EMULATE)
	$(ON_EMULATOR) $(CUDA_TESTS) -m "not slow" $(ARGS)
	TENSORLITE_TEST_DEVICE=cuda $(ON_EMULATOR) tests -m "not parity and not slow" $(ARGS)
	set -e; for seed in $(SEEDS); do echo "order of threads: seed $$seed"; \
	  TENSORLITE_EMULATE_SEED=$$seed $(ON_EMULATOR) $(CUDA_TESTS) -m order $(ARGS); done

# The Python that is there, with the PyTorch that is there; nothing is fetched.
STEP ?=
WHEELS ?=
gpu-check:
	$(PYTHON) tools/gpu_check.py $(STEP) $(if $(WHEELS),--wheels '$(WHEELS)') $(ARGS)

ARCH ?= 90-real
cuda: $(VENV)/.with-test $(VENV)/.nvcc
	$(call BUILD_BACKEND,build/cuda,-DTENSORLITE_CUDA=ON -DTENSORLITE_WERROR=ON '-DCMAKE_CUDA_ARCHITECTURES=$(ARCH)',-t clean)
	$(BIN)/ninja -C build/cuda >build/cuda.log || { grep -v 'ptxas info' build/cuda.log; exit 1; }
	$(BIN)/python tools/check_spills.py --log build/cuda.log
	$(BIN)/python tools/check_host_calls.py build/cuda

# The matrix products of docs/kernels/matmul.md, rung by rung.
ladder: CUDA ?= ON
ladder: $(VENV)/.with-test
	$(call BUILD_BACKEND,build/ladder-$(CUDA),-DTENSORLITE_CUDA=$(CUDA),matmul_ladder)
	build/ladder-$(CUDA)/matmul_ladder $(ARGS)

# The sanitizers' runtime must be in the process before Python; libstdc++ with it, so that exceptions are seen.
ASAN_ENV = LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)" \
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc
asan:
	SKBUILD_CMAKE_DEFINE=TENSORLITE_SANITIZE=ON SKBUILD_INSTALL_STRIP=false \
	  $(MAKE) VENV=.venv-asan WHEEL= .venv-asan/.with-test .venv-asan/.emulator
	$(ASAN_ENV) $(call EMULATED,emulate-asan) .venv-asan/bin/python -m pytest -m sanitize $(ARGS)

$(VENV)/.emulator: $(VENV)/.with-test
	$(call BUILD_BACKEND,build/emulate-asan,-DTENSORLITE_CUDA=EMULATE -DTENSORLITE_SANITIZE=ON)
	@touch $@

EVERY_GPU = 80-real;90-real;100-real;120-real;75-virtual
check-all: lint $(VENV)/.torch
	for isa in baseline avx2 avx512; do TENSORLITE_CPU=$$isa $(BIN)/python -m pytest -q -m "not slow" || exit 1; done
	$(BIN)/python -m pytest
	$(MAKE) emulate SEEDS="$$(seq -s' ' 1 20)"
	$(MAKE) asan ARGS='-m "sanitize or not sanitize"'
	$(MAKE) cuda ARCH='$(EVERY_GPU)'

wheel-cuda: $(VENV)/.with-test $(VENV)/.nvcc
	SKBUILD_BUILD_DIR=build/wheel-cuda $(BIN)/pip wheel --quiet --no-deps --no-build-isolation -w dist-cuda . \
	  -C cmake.define.TENSORLITE_CUDA=ON -C 'cmake.define.CMAKE_CUDA_ARCHITECTURES=$(EVERY_GPU)'
	ls -l dist-cuda; unzip -lv dist-cuda/*.whl '*.so'

torch: $(VENV)/.torch

clean:
	rm -rf .venv .venv-asan build dist .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and \
	  "tensorlite needs Python 3.10 or newer, $(PYTHON) is " + sys.version.split()[0] + "; make PYTHON=python3.12 chooses another")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(BUILD_TOOLS)
	@touch $@

# .with-test, .with-examples: tensorlite with that extra of pyproject.toml
$(VENV)/.with-%: $(VENV)/.tools $(SOURCES)
	@echo "$(if $(WHEEL),Installing $(WHEEL),Compiling and installing tensorlite) into $(VENV) (a few minutes the first time)"
	$(if $(WHEEL),$(BIN)/pip install --quiet --disable-pip-version-check '$(WHEEL)[$*]',$(INSTALL) '.[$*]')
	@touch $@

$(VENV)/.lint: $(VENV)/.tools pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check $(LINTERS)
	@touch $@

# Where no CUDA toolkit is installed, the compiler comes from PyPI; cmake/cuda.cmake finds either.
$(VENV)/.nvcc: $(VENV)/.tools
	command -v "$${CUDACXX:-nvcc}" >/dev/null || [ -x /usr/local/cuda/bin/nvcc ] || \
	  $(BIN)/pip install --quiet --disable-pip-version-check nvidia-cuda-nvcc nvidia-cuda-cccl nvidia-cuda-runtime
	@touch $@

$(VENV)/.xdist: $(VENV)/.tools
	$(BIN)/pip install --quiet --disable-pip-version-check pytest-xdist
	@touch $@

$(VENV)/.torch: $(VENV)/.tools
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0 expecttest scipy
	@touch $@
