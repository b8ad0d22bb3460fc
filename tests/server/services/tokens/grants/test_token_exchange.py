"""Token exchange: what an exchanged token contains, and each reason for a refusal."""

import json
from dataclasses import replace

import pytest

from server.protocol.names import GRANT_CIBA, GRANT_TOKEN_EXCHANGE
from server.protocol.policy.risks import Risk
from server.protocol.tokens.token_exchange import ACCESS_TOKEN
from server.services.ciba.login_hints import LoginHints
from server.services.clients.agent_forms import AgentChanges
from server.services.consents.revocations import revoke_consent
from server.services.resources.resources import ResourceChanges
from server.storage.consents.consents import Consents
from tests.support.builders.callers import new_person
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY
from tests.support.builders.site import ISSUER
from tests.support.builders.token_chains import APP, BANK, DESK, DESK_SCOPES, Chains
from tests.support.checks.locks import run_during
from tests.support.clients.agent import PAYMENT_DETAILS
from tests.support.inputs.dpop_proofs import proof, thumbprint
from tests.support.inputs.handmade_jwts import new_key

REFUSED = (400, "invalid_request")


@pytest.fixture
def bot(chains):
    """An agent that serves the desk API and may read and write at the bank for Ana."""
    agent = chains.agent("desk-bot")
    chains.consent(agent, "bank:read", "bank:write")
    return agent


def _update(chains, name, **changes):
    chains.local.admin.agents.update(name, AgentChanges(**changes), by=BY)


def test_an_exchanged_token_names_the_person_and_the_agent(chains, bot, person):
    """TX-008: RFC 8693 2.2.1, 4.1: audience, scope, actor, and how the person signed in.

    TX-053, TX-060, TX-061, TX-063, TX-070, TX-072, TX-075, TX-076, TX-078.
    """
    claims = {"acr": "urn:x", "amr": ["pwd"], "auth_time": 7, "may_act": {"sub": bot.id}}
    token = chains.user_token(claims)
    answer = chains.exchange(bot, token)
    assert answer.status == 200, answer.body
    assert set(answer.json) == {
        "access_token",
        "issued_token_type",
        "token_type",
        "expires_in",
        "scope",
    }
    assert answer.json["issued_token_type"] == ACCESS_TOKEN
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 300)
    assert answer.json["scope"] == "bank:read"
    payload = chains.local.claims(answer.json["access_token"])
    assert (payload["sub"], payload["aud"], payload["client_id"]) == (person.user.id, BANK, bot.id)
    assert payload["act"] == {"sub": bot.id, "iss": ISSUER, "sub_profile": "ai_agent"}
    assert (payload["acr"], payload["amr"], payload["auth_time"]) == ("urn:x", ["pwd"], 7)
    assert not {"may_act", "approval", "cnf"} & set(payload)


def test_a_refused_exchange_does_not_count_as_a_use_of_its_token(chains, bot):
    """The last use of the subject token is not stored."""
    token = chains.user_token()
    assert chains.exchange(bot, token, scope="bank:close").status == 400
    assert chains.row(token).last_used_at is None


def test_the_ledger_and_the_audit_log_record_the_origin(chains, bot):
    """They record parent, consent, depth and actors, and the last use of the parent."""
    token = chains.user_token()
    exchanged = chains.row(chains.exchanged(bot, token))
    parent = chains.row(token)
    assert (exchanged.parent_id, exchanged.depth, exchanged.client_id) == (parent.id, 1, bot.id)
    assert parent.last_used_at == chains.local.clock.now()
    with chains.local.services.store.read() as view:
        assert view.consents.get(exchanged.consent_id).client_id == bot.id
    entry = chains.local.admin.entries("token.issued")[-1]
    assert entry["facts"]["parent"] == parent.id
    assert entry["facts"]["act"]["sub"] == bot.id
    assert entry["subject"] == exchanged.user_id


