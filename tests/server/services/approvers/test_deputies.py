"""Deputies decide for a person for a time; backups are asked when the person does not respond."""

import json

import pytest

from server.protocol.approvals import decisions
from server.protocol.approvals.states import State
from server.protocol.policy.risks import Risk
from server.protocol.times import rfc3339
from server.services.approvers import deputies
from server.services.approvers.deputies import MAX_DEPUTIES, ManagedDeputies
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.policies import Policies
from server.services.refusals import Invalid, NotFound
from server.services.users.users import UserChanges
from server.storage.approvers.deputies import Deputies as DeputyRows
from tests.support.builders.callers import another_device, new_person
from tests.support.builders.clock import DAY, HOUR, MINUTE, SECOND
from tests.support.builders.installation import BY, PAYMENT
from tests.support.builders.policies import rule
from tests.support.checks.locks import run_during


@pytest.fixture
def bob(local):
    """Another person, with a device."""
    return new_person(local, "bob")


@pytest.fixture
def permits(local):
    """The payment type allows deputies."""
    local.admin.actions.update(json.dumps({**PAYMENT, "deputies": True}), by=BY)


def _body(person, name="bob", begins=0, ends=DAY, **changes):
    now = person.local.clock.now()
    return {"deputy": name, "from": rfc3339(now + begins), "to": rfc3339(now + ends), **changes}


def _sign_deputy(person, body, key=None, *, pin=True, **members):
    nonce = person.call("GET", "/api/me").json["device"]["nonce"]
    text = f"{nonce}\n{body['deputy']}\n{body['from']}\n{body['to']}"
    subject = decisions.digest(text)
    if pin:
        person.pin(subject)
    members_of_statement = {"purpose": "deputy", "nonce": nonce, "subject": subject, **members}
    return {**body, "statement": person.statement(key=key or person.high, **members_of_statement)}


def _add_deputy(person, name="bob", begins=0, ends=DAY, **how):
    body = _body(person, name, begins, ends)
    return person.call("POST", "/api/deputies", _sign_deputy(person, body, **how))


def _pending_ids(person):
    return [item["id"] for item in person.call("GET", "/api/approvals").json["items"]]


def _delete(person, deputy):
    assert person.call("DELETE", f"/api/deputies/{deputy['id']}").status == 204


def _wait_until_ended(person, deputy):
    local = person.local
    local.clock.forward(5 * MINUTE)
    person.refresh()
    assert local.admin.entries("deputy.ended") == []
    local.services.escalations.round()
    assert local.admin.entries("deputy.ended")[0]["facts"]["deputy"] == deputy["id"]


def _advance(local, milliseconds, *people):
    local.clock.forward(milliseconds)
    for person in people:
        person.refresh()
    local.services.escalations.round()


def test_a_deputy_is_added_listed_and_deleted(person, bob, local):
    """The audit log has the signed statement, and the feeds of both have the events."""
    added = _add_deputy(person)
    assert added.status == 201
    deputy = added.json
    assert (deputy["user"]["name"], deputy["deputy"]["name"]) == ("ana", "bob")
    assert deputy["from"] == rfc3339(local.clock.now())
    assert person.call("GET", "/api/deputies").json["mine"][0]["id"] == deputy["id"]
    assert bob.call("GET", "/api/deputies").json["others"][0]["id"] == deputy["id"]
    assert [named.deputy.id for named in ManagedDeputies(local.services.store).all()] == [
        deputy["id"]
    ]
    (entry,) = local.admin.entries("deputy.named")
    assert (entry["actor"], entry["subject"]) == (f"user:{person.user.id}", person.user.id)
    assert entry["facts"]["who"] == bob.user.id
    assert entry["facts"]["signed"]
    path = f"/api/deputies/{deputy['id']}"
    assert person.call("DELETE", path).status == 204
    assert person.call("DELETE", path).refusal == (404, "not_found")
    assert person.call("GET", "/api/deputies").json == {"mine": [], "others": []}
    (ended,) = local.admin.entries("deputy.ended")
    assert ended["actor"] == f"user:{person.user.id}"
    for who in (person, bob):
        events = local.admin.events(who.user)
        assert ("deputy.named" in events, "deputy.ended" in events) == (True, True)


