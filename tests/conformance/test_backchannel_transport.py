"""CIBA Core 7 and 7.2: how a backchannel request must arrive, and who may send one.

Any other request gets an RFC 6749 error and leaves nothing behind.
"""

import base64
import socket
from contextlib import suppress
from urllib.parse import urlencode

import httpx
import pytest

from tests.support.builders.installation import PAY
from tests.support.checks.refusals import MARK, assert_unchanged, check_refusal, footprint
from tests.support.clients.agent import Agent, new_agent
from tests.support.servers.server import LiveServer

_FORM = "application/x-www-form-urlencoded"


def _valid_form(user: str) -> dict[str, str]:
    return {"login_hint": user, "scope": "openid payments:read", "resource": PAY}


def _post(agent: Agent, body: bytes | str, content_type: str = _FORM) -> httpx.Response:
    # A client that is refused for the length of its body loses the connection too.
    headers = {"Content-Type": content_type, "Connection": "close"}
    return agent.http.post("/bc-authorize", content=body, headers=headers, auth=agent.key.basic)


def _basic(text: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text).decode()}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_methods_other_than_post_are_refused(
    server: LiveServer, agent: Agent, user: str, method: str
) -> None:
    """CB-020: nothing is created, and the answer names the allowed method."""
    with assert_unchanged(server):
        response = agent.http.request(
            method, "/bc-authorize", params=_valid_form(user), auth=agent.key.basic
        )

    check_refusal(response, 405, "invalid_request")
    assert "POST" in response.headers["allow"]


_BODIES = {
    "CB-021-json": ("application/json", b'{"login_hint":"%s","scope":"openid payments:read"}'),
    "CB-021-multipart": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="login_hint"\r\n\r\n%s\r\n--b--\r\n',
    ),
    "CB-021-no-type": ("", b"login_hint=%s&scope=openid+payments:read"),
    "CB-021-text": ("text/plain", b"login_hint=%s&scope=openid+payments:read"),
    "CB-021-two-types": (f"text/plain, {_FORM}", b"login_hint=%s&scope=openid+payments:read"),
    "CB-180-not-utf8": (_FORM, b"login_hint=%s&scope=openid+payments:read&x=\xff\xfe"),
    "CB-180-not-utf8-escaped": (_FORM, b"login_hint=%s&scope=openid+payments:read&x=%%C3%%28"),
    "CB-180-raw-unicode": (_FORM, "login_hint=%s&scope=openid+payments:read&x=é".encode()),
    "CB-180-nul": (_FORM, b"login_hint=%s%%00&scope=openid+payments:read"),
    "CB-180-nul-elsewhere": (_FORM, b"login_hint=%s&scope=openid+payments:read&acr_values=%%00"),
    "CB-180-raw-nul": (_FORM, b"login_hint=%s&scope=openid+payments:read&acr_values=\x00"),
    "CB-180-nul-in-name": (_FORM, b"login_hint=%s&scope=openid+payments:read&%%00=1"),
    "CB-180-only-nul": (_FORM, b"\x00\x00\x00%s"),
    "CB-180-empty": (_FORM, b""),
    "CB-180-ampersands": (_FORM, b"&&&&"),
}


