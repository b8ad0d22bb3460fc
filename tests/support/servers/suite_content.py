"""Content that the server of `suite_tools.py` returns and requests, as MCP's suite expects it.

Owns: content, forms, and the events of streams. Never: tools.
"""

from typing import Any

from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    EmbeddedResource,
    ImageContent,
    JSONRPCMessage,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel, Field

IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8"
    "z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
SOUND = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


class Events(EventStore):
    """The events of all streams, so that a client can resume a stream."""

    def __init__(self) -> None:
        self._events: list[tuple[str, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        """Store an event; return its ID."""
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(
        self, last_event_id: str, send_callback: EventCallback
    ) -> str | None:
        """Send the events that followed this event on its stream."""
        stream = self._events[int(last_event_id) - 1][0]
        for number, (event_stream, message) in enumerate(self._events, 1):
            if event_stream == stream and number > int(last_event_id) and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


class Answer(BaseModel):
    """A person's answer."""

    response: str


class Defaults(BaseModel):
    """A form in which each primitive type has a default."""

    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: str = Field("active", json_schema_extra={"enum": ["active", "inactive", "pending"]})
    verified: bool = True


def _one_of(kind: str, *choices: str) -> Any:
    titled = [{"const": choice, "title": choice.title()} for choice in choices]
    return {kind: titled}


class Enums(BaseModel):
    """A form with each kind of enumeration."""

    untitledSingle: str = Field(json_schema_extra={"enum": ["active", "inactive"]})  # noqa: N815  # the suite's
    titledSingle: str = Field(json_schema_extra=_one_of("oneOf", "low", "high"))  # noqa: N815  # as above
    untitledMulti: list[str] = Field(  # noqa: N815  # as above
        json_schema_extra={"items": {"type": "string", "enum": ["read", "write"]}}
    )
    titledMulti: list[str] = Field(json_schema_extra={"items": _one_of("anyOf", "bug", "docs")})  # noqa: N815  # as above
    legacyEnum: str = Field(  # noqa: N815  # as above
        json_schema_extra={"enum": ["s", "m"], "enumNames": ["Small", "Medium"]}
    )


def text(words: str) -> TextContent:
    """Return a text content."""
    return TextContent(type="text", text=words)


def image() -> ImageContent:
    """Return an image of one pixel."""
    return ImageContent(type="image", data=IMAGE, mime_type="image/png")


def embedded(uri: str) -> EmbeddedResource:
    """Return an embedded resource."""
    resource = TextResourceContents(uri=uri, mime_type="text/plain", text="embedded")
    return EmbeddedResource(type="resource", resource=resource)


def form(member: str, kind: str = "string") -> ElicitRequest:
    """Return an elicitation with one member."""
    schema = {"type": "object", "properties": {member: {"type": kind}}, "required": [member]}
    params = ElicitRequestFormParams(message=f"Your {member}?", requested_schema=schema)
    return ElicitRequest(params=params)


def sampling(words: str) -> CreateMessageRequest:
    """Return a sampling request for the client's model."""
    message = SamplingMessage(role="user", content=text(words))
    return CreateMessageRequest(
        params=CreateMessageRequestParams(messages=[message], max_tokens=50)
    )
