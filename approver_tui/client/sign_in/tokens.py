"""The access token and its renewal, one at a time across threads and processes.

Owns: when a token is renewed, and that only one process does so. A refresh token works once, so the
server would take two parallel renewals for theft. Never: HTTP; the renewal itself is passed in.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from approver_tui.client import files
from approver_tui.client.devices.vault import Vault
from approver_tui.client.errors import LoginFirst, StorageFailed

_NAME = "tokens"
_MARGIN_MS = 30_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a token response. `expires_at` is on this machine's clock, in milliseconds."""

    access_token: str
    refresh_token: str
    expires_at: int


class TokenKeeper:
    """Provides an access token that stays valid for a while."""

    def __init__(
        self,
        vault: Vault,
        *,
        lock_file: Path,
        clock: Callable[[], int],
        renew: Callable[[str], Tokens],
    ) -> None:
        self._vault = vault
        self._lock_file = lock_file
        self._clock = clock
        self._renew = renew
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None

    def access_token(self, *, valid_for: int = _MARGIN_MS) -> str:
        """Return a token that is valid for `valid_for` more milliseconds. Raises LoginFirst."""
        with self._lock:
            if self._tokens is None or not self._is_valid_for(self._tokens, valid_for):
                self._tokens = self._load_or_renew(
                    lambda tokens: self._is_valid_for(tokens, valid_for)
                )
            return self._tokens.access_token

    def replace_refused(self, refused: str) -> str:
        """Return a token other than the one that the server rejected."""
        with self._lock:
            if self._tokens is None or self._tokens.access_token == refused:
                self._tokens = self._load_or_renew(lambda tokens: tokens.access_token != refused)
            return self._tokens.access_token

    def _is_valid_for(self, tokens: Tokens, valid_for: int) -> bool:
        return tokens.expires_at - self._clock() > valid_for

    def _load_or_renew(self, is_good: Callable[[Tokens], bool]) -> Tokens:
        """Reuse a token that another process renewed; otherwise renew it and store the result."""
        with storage_errors(), files.file_lock(self._lock_file):
            tokens = load(self._vault)
            if is_good(tokens):
                return tokens
            save(self._vault, tokens)  # check first that storing works: a refresh token works once
            renewed = self._renew(tokens.refresh_token)
            save(self._vault, renewed)
            return renewed


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn a failure of the disk or keyring into StorageFailed."""
    try:
        yield
    except OSError as error:
        raise StorageFailed(f"The session cannot be stored on this machine: {error}.") from error


def save(vault: Vault, tokens: Tokens) -> None:
    """Store the tokens."""
    vault.put(_NAME, json.dumps(asdict(tokens)))


def load(vault: Vault) -> Tokens:
    """Return the stored tokens. Raises LoginFirst."""
    content = vault.get(_NAME)
    if content is None:
        raise LoginFirst("There is no session on this machine.")
    try:
        return Tokens(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise LoginFirst("The session on this machine cannot be read.") from error


def delete(vault: Vault) -> None:
    """Delete the tokens."""
    vault.delete(_NAME)
