"""Receipts of every kind, verified by Chromium and Firefox.

Owns: valid receipts and a forged one of each kind. The effect of one changed field is tested in
`test_receipts.py`.
"""

import copy
import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from approver_tui.client.standing_grants.standing_grants import StandingGrantsClient
from approver_tui.state.approvals.approvals import Approval
from approver_tui.state.standing_grants.standing_grants import StandingGrantProposal
from server.protocol.base64url import decode, encode
from server.protocol.names import SIGNING_ALGS
from server.services.approvals.oversight import Oversight
from server.services.approvals.receipts import TYPE
from tests.support.browsers.chromium import chromium
from tests.support.browsers.firefox import autopush, firefox
from tests.support.browsers.first_sign_in import enroll_too
from tests.support.browsers.pushed_browsers import Tab
from tests.support.builders.clock import MINUTE
from tests.support.checks.log_and_rows import waiting
from tests.support.clients.agent import new_agent
from tests.support.clients.terminal import Terminal, new_person
from tests.support.fakes.push_service import PushService
from tests.support.inputs.forged_answers import forged
from tests.support.inputs.handmade_jwts import new_key
from tests.support.servers.server import BY, LiveServer

End: TypeAlias = Callable[[LiveServer, Terminal], str]
_BROWSERS = ("chromium", "firefox")
_ANSWERS = ("terminal", "passkey")
_S = "\N{RIGHT SINGLE QUOTATION MARK}s"
_CHOOSE = """(() => {
  const chosen = new DataTransfer();
  chosen.items.add(new File([TEXT], NAME, { type: "application/json" }));
  const input = document.getElementById("file");
  input.files = chosen.files;
  input.dispatchEvent(new Event("change"));
  return true;
})()"""
"""Selects a file as a user does in the file dialog, which no driver can open."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A user with an open receipt page, on which files can be checked."""

    tab: Tab
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def check(self, receipt: Any) -> tuple[str, list[str]]:
        """Return the page's verdict on a receipt and on each part of it."""
        name = f"kept-{next(self.numbers)}.json"
        chosen = _CHOOSE.replace("TEXT", json.dumps(json.dumps(receipt)))
        self.tab.see("document.getElementById('file')?.disabled === false")
        assert self.tab.ask(chosen.replace("NAME", json.dumps(name))) is True
        verdict_script = "document.querySelector('#of-file .verdict').textContent"
        self.tab.see(f"{verdict_script}.startsWith({json.dumps(name)})")
        parts = "[...document.querySelectorAll('#of-file li')].map((each) => each.textContent)"
        return self.tab.ask(verdict_script).removeprefix(name).strip(), self.tab.ask(parts)


@pytest.fixture(scope="module")
def person(server: LiveServer) -> Terminal:
    """A user with a terminal, who gets a passkey in each browser."""
    return new_person(server)


@pytest.fixture(scope="module")
def tabs(
    tmp_path_factory: pytest.TempPathFactory,
    server: LiveServer,
    service: PushService,
    person: Terminal,
) -> Iterator[dict[str, Tab]]:
    """The user's browsers, signed in."""
    folder = tmp_path_factory.mktemp("receipts")
    with (
        chromium(folder / "chromium") as first,
        autopush(service) as push,
        firefox(folder / "firefox", push, os.environ) as second,
    ):
        found: dict[str, Tab] = {"chromium": first, "firefox": second}
        for tab in found.values():
            tab.add_passkey_holder()
            enroll_too(tab, server, person.user)
        yield found


