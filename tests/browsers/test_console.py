"""An administrator at the console, in a real browser."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.model.approvals import Approval
from server.protocol.policy.risks import Risk
from tests.support.browsers.chromium import Chromium
from tests.support.browsers.first_sign_in import newcomer
from tests.support.builders.installation import PAYMENT
from tests.support.checks.waiting import until
from tests.support.clients.agent import Agent, new_agent
from tests.support.clients.third_party import running_typescript
from tests.support.inputs.agent_icons import png
from tests.support.servers.server import BY, AgentKey, LiveServer

_PIXEL = """(() => {
  const copy = new OffscreenCanvas(64, 64).getContext("2d", {willReadFrequently: true});
  copy.drawImage(document.getElementById("icon-drawn"), 0, 0);
  return Array.from(copy.getImageData(32, 32, 1, 1).data);
})()"""

_CUT_PLACEHOLDERS = """[...document.querySelectorAll(".filter input")].filter((field) => {
  const copy = new OffscreenCanvas(1, 1).getContext("2d");
  const { fontSize, fontFamily } = getComputedStyle(field, "::placeholder");
  copy.font = `${fontSize} ${fontFamily}`;
  const { paddingLeft, paddingRight } = getComputedStyle(field);
  const room = field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  return copy.measureText(field.placeholder).width > room;
}).map((field) => field.placeholder)"""


@pytest.fixture
def admin(server: LiveServer, tab: Chromium) -> str:
    """An administrator who created a passkey in this browser."""
    return newcomer(tab, server, "admin")


def test_an_agent_is_disabled_and_enabled(
    server: LiveServer, tab: Chromium, admin: str, agent: Agent
) -> None:
    """The effects are shown first. Disabling takes a click, and enabling takes the passkey."""
    agent.request_approval(admin)
    tab.open(f"{server.url}/admin/agents")
    tab.click(f"a[href='/admin/agents/{agent.key.id}']")
    tab.wait_for_text("Requests in the last")
    tab.click(".acts .danger")
    tab.wait_for_text("1 open request")
    tab.click("form .danger")
    tab.wait_for_text("disabled")
    tab.click(".acts button")
    tab.wait_for_text("This change needs your passkey")
    tab.click("#sign .primary")
    tab.see("document.querySelector('.head .state')?.textContent === 'enabled'")


def test_a_passkey_without_user_verification_cannot_sign_a_change(
    server: LiveServer, tab: Chromium, admin: str, agent: Agent
) -> None:
    """The page says that nothing was sent, and the agent keeps its secret."""
    tab.open(f"{server.url}/admin/agents/{agent.key.id}")
    tab.click(".inline button")
    tab.wait_for_text("This change needs your passkey")
    tab.verify(person=False)
    tab.click("#sign .primary")
    tab.wait_for_text("The passkey was not used. Nothing was sent.")
    assert agent.ask_payment(admin).status_code == 200


@pytest.fixture
def key(server: LiveServer, admin: str) -> AgentKey:
    """An agent whose scope requires an action type."""
    uri = f"https://{admin}.example"
    server.resources.add(uri, {"pay:send": Risk.HIGH}, {"pay:send": "payment.transfer"}, by=BY)
    return server.agent(resources=(uri,), scopes=("pay:send",), owners=(admin,))


def _shown_program(tab: Chromium, name: str) -> str:
    return str(tab.ask(f"document.getElementById('{name}').textContent"))


@contextmanager
def _started(language: str, text: str, folder: Path, secret: str) -> Iterator[None]:
    """Run the program as a user would start it."""
    if language == "typescript":
        with running_typescript(text, folder, AGENT_SECRET=secret):
            yield
        return
    command = {"curl": ["bash", "-c"], "python": [sys.executable, "-c"]}[language]
    environment = {**os.environ, "AGENT_SECRET": secret}
    process = subprocess.Popen([*command, text], cwd=folder, env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "language", ["curl", "python", pytest.param("typescript", marks=pytest.mark.clients)]
)
def test_the_first_program_of_an_agent_that_must_name_an_action_runs_as_printed(
    server: LiveServer, tab: Chromium, key: AgentKey, tmp_path: Path, language: str
) -> None:
    """The program asks the agent's owner about an example of the action."""
    tab.open(f"{server.url}/admin/agents/{key.id}")
    tab.click(".inline button")
    tab.wait_for_text("This change needs your passkey")
    tab.click("#sign .primary")
    tab.wait_for_text("First request")
    secret, text = _shown_program(tab, "secret"), _shown_program(tab, f"in-{language}")
    with _started(language, text, tmp_path, secret):
        (approval,) = until(lambda: _open(server, key), 30.0)
    assert approval.scope == "pay:send"
    assert [detail["type"] for detail in json.loads(approval.details)] == ["payment.transfer"]


