"""Which tool calls count as the same call, and how a client repeats a call."""

import json

import pytest

from sayso.tool_calls import ResumeMethod, call_id, called_tools, choose_resume_method, pending_text

ACTION = {"type": "payment.transfer", "amount": {"minor": 1, "currency": "EUR"}}


def test_only_identical_calls_have_the_same_id() -> None:
    """The user, client, tool and arguments matter; the order of members does not."""
    reordered = {"amount": {"currency": "EUR", "minor": 1}, "type": "payment.transfer"}
    first = call_id("ana", "app", "pay", ACTION)
    assert call_id("ana", "app", "pay", reordered) == first
    larger = {**ACTION, "amount": {"minor": 2, "currency": "EUR"}}
    others = {
        call_id("eve", "app", "pay", ACTION),
        call_id("ana", "other", "pay", ACTION),
        call_id("ana", "app", "refund", ACTION),
        call_id("ana", "app", "pay", larger),
        call_id("ana", "app", "pay", {**ACTION, "note": ""}),
    }
    assert len(others - {first}) == 5


@pytest.mark.parametrize(
    ("version", "shows_urls", "way"),
    [
        ("2026-07-28", True, ResumeMethod.INPUT_REQUIRED),
        ("2027-01-01", True, ResumeMethod.INPUT_REQUIRED),
        ("2025-11-25", True, ResumeMethod.URL_REQUIRED),
        ("2026-07-28", False, ResumeMethod.SAME_CALL),
        ("2025-06-18", False, ResumeMethod.SAME_CALL),
    ],
)
def test_the_resume_method_depends_on_the_version_and_capabilities(
    version: str, *, shows_urls: bool, way: ResumeMethod
) -> None:
    """A client that shows no URLs gets a text for its model."""
    assert choose_resume_method(version, shows_urls=shows_urls) is way


def test_a_pending_call_says_what_to_do() -> None:
    """The text is for a model: it contains the fingerprint and says to repeat the call."""
    text = pending_text("pay", "9f3a-71c0")
    assert "(9f3a-71c0)" in text
    assert "Call pay again with exactly the same arguments" in text


def test_a_message_names_the_tools_that_it_calls() -> None:
    """A message or a batch can call tools; other methods call none."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "pay"}}
    other = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {"name": "read"}}
    assert called_tools(json.dumps(call).encode()) == ["pay"]
    assert called_tools(json.dumps([other, call, {**call, "params": 5}]).encode()) == ["pay"]
    assert called_tools(b'{"method": "tools/call", "params": {"name": 5}}') == ["5"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"5", b"[5]", b"\xff", b"[" * 100_000, b'{"id": ' + b"9" * 5_000 + b"}"]
)
def test_an_unreadable_message_is_refused(body: bytes) -> None:
    """It is not passed on, because a different parser could find a call in it."""
    with pytest.raises(ValueError, match=r".+"):
        called_tools(body)
