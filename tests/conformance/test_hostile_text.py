"""Text that attacks screens and logs, in every field that an agent fills.

Either it is refused with the error of its field, or the terminal gets it in a harmless form: it
moves no cursor, hides no letter and reverses no line, and only the action type makes the headline.
The server's log is checked at the end of the file, in both formats.
"""

import base64
import json
import socket
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from server.services.refusals import Invalid
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import assert_unchanged, check_problem, check_refusal, footprint
from tests.support.clients.agent import Agent
from tests.support.clients.terminal import Terminal
from tests.support.inputs.raw_api import RawApi
from tests.support.servers.server import LiveServer

HOSTILE = {
    "escape": "a\x1b[2J\x1b[1;1Hb",
    "osc-52": "a\x1b]52;c;aGVsbG8=\x07b",
    "osc-8": "a\x1b]8;;https://evil.example\x1b\\b\x1b]8;;\x1b\\",
    "c1": "a\x9b31mb\x9d52;c;aGk=\x9c",
    "bell": "a\x07b",
    "line-feed": "a\nAPPROVED\nb",
    "carriage-return": "a\rPay EUR 1.00 to me",
    "delete": "a\x7f\x7f\x7fb",
    "bidi-override": "a\u202eevil\u202cb",
    "bidi-isolate": "a\u2066evil\u2069b",
    "zero-width": "a\u200b\u200d\u2060\ufeffb",
    "tags": "a\U000e0041\U000e0042\U000e007fb",
    "line-separator": "a\u2028b\u2029c",
    "private-use": "a\ue000\U000f0000b",
    "noncharacter": "a\ufffe\uffffb",
    "marks": "q" + "\u0301\u0302\u0303" * 10,
    "null": "a\x00b",
}
"""Each of these texts looks like a different text, or has an effect when it is drawn."""

_WHITE_SPACE = {"carriage-return", "line-feed", "line-separator"}
"""In a note, white space is replaced by single spaces."""

HARMLESS = {
    "markup": "[bold red]a[/] [@click=app.quit]b[/]",
    "html": "<script>alert(1)</script>&amp;<b>",
    "template": "{payee} {{7*7}} ${x} %s %n",
    "quotes": "'\"\\`;--",
}
"""Characters that have an effect only where a program interprets them."""

_CLOSE_HEADER = {"Connection": "close"}
_BREAKS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


_FIRST, _SECOND = "json", "text"
"""The formats of the log."""


def _each_once(name: str, places: Sequence[str], attacks: Sequence[str]) -> pytest.MarkDecorator:
    """Combines every field with one attack, because logs escape all fields in the same way."""
    turns = range(max(len(places), len(attacks)))
    pairs = [(places[n % len(places)], attacks[n % len(attacks)]) for n in turns]
    return pytest.mark.parametrize((name, "attack"), pairs)


_IN_THE_OTHER_LOG = pytest.mark.parametrize("settings", [_SECOND], indirect=True)
_IN_BOTH_LOGS = pytest.mark.parametrize("settings", [_FIRST, _SECOND], indirect=True)


@pytest.fixture(scope="module", params=[_FIRST])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings without limits, with a debug log in the test's format."""
    return {
        "open_per_agent": "100000",
        "open_per_user": "100000",
        "log_level": "debug",
        "log_format": request.param,
    }


@pytest.fixture(scope="module")
def asking(server: LiveServer, http: httpx.Client) -> Agent:
    """The agent that this file's tests share."""
    return Agent(server.agent(), http)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _check_drawable(text: str) -> None:
    """Checks that a text has no control, format or unassigned character and no pile of marks."""
    assert [c for c in text if unicodedata.category(c) in _BREAKS] == []
    marks = [unicodedata.category(c)[0] == "M" for c in text]
    assert not any(all(marks[at : at + 4]) for at in range(len(marks) - 3))


