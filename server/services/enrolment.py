"""One-time codes that make a terminal somebody's device: issued here, written in one way only.

A code is a public id, by which tries are counted, and a secret of 120 bits, of which only a keyed
hash is kept. Redeeming one is a grant of the token endpoint.
"""

from dataclasses import dataclass
from typing import Final

from server.services import audit
from server.services.ports import Secrets, Unit
from server.services.records import EnrolmentCode, Entry, User

LIFETIME_MS: Final = 15 * 60 * 1000
ID_CHARACTERS: Final = 8
SECRET_CHARACTERS: Final = 24

_ALPHABET = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_GROUP = 4
# People read these for what they are not (Crockford's base 32).
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A code as its user needs it. It is told once; nobody can read it from the database."""

    code: str
    """Groups of four with hyphens."""
    expires_at: int


class BadCode(ValueError):
    """A text that cannot be an enrolment code."""


def issue(tx: Unit, secrets: Secrets, user: User, *, by: str) -> IssuedCode:
    """Give the user a new code; the unused ones that came before it end here."""
    tx.codes.withdraw(user.id, tx.now)
    code_id, secret = secrets.new_code()
    code = EnrolmentCode(
        id=code_id,
        user_id=user.id,
        secret_hash=secrets.code_hash(code_id, secret),
        created_by=by,
        created_at=tx.now,
        expires_at=tx.now + LIFETIME_MS,
        used_at=None,
        tries=0,
        first=tx.devices.active_count(user.id, tx.now) == 0,
    )
    tx.codes.add(code)
    facts = {"code": code_id, "expires_at": code.expires_at}
    audit.record(tx, Entry(audit.Type.CODE_ISSUED, by, subject=user.id, facts=facts))
    return IssuedCode(grouped(code_id + secret), code.expires_at)


def grouped(code: str) -> str:
    """The code in groups of four, for reading it aloud."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def normalise(text: str) -> tuple[str, str]:
    """The public id and the secret in a code as somebody typed it. Raises `BadCode`."""
    code = text.strip().upper().translate(_MISREAD)
    if len(code) != ID_CHARACTERS + SECRET_CHARACTERS or not set(code) <= _ALPHABET:
        raise BadCode("An enrolment code has 32 letters and digits, in eight groups of four.")
    return code[:ID_CHARACTERS], code[ID_CHARACTERS:]


def link(issuer: str, code: str) -> str:
    """The page for the code. It stands in the fragment, which no browser sends to a server."""
    return f"{issuer}/enrol#{code}"
