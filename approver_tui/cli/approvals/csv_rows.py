"""Requests as CSV (RFC 4180), for spreadsheets.

Owns: the columns; new ones are only added at the end. Never: a cell that a spreadsheet would run as
a formula.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from approver_tui.cli.printing import rfc3339
from approver_tui.state.approvals.approvals import Approval, Decided

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _decision_column(read: Callable[[Decided], str | None]) -> Callable[[Approval], str | None]:
    """Return a column that is empty if nobody answered."""
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
        "decision": _decision_column(lambda decided: decided.decision.value),
        "by": _decision_column(lambda decided: decided.by_name),
        "device": _decision_column(lambda decided: decided.device_name),
        "decided": _decision_column(lambda decided: rfc3339(decided.at)),
        "code": _decision_column(lambda decided: decided.code),
        "granted": lambda one: None if one.granted is None else one.granted_headline,
    }
)
"""The name of each column, and how to read its value."""


def to_csv(approvals: Iterable[Approval]) -> str:
    """Return the header and a line for each request; each ends with CR and LF."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for approval in approvals:
        writer.writerow(_escape_cell(read(approval) or "") for read in COLUMNS.values())
    return written.getvalue()


def _escape_cell(text: str) -> str:
    """Escape a cell, so that an agent's name cannot become a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
