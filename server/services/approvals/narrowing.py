"""Approving less: what a person would grant, made by the server, and held against what was asked.

The text is made twice: when the person asks how it would read, and when their signed answer names
it. Nothing is kept in between, so nobody can be answered for by a text that somebody else left.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from server.model.approvals import Approval
from server.model.clients import Agent
from server.model.granted import Row, granted_headline
from server.model.ports import Secrets
from server.model.resources import Resource
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import decisions, narrowable, narrowing
from server.protocol.approvals.narrowable import NarrowableFact
from server.protocol.approvals.narrowing import NOT_GRANTED, Change, NotNarrower, Terms
from server.protocol.approvals.states import State
from server.protocol.json_text import JsonValue
from server.protocol.policy import rendering
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.rendering import Fact
from server.protocol.policy.risks import Risk
from server.services.approvers import approvers
from server.services.policy import displays, history
from server.services.policy.schemas import Schemas
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy
from server.services.users import device_auth
from server.services.users.device_auth import Person


@dataclass(frozen=True, slots=True)
class RequestedNarrowing:
    """What a person wants to leave out or make less."""

    drop_scopes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    token_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Narrowable:
    """What of a request a person may leave out or make less."""

    scopes: tuple[str, ...]
    facts: tuple[tuple[int, NarrowableFact], ...]
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
    target: TokenTarget
    details: Sequence[Mapping[str, JsonValue]]
    actions: Sequence[ActionType]


@dataclass(frozen=True, slots=True)
class _Act:
    """What is granted, as its headline is made of it."""

    target: TokenTarget
    details: Sequence[Mapping[str, JsonValue]]
    actions: Sequence[ActionType]
    risk: Risk


@dataclass(frozen=True, slots=True)
class Narrowings:
    """Makes and judges what is granted when it is less."""

    store: Store
    secrets: Secrets
    schemas: Schemas
    rules: ServerPolicy

    def room(self, person: Person, approval_id: str) -> Narrowable:
        """What may be less in it. Raises errors.Problem 404, 409 or, of another kind, 422."""
        with self.store.read() as view:
            approval = _open(view, person, approval_id)
            _check_kind(approval)
            asked = _asked(approval)
            types = self._types(view, asked)
            facts = [
                (place, each)
                for place, (action, details) in enumerate(zip(types, asked.details, strict=True))
                for each in narrowable.narrowable_facts(action, details)
            ]
            return Narrowable(asked.scope, tuple(facts), self._usual_life(view, approval))

    def propose(self, person: Person, approval_id: str, wish: RequestedNarrowing) -> Narrowed:
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
        except NotNarrower as error:
            raise _not_narrower(f"{error}.") from error
        return Narrowed(text, found, tuple(rows), _headline(view, approval, found, types), types)

    def within(self, approval: Approval, narrowed: Narrowed) -> bool:
        """Reports whether it is a part of what somebody before has granted of a waiting one."""
        if approval.granted is None:
            return True
        before, after = narrowing.terms(approval.granted), narrowed.terms
        try:
            _detail_rows(before, after, narrowed.types)
        except NotNarrower:
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

    def _text(self, view: View, approval: Approval, wish: RequestedNarrowing) -> str:
        """The text of a wish, which may yet turn out not to be less."""
        _check_kind(approval)
        asked = _asked(approval)
        try:
            types = self.schemas.check(view.directory, asked.details, None)
            rules = [action.stakes.narrow for action in types]
            less = narrowing.narrowed_details(asked, wish.drop_scopes, wish.changes, rules)
        except errors.ProtocolError as error:
            raise _not_narrower(error.description) from error
        except NotNarrower as error:
            raise _not_narrower(f"{error}.") from error
        return narrowing.granted_text(approval.action, replace(less, seconds=wish.token_seconds))

    def _life_rows(self, view: View, approval: Approval, found: Terms) -> list[Row]:
        if found.seconds is None:
            return []
        whole = self._usual_life(view, approval)
        if found.seconds >= whole:
            raise NotNarrower("token_seconds", f"the token lives {whole} seconds; say less")
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
        target, details = TokenTarget(resource, narrowed.terms.scope), narrowed.terms.details
        part = _Part(agent, user, target, details, narrowed.types)
        return history.granted(self.secrets, approval, part)


def _resource(view: View, approval: Approval) -> Resource | None:
    return targets.stored_resource(view.directory, approval.resource, tuple(approval.scope.split()))


def _open(view: View, person: Person, approval_id: str) -> Approval:
    """The person's own request that waits. Raises errors.Problem 404 or 409."""
    device_auth.current_device(view, person)
    approval = approvers.owned(view, approval_id, person.user.id)
    if approval.state is not State.PENDING:
        raise errors.Problem(409, "not_pending", f"This request is {approval.state}.")
    return approval


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
    target = TokenTarget(resource, found.scope)
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
