"""Serves the tables of pages and forms with Flask: menu, sign-in, rendering, form submission."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar, cast

from flask import Flask, request
from werkzeug.wrappers import Response as AnyResponse

from server.http.site import Site
from server.protocol import errors
from server.protocol.forms import Form
from server.web import fields
from server.web.browser import (
    PAGE_EXPIRED,
    go,
    is_same_origin,
    message,
    page,
    redirect_to_issuer_host,
    with_error_pages,
)
from server.web.calls import Document
from server.web.choices import choices
from server.web.console import client_fields
from server.web.fields import RenderedField, SubmittedForm
from server.web.form import FormAction
from server.web.page import CONSOLE, Facts, Page, in_console
from server.web.table import FORMS, PAGES, form_at, page_at, required_routes
from server.web.template_filters import FILTERS, OptionalMembers
from server.web.visit import Visit


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry of a menu."""

    key: str
    """The key by which pages refer to it."""
    path: str
    words: str


OWN_MENU: Final = (
    MenuEntry("inbox", "/", "Inbox"),
    MenuEntry("history", "/history", "History"),
    MenuEntry("agents", "/agents", "Agents"),
    MenuEntry("grants", "/grants", "Standing grants"),
    MenuEntry("consents", "/consents", "Consents"),
    MenuEntry("delegations", "/delegations", "Delegations"),
    MenuEntry("devices", "/devices", "Devices"),
    MenuEntry("settings", "/settings", "Settings"),
)


def _group(title: str, *labels: str) -> tuple[str, tuple[MenuEntry, ...]]:
    """A group of entries. The key and path of an entry are the last word of its text."""
    keys = [label.lower().split()[-1] for label in labels]
    entries = zip(keys, labels, strict=True)
    return title, tuple(MenuEntry(key, f"/admin/{key}", label) for key, label in entries)


CONSOLE_MENU: Final = (
    (
        "Now",
        (MenuEntry("overview", "/admin", "Overview"), *_group("", "Approvals", "Incidents")[1]),
    ),
    _group(
        *("Clients", "Agents", "Orphans", "Invitations", "Apps"),
        *("Delegations", "Standing grants", "Consents"),
    ),
    _group("People", "Users", "Groups", "Devices", "Deputies"),
    _group("Rules", "Policy", "Resources", "Actions"),
    _group("Installation", "Audit", "Health", "Limits", "Settings"),
)
"""The groups: each has a title and entries."""


_UNAUTHORIZED: Final = 401
_SHOW_AGAIN: Final = frozenset({404, 409, 412, 422, 428, 503})
"""The errors after which the form is shown again with the submitted values."""
_STALE: Final = "stale_page"
_SIGNED_IN_AGAIN: Final = (
    "You signed in again after you opened this page. Check your entries and submit them again."
)
_PRECONDITION_FAILED: Final = 412
_FILTER_STATUSES: Final = frozenset({400, 404, 422})
"""The statuses for an invalid filter of a list."""
_POINTER: Final = re.compile(r"/(\w+): ")
"""The start of an API error message about one member."""
_INTERNAL_FIELDS: Final = frozenset({"csrf", "statement"})
_Row = TypeVar("_Row", Page, FormAction)


def add_pages(app: Flask, site: Site) -> None:
    """Register the pages and forms with Flask."""
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["overlaps"] = client_fields.OVERLAPS
    for row in PAGES:
        _add(app, site, "GET", row, show)
    for form in FORMS:
        _add(app, site, "POST", form, submit)


def _add(
    app: Flask, site: Site, method: str, row: _Row, view: Callable[[Visit, _Row], AnyResponse]
) -> None:
    def run(**ids: str) -> AnyResponse:
        return with_error_pages(row.path, lambda: _respond(site, row, view, ids))

    app.add_url_rule(
        row.path,
        endpoint=f"{method} {row.path}",
        view_func=run,
        methods=[method],
        provide_automatic_options=False,
        strict_slashes=row.path != "/",  # Flask would build a redirect from the Host header
    )


def _respond(
    site: Site, row: _Row, view: Callable[[Visit, _Row], AnyResponse], ids: Mapping[str, str]
) -> AnyResponse:
    """Run the view for a signed-in person; show the sign-in page to others."""
    if (redirect := redirect_to_issuer_host(site)) is not None:
        return redirect
    visit = Visit(site, ids.get("id", ""))
    try:
        return _sign_in(visit, row, visit.refusal) if visit.refusal else view(visit, row)
    except errors.Problem as problem:
        return message("Request refused", problem.detail, status=problem.status)
    except errors.ProtocolError as error:
        return message("Request refused", error.description, status=error.status)


def _is_from_link() -> bool:
    """Return whether a link on another site, such as in a chat or email, opened the page.

    Browsers then leave out the cookie, because it is SameSite=Strict. They send it when the page
    that is shown reloads itself. A form cannot be resent this way.
    """
    site_and_mode = [request.headers.get(f"Sec-Fetch-{name}") for name in ("Site", "Mode")]
    return request.method == "GET" and site_and_mode == ["cross-site", "navigate"]


