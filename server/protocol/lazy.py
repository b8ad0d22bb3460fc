"""A cached property without a lock.

Owns: the decorator, which is faster than `functools.cached_property`. Never: use in objects that
several threads share; a unit of work belongs to one thread.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class lazy(Generic[Value]):  # noqa: N801  # a decorator
    """Decorates a method that computes the value, or holds the function that does."""

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """The value gets the name of the attribute."""
        self._name = name

    @overload
    def __get__(self, owner: None, kind: type) -> "lazy[Value]": ...

    @overload
    def __get__(self, owner: object, kind: type) -> Value: ...

    def __get__(self, owner: object, kind: type) -> "Value | lazy[Value]":
        """Compute the value and store it in the object, where later accesses find it."""
        if owner is None:
            return self
        value = owner.__dict__[self._name] = self._make(owner)
        return value
