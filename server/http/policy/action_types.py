"""Endpoints for action types. The body is the file itself."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from server.http import listing
from server.http.route import READS, HttpRequest, managed
from server.http.wire import Listed, RecordResponse, StrictBody, Time
from server.model.policy import ActionRow
from server.protocol import errors, names
from server.protocol.approvals import ceremonies
from server.protocol.names import name_id
from server.services.operations import power
from server.services.operations.administration import AdminServices
from server.services.policy import action_types


class ActionDocument(BaseModel):
    """The file of an action type."""

    model_config = ConfigDict(extra="allow")

    type: str


_MAX_LENGTH = 65_536


class ActionPreviewInput(StrictBody):
    """The file of an action type as text, and the details to show; null uses an example."""

    document: str = Field(max_length=_MAX_LENGTH)
    details: dict[str, Any] | None = None


class ActionPreview(BaseModel):
    """How approvers see an action type, and the ceremony that it requires."""

    details: dict[str, Any]
    display: str
    ceremony: str


class ManagedAction(RecordResponse):
    """An action type and its file, as text."""

    id: str
    type: str
    revision: int
    document: str
    created_at: Time
    version: str


class ManagedActions(Listed[ManagedAction]):
    """A page of the list of action types."""


def _action(record: ActionRow) -> ManagedAction:
    """An action type as JSON."""
    return ManagedAction.of(
        record,
        id=names.name_id(record.type),
        revision=record.version,
        version=power.version(record),
    )


@managed("GET /api/actions", query=listing.QUERY)
def list_action_types(request: HttpRequest, admin: AdminServices) -> ManagedActions:
    """List action types by name."""
    part = admin.actions.page(listing.cursor(request), listing.limit(request))
    return listing.page(ManagedActions, part, _action)


@managed("POST /api/actions", body=ActionDocument, status=201, signed=True)
def add(request: HttpRequest, admin: AdminServices) -> ManagedAction:
    """Register an action type. The body is its file."""
    row = admin.actions.add(_file(request), by=admin.by)
    return _action(row)


@managed("POST /api/actions/preview", errors=READS)
def preview(admin: AdminServices, body: ActionPreviewInput) -> ActionPreview:
    """Preview an action type without registering it."""
    rendered = admin.previews.preview(body.document, body.details)
    return ActionPreview(
        details=dict(rendered.details),
        display=rendered.display,
        ceremony=ceremonies.ceremony_text(rendered.ceremony),
    )


@managed("GET /api/actions/<id>")
def show(admin: AdminServices, record_id: str) -> ManagedAction:
    """Get one action type with its file."""
    return _action(admin.actions.by_id(record_id))


@managed("PUT /api/actions/<id>", body=ActionDocument, versioned=True)
def replace(request: HttpRequest, admin: AdminServices, record_id: str) -> ManagedAction:
    """Update an action type. The body is its file."""
    file = _file(request)
    if name_id(action_types.read(file).type) != record_id:
        raise errors.invalid_body("The file describes a different action type.")
    return _action(admin.actions.update(file, by=admin.by))


@managed("DELETE /api/actions/<id>")
def delete(admin: AdminServices, record_id: str) -> None:
    """Delete an action type."""
    admin.actions.delete(admin.actions.by_id(record_id).type, by=admin.by)


def _file(request: HttpRequest) -> str:
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise errors.invalid_body("The file is not UTF-8.") from error
