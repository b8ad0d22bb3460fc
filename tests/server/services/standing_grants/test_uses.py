"""Standing grants in use: reserved when a request is made, spent or given back, never stretched."""

import json

import pytest
from sqlalchemy import select

from server.protocol.approvals.states import State
from server.services.clients.agent_forms import AgentChanges
from server.services.policy.policies import Policies
from server.services.resources.resources import ResourceChanges
from server.services.standing_grants import reservations
from server.storage.standing_grants.standing_grants import StandingGrants
from server.storage.tables import outbox
from tests.support.builders import standing_grants
from tests.support.builders.callers import LocalAgent, new_person
from tests.support.builders.clock import MINUTE, SECOND
from tests.support.builders.installation import BY, PAY, registered
from tests.support.builders.policies import rule
from tests.support.builders.token_chains import BANK, Chains

LEGIT = {"sum": None, "vary": []}


@pytest.fixture(autouse=True)
def low(local):
    """Payments are low risk."""
    standing_grants.lower(local)


@pytest.fixture
def grant(agent, person):
    """Three payments to Nord, up to EUR 20 each and EUR 30 in all."""
    given = standing_grants.give(person, standing_grants.example(agent))
    for item in person.call("GET", "/api/approvals").json["items"]:
        person.deny(item["id"])
    return given


def put(local, *rules):
    """Put a rule set in force."""
    Policies(local.services.store).set("\n".join(rules), by=BY)


def asked(agent, minor=1_000, payee="Nord", **parameters):
    """A payment that is asked for: its handle and its row."""
    answer = standing_grants.ask(agent, minor, payee, **parameters)
    assert answer.status == 200, answer.body
    handle = answer.json["auth_req_id"]
    return handle, agent.local.behind(handle)


def used(local, grant):
    """How many uses count, how much of the sum, and how each use stands."""
    with local.services.store.read() as view:
        states = [use.state for use in view.standing_grants.uses_of(grant.id)]
    now = standing_grants.now_of(local, grant)
    return now.used, now.spent_minor, states


def test_a_request_that_is_covered_is_approved_at_once_and_nobody_is_asked(
    local, agent, person, grant
):
    """The approval cites grant and use; the use is reserved, then spent with the token."""
    handle, approval = asked(agent)
    assert approval.state is State.APPROVED
    assert json.loads(approval.decided_by) == {"standing_grant": grant.id, "use": 1, "policy": 0}
    assert used(local, grant) == (1, 1_000, ["reserved"])
    assert person.call("GET", "/api/approvals").json["items"] == []
    answer = agent.poll(handle)
    assert answer.status == 200, answer.body
    assert used(local, grant) == (1, 1_000, ["spent"])
    assert agent.poll(handle).refusal == (400, "invalid_grant")
    assert used(local, grant) == (1, 1_000, ["spent"])


def test_the_token_says_that_the_grant_decided_and_nothing_of_how_a_person_answered(
    local, agent, grant
):
    """No acr, no amr, no auth_time, in neither token."""
    handle, approval = asked(agent)
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


def test_each_use_is_told_and_kept(local, agent, person, grant):
    """An event on every screen, a line in the history, an entry that cites grant and use."""
    _, approval = asked(agent)
    assert local.desk.events(person.user)[-1] == "approval.decided"
    history = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    (shown,) = [one for one in history if one["id"] == approval.id]
    assert (shown["state"], shown["decided"]) == ("approved", None)
    assert shown["decided_by"] == {
        "standing_grant": grant.id,
        "use": 1,
        "policy": 0,
    }
    entry = local.desk.entries("approval.allowed")[-1]
    assert (entry["actor"], entry["approval_id"]) == ("system", approval.id)
    assert entry["facts"]["decided_by"]["standing_grant"] == grant.id
    (use,) = person.call("GET", f"/api/grants/{grant.id}").json["taken"]
    assert (use["number"], use["approval"], use["state"]) == (1, approval.id, "reserved")


def test_a_quiet_grant_tells_no_screen_and_the_history_still_has_it(local, agent, person):
    """The person chose not to be told each time."""
    standing_grants.give(person, standing_grants.example(agent), tell=False)
    before = local.desk.events(person.user)
    _, approval = asked(agent)
    assert local.desk.events(person.user) == before
    history = person.call("GET", "/api/approvals", query={"state": "decided"}).json["items"]
    assert approval.id in {one["id"] for one in history}
    assert local.desk.entries("approval.allowed")[-1]["approval_id"] == approval.id


