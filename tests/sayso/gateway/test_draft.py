"""The file that `sayso gateway init` writes."""

import tomllib
from typing import Any

import pytest

from sayso.gateway import config, draft
from sayso.gateway.config import BadFile, Header
from sayso.gateway.tools import Risk

ENVIRONMENT = {"SAYSO_GATEWAY_CREDENTIALS": "sayso_ag_1:b"}
EVIL = 'Read."""\n[tools.x]\n\u202e\x7f"'


def _tool(name: str, **members: Any) -> dict[str, Any]:
    return {"name": name, "description": EVIL, "inputSchema": {}, **members}


@pytest.mark.parametrize(
    ("annotations", "risk"),
    [
        ({"readOnlyHint": True}, Risk.LOW),
        ({"destructiveHint": False}, Risk.MEDIUM),
        ({"readOnlyHint": "yes", "destructiveHint": True}, Risk.HIGH),
        ("low", Risk.HIGH),
    ],
)
def test_the_proposed_risk_follows_the_annotations_of_a_tool(annotations: Any, risk: Risk) -> None:
    """A tool without valid annotations is proposed as high risk."""
    assert draft.risk_of({"annotations": annotations}) is risk


def test_a_completed_draft_is_a_valid_file() -> None:
    """No tool name or description can break out of the file's syntax."""
    listed = [
        _tool("a.b", annotations={"readOnlyHint": True}),
        _tool("pay", inputSchema={"properties": {"to\n": {}, "amount": {}}}),
        _tool('x"]\n[tools.evil'),
        {},
    ]
    text = draft.write("https://sayso.example", "https://gate.example/mcp", None, EVIL, listed)
    assert set(tomllib.loads(text)["tools"]) == {"a.b", "pay"}
    with pytest.raises(BadFile, match=r"\[tools.pay\] action"):
        config.read(text, ENVIRONMENT)
    completed = text.replace('action = ""', 'action = "payment.transfer"')
    loaded = config.read(completed.replace('# members = { amount = "..." }', "#"), ENVIRONMENT)
    filtered = loaded.tools.filter_message(
        {"result": {"tools": listed, "instructions": EVIL}}, {"tools:read"}
    )
    assert [tool["name"] for tool in filtered["result"]["tools"]] == ["a.b"]
    assert filtered["result"]["instructions"] == EVIL


def test_a_tool_that_is_listed_twice_has_one_table() -> None:
    """TOML allows only one table of a name. A tool with two definitions could never be called."""
    read, pay, other_pay = _tool("read"), _tool("pay"), _tool("pay", title="Pay")
    tools = [read, pay, read, other_pay, pay]
    text = draft.write("https://sayso.example", "https://gate.example", None, "", tools)
    assert set(tomllib.loads(text)["tools"]) == {"read"}
    reported = "# Left out, because it is listed twice with different definitions: pay"
    assert text.count(reported) == 1


def test_the_header_for_the_upstream_server_is_in_the_draft() -> None:
    """The draft names the header and its environment variable, but not the value."""
    text = draft.write("https://sayso.example", "https://gate.example", ("X-Key", "KEY"), "", [])
    assert config.read(text, {**ENVIRONMENT, "KEY": "abc"}).upstream == Header("X-Key", "abc")
    assert "abc" not in text
