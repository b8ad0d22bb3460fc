"""Devices: registration, PIN calls, and statements by one device about another.

The server stores public keys, an attempt counter and an epoch. It never stores PINs, or data
that would let someone test a PIN without a counted call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from server.model.approval_requests import FindForApprover
from server.model.audit import Entry
from server.model.devices import MAX_ATTEMPTS, Device
from server.model.ports import Secrets
from server.model.reactions import DeviceRevoked
from server.model.store import Store, Unit
from server.protocol import errors
from server.protocol.approvals import decisions
from server.protocol.names import PREFIX_DEVICE
from server.protocol.text import check_device_name
from server.services.audit import audit
from server.services.devices import new_devices
from server.services.devices.sessions import IDLE_MS
from server.services.devices.statements import Statements
from server.services.notifications import attention, notices
from server.services.users import device_auth, enrollment_codes
from server.services.users.device_auth import Person
from server.services.users.enrollment_codes import IssuedCode

MAX_UNCONFIRMED: Final = 50
MAX_DEVICES: Final = 20
_SESSION_PURPOSE: Final = "session"


@dataclass(frozen=True, slots=True)
class PinAnswer:
    """The server's half of a PIN: `y`, and the nonce that the device signs to prove success."""

    y: bytes
    nonce: str
    tries: int


