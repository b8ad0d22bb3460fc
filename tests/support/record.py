"""What the log and the rows of a live server say."""

import json
from typing import Any

from server.protocol.states import State
from server.services.records import Approval
from tests.support.server import LiveServer


def stored(server: LiveServer, approval_id: str) -> Approval:
    """The approval as its row has it."""
    with server.services.store.read() as view:
        found = view.approvals.get(approval_id)
    assert found is not None
    return found


def state(server: LiveServer, approval_id: str) -> tuple[State, str | None]:
    """Where it stands, and why."""
    row = stored(server, approval_id)
    return row.state, row.reason


def waiting(server: LiveServer, user: str) -> list[Approval]:
    """What waits for somebody, whether or not they have a device."""
    with server.services.store.read() as view:
        found = view.directory.user_called(user)
        assert found is not None
        return view.approvals.waiting(found.id, view.now, 100, None)


def story(server: LiveServer, approval_id: str) -> list[str]:
    """The types of the log's entries about an approval, in order."""
    with server.services.store.read() as view:
        return [entry.type for entry in view.audit.of_approval(approval_id)]


def entries(server: LiveServer, kind: str, **members: str) -> list[dict[str, Any]]:
    """The newest entries of one type that have these members."""
    with server.services.store.read() as view:
        bodies = [json.loads(entry.body) for entry in view.audit.tail(1_000)]
    return [
        body
        for body in bodies
        if body["type"] == kind and all(body.get(name) == value for name, value in members.items())
    ]
