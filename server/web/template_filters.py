"""The filters of templates for the API's values: text of others, times, JSON.

Owns: the filters of all templates. Never: HTML; Jinja escapes what they return.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from server.protocol.names import is_app, path_id
from server.protocol.text import display_safe
from server.services.clients.agent_members import AGENT_MEMBERS
from server.web.browser import moment
from server.web.console.member_fields import page_lines

_MAX_CHARACTERS: Final = 2_000
_MAX_LINES: Final = 50


def _shown(raw: object) -> str:
    """Text of others, without control characters."""
    return display_safe(str(raw), max_chars=_MAX_CHARACTERS, max_lines=_MAX_LINES)


def _clock(text: str) -> int:
    """The milliseconds of an RFC 3339 time."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _when(text: str) -> str:
    """An RFC 3339 time as text for people."""
    return moment(_clock(text))


def _when_exactly(text: str) -> str:
    """The same with seconds."""
    return moment(_clock(text), seconds=True)


def _hue(name: str) -> int:
    """One of eight colors, derived from an id."""
    return ord(name[-1:]) % 8


def _client_page(client_id: str) -> str:
    """The path of an agent's or app's page in the console."""
    return f"/admin/{'apps' if is_app(client_id) else 'agents'}/{path_id(client_id)}"


class OptionalMembers(dict[str, Any]):
    """A JSON object or a submitted form: what it does not have is an empty text in a template."""

    def __missing__(self, name: str) -> str:
        return ""


def _parsed(text: str) -> object:
    """Parse a JSON text; None if it was erased."""
    return json.loads(text, object_hook=OptionalMembers) if text else None


def _pretty(text: str) -> str:
    """Indent a JSON text."""
    return json.dumps(_parsed(text), indent=2, ensure_ascii=False)


FILTERS: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {
        "shown": _shown,
        "clock": _clock,
        "said": _when,
        "said_exactly": _when_exactly,
        "hue": _hue,
        "path_id": path_id,
        "client_page": _client_page,
        "parsed": _parsed,
        "pretty": _pretty,
        "agent_lines": partial(page_lines, AGENT_MEMBERS),
    }
)
