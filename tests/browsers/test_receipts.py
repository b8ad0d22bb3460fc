"""A receipt is verified with the browser's own cryptography, and each change is detected."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from server.audit_log.notes import LogKey
from server.audit_log.receipts import BadReceipt
from server.audit_log.receipts import check as check_receipt
from tests.support.browsers.chromium import Chromium, stranger
from tests.support.browsers.first_sign_in import enroll
from tests.support.clients.agent import Agent
from tests.support.servers.server import LiveServer

_CREATED: Final = {
    "agent/id": "sayso_ag_other",
    "risk": "critical",
    "kind": "app_action",
    "ceremony": "pin",
}
"""Members that the entry of the request contains, and other values for them."""
_PROVED = """
Promise.all([import("/receipt_proof.js"), fetch("/jwks").then((answer) => answer.json())])
  .then(([{ proved }, { keys }]) => proved(RECEIPT, keys))
"""


@pytest.fixture(scope="module")
def name(server: LiveServer) -> tuple[str, str]:
    """A user, and a code for their browser."""
    return server.user()


@pytest.fixture(scope="module")
def opened(server: LiveServer, browser: Chromium, name: tuple[str, str]) -> Iterator[Chromium]:
    """The user's browser."""
    with stranger(browser) as tab:
        tab.add_passkey_holder()
        tab.look(width=1200, height=1800)
        enroll(tab, server, name[1])
        yield tab


@pytest.fixture
def receipt(server: LiveServer, opened: Chromium, name: tuple[str, str], agent: Agent) -> Any:
    """The receipt of an approval that this browser's passkey signed, with its page open."""
    handle = agent.request_approval(name[0])
    opened.open(f"{server.url}/")
    opened.open(opened.see("document.querySelector('.row a')?.href"))
    opened.click("#to-approve")
    opened.click("#approve-now")
    opened.wait_for_text("Approved by")
    assert agent.poll(handle).status_code == 200
    opened.wait_for_text("collected its token")
    server.services.audit_log.sign()
    opened.see("localStorage.getItem(`sayso-log-${document.body.dataset.user}`)")
    opened.click("a[href^='/receipt/']")
    opened.wait_for_text("This receipt")
    return json.loads(opened.ask("document.getElementById('whole').textContent"))


def _find_errors(tab: Chromium, receipt: Any) -> str:
    """Return every error about a receipt as one text."""
    parts = tab.ask(_PROVED.replace("RECEIPT", json.dumps(receipt)))
    return "\n".join(part["why"] for part in parts if part["state"] == "wrong")


def _flipped(text: str) -> str:
    """Return the text with a different letter in its middle."""
    at = len(text) // 2
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _extend_text(text: str) -> str:
    return f"{text} "


