"""Every CLI verb has an API route, or a reason to be CLI-only."""

from collections.abc import Iterator
from typing import Any

import click
import pytest

from server.cli.main import cli
from server.http.routes import ADMIN_ROUTES

ROUTES_BY_VERB = {
    "doctor": "GET /api/admin/findings",
    "config show": "GET /api/admin/settings",
    "approvals statistics": "GET /api/admin/statistics",
    "approvals statistics --agent": "GET /api/agents/<id>/statistics",
    "outbox list": "GET /api/admin/outbox",
    "outbox retry": "POST /api/admin/outbox/<id>/retry",
    "users add": "POST /api/users",
    "users list": "GET /api/users",
    "users show": "GET /api/users/<id>",
    "users update": "PATCH /api/users/<id>",
    "users disable": "POST /api/users/<id>/disable",
    "users enable": "POST /api/users/<id>/enable",
    "users enroll": "POST /api/users/<id>/codes",
    "users unlock": "POST /api/users/<id>/unlock",
    "agents add": "POST /api/agents",
    "agents list": "GET /api/agents",
    "agents show": "GET /api/agents/<id>",
    "agents update": "PATCH /api/agents/<id>",
    "agents disable": "POST /api/agents/<id>/disable",
    "agents disable --dry-run": "GET /api/agents/<id>/disable",
    "agents enable": "POST /api/agents/<id>/enable",
    "agents rotate-secret": "POST /api/agents/<id>/secret",
    "agents delete": "DELETE /api/agents/<id>",
    "agents orphans": "GET /api/admin/orphans",
    "agents invite": "POST /api/invitations",
    "agents invitations": "GET /api/invitations",
    "agents uninvite": "DELETE /api/invitations/<id>",
    "groups add": "POST /api/groups",
    "groups list": "GET /api/groups",
    "groups show": "GET /api/groups/<id>",
    "groups update": "PATCH /api/groups/<id>",
    "groups delete": "DELETE /api/groups/<id>",
    "apps invite": "POST /api/invitations",
    "apps add": "POST /api/apps",
    "apps list": "GET /api/apps",
    "apps show": "GET /api/apps/<id>",
    "apps update": "PATCH /api/apps/<id>",
    "apps rotate-secret": "POST /api/apps/<id>/secret",
    "apps delete": "DELETE /api/apps/<id>",
    "consents list": "GET /api/admin/consents",
    "consents revoke": "POST /api/admin/consents/<id>/revoke",
    "grants list": "GET /api/admin/grants",
    "grants revoke": "POST /api/admin/grants/<id>/revoke",
    "deputies list": "GET /api/admin/deputies",
    "deputies revoke": "POST /api/admin/deputies/<id>/revoke",
    "delegations list": "GET /api/admin/delegations",
    "delegations show": "GET /api/admin/delegations/<id>",
    "delegations revoke": "POST /api/admin/delegations/<id>/revoke",
    "resources add": "POST /api/resources",
    "resources list": "GET /api/resources",
    "resources show": "GET /api/resources/<id>",
    "agents change-auth": "POST /api/agents/<id>/auth",
    "resources update": "PATCH /api/resources/<id>",
    "resources rotate-secret": "POST /api/resources/<id>/secret",
    "resources delete": "DELETE /api/resources/<id>",
    "actions add": "POST /api/actions",
    "actions list": "GET /api/actions",
    "actions show": "GET /api/actions/<id>",
    "actions update": "PUT /api/actions/<id>",
    "actions delete": "DELETE /api/actions/<id>",
    "actions preview": "POST /api/actions/preview",
    "policy show": "GET /api/policy",
    "policy set": "POST /api/policy",
    "policy explain": "POST /api/policy/explain",
    "policy test": "POST /api/policy/test",
    "policy dry-run": "POST /api/policy/dry-run",
    "approvals list": "GET /api/admin/approvals",
    "approvals show": "GET /api/admin/approvals/<id>",
    "approvals limits": "GET /api/admin/limits",
    "approvals cancel": "POST /api/admin/approvals/<id>/cancel",
    "approvals escalate": "POST /api/admin/approvals/<id>/escalate",
    "incidents list": "GET /api/incidents",
    "incidents show": "GET /api/incidents/<id>",
    "incidents close": "POST /api/incidents/<id>/close",
    "devices list": "GET /api/admin/devices",
    "devices revoke": "DELETE /api/admin/devices/<id>",
    "keys list": "GET /api/keys",
    "keys rotate": "POST /api/keys",
    "keys revoke": "POST /api/keys/<id>/revoke",
    "audit tail": "GET /api/audit",
    "audit search": "GET /api/audit",
    "audit show": "GET /api/audit/<id>",
    "audit show --timeline": "GET /api/audit/<id>/timeline",
    "audit hash": "POST /api/audit/hash",
    "audit trim": "POST /api/audit/trim",
    "audit erase": "POST /api/users/<id>/erase",
    "audit search --agent": "GET /api/agents/<id>/audit",
}
"""A verb, or a verb with a flag that has an API route of its own."""

