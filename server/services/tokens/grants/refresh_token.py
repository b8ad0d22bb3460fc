"""A terminal's session goes on (RFC 6749 6, RFC 9449 5): rotation, and what reuse means."""

import hashlib
from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.devices import Session
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.protocol import errors, names
from server.protocol.approvals import decisions
from server.services.audit import audit
from server.services.devices.sessions import IDLE_MS, session_answer
from server.services.notifications import notices
from server.services.tokens.endpoint import TokenRequest
from server.services.tokens.issuing import Issuing
from server.services.users.proofs import Proofs

GRACE_MS: Final = 60_000
"""How long the token before the last still works, for a client whose answer got lost."""
_REFUSED: Final = "The session has ended. Sign in again with a new code."


@dataclass(frozen=True, slots=True)
class RefreshTokenGrant:
    """Rotates refresh tokens; only the key of the session can use one."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    issuing: Issuing

    def exchange(self, request: TokenRequest) -> dict[str, object]:
        """The next tokens of the terminal app, which alone is let in here. Raises ProtocolError."""
        token = request.form.require("refresh_token")
        with self.store.write() as tx:
            result = self._rotate(tx, hashlib.sha256(token.encode()).digest(), request)
        if isinstance(result, errors.ProtocolError):
            raise result
        return result

    def _rotate(
        self, tx: Unit, sent: bytes, request: TokenRequest
    ) -> dict[str, object] | errors.ProtocolError:
        """Give the session its next token.

        1. The session is in force.  2. The proof is of its key.  3. User and device are too.
        4. An old token is a lost answer for a minute, and a theft after that.
        """
        session = self._session(tx, sent, request)
        if not isinstance(session, Session):
            return session
        if not _in_force(tx, session):
            return errors.InvalidGrant(_REFUSED)
        is_old = sent != session.refresh_hash and not session.resumes
        if is_old and tx.now >= session.rotated_at + GRACE_MS:
            return _stolen(tx, session)
        refresh = self.secrets.new_secret(names.PREFIX_REFRESH_TOKEN)
        new = hashlib.sha256(refresh.encode()).digest()
        until = session.expires_at if session.device_id is None else tx.now + IDLE_MS
        if not tx.sessions.rotate(session.id, session.refresh_hash, new, tx.now, until):
            return errors.InvalidGrant(_REFUSED)
        return session_answer(self.issuing.for_session(tx, session), refresh)

    def _session(
        self, tx: Unit, sent: bytes, request: TokenRequest
    ) -> Session | errors.ProtocolError:
        """The session of this token, once its key is proved.

        After a restore the database does not know what the terminal got since the backup, so the
        key is enough. The token that stands in the backup is known to be old, and refused.
        """
        session = tx.sessions.by_refresh(sent)
        if session is None:
            return self._resumed(tx, request)
        if session.resumes or session.revoked_at is not None or tx.now >= session.expires_at:
            return errors.InvalidGrant(_REFUSED)
        if decisions.thumbprint(self.proofs.terminal(tx, request.proofs)) != session.jkt:
            return errors.InvalidDpopProof("The session is bound to another key.")
        return session

    def _resumed(self, tx: Unit, request: TokenRequest) -> Session | errors.ProtocolError:
        found = None
        if tx.sessions.any_resumes():
            jkt = decisions.thumbprint(self.proofs.terminal(tx, request.proofs))
            found = tx.sessions.resuming(jkt)
        if found is None or tx.now >= found.expires_at:
            return errors.InvalidGrant(_REFUSED)
        return found


def _in_force(tx: Unit, session: Session) -> bool:
    user = tx.directory.user(session.user_id)
    device = None if session.device_id is None else tx.devices.get(session.device_id)
    return user is not None and user.enabled and (device is None or device.state == "active")


def _stolen(tx: Unit, session: Session) -> errors.ProtocolError:
    tx.sessions.revoke(session.id, tx.now)
    audit.record(
        tx,
        Entry(
            type=audit.Type.REFRESH_REUSED,
            actor=audit.by_user(session.user_id),
            subject=session.user_id,
            decision="session revoked",
            facts={"session": session.id, "device": session.device_id or ""},
        ),
    )
    notices.alarm(tx, "alarm.refresh_reused", user_id=session.user_id)
    return errors.InvalidGrant(_REFUSED)
