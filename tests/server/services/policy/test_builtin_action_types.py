"""The built-in action types, each with an example."""

import json

import pytest

from server.protocol import errors
from server.protocol.policy import rendering, typed_facts
from server.protocol.policy.action_types import MAX_HEADLINE
from server.protocol.policy.risks import Risk
from server.services.policy import action_types, builtin_action_types
from server.services.policy.displays import MAX_FACTS
from server.services.policy.schemas import Schemas
from server.services.refusals import Invalid, NotFound
from tests.support.builders.installation import BY

EXAMPLES = {
    "payment.transfer": (
        {
            "amount": {"minor": 482_000, "currency": "EUR"},
            "payee": "Nordwind Logistik GmbH",
            "account": "DE89 3704 0044 0532 0130 00",
            "reference": "INV-2291",
            "cut_off": "2026-11-25T15:00:00+01:00",
        },
        "Pay EUR 4,820.00 to Nordwind Logistik GmbH",
        [
            "*Amount: EUR 4,820.00",
            "*To: Nordwind Logistik GmbH",
            "*To account: DE89 3704 0044 0532 0130 00",
            "*Reference: INV-2291",
            "*Cut-off: 2026-11-25 14:00 UTC",
            "Type: payment.transfer",
        ],
    ),
    "payee.change": (
        {
            "payee": "Nordwind Logistik GmbH",
            "old_account": "DE89 3704 0044 0532 0130 00",
            "new_account": "LT12 1000 0111 0100 1000",
            "asked_by": "accounts@nordwind.example",
            "channel": "e-mail",
        },
        "Change Nordwind Logistik GmbH's bank account",
        [
            "*Payee: Nordwind Logistik GmbH",
            "*Old account: DE89 3704 0044 0532 0130 00",
            "*New account: LT12 1000 0111 0100 1000",
            "*Requested by: accounts@nordwind.example",
            "*Channel: e-mail",
            "Type: payee.change",
        ],
    ),
    "deploy.release": (
        {
            "artifact": "checkout",
            "version": "4.12.0",
            "environment": "production",
            "commit": "9f3a71c",
            "lines_changed": 1_204,
            "migrations": 2,
            "rollback": "Deploy 4.11.3; both migrations can be reversed.",
            "canary_percent": 10,
            "regions": ["eu-west", "us-east"],
        },
        "Deploy checkout@4.12.0 to production",
        [
            "*Environment: production",
            "*Commit: 9f3a71c",
            "*Lines changed: 1,204",
            "*Migrations: 2",
            "*Rollback: Deploy 4.11.3; both migrations can be reversed.",
            "*Canary, percent: 10",
            "*Region 1: eu-west",
            "*Region 2: us-east",
            "Artifact: checkout",
            "Type: deploy.release",
            "Version: 4.12.0",
        ],
    ),
    "data.read": (
        {
            "system": "crm",
            "rows": 312,
            "fields": ["name", "e-mail"],
            "personal_data": True,
            "destination": "newsletter tool",
        },
        "Read 312 records from crm",
        [
            "*Records: 312",
            "*Field 1: name",
            "*Field 2: e-mail",
            "*Personal data: yes",
            "*Destination: newsletter tool",
            "System: crm",
            "Type: data.read",
        ],
    ),
    "data.delete": (
        {
            "system": "orders",
            "rows": 1,
            "filter": "status = 'draft' and older than a year",
            "last_backup": None,
            "sample": ["order 4711, draft since 2024"],
            "dry_run": False,
        },
        "Delete 1 record from orders",
        [
            "*Records: 1",
            "*System: orders",
            "*Filter: status = 'draft' and older than a year",
            "*Last backup: none",
            "*Sample 1: order 4711, draft since 2024",
            "*Dry run: no",
            "Type: data.delete",
        ],
    ),
    "message.send": (
        {
            "recipients": ["ana@acme.example", "bo@acme.example"],
            "domains": ["acme.example"],
            "external_domains": ["acme.example"],
            "subject": "Your invoice",
            "text": "It is attached.",
            "attachments": [],
        },
        "Send a message to 2 people at acme.example",
        [
            "*Outside the company 1: acme.example",
            "*Domain 1: acme.example",
            "*Recipient 1: ana@acme.example",
            "*Recipient 2: bo@acme.example",
            "*Subject: Your invoice",
            "*Text: It is attached.",
            "*Attachments: none",
            "Type: message.send",
        ],
    ),
    "access.grant": (
        {
            "who": "bo",
            "role": "operator",
            "what": "the order database",
            "permissions": ["read every table", "end other sessions"],
            "until": "2026-11-25T18:00:00Z",
        },
        "Give bo operator access to the order database until 2026-11-25 18:00 UTC",
        [
            "*Who: bo",
            "*Role: operator",
            "*Resource: the order database",
            "*Permission 1: read every table",
            "*Permission 2: end other sessions",
            "*Until: 2026-11-25 18:00 UTC",
            "Type: access.grant",
        ],
    ),
    "secret.rotate": (
        {"key": "db-password", "services": ["api", "worker", "cron"], "downtime_seconds": 30},
        "Replace db-password; 3 services use it",
        [
            "*Key: db-password",
            "*Used by 1: api",
            "*Used by 2: worker",
            "*Used by 3: cron",
            "*Downtime, seconds: 30",
            "Type: secret.rotate",
        ],
    ),
}
NAMES = sorted(EXAMPLES)


