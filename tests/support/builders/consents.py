"""Consents for tests: this module asks in place of a page, and a real terminal signs.

Owns: what a page would ask. Never: the answers, which come from the terminal.
"""

from dataclasses import replace
from typing import Any

from server.model.approvals import Approval
from server.model.consents import Consent
from server.services.consents.consents import GivenConsent
from server.services.consents.offers import RequestedConsent
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.clock import DAY
from tests.support.builders.installation import PAY
from tests.support.builders.passkey import LocalBrowser
from tests.support.builders.site import PEER, LocalSite


def consent_request(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal | LocalBrowser, **members: Any
) -> RequestedConsent:
    """Return a request for consent to read at the payment API for thirty days."""
    requested = RequestedConsent(
        user=person.user,
        client_id=agent.id,
        app_id=None,
        resource=PAY,
        scopes=("payments:read",),
        until=local.clock.now() + 30 * DAY,
        peer=PEER,
    )
    return replace(requested, **members)


def ask(local: LocalSite, asked: RequestedConsent) -> Approval:
    """Create the approval in a unit of work, as a page does."""
    with local.services.store.write() as tx:
        return local.site.consents.ask(tx, asked)


def give(local: LocalSite, agent: LocalAgent, person: LocalTerminal, **members: Any) -> Consent:
    """Ask for a consent, have the person approve it, and return it."""
    approval = ask(local, consent_request(local, agent, person, **members))
    answer = person.approve(approval.id)
    assert answer.status == 200, answer.body
    consent = live(local, agent, person, members.get("resource", PAY))
    assert consent is not None
    return consent


def live(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal | LocalBrowser,
    resource: str = PAY,
) -> Consent | None:
    """Return the active consent, if there is one."""
    with local.services.store.read() as view:
        return view.consents.live(person.user.id, agent.id, resource, view.now)


def all_of(local: LocalSite) -> list[GivenConsent]:
    """Return all consents, including expired and revoked ones, newest first."""
    return local.site.consents.search(user=None, client=None, ended=True)
