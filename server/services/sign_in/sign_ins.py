"""Who is signed in to apps in a browser, remembered by a cookie; and signing in by a password.

`passkey_sign_ins.py` has the other way.

The database keeps the cookie's hash. A cookie changes whenever somebody signs in, so one that was
planted before means nothing afterwards.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from server.model.audit import Entry
from server.model.ports import PasswordHasher, Secrets
from server.model.sign_in import SignIn
from server.model.store import Store, Unit, View
from server.model.users import User
from server.protocol import names
from server.protocol.names import PREFIX_BROWSER, PREFIX_SIGN_IN
from server.protocol.users import passwords
from server.services.audit import audit, floods
from server.services.sign_in import sign_in_tries
from server.services.sign_in.sign_in_tries import SignInAttempt
from server.services.tokens import refresh_families

SIGNED_IN_MS: Final = 12 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser and who is signed in there."""

    sign_in: SignIn
    user: User


class WrongPassword(Exception):
    """Which of the two was wrong is not said."""

    def __init__(self) -> None:
        super().__init__("Name and password do not fit together.")


@dataclass(frozen=True, slots=True)
class SignIns:
    """Signs browsers in and out."""

    store: Store
    secrets: Secrets
    hasher: PasswordHasher

    def new_cookie(self) -> str:
        """What a browser is told apart by before anybody has signed in there."""
        return self.secrets.new_secret(PREFIX_BROWSER)

    def csrf(self, cookie: str) -> str:
        """What a form on a page for this browser must send back."""
        return self.secrets.nonce("csrf", hashed(cookie).hex())

    def sign_in(
        self, name: str, password: str, *, flow: bytes | None, peer: str, cookie: str = ""
    ) -> str:
        """Check name and password; the new cookie of the browser that had this one.

        Who was signed in there stays signed in, by the new cookie alone; somebody else is signed
        out.

        1. The name is looked up, and its account and address may try now.  2. The try is counted
        before it is judged, so that a thousand at once are a thousand.  3. The check takes as long
        for nobody, and so does storing the failure.  4. User and password are still what was
        checked.

        Raises `TooSoon`, `WrongPassword` or `Busy`.
        """
        name = passwords.spelled(name)
        with self.store.write() as tx:
            user = tx.directory.user_called(name)
            tried = sign_in_tries.of_account(user, name, peer)
            too_soon = sign_in_tries.count(tx, tried)
            known = tx.passwords.get("" if user is None else user.id)
        if too_soon is not None:
            raise too_soon
        hashed_as = None if known is None else known.hash
        right = self.hasher.verify(passwords.normal(password), hashed_as)
        with self.store.write() as tx:
            again = _judge(tx, user, right=right, hashed_as=hashed_as)
            fresh = None
            if again is not None:
                sign_in_tries.was_right(tx, tried)
                tx.passwords.used(again.id, tx.now)
                fresh = self.enter(tx, again, flow, cookie=cookie, acr=names.ACR_PASSWORD)
            else:
                sign_in_tries.was_wrong(tx, tried)
        if fresh is None:
            raise WrongPassword
        return fresh

    def current(self, view: View, cookie: str) -> SignedIn | None:
        """Who is signed in in the browser with this cookie, now."""
        found = view.sign_ins.by_token(hashed(cookie)) if cookie else None
        if found is None or found.ended_at is not None or view.now >= found.expires_at:
            return None
        user = view.directory.user(found.user_id)
        return None if user is None or not user.enabled else SignedIn(found, user)

    def sign_out(self, cookie: str) -> None:
        """End the browser's sign-in and what apps got through it; again without harm."""
        with self.store.write() as tx:
            signed_in = self.current(tx, cookie)
            if signed_in is not None:
                _end(tx, signed_in.sign_in, cause="signed out")

    def count(self, tried: SignInAttempt) -> None:
        """Count one more try before it is checked. Raises `TooSoon` while it must wait."""
        with self.store.write() as tx:
            too_soon = sign_in_tries.count(tx, tried)
        if too_soon is not None:
            raise too_soon

    def enter(self, tx: Unit, user: User, flow: bytes | None, *, cookie: str, acr: str) -> str:
        """Sign in whoever proved who they are, in this way; the browser's new cookie."""
        before, cookie = self.current(tx, cookie), self.new_cookie()
        sign_in = SignIn(
            id=self.secrets.new_id(PREFIX_SIGN_IN),
            token_hash=hashed(cookie),
            user_id=user.id,
            auth_time=tx.now,
            expires_at=tx.now + SIGNED_IN_MS,
            acr=acr,
        )
        if before is not None and before.user.id == user.id:
            sign_in = replace(sign_in, id=before.sign_in.id)
            tx.sign_ins.renew(sign_in)
        else:
            if before is not None:
                _end(tx, before.sign_in, cause="somebody else signed in")
            tx.sign_ins.add(sign_in)
        if flow is not None:
            tx.flows.bind(flow, sign_in.id)
        _note(tx, audit.Type.SIGN_IN_DONE, sign_in, decision="signed in", posture=acr)
        return cookie


def hashed(cookie: str) -> bytes:
    """What the database keeps of a browser's cookie."""
    return hashlib.sha256(cookie.encode()).digest()


def _judge(tx: Unit, user: User | None, *, right: bool, hashed_as: str | None) -> User | None:
    """The user as they are now, if they may sign in; failures are logged, without a user too."""
    again = None if user is None else tx.directory.user(user.id)
    password = tx.passwords.get("" if again is None else again.id)
    same = password is not None and password.hash == hashed_as
    if again is not None and right and same and again.enabled:
        return again
    kind = audit.Type.SIGN_IN_FAILED
    if again is None:
        floods.record_refusal(
            tx, Entry(kind, audit.SYSTEM, decision="refused", cause="no such account")
        )
    else:
        by = audit.by_user(again.id)
        floods.record_refusal(tx, Entry(kind, by, subject=again.id, decision="refused"))
    return None


def _end(tx: Unit, sign_in: SignIn, *, cause: str) -> None:
    refresh_families.end_sign_in(tx, sign_in.id)
    _note(tx, audit.Type.SIGN_IN_ENDED, sign_in, cause=cause)


def _note(tx: Unit, kind: audit.Type, sign_in: SignIn, **members: str) -> None:
    audit.record(
        tx,
        Entry(
            type=kind,
            actor=audit.by_user(sign_in.user_id),
            subject=sign_in.user_id,
            facts={"sign_in": sign_in.id},
            **members,
        ),
    )
