"""Standing grants, from the command line to the agent: each use counts against the limits."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from approver_tui.client.api import Client
from approver_tui.client.errors import ApiError, Changed
from approver_tui.client.standing_grants.standing_grants import StandingGrantsClient
from approver_tui.state.standing_grants.standing_grants import StandingGrantProposal, VaryingFact
from tests.support.builders.databases import upgraded_database
from tests.support.builders.installation import PAY
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.granting import lower, payment, run
from tests.support.clients.simultaneous import poll, post, volley
from tests.support.clients.terminal import PIN, Terminal, new_person
from tests.support.servers.server import LiveServer, live_server

_CONCURRENT_REQUESTS = 50


@pytest.fixture
def low(server: LiveServer) -> None:
    """Makes payments low risk."""
    lower(server)


_PROPOSAL = ("--for", "1h", "--uses", "3", "--sum", "30", "--vary", "amount=20")


@pytest.mark.usefixtures("low")
def test_a_standing_grant_is_created_used_shown_and_revoked_from_a_shell(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """Each step is one command, and after the revocation the user is asked again."""
    agent.request_approval(person.user, **payment(1_000))
    example = person.only_request()
    preview = run(
        server, "approver_tui", person, "grants", "add", example.id, *_PROPOSAL, "--preview"
    )
    assert preview.returncode == 0, preview.stderr
    assert "Amount: up to EUR 20.00" in preview.stdout
    assert "Would have covered 1 of the last 1 request" in preview.stdout
    arguments = ("grants", "add", example.id, *_PROPOSAL, "--pin-stdin", "--json")
    result = run(server, "approver_tui", person, *arguments, stdin=PIN)
    assert result.returncode == 0, result.stderr
    grant = json.loads(result.stdout)
    assert (grant["schema"], grant["state"], grant["used"]) == ("sayso.grant/1", "live", 0)
    handle = agent.request_approval(person.user, **payment(1_500))
    reply = agent.poll(handle).json()
    assert reply["authorization_details"][0]["amount"]["minor"] == 1_500
    output = run(server, "approver_tui", person, "grants", "show", grant["id"])
    assert "used 1 of 3, EUR 15.00 of EUR 30.00" in output.stdout
    assert "use 1 spent" in output.stdout
    history = run(server, "approver_tui", person, "history")
    assert f"approved under standing grant {grant['id']}, use 1" in history.stdout
    listing = json.loads(run(server, "server", person, "grants", "list", "--json").stdout)
    (administrators,) = [item for item in listing["items"] if item["id"] == grant["id"]]
    assert (administrators["used"], administrators["spent"]["minor"]) == (1, 1_500)
    revoked = run(server, "approver_tui", person, "grants", "revoke", grant["id"])
    assert revoked.stdout.startswith("Revoked: ")
    agent.request_approval(person.user, **payment(1_001))
    assert len(person.waiting()) == 2
    refused = run(server, "server", person, "grants", "revoke", grant["id"], "--json")
    assert (refused.returncode, json.loads(refused.stderr)["code"]) == (6, "conflict")


@pytest.mark.usefixtures("low")
def test_an_invalid_standing_grant_is_refused_before_a_pin_attempt(
    server: LiveServer, agent: Agent, person: Terminal
) -> None:
    """A proposal that is over a limit, without a sum or malformed uses no PIN attempt."""
    agent.request_approval(person.user, **payment(1_000))
    example = person.only_request()
    for proposal, code, reason in (
        (("--for", "31d", "--uses", "3", "--sum", "30"), 2, "2592000"),
        (("--for", "1h", "--uses", "3"), 2, "sum"),
        (("--for", "soon", "--uses", "3"), 2, "15m, 8h or 30d"),
        (("--for", "1h", "--uses", "3", "--vary", "amount="), 2, "FACT=LIMIT"),
    ):
        arguments = ("grants", "add", example.id, *proposal, "--pin-stdin", "--json")
        result = run(server, "approver_tui", person, *arguments, stdin=PIN)
        assert (result.returncode, result.stdout) == (code, ""), result
        assert reason in json.loads(result.stderr)["detail"]
    device = person.client.me().device
    assert device is not None
    assert device.pin.tries == 0
    assert len(person.waiting()) == 1


@pytest.mark.usefixtures("low")
def test_a_standing_grant_over_its_limit_is_400_with_the_limit(
    agent: Agent, person: Terminal
) -> None:
    """Acceptance 8: a proposal over a limit is refused, not reduced. The limit is accepted."""
    agent.request_approval(person.user, **payment(1_000))
    example = person.only_request()
    month = 30 * 86_400
    valid = {"seconds": month, "uses": 3, "sum": "30"}
    for over, limit in (({"seconds": month + 1}, str(month)), ({"uses": 1_000_001}, "1000000")):
        proposal = {"approval": example.id, **valid, **over}
        for path in ("/api/grants", "/api/grants/preview"):
            with pytest.raises(ApiError) as refused:
                person.client.session.post(path, proposal)
            assert (refused.value.status, refused.value.code) == (400, "not_grantable")
            assert limit in refused.value.detail.replace(",", "")
    assert len(person.waiting()) == 1
    at_the_limits = StandingGrantProposal(example.id, month, 1_000_000, "30", (), notify=True)
    person.approve(StandingGrantsClient(person.client).request(at_the_limits, example))
    (grant,) = StandingGrantsClient(person.client).grants()
    assert grant.uses == 1_000_000


@pytest.mark.usefixtures("low")
def test_a_server_that_offers_a_different_standing_grant_gets_no_signature(
    agent: Agent, person: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device compares the offer with the proposal before it opens a key."""
    agent.request_approval(person.user, **payment(1_000))
    example = person.only_request()
    proposal = StandingGrantProposal(
        example.id, 3_600, 3, "30", (VaryingFact("/amount", "20"),), notify=True
    )
    assert (
        StandingGrantsClient(person.client).request(proposal, example).kind.value
        == "standing_grant"
    )
    session = type(person.client.session)
    original_post = session.post

    def more(self: Client, path: str, body: dict[str, object]) -> object:
        return original_post(self, path, {**body, "uses": 300} if path == "/api/grants" else body)

    monkeypatch.setattr(session, "post", more)
    with pytest.raises(Changed):
        StandingGrantsClient(person.client).request(proposal, example)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LiveServer]:
    """A server for concurrent requests; on PostgreSQL it has two workers."""
    settings, options = {}, ()
    if request.param == "postgresql":
        url = upgraded_database(request.getfixturevalue("postgres_server"))
        settings, options = {"database_url": url}, ("--workers", "2")
    with live_server(tmp_path, forked=True, options=options, **settings) as running:
        yield running


