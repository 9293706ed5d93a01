"""Train a small separable network with PyTorch and run it with dwsep: the same digits, fewer parts.

Run it with ``pip install ".[examples,onnx]" torch`` and ``python examples/digits.py --out .``. In
less than a minute on one core it trains depthwise-separable blocks with batch norms and a
squeeze-excite gate on scikit-learn's 8x8 pictures of handwritten digits, exports ``digits.onnx``
for any number of pictures at once, loads it with dwsep and compares every prediction with torch's.
It leaves ``digits.dwsep`` too, which gives the same bits, and torch's logits of a few pictures.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import dwsep

Array = NDArray[np.float32]

SEED = 0
RECORDED = 32  # pictures whose logits are kept
LEAST_ACCURACY = 0.97


def pictures() -> tuple[Array, Array, NDArray[np.int64], NDArray[np.int64]]:
    """Pictures (N, 1, 8, 8) from 0 to 1 and digits: to train with and, never seen, to test with."""
    data = load_digits()
    x = (data.images[:, np.newaxis] / 16).astype(np.float32)
    return tuple(
        train_test_split(x, data.target, test_size=0.25, random_state=SEED, stratify=data.target)
    )


def network(torch: Any) -> Any:
    """Make an untrained network of some 14 thousand parameters, images NCHW as torch wants them."""
    nn = torch.nn

    def norm(channels: int, activation: Any) -> list[Any]:
        return [nn.BatchNorm2d(channels), *([activation] if activation else [])]

    def separable(inputs: int, outputs: int, stride: int) -> list[Any]:
        return [
            nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False),
            *norm(inputs, nn.ReLU6()),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            *norm(outputs, nn.ReLU6()),
        ]

    class SqueezeExcite(nn.Module):
        """Scales each channel by a gate that the averages of all channels decide."""

        def __init__(self, channels: int, reduced: int) -> None:
            super().__init__()
            self.gate = nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(channels, reduced, 1),
                nn.ReLU(),
                nn.Conv2d(reduced, channels, 1),
                nn.Sigmoid(),
            )

        def forward(self, x: Any) -> Any:
            return x * self.gate(x)

    class InvertedResidual(nn.Module):
        """Expands, filters each channel, gates them, projects, and adds what came in."""

        def __init__(self, channels: int, expanded: int) -> None:
            super().__init__()
            self.block = nn.Sequential(
                nn.Conv2d(channels, expanded, 1, bias=False),
                *norm(expanded, nn.ReLU6()),
                nn.Conv2d(expanded, expanded, 3, padding=1, groups=expanded, bias=False),
                *norm(expanded, nn.ReLU6()),
                SqueezeExcite(expanded, channels // 4),
                nn.Conv2d(expanded, channels, 1, bias=False),
                *norm(channels, None),
            )

        def forward(self, x: Any) -> Any:
            return x + self.block(x)

    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False),
        *norm(16, nn.ReLU6()),
        *separable(16, 32, 1),
        *separable(32, 40, 2),
        InvertedResidual(40, 96),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(40, 10),
    )


def train(torch: Any, model: Any, x: Array, digits: NDArray[np.int64], epochs: int) -> None:
    """Fit the network, each picture moved by up to a pixel whenever it is seen."""
    images, labels = torch.from_numpy(x), torch.from_numpy(digits)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2)
    batches = len(images) // 64
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=epochs * batches)
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for batch in range(batches):
            chosen = order[batch * 64 : (batch + 1) * 64]
            down, right = (int(torch.randint(-1, 2, ())) for _ in range(2))
            moved = torch.roll(images[chosen], (down, right), (2, 3))
            optimizer.zero_grad()
            loss_of(model(moved), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
    model.eval()


def export(torch: Any, model: Any, x: Array, path: Path) -> None:
    """Write the network as ONNX, as it was trained: batch norms apart, the batch open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the exporter's age and the mode that we ask for
        torch.onnx.export(
            model,
            (torch.from_numpy(x[:1]),),
            str(path),
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "N"}, "logits": {0: "N"}},
            opset_version=17,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            dynamo=False,
        )


def compare(path: Path, expected: Array, x: Array, digits: NDArray[np.int64]) -> bool:
    """Run dwsep on the file and say how it did; whether all is as it should be."""
    model = dwsep.load(path)
    logits = model(x)
    same = int((logits.argmax(1) == expected.argmax(1)).sum())
    accuracy = float((logits.argmax(1) == digits).mean())
    print(f"dwsep: {accuracy:.2%} of {len(x)} digits recognised, {same} of {len(x)} as by torch")
    print(f"dwsep: logits differ from torch's by at most {np.abs(logits - expected).max():.1e}")

    saved = path.with_suffix(".dwsep")
    model.save(saved)
    same_bits = bool(np.array_equal(dwsep.load(saved)(x), logits))
    sizes = ", ".join(f"{p.name} {p.stat().st_size:,} bytes" for p in (path, saved))
    print(f"{sizes}; {'the same bits' if same_bits else 'OTHER BITS'} from both")
    return same == len(x) and accuracy > LEAST_ACCURACY and same_bits


def main() -> int:
    """Train, export, compare; 0 if the predictions agree, 1 if not, 2 without torch."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the files")
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("digits.py needs PyTorch: pip install torch", file=sys.stderr)
        return 2

    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # so that sums, and with them the network, come out alike each time
    x_train, x_test, y_train, y_test = pictures()
    model = network(torch)
    start = time.perf_counter()
    train(torch, model, x_train, y_train, args.epochs)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"torch: {parameters:,} parameters trained in {time.perf_counter() - start:.0f} s")
    with torch.no_grad():
        expected: Array = model(torch.from_numpy(x_test)).numpy()
    print(f"torch: {float((expected.argmax(1) == y_test).mean()):.2%} of {len(x_test)} recognised")

    args.out.mkdir(parents=True, exist_ok=True)
    export(torch, model, x_test, args.out / "digits.onnx")
    np.save(args.out / "digits_logits.npy", expected[:RECORDED])
    return 0 if compare(args.out / "digits.onnx", expected, x_test, y_test) else 1


if __name__ == "__main__":
    sys.exit(main())
