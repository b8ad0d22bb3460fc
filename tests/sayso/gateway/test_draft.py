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
def test_a_tool_that_says_nothing_is_high(annotations: Any, risk: Risk) -> None:
    """The guess is what the tool says of itself."""
    assert draft.risk_of({"annotations": annotations}) is risk


def test_the_file_can_be_read_back_once_somebody_has_filled_it_in() -> None:
    """Whatever the tools are called and say."""
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
    filled = text.replace('action = ""', 'action = "payment.transfer"')
    read = config.read(filled.replace('# members = { amount = "..." }', "#"), ENVIRONMENT)
    shown = read.tools.shown({"result": {"tools": listed, "instructions": EVIL}}, {"tools:read"})
    assert [tool["name"] for tool in shown["result"]["tools"]] == ["a.b"]
    assert shown["result"]["instructions"] == EVIL


def test_the_header_by_which_the_tools_were_listed_is_in_the_file() -> None:
    """Its value is not."""
    text = draft.write("https://sayso.example", "https://gate.example", ("X-Key", "KEY"), "", [])
    assert config.read(text, {**ENVIRONMENT, "KEY": "abc"}).upstream == Header("X-Key", "abc")
    assert "abc" not in text
