"""The same elements in another shape."""

import torch


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


x = torch.arange(1.0, 9.0)
print(x, x.shape, x.reshape(2, 4), x.view(4, 2), x.view(-1, 4).shape, x.view((2, -1)).shape, x.reshape(torch.Size([8, 1])).shape, sep="\n")
z = x.view(2, 4)
z[:, 0] = 5
print(x, z.is_contiguous(), z.t().is_contiguous(), z.stride(), z.t().stride(), z.storage_offset(), z[1].storage_offset())
attempt(lambda: x.view(3, 3))
attempt(lambda: x.reshape(-1, -1))
attempt(lambda: z.t().view(8))
attempt(lambda: x.view(3, -1))
print(z.t().reshape(8), z.t().contiguous().view(8), z.view_as(torch.zeros(4, 2)).shape, z.view(z.size()).shape)
print(z.flatten(), torch.flatten(torch.zeros(2, 3, 4), start_dim=1).shape, torch.zeros(2, 12).unflatten(1, (3, 4)).shape, z.ravel().shape)
print(x.view(torch.int32)[:3], torch.tensor([1, 2], dtype=torch.int16).view(torch.uint8), torch.tensor([1 + 2j]).real)

print("-- dims of one")
y = torch.zeros(2, 1, 2, 1, 2)
print(y.squeeze().shape, y.squeeze(0).shape, y.squeeze(1).shape, y.squeeze((1, 3)).shape, torch.squeeze(y, dim=-2).shape)
print(x.unsqueeze(0).shape, x.unsqueeze(dim=1).shape, x.unsqueeze(-1).shape, torch.unsqueeze(x, 0).squeeze().shape, x[None, :, None].shape)
attempt(lambda: x.unsqueeze(3))
attempt(lambda: x.squeeze(2))

print("-- order of dims")
image = torch.arange(24).reshape(2, 3, 4)
print(image.permute(2, 0, 1).shape, image.permute((1, 2, 0)).shape, torch.permute(image, (0, 2, 1)).shape, image.transpose(0, 2).shape)
print(image.swapaxes(0, 1).shape, image.swapdims(-1, 0).shape, torch.movedim(image, 0, -1).shape, image.moveaxis((0, 1), (1, 0)).shape, image.mT.shape)
m = torch.tensor([[1, 2, 3], [4, 5, 6]])
print(m.T, m.t(), m.transpose(0, 1).shape, torch.transpose(m, 1, 0)[0], m.T.T.equal(m), torch.t(torch.tensor([1, 2])), sep="\n")
attempt(lambda: image.permute(0, 1))
attempt(lambda: image.permute(0, 0, 1))
attempt(lambda: image.t())
attempt(lambda: image.transpose(0, 3))
c = m.clone()
c.t_()
print(c, c.shape, c.unsqueeze_(0).shape, c.squeeze_().shape, c.transpose_(0, 1).shape)

print("-- repeating and broadcasting")
v = torch.tensor([1, 2, 3])
print(v.expand(2, 3), v.expand(2, -1).stride(), v.repeat(2), v.repeat(2, 2), torch.tile(v, (2,)), v.repeat_interleave(2), sep="\n")
print(torch.repeat_interleave(m, torch.tensor([1, 2]), dim=0), m.unsqueeze(0).expand(2, 2, 3).shape, v.expand_as(m), torch.broadcast_to(v, (2, 3)), sep="\n")
print(torch.arange(3).reshape(3, 1) + torch.arange(2).reshape(1, 2), torch.broadcast_shapes((3, 1), (1, 4)), torch.broadcast_tensors(v, v[:, None])[1].shape, sep="\n")
a, b = torch.ones(4, 1, 3), torch.ones(2, 1)
print((a + b).shape, (torch.ones(5, 3, 4, 1) + torch.ones(3, 1, 1)).shape)
attempt(lambda: torch.ones(2, 3) + torch.ones(3, 2))
attempt(lambda: torch.ones(5, 2, 4, 1) + torch.ones(3, 1, 1))
attempt(lambda: v.expand(2, 2))
attempt(lambda: v.expand(3, -1, 3, -1))
attempt(lambda: torch.broadcast_shapes((2,), (3,)))

print("-- joining and cutting")
print(torch.cat((m, m), dim=0), torch.cat([m, m], 1), torch.stack([v, v]), torch.stack((v, v), dim=1), torch.concat([v, v]), sep="\n")
print(torch.hstack((v, v)), torch.vstack((v, v)), torch.dstack((v, v)).shape, torch.column_stack((v, v)).shape, torch.row_stack((v, v)).shape, sep="\n")
print(v.split(1), v.split([1, 2]), torch.split(m, 1, dim=0), m.chunk(2, dim=1), m.unbind(), torch.tensor_split(torch.arange(7), 3), sep="\n")
print([t.shape for t in torch.chunk(torch.zeros(5, 2), 3)], [t.tolist() for t in torch.arange(10).tensor_split((2, 5))], torch.hsplit(m, [1])[0], torch.vsplit(m, 2)[1])
one, two = m
print(one, two, [int(e) for e in v], len(m), list(v), max(v), sum(v))
attempt(lambda: torch.cat([m, v]))
attempt(lambda: torch.cat([m, torch.ones(2, 2)]))
attempt(lambda: torch.stack([v, v[:2]]))
attempt(lambda: torch.cat([]))
attempt(lambda: v.split([1, 1]))
attempt(lambda: torch.cat(m, 5))

print("-- turning and sliding")
print(m.flip(0), torch.flip(m, dims=(0, 1)), torch.fliplr(m), torch.flipud(m), torch.roll(v, 1), torch.roll(m, shifts=(1, 1), dims=(0, 1)), torch.rot90(m), sep="\n")
print(torch.tril(m), torch.triu(m, 1), torch.diag(v), torch.diag(m), m.diagonal(1), torch.diag_embed(v).shape, torch.diagflat(v, 1).shape, torch.trace(m[:, :2]), sep="\n")
print(torch.arange(7).unfold(0, 3, 2), torch.arange(9).as_strided((3, 2), (3, 1)), torch.arange(6).narrow(0, 2, 3), torch.atleast_2d(v).shape, torch.atleast_1d(torch.tensor(1)), sep="\n")
attempt(lambda: v.unfold(0, 5, 1))
attempt(lambda: v.narrow(0, 2, 2))
attempt(lambda: torch.diagonal(v))
attempt(lambda: m.flip(2))
