# make mnist   train a small network on MNIST and draw two pictures
# make test    install what the tests need and run them (the parity group too where PyTorch is installed: make torch)
# make lint    ruff, clang-format, the stubs     make format   let them repair what they can
# make stubs   write the type stubs (*.pyi) anew from the table of operators
# make bench   tensorlite against PyTorch and NumPy, into docs/benchmarks.md; CASES=regex chooses
# make asan    build with AddressSanitizer and UndefinedBehaviorSanitizer and run the tests marked `sanitize`
# make coverage  run PyTorch's operator database on both libraries and write docs/coverage.md
# make torch   install the PyTorch that the parity tests and benchmarks compare with
# make clean   remove everything that the targets above have made
#
# Everything lives in .venv and build/. What is installed already is not fetched again.

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

.PHONY: mnist test lint stubs format bench coverage asan torch clean
.DELETE_ON_ERROR:

mnist: $(VENV)/.with-examples
	$(BIN)/python examples/mnist.py $(ARGS)

test: $(VENV)/.with-test
	$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/.with-test
	$(BIN)/python -m benchmarks --cases '$(CASES)' $(ARGS)

lint: $(VENV)/.lint $(VENV)/.with-test
	$(BIN)/ruff check .
	find csrc tests examples -name '*.h' -o -name '*.cpp' | xargs $(BIN)/clang-format --dry-run -Werror
	$(BIN)/python tools/stubs.py --check

stubs: $(VENV)/.with-test
	$(BIN)/python tools/stubs.py

format: $(VENV)/.lint
	$(BIN)/ruff check --fix .
	find csrc tests examples -name '*.h' -o -name '*.cpp' | xargs $(BIN)/clang-format -i

coverage: $(VENV)/.with-test $(VENV)/.torch
	PYTHONPATH=tests $(BIN)/python -m parity --write docs/coverage.md $(ARGS)

# The sanitizers' runtime must be in the process before Python; libstdc++ with it, so that exceptions are seen.
ASAN_ENV = LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc
asan:
	SKBUILD_CMAKE_DEFINE=TENSORLITE_SANITIZE=ON SKBUILD_INSTALL_STRIP=false $(MAKE) VENV=.venv-asan .venv-asan/.with-test
	$(ASAN_ENV) .venv-asan/bin/python -m pytest -m sanitize $(ARGS)

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
	@echo "Compiling and installing tensorlite into $(VENV) (a few minutes the first time)"
	$(INSTALL) '.[$*]'
	@touch $@

$(VENV)/.lint: $(VENV)/.tools pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check $(LINTERS)
	@touch $@

$(VENV)/.torch: $(VENV)/.tools
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0 expecttest scipy
	@touch $@
