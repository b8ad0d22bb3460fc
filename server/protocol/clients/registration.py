"""Client metadata in a registration request (RFC 7591 2, RFC 7592 2.2, OpenID Registration 2).

Owns: parsing the metadata, its defaults, and all refusals that need no database row.
Never: what a client may have; its invitation and `services.clients.registration` decide that.

Unknown members are ignored and not stored. URLs in the metadata are never fetched.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard

from server.protocol import errors, json_text, names
from server.protocol.clients import jwks
from server.protocol.clients.jwks import PublicKey
from server.protocol.json_text import JsonValue
from server.protocol.resources import scopes

DEFAULT_ID_TOKEN_ALG: Final = "RS256"  # noqa: S105  # an algorithm
"""The default of OpenID Connect Registration 2."""

DPOP_BOUND: Final = "dpop_bound_access_tokens"
REQUIRES_PAR: Final = "require_pushed_authorization_requests"
_MAX_BYTES = 32 * 1024
_MAX_NAMES = 64
_STATEMENT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_UNSUPPORTED: Final[Mapping[str, JsonValue]] = {
    "tls_client_certificate_bound_access_tokens": False,
    "subject_type": "public",
    "id_token_encrypted_response_alg": None,
    "id_token_encrypted_response_enc": None,
    "userinfo_signed_response_alg": None,
    "userinfo_encrypted_response_alg": None,
    "userinfo_encrypted_response_enc": None,
    "request_object_encryption_alg": None,
    "request_object_encryption_enc": None,
    "introspection_signed_response_alg": None,
    "introspection_encrypted_response_alg": None,
    "introspection_encrypted_response_enc": None,
    "authorization_signed_response_alg": None,
    "authorization_encrypted_response_alg": None,
    "authorization_encrypted_response_enc": None,
    "require_signed_request_object": False,
    "request_object_signing_alg": None,
    "request_uris": [],
    "claims_redirect_uris": [],
    "tls_client_auth_subject_dn": None,
    "tls_client_auth_san_dns": None,
    "tls_client_auth_san_uri": None,
    "tls_client_auth_san_ip": None,
    "tls_client_auth_san_email": None,
    "use_mtls_endpoint_aliases": False,
    "nfv_token_signed_response_alg": None,
    "nfv_token_encrypted_response_alg": None,
    "nfv_token_encrypted_response_enc": None,
    "default_max_age": None,
    "default_acr_values": [],
    "frontchannel_logout_uri": None,
    "frontchannel_logout_session_required": False,
    "backchannel_logout_uri": None,
    "backchannel_logout_session_required": False,
}
"""Members that request a protection or behavior that Sayso does not have, and the value that
requests none."""
_APP_VALUES: Final = (
    ("grant_types", names.GRANT_AUTHORIZATION_CODE),
    ("response_types", "code"),
)
"""The values that the lists of an app must contain."""
_SERVER_ONLY = ("registration_access_token", "client_secret_expires_at", "client_id_issued_at")


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata that a client requests. None leaves the choice to the server."""

    client_name: str | None
    auth_method: str
    grant_types: tuple[str, ...] | None
    scope: tuple[str, ...] | None
    action_types: tuple[str, ...] | None
    keys: tuple[PublicKey, ...]
    id_token_alg: str
    dpop_bound: bool
    request_alg: str | None
    delivery: str
    notification_endpoint: str | None
    takes_user_code: bool


