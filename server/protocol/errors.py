"""All protocol errors, with the code and status that callers get.

    ProtocolError                      OAuth endpoints: {"error", "error_description"}
     ├─ InvalidRequest  InvalidScope  InvalidTarget  InvalidAuthorizationDetails
     ├─ InvalidClient (401)  UnauthorizedClient  UnsupportedGrantType  InvalidGrant
     ├─ AuthorizationPending  SlowDown  ExpiredToken  AccessDenied  InteractionRequired
     ├─ UnsupportedResponseType  RequestNotSupported  RegistrationNotSupported  InvalidRequestUri
     ├─ LoginRequired  ConsentRequired  UnmetAuthenticationRequirements
     ├─ UnknownUserId  MissingUserCode  InvalidUserCode  InvalidBindingMessage
     ├─ RequestRefused (403 access_denied)
     ├─ ExpiredLoginHintToken  TransactionFailed (pushed)  InvalidDpopProof  UseDpopNonce
     ├─ InvalidToken (401)  InvalidRedirectUri  InvalidClientMetadata
     ├─ InvalidSoftwareStatement  UnapprovedSoftwareStatement
     └─ TemporarilyUnavailable (503)  ServerError (500)
    Problem                            the JSON API: RFC 9457 problem documents with a stable code

Callers get the `description`. The `detail` of a ProtocolError is only logged.
"""

from collections.abc import Mapping
from typing import ClassVar

_NO_MEMBERS: Mapping[str, object] = {}
_NO_HEADERS: Mapping[str, str] = {}


