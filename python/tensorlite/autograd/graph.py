"""Nodes of the backward graph and hooks on them."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import _C
from .._hooks import RemovableHandle

__all__ = [
    "GradientEdge",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "save_on_cpu",
    "saved_tensors_hooks",
]

Node = _C.Node


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor flows: input `output_nr` of `node`."""

    node: Any
    output_nr: int


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge along which the gradient of `tensor` flows."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*_C._gradient_edge(tensor))


class saved_tensors_hooks:
    """Within the block pack(tensor) is kept in place of each tensor that an operator saves for backward; unpack(kept)
    gives the tensor back.

    >>> x = torch.ones(2, requires_grad=True)
    >>> with saved_tensors_hooks(lambda t: t.numpy(), torch.from_numpy):
    ...     y = x.exp()
    >>> torch.autograd.grad(y.sum(), x)
    (tensor([2.7183, 2.7183]),)
    """

    def __init__(self, pack_hook: Any, unpack_hook: Any) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        _C._push_pack_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *error: Any) -> None:
        _C._pop_pack_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Within the block saved tensors are kept on the CPU."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: (t.device, t.cpu()), lambda kept: kept[1].to(kept[0]))


class disable_saved_tensors_hooks:
    """Within the block `saved_tensors_hooks` is refused with this message."""

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message

    def __enter__(self) -> None:
        self.previous = saved_tensors_hooks.__enter__

        def refuse(_: Any) -> None:
            raise RuntimeError(self.error_message)

        saved_tensors_hooks.__enter__ = refuse

    def __exit__(self, *error: Any) -> None:
        saved_tensors_hooks.__enter__ = self.previous


def _register(node: Any, attribute: str, add: Any, hook: Any) -> RemovableHandle:
    hooks = node.__dict__.get(attribute)
    if hooks is None:
        hooks = node.__dict__[attribute] = {}
        add(hooks)
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def _register_hook(self: Any, hook: Any) -> RemovableHandle:
    """hook(grad_inputs, grad_outputs) runs after the node; what it returns replaces grad_inputs."""
    return _register(self, "_post_hooks", self._add_post_hooks, hook)


def _register_prehook(self: Any, hook: Any) -> RemovableHandle:
    """hook(grad_outputs) runs before the node; what it returns replaces grad_outputs."""
    return _register(self, "_pre_hooks", self._add_pre_hooks, hook)


Node.register_hook = _register_hook
Node.register_prehook = _register_prehook
Node.metadata = property(lambda self: self.__dict__.setdefault("_metadata", {}))
