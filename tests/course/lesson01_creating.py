"""Making tensors."""

import numpy as np
import torch


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


print("-- from numbers and lists")
scalar = torch.tensor(7)
print(scalar, scalar.ndim, scalar.item(), scalar.shape, scalar.dtype)
vector = torch.tensor([7, 7])
print(vector, vector.ndim, vector.shape)
MATRIX = torch.tensor([[7, 8], [9, 10]])
print(MATRIX)
print(MATRIX.ndim, MATRIX[1], MATRIX.shape)
TENSOR = torch.tensor([[[1, 2, 3], [3, 6, 9], [2, 4, 5]]])
print(TENSOR)
print(TENSOR.ndim, TENSOR.shape, TENSOR[0], sep="\n")
print(torch.tensor([[1.0, 4.0, 6.0], [2, 7, 9]]))
print(torch.tensor([1.5, 2, True]), torch.tensor([True, False]), torch.tensor([1, 2.5]), torch.tensor(1 + 2j))
print(torch.tensor([torch.tensor(1.0), torch.tensor(2.0)]), torch.tensor([]), torch.tensor([[], []]).shape)
print(torch.tensor([np.float32(1.5), np.int64(2)]), torch.tensor(np.arange(4)), torch.tensor(np.array([1.0, 2.0])))
print(torch.tensor(np.float64(2.5)).dtype, torch.tensor(np.int32(3)).dtype, torch.tensor(np.array([[True]])))
print(torch.tensor([1, 2, 3], dtype=torch.float16), torch.tensor([0, 1, 2], dtype=torch.bool), torch.tensor(range(3)))
print(torch.as_tensor([1, 2]), torch.asarray([1.0, 2.0]), torch.tensor(((1, 2), (3, 4))))
attempt(lambda: torch.tensor([[1, 2], [3]]))
attempt(lambda: torch.tensor(["a", "b"]))
attempt(lambda: torch.tensor([None]))
attempt(lambda: torch.zeros_like())

print("-- filled")
print(torch.zeros(2, 3), torch.ones((2, 2)), torch.zeros([2]), torch.zeros(torch.Size([1, 2])), sep="\n")
print(torch.ones(2, 3, dtype=torch.int64), torch.full((2, 2), 7), torch.full([], 7.0), torch.full((2,), True))
print(torch.full((2, 3), 3.141592), torch.eye(3), torch.eye(2, 3, dtype=torch.int32), sep="\n")
print(torch.empty(2, 3).shape, torch.empty((0, 3)), torch.zeros(2, 0), torch.zeros(()))
attempt(lambda: torch.zeros(-1))
attempt(lambda: torch.zeros(2.5))
attempt(lambda: torch.ones("a"))
attempt(lambda: torch.full((2, 2)))

print("-- sequences")
print(torch.arange(5), torch.arange(2, 8), torch.arange(0, 10, 3), torch.arange(1, 0, -0.25), torch.arange(3.0))
print(torch.arange(0, 1, 0.1), torch.arange(5, dtype=torch.float32), torch.arange(start=0, end=10, step=2))
print(torch.linspace(0, 1, 5), torch.linspace(3, 10, steps=4), torch.linspace(-1, 1, 1), torch.logspace(0, 2, 3))
print(torch.logspace(start=1, end=5, steps=5, base=2), torch.linspace(0, 10, 5, dtype=torch.int64))
attempt(lambda: torch.arange(0, 5, -1))
attempt(lambda: torch.arange(0, 5, 0))
attempt(lambda: torch.linspace(0, 1, -2))

print("-- like another")
x = torch.tensor([[1, 2], [3, 4]])
print(torch.zeros_like(x), torch.ones_like(x, dtype=torch.float), torch.full_like(x, 9), torch.empty_like(x).shape)
print(torch.rand_like(x, dtype=torch.float).shape, torch.randn_like(x.double()).dtype, torch.randint_like(x, 5).dtype)
print(x.new_zeros(3), x.new_ones(1, 2), x.new_tensor([1.0, 2.0]), x.new_full((2,), 5), x.new_empty(2, 0))
y = x.new_ones(2, 2, dtype=torch.double)
print(y, y.dtype, y.size(), x.type(), y.type())

print("-- grids and triangles")
a, b = torch.meshgrid(torch.arange(3), torch.arange(2), indexing="ij")
print(a, b, sep="\n")
print(torch.tril_indices(3, 3), torch.triu_indices(2, 3, 1), sep="\n")
print(torch.tril(torch.ones(3, 3)), torch.triu(torch.ones(3, 3), diagonal=1), torch.diag(torch.tensor([1, 2])), sep="\n")
print(torch.complex(torch.tensor([1.0]), torch.tensor([2.0])), torch.polar(torch.tensor(1.0), torch.tensor(0.0)))
print(torch.combinations(torch.tensor([1, 2, 3])), torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4])), sep="\n")
print(torch.vander(torch.tensor([1, 2, 3])), torch.block_diag(torch.ones(1, 2), torch.ones(2, 1)), sep="\n")
