"""`sayso policy`: show, set, explain, test and dry-run."""

import json

import pytest

from server.cli.policy.policy import _replay_lines
from server.http.policy import policy as api
from server.protocol.policy.questions import PolicyVersion
from server.services.operations.replays import Change, Replay
from tests.support.builders.policies import rule


@pytest.fixture
def rules(tmp_path):
    """A function that writes a policy file and returns its path."""

    def write(*texts):
        path = tmp_path / "policy.toml"
        path.write_text("\n".join(texts))
        return str(path)

    return write


def test_show_prints_the_policy_with_version_and_hash(admin_cli):
    """The first policy is the built-in one, in the syntax of a policy file."""
    policy = admin_cli("policy", "show", "--json").document
    assert (policy["version"], policy["default"], policy["set_at"]) == (0, True, None)
    assert len(policy["hash"]) == 64
    out = admin_cli("policy", "show").out
    assert "The built-in policy" in out
    assert 'id = "high-risk"' in out


def test_the_output_of_show_can_be_set(admin_cli, rules):
    """The first line is a comment, so the output is a valid policy file."""
    path = rules(admin_cli("policy", "show").out)
    assert admin_cli("policy", "set", path, "--json").document["version"] == 1


def test_a_policy_file_may_begin_with_a_byte_order_mark(admin_cli, rules):
    """Some editors write one."""
    path = rules("\ufeff", rule("deny", 'when.user = ["admin"]'))
    assert admin_cli("policy", "set", path, "--json").document["version"] == 1


def test_an_invalid_policy_changes_nothing(admin_cli, rules):
    """The error names the rule and the remedy, and the stored policy stays."""
    output = admin_cli("policy", "set", rules(rule("deny", 'when.user = ["admin"]'))).out
    assert "Policy 1" in output
    assert "sayso policy show" in output
    refused = admin_cli("policy", "set", rules(rule("deny", 'when.user = ["eve"]')), "--json")
    assert (refused.code, refused.error["code"]) == (2, "invalid")
    assert "rule r: there is no user eve" in refused.error["message"]
    policy = admin_cli("policy", "show", "--json").document
    assert (policy["version"], policy["set_by"]) == (1, "operator")
    assert list(policy["names"]["users"]) == ["admin"]
    assert "policy.set" in admin_cli("audit", "tail").out


AGENT = ("agents", "add", "bot", "--owner", "admin", "--resource", "https://pay.example")
TABLE = """
[[cases]]
name = "reading alone"
agent = "bot"
flow = "client_credentials"
scope = ["payments:read"]
expect = "allow"
"""


@pytest.fixture
def installation(admin_cli):
    """An installation with an agent that may read payments."""
    added = admin_cli(*AGENT, "--scope", "payments:read")
    assert added.code == 0, added.err
    return admin_cli


def test_explain_names_the_rule_and_the_token_of_a_request(installation, rules):
    """The output is text or JSON, for the current policy or for a given one."""
    case = ("policy", "explain", "--agent", "bot", "--scope", "payments:read")
    explanation = installation(*case, "--flow", "client_credentials", "--json").document
    assert (explanation["outcome"], explanation["then"], explanation["asks"]) == (
        "allow",
        "token",
        None,
    )
    assert [rule["id"] for rule in explanation["rules"]] == ["usual-access"]
    assert (explanation["token"]["scope"], explanation["token_seconds"]) == ("payments:read", 300)
    out = installation(*case, "--user", "admin").out
    assert "a person is asked" in out
    assert "1 person, by confirm, within 24 hours" in out
    assert "The token, valid 300 seconds, would contain:" in out
    signed = (*case, "--user", "admin", "--acr", "urn:sayso:acr:signed-pin")
    assert "1 person, by pin" in installation(*signed).out
    exchanged = (*case, "--user", "admin", "--flow", "exchange")
    assert "the person has not consented" in installation(*exchanged).out
    closed = installation(*case, "--user", "admin", "--policy", rules(rule("deny")))
    assert "the request is refused" in closed.out
    assert "would say" not in closed.out
    assert installation(*case[:3], "eve", "--json").code == 3


def test_explain_reads_details_from_a_file(installation, tmp_path):
    """The details are validated against their action type."""
    details = tmp_path / "details.json"
    details.write_text('[{"type": "x"}]')
    result = installation(
        "policy", "explain", "--agent", "bot", "--details", str(details), "--json"
    )
    assert (result.code, result.error["code"]) == (2, "invalid")
    assert "not a registered type" in result.error["message"]


