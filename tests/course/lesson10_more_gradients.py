"""Derivatives: functions of one's own, higher orders, hooks, in-place writes."""

import torch
from torch.autograd import Variable, grad
from torch.autograd.function import Function
from torch.autograd.functional import hessian, hvp, jacobian, jvp, vjp
from torch.utils.checkpoint import checkpoint


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


print("-- higher orders")
x = torch.tensor(2.0, requires_grad=True)
y = x**4
(first,) = grad(y, x, create_graph=True)
(second,) = grad(first, x, create_graph=True)
(third,) = torch.autograd.grad(second, x)
print(first, second, third, sep="\n")
print(grad(x**2 * 3, x), grad((x * 1).sum(), [x], grad_outputs=torch.tensor(5.0)), grad(x * 2, [x, torch.ones(1, requires_grad=True)], allow_unused=True))
m = torch.tensor([1.0, 2.0], requires_grad=True)
print(jacobian(lambda t: t**2 * t.sum(), m), hessian(lambda t: (t**3).sum(), m), sep="\n")
print(vjp(lambda t: t * 2, m.detach(), torch.ones(2)), jvp(lambda t: t**2, m.detach(), torch.ones(2)), hvp(lambda t: (t**3).sum(), m.detach(), torch.ones(2)), sep="\n")


class Cube(Function):
    @staticmethod
    def forward(ctx, t, factor):
        ctx.save_for_backward(t)
        ctx.factor = factor
        return factor * t**3

    @staticmethod
    def backward(ctx, grad_output):
        (t,) = ctx.saved_tensors
        return grad_output * 3 * ctx.factor * t**2, None


class Clip(Function):
    @staticmethod
    def forward(t):
        return t.clamp(min=0)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, g):
        (t,) = ctx.saved_tensors
        g = g.clone()
        g[t < 0] = 0
        return g


print("-- functions of one's own")
t = torch.tensor([-1.0, 2.0], requires_grad=True)
out = Cube.apply(t, 2)
print(out, out.grad_fn.name(), Clip.apply(t))
out.sum().backward()
print(t.grad, torch.autograd.gradcheck(lambda v: Cube.apply(v, 2), (torch.tensor([0.5, 2.0], dtype=torch.double, requires_grad=True),)))
attempt(lambda: Cube()(t, 2))

print("-- hooks")
v = torch.tensor([1.0, 2.0], requires_grad=True)
handle = v.register_hook(lambda g: print("gradient", g))
w = v * 3
w.register_hook(lambda g: g * 10)
w.sum().backward()
handle.remove()
print(v.grad)
(v * 2).sum().backward()
print(v.grad)
attempt(lambda: torch.ones(1).register_hook(print))
n = (v * v).sum().grad_fn.next_functions[0][0]
print(n.name(), torch.equal(n._saved_self, v), n._saved_other is not None, [name for name in dir(n) if name.startswith("_saved")])

print("-- writing in place")
base = torch.zeros(2, 3, requires_grad=True)
copy = base * 1
copy[0] = v[0] * 2
copy[:, 1].mul_(3)
copy[1, 2:] += v[1]
print(copy, copy.grad_fn.name(), copy[0].grad_fn.name())
v.grad = None
(copy * torch.arange(6.0).reshape(2, 3)).sum().backward()
print(base.grad, v.grad)
leaf = torch.ones(3, requires_grad=True)
attempt(lambda: leaf[0].mul_(2))
attempt(lambda: leaf.unsqueeze_(0))
attempt(lambda: leaf.zero_())
one, two = (leaf * 1).unbind()[:2]
attempt(lambda: one.add_(1))
with torch.no_grad():
    view = leaf[:2]
attempt(lambda: view.add_(1))
leaf2 = leaf * 2
leaf2.detach_()
print(leaf2.requires_grad, leaf2.grad_fn, leaf2.is_leaf)

print("-- old and rare")
old = Variable(torch.ones(2), requires_grad=True)
print(old, isinstance(old, Variable), isinstance(torch.ones(1), Variable), type(old) is torch.Tensor)
(old * 2).sum().backward()
print(old.grad.data, old.grad.detach_().zero_())
p = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
print(p, p.requires_grad, isinstance(p, torch.Tensor), torch.nn.Parameter(torch.zeros(1), requires_grad=False), list(map(type, [p])) == [torch.nn.Parameter])
print(checkpoint(lambda q: q.sin() * 2, p, use_reentrant=False).grad_fn is not None)
with torch.autograd.set_detect_anomaly(False):
    pass
bad = torch.tensor([-1.0], requires_grad=True)
with torch.autograd.detect_anomaly(check_nan=True):
    attempt(lambda: bad.sqrt().sum().backward())
with torch.autograd.graph.saved_tensors_hooks(lambda s: s * 1, lambda s: s):
    k = (p * p).sum()
k.backward()
print(p.grad)
torch.autograd.backward([p.sum(), (p * 2).sum()])
print(p.grad)
