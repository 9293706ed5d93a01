"""Tells the format of a network's file by its first bytes, or else by its name."""

from __future__ import annotations

import os

__all__ = ["format_of"]

_MAGIC = {".dwsep": (0, b"dwsepnet"), ".tflite": (4, b"TFL3")}  # where, and what
_MOST = max(position + len(magic) for position, magic in _MAGIC.values())


def format_of(source: object) -> tuple[str, object]:
    """Return the suffix of a file's format, and its path; or of a content's, and the content.

    ONNX has no magic bytes: ``".onnx"`` is all that no other format claims.
    """
    path = _path(source)
    start = _start(source, path)
    opened = source if path is None else path
    for suffix, (position, magic) in _MAGIC.items():
        if start[position : position + len(magic)] == magic or (path or "").endswith(suffix):
            return suffix, opened
    return ".onnx", opened


def _path(source: object) -> str | None:
    """Return the path of a file, None for what is no file."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = os.fsdecode(source)
    if "\0" in path:
        raise ValueError(f"source: need a path without null characters, got {path!r}")
    return path


def _start(source: object, path: str | None) -> bytes:
    """Return the first bytes of a file or of its content, none of a model in memory."""
    if path is not None:
        with open(path, "rb") as file:
            return file.read(_MOST)
    return bytes(source)[:_MOST] if isinstance(source, (bytes, bytearray, memoryview)) else b""
