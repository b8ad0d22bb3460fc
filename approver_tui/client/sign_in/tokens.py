"""The access token and its renewal, one at a time across threads and processes.

Owns: when a token is renewed and that nobody renews it twice. A refresh token works once, so two
processes that renewed in parallel would look like a thief to the server.
Never: HTTP; the renewal itself is handed in.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from approver_tui.client import files
from approver_tui.client.devices.vault import Vault
from approver_tui.client.errors import LoginFirst, NotKept

_NAME = "tokens"
_MARGIN = 30_000


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token answer gave. `expires_at` is by this machine's clock, in milliseconds."""

    access_token: str
    refresh_token: str
    expires_at: int


class TokenKeeper:
    """Hands out an access token that is good for a while."""

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

    def access_token(self, *, lasting: int = _MARGIN) -> str:
        """Return a token that lives for `lasting` more milliseconds. Raises LoginFirst."""
        with self._lock:
            if self._tokens is None or not self._lasts(self._tokens, lasting):
                self._tokens = self._shared(lambda tokens: self._lasts(tokens, lasting))
            return self._tokens.access_token

    def replaced(self, refused: str) -> str:
        """Return another token than the one that the server has just refused."""
        with self._lock:
            if self._tokens is None or self._tokens.access_token == refused:
                self._tokens = self._shared(lambda tokens: tokens.access_token != refused)
            return self._tokens.access_token

    def _lasts(self, tokens: Tokens, lasting: int) -> bool:
        return tokens.expires_at - self._clock() > lasting

    def _shared(self, is_good: Callable[[Tokens], bool]) -> Tokens:
        """Take what another process has renewed meanwhile, or renew and keep it for the others."""
        with _kept(), files.locked(self._lock_file):
            tokens = load(self._vault)
            if is_good(tokens):
                return tokens
            save(self._vault, tokens)  # what cannot be kept must not be fetched: it comes once
            renewed = self._renew(tokens.refresh_token)
            save(self._vault, renewed)
            return renewed


@contextmanager
def _kept() -> Iterator[None]:
    """Raise NotKept where a disk or a keyring fails."""
    try:
        yield
    except OSError as error:
        raise NotKept(f"The session cannot be kept on this machine: {error}.") from error


def save(vault: Vault, tokens: Tokens) -> None:
    """Keep the tokens."""
    vault.put(_NAME, json.dumps(asdict(tokens)))


def load(vault: Vault) -> Tokens:
    """Return the tokens that were kept. Raises LoginFirst."""
    kept = vault.get(_NAME)
    if kept is None:
        raise LoginFirst("There is no session on this machine.")
    return Tokens(**json.loads(kept))


def drop(vault: Vault) -> None:
    """Forget the tokens."""
    vault.drop(_NAME)
