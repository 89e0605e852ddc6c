"""NumPy, Python, copies and files in memory."""

import copy
import pickle

import numpy as np
import torch


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


print("-- NumPy")
array = np.arange(1.0, 8.0)
tensor = torch.from_numpy(array)
print(array, tensor, tensor.dtype)
array += 1
print(tensor)
tensor.mul_(2)
print(array)
ones = torch.ones(3)
shared = ones.numpy()
ones.add_(1)
print(ones, shared, type(shared).__name__, shared.dtype, torch.from_numpy(shared).data_ptr() == ones.data_ptr())
print(torch.tensor(array)[:2], torch.as_tensor(array).data_ptr() == tensor.data_ptr(), torch.Tensor(np.ones((2, 1))).dtype)
attempt(lambda: np.array([1.0, 2.0]) * torch.tensor([3.0, 4.0]))
attempt(lambda: torch.tensor([3.0]) * np.array([2.0]))
attempt(lambda: np.array([1.0]) + torch.tensor([3.0]))
print(np.float32(2) * torch.ones(2), torch.ones(2) * np.float64(1.5))
print(np.sum(torch.ones(2, 2).numpy()), np.asarray(torch.arange(3)), np.exp(torch.zeros(2)), np.array(torch.eye(2)).shape, np.stack([torch.ones(2), torch.zeros(2)]).shape)
print(torch.from_numpy(np.arange(6).reshape(2, 3)[:, ::2]), torch.arange(6).reshape(2, 3).t().numpy().strides, torch.from_numpy(np.zeros((2, 0))).shape)
attempt(lambda: torch.from_numpy(np.arange(4)[::-1]))
attempt(lambda: torch.from_numpy([1, 2]))
attempt(lambda: torch.from_numpy(np.array(["a"])))
attempt(lambda: torch.ones(2, requires_grad=True).numpy())
print(torch.ones(2, requires_grad=True).detach().numpy(), torch.tensor(3).numpy(), torch.tensor([1 + 2j]).numpy(), torch.ones(2).numpy(force=True))
print(torch.from_dlpack(np.arange(3)), np.from_dlpack(torch.arange(3)), torch.utils.dlpack.from_dlpack(torch.ones(2)), torch.frombuffer(bytearray(b"\x01\x02"), dtype=torch.uint8))

print("-- Python")
t = torch.tensor([[1, 2], [3, 4]])
print(t.tolist(), len(t), [r.tolist() for r in t], 3 in t, list(t.flatten()), t[0, 0].item(), sum(t.flatten()).item())
print(int(torch.tensor(3.7)), float(torch.tensor(2)), bool(torch.tensor(0)), complex(torch.tensor(1.0)), [10, 20, 30][torch.tensor(1)], range(torch.tensor(2)))
print(hash(t) == hash(t), t == t, t is t, {t: 1}[t], t.__len__(), torch.is_tensor(t), torch.numel(t), hex(torch.tensor(255)), f"{torch.tensor(5):d}")
print(bool(torch.tensor([[1]])), not torch.tensor([0]), torch.tensor([1, 2]).any() and "yes", max(torch.tensor([1, 3, 2])), sorted(torch.tensor([3, 1, 2])))
attempt(lambda: bool(torch.tensor([1, 2])))
attempt(lambda: bool(torch.tensor([])))
attempt(lambda: torch.tensor([1, 2]).item())
attempt(lambda: int(torch.tensor([1, 2])))
attempt(lambda: len(torch.tensor(1)))
attempt(lambda: list(torch.tensor(1)))
attempt(lambda: [1, 2][torch.tensor(1.0)])
attempt(lambda: range(torch.tensor(1.5)))
attempt(lambda: t.nothing_here)
attempt(lambda: torch.nothing_here)
attempt(lambda: t())
attempt(lambda: t.reshape("a"))

print("-- copies")
a = torch.ones(2)
b, c, d = a, a.clone(), copy.deepcopy(a)
b += 1
print(a, c, d, a.clone().detach(), copy.copy(a) is a, torch.empty_like(a).copy_(a))
net = {"w": torch.eye(2), "b": [torch.zeros(1), 3]}
again = copy.deepcopy(net)
again["w"][0, 0] = 5
print(net, again, sep="\n")
print(pickle.loads(pickle.dumps(t)), pickle.loads(pickle.dumps(torch.nn.Parameter(torch.ones(1)))), pickle.loads(pickle.dumps((torch.float32, torch.Size([2]), torch.device("cpu")))))
attempt(lambda: copy.deepcopy(torch.ones(1, requires_grad=True) * 2))

print("-- the device")
print(t.device, t.is_cuda, t.cpu() is t, t.to("cpu") is t, torch.device("cuda", 1), torch.device("cuda:0").index, torch.device("cpu").type, t.get_device())
device = "cuda" if torch.cuda.is_available() and False else "mps" if torch.backends.mps.is_available() else "cpu"
print(device, torch.zeros(2, device=device).device == torch.device("cpu"), torch.ones(1).to(device, non_blocking=True))
torch.backends.cudnn.benchmark = False
attempt(lambda: torch.device("cuba"))
torch.manual_seed(42)
first = torch.rand(3)
torch.random.manual_seed(seed=42)
print(first, torch.equal(first, torch.rand(3)), torch.randint(10, (3,)), torch.randint(3, 5, (4,)), torch.randperm(5), torch.randint(high=4, size=(2, 2)), sep="\n")
g = torch.Generator().manual_seed(2147483647)
print(torch.rand(2, generator=g), torch.multinomial(torch.tensor([0.1, 0.9]), num_samples=5, replacement=True, generator=g), torch.bernoulli(torch.tensor([0.0, 1.0])), torch.empty(3).uniform_(0, 1).lt(1).all(), sep="\n")
print(torch.normal(mean=torch.tensor([1.0, 2.0]), std=torch.tensor([0.0, 0.0])), torch.normal(0.0, 1.0, size=(2, 2)).shape, torch.randn(2, 3).shape, torch.poisson(torch.zeros(2)), torch.empty(4).exponential_().gt(0).all(), sep="\n")
attempt(lambda: torch.normal(0.0, -1.0, (2,)))
attempt(lambda: torch.multinomial(torch.tensor([1.0, 1.0]), 3))
attempt(lambda: torch.randint(5, 2, (1,)))
attempt(lambda: torch.rand(-1))
