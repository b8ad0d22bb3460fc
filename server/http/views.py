"""Flask around the table of routes: one loop."""

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import BaseConverter, Rule

from server import telemetry
from server.http import dispatch
from server.http.message import MOST_BODY_BYTES, OVERLOADED, WAITED, HttpRequest, HttpResponse
from server.http.route import ID_PATTERN, Route
from server.http.site import Site

if TYPE_CHECKING:
    from flask import Request
    from werkzeug.local import LocalProxy

CORRELATION = "X-Correlation-Id"


class _Matched(Rule):
    """An address that is recognised and never written: what writes it is not compiled.

    For each of hundreds that takes longer than everything else in a start.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., Any]:  # noqa: ARG002, FBT001, FBT002  # as Werkzeug calls it
        return self._unwritten

    def _unwritten(self, **_: object) -> tuple[str, str]:
        raise NotImplementedError(self.rule)


class PlainFlask(Flask):
    """Flask with plain functions alone, so that it need not look at each call for coroutines."""

    url_rule_class = _Matched

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return it as it is."""
        return func


class _Id(BaseConverter):
    """The part of a path that names something."""

    regex = ID_PATTERN


def add_routes(app: Flask, site: Site) -> None:
    """Give every row of the table to Flask."""
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # an answer of Flask's own, without our headers
    app.url_map.converters["default"] = _Id
    app.url_map.merge_slashes = False  # a redirect would be built from the Host header
    app.before_request(_correlate)
    for route in site.routes:
        app.add_url_rule(
            route.path,
            endpoint=route.name,
            view_func=_view(site, route),
            methods=[route.method],
            provide_automatic_options=False,
        )
    app.register_error_handler(HTTPException, no_route)


def _correlate() -> None:
    telemetry.correlate(secrets.token_hex(8))


def read_request(site: Site, params: dict[str, str] | None = None) -> HttpRequest:
    """The request that Flask is handling, as a plain value."""
    current = cast("LocalProxy[Request]", request)._get_current_object()  # noqa: SLF001  # not one look-up for each member
    proof = current.environ.get("HTTP_DPOP")
    return HttpRequest(
        method=current.method,
        path=current.path,
        params=params or {},
        query=dict(current.args),
        headers=_headers(current.environ),
        proofs=() if proof is None else (proof,),
        body=current.get_data(cache=False),
        peer=current.remote_addr or "",
        at=site.clock.now() - round(1000 * current.environ.get(WAITED, 0)),
        repeated=frozenset(name for name, values in current.args.lists() if len(values) > 1),
    )


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Lower-case names; the two that WSGI keeps apart are among them (PEP 3333)."""
    found = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").lower()] = environ[name]
    return found


def flask_response(response: HttpResponse) -> Response:
    """The answer as Flask sends it."""
    ours = {CORRELATION: telemetry.correlation_id(), "X-Content-Type-Options": "nosniff"}
    sent = Response(response.body, response.status, headers={**response.headers, **ours})
    if "Content-Type" not in response.headers:
        del sent.headers["Content-Type"]
    return sent


def no_route(error: HTTPException) -> Response:
    """No such path, another method, or too long a body; in the words of its side of the API."""
    status = error.code or 500
    response = dispatch.refusal(status, error.name, as_problem=request.path.startswith("/api/"))
    sent = flask_response(response)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        sent.allow.update(error.valid_methods)
    return sent


def _view(site: Site, route: Route) -> Callable[..., Response]:
    def view(**params: str) -> Response:
        if OVERLOADED in request.environ:
            return flask_response(dispatch.overloaded(route))
        return flask_response(dispatch.answer(site, route, read_request(site, params)))

    return view
