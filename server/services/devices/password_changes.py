"""A person sets their own password with their device."""

from dataclasses import dataclass

from server.model.ports import PasswordHasher
from server.model.store import Store
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.users import passwords as rules
from server.services.audit import audit
from server.services.devices.statements import Statements
from server.services.users import device_auth, passwords
from server.services.users.device_auth import Person


@dataclass(frozen=True, slots=True)
class PasswordChanges:
    """Sets a person's own password, signed with the high-risk key and PIN or the passkey."""

    store: Store
    hasher: PasswordHasher
    statements: Statements

    def is_set(self, person: Person) -> bool:
        """Return whether this person has a password for apps."""
        with self.store.read() as view:
            device_auth.current_device(view, person)
            return view.passwords.get(person.user.id) is not None

    def set(self, person: Person, raw: str, jws: str) -> int:
        """Set a new password; return how many browsers were signed out.

        Rules, in order: 1. The password is valid. 2. The device signed for it; only then is it
        hashed, which is slow. 3. The signature is checked again and used up. The signed digest
        includes a nonce, so that it does not reveal the password. Raises errors.Problem or `Busy`.
        """
        try:
            password = rules.check(raw)
        except ValueError as error:
            raise errors.invalid_body(f"{error}.") from None
        with self.store.write() as tx:
            self.statements.check_own(tx, person, jws, decisions.PASSWORD, raw)
        hashed = self.hasher.hash(password)
        with self.store.write() as tx:
            device = self.statements.check_own(tx, person, jws, decisions.PASSWORD, raw)
            self.statements.spend(tx, device)
            by = audit.by_user(person.user.id)
            return passwords.put(tx, person.user.id, hashed, by, device=device.id)
