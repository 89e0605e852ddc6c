"""Nodes of the backward graph and hooks on them."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import _C
from .._hooks import RemovableHandle

__all__ = ["GradientEdge", "Node", "get_gradient_edge"]

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
