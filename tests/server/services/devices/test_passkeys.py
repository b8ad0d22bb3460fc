"""Passkeys as devices: enrollment, browser sessions, and what is refused."""

import json

import pytest

from server.http.route import Caller
from server.protocol.devices.passkeys import decode_base64url, encode_base64url
from server.services.devices.browsers import SIGNED_IN_MS, TICKET_MS
from server.services.devices.enrollment import MAX_ATTEMPTS, UNKNOWN_CODES
from server.services.devices.passkeys import CHALLENGE_MS
from server.services.users.enrollment_codes import LIFETIME_MS
from server.storage.devices.enrollment_codes import EnrollmentCodes
from tests.support.builders.callers import new_person, sign_in
from tests.support.builders.clock import DAY, MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.passkey import LocalBrowser, SoftPasskey, enrollment_code, new_browser
from tests.support.builders.site import ISSUER


def _with_other_passkey(browser, credential=b"another"):
    return LocalBrowser(browser.local, browser.user, SoftPasskey(credential=credential))


def _browser_of(person, credential=b"of ana"):
    return LocalBrowser(person.local, person.user, SoftPasskey(credential=credential))


def _devices(caller):
    send = caller.send if isinstance(caller, LocalBrowser) else caller.call
    return send("GET", "/api/devices").json["items"]


def test_a_first_passkey_is_enrolled_with_a_code(local):
    """The browser is then signed in and can immediately decide requests of any risk."""
    browser = new_browser(local)
    (device,) = _devices(browser)
    assert (device["kind"], device["name"], device["state"]) == ("browser", "phone", "active")
    assert device["keys"] == {"passkey": encode_base64url(browser.passkey.credential)}
    assert browser.device.high_from == browser.device.created_at
    me = browser.send("GET", "/api/me").json
    assert (me["user"]["name"], me["device"]["id"]) == ("eva", browser.device_id)


def test_the_audit_log_contains_the_public_key_of_each_passkey(local):
    """The audit log alone is enough to verify later signatures."""
    browser = new_browser(local)
    (entry,) = [
        enrollment
        for enrollment in local.admin.entries("device.enrolled")
        if enrollment["facts"]["device"] == browser.device_id
    ]
    assert entry["facts"]["kind"] == "browser"
    assert entry["facts"]["public_key"] == encode_base64url(browser.passkey.public_key)
    assert entry["facts"]["synced"] is False


def test_a_person_may_have_several_passkeys_and_terminals(local, person):
    """Each device sees all devices in the list and is marked as the current one."""
    first, second = _browser_of(person), _browser_of(person, b"second")
    for browser in (first, second):
        assert browser.enroll(enrollment_code(local, "ana")).status == 201
    kinds = {device["id"]: device["kind"] for device in _devices(person)}
    assert kinds == {
        person.device_id: "terminal",
        first.device_id: "browser",
        second.device_id: "browser",
    }
    assert [device["id"] for device in _devices(first) if device["this"]] == [first.device_id]


def test_enrollment_options_exclude_existing_passkeys(local):
    """An authenticator does not create a second passkey for the same user."""
    browser = new_browser(local)
    sent = {"code": enrollment_code(local, "eva")}
    options = browser.send("POST", "/api/passkeys/options", sent).json
    credential_id = encode_base64url(browser.passkey.credential)
    assert options["excludeCredentials"] == [{"type": "public-key", "id": credential_id}]


def test_a_later_passkey_waits_a_day_or_until_a_device_vouches_for_it(local, person):
    """An administrator's code alone is not enough to approve high-risk requests."""
    browser = _browser_of(person)
    browser.enroll(enrollment_code(local, "ana"))
    assert browser.device.high_from == local.clock.now() + DAY
    (listed_device,) = [device for device in _devices(person) if device["id"] == browser.device_id]
    person.pin(browser.device_id)
    jws = person.statement("vouch", listed_device["nonce"], person.high, subject=browser.device_id)
    path = f"/api/devices/{browser.device_id}/vouch"
    assert person.call("POST", path, {"statement": jws}).status == 200
    assert browser.device.high_from == local.clock.now()


