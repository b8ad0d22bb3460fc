"""The device grant: a device shows a code, a person types it, an enrolled device lets it in."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from approver_tui.client.jose import SigningKey
from server.crypto.secrets import KeyedSecrets
from server.protocol.approvals.states import State
from server.protocol.names import GRANT_DEVICE_CODE
from server.protocol.policy.risks import Risk
from server.services.approvals.oversight import Oversight
from server.services.devices.device_grant import REQUESTS, WRONG_CODES, WRONG_CODES_IN_ALL
from server.services.users.users import NewUser
from server.storage.approvals.approvals import Approvals
from tests.support.builders.callers import another_device, new_person
from tests.support.builders.clock import DAY, MINUTE, SECOND
from tests.support.builders.installation import BY
from tests.support.builders.new_device import NewDevice, begun, let_in
from tests.support.builders.site import ISSUER, PEER

WRONG = "That code is wrong, used or expired."


def _open(local):
    with local.services.store.read() as view:
        return view.approvals.search(state=None, agent_id=None, user_id=None, limit=100)


def test_a_device_gets_two_codes_and_a_page(local):
    """DG-07: where to go, what to type, how long, how often."""
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


def test_neither_code_lies_in_the_database(local):
    """Only a hash of the one, a keyed hash of the other."""
    device = begun(local)
    database = (local.services.settings.data_dir / "sayso.db").read_bytes()
    wal = local.services.settings.data_dir / "sayso.db-wal"
    stored = database + (wal.read_bytes() if wal.exists() else b"")
    assert device.device_code.encode() not in stored
    assert device.user_code.encode() not in stored
    assert device.user_code.replace("-", "").encode() not in stored


def test_a_code_that_is_taken_is_not_given_again(local, monkeypatch):
    """Chance may repeat itself; two devices never show the same code."""
    codes = iter(["BCDFGHJK", "BCDFGHJK", "BCDFGHJL"])
    monkeypatch.setattr(KeyedSecrets, "new_user_code", lambda _self: next(codes))
    assert begun(local).user_code == "BCDF-GHJK"
    assert begun(local).user_code == "BCDF-GHJL"


@pytest.mark.parametrize("proofs", [0, 2])
def test_a_device_proves_its_key_from_the_start(local, proofs):
    """What comes out is bound to it, and what is approved names it."""
    device = NewDevice(local, SigningKey.generate())
    assert device.begin(proofs=proofs).refusal == (400, "invalid_dpop_proof")


def test_an_address_begins_so_many_sign_ins(local):
    """Each one is a row; the remedy is to wait."""
    for _ in range(REQUESTS):
        begun(local)
    device = NewDevice(local, SigningKey.generate())
    assert device.begin().refusal == (503, "temporarily_unavailable")
    local.clock.forward(10 * MINUTE)
    assert device.begin().status == 200


def test_the_grant_is_the_terminals(local, agent):
    """DG-03, DG-04: who cannot prove to be somebody, and who may not use it."""
    form = {"client_id": agent.id}
    wrong = {**form, "client_secret": "wrong"}
    for path in ("/device_authorization", "/token"):
        more = {"grant_type": GRANT_DEVICE_CODE, "device_code": "x"} if path == "/token" else {}
        unproved = local.post_form(path, {**form, **more})
        assert unproved.refusal == (401, "invalid_client")
        assert local.post_form(path, {**wrong, **more}).refusal == (401, "invalid_client")
        assert local.post_form(path, more).refusal == (401, "invalid_client")
        proved = local.post_form(path, {**agent.credentials, **more})
        assert proved.refusal == (400, "unauthorized_client")


def test_typing_the_code_asks_on_the_enrolled_devices(local, person):
    """High risk, with the device's name, its address, its key and the code to compare."""
    device = begun(local)
    assert device.typed("ana") == ""
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
    shown = {fact["label"]: fact["value"] for fact in display["facts"] if fact["material"]}
    assert shown["New device"] == "desktop"
    assert shown["Address"] == PEER
    assert shown["Its code"] == device.user_code
    assert "only if you started this sign-in yourself" in shown["Careful"]
    assert display["headline"] == "Let a new device sign in as ana"
    assert person.call("GET", "/api/approvals").json["items"][0]["agent"] == {
        "id": "sayso-approver",
        "name": "Sayso terminal app",
    }
    entry = local.desk.entries("approval.requested")[-1]
    assert (entry["actor"], entry["facts"]["kind"]) == ("system", "device")


