"""`sayso groups`: groups of approvers, for policy rules and for agents."""

import click

from server.cli.clients.agent_document import names_by_id
from server.cli.opening import BY, OpenInstallation, administers
from server.cli.output import answer, if_missing_option, json_option, listed, rfc3339, table
from server.model.approvers import Group
from server.services.approvers.groups import GroupChanges
from server.services.refusals import Exists


@click.group("groups")
def command() -> None:
    """Groups of approvers. GROUP is a name or id; USER is a name, email address or id."""


@command.command("add")
@click.argument("name")
@click.option("--member", "members", multiple=True, metavar="USER", help="A member.")
@if_missing_option
@json_option
@administers
def add(
    admin: OpenInstallation, name: str, members: tuple[str, ...], *, if_missing: bool, as_json: bool
) -> None:
    """Create a group."""
    try:
        group = admin.groups.add(name, members, by=BY)
    except Exists:
        if not if_missing:
            raise
        group = admin.groups.show(name)
        _answer(admin, group, f"The group {group.name} already exists.", as_json=as_json)
        return
    lines = [f"Created {group.name}. Name it in a policy rule (ask.who), or let an agent ask it:"]
    lines.append(f"  sayso agents update AGENT --asks {group.name}")
    _answer(admin, group, *lines, as_json=as_json)


@command.command("list")
@json_option
@administers
def show_all(admin: OpenInstallation, *, as_json: bool) -> None:
    """List all groups, by name."""
    groups, names = admin.groups.all(), names_by_id(admin)
    rows = [
        (group.name, listed(names.get(one, one) for one in group.members), group.id)
        for group in groups
    ]
    document = {"items": [_document(group, names) for group in groups]}
    answer(document, table(("name", "members", "id"), rows), as_json=as_json)


@command.command("show")
@click.argument("called", metavar="GROUP")
@json_option
@administers
def show(admin: OpenInstallation, called: str, *, as_json: bool) -> None:
    """Show one group."""
    _answer(admin, admin.groups.show(called), as_json=as_json)


@command.command("update")
@click.argument("called", metavar="GROUP")
@click.option("--name", metavar="NAME", help="The new name.")
@click.option("--add", "added", multiple=True, metavar="USER", help="A member to add.")
@click.option("--remove", "removed", multiple=True, metavar="USER", help="A member to remove.")
@json_option
@administers
def update(  # the flags of one command
    admin: OpenInstallation,
    called: str,
    name: str | None,
    added: tuple[str, ...],
    removed: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Change the name or the members of a group."""
    if name is None and not added and not removed:
        raise click.UsageError("Say what to change: --name, --add or --remove.")
    changes = GroupChanges(name, added, removed)
    _answer(admin, admin.groups.update(called, changes, by=BY), as_json=as_json)


@command.command("delete")
@click.argument("called", metavar="GROUP")
@json_option
@administers
def delete(admin: OpenInstallation, called: str, *, as_json: bool) -> None:
    """Delete a group that neither policy nor an agent names."""
    group = admin.groups.delete(called, by=BY)
    answer(_document(group, names_by_id(admin)), [f"Deleted {group.name}."], as_json=as_json)


def _answer(admin: OpenInstallation, group: Group, *lines: str, as_json: bool) -> None:
    names = names_by_id(admin)
    members = listed(names.get(one, one) for one in group.members)
    whole = [*lines, f"{group.name}: {members}"]
    answer(_document(group, names), whole, as_json=as_json)


def _document(group: Group, names: dict[str, str]) -> dict[str, object]:
    return {
        "id": group.id,
        "name": group.name,
        "members": [names.get(one, one) for one in group.members],
        "created_at": rfc3339(group.created_at),
    }