def test_scopes_over_a_limit_are_left_out_and_reported(chains, bot):
    """A scope that the agent may not have and one without consent are left out.

    TX-014, TX-050, TX-062, NG-048.
    RI-08.
    """
    _update(chains, "desk-bot", scopes=("desk:use", "bank:read", "bank:close"))
    answer = chains.exchange(bot, chains.user_token(), scope="bank:read bank:write bank:close")
    assert (answer.json["scope"], answer.json["narrowed"]) == ("bank:read", True)


def test_at_the_same_resource_an_exchange_cannot_add_scopes(chains, bot):
    """TX-055: scopes that only the agent and the consent have are not granted."""
    scopes = {"desk:use": Risk.LOW, "desk:admin": Risk.LOW}
    chains.local.admin.resources.update(DESK, ResourceChanges(scopes=scopes), by=BY)
    _update(chains, "desk-bot", scopes=("desk:use", "desk:admin"))
    chains.consent(bot, "desk:use", "desk:admin", resource=DESK)
    token = chains.user_token()
    answer = chains.exchange(bot, token, resource=DESK, scope="desk:use desk:admin")
    assert answer.json["scope"] == "desk:use"
    refused_answer = chains.exchange(bot, token, resource=DESK, scope="desk:admin")
    assert refused_answer.refusal == (400, "invalid_scope")
    assert chains.reasons() == ["scope_beyond"]


@pytest.mark.parametrize(
    ("changes", "expires_in"),
    [({}, 300), ({"token_seconds": 60}, 60)],
)
def test_a_token_expires_no_later_than_its_subject_token(chains, bot, changes, expires_in):
    """TX-051, NG-042: the agent's own lifetime limit applies too."""
    _update(chains, "desk-bot", **changes)
    assert chains.exchange(bot, chains.user_token()).json["expires_in"] == expires_in
    short_token = chains.user_token(expires_at=chains.local.clock.now() + 30_000)
    assert chains.exchange(bot, short_token).json["expires_in"] == 30


def test_a_token_expires_no_later_than_the_consent(chains):
    """The consent limits the lifetime even if the subject token is valid longer."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:read")
    chains.local.clock.forward(24 * 60 * MINUTE - 20_000)
    assert chains.exchange(bot, chains.user_token()).json["expires_in"] == 20


def _serving_agent(chains, name, uri, scope):
    """Register an agent that serves its own API, which the earlier agents may call."""
    chains.local.admin.resources.add(uri, {scope: Risk.LOW}, {}, by=BY)
    return chains.agent(
        name,
        serves=(uri,),
        resources=(DESK, BANK),
        scopes=("desk:use", "bank:read", "bank:write", "bank:close"),
    )


def _chain(chains, length):
    """Build a chain of agents, in which each agent serves the API that the previous one calls."""
    uris = [DESK, *(f"https://hop{n}.example" for n in range(1, length))]
    agents = [chains.agent("hop-0")]
    for n, uri in enumerate(uris[1:], 1):
        agents.append(_serving_agent(chains, f"hop-{n}", uri, f"hop{n}:use"))
    names = tuple(f"hop{n}:use" for n in range(1, length))
    for n, agent in enumerate(agents):
        scopes = ("desk:use", "bank:read", "bank:write", *names)
        _update(chains, f"hop-{n}", resources=(DESK, BANK, *uris[1:]), scopes=scopes)
        assert agent.id
    for uri, name in zip(uris[1:], names, strict=True):
        chains.consent(agents[0], name, resource=uri)
    chains.consent(agents[0], "bank:read")
    token = chains.user_token()
    for agent, uri, name in zip(agents[:-1], uris[1:], names, strict=True):
        token = chains.exchanged(agent, token, resource=uri, scope=name)
    return agents, token


def test_a_chain_nests_its_actors_and_is_limited_by_the_first_consent(chains):
    """TX-071: the current actor is outermost, and only the first agent's consent is needed."""
    agents, token = _chain(chains, 3)
    exchanged = chains.exchange(agents[2], token, scope="bank:read bank:write")
    assert (exchanged.status, exchanged.json["scope"]) == (200, "bank:read")
    act, actors = chains.local.claims(exchanged.json["access_token"])["act"], []
    while act:
        assert set(act) <= {"sub", "iss", "sub_profile", "act"}
        actors.append(act["sub"])
        act = act.get("act")
    assert actors == [agents[2].id, agents[1].id, agents[0].id]
    assert chains.row(exchanged.json["access_token"]).depth == 3


