"""The member tables of agents and apps: every surface matches its rows."""

from dataclasses import fields, replace

import click
import pytest

from server.cli import members as cli_members
from server.http import members as wire_members
from server.model.clients import Agent
from server.services import members
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.app_members import APP_MEMBERS
from server.services.members import Kind
from server.storage.account_tables import agents
from server.web.console.member_fields import page_lines

SET_ELSEWHERE = {
    *("id", "secrets", "state", "created_at", "named_at", "key_uses"),
    *("auth_before", "auth_before_until"),
}
"""Fields of an agent that are not set as members."""
BOT = Agent(
    id="sayso_ag_a",
    name="bot",
    description="",
    auth_method="client_secret_basic",
    jwks=({"kid": "a", "alg": "ES256"},),
    grant_types=(),
    delivery="poll",
    resources=(),
    scopes=(),
    action_types=None,
    asks=("ana",),
    owners=("ana",),
    secrets=(),
    id_token_alg="ES256",
    state="enabled",
    expires_at=None,
    created_at=0,
    only={"https://a.example": ("read",)},
)


def test_agent_members_equal_the_fields_of_the_record():
    """Each field has one row, unless it is set elsewhere."""
    names = [member.name for member in AGENT_MEMBERS]
    assert len(set(names)) == len(names)
    assert set(names) == {field.name for field in fields(Agent)} - SET_ELSEWHERE


def test_each_agent_member_has_a_column_of_the_same_name():
    """Unless it has a table of its own."""
    assert {one.name for one in AGENT_MEMBERS if one.column} <= set(agents.c.keys())


def test_member_names_are_unique_on_each_surface():
    """In the API, among the CLI flags and on the form."""
    clears = [clear.flag for one in AGENT_MEMBERS for clear in one.flag.clears]
    for named in (
        [one.wire_name for one in AGENT_MEMBERS],
        [*(one.flag.name for one in AGENT_MEMBERS), *clears],
        [one.field.label for one in AGENT_MEMBERS],
    ):
        assert len(set(named)) == len(named)


@pytest.mark.parametrize("kind", list(Kind))
def test_api_and_cli_support_every_member_kind(kind):
    """A row of any kind can be parsed, returned, written and printed."""
    assert {kind} <= set(wire_members._KINDS) & set(cli_members._KINDS)


@pytest.mark.parametrize("name", ["colour", "owners", "auth_method"])
def test_changing_an_unknown_member_raises_type_error(name):
    """A programming error is not ignored."""
    with pytest.raises(TypeError, match=f"There is no member {name}"):
        AgentChanges(**{name: "x"})


def test_creating_an_agent_with_an_unknown_member_raises_type_error():
    """A programming error is not ignored."""
    with pytest.raises(TypeError, match="There is no member colour"):
        NewAgent("bot", ("ana",), colour="red")


def test_audit_facts_contain_plain_lists_and_key_ids():
    """Only JSON values; members that the audit log omits are not there."""
    facts = members.facts(AGENT_MEMBERS, BOT)
    assert facts["keys"] == ["a"]
    assert facts["only"] == {"https://a.example": ["read"]}
    assert (facts["asks"], facts["action_types"], facts["owners"]) == (["ana"], None, ["ana"])
    assert facts.keys() & {"description", "id_token_alg", "jwks"} == set()


@pytest.mark.parametrize(
    ("judge", "before", "after", "wider"),
    [
        (members.more, ("a",), ("a", "b"), True),
        (members.more, ("a", "b"), ("a",), False),
        (members.more_or_all, ("a",), None, True),
        (members.more_or_all, None, ("a",), False),
        (members.more_or_all, ("a", "b"), ("b",), False),
        (members.later, 1, 2, True),
        (members.later, 1, None, True),
        (members.later, 2, 1, False),
        (members.later, None, 1, False),
        (members.turned_on, False, True, True),
        (members.turned_on, True, False, False),
        (members.turned_off, True, False, True),
        (members.turned_off, False, True, False),
    ],
)
def test_rows_decide_whether_a_change_widens_permissions(judge, before, after, wider):
    """By comparing the values before and after."""
    assert judge(before, after) is wider


def test_contradictory_flags_for_one_member_are_refused():
    """A list with the flag that clears it; two flags that clear it."""
    for flags in (
        {"labels": ("a",), "no_label": True},
        {"no_action": True, "any_action": True},
        {"token_seconds": 60, "no_token_seconds": True},
    ):
        with pytest.raises(click.UsageError, match="not both"):
            cli_members.written(AGENT_MEMBERS, flags, 0)


def test_cli_lines_without_a_value_show_a_default_or_are_omitted():
    """As the row says."""
    lines = cli_members.lines(AGENT_MEMBERS, BOT, {"ana": "Ana"})
    assert lines["may ask"] == "Ana"
    assert (lines["actions"], lines["expires"], lines["signs requests"]) == (
        "every type",
        "never",
        "optional",
    )
    assert (lines["user codes"], lines["labels"], lines["token life"]) == (None, None, None)
    changed_lines = cli_members.lines(
        AGENT_MEMBERS, replace(BOT, takes_user_code=True, token_seconds=60), {}
    )
    assert (changed_lines["user codes"], changed_lines["token life"]) == (
        "sends them",
        "60 seconds",
    )
    (bound,) = (member for member in APP_MEMBERS if member.name == "dpop_bound")
    assert cli_members.lines((bound,), BOT) == {"tokens": "bound to its key if it proves one"}


def test_page_lines_show_names_text_or_the_empty_label():
    """Of the requested section, in the order of the rows."""
    document = {one.wire_name: None for one in AGENT_MEMBERS} | {"labels": ["pilot"]}
    shown = {
        line.label: line.names or line.text
        for line in page_lines(AGENT_MEMBERS, document | {"interactive": True}, "What it is")
    }
    assert shown == {
        "Labels": ["pilot"],
        "External ID": "nothing",
        "Interactive": "yes",
    }
    assert page_lines(AGENT_MEMBERS, document, "Nowhere") == []
