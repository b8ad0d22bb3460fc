"""The backchannel authentication request, and the answer to a poll (CIBA Core 7, 10, 11).

Owns: the parameters of a request, the pace of polls, and the answer to a poll by state.
Never: who the user is, or what the agent may access (`server.services.ciba.requests`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.protocol import errors, json_text, names, text
from server.protocol.approvals import outcomes
from server.protocol.approvals.states import State
from server.protocol.forms import Form
from server.protocol.json_text import JsonValue
from server.protocol.policy.risks import Risk
from server.protocol.resources import scopes, uris

INTERVAL_MS: Final = 5_000
MAX_INTERVAL_MS: Final = 30_000
TOLERANCE_MS: Final = 500
MAX_WAIT_SECONDS: Final = 55
_MAX_HINT = 320
_MAX_DETAILS = 10
_MAX_DETAILS_BYTES = 20_480
"""A token contains its details in base64, and has at most 32,768 characters."""
_MAX_TOKEN = 1_024
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_EXPIRY = re.compile(r"[1-9][0-9]{0,16}")
_ACR_VALUES = re.compile(r"[\x20-\x7E]{1,512}")
_WAIT_PREFERENCE = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]{1,4})\"?(?:$|[,;\s])")

_HINTS: Final = ("login_hint", "id_token_hint", "login_hint_token")


@dataclass(frozen=True, slots=True)
class BackchannelRequest:
    """A parsed backchannel authentication request."""

    scope: tuple[str, ...]
    """Scopes of the resource."""
    openid_scope: tuple[str, ...]
    login_hint: str | None
    id_token_hint: str | None
    resource: str | None
    details: tuple[Mapping[str, JsonValue], ...]
    binding_message: str | None
    requested_expiry: int | None
    """Seconds."""
    acr_values: str
    notification_token: str | None = None
    """The token as sent; ignored for agents that poll."""
    login_hint_token: str | None = None
    """A token from an exchange that needs a person's approval."""
    user_code: str | None = None
    """The user code that the person gave the agent; ignored for agents without user codes."""
    supersedes: str | None = None
    """The `auth_req_id` of an earlier request of the agent that this one replaces."""
    risk: Risk = Risk.LOW
    """The minimum risk that the agent requests."""


def parse_request(form: Form) -> BackchannelRequest:
    """Parse the parameters of CIBA 7.1, signed or not. Raises errors of CIBA 13."""
    if form.get("request_uri") is not None:
        raise errors.InvalidRequest("request_uri is not supported. Send the request itself.")
    _check_hints(form)
    openid, rest = scopes.split(scopes.parse(form.require("scope")))
    if scopes.OPENID not in openid:
        raise errors.InvalidRequest("scope must contain openid.")
    message = form.get("binding_message")
    return BackchannelRequest(
        scope=rest,
        openid_scope=openid,
        login_hint=form.get("login_hint"),
        id_token_hint=form.get("id_token_hint"),
        resource=uris.only_resource(form.every("resource")),
        details=read_details(form.get("authorization_details")),
        binding_message=None if message is None else text.check_binding_message(message),
        requested_expiry=_parse_expiry(form.get("requested_expiry")),
        acr_values=_check_acr(form.get("acr_values")),
        notification_token=form.get("client_notification_token"),
        login_hint_token=form.get("login_hint_token"),
        user_code=form.get("user_code"),
        supersedes=form.get("supersedes"),
        risk=_parse_risk(form.get("risk")),
    )


def check_notification_token(request: BackchannelRequest) -> str:
    """Return the bearer token for callbacks to the agent (CIBA 7.1, RFC 6750 2.1).

    Only a well-formed token may be put into a header. Raises errors.InvalidRequest.
    """
    token = request.notification_token
    if token is None:
        raise errors.InvalidRequest("client_notification_token is missing.")
    if len(token) > _MAX_TOKEN or not _TOKEN.fullmatch(token):
        raise errors.InvalidRequest(
            f"client_notification_token must be a bearer token of at most {_MAX_TOKEN} characters."
        )
    return token


def wants_pin(acr_values: str) -> bool:
    """Return whether the first known ACR value requires the PIN (OpenID Connect Core 3.1.2.1).

    This can only make the approval stricter.
    """
    wants_pin_by_acr = {names.ACR_SIGNED: False, names.ACR_SIGNED_PIN: True}
    return next(
        (wants_pin_by_acr[value] for value in acr_values.split() if value in wants_pin_by_acr),
        False,
    )


def read_details(raw: str | None) -> tuple[Mapping[str, JsonValue], ...]:
    """Parse the objects of `authorization_details` (RFC 9396 2); types are checked elsewhere.

    Returns () if the parameter was not sent. Raises errors.InvalidAuthorizationDetails.
    """
    if raw is None:
        return ()
    try:
        value = json_text.parse(
            raw, max_bytes=_MAX_DETAILS_BYTES, what="authorization_details", shows_names=False
        )
    except errors.InvalidRequest as error:
        raise errors.InvalidAuthorizationDetails(error.description) from error
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_DETAILS:
        raise errors.InvalidAuthorizationDetails(
            f"authorization_details must be an array of 1 to {_MAX_DETAILS} objects."
        )
    return tuple(_check_detail(item, index) for index, item in enumerate(value))


