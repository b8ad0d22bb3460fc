"""Manages action types: files that say how a request's authorization details are displayed."""

from dataclasses import dataclass, replace

from server.model.audit import Entry
from server.model.policy import ActionRow
from server.model.reactions import ActionTypeChanged
from server.model.store import Directory, Store, Unit
from server.protocol import errors, json_text, names
from server.protocol.policy import action_types
from server.protocol.policy.action_types import ActionType
from server.protocol.policy.uses import InvalidActionType
from server.services import paging
from server.services.audit import audit
from server.services.paging import ResultPage
from server.services.refusals import Conflict, Exists, Invalid, NotFound, error_member


@dataclass(frozen=True, slots=True)
class ActionTypes:
    """Lists, registers, updates and deletes action types. A document is the text of a JSON file."""

    store: Store

    def all(self) -> list[ActionRow]:
        """Return all action types, ordered by name."""
        with self.store.read() as view:
            return view.actions.all()

    def page(self, after: str, limit: int) -> ResultPage[ActionRow]:
        """Return the page of action types after this name."""
        return paging.page_after(self.all(), lambda action: action.type, after, limit)

    def by_id(self, action_id: str) -> ActionRow:
        """Return the action type with this `names.name_id`. Raises `NotFound`."""
        for row in self.all():
            if names.name_id(row.type) == action_id:
                return row
        raise NotFound("action type", action_id)

    def show(self, name: str) -> ActionRow:
        """Return one action type. Raises `NotFound`."""
        with self.store.read() as view:
            return find(view.directory, name)

    def add(self, document: str, *, by: str) -> ActionRow:
        """Register an action type. Raises `Exists`, or `Invalid` with the position in the file."""
        action = read(document)
        with self.store.administer() as tx:
            if tx.directory.action(action.type) is not None:
                raise Exists(
                    f"{action.type} is already registered. Update it instead.",
                    remedy=("action type.update",),
                )
            row = ActionRow(action.type, document, version=1, created_at=tx.now)
            tx.actions.add(row)
            _record(tx, audit.Type.ACTION_ADDED, row, by)
            return row

    def update(self, document: str, *, by: str) -> ActionRow:
        """Store a new version, which new requests use.

        Pending requests keep their display. Raises `NotFound` or `Invalid`.
        """
        action = read(document)
        with self.store.administer() as tx:
            before = find(tx.directory, action.type)
            if before.document == document:
                return before
            row = replace(before, document=document, version=before.version + 1)
            tx.actions.replace(row)
            _record(tx, audit.Type.ACTION_UPDATED, row, by)
            tx.react(ActionTypeChanged(row.type, by))
            return row

    def delete(self, name: str, *, by: str) -> ActionRow:
        """Delete an action type and remove it from every client; its pending requests fail.

        Raises `NotFound`, or `Conflict` while a scope requires it.
        """
        with self.store.administer() as tx:
            row = find(tx.directory, name)
            for resource in tx.resources.all():
                if name in resource.requires.values():
                    raise Conflict(
                        f"A scope of {resource.uri} requires {name}. Remove that requirement "
                        "first.",
                        remedy=("resource.requires", resource.uri),
                    )
            tx.actions.delete(name)
            for agent in tx.agents.all():
                if (remaining := _remove_type(agent.action_types, name)) is not None:
                    tx.agents.replace(replace(agent, action_types=remaining), tx.now)
            for app in tx.apps.all():
                if (remaining := _remove_type(app.action_types, name)) is not None:
                    tx.apps.replace(replace(app, action_types=remaining))
            _record(tx, audit.Type.ACTION_DELETED, row, by)
            tx.react(ActionTypeChanged(row.type, by))
            return row


def find(directory: Directory, name: str) -> ActionRow:
    """Return the registered action type with this name. Raises `NotFound`."""
    row = directory.action(name)
    if row is None:
        raise NotFound("action type", name)
    return row


@error_member("document")
def read(document: str) -> ActionType:
    """Parse the file of an action type. Raises `Invalid` with the position and the remedy."""
    try:
        return action_types.read_action_type(json_text.parse(document, what="The file"))
    except errors.InvalidRequest as error:
        raise Invalid(f"{error.description}.") from error
    except InvalidActionType as error:
        raise Invalid(f"The file is not a valid action type. {error}.") from error


def _remove_type(types: tuple[str, ...] | None, name: str) -> tuple[str, ...] | None:
    """Return the client's allowed types without this one; None if it was not among them.

    A type that is later registered under the same name is not allowed for the client.
    """
    if types is None or name not in types:
        return None
    return tuple(other for other in types if other != name)


def _record(tx: Unit, kind: audit.Type, row: ActionRow, by: str) -> None:
    tx.audit.add(Entry(kind, by, facts={"type": row.type, "version": row.version}))
