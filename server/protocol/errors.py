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
from typing import ClassVar, Final

_NO_MEMBERS: Mapping[str, object] = {}
_NO_HEADERS: Mapping[str, str] = {}
BASIC_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="sayso", charset="UTF-8"'}


class ProtocolError(Exception):
    """An error that an RFC defines.

    `members` are extension members of the JSON body (numbers, strings, lists). `headers` are sent
    unchanged. `detail` is only logged.
    """

    code: ClassVar[str]
    status: ClassVar[int]

    def __init_subclass__(cls, *, code: str = "", status: int = 400) -> None:
        super().__init_subclass__()
        if code:  # otherwise inherited
            cls.code, cls.status = code, status

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


class InvalidRequest(ProtocolError, code="invalid_request"):
    """Malformed, missing or repeated parameter (RFC 6749 5.2, CIBA 13)."""


class InvalidScope(ProtocolError, code="invalid_scope"):
    """A scope that is unknown or not allowed for the caller (RFC 6749 5.2)."""


class InvalidTarget(ProtocolError, code="invalid_target"):
    """A resource that is malformed, unknown or not allowed (RFC 8707 2)."""


class InvalidAuthorizationDetails(ProtocolError, code="invalid_authorization_details"):
    """Details that no registered action type accepts (RFC 9396 5)."""


class InvalidClient(ProtocolError, code="invalid_client", status=401):
    """Client authentication failed (RFC 6749 5.2); 401 with a challenge (RFC 9110 15.5.2)."""

    def __init__(self, description: str, *, detail: str = "") -> None:
        super().__init__(description, detail=detail, headers=BASIC_CHALLENGE)


class UnauthorizedClient(ProtocolError, code="unauthorized_client"):
    """The client may not use this grant or flow (RFC 6749 5.2)."""


class UnsupportedGrantType(ProtocolError, code="unsupported_grant_type"):
    """A grant type that this server does not support (RFC 6749 5.2)."""


class InvalidGrant(ProtocolError, code="invalid_grant"):
    """An unknown or used code, handle or token, or one of a different client (RFC 6749 5.2)."""


class AuthorizationPending(ProtocolError, code="authorization_pending"):
    """The request has not been answered yet (CIBA 11)."""


class SlowDown(ProtocolError, code="slow_down"):
    """The client polled too early; the interval is five seconds longer now (CIBA 11)."""


class ExpiredToken(ProtocolError, code="expired_token"):
    """The request expired before it was answered or redeemed (CIBA 11)."""


class AccessDenied(ProtocolError, code="access_denied"):
    """The person denied the request, or it was withdrawn (CIBA 11)."""


class MissingUserCode(ProtocolError, code="missing_user_code"):
    """The person requires a user code, and none was sent (CIBA 13)."""


class InvalidUserCode(ProtocolError, code="invalid_user_code"):
    """The user code is wrong (CIBA 13)."""


class TransactionFailed(ProtocolError, code="transaction_failed"):
    """The answer could not be delivered to the agent; only used for push (CIBA 12)."""


class RequestRefused(ProtocolError, code="access_denied", status=403):
    """Policy refuses the request before anyone is asked (CIBA 13); always 403."""


class UnsupportedResponseType(ProtocolError, code="unsupported_response_type"):
    """The authorization endpoint only supports `code` (RFC 6749 4.1.2.1)."""


class RequestNotSupported(ProtocolError, code="request_not_supported"):
    """A request object at the authorization endpoint (OpenID Connect Core 3.1.2.6)."""


class RegistrationNotSupported(ProtocolError, code="registration_not_supported"):
    """The `registration` parameter is not supported (OpenID Connect Core 3.1.2.6)."""


class InvalidRequestUri(ProtocolError, code="invalid_request_uri"):
    """A pushed request that is unknown, used, expired or from another app (RFC 9126 2.2)."""


class LoginRequired(ProtocolError, code="login_required"):
    """Nobody is signed in, and `prompt=none` forbids asking (OpenID Connect Core 3.1.2.6)."""


class ConsentRequired(ProtocolError, code="consent_required"):
    """Consent is missing, and `prompt=none` forbids asking (OpenID Connect Core 3.1.2.6)."""


class UnmetAuthenticationRequirements(ProtocolError, code="unmet_authentication_requirements"):
    """No sign-in method meets the `acr` that the app requires (RFC 9470)."""


class InteractionRequired(ProtocolError, code="interaction_required"):
    """A person must first approve a request at the backchannel endpoint."""


class UnknownUserId(ProtocolError, code="unknown_user_id"):
    """The login hint does not identify a user that this agent may ask (CIBA 13)."""


class ExpiredLoginHintToken(ProtocolError, code="expired_login_hint_token"):
    """An expired login_hint_token (CIBA 13)."""


class InvalidBindingMessage(ProtocolError, code="invalid_binding_message"):
    """A binding message that cannot be displayed (CIBA 13)."""


class InvalidDpopProof(ProtocolError, code="invalid_dpop_proof"):
    """A DPoP proof that is missing or invalid (RFC 9449 5)."""


class UseDpopNonce(ProtocolError, code="use_dpop_nonce"):
    """A DPoP proof without a valid nonce (RFC 9449 8). The response has a new one."""

    def __init__(self, nonce: str) -> None:
        super().__init__(
            "Send a new proof with the nonce in the DPoP-Nonce header.",
            headers={"DPoP-Nonce": nonce},
        )


class InvalidToken(ProtocolError, code="invalid_token", status=401):
    """An invalid bearer token (RFC 6750 3.1)."""

    def __init__(self, description: str, *, detail: str = "") -> None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        super().__init__(description, detail=detail, headers=challenge)


class InvalidRedirectUri(ProtocolError, code="invalid_redirect_uri"):
    """A redirect URI that cannot be registered (RFC 7591 3.2.2)."""


class InvalidClientMetadata(ProtocolError, code="invalid_client_metadata"):
    """Metadata that cannot be registered (RFC 7591 3.2.2)."""


class InvalidSoftwareStatement(ProtocolError, code="invalid_software_statement"):
    """An invalid software statement (RFC 7591 3.2.2)."""


class UnapprovedSoftwareStatement(ProtocolError, code="unapproved_software_statement"):
    """A software statement from an issuer that is not trusted (RFC 7591 3.2.2)."""


class TemporarilyUnavailable(ProtocolError, code="temporarily_unavailable", status=503):
    """The server cannot answer now. `Retry-After` says when to retry."""

    def __init__(self, description: str, *, retry_after: int = 1, detail: str = "") -> None:
        super().__init__(
            description, detail=detail, headers={"Retry-After": str(max(1, retry_after))}
        )


class ServerError(ProtocolError, code="server_error", status=500):
    """An internal error, without details (RFC 6749 4.1.2.1)."""


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
