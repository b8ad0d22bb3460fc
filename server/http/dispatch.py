"""Runs a route: authenticates the caller, calls the endpoint, translates errors to responses."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from prometheus_client import Counter
from pydantic import BaseModel

from server import telemetry
from server.http import cookies
from server.http.approvals import approval_wire
from server.http.route import (
    MAX_BODY_BYTES,
    NO_STORE,
    PROMISES,
    STATEMENT,
    Caller,
    HttpRequest,
    HttpResponse,
    Result,
    Route,
    as_json,
)
from server.http.site import Site
from server.http.wire import read
from server.model.approval_views import ApproverView
from server.model.audit import StoredLeaf
from server.model.ports import UnusableKey
from server.model.store import Busy, Taken
from server.protocol import errors, forms
from server.protocol.approvals import decisions
from server.services.audit import audit
from server.services.operations.administration import AdminServices
from server.services.operations.authority import AccessRule, AdminRequest
from server.services.refusals import ChangeRefused, Conflict, Invalid, NotFound
from server.services.users.device_auth import Person

_MAX_PROMISES = 8
"""The maximum in one response, because a proxy may refuse long headers."""
_TOO_LONG = 413
_UNAVAILABLE = "The server is busy. Nothing was changed; try again."


def answer(site: Site, route: Route, request: HttpRequest) -> HttpResponse:
    """Run a route's endpoint. Does not raise, whatever the client sends."""
    response = _answer(site, route, request)
    _counter(route.name, response.status).inc()
    return response


def overloaded(route: Route) -> HttpResponse:
    """Return 503 to a client with too many queued requests, without running the endpoint."""
    response = _busy(route)
    _counter(route.name, response.status).inc()
    return response


@cache
def _counter(endpoint: str, status: int) -> Counter:
    """The counter for these labels; cached, because the lookup costs more than counting."""
    return telemetry.ANSWERS.labels(endpoint, str(status))


def _answer(site: Site, route: Route, request: HttpRequest) -> HttpResponse:
    try:
        return _run(site, route, request)
    except errors.ProtocolError as error:
        _log_refusal(route, error.code, error.detail)
        return _oauth_error(error)
    except errors.Problem as problem:
        _log_refusal(route, problem.code, problem.log)
        return problem_response(problem)
    except (ChangeRefused, Taken) as error:
        _log_refusal(route, type(error).__name__, str(error))
        return problem_response(_to_problem(error))
    except Busy as error:
        _log_refusal(route, "busy", str(error))
        return _busy(route)
    except Exception:  # noqa: BLE001  # the last handler: logs it and returns 500
        telemetry.log().exception("request.failed", route=route.name)
        return _server_error(route)


def _run(site: Site, route: Route, request: HttpRequest) -> HttpResponse:
    if any("\0" in request.query.get(name, "") for name in route.query):
        raise errors.invalid_body("A parameter has a null character.")
    if duplicates := sorted(request.repeated.intersection(route.query)):
        raise errors.invalid_body(f"{duplicates[0]} must appear once.")
    if route.same_origin:
        cookies.check_origin(site.server_policy, request)
    if route.caller is Caller.PERSON:
        return _run_for_person(site, route, request)
    if route.caller is Caller.RESOURCE:
        caller = site.clients.auth.resource_server(request.headers.get("authorization"))
        return _call(site, route, request, caller=caller)
    return _call(site, route, request)


def _run_for_person(site: Site, route: Route, request: HttpRequest) -> HttpResponse:
    """Run a person's endpoint. The response has promises for the stored audit entries."""
    with audit.collect_stored() as leaves:
        person = _person(site, route, request)
        if route.rule is None:
            response = _call(site, route, request, person=person)
        else:
            admin = _admin_services(site, route.rule, request, person)
            response = _call(site, route, request, admin=admin)
    if not leaves:
        return response
    return replace(response, headers={**response.headers, PROMISES: _promises(site, leaves)})


def _call(site: Site, route: Route, request: HttpRequest, **caller: object) -> HttpResponse:
    """Call the endpoint with the arguments that it names."""
    arguments = {
        "site": site,
        "request": request,
        "record_id": request.params.get("id", ""),
        **caller,
    }
    if "body" in route.parameters and route.body is not None:
        arguments["body"] = read(route.body, request.body)
    return _response(route, route.endpoint(**{name: arguments[name] for name in route.parameters}))


