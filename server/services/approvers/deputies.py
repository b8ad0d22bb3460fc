"""Deputies: a user names someone who decides for them during a period.

Naming a deputy requires the high key and the PIN. The user and the deputy can each end the term
with a session. Both are notified, and every answer by a deputy names the user they decided for.
"""

from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from server.model.approvers import Deputy
from server.model.audit import Entry
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.names import PREFIX_DEPUTY
from server.services.approvers.substitutes import Substitutes
from server.services.audit import audit
from server.services.devices.statements import Statements
from server.services.refusals import NotFound
from server.services.users import device_auth
from server.services.users.device_auth import Person
from server.services.users.user_checks import name_of

MAX_DURATION_MS: Final = 366 * 24 * 60 * 60 * 1000
MAX_DEPUTIES: Final = 5
"""The maximum number of deputies of one user."""


@dataclass(frozen=True, slots=True)
class RequestedDeputy:
    """A deputy as submitted, with the period as RFC 3339 strings."""

    deputy: str
    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class NamedDeputy:
    """A deputy with the names of both users."""

    deputy: Deputy
    user_name: str
    deputy_name: str


@dataclass(frozen=True, slots=True)
class Deputies:
    """Adds, lists and removes the deputies of users."""

    store: Store
    secrets: Secrets
    statements: Statements
    substitutes: Substitutes

    def list_for(self, person: Person) -> tuple[list[NamedDeputy], list[NamedDeputy]]:
        """Return the person's deputies, and the users that this person is a deputy for."""
        with self.store.read() as view:
            device_auth.current_device(view, person)
            own_deputies = view.deputies.of_user(person.user.id, view.now)
            terms = view.deputies.of_deputy(person.user.id, view.now)
            with_names = partial(_with_names, view)
            return [*map(with_names, own_deputies)], [*map(with_names, terms)]

    def check(self, person: Person, requested_deputy: RequestedDeputy) -> None:
        """Check a deputy before it is signed. Raises errors.Problem if `add` would refuse it."""
        with self.store.read() as view:
            device_auth.current_device(view, person)
            _check_deputy(view, person, requested_deputy)

    def add(self, person: Person, requested_deputy: RequestedDeputy, jws: str) -> NamedDeputy:
        """Add a deputy. Raises errors.Problem.

        Rules, in order: 1. The device signed this deputy with the high key, after a PIN call for
        it. 2. The deputy is a different, enabled user, and the limit is not reached. 3. The period
        is valid. 4. The statement has not been used before. Both are notified.
        """
        with self.store.write() as tx:
            requested = astuple(requested_deputy)
            device = self.statements.check_own(tx, person, jws, decisions.DEPUTY, *requested)
            tx.lock(f"deputies {person.user.id}")
            other, begins, ends = _check_deputy(tx, person, requested_deputy)
            self.statements.spend(tx, device)
            deputy = Deputy(
                id=self.secrets.new_id(PREFIX_DEPUTY),
                user_id=person.user.id,
                deputy_id=other.id,
                from_at=begins,
                to_at=ends,
                state="named",
                device_id=device.id,
                created_at=tx.now,
            )
            tx.deputies.add(deputy)
            _record(tx, audit.Type.DEPUTY_NAMED, deputy, audit.by_user(person.user.id), signed=jws)
            begin(tx, deputy, self.substitutes)
            return _with_names(tx, deputy)

    def end(self, person: Person, deputy_id: str) -> None:
        """End a deputy's term now, as the user or the deputy. Raises errors.Problem 404."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            deputy = tx.deputies.get(deputy_id)
            participants = () if deputy is None else (deputy.user_id, deputy.deputy_id)
            if deputy is None or person.user.id not in participants or deputy.state == "over":
                raise errors.not_found("Deputy not found.")
            end(tx, deputy, by=audit.by_user(person.user.id))


@dataclass(frozen=True, slots=True)
class ManagedDeputies:
    """Lists all users' deputies and ends their terms."""

    store: Store

    def all(self) -> list[NamedDeputy]:
        """Return all current and upcoming deputies, by end date."""
        with self.store.read() as view:
            return [_with_names(view, deputy) for deputy in view.deputies.live(view.now)]

    def end(self, deputy_id: str, *, by: str) -> NamedDeputy:
        """End a deputy's term immediately. Raises `NotFound`."""
        with self.store.write() as tx:
            deputy = tx.deputies.get(deputy_id)
            if deputy is None or deputy.state == "over":
                raise NotFound("deputy", deputy_id)
            end(tx, deputy, by=by)
            return _with_names(tx, deputy)


