"""Tensors of every element type, from the fields of their type and from raw bytes."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from dwsep.errors import InvalidModelError
from dwsep.graph.onnx.tensors import is_readable, to_array, type_name

SIGNED = ("int8", "int16", "int32", "int64")
TYPES = ("bool", *SIGNED, *(f"u{name}" for name in SIGNED), "float16", "float32", "float64")


def extremes(dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "b":
        return np.array([[True, False, True]])
    if dtype.kind == "f":
        info = np.finfo(dtype)
        return np.array([[info.max, info.smallest_subnormal, -0.625]], dtype)
    info = np.iinfo(dtype)
    return np.array([[info.min, info.max, info.max // 3]], dtype)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_read_as_onnx_writes_it(name, raw):
    values = extremes(np.dtype(name))
    data_type = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
    elements = values.tobytes() if raw else values.ravel()
    tensor = onnx.helper.make_tensor("t", data_type, values.shape, elements, raw)
    assert is_readable(data_type)
    assert type_name(data_type) == name
    read = to_array(tensor, None)
    assert read.dtype == values.dtype
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize("name", ["uint8", "uint16", "int8", "int16"])
@pytest.mark.parametrize("element", [-1, 65536 + 7])
def test_what_a_type_cannot_hold_is_read_as_onnx_reads_it(name, element):
    """The field of the narrow ones holds 32 bits with a sign."""
    tensor = onnx.TensorProto(dims=[1], int32_data=[element])
    tensor.data_type = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(name))
    np.testing.assert_array_equal(to_array(tensor, None), onnx.numpy_helper.to_array(tensor))


@pytest.mark.parametrize("form", ["raw", "field"])
@pytest.mark.parametrize("count", [1, 7, 8])
@pytest.mark.parametrize(("name", "low"), [("INT4", -8), ("UINT4", 0)])
def test_two_elements_a_byte(name, low, count, form):
    values = (np.arange(count) * 5) % 16 + low
    type_ = getattr(onnx.TensorProto, name)
    tensor = onnx.helper.make_tensor("t", type_, [1, count], values)
    if form == "raw":
        tensor.raw_data = bytes(n & 255 for n in tensor.int32_data)
        del tensor.int32_data[:]
    read = to_array(tensor, None)
    assert is_readable(type_)
    assert read.dtype == (np.int8 if low else np.uint8)
    np.testing.assert_array_equal(read, values[None])
    tensor.dims[1] += 2
    with pytest.raises(InvalidModelError, match="bytes, it has"):
        to_array(tensor, None)
