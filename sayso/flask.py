"""Protects a Flask app.

Owns: reading a Flask request, the answer of a refusal, and the metadata's route. Never: the rules.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import flask

from sayso.guard import Guard
from sayso.rejection import Rejected

View = Callable[..., Any]


class Protected:
    """A Flask app with a guard: serves its metadata and answers what it refuses.

    `@protected.require("payments:read")` on a view checks the call, and passes the `Caller` as the
    view's first argument.
    """

    def __init__(self, app: flask.Flask, guard: Guard) -> None:
        self._guard = guard
        app.register_error_handler(Rejected, _answer)
        app.add_url_rule(guard.metadata_path, "sayso_metadata", lambda: guard.metadata)

    def require(self, *scopes: str) -> Callable[[View], View]:
        """Let only calls with all these scopes through to the view; none means any valid token."""

        def decorate(view: View) -> View:
            @wraps(view)
            def checked(*args: object, **kwargs: object) -> object:
                request = flask.request
                caller = self._guard.check(
                    request.headers.get("Authorization"),
                    method=request.method,
                    path=request.script_root + request.path,
                    proofs=request.headers.getlist("DPoP"),
                )
                caller.require(*scopes)
                return view(caller, *args, **kwargs)

            return checked

        return decorate


def _answer(rejected: Rejected) -> flask.Response:
    answer = flask.jsonify(rejected.body)
    answer.status_code = rejected.status
    answer.headers.update(rejected.headers)
    return answer
