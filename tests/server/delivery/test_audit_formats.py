"""Audit entries are exported as OCSF 1.8 events, which match its schema."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from server.audit_log.bundles import LoggedEntry
from server.audit_log.entries import entry_bytes, leaf_hash
from server.delivery.audit_formats import ocsf_line
from server.services.audit.audit import Type

_SCHEMA = json.loads((Path(__file__).parents[2] / "vectors" / "ocsf-1.8.0.json").read_text("utf-8"))
_VALIDATOR = Draft202012Validator(_SCHEMA)
_FULL_ENTRY = {
    "agent_id": "sayso_ag_1",
    "subject": "sayso_us_1",
    "resource": "https://pay.example",
    "action": "digest",
    "facts": {"name": "Zo\u00eb"},
}


def _event(kind: str, actor: str = "operator", **members: object) -> dict:
    required = {"id": "1", "at": 1_796_017_187_815, "correlation_id": "c"}
    body = entry_bytes({**required, "type": kind, "actor": actor, **members})
    line = ocsf_line(LoggedEntry(7, body, leaf_hash(body)))
    assert line.isascii()
    return json.loads(line)


@pytest.mark.parametrize("kind", Type)
@pytest.mark.parametrize("members", [{}, _FULL_ENTRY], ids=["few members", "all members"])
def test_each_type_is_a_valid_event(kind: Type, members: dict) -> None:
    """The event contains the whole entry, including data that the schema has no member for."""
    event = _event(kind, **members)
    _VALIDATOR.validate(event)
    assert event["unmapped"].items() >= members.items()
    assert event["metadata"]["sequence"] == 7


@pytest.mark.parametrize(
    "changed", [{"class_uid": 3005}, {"type_uid": 1}, {"jti": "x"}, {"time": ""}]
)
def test_the_schema_refuses_other_events(changed: dict) -> None:
    """The schema is strict enough for the previous test to fail."""
    with pytest.raises(ValidationError):
        _VALIDATOR.validate({**_event("token.issued"), **changed})


@pytest.mark.parametrize(
    ("kind", "type_uid", "status", "severity"),
    [
        (Type.AGENT_QUARANTINED, 300412, 1, 1),
        (Type.SIGN_IN_FAILED, 300201, 2, 1),
        (Type.TOKEN_ISSUED, 300204, 1, 1),
        (Type.HANDLE_REUSED, 300299, 1, 3),
        (Type.APPROVAL_APPROVED, 300301, 1, 1),
        (Type.APPROVAL_DENIED, 300301, 2, 1),
        (Type.DEVICE_ENROLLED, 300110, 1, 1),
    ],
)
def test_types_have_their_class_and_activity(
    kind: Type, type_uid: int, status: int, severity: int
) -> None:
    """Refusals are failures, and alarms have medium severity."""
    event = _event(kind, **_FULL_ENTRY)
    assert (event["type_uid"], event["status_id"], event["severity_id"]) == (
        type_uid,
        status,
        severity,
    )
    assert event.get("activity_name") == (kind if type_uid % 100 == 99 else None)


def test_the_actor_is_a_user_or_a_program() -> None:
    """The actor of the event is that of the entry."""
    assert _event("agent.added", "user:sayso_us_2")["actor"] == {"user": {"uid": "sayso_us_2"}}
    assert _event("agent.added", "system")["actor"] == {"app_name": "system"}
    agent = _event("token.issued", "agent:sayso_ag_1", **_FULL_ENTRY)
    assert agent["actor"] == {"app_name": "agent", "app_uid": "sayso_ag_1"}
    assert agent["user"] == {"uid": "sayso_us_1"}
