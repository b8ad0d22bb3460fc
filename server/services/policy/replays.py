"""What a rule set would have changed: what was asked and given lately, judged again.

Owns: reading requests, tokens and refusals of a time as cases, each with the history that its agent
had then. Never: their details where only the log has them; of those their types are judged.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from server.protocol import errors
from server.protocol.json_text import JsonValue
from server.services import audit, targets
from server.services.policy import refusals
from server.services.policy.judging import Case, Judge, engine_of
from server.services.policy.questions import Approvals, Outcome, Source, Way
from server.services.policy.trials import trial
from server.services.ports import Store, View
from server.services.records import Approval, Delegation, StoredEntry
from server.services.refusals import Invalid
from server.services.schemas import Schemas
from server.services.searches import EntrySearch

MOST_JUDGED: Final = 20_000
MOST_CHANGES: Final = 200
LONGEST_MS: Final = 31 * 86_400_000
_PAGE = 500
_REFUSED: Mapping[str, Outcome] = {
    refusals.NEEDS_PERSON: "ask",
    refusals.DENIED: "deny",
}
"""What policy had said, by the cause in the log."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that policy decided in its time."""

    way: Way
    id: str
    at: int
    agent: str
    user: str | None
    resource: str | None
    scope: tuple[str, ...]
    types: tuple[str, ...]
    details: Sequence[Mapping[str, JsonValue]]
    before: Outcome
    said: Approvals | None = None
    """The answer that stood behind its chain."""


@dataclass(frozen=True, slots=True)
class Change:
    """One that would have gone otherwise. Agents and people by their names."""

    way: Way
    id: str
    at: int
    agent: str
    user: str | None
    resource: str | None
    scope: tuple[str, ...]
    types: tuple[str, ...]
    before: Outcome
    after: Outcome
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """What a rule set would have changed."""

    since: int
    until: int
    source: Source
    judged: int
    skipped: int
    """Those whose agent, resource, scope or type is not there any more as it was."""
    complete: bool
    before: Mapping[str, int]
    after: Mapping[str, int]
    changed: int
    changes: tuple[Change, ...]
    """The newest of them."""


@dataclass(frozen=True, slots=True)
class Replays:
    """Judges again what was judged."""

    store: Store
    schemas: Schemas = field(default_factory=Schemas)

    def replay(self, last_ms: int, rules: str | None = None) -> Replay:
        """The last so many milliseconds under other rules, or those in force. Raises `Invalid`."""
        if not 0 < last_ms <= LONGEST_MS:
            raise Invalid("Look back 31d at most, and not at nothing.")
        with self.store.read() as view:
            engine = engine_of(trial(view, rules))
            since, judge = view.now - last_ms, Judge(instead=engine)
            events = list(islice(_events(view, since), MOST_JUDGED + 1))
            judged = [
                (event, after)
                for event in events[:MOST_JUDGED]
                if (after := self._after(view, judge, event)) is not None
            ]
            changes = [_change(view, e, *after) for e, after in judged if after[0] != e.before]
            changes.sort(key=lambda change: change.at, reverse=True)
            return Replay(
                since=since,
                until=view.now,
                source=engine.source,
                judged=len(judged),
                skipped=min(len(events), MOST_JUDGED) - len(judged),
                complete=len(events) <= MOST_JUDGED,
                before=Counter(event.before for event, _ in judged),
                after=Counter(after for _, (after, _) in judged),
                changed=len(changes),
                changes=tuple(changes[:MOST_CHANGES]),
            )

    def _after(
        self, view: View, judge: Judge, event: Event
    ) -> tuple[Outcome, tuple[str, ...]] | None:
        """What would have come; None when the case cannot be made any more."""
        agent = view.directory.agent(event.agent)
        if agent is None:
            return None
        try:
            target = targets.resolve(view.directory, agent, event.resource, event.scope)
        except errors.ProtocolError:
            return None
        actions = self.schemas.known(view.directory, event.types)
        if len(actions) < len(event.types):
            return None
        user = view.directory.user(event.user or "")
        case = Case(event.way, agent, user, target, event.details, actions)
        verdict = judge.decide(view, case, event.at)
        outcome = verdict.outcome
        if outcome == "ask" and event.said is not None and judge.holds(view, case, event.said):
            outcome = "allow"
        if outcome == "allow" and event.way == "request":
            outcome = "ask"  # a person is asked whatever is allowed
        return outcome, verdict.rules


