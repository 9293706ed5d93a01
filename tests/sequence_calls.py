"""Arrays for calls of sequences, and what their errors say."""

from __future__ import annotations

import numpy as np
import pytest


def f(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def messages(call):
    """Return those of an error and of all errors that its traceback shows."""
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    error, found = caught.value, []
    while error is not None:
        found.append(str(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found
