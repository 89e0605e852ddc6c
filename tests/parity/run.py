"""Runs entries in child processes, so that a crash or a hang costs one entry."""

from __future__ import annotations

import json
import os
import select
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any

from . import database


def _child(check: Callable[[Any, int], Any], entry: Any, limit: int, pipe: int) -> None:
    try:
        result = check(entry, limit)
    except BaseException:
        result = {"died": traceback.format_exc()[-2000:]}
    with os.fdopen(pipe, "w") as stream:
        json.dump(result, stream)
    os._exit(0)


def run_all(
    pattern: str = "",
    limit: int = 40,
    jobs: int = 2,
    timeout: float = 120,
    part: slice = slice(None),
    check: Callable[[Any, int], Any] = database.check_entry,
) -> dict[str, Any]:
    """{name of the entry: what `check` found, or {"died": how}}, in the order of the database."""
    database.torch.set_num_threads(1)
    waiting = database.entries(pattern)[part]
    results: dict[str, Any] = {database.key(e): None for e in waiting}
    waiting.reverse()
    running: dict[int, tuple[str, int, float, bytearray]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            entry = waiting.pop()
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(reader)
                _child(check, entry, limit, writer)
            os.close(writer)
            running[reader] = (database.key(entry), pid, time.monotonic() + timeout, bytearray())
        ready, _, _ = select.select(list(running), [], [], 1.0)
        for reader in ready:
            data = os.read(reader, 1 << 16)
            if data:
                running[reader][3].extend(data)
            else:
                name, pid, _, received = running.pop(reader)
                results[name] = _finish(reader, pid, received)
        for reader, (name, pid, deadline, _) in list(running.items()):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                os.close(reader)
                del running[reader]
                results[name] = {"died": f"nothing after {timeout:.0f} s"}
    return results


def _finish(reader: int, pid: int, received: bytearray) -> dict[str, Any]:
    os.close(reader)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return {"died": f"signal {signal.Signals(os.WTERMSIG(status)).name}"}
    return json.loads(received.decode()) if received else {"died": "no answer"}
