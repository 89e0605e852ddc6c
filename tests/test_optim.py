"""Optimizers and learning rate schedules."""

from __future__ import annotations

import copy
import importlib
import pickle
from typing import Any

import numpy as np
import pytest
from library import there, tl, torch

nn = importlib.import_module(f"{tl.__name__}.nn")
optim = importlib.import_module(f"{tl.__name__}.optim")
schedules = importlib.import_module(f"{tl.__name__}.optim.lr_scheduler")


def parameters(library: Any = tl) -> list:
    """Parameters of several sizes, the same numbers in each library."""
    rng = np.random.default_rng(0)
    shapes = [(3,), (4, 5), (1,), (37, 11), ()]
    return [library.nn.Parameter(library.from_numpy(np.asarray(rng.normal(size=s), dtype=np.float32))) for s in shapes]


def set_grads(params: list, step: int, library: Any = tl) -> None:
    rng = np.random.default_rng(step + 1)
    for p in params:
        p.grad = library.from_numpy(np.asarray(rng.normal(size=tuple(p.shape)), dtype=np.float32))


OPTIMIZERS = [
    "SGD(ps, lr=0.1)", "SGD(ps, lr=0.1, momentum=0.9)", "SGD(ps, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.1)",
    "SGD(ps, lr=0.1, momentum=0.9, nesterov=True, maximize=True)", "Adam(ps)", "Adam(ps, lr=0.1, betas=(0.5, 0.9))",
    "Adam(ps, lr=0.1, weight_decay=0.1, amsgrad=True)", "Adam(ps, lr=0.1, eps=0.1, maximize=True)", "AdamW(ps, lr=0.1)",
    "AdamW(ps, lr=0.1, weight_decay=0.3, amsgrad=True)", "RMSprop(ps)", "RMSprop(ps, momentum=0.9, centered=True)",
    "RMSprop(ps, weight_decay=0.1, alpha=0.5)", "Adagrad(ps)", "Adagrad(ps, lr_decay=0.1, weight_decay=0.1)",
    "Adagrad(ps, initial_accumulator_value=0.5)", "Adadelta(ps)", "Adadelta(ps, lr=0.5, rho=0.5, weight_decay=0.1)",
    "Adamax(ps)", "Adamax(ps, weight_decay=0.1)", "NAdam(ps)", "NAdam(ps, weight_decay=0.1, decoupled_weight_decay=True)",
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("made", OPTIMIZERS)
def test_steps_agree_with_pytorch(made: str) -> None:
    runs = []
    for library in (tl, torch):
        ps = parameters(library)
        optimizer = eval("optim." + made, {"optim": library.optim, "ps": ps})
        for step in range(8):
            set_grads(ps, step, library)
            if step == 2:
                ps[1].grad = None
            optimizer.step()
        runs.append((ps, optimizer))
    (ours, a), (theirs, b) = runs
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert repr(a) == repr(b)
    mine, other = a.state_dict(), b.state_dict()
    assert mine["param_groups"] == other["param_groups"] and list(mine["state"]) == list(other["state"])
    for key, values in other["state"].items():
        assert list(mine["state"][key]) == list(values)
        for name, value in values.items():
            got = mine["state"][key][name]
            if value is None:
                assert got is None
                continue
            assert tuple(got.shape) == tuple(value.shape)
            np.testing.assert_allclose(got.numpy(), value.numpy(), rtol=1e-5, atol=1e-6)


def test_sgd_by_hand() -> None:
    p = nn.Parameter(tl.tensor([1.0, -2.0]))
    optimizer = optim.SGD([p], lr=0.5, momentum=0.9)
    for _ in range(2):
        p.grad = tl.tensor([1.0, 1.0])
        optimizer.step()
    # v = 1, then 1.9
    assert np.allclose(p.detach().numpy(), [1 - 0.5 - 0.95, -2 - 0.5 - 0.95])
    assert np.allclose(optimizer.state[p]["momentum_buffer"].numpy(), 1.9)


def test_parameters_keep_their_identity_and_version_moves() -> None:
    p = nn.Parameter(tl.ones(3))
    optimizer = optim.Adam([p], lr=tl.tensor(0.1))
    before = p._version
    p.grad = tl.ones(3)
    optimizer.step()
    assert optimizer.param_groups[0]["params"][0] is p and list(optimizer.state) == [p] and p._version > before
    assert p.requires_grad and p.is_leaf and not optimizer.state[p]["exp_avg"].requires_grad
    assert optimizer.state[p]["step"].item() == 1


def test_double_parameters() -> None:
    p = nn.Parameter(tl.ones(3, dtype=tl.float64))
    optimizer = optim.Adam([p], lr=0.1)
    p.grad = tl.ones(3, dtype=tl.float64)
    optimizer.step()
    assert abs(p[0].item() - 0.9) < 1e-8 and optimizer.state[p]["exp_avg"].dtype == tl.float64


def test_groups() -> None:
    a, b = nn.Parameter(tl.ones(1)), nn.Parameter(tl.ones(1))
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    a.grad, b.grad = tl.ones(1), tl.ones(1)
    optimizer.step()
    assert a.item() == pytest.approx(0.9) and b.item() == pytest.approx(0.5)
    c = nn.Parameter(tl.ones(1))
    optimizer.add_param_group({"params": [c], "momentum": 0.9})
    assert optimizer.param_groups[2]["lr"] == 0.1 and optimizer.param_groups[2]["momentum"] == 0.9
    optimizer.zero_grad()
    assert a.grad is None
    a.grad = tl.ones(1)
    optimizer.zero_grad(set_to_none=False)
    assert a.grad.item() == 0


def test_named_parameters() -> None:
    m = nn.Linear(2, 1)
    optimizer = optim.SGD(m.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


P = nn.Parameter(tl.zeros(2))
ERRORS = [
    (lambda: optim.SGD([], lr=0.1), ValueError, "optimizer got an empty parameter list"),
    (lambda: optim.SGD(P, lr=0.1), TypeError, "params argument given to the optimizer should be an iterable of Tensors or "
     f"dicts, but got {tl.__name__}.FloatTensor"),
    (lambda: optim.SGD([P], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda: optim.SGD([P], momentum=-1), ValueError, "Invalid momentum value: -1"),
    (lambda: optim.SGD([P], nesterov=True), ValueError, "Nesterov momentum requires a momentum and zero dampening"),
    (lambda: optim.Adam([P], betas=(0.1, 2)), ValueError, "Invalid beta parameter at index 1: 2"),
    (lambda: optim.Adam([P], eps=-1), ValueError, "Invalid epsilon value: -1"),
    (lambda: optim.SGD([3], lr=0.1), TypeError, "optimizer can only optimize Tensors, but one of the params is int"),
    (lambda: optim.SGD([P * 1], lr=0.1), ValueError, "can't optimize a non-leaf Tensor"),
    (lambda: optim.SGD([{"params": [P]}, {"params": [P]}], lr=0.1), ValueError, "some parameters appear in more than one "
     "parameter group"),
    (lambda: optim.SGD([{"params": {P}}], lr=0.1), TypeError, "optimizer parameters need to be organized in ordered "
     "collections"),
    (lambda: optim.SGD([P], lr=0.1).load_state_dict({"param_groups": [], "state": {}}), ValueError, "loaded state dict has a "
     "different number of parameter groups"),
    (lambda: optim.SGD([P], lr=0.1).add_param_group(3), TypeError, "param_group must be a dict, but got <class 'int'>"),
    (lambda: schedules.StepLR(3, 2), TypeError, "int is not an Optimizer"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS, ids=[text[:40] for _, _, text in ERRORS])
def test_errors(call: Any, kind: type, text: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(there(text))


def test_duplicates_warn() -> None:
    with pytest.warns(UserWarning, match="parameter group with duplicate parameters"):
        optim.SGD([P, P], lr=0.1)


def test_state_dict_continues_a_run() -> None:
    first = parameters()
    a = optim.Adam(first, lr=0.1)
    for step in range(3):
        set_grads(first, step)
        a.step()
    second = [nn.Parameter(p.detach().clone()) for p in first]
    b = optim.Adam(second)
    b.load_state_dict(pickle.loads(pickle.dumps(a.state_dict())))
    assert b.param_groups[0]["lr"] == 0.1 and b.param_groups[0]["params"][0] is second[0]
    for step in range(3, 6):
        for ps, optimizer in ((first, a), (second, b)):
            set_grads(ps, step)
            optimizer.step()
    assert all(tl.equal(p, q) for p, q in zip(first, second))
    c = copy.deepcopy(a)
    assert c.param_groups[0]["params"][0] is not first[0] and len(c.state) == len(first)


def test_closure_and_hooks() -> None:
    p = nn.Parameter(tl.tensor([2.0]))
    optimizer = optim.SGD([p], lr=0.1)
    log: list = []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append("pre"))
    handle = optimizer.register_step_post_hook(lambda o, args, kwargs: log.append("post"))

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tl.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 4 and p.item() == pytest.approx(1.6) and log == ["pre", "post"]
    handle.remove()
    optimizer.step()
    assert log == ["pre", "post", "pre"]


def test_an_optimizer_of_ones_own() -> None:
    class Sign(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:
            with tl.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p -= group["lr"] * tl.sign(p.grad)

    p = nn.Parameter(tl.tensor([1.0]))
    optimizer = Sign([p], 0.25)
    p.grad = tl.tensor([7.0])
    schedule = schedules.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    schedule.step()
    assert p.item() == 0.75 and schedule.get_last_lr() == [0.125]


# Schedules

SCHEDULES = [
    "StepLR(o, 3)", "MultiStepLR(o, [2, 5, 5])", "ConstantLR(o, total_iters=4)", "LinearLR(o, 0.1, 0.7, 6)",
    "ExponentialLR(o, 0.9)", "PolynomialLR(o, 6, 2.0)", "CosineAnnealingLR(o, 5, 0.01)", "LambdaLR(o, lambda e: 0.9**e)",
    "CosineAnnealingWarmRestarts(o, 3, 2, 0.01)", "OneCycleLR(o, 0.5, 20)", "MultiplicativeLR(o, lambda e: 0.9)",
    "OneCycleLR(o, 0.5, 20, three_phase=True, anneal_strategy='linear')", "CyclicLR(o, 0.1, 0.5, 3, 4)",
    "CyclicLR(o, 0.1, 0.5, 3, 4, mode='triangular2')", "CyclicLR(o, 0.1, 0.5, 3, mode='exp_range', gamma=0.9)",
    "SequentialLR(o, [S.LinearLR(o, 0.1), S.StepLR(o, 2), S.ExponentialLR(o, 0.5)], [4, 8])",
    "ChainedScheduler([S.ConstantLR(o, 0.1), S.ExponentialLR(o, 0.9)])",
]  # fmt: skip


def rates(library: Any, made: str, steps: int = 15) -> list:
    ps = [library.nn.Parameter(library.zeros(1)) for _ in range(2)]
    o = library.optim.SGD([{"params": ps[:1]}, {"params": ps[1:], "lr": 0.3}], lr=0.1, momentum=0.9)
    scheduler_module = importlib.import_module(f"{library.__name__}.optim.lr_scheduler")
    s = eval("S." + made, {"S": scheduler_module, "o": o})
    found = []
    for _ in range(steps):
        found.append([[g["lr"], g["momentum"]] for g in o.param_groups] + [list(s.get_last_lr())])
        o.step()
        s.step()
    state = s.state_dict()
    s.load_state_dict(state)
    return found


@pytest.mark.parity
@pytest.mark.parametrize("made", SCHEDULES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_schedules_agree_with_pytorch(made: str) -> None:
    assert rates(tl, made) == rates(torch, made)


@pytest.mark.parity
@pytest.mark.parametrize(
    "made",
    [
        "ReduceLROnPlateau(o, patience=1)",
        "ReduceLROnPlateau(o, 'max', 0.5, 0, cooldown=2, threshold_mode='abs', min_lr=0.02)",
    ],
)
def test_plateau_agrees_with_pytorch(made: str) -> None:
    found = []
    for library in (tl, torch):
        o = library.optim.SGD([library.nn.Parameter(library.zeros(1))], lr=0.1)
        s = eval("S." + made, {"S": importlib.import_module(f"{library.__name__}.optim.lr_scheduler"), "o": o})
        trace = []
        for metric in [3, 2, 2, 2.5, 1, 1, 1, 1, 1, 1, 4, 4, 3, 2, 1]:
            s.step(metric)
            trace.append(s.get_last_lr())
        found.append((trace, s.state_dict()))
    assert found[0] == found[1]


def test_wrong_order_warns() -> None:
    schedule = schedules.StepLR(optim.SGD([nn.Parameter(tl.zeros(1))], lr=0.1), 2)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`"):
        schedule.step()


# A training run

TRAINING = [
    "SGD(ps, lr=0.02, momentum=0.9)", "Adam(ps, lr=2e-3)", "AdamW(ps, lr=2e-3)", "RMSprop(ps, lr=1e-3)",
]  # fmt: skip


def losses(library: Any, made: str, steps: int = 50) -> list[float]:
    nn, data = library.nn, importlib.import_module(f"{library.__name__}.utils.data")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    pictures = rng.normal(0, 1, (200, 1, 12, 12)) + labels[:, None, None, None]
    library.manual_seed(7)
    dataset = data.TensorDataset(
        library.from_numpy(pictures.astype(np.float32)), library.from_numpy(labels.astype(np.int64))
    )
    loader = data.DataLoader(dataset, batch_size=20, shuffle=True)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(144, 16),
        nn.ReLU(),
        nn.Linear(16, 4),
    )
    optimizer = eval("optim." + made, {"optim": library.optim, "ps": model.parameters()})
    criterion = nn.CrossEntropyLoss()
    found: list[float] = []
    while len(found) < steps:
        for images, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(images), targets)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
    return found[:steps]


@pytest.mark.parity
@pytest.mark.parametrize("made", TRAINING)
def test_a_training_run_has_pytorchs_losses(made: str) -> None:
    ours, theirs = losses(tl, made), losses(torch, made)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    assert ours[-1] < ours[0]
