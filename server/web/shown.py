"""What templates do with the API's values: foreign text, moments, JSON.

Owns: the filters of all templates. Never: HTML; Jinja escapes what they return.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final

from server.protocol.text import display_safe
from server.services.clients.agent_members import AGENT_MEMBERS
from server.web.browser import moment
from server.web.console.member_fields import page_lines

_LONGEST: Final = 2_000
_LINES: Final = 50


def _shown(raw: object) -> str:
    """Foreign text, harmless."""
    return display_safe(str(raw), max_chars=_LONGEST, max_lines=_LINES)


def _clock(text: str) -> int:
    """A moment of the API in milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _said(text: str) -> str:
    """A moment of the API as a person reads it."""
    return moment(_clock(text))


def _hue(name: str) -> int:
    """One of eight colors that an id always has."""
    return ord(name[-1:]) % 8


def _parsed(text: str) -> object:
    """A JSON text of ours that the API hands on as text; None where it was erased."""
    return json.loads(text) if text else None


def _pretty(text: str) -> str:
    """Likewise, for people."""
    return json.dumps(_parsed(text), indent=2, ensure_ascii=False)


FILTERS: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {
        "shown": _shown,
        "clock": _clock,
        "said": _said,
        "hue": _hue,
        "parsed": _parsed,
        "pretty": _pretty,
        "agent_lines": partial(page_lines, AGENT_MEMBERS),
    }
)
