"""Rows of authorization codes, refresh tokens and their families."""

import json
from dataclasses import asdict
from typing import Literal

from sqlalchemy import Update, bindparam, delete, insert, select, update

from server.model.sign_in import AuthorizationCode, Family, Grant, RefreshToken
from server.storage import codec
from server.storage.prepared import ExpiringRows, Prepared, RecordTable, insert_row, record_reader
from server.storage.tokens.tables import codes as c
from server.storage.tokens.tables import families as f
from server.storage.tokens.tables import family_tokens as w
from server.storage.tokens.tables import refresh_tokens as t

_LOCK_CODE = select(c).where(c.c.hash == bindparam("hash")).with_for_update()
_ADD_FAMILY = Prepared(insert_row(f))
_FAMILY = Prepared(select(f).where(f.c.id == bindparam("family")))
_LIVE_FAMILIES = select(f.c.id).where(f.c.ended_at.is_(None))
_ADD_ACCESS_TOKEN = insert(w)
_ACCESS_TOKENS = select(w.c.jti).where(w.c.family_id == bindparam("family"))
_LISTS = ("openid", "scope", "id_token_claims", "userinfo_claims")
_CODE_RETENTION_MS = 24 * 60 * 60 * 1000
"""How long a used code is kept, so that its reuse is detected."""
_TOKEN_RETENTION_MS = 30 * _CODE_RETENTION_MS
"""How long a used refresh token is kept."""
_PRUNE = (
    delete(c).where(c.c.expires_at < bindparam("expired_before")),
    delete(w).where(w.c.created_at < bindparam("used_before")),
    delete(t).where(t.c.used_at < bindparam("used_before")),
)


class CodeGrants(ExpiringRows):
    """Codes and refresh tokens in the database."""

    expires_at = f.c.expires_at
    kept_ms = _CODE_RETENTION_MS

    def add_code(self, code: AuthorizationCode) -> None:
        """Store a new code."""
        _CODES.add(self._db, code)

    def code(self, code_hash: bytes) -> AuthorizationCode | None:
        """Return the code with this hash, even if it was used.

        PostgreSQL locks its row, so a second redemption waits, and then sees that it was used.
        """
        return self._one(_CODES.read, _LOCK_CODE, hash=code_hash)

    def use_code(self, code_hash: bytes, now: int) -> bool:
        """Mark a code as used; return False if it was used or has expired."""
        is_unused = c.c.used_at.is_(None), c.c.expires_at > now
        return self._change(_CODES.update(code_hash, *is_unused, used_at=now))

    def set_code_tokens(self, code_hash: bytes, jti: str, family_id: str | None) -> None:
        """Store the access token and family of a code, to revoke them if the code is reused."""
        self._change(_CODES.update(code_hash, jti=jti, family_id=family_id))

    def add_family(self, family: Family) -> None:
        """Store a new family."""
        grant = family.grant
        owner = {name: getattr(grant, name) for name in ("app_id", "user_id", "sign_in_id")}
        row = asdict(family) | owner | {"grant": codec.dump(grant)}
        _ADD_FAMILY.run(self._db, row)

    def family(self, family_id: str) -> Family | None:
        """Return the family with this ID, even if it was revoked or has expired."""
        return self._one(_read_family, _FAMILY, family=family_id)

    def extend_family(self, family_id: str, expires_at: int) -> bool:
        """Extend the expiry of a family that is used; return False if it was revoked."""
        return self._change(_update_live_family(family_id).values(expires_at=expires_at))

    def end_family(self, family_id: str, now: int) -> bool:
        """Revoke a family; return False if it was already revoked."""
        return self._change(_update_live_family(family_id).values(ended_at=now))

    def families_of(
        self, column: Literal["app_id", "user_id", "sign_in_id"], value: str
    ) -> list[str]:
        """Return the IDs of the families that were not revoked."""
        return self._column(_LIVE_FAMILIES.where(f.c[column] == value))

    def add_token(self, token: RefreshToken) -> None:
        """Store a new refresh token."""
        _TOKENS.add(self._db, token)

    def token(self, token_hash: bytes) -> RefreshToken | None:
        """Return the refresh token with this hash, even if it was used."""
        return self._one(_TOKENS.read, _TOKENS.by_key, key=token_hash)

    def use_token(self, token_hash: bytes, now: int) -> bool:
        """Mark a refresh token as used; return False if it was already used."""
        return self._change(_TOKENS.update(token_hash, t.c.used_at.is_(None), used_at=now))

    def add_access_token(self, family_id: str, jti: str, now: int) -> None:
        """Store an access token that was issued with this family."""
        row = {"family_id": family_id, "jti": jti, "created_at": now}
        self._db.execute(_ADD_ACCESS_TOKEN, row)

    def access_tokens(self, family_id: str) -> list[str]:
        """Return the IDs of the family's access tokens that may still be valid."""
        return self._column(_ACCESS_TOKENS, family=family_id)

    def prune(self, now: int) -> int:
        """Delete rows that expired a day ago and tokens that were used a month ago."""
        moments = {
            "expired_before": now - _CODE_RETENTION_MS,
            "used_before": now - _TOKEN_RETENTION_MS,
        }
        used = sum(self._count_changes(statement, **moments) for statement in _PRUNE)
        return used + super().prune(now)


def _update_live_family(family_id: str) -> Update:
    return update(f).where(f.c.id == family_id, f.c.ended_at.is_(None))


def _load_grant(text: str) -> Grant:
    members = json.loads(text)
    return Grant(**{**members, **{name: tuple(members[name]) for name in _LISTS}})


_CODES = RecordTable(AuthorizationCode, c, grant=_load_grant)
_TOKENS = RecordTable(RefreshToken, t)
_read_family = record_reader(Family, f, grant=_load_grant)
