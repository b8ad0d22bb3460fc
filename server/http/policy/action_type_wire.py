"""Action types and their previews as JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from server.http.wire import Listed, StrictBody
from server.model.policy import ActionRow
from server.protocol import names
from server.protocol.approvals import ceremonies
from server.services.operations import power
from server.services.policy.displays import rfc3339
from server.services.policy.previews import Preview


class ActionDocument(BaseModel):
    """The file of an action type."""

    model_config = ConfigDict(extra="allow")

    type: str


_MAX = 65_536


class ActionPreviewInput(StrictBody):
    """The file of an action type as text, and details to show it with; null for an example."""

    document: str = Field(max_length=_MAX)
    details: dict[str, Any] | None = None


class ActionPreview(BaseModel):
    """How an action type reads to a person, and what an approval takes."""

    details: dict[str, Any]
    display: str
    ceremony: str


class ManagedAction(BaseModel):
    """An action type and its file, as text."""

    id: str
    type: str
    revision: int
    document: str
    created_at: str
    version: str


class ManagedActions(Listed[ManagedAction]):
    """A page of the list of action types."""


def preview(found: Preview) -> ActionPreview:
    """A preview as JSON."""
    return ActionPreview(
        details=dict(found.details),
        display=found.display,
        ceremony=ceremonies.ceremony_text(found.ceremony),
    )


def action(record: ActionRow) -> ManagedAction:
    """An action type as JSON."""
    return ManagedAction(
        id=names.name_id(record.type),
        type=record.type,
        revision=record.version,
        document=record.document,
        created_at=rfc3339(record.created_at),
        version=power.version(record),
    )