def test_a_receipt_is_proved_and_each_changed_field_is_named(
    server: LiveServer, opened: Chromium, receipt: Any
) -> None:
    """I26: the passkey, the log entry and the server's signature prove it in the browser."""
    assert "This receipt is valid." in opened.text("#verdict")
    assert opened.ask("document.querySelectorAll('#proved .proved').length") == 4
    assert _find_errors(opened, receipt) == ""

    def changed(change: Any) -> str:
        copy = json.loads(json.dumps(receipt))
        change(copy)
        return _find_errors(opened, copy)

    def set_in(path: str, value: Any) -> Any:
        *parents, last = [int(step) if step.isdigit() else step for step in path.split("/")]

        def change(copy: Any) -> None:
            for step in parents:
                copy = copy[step]
            copy[last] = value(copy[last]) if callable(value) else value

        return change

    parts = receipt["answers"][0]["signed"].split(".")
    words = {
        "approval/action": (_flipped, "approval/action: does not match its digest"),
        "approval/display": (_flipped, "approval/display: does not match its digest"),
        "fingerprint": ("0000-0000", "fingerprint: does not match the action"),
        "answers/0/decision": ("deny", "decision: differs from what was signed"),
        "answers/0/by/id": ("sayso_us_other", "sub: differs from what was signed"),
        "answers/0/device/name": ("laptop", "answers/0/device/name: differs from what the server"),
        "answers/0/at": ("2001-01-01T00:00:00Z", "at: differs from the signed time"),
        "entries/1/body": (_extend_text, "entries: a body does not match its proof"),
        "approval/state": ("denied", "approval/state: the log says approval.approved"),
        "approval/decided_by": ({}, "approval/decided_by: differs from the log"),
        **{
            f"approval/{path}": (value, f"approval/{path}: differs from the log")
            for path, value in _CREATED.items()
        },
        "policy_version": (7, "policy_version: differs from the log"),
        "answers": ([], "answers: differ from the log"),
        "token/id": ("other", "token/id: differs from the log"),
        "answers/0/key/jwk/x": (
            _flipped,
            "answers/0/key/jwk/x: differs from what the server signed",
        ),
        "approval/agent/name": ("other-bot", "approval/agent/name: differs from what the server"),
        "token/scope/0": (
            "payments:transfer",
            "token/scope/0: differs from what the server signed",
        ),
        "made_at": ("2001-01-01T00:00:00Z", "made_at: differs from what the server signed"),
        "server_signature": (_flipped, "server_signature"),
    }
    for path, (value, says) in words.items():
        assert says in changed(set_in(path, value)), path
    log_key = LogKey.read(server.services.audit_log.key.text)
    for path, value in _CREATED.items():  # the checks of auditors and terminals have the same rule
        copy = json.loads(json.dumps(receipt))
        set_in(f"approval/{path}", value)(copy)
        with pytest.raises(BadReceipt, match="of the request differs from the log"):
            check_receipt(copy, [log_key])
    check_receipt(receipt, [log_key])
    for at, says in (
        (0, "it names a different passkey"),
        (1, "the passkey signed a different payload"),
        (2, "signed: "),
        (3, "signed: "),
        (4, "signed: the signature is invalid"),
    ):
        broken = ".".join([*parts[:at], _flipped(parts[at]), *parts[at + 1 :]])
        verdict = changed(set_in("answers/0/signed", broken))
        assert verdict, at
        assert says in verdict or at in {2, 3}, (at, verdict)


def test_a_file_is_checked_like_the_page_and_a_printout_has_no_buttons(
    opened: Chromium, receipt: Any, tmp_path: Any
) -> None:
    """A changed file is reported as not valid, and only the receipt itself is printed."""
    receipt["approval"]["agent"]["name"] = "other-bot"
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(receipt))
    document_node = opened.tell("DOM.getDocument")["root"]["nodeId"]
    node = opened.tell("DOM.querySelector", nodeId=document_node, selector="#file")["nodeId"]
    opened.tell("DOM.setFileInputFiles", nodeId=node, files=[str(path)])
    opened.wait_for_text("changed.json is not valid.")
    assert "approval/agent/name" in opened.text("#of-file")
    assert opened.text("#verdict") == "This receipt is valid."
    opened.look(width=360, height=760)
    below = "document.querySelector('#of-file .verdict').getBoundingClientRect().top"
    field = "document.getElementById('file').getBoundingClientRect().bottom"
    assert 0 <= opened.ask(f"{below} - {field}") < 50
    opened.look(width=1440)
    for name, text in (("notes.txt", "hello"), ("list.json", "[]"), ("other.json", '{"a": 1}')):
        other = tmp_path / name
        other.write_text(text)
        opened.tell("DOM.setFileInputFiles", nodeId=node, files=[str(other)])
        opened.wait_for_text(f"{name} is not a receipt.")
        assert opened.ask("document.querySelectorAll('#of-file li').length") == 0
    opened.tell("Emulation.setEmulatedMedia", media="print")
    shown = (
        "Array.from(document.querySelectorAll('button, nav, input')).some(e => e.checkVisibility())"
    )
    assert opened.ask(shown) is False
    opened.tell("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("theme", ["system", "dark", "contrast"])
def test_a_page_is_printed_in_black_with_dark_colors(
    server: LiveServer, opened: Chromium, theme: str
) -> None:
    """Paper is white, so the light letters of a dark screen would be gray on it."""
    opened.open(f"{server.url}/history")
    opened.ask(f"document.documentElement.dataset.theme = {json.dumps(theme)}")
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    ink = "getComputedStyle(document.body).color"
    opened.tell("Emulation.setEmulatedMedia", media="screen", features=dark)
    assert opened.ask(ink) != "rgb(0, 0, 0)"
    opened.tell("Emulation.setEmulatedMedia", media="print", features=dark)
    assert opened.ask(ink) == "rgb(0, 0, 0)"
    opened.tell("Emulation.setEmulatedMedia", media="", features=[])
