"""Delays the imports of commands until a name is used, like `lazy from … import …` of PEP 810.

A command uses only a few of the services and rows. With `turn_on()`, the names that a module
imports in `with lazily():` are imported when they are first used. A server does not call
`turn_on()`: it loads everything before its first request.

Owns: the block. Never: base classes, exceptions, decorators and the second argument of
`isinstance`, which need the real class.
"""

import builtins
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

_STATE = SimpleNamespace(on=False)


class LazyName:
    """A name in a module, or a module in a package, that is imported when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *args: object, **kwargs: object) -> Any:  # noqa: ANN401  # as the real one
        """Call the real function or class."""
        return self._real()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # as above
        """Return an attribute of the real module or class."""
        return getattr(self._real(), name)

    def __or__(self, other: object) -> "LazyName":
        """Allow the name in an annotation such as `User | None`."""
        return self

    __ror__ = __or__

    def _real(self) -> Any:  # noqa: ANN401  # a class, a function or a module
        module = import_module(self._module)
        if not hasattr(module, self._name):
            return import_module(f"{self._module}.{self._name}")
        return getattr(module, self._name)


def turn_on() -> None:
    """Make `lazily` delay imports. Only for short programs that import in one thread."""
    _STATE.on = True


@contextmanager
def lazily() -> Iterator[None]:
    """Delay imports from modules that are not loaded yet until the names are used."""
    if not _STATE.on:
        yield
        return
    eager = builtins.__import__

    def lazy(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002  # the names of `__import__`
        locals: Mapping[str, object] | None = None,  # noqa: A002  # as above
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType | SimpleNamespace:
        if not fromlist:
            return eager(name, globals, locals, fromlist, level)
        loaded = vars(sys.modules[name]) if name in sys.modules else {}
        return SimpleNamespace(
            **{
                attribute: loaded[attribute] if attribute in loaded else LazyName(name, attribute)
                for attribute in fromlist
            }
        )

    builtins.__import__ = lazy  # type: ignore[assignment]  # a namespace in place of a module
    try:
        yield
    finally:
        builtins.__import__ = eager
