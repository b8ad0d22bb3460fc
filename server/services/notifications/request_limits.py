"""The limits on open requests, and pauses after denials, which protect people from floods.

All counts are in the database.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from server.model.approvals import Approval, ApprovalKind
from server.model.audit import Entry
from server.model.clients import Agent
from server.model.operations import CountedLimit
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol.approvals import kinds
from server.protocol.names import APPROVER_CLIENT
from server.protocol.policy.risks import Risk
from server.protocol.text import pluralize
from server.protocol.times import rfc3339
from server.services.audit import audit
from server.services.clients import client_names
from server.services.notifications import notices
from server.services.server_policy import ServerPolicy
from server.services.users import user_checks

MINUTE_MS: Final = 60_000
OPEN_CONSENTS: Final = 10
OPEN_DEVICES: Final = 3
"""The maximum number of open requests of each kind per user; people start these themselves."""
PAUSED: Final = "denied_repeatedly"
PAUSE_WITHIN_MS: Final = 10 * MINUTE_MS
"""The window in which denials of one type are counted."""
PAUSE_MS: Final = 30 * MINUTE_MS
"""The length of a pause, from the last denial."""
UNKNOWN_USERS: Final = CountedLimit(
    "unknown_users", "agent", "Login hints for unknown users", 20, 10 * MINUTE_MS, "unknown user:"
)


class RequestLimit(NamedTuple):
    """A limit that refuses a request."""

    reason: str
    """The reason for the audit log."""
    text: str
    """The message for the agent, with the fix."""
    members: Mapping[str, object] = MappingProxyType({})
    """Members of the error, for programs."""


def lock(tx: Unit, agent: Agent) -> None:
    """Serialize this agent's requests, so that each request counts the others.

    To avoid deadlocks, lock the agent before the person. Pages and devices lock only the person.
    """
    tx.lock(f"asks {agent.id}")


def is_urgent(risk: Risk) -> bool:
    """Return whether requests of this risk are counted separately."""
    return risk.rank >= Risk.HIGH.rank


@dataclass(frozen=True, slots=True)
class RemainingRequests:
    """Checks a new request of one agent against the limits."""

    tx: Unit
    agent: Agent
    server_policy: ServerPolicy
    replaced: Approval | None = None
    """The request that the new one replaces, which is not counted."""

    def refusal(
        self, user: User, types: Sequence[str], risk: Risk, others: Collection[str]
    ) -> RequestLimit | None:
        """Return the limit that prevents asking this user and the other approvers now, or None."""
        agent, policy = self.agent.id, self.server_policy
        if self._is_reached(policy.open_per_agent, risk, agent, user.id):
            return self._too_many("open_per_agent", " for this person")
        if self._is_reached(policy.open_in_all, risk, agent, None):
            return self._too_many("open_in_all")
        if self._is_reached(policy.open_per_user, risk, None, user.id):
            return RequestLimit(
                "open_per_user", "This person has too many open requests. Ask again later."
            )
        return pause(self.tx, self.agent, user, types, self.server_policy, others)

    def hidden_refusal(self, hint_hash: bytes, risk: Risk) -> RequestLimit | None:
        """Return the limit that refuses this login hint if unknown users are hidden, or None.

        The limit counts requests with the same hint, so it does not reveal which users exist.
        """
        count = self.tx.approvals.open_hinted(
            self.agent.id, hint_hash, self.tx.now, urgent=is_urgent(risk)
        )
        if count - self._freed(risk) >= self.server_policy.open_per_agent:
            return self._too_many("open_per_agent", " for this person")
        is_reached = self._is_reached(self.server_policy.open_in_all, risk, self.agent.id, None)
        return self._too_many("open_in_all") if is_reached else None

    def _is_reached(self, limit: int, risk: Risk, agent: str | None, user: str | None) -> bool:
        """Return whether the limit is reached. An urgent request counts only urgent requests."""
        urgent = is_urgent(risk)
        count = self.tx.approvals.open_count(agent, user, self.tx.now, urgent=urgent)
        return count - self._freed(risk) >= limit

    def _freed(self, risk: Risk) -> int:
        """Return 1 if the replaced request is among the counted ones, else 0."""
        replaced = self.replaced
        return int(replaced is not None and (not is_urgent(risk) or is_urgent(replaced.risk)))

    def _too_many(self, setting: str, to_whom: str = "") -> RequestLimit:
        requests = pluralize(getattr(self.server_policy, setting), "open request")
        return RequestLimit(
            setting, f"This agent already has {requests}{to_whom}. Wait for answers first."
        )


def pause(
    view: View,
    agent: Agent,
    user: User,
    types: Sequence[str],
    policy: ServerPolicy,
    others: Collection[str] = (),
) -> RequestLimit | None:
    """Return the pause that refuses this agent, even if nobody would be asked, or None.

    This includes pauses by any other approver of the request.
    """
    limit = policy.denials_before_pause
    own = pause_end_of(view, agent.id, user.id, types, limit)
    other = last_pause_end_of(view, agent.id, others, types, limit)
    ends = [end for end in (own, other) if end is not None]
    if not ends:
        return None
    who = "This person" if own is not None else "Another approver of this request"
    return RequestLimit(
        PAUSED,
        f"{who} has denied such requests repeatedly. Ask again in half an hour.",
        {"reason": PAUSED, "retry": "not_before", "retry_at": rfc3339(max(ends))},
    )


def page_refusal(
    tx: Unit,
    client_id: str,
    user: User,
    kind: ApprovalKind,
    types: Sequence[str],
    policy: ServerPolicy,
) -> RequestLimit | None:
    """Return the limit that prevents another request from a page to this user now, or None."""
    if tx.approvals.open_count(None, user.id, tx.now, kind) >= OPEN_CONSENTS:
        return RequestLimit(
            "open_consents", "You have too many pending requests. Answer them first."
        )
    if pause_end_of(tx, client_id, user.id, types, policy.denials_before_pause) is not None:
        return RequestLimit(PAUSED, "You have denied this repeatedly. Try again in half an hour.")
    return None


def device_refusal(tx: Unit, client_id: str, user: User, policy: ServerPolicy) -> str | None:
    """Return why another device may not ask this user now; for the audit log, not the caller."""
    is_terminal = client_id == APPROVER_CLIENT
    kind: ApprovalKind = "device" if is_terminal else "app_device"
    if tx.approvals.open_count(None, user.id, tx.now, kind) >= OPEN_DEVICES:
        return "open_devices"
    action_type = kinds.DEVICE if is_terminal else kinds.APP_DEVICE
    if pause_end_of(tx, client_id, user.id, [action_type], policy.denials_before_pause) is not None:
        return PAUSED
    return None


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of one agent for one person and one action type; "" means scopes only."""

    user_id: str
    user_name: str
    type: str
    until: int


