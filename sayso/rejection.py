"""Why an API rejects a call, as an HTTP response that the agent can act on.

Owns: status, headers and body (RFC 6750 3, RFC 9449 7.1, RFC 9470 3, RFC 9728 5.1). Never: sending.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sayso import challenge
from sayso.challenge import Challenge
from sayso.errors import Portable

_DEFAULT_HEADERS: Final = {"Cache-Control": "no-store", "Content-Type": "application/json"}


class Rejected(Portable):
    """The call is rejected: respond with `status`, `headers` and `body` (JSON)."""

    def __init__(
        self, status: int, error: str, description: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.headers = {**_DEFAULT_HEADERS, **(headers or {})}
        self.body: dict[str, Any] = {"error": error, "error_description": description}


class ApprovalRequired(Rejected):
    """A person must approve exactly this first; `challenge` is what the agent passes to `ask`."""

    def __init__(self, wanted: Challenge, description: str, headers: Mapping[str, str]) -> None:
        super().__init__(403, challenge.ERROR, description, headers)
        self.challenge = wanted
        self.body |= wanted.body()


@dataclass(frozen=True, slots=True)
class Realm:
    """The API, as named in its `WWW-Authenticate` challenges."""

    resource: str
    metadata_url: str

    def unauthenticated(self) -> Rejected:
        """Return the rejection of a call without a token; it says where to get one."""
        metadata = f'resource_metadata="{self.metadata_url}"'
        return Rejected(
            401,
            "unauthenticated",
            f"Send an access token for {self.resource} in the Authorization header.",
            {"WWW-Authenticate": f'Bearer {metadata}, DPoP algs="ES256", {metadata}'},
        )

    def invalid_token(self, description: str, scheme: str = "Bearer") -> Rejected:
        """Return the rejection of a token that is not valid here."""
        return Rejected(
            401, "invalid_token", description, self._challenge_headers("invalid_token", scheme)
        )

    def invalid_proof(self, description: str) -> Rejected:
        """Return the rejection of an invalid proof for a bound token."""
        headers = self._challenge_headers("invalid_dpop_proof", "DPoP")
        return Rejected(401, "invalid_dpop_proof", description, headers)

    def insufficient_scope(self, needed: str, scheme: str) -> Rejected:
        """Return the rejection of a missing scope; `needed` lists all scopes of this call."""
        headers = self._challenge_headers("insufficient_scope", scheme, scope=needed)
        text = f"This call requires the scope {needed}."
        return Rejected(403, "insufficient_scope", text, headers)

    def approval_required(self, wanted: Challenge, description: str, scheme: str) -> Rejected:
        """Return the rejection of a call that a person must approve first."""
        return ApprovalRequired(
            wanted, description, self._challenge_headers(challenge.ERROR, scheme)
        )

    def unavailable(self) -> Rejected:
        """Return the rejection of a call that cannot be checked, because Sayso did not respond."""
        text = "The authorization server cannot be reached. Try again."
        return Rejected(503, "temporarily_unavailable", text, {"Retry-After": "5"})

    def _challenge_headers(self, error: str, scheme: str, **more: str) -> dict[str, str]:
        parts = [f'error="{error}"', *(f'{name}="{value}"' for name, value in more.items())]
        parts.append(f'resource_metadata="{self.metadata_url}"')
        if scheme == "DPoP":
            parts.append('algs="ES256"')
        return {"WWW-Authenticate": f"{scheme} {', '.join(parts)}"}
