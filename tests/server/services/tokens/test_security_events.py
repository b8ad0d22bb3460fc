"""Security events: which APIs get which events, and what a poll returns."""

import json
from contextlib import suppress

import pytest

from server import telemetry
from server.model.resources import ResourceServer
from server.protocol.tokens.security_events import KEPT_MS, MAX_EVENTS, RECENT_MS, SESSION_REVOKED
from server.services.clients import agents
from server.services.tokens.security_events import Poll, initiator
from tests.support.builders.app_users import new_app
from tests.support.builders.callers import new_resource
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY, PAY

MAIL, DESK = "https://mail.example", "https://desk.example"


@pytest.fixture(autouse=True)
def _more_resources(local):
    for uri in (MAIL, DESK):
        local.admin.resources.add(uri, {}, {}, by=BY)


def _events(local, uri=PAY):
    """Return the subject, initiator and reason of each event for an API."""
    with local.services.store.read() as view:
        events = view.security_events.waiting((uri,), 100)
    return [(event.subject, event.initiator, event.reason) for event in events]


def _poll(caller, **members):
    headers = {"authorization": caller.basic}
    body = json.dumps(members).encode()
    return caller.local.send("POST", "/ssf/poll", headers=headers, body=body)


def _event_claims(local, answer):
    return [local.claims(token, "secevent+jwt") for token in answer.json["sets"].values()]


def test_each_api_with_a_token_of_a_disabled_agent_gets_an_event(agent, local, person):
    """An exchanged token of another agent counts too; APIs without a token get no event."""
    local.admin.token(agent.id, person.user.id, "t1")
    local.admin.token("sayso_ag_two", person.user.id, "t2", parent_id="t1", resource=MAIL)
    local.admin.agents.disable(agent.id, by=BY)
    expected = [(agent.id, "admin", "agent_disabled")]
    assert (_events(local), _events(local, MAIL), _events(local, DESK)) == (expected, expected, [])
    local.admin.agents.disable(agent.id, by=BY)
    assert _events(local) == expected


def test_an_api_whose_last_token_expired_long_ago_gets_no_event(agent, local):
    """An hour after a token expired, its API gets no event about the agent."""
    local.admin.token(agent.id, None, "t1")
    local.admin.token(agent.id, None, "t2", resource=MAIL, expires_at=local.clock.now() + 2)
    local.clock.forward(RECENT_MS + 2)
    local.admin.agents.disable(agent.id, by=BY)
    assert (len(_events(local)), _events(local, MAIL)) == (1, [])


def test_an_unregistered_resource_gets_no_event(agent, local):
    """For example, nobody polls for the events of a resource that was deleted."""
    local.admin.token(agent.id, None, resource="https://gone.example")
    local.admin.agents.disable(agent.id, by=BY)
    assert _events(local, "https://gone.example") == []


def test_each_api_with_a_token_for_a_disabled_user_gets_an_event(agent, local, person):
    """The user's tokens are revoked first, but their APIs still get the event."""
    local.admin.token(agent.id, person.user.id)
    local.admin.users.disable(person.user.id, by=BY)
    assert _events(local) == [(person.user.id, "admin", "user_disabled")]


def test_the_apis_of_a_deleted_app_get_an_event(local, person):
    """The event names the app, which is the `client_id` of its tokens."""
    app = new_app(local)
    local.admin.token(app.id, person.user.id)
    local.admin.apps.delete(app.id, by=BY)
    assert _events(local) == [(app.id, "admin", "app_disabled")]


@pytest.mark.parametrize("reporter", ["system", "user"])
def test_the_event_of_a_quarantine_names_who_caused_it(agent, local, person, reporter):
    """The initiator is the user who reported the agent, or policy."""
    local.admin.token(agent.id, person.user.id)
    actor = f"user:{person.user.id}" if reporter == "user" else reporter
    with local.services.store.administer() as tx:
        agents.quarantine(tx, tx.directory.agent(agent.id), "sayso_ic_one", by=actor)
    cause = "user" if reporter == "user" else "policy"
    assert _events(local) == [(agent.id, cause, "agent_quarantined")]


def test_administrators_and_the_operator_are_admins(local):
    """An administrator and the operator at the server's command line both count as admin."""
    admin = local.admin.users.show("admin")[0]
    assert initiator(f"user:{admin.id}", admin) == initiator("operator", None) == "admin"


def test_an_event_of_a_unit_of_work_that_fails_is_not_stored(agent, local):
    """An event is stored together with its effect, or not at all."""
    local.admin.token(agent.id, None)
    with suppress(LookupError), local.services.store.administer() as tx:
        agents.quarantine(tx, tx.directory.agent(agent.id), "sayso_ic_one", by=BY)
        raise LookupError
    assert _events(local) == []


@pytest.fixture
def disabled(agent, local, resource):
    """The payment API, after an agent with a token for it was disabled."""
    local.admin.token(agent.id, None)
    local.admin.agents.disable(agent.id, by=BY)
    local.clock.forward(MINUTE)
    return resource