def _details(name):
    """The details in the order of canonical JSON."""
    return dict(sorted({"type": name, **EXAMPLES[name][0]}.items()))


def _displayed_lines(name, details):
    action = action_types.read(builtin_action_types.document(name))
    return rendering.render_headline(action, details), [
        f"{'*' if fact.material else ''}{fact.label}: {fact.value}"
        for fact in rendering.facts(action, details)
    ]


def test_nine_action_types_are_built_in():
    """Eight types can be registered; the ninth is the generic type."""
    assert list(builtin_action_types.documents()) == sorted([*NAMES, builtin_action_types.GENERIC])


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_type_displays_a_headline_and_all_facts(name):
    """The facts are complete, and the material facts come first."""
    _, headline, facts = EXAMPLES[name]
    assert _displayed_lines(name, _details(name)) == (headline, facts)
    assert len(headline) <= MAX_HEADLINE


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_type_can_be_registered_and_accepts_its_example(admin_services, name):
    """The registered type has the built-in name and document and refuses unknown members."""
    row = admin_services.actions.add(builtin_action_types.registrable(name), by=BY)
    assert (row.type, row.version) == (name, 1)
    assert row.document == builtin_action_types.document(name)
    with admin_services.store.read() as view:
        (action,) = Schemas().check(view.directory, [_details(name)], None)
        with pytest.raises(errors.InvalidAuthorizationDetails):
            Schemas().check(view.directory, [{**_details(name), "more": 1}], None)
    assert action.risk is (Risk.CRITICAL if name == "payee.change" else Risk.HIGH)


@pytest.mark.parametrize("name", NAMES)
def test_a_built_in_type_requires_the_members_of_its_headline(name):
    """A headline never displays `none` for a missing member."""
    action = action_types.read(builtin_action_types.document(name))
    named = {part.path[0] for part in action.headline if not isinstance(part, str)}
    assert named <= set(action.schema["required"])


@pytest.mark.parametrize("name", NAMES)
def test_the_longest_details_of_a_built_in_type_can_be_displayed(name):
    """Even with its longest lists, a type has no more facts than a display may have."""
    properties = (
        action_types.read(builtin_action_types.document(name)).schema["properties"].values()
    )
    assert sum(member.get("maxItems", 1) for member in properties) <= MAX_FACTS


def test_a_long_headline_is_shortened_at_names_not_at_amounts():
    """The payee is cut in the headline and complete in the facts; the amount is never cut."""
    paid = {"minor": 2**53 - 1, "currency": "EUR"}
    details = {**_details("payment.transfer"), "amount": paid, "payee": "Nordwind " * 7}
    headline, facts = _displayed_lines("payment.transfer", details)
    assert headline == "Pay EUR 90,071,992,547,409.91 to Nordwind Nordwind Nordwind Nordwind No…"
    assert f"*To: {'Nordwind ' * 7}" in facts


def test_the_generic_type_cannot_be_registered():
    """The server uses it itself to display types that have no headline."""
    with pytest.raises(Invalid, match="types without a headline"):
        builtin_action_types.registrable(builtin_action_types.GENERIC)
    bare = {"type": "service.restart", "title": "Restart the service", "schema": _EMPTY}
    details = builtin_action_types.generic_details(
        action_types.read(json.dumps(bare)), "https://ops.example"
    )
    headline = rendering.render_headline(builtin_action_types.generic(), details)
    assert headline == "Restart the service on https://ops.example"


_EMPTY = {"type": "object", "additionalProperties": False}


def test_the_error_for_an_unknown_built_in_type_names_the_type():
    """The administrator sees what was misspelled."""
    with pytest.raises(NotFound, match="no built-in action type payment"):
        builtin_action_types.registrable("payment")


@pytest.mark.parametrize(
    ("outside", "typed"),
    [
        (["nord.example", "ost.example"], "/authorization_details/0/external_domains/0"),
        ([], "/authorization_details/0/domains/0"),
    ],
)
def test_type_back_for_a_message_is_an_external_domain(outside, typed):
    """For an internal message, the approver types one of its own domains instead."""
    action = action_types.read(builtin_action_types.document("message.send"))
    details = {**_details("message.send"), "domains": ["acme.example", *outside]}
    sent = {**details, "external_domains": outside}
    assert typed_facts.fact_to_type([action], [sent], target_is_new=False).at == typed