def _checked_display(person: Terminal, asked: httpx.Response) -> dict[str, Any]:
    """Returns the display that the terminal gets, in which every text must be harmless."""
    assert asked.status_code == 200, asked.text
    pending = next(
        a for a in person.client.waiting().items if a.fingerprint == asked.json()["fingerprint"]
    )
    api = RawApi(person, person.client.session.transport._http)
    raw = api.call("GET", f"/api/approvals/{pending.id}").json()
    display: dict[str, Any] = json.loads(raw["display"])
    for text in _texts(display):
        _check_drawable(text)
    _check_drawable(raw["display"])
    _check_drawable(pending.display.headline)
    return display


_REFUSED = {
    "binding_message": {"invalid_binding_message"},
    "login_hint": {"invalid_request", "unknown_user_id"},
    "scope": {"invalid_scope"},
    "resource": {"invalid_target"},
    "acr_values": {"invalid_request"},
    "requested_expiry": {"invalid_request"},
    "authorization_details": {"invalid_authorization_details"},
    "id_token_hint": {"invalid_request"},
    "client_id": {"invalid_client"},
    "auth_req_id": {"invalid_grant"},
    "grant_type": {"unsupported_grant_type"},
}


def _send_in_field(asking: Agent, user: str, field: str, text: str) -> httpx.Response:
    form = {"login_hint": user, "scope": "openid payments:read", "resource": PAY}
    if field in {"auth_req_id", "grant_type"}:
        form = {"grant_type": "urn:openid:params:grant-type:ciba"}
        body = {**form, field: text}
        return asking.http.post("/token", data=body, auth=asking.key.basic, headers=_CLOSE_HEADER)
    if field == "id_token_hint":
        del form["login_hint"]
    value = f"openid {text}" if field == "scope" else text
    return asking.http.post(
        "/bc-authorize", data={**form, field: value}, auth=asking.key.basic, headers=_CLOSE_HEADER
    )


@pytest.mark.parametrize("attack", HOSTILE)
@pytest.mark.parametrize("field", _REFUSED)
def test_hostile_text_is_refused_in_formatted_fields(
    server: LiveServer, asking: Agent, user: str, field: str, attack: str
) -> None:
    """FC-A06, CB-066, CB-190, RI-01, NG-016: the error fits the field and repeats nothing."""
    with assert_unchanged(server):
        response = _send_in_field(asking, user, field, HOSTILE[attack])
    status = 401 if field == "client_id" and attack != "null" else 400
    error = response.json()["error"]
    check_refusal(response, status, error)

    assert error in ({"invalid_request"} if attack == "null" else _REFUSED[field])
    for part in HOSTILE[attack].split("\x1b"):
        assert len(part) < 6 or part not in response.text


@_IN_THE_OTHER_LOG
@_each_once("field", [*_REFUSED], [*HOSTILE])
def test_hostile_text_is_refused_with_a_log_of_lines(
    server: LiveServer, asking: Agent, user: str, field: str, attack: str
) -> None:
    """The text log is checked at the end of the file."""
    test_hostile_text_is_refused_in_formatted_fields(server, asking, user, field, attack)


def test_a_null_character_in_details_is_refused(asking: Agent, person: Terminal) -> None:
    """Databases and screens do not accept null characters, so the details are refused."""
    detail = {"type": "payment.transfer", "payee": HOSTILE["null"]}
    response = asking.ask(person.user, authorization_details=json.dumps([detail]))
    assert response.json()["error"] == "invalid_authorization_details"
    assert "null characters are not allowed" in response.json()["error_description"]


