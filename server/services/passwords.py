"""Setting passwords: by an administrator, or by their owner at a device of theirs.

Who types one into a page is `sign_ins.py`'s affair.
"""

from dataclasses import dataclass

from server.protocol import decisions, errors
from server.protocol import passwords as rules
from server.services import audit, people, users
from server.services.families import end_of_sign_ins
from server.services.people import Person
from server.services.people_records import Password
from server.services.ports import PasswordHasher, Store, Unit
from server.services.records import Device, Entry, User
from server.services.refusals import Conflict, Invalid
from server.services.statements import Statements


@dataclass(frozen=True, slots=True)
class Passwords:
    """Sets and takes away. There is no default, and nobody has one until it was set."""

    store: Store
    hasher: PasswordHasher

    def set(self, called: str, raw: str, *, by: str) -> User:
        """Give a user this password; browsers that were signed in are signed out.

        Raises `NotFound`, or `Invalid` for what may not be a password.
        """
        try:
            password = rules.check(raw)
        except ValueError as error:
            raise Invalid(f"{error}.") from None
        with self.store.read() as view:
            users.find(view, called)
        hashed = self.hasher.hash(password)
        with self.store.write() as tx:
            user = users.find(tx, called)
            _put(tx, user.id, hashed, by)
            return user

    def remove(self, called: str, *, by: str) -> User:
        """Take it away; nobody signs in as this user then. Raises `NotFound` or `Conflict`."""
        with self.store.write() as tx:
            user = users.find(tx, called)
            if not tx.passwords.remove(user.id):
                raise Conflict(f"{user.name} has no password.")
            facts = {"sign_ins_ended": end_of_sign_ins(tx, user.id)}
            audit.record(tx, Entry(audit.Type.PASSWORD_REMOVED, by, subject=user.id, facts=facts))
            return user


@dataclass(frozen=True, slots=True)
class OwnPasswords:
    """A person sets their own. It opens a way in, so it takes the high key and the PIN."""

    store: Store
    hasher: PasswordHasher
    statements: Statements

    def is_set(self, person: Person) -> bool:
        """Reports whether this person can sign in to apps."""
        with self.store.read() as view:
            people.current(view, person)
            return view.passwords.get(person.user.id) is not None

    def set(self, person: Person, raw: str, jws: str) -> int:
        """Have this password from now on; how many browsers were signed out with the old one.

        1. It may be one.  2. The device signed for this very one; only then is it hashed, which is
        slow.  3. The signature still stands when it counts, and counts once. Raises errors.Problem
        or `Busy`.

        What is signed is a digest over a nonce of ours, so it tells nobody a password.
        """
        try:
            password = rules.check(raw)
        except ValueError as error:
            raise errors.Problem(422, "invalid_body", f"{error}.") from None
        with self.store.write() as tx:
            self._check(tx, person, raw, jws)
        hashed = self.hasher.hash(password)
        with self.store.write() as tx:
            device = self._check(tx, person, raw, jws)
            self.statements.spend(tx, device)
            by = audit.by_user(person.user.id)
            return _put(tx, person.user.id, hashed, by, device=device.id)

    def _check(self, tx: Unit, person: Person, raw: str, jws: str) -> Device:
        device = people.current(tx, person)
        subject = decisions.digest(f"{self.statements.nonce(device, device)}\n{raw}")
        purpose = decisions.PASSWORD
        self.statements.check_with_pin(tx, jws, device, purpose=purpose, subject=subject)
        return device


def _put(tx: Unit, user_id: str, hashed: str, by: str, **facts: str) -> int:
    """Whoever was signed in with the old one is signed out; how many browsers those were."""
    tx.passwords.put(Password(user_id, hashed, tx.now))
    ended = end_of_sign_ins(tx, user_id)
    entry = Entry(
        audit.Type.PASSWORD_SET, by, subject=user_id, facts={"sign_ins_ended": ended, **facts}
    )
    audit.record(tx, entry)
    return ended
