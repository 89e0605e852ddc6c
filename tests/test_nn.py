"""Modules: the protocol, layers, functional forms and initial values."""

from __future__ import annotations

import copy
import gc
import importlib
import pickle
import warnings
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from library import IS_TENSORLITE, there, tl, torch

nn = importlib.import_module(f"{tl.__name__}.nn")
F = importlib.import_module(f"{tl.__name__}.nn.functional")
init = importlib.import_module(f"{tl.__name__}.nn.init")


class Net(nn.Module):
    """Parameters, buffers and submodules of all kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(tl.ones(2))
        self.register_parameter("none", None)
        self.register_buffer("count", tl.zeros(1))
        self.register_buffer("scratch", tl.zeros(3), persistent=False)
        self.body = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
        self.shared = self.body[0]

    def forward(self, x: Any, factor: float = 1.0) -> Any:
        return self.body(x) * self.scale * factor


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


# The protocol


def test_enumeration() -> None:
    net = Net()
    body = ["body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias"]
    assert names(net.named_parameters()) == ["scale", *body]
    assert names(net.named_parameters(recurse=False)) == ["scale"]
    assert names(net.named_parameters(remove_duplicate=False))[-2:] == ["shared.weight", "shared.bias"]
    assert names(net.named_parameters(prefix="p"))[:2] == ["p.scale", "p.body.0.weight"]
    assert names(net.named_buffers()) == ["count", "scratch"]
    assert names(net.named_children()) == ["body", "shared"]
    assert names(net.named_modules()) == ["", "body", "body.0", "body.1", "body.2"]
    assert [type(m).__name__ for m in net.modules()] == ["Net", "Sequential", "Linear", "ReLU", "Linear"]
    assert next(net.parameters()) is net.scale and next(net.buffers()) is net.count
    assert "weight" in dir(net.body[0]) and "0" not in dir(net.body)


def test_attributes_and_registries_agree() -> None:
    net = Net()
    assert net.scale is net._parameters["scale"] and net.body is net._modules["body"]
    other = nn.Parameter(tl.zeros(2))
    net.scale = other
    assert net._parameters["scale"] is other
    net._parameters["scale"] = None
    assert net.scale is None
    net.scale = other
    del net.scale
    assert not hasattr(net, "scale") and "scale" not in net._parameters
    net._buffers["count"] = tl.ones(4)
    assert net.count.shape == (4,)
    net.count = tl.ones(5)
    assert net._buffers["count"].shape == (5,)
    net._modules["extra"] = nn.ReLU()
    assert isinstance(net.extra, nn.ReLU)
    net._modules.pop("extra")
    assert not hasattr(net, "extra")
    net.body = None
    assert net.body is None and "body" in net._modules


def test_a_name_changes_its_kind() -> None:
    m = nn.Module()
    m.x = 3
    m.x = nn.Parameter(tl.ones(1))
    assert names(m.named_parameters()) == ["x"]
    with pytest.raises(TypeError, match="as parameter 'x'"):
        m.x = nn.ReLU()
    m.y = nn.ReLU()
    m.y = nn.Parameter(tl.ones(1))
    assert names(m.named_parameters()) == ["x", "y"] and names(m.named_children()) == []
    m.b = nn.Buffer(tl.ones(2), persistent=False)
    assert names(m.named_buffers()) == ["b"] and "b" not in m.state_dict()


NN = f"{tl.__name__}.nn"
ERRORS = [
    (lambda: setattr(nn.Linear(2, 3), "weight", tl.zeros(1)), TypeError, f"cannot assign '{tl.__name__}.FloatTensor' as parameter 'weight' ({NN}.Parameter or None expected)"),
    (lambda: setattr(nn.Sequential(nn.ReLU()), "0", 3), TypeError, f"cannot assign 'int' as child module '0' ({NN}.Module or None expected)"),
    (lambda: setattr(nn.BatchNorm1d(2), "running_mean", 3), TypeError, f"cannot assign 'int' as buffer 'running_mean' ({NN}.Buffer, {tl.__name__}.Tensor or None expected)"),
    (lambda: nn.Linear(2, 3).register_parameter("a.b", None), KeyError, "parameter name can't contain \".\""),
    (lambda: nn.Linear(2, 3).register_buffer("", None), KeyError, "buffer name can't be empty string \"\""),
    (lambda: nn.Linear(2, 3).register_buffer("weight", None), KeyError, "attribute 'weight' already exists"),
    (lambda: nn.Linear(2, 3).register_parameter("x", tl.zeros(2)), TypeError, f"cannot assign '{tl.__name__}.FloatTensor' object to parameter 'x' ({NN}.Parameter or None required)"),
    (lambda: nn.Linear(2, 3).add_module("x", 3), TypeError, "int is not a Module subclass"),
    (lambda: nn.Linear(2, 3).foo, AttributeError, "'Linear' object has no attribute 'foo'"),
    (lambda: delattr(nn.Linear(2, 3), "foo"), AttributeError, "'Linear' object has no attribute 'foo'"),
    (lambda: nn.Linear(2, 3).to(tl.int32), TypeError, f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={tl.__name__}.int32"),
    (lambda: nn.Module(3), TypeError, "Module.__init__() takes 1 positional argument but 2 were given"),
    (lambda: nn.Module()(1), NotImplementedError, 'Module [Module] is missing the required "forward" function'),
    (lambda: nn.Linear(2, 3).get_parameter("x.y"), AttributeError, "Linear has no attribute `x`"),
    (lambda: nn.Linear(2, 3).get_submodule("weight"), AttributeError, "`weight` is not an nn.Module"),
    (lambda: nn.Linear(2, 3).train(3), ValueError, "training mode is expected to be boolean"),
    (lambda: nn.Sequential(nn.ReLU())[3], IndexError, "index 3 is out of range"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "in_channels must be divisible by groups"),
    (lambda: nn.Conv2d(2, 3, 3, padding="same", stride=2), ValueError, "padding='same' is not supported for strided convolutions"),
    (lambda: nn.Dropout(2), ValueError, "dropout probability has to be between 0 and 1, but got 2"),
    (lambda: nn.BatchNorm2d(3)(tl.ones(2, 2)), ValueError, "expected 4D input (got 2D input)"),
    (lambda: F.mse_loss(tl.ones(2), tl.ones(2), reduction="x"), ValueError, "x is not a valid value for reduction"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS, ids=[text[:50] for _, _, text in ERRORS])
def test_errors(call: Any, kind: type, text: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    message = caught.value.args[0]
    assert message.startswith(there(text))


def test_assigning_before_init() -> None:
    class Early(nn.Module):
        def __init__(self, value: Any) -> None:
            self.value = value

    with pytest.raises(AttributeError, match="cannot assign parameters before Module"):
        Early(nn.Parameter(tl.ones(1)))
    with pytest.raises(AttributeError, match="cannot assign module before Module"):
        Early(nn.ReLU())


def test_modes_and_requires_grad() -> None:
    net = Net()
    assert net.training and net.eval() is net
    assert not any(m.training for m in net.modules())
    net.train()
    assert all(m.training for m in net.modules())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_conversion_keeps_identity() -> None:
    net = Net()
    before = [id(p) for p in net.parameters()]
    net.count = tl.zeros(1, dtype=tl.int64)
    assert net.double() is net
    assert [id(p) for p in net.parameters()] == before
    assert net.scale.dtype == tl.float64 and net.scratch.dtype == tl.float64 and net.count.dtype == tl.int64
    net.to(tl.float32)
    assert {p.dtype for p in net.parameters()} == {tl.float32}
    net.to(tl.ones(1, dtype=tl.float64))
    assert net.body[0].weight.dtype == tl.float64
    net.half().bfloat16().float().to("cpu", tl.float32)
    assert net.scale.dtype == tl.float32 and net.scale.is_leaf and net.scale.requires_grad


def test_apply_and_zero_grad() -> None:
    net = Net()
    seen: list = []
    assert net.apply(seen.append) is net
    assert seen[-1] is net and len(seen) == 6
    for p in net.parameters():
        p.grad = tl.ones_like(p)
    net.zero_grad(set_to_none=False)
    assert all(p.grad.abs().max().item() == 0 for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_lookup_by_dotted_name() -> None:
    net = Net()
    assert net.get_submodule("") is net and net.get_submodule("body.2") is net.body[2]
    assert net.get_parameter("body.0.weight") is net.body[0].weight
    assert net.get_buffer("count") is net.count
    net.set_submodule("body.1", nn.Tanh())
    assert isinstance(net.body[1], nn.Tanh)


# State dicts


def test_state_dict() -> None:
    net = Net()
    state = net.state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == [
        "scale", "count", "body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias", "shared.weight", "shared.bias",
    ]  # fmt: skip
    assert list(state._metadata) == ["", "body", "body.0", "body.1", "body.2", "shared"]
    assert state._metadata["body"] == {"version": 1}
    assert not state["scale"].requires_grad and net.state_dict(keep_vars=True)["scale"] is net.scale
    assert list(nn.Linear(1, 1).state_dict(prefix="p.")) == ["p.weight", "p.bias"]


def test_load_state_dict() -> None:
    first, second = Net(), Net()
    result = second.load_state_dict(first.state_dict())
    assert str(result) == "<All keys matched successfully>" and repr(result) == "<All keys matched successfully>"
    assert tuple(result) == ([], [])
    assert all(tl.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))
    target = second.scale
    second.load_state_dict(first.state_dict(), assign=True)
    assert second.scale is not target and isinstance(second.scale, nn.Parameter)
    result = second.load_state_dict({"scale": tl.zeros(2), "z": 1}, strict=False)
    assert result.unexpected_keys == ["z"] and result.missing_keys[0] == "count"
    assert str(result).startswith("_IncompatibleKeys(missing_keys=['count'")


def test_load_state_dict_errors() -> None:
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(2, 3).load_state_dict({"weight": tl.zeros(1), "z": 1, "weight.q": 3})
    size = f"{tl.__name__}.Size"
    assert str(caught.value) == (
        'Error(s) in loading state_dict for Linear:\n\tMissing key(s) in state_dict: "bias". \n\tUnexpected key(s) in '
        f'state_dict: "z", "weight.q". \n\tsize mismatch for weight: copying a param with shape {size}([1]) from '
        f"checkpoint, the shape in current model is {size}([3, 2])."
    )
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        nn.Linear(2, 3).load_state_dict(3)


def test_state_hooks_and_extra_state() -> None:
    class Extra(nn.Linear):
        def get_extra_state(self) -> Any:
            return {"n": 5}

        def set_extra_state(self, state: Any) -> None:
            self.loaded = state

    m = Extra(1, 1)
    calls: list = []
    m.register_state_dict_pre_hook(lambda module, prefix, keep: calls.append("pre"))
    handle = m.register_state_dict_post_hook(lambda module, state, prefix, metadata: state.update(more=1))
    state = m.state_dict()
    assert calls == ["pre"] and state["more"] == 1 and state["_extra_state"] == {"n": 5}
    handle.remove()
    assert "more" not in m.state_dict()
    m.register_load_state_dict_pre_hook(lambda module, state, *rest: state.pop("more"))
    m.register_load_state_dict_post_hook(lambda module, keys: calls.append(tuple(map(list, keys))))
    m.load_state_dict(state)
    assert m.loaded == {"n": 5} and calls[-1] == ([], [])


# Copies


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_copies(clone: Any) -> None:
    net = Net()
    net.scale.grad = tl.ones(2)
    other = clone(net)
    assert other.scale is not net.scale and isinstance(other.scale, nn.Parameter) and other.scale.requires_grad
    assert other.body[0] is other.shared and other.scale is other._parameters["scale"]
    assert all(tl.equal(a, b) for a, b in zip(net.parameters(), other.parameters()))
    other.scale = nn.Parameter(tl.zeros(2))
    assert other._parameters["scale"] is other.scale and tl.equal(net.scale, tl.ones(2))
    other._parameters["scale"] = None
    assert other.scale is None and net.scale is not None


def test_modules_die_without_the_collector() -> None:
    if not IS_TENSORLITE:
        pytest.skip("about tensorlite's registries")
    net = Net()
    seen = weakref.ref(net)
    gc.disable()
    try:
        del net
        assert seen() is None
    finally:
        gc.enable()


# Hooks


def test_forward_hooks() -> None:
    m = nn.Linear(2, 2)
    x = tl.ones(1, 2)
    plain = m(x)
    log: list = []
    first = m.register_forward_pre_hook(lambda module, args: log.append("pre"))
    second = m.register_forward_hook(lambda module, args, out: out * 2)
    assert tl.equal(m(x), plain * 2) and log == ["pre"]
    m.register_forward_pre_hook(lambda module, args: log.append("first"), prepend=True)
    m(x)
    assert log == ["pre", "first", "pre"]
    first.remove()
    second.remove()
    assert tl.equal(m(x), plain)
    with m.register_forward_pre_hook(lambda module, args: args[0] * 0):
        assert tl.equal(m(x)[0], m.bias)
    assert tl.equal(m(x), plain)


def test_forward_hooks_with_kwargs() -> None:
    net = Net()
    x = tl.ones(1, 2)
    seen: list = []
    net.register_forward_pre_hook(lambda m, args, kwargs: (args, {"factor": 3.0}), with_kwargs=True)
    net.register_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    assert tl.equal(net(x), net.forward(x, factor=3.0)) and seen == [{"factor": 3.0}]
    net.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        net(x)


def test_hooks_that_are_always_called() -> None:
    class Broken(nn.Module):
        def forward(self, x: Any) -> Any:
            raise ArithmeticError("broken")

    m = Broken()
    log: list = []
    m.register_forward_hook(lambda module, args, out: log.append(out), always_call=True)
    m.register_forward_hook(lambda module, args, out: log.append("no"))
    with pytest.raises(ArithmeticError):
        m(1)
    assert log == [None]


def test_global_hooks() -> None:
    module = importlib.import_module(f"{tl.__name__}.nn.modules.module")
    m = nn.Sequential(nn.ReLU(), nn.ReLU())
    log: list = []
    handle = module.register_module_forward_hook(lambda mod, args, out: log.append(type(mod).__name__))
    m(tl.ones(1))
    handle.remove()
    m(tl.ones(1))
    assert log == ["ReLU", "ReLU", "Sequential"]


def test_full_backward_hooks() -> None:
    m = nn.Linear(2, 3)
    x = tl.ones(1, 2, requires_grad=True)
    log: list = []
    m.register_full_backward_pre_hook(lambda module, grad: (grad[0] * 2,))
    handle = m.register_full_backward_hook(lambda module, grad_in, grad_out: log.append((grad_in, grad_out)))
    m(x).sum().backward()
    grad_in, grad_out = log[0]
    assert tl.equal(grad_out[0], tl.full((1, 3), 2.0)) and tl.equal(grad_in[0], x.grad)
    assert tl.equal(m.bias.grad, tl.full((3,), 2.0))
    handle.remove()
    m.register_full_backward_hook(lambda module, grad_in, grad_out: (grad_in[0] * 0,))
    x.grad = None
    m(x).sum().backward()
    assert tl.equal(x.grad, tl.zeros(1, 2))
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full backward hooks"):
        m.register_backward_hook(lambda *args: None)


def test_full_backward_hook_without_input_grad() -> None:
    m = nn.Linear(2, 3)
    log: list = []
    m.register_full_backward_hook(lambda module, grad_in, grad_out: log.append(grad_in))
    with pytest.warns(UserWarning, match="Full backward hook is firing when gradients are computed with respect to"):
        m(tl.ones(1, 2)).sum().backward()
    assert log == [(None,)] and m.weight.grad is not None


# Parameters


@pytest.mark.cpu
def test_parameter() -> None:
    data = tl.ones(2)
    p = nn.Parameter(data)
    assert isinstance(p, tl.Tensor) and p.requires_grad and p.is_leaf
    assert p.data_ptr() == data.data_ptr() and type(p * 2) is tl.Tensor
    assert repr(p) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    with tl.no_grad():
        assert nn.Parameter(data).requires_grad
    assert nn.Parameter().shape == (0,) and not nn.Parameter(data, requires_grad=False).requires_grad
    assert isinstance(nn.Buffer(data), nn.Buffer) and not isinstance(data, nn.Buffer)


# Containers


def test_sequential() -> None:
    layers = [nn.Linear(1, 1), nn.ReLU(), nn.Tanh()]
    s = nn.Sequential(*layers)
    assert len(s) == 3 and s[-1] is layers[2] and list(s) == layers
    assert isinstance(s[1:], nn.Sequential) and names(s[1:].named_children()) == ["1", "2"]
    s.append(nn.Sigmoid())
    s[0] = nn.Identity()
    del s[1]
    assert [type(m).__name__ for m in s] == ["Identity", "Tanh", "Sigmoid"]
    assert names(s.named_children()) == ["0", "1", "2"]
    s.insert(1, nn.ELU())
    assert [type(m).__name__ for m in s] == ["Identity", "ELU", "Tanh", "Sigmoid"]
    s.extend([nn.ReLU()])
    assert isinstance(s.pop(4), nn.ReLU) and len(s + s) == 8 and len(s * 2) == 8
    named = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Tanh()))
    assert isinstance(named.b, nn.Tanh) and names(named.named_children()) == ["a", "b"]
    with pytest.raises(TypeError):
        nn.Sequential(3)


def test_module_list_and_dict() -> None:
    items = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    items += [nn.ELU()]
    items.insert(0, nn.Identity())
    assert [type(m).__name__ for m in items] == ["Identity", "ReLU", "Tanh", "ELU"]
    assert isinstance(items[1:3], nn.ModuleList) and len(items[1:3]) == 2
    del items[0]
    assert names(items.named_children()) == ["0", "1", "2"] and isinstance(items.pop(-1), nn.ELU)
    table = nn.ModuleDict({"a": nn.ReLU()})
    table["b"] = nn.Tanh()
    table.update([("c", nn.ELU())])
    assert list(table) == ["a", "b", "c"] and "a" in table and len(table) == 3
    assert isinstance(table.pop("a"), nn.ReLU) and list(table.keys()) == ["b", "c"]
    with pytest.raises(KeyError):
        nn.ModuleDict({"keys": nn.ReLU()})


def test_parameter_list_and_dict() -> None:
    items = nn.ParameterList([tl.zeros(2), nn.Parameter(tl.ones(1))])
    items.append(tl.ones(3))
    assert len(items) == 3 and isinstance(items[0], nn.Parameter)
    assert names(items.named_parameters()) == ["0", "1", "2"]
    items[0] = tl.ones(4)
    assert items[0].shape == (4,) and len(list(items)) == 3
    table = nn.ParameterDict({"a": tl.zeros(1)})
    table["b"] = tl.ones(2)
    assert list(table.keys()) == ["a", "b"] and names(table.named_parameters()) == ["a", "b"]
    assert table.pop("a").shape == (1,) and "a" not in table


# Layers and functions


def test_linear_and_conv_shapes() -> None:
    assert nn.Linear(3, 5)(tl.ones(2, 4, 3)).shape == (2, 4, 5)
    assert nn.Linear(3, 5, bias=False).bias is None
    x = tl.rand(2, 4, 9, 8)
    assert nn.Conv2d(4, 6, 3, stride=2, padding=1)(x).shape == (2, 6, 5, 4)
    assert nn.Conv2d(4, 6, (2, 3), groups=2, dilation=2)(x[0]).shape == (6, 7, 4)
    assert nn.Conv2d(4, 6, 3, padding="same")(x).shape == (2, 6, 9, 8)
    assert nn.Conv2d(4, 6, 3, padding=2, padding_mode="circular")(x).shape == (2, 6, 11, 10)
    assert nn.MaxPool2d(2)(x).shape == (2, 4, 4, 4) and nn.Flatten()(x).shape == (2, 288)
    assert nn.Unflatten(1, (2, 2))(x).shape == (2, 2, 2, 9, 8)
    assert nn.AdaptiveAvgPool2d((1, None))(x).shape == (2, 4, 1, 8)


def test_dropout() -> None:
    x = tl.ones(1000)
    drop = nn.Dropout(0.25)
    y = drop(x)
    values = set(np.unique(y.numpy()).tolist())
    assert values == {0.0, float(np.float32(1) / np.float32(0.75))} and 0.15 < (y == 0).sum().item() / 1000 < 0.35
    assert drop.eval()(x) is x and F.dropout(x, 0.0) is x
    assert tl.equal(F.dropout(x, 1.0), tl.zeros(1000))
    assert F.dropout(x, 0.5, inplace=True) is x and x.max().item() == 2.0
    r = tl.ones(3, requires_grad=True)
    assert type(F.dropout(r)).__name__ == "Tensor" and F.dropout(r).grad_fn.name() == "MulBackward0"


def test_cross_entropy_is_nll_of_log_softmax() -> None:
    x = tl.randn(5, 3, requires_grad=True)
    t = tl.tensor([0, 2, 1, 1, 0])
    loss = F.cross_entropy(x, t)
    assert loss.grad_fn.name() == "NllLossBackward0"
    assert loss.grad_fn.next_functions[0][0].name() == "LogSoftmaxBackward0"
    expected = -F.log_softmax(x, 1).detach().numpy()[np.arange(5), t.numpy()].mean()
    assert abs(loss.item() - expected) < 1e-6
    assert nn.CrossEntropyLoss(reduction="none")(x, t).shape == (5,)
    with pytest.raises(ValueError, match=r"Expected input batch_size \(5\) to match target batch_size \(2\)"):
        F.cross_entropy(x, t[:2])
    with pytest.raises(IndexError, match="Target 7 is out of bounds"):
        F.cross_entropy(x, t + 5 * (t == 2))


def test_mse_loss_warns_of_sizes() -> None:
    with pytest.warns(
        UserWarning, match=r"Using a target size \(.*Size\(\[2\]\)\) that is different to the input size"
    ):
        F.mse_loss(tl.zeros(2, 1), tl.zeros(2))
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        assert nn.MSELoss(size_average=False).reduction == "sum"


def test_softmax_without_dim_warns() -> None:
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax has been deprecated"):
        assert tl.equal(F.softmax(tl.ones(2, 4)), tl.full((2, 4), 0.25))


def test_printed_structure() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()]), nn.Dropout(0.25), nn.Flatten()
    )
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "  (1): ModuleList(\n"
        "    (0-1): 2 x ReLU()\n"
        "    (2): Tanh()\n"
        "  )\n"
        "  (2): Dropout(p=0.25, inplace=False)\n"
        "  (3): Flatten(start_dim=1, end_dim=-1)\n"
        ")"
    )


def test_padding_modes() -> None:
    x = tl.arange(4.0).reshape(1, 1, 4)
    assert F.pad(x, (1, 2)).flatten().tolist() == [0, 0, 1, 2, 3, 0, 0]
    assert F.pad(x, (-1, 1), value=5.0).flatten().tolist() == [1, 2, 3, 5]
    assert F.pad(x, (2, 1), mode="reflect").flatten().tolist() == [2, 1, 0, 1, 2, 3, 2]
    assert F.pad(x, (2, 1), mode="replicate").flatten().tolist() == [0, 0, 0, 1, 2, 3, 3]
    assert F.pad(x, (2, 1), mode="circular").flatten().tolist() == [2, 3, 0, 1, 2, 3, 0]
    with pytest.raises(RuntimeError, match="Padding length must be divisible by 2"):
        F.pad(x, (1,))


def test_clip_grad() -> None:
    p = nn.Parameter(tl.zeros(4))
    p.grad = tl.full((4,), 3.0)
    total = nn.utils.clip_grad_norm_([p], 1.0)
    assert abs(total.item() - 6) < 1e-6 and abs((p.grad * p.grad).sum().item() - 1) < 1e-5
    nn.utils.clip_grad_value_(p, 0.1)
    assert p.grad.max().item() == pytest.approx(0.1)
    vector = nn.utils.parameters_to_vector([p, p])
    assert vector.shape == (8,)
    nn.utils.vector_to_parameters(vector.detach() + 1, [p])
    assert p.detach().tolist() == [1, 1, 1, 1]


def test_gain() -> None:
    assert init.calculate_gain("relu") == 2**0.5 and init.calculate_gain("tanh") == 5 / 3
    with pytest.raises(ValueError, match="Unsupported nonlinearity foo"):
        init.calculate_gain("foo")
    with pytest.raises(ValueError, match="Fan in and fan out can not be computed"):
        init.xavier_uniform_(tl.empty(3))
    q = init.orthogonal_(tl.empty(5, 3))
    assert np.allclose(q.numpy().T @ q.numpy(), np.eye(3), atol=1e-5)
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        init.kaiming_uniform_(tl.empty(0, 3))


# Against PyTorch

LAYERS = [
    "Linear(3, 5)", "Linear(3, 5, bias=False)", "Bilinear(2, 3, 4)", "Conv1d(2, 4, 3)", "Conv2d(2, 4, 3, groups=2)",
    "Conv2d(2, 4, (3, 5), stride=2, padding=1, dilation=2, bias=False, padding_mode='reflect')", "Conv3d(1, 2, 2)",
    "Conv2d(2, 4, 3, padding='same')", "ConvTranspose2d(2, 4, 3, stride=2, output_padding=1)", "ConvTranspose1d(2, 4, 3)",
    "MaxPool2d(2)", "MaxPool2d((2, 3), 1, return_indices=True)", "MaxPool1d(3)", "AvgPool2d(2)", "AvgPool1d(2)",
    "AdaptiveAvgPool2d((1, None))", "AdaptiveMaxPool2d(3)", "Flatten()", "Unflatten(1, (2, 3))", "Dropout()",
    "Dropout2d(0.1, True)", "ReLU()", "ReLU(True)", "LeakyReLU(0.1, True)", "Sigmoid()", "Tanh()", "GELU('tanh')", "SiLU()",
    "ELU(1, True)", "SELU()", "CELU()", "Softmax()", "LogSoftmax(-1)", "Softmax2d()", "Softplus()", "Softshrink()",
    "Hardtanh(-2, 2, True)", "ReLU6()", "PReLU(3)", "GLU()", "Threshold(1, 2)", "RReLU()", "CrossEntropyLoss()",
    "BatchNorm1d(3)", "BatchNorm2d(3, affine=False)", "LayerNorm((2, 3))", "LayerNorm(3, bias=False)", "GroupNorm(2, 4)",
    "InstanceNorm2d(3)", "Embedding(3, 4)", "Embedding(3, 4, padding_idx=-1, max_norm=1.0)", "RMSNorm(4)", "ZeroPad2d(1)",
    "ConstantPad2d(1, 2.0)", "ReflectionPad1d((1, 2))", "Upsample(scale_factor=2)", "PixelShuffle(2)", "MSELoss()",
    "ModuleList()", "Identity(3)", "AlphaDropout()", "TripletMarginLoss()", "MaxPool3d(2, return_indices=True)",
    "LPPool1d(2, 3)", "LPPool2d(1.5, (3, 2), stride=2, ceil_mode=True)", "LPPool3d(2, 2)", "MaxUnpool1d(2, stride=3)",
    "MaxUnpool2d((2, 3))", "MaxUnpool3d(2, padding=1)", "FractionalMaxPool2d(3, output_size=5)",
    "FractionalMaxPool3d(2, output_ratio=(0.5, 0.5, 0.5))", "AdaptiveMaxPool3d(3)", "LocalResponseNorm(2)",
    "CrossMapLRN2d(2)", "ChannelShuffle(2)", "FeatureAlphaDropout(0.3)", "Fold((4, 5), 2)", "Unfold(2, padding=1)",
    "EmbeddingBag(5, 3, padding_idx=1, max_norm=2.0, scale_grad_by_freq=True, mode='sum')", "CTCLoss()", "MultiMarginLoss()",
    "MultiLabelMarginLoss()", "MultiLabelSoftMarginLoss()", "TripletMarginWithDistanceLoss()",
    "LinearCrossEntropyLoss(5, 10, out_features=(4, 3), bias=True)", "AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10], 2.0)",
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("layer", LAYERS)
def test_layer_prints_and_starts_as_in_pytorch(layer: str) -> None:
    made = []
    for library in (tl, torch):
        library.manual_seed(3)
        made.append(eval("nn." + layer, {"nn": library.nn}))
    ours, theirs = made
    assert repr(ours) == repr(theirs)
    a, b = ours.state_dict(), theirs.state_dict()
    assert list(a) == list(b) and a._metadata == b._metadata
    exact = not layer.startswith("Embedding")
    for key in a:
        x, y = a[key].numpy(), b[key].numpy()
        assert x.dtype == y.dtype and (np.array_equal(x, y) if exact else np.allclose(x, y, atol=2e-6)), key


INITIALISERS = [
    ("uniform_", (-1.0, 2.0)), ("normal_", (1.0, 2.0)), ("trunc_normal_", ()), ("trunc_normal_", (3.0, 0.5, 0.0, 1.5)),
    ("xavier_uniform_", (2.0,)), ("xavier_normal_", ()), ("kaiming_uniform_", (5**0.5,)), ("orthogonal_", ()),
    ("kaiming_normal_", (0.1, "fan_out", "leaky_relu")), ("sparse_", (0.3,)), ("eye_", ()), ("constant_", (2.0,)),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("name", "args"), INITIALISERS, ids=[f"{n}{a}" for n, a in INITIALISERS])
@pytest.mark.parametrize("shape", [(5, 7), (7, 5)], ids=str)
@pytest.mark.filterwarnings("ignore:mean is more than 2 std")
def test_initialisers_draw_as_pytorch(name: str, args: tuple, shape: tuple) -> None:
    values, states = [], []
    for library in (tl, torch):
        library.manual_seed(3)
        values.append(getattr(library.nn.init, name)(library.empty(shape), *args).numpy())
        states.append(library.rand(1).item())
    assert np.allclose(*values, atol=1e-5) and states[0] == states[1]


def both(function: Any, *inputs: np.ndarray) -> list[list[np.ndarray]]:
    """The result of a function of (library, *tensors) and the gradients of its float inputs, from both libraries."""
    results = []
    for library in (tl, torch):
        library.manual_seed(1)
        tensors = [library.from_numpy(x.copy()).requires_grad_(x.dtype.kind == "f") for x in inputs]
        out = function(library, *tensors)
        got = [out.detach().numpy()]
        if out.requires_grad:
            weights = np.sin(np.arange(out.numel()) + 1.0).reshape(tuple(out.shape)).astype(got[0].dtype)
            out.backward(library.from_numpy(weights))
            got += [t.grad.numpy() for t in tensors if t.requires_grad and t.grad is not None]
        results.append(got)
    return results


def check(function: Any, *inputs: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = both(function, *inputs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def images() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 2, (3, 4, 6, 6))


FUNCTIONS = [
    "relu(x)", "leaky_relu(x)", "elu(x)", "selu(x)", "celu(x, 0.7)", "gelu(x)", "gelu(x, approximate='tanh')", "silu(x)",
    "mish(x)", "softplus(x, 2, 3)", "softsign(x)", "logsigmoid(x)", "hardtanh(x)", "relu6(x)", "hardsigmoid(x)",
    "hardswish(x)", "softshrink(x)", "hardshrink(x)", "tanhshrink(x)", "glu(x, 1)", "threshold(x, 0.5, 2.0)", "rrelu(x)",
    "relu(x * 1, inplace=True)", "elu(x * 1, inplace=True)", "hardtanh(x * 1, inplace=True)", "softmin(x, 1)",
    "softmax(x, 1)", "log_softmax(x, -1)", "avg_pool2d(x, 2)", "avg_pool2d(x, 3, 2, 1, count_include_pad=False)",
    "avg_pool2d(x, 4, 3, 2, ceil_mode=True)", "avg_pool1d(x[0], 3, 2, 1)", "avg_pool3d(x, 2)", "max_pool2d(x, 2)",
    "max_pool2d(x, 3, 2, 1, ceil_mode=True)", "max_pool1d(x[0], 2)", "adaptive_avg_pool2d(x, (2, None))",
    "adaptive_avg_pool2d(x, 4)", "adaptive_max_pool2d(x, 4)", "pad(x, (1, 2, 3, 0))", "pad(x, (-1, 2, 0, -2))",
    "pad(x, (1, 2, 3, 0), mode='reflect')", "pad(x, (1, 2, 3, 0), mode='circular')", "pixel_shuffle(x, 2)",
    "interpolate(x, scale_factor=2)", "interpolate(x, scale_factor=1.7)", "interpolate(x, size=(4, 9), mode='bilinear')",
    "interpolate(x, size=(4, 9), mode='bilinear', align_corners=True)", "unfold(x, 3, 1, 1, 2)", "normalize(x)",
    "layer_norm(x, (6, 6))", "rms_norm(x, (6,))", "group_norm(x, 2)", "instance_norm(x)", "normalize(x, 3.0, 2)",
    "batch_norm(x, None, None, training=True)", "alpha_dropout(x, 0.0, True)", "cosine_similarity(x, x[:1] * 2 + 1)",
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("call", FUNCTIONS)
def test_functions_agree_with_pytorch(call: str) -> None:
    check(lambda library, x: eval("F." + call, {"F": library.nn.functional, "x": x}), images())


LOSSES = [
    "mse_loss(x, y)", "l1_loss(x, y)", "smooth_l1_loss(x, y)", "smooth_l1_loss(x, y, beta=0.3)", "huber_loss(x, y, delta=0.3)",
    "binary_cross_entropy_with_logits(x, p)", "binary_cross_entropy_with_logits(x, p, weight=p, pos_weight=p + 1)",
    "binary_cross_entropy(p * 1, p)", "binary_cross_entropy(p * 1, p, weight=p)", "kl_div(x, p)",
    "poisson_nll_loss(x, p, full=True)", "gaussian_nll_loss(x, y, p, full=True)", "cross_entropy(x, c)",
    "cross_entropy(x, c, weight=w)", "cross_entropy(x, c, label_smoothing=0.1)", "cross_entropy(x, c, ignore_index=2)",
    "cross_entropy(x, c, weight=w, ignore_index=2, label_smoothing=0.2)", "cross_entropy(x, p)",
    "cross_entropy(x, p, weight=w, label_smoothing=0.1)", "cross_entropy(x[0, :, 0, 0], c[0, 0, 0])",
    "cross_entropy(x[:, :, 0, 0], c[:, 0, 0])", "nll_loss(x, c, weight=w)", "cosine_embedding_loss(x[0, 0], y[0, 0], s, 0.1)",
    "margin_ranking_loss(x[0, 0, 0], y[0, 0, 0], s, 0.1)", "hinge_embedding_loss(x[0, 0, 0], s)",
    "triplet_margin_loss(x[0, 0], y[0, 0], p[0, 0], swap=True)", "soft_margin_loss(x[0, 0], s)",
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("call", LOSSES)
def test_losses_agree_with_pytorch(call: str, reduction: str) -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.05, 0.95, (3, 4, 6, 6))
    classes = rng.integers(0, 4, (3, 6, 6))
    code = "F." + call[:-1] + f", reduction={reduction!r})"

    def run(library: Any, x: Any, y: Any, c: Any) -> Any:
        constants = {
            "p": library.from_numpy(p),
            "w": library.from_numpy(np.array([0.2, 1.0, 0.7, 2.0])),
            "s": library.from_numpy(np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])),
        }
        return eval(code, {"F": library.nn.functional, "x": x, "y": y, "c": c, **constants})

    check(run, images(), rng.normal(size=(3, 4, 6, 6)), classes)


@pytest.mark.parity
def test_embedding_and_attention_agree_with_pytorch() -> None:
    rng = np.random.default_rng(2)
    table, places = rng.normal(size=(6, 5)), rng.integers(0, 6, (3, 4))
    check(lambda lib, w, i: lib.nn.functional.embedding(i, w), table, places)
    check(lambda lib, w, i: lib.nn.functional.embedding(i, w, padding_idx=2), table, places)
    check(lambda lib, i: lib.nn.functional.one_hot(i, 7), places)
    q, k, v = (rng.normal(size=(2, 3, 5, 4)) for _ in range(3))
    check(lambda lib, *t: lib.nn.functional.scaled_dot_product_attention(*t), q, k, v)
    check(lambda lib, *t: lib.nn.functional.scaled_dot_product_attention(*t, is_causal=True), q, k, v)
    a, b, w = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 5)), rng.normal(size=(6, 4, 5))
    check(lambda lib, *t: lib.nn.functional.bilinear(*t), a, b, w)


@pytest.mark.parity
@pytest.mark.parametrize(
    "layer",
    [
        "BatchNorm2d(4)", "BatchNorm2d(4, momentum=None)", "InstanceNorm2d(4, affine=True, track_running_stats=True)",
        "Conv2d(4, 4, 3, padding=1, padding_mode='reflect')", "Conv2d(4, 2, 3, padding='same')", "GroupNorm(2, 4)",
        "ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1)",
    ],
)  # fmt: skip
def test_layers_agree_with_pytorch(layer: str) -> None:
    x = images().astype(np.float32)
    results = []
    for library in (tl, torch):
        library.manual_seed(0)
        m = eval("nn." + layer, {"nn": library.nn})
        out = [
            m(library.from_numpy(x.copy())),
            m(library.from_numpy(x.copy() + 1)),
            m.eval()(library.from_numpy(x.copy())),
        ]
        results.append([t.detach().numpy() for t in out] + [v.numpy() for v in m.state_dict().values()])
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@pytest.mark.parity
def test_state_dicts_pass_between_the_libraries() -> None:
    ours = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(3, 4))
    theirs = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Linear(3, 4))
    ours.load_state_dict({k: tl.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()})
    for (name, a), (other, b) in zip(ours.state_dict().items(), theirs.state_dict().items()):
        assert name == other and np.array_equal(a.numpy(), b.numpy())
