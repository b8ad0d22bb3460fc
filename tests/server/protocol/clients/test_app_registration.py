"""The metadata with which an app may register itself."""

import json

import pytest

from server.protocol import errors
from server.protocol.clients import app_registration

LOCAL = "http://127.0.0.1:49152/callback"
WEB = "https://chat.example/callback"


def read(**members):
    """Parse metadata with these members."""
    body = {"redirect_uris": [LOCAL], **members}
    return app_registration.read(json.dumps(body).encode(), "application/json")


def test_metadata_with_redirect_uris_belongs_to_an_app():
    """Only apps have redirect URIs, so metadata without any belongs to an agent."""
    bodies = ({"redirect_uris": [LOCAL]}, {"redirect_uris": []}, {})
    texts = [json.dumps(body).encode() for body in bodies]
    found = [app_registration.is_for_app(text, "application/json") for text in texts]
    assert found == [True, False, False]


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({}, "native"),
        ({"application_type": "native"}, "native"),
        ({"redirect_uris": [WEB]}, "web"),
        ({"redirect_uris": [WEB], "application_type": "native"}, "native"),
        ({"redirect_uris": [WEB, LOCAL]}, "native"),
        ({"redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"]}, "native"),
    ],
)
def test_the_application_type_fits_the_redirect_uris(members, kind):
    """MC-09: an app without a type, like most clients, gets the type that fits its URIs."""
    assert read(**members).application_type == kind


def test_metadata_not_allowed_for_a_public_app_is_replaced():
    """RFC 7591 3.2.1: the app stays public and gets no secret and no other grants or scopes."""
    found = read(
        client_name="Chat",
        token_endpoint_auth_method="client_secret_post",
        grant_types=["authorization_code", "client_credentials"],
        response_types=["code"],
        scope="payments:all",
        contacts=["eve@example.com"],
    )
    assert found == app_registration.AppMetadata(
        "Chat",
        (LOCAL,),
        "native",
        "RS256",
        ("authorization_code",),
        dpop_bound=False,
        requires_par=False,
    )


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"redirect_uris": [LOCAL], "application_type": "web"}, "invalid_redirect_uri"),
        (
            {"redirect_uris": ["https://localhost/cb"], "application_type": "web"},
            "invalid_redirect_uri",
        ),
        ({"redirect_uris": ["http://chat.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["zed://host/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [WEB, "https://bank.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [5]}, "invalid_redirect_uri"),
        ({"redirect_uris": LOCAL}, "invalid_redirect_uri"),
        ({"redirect_uris": [LOCAL] * 21}, "invalid_redirect_uri"),
        ({"application_type": "desktop"}, "invalid_client_metadata"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"id_token_signed_response_alg": "none"}, "invalid_client_metadata"),
        ({"software_statement": "a.b.c"}, "unapproved_software_statement"),
    ],
)
def test_invalid_metadata_of_an_app_is_refused(members, code):
    """MC-09, DC-08: invalid metadata gives the error of RFC 7591 3.2.2."""
    with pytest.raises(errors.ProtocolError) as refused:
        read(**members)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        (WEB, "chat.example"),
        (LOCAL, "local app"),
        ("cursor://anysphere.cursor-mcp/cb", "cursor app"),
        ("com.example.app:/cb", "com.example.app app"),
    ],
)
def test_an_app_is_named_after_the_receiver_of_its_codes(uri, name):
    """The app's own name is only a claim, so the receiver of its codes is its name."""
    assert app_registration.name_from_redirect_uri(uri) == name
