"""A receipt verifies on its user's machine, and a changed receipt does not.

Owns: the terminal's verification of the server's receipts. The browser's is in `tests/browsers`.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from approver_tui.client.approvals.receipts import ReceiptPart, Verdict, check_receipt, verdict
from server.audit_log import notes
from server.protocol.base64url import decode, encode
from server.protocol.names import SIGNING_ALGS
from server.services.approvals.receipts import TYPE
from tests.support.builders import receipts, standing_grants
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.passkey import new_browser
from tests.support.builders.receipts import Ends
from tests.support.builders.site import LocalSite
from tests.support.inputs.forged_answers import forged
from tests.support.inputs.handmade_jwts import new_key

Check: TypeAlias = Callable[..., tuple[ReceiptPart, ...]]


@pytest.fixture(params=["terminal", "passkey"])
def receipt(
    request: pytest.FixtureRequest, local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> Any:
    """A receipt for an approval that was signed by a terminal or a passkey."""
    standing_grants.lower(local)
    caller = person if request.param == "terminal" else new_browser(local)
    approval = standing_grants.example(agent, login_hint=caller.user.name)
    assert caller.approve(approval.id).status == 200
    return receipts.prove_receipt(caller, approval.id)


@pytest.fixture
def check(local: LocalSite) -> Check:
    """A function that verifies a receipt with the keys of its server."""
    keys = {"keys": _keys(local), "log_key": local.services.audit_log.key.text}

    def verified(receipt: Any, **others: Any) -> tuple[ReceiptPart, ...]:
        return check_receipt(receipt, **{**keys, **others})

    return verified


def _keys(local: LocalSite) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = local.send("GET", "/jwks").json["keys"]
    return keys


def _with_statement(local: LocalSite, receipt: Any, alg: str) -> Any:
    """Return the receipt signed by the server's key of this algorithm."""
    claims = {name: value for name, value in receipt.items() if name != "server_signature"}
    with local.services.store.read() as view:
        keys = view.directory.signing_keys()
    return {**claims, "server_signature": local.services.signer.sign(keys, alg, TYPE, claims)}


def _verdicts(parts: tuple[ReceiptPart, ...]) -> list[Verdict]:
    return [part.verdict for part in parts]


@pytest.mark.parametrize("alg", SIGNING_ALGS)
def test_every_part_of_a_receipt_verifies_with_each_server_key(
    local: LocalSite, receipt: Any, check: Check, alg: str
) -> None:
    """The parts are the texts, the decision, the log entry and the server's signature."""
    parts = check(_with_statement(local, receipt, alg))
    assert _verdicts(parts) == [Verdict.PROVED] * 4, parts
    assert verdict(parts) is Verdict.PROVED


def test_any_changed_value_makes_a_part_of_the_receipt_wrong(receipt: Any, check: Check) -> None:
    """Acceptance 11: each value is changed in turn, and the wrong part is named."""
    places = [path for path in _leaves(receipt) if path != ("server_signature",)]
    assert len(places) > 40
    for path in places:
        parts = check(_changed(receipt, path))
        wrong = [part.why for part in parts if part.verdict is Verdict.WRONG]
        assert wrong, path


def test_added_or_missing_members_make_a_receipt_wrong(receipt: Any, check: Check) -> None:
    """The server's signature covers all members."""
    for changed in ({**receipt, "more": 1}, {k: v for k, v in receipt.items() if k != "token"}):
        assert _verdicts(check(changed))[-1] is Verdict.WRONG


def test_an_unpublished_key_makes_a_receipt_unknown(receipt: Any, check: Check) -> None:
    """The receipt is not wrong, because a revoked key is not published either."""
    parts = check(receipt, keys=[])
    assert parts[-1].verdict is Verdict.UNKNOWN
    assert parts[-1].why == "its key is no longer published"
    assert verdict(parts) is Verdict.UNKNOWN


