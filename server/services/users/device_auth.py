"""Device authentication: a terminal proves in each API call that it has its key (RFC 9449 7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.model.devices import Device, Session
from server.model.ports import BadToken, Verifier
from server.model.store import Store, Unit, View
from server.model.tokens import published
from server.model.users import User
from server.protocol import errors
from server.protocol.names import APPROVER_CLIENT
from server.protocol.tokens.tokens import ACCESS_TOKEN_TYPE
from server.services.server_policy import ServerPolicy
from server.services.users import user_checks
from server.services.users.dpop_proofs import Proofs, ProofTarget

_CHALLENGE = 'DPoP error="{code}", algs="ES256"'


@dataclass(frozen=True, slots=True)
class Person:
    """A user at one of their devices; `device` is None until the terminal is registered."""

    user: User
    session: Session
    device: Device | None
    token_expires_at: int

    @property
    def registered_device(self) -> Device:
        """Return the device. Raises errors.Problem until it is registered."""
        if self.device is None:
            raise errors.forbidden("Register this device first: POST /api/devices.")
        return self.device


@dataclass(frozen=True, slots=True)
class DeviceCall:
    """A request to the API: its token and proofs, and the method and URL that they must match."""

    authorization: str | None
    proofs: Sequence[str]
    method: str
    url: str


@dataclass(frozen=True, slots=True)
class DeviceAuthentication:
    """Checks terminals' tokens and proofs."""

    store: Store
    verifier: Verifier
    proofs: Proofs
    server_policy: ServerPolicy

    def authenticate(self, call: DeviceCall) -> Person:
        """Return the caller. Raises errors.Problem 401, or 403 if disabled or revoked.

        1. The token is for this API, unexpired and bound by DPoP. 2. The proof is for this call and
        signed with the token's key. 3. The proof is new. 4. Session, user and device are active.
        """
        token = _token(call.authorization)
        with self.store.write() as tx:
            claims = self._claims(tx, token)
            self._check_proof(tx, call, token, claims)
            return self._person(tx, claims)

    def _claims(self, tx: Unit, token: str) -> dict[str, object]:
        keys = published(tx.directory.signing_keys(), tx.now)
        try:
            claims = self.verifier.own_token(token, ACCESS_TOKEN_TYPE, keys)
        except BadToken as error:
            raise unauthorized(str(error)) from error
        expires = claims.get("exp")
        if not isinstance(expires, int) or expires * 1000 <= tx.now:
            raise unauthorized("expired")
        expected = (self.server_policy.issuer, self.server_policy.api_audience, APPROVER_CLIENT)
        if (claims.get("iss"), claims.get("aud"), claims.get("client_id")) != expected:
            raise unauthorized("a token for a different audience or client")
        return dict(claims)

    def _check_proof(
        self, tx: Unit, call: DeviceCall, token: str, claims: dict[str, object]
    ) -> None:
        confirmation = claims.get("cnf")
        jkt = confirmation.get("jkt") if isinstance(confirmation, dict) else None
        try:
            self.proofs.of_token(
                tx, call.proofs, ProofTarget(call.method, call.url, token), jkt=jkt
            )
        except errors.InvalidDpopProof as error:
            raise unauthorized(error.description, code="invalid_dpop_proof") from error
        except BadToken as error:
            raise unauthorized(str(error)) from error

    def _person(self, tx: Unit, claims: dict[str, object]) -> Person:
        session = _active_session(tx, str(claims.get("sid")))
        if (claims.get("sub"), claims.get("cnf")) != (session.user_id, {"jkt": session.jkt}):
            raise unauthorized("a token from a different session")
        user = enabled_user(tx, session.user_id)
        device = None if session.device_id is None else tx.devices.get(session.device_id)
        if device is not None and device.state != "active":
            raise _revoked_device()
        if device is not None:
            tx.devices.mark_seen(device.id, tx.now)
        return Person(user, session, device, int(str(claims["exp"])) * 1000)


def person_at_device(view: View, device_id: str, *, until: int) -> Person:
    """Return the person at this device, in a browser that is signed in until `until`.

    Raises errors.Problem 401 or 403 if device, session or user is not active.
    """
    device = view.devices.get(device_id)
    session = None if device is None else view.sessions.get(device.session_id)
    if device is None or session is None or session.revoked_at is not None:
        raise _revoked_device()
    return Person(enabled_user(view, device.user_id), session, device, until)


def current_session(tx: View, person: Person) -> Session:
    """Return the person's session if it and the user are still active."""
    session = _active_session(tx, person.session.id)
    enabled_user(tx, person.user.id)
    return session


def current_device(tx: View, person: Person) -> Device:
    """Return the person's device if it, the session and the user are still active."""
    current_session(tx, person)
    device = tx.devices.get(person.registered_device.id)
    if device is None or device.state != "active":
        raise _revoked_device()
    return device


def unauthorized(log: str, *, code: str = "invalid_token") -> errors.Problem:
    """Return a 401 with the challenge of RFC 9449 7.1; the reason is for the log."""
    return errors.Problem(
        401,
        code,
        "Send a valid access token and a new DPoP proof that is signed with its key.",
        headers={"WWW-Authenticate": _CHALLENGE.format(code=code)},
        log=log,
    )


def enabled_user(view: View, user_id: str) -> User:
    """Return the user. Raises errors.Problem 403 if they are disabled."""
    user = user_checks.find_enabled(view, user_id)
    if user is None:
        raise errors.forbidden("This user is disabled. An administrator can enable the user.")
    return user


def _active_session(view: View, session_id: str) -> Session:
    session = view.sessions.get(session_id)
    if session is None or session.revoked_at is not None:
        raise unauthorized("the session has ended")
    return session


def _revoked_device() -> errors.Problem:
    return errors.forbidden("This device was revoked. Enroll it again with a new code.")


def _token(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "dpop" or not token:
        raise unauthorized("no DPoP authorization")
    return token.strip()