def test_an_enrollment_code_is_used_once(local):
    """A code that is used a second time is refused and raises an alarm."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    first = LocalBrowser(local, user, SoftPasskey())
    assert first.enroll(issued.code).status == 201
    again = LocalBrowser(local, user, SoftPasskey(credential=b"thief"))
    assert again.enroll(issued.code).refusal == (403, "invalid_code")
    assert len(local.admin.entries("code.reused")) == 2


def test_a_code_used_for_a_terminal_enrolls_no_passkey(local):
    """A code enrolls only one device, whatever kind of device it is."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    sign_in(local, user, issued.code)
    browser = LocalBrowser(local, user, SoftPasskey())
    assert browser.enroll(issued.code).refusal == (403, "invalid_code")


def test_requesting_options_does_not_use_up_a_code(local):
    """The code must stay valid, because a person may load the page twice."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    browser = LocalBrowser(local, user, SoftPasskey())
    for _ in range(2):
        assert browser.send("POST", "/api/passkeys/options", {"code": issued.code}).status == 200
    assert browser.enroll(issued.code).status == 201


def test_a_code_is_invalid_after_its_expiry_and_for_a_disabled_user(local):
    """A code expires after fifteen minutes and cannot enroll a device for a disabled user."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    browser = LocalBrowser(local, user, SoftPasskey())
    local.clock.forward(LIFETIME_MS)
    assert browser.enroll(issued.code).refusal == (403, "invalid_code")
    code = enrollment_code(local, "ana")
    local.admin.users.disable("ana", by=BY)
    assert browser.enroll(code).refusal == (403, "invalid_code")


def test_five_wrong_secrets_invalidate_a_code(local):
    """Attempts at either endpoint count, but malformed codes do not."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    wrong = issued.code[:9] + "0000-" * 5 + "0000"
    browser = LocalBrowser(local, user, SoftPasskey())
    for _ in range(MAX_ATTEMPTS):
        refused = browser.send("POST", "/api/passkeys/options", {"code": wrong})
        assert refused.refusal == (403, "invalid_code")
    assert browser.enroll("hello").refusal == (403, "invalid_code")
    assert browser.enroll(issued.code).refusal == (403, "invalid_code")


def test_a_code_used_by_a_concurrent_enrollment_is_refused(local, monkeypatch):
    """If two browsers use the code, its conditional update succeeds for only one of them."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    monkeypatch.setattr(EnrollmentCodes, "use", lambda *_: False)
    browser = LocalBrowser(local, user, SoftPasskey())
    assert browser.enroll(issued.code).refusal == (403, "invalid_code")
    monkeypatch.undo()
    assert browser.enroll(issued.code).status == 201


def test_guessing_codes_is_limited_per_address(person):
    """The error response has a `Retry-After` header."""
    browser = _browser_of(person)
    unknown = "-".join(["ZZZZ"] * 8)
    answers = [
        browser.send("POST", "/api/passkeys/options", {"code": unknown})
        for _ in range(UNKNOWN_CODES.value + 1)
    ]
    assert answers[0].refusal == (403, "invalid_code")
    assert answers[-1].refusal == (503, "unavailable")
    assert answers[-1].headers["Retry-After"] == "60"


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"attestation": "AA"}, "invalid_passkey"),
        ({"client_data": "AA"}, "invalid_passkey"),
        ({"attestation": "AB"}, "invalid_body"),
        ({"name": "\u202eevil"}, "invalid_body"),
        ({"name": ""}, "invalid_body"),
    ],
)
def test_an_invalid_passkey_leaves_the_code_unused(local, members, error):
    """The person can try again with the same code."""
    user, issued = local.admin.users.enroll("ana", by=BY)
    browser = LocalBrowser(local, user, SoftPasskey())
    assert browser.enroll(issued.code, **members).refusal == (422, error)
    assert browser.enroll(issued.code).status == 201


