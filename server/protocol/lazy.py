"""A member that is made at its first use and kept.

Owns: that, without the lock that `functools.cached_property` takes. Never: what several threads
share; a unit of work belongs to one.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Made = TypeVar("Made")


class lazy(Generic[Made]):  # noqa: N801  # a decorator
    """Decorates the method that makes it."""

    def __init__(self, make: Callable[[Any], Made]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> "lazy[Made]": ...

    @overload
    def __get__(self, owner: object, kind: type) -> Made: ...

    def __get__(self, owner: object, kind: type) -> "Made | lazy[Made]":
        """Make it; from then on it stands in the object itself."""
        if owner is None:
            return self
        made = owner.__dict__[self._name] = self._make(owner)
        return made
