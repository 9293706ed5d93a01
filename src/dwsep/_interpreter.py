"""Refuses subinterpreters of Python 3.10, where the core would deadlock on the GIL it holds."""

from __future__ import annotations

from importlib import import_module


def _check() -> None:
    try:
        interpreters = import_module("_xxsubinterpreters")
    except ImportError:  # a Python without them
        return
    if interpreters.get_current() != interpreters.get_main():
        raise ImportError("dwsep needs Python 3.11 or later in a subinterpreter", name=__package__)


_check()
