"""The rows about a person's own settings of when they are notified."""

from typing import Final

from server.http import attention_wire as wire
from server.http.endpoints import attention
from server.http.route import Caller, Route
from server.http.wire import Approval

_PERSON = Caller.PERSON

ATTENTION_ROUTES: Final = (
    Route(
        "GET",
        "/api/attention",
        attention.shown,
        _PERSON,
        "My quiet hours, the agents that I muted, and what is held for me.",
        answer=wire.Attention,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "PUT",
        "/api/attention/quiet-hours",
        attention.set_quiet_hours,
        _PERSON,
        "Notify me of low and medium risk outside of these hours only.",
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
        "Notify me at every hour.",
        status=204,
        errors=(401, 403),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/attention/mutes",
        attention.mute,
        _PERSON,
        "Notify me of nothing that an agent asks at low or medium risk.",
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
        "Notify me of an agent again.",
        status=204,
        errors=(401, 403, 404),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/approvals/<id>/extension",
        attention.extend,
        _PERSON,
        "Let this request wait longer.",
        answer=Approval,
        errors=(401, 403, 404, 409),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/approvals/<id>/retry",
        attention.ask_again,
        _PERSON,
        "Ask the agent of this expired request to ask again.",
        answer=Approval,
        errors=(401, 403, 404, 409),
        browsers=True,
    ),
    Route(
        "POST",
        "/api/approvals/<id>/snooze",
        attention.snooze,
        _PERSON,
        "Notify me of this request again later.",
        body=wire.NewSnooze,
        answer=wire.Snooze,
        errors=(401, 403, 404, 409, 422),
    ),
    Route(
        "DELETE",
        "/api/approvals/<id>/snooze",
        attention.wake,
        _PERSON,
        "Notify me of this request as usual.",
        status=204,
        errors=(401, 403, 404),
    ),
)
