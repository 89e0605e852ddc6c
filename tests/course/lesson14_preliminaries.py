"""A textbook's warm-up: data, linear algebra, calculus and chance in small steps."""

import math

import torch

x = torch.arange(12)
print(x, x.numel(), x.shape)
X = x.reshape(3, 4)
print(X, torch.zeros((2, 3, 4)), torch.ones((2, 3, 4)).shape, torch.tensor([[2, 1, 4, 3], [1, 2, 3, 4]]), sep="\n")
x, y = torch.tensor([1.0, 2, 4, 8]), torch.tensor([2, 2, 2, 2])
print((x + y, x - y, x * y, x / y, x**y), torch.exp(x))
X = torch.arange(12, dtype=torch.float32).reshape((3, 4))
Y = torch.tensor([[2.0, 1, 4, 3], [1, 2, 3, 4], [4, 3, 2, 1]])
print(torch.cat((X, Y), dim=0), torch.cat((X, Y), dim=1), X == Y, X.sum(), sep="\n")
a, b = torch.arange(3).reshape((3, 1)), torch.arange(2).reshape((1, 2))
print((a, b), a + b)
before = id(Y)
Y = Y + X
print(id(Y) == before)
Z = torch.zeros_like(Y)
where = id(Z)
Z[:] = X + Y
print(id(Z) == where)
before = id(X)
X += Y
print(id(X) == before)
A = X.numpy()
B = torch.tensor(A)
print(type(A), type(B))
a = torch.tensor([3.5])
print((a, a.item(), float(a), int(a)))

print("-- missing data")
nan = float("nan")
rooms = torch.tensor([[nan, 127500.0], [2.0, 106000.0], [4.0, 178100.0], [nan, 140000.0]])
filled = torch.where(rooms.isnan(), rooms.nanmean(0).expand_as(rooms), rooms)
print(filled, rooms[~rooms.isnan().any(dim=1)], torch.nan_to_num(rooms), torch.isnan(rooms).sum().item(), sep="\n")

print("-- linear algebra")
A = torch.arange(20, dtype=torch.float32).reshape(5, 4)
B = A.clone()
print((A, A + B), A * B, A.T, (A == A.T.T).all(), sep="\n")
S = torch.tensor([[1, 2, 3], [2, 0, 4], [3, 4, 5]])
print(S == S.T, torch.arange(24).reshape(2, 3, 4))
print(A.shape, A.sum(), A.sum(axis=0), A.sum(axis=1).shape, A.sum(axis=[0, 1]), A.mean(), A.mean(axis=0), A.sum() / A.numel())
sum_A = A.sum(axis=1, keepdims=True)
print(sum_A, A / sum_A, A.cumsum(axis=0))
x, y = torch.arange(4.0), torch.ones(4)
print((x, y, torch.dot(x, y)), torch.sum(x * y), torch.mv(A, x), A @ x, torch.mm(A, torch.ones(4, 3)))
u = torch.tensor([3.0, -4.0])
print(torch.norm(u), torch.abs(u).sum(), torch.norm(torch.ones((4, 9))), u.norm(p=1))

print("-- calculus")


def f(x):
    return 3 * x**2 - 4 * x


for h in 10.0 ** -torch.arange(1, 4, dtype=torch.float64):
    print(f"h={h:.5f}, numerical limit={(f(1 + h) - f(1)) / h:.5f}")
x = torch.arange(4.0, requires_grad=True)
print(x.grad)
y = 2 * torch.dot(x, x)
print(y)
y.backward()
print(x.grad, x.grad == 4 * x)
x.grad.zero_()
y = x.sum()
y.backward()
print(x.grad)
t = torch.linspace(-2, 2, 9, requires_grad=True)
curve = torch.sigmoid(t)
curve.backward(torch.ones_like(t), retain_graph=True)
print(torch.allclose(t.grad, curve * (1 - curve)), (t.grad * 1000).round())

print("-- chance")
torch.manual_seed(1)
fair = torch.tensor([0.5, 0.5])
counts = torch.bincount(torch.multinomial(fair, 100, replacement=True), minlength=2)
print(counts.sum(), counts.shape, (counts / 100).sum())
flips = torch.bernoulli(torch.full((1000,), 0.5))
print(abs(flips.mean().item() - 0.5) < 0.1, flips.unique(), torch.rand(5) < 2, math.isclose(torch.rand(1000).mean().item(), 0.5, abs_tol=0.1))
running = flips.cumsum(0) / torch.arange(1, 1001)
print(running.shape, running[-1] == flips.mean())
samples = torch.randn(3, 2)
print((samples - samples.mean(0)).mean(0).abs().max() < 1e-6, torch.softmax(torch.tensor([1.0, 2.0, 3.0]), 0), torch.logsumexp(torch.tensor([1.0, 2.0, 3.0]), 0))
print("ones" in dir(torch), callable(torch.ones))
