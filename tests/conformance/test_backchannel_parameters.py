"""CIBA Core 7.1, RFC 8707 and RFC 9396: each parameter of a backchannel request.

A refusal names the broken rule and repeats nothing that was sent, and nobody is asked.
"""

import json
from typing import Any

import pytest

from server.services.audit import audit
from server.services.users.users import NewUser, Users
from tests.support.builders.installation import PAY
from tests.support.checks.refusals import MARK, assert_unchanged, check_refusal
from tests.support.clients.agent import PAYMENT_DETAILS, Agent, new_agent
from tests.support.servers.server import LiveServer

BY = audit.OPERATOR


def _assert_refused(
    server: LiveServer, agent: Agent, status: int, error: str, form: dict[str, Any]
) -> None:
    with assert_unchanged(server):
        response = agent.http.post("/bc-authorize", data=form, auth=agent.key.basic)
    check_refusal(response, status, error)


def _form(user: str, **changes: Any) -> dict[str, Any]:
    form = {"login_hint": user, "scope": "openid payments:read", "resource": PAY, **changes}
    return {name: value for name, value in form.items() if value is not None}


def _newest(server: LiveServer, user: str) -> dict[str, Any]:
    """Returns the display and the action of the newest request to this user."""
    with server.services.store.read() as view:
        row = view.directory.find_user(user)
        assert row is not None
        pending = view.approvals.waiting(row.id, view.now, 1_000, None)
    newest = max(pending, key=lambda approval: approval.created_at)
    return {"display": json.loads(newest.display), "action": json.loads(newest.action)}


_SCOPES = {
    "CB-040-missing": (None, "invalid_request"),
    "CB-041-no-openid": ("payments:read", "invalid_request"),
    "CB-042-unknown": ("openid payments:none", "invalid_scope"),
    "CB-042-beyond": ("openid payments:transfer payments:refund", "invalid_scope"),
    "CB-042-two-spaces": ("openid  payments:read", "invalid_scope"),
    "CB-042-trailing-space": ("openid payments:read ", "invalid_scope"),
    "CB-042-tab": ("openid\tpayments:read", "invalid_scope"),
    "CB-042-quote": ('openid "payments:read"', "invalid_scope"),
    "CB-042-backslash": ("openid payments\\read", "invalid_scope"),
    "CB-042-escape": (f"openid \x1b[2J{MARK}", "invalid_scope"),
    "CB-042-unicode": ("openid payments:réad", "invalid_scope"),
    "CB-042-long": ("openid " + "a" * 129, "invalid_scope"),
    "CB-042-many": ("openid " + " ".join(f"s{n}" for n in range(70)), "invalid_scope"),
    "CB-042-case": ("openid Payments:Read", "invalid_scope"),
    "only-openid": ("openid profile email", "invalid_target"),
}


