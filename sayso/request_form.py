"""The arguments of a request, and the form that is sent for them.

Owns: the options and the action that callers pass, their checks, and the protocol parameters that
they become. Never: sending.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from sayso.challenge import Challenge
from sayso.errors import Refused

Action = Mapping[str, Any] | Sequence[Mapping[str, Any]] | Challenge | None
"""The action to approve: an object with a registered `type`, a list of such objects, or an API's
challenge. None requests only scopes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a person can see now."""

    auth_req_id: str
    expires_in: int
    """Seconds until the request expires."""
    interval: float
    """Seconds between two polls."""
    fingerprint: str
    """Short code that the person sees too, such as `9f3a-71c0`."""
    match_code: str | None
    """Show this number on the agent's screen; the person types it. Only for interactive agents."""


class Options(TypedDict, total=False):
    """Optional parameters besides user and action."""

    scope: str
    """Scopes of the API, separated by spaces."""
    resource: str
    """The API's URI. Required if the agent may use several APIs."""
    message: str
    """Up to 200 characters, shown as the agent's own words."""
    idempotency_key: str
    """Identifies this request, up to 255 characters. After a crash, send the same request with the
    same key to continue it and get its answer. Default: a new key."""
    expires_in: int
    """The maximum number of seconds to wait for the answer."""
    risk: str
    """`low`, `medium`, `high` or `critical`: raises the risk, never lowers it."""
    acr_values: str
    """How the person must answer, such as `urn:sayso:acr:signed-pin`."""
    user_code: str
    """The code that the person gave the agent."""
    caller_token: str
    """For an agent that serves an API: the access token of the call that it handles. The user of
    the token is asked, and sees which client calls."""
    supersedes: str
    """The `auth_req_id` of a pending request that this one replaces."""
    on_asked: Callable[[Asked], None]
    """Called once the person can see the request."""


_PARAMETERS: Final = {
    "resource": "resource",
    "message": "binding_message",
    "expires_in": "requested_expiry",
    "risk": "risk",
    "acr_values": "acr_values",
    "user_code": "user_code",
    "supersedes": "supersedes",
}
_ARGUMENTS: Final = {
    "login_hint": "user",
    "Idempotency-Key": "idempotency_key",
    **{parameter: name for name, parameter in _PARAMETERS.items()},
}
"""For each parameter of a request, the argument that it comes from."""
_PARAMETER_NAME: Final = re.compile(rf"\b({'|'.join(_ARGUMENTS)})\b")


def details_of(action: Action) -> list[dict[str, Any]]:
    """Return the objects of an action. Raises ValueError unless each is an object with a type."""
    if action is None:
        return []
    if isinstance(action, Challenge):
        action = action.details
    objects = [action] if isinstance(action, Mapping | str | int | float) else list(action)
    if not all(isinstance(detail, Mapping) for detail in objects):
        raise ValueError("The action must be an object or a list of objects.")
    if not all(isinstance(detail.get("type"), str) for detail in objects):
        raise ValueError(
            "type is missing in the action: name an action type that an administrator registered, "
            'such as {"type": "payment.transfer", …}.'
        )
    for detail in objects:
        _check_json(detail)
    return [dict(detail) for detail in objects]


def _check_json(detail: Mapping[str, Any]) -> None:
    for name, value in detail.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"{name} in the action cannot be sent as JSON: {error}.") from error


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse an option that does not exist, and a key that cannot be sent in a header.

    Raises TypeError or ValueError.
    """
    for name in options:
        if name not in Options.__optional_keys__:
            names = ", ".join(sorted(Options.__optional_keys__))
            raise TypeError(f"There is no option {name}. The options are: {names}.")
    key = options.get("idempotency_key") or ""
    if not isinstance(key, str) or not (key.isascii() and key.isprintable()):
        raise ValueError("idempotency_key must be a string of visible ASCII characters.")


def name_arguments(text: str) -> str:
    """Return the server's message with the names of the arguments instead of its parameters."""
    return _PARAMETER_NAME.sub(lambda found: _ARGUMENTS[found[0]], text)


def check_unicode(form: Mapping[str, str]) -> None:
    """Refuse a parameter that cannot be encoded. Raises ValueError, which names the argument."""
    for name, value in form.items():
        try:
            str(value).encode()
        except UnicodeEncodeError as error:
            argument = _ARGUMENTS.get(name, name)
            raise ValueError(f"{argument} has a character that is not valid Unicode.") from error


def to_form(action: Action, options: Options) -> dict[str, str]:
    """Return the parameters of a request. Raises TypeError or ValueError."""
    check_options(options)
    values: dict[str, Any] = dict(options)
    if isinstance(action, Challenge):
        values = {"resource": action.resource, "scope": action.scope, **values}
    if not isinstance(values.get("scope", ""), str):
        message = 'scope must be a string, with spaces between scopes: "read write".'
        raise ValueError(message)  # noqa: TRY004  # as for every invalid argument
    scope = " ".join(part for part in values.get("scope", "").split() if part != "openid")
    form = {"scope": f"openid {scope}".strip()}
    for name, parameter in _PARAMETERS.items():
        if (value := values.get(name)) in (None, ""):
            continue
        if not isinstance(value, str | int):
            kind = "whole number" if name == "expires_in" else "string"
            raise ValueError(f"{name} must be a {kind}.")  # noqa: TRY004  # as for scope
        form[parameter] = str(value)
    if details := details_of(action):
        form["authorization_details"] = json.dumps(details, ensure_ascii=False)
    return form


def free_parameters(form: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a request, except those that the exchange determines."""
    fixed = {"scope", "resource", "authorization_details"}
    return {name: value for name, value in form.items() if name not in fixed}


def check_types(needed: Iterable[object], form: Mapping[str, str]) -> None:
    """Refuse a form without an action of each type that the server needs. Raises Refused."""
    details = json.loads(form["authorization_details"]) if form["authorization_details"] else []
    missing = sorted({str(name) for name in needed} - {detail["type"] for detail in details})
    if missing:
        message = (
            "A person must approve this and needs to know what it is: pass an action of the type "
            f"{missing[0]}."
        )
        raise Refused("interaction_required", message, {})
