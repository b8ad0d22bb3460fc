"""The console in Flask: each page and each form of the tables, behind the same door."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from server import telemetry
from server.http import cookies
from server.http.route import Route
from server.http.site import Site
from server.http.views import read_request
from server.protocol import errors, forms
from server.protocol.forms import Form
from server.protocol.text import display_safe
from server.services.authority import Role
from server.services.people import Person
from server.services.ports import Busy
from server.web import person_pages
from server.web.browser import go, message, moment, page, under_another_name
from server.web.calls import Calls, Document
from server.web.console import fields
from server.web.console.deed import Deed
from server.web.console.deeds import DEEDS, deed_at
from server.web.console.fields import Drawn, Typed
from server.web.console.sheets import MENU, SHEETS, Read, Sheet, sheet_at

_LONGEST: Final = 2_000
_LINES: Final = 50
_AGAIN: Final = frozenset({404, 409, 412, 422, 428, 503})
"""Refusals of what was typed, or of its moment: the form comes again as it was filled in."""


def add_console(app: Flask, site: Site) -> None:
    """Give the pages and the forms to Flask."""
    app.jinja_env.filters.update(
        shown=_shown, clock=_clock, said=_said, hue=_hue, parsed=_parsed, pretty=_pretty
    )
    for sheet in SHEETS:
        _add(app, site, "GET", sheet.path, lambda at, sheet=sheet, **ids: _sheet(at, sheet, **ids))
    for deed in DEEDS:
        _add(app, site, "POST", deed.path, lambda at, deed=deed, **ids: _deed(at, deed, **ids))


def _add(app: Flask, site: Site, method: str, path: str, view: Callable[..., AnyResponse]) -> None:
    """Nothing that a browser sends makes a page fail without a word."""

    def run(**ids: str) -> AnyResponse:
        try:
            return under_another_name(site) or view(Visit(site), **ids)
        except errors.Problem as problem:
            return message("This does not work", problem.detail, status=problem.status)
        except errors.ProtocolError as error:
            return message("This does not work", error.description, status=error.status)
        except HTTPException:  # a body too long: said by the one who knows
            raise
        except Busy:
            return message("One moment", "The server is busy. Try again.", status=503)
        except Exception:  # noqa: BLE001  # the last door: a fault of ours is logged and said
            telemetry.log().exception("page.failed", path=path)
            return message("A fault of the server", "It was written down. Try again.", status=500)

    app.add_url_rule(
        path,
        endpoint=f"{method} {path}",
        view_func=run,
        methods=[method],
        provide_automatic_options=False,
    )


class Visit:
    """One request for a page: whose it is, and what it may ask the API."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookie = cookies.known(request.cookies.get(cookies.name(site.rules), ""))
        self.asked = read_request(site)
        self.calls = Calls(site, self.asked.headers, self.asked.peer)

    def person(self) -> Person:
        """Who is signed in. Raises errors.Problem."""
        return self.site.browsers.person(self.cookie)

    def form(self) -> Form:
        """What a page of ours for this browser sent; what did not is not even shown again.

        Raises errors.Problem 403, or errors.InvalidRequest.
        """
        form = forms.parse(self.asked.body, self.asked.headers.get("content-type", ""))
        beside = {**self.asked.headers, cookies.CSRF.lower(): form.get("csrf") or ""}
        whole = replace(self.asked, headers=beside)
        cookies.check_page(self.site.browsers, self.site.rules, whole, self.cookie)
        return form

    def check(self, person: Person, sheet: Sheet, owners: Collection[Any]) -> None:
        """Refuse a page that is a form to whoever may not send it. Raises errors.Problem 403."""
        if sheet.needs and not self._may(person, sheet.needs, owners):
            raise errors.Problem(403, "forbidden", "You may look at this and not change it.")

    def facts(self, sheet: Sheet, about: str) -> dict[str, Any]:
        """What a page asks the API. Raises errors.Problem."""
        found = {one.fact: _answered(self, one, about) for one in sheet.reads}
        drawn = {} if sheet.draw is None else sheet.draw(found)
        return {"about": about, "sheet": sheet, **found, **drawn}

    def sheet(
        self,
        person: Person,
        sheet: Sheet,
        about: str,
        typed: Typed | None = None,
        told: Document | None = None,
    ) -> AnyResponse:
        """A page; with what was typed on it, and what came of that. Raises errors.Problem."""
        facts = self.facts(sheet, about) | {"told": told}
        self.check(person, sheet, (facts.get("agent") or {}).get("owners", ()))

        def form(path: str) -> list[Drawn]:
            one = deed_at(path)
            stored = facts.get(one.of)
            own = typed if one.page == sheet.path else None
            return fields.drawn(one.fields, stored, own, person.user.name)

        if sheet.form:
            own = deed_at(sheet.form)
            facts |= {"deed": own, "whole": facts.get(own.of)}
        if typed is not None:
            facts |= {"refused": typed, "sent": _first(typed.form)}
        return self.page(person, sheet.template, sheet.at, {"form": form, **facts})

    def page(self, person: Person, template: str, at: str, facts: Mapping[str, Any]) -> AnyResponse:
        """A page with the frame that all of them have."""
        menu = [
            (title, shown)
            for title, entries in MENU
            if (shown := [entry for entry in entries if self._may(person, entry[3])])
        ]
        return page(
            f"console/{template}",
            form_action="'self'",
            script=True,
            csrf=self.site.browsers.csrf(self.cookie),
            now=self.site.clock.now(),
            person=person,
            issuer=self.site.rules.issuer,
            rp_id=self.site.rules.rp_id,
            menu=menu,
            at=at,
            asked=request.args,
            may=lambda row, owners=(): self._may(person, row, owners),
            **facts,
        )

    def _may(self, person: Person, row: str, owners: Collection[Any] = ()) -> bool:
        return may(person, self.calls.row(row), owners)


