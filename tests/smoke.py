"""A little of everything, with NumPy alone: the CI runs it on instruction sets that pytest does not reach."""

import numpy as np

import tensorlite as tl


def close(a: "tl.Tensor", b: np.ndarray, tolerance: float = 1e-4) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b, rtol=tolerance, atol=tolerance)


tl.manual_seed(2024)
close(tl.rand(4, 2), np.array([[0.5317, 0.8313], [0.9718, 0.1193], [0.1669, 0.3495], [0.2150, 0.6201]]))

a, b = tl.randn(37, 53), tl.randn(53, 29)
x, y = a.numpy(), b.numpy()
close(a @ b, x @ y)
close((a.exp() + 1).log(), np.log(np.exp(x) + 1))
close(a.sum(0), x.sum(0))
close(a.softmax(1).sum(1), np.ones(37))
close(a.t().contiguous() * 2.0, x.T * 2)
assert a.argmax(1).tolist() == x.argmax(1).tolist()

nn = tl.nn
model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 5 * 5, 10))
optimizer = tl.optim.Adam(model.parameters(), lr=1e-2)
images, labels = tl.rand(16, 1, 12, 12), tl.randint(0, 10, (16,))
losses = []
for _ in range(30):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0] / 2, losses
isa = tl.backends.cpu.get_cpu_capability()
print(f"smoke test passed: {tl.__version__}, instruction set {isa}, loss {losses[-1]:.4f}")
