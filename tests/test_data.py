"""Data sets, samplers, the loader."""

from __future__ import annotations

import importlib
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, tl, torch

data = importlib.import_module(f"{tl.__name__}.utils.data")


def table(n: int = 10) -> Any:
    return data.TensorDataset(tl.arange(2 * n).reshape(n, 2), tl.arange(n))


def test_tensor_dataset() -> None:
    dataset = table()
    assert len(dataset) == 10 and dataset[3][0].tolist() == [6, 7] and dataset[-1][1].item() == 9
    assert dataset[2:4][1].tolist() == [2, 3]
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        data.TensorDataset(tl.ones(2), tl.ones(3))


def test_other_datasets() -> None:
    dataset = table()
    both = dataset + table(5)
    assert isinstance(both, data.ConcatDataset) and len(both) == 15
    assert both[12][1].item() == 2 and both[-1][1].item() == 4 and both.cumulative_sizes == [10, 15]
    with pytest.raises(ValueError, match="absolute value of index should not exceed dataset length"):
        both[-16]
    part = data.Subset(dataset, [4, 2, 3])
    assert len(part) == 3 and part[1][1].item() == 2
    side = data.StackDataset(a=dataset, b=part.dataset)
    assert side[1]["a"][1].item() == 1 and len(side) == 10
    with pytest.raises(NotImplementedError, match="Subclasses of Dataset should implement __getitem__"):
        data.Dataset()[0]


def test_random_split() -> None:
    parts = data.random_split(table(), [3, 7], generator=tl.Generator().manual_seed(1))
    assert [len(p) for p in parts] == [3, 7] and sorted(parts[0].indices + parts[1].indices) == list(range(10))
    assert [len(p) for p in data.random_split(table(), [0.25, 0.25, 0.5])] == [3, 2, 5]
    with pytest.raises(ValueError, match="Sum of input lengths does not equal the length of the input dataset!"):
        data.random_split(table(), [1, 2])


def test_samplers() -> None:
    dataset = table()
    assert list(data.SequentialSampler(dataset)) == list(range(10))
    assert sorted(data.RandomSampler(dataset)) == list(range(10))
    assert len(list(data.RandomSampler(dataset, replacement=True, num_samples=70))) == 70
    assert len(list(data.RandomSampler(dataset, num_samples=23))) == 23
    assert sorted(data.SubsetRandomSampler([5, 3])) == [3, 5]
    batches = data.BatchSampler(data.SequentialSampler(dataset), 4, False)
    assert list(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] and len(batches) == 3
    assert len(data.BatchSampler(range(10), 4, True)) == 2
    with pytest.raises(ValueError, match="num_samples should be a positive integer value, but got num_samples=0"):
        data.RandomSampler([])
    with pytest.raises(TypeError, match="replacement should be a boolean value"):
        data.RandomSampler(dataset, replacement=3)
    with pytest.raises(ValueError, match="batch_size should be a positive integer value"):
        data.BatchSampler(range(3), 0, False)


def test_batches() -> None:
    loader = data.DataLoader(table(), batch_size=4)
    found = list(loader)
    assert len(loader) == 3 and [len(b) for b in found] == [2, 2, 2]
    assert found[1][0].tolist() == [[8, 9], [10, 11], [12, 13], [14, 15]] and found[2][1].tolist() == [8, 9]
    assert isinstance(found[0], list)
    assert len(list(data.DataLoader(table(), batch_size=4, drop_last=True))) == 2
    assert [b[1].item() for b in data.DataLoader(table(3), batch_size=None)] == [0, 1, 2]
    assert [b[1].tolist() for b in data.DataLoader(table(), batch_sampler=[[1, -2], [3]])] == [[1, 8], [3]]


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_do_not_share_memory_with_the_data(shuffle: bool) -> None:
    dataset = table()
    for x, _ in data.DataLoader(dataset, batch_size=4, shuffle=shuffle):
        x.fill_(-1)
    assert dataset.tensors[0].tolist() == np.arange(20).reshape(10, 2).tolist()


def test_every_epoch_has_its_own_order() -> None:
    loader = data.DataLoader(table(100), batch_size=7, shuffle=True)
    first, second = ([i for b in loader for i in b[1].tolist()] for _ in range(2))
    assert first != second and sorted(first) == sorted(second) == list(range(100))


def test_a_dataset_of_ones_own() -> None:
    class Squares(data.Dataset):
        def __len__(self) -> int:
            return 5

        def __getitem__(self, i: int) -> dict:
            return {"x": tl.full((2,), float(i)), "n": i, "s": str(i), "p": (i, float(i * i))}

    (batch,) = data.DataLoader(Squares(), batch_size=5)
    assert (
        batch["x"].shape == (5, 2)
        and batch["n"].tolist() == [0, 1, 2, 3, 4]
        and batch["s"] == ["0", "1", "2", "3", "4"]
    )
    assert isinstance(batch["p"], list) and batch["p"][1].dtype == tl.float64
    own = data.DataLoader(Squares(), batch_size=2, collate_fn=len)
    assert list(own) == [2, 2, 1]


