"""Derivatives: the first steps."""

import torch


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


x = torch.arange(4.0)
x.requires_grad_(True)
print(x, x.grad, x.is_leaf, x.grad_fn, x.requires_grad)
y = 2 * torch.dot(x, x)
print(y, y.grad_fn.name(), y.is_leaf)
y.backward()
print(x.grad, x.grad == 4 * x)
x.grad.zero_()
x.sum().backward()
print(x.grad)
x.grad.zero_()
y = x * x
y.backward(gradient=torch.ones(len(y)))
print(x.grad)
x.grad.zero_()
u = (x * x).detach()
(u * x).sum().backward()
print(x.grad == u, u.requires_grad)

print("-- accumulate, clear")
w = torch.tensor(1.0, requires_grad=True)
for _ in range(3):
    (w**2 * 3).backward()
    print(w.grad.item(), w.grad)
w.grad = None
print(w.grad)
w.grad = torch.tensor(5.0)
(w * 2).backward()
print(w.grad)
attempt(lambda: setattr(w, "grad", torch.ones(2)))
attempt(lambda: setattr(w, "grad", 1.0))

print("-- what is refused")
a = torch.tensor([1.0, 2.0], requires_grad=True)
attempt(lambda: torch.tensor([1, 2], requires_grad=True))
attempt(lambda: torch.tensor([1, 2]).requires_grad_())
attempt(lambda: (a * 2).backward())
attempt(lambda: torch.ones(2).sum().backward())
attempt(lambda: a.numpy())
attempt(lambda: a.add_(1))
attempt(lambda: a.__setitem__(0, 5.0))
attempt(lambda: (a * 2).requires_grad_(False))
attempt(lambda: torch.autograd.grad(a.sum(), torch.ones(2, requires_grad=True)))
attempt(lambda: (a * 2).backward(torch.ones(3)))
attempt(lambda: float(a))
z = (a * a).sum()
z.backward()
attempt(lambda: z.backward())
s = a.exp()
s.add_(1)
attempt(lambda: s.sum().backward())
b = a * 1
c = b * b
b[0] = 7.0
attempt(lambda: c.sum().backward())

print("-- switching it off")
with torch.no_grad():
    d = a * 2
    print(d.requires_grad, torch.is_grad_enabled())


@torch.no_grad()
def twice(t):
    return t * 2


print(twice(a).requires_grad, a.detach().requires_grad, a.data.requires_grad, torch.is_grad_enabled())
with torch.enable_grad():
    print((a * 2).requires_grad)
with torch.set_grad_enabled(False):
    print((a * 2).requires_grad)
with torch.inference_mode():
    e = a * 2
    print(e.requires_grad, e.is_inference())
attempt(lambda: e.requires_grad_().sum().backward())
with torch.no_grad():
    a -= 0.5
print(a, a._version, a.is_leaf)
a.data.mul_(2)
a.data[0] = 9
print(a, a.data, a.detach().data_ptr() == a.data_ptr())
a.data = torch.tensor([3.0, 4.0, 5.0])
print(a, a.shape)

print("-- control flow")


def f(t):
    r = t * 2
    while r.norm() < 1000:
        r = r * 2
    return r if r.sum() > 0 else 100 * r


g = torch.tensor(0.3, requires_grad=True)
h = f(g)
h.backward()
print(g.grad == h / g, g.grad)

print("-- the graph")
p, q = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
r = p * q + p.sin()
print(type(r.grad_fn).__name__, [type(n).__name__ for n, _ in r.grad_fn.next_functions], r.grad_fn.next_functions[0][0].next_functions[0][0].variable is p)
r.retain_grad()
(r * 2).backward()
print(r.grad, p.grad, q.grad, r.requires_grad, r.retains_grad, q.grad_fn, p.grad.requires_grad)
for t in (p + 1, p.exp(), p.reshape(1), p[None], torch.stack([p, q]), torch.max(p, q), p @ q if p.dim() else p.clone(), p.unsqueeze(0).mean(), p.pow(2), p / q, -p, p - q):
    print(t, t.grad_fn.name())
print(torch.tensor([1.0], requires_grad=True), torch.tensor([[1.0, 2], [3, 4]], requires_grad=True) * 2, a.sum(), a.view(3, 1).t(), sep="\n")
