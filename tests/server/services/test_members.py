"""The member tables: every API, command, form and audit entry matches the rows."""

import copy
from dataclasses import dataclass, fields, replace

import click
import pytest
from pydantic import BaseModel
from sqlalchemy import Table

from server.cli import members as cli_members
from server.cli.main import cli
from server.http import members as wire_members
from server.http.approvers import groups as group_routes
from server.http.clients import agent_wire
from server.http.clients import apps as app_routes
from server.http.resources import resources as resource_api
from server.http.users import user_wire
from server.model.approvers import Group
from server.model.clients import Agent, App
from server.model.resources import Resource
from server.model.users import User
from server.protocol.policy.risks import Risk
from server.services import members
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.clients.agent_forms import AgentChanges, NewAgent
from server.services.clients.agent_members import AGENT_MEMBERS
from server.services.clients.app_members import APP_MEMBERS
from server.services.members import Kind
from server.services.operations import power
from server.services.resources.resource_members import RESOURCE_MEMBERS
from server.services.users.user_members import USER_MEMBERS
from server.storage.approvers.tables import groups
from server.storage.clients.tables import agents, apps
from server.storage.resources.tables import resources
from server.storage.users.tables import users
from server.web.console import member_fields
from server.web.console.member_fields import page_lines
from server.web.table import form_at

SET_ELSEWHERE = {
    *("id", "client_id", "secrets", "state", "created_at", "named_at", "key_uses"),
    *("auth_before", "auth_before_until", "disabled_at", "origin", "claimed_name"),
}
"""Fields of a record that no member sets."""
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


@dataclass(frozen=True)
class Noun:
    """A table of members, and everything that is built from it."""

    record: object
    members: members.Members
    table: Table
    models: tuple[type[BaseModel], ...]
    """The models of a new record, a change and a response."""
    commands: tuple[str, str]
    forms: tuple[str, ...]
    by_steps: tuple[str, ...] = ()
    """Members whose values the command line adds and removes one by one."""
    own_rule: tuple[str, ...] = ()
    """Members for which the whole record decides whether a change widens it."""


CHAT = App(
    id="sayso_cl_a",
    name="chat",
    auth_method="none",
    jwks=(),
    redirect_uris=(),
    post_logout_redirect_uris=(),
    grant_types=(),
    resources=(),
    scopes=(),
    action_types=None,
    secrets=(),
    id_token_alg="ES256",
    dpop_bound=False,
    state="enabled",
    created_at=0,
)
NOUNS = (
    Noun(
        BOT,
        AGENT_MEMBERS,
        agents,
        (agent_wire.NewAgent, agent_wire.AgentChanges, agent_wire.ManagedAgent),
        ("agents add", "agents update"),
        ("/admin/new/agent/add", "/admin/agents/<id>/change", "/admin/agents/<id>/icon/change"),
        own_rule=("only",),
    ),
    Noun(
        CHAT,
        APP_MEMBERS,
        apps,
        (app_routes.NewClient, app_routes.ClientChanges, app_routes.ManagedApp),
        ("apps add", "apps update"),
        ("/admin/new/app/add", "/admin/apps/<id>/change"),
    ),
    Noun(
        Resource("https://a.example", {"read": Risk.LOW}, {"read": "a.b"}, 0),
        RESOURCE_MEMBERS,
        resources,
        (
            resource_api.NewResource,
            resource_api.ResourceChanges,
            resource_api.ManagedResource,
        ),
        ("resources add", "resources update"),
        ("/admin/new/resource/add", "/admin/resources/<id>/change"),
        own_rule=("requires",),
    ),
    Noun(
        User("sayso_us_a", "ana", None, (), "enabled", 0),
        USER_MEMBERS,
        users,
        (user_wire.NewUser, user_wire.UserChanges, user_wire.ManagedUser),
        ("users add", "users update"),
        ("/admin/new/user/add", "/admin/users/<id>/change"),
    ),
    Noun(
        Group("sayso_gr_a", "finance", ("ana",), 0),
        GROUP_MEMBERS,
        groups,
        (group_routes.NewGroup, group_routes.GroupChange, group_routes.ManagedGroup),
        ("groups add", "groups update"),
        ("/admin/new/group/add", "/admin/groups/<id>/change"),
        by_steps=("members",),
    ),
)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun.record).__name__)
class TestEachTable:
    """Every row reaches every surface, and no surface has a member without a row."""

    def test_members_equal_the_fields_of_the_record(self, noun):
        """Each field has exactly one row, except the fields that no member sets."""
        names = [member.name for member in noun.members]
        assert len(set(names)) == len(names)
        assert set(names) == {field.name for field in fields(noun.record)} - SET_ELSEWHERE

    def test_each_member_has_a_column_of_the_same_name(self, noun):
        """A member that has no column is stored in a table of its own."""
        assert {member.name for member in noun.members if member.has_column} <= set(
            noun.table.c.keys()
        )

    def test_member_names_are_unique_on_each_surface(self, noun):
        """The API, the flags and the forms each have their own names."""
        clears = [
            clear.flag for member in noun.members for clear in cli_members.clear_flags(member)
        ]
        for names in (
            [member.wire_name for member in noun.members],
            [*(member.flag.name for member in noun.members), *clears],
            [member.field.label for member in noun.members],
        ):
            assert len(set(names)) == len(names)

    def test_the_api_takes_and_shows_each_row(self, noun):
        """New records, changes and responses use the wire name of each row."""
        new, change, answer = (set(model.model_fields) for model in noun.models)
        assert new == {member.wire_name for member in members.members_for_new(noun.members)}
        assert change >= {member.wire_name for member in members.members_for_update(noun.members)}
        assert change.isdisjoint(member.wire_name for member in noun.members if member.immutable)
        assert answer >= {member.wire_name for member in noun.members if member.in_responses}

    def test_the_command_line_has_a_flag_for_each_row(self, noun):
        """The commands that add and update have the flag and the flags that clear it."""
        add, update = map(_command_flags, noun.commands)
        for member in members.members_for_new(noun.members):
            assert member.flag.positional or member.flag.name in add
        for member in members.members_for_update(noun.members):
            flags = {member.flag.name, *(clear.flag for clear in cli_members.clear_flags(member))}
            assert flags <= update or member.name in noun.by_steps

    def test_the_console_has_a_field_for_each_row(self, noun):
        """The field is on the form of a new record, on the form of a change, or on its own form."""
        field_names = {field.name for path in noun.forms for field in form_at(path).fields}
        assert field_names == {member.wire_name for member in noun.members}

    def test_the_audit_log_has_the_facts_that_the_rows_name(self, noun):
        """No other facts are recorded."""
        expected = {
            member.audit_name or member.name
            for member in noun.members
            if member.audit_name is not None
        }
        assert members.facts(noun.members, noun.record).keys() == expected

    def test_a_change_of_a_member_without_a_widens_rule_needs_a_signature(self, noun):
        """If a row has no `widens` rule, every change of the member needs a signature."""
        for member in noun.members:
            if member.widens is None and member.name not in (*noun.own_rule, "token_seconds"):
                after = copy.copy(noun.record)
                object.__setattr__(after, member.name, object())
                widened = power.widened_members(noun.record, after, default_seconds=300)
                assert widened == {member.name}


