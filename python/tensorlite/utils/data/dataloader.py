"""The loader: batches of a data set, in the process that asks for them.

``num_workers`` is accepted, so that programs run unchanged: whatever it is, batches are made in the calling process.
With ``num_workers > 0``, ``get_worker_info()`` tells the data set of one worker, number 0 of 1, for which
``worker_init_fn`` is called once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tensorlite as _tl

from .collate import default_collate, default_convert
from .dataset import IterableDataset, TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "WorkerInfo", "get_worker_info"]


class WorkerInfo:
    """What a data set may ask about the worker that it is in."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __repr__(self) -> str:
        return "WorkerInfo(" + ", ".join(f"{k}={v}" for k, v in self.__dict__.items()) + ")"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """``id``, ``num_workers``, ``seed`` and ``dataset`` of the current worker; None outside of one."""
    return _worker_info


class _InfiniteSampler:
    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def pin(batch: Any) -> Any:
    """A batch with its tensors in pinned memory; objects of other kinds may have a method pin_memory."""
    if isinstance(batch, _tl.Tensor) or (hasattr(batch, "pin_memory") and not isinstance(batch, type)):
        return batch.pin_memory()
    if isinstance(batch, Mapping):
        pinned = {k: pin(v) for k, v in batch.items()}
        return pinned if type(batch) is dict else type(batch)(pinned)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*map(pin, batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(map(pin, batch))
    return batch


class DataLoader:
    """Makes batches of a data set.

    Args:
        dataset: samples by index (``Dataset``) or one after another (``IterableDataset``).
        batch_size: samples in a batch; None gives single samples.
        shuffle: whether the order is random, anew for each iterator.
        sampler: indices in the order in which they are wanted; excludes ``shuffle``.
        batch_sampler: lists of indices; excludes ``batch_size``, ``shuffle``, ``sampler`` and ``drop_last``.
        num_workers: accepted; batches are made in the calling process.
        collate_fn: makes a batch of a list of samples; ``default_collate`` if None.
        pin_memory: the tensors of a batch are put into pinned memory, where there is a GPU.
        drop_last: whether a shorter last batch is left out.
        timeout: accepted.
        worker_init_fn: called with 0 before the first batch if ``num_workers > 0``.
        multiprocessing_context: accepted.
        generator: draws the order and the base seed; the default generator if None.
        prefetch_factor, persistent_workers, pin_memory_device, in_order: accepted.

    A batch of a ``TensorDataset`` is one gather for each of its tensors.
    """

    dataset: Any
    batch_size: int | None
    _initialized = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
                "multiprocessing, otherwise set prefetch_factor to None."
            )
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.generator = generator
        self._iterable = isinstance(dataset, IterableDataset)

        if self._iterable:
            for name, value in (("shuffle", shuffle), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None and value is not False:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
            drop_last = False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._iterable:
                sampler = _InfiniteSampler()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self._initialized = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in (
            "batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers",
        ):  # fmt: skip
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        object.__setattr__(self, name, value)

    def __len__(self) -> int:
        if self._iterable:
            length = len(self.dataset)
            if self.batch_size is None:
                return length
            return length // self.batch_size if self.drop_last else -(length // -self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        # The base seed is drawn although nothing uses it: PyTorch's order of draws.
        seed = _tl.empty((), dtype=_tl.int64).random_(generator=self.generator).item()
        batches = self._batches()
        result = _WorkerIterator(self, batches, seed) if self.num_workers else batches
        return self._pinned(result) if self.pin_memory else result

    def _pinned(self, batches: Iterator[Any]) -> Iterator[Any]:
        if _tl.cuda.is_available():
            return map(pin, batches)
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory "
            "won't be used.",
            stacklevel=3,
        )
        return batches

    def check_worker_number_rationality(self) -> None:
        """Accepted for compatibility."""

    def _batches(self) -> Iterator[Any]:
        if self._iterable:
            return self._iterable_batches()
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler)
        if type(self.dataset) is TensorDataset and self.collate_fn is default_collate:
            tensors = self.dataset.tensors
            if tensors and all(t.dim() and not t.requires_grad for t in tensors):
                return _gathered(tensors, self.batch_sampler)
        return self._fetched_batches()

    def _fetched_batches(self) -> Iterator[Any]:
        dataset, collate = self.dataset, self.collate_fn
        get = getattr(dataset, "__getitems__", None)
        at_once = getattr(dataset, "_collated", None) if collate is default_collate else None
        for indices in self.batch_sampler:
            batch = at_once(indices) if at_once is not None else None
            if batch is not None:
                yield batch
                continue
            yield collate(get(indices) if get is not None else [dataset[i] for i in indices])

    def _iterable_batches(self) -> Iterator[Any]:
        samples = iter(self.dataset)
        if self.batch_sampler is None:
            for sample in samples:
                yield self.collate_fn(sample)
            return
        batch: list = []
        for sample in samples:
            batch.append(sample)
            if len(batch) == self.batch_size:
                yield self.collate_fn(batch)
                batch = []
        if batch and not self.drop_last:
            yield self.collate_fn(batch)


def _gathered(tensors: Iterable[Any], batch_sampler: Any) -> Iterator[list]:
    """Batches of a TensorDataset: one gather a tensor, or a copied slice if the order is the data's own."""
    sampler = getattr(batch_sampler, "sampler", None)
    own = type(batch_sampler) is BatchSampler
    if own and type(sampler) is SequentialSampler:
        size, total = batch_sampler.batch_size, len(sampler)
        end = total - total % size if batch_sampler.drop_last else total
        for start in range(0, end, size):
            yield [t[start : start + size].clone() for t in tensors]
        return
    if own and type(sampler) is RandomSampler:
        for index in _index_batches(batch_sampler):
            yield [t.index_select(0, index.to(t.device)) for t in tensors]
        return
    for indices in batch_sampler:
        total = tensors[0].size(0)
        indices = [i + total if i < 0 else i for i in indices]
        index = _tl.tensor(indices, dtype=_tl.int64)
        yield [t.index_select(0, index.to(t.device)) for t in tensors]


def _index_batches(batch_sampler: BatchSampler) -> Iterator[Any]:
    """A RandomSampler's batches as tensors, never as lists."""
    size, rest = batch_sampler.batch_size, None
    for chunk in batch_sampler.sampler._chunks():
        if rest is not None and rest.size(0):
            chunk = _tl.cat([rest, chunk])
        full = chunk.size(0) - chunk.size(0) % size
        for start in range(0, full, size):
            yield chunk[start : start + size]
        rest = chunk[full:]
    if rest is not None and rest.size(0) and not batch_sampler.drop_last:
        yield rest


class _WorkerIterator:
    """Makes batches as the one worker that ``num_workers > 0`` means here."""

    def __init__(self, loader: DataLoader, batches: Iterator[Any], seed: int) -> None:
        self._batches = batches
        self._info = WorkerInfo(id=0, num_workers=1, seed=seed, dataset=loader.dataset)
        if loader.worker_init_fn is not None:
            self._inside(loader.worker_init_fn, 0)

    def _inside(self, function: Callable, *args: Any) -> Any:
        global _worker_info
        before, _worker_info = _worker_info, self._info
        try:
            return function(*args)
        finally:
            _worker_info = before

    def __iter__(self) -> _WorkerIterator:
        return self

    def __next__(self) -> Any:
        return self._inside(next, self._batches)
