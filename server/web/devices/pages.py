"""The pages and forms about devices."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import segno

from server.http.notifications.push_subscriptions import push_subscription
from server.model.devices import Device
from server.protocol import errors
from server.protocol.approvals import decisions
from server.services.devices.statements import signed_subject
from server.services.notifications.push_subscriptions import NamedSubscription
from server.web.calls import Document
from server.web.form import FormAction, Signed, statement, texts
from server.web.page import Facts, Page, console_list
from server.web.visit import Visit


def load_devices(visit: Visit) -> Facts:
    """Load the active devices, and the browsers that get notifications."""
    site, person = visit.site, visit.person
    subscriptions, now = site.notifications.push_subscriptions.of_person(person), site.clock.now()
    return {
        "devices": _active_devices(visit),
        "browsers": [_browser(subscription, now) for subscription in subscriptions],
        "lost": site.notifications.push_subscriptions.lost_by(person),
    }


def load_device(visit: Visit) -> Facts:
    """Load one device. Raises errors.Problem 404."""
    return {"device": find_device(visit)}


def find_device(visit: Visit) -> Device:
    """Return the person's active device that the page is about. Raises errors.Problem 404."""
    match = next((row for row in _active_devices(visit) if row.id == visit.record_id), None)
    if match is None:
        raise errors.Problem(404, "not_found", "You have no such device.")
    return match


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


def _active_devices(visit: Visit) -> list[Device]:
    devices = visit.site.devices.devices.list_own(visit.person)
    return [device for device in devices if device.state == "active"]


def _browser(subscription: NamedSubscription, now: int) -> dict[str, object]:
    return push_subscription(subscription, now).model_dump()


def _code_statement(visit: Visit, _body: Document) -> Signed:
    """The signature is required because the code enrolls another device."""
    nonce = visit.statement_nonce()
    return Signed(decisions.ENROLL, signed_subject(nonce), nonce)


def _device_statement(purpose: str, visit: Visit, _body: Document) -> Signed:
    """The signature is required because another device gets more access."""
    device = find_device(visit)
    nonce = visit.site.devices.statements.nonce(device, visit.person.registered_device)
    return Signed(purpose, device.id, nonce)


PAGES: Final = (
    Page("/devices", "devices/devices.html", "devices", load=load_devices),
    Page("/devices/<id>", "devices/device.html", "devices", load=load_device),
    console_list("devices/devices", "GET /api/admin/devices", "user"),
)

FORMS: Final = (
    FormAction(
        "/devices/<id>/rename",
        "PATCH /api/devices/<id>",
        body=texts("name"),
        then="/devices/<id>?done=renamed",
    ),
    FormAction("/devices/<id>/remove", "DELETE /api/devices/<id>", then="/devices?done=removed"),
    FormAction(
        "/devices/<id>/vouch",
        "POST /api/devices/<id>/vouch",
        "Let this device approve high-risk requests now",
        body=statement,
        signs=partial(_device_statement, "vouch"),
        then="/devices/<id>?done=vouched",
    ),
    FormAction(
        "/devices/<id>/unlock",
        "POST /api/devices/<id>/unlock",
        "Unlock the PIN of this device",
        body=statement,
        signs=partial(_device_statement, "unlock"),
        then="/devices/<id>?done=unlocked",
    ),
    FormAction(
        "/devices/code",
        "POST /api/devices/codes",
        "Create a one-time code to enroll another device",
        body=statement,
        signs=_code_statement,
        answer="devices/enrollment_code.html",
        draw=load_code,
    ),
    FormAction(
        "/admin/devices/<id>/revoke",
        "DELETE /api/admin/devices/<id>",
        "Revoke this device",
        then="/admin/devices",
    ),
)