@pytest.mark.parametrize("case", _SCOPES)
def test_an_invalid_scope_is_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-040 to CB-042, CB-181: an invalid scope is refused and never dropped silently."""
    scope, error = _SCOPES[case]
    _assert_refused(server, agent, 400, error, _form(user, scope=scope))


def test_a_repeated_scope_counts_once(server: LiveServer, agent: Agent) -> None:
    """RFC 6749 3.3: a list of scopes is a set."""
    user, _ = server.user()
    response = agent.ask(user, scope="payments:read openid payments:read openid")

    assert response.status_code == 200, response.text
    assert _newest(server, user)["action"]["scope"] == ["payments:read"]


_LONG = "a" * 321
_HINTS = {
    "CB-043-none": ({"login_hint": None}, "invalid_request"),
    "CB-044-with-id-token": ({"id_token_hint": "a.b.c"}, "invalid_request"),
    "CB-045-with-hint-token": ({"login_hint_token": "a.b.c"}, "invalid_request"),
    "CB-046-both-tokens": (
        {"login_hint": None, "login_hint_token": "a.b.c", "id_token_hint": "a.b.c"},
        "invalid_request",
    ),
    "CB-046-all": ({"login_hint_token": "a.b.c", "id_token_hint": "a.b.c"}, "invalid_request"),
    "CB-048-unknown": ({"login_hint": MARK}, "unknown_user_id"),
    "CB-048-unknown-id": ({"login_hint": "sayso_us_aaaaaaaaaaaaaaaa"}, "unknown_user_id"),
    "CB-048-agent-id": ({"login_hint": "{agent}"}, "unknown_user_id"),
    "CB-049-escape": ({"login_hint": "\x1b]52;c;aGk=\x07"}, "invalid_request"),
    "CB-049-line-feed": ({"login_hint": "{user}\nX-Injected: 1"}, "invalid_request"),
    "CB-049-nul": ({"login_hint": "{user}\x00"}, "invalid_request"),
    "CB-049-bidi": ({"login_hint": "\u202e{user}"}, "invalid_request"),
    "CB-049-zero-width": ({"login_hint": "{user}\u200b"}, "invalid_request"),
    "CB-049-tags": ({"login_hint": "{user}\U000e0041"}, "invalid_request"),
    "CB-049-long": ({"login_hint": _LONG}, "invalid_request"),
    "CB-049-spaces": ({"login_hint": "   "}, "unknown_user_id"),
    "CB-049-quotes": ({"login_hint": "' OR 1=1 --"}, "unknown_user_id"),
    "CB-049-wildcard": ({"login_hint": "%"}, "unknown_user_id"),
    "CB-058-hint-token": ({"login_hint": None, "login_hint_token": MARK}, "invalid_request"),
}


@pytest.mark.parametrize("case", _HINTS)
def test_an_invalid_hint_is_refused(server: LiveServer, agent: Agent, user: str, case: str) -> None:
    """CB-043 to CB-049, CB-058, CB-183: a request needs one hint, of an existing user."""
    changes, error = _HINTS[case]
    filled = {
        name: value if value is None else value.format(user=user, agent=agent.key.id)
        for name, value in changes.items()
    }
    _assert_refused(server, agent, 400, error, _form(user, **filled))


def test_a_user_is_found_by_name_email_or_id(server: LiveServer, agent: Agent) -> None:
    """Upper and lower case do not matter in a name or an email address."""
    users = Users(server.services.store, server.services.secrets)
    added, _ = users.add(NewUser("Ada.Hint", "ada@hint.example"), by=BY)
    hints = ["Ada.Hint", "ada.hint", "ada@hint.example", "ADA@hint.example", added.id]
    answers = [agent.ask(hint).status_code for hint in hints]

    assert answers == [200] * 5
    with server.services.store.read() as view:
        assert len(view.approvals.waiting(added.id, view.now, 100, None)) == 5


@pytest.mark.parametrize("case", ["CB-056-disabled", "not-mine-to-ask"])
def test_a_user_who_cannot_be_asked_looks_unknown(server: LiveServer, user: str, case: str) -> None:
    """CB-056, CB-048: this applies to disabled users and to users the agent may not ask."""
    other, _ = server.user()
    agent = new_agent(server, asks=(user,) if case == "not-mine-to-ask" else None)
    if case == "CB-056-disabled":
        Users(server.services.store, server.services.secrets).disable(other, by=BY)
    with assert_unchanged(server):
        refused = agent.ask(other)
        unknown_answer = agent.ask("nobody-of-this-name")
    agent.http.close()

    check_refusal(refused, 400, "unknown_user_id")
    assert refused.content == unknown_answer.content


def test_guessing_user_names_is_limited(server: LiveServer, user: str) -> None:
    """DE-04: after twenty unknown users in ten minutes, an agent gets no more information."""
    agent, other_agent = new_agent(server), new_agent(server)
    for n in range(20):
        assert agent.ask(f"guess-{n}").json()["error"] == "unknown_user_id"
    agent.ask("guess-20")
    with assert_unchanged(server):
        unknown_answer, known_answer = agent.ask("guess-21"), agent.ask(user)

    check_refusal(unknown_answer, 403, "access_denied")
    assert unknown_answer.content == known_answer.content
    assert other_agent.ask(user).status_code == 200
    agent.http.close()
    other_agent.http.close()


_MESSAGES = {
    "empty-is-absent": ("", None),
    "one-character": ("x", "x"),
    "words": ("Invoice INV-2291, due Friday", "Invoice INV-2291, due Friday"),
    "200-characters": ("é" * 200, "é" * 200),
    "composed": ("e\u0301" * 150, "é" * 150),
    "markup": ("<b>[red]x[/red]</b> & {x}", "<b>[red]x[/red]</b> & {x}"),
    "right-to-left": ("שלום مرحبا", "שלום مرحبا"),
    "emoji": ("\U0001f9fe €", "\U0001f9fe €"),
    "quotes": ('it\'s "fine" \\o/', 'it\'s "fine" \\o/'),
}


@pytest.mark.parametrize("case", _MESSAGES)
def test_a_displayable_binding_message_is_shown_unchanged(
    server: LiveServer, agent: Agent, case: str
) -> None:
    """CB-065, CB-067: the message is in its own field and nowhere else."""
    message, displayed = _MESSAGES[case]
    user, _ = server.user()
    assert agent.ask(user, binding_message=message).status_code == 200
    display = _newest(server, user)["display"]

    assert display.pop("agent_says") == displayed
    assert (
        displayed is None
        or displayed not in json.dumps(display, ensure_ascii=False)
        or displayed == "x"
    )
    assert display["headline"] == f"Use payments:read at {PAY}"


_HOSTILE = {
    "bell": "\x07",
    "backspace": "\x08",
    "tab": "\t",
    "line-feed": "\n",
    "carriage-return": "\r",
    "escape": "\x1b[2J",
    "osc-52": "\x1b]52;c;aGk=\x07",
    "delete": "\x7f",
    "c1-csi": "\x9b31m",
    "next-line": "\x85",
    "soft-hyphen": "\xad",
    "no-break-space": "\xa0",
    "ideographic-space": "\u3000",
    "line-separator": "\u2028",
    "paragraph-separator": "\u2029",
    "zero-width-space": "\u200b",
    "zero-width-joiner": "\u200d",
    "right-to-left-mark": "\u200f",
    "right-to-left-override": "\u202e",
    "isolate": "\u2066",
    "pop-isolate": "\u2069",
    "byte-order-mark": "\ufeff",
    "tag": "\U000e0041",
    "private-use": "\ue000",
    "noncharacter": "\uffff",
    "unassigned": "\u0378",
    "four-marks": "q\u0321\u0322\u0323\u0324",
    "many-marks": "q" + "\u0321" * 60,
    "201-characters": "a" * 201,
    "10000-characters": "a" * 10_000,
    "10000-marks": "\u0301" * 10_000,
}


@pytest.mark.parametrize("case", _HOSTILE)
def test_a_deceptive_binding_message_is_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """CB-066, CB-187, NG-016: it is refused, not cleaned up, so nothing that was sent is hidden."""
    message = f"{MARK}{_HOSTILE[case]}{MARK}"
    _assert_refused(
        server, agent, 400, "invalid_binding_message", _form(user, binding_message=message)
    )


_EXPIRIES = {
    "1": (1, 1),
    "30": (30, 30),
    "600": (600, 600),
    "86399": (86_399, 600),
    "86400": (86_400, 600),
    "86401": (86_400, 600),
    "999999999": (86_400, 600),
    "99999999999999999": (86_400, 600),
}


@pytest.mark.parametrize("asked", _EXPIRIES)
def test_a_requested_expiry_is_honored_up_to_the_limit_of_its_risk(
    agent: Agent, user: str, asked: str
) -> None:
    """CB-072, CB-074: the limit is a day at low risk and ten minutes at high risk."""
    low, high = _EXPIRIES[asked]

    assert agent.ask(user, requested_expiry=asked).json()["expires_in"] == low
    assert agent.ask_payment(user, requested_expiry=asked).json()["expires_in"] == high


_BAD_EXPIRIES = ["0", "00", "-1", "+5", "1.5", "1e99", "abc", " 5", "5 ", "0x10", "1_000", "NaN"]
_BAD_EXPIRIES += ["٣", "5\n", "[5]", "Infinity", "9" * 5_000]


@pytest.mark.parametrize("asked", _BAD_EXPIRIES, ids=[ascii(text)[:12] for text in _BAD_EXPIRIES])
def test_an_invalid_requested_expiry_is_refused(
    server: LiveServer, agent: Agent, user: str, asked: str
) -> None:
    """CB-072: the value must be a positive whole number in ASCII digits."""
    _assert_refused(server, agent, 400, "invalid_request", _form(user, requested_expiry=asked))


def _payment(**changes: Any) -> dict[str, Any]:
    detail = {**PAYMENT_DETAILS[0], **changes}
    return {name: value for name, value in detail.items() if value is not ...}


_VALID_DETAILS = _payment()
_NESTED = _payment(amount={"minor": 1, "currency": "EUR", MARK: 1})
_DETAILS: dict[str, Any] = {
    "RA-01-not-json": "payment.transfer",
    "RA-01-cut": '[{"type":"payment.transfer"',
    "RA-01-trailing": '[{"type":"payment.transfer"}] x',
    "RA-01-empty": [],
    "RA-01-object": _VALID_DETAILS,
    "RA-01-null": None,
    "RA-01-text": '"x"',
    "RA-01-numbers": [1],
    "RA-01-texts": [MARK],
    "RA-01-nulls": [None],
    "RA-01-arrays": [[_VALID_DETAILS]],
    "RA-01-one-of-two": [_VALID_DETAILS, 1],
    "RA-02-missing": [_payment(type=...)],
    "RA-02-null": [_payment(type=None)],
    "RA-02-empty": [_payment(type="")],
    "RA-02-number": [_payment(type=5)],
    "RA-02-list": [_payment(type=["payment.transfer"])],
    "RA-03-unknown": [_payment(type=MARK)],
    "RA-03-case": [_payment(type="Payment.Transfer")],
    "RA-03-nul": [_payment(type="payment.transfer\x00")],
    "RA-03-long": [_payment(type="a" * 10_000)],
    "RA-03-one-of-two": [_VALID_DETAILS, _payment(type=MARK)],
    "RA-04-unknown-field": [_payment(**{MARK: "x"})],
    "RA-04-nested": [_NESTED],
    "RA-04-one-of-two": [_VALID_DETAILS, _NESTED],
    "RA-05-text-for-number": [_payment(amount={"minor": "5", "currency": "EUR"})],
    "RA-05-number-for-text": [_payment(payee=5)],
    "RA-05-list-for-object": [_payment(amount=[5, "EUR"])],
    "RA-05-null": [_payment(payee=None)],
    "RA-05-true-for-number": [_payment(amount={"minor": True, "currency": "EUR"})],
    "RA-06-currency": [_payment(amount={"minor": 5, "currency": MARK})],
    "RA-06-long": [_payment(payee=MARK * 8)],
    "RA-07-missing": [_payment(payee=...)],
    "RA-07-nested": [_payment(amount={"minor": 5})],
    "RA-17-many": [_VALID_DETAILS] * 11,
    "RA-17-deep": "[" * 17 + "]" * 17,
    "RA-17-deep-member": '[{"type":"payment.transfer","payee":' + "[" * 40 + "]" * 40 + "}]",
    "RA-18-repeated": f'[{{"type":"payment.transfer","{MARK}":1,"{MARK}":2}}]',
    "RA-18-repeated-type": '[{"type":"x","type":"payment.transfer"}]',
    "RA-18-repeated-nested": '[{"type":"payment.transfer","amount":{"minor":1,"minor":2}}]',
    "RA-19-float": '[{"type":"payment.transfer","amount":{"minor":1.0,"currency":"EUR"}}]',
    "RA-19-exponent": '[{"type":"payment.transfer","amount":{"minor":1e3,"currency":"EUR"}}]',
    "RA-19-nan": '[{"type":"payment.transfer","amount":{"minor":NaN,"currency":"EUR"}}]',
    "RA-19-infinity": f'[{{"type":"payment.transfer","{MARK}":-Infinity}}]',
    "RA-19-large": f'[{{"type":"payment.transfer","{MARK}":9007199254740993}}]',
    "RA-19-larger": '[{"type":"payment.transfer","amount":{"minor":' + "9" * 5_000 + "}}]",
    "RA-19-surrogate": '[{"type":"payment.transfer","payee":"\\ud800"}]',
    "RA-19-surrogate-name": '[{"type":"payment.transfer","\\ud800":1}]',
}


@pytest.mark.parametrize("case", _DETAILS)
def test_invalid_authorization_details_are_refused(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """RA-01 to RA-08, RA-17, RA-18, NG-106: one invalid object refuses all objects."""
    value = _DETAILS[case]
    raw = value if isinstance(value, str) else json.dumps(value)
    form = _form(user, scope="openid payments:transfer", authorization_details=raw)
    _assert_refused(server, agent, 400, "invalid_authorization_details", form)


def test_all_details_objects_are_shown(server: LiveServer, agent: Agent) -> None:
    """RA-09, RA-10, RA-19: every value of every object is shown, with the scopes."""
    user, _ = server.user()
    details = [_VALID_DETAILS, _payment(payee="Ærø & Søn <b>")]
    response = agent.ask(
        user, scope="openid payments:transfer", authorization_details=json.dumps(details)
    )
    assert response.status_code == 200, response.text
    stored = _newest(server, user)
    values = {fact["value"] for fact in stored["display"]["facts"]}

    assert stored["action"]["authorization_details"] == details
    assert stored["action"]["scope"] == ["payments:transfer"]
    assert {"Nordwind Logistik GmbH", "Ærø & Søn <b>", "EUR 4,820.00"} <= values
    assert [scope["scope"] for scope in stored["display"]["scopes"]] == ["payments:transfer"]
    assert stored["display"]["headline"].endswith("and 1 more")


def test_a_scope_that_requires_details_is_refused_without_them(
    server: LiveServer, user: str
) -> None:
    """RA-07 for scopes: the backchannel endpoint and the token endpoint both refuse it."""
    uri = "https://needs.example"
    server.resources.add(uri, {"pay": "low"}, {"pay": "payment.transfer"}, by=BY)
    agent = new_agent(server, resources=(uri,), scopes=("pay",))
    form = _form(user, resource=uri, scope="openid pay")
    _assert_refused(server, agent, 400, "invalid_authorization_details", form)
    with assert_unchanged(server):
        response = agent.http.post(
            "/token",
            data={"grant_type": "client_credentials", "scope": "pay"},
            auth=agent.key.basic,
        )
    check_refusal(response, 400, "invalid_authorization_details")
    agent.http.close()


_RESOURCES = {
    "RI-01-relative": "pay.example",
    "RI-01-path": "/pay",
    "RI-01-no-host": "https://",
    "RI-01-no-host-path": "https:///pay",
    "RI-01-word": MARK,
    "RI-02-fragment": f"{PAY}#x",
    "RI-02-empty-fragment": f"{PAY}#",
    "RI-04-unknown": f"https://{MARK}.example",
    "RI-10-case-of-host": "https://PAY.example",
    "RI-10-case-of-scheme": "HTTPS://pay.example",
    "RI-10-default-port": f"{PAY}:443",
    "RI-10-dot-segment": f"{PAY}/.",
    "RI-10-escaped-dots": f"{PAY}/%2e%2e/",
    "RI-10-escaped-host": "https://p%61y.example",
    "RI-10-trailing-dot": "https://pay.example.",
    "RI-10-query": f"{PAY}?x=1",
    "RI-11-userinfo": "https://pay.example@evil.example",
    "RI-11-userinfo-here": "https://admin:pw@pay.example",
    "RI-11-ftp": "ftp://pay.example",
    "RI-11-javascript": "javascript:alert(1)",
    "RI-11-urn": "urn:pay",
    "RI-11-file": "file:///etc/passwd",
    "RI-11-http": "http://pay.example",
    "RI-01-space": "https://pay.example ",
    "RI-01-escape": "https://pay.example/\x1b[2J",
    "RI-01-line-feed": "https://pay.example\n",
    "RI-01-unicode": "https://päy.example",
    "RI-01-bad-port": "https://pay.example:99999",
    "RI-01-bad-bracket": "https://[::1",
    "RI-01-long": f"{PAY}/" + "a" * 3_000,
}


@pytest.mark.parametrize("case", _RESOURCES)
def test_resources_are_compared_exactly(
    server: LiveServer, agent: Agent, user: str, case: str
) -> None:
    """RI-01 to RI-04, RI-10, RI-11, CB-077: a different spelling of a resource is refused."""
    _assert_refused(server, agent, 400, "invalid_target", _form(user, resource=_RESOURCES[case]))


def test_two_resources_are_refused(server: LiveServer, agent: Agent, user: str) -> None:
    """RI-05, DE-20: a token has one audience, so even the same resource twice is refused."""
    form = _form(user, resource=[PAY, PAY])
    _assert_refused(server, agent, 400, "invalid_target", form)
    _assert_refused(
        server, agent, 400, "invalid_target", _form(user, resource=[PAY, "https://b.example"])
    )


def test_without_a_resource_the_scopes_decide(server: LiveServer, agent: Agent) -> None:
    """RI-07, AT-17, AT-18: the agent's only resource or the only one with all scopes is used."""
    for uri, scopes in {
        "https://one.example": {"one": "low", "both": "low"},
        "https://two.example": {"two": "low", "both": "low"},
    }.items():
        server.resources.add(uri, scopes, {}, by=BY)
    uris = ("https://one.example", "https://two.example")
    chooser = new_agent(server, resources=uris, scopes=("one", "two", "both"))
    user, _ = server.user()

    assert agent.ask(user, resource=None).status_code == 200
    assert _newest(server, user)["action"]["resource"] == PAY
    assert chooser.ask(user, resource=None, scope="openid two").status_code == 200
    assert _newest(server, user)["action"]["resource"] == "https://two.example"
    for scope in ("openid both", "openid one two"):
        form = _form(user, resource=None, scope=scope)
        _assert_refused(server, chooser, 400, "invalid_target", form)
    chooser.http.close()


