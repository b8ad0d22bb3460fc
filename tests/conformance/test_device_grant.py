"""RFC 8628, and known attacks on it, from outside.

The rules are tested one by one with the services. These tests are about forms, headers, refusals,
a page in a browser with cookies, and concurrent polls.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from approver_tui.client.jose import SigningKey, dpop_proof
from tests.support.builders.clock import SECOND
from tests.support.checks.refusals import MARK, assert_unchanged, check_refusal
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.servers.server import LiveServer

PATH = "/device_authorization"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
TERMINAL = {"client_id": "sayso-approver"}


def _proof(server: LiveServer, key: SigningKey, path: str) -> dict[str, str]:
    at = server.clock.now() // 1000
    return {"DPoP": dpop_proof(key, method="POST", uri=server.url + path, at=at)}


def _begin(server: LiveServer, http: httpx.Client, key: SigningKey, **form: Any) -> httpx.Response:
    return http.post(PATH, data={**TERMINAL, **form}, headers=_proof(server, key, PATH))


def _poll(
    server: LiveServer, http: httpx.Client, key: SigningKey, code: str, **form: Any
) -> httpx.Response:
    all_members = {"grant_type": GRANT, **TERMINAL, "device_code": code, **form}
    return http.post("/token", data=all_members, headers=_proof(server, key, "/token"))


def _enter_code(server: LiveServer, name: str, code: str) -> httpx.Response:
    """Opens the page in a browser, fills it in and sends it, as a user does."""
    with server.client() as browser:
        page = browser.get("/device", params={"user_code": code})
        token = re.search(r'name="form" value="([^"]+)"', page.text)
        assert token is not None
        form = {"form": token[1], "name": name, "user_code": code}
        return browser.post("/device", data=form)


@pytest.fixture
def key() -> SigningKey:
    """The key of a new device."""
    return SigningKey.generate()


def test_discovery_lists_the_device_endpoint_and_grant(
    server: LiveServer, http: httpx.Client
) -> None:
    """DG-01: a client can find the endpoint and the grant in the metadata."""
    document = http.get("/.well-known/oauth-authorization-server").json()
    assert document["device_authorization_endpoint"] == server.url + PATH
    assert GRANT in document["grant_types_supported"]


def test_the_device_endpoint_takes_a_posted_form(
    server: LiveServer, http: httpx.Client, key: SigningKey
) -> None:
    """DG-02: a GET gets 405, and a JSON body gets 400."""
    assert http.get(PATH).status_code == 405
    answer = http.post(PATH, json=TERMINAL, headers=_proof(server, key, PATH))
    check_refusal(answer, 400, "invalid_request")


def test_device_parameters_are_read_like_all_others(
    server: LiveServer, http: httpx.Client, key: SigningKey
) -> None:
    """DG-05, DG-06, DG-30: repeated ones are refused, unknown ones ignored, empty ones omitted."""
    twice = [("client_id", "sayso-approver")] * 2
    body = "&".join(f"{name}={value}" for name, value in twice)
    head = {**_proof(server, key, PATH), "Content-Type": "application/x-www-form-urlencoded"}
    check_refusal(http.post(PATH, content=body, headers=head), 400, "invalid_request")
    check_refusal(_begin(server, http, key, scope=MARK), 400, "invalid_scope")
    check_refusal(_begin(server, http, key, code_challenge=MARK), 400, "invalid_request")
    answer = _begin(server, http, key, scope="", anything=MARK)
    assert answer.status_code == 200


def test_the_device_answer_is_not_cached(
    server: LiveServer, http: httpx.Client, key: SigningKey
) -> None:
    """DG-07, DG-08, DG-09: the response forbids caching and has the usual members."""
    answer = _begin(server, http, key)
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", body["user_code"])
    assert (body["expires_in"], body["interval"]) == (900, 5)
    assert body["verification_uri"] == f"{server.url}/device"


def test_other_clients_are_refused_at_the_device_endpoint(
    server: LiveServer, http: httpx.Client, agent: Agent
) -> None:
    """DG-03, DG-04: a client needs its right secret and the device grant."""
    with assert_unchanged(server):
        check_refusal(http.post(PATH, data={"device_name": "x"}), 401, "invalid_client")
        wrong = http.post(PATH, data={"device_name": "x"}, auth=(agent.key.id, "wrong"))
        check_refusal(wrong, 401, "invalid_client")
        check_refusal(
            http.post(PATH, data={"device_name": "x"}, auth=agent.key.basic),
            400,
            "unauthorized_client",
        )
        form = {"grant_type": GRANT, "device_code": "sayso_dc_x"}
        theirs = http.post("/token", data=form, auth=agent.key.basic)
        check_refusal(theirs, 400, "unauthorized_client")


def test_invalid_device_codes_are_refused(
    server: LiveServer, http: httpx.Client, key: SigningKey
) -> None:
    """DG-16, DG-17: a missing or unknown code, or the proof of a different key, is refused."""
    body = _begin(server, http, key).json()
    with assert_unchanged(server):
        check_refusal(_poll(server, http, key, ""), 400, "invalid_request")
        check_refusal(_poll(server, http, key, f"sayso_dc_{MARK}"), 400, "invalid_grant")
        stolen = _poll(server, http, SigningKey.generate(), body["device_code"])
        check_refusal(stolen, 400, "invalid_dpop_proof")


def test_device_polls_are_paced(server: LiveServer, http: httpx.Client, key: SigningKey) -> None:
    """DG-18: the first poll and polls at the interval are pending, and an early one slows down."""
    body = _begin(server, http, key).json()
    first = _poll(server, http, key, body["device_code"])
    check_refusal(first, 400, "authorization_pending")
    early = check_refusal(_poll(server, http, key, body["device_code"]), 400, "slow_down")
    assert early["interval"] == 10
    server.clock.forward(10 * SECOND)
    answer = _poll(server, http, key, body["device_code"])
    check_refusal(answer, 400, "authorization_pending")


def test_opening_or_sending_the_page_admits_no_device(
    server: LiveServer, http: httpx.Client, key: SigningKey, person: Terminal
) -> None:
    """DG-12, NG-029: only a decision on the user's enrolled device admits a new device."""
    body = _begin(server, http, key).json()
    with assert_unchanged(server):
        assert http.get(body["verification_uri_complete"]).status_code == 200
    before = len(person.waiting())
    assert _enter_code(server, person.user, body["user_code"]).status_code == 303
    assert len(person.waiting()) == before + 1
    server.clock.forward(5 * SECOND)
    answer = _poll(server, http, key, body["device_code"])
    check_refusal(answer, 400, "authorization_pending")


