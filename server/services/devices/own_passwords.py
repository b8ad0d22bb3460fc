"""A person sets their own password at a device of theirs."""

from dataclasses import dataclass

from server.model.devices import Device
from server.model.ports import PasswordHasher
from server.model.store import Store, Unit
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.users import passwords as rules
from server.services.audit import audit
from server.services.devices.statements import Statements
from server.services.users import device_auth, passwords
from server.services.users.device_auth import Person


@dataclass(frozen=True, slots=True)
class OwnPasswords:
    """A person sets their own. It opens a way in, so it takes the high key and the PIN."""

    store: Store
    hasher: PasswordHasher
    statements: Statements

    def is_set(self, person: Person) -> bool:
        """Reports whether this person can sign in to apps."""
        with self.store.read() as view:
            device_auth.current_device(view, person)
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
            return passwords.put(tx, person.user.id, hashed, by, device=device.id)

    def _check(self, tx: Unit, person: Person, raw: str, jws: str) -> Device:
        device = device_auth.current_device(tx, person)
        subject = decisions.digest(f"{self.statements.nonce(device, device)}\n{raw}")
        purpose = decisions.PASSWORD
        self.statements.check_with_pin(tx, jws, device, purpose=purpose, subject=subject)
        return device
