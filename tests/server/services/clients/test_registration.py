"""Agents that register themselves: whose they are, what they may have, and that it never grows."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from server.protocol.names import GRANT_CIBA, GRANT_CLIENT_CREDENTIALS
from server.services.clients.agent_forms import AgentChanges
from server.services.clients.invitations import Invitations, NewInvitation
from server.services.refusals import Conflict, Invalid, NotFound
from tests.support.builders.callers import new_person
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY, PAY, PAYMENT
from tests.support.builders.site import Answer, LocalSite

JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
KEYS = {"keys": [{**JWK, "kid": "a"}]}
SIGNED = "backchannel_authentication_request_signing_alg"


@dataclass(frozen=True)
class Door:
    """Where agents register."""

    local: LocalSite

    @property
    def invitations(self) -> Invitations:
        """The administration of invitations."""
        return Invitations(self.local.desk.store, self.local.desk.secrets)

    def invite(self, **members: Any) -> str:
        """An invitation of ana's; its token."""
        return self.invitations.issue(NewInvitation("ana", **members), by=BY).token

    def send(
        self, method: str, path: str, token: str | None, members: dict[str, Any] | None = None
    ) -> Answer:
        """One request, with a bearer token and JSON."""
        named = {"content-type": "application/json"}
        bearer = {} if token is None else {"authorization": f"Bearer {token}"}
        body = b"" if members is None else json.dumps(members).encode()
        return self.local.send(method, path, headers={**named, **bearer}, body=body)

    def register(self, token: str | None, **members: Any) -> Answer:
        """POST /register."""
        return self.send("POST", "/register", token, members)

    def registered(self, token: str, **members: Any) -> dict[str, Any]:
        """POST /register that must succeed."""
        answer = self.register(token, **members)
        assert answer.status == 201, answer.body
        return answer.json

    def manage(self, method: str, told: dict[str, Any], **members: Any) -> Answer:
        """A request to the agent's own registration."""
        path = f"/register/{told['client_id']}"
        body = {"client_id": told["client_id"], **members} if method == "PUT" else None
        return self.send(method, path, told["registration_access_token"], body)


@pytest.fixture
def door(local: LocalSite) -> Door:
    """The prepared installation."""
    return Door(local)


def test_what_registers_belongs_to_the_owner_and_has_to_ask(door: Door) -> None:
    """Everything is told, with what we chose; the owner alone may be asked."""
    token = door.invite(resources=(PAY,), scopes=("payments:read",))
    told = door.registered(token, client_name="helper", contacts=["x"])
    agent, (owner,) = door.local.desk.agents.show("helper")
    assert (owner.name, agent.asks) == ("ana", (owner.id,))
    assert told == {
        "client_id": agent.id,
        "client_id_issued_at": door.local.clock.now() // 1000,
        "client_secret": told["client_secret"],
        "client_secret_expires_at": 0,
        "registration_access_token": told["registration_access_token"],
        "registration_client_uri": f"http://localhost:8470/register/{agent.id}",
        "client_name": "helper",
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": [GRANT_CIBA],
        "response_types": [],
        "scope": "payments:read",
        "id_token_signed_response_alg": "RS256",
        "dpop_bound_access_tokens": False,
        "backchannel_token_delivery_mode": "poll",
        "backchannel_user_code_parameter": False,
    }
    (entry,) = [e for e in door.local.desk.entries("agent.added") if e["agent_id"] == agent.id]
    assert entry["actor"] == f"invitation:{entry['facts']['invitation']}"
    stored = str(door.local.desk.entries()) + str(agent)
    for secret in ("client_secret", "registration_access_token"):
        assert told[secret] not in stored


def test_an_agent_with_keys_gets_no_secret(door: Door) -> None:
    """And its keys are told again."""
    method = {"token_endpoint_auth_method": "private_key_jwt"}
    told = door.registered(door.invite(), jwks=KEYS, **method, **{SIGNED: "ES256"})
    assert "client_secret" not in told
    assert "client_secret_expires_at" not in told
    assert told["jwks"]["keys"][0]["kid"] == "a"
    assert told["client_name"].startswith("agent-")
    assert told[SIGNED] == "ES256"


