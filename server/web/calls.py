"""The API calls of pages, made inside the process.

They take the same path as a request from the page's script: the table of routes, authentication,
access rules and CSRF checks. So a page cannot show or do what the API refuses the person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from server.http import cookies, dispatch
from server.http.route import STATEMENT, HttpRequest, Route
from server.http.site import Site
from server.protocol import errors, json_text
from server.protocol.forms import Form

Document: TypeAlias = dict[str, Any]
"""A JSON response of the API."""
_FIRST_ERROR_STATUS: Final = 400
_NO_QUERY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Calls:
    """The API calls of one page request."""

    site: Site
    headers: Mapping[str, str]
    """The browser's headers, by lower-case names."""
    peer: str

    def route(self, name: str) -> Route:
        """The API route with this name."""
        return next(route for route in self.site.routes if route.name == name)

    def read(self, name: str, about: str = "", query: Mapping[str, str] = _NO_QUERY) -> Document:
        """Call a route that reads. Raises errors.Problem.

        Reading changes nothing, so the request may come from another site.
        """
        return self._call(name, about, query, None, {"cookie": self.headers.get("cookie", "")})

    def do(self, name: str, about: str, body: object, form: Form) -> Document:
        """Call the API route of a form. A body of bytes is sent unchanged.

        Raises errors.Problem. It has the member `wanted` if the request must be signed.
        """
        names = ("cookie", "origin", "sec-fetch-site")
        forwarded = {name: self.headers[name] for name in names if name in self.headers}
        from_form = {
            cookies.CSRF: form.get("csrf"),
            "if-match": form.get("version"),
            STATEMENT: form.get("statement"),
        }
        added = {name.lower(): value for name, value in from_form.items() if value is not None}
        return self._call(name, about, _NO_QUERY, body, {**forwarded, **added})

    def _call(
        self,
        name: str,
        about: str,
        query: Mapping[str, str],
        body: object,
        headers: Mapping[str, str],
    ) -> Document:
        route = self.route(name)
        request = HttpRequest(
            method=route.method,
            path=route.path.replace("<id>", about),
            params={"id": about},
            query=query,
            headers=headers,
            proofs=(),
            body=body if isinstance(body, bytes) else _encode(body),
            peer=self.peer,
            at=self.site.clock.now(),
        )
        response = dispatch.answer(self.site, route, request)
        document: Document = json.loads(response.body) if response.body else {}
        if response.status >= _FIRST_ERROR_STATUS:
            code, detail = document["code"], document["detail"]
            members: dict[str, object] = {
                name: document[name] for name in ("wanted", "member") if name in document
            }
            raise errors.Problem(response.status, code, detail, members=members)
        return document


def _encode(body: object) -> bytes:
    return b"" if body is None else json_text.compact(body).encode()
