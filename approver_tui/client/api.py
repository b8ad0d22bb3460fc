"""The approver's API, one method per endpoint.

Owns: paths, bodies, parsing responses. Several threads may use one client. Never: what a response
means to the user, which `decisions.py` and the screens decide.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from approver_tui.client import access_wire, wire
from approver_tui.client.approvals import last_known
from approver_tui.client.devices import vault
from approver_tui.client.errors import AlreadyDecided, ApiError, LoginFirst, Unreachable
from approver_tui.client.jose import Signer, SigningKey, b64, signed_statement
from approver_tui.client.reading import JsonObject, read_as
from approver_tui.client.sign_in import profile as profiles
from approver_tui.client.sign_in import tokens
from approver_tui.client.sign_in.profile import Home, Profile
from approver_tui.client.sign_in.session import Session, session_key
from approver_tui.client.transport import Clock, OutgoingRequest
from approver_tui.client.wire import Page, PinAnswer
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.approvals.ceremony import NO_ENTRIES, Entries
from approver_tui.state.approvals.decision import NO_EXTRAS, DenialExtras
from approver_tui.state.approvals.narrowing import Granted, Narrowable, Narrowing
from approver_tui.state.clients.agents import OwnedAgent, SuspensionResult
from approver_tui.state.consents.consents import Consent
from approver_tui.state.devices.devices import Browser, Device, Me, OneTimeCode
from approver_tui.state.incidents.reports import ReportResult, ReportScope
from approver_tui.state.tokens.delegations import Delegation

SESSION_KEY = "session-key"
"""The name of the session key in the vault."""

_PAGE = 200
_MAX_PAGES = 5
_ALL: Mapping[str, str] = {}
_CLOSED_CODES = frozenset({"already_decided", "no_effect", "not_pending"})


def open_client(home: Home, *, clock: Clock) -> "Client":
    """Return the client of the login in `home`. Raises LoginFirst or BrokenProfile."""
    profile = profiles.load_required(home)
    secrets = vault.open_vault(home, profile.vault)
    key = session_key(secrets.get(SESSION_KEY))
    session = Session(profile.issuer, key, secrets, lock_file=home.lock_file, clock=clock)
    return Client(session, home, profile)


class Client:
    """The API client of one enrolled device."""

    def __init__(self, session: Session, home: Home, profile: Profile) -> None:
        self.session = session
        self.home = home
        self.profile = profile

    def close(self) -> None:
        """Close the connections."""
        self.session.transport.close()

    @property
    def signer(self) -> Signer:
        """The signer: this device, for its user, at this server."""
        profile = self.profile
        return Signer(device=profile.device_id, user=profile.user_id, issuer=profile.issuer)

    def sign_statement(self, key: SigningKey, purpose: str, subject: str, nonce: str) -> str:
        """Return a statement about `subject`, signed with the key for the server's nonce."""
        at = self.now() // 1000
        return signed_statement(
            key, self.signer, purpose=purpose, subject=subject, at=at, nonce=nonce
        )

    @property
    def skew(self) -> int:
        """How far the server's clock is ahead of this machine's, in milliseconds."""
        return self.session.transport.skew

    def now(self) -> int:
        """Return the server's time in milliseconds since the epoch, as far as it is known."""
        return self.session.transport.now()

    def observe(self, server_time: int, since: int) -> None:
        """Learn the server's time from its answer to a request sent at `since` on our clock."""
        self.session.transport.observe(server_time, since)

    def me(self) -> Me:
        """Return who is logged in, and learn the server's time."""
        since = self.session.transport.clock()
        me = wire.read_me(self.session.get("/api/me"))
        self.observe(me.server_time, since)
        return me

    def inbox(self, state: str = "waiting", *, limit: int = 50, cursor: str | None = None) -> Page:
        """Return a page of approvals: `waiting` highest risk first, or `decided` newest first."""
        params = {"state": state, "limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        since = self.session.transport.clock()
        page = wire.read_page(self.session.get("/api/approvals", params))
        self.observe(page.server_time, since)
        return page

    def waiting(self) -> Page:
        """Return all waiting requests as one page, with the feed cursor of the first page.

        Those that expire soonest come first. The list is stored for an offline start.
        """
        since = self.session.transport.clock()
        raw_pages = self._waiting_pages()
        pages = [wire.read_page(raw_page) for raw_page in raw_pages]
        self.observe(pages[-1].server_time, since)
        rows = [row for raw_page in raw_pages for row in raw_page.children("items")]
        with suppress(OSError):  # a full disk must not hide the list
            last_known.save(self.home, self.profile, rows, raw_pages[-1].text("server_time"))
        return replace(
            pages[-1],
            items=tuple(item for page in pages for item in page.items),
            unverified=tuple(row for page in pages for row in page.unverified),
            feed_cursor=pages[0].feed_cursor,
        ).soonest_first()

    def _waiting_pages(self) -> list[JsonObject]:
        """Return the pages; if the login has ended, delete the list stored on this machine."""
        try:
            return list(self._pages("/api/approvals", {"state": "waiting"}))
        except LoginFirst:
            last_known.delete(self.home)
            raise

    def last_waiting(self) -> Page | None:
        """Return the last known list that this machine stored."""
        page = last_known.load(self.home, self.profile)
        return None if page is None else page.soonest_first()

    def count(self) -> int:
        """Return how many requests are waiting for this user, without their contents."""
        rows = (row for page in self._waiting_pages() for row in page.children("items"))
        tallies = (row.read_child("vote_tally", wire.read_votes) for row in rows)
        return sum(not tally or not tally.counts(self.profile.user_id) for tally in tallies)

    def list_decided(self, cursor: str | None = None) -> Page:
        """Return a page of past requests, newest first."""
        return self.inbox("decided", cursor=cursor)

    def ended_since(self, since: int) -> tuple[Approval, ...]:
        """Return the requests that ended at `since` or later, newest first, up to a limit."""
        at = datetime.fromtimestamp(since / 1000, UTC).isoformat()
        raw_pages = self._first_pages("/api/approvals", {"state": "decided", "since": at})
        return tuple(item for raw_page in raw_pages for item in wire.read_page(raw_page).items)

    def owned_agents(self) -> tuple[OwnedAgent, ...]:
        """Return the agents that this user owns, not others that the user's role can see."""
        owned_agents = map(access_wire.read_owned_agent, self._items("/api/agents"))
        return tuple(agent for owners, agent in owned_agents if self.profile.user_id in owners)

    def suspend_agent(self, agent_id: str) -> SuspensionResult:
        """Suspend an owned agent for everyone; return how many tokens and requests ended."""
        count = self.session.post(_api_path("agents", agent_id, "disable"), {}).integer
        return SuspensionResult(
            tokens=count("tokens_revoked") + count("descendants_revoked"),
            requests=count("requests_cancelled") + count("approved_cancelled"),
        )

    def _items(self, path: str) -> Iterator[JsonObject]:
        """Yield the items of a list, up to a limit."""
        return (item for raw_page in self._first_pages(path) for item in raw_page.children("items"))

    def _first_pages(self, path: str, params: Mapping[str, str] = _ALL) -> Iterator[JsonObject]:
        """Yield the pages of a list, up to a limit."""
        return islice(self._pages(path, params), _MAX_PAGES)

    def _pages(self, path: str, params: Mapping[str, str] = _ALL) -> Iterator[JsonObject]:
        """Yield the pages of a list until it ends or the caller stops."""
        cursor: dict[str, str] = {}
        while True:
            raw_page = self.session.get(path, {**params, "limit": str(_PAGE), **cursor})
            yield raw_page
            if (next_cursor := raw_page.optional("next", JsonObject.text)) is None:
                return
            cursor = {"cursor": next_cursor}

    def approval(self, approval_id: str) -> Approval:
        """Return one approval with the nonce for an answer; the server marks it as seen."""
        return wire.read_approval(self.session.get(_api_path("approvals", approval_id)))

    def receipt(self, approval_id: str) -> Mapping[str, Any]:
        """Return the receipt of a decision."""
        return self.session.get(_api_path("approvals", approval_id, "receipt")).values

    def published_keys(self) -> Mapping[str, Any]:
        """Return the server's published keys."""
        return self.session.get("/jwks").values

    def narrowable(self, approval_id: str) -> Narrowable:
        """Return what can be reduced in a request."""
        return wire.read_narrowable(
            self.session.get(_api_path("approvals", approval_id, "narrowing"))
        )

    def narrow(self, approval_id: str, proposal: Narrowing) -> Granted:
        """Return the preview of a narrowed request; nothing is decided."""
        changes = [
            {"place": fact.place, "fact": fact.pointer, "to": fact.to} for fact in proposal.changes
        ]
        body: dict[str, object] = {"changes": changes, "drop_scopes": list(proposal.drop_scopes)}
        if proposal.token_seconds is not None:
            body["token_seconds"] = proposal.token_seconds
        return wire.read_granted(self._post(approval_id, "narrowing", body))

    def decide(
        self,
        approval_id: str,
        decision: str,
        note: str = "",
        granted: str | None = None,
        entries: Entries = NO_ENTRIES,
        extras: DenialExtras = NO_EXTRAS,
    ) -> Approval:
        """Send a signed answer, with the granted text if it is narrowed.

        Raises AlreadyDecided with the earlier answer, WrongEntry and RequestLocked.
        """
        until = extras.retry_at and datetime.fromtimestamp(extras.retry_at / 1000, UTC).isoformat()
        optional = {**asdict(entries), **asdict(extras), "granted": granted, "retry_at": until}
        body = {"decision": decision} | ({"note": note} if note else {})
        body |= {name: value for name, value in optional.items() if value is not None}
        try:
            answer = self._post(approval_id, "decision", body)
        except ApiError as error:
            if error.code in _CLOSED_CODES and "approval" in error.members:
                winner = wire.read_approval(JsonObject(error.members).child("approval"))
                raise AlreadyDecided(error.code, error.detail, winner) from error
            raise
        return wire.read_approval(answer)

    def extend(self, approval_id: str) -> Approval:
        """Extend a request; return it with its new expiry."""
        return wire.read_approval(self._post(approval_id, "extension", {}))

    def request_retry(self, approval_id: str) -> Approval:
        """Ask the agent of an expired request to retry; return the request."""
        return wire.read_approval(self._post(approval_id, "retry", {}))

    def report(
        self, approval_id: str, decision: str, scope: ReportScope, note: str
    ) -> ReportResult:
        """Send a signed report, which also denies and quarantines."""
        body = {"decision": decision, "scope": scope.value} | ({"note": note} if note else {})
        return wire.read_report(self._post(approval_id, "report", body))

    def _post(self, approval_id: str, verb: str, body: Mapping[str, object]) -> JsonObject:
        return self.session.post(_api_path("approvals", approval_id, verb), body)

    def pin(self, x: bytes, purpose: str) -> PinAnswer:
        """Return the server's half of the PIN for `session` or an ID; counts as an attempt."""
        body = {"x": b64(x), "for": purpose}
        return wire.read_pin_answer(self.session.post("/api/devices/self/pin", body))

    def confirm_pin(self, statement: str) -> None:
        """Prove with a signed statement that the PIN was right; this resets the counter."""
        self.session.post("/api/devices/self/pin/confirmation", {"statement": statement})

    def consents(self, *, ended: bool = False) -> tuple[Consent, ...]:
        """Return what this user allows agents and apps, newest first."""
        params = {"ended": "true"} if ended else {}
        items = self.session.get("/api/consents", params).children("items")
        return tuple(map(access_wire.read_consent, items))

    def revoke_consent(self, consent_id: str) -> tuple[Consent, int]:
        """Revoke a consent; return it with the number of tokens that ended."""
        answer = self.session.delete_and_read(_api_path("consents", consent_id))
        consent = access_wire.read_consent(answer.child("consent"))
        return consent, answer.integer("tokens_revoked")

    def revoke_access(self, client_id: str) -> None:
        """Revoke all access of an agent or app."""
        self.session.delete(_api_path("acting", _path_id(client_id)))

    def delegations(self) -> tuple[Delegation, ...]:
        """Return the active tokens issued to act for this user, newest first.

        At most a thousand are returned.
        """
        return tuple(map(access_wire.read_delegation, self._items("/api/delegations")))

    def revoke_delegation(self, delegation_id: str) -> int:
        """Revoke a token and every token derived from it; return how many were revoked."""
        answer = self.session.delete_and_read(_api_path("delegations", delegation_id))
        return answer.integer("tokens_revoked")

    def devices(self) -> tuple[Device, ...]:
        """Return this user's devices, including revoked ones."""
        items = self.session.get("/api/devices").children("items")
        return tuple(map(wire.read_device, items))

    def rename_device(self, device_id: str, name: str) -> Device:
        """Rename a device."""
        path = _api_path("devices", device_id)
        return wire.read_device(self.session.send_json("PATCH", path, {"name": name}))

    def browsers(self) -> tuple[Browser, ...]:
        """Return the browsers with push notifications, and those that lost them."""
        return wire.read_browsers(self.session.get("/api/push-subscriptions"))

    def test_browser(self, device_id: str) -> int:
        """Send a test notification to each browser of a device; return how many."""
        subscriptions = self.session.get("/api/push-subscriptions").children("items")
        browsers = [row for row in subscriptions if row.child("device").text("id") == device_id]
        for browser in browsers:
            path = _api_path("push-subscriptions", browser.text("id"), "test")
            self.session.send(OutgoingRequest(method="POST", path=path, json={}))
        return len(browsers)

    def revoke_device(self, device_id: str) -> None:
        """Revoke a device."""
        self.session.delete(_api_path("devices", device_id))

    def unlock_device(self, device_id: str, statement: str) -> Device:
        """Unlock a locked device with another device's statement."""
        return self._post_device_statement(device_id, "unlock", statement)

    def new_one_time_code(self, statement: str) -> OneTimeCode:
        """Create a one-time code that signs in another device."""
        answer = self.session.post("/api/devices/codes", {"statement": statement})
        return read_as(OneTimeCode, answer, code=answer.safe("enrollment_code"))

    def vouch_device(self, device_id: str, statement: str) -> Device:
        """Let a new device approve high-risk requests early, with another device's statement."""
        return self._post_device_statement(device_id, "vouch", statement)

    def has_user_code(self) -> bool:
        """Return whether agents need a user code for this user."""
        return self.session.get("/api/user-code").boolean("set")

    def change_user_code(self, code: str | None, statement: str) -> bool:
        """Set the user code, or clear it; return whether there is one."""
        body = {"code": code, "statement": statement}
        return self.session.post("/api/user-code", body).boolean("set")

    def has_password(self) -> bool:
        """Return whether this user can sign in to apps in a browser."""
        return self.session.get("/api/password").boolean("set")

    def change_password(self, password: str, statement: str) -> int:
        """Set the password for signing in to apps; return how many browsers were signed out."""
        body = {"password": password, "statement": statement}
        return self.session.post("/api/password", body).integer("sign_ins_ended")

    def logout(self) -> bool:
        """Sign this device out and remove its login; False if the server could not be reached."""
        is_revoked = self._sign_out()
        forget(self.home, self.profile)
        return is_revoked

    def _post_device_statement(self, device_id: str, verb: str, statement: str) -> Device:
        path = _api_path("devices", device_id, verb)
        return wire.read_device(self.session.post(path, {"statement": statement}))

    def _sign_out(self) -> bool:
        try:
            self.session.delete("/api/devices/self")
        except LoginFirst:
            return True  # the server has already ended the session
        except (ApiError, Unreachable):
            return False
        return True


def forget(home: Home, profile: Profile) -> None:
    """Delete a login and its secrets from this machine."""
    secrets = vault.open_vault(home, profile.vault)
    tokens.delete(secrets)
    secrets.delete(SESSION_KEY)
    profiles.remove(home)


def _path_id(client_id: str) -> str:
    """Return the ID of a client in paths; a URL is hashed, because a path cannot hold it."""
    if not client_id.startswith("https://"):
        return client_id
    return hashlib.sha256(client_id.encode()).hexdigest()[:32]


def _api_path(*segments: str) -> str:
    """Return a path with each segment escaped, so that a typed ID remains one segment."""
    return "/api/" + "/".join(quote(segment, safe="") for segment in segments)
