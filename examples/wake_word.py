"""Listen for "okay nabu" in a stream of speech, with a wake word of microWakeWord.

Run it with ``pip install ".[examples]" pymicro-features`` and, without its dependencies,
``pip install --no-deps pymicro-wakeword``: ``python examples/wake_word.py``. The speech is that of
espeak-ng (``apt-get install espeak-ng``), or of a WAV file of 16,000 samples a second.

Every 10 ms the front end of TensorFlow's micro_speech makes 40 features of the sound; for every
three of them the network, whose int8 weights are 60 KB, takes a step. What it has heard before is
in its variables, which a session keeps; the mean of five probabilities decides.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
import time
import wave
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dwsep

RATE = 16000
CHUNK = 160  # samples, 10 ms
SENTENCES = ("What time is it?", "Okay nabu", "Open the window, please.", "Okay nabu")


def packaged(package: str, name: str) -> Path:
    """Return a file of an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in Path(folder).rglob(name):
            return path
    sys.exit(f"wake_word.py needs {name}: pip install --no-deps {package.replace('_', '-')}")


def spoken(text: str) -> NDArray[np.int16]:
    """Return what espeak-ng says, at its 22,050 samples a second brought to ours."""
    program = shutil.which("espeak-ng")
    if program is None:
        sys.exit("wake_word.py needs espeak-ng, or a WAV file: see --wav")
    command = [program, "-v", "en-us", "-s", "140", "--stdout", text]
    sound = subprocess.run(command, check=True, capture_output=True).stdout
    samples = np.frombuffer(sound[44:], "<i2").astype(np.float32)  # behind the header
    at = np.arange(int(len(samples) * RATE / 22050)) * (22050 / RATE)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.int16)


def speech() -> NDArray[np.int16]:
    """Return the sentences, with half a second of silence around each."""
    pause = np.zeros(RATE // 2, np.int16)
    return np.concatenate([part for text in SENTENCES for part in (pause, spoken(text), pause)])


def recorded(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (RATE, 2, 1):
            sys.exit(f"{path}: need one channel of {RATE} samples a second, 16 bits each")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def features(samples: NDArray[np.int16]) -> Iterator[NDArray[np.float32]]:
    """Yield 40 features of each 10 ms."""
    from pymicro_features import MicroFrontend

    frontend = MicroFrontend()
    for start in range(0, len(samples) - CHUNK + 1, CHUNK):
        made = frontend.process_samples(samples[start : start + CHUNK].tobytes()).features
        if made:
            yield np.array(made, np.float32)


class Detector:
    """A network in a session, and the probabilities that it gave last."""

    def __init__(self, model: dwsep.Model, window: int = 5, threshold: float = 0.85) -> None:
        (x,), (y,) = model.inputs, model.outputs
        if x.quantization is None or y.quantization is None or x.shape[1] is None:
            raise ValueError("need a network of bytes that takes steps of so many features")
        self.step = x.shape[1]
        self._to_bytes, self._from_bytes = x.quantization.quantize, y.quantization.dequantize
        self._session = model.session()
        self._waiting: list[NDArray[np.float32]] = []
        self._last: deque[float] = deque(maxlen=window)
        self._threshold = threshold

    def hears(self, made: NDArray[np.float32]) -> float | None:
        """Take the features of 10 ms; return the mean probability if it is above the threshold."""
        self._waiting.append(made)
        if len(self._waiting) < self.step:
            return None
        x: NDArray[Any] = np.stack(self._waiting)[None]
        self._waiting.clear()
        y = self._session(self._to_bytes(x), num_threads=1)
        self._last.append(float(self._from_bytes(y).item()))
        mean = sum(self._last) / len(self._last)
        if len(self._last) < (self._last.maxlen or 0) or mean <= self._threshold:
            return None
        self.reset()  # one answer to one word
        return mean

    def reset(self) -> None:
        """Forget what was heard."""
        self._session.reset()
        self._last.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="okay_nabu", help="okay_nabu, hey_jarvis, alexa, ...")
    parser.add_argument("--wav", type=Path, help="instead of espeak-ng's speech")
    args = parser.parse_args()
    path = packaged("pymicro_wakeword", f"{args.model}.tflite")
    settings = json.loads(path.with_suffix(".json").read_text("utf-8"))["micro"]
    model = dwsep.load(path)
    detector = Detector(model, settings["sliding_window_size"], settings["probability_cutoff"])
    samples = speech() if args.wav is None else recorded(args.wav)
    made = list(features(samples))
    start, found = time.perf_counter(), 0
    for number, part in enumerate(made):
        probability = detector.hears(part)
        if probability is not None:
            found += 1
            print(f"{number * CHUNK / RATE:5.2f} s: {args.model}, {probability:.2f}")
    took, steps = time.perf_counter() - start, len(made) // detector.step
    print(f"{found} in {len(samples) / RATE:.1f} s of sound, {took / steps * 1e6:.0f} us a step")


if __name__ == "__main__":
    main()
