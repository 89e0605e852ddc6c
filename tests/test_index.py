"""Indexing with brackets, and the operators that read and write through indices and masks."""

import warnings

import numpy as np
import pytest
from expressions import assert_same, assert_same_gradients, error, evaluate, gradients, graph, namespace, values
from library import tl

BRACKETS = """
x[0] | x[-1] | x[0, 1] | x[1:3] | x[::2] | x[-100:100:3] | x[3:1] | x[:] | x[:, :] | x[...] | x[..., :] | x[()] | x[:9]
x[..., 0] | x[0, ...] | x[None] | x[:, None] | x[..., None] | x[None, None, 0] | x[0][None] | x[1:, 2:5:2]
x[True] | x[False] | x[None, True] | x[:, True] | x[True, True] | x[True, 0] | x[0:2, True] | x[True, [0, 1]] | x[:, True, [0, 1]]
x[torch.tensor(1)] | x[torch.tensor(1), torch.tensor(2)] | x[torch.tensor(1):torch.tensor(3)] | x[torch.tensor(True)]
x[torch.tensor(False)] | x[torch.tensor(1, dtype=torch.uint8)] | s[()] | s[...] | s[None] | s[True] | s[torch.tensor(True)]
x[np.int64(1)] | x[np.array([0, 1])] | x[np.array([[0, 1], [1, 2]])] | x[np.array([True, False, True, False])] | x[np.array(1)]
x[:, np.array([0, 1])] | x[np.array([3, 0], dtype=np.int16)] | x[np.arange(8)[::4] // 2] | x[[np.int64(1), np.int64(2)]]
x[[0, 1]] | x[[0, 1], [1, 2]] | x[[[0, 1], [1, 2]]] | x[[0, slice(None)]] | x[(0, 1)] | x[[]] | x[[], []] | x[[0.5]]
x[[True, False, True, False]] | x[((0, 1), (1, 2))] | x[[(0, 1), (1, 2)]] | x[(0, 1), ] | x[range(2)] | x[[torch.tensor(0), torch.tensor(1)]]
x[i] | x[i, j] | x[i, None] | x[None, j] | x[j] | x[:, j] | x[..., j] | x[j, ...] | x[j, 1] | x[0, j] | x[j, 1:3] | x[::2, j]
x[j.int()] | x[i.t()] | x[j.expand(2, 3)] | x[i, i] | x[i[:, :1], j] | x[torch.tensor([], dtype=torch.long)] | x[-j]
x[m] | x[rows] | x[rows, 0] | x[rows, [0, 3]] | x[rows, torch.tensor([[0], [1]])] | x.t()[m.t()] | x[~m] | x[m][0] | x[rows, None]
x[torch.tensor([1, 0, 1, 0], dtype=torch.uint8)] | x[torch.zeros(4, dtype=torch.bool)] | x3[m[:2, :3]] | x3[m[:2, :3], 0]
x3[m[:2, :3], :2] | x3[0, :, [0, 1]] | x3[:, 0, [0, 1]] | x3[[0, 1], :, [0, 1]] | x3[:, [0, 1], [0, 1]] | x3[[0, 1], [0, 1]]
x3[[0, 1], None, [0, 1]] | x3[:, [0, 1], None, [0, 1]] | x3[..., [0, 1], :] | x3[:, :, j[:2]] | x3[:, i] | x3[1, i[:, :2] % 2]
x3.permute(2, 1, 0)[[0, 1]] | x3.permute(2, 1, 0)[:, :, [0, 1]] | x3.permute(2, 1, 0)[:, [0, 1]] | x3.permute(1, 0, 2)[i.t()]
x.t()[i] | x.t()[:, j] | x[:1].expand(4, 6)[j] | e[[]] | e[:, [0]] | e[:, 0] | x[:0][:, j] | x[::2, ::3][[1, 0]]
x[0].view(2, 3)[1] | x[:, 1][2:][0] | x[i % 2][1, 0] | x[0, 1][..., None] | x[1:1] | x[:, 1:1] | x[::2][[0, 1], [1, 0]]
"""

