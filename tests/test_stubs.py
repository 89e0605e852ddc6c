"""The type stubs say what is there."""

import ast
import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest
from library import IS_TENSORLITE, tl

pytestmark = pytest.mark.skipif(not IS_TENSORLITE, reason="about tensorlite's stubs")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stubs", ROOT / "tools" / "stubs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parsed(writer: ModuleType) -> dict[str, ast.Module]:
    return {name: ast.parse(text) for name, text in writer.stubs().items()}


def names(body: list[ast.stmt]) -> set[str]:
    found = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            found.add(node.target.id)
        elif isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name for a in node.names}
    return found


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(tl.__file__).parent / "py.typed").exists()


def test_every_public_name_is_there(parsed: dict[str, ast.Module]) -> None:
    listed = names(parsed["__init__.pyi"].body)
    assert {n for n in dir(tl) if not n.startswith("_")} <= listed
    tensor = next(n for n in parsed["_C.pyi"].body if isinstance(n, ast.ClassDef) and n.name == "Tensor")
    methods = {n for n in dir(tl.Tensor) if not n.startswith("_")}
    assert methods <= names(tensor.body)
    assert names(tensor.body) - {"_version", "_base"} <= set(dir(tl.Tensor)) | {"__init__"}


def test_named_tuples_have_their_fields(parsed: dict[str, ast.Module]) -> None:
    for node in parsed["return_types.pyi"].body:
        if isinstance(node, ast.ClassDef):
            fields = [n.target.id for n in node.body]
            kind = getattr(tl.return_types, node.name)
            assert [n for n in dir(kind) if n in fields] == sorted(fields), node.name


def test_defaults_and_overloads(parsed: dict[str, ast.Module]) -> None:
    functions = [n for n in parsed["_C.pyi"].body if isinstance(n, ast.FunctionDef)]
    assert ast.unparse(next(n for n in functions if n.name == "mm")) == (
        "def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None=...) -> Tensor:\n    ..."
    )
    overloads = [n for n in functions if n.name == "max"]
    assert len(overloads) == 3 and all(ast.unparse(n.decorator_list[0]) == "overload" for n in overloads)
    assert any("*size: _int" in ast.unparse(n) for n in functions if n.name == "zeros")


@pytest.mark.parametrize("name", sorted(tl._C._operators()) if IS_TENSORLITE else [])
def test_signatures_can_be_inspected(name: str) -> None:
    operator = tl._C._operators()[name]
    shown = inspect.signature(operator)
    first = re.match(r".*?\((.*)\) -> ", operator.signatures[0])[1]
    listed = [p.split("=")[0].split(" ")[-1] for p in re.split(r", (?![^\[]*\])", first) if p != "*"]
    assert [p.rstrip("_") if p == "from_" else p for p in shown.parameters] == listed
    assert operator.__doc__.startswith(f"{name}(")
