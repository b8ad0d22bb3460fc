"""A request reserves a use of a standing grant, which its token spends or its end releases."""

import json

import pytest
from sqlalchemy import select

from server.protocol.approvals.states import State
from server.services.clients.agent_forms import AgentChanges
from server.services.consents.revocations import revoke_consent
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from server.services.standing_grants import uses
from server.storage.notifications.tables import outbox
from server.storage.standing_grants.standing_grants import StandingGrants
from tests.support.builders import standing_grants
from tests.support.builders.callers import new_local_agent, new_person
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.installation import BY, PAY, PAY_SCOPES, PAYMENT
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK, Chains, consent
from tests.support.checks.locks import run_during

SCOPES_ONLY = {"sum": None, "vary": []}


@pytest.fixture(autouse=True)
def low_payments(local):
    """Payments are low risk in these tests."""
    standing_grants.lower(local)


@pytest.fixture
def grant(agent, person):
    """A grant for three payments to Nord, up to EUR 20 each and EUR 30 in total."""
    new_grant = standing_grants.give(person, standing_grants.example(agent))
    for item in person.call("GET", "/api/approvals").json["items"]:
        person.deny(item["id"])
    return new_grant


def set_policy(local, *rules):
    """Set these rules as the policy."""
    Policies(local.services.store).set("\n".join(rules), by=BY)


def request_payment(agent, minor=1_000, payee="Nord", **parameters):
    """Request a payment; return its auth_req_id and its approval."""
    answer = standing_grants.ask(agent, minor, payee, **parameters)
    assert answer.status == 200, answer.body
    handle = answer.json["auth_req_id"]
    return handle, agent.local.approval_for(handle)


def usage(local, grant):
    """Return the number of uses, the spent sum, and the state of each use."""
    with local.services.store.read() as view:
        states = [use.state for use in view.standing_grants.uses_of(grant.id)]
    now = standing_grants.reload_grant(local, grant)
    return now.used, now.spent_minor, states


def test_a_covered_request_is_approved_immediately(local, agent, person, grant):
    """The approval names the grant and the use, which is reserved and then spent by the token."""
    handle, approval = request_payment(agent)
    assert approval.state is State.APPROVED
    assert json.loads(approval.decided_by) == {"standing_grant": grant.id, "use": 1, "policy": 0}
    assert usage(local, grant) == (1, 1_000, ["reserved"])
    assert person.call("GET", "/api/approvals").json["items"] == []
    answer = agent.poll(handle)
    assert answer.status == 200, answer.body
    assert usage(local, grant) == (1, 1_000, ["spent"])
    assert agent.poll(handle).refusal == (400, "invalid_grant")
    assert usage(local, grant) == (1, 1_000, ["spent"])


def test_the_token_names_the_grant_and_claims_no_user_authentication(local, agent, grant):
    """Neither token has `acr`, `amr` or `auth_time`, because the user did not authenticate."""
    handle, approval = request_payment(agent)
    answer = agent.poll(handle).json
    access = local.claims(answer["access_token"])
    assert access["approval"] == {
        "id": approval.id,
        "action_digest": approval.action_digest,
        "granted_digest": approval.action_digest,
        "single_use": True,
        "decided_by": {"standing_grant": grant.id, "use": 1, "policy": 0},
    }
    identity = local.claims(answer["id_token"], "JWT")
    for claims in (access, identity):
        assert not {"acr", "amr", "auth_time"} & set(claims)


def test_each_use_has_an_event_a_history_item_and_an_entry(local, agent, person, grant):
    """The history item, the audit entry and the list of uses name the grant or the use."""
    _, approval = request_payment(agent)
    assert local.admin.events(person.user)[-1] == "approval.decided"
    history = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    (item,) = [item for item in history if item["id"] == approval.id]
    assert (item["state"], item["decided"]) == ("approved", None)
    assert item["decided_by"] == {
        "standing_grant": grant.id,
        "use": 1,
        "policy": 0,
    }
    entry = local.admin.entries("approval.allowed")[-1]
    assert (entry["actor"], entry["approval_id"]) == ("system", approval.id)
    assert entry["facts"]["decided_by"]["standing_grant"] == grant.id
    (use,) = person.call("GET", f"/api/grants/{grant.id}").json["taken"]
    assert (use["number"], use["approval"], use["state"]) == (1, approval.id, "reserved")