def preferred_wait(prefer: str | None) -> int:
    """Return how many seconds the client is willing to wait (RFC 7240 4.3), from 0 to 55."""
    match = _WAIT_PREFERENCE.search(prefer or "")
    return min(int(match[1]), MAX_WAIT_SECONDS) if match else 0


@dataclass(frozen=True, slots=True)
class Pace:
    """Whether a poll was too early, and the interval from now on."""

    early: bool
    interval_ms: int


def pace(*, arrived: int, last: int | None, interval_ms: int) -> Pace:
    """Classify a poll by the time since the previous poll arrived (CIBA 7.3, 11; RFC 8628 3.5).

    `last` is None for the first poll, which is never early. The tolerance is half a second. Each
    early poll adds five seconds to the interval, up to thirty.
    """
    if last is None or arrived >= last + interval_ms - TOLERANCE_MS:
        return Pace(early=False, interval_ms=interval_ms)
    return Pace(early=True, interval_ms=min(interval_ms + INTERVAL_MS, MAX_INTERVAL_MS))


def slow_down(pace: Pace, waited_ms: int, members: Mapping[str, object]) -> errors.SlowDown:
    """Return the error for an early poll; `members` are the members of a pending answer.

    `waited_ms` is the time since the poll arrived, so that `Retry-After` counts from the answer.
    """
    seconds = pace.interval_ms // 1000
    remaining_seconds = -((waited_ms - pace.interval_ms) // 1000)
    return errors.SlowDown(
        f"Polled too early. Wait {seconds} seconds between polls.",
        members={"interval": seconds, **members},
        headers={"Retry-After": str(max(1, remaining_seconds))},
    )


def poll_error(
    state: State, members: Mapping[str, object], reason: str | None = None
) -> errors.ProtocolError:
    """Return the error for a poll of an approval that yields no tokens (CIBA 11).

    `members` contains the `reason`. A denial adds its code, note and retry hint; an expired request
    adds `retry` if the person wants to be asked again. `reason` is the stored reason.
    """
    if state is State.PENDING:
        return errors.AuthorizationPending("The person has not answered yet.", members=members)
    if state is State.DENIED:
        return errors.AccessDenied(_denial_text(members), members=members)
    if state is State.EXPIRED:
        return errors.ExpiredToken(_expiry_text(members, reason), members=members)
    if state is State.CANCELLED:
        return errors.AccessDenied(outcomes.reason_text(members["reason"]), members=members)
    return errors.InvalidGrant("auth_req_id is unknown, used, or not yours.")


def _expiry_text(members: Mapping[str, object], reason: str | None) -> str:
    wants_retry = members.get("retry") == outcomes.RETRY_WANTED
    return outcomes.RETRY_TEXT if wants_retry else outcomes.reason_text(members["reason"], reason)


def _denial_text(members: Mapping[str, object]) -> str:
    advice = {
        "later": "You may ask again later.",
        "with_changes": "Correct the details and ask again.",
        "narrower": "Request less.",
        "not_before": "Wait before you ask again.",
        "redirected": "Ask someone else.",
        "never": "Do not ask again.",
    }
    hint = advice.get(str(members.get("retry")), "Do not repeat the request unchanged.")
    return f"The person denied the request. {hint}"


def _check_hints(form: Form) -> None:
    sent_hints = [name for name in _HINTS if form.get(name) is not None]
    if len(sent_hints) != 1:
        raise errors.InvalidRequest(f"Send exactly one of {', '.join(_HINTS)}.")
    if sent_hints == ["login_hint"] and not _is_plain_hint(form.require("login_hint")):
        raise errors.InvalidRequest("login_hint is too long or has control characters.")


def _is_plain_hint(hint: str) -> bool:
    return len(hint) <= _MAX_HINT and hint.isprintable()


def _parse_expiry(raw: str | None) -> int | None:
    if raw is None:
        return None
    if not _EXPIRY.fullmatch(raw):
        raise errors.InvalidRequest("requested_expiry must be a positive whole number of seconds.")
    return int(raw)


def _parse_risk(raw: str | None) -> Risk:
    if raw is not None and raw not in set(Risk):
        raise errors.InvalidRequest(f"risk must be one of {', '.join(Risk)}.")
    return Risk.LOW if raw is None else Risk(raw)


def _check_acr(raw: str | None) -> str:
    if raw is not None and not _ACR_VALUES.fullmatch(raw):
        raise errors.InvalidRequest("acr_values must be names, in 512 characters at most.")
    return raw or ""


def _check_detail(item: JsonValue, index: int) -> Mapping[str, JsonValue]:
    kind = item.get("type") if isinstance(item, dict) else None
    has_type = isinstance(kind, str) and kind != "" and kind.isprintable()
    if not isinstance(item, dict) or not has_type:
        raise errors.InvalidAuthorizationDetails(
            f"/{index} must be an object with a type that is a string."
        )
    return item
