"""A person's deputies, on the server.

Owns: paths, bodies, and how answers are read. Never: the signature that names one.
"""

from urllib.parse import quote

from approver_tui.client.api import Client
from approver_tui.client.reading import Members
from approver_tui.state.deputies import Deputies, Deputy

_PATH = "/api/deputies"


def of_person(client: Client) -> Deputies:
    """Return whom the person named, and for whom they decide."""
    answer = client.session.get(_PATH)
    return Deputies(
        mine=tuple(_read(one) for one in answer.children("mine")),
        others=tuple(_read(one) for one in answer.children("others")),
    )


def name(client: Client, deputy: str, begins: str, ends: str, statement: str) -> Deputy:
    """Let somebody decide for the person; the statement is over these very words."""
    body = {"deputy": deputy, "from": begins, "to": ends, "statement": statement}
    return _read(client.session.post(_PATH, body))


def end(client: Client, deputy_id: str) -> None:
    """End a deputy, or being one."""
    client.session.delete(f"{_PATH}/{quote(deputy_id, safe='')}")


def _read(members: Members) -> Deputy:
    return Deputy(
        id=members.safe("id"),
        user_name=members.child("user").safe("name"),
        deputy_name=members.child("deputy").safe("name"),
        begins=members.time("from"),
        ends=members.time("to"),
    )