def _sign_in(visit: Visit, row: Page | FormAction, problem: errors.Problem) -> AnyResponse:
    """The sign-in page, with the reason if the device was revoked or the user disabled.

    For a link from another site, returns a page that reloads itself.
    """
    if problem.status == _UNAUTHORIZED and _is_from_link():
        return message("Opening…", "If nothing happens, reload this page.", reloads=True)
    facts: Facts = {
        "asked": bool(visit.record_id) and not row.in_console,
        "problem": "" if problem.status == _UNAUTHORIZED else problem.detail,
    }
    if isinstance(row, Page):
        return page("sign_in/passkey.html", script=True, next=None, **facts)
    if not is_same_origin(visit.site):
        return message("Request refused", PAGE_EXPIRED, status=400)
    return page(
        "sign_in/passkey.html",
        status=problem.status,
        form_action="'self'",
        script=True,
        next=_next_form(visit, row),
        **facts,
    )


def _next_form(visit: Visit, row: FormAction) -> Facts:
    """The form that opens the next page after the sign-in, with what the person entered."""
    if row.page and visit.is_from_our_page:
        return {"method": "post", "action": request.path, "kept": _entered(visit.form())}
    action = row.then.partition("?")[0].replace("<id>", visit.record_id)
    return {"method": "get", "action": action or (CONSOLE if row.in_console else "/"), "kept": {}}


def show(
    visit: Visit,
    row: Page,
    submission: SubmittedForm | None = None,
    response: Document | None = None,
    extra: Mapping[str, Any] = {},  # read only
) -> AnyResponse:
    """Render a page. Raises errors.Problem.

    `submission` is the form that was submitted on the page, and `response` the API's response.
    """
    facts, status = _answers(visit, row)
    if row.load is not None and not extra:
        loaded = row.load(visit)
        if not isinstance(loaded, dict):
            return loaded
        facts |= loaded
    if row.draw is not None:
        facts |= row.draw(facts)
    if row.form:
        form = form_at(row.form)
        if not visit.may(form.route, (facts.get("agent") or {}).get("owners", ())):
            raise errors.Problem(403, "forbidden", "You can view this but not change it.")
        facts |= {"form": form, "whole": facts.get(form.values_from)}

    def fields_of(path: str) -> list[RenderedField]:
        form = form_at(path)
        shown = submission if form.page == row.path else None
        me, offered = visit.person.user.name, partial(choices, facts, visit.may)
        return fields.render_fields(form.fields, facts.get(form.values_from), shown, me, offered)

    if submission is not None:
        facts |= {
            "refused": submission,
            "sent": _first(submission.form),
            "problem": submission.text,
        }
    facts = {"page": row, "fields_of": fields_of, "told": response, **facts, **extra}
    drawn = draw(visit, row.template, row.menu_key, facts)
    drawn.status_code = status or drawn.status_code
    return drawn


def _answers(visit: Visit, row: Page) -> tuple[Facts, int]:
    """The responses to the page's API calls, and the status of a refused filter or 0.

    A refused filter, such as a user who does not exist, leaves the list empty and shows the form.
    """
    facts: Facts = {}
    status = 0
    for read in row.reads:
        try:
            facts[read.fact] = visit.answer(read)
        except errors.Problem as problem:
            is_filtered = "cursor" in read.query and any(map(request.args.get, read.query))
            if not is_filtered or problem.status not in _FILTER_STATUSES:
                raise
            status = problem.status
            facts[read.fact] = {"items": [], "next": None}
            facts["refused"] = {"text": problem.detail, "member": "", "path": ""}
    return facts, status


def draw(visit: Visit, template: str, at: str, facts: Mapping[str, Any]) -> AnyResponse:
    """Render a template with the variables that all pages share."""
    site, console = visit.site, in_console(request.path)
    shared = {
        "csrf": site.devices.browsers.csrf(visit.cookie),
        "now": site.clock.now(),
        "person": visit.person,
        "issuer": site.server_policy.issuer,
        "rp_id": site.server_policy.rp_id,
        "menu": _console_menu(visit) if console else OWN_MENU,
        "in_console": console,
        "frame": "console_frame.html" if console else "frame.html",
        "at": at,
        "about": visit.record_id,
        "asked": request.args,
        "done": request.args.get("done", ""),
        "ended": request.args.get("ended") == "true",
        "may": visit.may,
        "sent": OptionalMembers(),
        **dict.fromkeys(("refused", "told", "watched")),
    }
    return page(template, form_action="'self'", script=True, **{**shared, **facts})