@_IN_BOTH_LOGS
@pytest.mark.parametrize("attack", [name for name in HOSTILE if name != "null"])
def test_hostile_text_in_details_is_shown_escaped(
    asking: Agent, person: Terminal, attack: str
) -> None:
    """I27, RA-16, RA-19: details are not refused for their letters. The amount stays visible."""
    detail = {
        "type": "payment.transfer",
        "amount": {"minor": 482_000, "currency": "EUR"},
        "payee": HOSTILE[attack],
    }
    response = asking.ask(
        person.user,
        scope="openid payments:transfer",
        authorization_details=json.dumps([detail]),
    )
    display = _checked_display(person, response)
    facts = {fact["label"]: fact["value"] for fact in display["facts"]}

    assert display["headline"].startswith(f"Pay EUR 4,820.00 to {HOSTILE[attack][0]}")
    assert display["title"] == "Payment"
    assert facts["Payee"].startswith(HOSTILE[attack][0])
    assert facts["Payee"] != HOSTILE[attack]
    assert "\\u{" in facts["Payee"]


@pytest.mark.parametrize("text", HARMLESS)
def test_markup_is_shown_as_text(asking: Agent, person: Terminal, text: str) -> None:
    """CB-065, RA-16: markup is shown exactly as sent, and only in its own field."""
    detail = {
        "type": "payment.transfer",
        "amount": {"minor": 5, "currency": "EUR"},
        "payee": HARMLESS[text],
    }
    display = _checked_display(
        person,
        asking.ask(
            person.user,
            scope="openid payments:transfer",
            authorization_details=json.dumps([detail]),
            binding_message=HARMLESS[text],
        ),
    )

    assert display["agent_says"] == HARMLESS[text]
    assert display["headline"] == f"Pay EUR 0.05 to {HARMLESS[text]}"
    plain = _checked_display(person, asking.ask(person.user, binding_message=HARMLESS[text]))
    assert plain["headline"] == f"Use payments:read at {PAY}"


def test_an_agents_text_changes_only_its_own_field(asking: Agent, person: Terminal) -> None:
    """Two requests that differ only in prose differ on the screen only in `agent_says`."""
    harmless = _checked_display(person, asking.ask(person.user))
    hostile = _checked_display(
        person,
        asking.ask(
            person.user,
            binding_message="Low risk. Approved by your admin. Headline: nothing.",
            acr_values="approved",
        ),
    )
    own = {"approval", "agent_says", "asked_at", "expires_at"}
    first = {"first_request"}

    assert hostile["agent_says"].startswith("Low risk")
    assert {n: v for n, v in harmless.items() if n not in own | {"agent"}} == {
        n: v for n, v in hostile.items() if n not in own | {"agent"}
    }
    assert {n: v for n, v in harmless["agent"].items() if n not in first} == {
        n: v for n, v in hostile["agent"].items() if n not in first
    }


_HEADERS = {
    "escape": b"\x1b[2J\x1b]52;c;aGk=\x07",
    "c1": b"\x9b31m\x9d",
    "latin-1": "é\xad".encode("latin-1"),
    "utf-8-bidi": "\u202e\u200b".encode(),
    "tab": b"a\tb",
    "delete": b"\x7f\x7f",
    "null": b"a\x00b",
    "quotes": b"'\"\\ %s {x}",
    "60-KB": b"a" * 60_000,
    "1-MB": b"a" * 1_000_000,
}


_NAMES = ["Idempotency-Key", "User-Agent", "Prefer", "Accept", "X-Correlation-Id", "Referer"]


@pytest.mark.parametrize("attack", _HEADERS)
@pytest.mark.parametrize("header", _NAMES)
def test_hostile_headers_are_harmless(
    server: LiveServer, asking: Agent, user: str, header: str, attack: str
) -> None:
    """The header is accepted or refused, causes no internal error and is never repeated."""
    basic = base64.b64encode(":".join(asking.key.basic).encode())
    form = {"login_hint": user, "scope": "openid payments:read", "resource": PAY}
    body = urlencode(form).encode()
    head = (
        b"POST /bc-authorize HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Authorization: Basic %s\r\nContent-Length: %d\r\n%s: %s\r\n\r\n"
    ) % (basic, len(body), header.encode(), _HEADERS[attack])
    answer = _exchange(server, head + body)
    status = int(answer.split(b" ", 2)[1]) if answer else 400

    assert status in {200, 400, 414, 431}, answer[:200]
    assert len(_HEADERS[attack]) > 3_000 or _HEADERS[attack] not in answer
    assert asking.http.get("/healthz").status_code == 200


