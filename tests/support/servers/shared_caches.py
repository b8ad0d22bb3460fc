"""Caches that all servers of a test process share: compiled routes, statements and templates.

Owns: the replacements for Werkzeug's route compiler, SQLAlchemy's engine cache and Jinja's
compiler. Compiling routes, statements and templates again for each test takes longer than most
tests do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

from jinja2 import Environment
from sqlalchemy import create_engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from server.http.views import _MatchOnlyRule

_COMPILED = ("_parts", "_trace", "_converters", "arguments", "_build", "_build_unknown")


@contextmanager
def shared_routes() -> Iterator[None]:
    """Compile each route once for all applications."""
    compiled: dict[object, dict[str, object]] = {}

    def compile_once(self: Rule) -> None:
        converters = tuple(self.map.converters.items())
        key = (self.rule, self.host, self.subdomain, self.merge_slashes, converters)
        if key not in compiled:
            Rule.compile(self)
            compiled[key] = {name: vars(self)[name] for name in _COMPILED}
        vars(self).update(compiled[key])

    with mock.patch.object(_MatchOnlyRule, "compile", compile_once):
        yield


@contextmanager
def shared_statements() -> Iterator[None]:
    """Compile each statement once for all engines of a database system."""
    options = {"compiled_cache": _StatementCache(capacity=2000)}
    create = partial(create_engine, execution_options=options)
    with mock.patch("server.storage.open.create_engine", create):
        yield


@contextmanager
def shared_templates() -> Iterator[None]:
    """Compile each template once for all applications."""
    compiled: dict[object, Any] = {}
    compile_template = Environment.compile

    def compile_once(
        self: Environment, source: Any, name: str | None = None, filename: str | None = None
    ) -> Any:
        key = (source, name, filename)
        if key not in compiled:
            compiled[key] = compile_template(self, source, name, filename)
        return compiled[key]

    with mock.patch.object(Environment, "compile", compile_once):
        yield


class _StatementCache(LRUCache[Any, Any]):
    """A cache that ignores the dialect object of a statement; all have the same settings."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), value)
