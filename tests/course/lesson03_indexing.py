"""Reading and writing with brackets."""

import numpy as np
import torch


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


X = torch.arange(12, dtype=torch.float32).reshape(3, 4)
print("-- reading")
print(X)
print(X[-1], X[1:3], X[1, 2], X[:, 1], X[..., -1], X[0, :2], X[::2, ::3], X[1:2], X[None].shape, sep="\n")
print(X[1][2], X[(1, 2)], X[[0, 2]], X[[0, 1], [2, 3]], X[torch.tensor([2, 0])], X[:, [1, 3]], X[[0, 2], 1:3], sep="\n")
print(X[X > 5], X[(X > 2) & (X < 8)], X[X[:, 0] > 3], X[~(X > 5)].shape, X[torch.tensor([True, False, True])], sep="\n")
print(X[np.int64(1), np.array([0, 2])], X[torch.tensor(1)], X[torch.tensor(1), torch.tensor(2)], X[range(2)], X[[True, False, True], 0])
print(X[:, None, :].shape, X[..., None].shape, X[None, :, None].shape, X[[[0], [1]], [[2, 3]]], X[True].shape, X[False].shape)
batch = torch.arange(24).view(2, 3, 4)
print(batch[0], batch[:, 0, 0], batch[0, ..., 1], batch[:, [0, 2], :].shape, batch[[0, 1], :, [1, 2]], batch[..., [0]].shape, sep="\n")
attempt(lambda: X[3])
attempt(lambda: X[0, 4])
attempt(lambda: X[0, 0, 0])
attempt(lambda: X[[0, 5]])
attempt(lambda: X[1.0])
attempt(lambda: X["a"])
attempt(lambda: X[::-1])
attempt(lambda: X[torch.tensor([True, False])])
attempt(lambda: X[[0, 1], [0, 1, 2]])
attempt(lambda: torch.tensor(1)[0])

print("-- writing")
Y = X.clone()
Y[1, 2] = 9
Y[0:2, :] = 12
print(Y)
Y[:, 0] = torch.tensor([1.0, 2.0, 3.0])
Y[Y > 10] = -1
Y[[0, 2], [1, 1]] = 100
Y[..., -1] += 0.5
Y[2] = X[0]
print(Y)
Y[Y < 0] *= 2
Y[:, 1:3] = torch.zeros(3, 2)
Y[torch.tensor([0]), :2] = torch.tensor([[5.0, 6.0]])
print(Y)
attempt(lambda: Y.__setitem__(5, 0))
attempt(lambda: Y.__setitem__(0, torch.ones(3)))
attempt(lambda: Y.__setitem__((0, 0), "a"))
before = id(Y)
Y[:] = X + Y
print(id(Y) == before, Y.sum())

print("-- views share memory, lists copy")
row, copy = Y[0], Y[[0]]
row[0] = 77.0
print(Y[0, 0], copy[0, 0], row._base is Y, Y.data_ptr() == row.data_ptr())

print("-- by name")
x = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
print(torch.index_select(x, 0, torch.tensor([0, 2])), x.index_select(1, torch.tensor([1])), torch.masked_select(x, x > 4), sep="\n")
print(x.take(torch.tensor([0, 4, 8])), x.gather(1, torch.tensor([[0], [1], [2]])), x.narrow(1, 1, 2), x.select(0, 1), sep="\n")
print(torch.take_along_dim(x, x.argmax(1, keepdim=True), dim=1), x.nonzero().shape, torch.nonzero(x > 7), torch.argwhere(x == 5), sep="\n")
print(torch.nonzero(x > 7, as_tuple=True), torch.where(x > 5), torch.where(x > 5, x, 0), torch.where(x > 5, 1.0, 0.0), sep="\n")
print(x.masked_fill(x % 2 == 0, 0), x.masked_fill(x > 5, -1), torch.zeros(3).masked_scatter(torch.tensor([True, False, True]), torch.tensor([5.0, 6.0])), sep="\n")
print(torch.zeros(2, 4).scatter_(1, torch.tensor([[1], [3]]), 1.0), torch.zeros(3, 5).scatter_(0, torch.tensor([[0, 1, 2, 0, 0]]), torch.rand(1, 5) * 0 + 2), sep="\n")
labels = torch.tensor([2, 0, 1])
one_hot = torch.zeros(3, 3, dtype=torch.long).scatter_(1, labels.unsqueeze(1), 1)
print(one_hot, torch.nn.functional.one_hot(labels), torch.eye(3)[labels], one_hot.argmax(dim=1), sep="\n")
print(torch.zeros(4).scatter_add_(0, torch.tensor([0, 0, 3]), torch.tensor([1.0, 2.0, 3.0])), torch.zeros(2, 3).index_add_(0, torch.tensor([1, 1]), torch.ones(2, 3)), sep="\n")
print(torch.zeros(3).index_copy_(0, torch.tensor([2]), torch.tensor([4.0])), torch.ones(2, 2).index_fill_(1, torch.tensor([0]), -1), sep="\n")
print(torch.zeros(3).index_put_((torch.tensor([0, 0]),), torch.tensor([1.0, 2.0]), accumulate=True), torch.zeros(2, 2).scatter_(1, torch.tensor([[0, 0]]), torch.ones(1, 2), reduce="add"), sep="\n")
print(torch.zeros(3).scatter_reduce_(0, torch.tensor([0, 1, 1]), torch.tensor([1.0, 5.0, 2.0]), reduce="amax"), torch.tensor([1, 2]).put_(torch.tensor([0]), torch.tensor([9])), sep="\n")
attempt(lambda: x.gather(1, torch.tensor([[5]])))
attempt(lambda: x.gather(0, torch.tensor([1])))
attempt(lambda: x.index_select(0, torch.tensor([3])))
attempt(lambda: x.take(torch.tensor([9])))
attempt(lambda: torch.masked_select(x, torch.tensor([1, 0, 1])))

print("-- through gradients")
w = torch.ones(3, 3, requires_grad=True)
(w[0] * 2 + w[[1, 1], [0, 2]].sum() + w[w > 0].sum() * 0.5).sum().backward()
print(w.grad)