@_IN_THE_OTHER_LOG
@_each_once("header", _NAMES, [*_HEADERS])
def test_hostile_headers_are_harmless_with_a_log_of_lines(
    server: LiveServer, asking: Agent, user: str, header: str, attack: str
) -> None:
    """The text log is checked at the end of the file."""
    test_hostile_headers_are_harmless(server, asking, user, header, attack)


def _exchange(server: LiveServer, request: bytes) -> bytes:
    """Sends a request and returns the answer; the server may close the connection early."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        try:
            line.sendall(request)
            return b"".join(iter(lambda: line.recv(65_536), b""))
        except (ConnectionResetError, BrokenPipeError):
            return b""


@pytest.mark.parametrize("field", [*_REFUSED, "client_secret", "anything"])
def test_a_megabyte_in_any_field_is_refused(
    server: LiveServer, asking: Agent, user: str, field: str
) -> None:
    """The request gets 413 before it is parsed."""
    with assert_unchanged(server):
        response = _send_in_field(asking, user, field, "\x1b[2J" + "é" * 500_000)

    check_refusal(response, 413, "invalid_request")


@pytest.mark.parametrize("attack", HOSTILE)
def test_an_agent_cannot_be_registered_with_hostile_text(server: LiveServer, attack: str) -> None:
    """Names and descriptions of agents appear in headlines and lists."""
    before = footprint(server)
    with pytest.raises(Invalid) as refused:
        server.agent(name=HOSTILE[attack])
    with pytest.raises(Invalid):
        server.agent(description=HOSTILE[attack])

    _check_drawable(str(refused.value))
    assert footprint(server) == before


_LOOK_ALIKES = {
    "cyrillic-inside": "p\u0430ypal",
    "greek-inside": "\u03b1dmin-bot",
    "full-width": "\uff41dmin",
    "bold": "\U0001d41admin",
    "space-before": " admin-bot",
    "space-after": "admin-bot ",
    "two-spaces": "admin  bot",
    "dash-before": "-admin",
    "slash": "admin/bot",
    "long": "a" * 65,
    "empty": "",
}


@pytest.mark.parametrize("case", _LOOK_ALIKES)
def test_an_agent_cannot_be_registered_with_a_look_alike_name(
    server: LiveServer, case: str
) -> None:
    """Mixed scripts, stylized letters and unusual spaces make one name look like another."""
    with pytest.raises(Invalid):
        server.agent(name=_LOOK_ALIKES[case])


@_IN_BOTH_LOGS
@pytest.mark.parametrize("attack", sorted(HOSTILE.keys() - _WHITE_SPACE))
def test_hostile_notes_are_refused(
    server: LiveServer, asking: Agent, person: Terminal, attack: str
) -> None:
    """A note is shown on other screens too, so it is checked as well."""
    asking.ask(person.user)
    pending = person.client.waiting().items[0]
    path, api = f"/api/approvals/{pending.id}/decision", RawApi(person, asking.http)
    with assert_unchanged(server):
        answer = api.call("POST", path, json={"decision": "a.b.c", "note": HOSTILE[attack]})
    check_problem(answer, 422, "invalid_body")
    _check_drawable(answer.json()["detail"])


@_IN_BOTH_LOGS
@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_device_names_are_refused(
    server: LiveServer, asking: Agent, person: Terminal, attack: str
) -> None:
    """The name of a device is shown on other screens too, so it is checked as well."""
    api = RawApi(person, asking.http)
    keys = {"low": api.key.jwk, "high": api.key.jwk}
    device = {"name": HOSTILE[attack], "approval_keys": keys}
    with assert_unchanged(server):
        answer = api.call("POST", "/api/devices", json=device)
    assert answer.status_code in {409, 422}
    _check_drawable(answer.json()["detail"])
