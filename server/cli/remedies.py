"""The commands that help after an error.

Owns: the command of each remedy. Never: what is wrong; the error's own message says that.
"""

from collections.abc import Mapping
from shlex import quote
from typing import Final

from server.services.audit.floods import MAX_FULL_ENTRIES
from server.services.refusals import Remedy

COMMANDS: Final[Mapping[str, str]] = {
    "action type": "See them all with: sayso actions list. "
    "Register it with: sayso actions add FILE",
    "action type.update": "Run: sayso actions update FILE",
    "agent": "See them all with: sayso agents list",
    "agent.add_owner": "Run: sayso agents update {} --add-owner USER",
    "agent.asks": "Run: sayso agents update {} --asks USER",
    "agent.enable": "Run: sayso agents enable {}",
    "agent.expires": "Run: sayso agents update {} --expires 90d",
    "agent.jwks": "Run: sayso agents update {} --jwks FILE",
    "agent.permissions": "Run: sayso agents update {} --resource URI --scope NAME",
    "agent.rename": "Run: sayso agents update {} --name NAME",
    "agent.review": "Run: sayso agents update {} --review 90d",
    "agent.show": "To see it, run: sayso agents show {}",
    "app": "See them all with: sayso apps list",
    "app.enable": "Run: sayso apps update {} --enable",
    "app.rename": "Run: sayso apps update {} --name NAME",
    "audit entry": "See the newest with: sayso audit tail",
    "request, token, audit entry or API call": "See the newest entries with: sayso audit tail",
    "built-in action type": "See them all with: sayso actions builtin",
    "broken log": "To see where, run: sayso audit export FILE and sayso audit verify FILE",
    "checkpoint": "Start the server: sayso serve",
    "consent": "See them all with: sayso consents list",
    "database": "Check --data-dir and SAYSO_DATA_DIR, or run: sayso init --admin NAME",
    "delegation": "See them with: sayso delegations list",
    "deputy": "See them all with: sayso deputies list",
    "device": "See them all with: sayso devices list",
    "device disabled by a restore": "See them all with: sayso doctor",
    "device.enable": "Run: sayso devices enable {}",
    "group": "See them all with: sayso groups list",
    "group.rename": "Run: sayso groups update {} --name NAME",
    "incident": "See them all with: sayso incidents list",
    "incident.show": "Run: sayso incidents show {}",
    "installation.init": "Run: sayso init --admin NAME",
    "invitation": "See them all with: sayso agents invitations",
    "key": "See them all with: sayso keys list",
    "record of this token": "It is not valid here.",
    "refused exchange": "Use the X-Correlation-Id from the agent's response, or find it "
    f"with: sayso audit tail. The log stores up to {MAX_FULL_ENTRIES} refusals per agent per "
    "minute and only counts the rest.",
    "request": "See the newest with: sayso approvals list",
    "resource": "See them all with: sayso resources list. "
    "Register it with: sayso resources add {} --scope NAME=RISK",
    "resource.update": "To change it, run: sayso resources update {}. "
    "For a new secret, run: sayso resources rotate-secret {}",
    "resource.delete": "Run: sayso resources delete {}",
    "resource.requires": "Run: sayso resources update {} --requires SCOPE=",
    "resource.scope": "Run: sayso resources update {} --scope {}=low|medium|high|critical",
    "scope of a resource": "See them all with: sayso resources list",
    "standing grant": "See them all with: sayso grants list",
    "undelivered message": "See them all with: sayso outbox list",
    "user": "See them all with: sayso users list",
    "user or group": "See them all with: sayso users list, sayso groups list",
    "user.disable": "Run: sayso users disable {}",
    "user.enable": "Run: sayso users enable {}",
    "user.enroll": "Run: sayso users enroll {}",
    "user.last_administrator": "Run: sayso users update USER --role admin. "
    "To change this user anyway, use --force.",
}
"""By code: a kind of record that was not found, or a change that helps. `{}` is a value."""


def command_for(remedy: Remedy) -> str:
    """The sentence with the command that helps; "" if there is no remedy."""
    return COMMANDS[remedy[0]].format(*map(quote, remedy[1:])) if remedy else ""
