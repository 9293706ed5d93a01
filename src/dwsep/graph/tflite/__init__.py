"""Imports TensorFlow Lite models; nothing outside this package knows the format."""

from .importer import import_tflite

__all__ = ["import_tflite"]
