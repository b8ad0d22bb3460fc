"""What keeps people's attention from being flooded. Everything is counted in the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from server.model.approvals import Approval, ApprovalKind
from server.model.clients import Agent
from server.model.store import Unit, View
from server.model.users import User
from server.protocol.approvals import kinds
from server.protocol.names import APPROVER_CLIENT
from server.protocol.policy.risks import Risk
from server.services.notifications import pauses
from server.services.policy.displays import rfc3339
from server.services.server_policy import ServerPolicy

MINUTE_MS: Final = 60_000
OPEN_CONSENTS: Final = 10
OPEN_DEVICES: Final = 3
"""How many of each one user may have open; a person starts them by hand, one after the other."""
PAUSED: Final = "denied_repeatedly"
_SOMEBODY: Final = "Somebody whom this would ask"
UNKNOWN_USERS: Final = 20
UNKNOWN_USERS_WINDOW_MS: Final = 10 * MINUTE_MS


class RequestLimit(NamedTuple):
    """Why somebody may not be asked now."""

    reason: str
    """For the log."""
    text: str
    """For the agent, with the remedy."""
    members: Mapping[str, object] = MappingProxyType({})
    """The same, for programs."""


def queue(tx: Unit, agent: Agent) -> None:
    """Wait for whatever else this agent is about to ask, for that counts too.

    Whoever queues for an agent and for a person queues for the agent first, so that no two wait for
    each other; who asks for something on a page or a device queues for the person alone.
    """
    tx.queue(f"asks {agent.id}")


def is_urgent(risk: Risk) -> bool:
    """Reports whether a request of this risk has room of its own."""
    return risk.rank >= Risk.HIGH.rank


def too_many_unknown(tx: Unit, agent: Agent) -> bool:
    """Count one more hint that named nobody; reports whether this agent is only guessing."""
    count = tx.counters.count(f"unknown user:{agent.id}", UNKNOWN_USERS_WINDOW_MS)
    return count > UNKNOWN_USERS


def guessing(tx: Unit, agent: Agent) -> bool:
    """Reports whether this agent has guessed users too often to be answered about one."""
    return tx.counters.peek(f"unknown user:{agent.id}") > UNKNOWN_USERS


@dataclass(frozen=True, slots=True)
class RemainingRequests:
    """How many more requests of one agent may wait."""

    tx: Unit
    agent: Agent
    rules: ServerPolicy
    leaves: Approval | None = None
    """One that makes room, because the new one takes its place."""

    def refusal(
        self, user: User, types: Sequence[str], risk: Risk, beside: Collection[str]
    ) -> RequestLimit | None:
        """Why this user may not be asked now, or those beside them."""
        agent, rules = self.agent.id, self.rules
        if self._is_full(rules.open_per_agent, risk, agent, user.id):
            return self._too_many_open
        if self._is_full(rules.open_in_all, risk, agent, None):
            return self._too_many_in_all
        if self._is_full(rules.open_per_user, risk, None, user.id):
            return RequestLimit(
                "open_per_user", "This person has too many open requests. Ask again later."
            )
        return pause(self.tx, self.agent, user, types, self.rules, beside)

    def hidden_refusal(self, hint_hash: bytes, risk: Risk) -> RequestLimit | None:
        """Why this agent may not ask the named person again, if users are hidden.

        It counts the hint that the agent sent, not the person, so it does not reveal who exists.
        """
        count = self.tx.approvals.open_hinted(
            self.agent.id, hint_hash, self.tx.now, urgent=is_urgent(risk)
        )
        if count - self._freed(risk) >= self.rules.open_per_agent:
            return self._too_many_open
        full = self._is_full(self.rules.open_in_all, risk, self.agent.id, None)
        return self._too_many_in_all if full else None

    def _is_full(self, most: int, risk: Risk, agent: str | None, user: str | None) -> bool:
        """Reports whether there is no room; no flood of what is less takes that of grave ones."""
        approvals, now = self.tx.approvals, self.tx.now
        count = approvals.open_urgent if is_urgent(risk) else approvals.open_count
        return count(agent, user, now) - self._freed(risk) >= most

    def _freed(self, risk: Risk) -> int:
        """How many of those that are counted with this one make room."""
        leaves = self.leaves
        return int(leaves is not None and (not is_urgent(risk) or is_urgent(leaves.risk)))

    @property
    def _too_many_in_all(self) -> RequestLimit:
        return RequestLimit(
            "open_in_all",
            f"This agent already has {self.rules.open_in_all} open requests. "
            "Wait for answers first.",
        )

    @property
    def _too_many_open(self) -> RequestLimit:
        return RequestLimit(
            "open_per_agent",
            f"This agent already has {self.rules.open_per_agent} open requests for this person. "
            "Wait for answers first.",
        )


def pause(  # who asks whom for what
    view: View,
    agent: Agent,
    user: User,
    types: Sequence[str],
    rules: ServerPolicy,
    beside: Collection[str] = (),
) -> RequestLimit | None:
    """Why this agent gets nothing of this user now, whether they would be asked or not.

    Nor does it where somebody would be asked beside them who keeps saying no.
    """
    limit = rules.denials_before_pause
    own = pauses.until(view, agent.id, user.id, types, limit)
    other = pauses.until_of_any(view, agent.id, beside, types, limit)
    ends = [end for end in (own, other) if end is not None]
    if not ends:
        return None
    return _paused("This person" if own is not None else _SOMEBODY, max(ends))


def consent_refusal(
    tx: Unit, client_id: str, user: User, rules: ServerPolicy
) -> RequestLimit | None:
    """Why this user may not be asked for a consent now."""
    return page_refusal(tx, client_id, user, "consent", [kinds.CONSENT], rules)


def page_refusal(  # who asks whom for what
    tx: Unit,
    client_id: str,
    user: User,
    kind: ApprovalKind,
    types: Sequence[str],
    rules: ServerPolicy,
) -> RequestLimit | None:
    """Why a page may not ask this user for one more of a kind now."""
    if tx.approvals.open_count(None, user.id, tx.now, kind) >= OPEN_CONSENTS:
        return RequestLimit(
            "open_consents", "Too many requests wait for your answer. Answer them first."
        )
    if pauses.until(tx, client_id, user.id, types, rules.denials_before_pause) is not None:
        return RequestLimit(PAUSED, "You have denied this repeatedly. Try again in half an hour.")
    return None


def device_refusal(tx: Unit, client_id: str, user: User, rules: ServerPolicy) -> str | None:
    """Why no further device may ask this user now; for the log, the asker is not told."""
    terminal = client_id == APPROVER_CLIENT
    kind: ApprovalKind = "device" if terminal else "app_device"
    if tx.approvals.open_count(None, user.id, tx.now, kind) >= OPEN_DEVICES:
        return "open_devices"
    asked = kinds.DEVICE if terminal else kinds.APP_DEVICE
    if pauses.until(tx, client_id, user.id, [asked], rules.denials_before_pause) is not None:
        return PAUSED
    return None


def _paused(who: str, until: int) -> RequestLimit:
    return RequestLimit(
        PAUSED,
        f"{who} has denied such requests repeatedly. Ask again in half an hour.",
        {"reason": PAUSED, "retry": "not_before", "retry_at": rfc3339(until)},
    )