OPERATORS = """
x.scatter(0, i, x[2:, 3:]) | x.scatter_add(1, i, x[:2, 1:4]) | x3.scatter_add(1, i[:, :, None] % 3, x3[..., :1] * 2) | x.scatter_reduce(0, i, x[:2, :3], "sum")
x.scatter_reduce(0, i, x[2:, :3], "mean") | x.scatter_reduce(0, i, x[2:, :3], "amax") | x.scatter_reduce(0, i, x[2:, :3], "amin")
x.scatter_reduce(0, i, x[2:, :3] + 0.25, "prod") | x.scatter_reduce(0, i, x[:2, :3], "prod") | x.scatter_reduce(0, i, x[2:, :3], "sum", include_self=False)
x.scatter_reduce(0, i, x[2:, :3], "mean", include_self=False) | x.scatter_reduce(0, i, x[2:, :3], "amax", include_self=False) | x.scatter_reduce(0, i, x[2:, :3] + 0.25, "prod", include_self=False)
x.gather(0, i) | x.gather(1, i) | x.gather(1, i.int()) | x.t().gather(0, i) | s.gather(0, torch.tensor([0, 0])) | v.gather(0, torch.tensor(1))
x.gather(-1, i[:, :0]) | x3.gather(2, i[:, :, None]) | x3.gather(0, i[None] % 2) | x.gather(0, torch.zeros(0, dtype=torch.long))
x.scatter(0, i, x) | x.scatter(1, i, x[:, 2:]) | x.scatter(0, i, 7.0) | x.t().scatter(0, i, x) | x.scatter(0, i, x.detach(), reduce="add")
x.scatter(0, i, 2.0, reduce="multiply") | x.scatter_add(0, i, x) | x.scatter_add(1, i, x) | x3.scatter_add(1, i[:, :, None] % 3, x3)
x.scatter_reduce(0, i, x, "sum") | x.scatter_reduce(0, i, x, "mean") | x.scatter_reduce(0, i, x, "amax") | x.scatter_reduce(0, i, x, "amin")
x.scatter_reduce(0, i, x + 0.25, "prod") | x.scatter_reduce(0, i, x, "sum", include_self=False) | x.scatter_reduce(0, i, x, "mean", include_self=False)
x.scatter_reduce(0, i, x, "amax", include_self=False) | x.scatter_reduce(0, i, x + 0.25, "prod", include_self=False)
x.long().scatter_reduce(0, i, x.long(), "mean") | x.long().scatter_reduce(0, i, x.long(), "amin", include_self=False)
x.half().scatter_add(0, i, x.half()) | (x > 1).scatter_add(0, i, x > 2) | x.index_select(0, j) | x.index_select(1, j) | x.t().index_select(0, j)
x.index_select(-1, j.int()) | s.index_select(0, torch.tensor([0])) | x.index_select(0, torch.tensor(1)) | x3.index_select(1, j)
x.index_select(0, j[:0]) | x[:, ::2].index_select(1, j) | x.index_add(0, j, x[:3]) | x.index_add(1, j, x[:, :3], alpha=2) | x.t().index_add(0, j, x.t()[:3])
x.index_add(0, torch.tensor(1), x[:1]) | x3.index_add(1, j, x3) | x.index_copy(0, j[:2], x[:2]) | x.index_copy(1, j[:2], x[:, 3:5])
x.index_fill(0, j, 9.0) | x.index_fill(1, -j, 9.0) | x.index_fill(0, torch.tensor(1), s) | x.t().index_fill(0, j, 0) | x.index_fill(0, j, s)
x.index_put((j,), s) | x.index_put((j,), x[0], accumulate=True) | x.index_put((i, i), torch.ones(3)) | x.index_put((m,), s) | x.index_put((i, i), s, True)
x.index_put((rows,), x[:2]) | x.index_put((m,), x[m] * 2) | x.index_put((j[:, None], j), torch.ones(3, 1), accumulate=True)
x.masked_select(m) | v.masked_select(m) | x.masked_select(rows[:, None]) | x.t().masked_select(m.t()) | x.masked_scatter(m, x)
v.masked_scatter(m, x) | x.masked_scatter(m[:, :1], x) | x.t().masked_scatter(m.t(), x) | x.masked_scatter(m, x.t())
x.take(i) | x.take(-j) | x.t().take(i) | x.put(j, v[:3], accumulate=True) | x.put(j[:2], v[:2]) | x.t().put(j[:2], v[:2])
x.take_along_dim(j) | x.take_along_dim(i[:1], 1) | x.take_along_dim(torch.tensor([[5, 0], [1, 1], [2, 3], [4, 0]]), 1) | torch.take_along_dim(x3, i[:, :, None], 2)
x.nonzero() | m.nonzero() | s.nonzero() | torch.tensor(0).nonzero() | m.nonzero(as_tuple=True) | torch.nonzero(v, as_tuple=False)
s.nonzero(as_tuple=True) | torch.argwhere(m) | m.t().nonzero() | e.nonzero() | torch.tensor([0.0, float("nan")]).nonzero() | m.argwhere()
torch.nn.functional.one_hot(j) | torch.nn.functional.one_hot(i, 5) | torch.nn.functional.one_hot(torch.tensor(2)) | torch.nn.functional.one_hot(j[:0], 3)
torch.nn.functional.embedding(j, x) | torch.nn.functional.embedding(i, x, padding_idx=0) | torch.nn.functional.embedding(i.int(), x.t())
torch.nn.functional.embedding(i, x, scale_grad_by_freq=True) | torch.nn.functional.embedding(torch.tensor(2), x)
x.half().index_select(0, j) | torch.complex(x, x).index_add(0, j, torch.complex(x, x)[:3], alpha=2) | m.index_select(1, j)
"""