def test_a_credential_is_enrolled_once(local):
    """A credential that is already enrolled cannot be enrolled by another user."""
    browser = new_browser(local)
    new_person(local, "ben")
    again = browser.enroll(enrollment_code(local, "ben"))
    assert again.refusal == (409, "already_enrolled")


def test_passkeys_count_against_the_device_limit(local):
    """After twenty passkeys, the next one is refused."""
    browser = new_browser(local)
    for number in range(19):
        other = _with_other_passkey(browser, str(number).encode())
        assert other.enroll(enrollment_code(local, "eva")).status == 201
    last = _with_other_passkey(browser, b"last").enroll(enrollment_code(local, "eva"))
    assert last.refusal == (409, "too_many_devices")


def test_a_browser_signs_in_without_a_name(local):
    """The passkey identifies the user; each sign-in sets a new cookie."""
    browser = new_browser(local)
    before = browser.cookie
    answer = browser.sign_in()
    assert answer.json == {"user": {**answer.json["user"], "name": "eva"}}
    assert browser.cookie not in {"", before}
    entries = local.admin.entries("sign_in.done")
    assert [entry["facts"] for entry in entries] == [{"device": browser.device_id}] * 2


def test_the_session_cookie_is_host_only_strict_and_secure(open_local):
    """With TLS, its name has the prefix `__Host-`; on loopback it does not."""
    plain = new_browser(open_local()).sign_in().headers["Set-Cookie"]
    assert plain.startswith("sayso-passkey=sayso_br_")
    assert plain.endswith("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict")
    issuer = "https://sayso.example"
    local = open_local(issuer=issuer)
    browser = LocalBrowser(local, None, SoftPasskey(rp_id="sayso.example", origin=issuer))
    offer = local.send("POST", "/api/passkeys/offer", headers={"origin": issuer}).json
    assert offer["rp_id"] == "sayso.example"
    code = enrollment_code(local, "ana")
    credential = browser.passkey.made(_challenge(local, code, issuer))
    body = {"code": code, "name": "phone", **credential}
    encoded_body = json.dumps(body).encode()
    answer = local.send("POST", "/api/passkeys", headers={"origin": issuer}, body=encoded_body)
    assert answer.headers["Set-Cookie"].startswith("__Host-sayso-passkey=sayso_br_")
    assert answer.headers["Set-Cookie"].endswith("; Secure")


def _challenge(local, code, issuer):
    encoded_body = json.dumps({"code": code}).encode()
    headers = {"origin": issuer}
    options = local.send("POST", "/api/passkeys/options", headers=headers, body=encoded_body).json
    return decode_base64url(options["challenge"])


def test_a_challenge_is_used_once(local):
    """A recorded sign-in cannot be replayed."""
    browser = new_browser(local)
    offer = browser.send("POST", "/api/passkeys/offer").json["text"]
    assert browser.sign_in(offer).status == 200
    assert browser.sign_in(offer).refusal == (422, "invalid_passkey")


def test_a_challenge_expires_after_five_minutes(local):
    """The page can then request a new challenge."""
    browser = new_browser(local)
    offer = browser.send("POST", "/api/passkeys/offer").json["text"]
    local.clock.forward(CHALLENGE_MS)
    assert browser.sign_in(offer).refusal == (422, "invalid_passkey")


@pytest.mark.parametrize(
    "offer", ["x", "a.b.c", f"a.{'9' * 5_000}.c", "a.99999999999999.c", "\u00e9.1.c", "a.\u0661.c"]
)
def test_a_challenge_that_we_did_not_issue_is_refused(local, offer):
    """The string may be malformed, or may have an impossible time or non-ASCII digits."""
    assert new_browser(local).sign_in(offer).refusal == (422, "invalid_passkey")


def test_an_assertion_of_another_passkey_is_refused(local):
    """The credential is unknown, or the signature does not match the enrolled passkey."""
    browser = new_browser(local)
    assert _with_other_passkey(browser).sign_in().refusal == (403, "unknown_passkey")
    assert browser.sign_in(signature=b"x").refusal == (422, "invalid_passkey")
    thief = _with_other_passkey(browser, browser.passkey.credential)
    assert thief.sign_in().refusal == (422, "invalid_passkey")


