"""Groups of approvers, for policy rules and for agents.

Owns: their names and members. Never: how many of them must approve (policy).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.lazy_imports import lazily
from server.model.approvers import Group
from server.model.audit import Entry
from server.model.ports import Secrets
from server.model.store import Store, Unit, View
from server.protocol.confusables import name_keys
from server.protocol.names import PREFIX_GROUP
from server.services.approvers import group_members
from server.services.approvers.group_members import GROUP_MEMBERS
from server.services.audit import audit
from server.services.members import Written, check_changes, facts, initial_values, names_of
from server.services.refusals import Conflict, Exists, NotFound, error_member

with lazily():
    from server.services.policy import policies


class NewGroup(Written):
    """A new group, with its users by name, email address or ID."""

    member_names = names_of(GROUP_MEMBERS)


class GroupChanges(Written):
    """The changed fields of a group, and the users to `add` and to `remove`."""

    member_names = NewGroup.member_names | {"add", "remove"}


@dataclass(frozen=True, slots=True)
class Groups:
    """Lists, creates, updates and deletes groups. Groups and users are identified by name or ID."""

    store: Store
    secrets: Secrets

    def all(self) -> list[Group]:
        """Return all groups, ordered by name."""
        with self.store.read() as view:
            return view.groups.all()

    def show(self, name_or_id: str) -> Group:
        """Return one group. Raises `NotFound`."""
        with self.store.read() as view:
            return find(view, name_or_id)

    def add(self, name: str, members: Sequence[str] = (), *, by: str) -> Group:
        """Create a group. Raises `Exists`, `NotFound` or `Invalid`."""
        with self.store.administer() as tx:
            values = initial_values(tx, GROUP_MEMBERS, NewGroup(name=name, members=members))
            _check_name_free(tx, values["name"], None)
            group = Group(self.secrets.new_id(PREFIX_GROUP), created_at=tx.now, **values)
            tx.groups.add(group)
            _record(tx, audit.Type.GROUP_ADDED, by, group)
            return group

    def update(self, name_or_id: str, changes: GroupChanges, *, by: str) -> Group:
        """Update a group, which affects pending requests. Raises the same errors as `add`."""
        with self.store.administer() as tx:
            before = find(tx, name_or_id)
            group = replace(before, **check_changes(tx, GROUP_MEMBERS, changes))
            with error_member("members"):
                removed = set(group_members.resolve_user_ids(tx, changes.get("remove", ())))
                added = group_members.resolve_user_ids(tx, changes.get("add", ()))
                members = [member for member in (*group.members, *added) if member not in removed]
                group = replace(group, members=group_members.resolve_user_ids(tx, members))
            if group.name != before.name:
                _check_name_free(tx, group.name, group.id)
            if group != before:
                tx.groups.replace(group)
                _record(tx, audit.Type.GROUP_UPDATED, by, group)
            return group

    def delete(self, name_or_id: str, *, by: str) -> Group:
        """Delete a group. Raises `NotFound`, or `Conflict` while policy or an agent names it."""
        with self.store.administer() as tx:
            group = find(tx, name_or_id)
            _check_unused(tx, group)
            tx.groups.delete(group.id)
            _record(tx, audit.Type.GROUP_DELETED, by, group)
            return group


def find(view: View, name_or_id: str) -> Group:
    """Return the group with this name or ID. Raises `NotFound`."""
    group = view.directory.find_group(name_or_id)
    if group is None:
        raise NotFound("group", name_or_id)
    return group


@error_member("name")
def _check_name_free(tx: Unit, name: str, own_id: str | None) -> None:
    for group in map(
        tx.directory.find_group, tx.names.ids_with_name_like("group", name_keys(name))
    ):
        if group is not None and group.id != own_id:
            raise Exists(
                f"The group {group.name} already exists. Choose a name that cannot be "
                "confused with it."
            )


def _check_unused(tx: Unit, group: Group) -> None:
    agents = [agent.name for agent in tx.agents.all() if group.id in (agent.asks or ())]
    if agents:
        raise Conflict(
            f"{agents[0]} can ask this group. Remove the group from the agent first.",
            remedy=("agent.asks", agents[0]),
        )
    if group.id in policies.current_policy(tx).users.values():
        raise Conflict("The current policy names this group. Change the policy first.")


def _record(tx: Unit, kind: audit.Type, by: str, group: Group) -> None:
    group_facts = {"group": group.id, **facts(GROUP_MEMBERS, group)}
    tx.audit.add(Entry(kind, by, facts=group_facts))