WRITES = """
y[0] = 1 | y[1:3] = 2.5 | y[..., 0] = 3 | y[:, ::2] = x[:, ::2] | y[0, 1] = s | y[None] = 1 | y[...] = 2 | y[:] = x | y[()] = 4
y[0] = v | y[:, 0] = torch.ones(4) | y[0] = torch.ones(1, 1, 6) | y[0, 0] = torch.tensor([[1.0]]) | y[0] = torch.ones(6).long() | y[0] = True
y[False] = 1 | y[True] = 5 | y[True, 0] = 1 | y[0] = np.int64(3) | y[0] = torch.tensor(2).double() | y[np.array([0, 2])] = 3
y[[0, 1]] = 1 | y[[0, 1]] = torch.ones(1, 1, 2, 6) | y[j] = x[:3] | y[:, j] = 7 | y[i, i] = s | y[rows] = 1.5 | y[m] = 0 | y[~m] = 2
y[rows] = x[:2] | y[m] = x[m] + 1 | y[1:3, [0, 1]] = torch.ones(2, 1) | y[rows, 1] = torch.tensor([8.0, 9.0]) | y[m & m] = s
y.t()[0] = 1 | y.t()[m.t()] = 6 | y[0][1] = 5 | y[::2][1] = v | y[-1, -1] = 3 | y[2:1] = 1 | y[[]] = 1 | y[1:, None] = x[1:, None]
y[j] += 1 | y[0] += v | y[m] *= 2
"""

