"""Client metadata of an app that registers itself (RFC 7591 2, OpenID Registration 2).

Owns: parsing the metadata, and all refusals that need no database row. Never: who may register.

Such an app is public. Metadata that asks for more is replaced, and the response contains the
values that were registered (3.2.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from server.protocol import errors
from server.protocol.clients import redirects, registration
from server.protocol.clients.client_documents import MAX_REDIRECTS, claimed_name, usual_grants
from server.protocol.clients.registration import DEFAULT_ID_TOKEN_ALG
from server.protocol.json_text import JsonValue

Registration = Literal["off", "invitation", "open"]
ApplicationType = Literal["native", "web"]

_TYPES: Final = ("native", "web")


@dataclass(frozen=True, slots=True)
class AppMetadata:
    """The metadata of an app that registers itself."""

    claimed_name: str | None
    redirect_uris: tuple[str, ...]
    application_type: ApplicationType
    id_token_alg: str
    grant_types: tuple[str, ...]
    dpop_bound: bool
    requires_par: bool


def is_for_app(body: bytes, content_type: str) -> bool:
    """Return whether a registration request is for an app, which has redirect URIs.

    Raises errors.InvalidClientMetadata.
    """
    return registration.read_members(body, content_type).get("redirect_uris", []) != []


def read(body: bytes, content_type: str) -> AppMetadata:
    """Parse the metadata of an app.

    Raises errors.InvalidClientMetadata, errors.InvalidRedirectUri, or the error for a software
    statement, which is not supported.
    """
    members = registration.read_members(body, content_type)
    registration.refuse_statement(members.get("software_statement"))
    registration.refuse_unsupported(members)
    uris = _redirect_uris(members.get("redirect_uris"))
    if members.get("token_endpoint_auth_method") == "private_key_jwt":
        raise errors.InvalidClientMetadata(
            "An app that registers itself is public. Leave out token_endpoint_auth_method."
        )
    if problem := registration.app_problem(members):
        raise errors.InvalidClientMetadata(f"{problem}.")
    return AppMetadata(
        claimed_name=claimed_name(members.get("client_name")),
        redirect_uris=uris,
        application_type=_application_type(members, uris),
        id_token_alg=str(members.get("id_token_signed_response_alg", DEFAULT_ID_TOKEN_ALG)),
        grant_types=usual_grants(members.get("grant_types")),
        dpop_bound=bool(members.get(registration.DPOP_BOUND)),
        requires_par=bool(members.get(registration.REQUIRES_PAR)),
    )


def name_from_redirect_uri(uri: str) -> str:
    """Return a name for an app from its redirect URI, its only verified property."""
    if not redirects.is_local(uri):
        return redirects.host_of(uri)
    scheme = uri.partition(":")[0]
    return "local app" if scheme in {"http", "https"} else f"{scheme} app"


def _redirect_uris(value: JsonValue) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_REDIRECTS:
        raise errors.InvalidRedirectUri(f"redirect_uris must be a list of 1 to {MAX_REDIRECTS}.")
    uris = tuple(dict.fromkeys(uri for uri in value if isinstance(uri, str)))
    for uri in uris:
        if problem := redirects.redirect_problem(uri):
            raise errors.InvalidRedirectUri(f"A redirect URI {problem}.")
    if not all(isinstance(uri, str) for uri in value):
        raise errors.InvalidRedirectUri("redirect_uris must be a list of strings.")
    if len({redirects.host_of(uri) for uri in uris if not redirects.is_local(uri)}) > 1:
        raise errors.InvalidRedirectUri("Web redirect URIs must be on one host.")
    return tuple(sorted(uris, key=redirects.is_local))


def _application_type(members: Mapping[str, JsonValue], uris: tuple[str, ...]) -> ApplicationType:
    """Return the app's declared type, which must fit its URIs; by default, the type that fits."""
    is_local = any(map(redirects.is_local, uris))
    application_type = members.get("application_type", "native" if is_local else "web")
    if application_type not in _TYPES:
        raise errors.InvalidClientMetadata("application_type must be native or web.")
    if application_type == "web" and is_local:
        raise errors.InvalidRedirectUri(
            "With application_type web, redirect URIs must use https and must not be loopback URIs."
        )
    return "web" if application_type == "web" else "native"
