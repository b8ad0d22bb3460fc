"""The whole error vocabulary: what a caller may be told, and with which status.

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

Two audiences: `description` goes to the caller, `detail` only to the log. Nothing else does either.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

_NOTHING: Mapping[str, object] = MappingProxyType({})
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class ProtocolError(Exception):
    """A refusal in the words of an RFC.

    `members` are extension members of the JSON body (numbers, strings, lists), `headers` go out as
    they are, `detail` is for the log alone.
    """

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 400

    def __init__(
        self,
        description: str,
        *,
        detail: str = "",
        members: Mapping[str, object] = _NOTHING,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        super().__init__(description)
        self.description = _sendable(description)
        self.detail = detail
        self.members = members
        self.headers = headers


class InvalidRequest(ProtocolError):
    """Malformed, missing or repeated parameter (RFC 6749 5.2, CIBA 13)."""


class InvalidScope(ProtocolError):
    """A scope that does not exist or is beyond the caller (RFC 6749 5.2)."""

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
    """A grant type that this server does not have (RFC 6749 5.2)."""

    code = "unsupported_grant_type"


class InvalidGrant(ProtocolError):
    """A code, handle or token that is unknown, used or somebody else's (RFC 6749 5.2)."""

    code = "invalid_grant"


class AuthorizationPending(ProtocolError):
    """No answer yet (CIBA 11)."""

    code = "authorization_pending"


class SlowDown(ProtocolError):
    """Polled before the interval had passed; it has grown by five seconds (CIBA 11)."""

    code = "slow_down"


class ExpiredToken(ProtocolError):
    """The request ran out before it was answered or redeemed (CIBA 11)."""

    code = "expired_token"


class AccessDenied(ProtocolError):
    """The person said no, or the request was withdrawn (CIBA 11)."""

    code = "access_denied"


class MissingUserCode(ProtocolError):
    """The person wants a code of agents, and none was sent (CIBA 13)."""

    code = "missing_user_code"


class InvalidUserCode(ProtocolError):
    """The code is not the person's (CIBA 13)."""

    code = "invalid_user_code"


class TransactionFailed(ProtocolError):
    """An answer that could not be brought to the agent; only ever pushed (CIBA 12)."""

    code = "transaction_failed"


class RequestRefused(ProtocolError):
    """Policy refuses the request before anybody is asked (CIBA 13); always 403."""

    code = "access_denied"
    status = 403


class UnsupportedResponseType(ProtocolError):
    """The authorization endpoint gives codes and nothing else (RFC 6749 4.1.2.1)."""

    code = "unsupported_response_type"


class RequestNotSupported(ProtocolError):
    """A request object in the front channel (OpenID Connect Core 3.1.2.6)."""

    code = "request_not_supported"


class RegistrationNotSupported(ProtocolError):
    """A client that would register itself on the way (OpenID Connect Core 3.1.2.6)."""

    code = "registration_not_supported"


class InvalidRequestUri(ProtocolError):
    """A pushed request that is unknown, used, too old or another app's (RFC 9126 2.2)."""

    code = "invalid_request_uri"


class LoginRequired(ProtocolError):
    """Nobody is signed in, and nobody may be asked to (OpenID Connect Core 3.1.2.6)."""

    code = "login_required"


class ConsentRequired(ProtocolError):
    """The person has not consented, and may not be asked (OpenID Connect Core 3.1.2.6)."""

    code = "consent_required"


class UnmetAuthenticationRequirements(ProtocolError):
    """No sign-in here is of the kind that is essential to the app (RFC 9470 and its kin)."""

    code = "unmet_authentication_requirements"


class InteractionRequired(ProtocolError):
    """A human must be asked first, at the backchannel endpoint."""

    code = "interaction_required"


class UnknownUserId(ProtocolError):
    """The hint names nobody whom this agent may ask (CIBA 13)."""

    code = "unknown_user_id"


class ExpiredLoginHintToken(ProtocolError):
    """A login_hint_token whose time is over (CIBA 13)."""

    code = "expired_login_hint_token"


class InvalidBindingMessage(ProtocolError):
    """A binding message that cannot be shown as it was sent (CIBA 13)."""

    code = "invalid_binding_message"


class InvalidDpopProof(ProtocolError):
    """A DPoP proof that is missing or proves nothing (RFC 9449 5)."""

    code = "invalid_dpop_proof"


class UseDpopNonce(ProtocolError):
    """A DPoP proof without a nonce that still counts (RFC 9449 8); the answer brings one."""

    code = "use_dpop_nonce"

    def __init__(self, nonce: str) -> None:
        super().__init__(
            "Put the nonce of the DPoP-Nonce header into a new proof.",
            headers={"DPoP-Nonce": nonce},
        )


class InvalidToken(ProtocolError):
    """A bearer token that opens nothing here (RFC 6750 3.1)."""

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
    """A software statement that is none (RFC 7591 3.2.2)."""

    code = "invalid_software_statement"


class UnapprovedSoftwareStatement(ProtocolError):
    """A software statement of somebody whom we do not take one from (RFC 7591 3.2.2)."""

    code = "unapproved_software_statement"


class TemporarilyUnavailable(ProtocolError):
    """The server cannot answer now and says when to come back."""

    code = "temporarily_unavailable"
    status = 503

    def __init__(self, description: str, *, retry_after: int = 1, detail: str = "") -> None:
        super().__init__(
            description, detail=detail, headers={"Retry-After": str(max(1, retry_after))}
        )


class ServerError(ProtocolError):
    """A fault of ours; the caller learns nothing but that (RFC 6749 4.1.2.1)."""

    code = "server_error"
    status = 500


class Problem(Exception):
    """A refusal of the JSON API (RFC 9457). `code` is stable; `detail` says what to do."""

    def __init__(  # these are the members of a problem document
        self,
        status: int,
        code: str,
        detail: str,
        *,
        members: Mapping[str, object] = _NOTHING,
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


def _sendable(text: str) -> str:
    """Keep to the characters that RFC 6749 5.2 allows in error_description."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(
        "'" if c == '"' else "/" if c == "\\" else c if " " <= c <= "~" else "?" for c in text
    )
