"""A user's deputies on the server.

Owns: paths, bodies, reading the answers. Never: the signature that adds one.
"""

from urllib.parse import quote

from approver_tui.client.api import Client
from approver_tui.client.reading import JsonObject, read_as
from approver_tui.state.approvers.deputies import Deputies, Deputy

_PATH = "/api/deputies"


def list_deputies(client: Client) -> Deputies:
    """Return the user's deputies, and the users that they decide for."""
    answer = client.session.get(_PATH)
    return Deputies(
        mine=tuple(_read(child) for child in answer.children("mine")),
        others=tuple(_read(child) for child in answer.children("others")),
    )


def add_deputy(client: Client, deputy: str, begins: str, ends: str, statement: str) -> Deputy:
    """Add a deputy; the statement signs these exact values."""
    body = {"deputy": deputy, "from": begins, "to": ends, "statement": statement}
    return _read(client.session.post(_PATH, body))


def end_deputy(client: Client, deputy_id: str) -> None:
    """End a deputy period, as either of its two users."""
    client.session.delete(f"{_PATH}/{quote(deputy_id, safe='')}")


def _read(members: JsonObject) -> Deputy:
    return read_as(
        Deputy,
        members,
        user_name=members.child("user").safe("name"),
        deputy_name=members.child("deputy").safe("name"),
        begins=members.time("from"),
        ends=members.time("to"),
    )