@dataclass(frozen=True, slots=True)
class DeviceService:
    """Registers devices, answers PIN calls and accepts statements."""

    store: Store
    secrets: Secrets
    statements: Statements
    find_owned_approval: FindForApprover

    def register(self, person: Person, name: str, keys: Mapping[str, object]) -> Device:
        """Register this session's terminal with its approval keys. Raises errors.Problem.

        `new_devices` determines whether the device must wait a day to approve high-risk requests.
        A device that was approved on an older one does not wait, and keeps the name shown there.
        """
        approval_keys = _check_keys(keys)
        name = check_name(name)
        with self.store.write() as tx:
            tx.lock(f"devices {person.user.id}")
            session = device_auth.current_session(tx, person)
            if session.device_id is not None:
                raise errors.Problem(409, "already_enrolled", "This session already has a device.")
            if dict(session.public_jwk) in approval_keys.values():
                raise errors.invalid_body("The session key cannot be an approval key.")
            refuse_too_many(tx, person.user.id)
            if session.admitted_as not in {None, name}:
                raise errors.invalid_body(
                    f"/name: must be {session.admitted_as}, the name under which this device was "
                    "approved."
                )
            public = {"session": dict(session.public_jwk), **approval_keys}
            is_admitted = session.admitted_as is not None
            high_from = tx.now if is_admitted else new_devices.high_from(tx, person.user.id)
            device = self._device(tx, person, name, public, high_from)
            tx.devices.add(device)
            tx.sessions.bind(session.id, device.id, tx.now + IDLE_MS)
            keys = {"kids": dict(device.kids), "keys": dict(device.keys)}
            announce(tx, audit.Type.DEVICE_ENROLLED, device, **keys)
            return device

    def create_code(self, person: Person, jws: str) -> IssuedCode:
        """Create a one-time code for another device of this person. Raises errors.Problem.

        A code adds access, so the passkey, or the high-risk key after a PIN call for it, must sign.
        The new device has the usual waiting time of an additional device.
        """
        with self.store.write() as tx:
            device = self.statements.check_own(tx, person, jws, decisions.ENROLL)
            refuse_too_many(tx, person.user.id)
            self.statements.spend(tx, device)
            by = audit.by_user(person.user.id)
            return enrollment_codes.issue(tx, self.secrets, person.user, by=by)

    def rename(self, person: Person, device_id: str, name: str) -> Device:
        """Rename one of the person's devices. Raises errors.Problem."""
        name = check_name(name)
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            device = replace(_own_device(tx, person, device_id), name=name)
            tx.devices.rename(device.id, name)
            _record(tx, audit.Type.DEVICE_RENAMED, device)
            return device

    def list_own(self, person: Person) -> list[Device]:
        """Return the person's devices, including revoked ones."""
        with self.store.read() as view:
            return view.devices.of_user(person.registered_device.user_id)

    def answer_pin_call(self, person: Person, x: bytes, purpose: str) -> PinAnswer:
        """Answer a PIN call after it is counted and stored. Raises errors.Problem 423."""
        with self.store.write() as tx:
            purpose_id = self._pin_purpose(tx, person, purpose)
            device = device_auth.current_device(tx, person)
            updated = tx.devices.count_attempt(
                device.id, purpose_id, tx.now, max_attempts=MAX_ATTEMPTS, max_calls=MAX_UNCONFIRMED
            )
            if updated is None:
                raise _pin_refusal(device)
            device = updated
            if device.pin_tries >= MAX_ATTEMPTS:
                announce(tx, audit.Type.DEVICE_LOCKED, device)
        y = self.secrets.pin_answer(device.id, device.pin_epoch, x)
        return PinAnswer(y, self._pin_nonce(device), device.pin_tries)

    def confirm_pin(self, person: Person, jws: str) -> None:
        """Reset the attempts after a statement by the high-risk key, which proves the PIN.

        The low-risk key proves nothing: an unlocked app can use it without the PIN.
        """
        with self.store.write() as tx:
            device = device_auth.current_device(tx, person)
            nonce = self._pin_nonce(device)
            self.statements.check(
                tx, jws, device, ("high",), purpose="pin", subject=device.id, nonce=nonce
            )
            tx.devices.confirm(device.id, entered=True)

    def unlock(self, person: Person, device_id: str, jws: str) -> Device:
        """Unlock a device; another device of the same person signs this."""
        with self.store.write() as tx:
            device = self._check_statement(tx, person, device_id, jws, "unlock")
            tx.devices.unlock(device.id)
            announce(tx, audit.Type.DEVICE_UNLOCKED, device, by=person.registered_device.id)
            return tx.devices.get(device.id) or device

    def vouch(self, person: Person, device_id: str, jws: str) -> Device:
        """Let a new device approve high-risk requests now; an older device signs this."""
        with self.store.write() as tx:
            device = self._check_statement(tx, person, device_id, jws, "vouch")
            tx.devices.vouch(device.id, tx.now)
            announce(tx, audit.Type.DEVICE_VOUCHED, device, by=person.registered_device.id)
            return tx.devices.get(device.id) or device

    def revoke(self, person: Person, device_id: str) -> None:
        """Revoke one of the person's devices. This removes access, so any device may do it."""
        with self.store.write() as tx:
            device_auth.current_device(tx, person)
            device = _own_device(tx, person, device_id)
            revoke(tx, device, actor=audit.by_user(person.user.id))

    def _pin_nonce(self, device: Device) -> str:
        return self.secrets.nonce("pin", device.id, str(device.pin_calls))

    def _pin_purpose(self, tx: Unit, person: Person, purpose: str) -> str | None:
        if purpose == _SESSION_PURPOSE:
            return None
        if decisions.is_digest(purpose):
            return purpose
        if purpose.startswith(PREFIX_DEVICE):
            return _own_device(tx, person, purpose).id
        return self.find_owned_approval(tx, purpose, person.user.id).id

    def _check_statement(
        self, tx: Unit, person: Person, device_id: str, jws: str, purpose: str
    ) -> Device:
        device = _own_device(tx, person, device_id)
        signer = device_auth.current_device(tx, person)
        if signer.id == device.id:
            raise errors.Problem(
                403, "key_not_allowed", "Use a different one of your devices for this."
            )
        self.statements.check_with_pin(
            tx, jws, signer, purpose=purpose, subject=device.id, about=device
        )
        tx.devices.confirm(signer.id, entered=True)
        return device

    def _device(
        self,
        tx: Unit,
        person: Person,
        name: str,
        keys: Mapping[str, dict[str, str]],
        high_from: int,
    ) -> Device:
        return Device(
            id=self.secrets.new_id(PREFIX_DEVICE),
            user_id=person.user.id,
            session_id=person.session.id,
            name=name,
            kind="terminal",
            state="active",
            created_at=tx.now,
            last_seen_at=tx.now,
            high_from=high_from,
            keys=keys,
            kids={name: decisions.thumbprint(jwk) for name, jwk in keys.items()},
        )


