"""Protects a Flask app.

Owns: reading a Flask request, the response to a rejected call, and the metadata route. Never: the
rules.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask

from sayso.guard import Guard
from sayso.rejection import Rejected

View = Callable[..., Any]


class Protected:
    """A guard for a Flask app: serves the metadata, and responds to rejected calls.

    `@protected.require("payments:read")` on a view checks the call, and passes the `Caller` as the
    view's first argument.
    """

    def __init__(self, app: flask.Flask, guard: Guard) -> None:
        self._guard = guard
        app.register_error_handler(Rejected, _answer)
        _serve_metadata(app, guard)

    def require(self, *scopes: str) -> Callable[[View], View]:
        """Require all these scopes for the view; without scopes, any valid token is enough."""

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*args: object, **kwargs: object) -> object:
                request = flask.request
                caller = self._guard.check(
                    request.headers.get("Authorization"),
                    method=request.method,
                    path=request.script_root + request.path,
                    proofs=request.headers.getlist("DPoP"),
                )
                caller.require(*scopes)
                return flask.current_app.ensure_sync(view)(caller, *args, **kwargs)

            return wrapper

        return decorate


def _serve_metadata(app: flask.Flask, guard: Guard) -> None:
    """Serve the metadata at its path, which two guards of the same API share."""
    path, resource = guard.metadata_path, guard.metadata["resource"]
    served: dict[str, object] = app.extensions.setdefault("sayso", {})
    if path not in served:
        served[path] = resource
        app.add_url_rule(path, f"sayso_metadata_{len(served)}", lambda: guard.metadata)
    if served[path] != resource:
        raise ValueError(
            f"The app cannot serve {resource} in addition to {served[path]}: the metadata of both "
            f"is at {path}. Give them different paths."
        )


def _answer(rejected: Rejected) -> flask.Response:
    response = flask.jsonify(rejected.body)
    response.status_code = rejected.status
    response.headers.update(rejected.headers)
    return response