def test_a_quiet_grant_sends_no_event(local, agent, person):
    """The history and the audit log still contain the use."""
    standing_grants.give(person, standing_grants.example(agent), notify=False)
    before = local.admin.events(person.user)
    _, approval = request_payment(agent)
    assert local.admin.events(person.user) == before
    history = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    assert approval.id in {item["id"] for item in history}
    assert local.admin.entries("approval.allowed")[-1]["approval_id"] == approval.id


@pytest.mark.parametrize(
    "request_",
    [
        {"minor": 2_001},
        {"payee": "Sued"},
        {"acr_values": "urn:sayso:acr:signed"},
        {"acr_values": "urn:sayso:acr:signed-pin"},
    ],
)
def test_a_request_that_is_not_covered_asks_the_person(local, agent, grant, request_):
    """A different payee, a higher amount or an `acr` that needs a signature is not covered."""
    _, approval = request_payment(agent, **request_)
    assert (approval.state, approval.decided_by) == (State.PENDING, None)
    assert usage(local, grant) == (0, 0, [])


def test_a_request_over_the_remaining_sum_or_uses_asks_the_person(local, agent, person, grant):
    """Requested amounts are never reduced to fit the grant."""
    for minor, covered in ((2_000, True), (1_001, False), (900, True), (100, True), (0, False)):
        _, approval = request_payment(agent, minor)
        assert (approval.state is State.APPROVED) is covered
    assert usage(local, grant)[:2] == (3, 3_000)
    (item,) = person.call("GET", "/api/grants").json["items"]
    assert (item["state"], item["used"]) == ("full", 3)


def test_a_second_grant_is_used_when_the_first_is_exhausted(local, agent, person, grant):
    """The oldest grant that covers the request is used first."""
    example = standing_grants.example(agent, acr_values="urn:sayso:acr:signed")
    second = standing_grants.give(person, example)
    for _ in range(3):
        request_payment(agent, 2_000)
    assert (usage(local, grant)[0], usage(local, second)[0]) == (1, 1)


def test_a_use_without_a_token_is_released(local, agent, grant):
    """The agent cancels or never redeems the request; the use number is not reused."""
    handle, _ = request_payment(agent)
    body = {"token": handle, **agent.credentials}
    assert local.post_form("/revoke", body).status == 200
    assert usage(local, grant) == (0, 0, ["released"])
    _, approval = request_payment(agent, requested_expiry=60)
    local.clock.forward(60 * SECOND + 31 * SECOND)
    assert local.services.sweeper.round() == 1
    assert local.stored_approval(approval.id).state is State.EXPIRED
    assert usage(local, grant) == (0, 0, ["released", "released"])
    _, third = request_payment(agent)
    assert json.loads(third.decided_by)["use"] == 3


def test_expired_uses_and_the_end_of_their_grants_do_not_deadlock(postgres_local, monkeypatch):
    """Each approval expires in its own transaction, so none waits while it locks a grant."""
    postgres_local.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    postgres_local.admin.actions.add(json.dumps(PAYMENT), by=BY)
    standing_grants.lower(postgres_local)
    person, store = new_person(postgres_local, "ana"), postgres_local.services.store
    agents = [new_local_agent(postgres_local, name) for name in ("first", "second")]
    grants = [standing_grants.give(person, standing_grants.example(agent)) for agent in agents]
    for agent in agents:
        request_payment(agent, requested_expiry=60)
    postgres_local.clock.forward(2 * MINUTE)

    def end_grants():
        with store.write() as tx:
            for grant in reversed(grants):
                assert tx.standing_grants.end("revoked", tx.now, id=grant.id)

    ending = run_during(monkeypatch, StandingGrants, "release", store, end_grants)
    assert postgres_local.services.sweeper.round() == 2
    ending.join()
    assert [usage(postgres_local, grant)[2] for grant in grants] == [["released"], ["released"]]


def test_revoking_access_and_revoking_a_consent_do_not_deadlock(postgres_local, monkeypatch):
    """Both lock the client's consents before its standing grants."""
    postgres_local.admin.resources.add(PAY, PAY_SCOPES, {}, by=BY)
    postgres_local.admin.actions.add(json.dumps(PAYMENT), by=BY)
    standing_grants.lower(postgres_local)
    person, services = new_person(postgres_local, "ana"), postgres_local.services
    agent = new_local_agent(postgres_local, "first")
    grant = standing_grants.give(person, standing_grants.example(agent))
    given = consent(services, person.user.id, agent.id, *PAY_SCOPES, resource=grant.resource)

    def revoke_given():
        with services.store.write() as tx:
            revoke_consent(tx, tx.consents.get(given), actor=BY, cause="revoked")

    revoking = run_during(monkeypatch, StandingGrants, "end", services.store, revoke_given)
    answer = person.call("DELETE", f"/api/acting/{agent.id}")
    revoking.join()
    assert (answer.status, answer.json["grants_ended"]) == (200, 1)


