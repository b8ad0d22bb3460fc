"""Pauses: an agent may not ask a person again for a while after they denied it repeatedly.

A pause belongs to the person who denied, even if they decided as a deputy or backup.
Owns: when a pause begins and ends, from the denials in the database. Never: limiting how often
someone can deny.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.store import Store, Unit, View
from server.services.audit import audit
from server.services.clients import agent_names
from server.services.notifications import notices
from server.services.server_policy import ServerPolicy

_MINUTE_MS = 60_000
WITHIN_MS: Final = 10 * _MINUTE_MS
"""The window in which denials of one type are counted."""
PAUSE_MS: Final = 30 * _MINUTE_MS
"""The length of a pause, from the last denial."""


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
        """The current pauses of an agent, by person and type. Raises `NotFound`."""
        with self.store.read() as view:
            agent = agent_names.find(view, name_or_id)
            found = view.approvals.denials_of(agent.id, view.now - WITHIN_MS - PAUSE_MS)
            limit = self.server_policy.denials_before_pause
            return sorted(_all(view, found, limit), key=lambda one: (one.user_name, one.type))


def end_of(
    view: View, client_id: str, user_id: str, types: Sequence[str], limit: int
) -> int | None:
    """The end of the pause that blocks a request of these types; None if there is none."""
    denials = view.approvals.denials_since(client_id, user_id, view.now - WITHIN_MS - PAUSE_MS)
    ends = [_end(_times_of(kind, denials), limit, view.now) for kind in set(types) or {""}]
    return max((end for end in ends if end is not None), default=None)


def last_end_of(
    view: View, client_id: str, user_ids: Collection[str], types: Sequence[str], limit: int
) -> int | None:
    """The end of the last pause with any of these users; None if there is none."""
    if not user_ids:
        return None
    found = view.approvals.denials_of(client_id, view.now - WITHIN_MS - PAUSE_MS)
    theirs = (denials for user_id, denials in _by_user(found).items() if user_id in user_ids)
    kinds = set(types) or {""}
    ends = [_end(_times_of(kind, one), limit, view.now) for one in theirs for kind in kinds]
    return max((end for end in ends if end is not None), default=None)


def record_if_begun(tx: Unit, denied: Approval, by: str, policy: ServerPolicy) -> None:
    """If this denial begins a pause, add an audit entry and tell the agent's owners."""
    agent = tx.directory.agent(denied.agent_id)
    if agent is None:
        return
    since = tx.now - WITHIN_MS - PAUSE_MS
    denials = tx.approvals.denials_since(agent.id, by, since)
    for kind in sorted(_kinds(denied.details)):
        times, limit = _times_of(kind, denials), policy.denials_before_pause
        until = _end(times, limit, tx.now)
        if until is not None and _end(times[:-1], limit, tx.now) is None:
            _record(tx, denied, by, kind, until)
            owners = [user_id for user_id in agent.owners if _is_enabled(tx, user_id)]
            notices.agent(tx, agent.id, "alarm.agent_paused", owners)


def _is_enabled(view: View, user_id: str) -> bool:
    user = view.directory.user(user_id)
    return user is not None and user.enabled


def _record(tx: Unit, denied: Approval, by: str, kind: str, until: int) -> None:
    audit.record(
        tx,
        Entry(
            type=audit.Type.AGENT_PAUSED,
            actor=audit.SYSTEM,
            agent_id=denied.agent_id,
            subject=by,
            cause="denied_repeatedly",
            approval_id=denied.id,
            facts={"type": kind or None, "until": until},
        ),
    )


def _all(view: View, found: Sequence[tuple[str, int, str]], limit: int) -> list[Pause]:
    pauses: list[Pause] = []
    for user_id, denials in _by_user(found).items():
        user = view.directory.user(user_id)
        name = user_id if user is None else user.name
        kinds = {kind for _, details in denials for kind in _kinds(details)}
        ends = {kind: _end(_times_of(kind, denials), limit, view.now) for kind in kinds}
        pauses += [Pause(user_id, name, kind, at) for kind, at in ends.items() if at is not None]
    return pauses


def _by_user(found: Sequence[tuple[str, int, str]]) -> Mapping[str, list[tuple[int, str]]]:
    by_user: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for user_id, at, details in found:
        by_user[user_id].append((at, details))
    return by_user


def _times_of(kind: str, denials: Sequence[tuple[int, str]]) -> list[int]:
    return sorted(at for at, details in denials if kind in _kinds(details))


def _kinds(details: str) -> set[str]:
    """The action types of a request; "" for scopes only."""
    return {item["type"] for item in json.loads(details)} or {""}


def _end(times: Sequence[int], limit: int, now: int) -> int | None:
    """The end of the latest pause from these denials, if it is in the future."""
    ends = [
        last + PAUSE_MS
        for first, last in zip(times, times[limit - 1 :], strict=False)
        if last - first <= WITHIN_MS and now < last + PAUSE_MS
    ]
    return max(ends, default=None)
