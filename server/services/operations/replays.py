"""What a rule set would have changed: what was asked and given lately, judged again.

Owns: reading requests, tokens and refusals of a time as cases, each with the history that its agent
had then. Never: their details where only the log has them; of those their types are judged.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from server.model import display_names
from server.model.approvals import Approval
from server.model.audit import EntrySearch, StoredEntry
from server.model.clients import Agent, App
from server.model.store import Store, View
from server.model.tokens import Delegation
from server.protocol import errors
from server.protocol.approvals import kinds
from server.protocol.json_text import JsonValue
from server.protocol.policy.questions import APP, Approvals, Outcome, PolicyVersion, Verdict, Way
from server.services.approvals import votes
from server.services.approvers import automatic_decisions, eligible
from server.services.approvers.eligible import ONLY_THE_USER, EligibleApprovers
from server.services.audit import audit
from server.services.operations.askings import asking
from server.services.operations.trials import trial
from server.services.policy import refusals
from server.services.policy.judging import Judge, JudgedRequest, engine_of
from server.services.policy.schemas import Schemas
from server.services.refusals import Invalid
from server.services.resources import targets
from server.services.standing_grants import reservations, uses

MOST_JUDGED: Final = 20_000
MOST_CHANGES: Final = 200
LONGEST_MS: Final = 31 * 86_400_000
_PAGE = 500
_REFUSED: Mapping[str, Outcome] = {
    refusals.NEEDS_PERSON: "ask",
    refusals.DENIED: "deny",
    refusals.TOO_FEW: "deny",
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
    past: str | None = None
    """What was unusual about a request, as it keeps it; None for what is known today."""
    quorum: int | None = None
    """How many people were asked for their yes; None where nobody was."""
    by_grant: bool = False
    """A standing grant answered it."""
    takes_grant: bool = True
    """One could have: the agent did not want the person's own answer."""


@dataclass(frozen=True, slots=True)
class ReplayedOutcome:
    """How it would go."""

    case: JudgedRequest
    verdict: Verdict
    outcome: Outcome
    standing_grant: str | None = None
    """Which would answer it."""
    people: EligibleApprovers = ONLY_THE_USER

    @property
    def quorum(self) -> int | None:
        """How many people's yes it would take; None where nobody is asked."""
        needs = self.verdict.needs
        return None if needs is None or self.outcome != "ask" else needs.quorum

    def differs(self, event: Event) -> bool:
        """Reports whether it would go otherwise, or take more or fewer people."""
        fewer = event.quorum is not None and self.quorum not in {None, event.quorum}
        return self.outcome != event.before or fewer


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
    standing_grant: str | None = None
    """Which would answer it."""
    was_quorum: int | None = None
    quorum: int | None = None
    """How many people's yes it would take, where anybody would be asked."""
    approvers: tuple[str, ...] = ()
    """Those whose yes would count."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a rule set would have changed."""

    since: int
    until: int
    source: PolicyVersion
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
    judge: Judge
    schemas: Schemas = field(default_factory=Schemas)

    def replay(self, last_ms: int, rules: str | None = None) -> Replay:
        """The last so many milliseconds under other rules, or those in force. Raises `Invalid`."""
        if not 0 < last_ms <= LONGEST_MS:
            raise Invalid("Look back 31d at most, and not at nothing.")
        with self.store.read() as view:
            engine = engine_of(trial(view, rules))
            since, judge = view.now - last_ms, replace(self.judge, instead=engine)
            events = list(islice(_events(view, since), MOST_JUDGED + 1))
            judged = [
                (event, after)
                for event in events[:MOST_JUDGED]
                if (after := self._after(view, judge, event)) is not None
            ]
            changes = [_change(view, e, after) for e, after in judged if after.differs(e)]
            changes.sort(key=lambda change: change.at, reverse=True)
            return Replay(
                since=since,
                until=view.now,
                source=engine.source,
                judged=len(judged),
                skipped=min(len(events), MOST_JUDGED) - len(judged),
                complete=len(events) <= MOST_JUDGED,
                before=Counter(event.before for event, _ in judged),
                after=Counter(after.outcome for _, after in judged),
                changed=len(changes),
                changes=tuple(changes[:MOST_CHANGES]),
            )

    def _after(self, view: View, judge: Judge, event: Event) -> ReplayedOutcome | None:
        """What would have come; None when the case cannot be made any more."""
        find = view.directory.app if event.way == APP else view.directory.agent
        agent: Agent | App | None = find(event.agent)
        if agent is None:
            return None
        try:
            target = targets.resolve_stored(view.directory, agent, event.resource, event.scope)
        except errors.ProtocolError:
            return None
        actions = self.schemas.known(view.directory, event.types)
        if len(actions) < len(event.types):
            return None
        user = view.directory.user(event.user or "")
        case = JudgedRequest(
            event.way, agent, user, target, event.details, actions, past=event.past
        )
        verdict = judge.decide(view, case, event.at)
        outcome = verdict.outcome
        if outcome == "ask" and event.said is not None and judge.holds(view, case, event.said):
            outcome = "allow"
        if (
            event.way == "request"
            and automatic_decisions.covering_consent(view, case, event.at) is None
        ):
            outcome = "ask" if outcome == "allow" else outcome  # nobody had let it
        if outcome != "ask":
            return ReplayedOutcome(case, verdict, outcome)
        grant = _covering(view, judge, event, case, verdict)
        return (
            _asked(view, case, verdict)
            if grant is None
            else ReplayedOutcome(case, verdict, "allow", grant)
        )