ERRORS = """
x[9] | x[-5] | x[0, 9] | x[0, 0, 0] | s[0] | s[:] | x[1.0] | x['a'] | x[::-1] | x[::0] | x[1:2.0] | x['a':] | x[np.float64(1)]
x[np.bool_(True)] | x[{}] | x[0, 'a'] | x[:, {}] | x[2 ** 70] | x[torch.tensor([9])] | x[torch.tensor([-9])] | x[:, torch.tensor([9])]
x[torch.tensor([0, 1]), torch.tensor([0, 1, 2])] | x[torch.tensor([1.0])] | x[torch.tensor([1], dtype=torch.int16)]
x[torch.tensor([True, False])] | x[torch.tensor([[True, False]])] | x[m[:, :3]] | x[:, m] | x[j, j, j] | e[torch.tensor([0])] | x3[:, m[:2, :3]]
x.gather(0, i.double()) | x.gather(0, i + 9) | x.gather(0, j) | x.gather(2, i) | x.gather(0, torch.zeros(1, 7, dtype=torch.long))
x.gather(0, -i) | x.scatter(0, i, x.double()) | x.scatter(0, i.double(), x) | x.scatter(0, i + 9, x) | x.scatter(0, j, v) | x.scatter(0, i, x[:1])
x.scatter(0, i, s) | x.scatter(0, i, x, reduce="mean") | x.scatter_add(0, i, x.double()) | x.scatter_add(0, i, x[:1])
x.scatter_reduce(0, i, x, "foo") | x.expand(2, 4, 6).scatter_(0, i[None] % 2, 1.0) | x.index_select(0, torch.tensor([9]))
x.index_select(0, torch.tensor([-1])) | x.index_select(0, i) | x.index_select(0, j.double()) | x.index_select(2, j) | s.index_select(0, torch.tensor([1]))
x.index_add(0, j, x) | x.index_add(0, j, x[:3].double()) | x.index_add(0, j + 9, x[:3]) | x.index_add(0, i, x[:3]) | x.index_add(0, j, x[:3, :2])
x.index_add(0, j.double(), x[:3]) | x.index_copy(0, j, x) | x.index_copy(0, j, x[:3].double()) | x.index_copy(0, j + 9, x[:3])
x.index_copy(0, i, x[:3]) | x.index_copy(0, j.int(), x[:3]) | x.index_copy(0, torch.tensor(1), v) | x.index_fill(0, torch.tensor([9]), 1.0)
x.index_fill(0, i, 1.0) | x.index_fill(0, j.int(), 1.0) | x.index_fill(0, j, v) | x.index_fill(0, j, 1j) | x.index_put((j,), x)
x.index_put((j,), x.double()[:3]) | x.index_put((m,), torch.ones(2)) | x.put(j, v[:2]) | x.put(j, v[:3].double()) | x.put(j + 90, v[:3])
x.put(j.int(), v[:3]) | x.take(j + 90) | x.take(j.int()) | e.take(torch.tensor([0])) | x.masked_select(m.long()) | x.masked_select(m[:, :3])
x.masked_scatter(m, x[:1]) | x.masked_scatter(m, x.double()) | x.masked_scatter(m.long(), x) | x.take_along_dim(i.int(), 1) | x.take_along_dim(j, 1)
torch.nn.functional.one_hot(j, 2) | torch.nn.functional.one_hot(-j) | torch.nn.functional.one_hot(v) | torch.nn.functional.one_hot(j[:0])
torch.nn.functional.embedding(j, v) | torch.nn.functional.embedding(j + 9, x) | torch.nn.functional.embedding(j.double(), x)
x.__setitem__(9, 1) | x.__setitem__(0, v[:2]) | x.__setitem__((0, 0), v) | x.__setitem__(j, v[:2]) | x.__setitem__(0, 1j) | x.__setitem__(0, 'a')
x.__setitem__(0, [1, 2]) | x.__setitem__(m, v[:2]) | x.__setitem__(j, x[:3].double()) | x.__setitem__(0, x3[0]) | x.__setitem__(slice(None, None, -1), 1)
"""


def lines(text):
    return [e.strip() for line in text.strip().split("\n") for e in line.split(" | ") if e.strip()]


NUMPY = [
    e
    for e in lines(BRACKETS)
    if not any(w in e for w in ("torch", "m", "[0.5]", "()", "permute", "i", "(", "s[", "[[[", "x3[0, :,", "[:, True,"))
]


@pytest.mark.parametrize("expression", NUMPY)
def test_brackets_against_numpy(expression):
    names = namespace(tl)
    arrays = {k: np.asarray(names[k].tolist()) for k in ("x", "x3", "j", "rows")} | {"np": np, "slice": slice}
    arrays["e"] = np.zeros((0, 3))
    expected = eval(expression, arrays)
    (t,) = evaluate(tl, expression)
    assert tuple(t.shape) == np.shape(expected)
    np.testing.assert_array_equal(values(t).reshape(np.shape(expected)), expected)


