"""What every refusal owes its caller, and that it left nothing behind.

Owns: the form of OAuth errors and problem documents as a client meets them, the footprint of an
installation.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import ColumnElement, Table, case, func, select

from server.storage.approvals.tables import approvals, decisions
from server.storage.devices.tables import devices, sessions
from server.storage.notifications.tables import feed_events, outbox
from server.storage.tokens.tables import delegations
from tests.support.servers.server import LiveServer

MARK = "xyzzyplugh"
"""A word that tests put into what they send, and that no answer may repeat."""

_BY_THE_CLOCK = ("approval.expired", "approval.reminder", "approval.digest")
_STATE = case((approvals.c.state == "expired", "pending"), else_=approvals.c.state)
_SENDABLE = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")


@dataclass(frozen=True, slots=True)
class Footprint:
    """Everything that only an accepted request may change; what the clock ends is left out."""

    approvals: tuple[tuple[str, int], ...]
    decisions: int
    tokens: int
    sessions: int
    devices: int
    events: int
    messages: int


def footprint(server: LiveServer) -> Footprint:
    """The footprint as the database has it now."""
    with server.services.store.read() as view:
        connection = view._connection

        def count(table: Table, *conditions: ColumnElement[bool]) -> int:
            counted = select(func.count()).select_from(table).where(*conditions)
            return int(connection.execute(counted).scalar_one())

        by_state = select(_STATE, func.count()).group_by(_STATE)
        return Footprint(
            approvals=tuple(sorted((row[0], row[1]) for row in connection.execute(by_state))),
            decisions=count(decisions),
            tokens=count(delegations),
            sessions=count(sessions),
            devices=count(devices),
            events=count(feed_events, feed_events.c.event.not_in(_BY_THE_CLOCK)),
            messages=count(outbox, *(~outbox.c.body.contains(said) for said in _BY_THE_CLOCK)),
        )


@contextlib.contextmanager
def unchanged(server: LiveServer) -> Iterator[None]:
    """The calls in the block leave no new approval, answer, token, event or message."""
    before = footprint(server)
    yield
    after = footprint(server)
    assert after == before, f"{before} became {after}"


def check_refusal(response: httpx.Response, status: int, error: str) -> dict[str, Any]:
    """Hold an OAuth refusal to RFC 6749 5.2 and CIBA 13; returns its members."""
    assert response.status_code == status, (response.status_code, response.text)
    body: dict[str, Any] = response.json()
    assert body["error"] == error, body
    assert response.headers["content-type"] == "application/json"
    _check_head(response)
    assert _SENDABLE.fullmatch(body["error_description"]), body
    assert MARK not in response.text.lower()
    return body


def check_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Hold a refusal of the JSON API to RFC 9457; returns its members."""
    assert response.status_code == status, (response.status_code, response.text)
    body: dict[str, Any] = response.json()
    assert (body["code"], body["status"]) == (code, status), body
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "detail"} <= body.keys()
    _check_head(response)
    return body


def _check_head(response: httpx.Response) -> None:
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    if response.status_code != httpx.codes.UNAUTHORIZED:
        assert "www-authenticate" not in response.headers
    assert MARK not in str(response.headers).lower()
