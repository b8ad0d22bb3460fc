"""What the services need of the rows about passkeys. MUST is a promise of storage."""

from typing import Protocol

from server.services.passkey_records import Browser, Passkey


class PasskeyRows(Protocol):
    """Passkeys. A credential MUST be there once."""

    def add(self, passkey: Passkey) -> None: ...
    def of_device(self, device_id: str) -> Passkey | None: ...
    def by_credential(self, credential: bytes) -> Passkey | None: ...
    def of_user(self, user_id: str) -> list[Passkey]:
        """Those of devices that are active."""

    def count(self, device_id: str, signs: int, signed: bytes) -> bool:
        """Keep the count of an assertion; reports whether it may count.

        It may if it is higher than the one before, if both are 0, or if what it signed is the same
        as before. MUST be one conditional UPDATE.
        """


class BrowserRows(Protocol):
    """Browsers that are signed in."""

    def add(self, browser: Browser) -> None: ...
    def by_token(self, token_hash: bytes) -> Browser | None: ...
    def end(self, token_hash: bytes, now: int) -> bool:
        """Reports whether this call ended it."""

    def prune(self, now: int) -> None: ...
