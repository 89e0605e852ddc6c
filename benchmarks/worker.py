"""One library in one process: reads requests as lines of JSON, times cases, answers in lines of JSON."""

from __future__ import annotations

import importlib
import json
import sys
import timeit

from .cases import CASES

# A measurement lasts at least this long, so that the clock and the loop do not count.
SHORTEST = 0.02


def main(library: str) -> None:
    lib = importlib.import_module(library)
    if library != "numpy":
        importlib.import_module(f"{library}.utils.data")
    answer({"version": lib.__version__})
    timer: timeit.Timer | None = None
    repeat = 1
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "threads":
                if library != "numpy":
                    lib.set_num_threads(request["threads"])
                answer({})
            elif request["do"] == "prepare":
                timer = None  # frees what the case before held
                case = CASES[request["case"]]
                statement, setup = case.numpy if library == "numpy" else (case.statement, case.setup)
                timer = timeit.Timer(statement, globals=setup(lib))
                timer.timeit(1)
                once = timer.timeit(1)
                repeat = 1
                while once < SHORTEST and repeat < 1 << 22:
                    repeat = max(
                        2 * repeat, int(repeat * SHORTEST / max(once, 1e-9) * 1.1) if once > 1e-4 else 8 * repeat
                    )
                    once = timer.timeit(repeat)
                answer({"seconds": once / repeat})
            elif request["do"] == "time":
                timer.timeit(1)
                answer({"seconds": timer.timeit(repeat) / repeat})
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


def answer(content: dict[str, object]) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
