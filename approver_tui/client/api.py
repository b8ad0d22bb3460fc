"""The approver's API as plain methods, one per endpoint.

Owns: paths, bodies, what each answer becomes. Several threads may use one client.
Never: what an answer means to the person; that is deciding.py and the screens.
"""

from dataclasses import replace
from urllib.parse import quote

from approver_tui.client import profile as profiles
from approver_tui.client import tokens, vault, wire
from approver_tui.client.errors import AlreadyDecided, ApiError, LoginFirst, Unreachable
from approver_tui.client.jose import Signer, SigningKey, b64, unb64
from approver_tui.client.profile import Home, Profile
from approver_tui.client.reading import Members
from approver_tui.client.session import Session
from approver_tui.client.transport import Clock
from approver_tui.client.wire import Page, PinAnswer
from approver_tui.state.approvals import Approval
from approver_tui.state.consents import Consent
from approver_tui.state.devices import Device, Me
from approver_tui.state.narrowing import Granted, Wish
from approver_tui.state.reported import Reported, ReportScope

SESSION_KEY = "session-key"
"""The name under which the vault keeps the session key."""

_PAGE = 200
_TOO_LATE = frozenset({"already_decided", "not_pending"})


def open_client(home: Home, *, clock: Clock) -> "Client":
    """Return the client of the enrolment in `home`. Raises LoginFirst or BrokenProfile."""
    profile = profiles.load(home)
    if profile is None:
        raise LoginFirst("There is no login on this machine.")
    secrets = vault.open_vault(home, profile.vault)
    scalar = secrets.get(SESSION_KEY)
    if scalar is None:
        raise LoginFirst("The session key of this machine is gone.")
    key = SigningKey.from_scalar(unb64(scalar))
    session = Session(profile.issuer, key, secrets, lock_file=home.lock_file, clock=clock)
    return Client(session, home, profile)


