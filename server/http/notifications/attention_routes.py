"""The routes for a person's own notification settings."""

from typing import Final

from server.http.approvals.approval_wire import Approval
from server.http.notifications import attention
from server.http.notifications import attention_wire as wire
from server.http.route import Caller, Route

_PERSON = Caller.PERSON

ATTENTION_ROUTES: Final = (
    Route(
        "GET",
        "/api/attention",
        attention.shown,
        _PERSON,
        "Get your quiet hours, muted agents and held requests.",
        answer=wire.Attention,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "PUT",
        "/api/attention/quiet-hours",
        attention.set_quiet_hours,
        _PERSON,
        "Set quiet hours for low and medium risk.",
        body=wire.QuietHours,
        answer=wire.Attention,
        errors=(401, 403, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/attention/quiet-hours",
        attention.clear_quiet_hours,
        _PERSON,
        "Remove quiet hours.",
        status=204,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/attention/mutes",
        attention.mute,
        _PERSON,
        "Mute an agent at low and medium risk.",
        body=wire.NewMute,
        answer=wire.Mute,
        errors=(401, 403, 404, 422),
        browsers=True,
    ),
    Route(
        "DELETE",
        "/api/attention/mutes/<id>",
        attention.unmute,
        _PERSON,
        "Unmute an agent.",
        status=204,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/approvals/<id>/extension",
        attention.extend,
        _PERSON,
        "Extend a request.",
        answer=Approval,
        errors=(401, 403, 404, 409),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/approvals/<id>/retry",
        attention.ask_again,
        _PERSON,
        "Ask the agent of an expired request to retry.",
        answer=Approval,
        errors=(401, 403, 404, 409),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/approvals/<id>/snooze",
        attention.snooze,
        _PERSON,
        "Snooze a request.",
        body=wire.NewSnooze,
        answer=wire.Snooze,
        errors=(401, 403, 404, 409, 422),
    ),
    Route(
        "DELETE",
        "/api/approvals/<id>/snooze",
        attention.wake,
        _PERSON,
        "End the snooze of a request.",
        status=204,
        errors=(401, 403, 404),
    ),
)
