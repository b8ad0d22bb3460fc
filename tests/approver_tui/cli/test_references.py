"""A request is named by its ID, the beginning of it, or its fingerprint."""

import pytest

from tests.approver_tui.cli.conftest import PIN
from tests.support.builders.approval_texts import wire_approval

FIRST, SECOND = 2_222_222_222_222_222, 2_222_333_333_333_333


@pytest.fixture
def two(logged_in, server):
    """Two requests whose IDs begin alike."""
    del logged_in
    return [server.add(wire_approval(number=each, now=server.now())) for each in (FIRST, SECOND)]


@pytest.mark.parametrize("verb", [("show",), ("extend",), ("deny", "--code", "wrong_details")])
def test_the_beginning_of_an_id_is_enough(logged_in, two, verb):
    """With or without the part that all IDs have."""
    name, *options = verb
    for typed in ("22223", "sayso_ap_22223"):
        done = logged_in(name, typed, *options, "--json")
        assert done.code == 0, done
        assert two[1]["id"] in done.out
        if name == "deny":
            break


def test_an_ambiguous_beginning_lists_what_it_could_be(logged_in, two):
    """Nothing is denied."""
    error = logged_in("deny", "2222", "--code", "not_needed", "--json").error
    assert error["exit"] == 2
    for each in two:
        assert f"{each['id']} (" in error["detail"]
    for each in two:
        assert logged_in("show", str(each["id"]), "--json").document["decided"] is None


def test_a_fingerprint_names_its_request_also_a_past_one(logged_in, two, server):
    """However it is typed."""
    shown = logged_in("show", str(two[0]["id"]), "--json").document
    for typed in (shown["fingerprint"], shown["fingerprint"].replace("-", "").upper()):
        assert logged_in("show", typed, "--json").document["id"] == two[0]["id"]
    server.decide_elsewhere(str(two[0]["id"]))
    assert logged_in("show", shown["fingerprint"], "--json").document["id"] == two[0]["id"]


def test_too_few_characters_mean_nothing(logged_in, server):
    """Even if only one request waits."""
    server.add(wire_approval(number=FIRST, now=server.now()))
    assert logged_in("show", "222", "--json").error["exit"] == 3
    assert logged_in("show", "sayso_ap_", "--json").error["exit"] == 3


def test_a_device_is_named_by_the_beginning_of_its_id(logged_in):
    """So is everything else that has one."""
    device = logged_in("devices", "list", "--json").document["items"][0]
    begun = device["id"][: len("sayso_dv_") + 4]
    error = logged_in("devices", "unlock", begun, "--pin-stdin", "--json", stdin="wrong pin").error
    assert error["exit"] != 3


def test_an_approval_without_a_prompt_takes_no_fingerprint_for_the_id(logged_in, two):
    """An agent can replace the request by another one with the same fingerprint."""
    fingerprint = logged_in("show", str(two[0]["id"]), "--json").document["fingerprint"]
    options = ("--fingerprint", fingerprint, "--pin-stdin", "--json")
    error = logged_in("approve", fingerprint, *options, stdin=PIN).error
    assert (error["exit"], "name the request by its ID" in error["detail"]) == (2, True)
    assert logged_in("show", str(two[0]["id"]), "--json").document["decided"] is None
    assert logged_in("approve", "22222", *options, stdin=PIN).code == 0