def test_a_poll_after_the_expiry_releases_the_use(local, agent, grant):
    """The poll releases the use even if the sweeper has not run yet."""
    handle, _ = request_payment(agent, requested_expiry=60)
    local.clock.forward(2 * MINUTE)
    assert agent.poll(handle).refusal == (400, "expired_token")
    assert usage(local, grant) == (0, 0, ["released"])


def test_a_grant_that_ends_before_redemption_yields_no_token(local, agent, person, grant):
    """Whether the grant is revoked or expires, the reserved use is released."""
    handle, approval = request_payment(agent)
    assert person.call("DELETE", f"/api/grants/{grant.id}").status == 200
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert local.stored_approval(approval.id).reason == "grant_ended"
    assert usage(local, grant) == (0, 0, ["released"])
    short = standing_grants.give(person, standing_grants.example(agent), seconds=60)
    handle, _ = request_payment(agent)
    local.clock.forward(MINUTE)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert usage(local, short) == (0, 0, ["released"])


@pytest.mark.parametrize(
    ("effect", "status"),
    [
        (("deny",), 403),
        (("ask", 'ask.ceremony = "pin"'), 200),
        (("ask", 'ask.risk = "medium"'), 200),
        (("ask", 'ask.ceremony = "type_back"'), 200),
    ],
    ids=["deny", "pin", "risk", "type_back"],
)
def test_a_stricter_policy_before_redemption_releases_the_use(local, agent, grant, effect, status):
    """The new policy also applies to the next request, which no grant approves."""
    handle, approval = request_payment(agent)
    set_policy(local, rule(effect[0], 'when.type = ["payment.transfer"]', *effect[1:]))
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert local.stored_approval(approval.id).reason == "policy_changed"
    assert usage(local, grant) == (0, 0, ["released"])
    answer = standing_grants.ask(agent)
    assert answer.status == status
    handle = answer.json.get("auth_req_id")
    assert handle is None or local.approval_for(handle).state is State.PENDING


def test_a_grant_approved_with_the_pin_satisfies_a_pin_rule(local, agent, person):
    """A grant approved without the PIN does not satisfy the rule."""
    pin_rule = rule("ask", 'when.type = ["payment.transfer"]', 'ask.ceremony = "pin"')
    plain = standing_grants.give(person, standing_grants.example(agent))
    set_policy(local, pin_rule)
    assert request_payment(agent)[1].state is State.PENDING
    with_pin = standing_grants.give(person, standing_grants.example(agent))
    handle, _ = request_payment(agent)
    assert agent.poll(handle).status == 200
    assert (usage(local, plain)[0], usage(local, with_pin)[0]) == (0, 1)


def test_another_persons_grant_does_not_count(agent, grant, local):
    """A grant counts only for the person who created it, so the other person is asked."""
    bob = new_person(local, "bob")
    _, approval = request_payment(agent, login_hint="bob")
    assert approval.state is State.PENDING
    assert bob.call("GET", "/api/approvals").json["items"][0]["id"] == approval.id
    assert usage(local, grant) == (0, 0, [])


def test_a_high_risk_grant_counts_only_while_allowed_for_the_agent(local, agent, person):
    """If an administrator withdraws the permission, the person is asked again."""
    standing_grants.lower(local, "high")
    local.admin.agents.update(agent.id, AgentChanges(high_grants=True), by=BY)
    grant = standing_grants.give(person, standing_grants.example(agent))
    handle, _ = request_payment(agent)
    assert agent.poll(handle).status == 200
    handle, _ = request_payment(agent)
    local.admin.agents.update(agent.id, AgentChanges(high_grants=False), by=BY)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert request_payment(agent)[1].state is State.PENDING
    assert usage(local, grant)[0] == 1


def test_a_grant_replaces_the_consent_for_an_allow_rule(local, agent, grant):
    """The person approved such requests in advance, so no consent is needed."""
    set_policy(local, rule("allow", 'when.type = ["payment.transfer"]'))
    handle, approval = request_payment(agent)
    assert json.loads(approval.decided_by)["standing_grant"] == grant.id
    assert agent.poll(handle).status == 200


