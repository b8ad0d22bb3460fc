"""A request is selected by its ID, by a prefix of its ID, or by its fingerprint."""

import pytest

from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import wire_approval

FIRST, SECOND = 2_222_222_222_222_222, 2_222_333_333_333_333


@pytest.fixture
def similar_requests(logged_in, server):
    """Add two requests whose IDs begin with the same characters."""
    del logged_in
    return [
        server.add(wire_approval(number=number, now=server.now())) for number in (FIRST, SECOND)
    ]


@pytest.mark.parametrize("verb", [("show",), ("extend",), ("deny", "--code", "wrong_details")])
def test_a_prefix_of_an_id_is_enough(logged_in, similar_requests, verb):
    """The leading `sayso_ap_`, which all IDs of requests have, can be left out."""
    command, *options = verb
    for typed in ("22223", "sayso_ap_22223"):
        result = logged_in(command, typed, *options, "--json")
        assert result.code == 0, result
        assert similar_requests[1]["id"] in result.out
        if command == "deny":
            break


def test_an_ambiguous_prefix_lists_the_matching_requests(logged_in, similar_requests):
    """The error lists the matching requests, and none of them is denied."""
    error = logged_in("deny", "2222", "--code", "not_needed", "--json").error
    assert error["exit"] == 2
    for approval in similar_requests:
        assert f"{approval['id']} (" in error["detail"]
    for approval in similar_requests:
        assert logged_in("show", str(approval["id"]), "--json").document["decided"] is None


def test_a_fingerprint_selects_a_waiting_or_a_past_request(logged_in, similar_requests, server):
    """A fingerprint can be typed without its dash and in uppercase."""
    shown = logged_in("show", str(similar_requests[0]["id"]), "--json").document
    for typed in (shown["fingerprint"], shown["fingerprint"].replace("-", "").upper()):
        assert logged_in("show", typed, "--json").document["id"] == similar_requests[0]["id"]
    server.decide_elsewhere(str(similar_requests[0]["id"]))
    assert (
        logged_in("show", shown["fingerprint"], "--json").document["id"]
        == similar_requests[0]["id"]
    )


def test_fewer_than_four_characters_select_nothing(logged_in, server):
    """Three characters of an ID are not found, even if only one request is waiting."""
    server.add(wire_approval(number=FIRST, now=server.now()))
    assert logged_in("show", "222", "--json").error["exit"] == 3
    assert logged_in("show", "sayso_ap_", "--json").error["exit"] == 3


def test_a_device_is_selected_by_a_prefix_of_its_id(logged_in):
    """For objects that have only an ID, the first four or more characters are enough."""
    device = logged_in("devices", "list", "--json").document["items"][0]
    prefix = device["id"][: len("sayso_dv_") + 4]
    error = logged_in("devices", "unlock", prefix, "--pin-stdin", "--json", stdin="wrong pin").error
    assert error["exit"] != 3


def test_an_approval_without_a_prompt_does_not_accept_a_fingerprint_as_id(
    logged_in, similar_requests
):
    """An agent could replace the request with a different one that has the same fingerprint."""
    fingerprint = logged_in("show", str(similar_requests[0]["id"]), "--json").document[
        "fingerprint"
    ]
    options = ("--fingerprint", fingerprint, "--pin-stdin", "--json")
    error = logged_in("approve", fingerprint, *options, stdin=PIN).error
    assert (error["exit"], "use the ID of the request" in error["detail"]) == (2, True)
    assert logged_in("show", str(similar_requests[0]["id"]), "--json").document["decided"] is None
    assert logged_in("approve", "22222", *options, stdin=PIN).code == 0
