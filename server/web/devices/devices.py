"""The devices from which a person decides, and the browsers in which they are called.

Owns: what stands on these pages, and the picture of a link that another device reads. Never: lets
one in or out; the rows of the API do.
"""

from collections.abc import Mapping
from typing import Any

import segno

from server.http.notifications.push_wire import push_subscription
from server.model.devices import Device
from server.protocol import errors
from server.services.notifications.push_subscriptions import NamedSubscription
from server.web.browser import day
from server.web.page import Facts
from server.web.visit import Visit


def every(visit: Visit) -> Facts:
    """Those in use, and the browsers that get notifications."""
    site, person = visit.site, visit.person
    subscriptions, now = site.notifications.push_subscriptions.of_person(person), site.clock.now()
    return {
        "devices": _active(visit),
        "browsers": [_browser(one, now) for one in subscriptions],
        "lost": site.notifications.push_losses.of_person(person),
        "day": day,
    }


def one(visit: Visit) -> Facts:
    """One of them, with what can be done about it. Raises errors.Problem 404."""
    return {"device": find(visit), "day": day}


def find(visit: Visit) -> Device:
    """The person's own that the page is about, if it is in use. Raises errors.Problem 404."""
    found = next((one for one in _active(visit) if one.id == visit.about), None)
    if found is None:
        raise errors.Problem(404, "not_found", "You have no such device.")
    return found


def code(told: Mapping[str, Any]) -> Facts:
    """The code that was made, which is shown once, as a picture for another device's camera."""
    dots, size = picture(told["link"])
    return {"dots": dots, "size": size}


def picture(link: str) -> tuple[str, int]:
    """A link as a path of dots for a phone's camera, and how many of them lie side by side."""
    rows = [list(row) for row in segno.make(link, error="m").matrix]
    dots = (
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return "".join(dots), len(rows)


def _active(visit: Visit) -> list[Device]:
    return [one for one in visit.site.devices.devices.all_of(visit.person) if one.state == "active"]


def _browser(known: NamedSubscription, now: int) -> dict[str, object]:
    one = known.subscription
    shown = push_subscription(known, now).model_dump()
    return {**shown, "opened": one.opened_at, "delivered": one.delivered_at}