def test_an_invitation_is_used_as_often_as_it_says(door: Door) -> None:
    """Once, unless it says more; a refused registration uses nothing."""
    token = door.invite(uses=2)
    assert door.register(token, client_name="invoice-bot").status == 400
    door.registered(token)
    door.registered(token)
    assert door.register(token).refusal == (401, "invalid_token")


def test_an_invitation_that_is_over_opens_nothing(door: Door) -> None:
    """Late, taken back, of a stopped owner, unknown, or left out."""
    late, back, of_stopped = door.invite(), door.invite(), door.invite(expires_at=None)
    found = {one.token_hash: one for one in door.invitations.page("", 10).items}
    assert len(found) == 3
    ended = [i for i in found.values() if door.invitations.revoke(i.id, by=BY).revoked_at]
    assert len(ended) == 3
    for token in (late, back, of_stopped, "sayso_it_none", "", None):
        answer = door.register(token)
        assert answer.refusal == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    token = door.invite()
    door.local.clock.forward(7 * DAY)
    assert door.register(token).refusal == (401, "invalid_token")
    token = door.invite()
    door.local.desk.users.disable("ana", by=BY)
    assert door.register(token).refusal == (401, "invalid_token")
    assert len(door.local.desk.agents.all()) == 1


def test_the_last_use_is_given_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds it taken in the statement that spends it registers nothing."""
    token = door.invite()
    monkeypatch.setattr("server.storage.clients.registrations.Invitations.spend", lambda *_: False)
    assert door.register(token).refusal == (401, "invalid_token")


def test_whoever_guesses_tokens_is_slowed_and_nobody_else(door: Door) -> None:
    """DC-12: after twenty unknown ones from one address; a good one is taken all the same."""
    version = door.local.desk.version()
    for _ in range(20):
        assert door.register("sayso_it_guess").refusal == (401, "invalid_token")
    slowed = door.register("sayso_it_guess")
    assert slowed.refusal == (503, "temporarily_unavailable")
    assert slowed.headers["Retry-After"] == "60"
    assert door.local.desk.version() == version
    door.registered(door.invite())
    door.local.clock.forward(11 * MINUTE)
    assert door.register("sayso_it_guess").refusal == (401, "invalid_token")


WIDER: dict[str, dict[str, Any]] = {
    "DC-09 a grant": {"grant_types": [GRANT_CLIENT_CREDENTIALS]},
    "DC-09 both grants": {"grant_types": [GRANT_CIBA, GRANT_CLIENT_CREDENTIALS]},
    "another grant": {"grant_types": ["password"]},
    "no grant": {"grant_types": []},
    "a scope": {"scope": "payments:read payments:transfer"},
    "a type": {"authorization_details_types": ["payment.transfer"]},
    "a taken name": {"client_name": "Invoice-Bot"},
    "a name with a look-alike letter": {"client_name": "lnvoice-bot"},
    "a name with another separator": {"client_name": "invoice_bot"},
    "a name of two scripts": {"client_name": "inv\u0585ice-bot"},
    "a name of wide letters": {"client_name": "\uff49nvoice-bot"},
    "the name of its owner": {"client_name": "Ana"},
    "a name like an id": {"client_name": "sayso_ag_x"},
    "a name that cannot be shown": {"client_name": "a\u202eb"},
}


@pytest.mark.parametrize("members", WIDER.values(), ids=WIDER)
def test_nothing_leaves_the_ceiling_of_the_invitation(door: Door, members: dict[str, Any]) -> None:
    """Neither when it registers nor afterwards."""
    ceiling = {"resources": (PAY,), "scopes": ("payments:read",), "action_types": ()}
    token = door.invite(uses=2, **ceiling)
    assert door.register(token, **members).refusal == (400, "invalid_client_metadata")
    told = door.registered(token)
    if "grant_types" in members and not members["grant_types"]:
        return
    assert door.manage("PUT", told, **members).refusal == (400, "invalid_client_metadata")


def test_a_refused_name_says_which_member_it_is_and_what_to_do(door: Door) -> None:
    """Without the name that is taken, which the agent may not know."""
    told = door.registered(door.invite(uses=2), client_name="helper")
    for name, said in (
        ("he1per", "client_name is taken, or looks like a name that is; choose another."),
        ("h\u0435lper", "client_name mixes Cyrillic and Latin characters; write it in one script."),
    ):
        answer = door.register(door.invite(), client_name=name)
        assert answer.json["error_description"] == said
    told = door.manage("PUT", told, client_name="HELPER").json
    assert told["client_name"] == "HELPER"


@pytest.mark.parametrize("hidden", [False, True], ids=["open", "hidden"])
def test_a_name_tells_nobody_who_has_an_account(
    open_local: Callable[..., LocalSite], *, hidden: bool
) -> None:
    """Users count whom the agent may ask by name; where they are hidden, its owner alone."""
    door = Door(open_local(unknown_user="hide" if hidden else "answer"))
    for name in ("ben", "eva"):
        new_person(door.local, name)
    told = door.registered(door.invite(asks=("ben",)), client_name="helper")
    refused = (400, "invalid_client_metadata")
    assert door.manage("PUT", told, client_name="4na").status == 200
    assert door.manage("PUT", told, client_name="Ana").refusal == refused
    assert door.manage("PUT", told, client_name="eva").status == 200
    asked = door.manage("PUT", told, client_name="ben")
    assert asked.status == 200 if hidden else asked.refusal == refused


def test_an_agent_that_renames_itself_is_in_the_log_and_told_to_its_owner(door: Door) -> None:
    """As what it did itself."""
    told = door.registered(door.invite(), client_name="weather-helper")
    door.manage("PUT", told, client_name="weather-helper")
    door.manage("PUT", told, client_name="storm-helper")
    (entry,) = door.local.desk.entries("agent.renamed")
    assert entry["actor"] == f"agent:{told['client_id']}"
    assert entry["facts"] == {"name": "storm-helper", "was": "weather-helper"}
    (owner,) = door.local.desk.agents.show("storm-helper")[1]
    assert door.local.desk.events(owner).count("agent.renamed") == 1


@pytest.mark.parametrize("how", ["secret", "keys"])
def test_credentials_that_people_renew_are_not_changed_back(door: Door, how: str) -> None:
    """What leaked with the old ones is the token of the registration, perhaps."""
    members = {"jwks": KEYS} if how == "keys" else {}
    told = door.registered(door.invite(), **members)
    agents = door.local.desk.agents
    narrower = AgentChanges(description="Narrower than it was")
    agents.update(told["client_id"], narrower, by=BY)
    assert door.manage("GET", told).status == 200
    if how == "keys":
        other = json.dumps({"keys": [{**JWK, "kid": "b"}]})
        agents.update(told["client_id"], AgentChanges(jwks=other), by=BY)
    else:
        agents.rotate_secret(told["client_id"], by=BY)
    for method in ("GET", "PUT", "DELETE"):
        assert door.manage(method, told, **members).refusal == (401, "invalid_token")


def test_within_the_ceiling_an_agent_may_choose(door: Door) -> None:
    """Fewer scopes, fewer grants, fewer types, a key to bind to."""
    both = (GRANT_CIBA, GRANT_CLIENT_CREDENTIALS)
    token = door.invite(
        uses=2, grant_types=both, resources=(PAY,), scopes=("payments:read",), asks=None
    )
    told = door.registered(
        token,
        grant_types=[GRANT_CLIENT_CREDENTIALS],
        scope="openid",
        authorization_details_types=["payment.transfer"],
        dpop_bound_access_tokens=True,
    )
    assert (told["grant_types"], told["scope"]) == ([GRANT_CLIENT_CREDENTIALS], "")
    assert told["authorization_details_types"] == ["payment.transfer"]
    assert door.local.desk.agents.show(told["client_id"])[0].asks is None
    unknown = door.register(token, authorization_details_types=["nothing"])
    assert unknown.refusal == (400, "invalid_client_metadata")


def test_an_invitation_whose_ceiling_is_gone_is_said_to_be_so(door: Door) -> None:
    """Nothing is registered that nobody could have registered."""
    token = door.invite(resources=(PAY,), scopes=("payments:read",))
    door.local.desk.resources.delete(PAY, by=BY)
    answer = door.register(token)
    assert answer.refusal == (400, "invalid_client_metadata")
    assert "ask for a new one" in answer.json["error_description"]


def test_an_agent_sees_its_own_registration_alone(door: Door) -> None:
    """DC-20, DC-21, DC-25: another's token, another's name, no token."""
    token = door.invite(uses=2)
    one, two = door.registered(token), door.registered(token)
    shown = door.manage("GET", one)
    secret = {"client_secret", "client_secret_expires_at"}
    assert shown.json == {name: value for name, value in one.items() if name not in secret}
    before = door.local.desk.agents.show(two["client_id"])[0]
    stolen = {**two, "registration_access_token": one["registration_access_token"]}
    nobody = {**one, "client_id": "sayso_ag_none"}
    bare = {**one, "registration_access_token": token}
    for told in (stolen, nobody, bare):
        for method in ("GET", "PUT", "DELETE"):
            assert door.manage(method, told).refusal == (401, "invalid_token")
    assert door.local.desk.agents.show(two["client_id"])[0] == before


def test_what_an_update_leaves_out_is_as_if_it_had_never_been_said(door: Door) -> None:
    """DC-23: back to the defaults; the ceiling and the name stay."""
    token = door.invite(resources=(PAY,), scopes=("payments:read", "payments:transfer"))
    told = door.registered(token, client_name="helper", id_token_signed_response_alg="ES256")
    changed = door.manage("PUT", told, scope="payments:read", client_name="helper-2").json
    assert (changed["scope"], changed["client_name"]) == ("payments:read", "helper-2")
    assert changed["id_token_signed_response_alg"] == "RS256"
    again = door.manage("PUT", told, client_secret=told["client_secret"]).json
    assert (again["scope"], again["client_name"]) == ("payments:read", "helper-2")
    wider = door.manage("PUT", told, scope="payments:transfer")
    assert wider.refusal == (400, "invalid_client_metadata")
    wrong = door.manage("PUT", told, client_secret="sayso_cs_wrong")
    assert wrong.refusal == (400, "invalid_client_metadata")
    updates = door.local.desk.entries("agent.updated")
    assert [entry["actor"] for entry in updates] == [f"agent:{told['client_id']}"]


def test_nothing_that_was_taken_from_an_agent_comes_back(door: Door) -> None:
    """A limit of its owner's outlives an update; so does a duty to sign or to bind."""
    token = door.invite(resources=(PAY,), scopes=("payments:read",))
    told = door.registered(token, jwks=KEYS, **{SIGNED: "ES256"})
    narrower = AgentChanges(scopes=(), action_types=("payment.transfer",), dpop_bound=True)
    door.local.desk.agents.update(told["client_id"], narrower, by=BY)
    unsigned = door.manage("PUT", told)
    assert unsigned.refusal == (400, "invalid_client_metadata")
    kept = door.manage("PUT", told, jwks=KEYS, dpop_bound_access_tokens=False).json
    assert (kept["scope"], kept["dpop_bound_access_tokens"], kept[SIGNED]) == ("", True, "ES256")
    assert kept["authorization_details_types"] == ["payment.transfer"]


