"""Device authentication: an access token, a proof of its key, and an enabled user and device."""

from dataclasses import replace

import pytest

from approver_tui.client.jose import SigningKey
from server.protocol import errors
from server.protocol.names import APPROVER_CLIENT
from server.services.approvals.submitted_decisions import SubmittedDecision
from server.services.users.device_auth import DeviceCall
from tests.support.builders.clock import MINUTE
from tests.support.builders.installation import BY
from tests.support.builders.site import ISSUER

ME = "/api/me"


def _call(person, authorization=None, proofs=None):
    token = f"DPoP {person.access_token}" if authorization is None else authorization
    headers = {"authorization": token} if token else {}
    sent = [person.proof("GET", ME)] if proofs is None else proofs
    return person.local.send("GET", ME, headers=headers, proofs=sent)


def _sign_token(person, alg="ES256", typ="at+jwt", **claims):
    """Sign an access token of this server with other claims."""
    services = person.local.services
    with services.store.read() as view:
        keys = view.directory.signing_keys()
    all_claims = {**person.local.claims(person.access_token), **claims}
    present_claims = {name: value for name, value in all_claims.items() if value is not None}
    return services.signer.sign(keys, alg, typ, present_claims)


def test_a_token_with_a_proof_authenticates_the_person(person):
    """The response has the person's roles and this device."""
    answer = _call(person)
    assert answer.status == 200
    assert answer.json["user"] == {
        "id": person.user.id,
        "name": "ana",
        "email": None,
        "roles": [],
    }
    assert answer.json["device"]["this"] is True


@pytest.mark.parametrize("scheme", ["dpop", "DPOP"])
def test_the_authorization_scheme_is_case_insensitive(person, scheme):
    """RFC 9110 11.1: the letter case of the scheme does not matter."""
    assert _call(person, f"{scheme} {person.access_token}").status == 200


@pytest.mark.parametrize("authorization", ["", "DPoP", "DPoP ", "Bearer {token}", "{token}"])
def test_a_different_authorization_scheme_is_refused_with_a_challenge(person, authorization):
    """RFC 9449 7.1: a bound token is not a bearer token."""
    refused = _call(person, authorization.format(token=person.access_token))
    assert refused.refusal == (401, "invalid_token")
    assert refused.headers["WWW-Authenticate"] == 'DPoP error="invalid_token", algs="ES256"'


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ISSUER},
        {"iss": "https://other.example"},
        {"client_id": "sayso_ag_a"},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1},
        {"cnf": None},
        {"cnf": "text"},
        {"cnf": {"jkt": "other"}},
        {"sid": "sayso_se_none"},
        {"sid": None},
    ],
)
def test_a_token_with_wrong_claims_is_refused(person, claims):
    """The audience, issuer, client, expiry, key and session are checked."""
    person.access_token = _sign_token(person, **claims)
    assert _call(person).refusal == (401, "invalid_token")


def test_a_token_must_match_its_session(person):
    """The user and the key of the token are compared with its session."""
    thief = SigningKey.generate()
    person.access_token = _sign_token(person, cnf={"jkt": thief.thumbprint})
    proof = person.proof("GET", ME, key=thief)
    assert _call(person, proofs=[proof]).refusal == (401, "invalid_token")
    person.access_token = _sign_token(person, cnf={"jkt": person.session.thumbprint}, sub="other")
    assert _call(person).refusal == (401, "invalid_token")
    person.access_token = _sign_token(person, sub=person.user.id)
    assert _call(person).status == 200


def test_a_different_type_of_token_is_refused(person):
    """RFC 9068 4: an ID token is not an access token."""
    for token in (_sign_token(person, typ="JWT"), "nonsense"):
        person.access_token = token
        assert _call(person).refusal == (401, "invalid_token")


def test_a_token_expires_after_ten_minutes(person):
    """A token expires exactly ten minutes after it was issued, to the millisecond."""
    person.local.clock.forward(10 * MINUTE - 1)
    assert _call(person).status == 200
    person.local.clock.forward(1)
    assert _call(person).refusal == (401, "invalid_token")


def test_an_agents_token_is_refused_at_the_api(agent, person, local):
    """The API accepts only access tokens of the approver client."""
    handle, approval = agent.request_approval()
    person.approve(approval.id)
    person.access_token = agent.poll(handle).json["access_token"]
    assert _call(person).refusal == (401, "invalid_token")
    assert local.claims(person.access_token)["client_id"] != APPROVER_CLIENT


