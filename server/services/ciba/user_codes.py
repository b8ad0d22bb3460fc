"""User codes: people set a code on their device, and agents that support codes must send it.

A code keeps out agents that did not get it from the person, who still answers each request.
Attempts are counted per agent and person, so one agent's guesses do not lock out another.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.clients import Agent
from server.model.operations import CountedLimit
from server.model.ports import PasswordHasher, Secrets
from server.model.store import Store, Unit
from server.model.users import User
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.ciba import user_codes
from server.protocol.users import passwords
from server.services.audit import audit
from server.services.devices.statements import Statements
from server.services.users import device_auth
from server.services.users.device_auth import Person

WRONG: Final = CountedLimit(
    "wrong_user_codes",
    "agent and person",
    "Wrong user codes of an agent",
    5,
    30 * 60 * 1000,
    "user code:",
)
CHANGES: Final = 20
"""The maximum number of changes per hour; each new code is compared with the password."""
CHANGES_WINDOW_MS: Final = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class UserCodes:
    """Sets and removes a person's user code."""

    store: Store
    secrets: Secrets
    statements: Statements
    hasher: PasswordHasher

    def is_set(self, person: Person) -> bool:
        """Return whether this person has a user code."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            return tx.user_codes.get(person.user.id) is not None

    def set(self, person: Person, code: str, jws: str) -> None:
        """Set a new user code.

        Rules, in order: 1. The code is valid. 2. The device signed for it; only then is it compared
        with the person's password, which is slow (CIBA 7.1.2). The result would reveal the
        password, so changes are counted first. 3. The signature is checked again and marked as
        used. Raises errors.Problem or `Busy`.
        """
        checked = user_codes.check_new(code)
        with self.store.write() as tx:
            self.statements.check_own(tx, person, jws, decisions.USER_CODE, code)
            password = tx.passwords.get(person.user.id)
            key = f"user code set:{person.user.id}"
            is_limited = password and tx.counters.count(key, CHANGES_WINDOW_MS) > CHANGES
        if is_limited:
            raise errors.Problem(
                429, "too_many_codes", "You changed your user code too often. Wait an hour."
            )
        if password is not None and self.hasher.verify(passwords.normalize(code), password.hash):
            raise errors.invalid_body("A user code must not be your password.")
        with self.store.write() as tx:
            device = self.statements.check_own(tx, person, jws, decisions.USER_CODE, code)
            self.statements.spend(tx, device)
            code_hash = self.secrets.user_code_hash(person.user.id, checked)
            tx.user_codes.put(person.user.id, code_hash, tx.now)
            _record(tx, audit.Type.USER_CODE_SET, person)

    def clear(self, person: Person, jws: str) -> None:
        """Remove the user code; a second call changes nothing. Raises errors.Problem."""
        with self.store.write() as tx:
            device = self.statements.check_own(tx, person, jws, decisions.USER_CODE, "")
            self.statements.spend(tx, device)
            if tx.user_codes.drop(person.user.id):
                _record(tx, audit.Type.USER_CODE_CLEARED, person)


def refusal(
    tx: Unit, secrets: Secrets, agent: Agent, user: User, sent: str | None
) -> errors.ProtocolError | None:
    """Return the error if the agent does not send the right code (CIBA 13).

    Returns None if the agent does not support codes, the person has none, or the code is right.
    """
    expected_hash = tx.user_codes.get(user.id) if agent.takes_user_code else None
    if expected_hash is None:
        return None
    if sent is None:
        return errors.MissingUserCode("This person requires a user code. Ask them for it.")
    counter_key = f"{agent.id}:{user.id}"
    if tx.counters.peek_subject(WRONG, counter_key) >= WRONG.value:
        return errors.InvalidUserCode("Too many wrong user codes. Ask again in half an hour.")
    sent_hash = secrets.user_code_hash(user.id, user_codes.normalize(sent))
    if hmac.compare_digest(sent_hash, expected_hash):
        return None
    tx.counters.count_subject(WRONG, counter_key)
    return errors.InvalidUserCode("The user code is wrong.")


def _record(tx: Unit, kind: audit.Type, person: Person) -> None:
    tx.audit.add(
        Entry(
            type=kind,
            actor=audit.by_user(person.user.id),
            subject=person.user.id,
            facts={"device": person.registered_device.id},
        ),
    )