@pytest.mark.parametrize(
    "request_",
    [
        {"minor": 2_001},
        {"payee": "Sued"},
        {"acr_values": "urn:sayso:acr:signed"},
        {"acr_values": "urn:sayso:acr:signed-pin"},
    ],
)
def test_what_it_does_not_cover_is_asked_as_before(local, agent, grant, request_):
    """Another payee, more than the cap, or an agent that wants the person's own answer."""
    _, approval = asked(agent, **request_)
    assert (approval.state, approval.decided_by) == (State.PENDING, None)
    assert used(local, grant) == (0, 0, [])


def test_a_full_grant_falls_back_to_asking(local, agent, person, grant):
    """First the sum does not reach, then the uses are over; nothing is made to fit."""
    for minor, decides in ((2_000, True), (1_001, False), (900, True), (100, True), (0, False)):
        _, approval = asked(agent, minor)
        assert (approval.state is State.APPROVED) is decides
    assert used(local, grant)[:2] == (3, 3_000)
    (item,) = person.call("GET", "/api/grants").json["items"]
    assert (item["state"], item["used"]) == ("full", 3)


def test_a_second_grant_takes_over_where_the_first_is_full(local, agent, person, grant):
    """The oldest first."""
    example = standing_grants.example(agent, acr_values="urn:sayso:acr:signed")
    second = standing_grants.give(person, example)
    for _ in range(3):
        asked(agent, 2_000)
    assert (used(local, grant)[0], used(local, second)[0]) == (1, 1)


def test_a_use_that_comes_to_nothing_is_given_back(local, agent, grant):
    """Withdrawn by its agent, or never fetched; its number is not given again."""
    handle, _ = asked(agent)
    body = {"token": handle, **agent.credentials}
    assert local.post_form("/revoke", body).status == 200
    assert used(local, grant) == (0, 0, ["released"])
    _, approval = asked(agent, requested_expiry=60)
    local.clock.forward(60 * SECOND + 31 * SECOND)
    assert local.services.sweeper.round() == 1
    assert local.stored(approval.id).state is State.EXPIRED
    assert used(local, grant) == (0, 0, ["released", "released"])
    _, third = asked(agent)
    assert json.loads(third.decided_by)["use"] == 3


def test_a_late_poll_gives_the_use_back_too(local, agent, grant):
    """Whoever comes first finds the same end."""
    handle, _ = asked(agent, requested_expiry=60)
    local.clock.forward(2 * MINUTE)
    assert agent.poll(handle).refusal == (400, "expired_token")
    assert used(local, grant) == (0, 0, ["released"])


def test_a_grant_that_ends_before_the_token_is_fetched_gives_none(local, agent, person, grant):
    """By somebody or by the clock; the use is given back."""
    handle, approval = asked(agent)
    assert person.call("DELETE", f"/api/grants/{grant.id}").status == 200
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert local.stored(approval.id).reason == "grant_ended"
    assert used(local, grant) == (0, 0, ["released"])
    short = standing_grants.give(person, standing_grants.example(agent), seconds=60)
    handle, _ = asked(agent)
    local.clock.forward(MINUTE)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert used(local, short) == (0, 0, ["released"])


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
def test_policy_that_was_tightened_meanwhile_wins(local, agent, grant, rules):
    """At the next request, and for what is not fetched yet."""
    handle, approval = asked(agent)
    put(local, *rules)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert local.stored(approval.id).reason == "policy_changed"
    assert used(local, grant) == (0, 0, ["released"])
    answer = standing_grants.ask(agent)
    if answer.status == 200:
        assert local.behind(answer.json["auth_req_id"]).state is State.PENDING
    else:
        assert answer.refusal == (403, "access_denied")


def test_a_grant_given_with_the_pin_stands_for_the_pin(local, agent, person):
    """And one that was given without does not."""
    careful = rule("ask", 'when.type = ["payment.transfer"]', 'ask.ceremony = "pin"')
    plain = standing_grants.give(person, standing_grants.example(agent))
    put(local, careful)
    assert asked(agent)[1].state is State.PENDING
    with_pin = standing_grants.give(person, standing_grants.example(agent))
    handle, _ = asked(agent)
    assert agent.poll(handle).status == 200
    assert (used(local, plain)[0], used(local, with_pin)[0]) == (0, 1)


