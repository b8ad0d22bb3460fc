"""One-time codes that make something somebody's device: issued and judged here, written in one way.

A code is a public id, by which tries are counted, and a secret of 120 bits, of which only a keyed
hash is kept. What it is redeemed for is said elsewhere: a terminal's session is a grant of the
token endpoint, a passkey is made in `passkeys.py`.
"""

import hmac
from typing import Final

from server.model.audit import Entry
from server.model.devices import EnrolmentCode
from server.model.ports import Secrets
from server.model.store import Unit
from server.protocol import errors
from server.services.audit import audit
from server.services.notifications import notices

MOST_TRIES: Final = 5
UNKNOWN_CODES: Final = 20
UNKNOWN_WINDOW_MS: Final = 10 * 60_000
ID_CHARACTERS: Final = 8
SECRET_CHARACTERS: Final = 24

REFUSED: Final = "The code is wrong, used or too old. Ask for a new one: sayso users enrol"

_ALPHABET = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
# People read these for what they are not (Crockford's base 32).
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


class BadCode(ValueError):
    """A text that cannot be an enrolment code."""


def known(tx: Unit, code_id: str, *, peer: str) -> EnrolmentCode | errors.ProtocolError:
    """The code of this id, or what to say; senders who guess ids are slowed, nobody else."""
    code = tx.codes.get(code_id)
    if code is not None:
        return code
    if tx.counters.count(f"unknown code:{peer}", UNKNOWN_WINDOW_MS) > UNKNOWN_CODES:
        return errors.TemporarilyUnavailable("Too many unknown codes.", retry_after=60)
    return errors.InvalidGrant(REFUSED)


def judged(
    tx: Unit, secrets: Secrets, code: EnrolmentCode, secret: str
) -> errors.ProtocolError | None:
    """Why the code does not count, to be said once this unit of work is stored; None if it does.

    1. The secret fits; five wrong ones end the code.  2. It was not used: a second use is an alarm.
    3. It is in time and its user enabled.
    """
    if not hmac.compare_digest(code.secret_hash, secrets.code_hash(code.id, secret)):
        return _missed(tx, code)
    if code.used_at is not None:
        return _reused(tx, code)
    user = tx.directory.user(code.user_id)
    spent = tx.now >= code.expires_at or code.tries >= MOST_TRIES
    return errors.InvalidGrant(REFUSED) if spent or user is None or not user.enabled else None


def use(tx: Unit, code: EnrolmentCode) -> bool:
    """Use it up, in the statement that says so; reports whether this call did."""
    if not tx.codes.use(code.id, tx.now):
        return False
    _record(tx, audit.Type.CODE_USED, code, "used")
    return True


def normalise(text: str) -> tuple[str, str]:
    """The public id and the secret in a code as somebody typed it. Raises `BadCode`."""
    code = text.strip().upper().translate(_MISREAD)
    if len(code) != ID_CHARACTERS + SECRET_CHARACTERS or not set(code) <= _ALPHABET:
        raise BadCode("An enrolment code has 32 letters and digits, in eight groups of four.")
    return code[:ID_CHARACTERS], code[ID_CHARACTERS:]


def link(issuer: str, code: str) -> str:
    """The page for the code. It stands in the fragment, which no browser sends to a server."""
    return f"{issuer}/enrol#{code}"


def _missed(tx: Unit, code: EnrolmentCode) -> errors.ProtocolError:
    if tx.codes.missed(code.id) == MOST_TRIES:
        _record(tx, audit.Type.CODE_REFUSED, code, "ended after wrong secrets")
    return errors.InvalidGrant(REFUSED)


def _reused(tx: Unit, code: EnrolmentCode) -> errors.ProtocolError:
    """Somebody else has the code too: all of the person's screens are told."""
    _record(tx, audit.Type.CODE_REUSED, code, "refused")
    notices.alarm(tx, "alarm.code_reused", user_id=code.user_id)
    return errors.InvalidGrant(REFUSED)


def _record(tx: Unit, kind: audit.Type, code: EnrolmentCode, decision: str) -> None:
    audit.record(
        tx,
        Entry(
            type=kind,
            actor=audit.by_user(code.user_id),
            subject=code.user_id,
            decision=decision,
            facts={"code": code.id},
        ),
    )
