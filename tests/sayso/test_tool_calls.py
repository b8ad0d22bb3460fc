"""Which calls of tools are one call, and how a client comes back."""

import json

import pytest

from sayso.tool_calls import WayBack, call_id, called_tools, pending_text, way_back

ACTION = {"type": "payment.transfer", "amount": {"minor": 1, "currency": "EUR"}}


def test_the_same_call_is_one_and_every_other_is_another() -> None:
    """By user, client, tool and arguments; the order of members says nothing."""
    turned = {"amount": {"currency": "EUR", "minor": 1}, "type": "payment.transfer"}
    one = call_id("ana", "app", "pay", ACTION)
    assert call_id("ana", "app", "pay", turned) == one
    more = {**ACTION, "amount": {"minor": 2, "currency": "EUR"}}
    others = {
        call_id("eve", "app", "pay", ACTION),
        call_id("ana", "other", "pay", ACTION),
        call_id("ana", "app", "refund", ACTION),
        call_id("ana", "app", "pay", more),
        call_id("ana", "app", "pay", {**ACTION, "note": ""}),
    }
    assert len(others - {one}) == 5


@pytest.mark.parametrize(
    ("version", "shows_urls", "way"),
    [
        ("2026-07-28", True, WayBack.INPUT_REQUIRED),
        ("2027-01-01", True, WayBack.INPUT_REQUIRED),
        ("2025-11-25", True, WayBack.URL_REQUIRED),
        ("2026-07-28", False, WayBack.SAME_CALL),
        ("2025-06-18", False, WayBack.SAME_CALL),
    ],
)
def test_the_way_back_is_one_that_the_client_declared(
    version: str, *, shows_urls: bool, way: WayBack
) -> None:
    """A client that shows no URLs gets a text for its model."""
    assert way_back(version, shows_urls=shows_urls) is way


def test_a_pending_call_says_what_to_do() -> None:
    """A model reads it."""
    text = pending_text("pay", "9f3a-71c0")
    assert "(9f3a-71c0)" in text
    assert "Call pay again with exactly the same arguments" in text


def test_a_message_names_the_tools_that_it_calls() -> None:
    """One message or a batch; other methods call none."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "pay"}}
    other = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {"name": "read"}}
    assert called_tools(json.dumps(call).encode()) == ["pay"]
    assert called_tools(json.dumps([other, call, {**call, "params": 5}]).encode()) == ["pay"]
    assert called_tools(b'{"method": "tools/call", "params": {"name": 5}}') == ["5"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"5", b"[5]", b"\xff", b"[" * 100_000, b'{"id": ' + b"9" * 5_000 + b"}"]
)
def test_what_cannot_be_read_calls_nothing(body: bytes) -> None:
    """It goes no further: another reader could find a call in it."""
    with pytest.raises(ValueError, match=r".+"):
        called_tools(body)
