"""A line fitted by hand, then with layers: the notebook way from tensors to training."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

# Yields of apples and oranges from temperature, rainfall and humidity.
inputs = np.array([[73, 67, 43], [91, 88, 64], [87, 134, 58], [102, 43, 37], [69, 96, 70]], dtype="float32")
targets = np.array([[56, 70], [81, 101], [119, 133], [22, 37], [103, 119]], dtype="float32")
inputs, targets = torch.from_numpy(inputs), torch.from_numpy(targets)
print(inputs)
print(targets)

torch.manual_seed(7)
w = torch.rand(2, 3, requires_grad=True)
b = torch.rand(2, requires_grad=True)
print(w)
print(b)


def model(x):
    return x @ w.t() + b


def mse(t1, t2):
    diff = t1 - t2
    return torch.sum(diff * diff) / diff.numel()


preds = model(inputs)
print(preds.round(decimals=1))
loss = mse(preds, targets)
print(f"{loss:.2f}", loss.shape, loss.requires_grad)
loss.backward()
print(w.grad.shape, (w.grad / 1000).round(decimals=2), w.grad.sum() < 0)
with torch.no_grad():
    w -= w.grad * 1e-5
    b -= b.grad * 1e-5
    w.grad.zero_()
    b.grad.zero_()
print(w.grad, b.grad, sep="\n")
for epoch in range(100):
    loss = mse(model(inputs), targets)
    loss.backward()
    with torch.no_grad():
        w -= w.grad * 1e-5
        b -= b.grad * 1e-5
        w.grad.zero_()
        b.grad.zero_()
    if epoch % 25 == 0:
        print(f"epoch {epoch:>3}  loss {loss.item():10.3f}")
print(model(inputs).round())

print("-- with layers")
dataset = TensorDataset(inputs, targets)
print(dataset[0:3], len(dataset), dataset[0][0].shape)
loader = DataLoader(dataset, batch_size=2, shuffle=False)
for xb, yb in loader:
    print(xb.shape, yb.sum())
net = nn.Linear(3, 2)
print(net.weight.shape, net.bias.shape, net)
with torch.no_grad():
    net.weight.fill_(0.5)
    net.bias.zero_()
optimizer = torch.optim.SGD(net.parameters(), lr=1e-5)
for epoch in range(20):
    for xb, yb in loader:
        loss = F.mse_loss(net(xb), yb)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    if (epoch + 1) % 10 == 0:
        print(f"Epoch [{epoch + 1}/{20}], Loss: {loss.item():.3f}")
print(net.weight.grad, [name for name, _ in net.named_parameters()], sum(p.numel() for p in net.parameters()))

print("-- a classifier")
torch.manual_seed(0)
points = torch.randint(-5, 6, (40, 2)).float()
labels = (points[:, 0] * points[:, 1] > 0).long()
print(points[:3], labels[:10], labels.float().mean())
train, held = random_split(TensorDataset(points, labels), [30, 10])
print(len(train), len(held))
mlp = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
print(mlp)
opt = torch.optim.Adam(mlp.parameters(), lr=0.05)
criterion = nn.CrossEntropyLoss()
for _ in range(100):
    opt.zero_grad()
    out = criterion(mlp(points), labels)
    out.backward()
    opt.step()
accuracy = (mlp(points).argmax(dim=1) == labels).float().mean().item()
print(f"loss below 0.1: {out.item() < 0.1}, accuracy above 0.95: {accuracy > 0.95}")
print(mlp[0].weight.grad.shape, mlp.training, mlp.eval().training, {k: tuple(v.shape) for k, v in mlp.state_dict().items()})
scores = torch.tensor([[0.1, 0.9], [0.8, 0.2]])
_, best = torch.max(scores, dim=1)
print(best, torch.sum(best == torch.tensor([1, 1])).item() / len(best), scores.argmax(1).eq(torch.tensor([1, 0])).sum().item())