def test_a_grant_for_scopes_covers_those_scopes(local, agent, person):
    """A covered request costs one use, and a request with more scopes asks the person."""
    _, example = agent.request_approval()
    grant = standing_grants.give(person, example, **SCOPES_ONLY)
    handle, approval = agent.request_approval()
    assert approval.state is State.APPROVED
    assert agent.poll(handle).json["scope"] == "openid payments:read"
    wider = agent.request_approval(scope="openid payments:read payments:transfer")[1]
    assert wider.state is State.PENDING
    assert usage(local, grant) == (1, 0, ["spent"])


def test_a_grant_for_two_scopes_covers_one_of_them(local, agent, person):
    """The token has only the requested scope."""
    low = dict.fromkeys(PAY_SCOPES, "low")
    local.admin.resources.update(PAY, ResourceChanges(scopes=low), by=BY)
    _, example = agent.request_approval(scope="openid payments:read payments:transfer")
    standing_grants.give(person, example, **SCOPES_ONLY)
    handle, approval = agent.request_approval()
    assert approval.state is State.APPROVED
    assert agent.poll(handle).json["scope"] == "openid payments:read"


def test_a_scope_that_became_riskier_releases_the_use(local, agent, person):
    """The grant was created at a lower risk and does not cover the higher one."""
    _, example = agent.request_approval()
    grant = standing_grants.give(person, example, **SCOPES_ONLY)
    handle, _ = agent.request_approval()
    changes = ResourceChanges(scopes={"payments:read": "medium", "payments:transfer": "high"})
    local.admin.resources.update(PAY, changes, by=BY)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert usage(local, grant) == (0, 0, ["released"])


def test_a_repeated_call_uses_the_grant_once(local, agent, grant):
    """Calls with the same Idempotency-Key are one request."""
    headers = {"idempotency-key": "once"}
    first = standing_grants.ask(agent, headers=headers).json["auth_req_id"]
    assert standing_grants.ask(agent, headers=headers).json["auth_req_id"] == first
    assert usage(local, grant)[0] == 1


def test_request_limits_do_not_stop_the_use_of_a_grant(open_local, template, agent):
    """Using a grant asks nobody, so only a pause after repeated denials stops it."""
    local = open_local(open_per_agent=1)
    person, agent = template.person(local), template.agent(local)
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent))
    assert request_payment(agent)[1].state is State.APPROVED
    assert standing_grants.ask(agent, 9_000).refusal == (403, "access_denied")
    (waiting,) = person.call("GET", "/api/approvals").json["items"]
    person.deny(waiting["id"])
    for _ in range(2):
        person.deny(request_payment(agent, 9_000)[1].id)
    assert standing_grants.ask(agent).refusal == (403, "access_denied")


def test_with_hidden_users_a_grant_still_approves_requests(open_local, template):
    """A request to an unknown user is accepted too, so users stay hidden."""
    local = open_local(unknown_user="hide")
    person, agent = template.person(local), template.agent(local)
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent))
    assert request_payment(agent)[1].state is State.APPROVED
    assert request_payment(agent, login_hint="nobody")[1].user_id is None


def test_losing_the_race_for_the_last_use_asks_the_person(local, agent, grant, monkeypatch):
    """If a different request took the last use first, the person is asked."""
    monkeypatch.setattr(StandingGrants, "reserve", lambda *_: None)
    _, approval = request_payment(agent)
    assert (approval.state, usage(local, grant)) == (State.PENDING, (0, 0, []))


def test_using_a_grant_sends_the_agents_callback(local, person):
    """The callback is sent as for every other decision."""
    agent = new_local_agent(
        local, "pinged", delivery="ping", notification_endpoint="https://1.1.1.1/cb"
    )
    parameters = {"client_notification_token": "a" * 32}
    standing_grants.give(person, standing_grants.example(agent, **parameters))
    _, approval = request_payment(agent, **parameters)
    rows = select(outbox.c.body).where(outbox.c.channel == "ping")
    with local.services.store.read() as view:
        (body,) = view._connection.execute(rows).scalars()
    assert json.loads(body) == {"approval": approval.id, "event": "approval.decided"}


@pytest.fixture
def chains(local, person):
    """Ana, who uses a chat app, and two APIs."""
    chains = Chains(local, person.user.id)
    chains.prepare()
    return chains


