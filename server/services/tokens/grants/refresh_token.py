"""The terminal app's refresh token grant: rotation and reuse (RFC 6749 6, RFC 9449 5)."""

from dataclasses import dataclass
from typing import Final

from server.model.audit import Entry
from server.model.devices import Session
from server.model.ports import Secrets
from server.model.store import Unit
from server.protocol import errors, names
from server.protocol.approvals import decisions
from server.protocol.names import handle_hash
from server.services.audit import audit
from server.services.devices.sessions import IDLE_MS
from server.services.notifications import notices
from server.services.tokens.endpoint import TokenRequest, TokenResult
from server.services.tokens.issuing import TokenIssuer
from server.services.users.dpop_proofs import Proofs

GRACE_MS: Final = 60_000
"""A client that lost the response can use the previous token for this long, in milliseconds."""
_REFUSED: Final = "The session has ended. Sign in again with a new code."


@dataclass(frozen=True, slots=True)
class RefreshTokenGrant:
    """Rotates refresh tokens. A token works only with its session's key."""

    secrets: Secrets
    proofs: Proofs
    issuing: TokenIssuer

    def exchange(self, tx: Unit, request: TokenRequest) -> TokenResult:
        """Return the next tokens of the terminal app. Raises ProtocolError.

        Checks, in order, that: 1. the session is valid; 2. the proof is for its key; 3. its user
        and device are active. For one minute, the previous token is accepted, because the response
        may have been lost. Later, it is treated as stolen.
        """
        token_hash = handle_hash(request.form.require("refresh_token"))
        session = self._session(tx, token_hash, request)
        if not isinstance(session, Session):
            return session
        if not _is_active(tx, session):
            return errors.InvalidGrant(_REFUSED)
        is_old = token_hash != session.refresh_hash and not session.resumes
        if is_old and tx.now >= session.rotated_at + GRACE_MS:
            return _end_stolen_session(tx, session)
        refresh = self.secrets.new_secret(names.PREFIX_REFRESH_TOKEN)
        new_hash = handle_hash(refresh)
        expires_at = session.expires_at if session.device_id is None else tx.now + IDLE_MS
        if not tx.sessions.rotate(session.id, session.refresh_hash, new_hash, tx.now, expires_at):
            return errors.InvalidGrant(_REFUSED)
        return self.issuing.for_session(tx, session, refresh)

    def _session(
        self, tx: Unit, token_hash: bytes, request: TokenRequest
    ) -> Session | errors.ProtocolError:
        """Return this token's session, after verifying the proof of its key.

        After a restore, the database lacks the tokens that were issued after the backup, so the
        key suffices. The token in the backup is outdated and is refused.
        """
        session = tx.sessions.by_refresh(token_hash)
        if session is None:
            return self._restored_session(tx, request)
        if session.resumes or session.revoked_at is not None or tx.now >= session.expires_at:
            return errors.InvalidGrant(_REFUSED)
        if decisions.thumbprint(self.proofs.terminal(tx, request.proofs)) != session.jkt:
            return errors.InvalidDpopProof("The session is bound to a different key.")
        return session

    def _restored_session(self, tx: Unit, request: TokenRequest) -> Session | errors.ProtocolError:
        session = None
        if tx.sessions.any_resumable():
            jkt = decisions.thumbprint(self.proofs.terminal(tx, request.proofs))
            session = tx.sessions.resumable(jkt)
        if session is None or tx.now >= session.expires_at:
            return errors.InvalidGrant(_REFUSED)
        return session


def _is_active(tx: Unit, session: Session) -> bool:
    user = tx.directory.user(session.user_id)
    device = None if session.device_id is None else tx.devices.get(session.device_id)
    return user is not None and user.enabled and (device is None or device.state == "active")


def _end_stolen_session(tx: Unit, session: Session) -> errors.ProtocolError:
    tx.sessions.revoke(session.id, tx.now)
    tx.audit.add(
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
