"""Issues enrollment codes. `devices` redeems them."""

from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.devices import EnrollmentCode
from server.model.ports import Secrets
from server.model.store import Unit
from server.model.users import User
from server.services.audit import audit

LIFETIME_MS: Final = 15 * 60 * 1000


_GROUP_SIZE = 4


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A new code. It is shown once; the database stores only a hash of its secret."""

    code: str
    """The code in groups of four, separated by hyphens."""
    expires_at: int


def issue(tx: Unit, secrets: Secrets, user: User, *, by: str) -> IssuedCode:
    """Issue a new code for the user; their unused codes become invalid."""
    tx.lock(f"enrollment codes {user.id}")
    tx.codes.withdraw(user.id, tx.now)
    code_id, secret = secrets.new_code()
    code = EnrollmentCode(
        id=code_id,
        user_id=user.id,
        secret_hash=secrets.code_hash(code_id, secret),
        created_by=by,
        created_at=tx.now,
        expires_at=tx.now + LIFETIME_MS,
    )
    tx.codes.add(code)
    facts = {"code": code_id, "expires_at": code.expires_at}
    tx.audit.add(Entry(audit.Type.CODE_ISSUED, by, subject=user.id, facts=facts))
    return IssuedCode(format_code(code_id + secret), code.expires_at)


def format_code(code: str) -> str:
    """Return the code in groups of four, which are easier to read."""
    return "-".join(code[start : start + _GROUP_SIZE] for start in range(0, len(code), _GROUP_SIZE))
