"""A one-time code becomes a terminal's session (grant `urn:sayso:grant-type:enrolment`)."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from server.protocol import decisions, errors, names
from server.services import audit, notices
from server.services.enrolment import BadCode, normalise
from server.services.ports import Secrets, Store, Unit
from server.services.proofs import Proofs
from server.services.records import EnrolmentCode, Entry, Session
from server.services.sessions import UNREGISTERED_MS, session_answer
from server.services.token import TokenRequest
from server.services.tokens import Issuing

MOST_TRIES: Final = 5
UNKNOWN_CODES: Final = 20
UNKNOWN_WINDOW_MS: Final = 10 * 60_000
_REFUSED: Final = "The code is wrong, used or too old. Ask for a new one: sayso users enrol"


@dataclass(frozen=True, slots=True)
class EnrolmentGrant:
    """Takes a code once. Five wrong secrets end it; a second use is an alarm."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    issuing: Issuing

    def exchange(self, request: TokenRequest) -> dict[str, object]:
        """The session's first tokens. Raises errors.ProtocolError."""
        try:
            code_id, secret = normalise(request.form.require("code"))
        except BadCode as error:
            raise errors.InvalidGrant(_REFUSED) from error
        with self.store.write() as tx:
            result = self._use(tx, code_id, secret, request)
        if isinstance(result, errors.ProtocolError):
            raise result
        return result

    def _use(
        self, tx: Unit, code_id: str, secret: str, request: TokenRequest
    ) -> dict[str, object] | errors.ProtocolError:
        """Use the code up, or remember the try.

        1. Senders who guess ids are slowed, nobody else.  2. The secret fits.  3. It was not used.
        4. It is in time and its user enabled.  5. It is used up in the statement that says so.
        """
        code = tx.codes.get(code_id)
        if code is None:
            return _unknown(tx, request.peer)
        jwk = self.proofs.terminal(tx, request.proofs)
        if not hmac.compare_digest(code.secret_hash, self.secrets.code_hash(code_id, secret)):
            return _missed(tx, code)
        if code.used_at is not None:
            return _reused(tx, code)
        user = tx.directory.user(code.user_id)
        spent = tx.now >= code.expires_at or code.tries >= MOST_TRIES
        if spent or user is None or not user.enabled or not tx.codes.use(code.id, tx.now):
            return errors.InvalidGrant(_REFUSED)
        return self._sign_in(tx, code, jwk)

    def _sign_in(self, tx: Unit, code: EnrolmentCode, jwk: dict[str, str]) -> dict[str, object]:
        refresh = self.secrets.new_secret(names.PREFIX_REFRESH_TOKEN)
        session = Session(
            id=self.secrets.new_id(names.PREFIX_SESSION),
            user_id=code.user_id,
            code_id=code.id,
            jkt=decisions.thumbprint(jwk),
            public_jwk=jwk,
            refresh_hash=hashlib.sha256(refresh.encode()).digest(),
            previous_hash=None,
            rotated_at=tx.now,
            created_at=tx.now,
            expires_at=tx.now + UNREGISTERED_MS,
            revoked_at=None,
            device_id=None,
            first=code.first,
        )
        tx.sessions.add(session)
        _record(tx, audit.Type.CODE_USED, code, "used")
        return session_answer(self.issuing.for_session(tx, session), refresh)


def _unknown(tx: Unit, peer: str) -> errors.ProtocolError:
    if tx.counters.count(f"unknown code:{peer}", UNKNOWN_WINDOW_MS) > UNKNOWN_CODES:
        return errors.TemporarilyUnavailable("Too many unknown codes.", retry_after=60)
    return errors.InvalidGrant(_REFUSED)


def _missed(tx: Unit, code: EnrolmentCode) -> errors.ProtocolError:
    if tx.codes.missed(code.id) == MOST_TRIES:
        _record(tx, audit.Type.CODE_REFUSED, code, "ended after wrong secrets")
    return errors.InvalidGrant(_REFUSED)


def _reused(tx: Unit, code: EnrolmentCode) -> errors.ProtocolError:
    """Somebody else has the code too: all of the person's screens are told."""
    _record(tx, audit.Type.CODE_REUSED, code, "refused")
    notices.alarm(tx, "alarm.code_reused", user_id=code.user_id)
    return errors.InvalidGrant(_REFUSED)


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
