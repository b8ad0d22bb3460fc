"""The device grant for terminals: a device shows a code, and an enrolled device approves it."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from approver_tui.client.jose import SigningKey
from server.crypto.secrets import KeyedSecrets
from server.protocol.approvals.states import State
from server.protocol.names import GRANT_DEVICE_CODE
from server.protocol.policy.risks import Risk
from server.services.approvals.oversight import Oversight
from server.services.devices.device_grant import MAX_WRONG_CODES, REQUESTS, WRONG_CODES
from server.services.users.users import NewUser
from server.storage.approvals.approvals import Approvals
from tests.support.builders.callers import another_device, new_person
from tests.support.builders.clock import DAY, MINUTE, SECOND
from tests.support.builders.installation import BY
from tests.support.builders.new_device import NewDevice, approved_device, begin_sign_in
from tests.support.builders.site import ISSUER, PEER

WRONG_CODE = "That code is wrong, used or expired."


def _approvals(local):
    with local.services.store.read() as view:
        return view.approvals.search(state=None, agent_id=None, user_id=None, limit=100)


def test_a_device_gets_two_codes_and_a_page(local):
    """DG-07: the response has the page, the code to type, the expiry and the interval."""
    answer = NewDevice(local, SigningKey.generate()).begin()
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    code = answer.json["user_code"]
    assert answer.json == {
        "device_code": answer.json["device_code"],
        "user_code": code,
        "verification_uri": f"{ISSUER}/device",
        "verification_uri_complete": f"{ISSUER}/device?user_code={code}",
        "expires_in": 900,
        "interval": 5,
    }
    assert len(answer.json["device_code"]) > 40  # DG-08


def test_neither_code_is_stored_in_plain_text(local):
    """The server stores a hash of the device code and a keyed hash of the user code."""
    device = begin_sign_in(local)
    database = (local.services.settings.data_dir / "sayso.db").read_bytes()
    wal = local.services.settings.data_dir / "sayso.db-wal"
    stored = database + (wal.read_bytes() if wal.exists() else b"")
    assert device.device_code.encode() not in stored
    assert device.user_code.encode() not in stored
    assert device.user_code.replace("-", "").encode() not in stored


def test_a_user_code_in_use_is_not_issued_again(local, monkeypatch):
    """Two devices never show the same code."""
    codes = iter(["BCDFGHJK", "BCDFGHJK", "BCDFGHJL"])
    monkeypatch.setattr(KeyedSecrets, "random_string", lambda *_: next(codes))
    assert begin_sign_in(local).user_code == "BCDF-GHJK"
    assert begin_sign_in(local).user_code == "BCDF-GHJL"


@pytest.mark.parametrize("proofs", [0, 2])
def test_a_device_proves_its_key_from_the_first_request(local, proofs):
    """The approval and the tokens are bound to that key."""
    device = NewDevice(local, SigningKey.generate())
    assert device.begin(proofs=proofs).refusal == (400, "invalid_dpop_proof")


def test_sign_ins_per_address_are_limited(local):
    """Each sign-in stores a row; after ten minutes the address can start new ones."""
    for _ in range(REQUESTS.value):
        begin_sign_in(local)
    device = NewDevice(local, SigningKey.generate())
    assert device.begin().refusal == (503, "temporarily_unavailable")
    local.clock.forward(10 * MINUTE)
    assert device.begin().status == 200


def test_agents_cannot_use_the_device_grant(local, agent):
    """DG-03, DG-04: the error is invalid_client without credentials, else unauthorized_client."""
    form = {"client_id": agent.id}
    wrong_secret = {**form, "client_secret": "wrong"}
    for path in ("/device_authorization", "/token"):
        token_form = (
            {"grant_type": GRANT_DEVICE_CODE, "device_code": "x"} if path == "/token" else {}
        )
        unauthenticated = local.post_form(path, {**form, **token_form})
        assert unauthenticated.refusal == (401, "invalid_client")
        assert local.post_form(path, {**wrong_secret, **token_form}).refusal == (
            401,
            "invalid_client",
        )
        assert local.post_form(path, token_form).refusal == (401, "invalid_client")
        authenticated = local.post_form(path, {**agent.credentials, **token_form})
        assert authenticated.refusal == (400, "unauthorized_client")


def test_typing_the_code_sends_a_request_to_the_enrolled_devices(local, person):
    """The request is high risk and shows the new device's name, address, key and code."""
    device = begin_sign_in(local)
    assert device.type_code("ana") == ""
    approval = device.approval(person)
    assert (approval.kind, approval.risk, approval.ceremony) == ("device", Risk.HIGH, "pin")
    (details,) = json.loads(approval.action)["authorization_details"]
    assert details == {
        "type": "sayso:device",
        "key": device.key.thumbprint,
        "name": "desktop",
        "address": PEER,
        "code": device.user_code,
    }
    display = json.loads(approval.display)
    facts = {fact["label"]: fact["value"] for fact in display["facts"] if fact["material"]}
    assert facts["New device"] == "desktop"
    assert facts["Address"] == PEER
    assert facts["Code shown"] == device.user_code
    assert "only if you started this sign-in yourself" in facts["Warning"]
    assert display["headline"] == "Let a new device sign in as ana"
    assert person.call("GET", "/api/approvals").json["items"][0]["agent"] == {
        "id": "sayso-approver",
        "name": "Sayso terminal app",
    }
    entry = local.admin.entries("approval.requested")[-1]
    assert (entry["actor"], entry["facts"]["kind"]) == ("system", "device")


