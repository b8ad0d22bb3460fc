"""Requests as lines of a spreadsheet (RFC 4180), for auditors and the like.

Owns: the columns and their order, which only ever grow at the end. Never: a cell that a spreadsheet
would run as a formula.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from approver_tui.cli.printing import rfc3339
from approver_tui.state.approvals.approvals import Approval, Decided

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _of_answer(read: Callable[[Decided], str | None]) -> Callable[[Approval], str | None]:
    """A column about the answer is empty where nobody answered."""
    return lambda approval: None if approval.decided is None else read(approval.decided)


COLUMNS: Mapping[str, Callable[[Approval], str | None]] = MappingProxyType(
    {
        "id": lambda one: one.id,
        "fingerprint": lambda one: one.fingerprint,
        "state": lambda one: one.state.value,
        "risk": lambda one: one.risk.value,
        "agent": lambda one: one.agent.name,
        "headline": lambda one: one.headline,
        "asked": lambda one: rfc3339(one.created_at),
        "decision": _of_answer(lambda decided: decided.decision.value),
        "by": _of_answer(lambda decided: decided.by_name),
        "device": _of_answer(lambda decided: decided.device_name),
        "decided": _of_answer(lambda decided: rfc3339(decided.at)),
        "code": _of_answer(lambda decided: decided.code),
        "granted": lambda one: None if one.granted is None else one.granted_headline,
    }
)
"""What each column is called, and what of a request stands in it."""


def lines(approvals: Iterable[Approval]) -> str:
    """Return the heading and a line for each request; each ends with CR and LF."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for approval in approvals:
        writer.writerow(_cell(read(approval) or "") for read in COLUMNS.values())
    return written.getvalue()


def _cell(text: str) -> str:
    """An agent's name must not become a formula where the file is opened."""
    return f"'{text}" if text.startswith(_FORMULA) else text
