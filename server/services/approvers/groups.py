"""Groups of approvers, for policy rules and for agents.

Owns: their names and members. Never: the quorum (policy).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.model.approvers import Group
from server.model.audit import Entry
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol.confusables import name_keys
from server.protocol.names import PREFIX_GROUP
from server.services.audit import audit
from server.services.policy import policies
from server.services.refusals import Conflict, Exists, Invalid, NotFound, about
from server.services.users import users

MAX_MEMBERS: Final = 200


@dataclass(frozen=True, slots=True)
class GroupChanges:
    """The changes of a group; None and empty mean no change."""

    name: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    members: tuple[str, ...] | None = None
    """The new list of members."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Lists, creates, updates and deletes groups. Groups and users are named by name or id."""

    store: Store
    secrets: Secrets

    def all(self) -> list[Group]:
        """All groups, by name."""
        with self.store.read() as view:
            return view.groups.all()

    def show(self, called: str) -> Group:
        """One group. Raises `NotFound`."""
        with self.store.read() as view:
            return find(view, called)

    def add(self, name: str, members: Sequence[str], *, by: str) -> Group:
        """Create a group. Raises `Exists`, `NotFound` or `Invalid`."""
        with self.store.administer() as tx:
            found = _people(tx, members)
            _check_name_free(tx, name := users.check_account_name(name), None)
            group = Group(self.secrets.new_id(PREFIX_GROUP), name, _checked(found), tx.now)
            tx.groups.add(group)
            _record(tx, audit.Type.GROUP_ADDED, by, _facts(group))
            return group

    def update(self, called: str, changes: GroupChanges, *, by: str) -> Group:
        """Update a group; it applies to pending requests. Raises as `add`, and `NotFound`."""
        with self.store.administer() as tx:
            before = find(tx, called)
            whole = before.members if changes.members is None else _people(tx, changes.members)
            gone = set(_people(tx, changes.remove))
            kept = [one for one in (*whole, *_people(tx, changes.add)) if one not in gone]
            name = before.name if changes.name is None else users.check_account_name(changes.name)
            group = replace(before, name=name, members=_checked(kept))
            if group.name != before.name:
                _check_name_free(tx, group.name, group.id)
            if group != before:
                tx.groups.replace(group)
                _record(tx, audit.Type.GROUP_UPDATED, by, _facts(group))
            return group

    def delete(self, called: str, *, by: str) -> Group:
        """Delete a group. Raises `NotFound`, or `Conflict` while policy or an agent names it."""
        with self.store.administer() as tx:
            group = find(tx, called)
            _check_unused(tx, group)
            tx.groups.delete(group.id)
            _record(tx, audit.Type.GROUP_DELETED, by, _facts(group))
            return group


def find(view: View, called: str) -> Group:
    """The group with this name or id. Raises `NotFound`."""
    group = view.directory.group_called(called)
    if group is None:
        raise NotFound("group", called)
    return group


@about("members")
def _people(tx: Unit, called: Sequence[str]) -> list[str]:
    return [users.find(tx, one).id for one in called]


@about("members")
def _checked(members: Sequence[str]) -> tuple[str, ...]:
    found = tuple(sorted(set(members)))
    if len(found) > MAX_MEMBERS:
        raise Invalid(f"A group has at most {MAX_MEMBERS} members.")
    return found


@about("name")
def _check_name_free(tx: Unit, name: str, own: str | None) -> None:
    for held in map(tx.directory.group_called, tx.names.bearers("group", name_keys(name))):
        if held is not None and held.id != own:
            raise Exists(
                f"The group {held.name} already exists. Choose a name that does not look like it."
            )


def _check_unused(tx: Unit, group: Group) -> None:
    agents = [one.name for one in tx.agents.all() if group.id in (one.asks or ())]
    if agents:
        raise Conflict(
            f"{agents[0]} can ask this group. Change that first.",
            remedy=("agent.asks", agents[0]),
        )
    if group.id in policies.in_force(tx).users.values():
        raise Conflict("The policy in force names this group. Set another policy first.")


def _facts(group: Group) -> dict[str, object]:
    return {"group": group.id, "name": group.name, "members": list(group.members)}


def _record(tx: Unit, kind: audit.Type, by: str, facts: Mapping[str, object]) -> None:
    audit.record(tx, Entry(kind, by, facts=facts))
