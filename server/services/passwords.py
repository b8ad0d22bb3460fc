"""Passwords as an administrator sets them. Who types one into a page is `sign_ins.py`'s affair."""

from dataclasses import dataclass

from server.protocol import passwords as rules
from server.services import audit, users
from server.services.families import end_of_sign_ins
from server.services.people_records import Password
from server.services.ports import PasswordHasher, Store
from server.services.records import Entry, User
from server.services.refusals import Conflict, Invalid


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
            tx.passwords.put(Password(user.id, hashed, tx.now))
            ended = end_of_sign_ins(tx, user.id)
            facts = {"sign_ins_ended": ended}
            audit.record(tx, Entry(audit.Type.PASSWORD_SET, by, subject=user.id, facts=facts))
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