class Client:
    """One enrolled device's way to its server."""

    def __init__(self, session: Session, home: Home, profile: Profile) -> None:
        self.session = session
        self.home = home
        self.profile = profile

    def close(self) -> None:
        """Close the connections."""
        self.session.transport.close()

    @property
    def signer(self) -> Signer:
        """Who signs: this device, for its person, at this server."""
        return Signer(
            device=self.profile.device_id, user=self.profile.user_id, issuer=self.profile.issuer
        )

    @property
    def skew(self) -> int:
        """How far the server's clock is ahead of this machine's, in milliseconds."""
        return self.session.transport.skew

    def now(self) -> int:
        """Return the server's time as far as it is known, in milliseconds since the epoch."""
        return self.session.transport.now()

    def observe(self, server_time: int) -> None:
        """Learn the server's time from something it sent."""
        self.session.transport.observe(server_time)

    def me(self) -> Me:
        """Return who is logged in, and learn the server's time."""
        me = wire.read_me(self.session.get("/api/me"))
        self.observe(me.server_time)
        return me

    def inbox(self, state: str = "waiting", *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return a page of approvals: `waiting` by expiry, or `decided`, newest first."""
        params = {"state": state, "limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        page = wire.read_page(self.session.get("/api/approvals", params))
        self.observe(page.server_time)
        return page

    def waiting(self) -> Page:
        """Return all that waits as one page, with the first page's feed cursor: none is missed."""
        first = page = self.inbox(limit=_PAGE)
        items, unverified = list(first.items), list(first.unverified)
        while page.next is not None:
            page = self.inbox(limit=_PAGE, cursor=page.next)
            items += page.items
            unverified += page.unverified
        return replace(
            page, items=tuple(items), unverified=tuple(unverified), feed_cursor=first.feed_cursor
        )

    def approval(self, approval_id: str) -> Approval:
        """Return one approval with the nonce for an answer; the server marks it as seen."""
        return wire.read_approval(self.session.get(_path("approvals", approval_id)))

    def narrow(self, approval_id: str, wish: Wish) -> Granted:
        """Return how approving less would read; nothing is decided."""
        changes = [
            {"place": each.place, "fact": each.pointer, "to": each.to} for each in wish.changes
        ]
        body = {"changes": changes, "drop_scopes": list(wish.drop_scopes)}
        return wire.read_granted(
            self.session.post(_path("approvals", approval_id, "narrowing"), body)
        )

    def decide(
        self, approval_id: str, decision: str, note: str = "", granted: str | None = None
    ) -> Approval:
        """Send a signed answer, with the text of what is granted where that is less.

        Raises AlreadyDecided with what came first.
        """
        body = {"decision": decision} | ({"note": note} if note else {})
        body |= {} if granted is None else {"granted": granted}
        try:
            answer = self.session.post(_path("approvals", approval_id, "decision"), body)
        except ApiError as error:
            if error.code in _TOO_LATE and "approval" in error.members:
                winner = wire.read_approval(Members(error.members).child("approval"))
                raise AlreadyDecided(error.code, error.detail, winner) from error
            raise
        return wire.read_approval(answer)

    def report(self, approval_id: str, decision: str, scope: ReportScope, note: str) -> Reported:
        """Send a signed denial as suspicious that stops agents too."""
        body = {"decision": decision, "scope": scope.value} | ({"note": note} if note else {})
        return wire.read_reported(
            self.session.post(_path("approvals", approval_id, "report"), body)
        )

    def pin(self, x: bytes, purpose: str) -> PinAnswer:
        """Return the server's half of the PIN for `session` or an id; counts as a try."""
        body = {"x": b64(x), "for": purpose}
        return wire.read_pin_answer(self.session.post("/api/devices/self/pin", body))

    def confirm_pin(self, statement: str) -> None:
        """Prove by a signed statement that the PIN was right; the counter starts again."""
        self.session.post("/api/devices/self/pin/confirmation", {"statement": statement})

    def consents(self, *, ended: bool = False) -> tuple[Consent, ...]:
        """Return what this person lets agents and apps have, newest first."""
        params = {"ended": "true"} if ended else {}
        items = self.session.get("/api/consents", params).children("items")
        return tuple(wire.read_consent(item) for item in items)

    def revoke_consent(self, consent_id: str) -> tuple[Consent, int]:
        """Take a consent back; return it with how many tokens ended with it."""
        answer = self.session.ended(_path("consents", consent_id))
        consent = wire.read_consent(answer.child("consent"))
        return consent, answer.integer("tokens_revoked")

    def devices(self) -> tuple[Device, ...]:
        """Return this person's devices, revoked ones too."""
        items = self.session.get("/api/devices").children("items")
        return tuple(wire.read_device(item) for item in items)

    def revoke_device(self, device_id: str) -> None:
        """Sign a device out for good."""
        self.session.delete(_path("devices", device_id))

    def unlock_device(self, device_id: str, statement: str) -> Device:
        """Give a locked device its PIN tries back, by another device's statement."""
        return self._about_device(device_id, "unlock", statement)

    def vouch_device(self, device_id: str, statement: str) -> Device:
        """Let a new device approve high risk before its time, by another device's statement."""
        return self._about_device(device_id, "vouch", statement)

    def has_user_code(self) -> bool:
        """Return whether agents need a user code of this person."""
        return self.session.get("/api/user-code").boolean("set")

    def change_user_code(self, code: str | None, statement: str) -> bool:
        """Set the code that agents need, or clear it; return whether there is one."""
        body = {"code": code, "statement": statement}
        return self.session.post("/api/user-code", body).boolean("set")

    def has_password(self) -> bool:
        """Return whether this person can sign in to apps in a browser."""
        return self.session.get("/api/password").boolean("set")

    def change_password(self, password: str, statement: str) -> int:
        """Set the password for signing in to apps; return how many browsers were signed out."""
        body = {"password": password, "statement": statement}
        return self.session.post("/api/password", body).integer("sign_ins_ended")

    def logout(self) -> bool:
        """Sign this device out and forget it here; False if the server could not be told."""
        was_told = self._sign_out()
        forget(self.home, self.profile)
        return was_told

    def _about_device(self, device_id: str, verb: str, statement: str) -> Device:
        path = _path("devices", device_id, verb)
        return wire.read_device(self.session.post(path, {"statement": statement}))

    def _sign_out(self) -> bool:
        try:
            self.session.delete("/api/devices/self")
        except LoginFirst:
            return True  # the server has ended the session already
        except (ApiError, Unreachable):
            return False
        return True


def forget(home: Home, profile: Profile) -> None:
    """Remove an enrolment and its secrets from this machine."""
    secrets = vault.open_vault(home, profile.vault)
    tokens.drop(secrets)
    secrets.drop(SESSION_KEY)
    profiles.remove(home)


def _path(*parts: str) -> str:
    """An id that a person typed stays one segment of the path."""
    return "/api/" + "/".join(quote(part, safe="") for part in parts)