def test_iterable_datasets() -> None:
    class Count(data.IterableDataset):
        def __iter__(self) -> Any:
            return iter(range(7))

    assert [b.tolist() for b in data.DataLoader(Count(), batch_size=3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert len(list(data.DataLoader(Count(), batch_size=3, drop_last=True))) == 2
    assert list(data.DataLoader(Count() + Count(), batch_size=None)) == [*range(7), *range(7)]
    with pytest.raises(ValueError, match="expected unspecified shuffle option"):
        data.DataLoader(Count(), shuffle=True)


def test_collate() -> None:
    collate = data.default_collate
    point = namedtuple("point", ["x", "y"])
    assert collate([True, False]).dtype == tl.bool and collate([1.5, 2]).dtype == tl.float64
    assert collate([np.float32(1), np.float32(2)]).dtype == tl.float32
    assert collate([np.array([1, 2]), np.array([3, 4])]).tolist() == [[1, 2], [3, 4]]
    pair = collate([point(1, 2.0), point(3, 4.0)])
    assert isinstance(pair, point) and pair.x.tolist() == [1, 3]
    with pytest.raises(TypeError, match="default_collate: batch must contain tensors, numpy arrays, numbers"):
        collate([object()])
    with pytest.raises(RuntimeError, match="each element in list of batch should be of equal size"):
        collate([[1], [1, 2]])
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        collate([tl.ones(2), tl.ones(3)])


ERRORS = [
    ({"shuffle": True, "sampler": [1]}, "sampler option is mutually exclusive with shuffle"),
    ({"batch_sampler": [[1]], "batch_size": 2}, "batch_sampler option is mutually exclusive with batch_size, shuffle"),
    ({"batch_size": None, "drop_last": True}, "batch_size=None option disables auto-batching"),
    ({"batch_size": 0}, "batch_size should be a positive integer value, but got batch_size=0"),
    ({"num_workers": -1}, "num_workers option should be non-negative"),
    ({"timeout": -1}, "timeout option should be non-negative"),
    ({"prefetch_factor": 2}, "prefetch_factor option could only be specified in multiprocessing"),
    ({"persistent_workers": True}, "persistent_workers option needs num_workers > 0"),
]


@pytest.mark.parametrize(("options", "text"), ERRORS, ids=[str(o) for o, _ in ERRORS])
def test_errors(options: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        data.DataLoader(table(), **options)


def test_attributes_are_fixed() -> None:
    loader = data.DataLoader(table(), batch_size=2, shuffle=True)
    assert isinstance(loader.sampler, data.RandomSampler) and isinstance(loader.batch_sampler, data.BatchSampler)
    with pytest.raises(ValueError, match="batch_size attribute should not be set after DataLoader is initialized"):
        loader.batch_size = 3


@pytest.mark.skipif(not IS_TENSORLITE, reason="workers are tensorlite's own affair")
def test_workers_live_in_the_same_process() -> None:
    seen: list = []

    class Where(data.Dataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, i: int) -> int:
            info = data.get_worker_info()
            seen.append((info.id, info.num_workers, info.dataset is self))
            return i

    loader = data.DataLoader(Where(), batch_size=2, num_workers=4, worker_init_fn=seen.append, persistent_workers=True)
    assert [b.tolist() for b in loader] == [[0, 1], [2]]
    assert seen == [0, (0, 1, True), (0, 1, True), (0, 1, True)] and data.get_worker_info() is None


LOADERS = [
    "DataLoader(ds, 10, shuffle=True)", "DataLoader(ds, 10, shuffle=True, drop_last=True)", "DataLoader(ds, 16)",
    "DataLoader(ds, 10, shuffle=True, generator=g)", "DataLoader(ds, 16, sampler=RandomSampler(ds, True, 50))",
    "DataLoader(ds, 16, sampler=RandomSampler(ds, False, 250))", "DataLoader(ds, 4, sampler=SubsetRandomSampler(range(3, 17)))",
    "DataLoader(ds, 4, sampler=WeightedRandomSampler([1.0, 2, 3], 20))", "DataLoader(Subset(ds, [4, 2, 3]), 2, shuffle=True)",
    "DataLoader(ds + ds, 50, shuffle=True)", "DataLoader(random_split(ds, [50, 53])[1], 20, shuffle=True)",
    "DataLoader(random_split(ds, [0.3, 0.3, 0.4], generator=g)[2], 20)", "DataLoader(ds, None, shuffle=True)",
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("made", LOADERS)
def test_order_is_pytorchs(made: str) -> None:
    found = []
    for library in (tl, torch):
        module = importlib.import_module(f"{library.__name__}.utils.data")
        dataset = module.TensorDataset(library.arange(206).reshape(103, 2), library.arange(103))
        names = {**vars(module), "ds": dataset, "g": library.Generator().manual_seed(5)}
        library.manual_seed(11)
        loader = eval(made, names)
        order = [[[t.tolist() for t in batch] for batch in loader] for _ in range(2)]
        found.append((order, len(loader), library.rand(1).item()))
    assert found[0] == found[1]
