"""`python -m tensorlite script.py [arguments]` runs a PyTorch script on tensorlite.

`import torch` in the script means tensorlite. `-m module` and `-c code` work as they do for `python`.
"""

from __future__ import annotations

import io
import os
import runpy
import sys
import types
from typing import Any

from . import compat

USAGE = "usage: python -m tensorlite (script.py | -m module | -c code) [arguments]"


def _fresh_main(**attributes: Any) -> dict[str, Any]:
    """The namespace of a new `__main__`, so that the script sees none of ours."""
    main = types.ModuleType("__main__")
    main.__dict__.update(attributes)
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    return main.__dict__


def _hand_on() -> None:
    """Lets the processes that the script starts know: see `_inherit/sitecustomize.py`."""
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_inherit")
    paths = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p and p != here]
    os.environ["PYTHONPATH"] = os.pathsep.join([here, *paths])
    os.environ["TENSORLITE_COMPAT"] = "1"


def main(arguments: list[str]) -> int | None:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    first, *rest = arguments
    if first in ("-m", "-c") and not rest:
        print(f"Argument expected for the {first} option\n{USAGE}", file=sys.stderr)
        return 2
    compat.install()
    _hand_on()
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return None
    if first == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), _fresh_main())
        return None
    try:
        with io.open_code(os.path.abspath(first)) as f:
            source = f.read()
    except OSError as e:
        print(f"python -m tensorlite: can't open file {first!r}: [Errno {e.errno}] {e.strerror}", file=sys.stderr)
        return 2
    sys.argv = [first, *rest]
    sys.path[0] = os.path.dirname(os.path.abspath(first))
    exec(compile(source, first, "exec"), _fresh_main(__file__=first))
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
