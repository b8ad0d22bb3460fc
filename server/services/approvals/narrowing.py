"""Narrows a request: the server creates the granted text and checks it against the request.

The text is checked twice: when the approver previews it, and when their signed answer contains it.
Nothing is stored in between, so no stored text can end up in another person's answer.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from server.model.approvals import Approval
from server.model.granted import GrantDifference
from server.model.ports import Secrets
from server.model.resources import Resource
from server.model.store import Store, Unit, View
from server.protocol import errors
from server.protocol.approvals import decisions, narrowable, narrowing
from server.protocol.approvals.narrowable import NarrowableFact
from server.protocol.approvals.narrowing import NOT_GRANTED, Change, NotNarrower, Terms
from server.protocol.approvals.states import State
from server.protocol.policy import rendering
from server.protocol.policy.action_types import ActionType
from server.protocol.text import pluralize
from server.services.approvers import approvers
from server.services.policy import displays, history
from server.services.policy.history_keys import RequestToCompare
from server.services.policy.schemas import Schemas
from server.services.resources import targets
from server.services.resources.targets import TokenTarget
from server.services.server_policy import ServerPolicy
from server.services.users import device_auth
from server.services.users.device_auth import Person


@dataclass(frozen=True, slots=True)
class RequestedNarrowing:
    """The scopes to drop, the values to narrow and the token lifetime that an approver entered."""

    drop_scopes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    token_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Narrowable:
    """The parts of a request that an approver may narrow."""

    scopes: tuple[str, ...]
    facts: tuple[tuple[int, NarrowableFact], ...]
    """Each fact with the index of its object."""
    token_seconds: int
    """The full token lifetime; an approver may shorten it."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A checked granted text, with its differences from the request."""

    text: str
    terms: Terms
    rows: Sequence[GrantDifference]
    headline: str
    """The headline of what is granted, from the action type."""
    types: tuple[ActionType, ...] = ()

    @property
    def digest(self) -> str:
        """The digest that the approver signs."""
        return decisions.digest(self.text)


@dataclass(frozen=True, slots=True)
class Narrowings:
    """Creates and checks granted texts."""

    store: Store
    secrets: Secrets
    schemas: Schemas
    server_policy: ServerPolicy

    def narrowable(self, person: Person, approval_id: str) -> Narrowable:
        """Return the narrowable parts.

        Raises errors.Problem 404, 409, or 422 if the request is not an action.
        """
        with self.store.read() as view:
            approval = _pending_request(view, person, approval_id)
            terms = narrowing.terms(approval.action)
            types = self._types(view, terms)
            facts = [
                (index, fact)
                for index, (action, details) in enumerate(zip(types, terms.details, strict=True))
                for fact in narrowable.narrowable_facts(action, details)
            ]
            return Narrowable(terms.scope, tuple(facts), self._full_lifetime(view, approval))

    def propose(self, person: Person, approval_id: str, requested: RequestedNarrowing) -> Narrowed:
        """Preview a narrowing without storing it. Raises errors.Problem 404, 409 or 422."""
        with self.store.read() as view:
            approval = _pending_request(view, person, approval_id)
            return self.check(view, approval, self._text(view, approval, requested))

    def check(self, view: View, approval: Approval, text: str) -> Narrowed:
        """Check a granted text against the request. Raises errors.Problem 422 `not_narrower`.

        Checks, in order, that: 1. the server could have created it for this request; 2. its details
        match their action types; 3. they differ only as the action types allow; 4. the token
        lifetime is shorter.
        """
        _check_kind(approval)
        with _as_problem():
            terms = narrowing.read_granted(approval.action, text)
            requested_terms = narrowing.terms(approval.action)
            types = self.schemas.check(view.directory, terms.details, None)
            rows = [
                *_scope_rows(requested_terms, terms),
                *_detail_rows(requested_terms, terms, types),
                *self._lifetime_rows(view, approval, terms),
            ]
        return Narrowed(text, terms, rows, _headline(view, approval, terms, types), types)

    def is_within(self, approval: Approval, narrowed: Narrowed) -> bool:
        """Return whether it grants no more than the request's earlier approvers granted."""
        if approval.granted is None:
            return True
        before, after = narrowing.terms(approval.granted), narrowed.terms
        try:
            _detail_rows(before, after, narrowed.types)
        except NotNarrower:
            return False
        is_short = before.seconds is None or (after.seconds or before.seconds + 1) <= before.seconds
        return set(after.scope) <= set(before.scope) and is_short

    def store_granted(self, tx: Unit, approval: Approval, narrowed: Narrowed) -> Approval:
        """Store the granted text; later approvers may narrow it further."""
        rows = [asdict(row) for row in narrowed.rows]
        display_text = json.dumps({"headline": narrowed.headline, "rows": rows}, ensure_ascii=False)
        past = self._history_addition(tx, approval, narrowed.terms, narrowed.types)
        updated = tx.approvals.narrow(approval.id, narrowed.text, display_text, past)
        return approval if updated is None else updated

    def remove_granted(self, tx: Unit, approval: Approval) -> Approval | None:
        """Remove the granted text; return None if the request is no longer pending."""
        terms = narrowing.terms(approval.action)
        past = self._history_addition(tx, approval, terms, self._types(tx, terms))
        return tx.approvals.narrow(approval.id, None, "{}", past)

    def _types(self, view: View, requested_terms: Terms) -> tuple[ActionType, ...]:
        with _as_problem():
            return self.schemas.check(view.directory, requested_terms.details, None)

    def _text(self, view: View, approval: Approval, requested: RequestedNarrowing) -> str:
        """Return the granted text of a requested narrowing, without checking it."""
        terms = narrowing.terms(approval.action)
        rules = [action.fact_rules.narrow for action in self._types(view, terms)]
        with _as_problem():
            granted = narrowing.narrowed_details(
                terms, requested.drop_scopes, requested.changes, rules
            )
        return narrowing.granted_text(
            approval.action, replace(granted, seconds=requested.token_seconds)
        )

    def _lifetime_rows(self, view: View, approval: Approval, terms: Terms) -> list[GrantDifference]:
        if terms.seconds is None:
            return []
        full = self._full_lifetime(view, approval)
        if terms.seconds >= full:
            raise NotNarrower("token_seconds", f"must be less than {pluralize(full, 'second')}")
        before, after = (pluralize(seconds, "second") for seconds in (full, terms.seconds))
        return [GrantDifference("Token lifetime", before, after)]

    def _full_lifetime(self, view: View, approval: Approval) -> int:
        agent = view.directory.agent(approval.agent_id)
        resource = _resource(view, approval)
        default = self.server_policy.access_token_seconds
        return default if agent is None else targets.lifetime(agent, resource, default)

    def _history_addition(
        self, view: View, approval: Approval, granted: Terms, types: tuple[ActionType, ...]
    ) -> str:
        """Return the entries that the granted request adds to history."""
        agent = view.directory.agent(approval.agent_id)
        user = view.directory.user(approval.user_id or "")
        resource = _resource(view, approval)
        if agent is None or user is None or resource is None:
            return approval.past
        target = TokenTarget(resource, granted.scope)
        to_compare = RequestToCompare(agent, user, target, granted.details, types)
        return history.narrowed_past(self.secrets, approval, to_compare)