def test_an_agent_without_a_ceiling_may_request_nothing(server: LiveServer, user: str) -> None:
    """An empty ceiling does not mean that everything is allowed."""
    agent = new_agent(server, resources=(), scopes=())
    _assert_refused(server, agent, 400, "invalid_target", _form(user))
    _assert_refused(server, agent, 400, "invalid_target", _form(user, resource=None))
    agent.http.close()


def test_a_critical_request_is_refused_with_too_few_approvers(server: LiveServer) -> None:
    """CB-189: the request gets 403, and nobody is asked."""
    uri = "https://critical.example"
    server.resources.add(uri, {"launch": "critical"}, {}, by=BY)
    agent = new_agent(server, resources=(uri,), scopes=("launch",))
    form = _form("admin", resource=uri, scope="openid launch")
    _assert_refused(server, agent, 403, "access_denied", form)
    agent.http.close()


@pytest.mark.parametrize("acr", ["urn:sayso:acr:signed", "urn:nobody:knows", "a b c", "a" * 512])
def test_an_unsupported_acr_value_is_accepted(agent: Agent, user: str, acr: str) -> None:
    """CB-075: an acr value is a preference, so an unsupported one is not an error."""
    assert agent.ask(user, acr_values=acr).status_code == 200


@pytest.mark.parametrize(
    "acr", ["\x1b[2J", "a\u202eb", "a\nb", "é", "a" * 513], ids=lambda text: ascii(text)[:10]
)
def test_malformed_acr_values_are_refused(
    server: LiveServer, agent: Agent, user: str, acr: str
) -> None:
    """CB-180: a malformed or oversized value is an error and is never truncated."""
    _assert_refused(server, agent, 400, "invalid_request", _form(user, acr_values=acr))


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_invalid_idempotency_key_is_refused(
    server: LiveServer, agent: Agent, user: str, key: str
) -> None:
    """CB-180: our own header must have 1 to 255 characters."""
    with assert_unchanged(server):
        response = agent.ask(user, headers={"Idempotency-Key": key})

    check_refusal(response, 400, "invalid_request")
