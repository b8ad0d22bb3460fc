"""What the records show to somebody who looks for weak spots."""

import json

import pytest

from server.protocol.policy.risks import Risk
from server.services.clients.agent_forms import AgentChanges
from server.services.incidents.incidents import Incidents
from server.services.operations.doctor import Doctor
from server.services.policy.judging import Judge
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from tests.support.builders.admins import add_incident
from tests.support.builders.clock import DAY, HOUR
from tests.support.builders.installation import BY, PAY, PAYMENT, admitted, registered
from tests.support.builders.policies import rule


def _doctor(desk):
    return Doctor(desk.store, Judge(desk.secrets))


@pytest.fixture
def findings(desk):
    """What is found now, as texts with their level."""
    return lambda: {f.what: f.level for f in _doctor(desk).findings()}


def _healthy(desk):
    admin = admitted(desk, roles=("admin",))
    desk.device(admin)
    return registered(desk, asks=("admin",))


def test_a_healthy_installation_has_no_findings(desk, findings):
    """Nothing is found for the sake of finding something."""
    _healthy(desk)
    assert findings() == {}


def test_an_installation_without_an_administrator_is_weak(desk, findings):
    """One who is disabled does not count."""
    _healthy(desk)
    desk.users.disable("admin", by=BY)
    found = findings()
    assert found["There is no administrator."] == "weak"
    assert found["The agent invoice-bot has no enabled owner."] == "weak"


def test_a_report_is_named_until_it_is_closed(desk, findings):
    """With its ID, for the command that shows it."""
    given = _healthy(desk)
    approval = desk.approval(given.agent.id, desk.users.show("admin")[0].id)
    incident = add_incident(desk, approval)
    (found,) = _doctor(desk).findings()
    assert (found.level, found.remedy) == ("weak", ("incident.show", incident))
    assert found.what.startswith("admin reported")
    Incidents(desk.store).close(incident, None, by=BY)
    assert findings() == {}


def test_a_disabled_agent_is_nobodys_worry(desk, findings):
    """It can do nothing, so nothing about it is weak."""
    _healthy(desk)
    registered(desk, "bot", resources=(), scopes=())
    assert len(findings()) == 2
    desk.agents.disable("bot", by=BY)
    assert findings() == {}


def test_an_agent_that_still_uses_its_old_secret_is_named_before_it_stops(desk, findings):
    """After a rotation the new secret has to reach the agent in time."""
    given = _healthy(desk)
    old = given.agent.secrets[0]
    desk.agents.rotate_secret("invoice-bot", by=BY)
    assert findings() == {}
    desk.clock.forward(HOUR)
    with desk.store.write() as tx:
        tx.agents.mark_secret_used(old.id, tx.now)
        tx.bump_admin_version()
    assert findings() == {
        f"The agent invoice-bot still uses its old secret that ends in {old.hint}.": "weak"
    }


def test_an_agent_that_is_about_to_expire_is_named(desk, findings):
    """Two weeks ahead, and when it has."""
    admin = admitted(desk, roles=("admin",))
    desk.device(admin)
    registered(desk, asks=("admin",), expires_at=desk.clock.now() + 20 * DAY)
    assert findings() == {}
    desk.clock.forward(10 * DAY)
    assert findings() == {"The agent invoice-bot expires within two weeks.": "note"}
    desk.clock.forward(10 * DAY)
    assert findings() == {"The agent invoice-bot has expired.": "note"}


def test_a_message_that_was_given_up_is_broken(desk, findings):
    """Somebody waits for what never left."""
    _healthy(desk)
    with desk.store.write() as tx:
        tx.outbox.add("webhook", "", "{}")
        for message in tx.outbox.lease("me", 10, 60):
            tx.outbox.failed(message.id, "me", "connection refused", None)
    what = "1 message to your webhook not delivered in the last week: connection refused."
    assert findings() == {what: "broken"}
    desk.clock.forward(8 * DAY)
    assert findings() == {}


def _lose(desk, target, *errors):
    with desk.store.write() as tx:
        for _ in errors:
            tx.outbox.add("ping", target, "{}")
        for message, error in zip(tx.outbox.lease("me", 10, 60), errors, strict=True):
            tx.outbox.failed(message.id, "me", error, None)


def test_dead_calls_name_their_agent_and_why(desk):
    """Each agent's endpoint is what must be reached; of one that was deleted there is none."""
    _healthy(desk)
    agent = desk.agents.all()[0]
    other = registered(desk, "other-bot", asks=("admin",)).agent
    gone = registered(desk, "gone-bot", asks=("admin",)).agent
    _lose(desk, agent.id, "status 403", "ReadTimeout")
    for lost in (other, gone):
        _lose(desk, lost.id, "status 410")
    desk.agents.delete(gone.id, by=BY)
    found = {finding.what: finding.remedy for finding in _doctor(desk).findings()}
    told = f"2 messages to {agent.name} not delivered in the last week: ReadTimeout."
    assert found[told] == ("agent.show", agent.name)
    assert "1 message to other-bot not delivered in the last week: status 410." in found
    assert not any("gone-bot" in what for what in found)


