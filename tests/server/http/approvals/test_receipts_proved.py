"""A receipt verifies on its user's machine; with any change it does not.

Owns: the terminal's verification of the server's receipts. The browser's is in `tests/browsers`.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from approver_tui.client.approvals.receipts import ReceiptPart, Verdict, check_receipt, verdict
from server.protocol.base64url import decode, encode
from server.protocol.names import SIGNING_ALGS
from server.services.approvals.receipts import TYPE
from tests.support.builders import standing_grants
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.passkey import new_browser
from tests.support.builders.site import LocalSite
from tests.support.inputs.forged_answers import forged
from tests.support.inputs.handmade_jwts import new_key


@pytest.fixture(params=["terminal", "passkey"])
def receipt(
    request: pytest.FixtureRequest, local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> Any:
    """A receipt of an approval, by either kind of device."""
    standing_grants.lower(local)
    who = person if request.param == "terminal" else new_browser(local)
    approval = standing_grants.example(agent, login_hint=who.user.name)
    assert who.approve(approval.id).status == 200
    path = f"/api/approvals/{approval.id}/receipt"
    if isinstance(who, LocalTerminal):
        return who.call("GET", path).json
    return who.send("GET", path).json


def _keys(local: LocalSite) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = local.send("GET", "/jwks").json["keys"]
    return keys


def _with_statement(local: LocalSite, receipt: Any, alg: str) -> Any:
    """The same receipt signed by the server's key of this algorithm."""
    claims = {name: value for name, value in receipt.items() if name != "server_signature"}
    with local.services.store.read() as view:
        keys = view.directory.signing_keys()
    return {**claims, "server_signature": local.services.signer.sign(keys, alg, TYPE, claims)}


def _verdicts(parts: tuple[ReceiptPart, ...]) -> list[Verdict]:
    return [part.verdict for part in parts]


@pytest.mark.parametrize("alg", SIGNING_ALGS)
def test_every_part_of_a_receipt_verifies_with_each_server_key(
    local: LocalSite, receipt: Any, alg: str
) -> None:
    """The texts, the decision, the log entry, the server's signature."""
    parts = check_receipt(_with_statement(local, receipt, alg), _keys(local))
    assert _verdicts(parts) == [Verdict.PROVED] * 4, parts
    assert verdict(parts) is Verdict.PROVED


def test_any_changed_value_makes_a_part_of_the_receipt_wrong(
    local: LocalSite, receipt: Any
) -> None:
    """Acceptance 11: field by field, and the wrong part is named."""
    keys = _keys(local)
    places = [place for place in _leaves(receipt) if place != ("server_signature",)]
    assert len(places) > 40
    for place in places:
        parts = check_receipt(_changed(receipt, place), keys)
        wrong = [part.why for part in parts if part.verdict is Verdict.WRONG]
        assert wrong, place


def test_added_or_missing_members_make_a_receipt_wrong(local: LocalSite, receipt: Any) -> None:
    """The server's signature covers all members."""
    for changed in ({**receipt, "more": 1}, {k: v for k, v in receipt.items() if k != "token"}):
        assert _verdicts(check_receipt(changed, _keys(local)))[-1] is Verdict.WRONG


def test_an_unpublished_key_makes_a_receipt_unknown(receipt: Any) -> None:
    """The receipt is not wrong, because a revoked key is not published either."""
    parts = check_receipt(receipt, [])
    assert parts[-1].verdict is Verdict.UNKNOWN
    assert parts[-1].why == "its key is not published any more"
    assert verdict(parts) is Verdict.UNKNOWN


def test_a_signature_by_another_key_under_a_known_id_is_wrong(
    local: LocalSite, receipt: Any
) -> None:
    """The server's and the device's signatures are checked."""
    kid = json.loads(decode(receipt["server_signature"].partition(".")[0]))["kid"]
    claims = {name: value for name, value in receipt.items() if name != "server_signature"}
    made_up = {**receipt, "server_signature": new_key("ES256", kid).sign(claims, typ=TYPE)}
    result = check_receipt(made_up, _keys(local))[-1]
    assert result.why == "server_signature: the signature is invalid"
    answers = copy.deepcopy(receipt)
    answers["answers"][0]["signed"] = forged(receipt["answers"][0]["signed"])
    result = check_receipt(_with_statement(local, answers, "ES256"), _keys(local))[1]
    assert result.why == "signed: the signature is invalid"


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256"])
def test_the_algorithm_named_by_a_signature_is_not_trusted(
    local: LocalSite, receipt: Any, alg: str
) -> None:
    """The key decides it."""
    head, body, signature = receipt["server_signature"].split(".")
    head = encode(json.dumps({**json.loads(decode(head)), "alg": alg}).encode())
    changed = {**receipt, "server_signature": f"{head}.{body}.{signature}"}
    result = check_receipt(changed, _keys(local))[-1]
    assert result.why == "server_signature: its header is not that of this key"


@pytest.mark.parametrize("nonsense", [{}, {"answers": 1}, {"answers": [1, {}]}, {"approval": []}])
def test_an_invalid_receipt_is_wrong_and_raises_no_error(nonsense: Any) -> None:
    """Malformed members are no internal error."""
    assert Verdict.WRONG in _verdicts(check_receipt(nonsense, []))


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        names = value if isinstance(value, dict) else range(len(value))
        for name in names:
            yield from _leaves(value[name], (*place, name))
    else:
        yield place


def _changed(receipt: Any, place: tuple[Any, ...]) -> Any:
    """A copy in which this one value differs."""
    changed = copy.deepcopy(receipt)
    within = changed
    for name in place[:-1]:
        within = within[name]
    within[place[-1]] = _another(within[place[-1]])
    return changed


def _another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value:
            middle = len(value) // 2
            return value[:middle] + ("b" if value[middle] == "a" else "a") + value[middle + 1 :]
    return "x"
