"""Consents for tests: asked for by a page that is played here, signed by a real terminal.

Owns: what a page would ask. Never: the answers; those are the terminal's.
"""

from dataclasses import replace
from typing import Any

from server.model.approvals import Approval
from server.model.consents import Consent
from server.services.consents.consents import GivenConsent, RequestedConsent
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.clock import DAY
from tests.support.builders.installation import PAY
from tests.support.builders.passkey import LocalBrowser
from tests.support.builders.site import PEER, LocalSite


def wanted(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal | LocalBrowser, **members: Any
) -> RequestedConsent:
    """Thirty days of reading at the payment API."""
    plain = RequestedConsent(
        user=person.user,
        client_id=agent.id,
        app_id=None,
        resource=PAY,
        scopes=("payments:read",),
        until=local.clock.now() + 30 * DAY,
        peer=PEER,
    )
    return replace(plain, **members)


def ask(local: LocalSite, asked: RequestedConsent) -> Approval:
    """Open the approval in a unit of work, as a page does."""
    with local.services.store.write() as tx:
        return local.site.consents.ask(tx, asked)


def give(local: LocalSite, agent: LocalAgent, person: LocalTerminal, **members: Any) -> Consent:
    """Ask, and have the person sign."""
    approval = ask(local, wanted(local, agent, person, **members))
    answer = person.approve(approval.id)
    assert answer.status == 200, answer.body
    found = live(local, agent, person, members.get("resource", PAY))
    assert found is not None
    return found


def live(
    local: LocalSite,
    agent: LocalAgent,
    person: LocalTerminal | LocalBrowser,
    resource: str = PAY,
) -> Consent | None:
    """The consent in force."""
    with local.services.store.read() as view:
        return view.consents.live(person.user.id, agent.id, resource, view.now)


def all_of(local: LocalSite) -> list[GivenConsent]:
    """Every consent there is, newest first."""
    return local.site.consents.search(user=None, client=None, ended=True)
