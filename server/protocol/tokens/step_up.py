"""When an authentication is too weak or too old, and how that is said (RFC 9470 3).

Owns: the order of our authentication contexts, the challenge. Never: whose token it is.
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
"""What a stronger context also stands for."""


@dataclass(frozen=True, slots=True)
class Demand:
    """How a person must have authenticated: in one of these ways, at most so many seconds ago.

    Nothing is demanded by an empty list and by None.
    """

    acr_values: Sequence[str] = ()
    max_age: int | None = None

    def met_by(self, claims: Mapping[str, object], now: int) -> bool:
        """Reports whether the claims of a token satisfy this; `now` in milliseconds."""
        return self._strong_enough(claims.get("acr")) and self._fresh(claims.get("auth_time"), now)

    def challenge(self) -> str:
        """What a resource answers the client in `WWW-Authenticate`, so that it asks again."""
        parts = [
            f'Bearer error="{ERROR}"',
            'error_description="The person has to answer again, in a stronger way or anew."',
        ]
        if self.acr_values:
            parts.append(f'acr_values="{" ".join(self.acr_values)}"')
        if self.max_age is not None:
            parts.append(f'max_age="{self.max_age}"')
        return ", ".join(parts)

    def _strong_enough(self, acr: object) -> bool:
        if not self.acr_values:
            return True
        reached = {acr, *_WEAKER.get(str(acr), ())}
        return not reached.isdisjoint(self.acr_values)

    def _fresh(self, auth_time: object, now: int) -> bool:
        if self.max_age is None:
            return True
        return isinstance(auth_time, int) and now // 1000 - auth_time <= self.max_age


NOTHING: Final = Demand()
"""No demand at all."""