@pytest.fixture(scope="module")
def receipts(server: LiveServer, person: Terminal, tabs: dict[str, Tab]) -> dict[str, Any]:
    """A receipt for each kind of device, of an approval whose token was collected."""
    agent, tab = new_agent(server), tabs["chromium"]
    found = {}
    for kind in _ANSWERS:
        handle = agent.request_approval(person.user)
        name = waiting(server, person.user)[0].id
        if kind == "terminal":
            person.approve(person.only_request())
        else:
            tab.open(f"{server.url}/r/{name}")
            tab.click("#to-approve")
            tab.click("#approve-now")
            tab.wait_for_text("Approved by")
        assert agent.poll(handle).status_code == 200
        server.services.audit_log.sign()
        tab.open(f"{server.url}/receipt/{name}")
        tab.wait_for_text("This receipt is valid.")
        found[kind] = json.loads(tab.ask("document.getElementById('whole').textContent"))
    return found


@pytest.fixture(scope="module", params=_BROWSERS)
def reader(
    request: pytest.FixtureRequest,
    server: LiveServer,
    tabs: dict[str, Tab],
    receipts: dict[str, Any],
) -> Reader:
    """A browser on a receipt page."""
    tab: Tab = tabs[request.param]
    tab.open(f"{server.url}/receipt/{receipts['terminal']['approval']['id']}")
    tab.wait_for_text("This receipt is valid.")
    return Reader(tab)


@pytest.fixture(params=_ANSWERS)
def receipt(request: pytest.FixtureRequest, receipts: dict[str, Any]) -> Any:
    """A copy of a receipt, which the test may change."""
    return copy.deepcopy(receipts[request.param])


@pytest.fixture(params=SIGNING_ALGS)
def alg(request: pytest.FixtureRequest) -> str:
    """An algorithm of the server's signing keys."""
    name: str = request.param
    return name


def test_a_receipt_is_valid_for_each_kind_of_device_and_server_key(
    server: LiveServer, reader: Reader, receipt: Any, alg: str
) -> None:
    """Each part is listed as verified, with the user and the device."""
    verdict, parts = reader.check(_with_statement(server, receipt, alg))
    (answer,) = receipt["answers"]
    whose, device = _whose(answer), answer["device"]["name"]
    assert verdict == "is valid."
    assert parts == [
        "verified The request and what was shown match their digests.",
        f"verified {whose} approval is signed by the key that the server has for {device}.",
        "verified The audit log contains the request, each answer and the outcome.",
        "verified The server signed every field of this receipt.",
    ]


def test_a_signature_by_another_key_under_the_servers_key_id_is_refused(
    server: LiveServer, reader: Reader, receipt: Any, alg: str
) -> None:
    """A forger can copy the key ID, but does not have the server's key."""
    good = _with_statement(server, receipt, alg)
    kid = json.loads(decode(good["server_signature"].partition(".")[0]))["kid"]
    claims = {name: value for name, value in receipt.items() if name != "server_signature"}
    made_up = new_key(alg, kid).sign(claims, typ=TYPE)
    verdict, parts = reader.check({**good, "server_signature": made_up})
    assert verdict == "is not valid."
    assert parts[:-1] == reader.check(good)[1][:-1]
    assert parts[-1] == (
        "invalid The server signed every field of this receipt: "
        "server_signature: the signature is invalid."
    )


def test_a_receipt_not_signed_by_a_published_key_is_not_proved(
    reader: Reader, receipt: Any
) -> None:
    """A forger could sign with a key of their own."""
    claims = {name: value for name, value in receipt.items() if name != "server_signature"}
    made_up = new_key("ES256", "nobodys").sign(claims, typ=TYPE)
    verdict, parts = reader.check({**receipt, "server_signature": made_up})
    assert verdict == "could not be verified."
    assert parts[-1].endswith("its key is no longer published.")


def test_a_signature_naming_another_algorithm_is_refused(
    server: LiveServer, reader: Reader, receipt: Any, alg: str
) -> None:
    """The key and not the header decides which algorithm is used."""
    good = _with_statement(server, receipt, alg)
    head, body, signature = good["server_signature"].split(".")
    other = SIGNING_ALGS[SIGNING_ALGS.index(alg) - 1]
    head = encode(json.dumps({**json.loads(decode(head)), "alg": other}).encode())
    verdict, parts = reader.check({**good, "server_signature": f"{head}.{body}.{signature}"})
    assert verdict == "is not valid."
    assert parts[-1].endswith("server_signature: the header does not match this key.")


