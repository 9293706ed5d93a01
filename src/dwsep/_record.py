"""Tuples whose elements have names.

As `typing.NamedTuple`, which compiles every annotation: one takes 0.13 ms to make, a record 0.01,
and loading a network makes ten.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_):
        """Do what type checkers alone need: nothing."""
        return lambda made: made


@dataclass_transform(frozen_default=True)
class Record(tuple[Any, ...]):
    """A tuple of the values of a subclass's annotations, in their order, perhaps with defaults."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    _field_defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        if cls.__base__ is not Record:
            return  # what inherits from a record has its fields
        cls._fields = tuple(cls.__annotations__)
        cls._field_defaults = {n: cls.__dict__[n] for n in cls._fields if n in cls.__dict__}
        for place, name in enumerate(cls._fields):
            setattr(cls, name, property(itemgetter(place)))

    if not TYPE_CHECKING:

        def __new__(cls, *values, **named):
            """Take the values in order, or by name."""
            if named or len(values) != len(cls._fields):
                values = cls._completed(values, named)
            return tuple.__new__(cls, values)

    @classmethod
    def _completed(cls, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        fields, defaults = cls._fields, cls._field_defaults
        rest = fields[len(values) :]
        if not named and 0 < len(rest) <= len(defaults):  # defaults come last
            return values + (*defaults.values(),)[-len(rest) :]
        if len(values) > len(fields) or not {*defaults, *named}.issuperset(rest):
            raise TypeError(f"{cls.__name__}: need {', '.join(fields)}, got {values} and {named}")
        if not named.keys() <= {*rest}:
            raise TypeError(f"{cls.__name__}: need {', '.join(rest)} by name, got {[*named]}")
        return (*values, *[named[name] if name in named else defaults[name] for name in rest])

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        values = ", ".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({values})"

    def _asdict(self) -> dict[str, Any]:
        """Return the values by their names."""
        return dict(zip(self._fields, self, strict=True))

    def _replace(self, **changes: Any) -> Self:
        """Return the same with some values changed."""
        return type(self)(**{**self._asdict(), **changes})
