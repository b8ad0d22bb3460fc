"""`sayso groups`: groups of approvers, for policy rules and for agents."""

from typing import Any, Final

import click

from server.cli import members
from server.cli.clients.agent_document import names_by_id
from server.cli.opening import OpenInstallation, Printed, adds, prints
from server.cli.output import join_names, table, with_names
from server.lazy_imports import lazily
from server.model.approvers import Group
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.approvers.groups import GroupChanges

with lazily():
    from server.http.approvers import groups as api

_CHANGEABLE_MEMBERS: Final = GROUP_MEMBERS[:1]
"""Users are added and removed one by one, so that concurrent updates do not undo each other."""


@click.group("groups")
def command() -> None:
    """Groups of approvers. GROUP is a name or ID; USER is a name, email address or ID."""


def _existing_group(admin: OpenInstallation, /, name: str, **_: object) -> Printed:
    group = admin.groups.show(name)
    return _answer(admin, group, f"The group {group.name} already exists.")


@command.command("add")
@click.argument("name")
@members.new_flags(GROUP_MEMBERS)
@adds(_existing_group)
def add(admin: OpenInstallation, /, **flags: Any) -> Printed:  # noqa: ANN401  # one flag for each member
    """Create a group."""
    values = members.read_flags(GROUP_MEMBERS, flags, admin.now)
    group = admin.groups.add(**values, by=admin.by)
    lines = [f"Created {group.name}. Name it in a policy rule (ask.who), or let an agent ask it:"]
    lines.append(f"  sayso agents update AGENT --asks {group.name}")
    return _answer(admin, group, *lines)


@command.command("list")
@prints
def show_all(admin: OpenInstallation) -> Printed:
    """List all groups, by name."""
    groups, names = admin.groups.all(), names_by_id(admin)
    rows = [(group.name, _member_names(group, names), group.id) for group in groups]
    lines = table(("name", "members", "id"), rows)
    return lambda: {"items": [_document(admin, group) for group in groups]}, lines


@command.command("show")
@click.argument("name_or_id", metavar="GROUP")
@prints
def show(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Show one group."""
    return _answer(admin, admin.groups.show(name_or_id))


@command.command("update")
@click.argument("name_or_id", metavar="GROUP")
@members.change_flags(_CHANGEABLE_MEMBERS)
@click.option("--add", metavar="USER", multiple=True, help="A member to add.")
@click.option("--remove", metavar="USER", multiple=True, help="A member to remove.")
@prints
def update(admin: OpenInstallation, /, name_or_id: str, **flags: Any) -> Printed:  # noqa: ANN401  # one flag for each member
    """Change the name or the members of a group."""
    if not any(flags.values()):
        raise click.UsageError("Specify what to change: --name, --add or --remove.")
    values = members.read_flags(_CHANGEABLE_MEMBERS, flags, admin.now)
    changes = GroupChanges(**values, add=flags["add"], remove=flags["remove"])
    return _answer(admin, admin.groups.update(name_or_id, changes, by=admin.by))


@command.command("delete")
@click.argument("name_or_id", metavar="GROUP")
@prints
def delete(admin: OpenInstallation, name_or_id: str) -> Printed:
    """Delete a group that no policy rule or agent uses."""
    group = admin.groups.delete(name_or_id, by=admin.by)
    return lambda: _document(admin, group), [f"Deleted {group.name}."]


def _answer(admin: OpenInstallation, group: Group, *lines: str) -> Printed:
    line = f"{group.name}: {_member_names(group, names_by_id(admin))}"
    return lambda: _document(admin, group), [*lines, line]


def _member_names(group: Group, names: dict[str, str]) -> str:
    return join_names(names.get(member, member) for member in group.members)


def _document(admin: OpenInstallation, group: Group) -> dict[str, object]:
    return with_names(api.document(admin, group), "members")