def test_an_approved_device_does_not_have_to_wait(local, person):
    """XD-07: it can register, make calls and approve high-risk requests immediately."""
    device = approved_device(local, person)
    answer = device.poll_after_interval()
    assert (answer.status, answer.json["token_type"]) == (200, "DPoP")
    terminal = device.terminal(answer, person)
    assert terminal.register("desktop").status == 201
    assert terminal.device.high_from == local.clock.now()
    assert [d["name"] for d in person.call("GET", "/api/devices").json["items"]] == [
        "laptop",
        "desktop",
    ]
    assert "device.enrolled" in local.admin.events(person.user)
    entry = local.admin.entries("device.admitted")[-1]
    assert entry["facts"]["key"] == device.key.thumbprint
    assert entry["facts"]["name"] == "desktop"
    assert terminal.refresh().status == 200


def test_a_device_must_register_under_the_approved_name(local, person):
    """A device must use the name that the person saw and approved."""
    device = approved_device(local, person)
    terminal = device.terminal(device.poll_after_interval(), person)
    assert terminal.register("another").refusal == (422, "invalid_body")
    assert terminal.register("desktop").status == 201


def test_approving_a_device_needs_the_pin(local, person):
    """A signature without the PIN ceremony is refused, whichever key made it."""
    device = begin_sign_in(local)
    device.type_code("ana")
    approval = device.approval(person)
    for key in (person.session, person.low, person.high):
        jws = person.decision(approval.id, key)
        assert person.send_decision(approval.id, jws).status == 403
    assert device.poll_after_interval().refusal == (400, "authorization_pending")


def test_a_new_device_cannot_approve_another_device(local, person):
    """Otherwise, one stolen code could lead to many devices."""
    second = another_device(person)
    device = begin_sign_in(local)
    device.type_code("ana")
    assert second.approve(device.approval(person).id).refusal == (403, "device_too_new")


def test_a_device_code_is_redeemed_once(local, person):
    """XD-04, DG-19, NG-024: the second redemption gets invalid_grant."""
    device = approved_device(local, person)
    assert device.poll_after_interval().status == 200
    assert device.poll_after_interval().refusal == (400, "invalid_grant")
    assert len(local.admin.entries("device.admitted")) == 1


def test_only_one_of_twenty_concurrent_polls_succeeds(local, person):
    """DG-20, NG-026: one poll gets tokens, and the other nineteen get an error."""
    device = approved_device(local, person)
    local.clock.forward(5 * SECOND)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: device.poll(), range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 19


def test_a_lost_race_for_the_redemption_is_refused(local, person, monkeypatch):
    """The redemption is refused if another process changed the row after it was read."""
    device = approved_device(local, person)
    monkeypatch.setattr(Approvals, "transition", lambda *_args, **_kwargs: None)
    assert device.poll_after_interval().refusal == (400, "invalid_grant")


def test_early_polls_get_slow_down(local, person):
    """DG-18: each early poll permanently adds five seconds to the interval."""
    device = begin_sign_in(local)
    assert device.poll().refusal == (400, "authorization_pending")
    early = device.poll()
    assert (early.json["interval"], early.headers["Retry-After"]) == (10, "10")
    assert device.poll_after_interval().json["interval"] == 15
    local.clock.forward(15 * SECOND)
    assert device.poll().refusal == (400, "authorization_pending")
    device.type_code("ana")
    local.clock.forward(14 * SECOND)
    assert device.poll().refusal == (400, "slow_down")
    person.approve(device.approval(person).id)
    assert device.poll().status == 200  # a final response is returned immediately


