"""Functions that networks are made of."""

import torch
import torch.nn.functional as F
from torch import nn

torch.set_printoptions(precision=3, sci_mode=False)


def attempt(make):
    try:
        print(make())
    except Exception as e:
        print(f"{type(e).__name__}: {str(e).splitlines()[0].split('. ')[0].rstrip('.')}")


def ramp(*shape):
    count = torch.Size(shape).numel()
    return (torch.arange(count, dtype=torch.float32) * 7 % 11 / 5 - 1).reshape(shape)


x = ramp(2, 3)
print(x, F.softmax(x, dim=1), x.softmax(0).sum(0), F.log_softmax(x, -1), torch.softmax(x, 1).argmax(1), F.softmin(x, 1), torch.log_softmax(x, dim=0), sep="\n")
t = torch.tensor([-4.0, -1.0, 0.0, 0.5, 4.0])
names = "relu sigmoid tanh gelu silu mish elu selu celu leaky_relu softplus softsign hardtanh hardsigmoid hardswish relu6 logsigmoid tanhshrink softshrink hardshrink"
for name in names.split():
    print(name, getattr(F, name)(t))
print(F.gelu(t, approximate="tanh"), F.elu(t, alpha=0.5), F.leaky_relu(t, 0.2), F.threshold(t, 0.1, 20), F.glu(torch.tensor([1.0, 2.0])), F.prelu(t, torch.tensor([0.25])), sep="\n")
print(F.layer_norm(x, (3,)), F.group_norm(ramp(1, 4, 2), 2), F.batch_norm(x, torch.zeros(3), torch.ones(3)), F.batch_norm(x, None, None, training=True), F.instance_norm(ramp(1, 2, 3)), F.normalize(x, dim=1), F.rms_norm(x, (3,)), sep="\n")
print(F.linear(x, torch.ones(2, 3), torch.tensor([1.0, 2.0])), F.bilinear(x, x, torch.ones(1, 3, 3)), F.embedding(torch.tensor([[0, 2]]), ramp(3, 2)), F.one_hot(torch.tensor([0, 2]), 4), F.dropout(x, 0.5, training=False), sep="\n")

print("-- losses")
target = torch.tensor([0, 2])
print(F.cross_entropy(x, target), F.nll_loss(F.log_softmax(x, 1), target), F.mse_loss(x, torch.zeros(2, 3)), F.l1_loss(x, x * 2), F.smooth_l1_loss(x, x + 2), F.binary_cross_entropy(torch.sigmoid(x), torch.ones(2, 3)), sep="\n")
print(F.binary_cross_entropy_with_logits(x, torch.zeros(2, 3)), F.kl_div(F.log_softmax(x, 1), F.softmax(2 * x, 1), reduction="batchmean"), F.huber_loss(x, x + 3), F.cross_entropy(x, target, reduction="none", label_smoothing=0.1), F.cross_entropy(x, F.softmax(x, 1)), sep="\n")
attempt(lambda: F.cross_entropy(x, torch.tensor([0, 5])))
attempt(lambda: F.cross_entropy(x, torch.tensor([0.0, 1.0])))
attempt(lambda: F.cross_entropy(x, torch.tensor([0, 1, 2])))
attempt(lambda: F.binary_cross_entropy(torch.tensor([2.0]), torch.tensor([1.0])))
attempt(lambda: F.mse_loss(x, torch.zeros(2, 4)))

print("-- windows over images")
image = ramp(1, 1, 5, 5)
kernel = torch.tensor([[[[1.0, 0.0], [0.0, -1.0]]]])
print(F.conv2d(image, kernel), F.conv2d(image, kernel, stride=2, padding=1, bias=torch.tensor([0.5])), F.conv2d(image, kernel, dilation=2).shape, F.conv_transpose2d(image[..., :2, :2], kernel), F.conv1d(ramp(1, 2, 4), torch.ones(1, 2, 3)), sep="\n")
print(F.conv2d(ramp(1, 2, 3, 3), torch.ones(2, 1, 2, 2), groups=2).shape, F.conv3d(ramp(1, 1, 2, 2, 2), torch.ones(1, 1, 2, 2, 2)), F.conv2d(image, kernel, padding="same").shape, sep="\n")
print(F.max_pool2d(image, 2), F.avg_pool2d(image, 2, stride=1)[0, 0, 0], F.adaptive_avg_pool2d(image, (1, 1)), F.adaptive_max_pool2d(image, 2), F.max_pool2d(image, 2, return_indices=True)[1], F.max_pool1d(ramp(1, 1, 6), 3), F.avg_pool1d(ramp(1, 1, 6), 2), F.lp_pool2d(image, 2, 2), sep="\n")
print(F.pad(x, (1, 1)), F.pad(x, (0, 1, 1, 0), value=9.0), F.pad(image, (1, 1, 1, 1), mode="reflect").shape, F.pad(ramp(1, 1, 3), (2, 2), "circular"), F.pad(ramp(1, 1, 3), (1, 2), "replicate"), sep="\n")
print(F.interpolate(image[..., :2, :2], scale_factor=2), F.interpolate(image, size=(3, 3), mode="bilinear", align_corners=False), F.unfold(image, 4).shape, F.fold(torch.ones(1, 4, 4), (3, 3), 2), F.pixel_shuffle(ramp(1, 4, 1, 1), 2), sep="\n")
attempt(lambda: F.conv2d(image, torch.ones(1, 2, 3, 3)))
attempt(lambda: F.conv2d(torch.ones(3), kernel))
attempt(lambda: F.conv2d(image[..., :1, :1], kernel))
attempt(lambda: F.max_pool2d(image, 9))
attempt(lambda: F.pad(x, (1, 1, 1)))
attempt(lambda: F.linear(x, torch.ones(2, 4)))
attempt(lambda: F.embedding(torch.tensor([5]), ramp(3, 2)))
attempt(lambda: F.layer_norm(x, (4,)))
attempt(lambda: F.softmax(x, dim=3))

print("-- attention")
q, k, v = ramp(1, 2, 4), ramp(1, 3, 4), ramp(1, 3, 2)
print(F.scaled_dot_product_attention(q, k, v), F.softmax(q @ k.mT / 2, -1) @ v, F.scaled_dot_product_attention(q, q, q, is_causal=True), sep="\n")

print("-- as modules")
layer = nn.Linear(3, 2)
print(layer, [tuple(p.shape) for p in layer.parameters()], nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)), nn.Softmax(dim=1)(x), nn.CrossEntropyLoss()(x, target), nn.Flatten()(image).shape, sep="\n")
attempt(lambda: layer(torch.ones(2, 5)))
