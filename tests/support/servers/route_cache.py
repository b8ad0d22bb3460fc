"""Hundreds of addresses, which every application under test has in common, are compiled once.

Owns: what stands in for Werkzeug's compiling. It takes longer than most tests do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from werkzeug.routing import Rule

from server.http.views import _MatchOnlyRule

_COMPILED = ("_parts", "_trace", "_converters", "arguments", "_build", "_build_unknown")


@contextmanager
def compiling_addresses_once() -> Iterator[None]:
    """Let every application take what another has compiled of the same address."""
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