def revoke(tx: Unit, device: Device, *, actor: str) -> bool:
    """Revoke a device, its session and its sign-ins to apps; return whether it was active.

    If someone else revokes it, all browsers of the person are notified, and the audit entry says
    whether it was the last device in use.
    """
    tx.lock(f"devices {device.user_id}")
    browsers = tx.pushes.targets(device.user_id)
    if not tx.devices.revoke(device.id):
        return False
    tx.sessions.revoke(device.session_id, tx.now)
    tx.react(DeviceRevoked(device.user_id, device.id))
    by_other = actor != audit.by_user(device.user_id)
    is_last = by_other and not new_devices.has_one_in_use(tx, device.user_id)
    for subscription_id, origin in browsers if by_other else ():
        attention.push(tx, origin, subscription_id, attention.ENDED)
    facts = {"device": device.id, **({"last": True} if is_last else {})}
    tx.audit.add(Entry(audit.Type.DEVICE_REVOKED, actor, subject=device.user_id, facts=facts))
    notices.device(tx, device.user_id, "device.revoked", device.id)
    return True


def enable(tx: Unit, device: Device, *, actor: str) -> None:
    """Enable a device disabled by a restore.

    Like a new device, it waits a day before it can approve high-risk requests. It may have been
    revoked after the backup was made; the restored database cannot tell.
    """
    tx.installation.release("devices", device.id)
    tx.devices.enable(device.id, tx.now + new_devices.WAIT_MS)
    facts = {"device": device.id, "name": device.name}
    tx.audit.add(Entry(audit.Type.DEVICE_ENABLED, actor, subject=device.user_id, facts=facts))


def refuse_too_many(tx: Unit, user_id: str) -> None:
    """Raise errors.Problem if the user cannot have another device."""
    if tx.devices.active_count(user_id, tx.now) >= MAX_DEVICES:
        raise errors.Problem(
            409, "too_many_devices", "You have the maximum number of devices. Revoke one first."
        )


def check_name(name: str) -> str:
    """Return a valid device name. Raises errors.Problem."""
    try:
        return check_device_name(name, what="device name")
    except ValueError as error:
        raise errors.invalid_body(str(error)) from error


def _own_device(tx: Unit, person: Person, device_id: str) -> Device:
    own_id = person.registered_device.id if device_id == "self" else device_id
    device = tx.devices.get(own_id)
    if device is None or device.user_id != person.user.id or device.state != "active":
        raise errors.not_found("Device not found.")
    return device


def _pin_refusal(device: Device) -> errors.Problem:
    if device.pin_unconfirmed >= MAX_UNCONFIRMED:
        return errors.Problem(
            423, "pin_exhausted", "This PIN was tried too often. Enroll the device with a new code."
        )
    return errors.Problem(
        423,
        "device_locked",
        "Ten wrong PINs. Unlock it from another device, or ask an administrator to.",
    )


def _check_keys(keys: Mapping[str, object]) -> dict[str, dict[str, str]]:
    try:
        approval_keys = {name: decisions.check_public_jwk(keys[name]) for name in ("low", "high")}
    except (KeyError, ValueError) as error:
        raise errors.invalid_body(
            "approval_keys must be two EC P-256 public keys.", log=str(error)
        ) from error
    if approval_keys["low"] == approval_keys["high"]:
        raise errors.invalid_body("The two approval keys must differ.")
    return approval_keys


def announce(tx: Unit, event: audit.Type, device: Device, **facts: object) -> None:
    """Record what a person did with their device, and update all of their screens."""
    _record(tx, event, device, **facts)
    notices.device(tx, device.user_id, str(event), device.id)


def _record(tx: Unit, event: audit.Type, device: Device, **facts: object) -> None:
    by, base_facts = audit.by_user(device.user_id), {"device": device.id, "name": device.name}
    tx.audit.add(Entry(event, by, subject=device.user_id, facts={**base_facts, **facts}))
