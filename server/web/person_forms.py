"""A form of a person's page, and the calls to our own API that it becomes.

Owns: reading it once. Never: checks of its own; the API's rows make those, for pages too.
"""

from dataclasses import dataclass

from server.http.site import Site
from server.http.views import read_request
from server.protocol import forms
from server.protocol.forms import Form
from server.web.calls import Calls


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form says, and the calls that go on in its name."""

    form: Form
    calls: Calls


def sent_form(site: Site) -> Sent:
    """The form that Flask is handling. Raises errors.InvalidRequest."""
    asked = read_request(site)
    form = forms.parse(asked.body, asked.headers.get("content-type", ""))
    return Sent(form, Calls(site, asked.headers, asked.peer))


def calls_of(site: Site) -> Calls:
    """The calls of a page that is only looked at."""
    asked = read_request(site)
    return Calls(site, asked.headers, asked.peer)
