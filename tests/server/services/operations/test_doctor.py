"""`sayso doctor`: the weaknesses that it finds in the stored data."""

import json

import pytest

from server.model.incidents import Incident
from server.protocol.policy.risks import Risk
from server.services.audit.log import AuditLog
from server.services.clients.agent_forms import AgentChanges
from server.services.incidents.incidents import Incidents
from server.services.operations.doctor import Doctor
from server.services.policy.evaluation import Evaluator
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from tests.support.builders.admins import add_incident
from tests.support.builders.clock import DAY, HOUR, MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT, add_user, register_agent
from tests.support.builders.policies import rule


def _audit_log(admin_services):
    return AuditLog(admin_services.store, "https://approvals.example.com", lambda: b"k" * 32)


def _doctor(admin_services):
    return Doctor(admin_services.store, lambda: Evaluator(admin_services.secrets))


@pytest.fixture
def findings(admin_services):
    """A function that returns the level of each current finding; the audit log is signed."""

    def current_findings():
        _audit_log(admin_services).sign()
        return {f.what: f.level for f in _doctor(admin_services).findings()}

    return current_findings


def _healthy(admin_services):
    admin = add_user(admin_services, roles=("admin",))
    admin_services.device(admin)
    return register_agent(admin_services, asks=("admin",))


def test_a_healthy_installation_has_no_findings(admin_services, findings):
    """A healthy installation has an administrator, a device and an agent."""
    _healthy(admin_services)
    assert findings() == {}


def test_an_audit_log_without_checkpoints_is_weak(admin_services):
    """If the last checkpoint is over a minute old, nobody is signing the log."""
    _healthy(admin_services)
    _audit_log(admin_services).sign()
    admin_services.clock.forward(HOUR)
    add_user(admin_services, "zoe")
    admin_services.clock.forward(MINUTE)
    assert _doctor(admin_services).findings()[:-1] == []
    admin_services.clock.forward(1)
    finding = _doctor(admin_services).findings()[0]
    assert finding.level == "weak"
    assert finding.what.startswith("The audit log has had no checkpoint for 1 min, so 2 ent")


def test_an_installation_without_an_enabled_administrator_is_weak(admin_services, findings):
    """A disabled administrator does not count."""
    _healthy(admin_services)
    admin_services.users.disable("admin", by=BY, force=True)
    levels = findings()
    assert levels["There is no administrator."] == "weak"
    assert levels["The agent invoice-bot has no enabled owner."] == "weak"


def test_an_open_incident_is_a_finding(admin_services, findings):
    """The finding has the incident ID for the command that shows the incident."""
    registration = _healthy(admin_services)
    approval = admin_services.approval(
        registration.agent.id, admin_services.users.show("admin")[0].id
    )
    incident = add_incident(admin_services, approval)
    (finding,) = _doctor(admin_services).findings()
    assert (finding.level, finding.remedy) == ("weak", ("incident.show", incident))
    assert finding.about == ("incident", incident)
    assert finding.what.startswith("admin reported")
    Incidents(admin_services.store).close(incident, None, by=BY)
    assert findings() == {}


def test_an_alarm_about_the_log_is_not_called_a_report(admin_services, findings):
    """The finding says whose device received a different log."""
    _healthy(admin_services)
    user = admin_services.users.show("admin")[0]
    alarm = Incident("sayso_ic_1", "{}", 0, user_id=user.id, cause="log_changed")
    with admin_services.store.write() as tx:
        tx.incidents.add(alarm)
    assert "admin's device received an audit log that differs from an earlier one." in findings()


def test_a_disabled_agent_causes_no_findings(admin_services, findings):
    """A disabled agent cannot do anything, so it is not reported."""
    _healthy(admin_services)
    register_agent(admin_services, "bot", resources=(), scopes=())
    assert len(findings()) == 2
    admin_services.agents.disable("bot", by=BY)
    assert findings() == {}