@pytest.mark.parametrize(
    ("expression", "kind", "message"),
    [
        ("x[0, 0, 0]", "IndexError", "too many indices for tensor of dimension 2"),
        ("x[0, 9]", "IndexError", "index 9 is out of bounds for dimension 1 with size 6"),
        ("s[0]", "IndexError", "invalid index of a 0-dim tensor. Use `tensor.item()` in Python"),
        ("x[::-1]", "ValueError", "step must be greater than zero"),
        (
            "x[torch.tensor([True, False])]",
            "IndexError",
            "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [4, 6] at index 0",
        ),
        ("x.gather(0, i + 9)", "RuntimeError", "index 9 is out of bounds for dimension 0 with size 4"),
        ("x.index_select(0, torch.tensor([9]))", "IndexError", "index out of range in self"),
    ],
)
def test_error(expression, kind, message):
    got = error(tl, expression)
    assert got[0] == kind and got[1].startswith(message)


def test_slices_are_views_and_masks_are_copies():
    x = tl.zeros(4, 6)
    x[1:3, ::2][0] = 1
    assert x.sum().item() == 3
    x[[0, 1]].fill_(7)
    x[x == 1].fill_(7)
    assert x.sum().item() == 3
    assert x[0]._base is x and x[...]._base is x and x[[0]]._base is None


def test_long_rows_and_many_indices():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((500, 700)).astype(np.float32)
    i = rng.integers(0, 500, 2000)
    k = rng.integers(0, 700, 2000)
    x, ti, tk = tl.tensor(a), tl.tensor(i), tl.tensor(k)
    np.testing.assert_array_equal(x[ti].numpy(), a[i])
    np.testing.assert_array_equal(x[ti, tk].numpy(), a[i, k])
    np.testing.assert_array_equal(x[:, tk].numpy(), a[:, k])
    np.testing.assert_array_equal(x[x > 0.5].numpy(), a[a > 0.5])
    np.testing.assert_array_equal((x > 1).nonzero().numpy(), np.argwhere(a > 1))
    b = a.astype(np.float64)
    np.add.at(b, i, np.ones((2000, 700)))
    np.testing.assert_array_equal(x.double().index_add(0, ti, tl.ones(2000, 700).double()).numpy(), b)
    b = a.astype(np.float64)
    np.add.at(b, (i, k), np.ones(2000))
    np.testing.assert_array_equal(x.double().index_put((ti, tk), tl.tensor(1.0).double(), accumulate=True).numpy(), b)


def test_additions_are_the_same_for_any_number_of_threads():
    index = tl.randint(0, 50, (20000,))
    rows = tl.randn(20000, 64)
    results = []
    before = tl.get_num_threads()
    try:
        for n in (1, 2, 3):
            tl.set_num_threads(n)
            results.append(tl.zeros(50, 64).index_add(0, index, rows))
    finally:
        tl.set_num_threads(before)
    assert all((r == results[0]).all() for r in results)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[tl.tensor([0, 0, 2])] ** 2,
        lambda x: x[:, [3, 1]] * x[:, [0, 0]],
        lambda x: x[x > 0] ** 2,
        lambda x: x.gather(1, tl.tensor([[0, 0], [1, 2], [3, 3]])) ** 2,
        lambda x: x.scatter(0, tl.tensor([[0, 1]]), x[1:, 1:]) ** 2,
        lambda x: x.scatter_add(0, tl.tensor([[0, 1], [0, 0]]), x[1:, 1:]) ** 2,
        lambda x: x.index_add(0, tl.tensor([0, 0]), x[1:] ** 2, alpha=3),
        lambda x: x.index_copy(0, tl.tensor([2, 0]), x[1:]) ** 2,
        lambda x: x.index_fill(1, tl.tensor([2, 0]), 1.0) ** 2,
        lambda x: x.masked_scatter(x > 0, x**2),
        lambda x: x.masked_select(x > 0) ** 2,
        lambda x: x.take(tl.tensor([1, 1, -1])) ** 2,
        lambda x: x.put(tl.tensor([1, 2, -1]), x[0, :3] ** 2, True),
        lambda x: x.scatter_reduce(0, tl.tensor([[0, 0, 1, 1]]), x[1:], "mean") ** 2,
        lambda x: x.scatter_reduce(0, tl.tensor([[0, 0, 1, 1]]), x[1:], "prod"),
        lambda x: tl.embedding(x, tl.tensor([[0, 1], [1, 1]])) ** 2,
    ],
)
def test_gradients_and_second_gradients(f):
    x = tl.randn(3, 4, dtype=tl.float64, requires_grad=True)
    assert tl.autograd.gradcheck(f, (x,))
    assert tl.autograd.gradgradcheck(f, (x,))