@pytest.mark.parametrize("case", _BODIES)
def test_a_body_that_is_not_a_well_formed_form_is_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-021, CB-180: such a body is refused even if a part of it could be read."""
    content_type, template = _BODIES[case]
    body = template % user.encode() if b"%s" in template else template
    with assert_unchanged(server):
        response = _post(agent, body, content_type)

    check_refusal(response, 400, "invalid_request")


@pytest.mark.parametrize("content_type", [_FORM.upper(), f"{_FORM}; charset=UTF-8", f"{_FORM} ;"])
def test_any_spelling_of_the_form_media_type_is_accepted(
    agent: Agent, user: str, content_type: str
) -> None:
    """Media types are case-insensitive, and their parameters are ignored."""
    assert _post(agent, urlencode(_valid_form(user)), content_type).status_code == 200


def test_parameters_in_the_query_are_not_accepted(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """CB-022: parameters in the query are refused with and without a body."""
    body = {name: value for name, value in _valid_form(user).items() if name != "login_hint"}
    with assert_unchanged(server):
        alone = agent.http.post("/bc-authorize", params=_valid_form(user), auth=agent.key.basic)
        answer = agent.http.post(
            "/bc-authorize", params={"login_hint": user}, data=body, auth=agent.key.basic
        )
        credentials = agent.http.post(
            "/bc-authorize",
            params={"client_id": agent.key.id, "client_secret": agent.key.secret},
            data=_valid_form(user),
        )

    check_refusal(alone, 400, "invalid_request")
    check_refusal(answer, 400, "invalid_request")
    check_refusal(credentials, 401, "invalid_client")


def test_a_request_without_client_authentication_is_refused(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """CB-023, CB-188: a request without credentials gets 401."""
    with assert_unchanged(server):
        response = agent.http.post("/bc-authorize", data=_valid_form(user))

    check_refusal(response, 401, "invalid_client")


def test_a_wrong_secret_gets_a_challenge(server: LiveServer, agent: Agent, user: str) -> None:
    """CB-024: a wrong secret with Basic gets 401 with a Basic challenge."""
    with assert_unchanged(server):
        response = agent.http.post(
            "/bc-authorize", data=_valid_form(user), auth=(agent.key.id, MARK)
        )

    check_refusal(response, 401, "invalid_client")
    assert response.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize("client_id", ["sayso-approver", "", "nobody", "sayso_ag_aaaaaaaaaaaaaaaa"])
def test_a_public_client_is_refused(
    server: LiveServer, agent: Agent, user: str, client_id: str
) -> None:
    """CB-025: a client_id alone proves nothing, not even the terminal app's."""
    with assert_unchanged(server):
        alone = agent.http.post("/bc-authorize", data={**_valid_form(user), "client_id": client_id})
        empty = agent.http.post(
            "/bc-authorize", data=_valid_form(user), headers=_basic(f"{client_id}:".encode())
        )

    check_refusal(alone, 401, "invalid_client")
    check_refusal(empty, 401, "invalid_client")


def test_an_agent_without_the_ciba_grant_is_refused(server: LiveServer, user: str) -> None:
    """CB-026, CB-184: an agent that authenticates still needs the CIBA grant."""
    agent = new_agent(server, grant_types=("client_credentials",))
    with assert_unchanged(server):
        response = agent.ask(user)
    agent.http.close()

    check_refusal(response, 400, "unauthorized_client")


def test_an_agent_without_the_client_credentials_grant_is_refused(server: LiveServer) -> None:
    """NG-090: an agent with the CIBA grant alone gets no token of its own."""
    agent = new_agent(server, grant_types=("urn:openid:params:grant-type:ciba",))
    with assert_unchanged(server):
        response = agent.http.post(
            "/token",
            data={"grant_type": "client_credentials", "scope": "payments:read"},
            auth=agent.key.basic,
        )
    agent.http.close()

    check_refusal(response, 400, "unauthorized_client")


_SECOND_WAYS = {
    "CB-027-post": {"client_secret": "{secret}", "client_id": "{id}"},
    "CB-027-post-wrong": {"client_secret": "wrong", "client_id": "{id}"},
    "CB-027-assertion": {
        "client_assertion": "a.b.c",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    },
}


