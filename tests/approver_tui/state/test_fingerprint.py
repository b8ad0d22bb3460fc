"""The fingerprint is computed from the text as received."""

import json
from pathlib import Path

import pytest

from approver_tui.state.fingerprint import digest, fingerprint, same_fingerprint

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "decisions.json").read_text())


@pytest.mark.parametrize("action", VECTORS["actions"], ids=lambda action: action["fingerprint"])
def test_digest_and_fingerprint_match_the_servers(action):
    """The server prints the same fingerprint to the agent."""
    assert digest(action["text"]) == action["digest"]
    assert fingerprint(action["text"]) == action["fingerprint"]


@pytest.mark.parametrize("typed", ["9f3a-71c0", "9F3A-71C0", "9f3a71c0", " 9f3a 71c0 "])
def test_a_typed_fingerprint_is_normalized(typed):
    """Case, dashes and spaces do not matter."""
    assert same_fingerprint(typed, "9f3a-71c0")


@pytest.mark.parametrize("typed", ["", "9f3a", "9f3a-71c1", "9f3a-71c0-0000"])
def test_another_fingerprint_differs(typed):
    """A different or incomplete fingerprint does not match."""
    assert not same_fingerprint(typed, "9f3a-71c0")