def write(lib, statement, requires_grad=False):
    names = namespace(lib, requires_grad)
    names["y"] = lib.zeros(4, 6) if not requires_grad else names["x"] * 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(statement, names)
    return names


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(BRACKETS + OPERATORS))
def test_parity(expression):
    torch = pytest.importorskip("torch")
    assert_same(evaluate(tl, expression), evaluate(torch, expression))


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(BRACKETS + OPERATORS))
def test_parity_of_graph_and_gradient(expression):
    torch = pytest.importorskip("torch")
    results = evaluate(tl, expression)
    if (
        any(not t.is_floating_point() for t in results)
        or "half" in expression
        or "reduce='" in expression
        or 'reduce="' in expression
    ):
        pytest.skip("no gradient")
    assert graph(tl, expression) == graph(torch, expression)
    try:
        theirs = gradients(torch, expression)
    except RuntimeError:
        pytest.skip("PyTorch has no gradient for a source larger than the index")
    assert_same_gradients(gradients(tl, expression), theirs)


@pytest.mark.parity
@pytest.mark.parametrize("statement", lines(WRITES))
def test_parity_of_writes(statement):
    torch = pytest.importorskip("torch")
    ours, theirs = write(tl, statement), write(torch, statement)
    assert_same([ours["y"]], [theirs["y"]])
    ours, theirs = write(tl, statement, True), write(torch, statement, True)
    for names in (ours, theirs):
        names["y"].backward(names["torch"].arange(24.0).reshape(4, 6))
    for k in ("x", "v", "s"):
        assert_same_gradients([ours[k].grad], [theirs[k].grad])


@pytest.mark.parity
@pytest.mark.parametrize("expression", lines(ERRORS))
def test_parity_of_errors(expression):
    torch = pytest.importorskip("torch")
    ours, theirs = error(tl, expression), error(torch, expression)
    assert ours[0] == theirs[0]
    assert ours[1].startswith(theirs[1].rstrip("."))


# ---- what random programs found ----


def test_one_value_of_another_dtype_for_a_mask():
    x = tl.tensor([1 + 1j, 2 - 1j])
    x[tl.tensor([True, False])] = tl.tensor(1.75, dtype=tl.float64)
    assert x.tolist() == [1.75, 2 - 1j]
    with pytest.raises(RuntimeError, match="Index put requires the source and destination dtypes match"):
        x[tl.tensor([0])] = tl.tensor([1.75], dtype=tl.float64)


def test_numbers_that_a_dtype_cannot_hold():
    nan = float("nan")
    assert tl.tensor([False, True]).masked_fill(tl.tensor([True, False]), nan).tolist() == [True, True]
    mask = tl.tensor([True])
    for dtype, number in ((tl.int64, nan), (tl.uint8, -1.5), (tl.uint8, 300), (tl.int8, float("inf"))):
        for write in (
            lambda t, n: t.fill_(n),
            lambda t, n: t.masked_fill_(mask, n),
            lambda t, n: t.index_fill_(0, tl.tensor([0]), n),
            lambda t, n: t.scatter_(0, tl.tensor([0]), n),
        ):
            with pytest.raises(RuntimeError, match=r"value cannot be converted to type .* without overflow"):
                write(tl.zeros(1, dtype=dtype), number)


def test_no_index_is_checked_where_nothing_is_read():
    assert tl.zeros(2, 0)[tl.tensor([5, 1])].shape == (2, 0)
    with pytest.raises(IndexError):
        tl.zeros(0, 2)[tl.tensor([0])]


def test_where_of_a_condition_alone():
    rows, columns = tl.where(tl.tensor([[False, True], [True, False]]))
    assert rows.tolist() == [0, 1] and columns.tolist() == [1, 0]


def test_masked_fill_is_contiguous():
    x = tl.ones(4, 3).t()
    assert x.masked_fill(x > 0, 0).stride() == (4, 1)
