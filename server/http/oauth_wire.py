"""The responses of the OAuth endpoints and operator routes, as models for the OpenAPI document.

Owns: schemas. Never: the responses themselves; services build them as the specifications say, and
tests validate them against these models.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class OauthAnswer(BaseModel):
    """A response that may have additional members."""

    model_config = ConfigDict(extra="allow")


class Acknowledgement(OauthAnswer):
    """The response to a request that a person must decide (CIBA 7.3)."""

    auth_req_id: str = Field(min_length=22, pattern=r"^[A-Za-z0-9._-]+$")
    expires_in: int = Field(gt=0)
    interval: int = Field(default=5, gt=0)
    fingerprint: str = Field(pattern=r"^[0-9a-f]{4}-[0-9a-f]{4}$")
    match_code: str | None = Field(default=None, pattern=r"^[0-9]{3}$")
    """The number that an interactive agent shows and the person types."""


class Tokens(OauthAnswer):
    """A token response (RFC 6749 5.1)."""

    access_token: str = Field(min_length=1)
    token_type: Literal["Bearer", "DPoP", "N_A"]
    expires_in: int = Field(gt=0)
    scope: str = ""
    id_token: str = Field(default="", min_length=1)
    refresh_token: str = Field(default="", min_length=1)
    authorization_details: list[dict[str, object]] = Field(default=[], min_length=1)


class PushedAuthorizationResponse(OauthAnswer):
    """A pushed authorization request (RFC 9126 2.2)."""

    request_uri: str = Field(pattern=r"^urn:ietf:params:oauth:request_uri:")
    expires_in: int = Field(gt=0)


class UserInfo(OauthAnswer):
    """The claims about a person (OpenID Connect Core 5.3.2)."""

    sub: str = Field(min_length=1)
    name: str = Field(default="", min_length=1)
    preferred_username: str = Field(default="", min_length=1)
    email: str = Field(default="", min_length=3)
    email_verified: bool = False


class KeySet(BaseModel):
    """Public keys (RFC 7517 5)."""

    keys: list[dict[str, str]] = Field(min_length=1)


class Metadata(OauthAnswer):
    """The server metadata (RFC 8414 2)."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str
    token_endpoint: str
    response_types_supported: list[str] = Field(min_length=1)
    grant_types_supported: list[str] = Field(min_length=1)


class Health(BaseModel):
    """The response of a process or database that is up."""

    status: Literal["ok", "ready"]


class ClientMetadata(OauthAnswer):
    """The metadata of an agent or app (RFC 7591 2). Other members are ignored.

    A client with `redirect_uris` is an app. The response has the registered values.
    """

    redirect_uris: list[str] | None = None
    application_type: str | None = None

    client_name: str | None = None
    token_endpoint_auth_method: str | None = None
    token_endpoint_auth_signing_alg: str | None = None
    grant_types: list[str] | None = None
    scope: str | None = None
    authorization_details_types: list[str] | None = None
    jwks: dict[str, object] | None = None
    id_token_signed_response_alg: str | None = None
    dpop_bound_access_tokens: bool | None = None
    require_pushed_authorization_requests: bool | None = None
    backchannel_authentication_request_signing_alg: str | None = None
    backchannel_token_delivery_mode: str | None = None
    backchannel_client_notification_endpoint: str | None = None
    backchannel_user_code_parameter: bool | None = None


class ClientUpdate(ClientMetadata):
    """The new metadata of an agent (RFC 7592 2.2)."""

    client_id: str
    client_secret: str | None = None


class ClientInformation(OauthAnswer):
    """A registered agent (RFC 7591 3.2.1).

    An app has `redirect_uris`, `application_type` and response types, but no registration token.
    """

    client_id: str
    client_id_issued_at: int
    client_secret: str = Field(default="", min_length=1)
    client_secret_expires_at: int = 0
    registration_access_token: str = Field(min_length=22)
    registration_client_uri: str
    client_name: str
    token_endpoint_auth_method: str
    grant_types: list[str]
    response_types: list[str] = Field(max_length=0)
    scope: str
    id_token_signed_response_alg: str
    dpop_bound_access_tokens: bool
    backchannel_token_delivery_mode: str


class IntrospectionResponse(OauthAnswer):
    """Whether a token is valid, and the claims of a valid token (RFC 7662 2.2)."""

    active: bool


class RevocationResponse(BaseModel):
    """An empty object. The token was revoked if it was valid (RFC 7009 2.2)."""