def _covering(
    view: View, judge: Judge, event: Event, case: JudgedRequest, verdict: Verdict
) -> str | None:
    """The standing grant that answered it, if it still would; else one that could have."""
    if event.by_grant:
        approval = view.approvals.get(event.id)
        held = approval is not None and uses.still_covers(view, judge, case, approval)
        return reservations.grant_of(approval) if approval is not None and held else None
    whole = len(event.details) == len(event.types)  # the log keeps none
    if not event.takes_grant or not whole or event.way not in {"request", "exchange"}:
        return None
    fits = uses.covering_grants(view, case, verdict, event.at)
    return next((fit.grant.id for fit in fits), None)


def _asked(view: View, case: JudgedRequest, verdict: Verdict) -> ReplayedOutcome:
    """Who would be asked; nobody, where a request takes more people than there are."""
    if not isinstance(case.agent, Agent):
        return ReplayedOutcome(case, verdict, "ask")
    found = eligible.eligible_for_verdict(view, verdict, case.agent, case.user)
    needs = verdict.needs
    too_few = case.way == "request" and needs is not None and needs.quorum > found.count
    return ReplayedOutcome(case, verdict, "deny" if too_few else "ask", people=found)


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
            if approval.kind in {"action", "app_action"}:
                yield _request(approval)
        before = (found[-1].created_at, found[-1].id)


def _request(approval: Approval) -> Event:
    details = kinds.resource_details(json.loads(approval.details))
    return Event(
        way="request" if approval.kind == "action" else APP,
        id=approval.id,
        at=approval.created_at,
        agent=approval.agent_id,
        user=approval.user_id,
        resource=approval.resource,
        scope=tuple(approval.scope.split()),
        types=tuple(str(detail["type"]) for detail in details),
        details=details,
        before="ask" if approval.decided_by is None else "allow",
        past=approval.past,
        quorum=approval.quorum if approval.decided_by is None else None,
        by_grant=reservations.is_decided_by_grant(approval),
        takes_grant=not approval.acr_values,
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
        signed = _signed(view, parent)
        if signed is not None and parent.resource == token.resource:
            return votes.cast_approvals(view, signed)
    return None


def _signed(view: View, token: Delegation) -> Approval | None:
    """The answer that it was born of, if that was not a consent."""
    if token.approval_id is None or token.consent_id is not None:
        return None
    return view.approvals.get(token.approval_id)


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


def _change(view: View, event: Event, after: ReplayedOutcome) -> Change:
    user, needs = view.directory.user(event.user or ""), after.verdict.needs
    asked = None if needs is None or after.quorum is None else needs
    whom = None if asked is None else asking(view, after.case, asked, after.people)
    return Change(
        way=event.way,
        id=event.id,
        at=event.at,
        agent=display_names.name_of(view.directory, event.agent),
        user=None if user is None else user.name,
        resource=event.resource,
        scope=event.scope,
        types=event.types,
        before=event.before,
        after=after.outcome,
        rules=after.verdict.rules,
        standing_grant=after.standing_grant,
        was_quorum=event.quorum,
        quorum=after.quorum,
        approvers=tuple(one.name for one in whom.approvers) if whom else (),
    )
