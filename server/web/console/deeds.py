"""What the forms of the console do: which row of the API each one calls, with which body."""

from typing import Final

from server.web.console import bodies, people_fields
from server.web.console.client_deeds import CLIENT_DEEDS
from server.web.console.deed import Deed
from server.web.console.fields import Field
from server.web.console.rule_deeds import RULE_DEEDS


def _end(kind: str, words: str, *, then: str = "") -> Deed:
    """A form of one button at one thing of a list."""
    row = f"POST /api/admin/{kind}/<id>/revoke"
    return Deed(f"/admin/{kind}/<id>/revoke", row, words, then=then or f"/admin/{kind}")


_ENDS: Final = (
    Deed(
        "/admin/approvals/<id>/cancel",
        "POST /api/admin/approvals/<id>/cancel",
        "Withdraw this request",
        body=bodies.reason,
        page="/admin/approvals/<id>",
        then="/admin/approvals/<id>",
    ),
    Deed(
        "/admin/approvals/<id>/escalate",
        "POST /api/admin/approvals/<id>/escalate",
        "Ask one more person about this request",
        fields=(Field("to", "Ask one more person", needed=True, flag="--to"),),
        page="/admin/approvals/<id>",
        then="/admin/approvals/<id>",
    ),
    _end("delegations", "End this token and all that came from it", then="/admin/delegations/<id>"),
    _end("consents", "End this consent"),
    _end("grants", "End this standing grant"),
    _end("deputies", "End this deputy"),
    Deed(
        "/admin/incidents/<id>/close",
        "POST /api/incidents/<id>/close",
        "Close this incident",
        body=bodies.note,
        page="/admin/incidents/<id>",
        then="/admin/incidents/<id>",
    ),
    Deed(
        "/admin/devices/<id>/revoke",
        "DELETE /api/admin/devices/<id>",
        "End this device",
        then="/admin/devices",
    ),
)

_PEOPLE: Final = (
    Deed(
        "/admin/new/user/add",
        "POST /api/users",
        "Let somebody in",
        fields=people_fields.NEW_USER,
        page="/admin/new/user",
        told="code.html",
    ),
    Deed(
        "/admin/users/<id>/change",
        "PATCH /api/users/<id>",
        "Change this person",
        fields=people_fields.CHANGED_USER,
        page="/admin/users/<id>",
        of="user",
        then="/admin/users/<id>",
    ),
    Deed(
        "/admin/users/<id>/disable",
        "POST /api/users/<id>/disable",
        "Stop this person",
        then="/admin/users/<id>",
    ),
    Deed(
        "/admin/users/<id>/enable",
        "POST /api/users/<id>/enable",
        "Let this person go on",
        then="/admin/users/<id>",
    ),
    Deed(
        "/admin/users/<id>/code",
        "POST /api/users/<id>/codes",
        "Make a one-time code for one more device of this person",
        told="code.html",
    ),
    Deed(
        "/admin/users/<id>/unlock",
        "POST /api/users/<id>/unlock",
        "Let the locked devices of this person try again",
        then="/admin/users/<id>",
    ),
)

_GROUPS: Final = (
    Deed(
        "/admin/new/group/add",
        "POST /api/groups",
        "Make a group",
        fields=people_fields.GROUP,
        page="/admin/new/group",
        then="/admin/groups",
    ),
    Deed(
        "/admin/groups/<id>/change",
        "PATCH /api/groups/<id>",
        "Change this group",
        fields=people_fields.GROUP,
        page="/admin/groups/<id>",
        of="group",
        then="/admin/groups/<id>",
    ),
    Deed(
        "/admin/groups/<id>/delete",
        "DELETE /api/groups/<id>",
        "Forget this group",
        page="/admin/groups/<id>/forget",
        of="group",
        then="/admin/groups",
    ),
)

DEEDS: Final = (*CLIENT_DEEDS, *_ENDS, *_PEOPLE, *_GROUPS, *RULE_DEEDS)


def deed_at(path: str) -> Deed:
    """The form of this path."""
    return next(deed for deed in DEEDS if deed.path == path)