def test_a_poll_returns_signed_events_until_they_are_acknowledged(disabled, agent, local):
    """RFC 8936 2.4: each poll returns the event until it is acknowledged, and never after that."""
    first, second = _poll(disabled), _poll(disabled)
    (claims,) = _event_claims(local, first)
    assert (claims["aud"], claims["sub_id"]["sub"]) == (PAY, agent.id)
    assert claims["events"][SESSION_REVOKED]["event_timestamp"] == local.clock.now() // 1000 - 60
    assert _event_claims(local, second) == [claims]
    assert list(first.json["sets"]) == [claims["jti"]]
    assert _poll(disabled, ack=[claims["jti"]]).json == {"sets": {}, "moreAvailable": False}
    assert _poll(disabled).json["sets"] == {}


def test_an_event_that_nobody_fetches_is_deleted(disabled, local):
    """The server deletes it in its regular cleanup, once it is too old."""
    local.clock.forward(KEPT_MS - 2 * MINUTE)
    local.services.sweeper.tidy()
    assert len(_poll(disabled).json["sets"]) == 1
    local.clock.forward(MINUTE)
    local.services.sweeper.tidy()
    assert _poll(disabled).json["sets"] == {}


def test_another_api_cannot_acknowledge_an_event(disabled, local):
    """An API can acknowledge only its own events."""
    (jti,) = _poll(disabled).json["sets"]
    other = new_resource(local, MAIL)
    assert _poll(other, ack=[jti]).json == {"sets": {}, "moreAvailable": False}
    assert list(_poll(disabled).json["sets"]) == [jti]


def test_a_refused_event_is_acknowledged_and_logged(disabled, log_lines):
    """RFC 8936 2.6: the log escapes hostile text and ignores unknown events."""
    telemetry.configure_logging(as_json=True, level="warning")
    (jti,) = _poll(disabled).json["sets"]
    refusal = {"err": "invalid_key", "description": "no \x1b[31mkey\u202e"}
    _poll(disabled, setErrs={jti: refusal, "none": refusal})
    (line,) = [json.loads(line) for line in log_lines()]
    assert (line["event"], line["jti"]) == ("security_event.refused", jti)
    assert (line["error"], line["description"]) == ("invalid_key", r"no \u{1b}[31mkey\u{202e}")
    assert _poll(disabled).json["sets"] == {}


def test_a_poll_returns_at_most_max_events(disabled, local, person):
    """`moreAvailable` says that there are more events; if maxEvents is 0, none are returned."""
    with local.services.store.write() as tx:
        tx.security_events.add((PAY,), person.user.id, "admin", "user_disabled")
    assert (len(_poll(disabled, maxEvents=1).json["sets"])) == 1
    assert _poll(disabled, maxEvents=1).json["moreAvailable"] is True
    assert _poll(disabled, maxEvents=0).json == {"sets": {}, "moreAvailable": True}
    assert _poll(disabled, maxEvents=2).json["moreAvailable"] is False


def test_one_response_has_a_limited_number_of_events(local, resource):
    """The limit applies even if the caller requests more events."""
    with local.services.store.write() as tx:
        for _ in range(MAX_EVENTS + 1):
            tx.security_events.add((PAY,), "sayso_ag_one", "admin", "agent_disabled")
    answer = _poll(resource, maxEvents=10**6).json
    assert (len(answer["sets"]), answer["moreAvailable"]) == (MAX_EVENTS, True)


def test_an_agent_that_serves_several_apis_gets_the_events_of_all(agent, local):
    """Each event has the audience of its API."""
    local.admin.token(agent.id, None)
    local.admin.token(agent.id, None, "t2", resource=MAIL)
    local.admin.agents.disable(agent.id, by=BY)
    server = ResourceServer("sayso_ag_gateway", (PAY, MAIL))
    response = local.site.tokens.security_events.poll(server, Poll(10))
    audiences = [local.claims(token, "secevent+jwt")["aud"] for token in response.sets.values()]
    assert sorted(audiences) == [MAIL, PAY]


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"maxEvents": -1}, "maxEvents"),
        ({"maxEvents": "1"}, "maxEvents"),
        ({"ack": "one"}, "ack"),
        ({"ack": ["a b"]}, "ack"),
        ({"setErrs": {"one": {"description": "x"}}}, "setErrs"),
        ({"returnImmediately": 1}, "returnImmediately"),
        ({"max_events": 1}, "max_events"),
    ],
)
def test_a_malformed_poll_is_refused(resource, body, member):
    """The response is 400 and names the invalid member."""
    answer = _poll(resource, **body)
    assert (answer.status, answer.json["member"]) == (400, member)


def test_a_stream_is_read_and_never_created(local, resource):
    """SSF 8.1.1: each resource has a stream, which is found in the list and by its ID."""
    headers = {"authorization": resource.basic}
    (stream,) = local.send("GET", "/ssf/stream", headers=headers).json
    assert (stream["stream_id"], stream["aud"]) == (resource.id, PAY)
    query = {"stream_id": resource.id}
    assert local.send("GET", "/ssf/stream", query=query, headers=headers).json == stream
    unknown = {"stream_id": "sayso_rs_other"}
    other = local.send("GET", "/ssf/stream", query=unknown, headers=headers)
    assert (other.status, other.json["code"]) == (404, "not_found")