def test_a_signature_by_another_key_under_a_known_id_is_wrong(
    local: LocalSite, receipt: Any, check: Check
) -> None:
    """The signatures of the server and of the device are both checked."""
    kid = json.loads(decode(receipt["server_signature"].partition(".")[0]))["kid"]
    claims = {name: value for name, value in receipt.items() if name != "server_signature"}
    made_up = {**receipt, "server_signature": new_key("ES256", kid).sign(claims, typ=TYPE)}
    result = check(made_up)[-1]
    assert result.why == "server_signature: the signature is invalid"
    answers = copy.deepcopy(receipt)
    answers["answers"][0]["signed"] = forged(receipt["answers"][0]["signed"])
    result = check(_with_statement(local, answers, "ES256"))[1]
    assert result.why == "signed: the signature is invalid"


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256"])
def test_the_algorithm_named_by_a_signature_is_not_trusted(
    receipt: Any, check: Check, alg: str
) -> None:
    """The key determines the algorithm."""
    head, body, signature = receipt["server_signature"].split(".")
    head = encode(json.dumps({**json.loads(decode(head)), "alg": alg}).encode())
    changed = {**receipt, "server_signature": f"{head}.{body}.{signature}"}
    result = check(changed)[-1]
    assert result.why == "server_signature: the header does not match this key"


@pytest.mark.parametrize("end", receipts.ENDS, ids=lambda end: end.__name__)
def test_the_receipt_of_each_outcome_verifies(
    agent: LocalAgent, person: LocalTerminal, check: Check, end: Ends
) -> None:
    """The receipt of a use also has the signature that created the standing grant."""
    receipt = receipts.prove_receipt(person, end(agent, person))
    parts = check(receipt)
    signed = [part.what for part in parts if "is signed by the key" in part.what]
    grant_request = receipt["given_in"] or {"answers": []}
    assert _verdicts(parts) == [Verdict.PROVED] * (3 + len(signed)), parts
    assert len(signed) == len(receipt["answers"]) + len(grant_request["answers"])
    assert all(
        " of the consent or standing grant is" in what for what in signed[len(receipt["answers"]) :]
    )


def test_a_forged_answer_that_created_the_standing_grant_is_named(
    agent: LocalAgent, person: LocalTerminal, local: LocalSite, check: Check
) -> None:
    """A valid signature of the server does not make up for a forged answer."""
    receipt = receipts.prove_receipt(person, receipts.granted(agent, person))
    (answer,) = receipt["given_in"]["answers"]
    answer["signed"] = forged(answer["signed"])
    parts = check(_with_statement(local, receipt, "ES256"))
    assert parts[1].why == "signed: the signature is invalid"
    assert parts[2].why.endswith("is not in the log")


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("expired", "The request is expired, but the log says approval.approved"),
        ("pending", "The request is pending, but the log says approval.approved"),
    ],
)
def test_an_outcome_that_the_log_does_not_have_is_wrong(
    local: LocalSite, receipt: Any, check: Check, state: str, why: str
) -> None:
    """The outcome is wrong even if the server signed the receipt."""
    receipt["approval"]["state"] = state
    parts = check(_with_statement(local, receipt, "ES256"))
    assert (parts[-2].verdict, parts[-2].why) == (Verdict.WRONG, why)


def test_a_receipt_says_why_its_log_entry_cannot_be_verified_here(
    agent: LocalAgent, person: LocalTerminal, check: Check
) -> None:
    """Without a checkpoint or with no matching log key the part is unknown, and not wrong."""
    name = receipts.denied(agent, person)
    new, later = receipts.of(person, name), receipts.prove_receipt(person, name)
    other = notes.public_key("localhost:8470/log", b"o" * 32).text
    for parts, why in (
        (check(new), "was made within two seconds of it. Download it again"),
        (check(later, log_key=None), "the key of the audit log is not known on this machine"),
        (check(later, log_key=other), "No key that you trust signed it"),
    ):
        assert parts[-2].verdict is Verdict.UNKNOWN
        assert parts[-2].why.endswith(why)
        assert verdict(parts) is Verdict.PROVED


@pytest.mark.parametrize("nonsense", [{}, {"answers": 1}, {"answers": [1, {}]}, {"approval": []}])
def test_an_invalid_receipt_is_wrong_and_raises_no_error(nonsense: Any, check: Check) -> None:
    """Malformed members do not cause an internal error."""
    assert Verdict.WRONG in _verdicts(check(nonsense))


def _leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        names = value if isinstance(value, dict) else range(len(value))
        for name in names:
            yield from _leaves(value[name], (*place, name))
    else:
        yield place


def _changed(receipt: Any, place: tuple[Any, ...]) -> Any:
    """Return a copy in which only the value at this path differs."""
    changed = copy.deepcopy(receipt)
    within = changed
    for name in place[:-1]:
        within = within[name]
    within[place[-1]] = _different_value(within[place[-1]])
    return changed


def _different_value(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value:
            middle = len(value) // 2
            return value[:middle] + ("b" if value[middle] == "a" else "a") + value[middle + 1 :]
    return "x"
