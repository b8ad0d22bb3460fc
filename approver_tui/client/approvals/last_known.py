"""The last known list of waiting requests, stored on this machine for an offline start.

Owns: the private file, and verifying what is read back as if it had just arrived. It holds what a
screen showed: requests, no keys, no tokens, no PIN, no nonce. Never: using it for an answer; that
needs a copy that the server sent since the start.
"""

import json
from collections.abc import Sequence

from approver_tui.client import files, wire
from approver_tui.client.errors import WireError
from approver_tui.client.reading import JsonObject
from approver_tui.client.sign_in.profile import Home, Profile
from approver_tui.client.wire import Page

_FORMAT = 1
_MAX_STORED = 200
"""How many requests are stored, the highest risk first."""


def save(home: Home, profile: Profile, items: Sequence[JsonObject], server_time: str) -> None:
    """Store the waiting requests. Raises OSError."""
    page = {
        "items": [item.values for item in items[:_MAX_STORED]],
        "next": None,
        "feed_cursor": 0,
        "server_time": server_time,
    }
    document = {"format": _FORMAT, "device": profile.device_id, "page": page}
    files.write_private(home.last_known_file, json.dumps(document, ensure_ascii=True).encode())


def load(home: Home, profile: Profile) -> Page | None:
    """Return what was stored for this login, or None; a broken file is ignored."""
    content = files.read_private(home.last_known_file)
    if content is None:
        return None
    try:
        document = JsonObject.parse(content)
        is_current_format = document.integer("format") == _FORMAT
        if not is_current_format or document.text("device") != profile.device_id:
            return None
        return wire.read_page(document.child("page"))
    except WireError:
        return None


def delete(home: Home) -> None:
    """Delete the file."""
    home.last_known_file.unlink(missing_ok=True)
