"""The pages about a person's devices and the browsers that get notifications.

Owns: what these pages show, and the QR code of a link. Never: access rules; the API's routes have
them.
"""

from collections.abc import Mapping
from typing import Any

import segno

from server.http.notifications.push_wire import push_subscription
from server.model.devices import Device
from server.protocol import errors
from server.services.notifications.push_subscriptions import NamedSubscription
from server.web.page import Facts
from server.web.visit import Visit


def load_devices(visit: Visit) -> Facts:
    """Load the active devices, and the browsers that get notifications."""
    site, person = visit.site, visit.person
    subscriptions, now = site.notifications.push_subscriptions.of_person(person), site.clock.now()
    return {
        "devices": _active(visit),
        "browsers": [_browser(one, now) for one in subscriptions],
        "lost": site.notifications.push_losses.of_person(person),
    }


def load_device(visit: Visit) -> Facts:
    """Load one device. Raises errors.Problem 404."""
    return {"device": find_device(visit)}


def find_device(visit: Visit) -> Device:
    """Return the person's active device that the page is about. Raises errors.Problem 404."""
    found = next((one for one in _active(visit) if one.id == visit.about), None)
    if found is None:
        raise errors.Problem(404, "not_found", "You have no such device.")
    return found


def load_code(answer: Mapping[str, Any]) -> Facts:
    """Load a new code, which is shown once, as a QR code."""
    dots, size = qr_code(answer["link"])
    return {"dots": dots, "size": size}


def qr_code(link: str) -> tuple[str, int]:
    """Return the QR code of a link as an SVG path, and its width in modules."""
    rows = [list(row) for row in segno.make(link, error="m").matrix]
    dots = (
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return "".join(dots), len(rows)


def _active(visit: Visit) -> list[Device]:
    devices = visit.site.devices.devices.list_own(visit.person)
    return [one for one in devices if one.state == "active"]


def _browser(known: NamedSubscription, now: int) -> dict[str, object]:
    return push_subscription(known, now).model_dump()
