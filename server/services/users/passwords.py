"""Sets passwords for signing in to apps.

`sign_ins.py` handles signing in with a password.
"""

from dataclasses import dataclass

from server.model.audit import Entry
from server.model.ports import PasswordHasher
from server.model.reactions import PasswordChanged
from server.model.store import Store, Unit
from server.model.users import Password, User
from server.protocol.users import passwords as rules
from server.services.audit import audit
from server.services.refusals import Conflict, valid
from server.services.users import user_checks


@dataclass(frozen=True, slots=True)
class Passwords:
    """Sets and removes passwords. A user has no password until one is set."""

    store: Store
    hasher: PasswordHasher

    def set(self, name_or_id: str, raw: str, *, by: str) -> User:
        """Set a user's password, which signs them out of every browser.

        Raises `NotFound`, or `Invalid` for an invalid password.
        """
        password = valid(rules.check, raw)
        with self.store.read() as view:
            user_checks.find(view, name_or_id)
        hashed = self.hasher.hash(password)
        with self.store.write() as tx:
            user = user_checks.find(tx, name_or_id)
            put(tx, user.id, hashed, by)
            return user

    def remove(self, name_or_id: str, *, by: str) -> User:
        """Remove the password, so that the user cannot sign in with one.

        Raises `NotFound` or `Conflict`.
        """
        with self.store.write() as tx:
            user = user_checks.find(tx, name_or_id)
            if not tx.passwords.remove(user.id):
                raise Conflict(f"{user.name} has no password.")
            facts = {"sign_ins_ended": tx.react(PasswordChanged(user.id)).sign_ins}
            tx.audit.add(Entry(audit.Type.PASSWORD_REMOVED, by, subject=user.id, facts=facts))
            return user


def put(tx: Unit, user_id: str, hashed: str, by: str, **facts: str) -> int:
    """Store a password, end the user's sign-ins in all browsers, and return the number of them."""
    tx.passwords.put(Password(user_id, hashed, tx.now))
    ended = tx.react(PasswordChanged(user_id)).sign_ins
    entry = Entry(
        audit.Type.PASSWORD_SET, by, subject=user_id, facts={"sign_ins_ended": ended, **facts}
    )
    tx.audit.add(entry)
    return ended