@pytest.mark.parametrize("key", ["session", "low"])
def test_adding_a_deputy_needs_the_high_key(person, bob, key):
    """Adding a deputy gives another person power, so other keys are refused."""
    assert bob.user.name == "bob"
    assert _add_deputy(person, key=getattr(person, key)).refusal == (403, "key_not_allowed")
    assert person.call("GET", "/api/deputies").json["mine"] == []


def test_adding_a_deputy_needs_a_pin_call_for_this_deputy(person, bob):
    """The statement covers the name and the period, and is accepted once."""
    body = _body(person, bob.user.name)
    assert person.call("POST", "/api/deputies", _sign_deputy(person, body, pin=False)).refusal == (
        403,
        "pin_required",
    )
    signed = _sign_deputy(person, body)
    other = {**signed, "to": rfc3339(person.local.clock.now() + 2 * DAY)}
    assert person.call("POST", "/api/deputies", other).refusal == (422, "invalid_statement")
    assert person.call("POST", "/api/deputies", signed).status == 201
    assert person.call("POST", "/api/deputies", signed).refusal == (422, "invalid_statement")


@pytest.mark.parametrize(
    ("how", "refusal"),
    [
        ({"name": "nobody"}, (404, "not_found")),
        ({"name": "ana"}, (422, "invalid_body")),
        ({"ends": 0}, (422, "invalid_body")),
        ({"begins": HOUR, "ends": HOUR}, (422, "invalid_body")),
        ({"ends": 367 * DAY}, (422, "invalid_body")),
    ],
)
def test_an_invalid_deputy_is_refused(person, bob, how, refusal):
    """An invalid deputy is not stored."""
    assert bob.user.name == "bob"
    assert _add_deputy(person, **how).refusal == refusal
    assert person.call("GET", "/api/deputies").json["mine"] == []


@pytest.mark.parametrize(
    ("member", "moment"),
    [("from", "0001-01-01T00:00:00+14:00"), ("to", "9999-12-31T23:59:59-12:00")],
)
def test_a_time_beyond_the_calendar_is_refused(person, bob, member, moment):
    """In UTC, these times are in the years 0 and 10000."""
    body = {**_body(person, bob.user.name), member: moment}
    answer = person.call("POST", "/api/deputies", _sign_deputy(person, body))
    assert answer.refusal == (422, "invalid_body")
    assert f"/{member}:" in answer.json["detail"]


@pytest.mark.parametrize("moment", ["tomorrow", "2026-12-24", "2026-12-24T08:00:00", ""])
def test_times_need_a_time_zone(person, bob, moment):
    """Without a time zone, a deputy could decide for an hour longer than intended."""
    body = {**_body(person, bob.user.name), "to": moment}
    answer = person.call("POST", "/api/deputies", _sign_deputy(person, body))
    assert answer.refusal == (422, "invalid_body")


def test_a_disabled_user_cannot_be_a_deputy(person, bob, local):
    """A disabled user is treated as an unknown one."""
    local.admin.users.disable("bob", by=BY)
    assert _add_deputy(person, bob.user.name).refusal == (404, "not_found")


def test_the_number_of_deputies_is_limited_and_their_times_may_not_overlap(person, bob, local):
    """A deputy can be named again for a later period."""
    assert _add_deputy(person, bob.user.name).status == 201
    assert _add_deputy(person, begins=HOUR).refusal == (409, "conflict")
    assert _add_deputy(person, begins=DAY, ends=2 * DAY).status == 201
    for number in range(MAX_DEPUTIES - 2):
        new_person(local, f"user{number}")
        assert _add_deputy(person, f"user{number}").status == 201
    new_person(local, "onemore")
    assert _add_deputy(person, "onemore").refusal == (409, "conflict")


