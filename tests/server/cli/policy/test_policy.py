"""`sayso policy`: looking at the rules and setting others."""

import json

import pytest

from server.cli.policy.policy import _replay_lines
from server.protocol.policy.questions import PolicyVersion
from server.services.operations import policy_json
from server.services.operations.replays import Change, Replay
from tests.support.builders.policies import rule


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
    assert "The built-in policy" in out
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


AGENT = ("agents", "add", "bot", "--owner", "admin", "--resource", "https://pay.example")
TABLE = """
[[cases]]
name = "reading alone"
agent = "bot"
way = "client_credentials"
scope = ["payments:read"]
expect = "allow"
"""


@pytest.fixture
def prepared(begun):
    """An installation with an agent that may read."""
    made = begun(*AGENT, "--scope", "payments:read")
    assert made.code == 0, made.err
    return begun


def test_a_case_is_explained_with_its_rule_and_its_token(prepared, rules):
    """In words and as a document, under the rules in force or others."""
    case = ("policy", "explain", "--agent", "bot", "--scope", "payments:read")
    found = prepared(*case, "--way", "client_credentials", "--json").document
    assert (found["outcome"], found["then"], found["asks"]) == ("allow", "token", None)
    assert [rule["id"] for rule in found["rules"]] == ["usual-access"]
    assert (found["token"]["scope"], found["token_seconds"]) == ("payments:read", 300)
    out = prepared(*case, "--user", "admin").out
    assert "a person is asked" in out
    assert "1 person, by confirm, within 24 hours" in out
    assert "The token, valid 300 seconds, would contain:" in out
    signed = (*case, "--user", "admin", "--acr", "urn:sayso:acr:signed-pin")
    assert "1 person, by pin" in prepared(*signed).out
    exchanged = (*case, "--user", "admin", "--way", "exchange")
    assert "the person has not consented" in prepared(*exchanged).out
    closed = prepared(*case, "--user", "admin", "--policy", rules(rule("deny")))
    assert "the request is refused" in closed.out
    assert "would say" not in closed.out
    assert prepared(*case[:3], "eve", "--json").code == 3


def test_details_of_a_case_come_from_a_file(prepared, tmp_path):
    """And are held against their type."""
    details = tmp_path / "details.json"
    details.write_text('[{"type": "x"}]')
    done = prepared("policy", "explain", "--agent", "bot", "--details", str(details), "--json")
    assert (done.code, done.error["code"]) == (2, "invalid")
    assert "not a registered type" in done.error["message"]


def test_a_table_of_cases_fits_or_is_exit_1(prepared, rules, tmp_path):
    """Each case says what is not as expected."""
    table = tmp_path / "cases.toml"
    table.write_text(TABLE)
    fits = prepared("policy", "test", str(table))
    assert (fits.code, fits.out.splitlines()[-1]) == (0, "1 of 1 passed.")
    table.write_text(TABLE + '[[cases]]\nagent = "eve"\nexpect = "ask"\n')
    done = prepared("policy", "test", str(table), "--policy", rules(rule("deny")))
    assert done.code == 1
    assert "FAIL    reading alone: expect is deny, not allow" in done.out
    assert "ERROR   case 2: There is no agent eve" in done.out
    told = prepared("policy", "test", str(table), "--json")
    assert (told.code, json.loads(told.out)["passed"]) == (1, False)


def test_a_dry_run_says_what_would_have_changed(prepared, rules):
    """On a new installation nothing."""
    done = prepared("policy", "dry-run", "--policy", rules(rule("deny")), "--json").document
    assert (done["judged"], done["changed"], done["changes"]) == (0, 0, [])
    assert "0 evaluated again" in prepared("policy", "dry-run", "--last", "1d").out
    assert prepared("policy", "dry-run", "--last", "90d").code == 2


def test_what_would_have_changed_is_listed():
    """With the rules that make it so, and that there was more."""
    change = Change("exchange", "t", 0, "bot", None, "r", ("read",), ("a.b",), "allow", "ask", ())
    found = Replay(0, 1, PolicyVersion(1, "h"), 1, 2, False, {"allow": 1}, {"ask": 1}, 1, (change,))  # noqa: FBT003  # its sixth member
    lines = _replay_lines(found)
    assert "2 skipped" in lines[0]
    assert "There were more" in lines[2]
    assert "read a.b" in lines[-1]
    assert "allow → ask" in lines[-1]
    assert policy_json.replayed(found)["changes"][0]["after"] == "ask"


def test_who_or_what_would_answer_is_listed():
    """A grant by its id, or so many of these people."""
    same = ("request", "t", 0, "bot", "ana", "r", ("read",), (), "ask")
    covered = Change(*same, "allow", (), standing_grant="sayso_sg_1")
    asked = Change(*same, "ask", (), was_quorum=1, quorum=2, approvers=("ana", "bob"))
    changes = (covered, asked)
    found = Replay(0, 1, PolicyVersion(1, "h"), 2, 0, True, {"ask": 2}, {"ask": 1}, 2, changes)  # noqa: FBT003  # its sixth member
    *_, first, second = _replay_lines(found)
    assert first.endswith("standing grant sayso_sg_1")
    assert second.endswith("2 of ana, bob")
    told = policy_json.replayed(found)["changes"]
    assert [(one["quorum"], one["approvers"]) for one in told] == [(None, []), (2, ["ana", "bob"])]


def test_whom_a_request_would_ask_is_said_in_words(prepared, rules):
    """By name and group; who may not say yes; who is asked when they do not answer."""
    case = ("policy", "explain", "--agent", "bot", "--scope", "payments:read", "--user", "ana")
    for name in ("ana", "bob", "cleo"):
        prepared("users", "add", name)
    prepared("groups", "add", "finance", "--member", "ana", "--member", "bob")
    prepared("users", "update", "ana", "--backup", "cleo")
    plain = [line.split(maxsplit=1) for line in prepared(*case).out.splitlines() if line]
    assert ["approvers", "ana"] in plain
    assert ["backup", "cleo, after three quarters of the time"] in plain
    asks = ('ask.who = ["finance"]', 'ask.exclude = ["user"]', 'ask.risk = "critical"')
    told = prepared(*case, "--policy", rules(rule("ask", *asks, "ask.quorum = 1"))).out
    lines = [line.split(maxsplit=1) for line in told.splitlines() if line]
    assert ["approvers", "bob (finance)"] in lines
    assert ["not", "ana: their approval does not count"] in lines
    assert ["backup", "cleo, at once"] in lines


def test_what_is_explained_is_said_in_words(prepared):
    """What is unusual by its codes, the claims as they stand in a token, no program's own words."""
    case = ("--agent", "bot", "--scope", "payments:read", "--user", "admin")
    out = prepared("policy", "explain", *case).out
    assert "unusual      new_agent, new_resource, new_scope\n" in out
    assert '"sub_profile": "ai_agent"}' in out
    alone = ("--agent", "bot", "--scope", "payments:read", "--way", "client_credentials")
    assert "unusual      nothing\n" in prepared("policy", "explain", *alone).out
