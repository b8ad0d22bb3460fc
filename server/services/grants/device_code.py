"""A device that was let in gets its session (RFC 8628 3.4, 3.5): at most one per device code.

It must prove the key that it began with, which is the key that the person's device signed for.
"""

import hashlib
from dataclasses import dataclass

from server.protocol import ciba, decisions, device_codes, errors, names
from server.protocol.states import State, overdue
from server.services import audit, notices
from server.services.device_codes import DeviceCode
from server.services.expiry import expire
from server.services.ports import Secrets, Store, Unit
from server.services.proofs import Proofs
from server.services.records import Approval, Entry, Session
from server.services.rights import Rights
from server.services.sessions import UNREGISTERED_MS, session_answer
from server.services.token import TokenRequest
from server.services.tokens import Issuing

Outcome = dict[str, object] | errors.ProtocolError

_UNKNOWN = "device_code is unknown, used, or not yours."


@dataclass(frozen=True, slots=True)
class DeviceCodeGrant:
    """Answers the polls of a device that waits to be let in."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    issuing: Issuing
    rights: Rights

    def exchange(self, request: TokenRequest) -> dict[str, object]:
        """The session's first tokens. Raises errors.ProtocolError."""
        sent = hashlib.sha256(request.form.require("device_code").encode()).digest()
        device_codes.no_scope(request.form)
        with self.store.write() as tx:
            outcome = self._visit(tx, sent, request)
        if isinstance(outcome, errors.ProtocolError):
            raise outcome
        return outcome

    def _visit(self, tx: Unit, sent: bytes, request: TokenRequest) -> Outcome:
        """Look once, in a unit of work of its own.

        1. The code is known.  2. The proof is of the key it was given to.  3. The clock has not
        ended it.  4. While nobody has answered, polls are paced.  5. The person and everything else
        still allow it.  6. Only the one UPDATE that redeems the approval lets a session be made.
        """
        code = tx.device_codes.by_device_code(sent)
        if code is None:
            return errors.InvalidGrant(_UNKNOWN)
        jwk = self.proofs.terminal(tx, request.proofs)
        if decisions.thumbprint(jwk) != code.jkt:
            return errors.InvalidDpopProof("The code was given to another key.")
        approval = self._approval(tx, code)
        if approval is None and tx.now >= code.expires_at:
            return _expired()
        if approval is None or approval.state is State.PENDING:
            return self._pending(tx, code, request.waited_ms)
        return self._answered(tx, approval, code, jwk)

    def _answered(
        self, tx: Unit, approval: Approval, code: DeviceCode, jwk: dict[str, str]
    ) -> Outcome:
        if approval.state is not State.APPROVED:
            return _over(tx, approval)
        if self.rights.gone(tx, approval) is not None:
            return errors.InvalidGrant("The user may not sign in any more.")
        moved = tx.approvals.move(approval.id, State.REDEEMED, now=tx.now)
        return errors.InvalidGrant(_UNKNOWN) if moved is None else self._admit(tx, moved, code, jwk)

    def _approval(self, tx: Unit, code: DeviceCode) -> Approval | None:
        found = None if code.approval_id is None else tx.approvals.get(code.approval_id)
        if found is not None and overdue(found.state, found.expires_at, tx.now):
            return expire(tx, found) or tx.approvals.get(found.id)
        return found

    def _pending(self, tx: Unit, code: DeviceCode, waited_ms: int) -> errors.ProtocolError:
        arrived = tx.now - waited_ms
        pace = ciba.pace(
            arrived=arrived,
            last=code.last_poll_at or code.created_at,
            interval_ms=code.interval_ms,
        )
        tx.device_codes.paced(code.id, now=arrived, interval_ms=pace.interval_ms)
        if pace.early:
            seconds = pace.interval_ms // 1000
            return errors.SlowDown(
                f"Polled too early. Wait {seconds} seconds between polls.",
                members={"interval": seconds},
            )
        return errors.AuthorizationPending("Nobody has let this device in yet.")

    def _admit(
        self, tx: Unit, approval: Approval, code: DeviceCode, jwk: dict[str, str]
    ) -> dict[str, object]:
        refresh = self.secrets.new_secret(names.PREFIX_REFRESH_TOKEN)
        session = Session(
            id=self.secrets.new_id(names.PREFIX_SESSION),
            user_id=approval.user_id or "",
            code_id=code.id,
            jkt=code.jkt,
            public_jwk=jwk,
            refresh_hash=hashlib.sha256(refresh.encode()).digest(),
            previous_hash=None,
            rotated_at=tx.now,
            created_at=tx.now,
            expires_at=tx.now + UNREGISTERED_MS,
            revoked_at=None,
            device_id=None,
            first=False,
            admitted_as=code.name,
        )
        tx.sessions.add(session)
        _record(tx, approval, session)
        notices.approval(tx, approval, "approval.redeemed")
        return session_answer(self.issuing.for_session(tx, session), refresh)


def _over(tx: Unit, approval: Approval) -> errors.ProtocolError:
    """Why there will be no session."""
    user = tx.directory.user(approval.user_id or "")
    if approval.state is State.EXPIRED:
        return _expired()
    if approval.state is State.DENIED:
        return errors.AccessDenied("The person denied this sign-in.", members={"reason": "denied"})
    if approval.state is State.CANCELLED and user is not None and user.enabled:
        return errors.AccessDenied("The sign-in was withdrawn.", members={"reason": "cancelled"})
    return errors.InvalidGrant(_UNKNOWN)


def _expired() -> errors.ProtocolError:
    return errors.ExpiredToken("Nobody let this device in in time. Begin again.")


def _record(tx: Unit, approval: Approval, session: Session) -> None:
    audit.record(
        tx,
        Entry(
            type=audit.Type.DEVICE_ADMITTED,
            actor=audit.by_user(session.user_id),
            subject=session.user_id,
            action=approval.action_digest,
            decision="redeemed",
            posture=approval.risk,
            approval_id=approval.id,
            facts={"session": session.id, "key": session.jkt, "name": session.admitted_as},
        ),
    )