@pytest.mark.parametrize("case", _SECOND_WAYS)
def test_two_authentication_methods_are_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-027: two methods together are refused, even if each of them would succeed."""
    second = _SECOND_WAYS[case]
    filled = {n: v.format(id=agent.key.id, secret=agent.key.secret) for n, v in second.items()}
    with assert_unchanged(server):
        response = agent.ask(user, **filled)

    check_refusal(response, 400, "invalid_request")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_only_the_registered_authentication_method_counts(
    server: LiveServer, user: str, method: str
) -> None:
    """CB-014: the right secret is refused if it is sent by a different method."""
    agent = new_agent(server, auth_method=method)
    in_body = {"client_id": agent.key.id, "client_secret": agent.key.secret}
    with assert_unchanged(server):
        if method == "client_secret_post":
            response = agent.http.post(
                "/bc-authorize", data=_valid_form(user), auth=agent.key.basic
            )
        else:
            response = agent.http.post("/bc-authorize", data={**_valid_form(user), **in_body})
    check_refusal(response, 401, "invalid_client")
    if method == "client_secret_post":
        right = agent.http.post("/bc-authorize", data={**_valid_form(user), **in_body})
        assert right.status_code == 200, right.text
    agent.http.close()


@pytest.mark.parametrize(
    "name",
    [
        "scope",
        "login_hint",
        "client_id",
        "binding_message",
        "requested_expiry",
        "acr_values",
        "authorization_details",
        "id_token_hint",
        "unknown",
    ],
)
def test_a_repeated_parameter_is_refused(
    server: LiveServer, agent: Agent, user: str, name: str
) -> None:
    """CB-031: a repeated parameter is refused even if both values are equal."""
    good = {**_valid_form(user), "client_id": agent.key.id, "binding_message": "hello"}
    value = good.get(name, MARK)
    pairs = [*((n, v) for n, v in good.items() if n != name), (name, value), (name, value)]
    with assert_unchanged(server):
        response = _post(agent, urlencode(pairs))

    check_refusal(response, 400, "invalid_request")


def test_an_unknown_parameter_is_ignored(agent: Agent, user: str) -> None:
    """CB-032, CB-063: parameters of modes and features that are not used are ignored too."""
    response = agent.ask(user, foo="bar", client_notification_token="t" * 2_000, user_code="1234")

    assert response.status_code == 200, response.text


@pytest.mark.parametrize("name", ["login_hint", "scope"])
def test_an_empty_required_parameter_counts_as_missing(
    server: LiveServer, agent: Agent, user: str, name: str
) -> None:
    """CB-033: an empty hint or scope is refused like a missing one."""
    with assert_unchanged(server):
        response = agent.ask(user, **{name: ""})

    check_refusal(response, 400, "invalid_request")


def test_an_empty_optional_parameter_is_harmless(agent: Agent, user: str) -> None:
    """CB-033: an empty second hint does not count as a second hint."""
    response = agent.ask(
        user, id_token_hint="", requested_expiry="", binding_message="", resource=""
    )

    assert response.status_code == 200, response.text


def test_client_authentication_comes_before_user_lookup(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """CB-034: after a wrong secret, known and unknown users get the same answer."""
    with assert_unchanged(server):
        known_answer, unknown_answer, broken = (
            agent.http.post("/bc-authorize", data=form, auth=(agent.key.id, "wrong"))
            for form in (_valid_form(user), _valid_form("nobody-at-all"), {"scope": "\x1b"})
        )
    for response in (known_answer, unknown_answer, broken):
        check_refusal(response, 401, "invalid_client")

    assert known_answer.content == unknown_answer.content == broken.content
    different = {"date", "x-correlation-id"}
    heads = [
        {n: v for n, v in r.headers.items() if n not in different}
        for r in (known_answer, unknown_answer)
    ]
    assert heads[0] == heads[1]


@pytest.mark.parametrize("name", ["request", "request_uri"])
def test_unsigned_request_objects_and_request_uris_are_refused_unfetched(
    server: LiveServer, agent: Agent, user: str, name: str
) -> None:
    """CB-035: neither parameter makes the server open a connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.settimeout(0.2)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/{MARK}"
        with assert_unchanged(server):
            response = agent.ask(user, **{name: url})
        with pytest.raises(TimeoutError):
            listener.accept()

    check_refusal(response, 400, "invalid_request")


_HUGE = {
    "one-value": b"binding_message=" + b"a" * 1_000_000,
    "one-name": b"a" * 1_000_000 + b"=1",
    "deep-json": b"authorization_details=" + b"%5B" * 300_000,
    "many-parameters": b"&".join(b"p%d=1" % n for n in range(100_000)),
}


