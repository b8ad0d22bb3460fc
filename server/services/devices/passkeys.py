"""Passkeys: made with an enrolment code, and what a browser signs in with.

Owns: both ceremonies. Never: what a passkey's word is worth, or who is signed in now.

A passkey is a device of the kind `browser`. Like a terminal it comes with a one-time code: of
whoever runs the server, or of another device of the same person.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.devices import (
    BROWSER,
    PASSKEY,
    Device,
    EnrolmentCode,
    MadePasskey,
    Passkey,
    Session,
)
from server.model.ports import Authenticators, BadToken, Secrets
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import errors
from server.protocol.devices import passkeys
from server.protocol.devices.passkeys import Assertion
from server.protocol.names import PREFIX_DEVICE, PREFIX_SESSION
from server.protocol.text import check_name
from server.services.audit import audit
from server.services.devices import devices, enrolment, new_devices, passkey_counters
from server.services.devices.browsers import Browsers
from server.services.notifications import notices
from server.services.server_policy import ServerPolicy
from server.services.users import device_auth

CHALLENGE_MS: Final = 5 * 60 * 1000
"""How long a browser may take to sign in."""
_FOR_EVER_MS: Final = 100 * 365 * 24 * 60 * 60 * 1000
"""A passkey does not idle away: it can sign in whenever it likes."""
_MOST_DIGITS: Final = 15
_USED: Final = "passkey sign-in"
_NO_PASSKEY: Final = "That was no passkey of this site. Try again."
_UNKNOWN: Final = "This passkey is not known here, or was removed. Make one with a new code."


@dataclass(frozen=True, slots=True)
class PasskeyChallenge:
    """What a browser signs to sign in: a text of ours that counts once, for five minutes."""

    text: str
    challenge: bytes


@dataclass(frozen=True, slots=True)
class Attested:
    """What a browser says of a passkey that it has just made."""

    name: str
    """What its person calls it."""
    attestation: bytes
    client_data: bytes


@dataclass(frozen=True, slots=True)
class PasskeyService:
    """Makes passkeys devices, and signs browsers in with them."""

    store: Store
    secrets: Secrets
    authenticators: Authenticators
    browsers: Browsers
    rules: ServerPolicy

    def prepare(self, typed: str, *, peer: str) -> dict[str, object]:
        """What a browser is told to make a passkey. The code is looked at and not used.

        Raises errors.Problem when it does not count.
        """
        with self.store.write() as tx:
            code = self._code(tx, typed, peer)
            found = code if isinstance(code, errors.Problem) else self._options(tx, code)
        if isinstance(found, errors.Problem):
            raise found
        return found

    def register(self, typed: str, made: Attested, *, peer: str) -> tuple[Device, str]:
        """Make a passkey a device; it, and the cookie of its browser. Raises errors.Problem.

        1. The code counts.  2. The passkey was made for this very code, here, by a person whom the
        authenticator verified.  3. The code is used up.  4. It waits a day before it decides at
        high risk, as a terminal does.
        """
        name = _checked_name(made.name)
        with self.store.write() as tx:
            code = self._code(tx, typed, peer)
            done: tuple[Device, str] | errors.Problem
            if isinstance(code, errors.Problem):
                done = code
            else:
                device = self._enrol(tx, code, name, self._made(code, made))
                done = device, self.browsers.enter(tx, device)
        if isinstance(done, errors.Problem):
            raise done
        return done

    def offer(self) -> PasskeyChallenge:
        """What a browser signs to sign in; nobody has to say who they are."""
        with self.store.read() as view:
            text = self._offered(self.secrets.salt(), view.now + CHALLENGE_MS)
        return PasskeyChallenge(text, passkeys.challenge(text.encode()))

    def sign_in(self, word: str) -> tuple[User, str]:
        """Who signed an offer of ours; and the cookie of their browser. Raises errors.Problem."""
        said = read(word)
        with self.store.write() as tx:
            user, device = self.proved(tx, said)
            return user, self.browsers.enter(tx, device)

    def proved(self, tx: Unit, said: Assertion) -> tuple[User, Device]:
        """Whose passkey signed an offer of ours, and which it is. Raises errors.Problem.

        1. The offer is ours and in time.  2. A passkey that is known here has signed it, and its
        count went up.  3. It is used for the first time, and device and user are in force, in one
        unit of work.
        """
        self._check_offer(tx, said)
        passkey, device, user = _holder(tx, said)
        try:
            passkey_counters.verify(tx, self.authenticators, device, passkey, said)
        except BadToken as error:
            raise errors.Problem(422, "invalid_passkey", _NO_PASSKEY, log=str(error)) from error
        if not tx.replays.first_use(_USED, said.payload, tx.now + CHALLENGE_MS):
            raise errors.Problem(422, "invalid_passkey", "This was used before. Try again.")
        return user, device

    def _code(self, tx: Unit, typed: str, peer: str) -> EnrolmentCode | errors.Problem:
        """The code if it counts; what is refused is raised when this unit of work is stored."""
        try:
            code_id, secret = enrolment.normalise(typed)
        except enrolment.BadCode as error:
            return _refused(errors.InvalidGrant(str(error)))
        code = enrolment.known(tx, code_id, peer=peer)
        if isinstance(code, errors.ProtocolError):
            return _refused(code)
        bad = enrolment.judged(tx, self.secrets, code, secret)
        return code if bad is None else _refused(bad)

    def _options(self, tx: Unit, code: EnrolmentCode) -> dict[str, object]:
        user = _user(tx, code)
        return passkeys.creation_options(
            rp_id=self.rules.rp_id,
            user=(user.id, user.name),
            challenge_text=self._for_making(code),
            known=[one.credential for one in tx.passkeys.of_user(user.id)],
        )

    def _for_making(self, code: EnrolmentCode) -> str:
        return self.secrets.nonce("passkey", code.id)

    def _made(self, code: EnrolmentCode, made: Attested) -> MadePasskey:
        challenge = passkeys.challenge(self._for_making(code).encode())
        try:
            return self.authenticators.made(made.attestation, made.client_data, challenge)
        except BadToken as error:
            raise errors.Problem(422, "invalid_passkey", _NO_PASSKEY, log=str(error)) from error

    def _enrol(self, tx: Unit, code: EnrolmentCode, name: str, made: MadePasskey) -> Device:
        tx.lock(f"devices {code.user_id}")
        if tx.passkeys.by_credential(made.credential) is not None:
            raise errors.Problem(409, "already_enrolled", "This passkey is a device already.")
        if tx.devices.active_count(code.user_id, tx.now) >= devices.MOST_DEVICES:
            raise errors.Problem(409, "too_many_devices", "Revoke a device first.")
        if not enrolment.use(tx, code):
            raise _refused(errors.InvalidGrant(enrolment.REFUSED))
        session = self._session(tx, code)
        device = self._device(tx, session, name, made)
        tx.sessions.add(session)
        tx.devices.add(device)
        tx.sessions.bind(session.id, device.id, session.expires_at)
        tx.passkeys.add(
            Passkey(device.id, made.credential, made.public_key, made.signs, made.synced)
        )
        _record(tx, device, made)
        notices.device(tx, device.user_id, "device.enrolled", device.id)
        return device

    def _session(self, tx: Unit, code: EnrolmentCode) -> Session:
        """What stands for a passkey where others have a terminal's session; it has no tokens."""
        return Session(
            id=self.secrets.new_id(PREFIX_SESSION),
            user_id=code.user_id,
            code_id=code.id,
            jkt="",
            public_jwk={},
            refresh_hash=self.secrets.salt().encode(),
            previous_hash=None,
            rotated_at=tx.now,
            created_at=tx.now,
            expires_at=tx.now + _FOR_EVER_MS,
            revoked_at=None,
            device_id=None,
        )

    def _device(self, tx: Unit, session: Session, name: str, made: MadePasskey) -> Device:
        return Device(
            id=self.secrets.new_id(PREFIX_DEVICE),
            user_id=session.user_id,
            session_id=session.id,
            name=name,
            kind=BROWSER,
            state="active",
            created_at=tx.now,
            last_seen_at=tx.now,
            high_from=new_devices.high_from(tx, session.user_id),
            keys={},
            kids={PASSKEY: passkeys.encoded(made.credential)},
            pin_tries=0,
            pin_calls=0,
            pin_unconfirmed=0,
            pin_epoch=1,
            pin_for=None,
            pin_for_at=None,
            statements=0,
        )

    def _offered(self, salt: str, until: int) -> str:
        return f"{salt}.{until}.{self.secrets.nonce(_USED, salt, str(until))}"

    def _check_offer(self, view: View, said: Assertion) -> None:
        salt, _, rest = said.payload.decode("latin-1").partition(".")
        until = rest.partition(".")[0]
        ours = until.isdecimal() and until.isascii() and len(until) <= _MOST_DIGITS
        expected = self._offered(salt, int(until)) if ours else ""
        if not hmac.compare_digest(expected.encode(), said.payload):
            raise errors.Problem(422, "invalid_passkey", _NO_PASSKEY)
        if view.now >= int(until):
            raise errors.Problem(422, "invalid_passkey", "That took too long. Try again.")