def begin(tx: Unit, deputy: Deputy, substitutes: Substitutes) -> bool:
    """Send open requests to a deputy whose period has begun; return whether this call did."""
    if not deputy.in_force(tx.now) or not tx.deputies.begin(deputy.id):
        return False
    for approval in tx.approvals.open_of_user(deputy.user_id):
        substitutes.ask_deputies(tx, approval)
    return True


def end(tx: Unit, deputy: Deputy, *, by: str | None = None) -> bool:
    """End a term; `by` is None if it expired. Returns whether this call ended it."""
    if not tx.deputies.end(deputy.id, revoked_at=None if by is None else tx.now):
        return False
    tx.deputies.remove_from_pending(deputy.user_id, deputy.deputy_id)
    _record(tx, audit.Type.DEPUTY_ENDED, deputy, by or audit.SYSTEM)
    return True


def _check_deputy(
    view: View, person: Person, requested_deputy: RequestedDeputy
) -> tuple[User, int, int]:
    """Check a deputy and return the user and the period. Raises errors.Problem."""
    other = _find_deputy(view, person, requested_deputy.deputy)
    begins, ends = _period(requested_deputy, view.now)
    _check_limit(view, person, other, begins, ends)
    return other, begins, ends


def _find_deputy(view: View, person: Person, name_or_id: str) -> User:
    """Return the named user, who must be enabled and not the person. Raises Problem 404 or 422."""
    other = view.directory.find_user(name_or_id)
    if other is None or not other.enabled:
        raise errors.not_found("User not found.")
    if other.id == person.user.id:
        raise errors.invalid_body("/deputy: must be a different person.")
    return other


def _period(requested_deputy: RequestedDeputy, now: int) -> tuple[int, int]:
    """Return the period in milliseconds. Raises errors.Problem 422."""
    begins = _parse_time("from", requested_deputy.begins)
    ends = _parse_time("to", requested_deputy.ends)
    if ends <= now or ends <= begins:
        raise errors.invalid_body("/to: must be in the future and after `from`.")
    if ends > now + MAX_DURATION_MS:
        raise errors.invalid_body("/to: must be within 366 days.")
    return begins, ends


def _parse_time(name: str, text: str) -> int:
    problem = errors.invalid_body(f"/{name}: must be a time such as 2026-12-24T08:00:00Z.")
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):  # not a time, or not within the years 1 to 9999
        raise problem from None
    if moment.tzinfo is None:
        raise problem
    return round(utc.timestamp() * 1000)


def _check_limit(view: View, person: Person, other: User, begins: int, ends: int) -> None:
    """Raise errors.Problem 409 if the limit is reached, or the deputy has an overlapping period."""
    deputies = view.deputies.of_user(person.user.id, view.now)
    if len(deputies) >= MAX_DEPUTIES:
        raise errors.Problem(
            409, "conflict", f"You can have at most {MAX_DEPUTIES} deputies. Remove one first."
        )
    if any(
        deputy.deputy_id == other.id and deputy.from_at < ends and begins < deputy.to_at
        for deputy in deputies
    ):
        raise errors.Problem(
            409, "conflict", "This person is already your deputy during that time."
        )


def _with_names(view: View, deputy: Deputy) -> NamedDeputy:
    user_name, deputy_name = name_of(view, deputy.user_id), name_of(view, deputy.deputy_id)
    return NamedDeputy(deputy, user_name, deputy_name)


def _record(tx: Unit, kind: audit.Type, deputy: Deputy, by: str, **facts: str) -> None:
    """Write the audit entry, and notify both users."""
    tx.audit.add(
        Entry(
            type=kind,
            actor=by,
            subject=deputy.user_id,
            facts={
                "deputy": deputy.id,
                "who": deputy.deputy_id,
                "from": deputy.from_at,
                "to": deputy.to_at,
                **facts,
            },
        ),
    )
    for user_id in (deputy.user_id, deputy.deputy_id):
        tx.feed.add(user_id, str(kind))
