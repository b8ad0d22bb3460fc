"""Receipts: the signed evidence of a decision, for a third party.

Owns: every answer as its device signed it, with the key to check it and its audit entry; the
server's signature over the receipt. Never: checking the answers again; the reader does that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from server.audit_log.proofs import Proof
from server.model.approval_views import ApproverView
from server.model.approvals import Approval, Decision
from server.model.audit import StoredEntry
from server.model.devices import Device, Passkey
from server.model.ports import Authenticators, Signer, Verifier
from server.model.store import Directory, Store, View
from server.model.tokens import Delegation, NamedDelegation
from server.protocol.devices import passkeys
from server.services.approvals.views import approver_view as shown
from server.services.approvers import approvers
from server.services.audit.log import AuditLog
from server.services.refusals import Conflict
from server.services.users.device_auth import Person

TYPE: Final = "sayso-receipt+jws"
ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class Key:
    """The public key that signed an answer; for a passkey, `kid` is the credential id."""

    kid: str
    jwk: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AnswerEvidence:
    """One person's answer with its evidence."""

    decision: Decision
    name: str
    device: Device | None
    key: Key | None
    """None if the server no longer has the key."""
    entry: StoredEntry | None
    """The audit entry that contains the signed answer."""
    proof: Proof | None = None
    """That the entry is in the log; None until a checkpoint has it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The current state of a request, with the evidence of every answer."""

    shown: ApproverView
    answers: tuple[AnswerEvidence, ...]
    token: NamedDelegation | None
    """The token of the request, only for the user on whose behalf it acts."""
    at: int


@dataclass(frozen=True, slots=True)
class Receipts:
    """Makes receipts on demand."""

    store: Store
    signer: Signer
    verifier: Verifier
    authenticators: Authenticators
    audit_log: AuditLog
    name_delegation: Callable[[Directory, Delegation], NamedDelegation]
    """Add the names to a delegation."""

    def of(self, person: Person, approval_id: str) -> Receipt:
        """The receipt of a request that asked this person. Raises errors.Problem 404."""
        with self.store.read() as view:
            approval = approvers.get_for_approver(view, approval_id, person.user.id)
            entries = view.audit.of_approval(approval.id)
            receipt = Receipt(
                shown(view, approval, person.user.id),
                tuple(
                    self._answer(view, one, entries)
                    for one in view.decisions.of_approval(approval.id)
                ),
                self._token(view, approval, person),
                view.now,
            )
        return replace(receipt, answers=tuple(map(self._proved, receipt.answers)))

    def sign(self, members: Mapping[str, object]) -> str:
        """Sign the members of a receipt (compact JWS)."""
        with self.store.read() as view:
            keys = view.directory.signing_keys()
        return self.signer.sign(keys, ALGORITHM, TYPE, members)

    def _proved(self, answer: AnswerEvidence) -> AnswerEvidence:
        """The answer with the proof of its entry, if a checkpoint has it already."""
        if answer.entry is None:
            return answer
        try:
            return replace(answer, proof=self.audit_log.prove(answer.entry.id))
        except Conflict:
            return answer

    def _answer(self, view: View, decision: Decision, entries: list[StoredEntry]) -> AnswerEvidence:
        user = view.directory.user(decision.user_id)
        device = view.devices.get(decision.device_id)
        return AnswerEvidence(
            decision,
            "" if user is None else user.name,
            device,
            None if device is None else self._key(view, device, decision.jws),
            next((one for one in entries if _contains_answer(one, decision.jws)), None),
        )

    def _key(self, view: View, device: Device, signed: str) -> Key | None:
        if passkeys.is_assertion(signed):
            passkey = view.passkeys.of_device(device.id)
            return None if passkey is None else self._passkey(passkey)
        kid = self.verifier.key_of(signed)
        found = (device.keys[name] for name, known in device.kids.items() if known == kid)
        jwk = next(found, None)
        return None if jwk is None else Key(kid, jwk)

    def _passkey(self, passkey: Passkey) -> Key:
        return Key(passkeys.encoded(passkey.credential), self.authenticators.public_jwk(passkey))

    def _token(self, view: View, approval: Approval, person: Person) -> NamedDelegation | None:
        found = view.delegations.of_approval(approval.id)
        own = found is not None and found.user_id == person.user.id
        return self.name_delegation(view.directory, found) if found is not None and own else None


def _contains_answer(entry: StoredEntry, signed: str) -> bool:
    """Reports whether an audit entry contains this signed answer."""
    return bool(entry.members.get("facts", {}).get("signed") == signed)
