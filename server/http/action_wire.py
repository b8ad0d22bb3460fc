"""Looking at an action type before it is registered: what is sent and answered."""

from typing import Any

from pydantic import BaseModel, Field

from server.http.admin_bodies import Body
from server.protocol import ceremonies
from server.services.previews import Preview

_MOST = 65_536


class ActionTrial(Body):
    """The file of an action type, as text, and details to show it with; null for an example."""

    document: str = Field(max_length=_MOST)
    details: dict[str, Any] | None = None


class ActionPreview(BaseModel):
    """What a person would be shown of an action type, and what a yes would take."""

    details: dict[str, Any]
    display: str
    ceremony: str


def preview(found: Preview) -> ActionPreview:
    """A preview as JSON."""
    return ActionPreview(
        details=dict(found.details),
        display=found.display,
        ceremony=ceremonies.spelled(found.ceremony),
    )
