"""The pages and forms about devices."""

from functools import partial
from typing import Final

from server.protocol.approvals import decisions
from server.protocol.forms import Form
from server.services.devices import devices as devices_service
from server.web.calls import Document
from server.web.devices import devices
from server.web.form import FormAction, Signed, statement
from server.web.page import Page, console_list
from server.web.visit import Visit


def _name(form: Form) -> object:
    return {"name": form.get("name") or ""}


def _signs_code(visit: Visit, _body: Document) -> Signed:
    """The signature is required because the code enrolls another device."""
    nonce = visit.statement_nonce()
    return Signed(decisions.ENROLL, devices_service.signed_subject(nonce), nonce)


def _signs_device(purpose: str, visit: Visit, _body: Document) -> Signed:
    """The signature is required because another device gets more access."""
    device = devices.find_device(visit)
    nonce = visit.site.devices.devices.statement_nonce(device, visit.person.registered_device)
    return Signed(purpose, device.id, nonce)


PAGES: Final = (
    Page("/devices", "devices/devices.html", "devices", load=devices.load_devices),
    Page("/devices/<id>", "devices/device.html", "devices", load=devices.load_device),
    console_list("devices", "devices/console_devices.html", "GET /api/admin/devices", "user"),
)

FORMS: Final = (
    FormAction(
        "/devices/<id>/rename",
        "PATCH /api/devices/<id>",
        body=_name,
        then="/devices/<id>?done=renamed",
    ),
    FormAction("/devices/<id>/remove", "DELETE /api/devices/<id>", then="/devices?done=removed"),
    FormAction(
        "/devices/<id>/vouch",
        "POST /api/devices/<id>/vouch",
        "Let this device approve high-risk requests now",
        body=statement,
        signs=partial(_signs_device, "vouch"),
        then="/devices/<id>?done=vouched",
    ),
    FormAction(
        "/devices/<id>/unlock",
        "POST /api/devices/<id>/unlock",
        "Unlock the PIN of this device",
        body=statement,
        signs=partial(_signs_device, "unlock"),
        then="/devices/<id>?done=unlocked",
    ),
    FormAction(
        "/devices/code",
        "POST /api/devices/codes",
        "Create a one-time code to enroll another device",
        body=statement,
        signs=_signs_code,
        answer="devices/enrollment_code.html",
        draw=devices.load_code,
    ),
    FormAction(
        "/admin/devices/<id>/revoke",
        "DELETE /api/admin/devices/<id>",
        "Revoke this device",
        then="/admin/devices",
    ),
)