def test_an_agent_may_go_from_secrets_to_keys_and_back(door: Door) -> None:
    """It gets a secret when it has none, and none when it has keys."""
    told = door.registered(door.invite())
    keyed = door.manage("PUT", told, token_endpoint_auth_method="private_key_jwt", jwks=KEYS).json
    assert "client_secret" not in keyed
    assert door.local.desk.agents.show(told["client_id"])[0].secrets == ()
    back = door.manage("PUT", told, token_endpoint_auth_method="client_secret_post").json
    assert back["client_secret"].startswith("sayso_cs_")
    assert "jwks" not in back


def test_a_stopped_agent_manages_nothing(door: Door) -> None:
    """It gets nothing anywhere."""
    told = door.registered(door.invite())
    door.local.desk.agents.disable(told["client_id"], by=BY)
    for method in ("GET", "PUT", "DELETE"):
        assert door.manage(method, told).refusal == (401, "invalid_token")


def test_an_agent_that_goes_takes_everything_with_it(door: Door) -> None:
    """DC-24: its requests and tokens end, and its own token opens nothing more."""
    token = door.invite(resources=(PAY,), scopes=("payments:read",), asks=None)
    told = door.registered(token)
    desk = door.local.desk
    ana = new_person(door.local, "ben").user
    approval, issued = desk.approval(told["client_id"], ana.id), desk.token(told["client_id"], None)
    gone = door.manage("DELETE", told)
    assert (gone.status, gone.body) == (204, b"")
    assert desk.revoked(issued)
    assert str(desk.state(approval)[0]) == "cancelled"
    assert door.manage("GET", told).refusal == (401, "invalid_token")
    with pytest.raises(NotFound):
        desk.agents.show(told["client_id"])


