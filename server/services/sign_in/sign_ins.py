"""Browsers' sign-ins to apps, with a password or a passkey, identified by a cookie.

The database stores the cookie's hash. Each sign-in changes the cookie, which prevents session
fixation. Sayso's own pages have their own cookie (`devices/browsers.py`), which is not valid here.
"""

from dataclasses import dataclass, replace
from typing import Final

from server.model.audit import Entry
from server.model.devices import Device
from server.model.ports import PasswordHasher, Secrets
from server.model.sign_in import SignIn
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import errors, names
from server.protocol.devices.passkeys import Assertion
from server.protocol.names import PREFIX_BROWSER, PREFIX_SIGN_IN, handle_hash
from server.protocol.users import passwords
from server.services.audit import audit, floods
from server.services.devices import passkeys
from server.services.devices.passkeys import PasskeyService
from server.services.sign_in import sign_in_attempts
from server.services.tokens import refresh_families

SIGNED_IN_MS: Final = 12 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in and its user."""

    sign_in: SignIn
    user: User


class WrongPassword(Exception):
    """The error does not reveal whether the name or the password was wrong."""

    def __init__(self) -> None:
        super().__init__("The name or password is wrong.")


@dataclass(frozen=True, slots=True)
class SignIns:
    """Signs browsers in and out."""

    store: Store
    secrets: Secrets
    hasher: PasswordHasher
    passkeys: PasskeyService

    def new_cookie(self) -> str:
        """Return a cookie for a browser that is not signed in."""
        return self.secrets.new_secret(PREFIX_BROWSER)

    def csrf(self, cookie: str) -> str:
        """Return the CSRF token for forms in this browser."""
        return self.secrets.nonce("csrf", handle_hash(cookie).hex())

    def sign_in(
        self, name: str, password: str, *, flow: bytes | None, peer: str, cookie: str = ""
    ) -> str:
        """Check name and password; return the browser's new cookie.

        The same user stays signed in with the new cookie; another user is signed out. Steps: 1.
        Name and address are within the attempt limits. 2. The attempt is counted before it is
        checked, which also limits parallel ones. 3. An unknown user takes as long to check and
        refuse as a known one. 4. User and password have not changed in between. Raises
        `TooManyAttempts`, `WrongPassword` or `Busy`.
        """
        name = passwords.normalize_name(name)
        with self.store.write() as tx:
            user = tx.directory.find_user(name)
            attempt = sign_in_attempts.of_account(user, name, peer)
            error = sign_in_attempts.count(tx, attempt)
            stored_password = tx.passwords.get("" if user is None else user.id)
        if error is not None:
            raise error
        stored_hash = None if stored_password is None else stored_password.hash
        is_correct = self.hasher.verify(passwords.normalize(password), stored_hash)
        with self.store.write() as tx:
            current_user = _check_user(tx, user, is_correct=is_correct, stored_hash=stored_hash)
            new_cookie = None
            if current_user is not None:
                sign_in_attempts.record_success(tx, attempt)
                tx.passwords.mark_used(current_user.id, tx.now)
                new_cookie = self._start(tx, current_user, flow, cookie=cookie, device_id=None)
            else:
                sign_in_attempts.record_failure(tx, attempt)
        if new_cookie is None:
            raise WrongPassword
        return new_cookie

    def sign_in_with_passkey(self, text: str, *, flow: bytes, peer: str, cookie: str = "") -> str:
        """Verify a passkey assertion; return the browser's new cookie.

        Rules, in order: 1. The attempt is counted before it is checked, per passkey and address. 2.
        The assertion is valid and new. 3. A failure is stored, and slows the next attempt. Raises
        `TooManyAttempts`, or errors.Problem.
        """
        assertion = passkeys.parse_assertion(text)
        attempt = sign_in_attempts.of_passkey(assertion.credential, peer)
        with self.store.write() as tx:
            error = sign_in_attempts.count(tx, attempt)
        if error is not None:
            raise error
        try:
            with self.store.write() as tx:
                user, device = self.passkeys.verify(tx, assertion)
                sign_in_attempts.record_success(tx, attempt)
                _lock_device(tx, device)
                return self._start(tx, user, flow, cookie=cookie, device_id=device.id)
        except errors.Problem:
            with self.store.write() as tx:
                sign_in_attempts.record_failure(tx, attempt)
                _record_failed_passkey(tx, assertion)
            raise

    def current(self, view: View, cookie: str) -> SignedIn | None:
        """Return the sign-in that this cookie identifies, if it is valid."""
        sign_in = view.sign_ins.by_token(handle_hash(cookie)) if cookie else None
        if sign_in is None or sign_in.ended_at is not None or view.now >= sign_in.expires_at:
            return None
        user = view.directory.user(sign_in.user_id)
        return None if user is None or not user.enabled else SignedIn(sign_in, user)

    def sign_out(self, cookie: str) -> None:
        """Sign the browser out, and revoke the tokens that apps obtained through it. Idempotent."""
        with self.store.write() as tx:
            signed_in = self.current(tx, cookie)
            if signed_in is not None:
                _end(tx, signed_in.sign_in, cause="signed out")

    def _start(
        self, tx: Unit, user: User, flow: bytes | None, *, cookie: str, device_id: str | None
    ) -> str:
        """Sign in an authenticated user; return the browser's new cookie.

        `device_id` is the device whose passkey they used; None for a password.
        """
        acr = names.ACR_PASSWORD if device_id is None else names.ACR_PASSKEY
        before, cookie = self.current(tx, cookie), self.new_cookie()
        sign_in = SignIn(
            id=self.secrets.new_id(PREFIX_SIGN_IN),
            token_hash=handle_hash(cookie),
            user_id=user.id,
            auth_time=tx.now,
            expires_at=tx.now + SIGNED_IN_MS,
            acr=acr,
            device_id=device_id,
        )
        if before is not None and before.user.id == user.id:
            sign_in = replace(sign_in, id=before.sign_in.id)
            tx.sign_ins.renew(sign_in)
        else:
            if before is not None:
                _end(tx, before.sign_in, cause="someone else signed in")
            tx.sign_ins.add(sign_in)
        if flow is not None:
            tx.flows.bind(flow, sign_in.id)
        _record(tx, audit.Type.SIGN_IN_DONE, sign_in, decision="signed in", posture=acr)
        return cookie


def _check_user(
    tx: Unit, user: User | None, *, is_correct: bool, stored_hash: str | None
) -> User | None:
    """Return the current user if they may sign in; otherwise record the failure."""
    current_user = None if user is None else tx.directory.user(user.id)
    password = tx.passwords.get("" if current_user is None else current_user.id)
    is_unchanged = password is not None and password.hash == stored_hash
    if current_user is not None and is_correct and is_unchanged and current_user.enabled:
        return current_user
    kind = audit.Type.SIGN_IN_FAILED
    if current_user is None:
        entry = Entry(kind, audit.SYSTEM, decision="refused", cause="no such account")
    else:
        by = audit.by_user(current_user.id)
        entry = Entry(kind, by, subject=current_user.id, decision="refused")
    floods.record_refusal(tx, entry)
    return None


def _lock_device(tx: Unit, device: Device) -> None:
    """Make a revocation of the device wait for this sign-in. Raises errors.Problem."""
    if tx.devices.lock_active(device.id) is None:
        raise errors.Problem(403, "unknown_passkey", passkeys.UNKNOWN)


def _record_failed_passkey(tx: Unit, assertion: Assertion) -> None:
    """Record a failure of a known passkey."""
    passkey = tx.passkeys.by_credential(assertion.credential)
    device = None if passkey is None else tx.devices.get(passkey.device_id)
    if device is not None:
        kind, actor = audit.Type.SIGN_IN_FAILED, audit.by_user(device.user_id)
        floods.record_refusal(tx, Entry(kind, actor, subject=device.user_id, decision="refused"))


def _end(tx: Unit, sign_in: SignIn, *, cause: str) -> None:
    refresh_families.end_sign_in(tx, sign_in.id)
    _record(tx, audit.Type.SIGN_IN_ENDED, sign_in, cause=cause)


def _record(tx: Unit, kind: audit.Type, sign_in: SignIn, **members: str) -> None:
    tx.audit.add(
        Entry(
            type=kind,
            actor=audit.by_user(sign_in.user_id),
            subject=sign_in.user_id,
            facts={"sign_in": sign_in.id},
            **members,
        ),
    )
