"""Sums, means, extremes, order, counts."""

import torch

torch.set_printoptions(precision=3)


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


x = torch.arange(0, 100, 10)
print(x, x.min(), x.max(), x.type(torch.float32).mean(), x.sum(), torch.max(x), torch.sum(x), torch.argmax(x), x.argmin(), sep="\n")
attempt(lambda: x.mean())
attempt(lambda: torch.var(x))
m = torch.tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
print(m.sum(0), m.sum(dim=1, keepdim=True), m.sum(axis=[0, 1]), m.sum((0, 1)), m.mean(dim=0), m.mean(1, keepdim=True), m.prod(), m.prod(dim=1), torch.sum(m, 1), m.sum() / m.numel(), sep="\n")
print(m.std(), m.var(), m.std(dim=1), m.std(0, unbiased=False), m.var(dim=1, correction=0), torch.var_mean(m, dim=1), torch.std_mean(m), sep="\n")
print(m.max(dim=1), m.min(0), torch.max(m, torch.full((2, 3), 2.5)), torch.max(input=m, other=m.flip(0)), m.amax(dim=(0, 1)), m.amin(1), torch.aminmax(m), torch.max(m, dim=1, keepdim=True).values, sep="\n")
values, indices = torch.max(m, dim=1)
print(values, indices, m.max(1).indices, m.max(1)[0], m.argmax(), m.argmax(dim=0), m.argmin(1, keepdim=True), sep="\n")
print(m.median(), m.median(dim=1), torch.tensor([1, 2, 2, 3]).mode(), m.quantile(0.5), torch.quantile(m, torch.tensor([0.25, 0.75]), dim=1), m.logsumexp(1), m.nanmean(), sep="\n")
n = torch.tensor([1.0, float("nan"), 3.0])
print(n.sum(), n.nansum(), n.nanmean(), n.max(), n.nanmedian(), n.mean(), n.isnan().any(), n.sort(), n.argmax(), torch.nanquantile(n, 0.5), sep="\n")
print((m > 2).sum(), (m > 2).any(), (m > 0).all(), m.gt(2).all(dim=0), m.count_nonzero(), torch.count_nonzero(m > 3, dim=0), (m > 2).float().mean(), torch.any(m > 5, 1), sep="\n")

print("-- order")
u = torch.tensor([3, 1, 2, 1])
print(u.sort(), torch.sort(u, descending=True, stable=True), u.argsort(stable=True), m.topk(2), torch.topk(m, 1, dim=0, largest=False), m.kthvalue(2), m.msort(), m.sort(dim=0)[0], sep="\n")
print(torch.unique(u), torch.unique(u, return_counts=True), u.unique(return_inverse=True), torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1])), torch.unique(torch.tensor([[1, 2], [1, 2], [0, 1]]), dim=0), sep="\n")
print(torch.bucketize(torch.tensor([1, 5, 9]), torch.tensor([2, 4, 6])), torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 4]), right=True), torch.isin(u, torch.tensor([1, 2])), sep="\n")
print(torch.histc(torch.tensor([1.0, 2, 1]), bins=4, min=0, max=3), torch.bincount(torch.tensor([0, 1, 1, 3])), torch.bincount(u, weights=torch.ones(4)), torch.histogram(torch.tensor([1.0, 2, 1]), bins=2), sep="\n")

print("-- running")
print(m.cumsum(0), m.cumsum(dim=1), m.cumprod(1), m.cummax(1), m.cummin(dim=0), torch.logcumsumexp(m, 1), torch.diff(m), m.diff(dim=0), torch.cumulative_trapezoid(m), torch.trapezoid(m), sep="\n")
print(torch.cov(m), torch.corrcoef(m), m.std(1).shape, torch.renorm(m, 2, 0, 3.0), sep="\n")

print("-- empty, 0-dim")
e, s = torch.zeros(0), torch.tensor(5.0)
print(e.sum(), e.prod(), e.mean(), torch.zeros(0, 3).sum(0), torch.zeros(2, 0).sum(1), e.any(), e.all(), s.sum(0), s.max(0), s.sort(), s.std(), torch.zeros(0, 3).cumsum(0), sep="\n")
attempt(lambda: e.max())
attempt(lambda: e.argmax())
attempt(lambda: torch.zeros(2, 0).max(dim=1))
attempt(lambda: e.median())
attempt(lambda: m.sum(2))
attempt(lambda: m.sum(dim=(0, 0)))
attempt(lambda: m.topk(4))
attempt(lambda: m.kthvalue(0))
attempt(lambda: m.max(dim=-3))
attempt(lambda: torch.bincount(torch.tensor([-1])))
attempt(lambda: torch.quantile(m, 2.0))
attempt(lambda: torch.max(m, 0, 1, 2, 3))
attempt(lambda: torch.tensor([1 + 1j]).max())
attempt(lambda: torch.all(m, 5))
