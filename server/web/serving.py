"""The pages and forms of the tables in Flask: each row, behind the same door."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

from flask import Flask, request
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.protocol import errors
from server.protocol.forms import Form
from server.web import fields
from server.web.browser import go, guarded, message, page, under_another_name
from server.web.calls import Document
from server.web.fields import Drawn, Typed
from server.web.form import FormAction
from server.web.menu import CONSOLE_MENU, PLACES, Place
from server.web.page import Facts, Page
from server.web.shown import FILTERS
from server.web.table import FORMS, PAGES, form_at, page_at, rows_of
from server.web.visit import Visit

_SIGNED_OUT: Final = 401
_AGAIN: Final = frozenset({404, 409, 412, 422, 428, 503})
"""Refusals of what was typed, or of its moment: the form comes again as it was filled in."""
_OWN: Final = frozenset({"csrf", "statement"})
_Row = TypeVar("_Row", Page, FormAction)


def add_pages(app: Flask, site: Site) -> None:
    """Give the pages and the forms to Flask."""
    app.jinja_env.filters.update(FILTERS)
    for one in PAGES:
        _add(app, site, "GET", one, show)
    for form in FORMS:
        _add(app, site, "POST", form, submit)


def _add(
    app: Flask, site: Site, method: str, row: _Row, view: Callable[[Visit, _Row], AnyResponse]
) -> None:
    def run(**ids: str) -> AnyResponse:
        return guarded(row.path, lambda: _answered(site, row, view, ids))

    app.add_url_rule(
        row.path,
        endpoint=f"{method} {row.path}",
        view_func=run,
        methods=[method],
        provide_automatic_options=False,
        strict_slashes=row.path != "/",  # for no path at all: a redirect is built from Host
    )


def _answered(
    site: Site, row: _Row, view: Callable[[Visit, _Row], AnyResponse], ids: Mapping[str, str]
) -> AnyResponse:
    """The page for whoever is signed in; others are asked to sign in where they are."""
    if (elsewhere := under_another_name(site)) is not None:
        return elsewhere
    visit = Visit(site, ids.get("id", ""))
    try:
        visit.person  # noqa: B018  # refused before anything is read of what was sent
    except errors.Problem as problem:
        return _sign_in(problem, asked=bool(ids) and not row.in_console)
    try:
        return view(visit, row)
    except errors.Problem as problem:
        return message("Request refused", problem.detail, status=problem.status)
    except errors.ProtocolError as error:
        return message("Request refused", error.description, status=error.status)


def _sign_in(problem: errors.Problem, *, asked: bool) -> AnyResponse:
    """The page for whoever is signed out; somebody whose device was ended reads why."""
    why = "" if problem.status == _SIGNED_OUT else problem.detail
    status = 200 if request.method == "GET" else problem.status
    return page("sign_in/passkey.html", status=status, script=True, asked=asked, problem=why)


def show(
    visit: Visit,
    row: Page,
    typed: Typed | None = None,
    told: Document | None = None,
    more: Mapping[str, Any] = {},  # read only
) -> AnyResponse:
    """A page; with what was typed on it, and what came of that. Raises errors.Problem."""
    facts: Facts = {one.fact: visit.answer(one) for one in row.reads}
    if row.load is not None and not more:
        loaded = row.load(visit)
        if not isinstance(loaded, dict):
            return loaded
        facts |= loaded
    if row.draw is not None:
        facts |= row.draw(facts)
    if row.form:
        form = form_at(row.form)
        if not visit.may(form.row, (facts.get("agent") or {}).get("owners", ())):
            raise errors.Problem(403, "forbidden", "You may view this but not change it.")
        facts |= {"form": form, "whole": facts.get(form.of)}

    def fields_of(path: str) -> list[Drawn]:
        form = form_at(path)
        own = typed if form.page == row.path else None
        return fields.drawn(form.fields, facts.get(form.of), own, visit.person.user.name)

    if typed is not None:
        facts |= {"refused": typed, "sent": _first(typed.form)}
    facts = {"page": row, "fields_of": fields_of, "told": told, **facts, **more}
    return draw(visit, row.template, row.at, facts, in_console=row.in_console)


def draw(
    visit: Visit, template: str, at: str, facts: Mapping[str, Any], *, in_console: bool
) -> AnyResponse:
    """A template in the frame that all pages of its kind have."""
    site = visit.site
    shared = {
        "csrf": site.devices.browsers.csrf(visit.cookie),
        "now": site.clock.now(),
        "person": visit.person,
        "issuer": site.rules.issuer,
        "rp_id": site.rules.rp_id,
        "menu": _console_menu(visit) if in_console else PLACES,
        "in_console": in_console,
        "frame": "console_frame.html" if in_console else "frame.html",
        "at": at,
        "about": visit.about,
        "asked": request.args,
        "done": request.args.get("done", ""),
        "ended": request.args.get("ended") == "true",
        "may": visit.may,
    }
    return page(template, form_action="'self'", script=True, **{**shared, **facts})


def _console_menu(visit: Visit) -> list[tuple[str, list[Place]]]:
    """The groups of entries that lead where this person may go."""
    return [
        (title, shown)
        for title, places in CONSOLE_MENU
        if (shown := [one for one in places if visit.may(rows_of(page_at(one.path))[0])])
    ]


def submit(visit: Visit, row: FormAction) -> AnyResponse:
    """Do what a form says, or show what its passkey signs first, or what is wrong with it."""
    form = visit.form()
    if row.does is not None:
        done = row.does(visit, form)
        return show(visit, page_at(row.page), more=done) if isinstance(done, dict) else done
    try:
        body = row.sends(form, _stored(visit, row))
        if row.signs is not None and form.get("statement") is None:
            return _to_sign(visit, row, form, row.signs(visit, cast("Document", body)))
        told = visit.calls.do(row.row, visit.about, body, form)
    except ValueError as error:
        member = getattr(error, "member", "") or "invalid_body"
        refused = errors.Problem(422, member, str(error).rstrip(".") + ".")
        return _again(visit, row, refused, form)
    except errors.Problem as problem:
        if problem.code != "statement_required":
            return _again(visit, row, problem, form)
        return _to_sign(visit, row, form, problem.members["wanted"])
    return _done(visit, row, form, told)


def _done(visit: Visit, row: FormAction, form: Form, told: Document) -> AnyResponse:
    """What follows a form that the API accepted."""
    if row.shows:
        return show(visit, page_at(row.page), Typed(form, "", ""), told)
    if row.answer:
        more = {} if row.draw is None else row.draw(told)
        facts = {"told": told, "sent": _first(form), "form": row, **more}
        return draw(visit, row.answer, _place(row), facts, in_console=row.in_console)
    return go(visit.site.rules.issuer + row.then.replace("<id>", visit.about))


def _stored(visit: Visit, row: FormAction) -> Document | None:
    """What the form is about as it is now. Raises errors.Problem."""
    if not row.of:
        return None
    return visit.answer(next(one for one in page_at(row.page).reads if one.fact == row.of))


def _again(visit: Visit, row: FormAction, problem: errors.Problem, form: Form) -> AnyResponse:
    """The page of a refused form, with what was typed and what is wrong. Raises errors.Problem."""
    if not row.page or problem.status not in _AGAIN:
        raise problem
    known = {one.name for one in row.fields}
    member = str(problem.members.get("member", problem.code))
    text = fields.in_words(problem.detail.removeprefix(f"/{member}: "), row.fields)
    typed = Typed(form, member if member in known else "", text)
    answer = show(visit, page_at(row.page), typed)
    answer.status_code = problem.status
    return answer


def _to_sign(visit: Visit, row: FormAction, form: Form, wanted: object) -> AnyResponse:
    facts = {
        "form": row,
        "kept": {name: values for name, values in form.values.items() if name not in _OWN},
        "changes": fields.changed(row.fields, _stored(visit, row), form),
        "wanted": wanted,
        "action": request.path,
    }
    return draw(visit, "sign.html", _place(row), facts, in_console=row.in_console)


def _place(row: FormAction) -> str:
    """The menu entry that a form belongs to."""
    if row.page:
        return page_at(row.page).at
    return row.path.split("/")[2] if row.in_console else ""


def _first(form: Form) -> dict[str, str]:
    return {name: values[0] for name, values in form.values.items()}