def _promises(site: Site, leaves: Sequence[StoredLeaf]) -> str:
    """The promises as a header; "" if the log cannot sign now. The change is stored anyway."""
    try:
        notes = site.audit_log.promises(leaves[-_MAX_PROMISES:])
    except (Busy, UnusableKey) as error:
        telemetry.log().warning("promise.missing", reason=str(error))
        return ""
    return ", ".join(base64.b64encode(note.encode()).decode() for note in notes)


def _response(route: Route, result: Result) -> HttpResponse:
    """The endpoint's result as a response; a record with a version has an ETag for `If-Match`."""
    if isinstance(result, HttpResponse):
        return result
    if result is None:
        return HttpResponse(route.status, headers=NO_STORE)
    if not isinstance(result, BaseModel):
        return as_json(route.status, result)
    version = getattr(result, "version", None)
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return as_json(route.status, result.model_dump(by_alias=True), headers)


def _person(site: Site, route: Route, request: HttpRequest) -> Person:
    """Authenticate a terminal by its token and proof, or a browser by its cookie.

    A page that was signed out has no cookie, but its scripts still send the header.
    """
    cookie = cookies.session_cookie(site.server_policy, request)
    is_browser = cookie != "" or cookies.CSRF.lower() in request.headers
    if route.browsers and is_browser and "authorization" not in request.headers:
        if cookie:
            cookies.check_page(site.devices.browsers, site.server_policy, request, cookie)
        return site.devices.browsers.person(cookie)
    return site.users.device_auth.authenticate(site.device_call(request))


def _admin_services(
    site: Site, rule: AccessRule, request: HttpRequest, person: Person
) -> AdminServices:
    """The administration services for one request of a person."""
    version = request.headers.get("if-match")
    admin_request = AdminRequest(
        digest=decisions.request_digest(request.method, request.path, request.body),
        target=request.params.get("id", ""),
        version=None if version is None else version.strip().strip('"'),
        statement=request.headers.get(STATEMENT.lower()),
    )
    return site.administration.services_for(person, rule, admin_request)


def refusal(status: int, name: str, *, as_problem: bool) -> HttpResponse:
    """The response to an HTTP error that occurs before any endpoint runs."""
    text = f"{name}." if status != _TOO_LONG else forms.too_long(MAX_BODY_BYTES)
    if as_problem:
        code = name.lower().replace(" ", "_")
        return problem_response(errors.Problem(status, code, text))
    return as_json(status, {"error": "invalid_request", "error_description": text})


def problem_response(problem: errors.Problem) -> HttpResponse:
    """A problem document (RFC 9457)."""
    members = {
        name: approval_wire.approval(value).model_dump()
        if isinstance(value, ApproverView)
        else value
        for name, value in problem.members.items()
    }
    body: Mapping[str, object] = {
        "type": "about:blank",
        "title": problem.code.replace("_", " "),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **members,
    }
    return as_json(problem.status, body, problem.headers, media_type="application/problem+json")


def _to_problem(error: ChangeRefused | Taken) -> errors.Problem:
    """The problem for an error of an administration service."""
    status, code = next(
        (row for kind, row in _STATUS.items() if isinstance(error, kind)), (409, "exists")
    )
    member = getattr(error, "member", "")
    return errors.Problem(status, code, str(error), members={"member": member} if member else {})


_STATUS: Mapping[type[Exception], tuple[int, str]] = {
    NotFound: (404, "not_found"),
    Conflict: (409, "conflict"),
    Invalid: (422, "invalid"),
}


def busy_problem() -> errors.Problem:
    """503: the server is busy."""
    return errors.Problem(503, "unavailable", _UNAVAILABLE, headers={"Retry-After": "1"})


def _oauth_error(error: errors.ProtocolError) -> HttpResponse:
    body = {"error": error.code, "error_description": error.description, **error.members}
    return as_json(error.status, body, error.headers)


def _busy(route: Route) -> HttpResponse:
    if route.as_problem:
        return problem_response(busy_problem())
    return _oauth_error(errors.TemporarilyUnavailable(_UNAVAILABLE))


def _server_error(route: Route) -> HttpResponse:
    if route.as_problem:
        return problem_response(errors.Problem(500, "server_error", "Internal server error."))
    return _oauth_error(errors.ServerError("Internal server error."))


def _log_refusal(route: Route, code: str, detail: str) -> None:
    telemetry.log().debug("request.refused", route=route.name, error=code, detail=detail)
