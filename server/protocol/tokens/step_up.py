"""Step-up authentication, for an authentication that is too weak or too old (RFC 9470 3).

Owns: the order of the authentication contexts, and the challenge. Never: whose token it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.protocol import names

ERROR: Final = "insufficient_user_authentication"
_WEAKER: Final[Mapping[str, tuple[str, ...]]] = {
    names.ACR_SIGNED_PIN: (names.ACR_SIGNED,),
    names.ACR_PASSKEY: (names.ACR_SIGNED_PIN, names.ACR_SIGNED),
}
"""Context → the weaker contexts that it includes."""


@dataclass(frozen=True, slots=True)
class StepUpRequirement:
    """How a person must have authenticated: with an accepted `acr`, at most `max_age` seconds ago.

    An empty list or None means no requirement.
    """

    acr_values: Sequence[str] = ()
    max_age: int | None = None

    def met_by(self, claims: Mapping[str, object], now: int) -> bool:
        """Return whether the claims of a token satisfy this; `now` is in milliseconds."""
        return self._is_strong_enough(claims.get("acr")) and self._is_recent_enough(
            claims.get("auth_time"), now
        )

    def challenge(self) -> str:
        """Return the `WWW-Authenticate` challenge, which makes the client ask the person again."""
        parts = [
            f'Bearer error="{ERROR}"',
            'error_description="The person must authenticate again, or with a stronger method."',
        ]
        if self.acr_values:
            parts.append(f'acr_values="{" ".join(self.acr_values)}"')
        if self.max_age is not None:
            parts.append(f'max_age="{self.max_age}"')
        return ", ".join(parts)

    def _is_strong_enough(self, acr: object) -> bool:
        if not self.acr_values:
            return True
        reached_acrs = {acr, *_WEAKER.get(str(acr), ())}
        return not reached_acrs.isdisjoint(self.acr_values)

    def _is_recent_enough(self, auth_time: object, now: int) -> bool:
        if self.max_age is None:
            return True
        return isinstance(auth_time, int) and now // 1000 - auth_time <= self.max_age


NOTHING: Final = StepUpRequirement()
"""The requirement that every token meets."""
