"""What torch's two exporters write, with the batch open: imported, run on the core, compared."""

from __future__ import annotations

import importlib.util
import io
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="exports networks")
pytest.importorskip("onnx", reason="imports ONNX models")

from torch import nn
from torch.nn import functional as F

from dwsep.graph.lowering import lower
from dwsep.graph.onnx import import_onnx
from dwsep.graph.passes import optimize

CHANNELS = 16


class Gated(nn.Module):
    """A depthwise convolution with squeeze-excite and a residual."""

    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(CHANNELS, CHANNELS, 5, padding=2, groups=CHANNELS, bias=False)
        self.norm = nn.BatchNorm2d(CHANNELS)
        self.reduce, self.excite = nn.Conv2d(CHANNELS, 4, 1), nn.Conv2d(4, CHANNELS, 1)
        self.project = nn.Conv2d(CHANNELS, CHANNELS, 1)

    def forward(self, x):
        y = F.hardswish(self.norm(self.depthwise(x)))
        reduced = F.relu(self.reduce(F.adaptive_avg_pool2d(y, 1)))
        return x + self.project(y * F.hardsigmoid(self.excite(reduced)))


class Shuffled(nn.Module):
    """A unit of ShuffleNetV2, its sizes asked of the tensor."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(CHANNELS // 2, CHANNELS // 2, 3, padding=1, groups=CHANNELS // 2)

    def forward(self, x):
        a, b = x.chunk(2, dim=1)
        y = torch.cat((a, self.conv(b)), 1)
        n, c, h, w = y.size()
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)


class Next(nn.Module):
    """A block of ConvNeXt."""

    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(CHANNELS, CHANNELS, 7, padding=3, groups=CHANNELS)
        self.norm = nn.LayerNorm(CHANNELS, eps=1e-6)
        self.widen, self.narrow = nn.Linear(CHANNELS, 48), nn.Linear(48, CHANNELS)

    def forward(self, x):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        return x + self.narrow(F.gelu(self.widen(y))).permute(0, 3, 1, 2)


class Detector(nn.Module):
    """A feature pyramid with anchors, upsampled to sizes that are asked of tensors."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1)
        self.head = nn.Conv2d(CHANNELS, 2 * 4, 3, padding=1)

    def forward(self, x):
        small = self.down(x)
        large = x + F.interpolate(small, size=x.shape[-2:], mode="nearest")
        boxes = []
        for level in (large, small):
            y = self.head(level)
            n, _, h, w = y.shape
            boxes.append(y.view(n, 2, 4, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, 4))
        return torch.cat(boxes, 1), F.softmax(boxes[0], -1)


class Segmenter(nn.Module):
    """Dilated convolutions, a pooled branch, bilinear upsampling, a transposed convolution."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Conv2d(CHANNELS, 8, 3, padding=4, dilation=4)
        self.pooled = nn.Conv2d(CHANNELS, 8, 1)
        self.up = nn.ConvTranspose2d(16, 5, 4, 2, 1)

    def forward(self, x):
        size = x.shape[-2:]
        pooled = F.interpolate(
            F.relu(self.pooled(F.adaptive_avg_pool2d(x, 1))), size=size, mode="bilinear"
        )
        y = self.up(torch.cat([F.softplus(self.wide(x)), pooled], 1))
        return F.interpolate(y, scale_factor=1.5, mode="bilinear", align_corners=True)


def exported(module, x, dynamo):
    names = [f"out{k}" for k in range(2 if isinstance(module, Detector) else 1)]
    batch = {0: torch.export.Dim("batch")} if dynamo else {0: "batch"}
    open_axes = {"dynamic_shapes": (batch,)} if dynamo else {"dynamic_axes": {"x": batch}}
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates parts of its own exporters
        torch.onnx.export(
            module, (x,), file, dynamo=dynamo, input_names=["x"], output_names=names, **open_axes
        )
    return file.getvalue()


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("network", [Gated, Shuffled, Next, Detector, Segmenter])
def test_export(network, dynamo):
    if dynamo and importlib.util.find_spec("onnxscript") is None:
        pytest.skip("torch's newer exporter needs onnxscript")
    torch.manual_seed(0)
    module = network().eval()
    x = torch.randn(2, CHANNELS, 12, 20)
    graph = import_onnx(exported(module, x, dynamo))
    assert graph.shape("x") == (None, CHANNELS, 12, 20)
    x = torch.randn(3, CHANNELS, 12, 20)  # a batch that the exporter has not seen
    with torch.no_grad():
        wanted = module(x)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    got = lower(optimize(graph), {}).run([x.numpy()])
    for g, w in zip(got, wanted, strict=True):
        np.testing.assert_allclose(g, w.numpy(), rtol=1e-4, atol=1e-4)
