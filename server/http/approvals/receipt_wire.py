"""Receipts as JSON: the evidence to check a decision without this server."""

from collections.abc import Mapping
from typing import Final, Literal

from server.audit_log.proofs import Proof
from server.http import wire
from server.http.approvals import approval_wire
from server.http.tokens import delegation_wire
from server.http.tokens.delegation_wire import ManagedDelegation
from server.model.audit import StoredEntry
from server.protocol.approvals import decisions
from server.protocol.times import rfc3339
from server.services.approvals.receipts import AnswerEvidence, Receipt, RequestEvidence

VERSION: Final = "sayso-receipt/1"


class SigningKey(wire.RecordResponse):
    """A public key (RFC 7517). For a passkey, `kid` is its credential ID."""

    kid: str
    jwk: dict[str, str]


class ReceiptEntry(wire.RecordResponse):
    """An audit entry, with its exact bytes as text. The entry for an answer has the same `signed`.

    `proof` is a C2SP tlog-proof that the entry is in the audit log. It is null until a checkpoint
    includes the entry.
    """

    body: str
    proof: str | None


class DeviceSummary(wire.RecordResponse):
    """The ID, name and kind of a device."""

    id: str
    name: str
    kind: str


class ReceiptDecision(wire.RecordResponse):
    """One answer as its device signed it, with the evidence to verify it."""

    by: wire.Reference
    device: DeviceSummary
    decision: Literal["approve", "deny", "withdraw"]
    code: str | None
    at: wire.Time
    ceremony: str
    counts: bool
    reason: str | None
    signed: str
    key: SigningKey | None


class ReceiptRequest(wire.RecordResponse):
    """A request, its answers, and its audit entries, oldest first."""

    approval: approval_wire.Approval
    policy_version: int | None
    answers: list[ReceiptDecision]
    entries: list[ReceiptEntry]


class ReceiptContent(ReceiptRequest):
    """The members of a receipt that the server signs.

    `given_in` is the request in which the user gave the consent or standing grant that decided this
    one. `token` is included only for the user on whose behalf it acts; its `id` is also in an
    entry.
    """

    type: Literal["sayso-receipt/1"]
    issuer: str
    made_at: str
    fingerprint: str
    given_in: ReceiptRequest | None
    token: ManagedDelegation | None


class SignedReceipt(ReceiptContent):
    """A receipt with the server's compact JWS over all other members."""

    server_signature: str


def receipt(record: Receipt, issuer: str) -> ReceiptContent:
    """A receipt as JSON, without the server's signature."""
    request, given_in, token = record.request, record.given_in, record.token
    return ReceiptContent(
        type=VERSION,
        issuer=issuer,
        made_at=rfc3339(record.at),
        fingerprint=decisions.fingerprint(request.view.approval.action_digest),
        **dict(_evidence(request, record.proofs)),
        given_in=None if given_in is None else _evidence(given_in, record.proofs),
        token=None if token is None else delegation_wire.delegation(token, record.at),
    )


def _evidence(request: RequestEvidence, proofs: Mapping[str, Proof]) -> ReceiptRequest:
    return ReceiptRequest.of(
        request,
        approval=approval_wire.approval(request.view),
        answers=[_answer(answer) for answer in request.answers],
        entries=[_entry(entry, proofs.get(entry.id)) for entry in request.entries],
    )


def _answer(answer_evidence: AnswerEvidence) -> ReceiptDecision:
    answer, device = answer_evidence.decision, answer_evidence.device
    return ReceiptDecision.of(
        answer,
        by=wire.Reference(id=answer.user_id, name=answer_evidence.name),
        device=DeviceSummary(
            id=answer.device_id, name="" if device is None else device.name, kind=answer.channel
        ),
        counts=answer.voided_at is None,
        signed=answer.jws,
        key=answer_evidence.key,
    )


def _entry(entry: StoredEntry, proof: Proof | None) -> ReceiptEntry:
    return ReceiptEntry(body=entry.body.decode(), proof=None if proof is None else proof.text)
