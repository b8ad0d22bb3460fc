"""Rows of passkeys, and of browsers that are signed in with a passkey."""

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update

from server.model.devices import Browser, Passkey
from server.storage.devices.tables import browsers as b
from server.storage.devices.tables import devices
from server.storage.devices.tables import passkeys as p
from server.storage.prepared import DatabaseRows, record_reader, row_writer

_ADD = insert(p)
_BY_DEVICE = select(p).where(p.c.device_id == bindparam("device"))
_BY_CREDENTIAL = select(p).where(p.c.credential == bindparam("credential"))
_BY_USER = (
    select(p)
    .join(devices, devices.c.id == p.c.device_id)
    .where(devices.c.user_id == bindparam("user"), devices.c.state == "active")
    .order_by(p.c.device_id)
)
_NEW_COUNT = bindparam("count", type_=p.c.signs.type)
_COUNT = (
    update(p)
    .where(
        p.c.device_id == bindparam("device"),
        or_(
            p.c.signs < _NEW_COUNT,
            and_(p.c.signs == 0, _NEW_COUNT == 0),
            p.c.last_signed == bindparam("signed"),
        ),
    )
    .values(signs=_NEW_COUNT, last_signed=bindparam("signed"))
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
_passkey, _values = record_reader(Passkey, p), row_writer(p)
_browser, _browser_values = record_reader(Browser, b), row_writer(b)


class Passkeys(DatabaseRows):
    """Passkeys in the database."""

    def add(self, passkey: Passkey) -> None:
        """Store a new passkey."""
        self._db.execute(_ADD, _values(passkey))

    def of_device(self, device_id: str) -> Passkey | None:
        """Return the passkey of this device."""
        return self._one(_passkey, _BY_DEVICE, device=device_id)

    def by_credential(self, credential: bytes) -> Passkey | None:
        """Return the passkey with this credential ID, which its authenticator chose."""
        return self._one(_passkey, _BY_CREDENTIAL, credential=credential)

    def of_user(self, user_id: str) -> list[Passkey]:
        """Return the user's passkeys on active devices."""
        return self._many(_passkey, _BY_USER, user=user_id)

    def count(self, device_id: str, signs: int, signed: bytes) -> bool:
        """Store the counter of an assertion; returns whether it is valid."""
        return self._any(_COUNT, device=device_id, count=signs, signed=signed)


class Browsers(DatabaseRows):
    """Signed-in browsers in the database."""

    def add(self, browser: Browser) -> None:
        """Store a newly signed-in browser."""
        self._db.execute(_ADD_BROWSER, _browser_values(browser))

    def by_token(self, token_hash: bytes) -> Browser | None:
        """Return the browser whose cookie has this hash."""
        return self._one(_browser, _BY_TOKEN, token=token_hash)

    def end(self, token_hash: bytes, now: int) -> bool:
        """Sign a browser out; returns False if it was already signed out."""
        return self._any(_END, token=token_hash, now=now)

    def prune(self, now: int) -> None:
        """Delete browsers whose sign-in has expired."""
        self._db.execute(_PRUNE, {"now": now})
