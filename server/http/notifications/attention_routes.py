"""The routes for a person's own notification settings."""

from typing import Final

from server.http.notifications import attention
from server.http.route import own

ATTENTION_ROUTES: Final = (
    own(
        "GET /api/attention",
        attention.shown,
        "Get your quiet hours, muted agents and held requests.",
    ),
    own(
        "PUT /api/attention/quiet-hours",
        attention.set_quiet_hours,
        "Set quiet hours for low and medium risk.",
        errors=(422,),
    ),
    own("DELETE /api/attention/quiet-hours", attention.clear_quiet_hours, "Remove quiet hours."),
    own(
        "POST /api/attention/mutes",
        attention.mute,
        "Mute an agent at low and medium risk.",
        errors=(404, 422),
    ),
    own("DELETE /api/attention/mutes/<id>", attention.unmute, "Unmute an agent.", errors=(404,)),
    own(
        "POST /api/approvals/<id>/extension",
        attention.extend,
        "Extend a request.",
        errors=(404, 409),
    ),
    own(
        "POST /api/approvals/<id>/retry",
        attention.ask_again,
        "Ask the agent of an expired request to retry.",
        errors=(404, 409),
    ),
    own(
        "POST /api/approvals/<id>/snooze",
        attention.snooze,
        "Snooze a request.",
        errors=(404, 409, 422),
        browsers=False,
    ),
    own(
        "DELETE /api/approvals/<id>/snooze",
        attention.wake,
        "End the snooze of a request.",
        errors=(404,),
        browsers=False,
    ),
)
