"""Every way in which a request ends without tokens and without a denial, as agents are told it.

One table of reasons. The record may know more exactly why something ended, in words of its own; an
agent is told the reason that stands here. A denial has its code and note instead (`ciba.py`), and a
disabled agent is told so before anything else (`agent_disabled`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from server.protocol.approvals.states import State


class Outcome(NamedTuple):
    """What one reason means."""

    state: State
    text: str
    """For a model to read: what happened, and what it may do next."""


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
"""What `retry` says of a request that expired, once its person wants to be asked again."""
ASKED_FOR: Final = (
    "It expired without an answer, which is not a denial. The person wants to be asked again: send "
    "the request anew."
)
"""The sentence that stands for that of its reason then."""
NOT_REDEEMED: Final = "not_redeemed"
"""What the record says of a request that was approved, and of which nothing was issued in time."""
_NOT_HANDED_OVER: Final = (
    f"It was approved, but its tokens were not handed over in time. {_NO_DENIAL}."
)
_ELSE: Final = {State.EXPIRED: "expired_seen", State.CANCELLED: "cancelled"}
_OF_SOMEBODY: Final = frozenset({"no_device", "undeliverable", "expired_seen"})


def told_reason(
    state: State, reason: str | None, *, hidden: bool = False, by_person: bool = True
) -> str:
    """Why it is over, in the words that agents are told; an operator's own are never among them.

    Only somebody who exists can look, or lack a device: where users are `hidden` neither is told.
    Nobody looked at what was approved, but not `by_person`.
    """
    if reason == NOT_REDEEMED and not by_person:
        return "expired_unseen" if state is State.EXPIRED else _ELSE[state]
    found = OUTCOMES.get(reason or "")
    if reason is None or found is None or found.state is not state:
        return _ELSE[state]
    return "expired_unseen" if hidden and reason in _OF_SOMEBODY else reason


def text_of(told: object, reason: str | None = None) -> str:
    """The sentence of what `told_reason` gave for the record's reason."""
    return _NOT_HANDED_OVER if reason == NOT_REDEEMED else OUTCOMES[str(told)].text
