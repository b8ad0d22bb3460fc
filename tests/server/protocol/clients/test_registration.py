"""Client metadata of dynamic registration, and its defaults."""

import json
from typing import Any

import pytest

from server.protocol import errors
from server.protocol.clients import registration

JSON = "application/json"
JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
KEYS = {"keys": [{**JWK, "kid": "a"}]}
REQUEST_ALG = "backchannel_authentication_request_signing_alg"


def _read(**members: Any) -> registration.Metadata:
    return registration.read(json.dumps(members).encode(), JSON)


def test_empty_metadata_gets_defaults() -> None:
    """OpenID Registration defines RS256 for ID tokens; the other defaults are our choice."""
    assert _read() == registration.Metadata(
        client_name=None,
        auth_method="client_secret_basic",
        grant_types=None,
        scope=None,
        action_types=None,
        keys=(),
        id_token_alg="RS256",
        dpop_bound=False,
        request_alg=None,
        delivery="poll",
        notification_endpoint=None,
        takes_user_code=False,
    )
    assert _read(client_name=None, scope=None, jwks=None) == _read()


def test_known_metadata_is_read_and_the_rest_is_ignored() -> None:
    """DC-03, DC-11: URLs that the server does not use are neither stored nor fetched."""
    metadata = _read(
        client_name="bot",
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials", "client_credentials"],
        scope="openid write read",
        authorization_details_types=["pay"],
        jwks=KEYS,
        id_token_signed_response_alg="ES256",
        dpop_bound_access_tokens=True,
        redirect_uris=[],
        response_types=["none"],
        logo_uri="http://169.254.169.254/",
        contacts=["a@example.com"],
        **{REQUEST_ALG: "ES256"},
    )
    assert metadata.grant_types == ("client_credentials",)
    assert metadata.scope == ("read", "write")
    assert metadata.action_types == ("pay",)
    assert (metadata.keys[0]["kid"], metadata.request_alg) == ("a", "ES256")
    assert (metadata.id_token_alg, metadata.dpop_bound) == ("ES256", True)
    assert _read(scope="").scope == ()
    url = "https://a.example/ciba"
    with_callback = _read(
        backchannel_token_delivery_mode="push", backchannel_client_notification_endpoint=url
    )
    assert (with_callback.delivery, with_callback.notification_endpoint) == ("push", url)


def test_values_equal_to_the_defaults_are_accepted() -> None:
    """Metadata is refused only if it requests a protection that the server does not have."""
    plain = {"subject_type": "public", "tls_client_certificate_bound_access_tokens": False}
    assert _read(**plain) == _read()
    assert _read(**BY_KEY, **{AUTH_ALG: "ES256"}) == _read(**BY_KEY)
    ed25519 = {"jwks": {"keys": [OKP]}, REQUEST_ALG: "Ed25519"}
    assert _read(**ed25519).request_alg == "EdDSA"


