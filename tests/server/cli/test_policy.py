"""`sayso policy`: looking at the rules and setting others."""

import pytest

from tests.support.policies import rule


@pytest.fixture
def rules(tmp_path):
    """Writes a file of rules; answers its path."""

    def write(*texts):
        path = tmp_path / "policy.toml"
        path.write_text("\n".join(texts))
        return str(path)

    return write


def test_the_rules_in_force_are_shown_with_version_and_hash(begun):
    """At first those that Sayso comes with, word for word as a file could have them."""
    shown = begun("policy", "show", "--json").document
    assert (shown["version"], shown["default"], shown["set_at"]) == (0, True, None)
    assert len(shown["hash"]) == 64
    out = begun("policy", "show").out
    assert "The policy that Sayso comes with" in out
    assert 'id = "high-risk"' in out


def test_what_is_shown_can_be_set(begun, rules):
    """So one begins with it; the headline is a comment."""
    path = rules(begun("policy", "show").out)
    assert begun("policy", "set", path, "--json").document["version"] == 1


def test_other_rules_are_set_whole_or_not_at_all(begun, rules):
    """An error names the rule and the remedy, and nothing has changed."""
    made = begun("policy", "set", rules(rule("deny", 'when.user = ["admin"]'))).out
    assert "Policy 1" in made
    assert "sayso policy show" in made
    bad = begun("policy", "set", rules(rule("deny", 'when.user = ["eve"]')), "--json")
    assert (bad.code, bad.error["code"]) == (2, "invalid")
    assert "rule r: there is no user eve" in bad.error["message"]
    shown = begun("policy", "show", "--json").document
    assert (shown["version"], shown["set_by"]) == (1, "operator")
    assert list(shown["names"]["users"]) == ["admin"]
    assert "policy.set" in begun("audit", "tail").out
