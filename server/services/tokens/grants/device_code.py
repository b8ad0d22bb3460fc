"""The device grant of the terminal app: starts a session (RFC 8628 3.4, 3.5), once per device code.

The terminal must prove the key with which it started, which the person's device signed for.
"""

import hashlib
from dataclasses import dataclass

from server.model.approvals import Approval
from server.model.audit import Entry
from server.model.devices import DeviceCode, Session
from server.model.ports import Secrets
from server.model.store import Store, Unit
from server.protocol import errors, names
from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.devices import device_codes
from server.services.approvals.current_checks import ApprovalChecks
from server.services.audit import audit
from server.services.devices.sessions import UNREGISTERED_MS, session_answer
from server.services.notifications import notices
from server.services.tokens.device_polls import UNKNOWN, poll_result
from server.services.tokens.endpoint import TokenRequest
from server.services.tokens.issuing import TokenIssuer
from server.services.users.dpop_proofs import Proofs

Outcome = dict[str, object] | errors.ProtocolError


@dataclass(frozen=True, slots=True)
class DeviceCodeGrant:
    """Answers the polls of a terminal that waits for approval."""

    store: Store
    secrets: Secrets
    proofs: Proofs
    issuing: TokenIssuer
    checks: ApprovalChecks

    def exchange(self, request: TokenRequest) -> dict[str, object]:
        """Return the session's first tokens. Raises errors.ProtocolError."""
        sent = hashlib.sha256(request.form.require("device_code").encode()).digest()
        device_codes.refuse_scope(request.form)
        with self.store.write() as tx:
            outcome = self._poll(tx, sent, request)
        if isinstance(outcome, errors.ProtocolError):
            raise outcome
        return outcome

    def _poll(self, tx: Unit, sent: bytes, request: TokenRequest) -> Outcome:
        """Handle one poll in a unit of work of its own.

        1. The code is known, and a terminal's. 2. The proof is of the key that got the code. 3. A
        person has approved in time. 4. That person is still allowed. 5. The UPDATE that redeems the
        approval succeeds, which happens once.
        """
        code = tx.device_codes.by_device_code(sent)
        if code is None or code.client_id != names.APPROVER_CLIENT:
            return errors.InvalidGrant(UNKNOWN)
        jwk = self.proofs.terminal(tx, request.proofs)
        if decisions.thumbprint(jwk) != code.jkt:
            return errors.InvalidDpopProof("The device code is bound to another key.")
        approval = poll_result(tx, code, request.waited_ms)
        if isinstance(approval, errors.ProtocolError):
            return approval
        if self.checks.invalid_reason(tx, approval) is not None:
            return errors.InvalidGrant("The user may not sign in anymore.")
        moved = tx.approvals.transition(approval, State.REDEEMED, now=tx.now)
        return (
            errors.InvalidGrant(UNKNOWN)
            if moved is None
            else self._start_session(tx, moved, code, jwk)
        )

    def _start_session(
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
            admitted_as=code.name,
        )
        tx.sessions.add(session)
        _record(tx, approval, session)
        notices.approval(tx, approval, "approval.redeemed")
        return session_answer(self.issuing.for_session(tx, session), refresh)


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
