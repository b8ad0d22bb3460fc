"""Passkeys: registration with an enrollment code, and sign-in of browsers.

Owns: both ceremonies. Never: deciding what an assertion allows, or who is signed in.

A passkey is a device of the kind `browser`. Like a terminal, it needs a one-time code, which an
administrator or another device of the person creates.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from server.model.devices import (
    BROWSER,
    PASSKEY,
    CreatedPasskey,
    Device,
    EnrollmentCode,
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
from server.services.audit import audit
from server.services.devices import devices, enrollment, new_devices, signatures
from server.services.devices.browsers import Browsers
from server.services.server_policy import ServerPolicy
from server.services.users import device_auth

CHALLENGE_MS: Final = 5 * 60 * 1000
"""How long a browser may take to sign in."""
_NEVER_MS: Final = 100 * 365 * 24 * 60 * 60 * 1000
"""Stands for "never": a passkey does not expire."""
_MAX_DIGITS: Final = 15
_USED: Final = "passkey sign-in"
_NO_PASSKEY: Final = "That is not a valid passkey for this site. Try again."
UNKNOWN: Final = "This passkey is unknown or was removed. Create one with a new code."


@dataclass(frozen=True, slots=True)
class PasskeyChallenge:
    """A sign-in challenge: a string that is valid once, for five minutes."""

    text: str
    challenge: bytes


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """The data that a browser sends after it created a passkey."""

    name: str
    """The name that the person chose."""
    attestation: bytes
    client_data: bytes


@dataclass(frozen=True, slots=True)
class PasskeyService:
    """Registers passkeys as devices, and signs browsers in with them."""

    store: Store
    secrets: Secrets
    authenticators: Authenticators
    browsers: Browsers
    server_policy: ServerPolicy

    def prepare(self, typed: str, *, peer: str) -> dict[str, object]:
        """Return the options to create a passkey. The code stays unused. Raises errors.Problem."""
        with self.store.write() as tx:
            code = self._code(tx, typed, peer)
            if not isinstance(code, errors.ProtocolError):
                return self._options(tx, code)
        raise _to_problem(code)

    def register(self, typed: str, passkey: NewPasskey, *, peer: str) -> tuple[Device, str]:
        """Register a passkey as a device; return it and its browser's cookie.

        Rules, in order: 1. The code is valid. 2. The passkey was created for this code, on this
        site, with user verification. 3. The code is used up. 4. As with a terminal, a new device
        cannot approve high-risk requests for a day, unless it is the user's first. Raises
        errors.Problem.
        """
        name = devices.check_name(passkey.name)
        with self.store.write() as tx:
            code = self._code(tx, typed, peer)
            if not isinstance(code, errors.ProtocolError):
                device = self._enroll(tx, code, name, self._created_passkey(code, passkey))
                return device, self.browsers.sign_in(tx, device)
        raise _to_problem(code)

    def create_challenge(self) -> PasskeyChallenge:
        """Return a sign-in challenge; a user name is not needed."""
        with self.store.read() as view:
            text = self._challenge_text(self.secrets.salt(), view.now + CHALLENGE_MS)
        return PasskeyChallenge(text, passkeys.challenge(text.encode()))

    def sign_in(self, text: str) -> tuple[User, str]:
        """Sign in the user of the passkey; return them and the cookie. Raises errors.Problem."""
        assertion = parse_assertion(text)
        with self.store.write() as tx:
            user, device = self.verify(tx, assertion)
            return user, self.browsers.sign_in(tx, device)

    def verify(self, tx: Unit, assertion: Assertion) -> tuple[User, Device]:
        """Verify an assertion of our challenge; return its user and device. Raises errors.Problem.

        Checks, in order, that: 1. the challenge is ours and has not expired; 2. the passkey is
        known, and its device and user are active; 3. it signed the challenge, and its counter is
        valid; 4. the challenge is used for the first time.
        """
        self._check_challenge(tx, assertion)
        passkey, device, user = _holder(tx, assertion)
        try:
            signatures.verify_assertion(tx, self.authenticators, device, passkey, assertion)
        except BadToken as error:
            raise errors.Problem(422, "invalid_passkey", _NO_PASSKEY, log=str(error)) from error
        if not tx.replays.first_use(_USED, assertion.payload, tx.now + CHALLENGE_MS):
            raise errors.Problem(
                422, "invalid_passkey", "This sign-in was already used. Try again."
            )
        return user, device

    def _code(self, tx: Unit, typed: str, peer: str) -> EnrollmentCode | errors.ProtocolError:
        """Return the code if it is valid, or an error to raise after the unit of work is stored."""
        try:
            code_id, secret = enrollment.split_code(typed)
        except enrollment.BadCode as error:
            return errors.InvalidGrant(str(error))
        code = enrollment.find_code(tx, code_id, peer=peer)
        if isinstance(code, errors.ProtocolError):
            return code
        return enrollment.check_secret(tx, self.secrets, code, secret) or code

    def _options(self, tx: Unit, code: EnrollmentCode) -> dict[str, object]:
        user = device_auth.enabled_user(tx, code.user_id)
        return passkeys.creation_options(
            rp_id=self.server_policy.rp_id,
            user=(user.id, user.name),
            challenge_text=self._registration_challenge(code),
            known=[passkey.credential for passkey in tx.passkeys.of_user(user.id)],
        )

    def _registration_challenge(self, code: EnrollmentCode) -> str:
        return self.secrets.nonce("passkey", code.id)

    def _created_passkey(self, code: EnrollmentCode, passkey: NewPasskey) -> CreatedPasskey:
        challenge = passkeys.challenge(self._registration_challenge(code).encode())
        try:
            return self.authenticators.verify_registration(
                passkey.attestation, passkey.client_data, challenge
            )
        except BadToken as error:
            raise errors.Problem(422, "invalid_passkey", _NO_PASSKEY, log=str(error)) from error

    def _enroll(self, tx: Unit, code: EnrollmentCode, name: str, passkey: CreatedPasskey) -> Device:
        tx.lock(f"devices {code.user_id}")
        if tx.passkeys.by_credential(passkey.credential) is not None:
            raise errors.Problem(409, "already_enrolled", "This passkey is already registered.")
        devices.refuse_too_many(tx, code.user_id)
        if not enrollment.use_code(tx, code):
            raise _to_problem(errors.InvalidGrant(enrollment.REFUSED))
        session = self._session(tx, code)
        device = self._device(tx, session, name, passkey)
        tx.sessions.add(session)
        tx.devices.add(device)
        tx.sessions.bind(session.id, device.id, session.expires_at)
        tx.passkeys.add(
            Passkey(
                device.id, passkey.credential, passkey.public_key, passkey.signs, passkey.synced
            )
        )
        devices.announce(
            tx,
            audit.Type.DEVICE_ENROLLED,
            device,
            kind=device.kind,
            kids=dict(device.kids),
            # Readers of the audit log verify later signatures with this key.
            public_key=passkeys.encode_base64url(passkey.public_key),
            synced=passkey.synced,
        )
        return device

    def _session(self, tx: Unit, code: EnrollmentCode) -> Session:
        """Create a session without tokens, because every device has a session."""
        return Session(
            id=self.secrets.new_id(PREFIX_SESSION),
            user_id=code.user_id,
            code_id=code.id,
            jkt="",
            public_jwk={},
            refresh_hash=self.secrets.salt().encode(),
            rotated_at=tx.now,
            created_at=tx.now,
            expires_at=tx.now + _NEVER_MS,
        )

    def _device(self, tx: Unit, session: Session, name: str, passkey: CreatedPasskey) -> Device:
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
            kids={PASSKEY: passkeys.encode_base64url(passkey.credential)},
        )

    def _challenge_text(self, salt: str, until: int) -> str:
        return f"{salt}.{until}.{self.secrets.nonce(_USED, salt, str(until))}"

    def _check_challenge(self, view: View, assertion: Assertion) -> None:
        salt, _, rest = assertion.payload.decode("latin-1").partition(".")
        until = rest.partition(".")[0]
        is_well_formed = until.isdecimal() and until.isascii() and len(until) <= _MAX_DIGITS
        expected = self._challenge_text(salt, int(until)) if is_well_formed else ""
        if not hmac.compare_digest(expected.encode(), assertion.payload):
            raise errors.Problem(422, "invalid_passkey", _NO_PASSKEY)
        if view.now >= int(until):
            raise errors.Problem(422, "invalid_passkey", "That took too long. Try again.")


def parse_assertion(text: str) -> Assertion:
    """Parse a passkey assertion. Raises errors.Problem."""
    try:
        return passkeys.read_assertion(text)
    except ValueError as error:
        raise errors.Problem(422, "invalid_passkey", _NO_PASSKEY, log=str(error)) from error


def _holder(view: View, assertion: Assertion) -> tuple[Passkey, Device, User]:
    """Return the passkey with its device and user, all active."""
    passkey = view.passkeys.by_credential(assertion.credential)
    device = None if passkey is None else view.devices.get(passkey.device_id)
    if passkey is None or device is None or device.state != "active":
        raise errors.Problem(403, "unknown_passkey", UNKNOWN)
    return passkey, device, device_auth.enabled_user(view, device.user_id)


def _to_problem(error: errors.ProtocolError) -> errors.Problem:
    """Convert an error about a code to an error of the JSON API."""
    if isinstance(error, errors.TemporarilyUnavailable):
        return errors.Problem(503, "unavailable", error.description, headers=error.headers)
    return errors.Problem(403, "invalid_code", error.description)
