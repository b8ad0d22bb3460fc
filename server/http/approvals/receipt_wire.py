"""Receipts as JSON: the evidence to check a decision without this server."""

from typing import Final, Literal

from pydantic import BaseModel

from server.audit_log.proofs import Proof
from server.http import wire
from server.http.approvals import approval_wire
from server.http.tokens import delegation_wire
from server.http.tokens.delegation_wire import ManagedDelegation
from server.model.audit import StoredEntry
from server.protocol.approvals import decisions
from server.services.approvals.receipts import AnswerEvidence, Key, Receipt
from server.services.policy.displays import rfc3339

VERSION: Final = "sayso-receipt/1"


class SigningKey(BaseModel):
    """A public key (RFC 7517); for a passkey, `kid` is its credential id."""

    kid: str
    jwk: dict[str, str]


class ReceiptEntry(BaseModel):
    """The audit entry: its exact bytes as text, and their leaf hash (SHA-256, hexadecimal).

    `proof` is a C2SP tlog-proof that it is in the audit log; null until a checkpoint has it.
    """

    id: str
    body: str
    leaf: str
    proof: str | None


class DeviceSummary(BaseModel):
    """A device by id, name and kind."""

    id: str
    name: str
    kind: str


class ReceiptDecision(BaseModel):
    """One answer as its device signed it, with the evidence to check it."""

    by: wire.Reference
    device: DeviceSummary
    decision: Literal["approve", "deny"]
    code: str | None
    at: str
    ceremony: str
    counts: bool
    reason: str | None
    signed: str
    key: SigningKey | None
    entry: ReceiptEntry | None


class ReceiptContent(BaseModel):
    """The members of a receipt that the server signs."""

    type: Literal["sayso-receipt/1"]
    issuer: str
    made_at: str
    fingerprint: str
    approval: approval_wire.Approval
    answers: list[ReceiptDecision]
    token: ManagedDelegation | None


class SignedReceipt(ReceiptContent):
    """A receipt with the server's compact JWS over all other members."""

    server_signature: str


def receipt(found: Receipt, issuer: str) -> ReceiptContent:
    """A receipt as JSON, without the server's signature."""
    shown, token = found.shown, found.token
    return ReceiptContent(
        type=VERSION,
        issuer=issuer,
        made_at=rfc3339(found.at),
        fingerprint=decisions.fingerprint(shown.approval.action_digest),
        approval=approval_wire.approval(shown),
        answers=[_answer(answer) for answer in found.answers],
        token=None if token is None else delegation_wire.delegation(token, found.at),
    )


def _answer(one: AnswerEvidence) -> ReceiptDecision:
    answer, device, entry = one.decision, one.device, one.entry
    return ReceiptDecision(
        by=wire.Reference(id=answer.user_id, name=one.name),
        device=DeviceSummary(
            id=answer.device_id, name="" if device is None else device.name, kind=answer.channel
        ),
        decision=answer.decision,
        code=answer.code,
        at=rfc3339(answer.at),
        ceremony=answer.ceremony,
        counts=answer.voided_at is None,
        reason=answer.reason,
        signed=answer.jws,
        key=_key(one.key),
        entry=None if entry is None else _entry(entry, one.proof),
    )


def _entry(entry: StoredEntry, proof: Proof | None) -> ReceiptEntry:
    return ReceiptEntry(
        id=entry.id,
        body=entry.body.decode(),
        leaf=entry.leaf.hex(),
        proof=None if proof is None else proof.text,
    )


def _key(key: Key | None) -> SigningKey | None:
    return None if key is None else SigningKey(kid=key.kid, jwk=dict(key.jwk))
