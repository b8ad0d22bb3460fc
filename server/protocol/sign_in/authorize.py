"""The authorization request (OpenID Connect Core 3.1.2).

The redirect URI is parsed first, because errors may be sent only to a registered URI.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from server.protocol import errors
from server.protocol.ciba import requests
from server.protocol.forms import Form
from server.protocol.json_text import JsonValue
from server.protocol.resources import scopes, uris
from server.protocol.sign_in import pkce
from server.protocol.users import claims
from server.protocol.users.claims import ClaimsRequest

ResponseMode = Literal["query", "form_post"]

PARAMETERS: Final = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "response_mode", "nonce"),
    *("prompt", "max_age", "login_hint", "id_token_hint", "acr_values", "claims", "resource"),
    *("code_challenge", "code_challenge_method", "requested_actor", "dpop_jkt"),
    *("display", "ui_locales", "authorization_details"),
)
PROMPTS: Final = ("none", "login", "consent", "select_account")
_MAX_TEXT: Final = 2_048
_MAX_AGE = re.compile(r"[0-9]{1,9}")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class ReturnTo:
    """Where and how the response is sent."""

    redirect_uri: str
    state: str | None
    mode: ResponseMode


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A well-formed request; the service decides whether the app may make it."""

    client_id: str
    return_to: ReturnTo
    openid: tuple[str, ...]
    scope: tuple[str, ...]
    """Scopes of a resource; () for its default scopes, or for details only (RFC 9396 3)."""
    resource: str | None
    details: tuple[Mapping[str, JsonValue], ...]
    """The actions to allow once (RFC 9396); their types are checked elsewhere."""
    challenge: str
    nonce: str | None
    prompts: tuple[str, ...]
    max_age: int | None
    """Seconds."""
    login_hint: str | None
    id_token_hint: str | None
    claims_request: ClaimsRequest
    actor: str | None
    """The agent that will be able to act for the person."""
    jkt: str | None


def return_to(form: Form) -> ReturnTo:
    """Return where to send the response. The caller checks that the URI is registered.

    Raises errors.InvalidRequest. The error is shown to the person and never sent to that URI.
    """
    mode = form.get("response_mode") or "query"
    state = form.get("state")
    if state is not None and len(state) > _MAX_TEXT:
        raise errors.InvalidRequest(f"state is longer than {_MAX_TEXT} characters.")
    chosen: ResponseMode = "form_post" if mode == "form_post" else "query"
    return ReturnTo(form.require("redirect_uri"), state, chosen)


def parse(form: Form, return_address: ReturnTo) -> AuthorizationRequest:
    """Parse the request.

    It must ask for a code in a supported mode, have no request object, and use PKCE. Then the
    details, scopes, prompts and other options are parsed. Raises errors.ProtocolError.
    """
    if form.require("response_type") != "code":
        raise errors.UnsupportedResponseType("response_type must be code.")
    if form.get("response_mode") not in {None, "query", "form_post"}:
        raise errors.InvalidRequest("response_mode must be query or form_post.")
    _refuse_request_objects(form)
    challenge = pkce.check_challenge(form.get("code_challenge"), form.get("code_challenge_method"))
    details = requests.read_details(form.get("authorization_details"))
    openid, scope = scopes.split_requested(form.get("scope"))
    resource = uris.only_resource(form.every("resource"))
    actor = form.get("requested_actor")
    if actor is not None and not scope:
        raise errors.InvalidRequest("requested_actor requires a scope of a resource.")
    return AuthorizationRequest(
        client_id=form.require("client_id"),
        return_to=return_address,
        openid=openid,
        scope=scope,
        resource=resource,
        details=details,
        challenge=challenge,
        nonce=_read_limited(form, "nonce"),
        prompts=_parse_prompts(form.get("prompt")),
        max_age=_parse_max_age(form.get("max_age")),
        login_hint=_read_limited(form, "login_hint"),
        id_token_hint=form.get("id_token_hint"),
        claims_request=claims.read(form.get("claims")),
        actor=actor,
        jkt=_check_thumbprint(form.get("dpop_jkt")),
    )


def to_stored(form: Form) -> dict[str, list[str]]:
    """Return the parameters to store while the person answers."""
    return {name: list(values) for name, values in form.values.items() if name in PARAMETERS}


def from_stored(parameters: Mapping[str, list[str]]) -> Form:
    """Return stored parameters as a form."""
    return Form({name: tuple(values) for name, values in parameters.items()})


def answer(
    issuer: str, return_address: ReturnTo, members: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a response, with the request's state and our issuer (RFC 9207)."""
    state = () if return_address.state is None else (("state", return_address.state),)
    return (*members.items(), *state, ("iss", issuer))


def _refuse_request_objects(form: Form) -> None:
    if form.get("request") is not None:
        raise errors.RequestNotSupported(
            "Signed requests are not supported; push the request instead."
        )
    if form.get("registration") is not None:
        raise errors.RegistrationNotSupported("Clients must be registered beforehand.")


def _parse_prompts(text: str | None) -> tuple[str, ...]:
    prompts = tuple(dict.fromkeys((text or "").split()))
    if any(prompt not in PROMPTS for prompt in prompts):
        raise errors.InvalidRequest(f"prompt must be one of {', '.join(PROMPTS)}.")
    if "none" in prompts and len(prompts) > 1:
        raise errors.InvalidRequest("prompt=none cannot be combined with other values.")
    return prompts


def _parse_max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not _MAX_AGE.fullmatch(text):
        raise errors.InvalidRequest("max_age must be a whole number of seconds.")
    return int(text)


def _read_limited(form: Form, name: str) -> str | None:
    value = form.get(name)
    if value is not None and len(value) > _MAX_TEXT:
        raise errors.InvalidRequest(f"{name} is longer than {_MAX_TEXT} characters.")
    return value


def _check_thumbprint(text: str | None) -> str | None:
    if text is not None and not _THUMBPRINT.fullmatch(text):
        raise errors.InvalidRequest("dpop_jkt must be the thumbprint of a key (RFC 7638).")
    return text
