"""A page's calls to the API, made inside the process.

They are what a script of the page would send, through the same table, the same guard and the same
checks against other sites; so no page knows or does what the API would refuse to its person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from server.http import cookies, dispatch
from server.http.message import HttpRequest
from server.http.route import STATEMENT, Route
from server.http.site import Site
from server.protocol import errors, json_text
from server.protocol.forms import Form

Document: TypeAlias = dict[str, Any]
"""What the API answers."""
_REFUSED: Final = 400
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one request for a page."""

    site: Site
    headers: Mapping[str, str]
    """What the browser sent, by lower-case names."""
    peer: str

    def row(self, name: str) -> Route:
        """The row of the table that has this name."""
        return next(route for route in self.site.routes if route.name == name)

    def read(self, name: str, about: str = "", query: Mapping[str, str] = _NOTHING) -> Document:
        """What a row answers. Raises errors.Problem.

        Looking is no change, so nothing is asked of where the browser came from.
        """
        return self._sent(name, about, query, None, {"cookie": self.headers.get("cookie", "")})

    def do(self, name: str, about: str, body: object, form: Form) -> Document:
        """Do what a form says; a body that is bytes is sent as it is.

        Raises errors.Problem, with `wanted` where it must be signed.
        """
        told = ("cookie", "origin", "sec-fetch-site")
        sent = {one: self.headers[one] for one in told if one in self.headers}
        beside = {
            cookies.CSRF: form.get("csrf"),
            "if-match": form.get("version"),
            STATEMENT: form.get("statement"),
        }
        own = {one.lower(): value for one, value in beside.items() if value is not None}
        return self._sent(name, about, _NOTHING, body, {**sent, **own})

    def _sent(
        self,
        name: str,
        about: str,
        query: Mapping[str, str],
        body: object,
        headers: Mapping[str, str],
    ) -> Document:
        route = self.row(name)
        request = HttpRequest(
            method=route.method,
            path=route.path.replace("<id>", about),
            params={"id": about},
            query=query,
            headers=headers,
            proofs=(),
            body=body if isinstance(body, bytes) else _written(body),
            peer=self.peer,
            at=self.site.clock.now(),
        )
        answer = dispatch.answer(self.site, route, request)
        told: Document = json.loads(answer.body) if answer.body else {}
        if answer.status >= _REFUSED:
            said: dict[str, object] = {
                name: told[name] for name in ("wanted", "member") if name in told
            }
            raise errors.Problem(answer.status, told["code"], told["detail"], members=said)
        return told


def _written(body: object) -> bytes:
    return b"" if body is None else json_text.compact(body).encode()
