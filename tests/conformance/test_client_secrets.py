"""RFC 6749 2.3.1: client secrets, their transport and expiry, and public clients.

Every failure gets the same 401, with a challenge if HTTP Basic was used.
"""

import base64
import hashlib

import httpx
import pytest

from server.protocol.names import AGENT_GRANTS
from server.services.audit import audit
from server.services.clients.agents import Agents
from tests.support.checks.refusals import MARK, assert_unchanged, check_refusal
from tests.support.clients.agent import Agent
from tests.support.servers.server import LiveServer

BY = audit.OPERATOR
_ASK = {"grant_type": "client_credentials", "scope": "payments:read"}


def _base64(text: bytes) -> str:
    return base64.b64encode(text).decode()


_BASIC: dict[str, bytes] = {
    "NG-068-no-colon": b"%(id)s%(secret)s",
    "NG-068-not-utf8": b"\xff\xfe%(id)s:%(secret)s",
    "NG-068-latin-1": b"%(id)s:%(secret)s\xe9",
    "NG-068-stray-percent": b"%(id)s:%(secret)s%%",
    "NG-068-bad-percent": b"%(id)s:%(secret)s%%zz",
    "NG-068-percent-not-utf8": b"%(id)s:%(secret)s%%ff",
    "NG-068-percent-nul": b"%(id)s%%00:%(secret)s",
    "NG-068-nul": b"%(id)s:%(secret)s\x00",
    "NG-068-line-feed": b"%(id)s:%(secret)s\n",
    "NG-068-space-before": b" %(id)s:%(secret)s",
    "NG-068-plus-before": b"+%(id)s:%(secret)s",
    "NG-068-colon": b":",
    "NG-068-upper": b"%(upper)s:%(secret)s",
    "NG-068-name-for-id": b"%(name)s:%(secret)s",
    "NG-071-longer": b"%(id)s:%(secret)s%(secret)s",
    "NG-071-beyond-72-bytes": b"%(id)s:%(secret)s" + b"A" * 40,
    "NG-071-shorter": b"%(id)s:%(short)s",
    "NG-071-swapped": b"%(secret)s:%(id)s",
    "NG-071-hash": b"%(id)s:%(hash)s",
}


@pytest.mark.parametrize("case", _BASIC)
def test_malformed_basic_credentials_are_refused(
    server: LiveServer, agent: Agent, case: str
) -> None:
    """NG-068, NG-071: they are not corrected or truncated, and the answer has a challenge."""
    parts = {
        "id": agent.key.id,
        "secret": agent.key.secret,
        "name": agent.key.name,
        "upper": agent.key.id.upper(),
        "short": agent.key.secret[:-1],
        "hash": hashlib.sha256(agent.key.secret.encode()).hexdigest(),
    }
    text = _BASIC[case] % {name.encode(): value.encode() for name, value in parts.items()}
    with assert_unchanged(server):
        response = agent.http.post(
            "/token", data=_ASK, headers={"Authorization": f"Basic {_base64(text)}"}
        )

    check_refusal(response, 401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic ")


_HEADERS = {
    "NG-068-plain": "Basic {id}:{secret}",
    "NG-068-cut": "Basic {cut}",
    "NG-068-overpadded": "Basic {good}=",
    "NG-068-space-inside": "Basic {good} x",
    "NG-068-no-credentials": "Basic",
    "NG-068-no-space": "Basic{good}",
    "NG-068-bearer": "Bearer {good}",
    "NG-068-digest": "Digest {good}",
    "NG-068-two": "Basic {good}, Basic {good}",
    "NG-068-long": "Basic " + "A" * 8_000,
}


@pytest.mark.parametrize("case", _HEADERS)
def test_a_malformed_authorization_header_is_refused(
    server: LiveServer, agent: Agent, case: str
) -> None:
    """NG-068: a malformed header is refused even with a valid secret in it."""
    good = _base64(f"{agent.key.id}:{agent.key.secret}".encode())
    parts = {"id": agent.key.id, "secret": agent.key.secret, "good": good, "cut": good[:-3]}
    headers = {"Authorization": _HEADERS[case].format(**parts)}
    with assert_unchanged(server):
        response = agent.http.post("/token", data=_ASK, headers=headers)

    check_refusal(response, 401, "invalid_client")


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "bAsIc"])
def test_basic_is_case_insensitive_and_form_encoded(agent: Agent, scheme: str) -> None:
    """RFC 6749 2.3.1, RFC 9110 11.1: %5F in the credentials is an underscore."""
    text = f"{agent.key.id}:{agent.key.secret}".replace("_", "%5F")
    headers = {"Authorization": f"{scheme} {_base64(text.encode())}"}

    assert agent.http.post("/token", data=_ASK, headers=headers).status_code == 200