def test_an_agent_that_still_uses_its_old_secret_is_a_finding(admin_services, findings):
    """The agent must get the new secret before the old one expires."""
    registration = _healthy(admin_services)
    old = registration.agent.secrets[0]
    admin_services.agents.rotate_secret("invoice-bot", by=BY)
    assert findings() == {}
    admin_services.clock.forward(HOUR)
    with admin_services.store.write() as tx:
        tx.agents.mark_secret_used(old.id, tx.now)
        tx.bump_admin_version()
    assert findings() == {
        f"The agent invoice-bot still uses its old secret that ends in {old.hint}.": "weak"
    }


def test_an_agent_close_to_its_expiry_is_a_finding(admin_services, findings):
    """The agent is reported from two weeks before its expiry, and after it."""
    admin = add_user(admin_services, roles=("admin",))
    admin_services.device(admin)
    register_agent(
        admin_services, asks=("admin",), expires_at=admin_services.clock.now() + 20 * DAY
    )
    assert findings() == {}
    admin_services.clock.forward(10 * DAY)
    assert findings() == {"The agent invoice-bot expires within two weeks.": "note"}
    admin_services.clock.forward(10 * DAY)
    assert findings() == {"The agent invoice-bot has expired.": "note"}


def test_a_finding_about_a_name_links_an_agent_but_not_a_resource(admin_services):
    """A resource has no page to link to."""
    agent = _healthy(admin_services).agent
    with admin_services.store.write() as tx:
        for record_id in (agent.id, PAY):
            tx.names.drop(record_id)
    links = {f.what.split()[1]: f.about for f in _doctor(admin_services).findings()}
    assert links["agent"] == ("agent", agent.id)
    assert links["resource"] is None


def test_an_undelivered_message_is_broken(admin_services, findings):
    """The finding disappears after a week."""
    _healthy(admin_services)
    with admin_services.store.write() as tx:
        tx.outbox.add("webhook", "", "{}")
        for message in tx.outbox.lease("me", 10, 60):
            tx.outbox.mark_failed(message.id, "me", "connection refused", None)
    finding_text = "1 message to your webhook not delivered in the last week: connection refused."
    assert findings() == {finding_text: "broken"}
    admin_services.clock.forward(8 * DAY)
    assert findings() == {}


def _fail_messages(admin_services, target, *errors):
    with admin_services.store.write() as tx:
        for _ in errors:
            tx.outbox.add("ping", target, "{}")
        for message, error in zip(tx.outbox.lease("me", 10, 60), errors, strict=True):
            tx.outbox.mark_failed(message.id, "me", error, None)


def test_undelivered_callbacks_name_their_agent_and_the_error(admin_services):
    """Callbacks to deleted agents are not reported."""
    _healthy(admin_services)
    agent = admin_services.agents.all()[0]
    other = register_agent(admin_services, "other-bot", asks=("admin",)).agent
    deleted = register_agent(admin_services, "gone-bot", asks=("admin",)).agent
    _fail_messages(admin_services, agent.id, "status 403", "ReadTimeout")
    for agent_row in (other, deleted):
        _fail_messages(admin_services, agent_row.id, "status 410")
    admin_services.agents.delete(deleted.id, by=BY)
    remedies = {finding.what: finding.remedy for finding in _doctor(admin_services).findings()}
    summary = f"2 messages to {agent.name} not delivered in the last week: ReadTimeout."
    assert remedies[summary] == ("agent.show", agent.name)
    assert "1 message to other-bot not delivered in the last week: status 410." in remedies
    assert not any("gone-bot" in finding_text for finding_text in remedies)


def test_undelivered_messages_before_a_delivered_one_are_a_note(admin_services, findings):
    """A message that was only delivered after retries does not prove that the endpoint works."""
    _healthy(admin_services)
    agent = admin_services.agents.all()[0]
    _fail_messages(admin_services, agent.id, "status 403")
    summary = f"1 message to {agent.name} not delivered in the last week: status 403."
    for attempts, level in ((2, "broken"), (1, "note")):
        with admin_services.store.write() as tx:
            tx.outbox.add("ping", agent.id, "{}")
            for failures_left in reversed(range(attempts)):
                (message,) = tx.outbox.lease("me", 10, 60)
                if failures_left:
                    tx.outbox.mark_failed(message.id, "me", "status 500", tx.now)
            tx.outbox.mark_sent(message.id, "me")
        assert findings() == {summary: level}