def test_of_two_deputies_named_at_once_the_second_is_checked_after_the_first(
    postgres_local, monkeypatch
):
    """Two devices name the same deputy for the same period, and only the first succeeds."""
    local = postgres_local
    ana = new_person(local, "ana")
    new_person(local, "bob")
    other = another_device(ana)
    local.clock.forward(2 * DAY)
    ana.refresh()
    other.refresh()
    bodies = [_sign_deputy(device, _body(device)) for device in (ana, other)]
    answers = []

    def name_second():
        answers.append(other.call("POST", "/api/deputies", bodies[1]).refusal)

    second = run_during(monkeypatch, DeputyRows, "of_user", local.services.store, name_second)
    assert ana.call("POST", "/api/deputies", bodies[0]).status == 201
    second.join()
    assert answers == [(409, "conflict")]


@pytest.mark.usefixtures("permits")
def test_a_deputy_decides_action_types_that_allow_deputies(agent, person, bob, local):
    """The token and the audit log say who decided for whom."""
    _add_deputy(person)
    handle, payment = agent.request_payment()
    _, other = agent.request_approval()
    assert _pending_ids(bob) == [payment.id]
    assert bob.call("GET", f"/api/approvals/{other.id}").refusal == (404, "not_found")
    assert bob.approve(payment.id).status == 200
    answer = agent.poll(handle)
    assert answer.status == 200
    claims = local.claims(answer.json["access_token"])
    assert claims["sub"] == person.user.id
    assert claims["approval"]["decided_by"] == {"users": [bob.user.id]}
    assert claims.keys().isdisjoint({"acr", "amr", "auth_time"})
    (entry,) = local.admin.entries("approval.approved")
    assert (entry["actor"], entry["subject"]) == (f"user:{bob.user.id}", person.user.id)


def test_a_deputy_does_not_see_action_types_without_permission(agent, person, bob):
    """Action types forbid deputies by default."""
    _add_deputy(person)
    _, payment = agent.request_payment()
    _, scopes = agent.request_approval()
    assert _pending_ids(bob) == []
    for approval in (payment, scopes):
        answer = bob.call("GET", f"/api/approvals/{approval.id}")
        assert answer.refusal == (404, "not_found")


@pytest.mark.usefixtures("permits")
def test_open_requests_reach_a_deputy_exactly_during_their_time(agent, person, bob, local):
    """A request is not listed a millisecond too early, and not found after the end."""
    assert _add_deputy(person, begins=2 * MINUTE, ends=5 * MINUTE).status == 201
    _, payment = agent.request_payment()
    assert _pending_ids(bob) == []
    _advance(local, 2 * MINUTE - 1)
    assert _pending_ids(bob) == []
    _advance(local, 1)
    assert _pending_ids(bob) == [payment.id]
    assert bob.call("GET", f"/api/approvals/{payment.id}").status == 200
    local.clock.forward(3 * MINUTE)
    refused = bob.call("GET", f"/api/approvals/{payment.id}")  # before a worker ends the term
    assert refused.refusal == (404, "not_found")
    _advance(local, 0)
    assert _pending_ids(bob) == []
    (entry,) = local.admin.entries("deputy.ended")
    assert entry["actor"] == "system"
    assert local.services.escalations.round() == 0


@pytest.mark.usefixtures("permits")
def test_a_deputy_may_resign_and_their_decisions_stay(agent, person, bob, local):
    """Only the user and the deputy can end the term, and a session is enough."""
    deputy = _add_deputy(person).json["id"]
    _, decided = agent.request_payment()
    bob.deny(decided.id)
    _, open_one = agent.request_payment()
    carol = new_person(local, "carol")
    path = f"/api/deputies/{deputy}"
    assert carol.call("DELETE", path).refusal == (404, "not_found")
    assert bob.call("DELETE", path).status == 204
    assert _pending_ids(bob) == []
    assert bob.pin(open_one.id).refusal == (404, "not_found")
    decided_items = bob.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    assert [item["id"] for item in decided_items] == [decided.id]
    assert bob.call("GET", f"/api/approvals/{decided.id}").status == 200
    assert person.call("GET", "/api/deputies").json["mine"] == []


