"""Uses of standing grants: reserved by a request, then spent with its token or released."""

import json

import pytest
from sqlalchemy import select

from server.protocol.approvals.states import State
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from server.services.standing_grants import reservations
from server.storage.notifications.tables import outbox
from server.storage.standing_grants.standing_grants import StandingGrants
from tests.support.builders import standing_grants
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.installation import BY, PAY, registered
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK, Chains

SCOPES_ONLY = {"sum": None, "vary": []}


@pytest.fixture(autouse=True)
def low_payments(local):
    """Payments are low risk."""
    standing_grants.lower(local)


@pytest.fixture
def grant(agent, person):
    """Three payments to Nord, up to EUR 20 each and EUR 30 in total."""
    new_grant = standing_grants.give(person, standing_grants.example(agent))
    for item in person.call("GET", "/api/approvals").json["items"]:
        person.deny(item["id"])
    return new_grant


def put(local, *rules):
    """Put a rule set in force."""
    Policies(local.services.store).set("\n".join(rules), by=BY)


def requested(agent, minor=1_000, payee="Nord", **parameters):
    """A requested payment: its auth_req_id and its row."""
    answer = standing_grants.ask(agent, minor, payee, **parameters)
    assert answer.status == 200, answer.body
    handle = answer.json["auth_req_id"]
    return handle, agent.local.behind(handle)


def usage(local, grant):
    """The number of uses, the spent sum, and the state of each use."""
    with local.services.store.read() as view:
        states = [use.state for use in view.standing_grants.uses_of(grant.id)]
    now = standing_grants.now_of(local, grant)
    return now.used, now.spent_minor, states


def test_a_covered_request_is_approved_at_once(local, agent, person, grant):
    """The approval names grant and use; the use is reserved, then spent with the token."""
    handle, approval = requested(agent)
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
    """No acr, amr and auth_time in either token."""
    handle, approval = requested(agent)
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


