"""Deputies: a person names somebody who decides for them between two dates, when they are away.

It gives somebody power, so it takes the high key and the PIN; either of the two ends it with a
session. Both are told, and every answer says for whom it was given.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from server.model.approvers import Deputy
from server.model.audit import Entry
from server.model.devices import Device
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

LONGEST_MS: Final = 366 * 24 * 60 * 60 * 1000
MOST: Final = 5
"""So many at a time does one person name."""


@dataclass(frozen=True, slots=True)
class RequestedDeputy:
    """Whom a person wants as a deputy, as they wrote it; the times are RFC 3339."""

    deputy: str
    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class NamedDeputy:
    """A deputy with the names of both."""

    deputy: Deputy
    user_name: str
    deputy_name: str


@dataclass(frozen=True, slots=True)
class Deputies:
    """A person's own: those whom they named, and those for whom they decide."""

    store: Store
    secrets: Secrets
    statements: Statements
    stand_ins: Substitutes

    def of(self, person: Person) -> tuple[list[NamedDeputy], list[NamedDeputy]]:
        """Whom this person named, and for whom they decide or will."""
        with self.store.read() as view:
            device_auth.current_device(view, person)
            mine = view.deputies.of_user(person.user.id, view.now)
            others = view.deputies.of_deputy(person.user.id, view.now)
            return [_named(view, one) for one in mine], [_named(view, one) for one in others]

    def name(self, person: Person, wanted: RequestedDeputy, jws: str) -> NamedDeputy:
        """Let somebody decide for this person.

        1. The device signed for this very one, under the high key and after a PIN that named it.
        2. It is somebody else who is there, and there are not too many.  3. It ends after it
        begins, and neither too late nor in the past.  4. It counts once, and both are told.
        Raises errors.Problem.
        """
        with self.store.write() as tx:
            device = self._check(tx, person, wanted, jws)
            other = _other(tx, person, wanted.deputy)
            begins, ends = _times(wanted, tx.now)
            _check_room(tx, person, other, begins, ends)
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
            begin(tx, deputy, self.stand_ins)
            return _named(tx, deputy)

    def end(self, person: Person, deputy_id: str) -> None:
        """End it at once; the one who named them may, and the deputy. Raises errors.Problem 404."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            deputy = tx.deputies.get(deputy_id)
            both = () if deputy is None else (deputy.user_id, deputy.deputy_id)
            if deputy is None or person.user.id not in both or deputy.state == "over":
                raise errors.Problem(404, "not_found", "There is no such deputy of yours.")
            end(tx, deputy, by=audit.by_user(person.user.id))

    def _check(self, tx: Unit, person: Person, wanted: RequestedDeputy, jws: str) -> Device:
        device = device_auth.current_device(tx, person)
        nonce = self.statements.nonce(device, device)
        subject, purpose = signed_subject(nonce, wanted), decisions.DEPUTY
        self.statements.check_with_pin(tx, jws, device, purpose=purpose, subject=subject)
        return device


def signed_subject(nonce: str, wanted: RequestedDeputy) -> str:
    """What a device signs about a deputy: a digest over a nonce of ours and these very words."""
    return decisions.digest(f"{nonce}\n{wanted.deputy}\n{wanted.begins}\n{wanted.ends}")


@dataclass(frozen=True, slots=True)
class ManagedDeputies:
    """What an administrator sees of them, and ends."""

    store: Store

    def all(self) -> list[NamedDeputy]:
        """All that are not over, by their end."""
        with self.store.read() as view:
            return [_named(view, one) for one in view.deputies.live(view.now)]

    def end(self, deputy_id: str, *, by: str) -> NamedDeputy:
        """End one at once. Raises `NotFound`."""
        with self.store.write() as tx:
            deputy = tx.deputies.get(deputy_id)
            if deputy is None or deputy.state == "over":
                raise NotFound("There is no such deputy.")
            end(tx, deputy, by=by)
            return _named(tx, deputy)


def begin(tx: Unit, deputy: Deputy, stand_ins: Substitutes) -> bool:
    """Put open requests before a deputy whose time has come; reports whether it has now."""
    if not deputy.in_force(tx.now) or not tx.deputies.begin(deputy.id):
        return False
    for approval in tx.approvals.open_of_user(deputy.user_id):
        stand_ins.ask_deputies(tx, approval)
    return True


def end(tx: Unit, deputy: Deputy, *, by: str | None = None) -> bool:
    """End it, by the clock where nobody did; reports whether it ended now."""
    if not tx.deputies.end(deputy.id, revoked_at=None if by is None else tx.now):
        return False
    tx.deputies.leave(deputy.user_id, deputy.deputy_id)
    _record(tx, audit.Type.DEPUTY_ENDED, deputy, by or audit.SYSTEM)
    return True


def _other(tx: Unit, person: Person, called: str) -> User:
    """Somebody else who may decide. Raises errors.Problem 404 or 422."""
    other = tx.directory.user_called(called)
    if other is None or not other.enabled:
        raise errors.Problem(404, "not_found", "There is no such person.")
    if other.id == person.user.id:
        raise errors.Problem(422, "invalid_body", "/deputy: name somebody else than yourself.")
    return other


def _times(wanted: RequestedDeputy, now: int) -> tuple[int, int]:
    """When it begins and ends, in ms. Raises errors.Problem 422."""
    begins, ends = _moment("from", wanted.begins), _moment("to", wanted.ends)
    if ends <= now or ends <= begins:
        raise errors.Problem(422, "invalid_body", "/to: must be to come, and after its begin.")
    if ends > now + LONGEST_MS:
        raise errors.Problem(422, "invalid_body", "/to: must be within 366 days.")
    return begins, ends


def _moment(name: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise errors.Problem(
            422, "invalid_body", f"/{name}: write a time such as 2026-12-24T08:00:00Z."
        )
    return round(moment.astimezone(UTC).timestamp() * 1000)


def _check_room(tx: Unit, person: Person, other: User, begins: int, ends: int) -> None:
    """Raise errors.Problem 409 where there are too many, or this one is there already."""
    found = tx.deputies.of_user(person.user.id, tx.now)
    if len(found) >= MOST:
        raise errors.Problem(409, "conflict", f"You have {MOST} deputies. End one first.")
    if any(o.deputy_id == other.id and o.from_at < ends and begins < o.to_at for o in found):
        raise errors.Problem(409, "conflict", "This is your deputy then already. End that first.")


def _named(view: View, deputy: Deputy) -> NamedDeputy:
    user, other = view.directory.user(deputy.user_id), view.directory.user(deputy.deputy_id)
    return NamedDeputy(
        deputy,
        deputy.user_id if user is None else user.name,
        deputy.deputy_id if other is None else other.name,
    )


def _record(tx: Unit, kind: audit.Type, deputy: Deputy, by: str, **facts: str) -> None:
    """Write it down, and tell both."""
    audit.record(
        tx,
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