def _create_grant(person: Terminal, agent: Agent, uses: int, total: str) -> str:
    agent.request_approval(person.user, **payment(1_000))
    example = person.only_request()
    vary = (VaryingFact("/amount", "20"),)
    proposal = StandingGrantProposal(example.id, 3_600, uses, total, vary, notify=True)
    person.approve(StandingGrantsClient(person.client).request(proposal, example))
    (grant,) = StandingGrantsClient(person.client).grants()
    return str(grant.id)


@pytest.mark.parametrize(("uses", "total", "uses_left"), [(7, "1000", 7), (40, "55", 5)])
def test_fifty_concurrent_requests_stay_within_the_standing_grant(
    busy: LiveServer, uses: int, total: str, uses_left: int
) -> None:
    """Neither the uses nor the sum exceed the limits; each use has one request and one token."""
    lower(busy)
    person, agent = new_person(busy), new_agent(busy)
    grant = _create_grant(person, agent, uses, total)
    form = {"login_hint": person.user, "resource": PAY, **payment(1_000)}
    acknowledged = volley(
        busy.port, [post("/bc-authorize", agent.key, form)] * _CONCURRENT_REQUESTS
    )
    handles = [answer.json()["auth_req_id"] for answer in acknowledged if answer.status == 200]
    fetched = volley(busy.port, [poll(agent.key, handle) for handle in handles * 2])
    tokens = [answer for answer in fetched if answer.status == 200]
    assert len(tokens) == uses_left
    used_grant = StandingGrantsClient(person.client).grant(grant)
    assert (used_grant.used, len(used_grant.taken)) == (uses_left, uses_left)
    assert [use.number for use in used_grant.taken] == list(range(1, uses_left + 1))
    assert {use.state for use in used_grant.taken} == {"spent"}
    assert used_grant.spent is not None
    assert used_grant.spent.minor == uses_left * 1_000
    agent.http.close()