def _events(view: View, since: int) -> Iterator[Event]:
    """Everything since then, each kind from the newest on."""
    yield from _requests(view, since)
    yield from _tokens(view, since)
    yield from _refusals(view, since)


def _requests(view: View, since: int) -> Iterator[Event]:
    before: tuple[int, str] | None = None
    while found := view.approvals.search(
        state=None, agent_id=None, user_id=None, limit=_PAGE, before=before
    ):
        for approval in found:
            if approval.created_at < since:
                return
            if approval.kind == "action":
                yield _request(approval)
        before = (found[-1].created_at, found[-1].id)


def _request(approval: Approval) -> Event:
    details = json.loads(approval.details)
    return Event(
        way="request",
        id=approval.id,
        at=approval.created_at,
        agent=approval.agent_id,
        user=approval.user_id,
        resource=approval.resource,
        scope=tuple(approval.scope.split()),
        types=tuple(detail["type"] for detail in details),
        details=details,
        before="ask",
    )


def _tokens(view: View, since: int) -> Iterator[Event]:
    """Tokens that came of no request."""
    before: tuple[int, str] | None = None
    while found := view.delegations.search(
        client_id=None, user_id=None, resource=None, live_at=None, limit=_PAGE, before=before
    ):
        for token in found:
            if token.issued_at < since:
                return
            if token.approval_id is None and view.directory.agent(token.client_id) is not None:
                yield _token(view, token)
        before = (found[-1].issued_at, found[-1].id)


def _token(view: View, token: Delegation) -> Event:
    details = json.loads(token.details)
    return Event(
        way="client_credentials" if token.user_id is None else "exchange",
        id=token.id,
        at=token.issued_at,
        agent=token.client_id,
        user=token.user_id,
        resource=token.resource,
        scope=tuple(token.scope.split()),
        types=tuple(detail["type"] for detail in details),
        details=details,
        before="allow",
        said=_said(view, token),
    )


def _said(view: View, token: Delegation) -> Approvals | None:
    """The answer at whose end the chain begins, as the exchange stood on it."""
    if token.consent_id is not None:
        return None
    for parent in view.delegations.ancestors(token.id):
        if parent.approval_id is not None and parent.resource == token.resource:
            signed = view.approvals.get(parent.approval_id)
            by = frozenset({token.user_id or ""})
            return None if signed is None else Approvals(1, signed.risk, signed.ceremony, by)
    return None


def _refusals(view: View, since: int) -> Iterator[Event]:
    for kind in (
        audit.Type.EXCHANGE_REFUSED,
        audit.Type.TOKEN_REFUSED,
        audit.Type.APPROVAL_REFUSED,
    ):
        before: str | None = None
        wanted = EntrySearch(type=kind, since=since)
        while found := view.audit.search(wanted, before, _PAGE):
            for entry in found:
                if (event := _refusal(kind, entry)) is not None:
                    yield event
            before = found[-1].id


def _refusal(kind: audit.Type, entry: StoredEntry) -> Event | None:
    said = json.loads(entry.body)
    before = _REFUSED.get(said.get("cause"))
    if before is None:
        return None
    way: Way = "exchange"
    words = str(said["facts"].get("scope", "")).split()
    types: list[str] = list(said["facts"].get("types", ()))
    if kind is audit.Type.TOKEN_REFUSED:
        way, words = "client_credentials", str(said["action"]).split()
    if kind is audit.Type.APPROVAL_REFUSED:
        way, words = "request", list(said["facts"]["scope"])
        types = list(said["facts"]["types"])
    return Event(
        way=way,
        id=entry.id,
        at=entry.at,
        agent=said["agent_id"],
        user=said.get("subject"),
        resource=said.get("resource"),
        scope=tuple(words),
        types=tuple(types),
        details=(),
        before=before,
    )


def _change(view: View, event: Event, after: Outcome, rules: tuple[str, ...]) -> Change:
    agent, user = view.directory.agent(event.agent), view.directory.user(event.user or "")
    return Change(
        way=event.way,
        id=event.id,
        at=event.at,
        agent=event.agent if agent is None else agent.name,
        user=None if user is None else user.name,
        resource=event.resource,
        scope=event.scope,
        types=event.types,
        before=event.before,
        after=after,
        rules=rules,
    )
