"""Imports ONNX models; nothing outside this package knows the format."""

from .importer import import_onnx

__all__ = ["import_onnx"]
