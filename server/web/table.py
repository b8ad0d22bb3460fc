"""The tables of all pages and forms of signed-in people."""

from typing import Final

from server.web.approvals import pages as approvals
from server.web.approvers import pages as approvers
from server.web.audit import pages as audit
from server.web.ciba import pages as ciba
from server.web.clients import forms as client_forms
from server.web.clients import pages as clients
from server.web.consents import pages as consents
from server.web.devices import pages as devices
from server.web.form import FormAction
from server.web.incidents import pages as incidents
from server.web.notifications import pages as notifications
from server.web.operations import pages as operations
from server.web.page import Page
from server.web.policy import pages as policy
from server.web.resources import pages as resources
from server.web.sign_in import pages as sign_in
from server.web.standing_grants import pages as standing_grants
from server.web.tokens import pages as tokens
from server.web.users import pages as users

_MODULES: Final = (
    *(approvals, standing_grants, consents, tokens, incidents, clients, client_forms, devices),
    *(approvers, users, resources, policy, audit, notifications, operations, ciba, sign_in),
)
PAGES: Final[tuple[Page, ...]] = tuple(
    page for module in _MODULES for page in vars(module).get("PAGES", ())
)
FORMS: Final[tuple[FormAction, ...]] = tuple(
    form for module in _MODULES for form in vars(module).get("FORMS", ())
)
_PAGES: Final = {page.path: page for page in PAGES}
_FORMS: Final = {form.path: form for form in FORMS}


def page_at(path: str) -> Page:
    """The page with this path."""
    return _PAGES[path]


def form_at(path: str) -> FormAction:
    """The form with this path."""
    return _FORMS[path]


def required_routes(page: Page) -> tuple[str, ...]:
    """The API routes that a person must be allowed to call to see the page."""
    reads = tuple(read.route for read in page.reads if not read.optional)
    return (*reads, form_at(page.form).route) if page.form else reads
