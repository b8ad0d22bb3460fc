"""Approving less: what a person would grant, made by the server, and held against what was asked.

The text is made twice: when the person asks how it would read, and when their signed answer names
it. Nothing is kept in between, so nobody can be answered for by a text that somebody else left.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from server.protocol import decisions, errors, leeway, narrowing, rendering
from server.protocol.actions import ActionType
from server.protocol.json_text import JsonValue
from server.protocol.leeway import Lessening
from server.protocol.narrowing import NOT_GRANTED, Change, NotLess, Terms
from server.protocol.rendering import Fact
from server.protocol.risks import Risk
from server.protocol.states import State
from server.services import approvers, displays, histories, people, targets
from server.services.approval_records import Approval
from server.services.people import Person
from server.services.ports import Secrets, Store, Unit, View
from server.services.records import Agent, Resource, User
from server.services.rules import Rules
from server.services.schemas import Schemas
from server.services.targets import Target


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to leave out or make less."""

    drop_scopes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    token_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One fact that differs: as it was asked, and as it is granted."""

    label: str
    asked: str
    granted: str


@dataclass(frozen=True, slots=True)
class Room:
    """What of a request a person may leave out or make less."""

    scopes: tuple[str, ...]
    facts: tuple[tuple[int, Lessening], ...]
    """Each with the number of its object, from 0."""
    token_seconds: int
    """How long the token would live; it may be any shorter."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is granted, as a text and beside what was asked."""

    text: str
    terms: Terms
    rows: tuple[Row, ...]
    headline: str
    """What it would do, in the words of the type."""
    types: tuple[ActionType, ...] = ()

    @property
    def digest(self) -> str:
        """What the person signs."""
        return decisions.digest(self.text)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is granted, as history compares it."""

    agent: Agent
    user: User
    target: Target
    details: Sequence[Mapping[str, JsonValue]]
    actions: Sequence[ActionType]


@dataclass(frozen=True, slots=True)
class _Act:
    """What is granted, as its headline is made of it."""

    target: Target
    details: Sequence[Mapping[str, JsonValue]]
    actions: Sequence[ActionType]
    risk: Risk


@dataclass(frozen=True, slots=True)
class Narrowings:
    """Makes and judges what is granted when it is less."""

    store: Store
    secrets: Secrets
    schemas: Schemas
    rules: Rules

    def room(self, person: Person, approval_id: str) -> Room:
        """What may be less in it. Raises errors.Problem 404, 409 or, of another kind, 422."""
        with self.store.read() as view:
            approval = _open(view, person, approval_id)
            _check_kind(approval)
            asked = _asked(approval)
            types = self._types(view, asked)
            facts = [
                (place, each)
                for place, (action, details) in enumerate(zip(types, asked.details, strict=True))
                for each in leeway.lessenings(action, details)
            ]
            return Room(asked.scope, tuple(facts), self._usual_life(view, approval))

    def propose(self, person: Person, approval_id: str, wish: Wish) -> Narrowed:
        """How this wish would read. Nothing changes. Raises errors.Problem 404, 409 or 422."""
        with self.store.read() as view:
            approval = _open(view, person, approval_id)
            return self.judged(view, approval, self._text(view, approval, wish))

    def judged(self, view: View, approval: Approval, text: str) -> Narrowed:
        """Hold a text against what was asked. Raises errors.Problem 422 `not_narrower`.

        1. It is our text, of this very request.  2. Its details still have their types' form.  3.
        Each differs only where, and as, its type allows.  4. The token lives no longer.
        """
        _check_kind(approval)
        try:
            found, asked = narrowing.read_granted(approval.action, text), _asked(approval)
            types = self.schemas.check(view.directory, found.details, None)
            rows = [*_scope_rows(asked, found), *_detail_rows(asked, found, types)]
            rows += self._life_rows(view, approval, found)
        except errors.ProtocolError as error:
            raise _not_narrower(error.description) from error
        except NotLess as error:
            raise _not_narrower(f"{error}.") from error
        return Narrowed(text, found, tuple(rows), _headline(view, approval, found, types), types)

    def within(self, approval: Approval, narrowed: Narrowed) -> bool:
        """Reports whether it is a part of what somebody before has granted of a waiting one."""
        if approval.granted is None:
            return True
        before, after = narrowing.terms(approval.granted), narrowed.terms
        try:
            _detail_rows(before, after, narrowed.types)
        except NotLess:
            return False
        lives = before.seconds is None or (after.seconds or before.seconds + 1) <= before.seconds
        return set(after.scope) <= set(before.scope) and lives

    def keep(self, tx: Unit, approval: Approval, narrowed: Narrowed) -> Approval:
        """Write down that this much of a request was granted, so far or in the end."""
        rows = [asdict(row) for row in narrowed.rows]
        reads = json.dumps({"headline": narrowed.headline, "rows": rows}, ensure_ascii=False)
        past = self._past(tx, approval, narrowed)
        kept = tx.approvals.narrow(approval.id, narrowed.text, reads, past)
        return approval if kept is None else kept

    def _types(self, view: View, asked: Terms) -> tuple[ActionType, ...]:
        try:
            return self.schemas.check(view.directory, asked.details, None)
        except errors.ProtocolError as error:
            raise _not_narrower(error.description) from error

    def _text(self, view: View, approval: Approval, wish: Wish) -> str:
        """The text of a wish, which may yet turn out not to be less."""
        _check_kind(approval)
        asked = _asked(approval)
        try:
            types = self.schemas.check(view.directory, asked.details, None)
            rules = [action.stakes.narrow for action in types]
            less = narrowing.made_less(asked, wish.drop_scopes, wish.changes, rules)
        except errors.ProtocolError as error:
            raise _not_narrower(error.description) from error
        except NotLess as error:
            raise _not_narrower(f"{error}.") from error
        return narrowing.granted_text(approval.action, replace(less, seconds=wish.token_seconds))

    def _life_rows(self, view: View, approval: Approval, found: Terms) -> list[Row]:
        if found.seconds is None:
            return []
        whole = self._usual_life(view, approval)
        if found.seconds >= whole:
            raise NotLess("token_seconds", f"the token lives {whole} seconds; say less")
        return [Row("Token lives", f"{whole} seconds", f"{found.seconds} seconds")]

    def _usual_life(self, view: View, approval: Approval) -> int:
        agent = view.directory.agent(approval.agent_id)
        resource = _resource(view, approval)
        usual = self.rules.access_token_seconds
        return usual if agent is None else targets.lifetime(agent, resource, usual)

    def _past(self, view: View, approval: Approval, narrowed: Narrowed) -> str:
        """What this yes adds to history: what was granted, and not what was asked."""
        agent = view.directory.agent(approval.agent_id)
        user = view.directory.user(approval.user_id or "")
        resource = _resource(view, approval)
        if agent is None or user is None or resource is None:
            return approval.past
        target, details = Target(resource, narrowed.terms.scope), narrowed.terms.details
        part = _Part(agent, user, target, details, narrowed.types)
        return histories.granted(self.secrets, approval, part)


def _resource(view: View, approval: Approval) -> Resource | None:
    return targets.standing(view.directory, approval.resource, tuple(approval.scope.split()))


def _open(view: View, person: Person, approval_id: str) -> Approval:
    """The person's own request that waits. Raises errors.Problem 404 or 409."""
    people.current(view, person)
    approval = approvers.owned(view, approval_id, person.user.id)
    if approval.state is not State.PENDING:
        raise errors.Problem(409, "not_pending", f"This request is {approval.state}.")
    return approval


