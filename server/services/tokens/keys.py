"""Signing keys: one active key per algorithm; older keys stay published while tokens need them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.ports import BadToken, Signer, Verifier
from server.model.store import Store, Unit, View
from server.model.tokens import SigningKey, published
from server.protocol import errors, names
from server.protocol.tokens import tokens
from server.services.audit import audit
from server.services.refusals import Invalid, NotFound
from server.services.resources.resource_checks import MAX_LIFETIME
from server.services.server_policy import ServerPolicy

CACHED_MS: Final = 60 * 60 * 1000
"""How long a resource may cache the key set."""


@dataclass(frozen=True, slots=True)
class RotatedKeys:
    """A new key, the keys that it replaces, and the keys that were removed."""

    key: SigningKey
    retiring: tuple[SigningKey, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RevokedKey:
    """A revoked key, and the key that replaces it if it was active."""

    kid: str
    alg: str
    replaced_by: SigningKey | None


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Lists, rotates and revokes signing keys."""

    store: Store
    signer: Signer
    server_policy: ServerPolicy

    def all(self) -> tuple[SigningKey, ...]:
        """Return all keys, newest first."""
        with self.store.read() as view:
            return view.directory.signing_keys()

    def rotate(self, alg: str, *, by: str) -> RotatedKeys:
        """Sign with a new key.

        The old key stays published until its last token and all cached key sets have expired.
        Raises `Invalid` for an unsupported algorithm.
        """
        if alg not in names.SIGNING_ALGS:
            raise Invalid(f"{alg} is not supported. Use {', '.join(names.SIGNING_ALGS)}.")
        with self.store.administer() as tx:
            old_keys = tx.directory.signing_keys()
            retires_at = tx.now + self._longest_token_ms + CACHED_MS
            retiring = [key for key in old_keys if key.alg == alg and key.state == "active"]
            for key in retiring:
                _retire(tx, key, retires_at, by)
            dropped = _delete_retired_keys(tx, by)
            key = _add(tx, self.signer.new_key(alg, tx.now), by)
        return RotatedKeys(key, tuple(retiring), tuple(dropped))

    def revoke(self, kid: str, *, by: str) -> RevokedKey:
        """Remove a leaked key immediately.

        Introspection then rejects its tokens. A resource that only checks signatures accepts them
        until it fetches the key set again. Raises `NotFound`.
        """
        with self.store.administer() as tx:
            key = next((row for row in tx.directory.signing_keys() if row.kid == kid), None)
            if key is None or not tx.keys.revoke(kid):
                raise NotFound("key", kid)
            facts = {"kid": key.kid, "alg": key.alg, "was": key.state}
            tx.audit.add(Entry(audit.Type.KEY_REVOKED, by, facts=facts))
            was_active = key.state == "active"
            replacement = _add(tx, self.signer.new_key(key.alg, tx.now), by) if was_active else None
        return RevokedKey(key.kid, key.alg, replacement)

    @property
    def _longest_token_ms(self) -> int:
        seconds = (
            self.server_policy.access_token_seconds,
            MAX_LIFETIME,
            tokens.ID_TOKEN_SECONDS,
            tokens.API_TOKEN_SECONDS,
        )
        return max(seconds) * 1000


def ensure_keys(tx: Unit, signer: Signer, *, by: str = audit.SYSTEM) -> list[SigningKey]:
    """Create an active key for each algorithm without one; needs an administrative unit of work."""
    signing_keys = tx.directory.signing_keys()
    active = {key.alg for key in signing_keys if key.state == "active"}
    missing = [alg for alg in names.SIGNING_ALGS if alg not in active]
    return [_add(tx, signer.new_key(alg, tx.now), by) for alg in missing]


def _add(tx: Unit, key: SigningKey, by: str) -> SigningKey:
    tx.keys.add(key)
    tx.audit.add(Entry(audit.Type.KEY_ADDED, by, facts={"kid": key.kid, "alg": key.alg}))
    return key


def _retire(tx: Unit, key: SigningKey, retires_at: int, by: str) -> None:
    tx.keys.retire(key.kid, retires_at)
    facts = {"kid": key.kid, "alg": key.alg, "retires_at": retires_at}
    tx.audit.add(Entry(audit.Type.KEY_RETIRED, by, facts=facts))


def _delete_retired_keys(tx: Unit, by: str) -> list[str]:
    dropped = tx.keys.delete_retired(tx.now)
    for kid in dropped:
        tx.audit.add(Entry(audit.Type.KEY_DROPPED, by, facts={"kid": kid}))
    return dropped


def id_token_claims(verifier: Verifier, view: View, hint: str) -> Mapping[str, object]:
    """Return the claims of our ID token, which may have expired. Raises errors.InvalidRequest."""
    keys = published(view.directory.signing_keys(), view.now)
    try:
        return verifier.own_token(hint, tokens.ID_TOKEN_TYPE, keys)
    except BadToken as error:
        raise errors.InvalidRequest(
            "id_token_hint is not an ID token of this issuer.", detail=str(error)
        ) from error