def _open(server: LiveServer, key: AgentKey) -> list[Approval]:
    with server.services.store.administer() as tx:
        return tx.approvals.open_of_agent(key.id)


def test_an_action_type_is_previewed_while_it_is_written(
    server: LiveServer, tab: Chromium, admin: str
) -> None:
    """The server renders the preview. Example values are text, and an error is shown next to it."""
    assert admin
    tab.open(f"{server.url}/admin/new/action")
    tab.type("#document", json.dumps({**PAYMENT, "type": "pay.more"}))
    tab.see("document.querySelector('#preview .headline')?.textContent.includes('EUR 4,820.00')")
    payee = "<img src=x onerror=document.title=1>\u202eevil"
    tab.type("#details", json.dumps({"amount": {"minor": 1, "currency": "EUR"}, "payee": payee}))
    tab.see("document.querySelector('#preview .headline')?.textContent.includes('onerror')")
    assert tab.ask("document.querySelectorAll('#preview img').length") == 0
    assert "\u202e" not in tab.ask("document.querySelector('#preview').textContent")
    tab.type("#document", "{")
    tab.see("document.querySelector('#preview .problem')?.textContent.includes('not JSON')")
    assert tab.ask("document.getElementById('document').value") == "{"
    _complains_of(tab, "/admin/new/action/preview")


def test_an_icon_is_previewed_and_an_invalid_one_changes_nothing(
    server: LiveServer, tab: Chromium, admin: str, agent: Agent, tmp_path: Path
) -> None:
    """A file that is too large or not an image is refused. The passkey signs the preview."""
    assert admin
    tab.open(f"{server.url}/admin/agents/{agent.key.id}/icon")
    tab.see("document.getElementById('icon-file').disabled === false")
    assert _pixel(tab) == [0, 0, 0, 0]
    _choose(tab, tmp_path / "large.png", b"x" * 33_000)
    tab.wait_for_text("larger than 32 kB. The icon was not changed")
    _choose(tab, tmp_path / "text.png", b"no picture")
    tab.wait_for_text("not an image. The icon was not changed")
    assert tab.ask("document.getElementById('icon').value") == ""
    _choose(tab, tmp_path / "green.png", png(64, 64))
    tab.wait_for_text("Chosen: 64 by 64 pixels")
    assert _pixel(tab) == [31, 95, 85, 255]
    tab.click("#icon-none")
    tab.wait_for_text("No icon: the first letter is shown.")
    assert _pixel(tab) == [0, 0, 0, 0]
    _choose(tab, tmp_path / "red.png", png(64, 64, (194, 72, 60)))
    tab.wait_for_text("Chosen: 64 by 64 pixels")
    tab.click("form .primary")
    tab.wait_for_text("This change needs your passkey")
    tab.click("#sign .primary")
    tab.see("document.querySelector('h1 img.face')?.naturalWidth === 64")
    tab.open(f"{server.url}/admin/agents/{agent.key.id}/icon")
    tab.wait_for_text("Current icon: 64 by 64 pixels")
    assert _pixel(tab) == [194, 72, 60, 255]


def _choose(tab: Chromium, path: Path, data: bytes) -> None:
    """Select this file, as the file dialog does."""
    path.write_bytes(data)
    root = tab.tell("DOM.getDocument")["root"]["nodeId"]
    field = tab.tell("DOM.querySelector", nodeId=root, selector="#icon-file")["nodeId"]
    tab.tell("DOM.setFileInputFiles", files=[str(path)], nodeId=field)


