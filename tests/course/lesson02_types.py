"""Kinds of numbers: dtypes, the old type names, promotion, sizes."""

import numpy as np
import torch
from torch import FloatTensor, LongTensor


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


print("-- dtypes")
float_32_tensor = torch.tensor([3.0, 6.0, 9.0], dtype=None, device=None, requires_grad=False)
print(float_32_tensor.dtype, float_32_tensor.device, float_32_tensor.requires_grad, float_32_tensor.layout)
float_16_tensor = float_32_tensor.type(torch.float16)
print(float_16_tensor, float_16_tensor * float_32_tensor, (float_16_tensor * float_32_tensor).dtype)
int_32_tensor = torch.tensor([3, 6, 9], dtype=torch.int32)
print(float_32_tensor * int_32_tensor, int_32_tensor.float(), int_32_tensor.long().dtype, int_32_tensor.bool())
for dtype in (torch.uint8, torch.int8, torch.int16, torch.half, torch.bfloat16, torch.double, torch.complex64):
    t = torch.tensor([1, 0, 2]).to(dtype)
    print(t, t.type(), t.element_size(), t.is_floating_point(), t.is_complex(), dtype.itemsize)
print(torch.float == torch.float32, torch.long is torch.int64, torch.get_default_dtype(), torch.int)
print(torch.finfo(torch.float32).eps, torch.finfo(torch.half).max, torch.iinfo(torch.int8).min, torch.iinfo(torch.uint8))
print(torch.finfo(torch.float32))
print(torch.tensor([1.9, -1.9]).int(), torch.tensor([1.5]).to(torch.int64), torch.tensor([0.0, 0.5]).bool())
print(torch.tensor([3]).to("cpu"), torch.tensor([3]).to(torch.device("cpu"), torch.float64), torch.device("cpu"))
print(torch.tensor([2.0]).type("torch.IntTensor"), torch.tensor([2]).type_as(torch.tensor([1.0])))
attempt(lambda: torch.tensor([1]).to("gpu"))
attempt(lambda: torch.tensor([1]).to(torch.nonsense))

print("-- the old classes")
print(torch.Tensor(2, 3).shape, torch.Tensor([2, 3]), torch.Tensor(), torch.Tensor([[1, 2], [3, 4]]))
print(FloatTensor(2).shape, FloatTensor([2]), LongTensor([[1, 2]]), torch.ByteTensor([1, 255]), torch.BoolTensor([True]))
print(torch.DoubleTensor([1]), torch.IntTensor([1, 2]), torch.ShortTensor([3]), torch.CharTensor([-1]), torch.HalfTensor([0.5]))
x = torch.randn(2, 2)
print(isinstance(x, FloatTensor), isinstance(x, torch.Tensor), isinstance(x, LongTensor), torch.is_tensor(x), type(x))
print(LongTensor(torch.tensor([4, 5])), torch.Tensor(np.array([1.5, 2.5])), FloatTensor(torch.Size([2, 1])).shape)
attempt(lambda: torch.LongTensor([1.5]))
attempt(lambda: torch.Tensor(2, 3.5))

print("-- what comes of mixing")
i, f, d, c, b = torch.tensor([1, 2]), torch.tensor([1.0, 2.0]), torch.tensor(1.0, dtype=torch.double), 1j, torch.tensor([True, False])
print((i + f).dtype, (i + d).dtype, (f + d).dtype, (f * c).dtype, (i * 2.5).dtype, (b + 1).dtype, (b + b).dtype, (i / 2).dtype)
print(torch.result_type(i, f), torch.promote_types(torch.int32, torch.half), torch.can_cast(torch.double, torch.int))
print(i / 2, i // 2, i % 2, i**2, -i, i / i, i.float() / 2, 7 // i, 2**i, 1 - i)
attempt(lambda: i.add_(0.5))
attempt(lambda: b - b)
attempt(lambda: -b)
attempt(lambda: i + "1")
attempt(lambda: torch.ones(2, 3) + torch.ones(2))
attempt(lambda: i // 0)

print("-- sizes")
s = torch.zeros(2, 3, 4).size()
print(s, s[0], s[-1], s[1:], len(s), s.numel(), tuple(s), list(s), s == (2, 3, 4), s + (5,), isinstance(s, tuple))
print(torch.zeros(2, 3).size(1), torch.zeros(2, 3).shape, torch.zeros(4, 5).numel(), torch.zeros(4, 5).nelement(), torch.zeros(2, 3).dim())
print(np.random.normal(size=s).shape, f"{s}", str(s), repr(torch.Size([])), torch.Size((1, 2)), s.count(3), s.index(4))
rows, columns = torch.zeros(3, 7).shape
print(rows, columns, rows * columns, torch.Size([4, 2]) == torch.zeros(4, 2).shape, hash(torch.Size([1])) == hash((1,)))
attempt(lambda: torch.zeros(2).size(3))
attempt(lambda: s[5])

print("-- defaults")
torch.set_default_dtype(torch.float64)
print(torch.tensor([1.0]).dtype, torch.zeros(1).dtype, torch.tensor([1.0]), torch.tensor(1.0, dtype=torch.float32))
torch.set_default_dtype(torch.float32)
torch.set_default_tensor_type(torch.DoubleTensor)
print(torch.rand(1).dtype, torch.Tensor([1]).dtype)
torch.set_default_tensor_type(torch.FloatTensor)
print(torch.get_default_dtype())
attempt(lambda: torch.set_default_dtype(torch.int64))