class ProtocolError(Exception):
    """An error that an RFC defines.

    `members` are extension members of the JSON body (numbers, strings, lists). `headers` are sent
    unchanged. `detail` is only logged.
    """

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 400

    def __init__(
        self,
        description: str,
        *,
        detail: str = "",
        members: Mapping[str, object] = _NO_MEMBERS,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        super().__init__(description)
        self.description = _replace_unsendable(description)
        self.detail = detail
        self.members = members
        self.headers = headers


class InvalidRequest(ProtocolError):
    """Malformed, missing or repeated parameter (RFC 6749 5.2, CIBA 13)."""


class InvalidScope(ProtocolError):
    """A scope that is unknown or not allowed for the caller (RFC 6749 5.2)."""

    code = "invalid_scope"


class InvalidTarget(ProtocolError):
    """A resource that is malformed, unknown or not allowed (RFC 8707 2)."""

    code = "invalid_target"


class InvalidAuthorizationDetails(ProtocolError):
    """Details that no registered action type accepts (RFC 9396 5)."""

    code = "invalid_authorization_details"


class InvalidClient(ProtocolError):
    """Client authentication failed (RFC 6749 5.2); always 401."""

    code = "invalid_client"
    status = 401


class UnauthorizedClient(ProtocolError):
    """The client may not use this grant or flow (RFC 6749 5.2)."""

    code = "unauthorized_client"


class UnsupportedGrantType(ProtocolError):
    """A grant type that this server does not support (RFC 6749 5.2)."""

    code = "unsupported_grant_type"


class InvalidGrant(ProtocolError):
    """An unknown or used code, handle or token, or one of a different client (RFC 6749 5.2)."""

    code = "invalid_grant"


class AuthorizationPending(ProtocolError):
    """The request has not been answered yet (CIBA 11)."""

    code = "authorization_pending"


class SlowDown(ProtocolError):
    """The client polled too early; the interval is five seconds longer now (CIBA 11)."""

    code = "slow_down"


class ExpiredToken(ProtocolError):
    """The request expired before it was answered or redeemed (CIBA 11)."""

    code = "expired_token"


class AccessDenied(ProtocolError):
    """The person denied the request, or it was withdrawn (CIBA 11)."""

    code = "access_denied"


class MissingUserCode(ProtocolError):
    """The person requires a user code, and none was sent (CIBA 13)."""

    code = "missing_user_code"


class InvalidUserCode(ProtocolError):
    """The user code is wrong (CIBA 13)."""

    code = "invalid_user_code"


class TransactionFailed(ProtocolError):
    """The answer could not be delivered to the agent; only used for push (CIBA 12)."""

    code = "transaction_failed"


class RequestRefused(ProtocolError):
    """Policy refuses the request before anyone is asked (CIBA 13); always 403."""

    code = "access_denied"
    status = 403


class UnsupportedResponseType(ProtocolError):
    """The authorization endpoint only supports `code` (RFC 6749 4.1.2.1)."""

    code = "unsupported_response_type"


class RequestNotSupported(ProtocolError):
    """A request object at the authorization endpoint (OpenID Connect Core 3.1.2.6)."""

    code = "request_not_supported"


class RegistrationNotSupported(ProtocolError):
    """The `registration` parameter is not supported (OpenID Connect Core 3.1.2.6)."""

    code = "registration_not_supported"


class InvalidRequestUri(ProtocolError):
    """A pushed request that is unknown, used, expired or from another app (RFC 9126 2.2)."""

    code = "invalid_request_uri"


class LoginRequired(ProtocolError):
    """Nobody is signed in, and `prompt=none` forbids asking (OpenID Connect Core 3.1.2.6)."""

    code = "login_required"


class ConsentRequired(ProtocolError):
    """Consent is missing, and `prompt=none` forbids asking (OpenID Connect Core 3.1.2.6)."""

    code = "consent_required"


class UnmetAuthenticationRequirements(ProtocolError):
    """No sign-in method meets the `acr` that the app requires (RFC 9470)."""

    code = "unmet_authentication_requirements"


class InteractionRequired(ProtocolError):
    """A person must first approve a request at the backchannel endpoint."""

    code = "interaction_required"


class UnknownUserId(ProtocolError):
    """The login hint does not identify a user that this agent may ask (CIBA 13)."""

    code = "unknown_user_id"


class ExpiredLoginHintToken(ProtocolError):
    """An expired login_hint_token (CIBA 13)."""

    code = "expired_login_hint_token"


class InvalidBindingMessage(ProtocolError):
    """A binding message that cannot be displayed (CIBA 13)."""

    code = "invalid_binding_message"


class InvalidDpopProof(ProtocolError):
    """A DPoP proof that is missing or invalid (RFC 9449 5)."""

    code = "invalid_dpop_proof"


class UseDpopNonce(ProtocolError):
    """A DPoP proof without a valid nonce (RFC 9449 8). The response has a new one."""

    code = "use_dpop_nonce"

    def __init__(self, nonce: str) -> None:
        super().__init__(
            "Send a new proof with the nonce in the DPoP-Nonce header.",
            headers={"DPoP-Nonce": nonce},
        )


class InvalidToken(ProtocolError):
    """An invalid bearer token (RFC 6750 3.1)."""

    code = "invalid_token"
    status = 401

    def __init__(self, description: str, *, detail: str = "") -> None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        super().__init__(description, detail=detail, headers=challenge)


class InvalidRedirectUri(ProtocolError):
    """A redirect URI that cannot be registered (RFC 7591 3.2.2)."""

    code = "invalid_redirect_uri"


class InvalidClientMetadata(ProtocolError):
    """Metadata that cannot be registered (RFC 7591 3.2.2)."""

    code = "invalid_client_metadata"


class InvalidSoftwareStatement(ProtocolError):
    """An invalid software statement (RFC 7591 3.2.2)."""

    code = "invalid_software_statement"


class UnapprovedSoftwareStatement(ProtocolError):
    """A software statement from an issuer that is not trusted (RFC 7591 3.2.2)."""

    code = "unapproved_software_statement"


class TemporarilyUnavailable(ProtocolError):
    """The server cannot answer now. `Retry-After` says when to retry."""

    code = "temporarily_unavailable"
    status = 503

    def __init__(self, description: str, *, retry_after: int = 1, detail: str = "") -> None:
        super().__init__(
            description, detail=detail, headers={"Retry-After": str(max(1, retry_after))}
        )


class ServerError(ProtocolError):
    """An internal error, without details (RFC 6749 4.1.2.1)."""

    code = "server_error"
    status = 500


class Problem(Exception):
    """An error of the JSON API (RFC 9457). `code` is stable; `detail` says how to fix it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        members: Mapping[str, object] = _NO_MEMBERS,
        headers: Mapping[str, str] = _NO_HEADERS,
        log: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.members = members
        self.headers = headers
        self.log = log


def not_found(detail: str) -> Problem:
    """Return the error for something that does not exist, or not for this caller."""
    return Problem(404, "not_found", detail)


def forbidden(detail: str) -> Problem:
    """Return the error for a caller who may not do this."""
    return Problem(403, "forbidden", detail)


def invalid_body(
    detail: str, *, status: int = 422, members: Mapping[str, object] = _NO_MEMBERS, log: str = ""
) -> Problem:
    """Return the error for invalid input from the caller."""
    return Problem(status, "invalid_body", detail, members=members, log=log)


def _replace_unsendable(text: str) -> str:
    """Replace characters that RFC 6749 5.2 does not allow in error_description."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(
        "'" if c == '"' else "/" if c == "\\" else c if " " <= c <= "~" else "?" for c in text
    )
