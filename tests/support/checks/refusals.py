"""Checks that refusals have the right form and change nothing.

Owns: the form of OAuth errors and problem documents, and the footprint of an installation.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import ColumnElement, ScalarSelect, Table, case, func, select

from server.storage.approvals.tables import approvals, decisions
from server.storage.devices.tables import devices, sessions
from server.storage.notifications.tables import feed_events, outbox
from server.storage.tokens.tables import delegations
from tests.support.servers.server import LiveServer

MARK = "xyzzyplugh"
"""A word that tests put into requests, and that no response may repeat."""

_TIMED_EVENTS = ("approval.expired", "approval.reminder", "approval.digest")
_STATE = case((approvals.c.state == "expired", "pending"), else_=approvals.c.state)
_BY_STATE = select(_STATE, func.count()).group_by(_STATE)


def _count(table: Table, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


_COUNTED = select(
    _count(decisions).label("decisions"),
    _count(delegations).label("tokens"),
    _count(sessions).label("sessions"),
    _count(devices).label("devices"),
    _count(feed_events, feed_events.c.event.not_in(_TIMED_EVENTS)).label("events"),
    _count(outbox, *(~outbox.c.body.contains(name) for name in _TIMED_EVENTS)).label("messages"),
)
_SENDABLE = re.compile(r"[\x20-\x21\x23-\x5B\x5D-\x7E]+")


@dataclass(frozen=True, slots=True)
class Footprint:
    """The rows that only an accepted request may change.

    Changes caused only by the passage of time are ignored.
    """

    approvals: tuple[tuple[str, int], ...]
    decisions: int
    tokens: int
    sessions: int
    devices: int
    events: int
    messages: int


def footprint(server: LiveServer) -> Footprint:
    """The current footprint of the database."""
    with server.services.store.read() as view:
        connection = view._connection
        by_state = tuple(sorted((row[0], row[1]) for row in connection.execute(_BY_STATE)))
        return Footprint(by_state, **connection.execute(_COUNTED).one()._mapping)


@contextlib.contextmanager
def assert_unchanged(server: LiveServer) -> Iterator[None]:
    """Check that the block changes no row in the footprint."""
    before = footprint(server)
    yield
    after = footprint(server)
    assert after == before, f"{before} changed to {after}"


def check_refusal(response: httpx.Response, status: int, error: str) -> dict[str, Any]:
    """Check an OAuth error against RFC 6749 5.2 and CIBA 13; return its members."""
    assert response.status_code == status, (response.status_code, response.text)
    body: dict[str, Any] = response.json()
    assert body["error"] == error, body
    assert response.headers["content-type"] == "application/json"
    _check_headers(response)
    assert _SENDABLE.fullmatch(body["error_description"]), body
    assert MARK not in response.text.lower()
    return body


def check_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check an error of the JSON API against RFC 9457; return its members."""
    assert response.status_code == status, (response.status_code, response.text)
    body: dict[str, Any] = response.json()
    assert (body["code"], body["status"]) == (code, status), body
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "detail"} <= body.keys()
    _check_headers(response)
    return body


def _check_headers(response: httpx.Response) -> None:
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    if response.status_code != httpx.codes.UNAUTHORIZED:
        assert "www-authenticate" not in response.headers
    assert MARK not in str(response.headers).lower()