def test_a_decision_signed_by_another_key_under_the_devices_key_id_is_refused(
    server: LiveServer, reader: Reader, receipt: Any
) -> None:
    """The receipt is refused even if the server's own key signed it."""
    (answer,) = receipt["answers"]
    answer["signed"] = forged(answer["signed"])
    verdict, parts = reader.check(_with_statement(server, receipt, "ES256"))
    assert verdict == "is not valid."
    assert parts[1].startswith(f"invalid {_whose(answer)} approval is signed by")
    assert parts[1].endswith("signed: the signature is invalid.")
    assert parts[2].endswith("answers: differ from the log.")
    assert parts[3].startswith("verified ")


def _request_approval(server: LiveServer, person: Terminal, **parameters: Any) -> Approval:
    new_agent(server).request_approval(person.user, **parameters)
    return person.only_request()


def _expired(server: LiveServer, person: Terminal) -> str:
    name = _request_approval(server, person, requested_expiry="60").id
    server.clock.forward(MINUTE)
    server.services.sweeper.round()
    return name


def _canceled(server: LiveServer, person: Terminal) -> str:
    name = _request_approval(server, person).id
    Oversight(server.services.store).cancel(name, "Ask Bob first", by=BY)
    return name


def _granted(server: LiveServer, person: Terminal) -> str:
    agent = new_agent(server)
    agent.request_approval(person.user)
    example = person.only_request()
    proposal = StandingGrantProposal(example.id, 3600, 1, None, (), notify=False)
    person.approve(StandingGrantsClient(person.client).request(proposal, example))
    person.deny(example)
    assert agent.poll(agent.request_approval(person.user)).status_code == 200
    (use, *_) = [item for item in person.client.list_decided().items if item.automatic_decision]
    return use.id


@pytest.mark.parametrize(
    ("end", "state", "other"),
    [
        (_expired, "expired", "cancelled"),
        (_canceled, "cancelled", "expired"),
        (_granted, "redeemed", "approved"),
    ],
)
def test_a_receipt_without_an_answer_is_valid(
    server: LiveServer, person: Terminal, reader: Reader, end: End, state: str, other: str
) -> None:
    """The audit log proves how the request ended, and a different end is reported as wrong."""
    name = end(server, person)
    server.services.audit_log.sign()
    receipt: Any = copy.deepcopy(dict(person.client.receipt(name)))
    assert receipt["approval"]["state"] == state
    verdict, parts = reader.check(receipt)
    assert (verdict, {part.partition(" ")[0] for part in parts}) == ("is valid.", {"verified"}), (
        parts
    )
    assert len(parts) == 3 + (end is _granted)
    receipt["approval"]["state"] = other
    verdict, parts = reader.check(_with_statement(server, receipt, "ES256"))
    assert verdict == "is not valid."
    assert "approval/state: the log" in parts[-2]
    receipt["entries"][0]["proof"] = None
    verdict, parts = reader.check(_with_statement(server, receipt, "ES256"))
    assert verdict == "is valid."
    assert parts[-2].startswith("not verified The audit log contains the request")


def _whose(answer: Any) -> str:
    """Return the user's name in the possessive, as the page writes it."""
    return f"{answer['by']['name']}{_S}"


def _with_statement(server: LiveServer, receipt: Any, alg: str) -> Any:
    """Return the receipt signed by the server's key of this algorithm."""
    claims = {name: value for name, value in receipt.items() if name != "server_signature"}
    with server.services.store.read() as view:
        keys = view.directory.signing_keys()
    return {**claims, "server_signature": server.services.signer.sign(keys, alg, TYPE, claims)}
