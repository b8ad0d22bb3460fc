"""Verifies a receipt with the public key of the log alone.

Owns: that each answer in it is in the log, signed over the texts in the receipt.
Never: whose key it is, which only the whole log proves; the names in the receipt and its server's
signature, which need the keys of the server.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.audit_log import signatures
from server.audit_log.merkle import BadProof
from server.audit_log.notes import BadNote, LogKey
from server.audit_log.proofs import Proof

FORMAT: Final = "sayso-receipt/1"
_NO_PROOF: Final = (
    "has no proof that it is in the log: the receipt was made by an earlier version, or within "
    "two seconds of the answer. Download it again."
)
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "approve": frozenset({"approval.approved", "approval.voted"}),
    "deny": frozenset({"approval.denied"}),
    "withdraw": frozenset({"approval.vote_withdrawn"}),
}
"""The entries of each answer."""


class BadReceipt(Exception):
    """The receipt does not prove what it claims."""


@dataclass(frozen=True, slots=True)
class ProvedReceipt:
    """A receipt whose answers are all in the log."""

    approval: str
    answers: int
    at: int
    """The time of the oldest checkpoint that has them (s)."""


def read(text: str) -> Mapping[str, Any] | None:
    """Read a receipt; None if the text is something else."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("type") == FORMAT else None


def check(receipt: Mapping[str, Any], keys: Sequence[LogKey]) -> ProvedReceipt:
    """Check every answer of a receipt. Raises `BadReceipt` with the reason."""
    try:
        approval = receipt["approval"]
        _check_texts(approval)
        times = [_check_answer(approval, one, keys) for one in receipt["answers"]]
        _require(times, "Nobody answered this request, so nothing can be proved.")
        return ProvedReceipt(str(approval["id"]), len(times), min(times))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadReceipt(f"A member of the receipt is missing or wrong: {error}.") from error


def _check_texts(approval: Mapping[str, Any]) -> None:
    for name in ("action", "display"):
        holds = _digest(approval[name]) == approval[f"{name}_digest"]
        _require(holds, f"approval/{name} was changed: it does not match its digest.")


def _check_answer(
    approval: Mapping[str, Any], answer: Mapping[str, Any], keys: Sequence[LogKey]
) -> int:
    """Check one answer; returns the time of its checkpoint."""
    whose, entry = f"The answer of {answer['by']['id']}", answer["entry"]
    proof = None if entry is None else entry.get("proof")
    if not proof:
        raise BadReceipt(f"{whose} {_NO_PROOF}")
    try:
        proved = Proof.read(proof)
        at = proved.check(keys)
    except (BadProof, BadNote) as error:
        raise BadReceipt(f"{whose} is not proved. {error}") from error
    _require(proved.body == entry["body"].encode(), f"{whose}: entry/body is not what is proved.")
    logged = json.loads(proved.body)
    expected = {"id": entry["id"], "approval_id": approval["id"]}
    for name, value in expected.items():
        _require(logged.get(name) == value, f"{whose}: {name} is not that of the entry.")
    _require(
        logged.get("type") in _KINDS[answer["decision"]]
        and str(logged.get("actor")).endswith(f":{answer['by']['id']}")
        and logged["facts"]["signed"] == answer["signed"],
        f"{whose}: the entry is about another answer.",
    )
    _check_signed(approval, answer, whose)
    return at


def _check_signed(approval: Mapping[str, Any], answer: Mapping[str, Any], whose: str) -> None:
    """Check what was signed, and the signature by the key in the receipt."""
    signed = signatures.read(answer["signed"])
    if signed is None:
        raise BadReceipt(f"{whose}: the signature cannot be read.")
    if answer["key"] is None:
        raise BadReceipt(f"{whose}: the receipt has no key, so the signature cannot be checked.")
    key = signatures.of_jwk(answer["key"]["jwk"])
    _require(key is not None and signed.is_by(key), f"{whose}: the signature is invalid.")
    expected = {
        "approval": approval["id"],
        "action_digest": approval["action_digest"],
        "display_digest": approval["display_digest"],
        "decision": answer["decision"],
    }
    if answer["decision"] == "approve" and answer["counts"]:
        granted = approval["granted"]
        expected["granted"] = None if granted is None else _digest(granted["text"])
    for name, value in expected.items():
        _require(signed.payload.get(name) == value, f"{whose}: {name} is not what was signed.")


def _require(holds: object, words: str) -> None:
    if not holds:
        raise BadReceipt(words)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
