"""Records are tuples whose elements have names, and data types are one object each."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from dwsep._record import Record
from dwsep.graph.ir import DType, TensorType, dtype_of
from dwsep.model import ValueInfo


class Three(Record):
    """A record with a default."""

    a: int
    b: str
    c: float = 0.5


def test_values_are_given_in_order_or_by_name():
    for record in (Three(1, "x"), Three(1, b="x"), Three(b="x", a=1), Three(1, "x", 0.5)):
        assert record == (1, "x", 0.5)
        assert (record.a, record.b, record.c) == tuple(record)
    assert Three(1, "x", c=2.0).c == Three(1, "x", 2.0)[2] == 2.0
    assert repr(Three(1, "x")) == "Three(a=1, b='x', c=0.5)"


@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1,), {}), ((1, "x", 2.0, 3), {}), ((1,), {"a": 2}), ((1, "x"), {"d": 3})],
)
def test_what_is_missing_or_too_much_is_refused(values, named):
    with pytest.raises(TypeError, match="Three: need"):
        Three(*values, **named)


def test_records_are_copied_changed_and_pickled():
    record = Three(1, "x")
    assert record._replace(b="y") == (1, "y", 0.5)
    assert record._asdict() == {"a": 1, "b": "x", "c": 0.5}
    with pytest.raises(AttributeError):
        record.a = 2
    info = ValueInfo("x", (None, 4))
    for same in (copy.deepcopy(info), pickle.loads(pickle.dumps(info))):
        assert same == info
        assert type(same) is ValueInfo


def test_what_inherits_from_a_record_has_its_fields():
    class Named(Three):
        label = "named"

    assert Named._fields == Three._fields
    assert Named(1, b="x")._replace(a=2) == (2, "x", 0.5)
    assert repr(Named(1, "x")) == "Named(a=1, b='x', c=0.5)"


@pytest.mark.parametrize("name", DType.all)
def test_a_data_type_is_one_object(name):
    type_ = DType(name)
    assert type_ is getattr(DType, name.upper())
    assert type_ is copy.deepcopy(type_)
    assert type_ is pickle.loads(pickle.dumps(type_))
    assert type_ == type_.value == name
    assert type_.numpy == np.dtype(name)
    assert type_.is_float is name.startswith("float")
    array = np.zeros(2, name)
    assert dtype_of(array) is dtype_of(array.astype(array.dtype.newbyteorder())) is type_
    assert TensorType.of(array) == ((2,), type_, None)


def test_what_is_no_data_type_is_refused():
    with pytest.raises(ValueError, match="'complex64' is no data type"):
        DType("complex64")