def test_nobody_elses_grant_counts(agent, grant, local):
    """Nor one for another agent, or at another place."""
    bob = new_person(local, "bob")
    _, approval = asked(agent, login_hint="bob")
    assert approval.state is State.PENDING
    assert bob.call("GET", "/api/approvals").json["items"][0]["id"] == approval.id
    assert used(local, grant) == (0, 0, [])


def test_at_high_risk_it_counts_only_while_an_administrator_lets_it(local, agent, person):
    """The agent's grants at high risk can be switched off at any moment."""
    standing_grants.lower(local, "high")
    local.desk.agents.update(agent.id, AgentChanges(high_grants=True), by=BY)
    grant = standing_grants.give(person, standing_grants.example(agent))
    handle, _ = asked(agent)
    assert agent.poll(handle).status == 200
    handle, _ = asked(agent)
    local.desk.agents.update(agent.id, AgentChanges(high_grants=False), by=BY)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert asked(agent)[1].state is State.PENDING
    assert used(local, grant)[0] == 1


def test_it_stands_for_what_policy_allows_without_a_consent(local, agent, grant):
    """No agent gets a token for a person by knowing their name; they gave this answer ahead."""
    put(local, rule("allow", 'when.type = ["payment.transfer"]'))
    handle, approval = asked(agent)
    assert json.loads(approval.decided_by)["standing_grant"] == grant.id
    assert agent.poll(handle).status == 200


def test_a_request_for_scopes_alone_is_covered_for_those_scopes_or_fewer(local, agent, person):
    """Every use costs a use and nothing else."""
    _, example = agent.asked()
    grant = standing_grants.give(person, example, **LEGIT)
    handle, approval = agent.asked()
    assert approval.state is State.APPROVED
    assert agent.poll(handle).json["scope"] == "openid payments:read"
    both = agent.asked(scope="openid payments:read payments:transfer")[1]
    assert both.state is State.PENDING
    assert used(local, grant) == (1, 0, ["spent"])


def test_a_scope_that_became_riskier_ends_what_was_reserved(local, agent, person):
    """What the person gave ahead was for less."""
    _, example = agent.asked()
    grant = standing_grants.give(person, example, **LEGIT)
    handle, _ = agent.asked()
    changes = ResourceChanges(scopes={"payments:read": "medium", "payments:transfer": "high"})
    local.desk.resources.update(PAY, changes, by=BY)
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert used(local, grant) == (0, 0, ["released"])


def test_a_repeated_call_joins_and_takes_no_second_use(local, agent, grant):
    """The same Idempotency-Key is the same request."""
    headers = {"idempotency-key": "once"}
    first = standing_grants.ask(agent, headers=headers).json["auth_req_id"]
    assert standing_grants.ask(agent, headers=headers).json["auth_req_id"] == first
    assert used(local, grant)[0] == 1


def test_a_flood_of_open_requests_does_not_stand_in_the_way(open_local, template, agent):
    """Nobody is asked, so no cap on asking counts; a pause after denials does."""
    local = open_local(open_per_agent=1)
    person, agent = template.person(local), template.agent(local)
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent))
    assert asked(agent)[1].state is State.APPROVED
    assert standing_grants.ask(agent, 9_000).refusal == (403, "access_denied")
    (waiting,) = person.call("GET", "/api/approvals").json["items"]
    person.deny(waiting["id"])
    for _ in range(2):
        person.deny(asked(agent, 9_000)[1].id)
    assert standing_grants.ask(agent).refusal == (403, "access_denied")


def test_somebody_who_does_not_exist_is_hidden_all_the_same(open_local, template):
    """A person with a grant is found like any other."""
    local = open_local(unknown_user="hide")
    person, agent = template.person(local), template.agent(local)
    standing_grants.lower(local)
    standing_grants.give(person, standing_grants.example(agent))
    assert asked(agent)[1].state is State.APPROVED
    assert asked(agent, login_hint="nobody")[1].user_id is None


def test_a_grant_that_is_gone_between_look_and_take_falls_back(local, agent, grant, monkeypatch):
    """Another request was quicker; the person is asked."""
    monkeypatch.setattr(StandingGrants, "reserve", lambda *_: None)
    _, approval = asked(agent)
    assert (approval.state, used(local, grant)) == (State.PENDING, (0, 0, []))


