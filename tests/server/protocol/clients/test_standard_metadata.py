"""Every member of the IANA registry "OAuth Dynamic Client Registration Metadata".

Each member is read, refused by name, or ignored as the documentation says. Tests of what the
supported members do are in `tests/conformance`.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from server.protocol import errors
from server.protocol.clients import app_registration, client_documents, registration
from server.protocol.clients.client_documents import InvalidDocument
from tests.support.fakes.document_host import URL, document
from tests.support.servers.server import ROOT

JSON = "application/json"
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "a",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
CALLBACK = "https://chat.example/callback"
REFUSED: dict[str, object] = {
    "tls_client_certificate_bound_access_tokens": True,
    "use_mtls_endpoint_aliases": True,
    "tls_client_auth_subject_dn": "CN=bot",
    "tls_client_auth_san_dns": "bot.example",
    "tls_client_auth_san_uri": "https://bot.example",
    "tls_client_auth_san_ip": "192.0.2.1",
    "tls_client_auth_san_email": "bot@bot.example",
    "subject_type": "pairwise",
    "id_token_encrypted_response_alg": "RSA-OAEP",
    "id_token_encrypted_response_enc": "A128GCM",
    "userinfo_signed_response_alg": "ES256",
    "userinfo_encrypted_response_alg": "RSA-OAEP",
    "userinfo_encrypted_response_enc": "A128GCM",
    "introspection_signed_response_alg": "ES256",
    "introspection_encrypted_response_alg": "RSA-OAEP",
    "introspection_encrypted_response_enc": "A128GCM",
    "authorization_signed_response_alg": "ES256",
    "authorization_encrypted_response_alg": "RSA-OAEP",
    "authorization_encrypted_response_enc": "A128GCM",
    "nfv_token_signed_response_alg": "ES256",
    "nfv_token_encrypted_response_alg": "RSA-OAEP",
    "nfv_token_encrypted_response_enc": "A128GCM",
    "require_signed_request_object": True,
    "request_object_signing_alg": "ES256",
    "request_object_encryption_alg": "RSA-OAEP",
    "request_object_encryption_enc": "A128GCM",
    "request_uris": ["https://chat.example/request"],
    "claims_redirect_uris": [CALLBACK],
    "default_max_age": 60,
    "default_acr_values": ["phr"],
    "frontchannel_logout_uri": CALLBACK,
    "frontchannel_logout_session_required": True,
    "backchannel_logout_uri": CALLBACK,
    "backchannel_logout_session_required": True,
}
"""Members that ask for something that Sayso does not have."""
IGNORED: dict[str, object] = {
    "client_uri": CALLBACK,
    "logo_uri": CALLBACK,
    "contacts": ["eve@example.com"],
    "tos_uri": CALLBACK,
    "policy_uri": CALLBACK,
    "software_id": "a",
    "software_version": "1",
    "initiate_login_uri": CALLBACK,
    "sector_identifier_uri": CALLBACK,
    "post_logout_redirect_uris": [CALLBACK],
    "require_auth_time": True,
}
"""Members that are ignored for every client, as the documentation says."""
READ_FOR_AGENTS: dict[str, object] = {
    "client_name": "bot",
    "token_endpoint_auth_method": "client_secret_post",
    "grant_types": ["client_credentials"],
    "scope": "read",
    "authorization_details_types": ["pay"],
    "jwks": {"keys": [JWK]},
    "id_token_signed_response_alg": "ES256",
    "dpop_bound_access_tokens": True,
    "backchannel_user_code_parameter": True,
}
READ_FOR_APPS: dict[str, object] = {
    "client_name": "Talk",
    "redirect_uris": ["http://127.0.0.1/other"],
    "grant_types": ["authorization_code"],
    "id_token_signed_response_alg": "ES256",
    "dpop_bound_access_tokens": True,
    "require_pushed_authorization_requests": True,
}


def _agent(**members: object) -> object:
    return registration.read(json.dumps(members).encode(), JSON)


def _app(**members: object) -> object:
    body = {"redirect_uris": [CALLBACK], **members}
    return app_registration.read(json.dumps(body).encode(), JSON)


def _document(**members: Any) -> object:
    return client_documents.read(URL, json.dumps(document(**members)).encode(), JSON)


READERS: dict[str, Callable[..., object]] = {
    "agent": _agent,
    "app": _app,
    "document": _document,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize(("name", "value"), REFUSED.items(), ids=REFUSED)
def test_an_unsupported_member_is_refused_by_name(
    read: Callable[..., object], name: str, value: object
) -> None:
    """Otherwise a client would wrongly assume that it is protected.

    Values that turn the feature off are accepted.
    """
    with pytest.raises((errors.InvalidClientMetadata, InvalidDocument), match=f"^{name} is not"):
        read(**{name: value})
    none = {bool: False, list: []}.get(type(value), "public" if name == "subject_type" else None)
    assert read(**{name: none}) == read()


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize(("name", "value"), IGNORED.items(), ids=IGNORED)
def test_a_member_that_the_server_does_not_use_is_ignored(
    read: Callable[..., object], name: str, value: object
) -> None:
    """RFC 7591 2: the result with the member is the same as without it."""
    assert read(**{name: value}) == read()


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        *(("agent", name, value) for name, value in READ_FOR_AGENTS.items()),
        *(("app", name, value) for name, value in READ_FOR_APPS.items()),
        *(("document", name, value) for name, value in READ_FOR_APPS.items()),
    ],
)
def test_a_supported_member_is_read(kind: str, name: str, value: object) -> None:
    """The result with the member differs from the result without it."""
    read = READERS[kind]
    assert read(**{name: value}) != read()


@pytest.mark.parametrize("name", ["dpop_bound_access_tokens", registration.REQUIRES_PAR])
@pytest.mark.parametrize("read", [_app, _document], ids=["app", "document"])
def test_a_flag_is_a_boolean(read: Callable[..., object], name: str) -> None:
    """The string "true" is refused, so that no client believes that it turned the flag on."""
    with pytest.raises((errors.InvalidClientMetadata, InvalidDocument), match=f"^{name} must be"):
        read(**{name: "true"})


def test_every_refused_and_ignored_member_is_documented() -> None:
    """The page about registration names every member; `…_alg` may cover its `…_enc`."""
    text = (ROOT / "docs" / "register-an-agent.md").read_text()
    named = set(re.findall(r"`(\w+)`", text))
    pairs = {f"{name.removesuffix('_alg')}_enc" for name in named if "_encrypted_" in name}
    assert {*REFUSED, *IGNORED} - pairs <= named