CLI_ONLY = {
    "users password": "an administrator sets a user's password; docs/limitations.md says so",
    "actions builtin": "part of the program; docs/limitations.md says so",
    "token inspect": "takes a whole token, which stays local; docs/limitations.md says so",
    "token revoke": "takes a whole token; POST /api/admin/delegations/<id>/revoke takes its jti",
    "token explain": "replays a refused exchange; docs/limitations.md says so",
    "audit checkpoint": "GET /api/audit/checkpoint, for every signed-in user",
    "audit diff": "compares files",
    "audit export": "runs on the machine of the log; docs/limitations.md says so",
    "audit key": "GET /api/audit/keys, for every signed-in user",
    "audit prove": "GET /api/audit/<id>/inclusion, for every signed-in user",
    "audit rotate-key": "a file of the machine",
    "audit stream": "a separate process",
    "audit streams": "files of the machine",
    "audit verify": "needs no server",
    "db upgrade": "needs the server to be stopped",
    "db backup": "a file of the machine",
    "db restore": "reads a file of the machine and needs the server to be stopped",
    "devices enable": "for devices that a restore disabled, on the machine of the restore",
    "serve": "starts the server that has the API",
    "init": "creates the first user who could call the API",
    "demo": "runs a temporary server of its own",
    "completion": "a script for the shell of this machine",
    "gateway init": "writes a file for a separate process",
    "ask": "an agent's own process",
    "mcp": "an agent's own process",
}
"""Verbs without an API route, and the reason."""


def _verbs(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield " ".join(words)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        subcommand = command.get_command(context, name)
        assert subcommand is not None
        yield from _verbs(subcommand, (*words, name))


VERBS = set(_verbs(cli))
NOUNS = sorted({verb.split()[0] for verb in VERBS})


@pytest.mark.parametrize("noun", NOUNS)
def test_every_verb_of_a_noun_has_an_api_route_or_a_reason(noun: str) -> None:
    """Administering an installation must not require shell access to its machine."""
    verbs = {verb for verb in VERBS if verb.split()[0] == noun}
    assert verbs - ROUTES_BY_VERB.keys() == verbs & CLI_ONLY.keys()


def test_every_cli_only_verb_exists() -> None:
    """A reason for a verb that was removed or has a route is outdated."""
    assert set(CLI_ONLY) <= VERBS - ROUTES_BY_VERB.keys()


def test_every_listed_verb_and_flag_exists() -> None:
    """The table lists every admin route, and its verbs and flags exist."""
    assert {route.name for route in ADMIN_ROUTES} == set(ROUTES_BY_VERB.values())
    for listed in ROUTES_BY_VERB:
        noun, *verbs = listed.split()
        command: Any = cli.get_command(click.Context(cli), noun)
        flags = [flag for flag in verbs if flag.startswith("--")]
        for verb in verbs[: len(verbs) - len(flags)]:
            command = command.get_command(click.Context(command), verb)
        known_flags = {flag for parameter in command.params for flag in parameter.opts}
        assert set(flags) <= known_flags
