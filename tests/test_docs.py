"""What the documents quote is what the files say."""

import re
from pathlib import Path

import pytest

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