def read(body: bytes, content_type: str) -> Metadata:
    """Parse the metadata of a registration request.

    Raises errors.InvalidClientMetadata, errors.InvalidRedirectUri, or the error for a software
    statement, which is not supported.
    """
    members = read_members(body, content_type)
    refuse_statement(members.get("software_statement"))
    refuse_unsupported(members)
    _refuse_app_metadata(members)
    method = _read_choice(
        members, "token_endpoint_auth_method", names.AUTH_METHODS[0], names.AUTH_METHODS
    )
    keys = _read_keys(members)
    if method == "private_key_jwt" and not keys:
        raise errors.InvalidClientMetadata("private_key_jwt needs the public keys in jwks.")
    _check_auth_alg(members, method, keys)
    return Metadata(
        client_name=_read_string(members, "client_name"),
        auth_method=method,
        grant_types=_read_names(members, "grant_types"),
        scope=_read_scope(members),
        action_types=_read_names(members, "authorization_details_types"),
        keys=keys,
        id_token_alg=_read_choice(
            members, "id_token_signed_response_alg", DEFAULT_ID_TOKEN_ALG, names.SIGNING_ALGS
        ),
        dpop_bound=_read_flag(members, DPOP_BOUND),
        request_alg=_read_request_alg(members, keys),
        delivery=_read_choice(members, "backchannel_token_delivery_mode", "poll", names.DELIVERIES),
        notification_endpoint=_read_endpoint(members),
        takes_user_code=_read_flag(members, "backchannel_user_code_parameter"),
    )


def read_update(body: bytes, content_type: str, client_id: str) -> tuple[Metadata, str | None]:
    """Parse a client update: its metadata and the secret it sends.

    It must contain its client_id, and no member that only the server sets (RFC 7592 2.2).
    """
    members = read_members(body, content_type)
    if members.get("client_id") != client_id:
        raise errors.InvalidClientMetadata("client_id must be the one that was registered.")
    for name in _SERVER_ONLY:
        if name in members:
            raise errors.InvalidClientMetadata(f"{name} can only be set by the server.")
    return read(body, content_type), _read_string(members, "client_secret")


