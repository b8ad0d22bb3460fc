"""An ID may be abbreviated, and a request may be given by its fingerprint."""

import time
from dataclasses import replace
from types import SimpleNamespace

import click
import pytest

from server.cli import references
from server.protocol.approvals.decisions import fingerprint
from tests.support.builders.installation import open_admin


@pytest.fixture
def requests(admin_cli, data_folder):
    """Two pending requests for the same action."""
    ceiling = ("--resource", "https://pay.example", "--scope", "payments:read")
    admin_cli("agents", "add", "invoice-bot", "--owner", "admin", *ceiling)
    services = open_admin(data_folder)
    services.clock.moment = int(time.time() * 1000)
    agent, user = services.agents.show("invoice-bot")[0].id, services.users.show("admin")[0].id
    approvals = [services.approval(agent, user) for _ in range(2)]
    services.store.close()
    return approvals


def test_a_request_can_be_named_by_the_beginning_of_its_id(admin_cli, requests):
    """The beginning works with or without the common prefix, and so does the whole ID."""
    request = requests[0]
    for typed in (request.id, request.id[:-4], request.id.removeprefix("sayso_ap_")[:8]):
        assert admin_cli("approvals", "show", typed, "--json").document["id"] == request.id


def test_a_fingerprint_of_several_requests_lists_them(admin_cli, requests):
    """Both requests have the same action, so the command does not guess."""
    assert requests[0].action_digest == requests[1].action_digest
    typed = fingerprint(requests[0].action_digest)
    error = admin_cli("approvals", "show", typed, "--json").error
    assert error["exit"] == 2
    for request in requests:
        assert request.id in error["message"]
    assert "Type more characters." in error["message"]


def test_a_fingerprint_names_the_only_request_that_has_it(admin_cli, data_folder, requests):
    """The fingerprint is enough if only one request has it."""
    services = open_admin(data_folder)
    other = replace(
        requests[0],
        id="sayso_ap_2222222222222222",
        action_digest="A" * 43,
        auth_req_hash="another",
    )
    with services.store.write() as unit:
        unit.approvals.add(other)
    services.store.close()
    document = admin_cli("approvals", "show", "00000000", "--json").document
    assert document["id"] == other.id


def test_the_audit_log_is_searched_by_the_beginning_of_an_id(admin_cli, requests):
    """A search accepts an abbreviated ID as other commands do."""
    beginning = requests[0].id[:-3]
    search = admin_cli("audit", "search", "--approval", beginning, "--json")
    assert search.code == 0
    assert search.out == admin_cli("audit", "search", "--approval", requests[0].id, "--json").out


def test_an_unknown_id_is_refused_as_it_was_typed(admin_cli, requests):
    """An abbreviation of three characters is too short to match an ID."""
    for typed in ("sayso_ap_zzzzzz", requests[0].id.removeprefix("sayso_ap_")[:3], "ffff-0000"):
        assert admin_cli("approvals", "show", typed, "--json").error["exit"] == 3


@pytest.mark.parametrize("noun", sorted(name for name in references.LISTS if " " in name))
def test_every_kind_of_id_may_be_abbreviated(noun, monkeypatch):
    """An abbreviation that matches two IDs is refused, and both are listed."""
    kind = noun.removesuffix(" ID")
    ids = ["sayso_xx_abcdefgh23456722", "sayso_xx_abcdzzzz23456722"]
    monkeypatch.setattr(references, "LISTS", {noun: lambda _: ids})
    monkeypatch.setattr(
        references, "_requests", lambda _, typed: references._with_prefix(ids, typed)
    )
    assert references.full_id(SimpleNamespace(), kind, "abcdef") == ids[0]
    with pytest.raises(click.UsageError, match="sayso_xx_abcdzzzz23456722"):
        references.full_id(SimpleNamespace(), kind, "sayso_xx_abcd")


def test_an_abbreviation_is_refused_if_the_list_of_ids_is_incomplete():
    """An ID beyond the end of the list could begin in the same way."""
    ids = [f"sayso_dg_{number:016}" for number in range(references._MAX_LISTED)]
    search = SimpleNamespace(search=lambda **_: [_delegation(id_) for id_ in ids])
    admin = SimpleNamespace(delegations=search)
    with pytest.raises(click.UsageError, match="Type the whole ID"):
        references.full_id(admin, "delegations", ids[0][:-1])
    assert references.full_id(admin, "delegations", "zzzz") == "zzzz"


def _delegation(full_id):
    return SimpleNamespace(delegation=SimpleNamespace(id=full_id))