def test_one_of_twenty_concurrent_polls_gets_the_tokens(
    server: LiveServer, http: httpx.Client, key: SigningKey
) -> None:
    """DG-19, DG-20, NG-024, NG-026: the other nineteen polls get invalid_grant."""
    person = new_person(server)
    body = _begin(server, http, key).json()
    assert _enter_code(server, person.user, body["user_code"]).status_code == 303
    person.approve(person.only_request())
    server.clock.forward(5 * SECOND)
    with ThreadPoolExecutor(10) as threads:
        polls = [threads.submit(_poll, server, http, key, body["device_code"]) for _ in range(20)]
        answers = [poll.result() for poll in polls]
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    for answer in answers:
        if answer.status_code == 400:
            check_refusal(answer, 400, "invalid_grant")
    person.client.close()


def test_a_denial_reaches_the_device(
    server: LiveServer, http: httpx.Client, key: SigningKey
) -> None:
    """DG-15: the device's next poll gets access_denied."""
    person = new_person(server)
    body = _begin(server, http, key).json()
    assert _enter_code(server, person.user, body["user_code"]).status_code == 303
    person.deny(person.only_request(), "suspicious")
    answer = _poll(server, http, key, body["device_code"])
    assert check_refusal(answer, 400, "access_denied")["reason"] == "denied"
    person.client.close()


def test_a_wrong_user_code_changes_nothing(server: LiveServer, person: Terminal) -> None:
    """DG-14: the message does not tell whether the code is wrong, used or expired."""
    with assert_unchanged(server):
        page = _enter_code(server, person.user, "BCDF-GHJK")
    assert page.status_code == 400
    assert "wrong, used or expired" in page.text
