"""Loads and runs damaged .dwsep files; a program of its own, so that a crash would be seen.

`python file_mutations.py WAY SEED COUNT` writes the number of each case before it begins and, at
the end, how many files were refused, loaded only, and run.
"""

import copy
import json
import math
import os
import random
import resource
import sys
from pathlib import Path

import dwsep_file as fmt
import numpy as np
import small_networks

from dwsep import _core

REFUSALS = (ValueError, OSError, MemoryError)
MOST_BYTES, MOST_FLOPS = 2**22, 2e7  # of a call that is worth running
SPARE_BYTES = 2**30
EXTREMES = [
    *(0, 1, -1, 2, 3, 7, 8, 16, 17, 255, 2**16, 2**20, 2**31 - 1, 2**31, 2**32, 2**40, 2**62),
    *(2**63 - 1, -(2**63), -2, -8, -(2**31)),
]
FLOATS = [0.0, -0.0, 1.0, -1.0, 1e-45, 1e300, -1e300, math.inf, -math.inf, math.nan, 0.5]
STRINGS = [
    *("", "clip", "leaky_relu", "silu", "gelu", "mean", "max", "sum", "average", "add", "prelu"),
    *("pow", "nearest", "linear", "cubic", "align_corners", "half_pixel", "edge", "reflect"),
    *("constant", "floor", "sqrt", "x" * 300, "\0", "\udcff"),
]


def truncate(rng, content):
    """Cut the file, or let it go on; half of the time with a header that agrees."""
    size = rng.randrange(len(content) + 1)
    cut = content[:size] if rng.random() < 0.8 else content + rng.randbytes(rng.randrange(200))
    if len(cut) >= 64 and rng.random() < 0.7:
        cut = cut[: len(cut) // 64 * 64]
        cut = cut[:16] + len(cut).to_bytes(8, "little") + cut[24:]
    return fmt.sealed(cut)


def flip(rng, content):
    """Change a few bytes of the header or the description, and make the checksum fit."""
    described = int.from_bytes(content[24:32], "little")
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(64) if rng.random() < 0.1 else 64 + rng.randrange(described)
        changed[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, changed[at] ^ (1 << rng.randrange(8))])
    return fmt.sealed(bytes(changed))


def number(rng, old=0):
    """Another number: near the old one, small, or extreme."""
    near = max(-(2**63), min(2**63 - 1, old + rng.choice([-1, 1, 2, old])))
    return rng.choice([near, rng.randrange(-2, 12), rng.choice(EXTREMES)])


def change_numbers(rng, numbers):
    changed = list(numbers)
    action = rng.randrange(4)
    if action == 0 or not changed:
        changed.insert(rng.randrange(len(changed) + 1), number(rng))
    elif action == 1:
        del changed[rng.randrange(len(changed))]
    else:
        at = rng.randrange(len(changed))
        changed[at] = number(rng, changed[at])
    return changed


def change_attribute(rng, step):
    if not step.attributes or rng.random() < 0.1:
        step.attributes[rng.choice(["activation", "axis", "groups", "kernel", "value"])] = (
            rng.choice([(0, [number(rng)]), (1, [rng.choice(FLOATS)]), (2, rng.choice(STRINGS))])
        )
        return
    name = rng.choice([*step.attributes])
    kind, value = step.attributes[name]
    action = rng.random()
    if action < 0.08:
        del step.attributes[name]
    elif action < 0.16:
        step.attributes[name] = (1, [rng.choice(FLOATS)])
    elif kind == fmt.STRING:
        step.attributes[name] = (kind, rng.choice(STRINGS))
    elif kind in (fmt.FLOATS, fmt.FLOATS32):
        step.attributes[name] = (fmt.FLOATS, [rng.choice(FLOATS) for _ in value])
    else:
        changed = change_numbers(rng, value)
        small = kind == fmt.INTEGERS8 and all(-128 <= n < 128 for n in changed)
        step.attributes[name] = (fmt.INTEGERS8 if small else fmt.INTEGERS, changed)


def change_dims(rng, dims):
    return [n if -(2**63) <= n < 2**63 else 1 for n in change_numbers(rng, dims)][:12]


def change_type(rng, kind):
    """Another data type, other scales; or scales that are missing, or have no zero points."""
    action = rng.randrange(4)
    if action == 0:
        kind.dtype = abs(number(rng, kind.dtype)) % 2**32
        return
    count = rng.randrange(4)
    kind.scales = [rng.choice([1.0, 0.5, 0.0, -1.0, math.inf, math.nan]) for _ in range(count)]
    kind.zero_points = [rng.randrange(-(2**31), 2**31) for _ in range(count)]
    kind.axis = rng.choice([-1, 0, 1, 7, 2**31 - 1, -(2**31)])


def change_weights(rng, step, steps):
    others = [w for s in steps for w in s.weights.values()]
    if not others:
        return
    if not step.weights or rng.random() < 0.1:
        name = rng.choice(["weight", "bias", "scale", "shift", "weight.1", "reduce_weight"])
        step.weights[name] = copy.deepcopy(rng.choice(others))
        return
    name = rng.choice([*step.weights])
    weights = step.weights[name]
    action = rng.randrange(7)
    if action == 0:
        del step.weights[name]
    elif action == 1:
        weights.dims = change_dims(rng, weights.dims)
    elif action in (2, 3) and not weights.ranges:
        weights.layout = rng.randrange(4)
    elif action == 2:
        part = rng.choice(weights.ranges)
        part.offset = rng.choice([64, 128, 4, 2**63, 2**64 - 64, part.offset + 64]) % 2**64
    elif action == 3:
        part = rng.choice(weights.ranges)
        part.bytes = abs(number(rng, part.bytes)) % 2**64
    elif action == 4:
        weights.layout = rng.randrange(4)
        count = rng.choice([1 if weights.layout == fmt.ROW_MAJOR else 2, rng.randrange(4)])
        weights.ranges = (weights.ranges * 3)[:count]
    elif action == 5:
        weights.parameters = [abs(n) % 2**32 for n in change_numbers(rng, weights.parameters)]
    else:
        change_type(rng, weights.type)