def test_a_malformed_assertion_is_refused(local):
    """An assertion with the wrong number of parts is refused."""
    answer = new_browser(local).send("POST", "/api/passkeys/sign-in", {"assertion": "a.b.c"})
    assert answer.refusal == (422, "invalid_passkey")


def test_a_revoked_passkey_is_refused(local, person):
    """Any of the person's devices can revoke it, which also signs out its browsers."""
    browser = _browser_of(person)
    browser.enroll(enrollment_code(local, "ana"))
    assert person.call("DELETE", f"/api/devices/{browser.device_id}").status == 204
    assert browser.send("GET", "/api/me").refusal == (403, "forbidden")
    assert browser.sign_in().refusal == (403, "unknown_passkey")


def test_a_browser_revokes_devices_of_its_person(local, person):
    """The session cookie is enough to revoke a device, because that only removes power."""
    browser = _browser_of(person)
    browser.enroll(enrollment_code(local, "ana"))
    assert browser.send("DELETE", f"/api/devices/{person.device_id}").status == 204
    assert person.call("GET", "/api/me").refusal == (401, "invalid_token")
    assert browser.send("DELETE", "/api/devices/self").status == 204
    assert browser.send("GET", "/api/me").refusal == (403, "forbidden")


def test_a_disabled_user_is_signed_out_and_cannot_sign_in(local):
    """The session and the passkey are refused immediately."""
    browser = new_browser(local)
    local.admin.users.disable("eva", by=BY)
    assert browser.send("GET", "/api/me").refusal == (403, "forbidden")
    assert browser.sign_in().refusal == (403, "forbidden")


def test_a_browser_session_ends_after_a_week(local):
    """The passkey can still sign in again, even a year later."""
    browser = new_browser(local)
    local.clock.forward(SIGNED_IN_MS)
    assert browser.send("GET", "/api/me").refusal == (401, "signed_out")
    local.services.sweeper.tidy()
    local.clock.forward(365 * DAY)
    assert browser.sign_in().status == 200
    assert browser.send("GET", "/api/me").status == 200


def test_signing_out_ends_only_this_browser(local):
    """Another browser with the same passkey stays signed in."""
    browser = new_browser(local)
    other = LocalBrowser(local, browser.user, browser.passkey)
    other.sign_in()
    old = browser.cookie
    assert browser.send("POST", "/api/passkeys/sign-out").status == 204
    assert browser.cookie == ""
    browser.cookie = old
    assert browser.send("GET", "/api/me").refusal == (401, "signed_out")
    assert browser.send("POST", "/api/passkeys/sign-out").status == 204
    assert other.send("GET", "/api/me").status == 200
    assert len(local.admin.entries("sign_in.ended")) == 1


def test_signing_out_with_an_unknown_cookie_does_nothing(local):
    """The response is the same as for a known cookie, and no audit entry is written."""
    browser = new_browser(local)
    browser.cookie = "sayso_br_nobody"
    assert browser.send("POST", "/api/passkeys/sign-out").status == 204
    assert local.admin.entries("sign_in.ended") == []


def test_a_feed_ticket_is_used_once_by_its_browser_within_its_lifetime(local):
    """The cookie is not enough, because browsers also send it with other sites' sockets."""
    browser = new_browser(local)
    other = LocalBrowser(local, browser.user, browser.passkey)
    other.sign_in()
    redeem = local.site.devices.browsers.redeem
    ticket = browser.send("POST", "/api/feed/ticket").json["ticket"]
    assert not redeem(other.cookie, ticket)
    assert redeem(browser.cookie, ticket)
    assert not redeem(browser.cookie, ticket)
    late = browser.send("POST", "/api/feed/ticket").json["ticket"]
    local.clock.forward(TICKET_MS)
    assert not redeem(browser.cookie, late)
    for text in ("", "None", "a.b.c", "a.1.c", "é.1.x"):
        assert not redeem(browser.cookie, text)


