"""The pages and forms for notifications."""

from typing import Final

from server.model.policy_rules import DAYS
from server.protocol.forms import Form
from server.web.fields import Field
from server.web.form import FormAction, texts
from server.web.page import Page


def _quiet_hours(form: Form) -> object:
    """The quiet hours in the form."""
    return {
        "days": [day for day in DAYS if form.get(day)],
        **texts("from", "to", "zone")(form),
    }


PAGES: Final = (Page("/install", "notifications/install.html", "settings"),)

FORMS: Final = (
    FormAction(
        "/settings/mutes/<id>/end",
        "DELETE /api/attention/mutes/<id>",
        then="/settings?done=unmuted",
    ),
    FormAction(
        "/settings/quiet",
        "PUT /api/attention/quiet-hours",
        body=_quiet_hours,
        fields=(
            Field("days", "Starting on"),
            Field("from", "From"),
            Field("to", "To"),
            Field("zone", "Time zone"),
        ),
        page="/settings",
        then="/settings?done=quiet",
    ),
    FormAction(
        "/settings/quiet/end", "DELETE /api/attention/quiet-hours", then="/settings?done=loud"
    ),
)