def test_a_device_that_was_let_in_is_enrolled_as_with_a_code(local, person):
    """XD-07: Its keys are registered, its screens work, and it has no day to wait."""
    device = let_in(local, person)
    answer = device.later()
    assert (answer.status, answer.json["token_type"]) == (200, "DPoP")
    terminal = device.terminal(answer, person)
    assert terminal.register("desktop").status == 201
    assert terminal.device.high_from == local.clock.now()
    assert [d["name"] for d in person.call("GET", "/api/devices").json["items"]] == [
        "laptop",
        "desktop",
    ]
    assert "device.enrolled" in local.desk.events(person.user)
    entry = local.desk.entries("device.admitted")[-1]
    assert entry["facts"]["key"] == device.key.thumbprint
    assert entry["facts"]["name"] == "desktop"
    assert terminal.refresh().status == 200


def test_it_comes_under_the_name_that_was_shown(local, person):
    """What was approved is that device."""
    device = let_in(local, person)
    terminal = device.terminal(device.later(), person)
    assert terminal.register("another").refusal == (422, "invalid_body")
    assert terminal.register("desktop").status == 201


def test_without_the_pin_nobody_is_let_in(local, person):
    """The low key, the session's key and a confirmation are not enough."""
    device = begun(local)
    device.typed("ana")
    approval = device.approval(person)
    for key in (person.session, person.low, person.high):
        jws = person.decision(approval.id, key)
        assert person.send_decision(approval.id, jws).status == 403
    assert device.later().refusal == (400, "authorization_pending")


def test_a_device_that_is_too_new_lets_nobody_in(local, person):
    """Or a stolen code would grow into more of them."""
    second = another_device(person)
    device = begun(local)
    device.typed("ana")
    assert second.approve(device.approval(person).id).refusal == (403, "device_too_new")


def test_a_device_is_let_in_once(local, person):
    """XD-04, DG-19, NG-024: the second redemption finds the step taken."""
    device = let_in(local, person)
    assert device.later().status == 200
    assert device.later().refusal == (400, "invalid_grant")
    assert len(local.desk.entries("device.admitted")) == 1


def test_of_many_polls_at_once_one_is_let_in(local, person):
    """DG-20, NG-026: twenty redemptions, one session."""
    device = let_in(local, person)
    local.clock.forward(5 * SECOND)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: device.poll(), range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 19


def test_of_two_redemptions_in_one_moment_one_wins(local, person, monkeypatch):
    """Also where another process moved the row after we read it."""
    device = let_in(local, person)
    monkeypatch.setattr(Approvals, "transition", lambda *_args, **_kwargs: None)
    assert device.later().refusal == (400, "invalid_grant")


def test_polls_are_paced_as_for_an_agent(local, person):
    """DG-18: too fast is slow_down, five seconds more each time, for good."""
    device = begun(local)
    assert device.poll().refusal == (400, "authorization_pending")
    early = device.poll()
    assert (early.json["interval"], early.headers["Retry-After"]) == (10, "10")
    assert device.later().json["interval"] == 15
    local.clock.forward(15 * SECOND)
    assert device.poll().refusal == (400, "authorization_pending")
    device.typed("ana")
    local.clock.forward(14 * SECOND)
    assert device.poll().refusal == (400, "slow_down")
    person.approve(device.approval(person).id)
    assert device.poll().status == 200  # an answer is given at once


def test_an_unknown_code_and_another_key_get_nothing(local, person):
    """DG-16, DG-17, DG-26, NG-020: whoever stole the code lacks the key."""
    device = let_in(local, person)
    assert device.poll(device_code=None).refusal == (400, "invalid_request")
    assert device.poll(device_code="sayso_dc_x").refusal == (400, "invalid_grant")
    stolen = device.poll(key=SigningKey.generate())
    assert stolen.refusal == (400, "invalid_dpop_proof")
    assert device.later().status == 200


