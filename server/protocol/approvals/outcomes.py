"""The reasons that agents get for a request that ended with neither a token nor a denial.

Agents get only the reasons in this table; the audit log may have a more exact one in free text. A
denial has a code and a note instead (`ciba`), and a disabled agent always gets `agent_disabled`.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from server.protocol.approvals.states import State


class EndReason(NamedTuple):
    """The state and the message of a reason."""

    state: State
    text: str
    """Tells the agent's model what happened, and what it may do next."""


_NO_DENIAL: Final = "This is not a denial; you may ask again"
END_REASONS: Final[Mapping[str, EndReason]] = {
    "expired_seen": EndReason(
        State.EXPIRED, f"It was seen, and nobody answered in time. {_NO_DENIAL}."
    ),
    "expired_unseen": EndReason(State.EXPIRED, f"Nobody looked at it in time. {_NO_DENIAL}."),
    "undeliverable": EndReason(
        State.EXPIRED, f"It reached none of the person's devices in time. {_NO_DENIAL} later."
    ),
    "no_device": EndReason(
        State.EXPIRED,
        "The person has no device to answer on. This is not a denial; ask again when they have "
        "enrolled one.",
    ),
    "cancelled": EndReason(State.CANCELLED, "The request was withdrawn."),
    "superseded": EndReason(
        State.CANCELLED,
        "It was replaced by a newer request of yours. Wait for the result of that request.",
    ),
    "locked": EndReason(
        State.CANCELLED,
        "Too many wrong entries: nobody can approve this anymore. Send a new request.",
    ),
}
RETRY_WANTED: Final = "wanted"
"""The value of `retry` for an expired request after its user asked the agent to retry."""
RETRY_TEXT: Final = (
    "It expired without an answer, which is not a denial. The person wants to be asked again: send "
    "the request again."
)
"""The message of such a request, instead of the message of its reason."""
NOT_REDEEMED: Final = "not_redeemed"
"""The audit log's reason for an approved request whose token was not fetched in time."""
_NOT_REDEEMED_TEXT: Final = (
    f"It was approved, but its tokens were not fetched in time. {_NO_DENIAL}."
)
_DEFAULT_REASON: Final = {State.EXPIRED: "expired_seen", State.CANCELLED: "cancelled"}
_REVEALS_USER: Final = frozenset({"no_device", "undeliverable", "expired_seen"})


def agent_reason(
    state: State, reason: str | None, *, hidden: bool = False, by_person: bool = True
) -> str:
    """Map the stored reason to a reason for agents, which never quotes an administrator.

    If users are `hidden`, a reason that reveals that the user exists becomes `expired_unseen`. So
    does the reason of an unfetched request that was not approved `by_person`.
    """
    if reason == NOT_REDEEMED and not by_person:
        return "expired_unseen" if state is State.EXPIRED else _DEFAULT_REASON[state]
    end_reason = END_REASONS.get(reason or "")
    if reason is None or end_reason is None or end_reason.state is not state:
        return _DEFAULT_REASON[state]
    return "expired_unseen" if hidden and reason in _REVEALS_USER else reason


def reason_text(code: object, reason: str | None = None) -> str:
    """Return the message for the reason that the agent gets and the stored reason."""
    return _NOT_REDEEMED_TEXT if reason == NOT_REDEEMED else END_REASONS[str(code)].text