def test_what_was_lost_before_something_arrived_is_noted(desk, findings):
    """It was broken and is not any more; a retry that needed no call any more proves nothing."""
    _healthy(desk)
    agent = desk.agents.all()[0]
    _lose(desk, agent.id, "status 403")
    told = f"1 message to {agent.name} not delivered in the last week: status 403."
    for tries, level in ((2, "broken"), (1, "note")):
        with desk.store.write() as tx:
            tx.outbox.add("ping", agent.id, "{}")
            for left in reversed(range(tries)):
                (message,) = tx.outbox.lease("me", 10, 60)
                if left:
                    tx.outbox.failed(message.id, "me", "status 500", tx.now)
            tx.outbox.sent(message.id, "me")
        assert findings() == {told: level}


def test_a_clock_behind_the_log_is_broken(desk, findings):
    """Deadlines and tokens depend on it."""
    _healthy(desk)
    desk.clock.forward(-HOUR)
    assert findings() == {
        "The clock of this machine is behind the newest entry of the audit log.": "broken"
    }


def test_an_enabled_person_without_a_device_is_noted_with_the_remedy(desk):
    """Nobody can answer for them; for who is disabled nobody needs to."""
    _healthy(desk)
    admitted(desk, "ana")
    admitted(desk, "ben")
    desk.users.disable("ben", by=BY)
    (found,) = _doctor(desk).findings()
    assert (found.level, found.what) == (
        "note",
        "ana has no device and cannot answer requests.",
    )
    assert found.remedy == ("user.enrol", "ana")


TOLD = "Nobody can approve {} for invoice-bot. Approvals needed: {}, possible: {}."


def test_a_critical_scope_that_no_two_people_can_approve_is_weak(desk, findings):
    """Until there is a second owner or administrator, or a rule that lets one be enough."""
    _healthy(desk)
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    desk.resources.update(PAY, raised, by=BY)
    assert findings() == {TOLD.format("payments:transfer", 2, 1): "weak"}
    Policies(desk.store).set(
        rule("ask", "ask.quorum = 1", 'when.risk.at_least = "critical"'), by=BY
    )
    assert findings() == {}


def test_a_second_person_is_enough_for_a_critical_scope(desk, findings):
    """An administrator beside the one who is asked."""
    _healthy(desk)
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    desk.resources.update(PAY, raised, by=BY)
    desk.device(admitted(desk, "second", roles=("admin",)))
    assert findings() == {}


@pytest.mark.parametrize(
    ("asks", "need", "most"),
    [
        (('ask.risk = "critical"',), 2, 1),
        (('ask.who = ["admin"]', "ask.quorum = 2"), 2, 1),
        (
            ('ask.who = ["admin", "second"]', 'ask.exclude = ["user", "owner"]', "ask.quorum = 2"),
            2,
            1,
        ),
    ],
)
def test_rules_of_ones_own_are_held_to_it_too(desk, findings, asks, need, most):
    """Whoever they name, whatever they raise, whomever they exclude."""
    _healthy(desk)
    desk.device(admitted(desk, "second"))
    assert findings() == {}
    Policies(desk.store).set(rule("ask", 'when.scope = ["payments:read"]', *asks), by=BY)
    assert findings() == {TOLD.format("payments:read", need, most): "weak"}
    Policies(desk.store).set(rule("deny"), by=BY)
    assert findings() == {}


def test_an_action_type_is_held_to_it_where_its_agent_may_ask_for_it(desk, findings):
    """More than one is counted; what nobody at all may approve says so."""
    _healthy(desk)
    desk.actions.add(json.dumps({**PAYMENT, "risk": "critical"}), by=BY)
    assert findings() == {TOLD.format("payment.transfer", 2, 1): "weak"}
    rules = rule("ask", 'ask.who = ["admin"]', 'ask.exclude = ["user"]')
    Policies(desk.store).set(rules, by=BY)
    (said,) = findings()
    assert "Approvals needed: 1, possible: 0. There are 3 such permissions." in said
    desk.agents.update("invoice-bot", AgentChanges(action_types=()), by=BY)
    (said,) = findings()
    assert "There are 2 such permissions." in said
    desk.agents.update("invoice-bot", AgentChanges(scopes=("payments:read",)), by=BY)
    (said,) = findings()
    assert "only one" not in said
