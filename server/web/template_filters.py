"""The template filters for the API's values: untrusted text, times, JSON.

Owns: the filters of all templates, and how every page shows a time. Never: other HTML; Jinja
escapes what they return.
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from markupsafe import Markup, escape

from server.protocol.names import is_app, path_id
from server.protocol.text import display_safe, pluralize
from server.protocol.times import day_text, rfc3339
from server.services.clients.agent_members import AGENT_MEMBERS
from server.web.browser import moment
from server.web.console.member_fields import page_lines

_MAX_CHARACTERS: Final = 2_000
_MAX_LINES: Final = 50


def _safe(raw: object) -> str:
    """Untrusted text, without control characters."""
    return display_safe(str(raw), max_chars=_MAX_CHARACTERS, max_lines=_MAX_LINES)


def _quote(text: str) -> str:
    """A string as a literal that is the same in a shell, in Python and in TypeScript."""
    return "'REPLACE-ME'" if set(text) & set("'\\\n") else f"'{_safe(text)}'"


def _to_millis(text: str) -> int:
    """The milliseconds of an RFC 3339 time."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _time(at: int | str, *, seconds: bool = False, mark: str = "") -> Markup:
    """A time, in milliseconds or as RFC 3339 text: in UTC until a script shows it in local time.

    The exact time in UTC is shown on hover. `mark` is an attribute of the element.
    """
    millis = at if isinstance(at, int) else _to_millis(at)
    return Markup('<time datetime="{}" title="{}" data-clock="{}"{}{}>{}</time>').format(
        rfc3339(millis),
        moment(millis, seconds=True),
        millis,
        Markup(" data-seconds") if seconds else "",
        Markup(" {}").format(mark) if mark else "",
        moment(millis, seconds=seconds),
    )


def _sentence(parts: Sequence[str | int]) -> Markup:
    """A sentence; numbers in it are times, in milliseconds."""
    return Markup().join(_time(part) if isinstance(part, int) else escape(part) for part in parts)


def _period(begins: str, ends: str) -> Markup:
    """The time between two moments. Whole days in UTC are shown as the days that a person chose."""
    first, end = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
    if any(moment.astimezone(UTC).time() != datetime.min.time() for moment in (first, end)):
        return Markup("{} to {}").format(_time(begins), _time(ends))
    last = end - timedelta(days=1)
    return Markup("{} to {} (UTC), inclusive").format(
        *(day_text(_to_millis(moment.isoformat())) for moment in (first, last))
    )


def _hue(name: str) -> int:
    """One of eight colors, derived from an ID."""
    return ord(name[-1:]) % 8


def _client_page(client_id: str) -> str:
    """The path of an agent's or app's page in the console."""
    return f"/admin/{'apps' if is_app(client_id) else 'agents'}/{path_id(client_id)}"


class OptionalMembers(dict[str, Any]):
    """A JSON object or a submitted form. In a template, a missing member is an empty string."""

    def __missing__(self, name: str) -> str:
        return ""


def _parse(text: str) -> object:
    """Parse JSON; None if the text was erased."""
    return json.loads(text, object_hook=OptionalMembers) if text else None


def _pretty(text: str) -> str:
    """Indent JSON."""
    return json.dumps(_parse(text), indent=2, ensure_ascii=False)


def _json(value: object) -> str:
    """A value as ASCII JSON, which is also a literal in TypeScript."""
    return json.dumps(value)


def _shell_json(value: object) -> str:
    """A value as JSON, quoted for a shell."""
    return shlex.quote(_json(value))


FILTERS: Final[Mapping[str, Callable[..., object]]] = {
    "counted": pluralize,
    "shown": _safe,
    "quoted": _quote,
    "json": _json,
    "shell_json": _shell_json,
    "python": ascii,
    "clock": _to_millis,
    "time": _time,
    "sentence": _sentence,
    "period": _period,
    "hue": _hue,
    "path_id": path_id,
    "client_page": _client_page,
    "parsed": _parse,
    "pretty": _pretty,
    "agent_lines": partial(page_lines, AGENT_MEMBERS),
}
