"""Rows of passkeys, and of the browsers that are signed in with one."""

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.engine import RowMapping

from server.model.devices import Browser, Passkey
from server.storage.account_tables import browsers as b
from server.storage.account_tables import devices
from server.storage.account_tables import passkeys as p
from server.storage.prepared import DatabaseRows

_ADD = insert(p)
_OF_DEVICE = select(p).where(p.c.device_id == bindparam("device"))
_BY_CREDENTIAL = select(p).where(p.c.credential == bindparam("credential"))
_OF_USER = (
    select(p)
    .join(devices, devices.c.id == p.c.device_id)
    .where(devices.c.user_id == bindparam("user"), devices.c.state == "active")
    .order_by(p.c.device_id)
)
_COUNTED = bindparam("count", type_=p.c.signs.type)
_COUNT = (
    update(p)
    .where(
        p.c.device_id == bindparam("device"),
        or_(
            p.c.signs < _COUNTED,
            and_(p.c.signs == 0, _COUNTED == 0),
            p.c.last_signed == bindparam("signed"),
        ),
    )
    .values(signs=_COUNTED, last_signed=bindparam("signed"))
    .returning(p.c.device_id)
)

_ADD_BROWSER = insert(b)
_BY_TOKEN = select(b).where(b.c.token_hash == bindparam("token"))
_END = (
    update(b)
    .where(b.c.token_hash == bindparam("token"), b.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(b.c.device_id)
)
_PRUNE = delete(b).where(b.c.expires_at < bindparam("now"))


class Passkeys(DatabaseRows):
    """Passkeys in the database."""

    def add(self, passkey: Passkey) -> None:
        """Store a new one."""
        row = {name: getattr(passkey, name) for name in Passkey.__slots__}
        self._db.execute(_ADD, row)

    def of_device(self, device_id: str) -> Passkey | None:
        """Return the passkey of this device."""
        return _passkey(self._db.execute(_OF_DEVICE, {"device": device_id}).mappings().first())

    def by_credential(self, credential: bytes) -> Passkey | None:
        """By the ID that its authenticator gave it."""
        found = self._db.execute(_BY_CREDENTIAL, {"credential": credential})
        return _passkey(found.mappings().first())

    def of_user(self, user_id: str) -> list[Passkey]:
        """Return those of active devices."""
        rows = self._db.execute(_OF_USER, {"user": user_id}).mappings().all()
        return [found for row in rows if (found := _passkey(row)) is not None]

    def count(self, device_id: str, signs: int, signed: bytes) -> bool:
        """Store the counter of an assertion; returns whether it is valid."""
        values = {"device": device_id, "count": signs, "signed": signed}
        return self._db.execute(_COUNT, values).first() is not None


class Browsers(DatabaseRows):
    """Signed-in browsers in the database."""

    def add(self, browser: Browser) -> None:
        """Store a new one."""
        row = {name: getattr(browser, name) for name in Browser.__slots__}
        self._db.execute(_ADD_BROWSER, row)

    def by_token(self, token_hash: bytes) -> Browser | None:
        """By the hash of its cookie."""
        row = self._db.execute(_BY_TOKEN, {"token": token_hash}).mappings().first()
        return None if row is None else Browser(**{**row, "token_hash": bytes(row["token_hash"])})

    def end(self, token_hash: bytes, now: int) -> bool:
        """Return whether this call ended it."""
        return bool(self._db.execute(_END, {"token": token_hash, "now": now}).all())

    def prune(self, now: int) -> None:
        """Delete expired ones."""
        self._db.execute(_PRUNE, {"now": now})


def _passkey(row: RowMapping | None) -> Passkey | None:
    if row is None:
        return None
    raw = {name: bytes(row[name]) for name in ("credential", "public_key")}
    last = None if row["last_signed"] is None else bytes(row["last_signed"])
    return Passkey(**{**row, **raw, "last_signed": last})
