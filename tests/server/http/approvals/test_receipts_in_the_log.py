"""A receipt verifies with nothing but the public key of the log, and no changed one does."""

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.audit_log import notes
from server.audit_log.verify import Broken, verify_file
from server.services.audit import audit
from server.services.audit.erasures import Erasures
from tests.support.builders import standing_grants
from tests.support.builders.callers import LocalAgent, LocalTerminal
from tests.support.builders.passkey import LocalBrowser, new_browser
from tests.support.builders.site import LocalSite

Who = LocalTerminal | LocalBrowser


def _receipt(who: Who, approval_id: str) -> Any:
    path = f"/api/approvals/{approval_id}/receipt"
    return (who.call if isinstance(who, LocalTerminal) else who.send)("GET", path).json


@pytest.fixture(params=["terminal", "passkey"])
def receipt(
    request: pytest.FixtureRequest, local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> Any:
    """A receipt of an approval, by either kind of device, when a checkpoint has its entry."""
    standing_grants.lower(local)
    who: Who = person if request.param == "terminal" else new_browser(local)
    approval = standing_grants.example(agent, login_hint=who.user.name)
    assert who.approve(approval.id).status == 200
    local.services.audit_log.sign()
    return _receipt(who, approval.id)


@pytest.fixture
def verified(local: LocalSite, tmp_path: Path) -> Callable[..., str]:
    """Verifies a receipt as an auditor does, from a file."""
    own = local.services.audit_log.key.text

    def verify(receipt: Any, key: str = own) -> str:
        file = tmp_path / "receipt.json"
        file.write_text(json.dumps(receipt, indent=2), "utf-8")
        return verify_file(file, [key], None, io.StringIO())

    return verify


def test_a_receipt_verifies_with_the_key_of_the_log(
    verified: Callable[..., str], receipt: Any
) -> None:
    """The answer, the texts that were signed, and the place in the log."""
    said = verified(receipt)
    assert said.startswith(f'Verified: 1 answer to "{receipt["approval"]["id"]}" in the log, as of')


def _set(value: Any, *place: Any) -> Callable[[Any], None]:
    def change(receipt: Any) -> None:
        for name in place[:-1]:
            receipt = receipt[name]
        old = receipt[place[-1]]
        receipt[place[-1]] = value(old) if callable(value) else value

    return change


def _more(text: str) -> str:
    return f"{text} "


def _another_root(proof: str) -> str:
    """A proof with the first hash changed."""
    lines = proof.split("\n")
    return "\n".join([*lines[:3], "A" * 43 + "=", *lines[4:]])


ANSWER: tuple[Any, ...] = ("answers", 0)
CHANGES = {
    "action": (_set(_more, "approval", "action"), "approval/action was changed"),
    "display": (_set(_more, "approval", "display"), "approval/display was changed"),
    "request": (_set("sayso_ap_other", "approval", "id"), "approval_id is not that of the entry"),
    "digest": (_set("x", "approval", "action_digest"), "approval/action was changed"),
    "person": (_set("sayso_us_other", *ANSWER, "by", "id"), "about another answer"),
    "answer": (_set("deny", *ANSWER, "decision"), "about another answer"),
    "signed": (_set(_more, *ANSWER, "signed"), "about another answer"),
    "entry": (_set(_more, *ANSWER, "entry", "body"), "entry/body is not what is proved"),
    "entry id": (_set("other", *ANSWER, "entry", "id"), "id is not that of the entry"),
    "hash": (_set(_another_root, *ANSWER, "entry", "proof"), "is not in the log"),
    "form": (_set("other", *ANSWER, "entry", "proof"), "This is not a proof"),
    "granted": (_set({"text": "{}"}, "approval", "granted"), "granted is not what was signed"),
    "no proof": (_set(None, *ANSWER, "entry", "proof"), "has no proof that it is in the log"),
    "no entry": (_set(None, *ANSWER, "entry"), "has no proof that it is in the log"),
    "no answer": (_set([], "answers"), "Nobody answered this request"),
    "malformed": (_set(7, "answers"), "A member of the receipt is missing or wrong"),
    "no key": (_set(None, *ANSWER, "key"), "the signature cannot be checked"),
    "other key": (_set({"kty": "OKP"}, *ANSWER, "key", "jwk"), "the signature is invalid"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_of_a_receipt_is_named(
    verified: Callable[..., str], receipt: Any, name: str
) -> None:
    """Also by somebody who has the keys of the server."""
    change, words = CHANGES[name]
    changed = copy.deepcopy(receipt)
    change(changed)
    with pytest.raises(Broken, match=words):
        verified(changed)


def test_a_receipt_of_another_log_is_not_proved(verified: Callable[..., str], receipt: Any) -> None:
    """Whoever runs another server cannot make one."""
    other = notes.public_key("localhost:8470/log", b"o" * 32).text
    with pytest.raises(Broken, match="No key that you trust signed it"):
        verified(receipt, other)


def test_a_receipt_of_a_moment_ago_has_no_proof_yet(
    local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """It is made all the same; a later one has it. An earlier version knew no proofs."""
    standing_grants.lower(local)
    approval = standing_grants.example(agent, login_hint=person.user.name)
    person.approve(approval.id)
    assert _receipt(person, approval.id)["answers"][0]["entry"]["proof"] is None
    local.services.audit_log.sign()
    assert _receipt(person, approval.id)["answers"][0]["entry"]["proof"].startswith("c2sp.org/")


def test_the_receipt_of_an_erased_user_verifies(
    verified: Callable[..., str], local: LocalSite, agent: LocalAgent, person: LocalTerminal
) -> None:
    """Its entry never had a text; the receipt from before and the one from after are proved."""
    standing_grants.lower(local)
    approval = standing_grants.example(agent, login_hint=person.user.name)
    note = {"reason": "Called the supplier.", "private_note": "Zaphod knows."}
    assert person.deny(approval.id, **note).status == 200
    local.services.audit_log.sign()
    before = _receipt(person, approval.id)
    _user, texts = Erasures(local.services.store).erase(person.user.id, by=audit.OPERATOR)
    after = _receipt(person, approval.id)
    for receipt in (before, after):
        assert verified(receipt).startswith("Verified: 1 answer")
        assert "Zaphod" not in json.dumps(receipt["answers"])
    (entry,) = local.admin.entries("approval.denied")
    assert (entry["facts"]["note"], texts > 0) == ("erased", True)