def test_each_use_is_an_event_a_history_item_and_an_entry(local, agent, person, grant):
    """All name the grant and the use."""
    _, approval = requested(agent)
    assert local.admin.events(person.user)[-1] == "approval.decided"
    history = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    (shown,) = [one for one in history if one["id"] == approval.id]
    assert (shown["state"], shown["decided"]) == ("approved", None)
    assert shown["decided_by"] == {
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
    """The history and the audit log still have the use."""
    standing_grants.give(person, standing_grants.example(agent), notify=False)
    before = local.admin.events(person.user)
    _, approval = requested(agent)
    assert local.admin.events(person.user) == before
    history = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    assert approval.id in {one["id"] for one in history}
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
    """Another payee, a higher amount, or an agent that needs the person's own answer."""
    _, approval = requested(agent, **request_)
    assert (approval.state, approval.decided_by) == (State.PENDING, None)
    assert usage(local, grant) == (0, 0, [])


def test_a_request_beyond_the_remaining_sum_or_uses_asks_the_person(local, agent, person, grant):
    """Amounts are never adjusted."""
    for minor, decides in ((2_000, True), (1_001, False), (900, True), (100, True), (0, False)):
        _, approval = requested(agent, minor)
        assert (approval.state is State.APPROVED) is decides
    assert usage(local, grant)[:2] == (3, 3_000)
    (item,) = person.call("GET", "/api/grants").json["items"]
    assert (item["state"], item["used"]) == ("full", 3)


def test_a_second_grant_is_used_when_the_first_does_not_cover(local, agent, person, grant):
    """The oldest first."""
    example = standing_grants.example(agent, acr_values="urn:sayso:acr:signed")
    second = standing_grants.give(person, example)
    for _ in range(3):
        requested(agent, 2_000)
    assert (usage(local, grant)[0], usage(local, second)[0]) == (1, 1)


def test_a_use_without_a_token_is_released(local, agent, grant):
    """Cancelled by the agent or never redeemed; its number is not reused."""
    handle, _ = requested(agent)
    body = {"token": handle, **agent.credentials}
    assert local.post_form("/revoke", body).status == 200
    assert usage(local, grant) == (0, 0, ["released"])
    _, approval = requested(agent, requested_expiry=60)
    local.clock.forward(60 * SECOND + 31 * SECOND)
    assert local.services.sweeper.round() == 1
    assert local.stored(approval.id).state is State.EXPIRED
    assert usage(local, grant) == (0, 0, ["released", "released"])
    _, third = requested(agent)
    assert json.loads(third.decided_by)["use"] == 3


def test_a_poll_after_the_expiry_releases_the_use(local, agent, grant):
    """The sweeper does the same."""
    handle, _ = requested(agent, requested_expiry=60)
    local.clock.forward(2 * MINUTE)
    assert agent.poll(handle).refusal == (400, "expired_token")
    assert usage(local, grant) == (0, 0, ["released"])


def test_a_grant_that_ends_before_redemption_gives_no_token(local, agent, person, grant):
    """Revoked or expired; the use is released."""
    handle, approval = requested(agent)
    assert person.call("DELETE", f"/api/grants/{grant.id}").status == 200
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert local.stored(approval.id).reason == "grant_ended"
    assert usage(local, grant) == (0, 0, ["released"])
    short = standing_grants.give(person, standing_grants.example(agent), seconds=60)
    handle, _ = requested(agent)
    local.clock.forward(MINUTE)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert usage(local, short) == (0, 0, ["released"])


@pytest.mark.parametrize(
    "rules",
    [
        [rule("deny", 'when.type = ["payment.transfer"]')],
        [rule("ask", 'when.type = ["payment.transfer"]', 'ask.ceremony = "pin"')],
        [rule("ask", 'when.type = ["payment.transfer"]', 'ask.risk = "medium"')],
        [rule("ask", 'when.type = ["payment.transfer"]', 'ask.ceremony = "type_back"')],
    ],
    ids=["deny", "pin", "risk", "type_back"],
)
def test_stricter_policy_before_redemption_releases_the_use(local, agent, grant, rules):
    """It also applies to the next request."""
    handle, approval = requested(agent)
    put(local, *rules)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert local.stored(approval.id).reason == "policy_changed"
    assert usage(local, grant) == (0, 0, ["released"])
    answer = standing_grants.ask(agent)
    if answer.status == 200:
        assert local.behind(answer.json["auth_req_id"]).state is State.PENDING
    else:
        assert answer.refusal == (403, "access_denied")


def test_a_grant_approved_with_the_pin_satisfies_a_pin_rule(local, agent, person):
    """One approved without the PIN does not."""
    careful = rule("ask", 'when.type = ["payment.transfer"]', 'ask.ceremony = "pin"')
    plain = standing_grants.give(person, standing_grants.example(agent))
    put(local, careful)
    assert requested(agent)[1].state is State.PENDING
    with_pin = standing_grants.give(person, standing_grants.example(agent))
    handle, _ = requested(agent)
    assert agent.poll(handle).status == 200
    assert (usage(local, plain)[0], usage(local, with_pin)[0]) == (0, 1)


def test_a_grant_of_another_person_does_not_count(agent, grant, local):
    """The other person is asked."""
    bob = new_person(local, "bob")
    _, approval = requested(agent, login_hint="bob")
    assert approval.state is State.PENDING
    assert bob.call("GET", "/api/approvals").json["items"][0]["id"] == approval.id
    assert usage(local, grant) == (0, 0, [])


def test_a_high_risk_grant_counts_only_while_allowed_for_the_agent(local, agent, person):
    """An administrator may end it at any time."""
    standing_grants.lower(local, "high")
    local.admin.agents.update(agent.id, AgentChanges(high_grants=True), by=BY)
    grant = standing_grants.give(person, standing_grants.example(agent))
    handle, _ = requested(agent)
    assert agent.poll(handle).status == 200
    handle, _ = requested(agent)
    local.admin.agents.update(agent.id, AgentChanges(high_grants=False), by=BY)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert requested(agent)[1].state is State.PENDING
    assert usage(local, grant)[0] == 1


def test_a_grant_replaces_the_consent_for_an_allow_rule(local, agent, grant):
    """The person approved such requests in advance."""
    put(local, rule("allow", 'when.type = ["payment.transfer"]'))
    handle, approval = requested(agent)
    assert json.loads(approval.decided_by)["standing_grant"] == grant.id
    assert agent.poll(handle).status == 200


def test_a_grant_for_scopes_covers_those_scopes_or_fewer(local, agent, person):
    """Each request costs one use."""
    _, example = agent.asked()
    grant = standing_grants.give(person, example, **SCOPES_ONLY)
    handle, approval = agent.asked()
    assert approval.state is State.APPROVED
    assert agent.poll(handle).json["scope"] == "openid payments:read"
    both = agent.asked(scope="openid payments:read payments:transfer")[1]
    assert both.state is State.PENDING
    assert usage(local, grant) == (1, 0, ["spent"])


def test_a_scope_that_became_riskier_releases_the_use(local, agent, person):
    """The grant was given at a lower risk."""
    _, example = agent.asked()
    grant = standing_grants.give(person, example, **SCOPES_ONLY)
    handle, _ = agent.asked()
    changes = ResourceChanges(scopes={"payments:read": "medium", "payments:transfer": "high"})
    local.admin.resources.update(PAY, changes, by=BY)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert usage(local, grant) == (0, 0, ["released"])


def test_a_repeated_call_uses_the_grant_once(local, agent, grant):
    """The same Idempotency-Key is the same request."""
    headers = {"idempotency-key": "once"}
    first = standing_grants.ask(agent, headers=headers).json["auth_req_id"]
    assert standing_grants.ask(agent, headers=headers).json["auth_req_id"] == first
    assert usage(local, grant)[0] == 1


def test_request_limits_do_not_stop_the_use_of_a_grant(open_local, template, agent):
    """Nobody is asked; a pause after denials does stop it."""
    local = open_local(open_per_agent=1)
    person, agent = template.person(local), template.agent(local)
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent))
    assert requested(agent)[1].state is State.APPROVED
    assert standing_grants.ask(agent, 9_000).refusal == (403, "access_denied")
    (waiting,) = person.call("GET", "/api/approvals").json["items"]
    person.deny(waiting["id"])
    for _ in range(2):
        person.deny(requested(agent, 9_000)[1].id)
    assert standing_grants.ask(agent).refusal == (403, "access_denied")