def test_no_scope_is_smuggled_in_at_the_token_request(local, person):
    """DG-24, NG-021, DG-31: scopes and details are refused, and the code is not used up by them."""
    device = let_in(local, person)
    assert device.later(scope="openid").refusal == (400, "invalid_scope")
    refused = device.later(authorization_details='[{"type":"payment.transfer"}]')
    assert refused.refusal == (400, "invalid_authorization_details")
    assert device.later().status == 200


def test_a_denial_is_told_and_final(local, person):
    """DG-15."""
    device = begun(local)
    device.typed("ana")
    assert person.deny(device.approval(person).id).status == 200
    answer = device.later()
    assert answer.refusal == (400, "access_denied")
    assert answer.json["reason"] == "denied"
    assert device.later().refusal == (400, "access_denied")


def test_a_code_that_nobody_typed_expires(local):
    """DG-18; an hour later it is forgotten."""
    device = begun(local)
    local.clock.forward(15 * MINUTE)
    assert device.poll().refusal == (400, "expired_token")
    assert WRONG in device.typed("ana")
    local.services.sweeper.tidy()
    assert device.poll().refusal == (400, "expired_token")
    local.clock.forward(60 * MINUTE)
    local.services.sweeper.tidy()
    assert device.poll().refusal == (400, "invalid_grant")


def test_an_answer_after_the_end_lets_nobody_in(local, person):
    """DG-22, NG-025: nothing revives what is over."""
    device = begun(local)
    device.typed("ana")
    approval = device.approval(person)
    local.clock.forward(9 * MINUTE)
    person.refresh()
    person.pin(approval.id)
    jws = person.decision(approval.id, person.high, ceremony="pin")
    local.clock.forward(MINUTE)
    assert person.send_decision(approval.id, jws).refusal == (409, "not_pending")
    assert device.poll().refusal == (400, "expired_token")
    assert device.later().refusal == (400, "expired_token")


def test_an_approved_code_expires_too(local, person):
    """DG-23, NG-024: half a minute after its end it is too late to fetch."""
    device = let_in(local, person)
    local.clock.forward(10 * MINUTE + 30 * SECOND)
    assert device.poll().refusal == (400, "expired_token")
    assert local.desk.entries("device.admitted") == []


def test_the_approval_ends_with_the_code_at_the_latest(local, person):
    """Though somebody typed it in its last minute."""
    device = begun(local)
    local.clock.forward(14 * MINUTE)
    person.refresh()
    device.typed("ana")
    assert device.approval(person).expires_at == local.clock.now() + MINUTE


def test_a_user_who_was_stopped_is_not_signed_in(local, person):
    """DG-25, DG-29, NG-023: judged again at redemption, and told nothing more."""
    device = let_in(local, person)
    local.desk.users.disable("ana", by=BY)
    assert device.later().refusal == (400, "invalid_grant")
    local.desk.users.enable("ana", by=BY)
    answer = device.later()
    assert answer.refusal == (400, "access_denied")
    assert answer.json["reason"] == "cancelled"


def test_rights_are_judged_in_the_unit_that_redeems(local, person, monkeypatch):
    """Should the user be stopped without their requests being cancelled, they get nothing."""
    device = let_in(local, person)
    checks = type(local.site.tokens.endpoint.for_people[GRANT_DEVICE_CODE].checks)
    monkeypatch.setattr(checks, "invalid_reason", lambda *_: "user_disabled")
    assert device.later().refusal == (400, "invalid_grant")


def test_a_withdrawn_sign_in_is_told(local, person):
    """The administrator may end it."""
    device = begun(local)
    device.typed("ana")
    Oversight(local.services.store).cancel(device.approval(person).id, "a trick", by=BY)
    assert device.later().refusal == (400, "access_denied")


