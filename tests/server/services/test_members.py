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
from server.storage.tables import agents
from server.web.console.member_fields import page_lines

KEPT_ELSEWHERE = {
    *("id", "secrets", "state", "created_at", "named_at", "key_uses"),
    *("auth_before", "auth_before_until"),
}
"""What an agent has and nobody writes as a member."""
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


def test_the_rows_are_the_members_of_the_record():
    """Each has one row, unless it is written elsewhere."""
    names = [member.name for member in AGENT_MEMBERS]
    assert len(set(names)) == len(names)
    assert set(names) == {field.name for field in fields(Agent)} - KEPT_ELSEWHERE


def test_each_row_has_a_column():
    """Of the same name, unless it has a table of its own."""
    assert {one.name for one in AGENT_MEMBERS if one.column} <= set(agents.c.keys())


def test_no_two_rows_have_the_same_name_anywhere():
    """In the API, among the flags and on a form."""
    clears = [clear.flag for one in AGENT_MEMBERS for clear in one.flag.clears]
    for named in (
        [one.wire_name for one in AGENT_MEMBERS],
        [*(one.flag.name for one in AGENT_MEMBERS), *clears],
        [one.field.label for one in AGENT_MEMBERS],
    ):
        assert len(set(named)) == len(named)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_surface_knows_every_kind(kind):
    """A row of any kind can be sent, answered, written and printed."""
    assert {kind} <= set(wire_members._KINDS) & set(cli_members._KINDS)


@pytest.mark.parametrize("name", ["colour", "owners", "auth_method"])
def test_a_member_that_a_change_does_not_write_is_a_mistake_of_ours(name):
    """Nothing is left out in silence."""
    with pytest.raises(TypeError, match=f"There is no member {name}"):
        AgentChanges(**{name: "x"})


def test_a_new_record_has_no_other_members_either():
    """Likewise."""
    with pytest.raises(TypeError, match="There is no member colour"):
        NewAgent("bot", ("ana",), colour="red")


def test_the_log_has_lists_and_the_names_of_keys():
    """Nothing there is a record of ours; what the log leaves out is not there."""
    told = members.facts(AGENT_MEMBERS, BOT)
    assert told["keys"] == ["a"]
    assert told["only"] == {"https://a.example": ["read"]}
    assert (told["asks"], told["action_types"], told["owners"]) == (["ana"], None, ["ana"])
    assert told.keys() & {"description", "id_token_alg", "jwks"} == set()


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
def test_a_row_says_when_its_member_gives_more_power(judge, before, after, wider):
    """By the values before and after."""
    assert judge(before, after) is wider


def test_two_words_about_one_member_are_refused():
    """A list and the flag that takes it away; two flags that take it away."""
    for flags in (
        {"labels": ("a",), "no_label": True},
        {"no_action": True, "any_action": True},
        {"token_seconds": 60, "no_token_seconds": True},
    ):
        with pytest.raises(click.UsageError, match="not both"):
            cli_members.written(AGENT_MEMBERS, flags, 0)


def test_a_line_without_a_value_says_so_or_is_not_there():
    """As its row has it."""
    told = cli_members.lines(AGENT_MEMBERS, BOT, {"ana": "Ana"})
    assert told["may ask"] == "Ana"
    assert (told["actions"], told["expires"], told["signs requests"]) == (
        "every type",
        "never",
        "optional",
    )
    assert (told["user codes"], told["labels"], told["token life"]) == (None, None, None)
    spoken = cli_members.lines(
        AGENT_MEMBERS, replace(BOT, takes_user_code=True, token_seconds=60), {}
    )
    assert (spoken["user codes"], spoken["token life"]) == ("sends them", "60 seconds")
    (bound,) = (member for member in APP_MEMBERS if member.name == "dpop_bound")
    assert cli_members.lines((bound,), BOT) == {"tokens": "bound to its key if it proves one"}


def test_the_page_shows_names_a_text_or_what_stands_there_without():
    """Of the section that is asked for, in the order of the rows."""
    document = {one.wire_name: None for one in AGENT_MEMBERS} | {"labels": ["pilot"]}
    told = {
        line.label: line.names or line.text
        for line in page_lines(AGENT_MEMBERS, document | {"interactive": True}, "What it is")
    }
    assert told == {
        "Labels": ["pilot"],
        "External ID": "nothing",
        "Interactive": "yes",
    }
    assert page_lines(AGENT_MEMBERS, document, "Nowhere") == []