def test_a_clock_behind_the_audit_log_is_broken(admin_services, findings):
    """Expiry times and tokens depend on a correct clock."""
    _healthy(admin_services)
    admin_services.clock.forward(-HOUR)
    assert findings() == {
        "The clock of this machine is behind the newest entry of the audit log.": "broken"
    }


def test_an_enabled_user_without_a_device_is_a_note_with_the_remedy(admin_services):
    """A disabled user without a device is not reported."""
    _healthy(admin_services)
    add_user(admin_services, "ana")
    add_user(admin_services, "ben")
    admin_services.users.disable("ben", by=BY)
    (finding,) = _doctor(admin_services).findings()
    assert (finding.level, finding.what) == (
        "note",
        "ana has no device and cannot answer requests.",
    )
    assert finding.remedy == ("user.enroll", "ana")


TOO_FEW = "Nobody can approve {} for invoice-bot. Approvals needed: {}, possible: {}."


def test_a_critical_scope_without_two_eligible_approvers_is_weak(admin_services, findings):
    """The finding disappears if a rule requires only one approver."""
    _healthy(admin_services)
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    admin_services.resources.update(PAY, raised, by=BY)
    assert findings() == {TOO_FEW.format("payments:transfer", 2, 1): "weak"}
    Policies(admin_services.store).set(
        rule("ask", "ask.quorum = 1", 'when.risk.at_least = "critical"'), by=BY
    )
    assert findings() == {}


def test_a_second_administrator_is_enough_for_a_critical_scope(admin_services, findings):
    """The administrator and the user of the request make two eligible approvers."""
    _healthy(admin_services)
    raised = ResourceChanges(scopes={"payments:transfer": Risk.CRITICAL})
    admin_services.resources.update(PAY, raised, by=BY)
    admin_services.device(add_user(admin_services, "second", roles=("admin",)))
    assert findings() == {}


@pytest.mark.parametrize(
    ("terms", "needed", "possible"),
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
def test_custom_rules_are_checked_for_enough_approvers_too(
    admin_services, findings, terms, needed, possible
):
    """The check uses the people, risks and exclusions of the rules."""
    _healthy(admin_services)
    admin_services.device(add_user(admin_services, "second"))
    assert findings() == {}
    Policies(admin_services.store).set(rule("ask", 'when.scope = ["payments:read"]', *terms), by=BY)
    assert findings() == {TOO_FEW.format("payments:read", needed, possible): "weak"}
    Policies(admin_services.store).set(rule("deny"), by=BY)
    assert findings() == {}


def test_action_types_are_checked_for_enough_approvers_too(admin_services, findings):
    """The finding has the number of such permissions and says how many can approve."""
    _healthy(admin_services)
    admin_services.actions.add(json.dumps({**PAYMENT, "risk": "critical"}), by=BY)
    assert findings() == {TOO_FEW.format("payment.transfer", 2, 1): "weak"}
    rules = rule("ask", 'ask.who = ["admin"]', 'ask.exclude = ["user"]')
    Policies(admin_services.store).set(rules, by=BY)
    (message,) = findings()
    assert "Approvals needed: 1, possible: 0. There are 3 such permissions." in message
    admin_services.agents.update("invoice-bot", AgentChanges(action_types=()), by=BY)
    (message,) = findings()
    assert "There are 2 such permissions." in message
    admin_services.agents.update("invoice-bot", AgentChanges(scopes=("payments:read",)), by=BY)
    (message,) = findings()
    assert "only one" not in message


def test_the_users_are_read_once_for_all_agents(admin_services):
    """Reading them for each agent would take seconds with hundreds of users and agents."""
    _healthy(admin_services)
    for number in range(3):
        register_agent(admin_services, f"bot-{number}", asks=("admin",))
    with admin_services.store.read() as view:
        connection = view._connection.connection.driver_connection
    statements = []
    connection.set_trace_callback(statements.append)
    _doctor(admin_services).findings()
    connection.set_trace_callback(None)
    lists = [text for text in statements if "FROM users" in text and "ORDER BY" in text]
    assert len(lists) == 1