@pytest.mark.parametrize("name", ["nobody-here", "stopped", "deviceless", "an\x00a", "an\ud800a"])
def test_nobody_learns_who_exists(local, person, name):
    """The page says the same, the code is used up, and the device waits and expires alike."""
    local.desk.users.add(NewUser("deviceless"), by=BY)
    new_person(local, "stopped")
    local.desk.users.disable("stopped", by=BY)
    device = begun(local)
    assert device.typed(name) == ""
    assert person.call("GET", "/api/approvals").json["items"] == []
    (phantom,) = _open(local)
    assert (phantom.user_id, phantom.kind) == (None, "device")
    assert WRONG in device.typed("ana")
    assert device.later().refusal == (400, "authorization_pending")
    local.clock.forward(10 * MINUTE)
    assert device.poll().refusal == (400, "expired_token")


def test_a_code_asks_one_person_once(local):
    """DG-28: whoever typed it first; it opens nothing for a second name."""
    ben = new_person(local, "ben")
    device = begun(local)
    assert device.typed("ana") == ""
    assert WRONG in device.typed("ben")
    assert WRONG in device.typed("ana")
    assert ben.call("GET", "/api/approvals").json["items"] == []


def test_guessing_codes_ends_soon(local):
    """XD-05, DG-10, NG-028: by address; a right code does not help whoever guessed before."""
    device = begun(local)
    for _ in range(WRONG_CODES):
        assert WRONG in device.typed("ana", "BCDF-GHJX")
    assert "Too many wrong codes" in device.typed("ana")
    assert device.typed("ana", peer="198.51.100.1") == ""


def test_guessing_from_everywhere_ends_too(local):
    """However many addresses somebody has."""
    device = begun(local)
    with local.services.store.write() as tx:
        for _ in range(WRONG_CODES_IN_ALL):
            tx.counters.count("wrong user codes", 10 * MINUTE)
    assert "Too many wrong codes" in device.typed("ana", peer="198.51.100.9")
    local.clock.forward(10 * MINUTE)
    assert device.typed("ana") == ""


def test_what_is_no_code_counts_as_a_wrong_one(local):
    """Letters of another alphabet, a word, nothing of the kind."""
    device = begun(local)
    for _ in range(WRONG_CODES):
        assert WRONG in device.typed("ana", "hello")
    assert "Too many wrong codes" in device.typed("ana")


def test_one_person_is_asked_about_three_devices_at_a_time(local, person):
    """A fourth is answered alike, asks nobody, and is written down."""
    for _ in range(3):
        assert begun(local).typed("ana") == ""
    fourth = begun(local)
    assert fourth.typed("ana") == ""
    assert len(person.call("GET", "/api/approvals").json["items"]) == 3
    assert local.desk.entries("approval.refused")[-1]["cause"] == "open_devices"
    assert fourth.later().refusal == (400, "authorization_pending")


def test_what_was_denied_repeatedly_is_not_asked_for_half_an_hour(local, person):
    """Somebody is trying; enrolment codes still work."""
    for _ in range(3):
        device = begun(local)
        device.typed("ana")
        assert person.deny(device.approval(person).id, "suspicious").status == 200
    assert begun(local).typed("ana") == ""
    assert local.desk.entries("approval.refused")[-1]["cause"] == "denied_repeatedly"
    assert another_device(person).device.high_from == local.clock.now() + DAY


def test_device_requests_take_no_room_of_agents(local, agent):
    """Each kind is counted apart."""
    for _ in range(3):
        begun(local).typed("ana")
    assert agent.ask().status == 200


def test_the_name_is_compared_as_everywhere(local, person):
    """By name, e-mail address or id, without case."""
    assert begun(local).typed("ANA") == ""
    assert begun(local).typed(person.user.id) == ""
    assert len(person.call("GET", "/api/approvals").json["items"]) == 2


def test_a_request_that_waits_says_nothing_of_the_person(local, person):
    """Neither whether it was seen nor by whom."""
    device = begun(local)
    device.typed("ana")
    person.show(device.approval(person).id)
    assert set(device.later().json) == {"error", "error_description"}


def test_a_device_never_comes_first(local, person):
    """XD-08: somebody whose devices are all gone gets a code from whoever runs the server."""
    person.call("DELETE", "/api/devices/self")
    device = begun(local)
    assert device.typed("ana") == ""
    (phantom,) = _open(local)
    assert (phantom.user_id, phantom.state) == (None, State.PENDING)
