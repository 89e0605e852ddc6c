"""Streams: queues of work on a device. Events: points in them."""

from __future__ import annotations

from typing import Any

from .. import _C
from ._device import index_of


class Stream:
    """A queue of work that runs beside other streams' work; what is queued on one stream runs in order."""

    def __init__(self, device: Any = None, priority: int = 0, **_handle: Any) -> None:
        index = index_of(device)
        self.device = _C.device(f"cuda:{index}")
        self.priority = priority
        self.cuda_stream = _handle["_handle"] if "_handle" in _handle else _C._cuda_create_stream(index, priority)

    @property
    def device_index(self) -> int:
        return self.device.index

    def synchronize(self) -> None:
        """Waits until everything queued so far is done."""
        _C._cuda_synchronize_stream(self.device.index, self.cuda_stream)

    def query(self) -> bool:
        """Whether everything queued so far is done."""
        return _C._cuda_query_stream(self.device.index, self.cuda_stream)

    def record_event(self, event: Event | None = None) -> Event:
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """What is queued from now on waits for the event."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """What is queued from now on waits for what is queued on the other stream."""
        self.wait_event(stream.record_event())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and (self.device, self.cuda_stream) == (other.device, other.cuda_stream)

    def __hash__(self) -> int:
        return hash((self.cuda_stream, self.device.index))

    def __repr__(self) -> str:
        return f"<{_C._package_name()}.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class Event:
    """A point in a stream that others can wait for, and between which time can be measured."""

    def __init__(
        self,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
        external: bool = False,
    ) -> None:
        self._timing = enable_timing
        self._handle: int | None = None
        self._device = 0

    @property
    def cuda_event(self) -> int:
        """The driver's handle; 0 before the event is recorded."""
        return self._handle or 0

    def record(self, stream: Stream | None = None) -> None:
        stream = current_stream() if stream is None else stream
        if self._handle is None:
            self._device = stream.device.index
            self._handle = _C._cuda_create_event(self._device, self._timing)
        _C._cuda_record_event(self._handle, stream.device.index, stream.cuda_stream)

    def wait(self, stream: Stream | None = None) -> None:
        stream = current_stream() if stream is None else stream
        if self._handle is not None:
            _C._cuda_wait_event(stream.device.index, stream.cuda_stream, self._handle)

    def query(self) -> bool:
        return self._handle is None or _C._cuda_query_event(self._handle)

    def synchronize(self) -> None:
        if self._handle is not None:
            _C._cuda_synchronize_event(self._handle)

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to the other, both recorded and done."""
        if not (self._timing and end_event._timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._handle is None or end_event._handle is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise RuntimeError("Both events must be completed before calculating elapsed time.")
        return _C._cuda_elapsed_ms(self._handle, end_event._handle)

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            _C._cuda_destroy_event(self._handle)

    def __repr__(self) -> str:
        name = f"{_C._package_name()}.cuda.Event"
        return f"<{name} uninitialized>" if self._handle is None else f"<{name} {self._handle:#x}>"


class ExternalStream(Stream):
    """A stream that other code has made, by its handle."""

    def __init__(self, stream_ptr: int, device: Any = None) -> None:
        super().__init__(device, _handle=stream_ptr)


def current_stream(device: Any = None) -> Stream:
    index = index_of(device)
    return Stream(index, _handle=_C._cuda_current_stream(index))


def default_stream(device: Any = None) -> Stream:
    return Stream(index_of(device), _handle=0)


def set_stream(stream: Stream | None) -> None:
    """Operators of this thread queue their work there from now on."""
    if stream is not None:
        _C._cuda_set_device(stream.device.index)
        _C._cuda_set_stream(stream.device.index, stream.cuda_stream)


class StreamContext:
    """Context manager: operators queue their work on this stream within the block."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is None:
            return
        self._device = _C._cuda_current_device()
        self._previous = _C._cuda_current_stream(self.stream.device.index)
        set_stream(self.stream)

    def __exit__(self, *_: Any) -> None:
        if self.stream is None:
            return
        _C._cuda_set_stream(self.stream.device.index, self._previous)
        _C._cuda_set_device(self._device)


def stream(stream: Stream | None) -> StreamContext:
    return StreamContext(stream)