def test_an_agent_that_is_called_back_is_called_after_a_use(local, person):
    """It learns of the answer as of any other."""
    given = registered(
        local.desk,
        "pinged",
        auth_method="client_secret_post",
        delivery="ping",
        notification_endpoint="https://1.1.1.1/cb",
    )
    agent = LocalAgent(local, given.agent.id, given.secret)
    asks = {"client_notification_token": "a" * 32}
    standing_grants.give(person, standing_grants.example(agent, **asks))
    _, approval = asked(agent, **asks)
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
    """Two writes at the bank, given ahead."""
    put(
        local,
        rule("ask", 'when.scope = ["bank:write"]', name="writes"),
        rule("allow", 'when.resource = ["*"]', name="rest"),
    )
    handle = bot.ask(scope="openid bank:write", resource=BANK).json["auth_req_id"]
    example = local.behind(handle)
    return standing_grants.give(person, example, uses=2, **LEGIT)


def test_an_exchange_that_only_lacks_the_persons_answer_takes_a_use(
    local, chains, bot, person, bank_grant
):
    """The token comes at once, in the chain of its subject; the approval says what decided."""
    token = chains.user_token()
    answer = chains.exchange(bot, token, scope="bank:write")
    assert answer.status == 200, answer.body
    assert answer.json["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    claims = local.claims(answer.json["access_token"])
    said = claims["approval"]
    assert said["decided_by"] == {"standing_grant": bank_grant.id, "use": 1, "policy": 1}
    assert (claims["scope"], claims["sub"]) == ("bank:write", person.user.id)
    assert not {"acr", "amr", "auth_time"} & set(claims)
    row = chains.row(answer.json["access_token"])
    assert (row.approval_id, row.parent_id) == (said["id"], local.claims(token)["jti"])
    approval = local.stored(said["id"])
    assert (approval.state, approval.kind) == (State.REDEEMED, "action")
    assert used(local, bank_grant) == (1, 0, ["spent"])
    assert [e["type"] for e in local.desk.entries() if e.get("approval_id") == approval.id] == [
        "approval.requested",
        "approval.allowed",
        "token.issued",
    ]
    assert local.desk.events(person.user)[-2:] == ["approval.decided", "approval.redeemed"]


def test_a_full_grant_sends_the_agent_to_ask(local, chains, bot, bank_grant):
    """As if there were none."""
    for _ in range(2):
        assert chains.exchange(bot, chains.user_token(), scope="bank:write").status == 200
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert answer.json["login_hint_token"]
    assert used(local, bank_grant)[0] == 2


def test_an_exchange_for_less_than_was_asked_says_so(local, chains, bot, person, bank_grant):
    """What the consent leaves, and what the grant covers of it."""
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write bank:close")
    assert answer.status == 200, answer.body
    assert (answer.json["scope"], answer.json["narrowed"]) == ("bank:write", True)
    assert used(local, bank_grant)[0] == 1
    assert person.user.id


def test_an_exchange_that_no_grant_covers_is_refused_as_before(local, chains, bot, bank_grant):
    """Other scopes; nobody whom the agent may name; a race that somebody else won."""
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write bank:read")
    assert answer.refusal == (400, "interaction_required")
    local.desk.agents.update(bot.id, AgentChanges(asks=("admin",)), by=BY)
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert used(local, bank_grant) == (0, 0, [])


def test_an_exchange_whose_grant_is_gone_meanwhile_is_refused(
    local, chains, bot, bank_grant, monkeypatch
):
    """Somebody was quicker."""
    monkeypatch.setattr(StandingGrants, "reserve", lambda *_: None)
    answer = chains.exchange(bot, chains.user_token(), scope="bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert used(local, bank_grant) == (0, 0, [])


def test_a_grant_of_another_version_of_the_type_stands_for_nothing(local, agent, grant):
    """However it came to be there: what it covers is looked at again at every use."""
    handle, approval = asked(agent)
    row = local.stored(approval.id)
    with local.services.store.administer() as tx:
        action = tx.directory.action("payment.transfer")
        tx.actions.replace(type(action)(action.type, action.document, 9, action.created_at))
    assert asked(agent)[1].state is State.PENDING
    assert agent.poll(handle).refusal == (400, "access_denied")
    assert reservations.is_decided_by_grant(row)
    assert used(local, grant) == (0, 0, ["released"])


def test_what_asks_for_two_people_is_not_answered_by_one_ahead(local, agent, grant):
    """However it was when the grant was given."""
    put(local, rule("ask", 'when.type = ["payment.transfer"]', 'ask.risk = "critical"'))
    assert asked(agent)[1].state is State.PENDING
    assert used(local, grant) == (0, 0, [])
