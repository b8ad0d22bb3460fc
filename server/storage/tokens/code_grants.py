"""Rows of authorization codes, refresh tokens and their families."""

import json
from dataclasses import asdict
from typing import Literal

from sqlalchemy import bindparam, delete, insert, select, update

from server.model.sign_in import AuthorizationCode, Family, Grant, RefreshToken
from server.storage import codec
from server.storage.prepared import DatabaseRows, record_reader, row_writer
from server.storage.tokens.tables import codes as c
from server.storage.tokens.tables import families as f
from server.storage.tokens.tables import family_tokens as w
from server.storage.tokens.tables import refresh_tokens as t

_ADD_CODE = insert(c)
_CODE = select(c).where(c.c.hash == bindparam("code_hash"))
_USE_CODE = (
    update(c)
    .where(
        c.c.hash == bindparam("code_hash"), c.c.used_at.is_(None), c.c.expires_at > bindparam("now")
    )
    .values(used_at=bindparam("now"))
    .returning(c.c.hash)
)
_SET_ISSUED = (
    update(c)
    .where(c.c.hash == bindparam("code_hash"))
    .values(jti=bindparam("token"), family_id=bindparam("family"))
)
_ADD_FAMILY = insert(f)
_FAMILY = select(f).where(f.c.id == bindparam("family"))
_EXTEND = (
    update(f)
    .where(f.c.id == bindparam("family"), f.c.ended_at.is_(None))
    .values(expires_at=bindparam("expires_at"))
)
_END = (
    update(f)
    .where(f.c.id == bindparam("family"), f.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(f.c.id)
)
_LIVE_FAMILIES = select(f.c.id).where(f.c.ended_at.is_(None))
_ADD_TOKEN = insert(t)
_TOKEN = select(t).where(t.c.hash == bindparam("token_hash"))
_USE_TOKEN = (
    update(t)
    .where(t.c.hash == bindparam("token_hash"), t.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(t.c.hash)
)
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
    delete(w).where(
        w.c.family_id.in_(select(f.c.id).where(f.c.expires_at < bindparam("expired_before")))
    ),
    delete(t).where(
        t.c.family_id.in_(select(f.c.id).where(f.c.expires_at < bindparam("expired_before")))
    ),
    delete(f).where(f.c.expires_at < bindparam("expired_before")),
)


class CodeGrants(DatabaseRows):
    """Codes and refresh tokens in the database."""

    def add_code(self, code: AuthorizationCode) -> None:
        """Store a new code."""
        self._db.execute(_ADD_CODE, _code_values(code))

    def code(self, code_hash: bytes) -> AuthorizationCode | None:
        """Return the code with this hash, even if it was used."""
        return self._one(_code, _CODE, code_hash=code_hash)

    def use_code(self, code_hash: bytes, now: int) -> bool:
        """Mark a code as used; returns False if it was used or has expired."""
        return self._any(_USE_CODE, code_hash=code_hash, now=now)

    def set_code_tokens(self, code_hash: bytes, jti: str, family_id: str | None) -> None:
        """Store the access token and family of a code, to revoke them if the code is reused."""
        values = {"code_hash": code_hash, "token": jti, "family": family_id}
        self._db.execute(_SET_ISSUED, values)

    def add_family(self, family: Family) -> None:
        """Store a new family."""
        grant = family.grant
        row: dict[str, object] = {"id": family.id, "app_id": grant.app_id, "user_id": grant.user_id}
        row |= {"sign_in_id": grant.sign_in_id, "grant": _dump(grant)}
        row |= {"created_at": family.created_at, "expires_at": family.expires_at}
        self._db.execute(_ADD_FAMILY, row)

    def family(self, family_id: str) -> Family | None:
        """Return the family with this ID, even if it was revoked or has expired."""
        return self._one(_family, _FAMILY, family=family_id)

    def extend_family(self, family_id: str, expires_at: int) -> None:
        """Extend the expiry of a family that was used."""
        self._db.execute(_EXTEND, {"family": family_id, "expires_at": expires_at})

    def end_family(self, family_id: str, now: int) -> bool:
        """Revoke a family; returns False if it was already revoked."""
        return self._any(_END, family=family_id, now=now)

    def families_of(
        self, column: Literal["app_id", "user_id", "sign_in_id"], value: str
    ) -> list[str]:
        """Return the IDs of the families that were not revoked."""
        statement = _LIVE_FAMILIES.where(f.c[column] == value)
        return list(self._db.execute(statement).scalars().all())

    def add_token(self, token: RefreshToken) -> None:
        """Store a new refresh token."""
        self._db.execute(_ADD_TOKEN, _token_values(token))

    def token(self, token_hash: bytes) -> RefreshToken | None:
        """Return the refresh token with this hash, even if it was used."""
        return self._one(_token, _TOKEN, token_hash=token_hash)

    def use_token(self, token_hash: bytes, now: int) -> bool:
        """Mark a refresh token as used; returns False if it was already used."""
        return self._any(_USE_TOKEN, token_hash=token_hash, now=now)

    def add_access_token(self, family_id: str, jti: str, now: int) -> None:
        """Store an access token that was issued with this family."""
        row = {"family_id": family_id, "jti": jti, "created_at": now}
        self._db.execute(_ADD_ACCESS_TOKEN, row)

    def access_tokens(self, family_id: str) -> list[str]:
        """Return the IDs of the family's access tokens that may still be valid."""
        return list(self._db.execute(_ACCESS_TOKENS, {"family": family_id}).scalars().all())

    def prune(self, now: int) -> None:
        """Delete rows that expired a day ago and tokens that were used a month ago."""
        for statement in _PRUNE:
            values = {
                "expired_before": now - _CODE_RETENTION_MS,
                "used_before": now - _TOKEN_RETENTION_MS,
            }
            self._db.execute(statement, values)


def _dump(grant: Grant) -> str:
    return codec.dump(asdict(grant))


def _grant(text: str) -> Grant:
    members = json.loads(text)
    return Grant(**{**members, **{name: tuple(members[name]) for name in _LISTS}})


_code = record_reader(AuthorizationCode, c, grant=_grant)
_code_values = row_writer(c, grant=_dump)
_family = record_reader(Family, f, grant=_grant)
_token, _token_values = record_reader(RefreshToken, t), row_writer(t)
