"""Registers the table of routes with Flask, and converts requests and responses."""

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import BaseConverter, Rule

from server import telemetry
from server.http import dispatch
from server.http.route import (
    ID_PATTERN,
    MAX_BODY_BYTES,
    OVERLOADED,
    WAITED,
    HttpRequest,
    HttpResponse,
    Route,
)
from server.http.site import Site

if TYPE_CHECKING:
    from flask import Request
    from werkzeug.local import LocalProxy

CORRELATION = "X-Correlation-Id"


class _MatchOnlyRule(Rule):
    """A URL rule that cannot build URLs, because this server never builds any.

    Compiling the URL builders of hundreds of rules takes longer than the rest of startup.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., Any]:  # noqa: ARG002, FBT001, FBT002  # as Werkzeug calls it
        return self._build_nothing

    def _build_nothing(self, **_: object) -> tuple[str, str]:
        raise NotImplementedError(self.rule)


class PlainFlask(Flask):
    """Flask without support for coroutines, so it does not check each call for one."""

    url_rule_class = _MatchOnlyRule

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function unchanged."""
        return func


class _Id(BaseConverter):
    """An ID in a path."""

    regex = ID_PATTERN


def add_routes(app: Flask, site: Site) -> None:
    """Register every route with Flask."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # Flask's response would lack our headers
    app.url_map.converters["default"] = _Id
    app.url_map.merge_slashes = False  # a redirect would be built from the Host header
    app.before_request(_set_correlation_id)
    app.before_request(_check_path)
    for route in site.routes:
        app.add_url_rule(
            route.path,
            endpoint=route.name,
            view_func=_view(site, route),
            methods=[route.method],
            provide_automatic_options=False,
        )
    app.register_error_handler(HTTPException, no_route)


def _set_correlation_id() -> None:
    telemetry.correlate(secrets.token_hex(8))


def _check_path() -> None:
    """Raise `NotFound` for a path such as `//token`, which Werkzeug would serve as `/token`."""
    if "//" in request.environ["PATH_INFO"]:
        raise NotFound


def read_request(site: Site, params: dict[str, str] | None = None) -> HttpRequest:
    """The current Flask request as an `HttpRequest`."""
    current = cast("LocalProxy[Request]", request)._get_current_object()  # noqa: SLF001  # one lookup for all members
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
    """All headers by lower-case names, with the two that WSGI stores separately (PEP 3333)."""
    result = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            result[name.replace("_", "-").lower()] = environ[name]
    return result


def flask_response(response: HttpResponse) -> Response:
    """The response as a Flask response, with the common headers."""
    common_headers = {CORRELATION: telemetry.correlation_id(), "X-Content-Type-Options": "nosniff"}
    flask_answer = Response(
        response.body, response.status, headers={**response.headers, **common_headers}
    )
    if "Content-Type" not in response.headers:
        del flask_answer.headers["Content-Type"]
    return flask_answer


def no_route(error: HTTPException) -> Response:
    """The response to an unknown path, a wrong method or a body that is too large."""
    status = error.code or 500
    answer = dispatch.refusal(status, error.name, as_problem=request.path.startswith("/api/"))
    flask_answer = flask_response(answer)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        flask_answer.allow.update(error.valid_methods)
    return flask_answer


def _view(site: Site, route: Route) -> Callable[..., Response]:
    def view(**params: str) -> Response:
        if OVERLOADED in request.environ:
            return flask_response(dispatch.overloaded(route))
        return flask_response(dispatch.answer(site, route, read_request(site, params)))

    return view
