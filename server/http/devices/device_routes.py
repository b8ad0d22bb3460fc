"""Routes for the current user and their devices."""

from typing import Final

from server.http import listing
from server.http.devices import devices
from server.http.route import managed, own

DEVICE_ROUTES: Final = (
    own("GET /api/me", devices.me, "Get the current user and device."),
    own("GET /api/devices", devices.listed, "List your devices."),
    own(
        "POST /api/devices",
        devices.register,
        "Register this terminal as a device.",
        status=201,
        errors=(409, 422),
        browsers=False,
    ),
    own(
        "POST /api/devices/codes",
        devices.code,
        "Create a one-time code for another device. It is shown once.",
        status=201,
        errors=(409, 422),
    ),
    own("PATCH /api/devices/<id>", devices.rename, "Rename a device.", errors=(404, 422)),
    own(
        "POST /api/devices/self/pin",
        devices.pin,
        "Get the server's half of the PIN. Every call is counted.",
        errors=(404, 422, 423),
        browsers=False,
    ),
    own(
        "POST /api/devices/self/pin/confirmation",
        devices.confirm_pin,
        "Prove that the PIN was right.",
        errors=(422,),
        browsers=False,
    ),
    own("POST /api/devices/<id>/unlock", devices.unlock, "Unlock a device.", errors=(404, 422)),
    own(
        "POST /api/devices/<id>/vouch",
        devices.vouch,
        "Vouch for a new device, so that it decides high risk immediately.",
        errors=(404, 422),
    ),
    own(
        "DELETE /api/devices/<id>",
        devices.revoke,
        "Remove a device. `self` signs this one out.",
        errors=(404,),
    ),
)

MANAGED_DEVICE_ROUTES: Final = (
    managed(
        "GET /api/admin/devices",
        devices.all_listed,
        "List the devices of all users, oldest first.",
        query=("user", *listing.QUERY),
    ),
    managed(
        "DELETE /api/admin/devices/<id>",
        devices.revoke_managed,
        "Remove a user's device. Must be signed if it is their last one.",
    ),
)