def packed_for(steps, lanes, half_panel):
    """Say of all packed weights that another processor packed them."""
    for step in steps:
        for weights in step.weights.values():
            if weights.parameters:
                weights.parameters = [lanes, half_panel][: len(weights.parameters)]


def edit(rng, content):
    """Change the records, so that they are whole but say something else."""
    file = fmt.parse(content)
    steps = [value for value in file.values if isinstance(value, fmt.Step)]
    for _ in range(rng.choice([1, 1, 2, 3])):
        step = rng.choice(steps)
        action = rng.random()
        if action < 0.45:
            change_attribute(rng, step)
        elif action < 0.65:
            change_weights(rng, step, steps)
        elif action < 0.75:
            step.inputs = [abs(n) % 2**32 for n in change_numbers(rng, step.inputs)]
        elif action < 0.8:
            step.kind = rng.choice(steps).kind
        elif action < 0.85:
            other = rng.choice(steps)
            for name, value in copy.deepcopy(other.attributes).items():
                if name in step.attributes or rng.random() < 0.02:
                    step.attributes[name] = value
        elif action < 0.92:
            value = rng.choice(file.values)
            if not isinstance(value, fmt.Step) and rng.random() < 0.3:
                change_type(rng, value.type)
            elif not isinstance(value, fmt.Step):
                value.dims = change_dims(rng, value.dims)
        elif action < 0.95:
            file.outputs = [("o", abs(number(rng)) % 2**32)]
        elif action < 0.97:
            packed_for(steps, rng.choice([4, 8, 16, 0, 5]), rng.randrange(4))
        else:
            rng.shuffle(file.values)
    return file.to_bytes()


def give_own_weights(file, step):
    """Append a copy of what a step refers to, as no two may share it."""
    for weights in step.weights.values():
        for part in weights.ranges:
            copied = file.data[part.offset : part.offset + part.bytes]
            part.offset = len(file.data)
            file.data += copied + bytes(-len(copied) % 64)


def rebuild(rng, content):
    """Follow the beginning of a sound file by random steps, each as in the file, on any values."""
    file = fmt.parse(content)
    steps = [value for value in file.values if isinstance(value, fmt.Step)]
    del file.values[rng.randrange(2, len(file.values)) :]
    for value in file.values:
        if isinstance(value, fmt.Input) and rng.random() < 0.1:
            rank = rng.choice([len(value.dims), 1, 2, 3, 4, 5])
            value.dims = [-1, *(rng.choice([1, 3, 4, 6, 8, 0]) for _ in range(rank - 1))]
    for _ in range(rng.randrange(1, 4)):
        step = copy.deepcopy(rng.choice(steps))
        give_own_weights(file, step)
        step.inputs = [rng.randrange(len(file.values)) for _ in step.inputs]
        if rng.random() < 0.3:
            change_attribute(rng, step)
        file.values.append(step)
    count = len(file.values)
    file.outputs = [(f"o{n}", rng.randrange(count)) for n in range(rng.randrange(3))]
    file.outputs.append(("last", count - 1))
    return file.to_bytes()


WAYS = {"truncate": truncate, "flip": flip, "edit": edit, "rebuild": rebuild}


def attempt(content, rng):
    """Load, and run where that is cheap: what became of the file."""
    try:
        network = _core.Network.from_bytes(content)
    except REFUSALS:
        return "refused"
    assert network.to_bytes()  # what was loaded can be saved
    batch = rng.choice([1, 2])
    shapes = [[batch if n == -1 else n for n in shape] for _, shape, *_ in network.inputs]
    types = [dtype for _, _, dtype, _ in network.inputs]
    threads = rng.choice([1, 2])
    try:
        outputs = network.output_shapes(shapes)
        floats = sum(math.prod(shape) for shape in (*shapes, *outputs))
        steps = network.steps(shapes, threads)
        busy = sum(step["flops"] + math.prod(step["output"]) for step in steps)
        if 8 * floats + network.arena_bytes(shapes, threads) > MOST_BYTES or busy > MOST_FLOPS:
            return "loaded"
        inputs = [np.ones(shape, t) for shape, t in zip(shapes, types, strict=True)]
        results = network.run(inputs, threads)
    except REFUSALS:
        return "loaded"
    assert [array.shape for array in results] == outputs
    return "run"


def main():
    way, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    makers = (
        small_networks.classifier,
        small_networks.rearranger,
        small_networks.gated,
        small_networks.typed,
        small_networks.streaming,
        small_networks.boxes,
        small_networks.quantized,
    )
    files = [make().to_bytes() for make in makers]
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    fates = dict.fromkeys(("refused", "loaded", "run"), 0)
    for case in range(count):
        content = WAYS[way](rng, files[case % len(files)])
        os.write(1, f"{case}\n".encode())
        fates[attempt(content, rng)] += 1
    print(json.dumps(fates))


if __name__ == "__main__":
    main()
