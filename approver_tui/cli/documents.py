"""The JSON documents of `--json`. New versions add members, and never change or remove one.

Owns: their members. Never: plain lines.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from approver_tui.cli.printing import rfc3339
from approver_tui.client.approvals.receipts import ReceiptPart, Verdict, verdict
from approver_tui.client.reading import TIMES
from approver_tui.client.wire import Page
from approver_tui.state.approvals.approvals import (
    Approval,
    AutomaticDecision,
    Decided,
    Execution,
    Unverified,
)
from approver_tui.state.approvals.ceremony import ceremony_text
from approver_tui.state.approvals.narrowing import Granted
from approver_tui.state.approvals.votes import VoteTally
from approver_tui.state.consents.consents import Consent
from approver_tui.state.devices.devices import Device
from approver_tui.state.incidents.reports import ReportResult
from approver_tui.state.notifications.events import AlarmSubject, Event


def members(value: Any, *without: str, **extra: object) -> dict[str, object]:  # noqa: ANN401  # any dataclass
    """Return the fields of a value as members of the same name, with times as RFC 3339.

    Fields in `without` are left out, and the members in `extra` are added.
    """
    names = (field.name for field in fields(value) if field.name not in without)
    return {name: _member(name, getattr(value, name)) for name in names} | extra


def _member(name: str, value: object) -> object:
    if isinstance(value, tuple):
        return [_member("", item) for item in value]
    if is_dataclass(value):
        return members(value)
    if isinstance(value, int) and name.rpartition("_")[2] in TIMES:
        return rfc3339(value)
    return value


def id_and_name(value: object, name: str) -> dict[str, object]:
    """Return the fields `NAME_id` and `NAME_name` of a value as an object."""
    return {"id": getattr(value, f"{name}_id"), "name": getattr(value, f"{name}_name")}


def inbox(page: Page) -> dict[str, object]:
    """Return what `inbox` prints."""
    return {"schema": "sayso.inbox/1", **_page(page)}


def history(page: Page) -> dict[str, object]:
    """Return what `history` prints."""
    return {"schema": "sayso.history/1", **_page(page)}


def item(approval: Approval) -> dict[str, object]:
    """Return one row of `inbox` and `history` as its own document."""
    return {"schema": "sayso.item/1", **summary(approval)}


def unverified(row: Unverified) -> dict[str, object]:
    """Return a request that failed verification as its own document."""
    return {"schema": "sayso.unverified/1", "id": row.id, "problem": row.problem}


def _page(page: Page) -> dict[str, object]:
    return {
        "items": [summary(approval) for approval in page.items],
        "unverified": [members(row) for row in page.unverified],
        "next": page.next,
        "feed_cursor": page.feed_cursor,
        "server_time": rfc3339(page.server_time),
    }


def summary(approval: Approval) -> dict[str, object]:
    """Return an approval as a row of a list."""
    return {
        "id": approval.id,
        "kind": approval.kind.value,
        "fingerprint": approval.fingerprint,
        "state": approval.state.value,
        "risk": approval.risk.value,
        "ceremony": ceremony_text(approval.steps),
        "headline": approval.headline,
        "agent": {"id": approval.agent.id, "name": approval.agent.name},
        "created_at": rfc3339(approval.created_at),
        "expires_at": rfc3339(approval.expires_at),
        "over_at": None if approval.over_at is None else rfc3339(approval.over_at),
        "held_back": approval.held_back,
        "supersedes": None if approval.supersedes is None else members(approval.supersedes),
        "reason": approval.reason,
        "retry": None if approval.retry is None else approval.retry.value,
        "decided": decided(approval.decision),
        "decided_by": _automatic_decision(approval.automatic_decision),
        "execution": _execution(approval.execution),
        "granted": granted(approval.granted),
        "vote_tally": _vote_tally(approval.vote_tally),
    }


def approval_in_full(approval: Approval) -> dict[str, object]:
    """Return everything about one approval, with the two signed texts as received."""
    display = approval.display
    return {
        "schema": "sayso.approval/1",
        **summary(approval),
        "title": display.title,
        "risk_reason": display.risk_reason,
        "agent": members(display.agent),
        "facts": [members(fact) for fact in display.facts],
        "scopes": [{"scope": scope.name, "risk": scope.risk.value} for scope in display.scopes],
        "resource": display.resource,
        "unusual": None
        if display.unusual is None
        else [members(signal) for signal in display.unusual],
        "compared": display.compared,
        "undo": display.undo,
        "type_back": None if display.type_back is None else members(display.type_back),
        "why": display.why,
        "gives": display.gives,
        "agent_says": display.agent_says,
        "user": {"id": display.user_id, "name": display.user_name},
        "asked_from": display.asked_from,
        "asked_at": rfc3339(display.asked_at),
        "action": approval.action_text,
        "display": approval.display_text,
        "action_digest": approval.action_digest,
        "display_digest": approval.display_digest,
        "devices": [
            members(delivery, "device_id", "device_name", **id_and_name(delivery, "device"))
            for delivery in approval.devices
        ],
    }


def decision(approval: Approval) -> dict[str, object]:
    """Return what `approve` and `deny` print."""
    return {"schema": "sayso.decision/1", **summary(approval)}


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
    approval, changed_device = (None, None) if value is None else (value.approval, value.device)
    return {
        "schema": "sayso.event/1",
        "event": "resync" if value is None else value.name.value,
        "seq": None if value is None else value.seq,
        "at": None if value is None else rfc3339(value.at),
        "rings": value is not None and value.should_alert,
        "approval": None if approval is None else summary(approval),
        "device": None if changed_device is None else device(changed_device),
        "about": None if value is None else _alarm_subject(value.about),
    }


def _alarm_subject(value: AlarmSubject | None) -> dict[str, object] | None:
    if value is None:
        return None
    agent = {"id": value.agent_id, "name": value.agent}
    return {"agent": agent, "incident": value.incident}


def report_result(done: ReportResult) -> dict[str, object]:
    """Return what `report` prints."""
    return {
        "schema": "sayso.report/1",
        "incident": done.incident,
        "scope": done.scope.value,
        "agents": [members(agent) for agent in done.agents],
        "approval": summary(done.approval),
    }


def decided(value: Decided | None) -> dict[str, object] | None:
    """Return who answered and how."""
    if value is None:
        return None
    separate = ("by_id", "by_name", "device_id", "device_name")
    return members(
        value, *separate, by=id_and_name(value, "by"), device=id_and_name(value, "device")
    )


def _automatic_decision(value: AutomaticDecision | None) -> dict[str, object] | None:
    if value is None:
        return None
    if value.grant is None:
        return {"consent": value.consent, "policy": value.policy}
    return {"standing_grant": value.grant, "use": value.use, "policy": value.policy}


def _vote_tally(value: VoteTally | None) -> dict[str, object] | None:
    if value is None:
        return None
    votes = [
        members(
            vote, "by_id", "by_name", "answer", by=id_and_name(vote, "by"), decision=vote.answer
        )
        for vote in value.votes
    ]
    return members(value, "votes", answers=votes)


def _execution(value: Execution | None) -> dict[str, object] | None:
    if value is None:
        return None
    outcomes = {None: None, True: "executed", False: "failed"}
    return members(
        value, "id", "succeeded", execution_id=value.id, outcome=outcomes[value.succeeded]
    )


def granted(value: Granted | None) -> dict[str, object] | None:
    """Return what was granted, if it is less than requested, with its text as received."""
    if value is None:
        return None
    changes = [members(difference) for difference in value.differences]
    return {"text": value.text, "headline": value.headline, "changes": changes}


def device(value: Device) -> dict[str, object]:
    """Return one device."""
    separate = ("is_active", "is_this", "session_key", "low_key", "high_key", "nonce", "browsers")
    return members(
        value,
        *separate,
        state="active" if value.is_active else "revoked",
        this=value.is_this,
        high_from=rfc3339(value.high_from),
        keys={"session": value.session_key, "low": value.low_key, "high": value.high_key},
    )


def consent(value: Consent) -> dict[str, object]:
    """Return one consent."""
    separate = ("client_id", "client_name", "app_name")
    return members(value, *separate, client=id_and_name(value, "client"), app=value.app_name)