def _command_flags(words):
    noun, verb = words.split()
    group = cli.get_command(click.Context(cli), noun)
    command = group.get_command(click.Context(group), verb)
    return {name for param in command.params for name in (*param.opts, *param.secondary_opts)}


@pytest.mark.parametrize("kind", list(Kind))
def test_api_cli_and_console_support_every_member_kind(kind):
    """A member of any kind can be parsed, returned, written, printed and edited."""
    fields = {*member_fields._KINDS, *member_fields._SHAPES}
    assert kind in set(wire_members._KINDS) & set(cli_members._KINDS) & fields


@pytest.mark.parametrize("name", ["colour", "owners", "auth_method"])
def test_changing_an_unknown_member_raises_type_error(name):
    """An unknown member is a programming error and must not be ignored."""
    with pytest.raises(TypeError, match=f"Unknown member: {name}"):
        AgentChanges(**{name: "x"})


def test_creating_an_agent_with_an_unknown_member_raises_type_error():
    """An unknown member is a programming error and must not be ignored."""
    with pytest.raises(TypeError, match="Unknown member: colour"):
        NewAgent("bot", ("ana",), colour="red")


def test_audit_facts_contain_plain_lists_and_key_ids():
    """The facts are JSON values and leave out members that the audit log omits."""
    facts = members.facts(AGENT_MEMBERS, BOT)
    assert facts["keys"] == ["a"]
    assert facts["only"] == {"https://a.example": ["read"]}
    assert (facts["asks"], facts["action_types"], facts["owners"]) == (["ana"], None, ["ana"])
    assert facts.keys() & {"description", "id_token_alg", "jwks"} == set()


@pytest.mark.parametrize(
    ("widens", "before", "after", "wider"),
    [
        (members.adds_values, ("a",), ("a", "b"), True),
        (members.adds_values, ("a", "b"), ("a",), False),
        (members.adds_values_or_all, ("a",), None, True),
        (members.adds_values_or_all, None, ("a",), False),
        (members.adds_values_or_all, ("a", "b"), ("b",), False),
        (members.later, 1, 2, True),
        (members.later, 1, None, True),
        (members.later, 2, 1, False),
        (members.later, None, 1, False),
        (members.turns_on, False, True, True),
        (members.turns_on, True, False, False),
        (members.turned_off, True, False, True),
        (members.turned_off, False, True, False),
    ],
)
def test_rows_decide_whether_a_change_widens_permissions(widens, before, after, wider):
    """The row's rule compares the values before and after the change."""
    assert widens(before, after) is wider


def test_contradictory_flags_for_one_member_are_refused():
    """A member cannot be set and cleared by the same command."""
    for flags in (
        {"labels": ("a",), "no_label": True},
        {"no_action": True, "any_action": True},
        {"token_seconds": 60, "no_token_seconds": True},
    ):
        with pytest.raises(click.UsageError, match="not both"):
            cli_members.read_flags(AGENT_MEMBERS, flags, 0)


def test_cli_lines_without_a_value_show_a_default_or_are_omitted():
    """The row decides which of the two applies."""
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
        "required",
        "60 seconds",
    )
    (bound,) = (member for member in APP_MEMBERS if member.name == "dpop_bound")
    assert cli_members.lines((bound,), BOT) == {"tokens": "bound to its key if it proves one"}


def test_page_lines_show_names_text_or_the_empty_label():
    """The lines of the requested section are in the order of the rows."""
    document = {member.wire_name: None for member in AGENT_MEMBERS} | {"labels": ["pilot"]}
    lines = {
        line.label: line.names or line.text
        for line in page_lines(AGENT_MEMBERS, document | {"interactive": True}, "General")
    }
    assert lines == {
        "Labels": ["pilot"],
        "External ID": "nothing",
        "Interactive": "yes",
    }
    assert page_lines(AGENT_MEMBERS, document, "Nowhere") == []