AUTH_ALG = "token_endpoint_auth_signing_alg"
BY_KEY: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS}
OKP = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
MIXED = {"keys": [*KEYS["keys"], OKP]}
REFUSED: dict[str, dict[str, Any]] = {
    "DC-06 both": {"jwks": KEYS, "jwks_uri": "https://a.example/jwks"},
    "DC-06 keys at a URL": {"jwks_uri": "https://a.example/jwks"},
    "no keys": {"token_endpoint_auth_method": "private_key_jwt"},
    "DC-10 none": {"token_endpoint_auth_method": "none"},
    "an unsupported method": {"token_endpoint_auth_method": "tls_client_auth"},
    "a method that is not a string": {"token_endpoint_auth_method": ["client_secret_basic"]},
    "a private key": {"jwks": {"keys": [{**JWK, "d": "AA"}]}},
    "invalid keys": {"jwks": "keys"},
    "DC-07 response types": {"response_types": ["code"]},
    "grant types that are not a list": {"grant_types": "client_credentials"},
    "grant types that are not strings": {"grant_types": [1]},
    "too many grant types": {"grant_types": ["a"] * 65},
    "an invalid scope": {"scope": "a  b"},
    "a scope that is a list": {"scope": ["a"]},
    "an invalid name": {"client_name": 5},
    "an unsupported algorithm": {"id_token_signed_response_alg": "none"},
    "an invalid flag": {"dpop_bound_access_tokens": "yes"},
    "signing without a key": {REQUEST_ALG: "ES256"},
    "signing with a key of another algorithm": {REQUEST_ALG: "RS256", "jwks": KEYS},
    "assertions without keys": {AUTH_ALG: "ES256"},
    "assertions with a key of another algorithm": {**BY_KEY, AUTH_ALG: "RS256"},
    "assertions with only one of two keys": {**BY_KEY, AUTH_ALG: "ES256", "jwks": MIXED},
    "assertions with an unsupported algorithm": {**BY_KEY, AUTH_ALG: "none"},
    "tokens bound by certificates": {"tls_client_certificate_bound_access_tokens": True},
    "pairwise subjects": {"subject_type": "pairwise"},
    "encrypted ID tokens": {"id_token_encrypted_response_alg": "RSA-OAEP"},
    "signed userinfo": {"userinfo_signed_response_alg": "ES256"},
    "signed authorization responses": {"authorization_signed_response_alg": "ES256"},
    "signed authorization requests": {"require_signed_request_object": True},
    "signing without an algorithm": {REQUEST_ALG: "none", "jwks": KEYS},
    "an unknown delivery mode": {"backchannel_token_delivery_mode": "carrier_pigeon"},
    "a callback URL for polling": {"backchannel_client_notification_endpoint": "https://a.example"},
    "ping without a callback URL": {"backchannel_token_delivery_mode": "ping"},
    "an invalid user code flag": {"backchannel_user_code_parameter": "yes"},
}


@pytest.mark.parametrize("members", REFUSED.values(), ids=REFUSED)
def test_invalid_metadata_is_refused(members: dict[str, Any]) -> None:
    """RFC 7591 3.2.2 defines the error for invalid metadata."""
    with pytest.raises(errors.InvalidClientMetadata):
        _read(**members)


@pytest.mark.parametrize(
    "uris",
    [["https://a.example/cb"], ["javascript:alert(1)"], ["https://a.example/#x"], "x", [5], {}],
)
def test_an_agent_has_no_redirect_uris(uris: object) -> None:
    """DC-08: redirect URIs of an agent are refused, whether they are valid or not."""
    with pytest.raises(errors.InvalidRedirectUri):
        _read(redirect_uris=uris)


def test_software_statements_are_refused() -> None:
    """DC-04: malformed statements and unsupported statements have different errors."""
    for malformed in (5, "x", ""):
        with pytest.raises(errors.InvalidSoftwareStatement):
            _read(software_statement=malformed)
    with pytest.raises(errors.UnapprovedSoftwareStatement):
        _read(software_statement="eyJ.eyJ.sig")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", ""),
        (b"{}", "text/plain"),
        (b"client_name=x", "application/x-www-form-urlencoded"),
        (b"", JSON),
        (b"[]", JSON),
        (b'{"scope":"a","scope":"b"}', JSON),
        (b"\xff", JSON),
        (b'{"a":"' + b"x" * 33_000 + b'"}', JSON),
    ],
)
def test_a_body_that_is_not_metadata_is_refused(body: bytes, content_type: str) -> None:
    """DC-01, DC-12: other media types, other formats and overlong bodies are refused."""
    with pytest.raises(errors.InvalidClientMetadata):
        registration.read(body, content_type)
    assert registration.read(b"{}", "Application/JSON; charset=utf-8") == _read()


def _update(**members: Any) -> tuple[registration.Metadata, str | None]:
    return registration.read_update(json.dumps(members).encode(), JSON, "sayso_ag_a")


def test_an_update_names_its_client() -> None:
    """DC-22: an update has the client_id and no member that only the server sets."""
    assert _update(client_id="sayso_ag_a", client_secret="s") == (_read(), "s")
    assert _update(client_id="sayso_ag_a")[1] is None
    for members in (
        {},
        {"client_id": "sayso_ag_b"},
        {"client_id": "sayso_ag_a", "registration_access_token": "x"},
        {"client_id": "sayso_ag_a", "client_secret_expires_at": 0},
        {"client_id": "sayso_ag_a", "client_id_issued_at": 0},
    ):
        with pytest.raises(errors.InvalidClientMetadata):
            _update(**members)