def test_an_exchange_and_the_end_of_its_consent_do_not_deadlock(postgres_local, monkeypatch):
    """Both lock the consent before the tokens from it."""
    chains, statuses = Chains(postgres_local, new_person(postgres_local, "ana").user.id), []
    chains.prepare()
    bot, store = chains.agent("desk-bot", serves=(DESK, BANK)), postgres_local.services.store
    chains.consent(bot, "bank:read")
    token = chains.exchanged(bot, chains.user_token())

    def exchange():
        statuses.append(chains.exchange(bot, token).status)

    exchanging = run_during(monkeypatch, Consents, "revoke", store, exchange)
    with store.write() as tx:
        consent = tx.consents.live(chains.user_id, bot.id, BANK, tx.now)
        revoke_consent(tx, consent, actor=BY, cause="revoked")
    exchanging.join()
    assert statuses == [400]


def test_a_chain_has_at_most_four_actors(chains):
    """A fifth actor is refused."""
    agents, token = _chain(chains, 5)
    assert chains.row(token).depth == 4
    assert chains.exchange(agents[4], token).refusal == REFUSED
    assert chains.reasons() == ["too_deep"]


def test_an_actor_in_the_middle_limits_the_actors_after_it(chains):
    """TX-073: a scope that an actor in the chain may not have is refused."""
    agents, token = _chain(chains, 3)
    _update(chains, "hop-1", scopes=("hop2:use",))
    assert chains.exchange(agents[2], token).refusal == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("index", "reason"), [(0, "actor_disabled"), (1, "actor_disabled")], ids=["first", "second"]
)
def test_every_actor_must_be_enabled(chains, index, reason):
    """NG-043: a disabled actor ends the chain; enabling it does not restore revoked tokens."""
    agents, token = _chain(chains, 3)
    row = chains.row(token)
    with chains.local.services.store.administer() as tx:
        agent = tx.directory.agent(agents[index].id)
        tx.agents.replace(replace(agent, state="disabled"), tx.now)
    assert chains.exchange(agents[2], token).refusal == REFUSED
    assert chains.reasons() == [reason]
    chains.local.admin.agents.enable(f"hop-{index}", by=BY)
    assert chains.exchange(agents[2], token).status == 200
    chains.local.admin.agents.disable(f"hop-{index}", by=BY)
    chains.local.admin.agents.enable(f"hop-{index}", by=BY)
    assert chains.exchange(agents[2], token).refusal == REFUSED
    assert chains.reasons()[-1] == "subject_revoked"
    assert row.depth == 2


def test_a_revoked_ancestor_ends_the_chain(chains):
    """The chain ends even if the descendants were not revoked (keycloak#51633)."""
    agents, token = _chain(chains, 3)
    parent = chains.row(token).parent_id
    with chains.local.services.store.write() as tx:
        assert token
        connection = tx.delegations._db
        connection.exec_driver_sql(
            "UPDATE delegations SET revoked_at = ? WHERE id = ?", (tx.now, parent)
        )
    assert chains.exchange(agents[2], token).refusal == REFUSED
    assert chains.reasons() == ["ancestor_revoked"]


def test_revoking_the_persons_token_revokes_all_descendants(chains):
    """TX-056, RV-14: the person's token and its three descendants are revoked."""
    agents, token = _chain(chains, 3)
    last = chains.exchanged(agents[2], token)
    with chains.local.services.store.write() as tx:
        root = tx.delegations.ancestors(chains.row(last).id)[-1]
        assert len(tx.delegations.revoke_tree(root.id, tx.now)) == 4