def _resource(view: View, approval: Approval) -> Resource | None:
    return targets.stored_resource(view.directory, approval.resource, tuple(approval.scope.split()))


def _pending_request(view: View, person: Person, approval_id: str) -> Approval:
    """Return an agent's pending request for this approver. Raises errors.Problem 404, 409, 422."""
    device_auth.current_device(view, person)
    approval = approvers.get_for_approver(view, approval_id, person.user.id)
    if approval.state is not State.PENDING:
        raise errors.Problem(409, "not_pending", f"This request is {approval.state}.")
    _check_kind(approval)
    return approval


def _headline(view: View, approval: Approval, terms: Terms, types: tuple[ActionType, ...]) -> str:
    resource = _resource(view, approval)
    if resource is None:
        return str(json.loads(approval.display)["headline"])
    target = TokenTarget(resource, terms.scope)
    return displays.headline(target, terms.details, types)


def _check_kind(approval: Approval) -> None:
    if approval.kind != "action":
        raise _not_narrower("Only an agent's action can be approved with limits.")


@contextmanager
def _as_problem() -> Iterator[None]:
    """Raise the problem `not_narrower` for details or differences that are not allowed."""
    try:
        yield
    except errors.ProtocolError as error:
        raise _not_narrower(error.description) from error
    except NotNarrower as error:
        raise _not_narrower(f"{error}.") from error


def _not_narrower(detail: str) -> errors.Problem:
    return errors.Problem(422, "not_narrower", detail)


def _scope_rows(requested_terms: Terms, terms: Terms) -> list[GrantDifference]:
    return [
        GrantDifference("Scope", name, NOT_GRANTED)
        for name in requested_terms.scope
        if name not in terms.scope
    ]


def _detail_rows(
    requested_terms: Terms, terms: Terms, types: Sequence[ActionType]
) -> list[GrantDifference]:
    """Return the facts that differ, with their labels on screen. Raises NotNarrower."""
    rows: list[GrantDifference] = []
    for index, (action, before, after) in enumerate(
        zip(types, requested_terms.details, terms.details, strict=True)
    ):
        try:
            aligned = narrowing.check_narrower({**before}, {**after}, action.fact_rules.narrow)
        except NotNarrower as error:
            raise NotNarrower(f"/{index}{error.pointer}", error.remedy) from error
        assert isinstance(aligned, dict)  # noqa: S101  # both arguments are objects
        name = f"{index + 1}. " if len(types) > 1 else ""
        pairs = zip(rendering.facts(action, before), rendering.facts(action, aligned), strict=True)
        rows += [
            GrantDifference(f"{name}{old.label}", old.value, new.value)
            for old, new in pairs
            if old.value != new.value
        ]
    return rows