def test_unknown_codes_and_other_keys_are_refused(local, person):
    """DG-16, DG-17, DG-26, NG-020: a stolen code is useless without the key."""
    device = approved_device(local, person)
    assert device.poll(device_code=None).refusal == (400, "invalid_request")
    assert device.poll(device_code="sayso_dc_x").refusal == (400, "invalid_grant")
    stolen = device.poll(key=SigningKey.generate())
    assert stolen.refusal == (400, "invalid_dpop_proof")
    assert device.poll_after_interval().status == 200


def test_the_token_request_cannot_add_scopes_or_details(local, person):
    """DG-24, NG-021, DG-31: the refused request does not use up the code."""
    device = approved_device(local, person)
    assert device.poll_after_interval(scope="openid").refusal == (400, "invalid_scope")
    refused = device.poll_after_interval(authorization_details='[{"type":"payment.transfer"}]')
    assert refused.refusal == (400, "invalid_authorization_details")
    assert device.poll_after_interval().status == 200


def test_a_denial_is_returned_and_final(local, person):
    """DG-15: every poll after a denial gets the same error."""
    device = begin_sign_in(local)
    device.type_code("ana")
    assert person.deny(device.approval(person).id).status == 200
    answer = device.poll_after_interval()
    assert answer.refusal == (400, "access_denied")
    assert answer.json["reason"] == "denied"
    assert device.poll_after_interval().refusal == (400, "access_denied")


def test_a_code_that_nobody_typed_expires(local):
    """DG-18: the code is deleted an hour after its expiry."""
    device = begin_sign_in(local)
    local.clock.forward(15 * MINUTE)
    assert device.poll().refusal == (400, "expired_token")
    assert WRONG_CODE in device.type_code("ana")
    local.services.sweeper.tidy()
    assert device.poll().refusal == (400, "expired_token")
    local.clock.forward(60 * MINUTE)
    local.services.sweeper.tidy()
    assert device.poll().refusal == (400, "invalid_grant")


def test_a_decision_after_the_expiry_is_refused(local, person):
    """DG-22, NG-025: the device gets `expired_token`."""
    device = begin_sign_in(local)
    device.type_code("ana")
    approval = device.approval(person)
    local.clock.forward(9 * MINUTE)
    person.refresh()
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony="pin")
    local.clock.forward(MINUTE)
    assert person.send_decision(approval.id, jws).refusal == (409, "not_pending")
    assert device.poll().refusal == (400, "expired_token")
    assert device.poll_after_interval().refusal == (400, "expired_token")


def test_an_approved_code_expires(local, person):
    """DG-23, NG-024: it can be redeemed until 30 seconds after the request expires."""
    device = approved_device(local, person)
    local.clock.forward(10 * MINUTE + 30 * SECOND)
    assert device.poll().refusal == (400, "expired_token")
    assert local.admin.entries("device.admitted") == []


def test_the_approval_expires_with_the_code(local, person):
    """If the code is typed one minute before its expiry, the request expires a minute later."""
    device = begin_sign_in(local)
    local.clock.forward(14 * MINUTE)
    person.refresh()
    device.type_code("ana")
    assert device.approval(person).expires_at == local.clock.now() + MINUTE


def test_a_disabled_user_is_not_signed_in(local, person):
    """DG-25, DG-29, NG-023: the user is checked again at the redemption."""
    device = approved_device(local, person)
    local.admin.users.disable("ana", by=BY)
    assert device.poll_after_interval().refusal == (400, "invalid_grant")
    local.admin.users.enable("ana", by=BY)
    answer = device.poll_after_interval()
    assert answer.refusal == (400, "access_denied")
    assert answer.json["reason"] == "cancelled"


def test_permissions_are_checked_in_the_redeeming_unit_of_work(local, person, monkeypatch):
    """The redemption fails even if the user's requests were not canceled."""
    device = approved_device(local, person)
    checks = type(local.site.tokens.endpoint.for_people[GRANT_DEVICE_CODE].checks)
    monkeypatch.setattr(checks, "invalid_reason", lambda *_: "user_disabled")
    assert device.poll_after_interval().refusal == (400, "invalid_grant")


def test_a_sign_in_cancelled_by_an_administrator_is_denied(local, person):
    """The device gets `access_denied`."""
    device = begin_sign_in(local)
    device.type_code("ana")
    Oversight(local.services.store).cancel(device.approval(person).id, "a trick", by=BY)
    assert device.poll_after_interval().refusal == (400, "access_denied")


