"""The JSON documents of `--json`. New versions add members, and never change or remove one.

Owns: their members. Never: plain lines.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import singledispatch
from typing import Any

from approver_tui.cli.printing import rfc3339
from approver_tui.client.approvals.receipts import ReceiptPart, Verdict, verdict
from approver_tui.client.reading import TIMES
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import Approval, AutomaticDecision, Decided, Execution
from approver_tui.state.approvals.ceremony import ceremony_text
from approver_tui.state.approvals.narrowing import Granted
from approver_tui.state.approvals.votes import Vote, VoteTally
from approver_tui.state.consents.consents import Consent
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.deliveries import Delivery
from approver_tui.state.notifications.events import AlarmSubject, Event


def members(value: Any, *excluded: str, **extra: object) -> dict[str, object]:  # noqa: ANN401  # any dataclass
    """Return the fields of a value as members of the same name, with times as RFC 3339.

    Fields in `excluded` are left out, and the members in `extra` are added.
    """
    names = (field.name for field in fields(value) if field.name not in excluded)
    return _named_members(value, *names) | extra


def _named_members(value: object, *names: str) -> dict[str, object]:
    """Return these attributes of a value as members of the same name, with times as RFC 3339."""
    return {name: _member(name, getattr(value, name)) for name in names}


def _member(name: str, value: object) -> object:
    if isinstance(value, int) and name.rpartition("_")[2] in TIMES:
        return rfc3339(value)
    return to_json(value)


@singledispatch
def to_json(value: object) -> Any:  # noqa: ANN401  # JSON
    """Return a value as JSON. A type whose members differ from its fields has its own function."""
    return members(value) if is_dataclass(value) else value


@to_json.register(tuple)
def _list(value: tuple[object, ...]) -> list[object]:
    return [to_json(item) for item in value]


def id_and_name(value: object, name: str) -> dict[str, object]:
    """Return the fields `NAME_id` and `NAME_name` of a value as an object."""
    return {"id": getattr(value, f"{name}_id"), "name": getattr(value, f"{name}_name")}


def document(schema: str, value: object) -> dict[str, object]:
    """Return a value as a document that names its schema."""
    return {"schema": schema, **to_json(value)}


@to_json.register
def _page(page: Page) -> dict[str, object]:
    return _named_members(page, "items", "unverified", "next", "feed_cursor", "server_time")


def summary(approval: Approval) -> dict[str, object]:
    """Return an approval as a row of a list."""
    return {
        **_named_members(approval, "id", "kind", "fingerprint", "state", "risk"),
        "ceremony": ceremony_text(approval.steps),
        "headline": approval.headline,
        "agent": _named_members(approval.agent, "id", "name"),
        **_named_members(approval, "created_at", "expires_at", "over_at", "held_back"),
        **_named_members(approval, "supersedes", "reason", "retry"),
        "decided": to_json(approval.decision),
        "decided_by": to_json(approval.automatic_decision),
        **_named_members(approval, "execution", "granted", "vote_tally"),
    }


def approval_in_full(approval: Approval) -> dict[str, object]:
    """Return everything about one approval, with the two signed texts as received."""
    display = approval.display
    return {
        "schema": "sayso.approval/1",
        **summary(approval),
        **_named_members(display, "title", "risk_reason", "agent", "facts"),
        "scopes": [{"scope": scope.name, "risk": scope.risk.value} for scope in display.scopes],
        **_named_members(display, "resource", "unusual", "compared", "undo", "type_back"),
        **_named_members(display, "why", "gives", "agent_says"),
        "user": id_and_name(display, "user"),
        **_named_members(display, "asked_from", "asked_at"),
        "action": approval.action_text,
        "display": approval.display_text,
        **_named_members(approval, "action_digest", "display_digest", "devices"),
    }


@to_json.register
def _delivery(value: Delivery) -> dict[str, object]:
    return members(value, "device_id", "device_name", **id_and_name(value, "device"))


def decisions(
    denied: Iterable[Approval], failed: Iterable[tuple[str, Mapping[str, object]]]
) -> dict[str, object]:
    """Return what `deny` prints for several requests."""
    return {
        "schema": "sayso.decisions/1",
        "items": [summary(approval) for approval in denied],
        "failed": [
            {"id": approval_id} | {name: error[name] for name in ("error", "detail", "exit")}
            for approval_id, error in failed
        ],
    }


def receipt_proof(receipt: Mapping[str, object], parts: Sequence[ReceiptPart]) -> dict[str, object]:
    """Return what `receipt` prints; the receipt is unchanged."""
    return {
        "schema": "sayso.proof/1",
        "holds": verdict(parts) is Verdict.PROVED,
        "parts": [
            {"what": part.what, "verdict": part.verdict.value, "why": part.why or None}
            for part in parts
        ],
        "receipt": dict(receipt),
    }


def event(value: Event | None) -> dict[str, object]:
    """Return one line of `watch`; None is a gap, after which the inbox must be fetched again."""
    return {
        "schema": "sayso.event/1",
        "event": "resync" if value is None else value.name.value,
        "seq": value and value.seq,
        "at": value and rfc3339(value.at),
        "rings": value is not None and value.should_alert,
        "approval": value and to_json(value.approval),
        "device": value and to_json(value.device),
        "about": value and to_json(value.about),
    }


@to_json.register
def _alarm_subject(value: AlarmSubject) -> dict[str, object]:
    agent = {"id": value.agent_id, "name": value.agent}
    return {"agent": agent, "incident": value.incident}


@to_json.register
def _decided(value: Decided) -> dict[str, object]:
    excluded = ("by_id", "by_name", "device_id", "device_name")
    return members(
        value, *excluded, by=id_and_name(value, "by"), device=id_and_name(value, "device")
    )


@to_json.register
def _automatic_decision(value: AutomaticDecision) -> dict[str, object]:
    if value.grant is None:
        return {"consent": value.consent, "policy": value.policy}
    return {"standing_grant": value.grant, "use": value.use, "policy": value.policy}


@to_json.register
def _vote_tally(value: VoteTally) -> dict[str, object]:
    return members(value, "votes", answers=to_json(value.votes))


@to_json.register
def _vote(value: Vote) -> dict[str, object]:
    excluded = ("by_id", "by_name", "answer")
    return members(value, *excluded, by=id_and_name(value, "by"), decision=value.answer)


@to_json.register
def _execution(value: Execution) -> dict[str, object]:
    outcomes = {None: None, True: "executed", False: "failed"}
    return members(
        value, "id", "succeeded", execution_id=value.id, outcome=outcomes[value.succeeded]
    )


@to_json.register
def _granted(value: Granted) -> dict[str, object]:
    """Return what was granted, if it is less than requested, with its text as received."""
    changes = to_json(value.differences)
    return {"text": value.text, "headline": value.headline, "changes": changes}


@to_json.register
def _device(value: Device) -> dict[str, object]:
    excluded = ("is_active", "is_this", "session_key", "low_key", "high_key", "nonce", "browsers")
    return members(
        value,
        *excluded,
        state="active" if value.is_active else "revoked",
        this=value.is_this,
        high_from=rfc3339(value.high_from),
        keys={"session": value.session_key, "low": value.low_key, "high": value.high_key},
    )


@to_json.register
def _consent(value: Consent) -> dict[str, object]:
    excluded = ("client_id", "client_name", "app_name")
    return members(value, *excluded, client=id_and_name(value, "client"), app=value.app_name)


to_json.register(Approval, summary)
