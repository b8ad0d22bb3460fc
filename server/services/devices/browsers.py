"""Browsers signed in with a passkey and identified by their cookie.

Owns: the cookie's lifetime, and pages' CSRF tokens. Never: how someone signs in, or what a
signed-in browser may do; every decision also needs the passkey.

The database stores the cookie's hash. The sign-in pages for apps have their own cookie
(`sign_ins.py`), which is not valid here.
"""

import hmac
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.devices import Browser, Device
from server.model.ports import Secrets
from server.model.store import Busy, Store, Unit, View
from server.protocol import errors
from server.protocol.names import PREFIX_BROWSER, handle_hash
from server.services.audit import audit
from server.services.users import device_auth
from server.services.users.device_auth import Person

SIGNED_IN_MS: Final = 7 * 24 * 60 * 60 * 1000
"""How long a browser stays signed in. Each decision also needs the passkey."""
TICKET_MS: Final = 30_000
LAST_SEEN_INTERVAL_MS: Final = 60 * 60 * 1000
"""How often a device's last use is recorded."""
_TICKET: Final = "feed ticket"
_NUMBER: Final = re.compile("[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Browsers:
    """Signs browsers in and out, and identifies them."""

    store: Store
    secrets: Secrets

    def csrf(self, cookie: str) -> str:
        """Return the CSRF token of this browser's pages."""
        return self.secrets.nonce("browser csrf", handle_hash(cookie).hex())

    def is_from_page(self, cookie: str, token: str | None) -> bool:
        """Return whether this is the browser's CSRF token."""
        return token is not None and hmac.compare_digest(self.csrf(cookie).encode(), token.encode())

    def ticket(self, cookie: str) -> str:
        """Return a ticket for the feed's socket: valid once, within half a minute."""
        with self.store.read() as view:
            return self._ticket(cookie, self.secrets.salt(), view.now + TICKET_MS)

    def redeem(self, cookie: str, text: str) -> bool:
        """Return whether this is an unused, unexpired ticket of this browser."""
        salt, _, rest = text.partition(".")
        until = rest.partition(".")[0]
        if not _NUMBER.fullmatch(until):
            return False
        if not hmac.compare_digest(self._ticket(cookie, salt, int(until)).encode(), text.encode()):
            return False
        with self.store.write() as tx:
            return tx.now < int(until) and tx.replays.first_use(
                _TICKET, handle_hash(text), int(until)
            )

    def _ticket(self, cookie: str, salt: str, until: int) -> str:
        mac = self.secrets.nonce(_TICKET, handle_hash(cookie).hex(), salt, str(until))
        return f"{salt}.{until}.{mac}"

    def sign_in(self, tx: Unit, device: Device) -> str:
        """Sign in a browser with this passkey; return its new cookie."""
        cookie = self.secrets.new_secret(PREFIX_BROWSER)
        until = tx.now + SIGNED_IN_MS
        tx.browsers.add(Browser(handle_hash(cookie), device.id, tx.now, until))
        tx.devices.mark_seen(device.id, tx.now)
        _record(tx, audit.Type.SIGN_IN_DONE, device)
        return cookie

    def person(self, cookie: str) -> Person:
        """Return the person that this cookie belongs to. Raises errors.Problem 401 or 403.

        The use of the device is recorded once an hour. If the database is too busy to record it,
        the call still succeeds.
        """
        with self.store.read() as view:
            person = _person(view, cookie)
            last_seen_at = person.registered_device.last_seen_at or 0
            is_recorded = view.now - last_seen_at < LAST_SEEN_INTERVAL_MS
        if not is_recorded:
            with suppress(Busy), self.store.write() as tx:
                tx.devices.mark_seen(person.registered_device.id, tx.now)
        return person

    def sign_out(self, cookie: str) -> None:
        """Sign the browser out; safe to repeat."""
        with self.store.write() as tx:
            browser = tx.browsers.get(handle_hash(cookie))
            device = None if browser is None else tx.devices.get(browser.device_id)
            if device is not None and tx.browsers.end(handle_hash(cookie), tx.now):
                _record(tx, audit.Type.SIGN_IN_ENDED, device)


def _person(view: View, cookie: str) -> Person:
    browser = view.browsers.get(handle_hash(cookie))
    if browser is None or browser.ended_at is not None or view.now >= browser.expires_at:
        raise errors.Problem(401, "signed_out", "Sign in with your passkey.")
    return device_auth.person_at_device(view, browser.device_id, until=browser.expires_at)


def _record(tx: Unit, kind: audit.Type, device: Device) -> None:
    by, facts = audit.by_user(device.user_id), {"device": device.id}
    tx.audit.add(Entry(kind, by, subject=device.user_id, facts=facts))