@pytest.mark.usefixtures("permits")
@pytest.mark.parametrize("end", [_delete, _wait_until_ended])
def test_a_person_and_their_former_deputy_share_one_vote(agent, person, bob, local, end):
    """A vote belongs to the person it was cast for; a second person is still needed."""
    Policies(local.services.store).set(rule("ask", "ask.quorum = 2"), by=BY)
    carol = new_person(local, "carol")
    local.admin.agents.update(agent.id, AgentChanges(add_owners=("carol",)), by=BY)
    added = _add_deputy(person, ends=5 * MINUTE).json
    handle, payment = agent.request_payment()
    assert bob.approve(payment.id).json["vote_tally"]["have"] == 1
    end(person, added)
    carol.refresh()
    assert person.approve(payment.id).refusal == (409, "already_voted")
    assert local.stored_approval(payment.id).state is State.PENDING
    (vote,) = local.admin.entries("approval.voted")
    assert (vote["actor"], vote["facts"]["stands_for"]) == (f"user:{bob.user.id}", person.user.id)
    assert carol.approve(payment.id).json["vote_tally"]["have"] == 2
    assert agent.poll(handle).status == 200


OWNERS_EXCLUDED = rule("ask", 'ask.exclude = ["owner"]')


@pytest.fixture
def owner(local, agent, bob):
    """Bob, an owner of the agent."""
    local.admin.agents.update(agent.id, AgentChanges(add_owners=("bob",)), by=BY)
    return bob


def _as_deputy(_local, person):
    _add_deputy(person)


def _as_later_deputy(_local, person):
    _add_deputy(person, begins=2 * MINUTE)


def _as_backup(local, _person):
    _set_backup(local, "ana", "bob")


@pytest.mark.usefixtures("permits")
@pytest.mark.parametrize("substitute", [_as_deputy, _as_later_deputy, _as_backup])
def test_an_excluded_substitute_can_only_deny(agent, person, owner, local, substitute):
    """The rule applies to a deputy, to a deputy who begins later, and to a backup."""
    Policies(local.services.store).set(OWNERS_EXCLUDED, by=BY)
    substitute(local, person)
    handle, payment = agent.request_payment()
    _advance(local, 300 * SECOND, person, owner)
    _advance(local, 200 * SECOND, person, owner)
    assert _pending_ids(owner) == [payment.id]
    assert owner.approve(payment.id).refusal == (403, "not_eligible")
    assert agent.poll(handle).refusal == (400, "authorization_pending")
    assert person.approve(payment.id).status == 200


@pytest.mark.usefixtures("permits")
def test_excluding_a_deputy_after_their_approval_withdraws_it(agent, person, owner, local):
    """Policy is evaluated again for the signer when the token is issued."""
    _add_deputy(person)
    handle, payment = agent.request_payment()
    assert owner.approve(payment.id).status == 200
    Policies(local.services.store).set(OWNERS_EXCLUDED, by=BY)
    answer = agent.poll(handle)
    assert (answer.status, answer.json["reason"]) == (400, "cancelled")
    assert local.stored_approval(payment.id).reason == "policy_changed"


@pytest.mark.usefixtures("permits")
def test_a_deputy_has_no_vote_if_policy_denies_the_person(agent, person, bob, local):
    """The person may no longer approve, and neither may their deputy."""
    _add_deputy(person, begins=2 * MINUTE)
    _, payment = agent.request_payment()
    Policies(local.services.store).set(rule("deny"), by=BY)
    _advance(local, 2 * MINUTE, person, bob)
    with local.services.store.read() as view:
        row = view.approvers.find(payment.id, bob.user.id)
    assert (row.stands_for, row.approves) == (person.user.id, False)


@pytest.mark.usefixtures("permits")
def test_a_disabled_deputy_is_not_asked(agent, person, bob, local):
    """Only the user of the request is asked."""
    _add_deputy(person)
    local.admin.users.disable(bob.user.name, by=BY)
    _, payment = agent.request_payment()
    assert not local.stored_approval(payment.id).multi_approver


