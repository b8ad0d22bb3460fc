"""Enrollment codes: one-time codes that register a device.

A code consists of a public ID and a 120-bit secret. Attempts are counted per ID, and only a keyed
hash of the secret is stored. Terminals redeem codes at the token endpoint; browsers redeem them in
`passkeys.py`.
"""

import hmac
from typing import Final

from server.model.audit import Entry
from server.model.devices import EnrollmentCode
from server.model.operations import CountedLimit
from server.model.ports import Secrets
from server.model.store import Unit
from server.protocol import errors
from server.services.audit import audit
from server.services.notifications import notices

MAX_ATTEMPTS: Final = 5
UNKNOWN_CODES: Final = CountedLimit(
    "unknown_codes", "address", "Unknown enrollment codes", 20, 10 * 60_000, "unknown code:"
)
ID_CHARACTERS: Final = 8
SECRET_CHARACTERS: Final = 24

REFUSED: Final = "The code is wrong, used or expired. Get a new one."

_ALPHABET = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
# Letters that people confuse with digits (Crockford's base 32).
_CORRECTIONS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class BadCode(ValueError):
    """The text is not an enrollment code."""


def find_code(tx: Unit, code_id: str, *, peer: str) -> EnrollmentCode | errors.ProtocolError:
    """Return the code with this ID, or an error. Guesses are limited per address."""
    code = tx.codes.get(code_id)
    if code is not None:
        return code
    if tx.counters.count_subject(UNKNOWN_CODES, peer) > UNKNOWN_CODES.value:
        return errors.TemporarilyUnavailable("Too many unknown codes.", retry_after=60)
    return errors.InvalidGrant(REFUSED)


def check_secret(
    tx: Unit, secrets: Secrets, code: EnrollmentCode, secret: str
) -> errors.ProtocolError | None:
    """Return the error to raise after this unit of work is stored; None if the code is valid.

    Checks, in order, that: 1. the secret is right (after five wrong secrets, the code becomes
    invalid); 2. the code is unused (a second use raises an alarm); 3. it has not expired, and its
    user is enabled.
    """
    if not hmac.compare_digest(code.secret_hash, secrets.code_hash(code.id, secret)):
        return _count_miss(tx, code)
    if code.used_at is not None:
        return _raise_reuse_alarm(tx, code)
    user = tx.directory.user(code.user_id)
    is_spent = tx.now >= code.expires_at or code.tries >= MAX_ATTEMPTS
    return errors.InvalidGrant(REFUSED) if is_spent or user is None or not user.enabled else None


def use_code(tx: Unit, code: EnrollmentCode) -> bool:
    """Use up the code in one conditional UPDATE; return whether this call did."""
    if not tx.codes.use(code.id, tx.now):
        return False
    _record(tx, audit.Type.CODE_USED, code, "used")
    return True


def split_code(text: str) -> tuple[str, str]:
    """Return the public ID and the secret of a typed code. Raises `BadCode`."""
    code = text.strip().upper().translate(_CORRECTIONS)
    if len(code) != ID_CHARACTERS + SECRET_CHARACTERS or not set(code) <= _ALPHABET:
        raise BadCode("An enrollment code has 32 letters and digits, in eight groups of four.")
    return code[:ID_CHARACTERS], code[ID_CHARACTERS:]


def link(issuer: str, code: str) -> str:
    """Return the enrollment URL; the code is in the fragment, which browsers do not send."""
    return f"{issuer}/enroll#{code}"


def _count_miss(tx: Unit, code: EnrollmentCode) -> errors.ProtocolError:
    if tx.codes.count_miss(code.id) == MAX_ATTEMPTS:
        _record(tx, audit.Type.CODE_REFUSED, code, "ended after wrong secrets")
    return errors.InvalidGrant(REFUSED)


def _raise_reuse_alarm(tx: Unit, code: EnrollmentCode) -> errors.ProtocolError:
    """Raise an alarm on all of the person's screens: someone else has the code."""
    _record(tx, audit.Type.CODE_REUSED, code, "refused")
    notices.alarm(tx, "alarm.code_reused", user_id=code.user_id)
    return errors.InvalidGrant(REFUSED)


def _record(tx: Unit, kind: audit.Type, code: EnrollmentCode, decision: str) -> None:
    by, facts = audit.by_user(code.user_id), {"code": code.id}
    tx.audit.add(Entry(kind, by, subject=code.user_id, decision=decision, facts=facts))
