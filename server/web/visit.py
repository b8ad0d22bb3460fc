"""One request of a signed-in person for a page or a form.

Owns: whose it is, what it may ask the API, and whether a page of ours sent it. Never: what a page
is about.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import cached_property
from typing import Any

from flask import request

from server.http import cookies
from server.http.route import Route
from server.http.site import Site
from server.http.views import read_request
from server.protocol import errors, forms
from server.protocol.forms import Form
from server.services.operations.authority import Role
from server.services.users.device_auth import Person
from server.web.calls import Calls, Document
from server.web.page import Read

_NOT_SHOWN = frozenset({403, 404})


class Visit:
    """One request."""

    def __init__(self, site: Site, about: str = "") -> None:
        self.site = site
        self.about = about
        """The id in its path."""
        self.cookie = cookies.known(request.cookies.get(cookies.name(site.rules), ""))
        self._request = read_request(site)
        self.calls = Calls(site, self._request.headers, self._request.peer)

    @cached_property
    def person(self) -> Person:
        """Who is signed in. Raises errors.Problem."""
        return self.site.devices.browsers.person(self.cookie)

    def form(self) -> Form:
        """What a page of ours for this browser sent.

        Raises errors.Problem 403, or errors.InvalidRequest.
        """
        form = forms.parse(self._request.body, self._request.headers.get("content-type", ""))
        headers = {**self._request.headers, cookies.CSRF.lower(): form.get("csrf") or ""}
        whole = replace(self._request, headers=headers)
        cookies.check_page(self.site.devices.browsers, self.site.rules, whole, self.cookie)
        return form

    def read(self, row: str, about: str = "", **query: str) -> Document:
        """What a row of the API answers. Raises errors.Problem."""
        return self.calls.read(row, about, query)

    def answer(self, read: Read) -> Document | None:
        """The answer to a page's question. Raises errors.Problem."""
        sent = {name: value for name in read.query if (value := request.args.get(name, "").strip())}
        about = {read.about: self.about} if read.about else {}
        try:
            return self.calls.read(read.row, self.about, {**dict(read.fixed), **about, **sent})
        except errors.Problem as problem:
            if read.optional and problem.status in _NOT_SHOWN:
                return None
            raise

    def statement_nonce(self) -> str:
        """What a statement of this browser's passkey about itself must repeat."""
        return self.site.devices.devices.statement_nonce(
            self.person.registered_device, self.person.registered_device
        )

    def may(self, row: str, owners: Collection[Any] = ()) -> bool:
        """Reports whether a button for this row is worth showing; the API decides."""
        return _may(self.person, self.calls.row(row), owners)


def _may(person: Person, route: Route, owners: Collection[Any]) -> bool:
    """`owners` are those of the agent that it is about; none where it lists one's own."""
    assert route.rule is not None  # noqa: S101  # all rows of the administration have one
    if set(person.user.roles) & set(route.rule.roles):
        return True
    listed = route.rule.target is None and not person.user.roles
    mine = listed or any(one["id"] == person.user.id for one in owners)
    return Role.OWNER in route.rule.roles and mine