def test_a_table_of_cases_passes_or_is_exit_1(installation, rules, tmp_path):
    """Each failed case states the expected and the actual outcome."""
    table = tmp_path / "cases.toml"
    table.write_text(TABLE)
    passed = installation("policy", "test", str(table))
    assert (passed.code, passed.out.splitlines()[-1]) == (0, "1 of 1 passed.")
    table.write_text(TABLE + '[[cases]]\nagent = "eve"\nexpect = "ask"\n')
    result = installation("policy", "test", str(table), "--policy", rules(rule("deny")))
    assert result.code == 1
    assert "FAIL    reading alone: expect is deny, not allow" in result.out
    assert "ERROR   case 2: There is no agent eve" in result.out
    output = installation("policy", "test", str(table), "--json")
    assert (output.code, json.loads(output.out)["passed"]) == (1, False)


def test_dry_run_on_a_new_installation_changes_nothing(installation, rules):
    """A new installation has no requests to evaluate again."""
    result = installation("policy", "dry-run", "--policy", rules(rule("deny")), "--json").document
    assert (result["evaluated"], result["changed"], result["changes"]) == (0, 0, [])
    assert "0 evaluated again" in installation("policy", "dry-run", "--last", "1d").out
    assert installation("policy", "dry-run", "--last", "90d").code == 2


def test_dry_run_lists_changed_outcomes():
    """The output says so if there are more changes than it lists."""
    change = Change("exchange", "t", 0, "bot", None, "r", ("read",), ("a.b",), "allow", "ask", ())
    is_complete = False
    replay = Replay(
        0, 1, PolicyVersion(1, "h"), 1, 2, is_complete, {"allow": 1}, {"ask": 1}, 1, (change,)
    )
    lines = _replay_lines(replay)
    assert "2 skipped" in lines[0]
    assert "Only the newest requests" in lines[2]
    assert "read a.b" in lines[-1]
    assert "allow → ask" in lines[-1]
    assert api.replay(replay).changes[0].after == "ask"


def test_dry_run_lists_the_standing_grant_or_the_approvers_that_would_decide():
    """A change shows the standing grant's ID, or the quorum and the approvers."""
    same = ("request", "t", 0, "bot", "ana", "r", ("read",), (), "ask")
    covered = Change(*same, "allow", (), standing_grant="sayso_sg_1")
    asked = Change(*same, "ask", (), quorum_before=1, quorum=2, approvers=("ana", "bob"))
    changes = (covered, asked)
    replay = Replay(0, 1, PolicyVersion(1, "h"), 2, 0, True, {"ask": 2}, {"ask": 1}, 2, changes)  # noqa: FBT003  # its sixth member
    *_, first, second = _replay_lines(replay)
    assert first.endswith("standing grant sayso_sg_1")
    assert second.endswith("2 of ana, bob")
    output = api.replay(replay).changes
    assert [(change.quorum, change.approvers) for change in output] == [
        (None, []),
        (2, ["ana", "bob"]),
    ]


def test_explain_lists_eligible_approvers_and_the_backup(installation, rules):
    """Approvers have a name or a group; users whose approval does not count are listed too."""
    case = ("policy", "explain", "--agent", "bot", "--scope", "payments:read", "--user", "ana")
    for name in ("ana", "bob", "cleo"):
        installation("users", "add", name)
    installation("groups", "add", "finance", "--member", "ana", "--member", "bob")
    installation("users", "update", "ana", "--backup", "cleo")
    plain = [line.split(maxsplit=1) for line in installation(*case).out.splitlines() if line]
    assert ["approvers", "ana"] in plain
    assert ["backup", "cleo, after three quarters of the time"] in plain
    asks = ('ask.who = ["finance"]', 'ask.exclude = ["user"]', 'ask.risk = "critical"')
    output = installation(*case, "--policy", rules(rule("ask", *asks, "ask.quorum = 1"))).out
    lines = [line.split(maxsplit=1) for line in output.splitlines() if line]
    assert ["approvers", "bob (finance)"] in lines
    assert ["excluded", "ana"] in lines
    assert ["backup", "cleo, immediately"] in lines


def test_explain_prints_unusual_codes_and_token_claims(installation):
    """The output has codes and claims, and no internal names."""
    case = ("--agent", "bot", "--scope", "payments:read", "--user", "admin")
    out = installation("policy", "explain", *case).out
    assert "signals         new_agent, new_resource, new_scope\n" in out
    assert '"sub_profile": "ai_agent"}' in out
    client_credentials_case = (
        "--agent",
        "bot",
        "--scope",
        "payments:read",
        "--flow",
        "client_credentials",
    )
    assert (
        "signals         none\n" in installation("policy", "explain", *client_credentials_case).out
    )