@pytest.mark.parametrize(
    ("may_act", "status"),
    [
        ({"sub": "{bot}"}, 200),
        ({"sub": "{bot}", "iss": ISSUER}, 200),
        ({"client_id": "{bot}"}, 200),
        ({"sub": "{bot}", "client_id": "{bot}"}, 200),
        ({"sub": "sayso_ag_other"}, 400),
        ({"sub": "{bot}", "client_id": "sayso_ag_other"}, 400),
        ({"sub": "{bot}", "iss": "https://other.example"}, 400),
        ({}, 400),
        ({"sub": [1]}, 400),
        ("{bot}", 400),
    ],
)
def test_may_act_restricts_the_actor(chains, may_act, status):
    """TX-034: only the named agent may exchange the token, even if it serves nothing."""
    bot = chains.agent("caller", serves=(DESK,) if status == 400 else ())
    chains.consent(bot, "bank:read")
    text = json.dumps(may_act).replace("{bot}", bot.id)
    answer = chains.exchange(bot, chains.user_token({"may_act": json.loads(text)}))
    assert answer.status == status
    if status == 400:
        assert answer.refusal == REFUSED
        assert chains.reasons()[0] in {"may_act_foreign", "subject_invalid"}


def test_an_agent_may_only_exchange_tokens_for_what_it_serves(chains):
    """TX-033, NG-047, NG-055: tokens for other APIs or for the issuer are refused."""
    bot = chains.agent("caller", serves=())
    chains.consent(bot, "bank:read")
    for audience in (DESK, ISSUER, f"{ISSUER}/api"):
        assert chains.exchange(bot, chains.user_token(resource=audience)).refusal == REFUSED
    assert chains.reasons() == ["not_served"] * 3


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": None, "subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"subject_token": "x" * 40_000}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"resource": "bank"}, "invalid_target"),
        ({"resource": f"{BANK}#x"}, "invalid_target"),
        ({"resource": [BANK, DESK]}, "invalid_target"),
        ({"resource": BANK, "audience": DESK}, "invalid_target"),
        ({"resource": None, "audience": [BANK, BANK]}, "invalid_target"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "bank:read offline_access"}, "invalid_scope"),
        ({"scope": "openid bank:read"}, "invalid_scope"),
        ({"authorization_details": "{}"}, "invalid_authorization_details"),
    ],
)
def test_a_malformed_request_is_refused_with_its_error(chains, bot, parameters, error):
    """RFC 8693 2.1: missing, unsupported or too long values are errors.

    TX-002 to TX-007, TX-009, TX-010, TX-012, TX-013, TX-016, TX-054, TX-080, TX-084, TX-085,
    TX-087, NG-041, NG-050.
    """
    assert chains.exchange(bot, chains.user_token(), **parameters).refusal == (400, error)
    (entry,) = chains.local.admin.entries("exchange.refused")
    assert (entry["cause"], entry["facts"]["step"]) == ("malformed", 1)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": True},
        {"sub": None},
        {"sub": "sayso_us_other"},
        {"aud": BANK},
        {"aud": [DESK]},
        {"client_id": "sayso_app_other"},
        {"jti": 7},
        {"cnf": {"x5t#S256": "abc"}},
        {"cnf": "abc"},
    ],
)
def test_a_subject_token_with_wrong_claims_is_refused(chains, bot, claims):
    """TX-020 to TX-030, TX-088: all get the same error text; the audit log has the reason."""
    answer = chains.exchange(bot, chains.user_token(claims))
    assert answer.refusal == REFUSED
    assert answer.json["error_description"] == "subject_token is not a valid access token."
    assert chains.reasons() == ["subject_invalid"]