@pytest.mark.parametrize("case", _HUGE)
def test_a_megabyte_is_refused_unparsed(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-180, RA-17: the request gets 413, and the server continues to work."""
    good = urlencode(_valid_form(user)).encode()
    with assert_unchanged(server):
        response = _post(agent, good + b"&" + _HUGE[case])

    check_refusal(response, 413, "invalid_request")
    assert agent.ask(user).status_code == 200


_LARGE = {
    "70-KB": b"binding_message=" + b"a" * 70_000,
    "10000-parameters": b"&".join(b"p%d=1" % n for n in range(10_000)),
    "101-parameters": b"&".join(b"p%d=1" % n for n in range(101)),
    "10000-scopes": b"scope=openid" + b"+a" * 10_000,
}


@pytest.mark.parametrize("case", _LARGE)
def test_more_than_a_request_can_need_is_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-180: a request that is too large to be sensible but below the cut-off gets a 400."""
    form = _valid_form(user) | ({"scope": ""} if case.endswith("scopes") else {})
    with assert_unchanged(server):
        response = _post(agent, urlencode(form).encode() + b"&" + _LARGE[case])

    check_refusal(response, 400, "invalid_scope" if case.endswith("scopes") else "invalid_request")


def test_deeply_nested_json_within_the_size_limit_is_refused(
    server: LiveServer, agent: Agent, user: str
) -> None:
    """RA-17: the depth of JSON has its own limit."""
    for text in ("[" * 60_000, "[" * 20 + "]" * 20, '{"a":' * 10_000):
        with assert_unchanged(server):
            response = _post(agent, urlencode(_valid_form(user)) + "&authorization_details=" + text)
        check_refusal(response, 400, "invalid_authorization_details")


_CRLF = "\r\n"
_RAW = {
    "chunked": (
        "POST /bc-authorize HTTP/1.1|Host: localhost|Transfer-Encoding: chunked|"
        f"Content-Type: {_FORM}|Connection: close||5|a=b&c|0||"
    ),
    "bad-chunk": (
        "POST /bc-authorize HTTP/1.1|Host: localhost|Transfer-Encoding: chunked|"
        f"Content-Type: {_FORM}|Connection: close||zz|a=b|0||"
    ),
    "bad-length": (
        "POST /bc-authorize HTTP/1.1|Host: localhost|Content-Length: abc|"
        f"Content-Type: {_FORM}|Connection: close||a=b"
    ),
    "negative-length": (
        "POST /bc-authorize HTTP/1.1|Host: localhost|Content-Length: -5|"
        f"Content-Type: {_FORM}|Connection: close||a=b"
    ),
    "no-host": f"POST /bc-authorize HTTP/1.1|Content-Type: {_FORM}|Connection: close||",
    "bad-host": "GET /jwks HTTP/1.1|Host: a b/../c|Connection: close||",
    "bad-version": "POST /bc-authorize HTTP/9.9|Host: localhost||",
    "no-request": "\x00\x01\x02||",
    "bad-header": "POST /bc-authorize HTTP/1.1|Host: localhost|no colon here|Connection: close||",
    "nul-header": "POST /token HTTP/1.1|Host: localhost|X-A: \x00\x1b[2J|Connection: close||",
    "escape-in-path": "GET /\x1b]52;c;aGk=\x07 HTTP/1.1|Host: localhost|Connection: close||",
    "double-slash": "POST //token HTTP/1.1|Host: evil.example|Connection: close||",
    "percent-path": "GET /%00%ff%2e%2e/%1b HTTP/1.1|Host: localhost|Connection: close||",
    "long-path": "GET /" + "a" * 20_000 + " HTTP/1.1|Host: localhost|Connection: close||",
    "long-header": "GET /jwks HTTP/1.1|Host: localhost|X-A: " + "a" * 100_000 + "||",
    "many-headers": "GET /jwks HTTP/1.1|Host: localhost|" + "X-A: 1|" * 1_000 + "|",
}


@pytest.mark.parametrize("case", _RAW)
def test_malformed_http_causes_no_internal_error(server: LiveServer, case: str) -> None:
    """Malformed HTTP gets an answer below 500 and creates nothing; the next request works."""
    before = footprint(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        line.sendall(_RAW[case].replace("|", _CRLF).encode("latin-1"))
        with suppress(OSError):  # the server may have closed it already
            line.shutdown(socket.SHUT_WR)
        answer = _read_all(line)
    first = answer.split(b"\r\n", 1)[0]

    assert first.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:300]
    assert b"location" not in answer.lower()
    assert footprint(server) == before
    with server.client() as http:
        assert http.get("/healthz").status_code == 200


def _read_all(line: socket.socket) -> bytes:
    received = b""
    while True:
        try:
            chunk = line.recv(65_536)
        except ConnectionResetError:
            return received
        if not chunk:
            return received
        received += chunk
