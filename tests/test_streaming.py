"""A recurrent network that takes a stream piece by piece: Silero's detector of voices."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import numpy as np
import pytest

pytest.importorskip("onnx", reason="imports ONNX models")
onnxruntime = pytest.importorskip("onnxruntime", reason="the oracle")

import dwsep

PACKAGE = "silero-vad==6.2.3"
RATE, PIECE, CONTEXT = 16000, 512, 64


def speech(seconds: int) -> np.ndarray:
    """Return vowels of a voice that glides, with pauses and breath: pulses through resonators."""
    rng = np.random.default_rng(3)
    vowels = ((700, 1220, 2600), (300, 2300, 3000), (450, 800, 2830), (500, 1500, 2500))
    sounds = []
    for number in range(4 * seconds):
        samples = RATE // 4
        pitch = 110 + 40 * rng.random() + 10 * np.sin(np.arange(samples) / 900)
        pulses = np.diff(np.floor(np.cumsum(pitch / RATE)), prepend=0) + 0.02 * rng.standard_normal(
            samples
        )
        spectrum = np.fft.rfft(pulses)
        frequency = np.fft.rfftfreq(samples, 1 / RATE)
        gain = sum(1 / (1 + ((frequency - f) / 90) ** 2) for f in vowels[number % 4])
        sound = np.fft.irfft(spectrum * gain, samples) * np.hanning(samples)
        pause = number // 6 % 3 == 2
        sounds.append(
            0.02 * rng.standard_normal(samples) if pause else 0.3 * sound / np.abs(sound).max()
        )
    return np.concatenate(sounds).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("silero")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "-d",
        str(folder),
        PACKAGE,
    ]
    if subprocess.run(command, capture_output=True, timeout=300).returncode:
        pytest.skip(f"cannot download {PACKAGE}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("silero_vad/data/silero_vad.onnx")


@pytest.mark.slow
def test_a_minute_of_speech(model):
    """Each library keeps its own state; they agree at every step."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    shapes = {"input": (1, PIECE + CONTEXT), "state": (2, 1, 128)}
    network = dwsep.load(model, input_shapes=shapes, constants={"sr": RATE})
    sound = speech(60)
    state = other = np.zeros((2, 1, 128), np.float32)
    context, voiced = np.zeros(CONTEXT, np.float32), 0
    for start in range(0, len(sound) - PIECE + 1, PIECE):
        x = np.concatenate([context, sound[start : start + PIECE]])[None]
        context = x[0, -CONTEXT:]
        given = {"input": x, "state": state, "sr": np.array(RATE)}
        wanted, other = session.run(None, {**given, "state": other})
        got, state = network(*[given[info.name] for info in network.inputs])
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4, err_msg=f"at {start / RATE} s")
        np.testing.assert_allclose(state, other, rtol=0, atol=1e-4)
        voiced += float(wanted[0, 0]) > 0.5
    assert 0.02 < voiced * PIECE / len(sound) < 0.98  # it hears something, and not always