@dataclass(frozen=True, slots=True)
class Pauses:
    """Lists pauses for administrators and owners."""

    store: Store
    server_policy: ServerPolicy

    def of_agent(self, name_or_id: str) -> list[Pause]:
        """Return an agent's current pauses, by person and type. Raises `NotFound`."""
        with self.store.read() as view:
            agent = client_names.find_agent(view, name_or_id)
            denials = view.approvals.denials_of(agent.id, _counted_since(view))
            limit = self.server_policy.denials_before_pause
            return sorted(
                _all_pauses(view, denials, limit), key=lambda pause: (pause.user_name, pause.type)
            )


def pause_end_of(
    view: View, client_id: str, user_id: str, types: Sequence[str], limit: int
) -> int | None:
    """Return the end of the pause that blocks a request of these types; None if there is none."""
    denials = view.approvals.denials_since(client_id, user_id, _counted_since(view))
    return _last_end(denials, types, limit, view.now)


def last_pause_end_of(
    view: View, client_id: str, user_ids: Collection[str], types: Sequence[str], limit: int
) -> int | None:
    """Return the end of the last pause with any of these users; None if there is none."""
    if not user_ids:
        return None
    rows = view.approvals.denials_of(client_id, _counted_since(view))
    ends = (
        _last_end(denials, types, limit, view.now)
        for user_id, denials in _by_user(rows).items()
        if user_id in user_ids
    )
    return max((end for end in ends if end is not None), default=None)


def record_pause_if_begun(tx: Unit, denied: Approval, by: str, policy: ServerPolicy) -> None:
    """If this denial begins a pause, add an audit entry and notify the agent's owners."""
    agent = tx.directory.agent(denied.agent_id)
    if agent is None:
        return
    denials = tx.approvals.denials_since(agent.id, by, _counted_since(tx))
    for kind in sorted(_kinds(denied.details)):
        times, limit = _times_of(kind, denials), policy.denials_before_pause
        until = _pause_end(times, limit, tx.now)
        if until is not None and _pause_end(times[:-1], limit, tx.now) is None:
            _record(tx, denied, by, kind, until)
            owners = [owner for owner in agent.owners if user_checks.is_enabled(tx, owner)]
            notices.agent(tx, agent.id, "alarm.agent_paused", owners)


def _record(tx: Unit, denied: Approval, by: str, kind: str, until: int) -> None:
    tx.audit.add(
        Entry(
            type=audit.Type.AGENT_PAUSED,
            actor=audit.SYSTEM,
            agent_id=denied.agent_id,
            subject=by,
            cause=PAUSED,
            approval_id=denied.id,
            facts={"type": kind or None, "until": until},
        ),
    )


def _all_pauses(view: View, rows: Sequence[tuple[str, int, str]], limit: int) -> list[Pause]:
    pauses: list[Pause] = []
    for user_id, denials in _by_user(rows).items():
        name = user_checks.name_of(view, user_id)
        kinds = {kind for _, details in denials for kind in _kinds(details)}
        ends = {kind: _pause_end(_times_of(kind, denials), limit, view.now) for kind in kinds}
        pauses += [Pause(user_id, name, kind, at) for kind, at in ends.items() if at is not None]
    return pauses


def _counted_since(view: View) -> int:
    """Return the time from which a denial can still contribute to a pause."""
    return view.now - PAUSE_WITHIN_MS - PAUSE_MS


def _last_end(
    denials: Sequence[tuple[int, str]], types: Sequence[str], limit: int, now: int
) -> int | None:
    """Return the last end of the pauses for these action types; None if there is none."""
    ends = (_pause_end(_times_of(kind, denials), limit, now) for kind in set(types) or {""})
    return max((end for end in ends if end is not None), default=None)


def _by_user(rows: Sequence[tuple[str, int, str]]) -> Mapping[str, list[tuple[int, str]]]:
    by_user: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for user_id, at, details in rows:
        by_user[user_id].append((at, details))
    return by_user


def _times_of(kind: str, denials: Sequence[tuple[int, str]]) -> list[int]:
    return sorted(at for at, details in denials if kind in _kinds(details))


def _kinds(details: str) -> set[str]:
    """Return the action types of a request; "" for scopes only."""
    return {item["type"] for item in json.loads(details)} or {""}


def _pause_end(times: Sequence[int], limit: int, now: int) -> int | None:
    """Return the end of the latest pause from these denials, if it is in the future."""
    ends = [
        last + PAUSE_MS
        for first, last in zip(times, times[limit - 1 :], strict=False)
        if last - first <= PAUSE_WITHIN_MS and now < last + PAUSE_MS
    ]
    return max(ends, default=None)