def test_a_rotated_secret_works_for_its_overlap_only(server: LiveServer, agent: Agent) -> None:
    """Both secrets work for the overlap of an hour. Without overlap only the new one works."""
    agents = Agents(server.services.store, server.services.secrets)
    new = agents.rotate_secret(agent.key.id, by=BY, overlap_ms=3_600_000).secret

    def works(secret: str) -> bool:
        auth = (agent.key.id, secret)
        return agent.http.post("/token", data=_ASK, auth=auth).status_code == 200

    assert [works(agent.key.secret), works(new)] == [True, True]
    server.clock.forward(3_600_001)
    assert [works(agent.key.secret), works(new)] == [False, True]
    newest = agents.rotate_secret(agent.key.id, by=BY, overlap_ms=0).secret
    assert [works(new), works(newest)] == [False, True]


def test_an_expired_agent_is_refused_with_the_reason(
    server: LiveServer, http: httpx.Client
) -> None:
    """The agent is told the reason only if it authenticates."""
    agent = Agent(server.agent(expires_at=server.clock.now() + 60_000), http)
    assert http.post("/token", data=_ASK, auth=agent.key.basic).status_code == 200
    server.clock.forward(60_001)
    with assert_unchanged(server):
        authenticated = http.post("/token", data=_ASK, auth=agent.key.basic)
        request = agent.ask("admin")
        unauthenticated = http.post("/token", data=_ASK, auth=(agent.key.id, "wrong"))

    assert check_refusal(authenticated, 400, "unauthorized_client")["reason"] == "agent_expired"
    check_refusal(request, 400, "unauthorized_client")
    check_refusal(unauthenticated, 401, "invalid_client")


@pytest.mark.parametrize("grant", [*AGENT_GRANTS, "refresh_token"])
def test_no_agent_grant_works_without_authentication(
    server: LiveServer, agent: Agent, grant: str
) -> None:
    """NG-069, NG-072: neither an agent nor a public client gets a token without credentials."""
    for client_id in (agent.key.id, "sayso-approver", ""):
        form = {"grant_type": grant, "client_id": client_id, "scope": "payments:read"}
        with assert_unchanged(server):
            response = agent.http.post(
                "/token", data={**form, "auth_req_id": "x", "refresh_token": "x"}
            )
        if grant == "refresh_token" and client_id == "sayso-approver":
            assert response.json()["error"] in {"invalid_grant", "invalid_dpop_proof"}
            check_refusal(response, 400, response.json()["error"])
        else:
            check_refusal(response, 401, "invalid_client")


@pytest.mark.parametrize(
    "grant", ["password", "implicit", "token", MARK, "Client_Credentials", "\x1b[2J"]
)
def test_an_unknown_grant_type_is_refused(server: LiveServer, agent: Agent, grant: str) -> None:
    """TX-083, BC-07, BC-08: it is unsupported_grant_type for every client (RFC 6749 5.2)."""
    with assert_unchanged(server):
        response = agent.http.post(
            "/token", data={"grant_type": grant, "scope": "payments:read"}, auth=agent.key.basic
        )

    check_refusal(response, 400, "unsupported_grant_type")
