"""What the documents quote is what the files say."""

import builtins
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy
import pytest
from library import IS_TENSORLITE, tl
from prompt import as_torch

ROOT = Path(__file__).resolve().parent.parent
QUOTES = [
    pytest.param(block[1], block[2], id=f"{page.name}-{block[1]}")
    for page in sorted((ROOT / "docs").glob("*.md"))
    for block in re.finditer(r"```\w+\n(?://|#) (\S+/\S+)\n(.*?)```", page.read_text(), re.S)
]


@pytest.mark.parametrize(("file", "quote"), QUOTES)
def test_quoted_lines(file: str, quote: str) -> None:
    assert quote in (ROOT / file).read_text()


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "docs/adding_an_operator.md"])
def test_paths_exist(page: str) -> None:
    """Paths in backquotes, but for those with a <placeholder> or of what is not there yet."""
    text = (ROOT / page).read_text()
    for path in re.findall(r"`((?:csrc|python|tests|docs|examples|benchmarks|cmake|\.ci)/[\w./]+)`", text):
        assert (ROOT / path).exists(), f"{page} names {path}"


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    program = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    exec(compile(program, "README.md", "exec"), {})
    steps = [float(line.split()[-1]) for line in capsys.readouterr().out.splitlines() if line.startswith("step")]
    assert steps[-1] < 0.02 < steps[0]


# ---- examples in docstrings ----


def modules() -> list[str]:
    if not IS_TENSORLITE:
        return []
    skipped = re.compile(r"\._C$|libtensorlite|__main__|sitecustomize|_inherit")
    found = pkgutil.walk_packages(tl.__path__, "tensorlite.")
    return ["tensorlite", *(m.name for m in found if not skipped.search(m.name))]


def run_examples(tests: list[doctest.DocTest]) -> int:
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    tl.manual_seed(0)
    with as_torch(tl):
        for test in tests:
            test.globs.update(torch=tl, numpy=numpy, np=numpy)
            for name in ("bool", "complex", "float", "int"):  # `tensorlite.float` is a dtype
                test.globs[name] = getattr(builtins, name)
            runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)
    return runner.tries


@pytest.mark.parametrize("name", modules())
def test_examples_of_modules(name: str) -> None:
    importlib.import_module("tensorlite._examples")  # else the first docstring would, while the names are walked
    module = importlib.import_module(name)
    run_examples(doctest.DocTestFinder(exclude_empty=True).find(module))


@pytest.mark.skipif(not IS_TENSORLITE, reason="tensorlite's own docstrings")
def test_examples_of_operators() -> None:
    parser = doctest.DocTestParser()
    tests = [
        parser.get_doctest(operator.__doc__, {}, name, None, None) for name, operator in tl._C._operators().items()
    ]
    tried = run_examples(tests)
    assert tried > 200


@pytest.mark.skipif(not IS_TENSORLITE, reason="tensorlite's own docstrings")
def test_every_example_belongs_to_an_operator() -> None:
    from tensorlite import _examples

    assert set(_examples._all()) <= set(tl._C._operators())