def _console_menu(visit: Visit) -> list[tuple[str, list[MenuEntry]]]:
    """The console's menu with the pages that this person may see."""
    return [
        (title, menu_entries)
        for title, entries in CONSOLE_MENU
        if (
            menu_entries := [
                entry for entry in entries if visit.may(required_routes(page_at(entry.path))[0])
            ]
        )
    ]


def submit(visit: Visit, row: FormAction) -> AnyResponse:
    """Submit a form to the API.

    Shows the page for signing if a signature is needed, or the form again if it is refused.
    """
    form = visit.form()
    if not visit.is_current(form):
        return _show_to_check(visit, row, form)
    if row.handler is not None:
        result = row.handler(visit, form)
        return show(visit, page_at(row.page), extra=result) if isinstance(result, dict) else result
    return _call_api(visit, row, form)


def _call_api(visit: Visit, row: FormAction, form: Form) -> AnyResponse:
    try:
        stored = _stored_record(visit, row)
        body = row.request_body(form, stored)
        if row.signs is not None and form.get("statement") is None:
            return _ask_to_sign(visit, row, form, row.signs(visit, cast("Document", body)))
        response = visit.calls.do(row.route, visit.record_id, body, form)
    except ValueError as error:
        member = getattr(error, "member", "") or "invalid_body"
        refused = errors.Problem(422, member, str(error).rstrip(".") + ".")
        return _show_again(visit, row, refused, form)
    except errors.Problem as problem:
        if problem.code != "statement_required":
            return _show_again(visit, row, problem, form)
        return _ask_to_sign(visit, row, form, problem.members["wanted"])
    return _succeed(visit, row, form, response)


def _show_to_check(visit: Visit, row: FormAction, form: Form) -> AnyResponse:
    """The form again, with its values, after the person has signed in again.

    If the form may come from another site, raises errors.Problem 403, so that the person cannot
    submit values that they did not enter.
    """
    if not row.page or not visit.is_from_our_page:
        raise errors.Problem(403, _STALE, PAGE_EXPIRED)
    return _show_again(visit, row, errors.Problem(403, _STALE, _SIGNED_IN_AGAIN), form)


def _succeed(visit: Visit, row: FormAction, form: Form, response: Document) -> AnyResponse:
    """The response after the API accepted the form."""
    if row.shows_response:
        return show(visit, page_at(row.page), SubmittedForm(form, "", ""), response)
    if row.answer:
        more_facts = {} if row.draw is None else row.draw(response)
        facts = {"told": response, "sent": _first(form), "form": row, **more_facts}
        return draw(visit, row.answer, _menu_entry(row), facts)
    return go(visit.site.server_policy.issuer + row.then.replace("<id>", visit.record_id))


def _stored_record(visit: Visit, row: FormAction) -> Document | None:
    """The stored record that the form changes. Raises errors.Problem."""
    if not row.values_from:
        return None
    return visit.answer(
        next(read for read in page_at(row.page).reads if read.fact == row.values_from)
    )


def _show_again(visit: Visit, row: FormAction, problem: errors.Problem, form: Form) -> AnyResponse:
    """The form's page with the submitted values and the error. Raises errors.Problem."""
    if not row.page or (problem.status not in _SHOW_AGAIN and problem.code != _STALE):
        raise problem
    if problem.status == _PRECONDITION_FAILED:  # the form gets the version that the page now shows
        form = Form({name: value for name, value in form.values.items() if name != "version"})
    submission = SubmittedForm(form, *_field_and_text(row, problem), row.path)
    answer = show(visit, page_at(row.page), submission)
    answer.status_code = problem.status
    return answer


def _field_and_text(row: FormAction, problem: errors.Problem) -> tuple[str, str]:
    """The invalid field, or "", and the error with the labels of the form."""
    pointer = _POINTER.match(problem.detail)
    member = str(problem.members.get("member", pointer[1] if pointer else problem.code))
    detail = re.sub(f"^/{re.escape(member)}: ", f"`{member}` ", problem.detail)
    is_field = member in {field.name for field in row.fields}
    return member if is_field else "", fields.with_labels(detail, row.fields)


def _ask_to_sign(visit: Visit, row: FormAction, form: Form, wanted: object) -> AnyResponse:
    facts = {
        "form": row,
        "kept": _entered(form),
        "changes": fields.changed_values(row.fields, _stored_record(visit, row), form),
        "wanted": wanted,
        "action": request.path,
    }
    return draw(visit, "sign.html", _menu_entry(row), facts)


def _entered(form: Form) -> Mapping[str, tuple[str, ...]]:
    """The values that the person entered, and the version that they saw."""
    return {name: value for name, value in form.values.items() if name not in _INTERNAL_FIELDS}


def _menu_entry(row: FormAction) -> str:
    """The key of the form's menu entry."""
    if row.page:
        return page_at(row.page).menu_key
    return row.path.split("/")[2] if row.in_console else ""


def _first(form: Form) -> OptionalMembers:
    return OptionalMembers({name: values[0] for name, values in form.values.items()})