@pytest.mark.parametrize("name", ["nobody-here", "stopped", "deviceless", "an\x00a", "an\ud800a"])
def test_typing_a_code_does_not_reveal_which_users_exist(local, person, name):
    """The page, the polls and the expiry are the same as for a real user."""
    local.admin.users.add(NewUser("deviceless"), by=BY)
    new_person(local, "stopped")
    local.admin.users.disable("stopped", by=BY)
    device = begin_sign_in(local)
    assert device.type_code(name) == ""
    assert person.call("GET", "/api/approvals").json["items"] == []
    (approval,) = _approvals(local)
    assert (approval.user_id, approval.kind) == (None, "device")
    assert WRONG_CODE in device.type_code("ana")
    assert device.poll_after_interval().refusal == (400, "authorization_pending")
    local.clock.forward(10 * MINUTE)
    assert device.poll().refusal == (400, "expired_token")


def test_a_code_sends_one_request_to_one_person(local):
    """DG-28: a code that was typed once is refused for any name, including the same one."""
    ben = new_person(local, "ben")
    device = begin_sign_in(local)
    assert device.type_code("ana") == ""
    assert WRONG_CODE in device.type_code("ben")
    assert WRONG_CODE in device.type_code("ana")
    assert ben.call("GET", "/api/approvals").json["items"] == []


def test_guessing_user_codes_locks_the_address(local):
    """XD-05, DG-10, NG-028: that address cannot use a correct code either."""
    device = begin_sign_in(local)
    for _ in range(WRONG_CODES.value):
        assert WRONG_CODE in device.type_code("ana", "BCDF-GHJX")
    assert "Too many wrong codes" in device.type_code("ana")
    assert device.type_code("ana", peer="198.51.100.1") == ""


def test_guessing_user_codes_is_limited_across_all_addresses(local):
    """Guesses from all addresses count together."""
    device = begin_sign_in(local)
    with local.services.store.write() as tx:
        for _ in range(MAX_WRONG_CODES):
            tx.counters.count("wrong user codes", 10 * MINUTE)
    assert "Too many wrong codes" in device.type_code("ana", peer="198.51.100.9")
    local.clock.forward(10 * MINUTE)
    assert device.type_code("ana") == ""


def test_an_impossible_user_code_counts_as_wrong(local):
    """A string that can never be a code counts as a wrong guess."""
    device = begin_sign_in(local)
    for _ in range(WRONG_CODES.value):
        assert WRONG_CODE in device.type_code("ana", "hello")
    assert "Too many wrong codes" in device.type_code("ana")


def test_a_person_has_at_most_three_open_device_requests(local, person):
    """The fourth device sees no difference, but its request is only recorded in the audit log."""
    for _ in range(3):
        assert begin_sign_in(local).type_code("ana") == ""
    fourth = begin_sign_in(local)
    assert fourth.type_code("ana") == ""
    assert len(person.call("GET", "/api/approvals").json["items"]) == 3
    assert local.admin.entries("approval.refused")[-1]["cause"] == "open_devices"
    assert fourth.poll_after_interval().refusal == (400, "authorization_pending")


def test_repeated_denials_pause_device_requests(local, person):
    """Device requests are paused for half an hour; enrollment codes still work."""
    for _ in range(3):
        device = begin_sign_in(local)
        device.type_code("ana")
        assert person.deny(device.approval(person).id, "suspicious").status == 200
    assert begin_sign_in(local).type_code("ana") == ""
    assert local.admin.entries("approval.refused")[-1]["cause"] == "denied_repeatedly"
    assert another_device(person).device.high_from == local.clock.now() + DAY


def test_device_requests_do_not_count_against_agents(local, agent):
    """Device requests and agent requests have separate limits."""
    for _ in range(3):
        begin_sign_in(local).type_code("ana")
    assert agent.ask().status == 200


def test_the_user_is_identified_by_name_email_or_id(local, person):
    """The user can type their name in any case, their email address or their ID."""
    assert begin_sign_in(local).type_code("ANA") == ""
    assert begin_sign_in(local).type_code(person.user.id) == ""
    assert len(person.call("GET", "/api/approvals").json["items"]) == 2


def test_a_pending_poll_does_not_say_whether_the_request_was_seen(local, person):
    """The response contains only the error."""
    device = begin_sign_in(local)
    device.type_code("ana")
    person.show(device.approval(person).id)
    assert set(device.poll_after_interval().json) == {"error", "error_description"}


def test_the_first_device_cannot_be_approved_this_way(local, person):
    """XD-08: a person who has no device needs an enrollment code."""
    person.call("DELETE", "/api/devices/self")
    device = begin_sign_in(local)
    assert device.type_code("ana") == ""
    (approval,) = _approvals(local)
    assert (approval.user_id, approval.state) == (None, State.PENDING)