def test_a_proof_of_another_key_is_refused(person):
    """A stolen token is useless without its key."""
    proof = person.proof("GET", ME, key=SigningKey.generate())
    assert _call(person, proofs=[proof]).refusal == (401, "invalid_token")


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "POST"},
        {"uri": f"{ISSUER}/api/devices"},
        {"access_token": "another"},
        {"access_token": None},
        {"at": 0},
    ],
)
def test_a_proof_for_another_request_is_refused(person, changes):
    """RFC 9449 4.3: the error says that the proof is invalid."""
    request = {"method": "GET", **changes}
    refused = _call(person, proofs=[person.proof(request.pop("method"), ME, **request)])
    assert refused.refusal == (401, "invalid_dpop_proof")
    assert 'error="invalid_dpop_proof"' in refused.headers["WWW-Authenticate"]


def test_exactly_one_proof_is_required(person):
    """A call with no proof, two proofs or a malformed proof is refused."""
    for proofs in ([], [person.proof("GET", ME), person.proof("GET", ME)], ["nonsense"]):
        assert _call(person, proofs=proofs).refusal == (401, "invalid_dpop_proof")


def test_a_proof_is_used_once(person):
    """A recorded proof cannot be sent again."""
    proof = person.proof("GET", ME)
    assert _call(person, proofs=[proof]).status == 200
    assert _call(person, proofs=[proof]).refusal == (401, "invalid_dpop_proof")


def test_a_refused_request_does_not_use_up_its_proof(person):
    """A refused request stores nothing, so its proof stays valid."""
    proof = person.proof("GET", ME)
    assert _call(person, "DPoP wrong", proofs=[proof]).status == 401
    assert _call(person, proofs=[proof]).status == 200


def test_loopback_names_are_one_host(person):
    """All loopback names are one host, but the port must match."""
    for host in ("127.0.0.1", "[::1]"):
        proof = person.proof("GET", ME, uri=f"http://{host}:8470{ME}")
        assert _call(person, proofs=[proof]).status == 200
    other = person.proof("GET", ME, uri=f"http://127.0.0.1:8471{ME}")
    assert _call(person, proofs=[other]).refusal == (401, "invalid_dpop_proof")


def test_a_disabled_user_is_refused_immediately(person):
    """The error names the remedy, and the session works again when the user is enabled."""
    person.local.admin.users.disable("ana", by=BY)
    refused = _call(person)
    assert refused.refusal == (403, "forbidden")
    assert "enable" in refused.json["detail"]
    person.local.admin.users.enable("ana", by=BY)
    assert _call(person).status == 200


def test_a_revoked_device_is_refused_although_its_session_is_valid(person):
    """The state of the device is checked in addition to the session."""
    with person.local.services.store.write() as tx:
        tx.devices.revoke(person.device_id)
    refused = _call(person)
    assert refused.refusal == (403, "forbidden")
    assert "Enroll" in refused.json["detail"]


def test_a_revoked_session_is_refused_immediately(person):
    """A revoked session is refused even if its access token has not expired."""
    sid = person.local.claims(person.access_token)["sid"]
    with person.local.services.store.write() as tx:
        tx.sessions.revoke(sid, tx.now)
    assert _call(person).refusal == (401, "invalid_token")


def test_last_seen_is_updated_at_most_once_a_minute(person):
    """The list of devices shows when each device was last in use."""
    first = person.device.last_seen_at
    person.local.clock.forward(MINUTE + 1)
    _call(person)
    assert person.device.last_seen_at == first + MINUTE + 1


def test_disabling_during_a_call_refuses_it(agent, person, local):
    """The unit of work checks the user and the device again."""
    _, approval = agent.request_approval()
    jws = person.decision(approval.id)
    call = DeviceCall(f"DPoP {person.access_token}", [person.proof("GET", ME)], "GET", ISSUER + ME)
    caller = local.site.users.device_auth.authenticate(call)
    deleted = replace(caller, device=replace(caller.registered_device, id="sayso_dv_deleted"))
    with pytest.raises(errors.Problem, match="revoked"):
        local.site.approvals.decisions.decide(deleted, approval.id, SubmittedDecision(jws))
    local.admin.users.disable("ana", by=BY)
    with pytest.raises(errors.Problem, match="disabled"):
        local.site.devices.devices.answer_pin_call(caller, bytes(32), "session")
    local.admin.users.enable("ana", by=BY)
    person.call("DELETE", "/api/devices/self")
    with pytest.raises(errors.Problem, match="new DPoP proof"):
        local.site.approvals.decisions.decide(caller, approval.id, SubmittedDecision(jws))
    assert person.device.pin_tries == 0
