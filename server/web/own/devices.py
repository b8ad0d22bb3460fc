"""The devices from which a person decides, and the browsers in which they are called.

Owns: what stands on these pages, and the picture of a link that another device reads. Never: lets
one in or out; the rows of the API do.
"""

import segno

from server.http.push_wire import push_subscription
from server.http.site import Site
from server.protocol import errors
from server.services.people import Person
from server.services.push_subscriptions import Known
from server.services.records import Device
from server.web.browser import day
from server.web.calls import Document
from server.web.own.sheets import sheet
from server.web.person_pages import Sheet


def every(site: Site, person: Person) -> Sheet:
    """Those in use, and where the person is called."""
    browsers = [_browser(one, site.clock.now()) for one in site.push_subscriptions.of(person)]
    return sheet(
        "devices.html",
        "devices",
        devices=_active(site, person),
        browsers=browsers,
        lost=site.push_losses.of(person),
        day=day,
    )


def one(site: Site, person: Person, **ids: str) -> Sheet:
    """One of them, with what can be done about it. Raises errors.Problem 404."""
    return sheet("device.html", "devices", device=find(site, person, ids["id"]), day=day)


def find(site: Site, person: Person, device_id: str) -> Device:
    """One of the person's own that is in use. Raises errors.Problem 404."""
    found = next((one for one in _active(site, person) if one.id == device_id), None)
    if found is None:
        raise errors.Problem(404, "not_found", "You have no such device.")
    return found


def code(told: Document) -> Sheet:
    """The code that was made, which is told once."""
    dots, size = picture(told["link"])
    return sheet("code.html", "devices", told=told, dots=dots, size=size)


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


def _active(site: Site, person: Person) -> list[Device]:
    return [one for one in site.devices.all_of(person) if one.state == "active"]


def _browser(known: Known, now: int) -> dict[str, object]:
    one = known.subscription
    shown = push_subscription(known, now).model_dump()
    return {**shown, "opened": one.opened_at, "delivered": one.delivered_at}