def _pixel(tab: Chromium) -> list[int]:
    """Return the red, green, blue and alpha values at the center of the preview."""
    found: list[int] = tab.ask(_PIXEL)
    return found


_CHOOSE = (
    "(who => {{ const tick = document.getElementsByName(`members-${{who}}`)[0];"
    " tick ? tick.click() : document.getElementById('members-more').value = who }})({})"
)
"""Select a member's checkbox, or type the name if there are too many for checkboxes."""


def test_a_refused_form_is_corrected_and_signed(
    server: LiveServer, tab: Chromium, admin: str
) -> None:
    """The typed text is kept, and the passkey signs the corrected change."""
    assert admin
    tab.open(f"{server.url}/admin/new/group")
    name = f"group-{admin}"
    mixed = name.replace("o", "\N{CYRILLIC SMALL LETTER O}", 1)
    tab.type("#name", mixed)
    tab.ask(_CHOOSE.format(json.dumps(admin)))
    tab.click("form .primary")
    tab.see("document.getElementById('name-problem')?.textContent.includes('one script')")
    assert tab.ask("document.getElementById('name').value") == mixed
    assert tab.ask(f"document.getElementsByName({json.dumps(f'members-{admin}')})[0].checked")
    _complains_of(tab, "/admin/new/group/add")
    tab.type("#name", name)
    tab.click("form .primary")
    tab.wait_for_text("This change needs your passkey")
    tab.click("#sign .primary")
    tab.see(f"document.querySelector('tbody')?.textContent.includes({json.dumps(name)})")


def _complains_of(tab: Chromium, path: str) -> None:
    """The console reports the refused request, and nothing else; it is accepted here."""
    complaints = until(lambda: tab.ask("1") and tab.complaints(), 30.0)
    assert [text for text in complaints if path not in text or "status of 4" not in text] == []
    tab.events.clear()


_CLICK_TWICE = "(button => {{ button.click(); button.click(); }})(document.querySelector({}))"


def test_a_double_click_sends_a_form_once(
    server: LiveServer, tab: Chromium, admin: str, agent: Agent
) -> None:
    """A second response would hide the code in the first, or say that the agent does not exist."""
    tab.open(f"{server.url}/admin/new/user")
    tab.type("#name", f"friend of {admin}")
    tab.ask(_CLICK_TWICE.format("'form.tile .primary'"))
    tab.see("document.querySelector('#sign .primary')?.disabled === false")
    tab.ask(_CLICK_TWICE.format("'#sign .primary'"))
    tab.wait_for_text("The code is shown only once.")
    tab.open(f"{server.url}/admin/agents/{agent.key.id}/delete")
    tab.ask(_CLICK_TWICE.format("'form .danger'"))
    tab.see("location.pathname === '/admin/agents' && document.readyState === 'complete'")


@pytest.mark.usefixtures("admin")
def test_long_names_do_not_break_the_events_of_the_audit_log(
    server: LiveServer, tab: Chromium
) -> None:
    """A name without spaces gets the width that the other columns leave, on a wide screen."""
    name = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenh"
    agent = new_agent(server, name=name[::-1])
    agent.request_approval(server.user(name)[0])
    tab.look(width=1440)
    tab.open(f"{server.url}/admin/audit?type=approval.requested")
    rows = tab.ask("[...document.querySelectorAll('td a')].map((a) => a.getClientRects().length)")
    assert rows
    assert set(rows) == {1}
    assert tab.ask("document.documentElement.scrollWidth <= innerWidth")
    agent.http.close()


@pytest.mark.usefixtures("admin")
def test_the_examples_in_the_filter_of_the_audit_log_are_not_cut_off(
    server: LiveServer, tab: Chromium
) -> None:
    """They fit into their fields on a wide screen and on a phone."""
    for width in (1440, 360):
        tab.look(width=width)
        tab.open(f"{server.url}/admin/audit")
        assert tab.ask("document.querySelectorAll('.filter input[placeholder]').length") >= 4
        assert tab.ask(_CUT_PLACEHOLDERS) == []