def may(person: Person, route: Route, owners: Collection[Any] = ()) -> bool:
    """Reports whether a button for this row is worth showing; the API decides.

    `owners` are those of the agent that it would be about; none where it lists one's own.
    """
    assert route.rule is not None  # noqa: S101  # all rows of the administration have one
    if set(person.user.roles) & set(route.rule.roles):
        return True
    listed = route.rule.target is None and not person.user.roles
    mine = listed or any(one["id"] == person.user.id for one in owners)
    return Role.OWNER in route.rule.roles and mine


def _sheet(visit: Visit, sheet: Sheet, **ids: str) -> AnyResponse:
    """A page, for whoever may see it; who is signed out is asked to sign in where they are."""
    try:
        person = visit.person()
    except errors.Problem as problem:
        return person_pages.sign_in(problem, asked=False)
    return visit.sheet(person, sheet, ids.get("id", ""))


def _answered(visit: Visit, read: Read, about: str) -> Document | None:
    sent = {name: value for name in read.query if (value := request.args.get(name, "").strip())}
    of = {read.about: about} if read.about else {}
    try:
        return visit.calls.read(read.row, about, {**dict(read.fixed), **of, **sent})
    except errors.Problem as problem:
        if read.spare and problem.status in {403, 404}:
            return None
        raise


def _deed(visit: Visit, deed: Deed, **ids: str) -> AnyResponse:
    """Do what a form says, or show what its passkey has to sign first, or what is wrong with it."""
    person, about = visit.person(), ids.get("id", "")
    form = visit.form()
    try:
        told = visit.calls.do(deed.row, about, deed.sends(form, _stored(visit, deed, about)), form)
    except ValueError as error:
        member = getattr(error, "member", "")
        return _again(visit, deed, about, errors.Problem(422, member, str(error)), form)
    except errors.Problem as problem:
        if problem.code == "statement_required":
            return _to_sign(visit, person, deed, about, form, problem)
        if deed.page and problem.status in _AGAIN:
            return _again(visit, deed, about, problem, form)
        raise
    if deed.shows:
        return visit.sheet(person, sheet_at(deed.page), about, Typed(form, "", ""), told)
    if deed.told:
        facts = {"told": told, "about": about, "sent": _first(form), "deed": deed}
        return visit.page(person, deed.told, _place(deed), facts)
    return go(visit.site.rules.issuer + deed.then.replace("<id>", about))


def _stored(visit: Visit, deed: Deed, about: str) -> Document | None:
    """What the form is about as it is now. Raises errors.Problem."""
    if not deed.of:
        return None
    read = next(one for one in sheet_at(deed.page).reads if one.fact == deed.of)
    return _answered(visit, read, about)


def _again(
    visit: Visit, deed: Deed, about: str, problem: errors.Problem, form: Form
) -> AnyResponse:
    """The page of a form that was refused, with what was typed and what is wrong with it."""
    known = {one.name for one in deed.fields}
    member = str(problem.members.get("member", problem.code))
    text = fields.in_words(problem.detail.removeprefix(f"/{member}: "), deed.fields)
    typed = Typed(form, member if member in known else "", text)
    answer = visit.sheet(visit.person(), sheet_at(deed.page), about, typed)
    answer.status_code = problem.status
    return answer


def _first(form: Form) -> dict[str, str]:
    return {name: values[0] for name, values in form.values.items()}


def _to_sign(  # all that its page says
    visit: Visit, person: Person, deed: Deed, about: str, form: Form, problem: errors.Problem
) -> AnyResponse:
    own = {"csrf", "statement"}
    kept = {name: values for name, values in form.values.items() if name not in own}
    facts = {
        "deed": deed,
        "kept": kept,
        "changes": fields.changed(deed.fields, _stored(visit, deed, about), form),
        "wanted": problem.members["wanted"],
        "action": request.path,
        "about": about,
    }
    return visit.page(person, "sign.html", _place(deed), facts)


def _place(deed: Deed) -> str:
    """Which entry of the menu a form belongs to."""
    return sheet_at(deed.page).at if deed.page else deed.path.split("/")[2]


def _shown(raw: object) -> str:
    """Foreign text, harmless."""
    return display_safe(str(raw), max_chars=_LONGEST, max_lines=_LINES)


def _clock(text: str) -> int:
    """A moment of the API in milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _said(text: str) -> str:
    """A moment of the API as a person reads it."""
    return moment(_clock(text))


def _hue(name: str) -> int:
    """One of eight colours that an id always has."""
    return ord(name[-1:]) % 8


def _parsed(text: str) -> object:
    """A JSON text of ours that the API hands on as text; None where it was erased."""
    return json.loads(text) if text else None


def _pretty(text: str) -> str:
    """Likewise, for people."""
    return json.dumps(_parsed(text), indent=2, ensure_ascii=False)
