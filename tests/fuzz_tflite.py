"""Random TFLite files: refused with a clear error, or right.

What dwsep loads is run where that is cheap, on one thread and on several and after it was saved and
loaded, and by LiteRT, whose results count where it takes the file as well.
"""

from __future__ import annotations

import importlib.util
import random

import numpy as np
from fuzz_networks import loaded, ran, unlike
from fuzzing import ORACLE, mark
from tflite_mutations import drawn

HAS_ORACLE = importlib.util.find_spec("ai_edge_litert") is not None


def oracle(data: bytes, feeds):
    """Return what LiteRT makes of the file, None where it takes offence."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    mark(ORACLE)
    try:
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(
            model_content=data, num_threads=1, experimental_op_resolver_type=plain
        )
        for detail in interpreter.get_input_details():
            interpreter.resize_tensor_input(detail["index"], feeds[detail["name"]].shape)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], feeds[detail["name"]])
        interpreter.invoke()
        return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
    except Exception:  # its errors have no class in common
        return None
    finally:
        mark("ours")


def case(rng: random.Random) -> str:
    data, written = drawn(rng)
    model = loaded(data)
    if isinstance(model, str):
        return model
    fate = ran(rng, model)
    if isinstance(fate, str):
        return fate
    if not HAS_ORACLE or not written:
        return "run"
    arrays, results = fate
    wanted = oracle(data, {i.name: a for i, a in zip(model.inputs, arrays, strict=True)})
    if wanted is None or len(wanted) != len(results):
        return "run, not by the oracle"
    for info, got, want in zip(model.outputs, results, wanted, strict=True):
        problem = unlike(got, np.asarray(want)) if got.dtype == np.float32 else None
        assert not problem, f"output {info.name!r}: {problem}"
    return "compared"