def _checked_name(name: str) -> str:
    try:
        return check_name(name, what="device name")
    except ValueError as error:
        raise errors.Problem(422, "invalid_body", str(error)) from error


def read(word: str) -> Assertion:
    """What a browser sent of its passkey. Raises errors.Problem."""
    try:
        return passkeys.read_assertion(word)
    except ValueError as error:
        raise errors.Problem(422, "invalid_passkey", _NO_PASSKEY, log=str(error)) from error


def _user(view: View, code: EnrolmentCode) -> User:
    user = view.directory.user(code.user_id)
    assert user is not None  # noqa: S101  # `judged` has seen this user in the same unit of work
    return user


def _holder(view: View, said: Assertion) -> tuple[Passkey, Device, User]:
    """The passkey, its device and its person, all in force."""
    passkey = view.passkeys.by_credential(said.credential)
    device = None if passkey is None else view.devices.get(passkey.device_id)
    user = None if device is None else view.directory.user(device.user_id)
    if passkey is None or device is None or device.state != "active":
        raise errors.Problem(403, "unknown_passkey", _UNKNOWN)
    if user is None or not user.enabled:
        raise device_auth.stopped_user()
    return passkey, device, user


def _refused(error: errors.ProtocolError) -> errors.Problem:
    """What is wrong with a code, in the words of the JSON API."""
    if isinstance(error, errors.TemporarilyUnavailable):
        return errors.Problem(503, "unavailable", error.description, headers=error.headers)
    return errors.Problem(403, "invalid_code", error.description)


def _record(tx: Unit, device: Device, made: MadePasskey) -> None:
    """With the public key, by which the log alone shows what this device signed later."""
    audit.record(
        tx,
        Entry(
            type=audit.Type.DEVICE_ENROLLED,
            actor=audit.by_user(device.user_id),
            subject=device.user_id,
            facts={
                "device": device.id,
                "name": device.name,
                "kind": device.kind,
                "kids": dict(device.kids),
                "public_key": passkeys.encoded(made.public_key),
                "synced": made.synced,
            },
        ),
    )
