"""One request of a signed-in person for a page or a form.

Owns: its person, its API calls, and the checks that the form came from one of our pages.
Never: the contents of a page.
"""

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

from flask import request

from server.http import cookies
from server.http.route import MAX_BODY_BYTES, Route
from server.http.site import Site
from server.http.views import read_request
from server.protocol import errors, forms
from server.protocol.forms import Form
from server.services.operations.authority import Role
from server.services.users.device_auth import Person
from server.web import days
from server.web.calls import Calls, Document
from server.web.page import Read

_HIDDEN_STATUSES = frozenset({403, 404})
_MAX_FIELDS = 2_000
"""Each member of a group and each scope of a client is a checkbox."""


def refusal_text(refused: errors.Problem | ValueError, shown: Collection[int]) -> str:
    """The text of a refusal for the page of its form. Raises problems with other statuses."""
    if isinstance(refused, ValueError):
        return f"{refused}."
    if refused.status not in shown:
        raise refused
    return refused.detail


class Visit:
    """One request."""

    def __init__(self, site: Site, record_id: str = "") -> None:
        self.site = site
        self.record_id = record_id
        """The ID in its path."""
        self._request = read_request(site)
        self.cookie = cookies.session_cookie(site.server_policy, self._request)
        self.calls = Calls(site, self._request.headers, self._request.peer)

    @cached_property
    def person(self) -> Person:
        """The signed-in person. Raises errors.Problem."""
        return self.site.devices.browsers.person(self.cookie)

    @cached_property
    def refusal(self) -> errors.Problem | None:
        """Why the browser must sign in; None if it is signed in."""
        try:
            self.person  # noqa: B018  # a property that authenticates
        except errors.Problem as problem:
            return problem
        return None

    def form(self) -> Form:
        """Return the submitted form after checking that one of our pages sent it.

        Raises errors.Problem 403, or errors.InvalidRequest.
        """
        cookies.check_origin(self.site.server_policy, self._request)
        return forms.parse(
            self._request.body,
            self._request.headers.get("content-type", ""),
            max_bytes=MAX_BODY_BYTES,
            max_fields=_MAX_FIELDS,
        )

    def is_current(self, form: Form) -> bool:
        """Return whether the page of the form was loaded after this browser signed in."""
        return self.site.devices.browsers.is_from_page(self.cookie, form.get("csrf"))

    @property
    def is_from_our_page(self) -> bool:
        """Whether the browser says that the form came from one of our pages."""
        return self._request.headers.get("sec-fetch-site") == "same-origin"

    def read(self, route: str, about: str = "", **query: str) -> Document:
        """Call an API route that reads. Raises errors.Problem."""
        return self.calls.read(route, about, query)

    def read_all(self, route: str, **query: str) -> Iterator[Document]:
        """The items of all pages of a list. The API checks access for each page."""
        cursor = ""
        while True:
            page = self.read(route, limit="200", cursor=cursor, **query)
            yield from page["items"]
            if not page["next"]:
                return
            cursor = page["next"]

    def answer(self, read: Read) -> Document | None:
        """Make an API call of a page; None if an optional one is refused. Raises errors.Problem."""
        parameters = {
            name: value for name in read.query if (value := request.args.get(name, "").strip())
        }
        parameters = {**parameters, **days.span(parameters)}
        about = {read.id_parameter: self.record_id} if read.id_parameter else {}
        query = {**dict(read.fixed_parameters), **about, **parameters}
        try:
            return self.calls.read(read.route, self.record_id, query)
        except errors.Problem as problem:
            if read.optional and problem.status in _HIDDEN_STATUSES:
                return None
            raise

    def statement_nonce(self) -> str:
        """The nonce of a statement that this browser's passkey signs about itself."""
        return self.site.devices.statements.nonce(
            self.person.registered_device, self.person.registered_device
        )

    def may(self, route: str, owners: Collection[Any] = ()) -> bool:
        """Return whether to show a button for this route. The API makes the decision itself."""
        return _may(self.person, self.calls.route(route), owners)


def _may(person: Person, route: Route, owners: Collection[Any]) -> bool:
    """Return whether the person has a role for the route. `owners` are its agent's."""
    assert route.rule is not None  # noqa: S101  # every administration route has one
    if set(person.user.roles) & set(route.rule.roles):
        return True
    is_list_of_owned = route.rule.target is None and not person.user.roles
    is_owner = is_list_of_owned or any(owner["id"] == person.user.id for owner in owners)
    return Role.OWNER in route.rule.roles and is_owner
