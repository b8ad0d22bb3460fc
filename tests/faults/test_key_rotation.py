"""Signing keys are rotated under load: signatures of an old key stay valid until it expires."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import jwt
import pytest

from server.services.tokens import keys
from server.services.tokens.keys import SigningKeys
from tests.support.builders import decided_rows
from tests.support.builders.installation import PAY
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent
from tests.support.servers.load import WITHOUT_LIMITS, Load, new_load
from tests.support.servers.server import BY, AgentKey, LiveServer, live_server

_TOKENS = 6
_ROTATIONS = 3
_ALG = "ES256"


@dataclass(slots=True)
class _Api:
    """A payment API that fetches our keys once, and again for an unknown key ID."""

    server: LiveServer
    key: AgentKey
    http: httpx.Client
    known: dict[str, jwt.PyJWK] = field(default_factory=dict)

    def fetch(self) -> None:
        """Fetches the published keys."""
        published = jwt.PyJWKSet.from_dict(self.http.get("/jwks").json()).keys
        self.known = {str(key.key_id): key for key in published}

    def accepts(self, token: str) -> bool:
        """Returns whether the token's signature is valid."""
        kid = jwt.get_unverified_header(token)["kid"]
        if kid not in self.known:
            self.fetch()
        if kid not in self.known:
            return False
        claims = jwt.decode(token, self.known[kid], audience=PAY, algorithms=[_ALG])
        return claims["iss"] == self.server.url

    def is_active(self, token: str) -> bool:
        """Returns whether introspection finds the token active."""
        answer = self.http.post("/introspect", data={"token": token}, auth=self.key.basic)
        return bool(answer.json()["active"])


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """A server with a load on it."""
    with live_server(tmp_path, forked=True, **WITHOUT_LIMITS) as server:
        running_load = new_load(server)
        yield running_load
        running_load.close()


@pytest.fixture
def api(load: Load) -> _Api:
    """The API that all the tokens are for."""
    rotated = load.server.resources.rotate_secret(PAY, by=BY)
    key = AgentKey(rotated.resource.client_id, rotated.secret, PAY)
    payment_api = _Api(load.server, key, load.server.client())
    payment_api.fetch()
    return payment_api


def _keys(server: LiveServer) -> SigningKeys:
    services = server.services
    return SigningKeys(services.store, services.signer, services.server_policy)


def _kid(token: str) -> str:
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid


def _fetch_tokens(load: Load) -> list[str]:
    """Returns some tokens that an agent fetches now, in addition to the load."""
    agent = Agent(load.agent.key, load.server.client())
    services, user = load.server.services, load.person.user
    handles = decided_rows.requests(services, agent.key.id, user, _TOKENS, approved=True)
    answers = [agent.poll(handle) for handle in handles]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["access_token"] for answer in answers]


def _check(load: Load, api: _Api) -> None:
    """Rotates the keys several times and then revokes one of them."""
    with load.running():
        tokens = _fetch_tokens(load)
        for _ in range(_ROTATIONS):
            _keys(load.server).rotate(_ALG, by=BY)
            tokens += _fetch_tokens(load)
            before = len(load.tokens)
            until(lambda before=before: len(load.tokens) > before, 30)
        assert len({_kid(token) for token in tokens}) == _ROTATIONS + 1
        api.fetch()
        assert [
            token for token in tokens if not api.accepts(token) or not api.is_active(token)
        ] == []
        stolen = _kid(tokens[0])
        _keys(load.server).revoke(stolen, by=BY)
        api.fetch()
        for token in tokens:
            good = _kid(token) != stolen
            assert (api.accepts(token), api.is_active(token)) == (good, good)
    assert load.faults == []


def test_rotating_keys_under_load_loses_no_token(load: Load, api: _Api) -> None:
    """I24: a stolen key is revoked immediately, and only its own tokens end."""
    _check(load, api)


def test_the_check_detects_an_old_key_that_is_dropped_at_once(
    load: Load, api: _Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I24: if a retired key is dropped immediately, its recent tokens become invalid."""
    retire = keys._retire
    monkeypatch.setattr(keys, "_retire", lambda tx, kid, _, by: retire(tx, kid, tx.now, by))
    with pytest.raises(AssertionError):
        _check(load, api)
