"""Receipts: the signed evidence of a decision, for a third party.

Owns: collecting every answer as signed by its device, the keys to verify it, and the audit entries
of the request; signing the receipt. Never: verifying a receipt, which is up to its reader.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from server.audit_log.proofs import Proof
from server.audit_log.receipts import EVIDENCE
from server.model.approval_views import ApproverView
from server.model.approvals import Approval, Decision
from server.model.audit import StoredEntry
from server.model.devices import Device
from server.model.ports import Authenticators, Signer, Verifier
from server.model.store import Directory, Store, View
from server.model.tokens import Delegation, NamedDelegation
from server.protocol.devices import passkeys
from server.services.approvals.views import approver_view
from server.services.approvers import approvers
from server.services.audit import audit
from server.services.audit.log import AuditLog
from server.services.refusals import Conflict
from server.services.users.device_auth import Person

TYPE: Final = "sayso-receipt+jws"
ALGORITHM: Final = "ES256"


@dataclass(frozen=True, slots=True)
class Key:
    """The public key that verifies an answer; for a passkey, `kid` is the credential ID."""

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


@dataclass(frozen=True, slots=True)
class RequestEvidence:
    """The current state of a request, with the evidence of every answer and of its outcome."""

    view: ApproverView
    answers: tuple[AnswerEvidence, ...]
    entries: tuple[StoredEntry, ...]
    """The audit entries of the request that a receipt needs, oldest first."""

    @property
    def policy_version(self) -> int | None:
        """The version of the policy that was evaluated; None if policy was not evaluated."""
        version: int | None = json.loads(self.view.approval.policy).get("version")
        return version


@dataclass(frozen=True, slots=True)
class Receipt:
    """The evidence of a request, and of an earlier request whose approval decided it."""

    request: RequestEvidence
    given_in: RequestEvidence | None
    """The request that created the consent or standing grant that decided this one."""
    proofs: Mapping[str, Proof]
    """Entry ID → its proof of inclusion in the log; entries without a checkpoint are missing."""
    token: NamedDelegation | None
    """The request's token; None unless the token acts on behalf of the receipt's reader."""
    at: int


@dataclass(frozen=True, slots=True)
class Receipts:
    """Creates receipts on demand."""

    store: Store
    signer: Signer
    verifier: Verifier
    authenticators: Authenticators
    audit_log: AuditLog
    name_delegation: Callable[[Directory, Delegation], NamedDelegation]
    """Adds names to a delegation."""

    def find(self, person: Person, approval_id: str) -> Receipt:
        """Return a request's receipt for one of its approvers. Raises errors.Problem 404."""
        with self.store.read() as view:
            approval = approvers.get_for_approver(view, approval_id, person.user.id)
            request = self._evidence(view, approval, person)
            earlier = view.approvals.get(_granting_approval_id(request.entries) or "")
            given_in = None if earlier is None else self._evidence(view, earlier, person)
            token, now = self._token(view, approval, person), view.now
        entries = (*request.entries, *(given_in.entries if given_in else ()))
        return Receipt(request, given_in, dict(self._proofs(entries)), token, now)

    def sign(self, members: Mapping[str, object]) -> str:
        """Sign the members of a receipt (compact JWS)."""
        with self.store.read() as view:
            keys = view.directory.signing_keys()
        return self.signer.sign(keys, ALGORITHM, TYPE, members)

    def _evidence(self, view: View, approval: Approval, person: Person) -> RequestEvidence:
        return RequestEvidence(
            approver_view(view, approval, person.user.id),
            tuple(self._answer(view, answer) for answer in view.decisions.of_approval(approval.id)),
            tuple(_evidence_entries(view.audit.of_approval(approval.id))),
        )

    def _proofs(self, entries: Iterable[StoredEntry]) -> Iterator[tuple[str, Proof]]:
        for entry in entries:
            with suppress(Conflict):
                yield entry.id, self.audit_log.prove(entry.id)

    def _answer(self, view: View, decision: Decision) -> AnswerEvidence:
        user = view.directory.user(decision.user_id)
        device = view.devices.get(decision.device_id)
        return AnswerEvidence(
            decision,
            "" if user is None else user.name,
            device,
            None if device is None else self._key(view, device, decision.jws),
        )

    def _key(self, view: View, device: Device, signed: str) -> Key | None:
        if passkeys.is_assertion(signed):
            passkey = view.passkeys.get(device.id)
            if passkey is None:
                return None
            kid = passkeys.encode_base64url(passkey.credential)
            return Key(kid, self.authenticators.public_jwk(passkey))
        kid = self.verifier.key_of(signed)
        matching = (device.keys[name] for name, key_id in device.kids.items() if key_id == kid)
        jwk = next(matching, None)
        return None if jwk is None else Key(kid, jwk)

    def _token(self, view: View, approval: Approval, person: Person) -> NamedDelegation | None:
        delegation = view.delegations.of_approval(approval.id)
        if delegation is None or delegation.user_id != person.user.id:
            return None
        return self.name_delegation(view.directory, delegation)


def _evidence_entries(entries: list[StoredEntry]) -> Iterator[StoredEntry]:
    """Return the entries that a receipt needs, including only the first issued token."""
    issued = [entry.id for entry in entries if entry.type == audit.Type.TOKEN_ISSUED]
    for entry in entries:
        if entry.type in EVIDENCE and entry.id not in issued[1:]:
            yield entry


def _granting_approval_id(entries: Iterable[StoredEntry]) -> str | None:
    """Return the ID of the request that created the deciding consent or standing grant, if any."""
    all_facts = (
        entry.members["facts"] for entry in entries if entry.type == audit.Type.APPROVAL_ALLOWED
    )
    return next((facts.get("given_in") for facts in all_facts), None)