def test_a_terminal_gets_no_feed_ticket(person):
    """A terminal needs no ticket, because it proves its key when it opens the socket."""
    assert person.call("POST", "/api/feed/ticket").refusal == (403, "forbidden")


OTHER_SITES = [
    {"origin": "https://evil.example"},
    {"origin": "null", "sec-fetch-site": None},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


@pytest.mark.parametrize("headers", OTHER_SITES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/passkeys/options"),
        ("POST", "/api/passkeys"),
        ("POST", "/api/passkeys/offer"),
        ("POST", "/api/passkeys/sign-in"),
        ("POST", "/api/passkeys/sign-out"),
        ("GET", "/api/approvals"),
        ("DELETE", "/api/devices/self"),
    ],
)
def test_requests_from_another_site_are_refused(local, method, path, headers):
    """Sign-ins and requests that only read are refused too."""
    browser = new_browser(local)
    assert browser.send(method, path, headers=headers).refusal == (403, "forbidden")
    assert browser.send("GET", "/api/me").status == 200


def test_without_origin_headers_a_change_needs_the_csrf_token(local):
    """Only a page in this browser knows the token."""
    browser = new_browser(local)
    silent = {"origin": None, "sec-fetch-site": None}
    assert browser.send("GET", "/api/me", headers=silent).status == 200
    other = local.site.devices.browsers.csrf("sayso_br_other")
    for token in (None, "", "x", other):
        headers = {**silent, "sayso-csrf": token}
        refused = browser.send("DELETE", "/api/devices/self", headers=headers)
        assert refused.refusal == (403, "stale_page")
    assert browser.send("DELETE", "/api/devices/self", headers=silent).status == 204


@pytest.mark.parametrize(
    "cookie", ["x=1", "sayso-passkey=", "sayso-passkey=" + "a" * 200, "a[]=1", "é"]
)
def test_a_page_with_an_invalid_cookie_is_signed_out(local, cookie):
    """Its scripts then ask for the passkey, not for an access token."""
    answer = new_browser(local).send("GET", "/api/me", headers={"cookie": cookie})
    assert answer.refusal == (401, "signed_out")


def test_a_cookie_is_accepted_only_by_routes_for_browsers(local):
    """Some routes are only for terminals, and changes that add power need a passkey signature."""
    browser = new_browser(local)
    person_routes = (route for route in local.site.routes if route.caller is Caller.PERSON)
    assert {route.name for route in person_routes if not route.browsers} == {
        "POST /api/devices",
        "POST /api/devices/self/pin",
        "POST /api/devices/self/pin/confirmation",
        "GET /api/password",
        "POST /api/password",
        "POST /api/approvals/<id>/snooze",
        "DELETE /api/approvals/<id>/snooze",
    }
    assert browser.send("GET", "/api/password").refusal == (401, "invalid_token")


def test_passkeys_and_terminals_cannot_use_each_others_signatures(local, person, agent):
    """A terminal cannot send an assertion, and a browser cannot send a JWS."""
    browser = _browser_of(person)
    browser.enroll(enrollment_code(local, "ana"))
    _, approval = agent.request_approval()
    changes = {"iss": browser.device_id}
    jws = person.decision(approval.id)
    assert browser.answer(approval.id, jws).refusal == (403, "key_not_allowed")
    assertion = browser.decision(approval.id, **changes)
    assert person.send_decision(approval.id, assertion).refusal == (403, "key_not_allowed")


def test_challenges_differ_over_time(local):
    """A challenge that is issued a minute later is different."""
    browser = new_browser(local)
    first = browser.send("POST", "/api/passkeys/offer").json
    local.clock.forward(MINUTE)
    assert browser.send("POST", "/api/passkeys/offer").json["text"] != first["text"]
    assert first["rp_id"] == "localhost"
    assert ISSUER.endswith("localhost:8470")
