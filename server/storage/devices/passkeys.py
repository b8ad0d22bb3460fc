"""Rows of passkeys, and of the browsers that are signed in with one."""

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update

from server.model.devices import Browser, Passkey
from server.storage.devices.tables import browsers as b
from server.storage.devices.tables import devices
from server.storage.devices.tables import passkeys as p
from server.storage.prepared import DatabaseRows, reading, writing

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
_passkey, _values = reading(Passkey, p), writing(p)
_browser, _browser_values = reading(Browser, b), writing(b)


class Passkeys(DatabaseRows):
    """Passkeys in the database."""

    def add(self, passkey: Passkey) -> None:
        """Store a new one."""
        self._db.execute(_ADD, _values(passkey))

    def of_device(self, device_id: str) -> Passkey | None:
        """Return the passkey of this device."""
        return self._one(_passkey, _OF_DEVICE, device=device_id)

    def by_credential(self, credential: bytes) -> Passkey | None:
        """By the ID that its authenticator gave it."""
        return self._one(_passkey, _BY_CREDENTIAL, credential=credential)

    def of_user(self, user_id: str) -> list[Passkey]:
        """Return those of active devices."""
        return self._many(_passkey, _OF_USER, user=user_id)

    def count(self, device_id: str, signs: int, signed: bytes) -> bool:
        """Store the counter of an assertion; returns whether it is valid."""
        return self._any(_COUNT, device=device_id, count=signs, signed=signed)


class Browsers(DatabaseRows):
    """Signed-in browsers in the database."""

    def add(self, browser: Browser) -> None:
        """Store a new one."""
        self._db.execute(_ADD_BROWSER, _browser_values(browser))

    def by_token(self, token_hash: bytes) -> Browser | None:
        """By the hash of its cookie."""
        return self._one(_browser, _BY_TOKEN, token=token_hash)

    def end(self, token_hash: bytes, now: int) -> bool:
        """Return whether this call ended it."""
        return self._any(_END, token=token_hash, now=now)

    def prune(self, now: int) -> None:
        """Delete expired ones."""
        self._db.execute(_PRUNE, {"now": now})
