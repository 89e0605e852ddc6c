"""CUDA graphs: work that is recorded once and asked for again at once."""

from __future__ import annotations

from typing import Any

from .. import _C
from ._device import index_of
from .streams import Stream, StreamContext

__all__ = ["CUDAGraph", "graph", "graph_pool_handle", "is_current_stream_capturing"]


def is_current_stream_capturing() -> bool:
    """Whether what is queued on the current stream is recorded into a graph."""
    return _C._cuda_is_capturing()


def _need_cuda(name: str) -> None:
    if not _C._cuda_is_built():
        raise RuntimeError(
            f"Tried to instantiate dummy base class {name}: this build of tensorlite computes on the CPU only."
        )


def graph_pool_handle() -> tuple[int, int]:
    """A pool of memory that graphs may share; give it to `graph` or `capture_begin`."""
    _need_cuda("_graph_pool_handle")
    return (0, _C._cuda_create_graph_pool())


class CUDAGraph:
    """What a stream was asked for between `capture_begin` and `capture_end`; `replay` asks for it again.

    A replay computes from what lies in the same memory as at the capture: copy new inputs into the tensors that were
    used, and read results from the tensors that were made. Numbers that the host knew are part of the graph. Random
    numbers are drawn anew: each replay goes on where the generator stands.
    """

    def __init__(self) -> None:
        _need_cuda("CUDAGraph")
        self._graph = _C._CUDAGraph()

    def capture_begin(self, pool: tuple[int, int] | None = None, capture_error_mode: str = "global") -> None:
        """From here on the current stream records.

        Args:
            pool: whose memory the graph shares: `graph_pool_handle()`, or `pool()` of another graph. Graphs that share
                memory are replayed in the order of their capture, and never side by side.
            capture_error_mode: what other code may do meanwhile, as in cudaStreamBeginCapture: "global", "thread_local"
                or "relaxed".
        """
        number = _C._cuda_create_graph_pool() if pool is None else pool[1]
        self._graph.capture_begin(number, capture_error_mode)

    def capture_end(self) -> None:
        """Makes the graph ready.

        Raises:
            RuntimeError: something was asked for that cannot be recorded. The stream is as before the capture.
        """
        self._graph.capture_end()

    def replay(self) -> None:
        """Queues the work on the current stream."""
        self._graph.replay()

    def reset(self) -> None:
        """Forgets what was recorded; `empty_cache` gives its memory back, as far as no tensor holds it."""
        self._graph.reset()

    def pool(self) -> tuple[int, int]:
        """The pool that the graph's memory comes from."""
        return (0, self._graph.pool())

    def register_generator_state(self, generator: Any) -> None:
        """Accepted: generators are noted where they are drawn from."""


class graph:
    """Context manager: what is asked for in the block is recorded into the graph instead of run.

    Run the same work once before, on a side stream, so that kernels are loaded and lasting memory is there.

    Args:
        cuda_graph: where to.
        pool, capture_error_mode: see `CUDAGraph.capture_begin`.
        stream: the stream that records; one of its own when not given.
    """

    _streams: dict[int, Stream] = {}

    def __init__(
        self,
        cuda_graph: CUDAGraph,
        pool: tuple[int, int] | None = None,
        stream: Stream | None = None,
        capture_error_mode: str = "global",
    ) -> None:
        if stream is None:
            index = index_of(None)
            stream = self._streams.get(index) or self._streams.setdefault(index, Stream(index))
        self.cuda_graph = cuda_graph
        self.pool = pool
        self.capture_stream = stream
        self.stream_ctx = StreamContext(stream)
        self.capture_error_mode = capture_error_mode

    def __enter__(self) -> None:
        _C._cuda_synchronize(self.capture_stream.device.index)
        _C._cuda_empty_cache()
        self.stream_ctx.__enter__()
        try:
            self.cuda_graph.capture_begin(self.pool, self.capture_error_mode)
        except BaseException:
            self.stream_ctx.__exit__()
            raise

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            if kind is None:
                self.cuda_graph.capture_end()
            else:
                self.cuda_graph.reset()  # half of the work is no graph
        finally:
            self.stream_ctx.__exit__()
