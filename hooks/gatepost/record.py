"""Frozen value classes without the import cost of `dataclasses`.

`dataclasses` costs 11.6 ms to import (it pulls in `inspect`), more than a third of the start-up budget of a
hook. `record` is the part of it that this package uses: keyword-only, frozen, compared and hashed by value.
To mypy it is a dataclass (PEP 681), so every field and every call is checked.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from typing_extensions import dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(kw_only_default=True, frozen_default=True)
    def record(cls: type[T]) -> type[T]: ...

else:

    def record(cls):
        """Make `cls` a frozen value class; its annotations are its fields, class attributes their defaults."""
        names = tuple(cls.__annotations__)
        cls.__match_args__ = names
        cls.__record_fields__ = names
        cls.__record_defaults__ = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        cls.__init__ = _init
        cls.__setattr__ = _frozen
        cls.__delattr__ = _frozen
        cls.__eq__ = _eq
        cls.__hash__ = _hash
        cls.__repr__ = _repr
        return cls


def _init(self: Any, **values: Any) -> None:
    cls = type(self)
    state = self.__dict__
    state.update(cls.__record_defaults__)
    state.update(values)
    if len(state) != len(cls.__record_fields__) or not state.keys() <= set(cls.__record_fields__):
        missing = [name for name in cls.__record_fields__ if name not in state]
        unknown = [name for name in values if name not in cls.__record_fields__]
        raise TypeError(f"{cls.__name__}: missing {missing}, unknown {unknown}")


def _frozen(self: Any, *_: Any) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen")


def _state(self: Any) -> tuple[Any, ...]:
    return tuple(self.__dict__[name] for name in type(self).__record_fields__)


def _eq(self: Any, other: Any) -> Any:
    return _state(self) == _state(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_state(self))


def _repr(self: Any) -> str:
    fields = ", ".join(f"{name}={self.__dict__[name]!r}" for name in type(self).__record_fields__)
    return f"{type(self).__name__}({fields})"


def replace(value: T, **changes: Any) -> T:
    """A copy of a record with some fields changed.

    Raises:
        TypeError: a change names no field.
    """
    return type(value)(**{**value.__dict__, **changes})
