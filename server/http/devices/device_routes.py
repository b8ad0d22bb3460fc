"""Routes for the current user and their devices."""

from typing import Final

from server.http import listing, wire
from server.http.devices import device_wire, devices
from server.http.route import ADMIN, CHANGES, READS, STAFF, Caller, Route
from server.http.users import user_wire
from server.services.operations.authority import AccessRule

_PERSON = Caller.PERSON

DEVICE_ROUTES: Final = (
    Route(
        "GET",
        "/api/me",
        devices.me,
        _PERSON,
        "Get the current user and device.",
        answer=user_wire.Me,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "GET",
        "/api/devices",
        devices.listed,
        _PERSON,
        "List your devices.",
        answer=device_wire.Devices,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/devices",
        devices.register,
        _PERSON,
        "Register this terminal as a device.",
        body=device_wire.NewDevice,
        answer=device_wire.Device,
        status=201,
        errors=(401, 403, 409, 422),
    ),
    Route(
        "POST",
        "/api/devices/codes",
        devices.code,
        _PERSON,
        "Create a one-time code for another device. It is shown once.",
        body=wire.SignedStatement,
        answer=device_wire.DeviceCode,
        status=201,
        errors=(401, 403, 409, 422),
        browsers=True,
    ),
    Route(
        "PATCH",
        "/api/devices/<id>",
        devices.rename,
        _PERSON,
        "Rename a device.",
        body=device_wire.DeviceName,
        answer=device_wire.Device,
        errors=(401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/devices/self/pin",
        devices.pin,
        _PERSON,
        "Get the server's half of the PIN. Every call is counted.",
        body=device_wire.PinCall,
        answer=device_wire.PinAnswered,
        errors=(401, 403, 404, 422, 423),
    ),
    Route(
        "POST",
        "/api/devices/self/pin/confirmation",
        devices.confirm_pin,
        _PERSON,
        "Prove that the PIN was right.",
        body=wire.SignedStatement,
        answer=device_wire.PinConfirmed,
        errors=(401, 403, 422),
    ),
    Route(
        "POST",
        "/api/devices/<id>/unlock",
        devices.unlock,
        _PERSON,
        "Unlock a device.",
        body=wire.SignedStatement,
        answer=device_wire.Device,
        errors=(401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/devices/<id>/vouch",
        devices.vouch,
        _PERSON,
        "Vouch for a new device, so that it decides high risk at once.",
        body=wire.SignedStatement,
        answer=device_wire.Device,
        errors=(401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/devices/<id>",
        devices.revoke,
        _PERSON,
        "Remove a device. `self` signs this one out.",
        status=204,
        errors=(401, 403, 404),
        browsers=True,
    ),
)

MANAGED_DEVICE_ROUTES: Final = (
    Route(
        "GET",
        "/api/admin/devices",
        devices.all_listed,
        Caller.PERSON,
        "List the devices of all users, oldest first.",
        query=("user", *listing.QUERY),
        answer=device_wire.ManagedDevices,
        errors=READS,
        rule=AccessRule(STAFF),
    ),
    Route(
        "DELETE",
        "/api/admin/devices/<id>",
        devices.revoke_managed,
        Caller.PERSON,
        "Remove a user's device. Must be signed if it is their last one.",
        status=204,
        errors=CHANGES,
        rule=AccessRule(ADMIN, "device"),
    ),
)