def read_members(body: bytes, content_type: str) -> Mapping[str, JsonValue]:
    """Return the members that are not null. Raises errors.InvalidClientMetadata."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise errors.InvalidClientMetadata("Send the metadata as application/json.")
    try:
        members = json_text.parse(body, max_bytes=_MAX_BYTES, what="metadata", shows_names=False)
    except errors.InvalidRequest as error:
        raise errors.InvalidClientMetadata(f"{error.description}.") from error
    if not isinstance(members, dict):
        raise errors.InvalidClientMetadata("The metadata must be a JSON object.")
    return {name: value for name, value in members.items() if value is not None}


def refuse_statement(statement: JsonValue) -> None:
    """Refuse a software statement, which is not supported (RFC 7591 2.3)."""
    if statement is None:
        return
    if not isinstance(statement, str) or not _STATEMENT.fullmatch(statement):
        raise errors.InvalidSoftwareStatement("software_statement must be a signed JWT.")
    raise errors.UnapprovedSoftwareStatement("Software statements are not supported.")


def refuse_unsupported(members: Mapping[str, JsonValue]) -> None:
    """Refuse metadata that requests something unsupported."""
    if problem := unsupported_problem(members):
        raise errors.InvalidClientMetadata(f"{problem}.")


def app_problem(members: Mapping[str, JsonValue]) -> str:
    """Return what is wrong with the metadata that all apps have; "" if it is valid."""
    for name, required in _APP_VALUES:
        value = members.get(name, [required])
        if not isinstance(value, list) or required not in value:
            return f"{name} must contain {required}"
    alg = members.get("id_token_signed_response_alg", DEFAULT_ID_TOKEN_ALG)
    if alg not in names.SIGNING_ALGS:
        return f"id_token_signed_response_alg must be one of {', '.join(names.SIGNING_ALGS)}"
    flags = (name for name in (DPOP_BOUND, REQUIRES_PAR) if name in members)
    not_flags = (name for name in flags if not isinstance(members[name], bool))
    return next((f"{name} must be true or false" for name in not_flags), "")


def unsupported_problem(members: Mapping[str, JsonValue]) -> str:
    """Return a message about the first unsupported member, or "" if all are supported."""
    for name, default in _UNSUPPORTED.items():
        if members.get(name, default) != default:
            remedy = (
                "leave it out"
                if default is None
                else f"leave it out, or send {json.dumps(default)}"
            )
            return f"{name} is not supported: {remedy}"
    return ""


def _refuse_app_metadata(members: Mapping[str, JsonValue]) -> None:
    """Refuse metadata of an app; only agents register here."""
    if members.get("redirect_uris", []) != []:
        raise errors.InvalidRedirectUri("Agents have no redirect URIs. Leave them out.")
    if members.get("response_types", []) not in ([], ["none"]):
        raise errors.InvalidClientMetadata("Agents have no response_types. Leave them out.")


def _read_keys(members: Mapping[str, JsonValue]) -> tuple[PublicKey, ...]:
    if "jwks_uri" in members:
        both = "jwks" in members
        raise errors.InvalidClientMetadata(
            "Send jwks or jwks_uri, not both." if both else "Send jwks; jwks_uri is not supported."
        )
    if "jwks" not in members:
        return ()
    try:
        return jwks.read_keys(members["jwks"])
    except ValueError as error:
        raise errors.InvalidClientMetadata(
            "jwks must contain public keys of a supported type.", detail=str(error)
        ) from error


def _read_request_alg(members: Mapping[str, JsonValue], keys: tuple[PublicKey, ...]) -> str | None:
    name = "backchannel_authentication_request_signing_alg"
    if name not in members:
        return None
    alg = _read_client_alg(members, name)
    if all(key["alg"] != alg for key in keys):
        raise errors.InvalidClientMetadata(
            "jwks has no key for signing requests with this algorithm."
        )
    return alg


def _check_auth_alg(
    members: Mapping[str, JsonValue], method: str, keys: tuple[PublicKey, ...]
) -> None:
    """Require that all keys have the algorithm for assertions (OpenID Registration 2)."""
    name = "token_endpoint_auth_signing_alg"
    if name not in members:
        return
    alg = _read_client_alg(members, name)
    if method != "private_key_jwt":
        raise errors.InvalidClientMetadata(f"{name} needs private_key_jwt.")
    if any(key["alg"] != alg for key in keys):
        raise errors.InvalidClientMetadata(
            f"Every key in jwks must have the alg of {name}, because each can sign assertions."
        )


def _read_client_alg(members: Mapping[str, JsonValue], name: str) -> str:
    alg = _read_choice(members, name, "", (*names.CLIENT_ALGS, names.ED25519))
    return "EdDSA" if alg == names.ED25519 else alg


def _read_endpoint(members: Mapping[str, JsonValue]) -> str | None:
    """Return the callback URL, if any (CIBA 4). Whether it is allowed is checked later."""
    url = _read_string(members, "backchannel_client_notification_endpoint")
    polls = members.get("backchannel_token_delivery_mode", "poll") == "poll"
    if polls != (url is None):
        raise errors.InvalidClientMetadata(
            "backchannel_client_notification_endpoint is required for ping and push, and not "
            "allowed for poll."
        )
    return url


def _read_scope(members: Mapping[str, JsonValue]) -> tuple[str, ...] | None:
    text = _read_string(members, "scope")
    if not text:
        return None if text is None else ()
    try:
        _, resource_scopes = scopes.split(scopes.parse(text))
    except errors.InvalidScope as error:
        raise errors.InvalidClientMetadata(error.description) from error
    return resource_scopes


def _read_choice(
    members: Mapping[str, JsonValue], name: str, default: str, allowed: tuple[str, ...]
) -> str:
    value = members.get(name, default)
    if value not in allowed:
        raise errors.InvalidClientMetadata(f"{name} must be one of {', '.join(allowed)}.")
    return str(value)


def _read_flag(members: Mapping[str, JsonValue], name: str) -> bool:
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise errors.InvalidClientMetadata(f"{name} must be true or false.")
    return value


def _read_string(members: Mapping[str, JsonValue], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise errors.InvalidClientMetadata(f"{name} must be a string.")
    return value


def _are_strings(items: list[JsonValue]) -> TypeGuard[list[str]]:
    return all(isinstance(item, str) for item in items)


def _read_names(members: Mapping[str, JsonValue], name: str) -> tuple[str, ...] | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > _MAX_NAMES or not _are_strings(value):
        raise errors.InvalidClientMetadata(f"{name} must be a list of up to {_MAX_NAMES} names.")
    return tuple(dict.fromkeys(value))