def effective(approval: Approval) -> Terms:
    """What a token of this approval may carry: what was granted, else what was asked."""
    if approval.granted is not None:
        return narrowing.terms(approval.granted)
    return Terms(tuple(json.loads(approval.details)), tuple(approval.scope.split()))


def effective_digest(approval: Approval) -> str:
    """The digest of what was granted."""
    if approval.granted is None:
        return approval.action_digest
    return decisions.digest(approval.granted)


def rows_of(approval: Approval) -> list[Row]:
    """What differs between what was asked and what was granted."""
    if approval.granted is None:
        return []
    return [Row(**row) for row in json.loads(approval.granted_rows)["rows"]]


def granted_headline(approval: Approval) -> str | None:
    """What was granted, in the sentences of its type; None if everything was granted."""
    if approval.granted is None:
        return None
    return str(json.loads(approval.granted_rows)["headline"])


def headline(approval: Approval) -> str:
    """What a request is about: what was granted first, then what was asked."""
    asked = str(json.loads(approval.display).get("headline", ""))
    return in_words(asked, granted_headline(approval), approval.state)


def in_words(asked: str, granted: str | None, state: str) -> str:
    """The headline of a request in this state, for every screen."""
    if granted is None:
        return asked
    was_given = state in {State.APPROVED, State.REDEEMED}
    if granted == asked:
        return f"{'Granted with limits' if was_given else 'With limits'}: {asked}"
    return f"{'Granted' if was_given else 'With limits'}: {granted} (asked: {asked})"


def _headline(view: View, approval: Approval, found: Terms, types: tuple[ActionType, ...]) -> str:
    resource = _resource(view, approval)
    if resource is None:
        return str(json.loads(approval.display)["headline"])
    target = Target(resource, found.scope)
    return displays.headline(_Act(target, found.details, types, approval.risk))


def _asked(approval: Approval) -> Terms:
    return narrowing.terms(approval.action)


def _check_kind(approval: Approval) -> None:
    if approval.kind != "action":
        raise _not_narrower("Only what an agent wants to do can be approved in part.")


def _not_narrower(detail: str) -> errors.Problem:
    return errors.Problem(422, "not_narrower", detail)


def _scope_rows(asked: Terms, found: Terms) -> list[Row]:
    return [Row("Scope", name, NOT_GRANTED) for name in asked.scope if name not in found.scope]


def _detail_rows(asked: Terms, found: Terms, types: Sequence[ActionType]) -> list[Row]:
    """The facts that differ, called as they were in the display. Raises NotLess."""
    rows: list[Row] = []
    for place, (action, before, after) in enumerate(
        zip(types, asked.details, found.details, strict=True)
    ):
        beside = narrowing.compare({**before}, {**after}, action.stakes.narrow)
        assert isinstance(beside, dict)  # noqa: S101  # an object beside an object
        name = f"{place + 1}. " if len(types) > 1 else ""
        pairs = zip(rendering.facts(action, before), rendering.facts(action, beside), strict=True)
        rows += [_row(name, was, now) for was, now in pairs if was.value != now.value]
    return rows


def _row(name: str, was: Fact, now: Fact) -> Row:
    return Row(f"{name}{was.label}", was.value, now.value)