def test_an_agent_that_is_stopped_in_between_gets_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at outside is looked at again where it counts."""
    told, invited = door.registered(door.invite()), door.invite()
    door.local.desk.agents.disable(told["client_id"], by=BY)
    door.local.desk.users.disable("ana", by=BY)
    monkeypatch.setattr(
        "server.services.clients.registration.RegistrationService._check_token", lambda *_: None
    )
    for method in ("GET", "PUT", "DELETE"):
        assert door.manage(method, told).refusal == (401, "invalid_token")
    assert door.register(invited).refusal == (401, "invalid_token")
    assert door.register("unknown").refusal == (401, "invalid_token")


def test_an_invitation_allows_what_an_agent_may_be(door: Door) -> None:
    """And nothing else; it is for somebody who is there, for a while, for some agents."""
    for wrong in (
        {"uses": 0},
        {"uses": 1_001},
        {"expires_at": door.local.clock.now()},
        {"expires_at": door.local.clock.now() + 91 * DAY},
        {"scopes": ("nothing",)},
        {"grant_types": ("password",)},
    ):
        with pytest.raises(Invalid):
            door.invite(**wrong)
    for unknown in ({"action_types": ("nothing",)}, {"asks": ("nobody",)}):
        with pytest.raises(NotFound):
            door.invite(**unknown)
    with pytest.raises(NotFound):
        door.invitations.issue(NewInvitation("nobody"), by=BY)
    door.local.desk.actions.update(json.dumps({**PAYMENT, "risk": "low"}), by=BY)
    door.local.desk.users.disable("ana", by=BY)
    with pytest.raises(Conflict):
        door.invite()
    assert door.local.desk.entries("invitation.issued") == []


def test_an_agent_may_be_called_back_where_anybody_may_be_called(door: Door) -> None:
    """NG-103: not inside, neither at first nor later; left out, it polls again."""
    mode, place = "backchannel_token_delivery_mode", "backchannel_client_notification_endpoint"
    public = {mode: "ping", place: "https://1.1.1.1/ciba"}
    told = door.registered(door.invite(), **public)
    assert {name: told[name] for name in public} == public
    inside = {mode: "ping", place: "https://169.254.169.254/"}
    assert door.register(door.invite(), **inside).refusal == (400, "invalid_client_metadata")
    assert door.manage("PUT", told, **inside).refusal == (400, "invalid_client_metadata")
    polls = door.manage("PUT", told).json
    assert (polls[mode], place in polls) == ("poll", False)


def test_an_agent_may_register_to_send_user_codes_and_stays_so(door: Door) -> None:
    """CB-011: it may bind itself further, and no change of its own frees it."""
    member = "backchannel_user_code_parameter"
    told = door.registered(door.invite(), **{member: True})
    assert told[member] is True
    assert door.manage("PUT", told).json[member] is True
