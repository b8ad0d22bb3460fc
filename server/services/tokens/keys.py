"""Our signing keys: one active per algorithm, older ones published until nothing needs them."""

from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.ports import Signer
from server.model.store import Store, Unit
from server.model.tokens import SigningKey
from server.protocol import names
from server.protocol.tokens import tokens
from server.services.audit import audit
from server.services.refusals import Invalid, NotFound
from server.services.resources.resources import LONGEST_TOKEN
from server.services.server_policy import ServerPolicy

CACHED_MS: Final = 60 * 60 * 1000
"""How long a resource may go on using a key set that it fetched."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """A new key, the ones that it takes over from, and those whose time was over."""

    key: SigningKey
    retiring: tuple[SigningKey, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """A key that was taken away, and the one that signs in its place, if it was one that signed."""

    kid: str
    alg: str
    replaced_by: SigningKey | None


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Looking at the signing keys and renewing them."""

    store: Store
    signer: Signer
    rules: ServerPolicy

    def all(self) -> tuple[SigningKey, ...]:
        """Every key, newest first."""
        with self.store.read() as view:
            return view.directory.signing_keys()

    def rotate(self, alg: str, *, by: str) -> Rotated:
        """Sign with a new key from now on.

        The old one stays published until the last token that it signed has run out and every
        cached key set with it. Raises `Invalid` for an algorithm that we do not sign with.
        """
        if alg not in names.SIGNING_ALGS:
            raise Invalid(f"{alg} is no algorithm of ours. Use {', '.join(names.SIGNING_ALGS)}.")
        with self.store.administer() as tx:
            before = tx.directory.signing_keys()
            retires_at = tx.now + self._longest_token_ms + CACHED_MS
            retiring = [key for key in before if key.alg == alg and key.state == "active"]
            for key in retiring:
                _retire(tx, key, retires_at, by)
            dropped = _drop(tx, by)
            key = _add(tx, self.signer.new_key(alg, tx.now), by)
        return Rotated(key, tuple(retiring), tuple(dropped))

    def revoke(self, kid: str, *, by: str) -> RevokedKey:
        """Take a key away at once, because somebody else may have it.

        Whatever it signed counts no more, whoever is asked here; a resource that checks signatures
        sees it when it fetches the keys again. Raises `NotFound`.
        """
        with self.store.administer() as tx:
            key = next((k for k in tx.directory.signing_keys() if k.kid == kid), None)
            if key is None or not tx.keys.revoke(kid):
                raise NotFound(f"There is no key {kid}. See them all with: sayso keys list")
            facts = {"kid": key.kid, "alg": key.alg, "was": key.state}
            audit.record(tx, Entry(audit.Type.KEY_REVOKED, by, facts=facts))
            signed = key.state == "active"
            new = _add(tx, self.signer.new_key(key.alg, tx.now), by) if signed else None
        return RevokedKey(key.kid, key.alg, new)

    @property
    def _longest_token_ms(self) -> int:
        seconds = (
            self.rules.access_token_seconds,
            LONGEST_TOKEN,
            tokens.ID_TOKEN_SECONDS,
            tokens.API_TOKEN_SECONDS,
            LONGEST_TOKEN,  # as an agent or a resource may have it
        )
        return max(seconds) * 1000


def ensure_keys(tx: Unit, signer: Signer, *, by: str = audit.SYSTEM) -> list[SigningKey]:
    """Make an active key for each algorithm that has none; the unit must administer."""
    known = tx.directory.signing_keys()
    active = {key.alg for key in known if key.state == "active"}
    missing = [alg for alg in names.SIGNING_ALGS if alg not in active]
    return [_add(tx, signer.new_key(alg, tx.now), by) for alg in missing]


def _add(tx: Unit, key: SigningKey, by: str) -> SigningKey:
    tx.keys.add(key)
    audit.record(tx, Entry(audit.Type.KEY_ADDED, by, facts={"kid": key.kid, "alg": key.alg}))
    return key


def _retire(tx: Unit, key: SigningKey, retires_at: int, by: str) -> None:
    tx.keys.retire(key.kid, retires_at)
    facts = {"kid": key.kid, "alg": key.alg, "retires_at": retires_at}
    audit.record(tx, Entry(audit.Type.KEY_RETIRED, by, facts=facts))


def _drop(tx: Unit, by: str) -> list[str]:
    dropped = tx.keys.drop_retired(tx.now)
    for kid in dropped:
        audit.record(tx, Entry(audit.Type.KEY_DROPPED, by, facts={"kid": kid}))
    return dropped