def test_an_administrator_lists_and_ends_deputies(person, bob, local):
    """The operator's commands use the service that this test calls."""
    deputy = _add_deputy(person, bob.user.name).json["id"]
    managed = ManagedDeputies(local.services.store)
    assert managed.end(deputy, by=BY).deputy.id == deputy
    assert managed.all() == []
    with pytest.raises(NotFound):
        managed.end(deputy, by=BY)


def test_two_workers_begin_and_end_a_deputys_term_once(person, bob, local):
    """The second worker does not change anything."""
    deputy_id = _add_deputy(person, bob.user.name, begins=HOUR).json["id"]
    local.clock.forward(HOUR)
    with local.services.store.write() as tx:
        deputy = tx.deputies.get(deputy_id)
        assert deputies.begin(tx, deputy, local.services.escalations.substitutes)
        assert not deputies.begin(tx, deputy, local.services.escalations.substitutes)
        assert deputies.end(tx, deputy)
        assert not deputies.end(tx, deputy)


def _set_backup(local, user, backup):
    local.admin.users.update(user, UserChanges(backup=backup), by=BY)


def test_a_backup_is_asked_after_three_quarters_of_the_lifetime(agent, person, bob, local):
    """The backup is asked once, after the reminder, with an audit entry."""
    _set_backup(local, "ana", "bob")
    _, approval = agent.request_approval(requested_expiry="400")
    _advance(local, 200 * SECOND, person, bob)
    assert _pending_ids(bob) == []
    _advance(local, 100 * SECOND - 1)
    assert _pending_ids(bob) == []
    _advance(local, 1)
    assert _pending_ids(bob) == [approval.id]
    assert local.services.escalations.round() == 0
    steps = [entry["decision"] for entry in local.admin.entries("approval.escalated")]
    assert steps == ["reminded", "backup_asked"]
    assert local.admin.events(bob.user).count("approval.requested") == 1
    assert bob.approve(approval.id).status == 200
    (entry,) = local.admin.entries("approval.approved")
    assert (entry["actor"], entry["subject"]) == (f"user:{bob.user.id}", person.user.id)


def test_without_an_enabled_backup_nobody_else_is_asked(agent, person, bob, local):
    """A disabled backup is not asked."""
    _, approval = agent.request_approval(requested_expiry="400")
    _advance(local, 399 * SECOND, person, bob)
    _advance(local, 0)
    assert not local.stored_approval(approval.id).multi_approver
    _set_backup(local, "ana", "bob")
    local.admin.users.disable("bob", by=BY)
    _, another = agent.request_approval(requested_expiry="400")
    for _ in range(3):
        _advance(local, 100 * SECOND)
    assert not local.stored_approval(another.id).multi_approver
    steps = [entry["decision"] for entry in local.admin.entries("approval.escalated")]
    assert steps == ["reminded", "reminded"]


def test_a_backup_is_asked_about_critical_actions_immediately(agent, person, bob, local):
    """A critical action needs a second person, and finding one takes time."""
    _set_backup(local, "ana", "bob")
    critical = local.admin.approval(agent.id, person.user.id, risk=Risk.CRITICAL)
    consent = local.admin.approval(agent.id, person.user.id, risk=Risk.CRITICAL, kind="consent")
    with local.services.store.write() as tx:
        for approval in (critical, consent):
            local.services.escalations.substitutes.add_immediate(tx, approval)
    assert _pending_ids(bob) == [critical.id]


def test_a_backup_must_be_another_user_and_can_be_removed(local, bob):
    """An unknown user, or the same user, is refused as a backup."""
    users = local.admin.users
    with pytest.raises(Invalid):
        _set_backup(local, "ana", "ana")
    with pytest.raises(NotFound):
        _set_backup(local, "ana", "nobody")
    _set_backup(local, "ana", "bob")
    assert users.show("ana")[0].backup == bob.user.id
    users.update("ana", UserChanges(email="ana@acme.example"), by=BY)
    assert users.show("ana")[0].backup == bob.user.id
    _set_backup(local, "ana", "")
    assert users.show("ana")[0].backup is None