def test_only_our_access_tokens_can_be_exchanged(chains, bot, agent, person):
    """TX-031, NG-052: ID tokens, other issuers' tokens and terminal tokens are refused.

    TX-040, NG-051.
    """
    row = chains.row(chains.user_token())
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    id_token = agent.poll(handle).json["id_token"]
    other_issuers_token = new_key("ES256").sign({"sub": person.user.id, "jti": row.id})
    for token in (id_token, other_issuers_token, "x.y.z", chains.sign(row, typ="JWT")):
        assert chains.exchange(bot, token).refusal == REFUSED
    assert chains.reasons() == ["subject_invalid"] * 4
    assert chains.exchange(bot, person.access_token).refusal == REFUSED
    assert chains.reasons()[-1] == "subject_unknown"


def test_a_token_unknown_to_the_ledger_is_refused(chains, bot):
    """TX-037: a token without a stored row is refused, because nobody could revoke it."""
    row = replace(chains.row(chains.user_token()), id="sayso_at_unknown")
    assert chains.exchange(bot, chains.sign(row)).refusal == REFUSED
    assert chains.reasons() == ["subject_unknown"]


def test_revoked_and_expired_tokens_are_refused(chains, bot):
    """The error text is the same, and the audit log has the reason of each."""
    token = chains.user_token()
    with chains.local.services.store.write() as tx:
        tx.delegations.revoke_tree(chains.row(token).id, tx.now)
    assert chains.exchange(bot, token).refusal == REFUSED
    now = chains.local.clock.now()
    expired_token = chains.user_token({"exp": now // 1000 + 60}, expires_at=now)
    assert chains.exchange(bot, expired_token).refusal == REFUSED
    assert chains.reasons() == ["subject_revoked", "subject_expired"]


def test_the_subject_must_be_an_enabled_person(chains, bot):
    """The agent itself, a disabled user and a deleted user are refused."""
    own_token = chains.user_token(user_id=None, client_id=bot.id)
    assert chains.exchange(bot, own_token).refusal == REFUSED
    chains.local.admin.users.disable("ana", by=BY)
    assert chains.exchange(bot, chains.user_token()).refusal == REFUSED
    deleted_users_token = chains.user_token(user_id="sayso_us_gone")
    assert chains.exchange(bot, deleted_users_token).refusal == REFUSED
    assert chains.reasons() == ["no_person", "user_disabled", "user_disabled"]


def test_the_app_of_the_subject_token_must_be_enabled(chains, bot):
    """The tokens of a disabled or deleted app are refused."""
    token = chains.user_token()
    with chains.local.services.store.administer() as tx:
        tx.apps.replace(replace(tx.directory.app(APP), state="disabled"))
    assert chains.exchange(bot, token).refusal == REFUSED
    ended_token = chains.user_token(client_id="sayso_app_gone")
    assert chains.exchange(bot, ended_token).refusal == REFUSED
    assert chains.reasons() == ["app_disabled", "app_disabled"]


def test_a_chain_too_large_for_a_token_is_refused(chains, bot):
    """NG-056: the size of the actor chain is limited."""
    act = {"sub": bot.id, "iss": "x" * 9_000}
    token = chains.user_token({"act": act}, chain=json.dumps(act), depth=1, client_id=bot.id)
    assert chains.exchange(bot, token).refusal == REFUSED
    assert chains.reasons() == ["chain_too_large"]


@pytest.mark.parametrize(
    ("resources", "parameters", "audience"),
    [
        ((BANK,), {}, BANK),
        ((DESK, BANK), {}, BANK),
        ((DESK, BANK), {"audience": BANK}, BANK),
        ((DESK, BANK), {"audience": BANK, "resource": BANK}, BANK),
        ((DESK, BANK), {"audience": BANK, "resource": f"{BANK}/"}, BANK),
        ((DESK,), {"resource": BANK}, None),
        ((DESK, PAY), {}, None),
        ((DESK, BANK), {"resource": "https://nowhere.example"}, None),
    ],
)
def test_the_target_is_named_or_the_only_one(chains, bot, resources, parameters, audience):
    """NG-040: a resource that the agent may not use is refused, whether or not it exists.

    TX-052.
    TX-011.
    """
    scopes = ("bank:read",) if BANK in resources else ()
    _update(chains, "desk-bot", resources=resources, scopes=scopes)
    answer = chains.exchange(bot, chains.user_token(), **{"resource": None, **parameters})
    if audience is None:
        assert answer.refusal == (400, "invalid_target")
        assert chains.reasons() == ["target_beyond"]
    else:
        assert chains.local.claims(answer.json["access_token"])["aud"] == audience


def test_without_consent_the_response_contains_a_hint(chains, person):
    """The hint contains the user, the resource, the scopes and the parent token."""
    bot = chains.agent("desk-bot")
    token = chains.user_token()
    answer = chains.exchange(bot, token, scope="bank:read bank:write")
    assert answer.refusal == (400, "interaction_required")
    assert chains.reasons() == ["consent_missing"]
    hint = _hint(chains, bot, answer)
    assert (hint.user, hint.resource) == (person.user.id, BANK)
    assert hint.scope == ("bank:read", "bank:write")
    assert hint.parent == chains.row(token).id


def test_only_a_live_consent_for_agent_scopes_and_resource_counts(chains):
    """A revoked consent, or one for other scopes, agents or resources, does not count."""
    bot, other = chains.agent("desk-bot"), chains.agent("other-bot")
    revoked = chains.consent(bot, "bank:read")
    with chains.local.services.store.write() as tx:
        tx.consents.revoke(revoked, tx.now)
    chains.consent(other, "bank:read")
    chains.consent(bot, "bank:write")
    chains.consent(bot, "desk:use", resource=DESK)
    answer = chains.exchange(bot, chains.user_token())
    assert answer.refusal == (400, "interaction_required")


def test_high_risk_needs_a_person_despite_a_consent(chains):
    """A scope of high risk needs an approval each time, even with a consent."""
    bot = chains.agent("desk-bot")
    chains.consent(bot, "bank:close", "bank:read")
    answer = chains.exchange(bot, chains.user_token(), scope="bank:close")
    assert answer.refusal == (400, "interaction_required")
    assert chains.reasons() == ["needs_person"]


def test_an_action_needs_a_person_and_a_scope_may_need_an_action(chains, bot):
    """RFC 9396: the error names a missing type, and the hint contains the details."""
    _update(
        chains,
        "desk-bot",
        resources=(PAY, BANK),
        scopes=("payments:read", "payments:transfer", "bank:read"),
    )
    requires = ResourceChanges(requires={"payments:transfer": "payment.transfer"})
    chains.local.admin.resources.update(PAY, requires, by=BY)
    chains.consent(bot, "payments:transfer", "payments:read", resource=PAY)
    target = {"resource": PAY, "scope": "payments:transfer"}
    answer = chains.exchange(bot, chains.user_token(), **target)
    assert answer.refusal == (400, "interaction_required")
    assert answer.json["authorization_details_types"] == ["payment.transfer"]
    details = json.dumps(PAYMENT_DETAILS)
    answer = chains.exchange(bot, chains.user_token(), **target, authorization_details=details)
    assert answer.refusal == (400, "interaction_required")
    assert [dict(detail) for detail in _hint(chains, bot, answer).details] == PAYMENT_DETAILS
    unknown = json.dumps([{"type": "unknown"}])
    answer = chains.exchange(bot, chains.user_token(), **target, authorization_details=unknown)
    assert answer.refusal == (400, "invalid_authorization_details")
    assert chains.reasons() == ["details_missing", "needs_person", "details_invalid"]


def test_an_approval_covers_the_same_or_less_along_the_chain(chains, agent, person):
    """The approval never covers different details, missing details or another resource.

    RA-20.
    """
    requires = ResourceChanges(requires={"payments:transfer": "payment.transfer"})
    chains.local.admin.resources.update(PAY, requires, by=BY)
    handle, approval = agent.request_payment()
    assert person.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    payer = chains.agent(
        "payer", serves=(PAY,), resources=(PAY, BANK), scopes=("payments:transfer", "bank:read")
    )
    target = {"resource": PAY, "scope": "payments:transfer"}
    sent = json.dumps(PAYMENT_DETAILS)
    answer = chains.exchange(payer, token, **target, authorization_details=sent)
    assert answer.status == 200, answer.body
    assert answer.json["authorization_details"] == PAYMENT_DETAILS
    before, after = (chains.local.claims(t) for t in (token, answer.json["access_token"]))
    assert after["approval"] == before["approval"]
    assert (after["acr"], after["auth_time"]) == (before["acr"], before["auth_time"])
    assert after["act"]["act"]["sub"] == agent.id
    assert chains.row(answer.json["access_token"]).consent_id is None

    other_payment = json.dumps([{**PAYMENT_DETAILS[0], "payee": "Southwind"}])
    for details in (None, other_payment):
        answer_for_more = chains.exchange(payer, token, **target, authorization_details=details)
        assert answer_for_more.refusal == (400, "interaction_required")
    bank_answer = chains.exchange(payer, token)
    assert bank_answer.refusal == (400, "invalid_scope")
    assert chains.reasons() == ["details_missing", "needs_person", "scope_beyond"]


def test_approved_details_without_a_scope_can_be_exchanged(chains, agent, person):
    """If only details were approved, the exchanged token has no scope either."""
    handle, approval = agent.request_payment(scope="openid")
    assert person.approve(approval.id).status == 200
    token = agent.poll(handle).json["access_token"]
    payer = chains.agent("payer", serves=(PAY,), resources=(PAY,), scopes=())
    details = json.dumps(PAYMENT_DETAILS)
    answer = chains.exchange(payer, token, resource=PAY, scope=None, authorization_details=details)
    assert answer.status == 200, answer.body
    assert "scope" not in answer.json
    assert "scope" not in chains.local.claims(answer.json["access_token"])


def test_an_actor_token_must_be_the_callers_own(chains, bot):
    """TX-035, TX-036, NG-049: another agent's, a revoked or a person's token is refused."""
    own_token, other_token = (
        _own_token(chains, agent) for agent in (bot, chains.agent("other-bot"))
    )
    actor_type = {"actor_token_type": ACCESS_TOKEN}
    token = chains.user_token()
    assert chains.exchange(bot, token, actor_token=own_token, **actor_type).status == 200
    for_ana = chains.exchanged(bot, token)
    for wrong_token in (other_token, for_ana, "x.y.z"):
        assert chains.exchange(bot, token, actor_token=wrong_token, **actor_type).refusal == REFUSED
    with chains.local.services.store.write() as tx:
        tx.delegations.revoke_tree(chains.row(own_token).id, tx.now)
    assert chains.exchange(bot, token, actor_token=own_token, **actor_type).refusal == REFUSED
    assert chains.reasons() == [
        "actor_foreign",
        "actor_foreign",
        "actor_invalid",
        "actor_invalid",
    ]


def test_a_token_expires_no_later_than_the_actor_token(chains, bot):
    """TX-051: the expiry of the actor token limits the new token."""
    _update(chains, "desk-bot", token_seconds=40)
    own_token = _own_token(chains, bot)
    _update(chains, "desk-bot", token_seconds=None)
    actor_parameters = {"actor_token": own_token, "actor_token_type": ACCESS_TOKEN}
    answer = chains.exchange(bot, chains.user_token(), **actor_parameters)
    assert answer.json["expires_in"] == 40


def test_a_bound_subject_token_needs_a_proof_and_yields_a_bound_token(chains, bot):
    """TX-038, TX-057: a proof binds the new token, even if the subject token is unbound.

    TX-086.
    """
    key = new_key("ES256")
    now = chains.local.clock.now

    def prove(proof_key=key):
        return [proof(proof_key, f"{ISSUER}/token", now())]

    bound = chains.user_token(jkt=thumbprint(key))
    assert chains.exchange(bot, bound).refusal == (400, "invalid_dpop_proof")
    wrong = chains.exchange(bot, bound, proofs=prove(new_key("ES256")))
    assert wrong.refusal == (400, "invalid_dpop_proof")
    for token in (bound, chains.user_token()):
        answer = chains.exchange(bot, token, proofs=prove())
        assert (answer.status, answer.json["token_type"]) == (200, "DPoP")
        new_token = answer.json["access_token"]
        assert chains.local.claims(new_token)["cnf"] == {"jkt": thumbprint(key)}
        assert chains.row(new_token).jkt == thumbprint(key)
    assert chains.reasons() == ["proof_missing", "proof_missing"]


def test_the_exchange_grant_needs_authentication_and_permission(chains, bot):
    """TX-001, TX-017: an agent without the grant, and a wrong secret, are refused.

    TX-081, TX-082.
    """
    _update(chains, "desk-bot", grant_types=(GRANT_CIBA,))
    refused = chains.exchange(bot, chains.user_token())
    assert refused.refusal == (400, "unauthorized_client")
    nobody = chains.exchange(bot, chains.user_token(), client_secret="wrong")
    assert nobody.refusal == (401, "invalid_client")


def test_the_grant_type_is_checked_in_the_unit_of_work(chains, bot):
    """An agent that loses the grant type after it authenticated gets no token."""
    with chains.local.services.store.read() as view:
        before = view.directory.agent(bot.id)
    _update(chains, "desk-bot", grant_types=(GRANT_CIBA,))
    grant = chains.local.site.tokens.endpoint.for_agents[GRANT_TOKEN_EXCHANGE]
    with pytest.raises(Exception, match="cannot use"):
        grant.exchange(before, None)


def test_a_refusal_writes_one_entry_without_the_token(chains, bot):
    """The entry has the agent, the user, the target and the step that failed."""
    token = chains.user_token()
    row = chains.row(token)
    chains.exchange(bot, token, scope="bank:close")
    (entry,) = chains.local.admin.entries("exchange.refused")
    assert (entry["agent_id"], entry["subject"], entry["resource"]) == (
        bot.id,
        row.user_id,
        BANK,
    )
    assert entry["facts"] == {
        "step": 13,
        "subject": row.id,
        "may_act": None,
        "target": BANK,
        "scope": "bank:close",
        "types": [],
    }
    assert token not in json.dumps(entry)


def _own_token(chains, agent):
    form = {"grant_type": "client_credentials", "scope": "bank:read", "resource": BANK}
    answer = chains.local.post_form("/token", {**form, **agent.credentials})
    assert answer.status == 200, answer.body
    return answer.json["access_token"]


def _hint(chains, bot, answer):
    services = chains.local.services
    hints = LoginHints(services.signer, services.verifier, services.secrets, services.server_policy)
    with services.store.write() as tx:
        return hints.read(tx, tx.directory.agent(bot.id), answer.json["login_hint_token"])


def test_a_scope_limit_at_one_resource_applies_there(chains, bot):
    """The agent's limit at a resource applies even if the person consented to more."""
    _update(chains, "desk-bot", only={BANK: ("bank:read",)})
    answer = chains.exchange(bot, chains.user_token(), scope="bank:read bank:write")
    assert answer.json["scope"] == "bank:read"


def test_tokens_of_a_deleted_resource_stay_revoked(chains, bot):
    """Registering the resource again does not make its old tokens valid."""
    token = chains.user_token({"may_act": {"sub": bot.id}})
    exchanged = chains.exchanged(bot, token)
    token_for_other_api = chains.user_token(resource="https://other.example", scope="")
    deleted = chains.local.admin.resources.delete(DESK, by=BY)
    assert deleted.tokens_revoked == 2
    chains.local.admin.resources.add(DESK, DESK_SCOPES, {}, by=BY)
    assert chains.row(token).revoked_at is not None
    assert chains.row(exchanged).revoked_at is not None
    assert chains.row(token_for_other_api).revoked_at is None
    assert chains.exchange(bot, token).refusal == REFUSED
    assert chains.reasons() == ["subject_revoked"]
