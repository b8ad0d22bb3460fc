"""The reasons, as reported to agents, for which a request ends without a token or a denial.

The audit log may have a more exact reason in free text; agents get one from this table. A denial
has a code and a note instead (`ciba`), and a disabled agent always gets `agent_disabled`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from server.protocol.approvals.states import State


class Outcome(NamedTuple):
    """The state and the message of one reason."""

    state: State
    text: str
    """For the agent's model: what happened, and what it may do next."""


_NO_DENIAL: Final = "This is not a denial; you may ask again"
OUTCOMES: Final[Mapping[str, Outcome]] = MappingProxyType(
    {
        "expired_seen": Outcome(
            State.EXPIRED, f"It was seen, and nobody answered in time. {_NO_DENIAL}."
        ),
        "expired_unseen": Outcome(State.EXPIRED, f"Nobody looked at it in time. {_NO_DENIAL}."),
        "undeliverable": Outcome(
            State.EXPIRED, f"It reached none of the person's devices in time. {_NO_DENIAL} later."
        ),
        "no_device": Outcome(
            State.EXPIRED,
            "The person has no device to answer on. This is not a denial; ask again when they have "
            "enrolled one.",
        ),
        "cancelled": Outcome(State.CANCELLED, "The request was withdrawn."),
        "superseded": Outcome(
            State.CANCELLED, "A newer request of yours took its place. Wait for that one's answer."
        ),
        "locked": Outcome(
            State.CANCELLED,
            "Too much was typed wrongly, so nobody can approve this any more. Ask anew.",
        ),
    }
)
WANTED: Final = "wanted"
"""The value of `retry` for an expired request after its user asked the agent to retry."""
ASKED_FOR: Final = (
    "It expired without an answer, which is not a denial. The person wants to be asked again: send "
    "the request anew."
)
"""The message that replaces the one of its reason then."""
NOT_REDEEMED: Final = "not_redeemed"
"""The audit log's reason for an approved request whose token was not fetched in time."""
_NOT_HANDED_OVER: Final = (
    f"It was approved, but its tokens were not handed over in time. {_NO_DENIAL}."
)
_ELSE: Final = {State.EXPIRED: "expired_seen", State.CANCELLED: "cancelled"}
_OF_SOMEBODY: Final = frozenset({"no_device", "undeliverable", "expired_seen"})


def told_reason(
    state: State, reason: str | None, *, hidden: bool = False, by_person: bool = True
) -> str:
    """Map the stored reason to one that agents get; never an administrator's own words.

    If users are `hidden`, a reason that reveals that the user exists becomes `expired_unseen`. So
    does an unfetched request that was not approved `by_person`.
    """
    if reason == NOT_REDEEMED and not by_person:
        return "expired_unseen" if state is State.EXPIRED else _ELSE[state]
    found = OUTCOMES.get(reason or "")
    if reason is None or found is None or found.state is not state:
        return _ELSE[state]
    return "expired_unseen" if hidden and reason in _OF_SOMEBODY else reason


def text_of(told: object, reason: str | None = None) -> str:
    """The message of an agent's reason and the stored reason."""
    return _NOT_HANDED_OVER if reason == NOT_REDEEMED else OUTCOMES[str(told)].text