@pytest.fixture
def bot(chains):
    """An agent that may read and write at the bank for Ana."""
    agent = chains.agent("desk-bot")
    chains.consent(agent, "bank:read", "bank:write")
    return agent


@pytest.fixture
def bank_grant(local, bot, person):
    """A standing grant for two writes at the bank."""
    set_policy(
        local,
        rule("ask", 'when.scope = ["bank:write"]', name="writes"),
        rule("allow", 'when.resource = ["*"]', name="rest"),
    )
    handle = bot.ask(scope="openid bank:write", resource=BANK).json["auth_req_id"]
    example = local.approval_for(handle)
    return standing_grants.give(person, example, uses=2, **SCOPES_ONLY)


def test_an_exchange_that_only_needs_the_person_uses_the_grant(
    local, chains, bot, person, bank_grant
):
    """The token is issued immediately, in the chain of its subject token."""
    token = chains.user_token()
    answer = chains.exchange(bot, token, scope="bank:write")
    assert answer.status == 200, answer.body
    assert answer.json["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    claims = local.claims(answer.json["access_token"])
    approval_claim = claims["approval"]
    assert approval_claim["decided_by"] == {"standing_grant": bank_grant.id, "use": 1, "policy": 1}
    assert (claims["scope"], claims["sub"]) == ("bank:write", person.user.id)
    assert not {"acr", "amr", "auth_time"} & set(claims)
    row = chains.row(answer.json["access_token"])
    assert (row.approval_id, row.parent_id) == (approval_claim["id"], local.claims(token)["jti"])
    approval = local.stored_approval(approval_claim["id"])
    assert (approval.state, approval.kind) == (State.REDEEMED, "action")
    assert usage(local, bank_grant) == (1, 0, ["spent"])
    assert [
        entry["type"] for entry in local.admin.entries() if entry.get("approval_id") == approval.id
    ] == [
        "approval.requested",
        "approval.allowed",
        "token.issued",
    ]
    assert local.admin.events(person.user)[-2:] == ["approval.decided", "approval.redeemed"]


def test_an_exchange_with_a_used_up_grant_needs_interaction(local, chains, bot, bank_grant):
    """The response has a login hint token, as it does without a grant."""
    for _ in range(2):
        assert chains.exchange(bot, chains.user_token(), scope="bank:write").status == 200
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert answer.json["login_hint_token"]
    assert usage(local, bank_grant)[0] == 2


def test_an_exchange_narrowed_by_consent_uses_the_grant(local, chains, bot, bank_grant):
    """The response contains the granted scope and `narrowed`."""
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write bank:close")
    assert answer.status == 200, answer.body
    assert (answer.json["scope"], answer.json["narrowed"]) == ("bank:write", True)
    assert usage(local, bank_grant)[0] == 1


def test_an_exchange_that_no_grant_covers_is_refused(local, chains, bot, bank_grant):
    """Other scopes, or a person whom the agent may not ask, are not covered."""
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write bank:read")
    assert answer.refusal == (400, "interaction_required")
    local.admin.agents.update(bot.id, AgentChanges(asks=("admin",)), by=BY)
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert usage(local, bank_grant) == (0, 0, [])


def test_an_exchange_that_loses_the_race_for_the_last_use_is_refused(
    local, chains, bot, bank_grant, monkeypatch
):
    """If a different request took the last use first, the exchange is refused."""
    monkeypatch.setattr(StandingGrants, "reserve", lambda *_: None)
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert usage(local, bank_grant) == (0, 0, [])


def test_a_grant_for_another_version_of_the_type_does_not_count(local, agent, grant):
    """The version of the action type is checked at every use and at redemption."""
    handle, approval = request_payment(agent)
    row = local.stored_approval(approval.id)
    with local.services.store.administer() as tx:
        action = tx.directory.action("payment.transfer")
        tx.actions.replace(type(action)(action.type, action.document, 9, action.created_at))
    assert request_payment(agent)[1].state is State.PENDING
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert uses.is_decided_by_grant(row)
    assert usage(local, grant) == (0, 0, ["released"])


def test_a_grant_does_not_approve_a_request_that_needs_two_people(local, agent, grant):
    """A stricter rule also applies to grants that were created before the rule was set."""
    set_policy(local, rule("ask", 'when.type = ["payment.transfer"]', 'ask.risk = "critical"'))
    assert request_payment(agent)[1].state is State.PENDING
    assert usage(local, grant) == (0, 0, [])
