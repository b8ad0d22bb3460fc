"""The doctor: weaknesses that the records show."""

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
    """The current findings, as texts with their level."""
    return lambda: {f.what: f.level for f in _doctor(desk).findings()}


def _healthy(desk):
    admin = admitted(desk, roles=("admin",))
    desk.device(admin)
    return registered(desk, asks=("admin",))


def test_a_healthy_installation_has_no_findings(desk, findings):
    """Nothing is found for the sake of finding something."""
    _healthy(desk)
    assert findings() == {}


def test_an_installation_without_an_enabled_administrator_is_weak(desk, findings):
    """One who is disabled does not count."""
    _healthy(desk)
    desk.users.disable("admin", by=BY)
    found = findings()
    assert found["There is no administrator."] == "weak"
    assert found["The agent invoice-bot has no enabled owner."] == "weak"


def test_an_open_incident_is_a_finding(desk, findings):
    """With the command that shows it."""
    given = _healthy(desk)
    approval = desk.approval(given.agent.id, desk.users.show("admin")[0].id)
    incident = add_incident(desk, approval)
    (found,) = _doctor(desk).findings()
    assert (found.level, found.fix) == ("weak", f"Run: sayso incidents show {incident}")
    assert found.what.startswith("admin reported")
    Incidents(desk.store).close(incident, None, by=BY)
    assert findings() == {}


def test_a_disabled_agent_causes_no_findings(desk, findings):
    """It can do nothing, so nothing about it is weak."""
    _healthy(desk)
    registered(desk, "bot", resources=(), scopes=())
    assert len(findings()) == 2
    desk.agents.disable("bot", by=BY)
    assert findings() == {}


def test_an_agent_that_still_uses_its_old_secret_is_a_finding(desk, findings):
    """The new one has to reach the agent before the old one ends."""
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


def test_an_agent_close_to_its_expiry_is_a_finding(desk, findings):
    """Two weeks before, and afterwards."""
    admin = admitted(desk, roles=("admin",))
    desk.device(admin)
    registered(desk, asks=("admin",), expires_at=desk.clock.now() + 20 * DAY)
    assert findings() == {}
    desk.clock.forward(10 * DAY)
    assert findings() == {"The agent invoice-bot expires within two weeks.": "note"}
    desk.clock.forward(10 * DAY)
    assert findings() == {"The agent invoice-bot has expired.": "note"}


def test_an_undelivered_message_is_broken(desk, findings):
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


def _fail_messages(desk, target, *errors):
    with desk.store.write() as tx:
        for _ in errors:
            tx.outbox.add("ping", target, "{}")
        for message, error in zip(tx.outbox.lease("me", 10, 60), errors, strict=True):
            tx.outbox.failed(message.id, "me", error, None)


def test_undelivered_callbacks_name_their_agent_and_the_error(desk):
    """Not those of deleted agents."""
    _healthy(desk)
    agent = desk.agents.all()[0]
    other = registered(desk, "other-bot", asks=("admin",)).agent
    gone = registered(desk, "gone-bot", asks=("admin",)).agent
    _fail_messages(desk, agent.id, "status 403", "ReadTimeout")
    for lost in (other, gone):
        _fail_messages(desk, lost.id, "status 410")
    desk.agents.delete(gone.id, by=BY)
    found = {finding.what: finding.fix for finding in _doctor(desk).findings()}
    summary = f"2 messages to {agent.name} not delivered in the last week: ReadTimeout."
    assert f"sayso agents show {agent.name}" in found[summary]
    assert "1 message to other-bot not delivered in the last week: status 410." in found
    assert not any("gone-bot" in what for what in found)


def test_undelivered_messages_before_a_delivered_one_are_a_note(desk, findings):
    """A message delivered after retries proves nothing."""
    _healthy(desk)
    agent = desk.agents.all()[0]
    _fail_messages(desk, agent.id, "status 403")
    summary = f"1 message to {agent.name} not delivered in the last week: status 403."
    for tries, level in ((2, "broken"), (1, "note")):
        with desk.store.write() as tx:
            tx.outbox.add("ping", agent.id, "{}")
            for left in reversed(range(tries)):
                (message,) = tx.outbox.lease("me", 10, 60)
                if left:
                    tx.outbox.failed(message.id, "me", "status 500", tx.now)
            tx.outbox.sent(message.id, "me")
        assert findings() == {summary: level}


def test_a_clock_behind_the_audit_log_is_broken(desk, findings):
    """Deadlines and tokens depend on it."""
    _healthy(desk)
    desk.clock.forward(-HOUR)
    assert findings() == {
        "The clock of this machine is behind the newest entry of the audit log.": "broken"
    }


def test_an_enabled_user_without_a_device_is_a_note_with_the_remedy(desk):
    """Not a disabled one."""
    _healthy(desk)
    admitted(desk, "ana")
    admitted(desk, "ben")
    desk.users.disable("ben", by=BY)
    (found,) = _doctor(desk).findings()
    assert (found.level, found.what) == (
        "note",
        "ana has no device and cannot answer requests.",
    )
    assert "sayso users enrol ana" in found.fix


TOO_FEW = "Nobody can approve {} for invoice-bot. Approvals needed: {}, possible: {}."


def test_a_critical_scope_without_two_eligible_approvers_is_weak(desk, findings):
    """Until there is a second one, or a rule that needs only one."""
    _healthy(desk)
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    desk.resources.update(PAY, raised, by=BY)
    assert findings() == {TOO_FEW.format("payments:transfer", 2, 1): "weak"}
    Policies(desk.store).set(
        rule("ask", "ask.quorum = 1", 'when.risk.at_least = "critical"'), by=BY
    )
    assert findings() == {}


def test_a_second_administrator_is_enough_for_a_critical_scope(desk, findings):
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
def test_custom_rules_are_checked_for_enough_approvers_too(desk, findings, asks, need, most):
    """With the people, risks and exclusions that they name."""
    _healthy(desk)
    desk.device(admitted(desk, "second"))
    assert findings() == {}
    Policies(desk.store).set(rule("ask", 'when.scope = ["payments:read"]', *asks), by=BY)
    assert findings() == {TOO_FEW.format("payments:read", need, most): "weak"}
    Policies(desk.store).set(rule("deny"), by=BY)
    assert findings() == {}


def test_action_types_are_checked_for_enough_approvers_too(desk, findings):
    """Findings are counted; an impossible approval says so."""
    _healthy(desk)
    desk.actions.add(json.dumps({**PAYMENT, "risk": "critical"}), by=BY)
    assert findings() == {TOO_FEW.format("payment.transfer", 2, 1): "weak"}
    rules = rule("ask", 'ask.who = ["admin"]', 'ask.exclude = ["user"]')
    Policies(desk.store).set(rules, by=BY)
    (what,) = findings()
    assert "Approvals needed: 1, possible: 0. There are 3 such permissions." in what
    desk.agents.update("invoice-bot", AgentChanges(action_types=()), by=BY)
    (what,) = findings()
    assert "There are 2 such permissions." in what
    desk.agents.update("invoice-bot", AgentChanges(scopes=("payments:read",)), by=BY)
    (what,) = findings()
    assert "only one" not in what