def test_with_hidden_users_a_grant_still_answers(open_local, template):
    """An unknown user looks the same."""
    local = open_local(unknown_user="hide")
    person, agent = template.person(local), template.agent(local)
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent))
    assert requested(agent)[1].state is State.APPROVED
    assert requested(agent, login_hint="nobody")[1].user_id is None


def test_a_lost_race_for_the_last_use_asks_the_person(local, agent, grant, monkeypatch):
    """Another request took the use first."""
    monkeypatch.setattr(StandingGrants, "reserve", lambda *_: None)
    _, approval = requested(agent)
    assert (approval.state, usage(local, grant)) == (State.PENDING, (0, 0, []))


def test_a_use_of_a_grant_sends_the_callback_of_the_agent(local, person):
    """Every decision sends the callback."""
    registration = registered(
        local.admin,
        "pinged",
        auth_method="client_secret_post",
        delivery="ping",
        notification_endpoint="https://1.1.1.1/cb",
    )
    agent = LocalAgent(local, registration.agent.id, registration.secret)
    parameters = {"client_notification_token": "a" * 32}
    standing_grants.give(person, standing_grants.example(agent, **parameters))
    _, approval = requested(agent, **parameters)
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
    put(
        local,
        rule("ask", 'when.scope = ["bank:write"]', name="writes"),
        rule("allow", 'when.resource = ["*"]', name="rest"),
    )
    handle = bot.ask(scope="openid bank:write", resource=BANK).json["auth_req_id"]
    example = local.behind(handle)
    return standing_grants.give(person, example, uses=2, **SCOPES_ONLY)


def test_an_exchange_that_only_needs_the_person_uses_the_grant(
    local, chains, bot, person, bank_grant
):
    """The token comes at once, in the chain of its subject token."""
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
    approval = local.stored(approval_claim["id"])
    assert (approval.state, approval.kind) == (State.REDEEMED, "action")
    assert usage(local, bank_grant) == (1, 0, ["spent"])
    assert [e["type"] for e in local.admin.entries() if e.get("approval_id") == approval.id] == [
        "approval.requested",
        "approval.allowed",
        "token.issued",
    ]
    assert local.admin.events(person.user)[-2:] == ["approval.decided", "approval.redeemed"]


def test_a_used_up_grant_makes_the_exchange_ask(local, chains, bot, bank_grant):
    """The answer has a hint, as it has without a grant."""
    for _ in range(2):
        assert chains.exchange(bot, chains.user_token(), scope="bank:write").status == 200
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert answer.json["login_hint_token"]
    assert usage(local, bank_grant)[0] == 2


def test_an_exchange_narrowed_by_consent_uses_the_grant_and_says_so(
    local, chains, bot, person, bank_grant
):
    """The response contains the scope and `narrowed`."""
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write bank:close")
    assert answer.status == 200, answer.body
    assert (answer.json["scope"], answer.json["narrowed"]) == ("bank:write", True)
    assert usage(local, bank_grant)[0] == 1
    assert person.user.id


def test_an_exchange_that_no_grant_covers_is_refused(local, chains, bot, bank_grant):
    """Other scopes, or a person whom the agent may not ask."""
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write bank:read")
    assert answer.refusal == (400, "interaction_required")
    local.admin.agents.update(bot.id, AgentChanges(asks=("admin",)), by=BY)
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert usage(local, bank_grant) == (0, 0, [])


def test_an_exchange_that_loses_the_race_for_the_last_use_is_refused(
    local, chains, bot, bank_grant, monkeypatch
):
    """Another request took the use first."""
    monkeypatch.setattr(StandingGrants, "reserve", lambda *_: None)
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert usage(local, bank_grant) == (0, 0, [])


def test_a_grant_for_another_version_of_the_type_does_not_count(local, agent, grant):
    """It is checked at every use."""
    handle, approval = requested(agent)
    row = local.stored(approval.id)
    with local.services.store.administer() as tx:
        action = tx.directory.action("payment.transfer")
        tx.actions.replace(type(action)(action.type, action.document, 9, action.created_at))
    assert requested(agent)[1].state is State.PENDING
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert reservations.is_decided_by_grant(row)
    assert usage(local, grant) == (0, 0, ["released"])


def test_a_grant_does_not_answer_a_request_that_needs_two_people(local, agent, grant):
    """A rule that is stricter than a grant applies to a grant that is older than the rule."""
    put(local, rule("ask", 'when.type = ["payment.transfer"]', 'ask.risk = "critical"'))
    assert requested(agent)[1].state is State.PENDING
    assert usage(local, grant) == (0, 0, [])
