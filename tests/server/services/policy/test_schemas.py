"""Validation of authorization details against the current version of their action type."""

import json
from dataclasses import replace

import pytest

from server.model.policy import ActionRow
from server.protocol import errors
from server.services.policy.schemas import Schemas
from tests.support.builders.installation import PAYMENT

DETAIL = {
    "type": "payment.transfer",
    "amount": {"minor": 1, "currency": "EUR"},
    "payee": "Nordwind",
}
ROW = ActionRow("payment.transfer", json.dumps(PAYMENT), 1, 0)


class Directory:
    """A directory with one registered action type."""

    def __init__(self, row=ROW):
        self.row = row

    def action(self, action_type):
        """Return the row of this type."""
        return self.row if action_type == self.row.type else None


def test_each_detail_is_returned_with_its_type():
    """The types are returned in the order of the details."""
    actions = Schemas().check(Directory(), [DETAIL, DETAIL], None)
    assert [action.type for action in actions] == ["payment.transfer"] * 2
    assert Schemas().check(Directory(), [], None) == ()


def test_an_unregistered_type_is_refused_with_its_index():
    """RFC 9396 5: the error has the index of the detail."""
    with pytest.raises(errors.InvalidAuthorizationDetails, match="/1/type is not a registered"):
        Schemas().check(Directory(), [DETAIL, {"type": "other"}], None)


def test_a_missing_member_is_named_with_its_object():
    """With several details, the name alone would not say in which one it is missing."""
    with pytest.raises(errors.InvalidAuthorizationDetails) as refused:
        Schemas().check(Directory(), [DETAIL, {**DETAIL, "amount": {"minor": 1}}], None)
    assert refused.value.description == "amount.currency is required by payment.transfer in /1."


def test_a_type_not_allowed_for_the_client_is_refused_with_its_index():
    """RFC 9396 10: `authorization_details_types` limits the types that a client may use."""
    assert Schemas().check(Directory(), [DETAIL], ("payment.transfer", "other"))
    with pytest.raises(
        errors.InvalidAuthorizationDetails,
        match="/0/type is an action type that this client cannot",
    ):
        Schemas().check(Directory(), [DETAIL], ())


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"payee": 7}, "^/0/payee of payment.transfer must have the JSON type string"),
        ({"payee": "x" * 71}, "^/0/payee of payment.transfer must have at most 70 characters"),
        (
            {"amount": {"minor": "1", "currency": "EUR"}},
            "^/0/amount/minor .*must have the JSON type",
        ),
        ({"amount": {"minor": 1, "currency": "USD"}}, "/0/amount/currency must be one of: EUR"),
        ({"amount": {"minor": 1}}, "^amount.currency is required by payment.transfer"),
        ({"extra": 1}, "/0 has an unknown member. .* allows: .*payee"),
    ],
)
def test_the_error_for_an_invalid_detail_has_its_path_and_the_remedy(changes, where):
    """The error says where the problem is and what the schema requires."""
    with pytest.raises(errors.InvalidAuthorizationDetails, match=where) as refused:
        Schemas().check(Directory(), [{**DETAIL, **changes}], None)
    assert refused.value.detail


@pytest.mark.parametrize("changes", [{"payee": ["planted"]}, {"planted": 1}, {"amount": "planted"}])
def test_values_from_the_agent_are_not_in_the_error(changes):
    """The error is stored in the audit log, which must not contain text from an agent."""
    with pytest.raises(errors.InvalidAuthorizationDetails) as refused:
        Schemas().check(Directory(), [{**DETAIL, **changes}], None)
    assert "planted" not in refused.value.detail + refused.value.description


def test_a_schema_is_compiled_once_per_version():
    """A new version applies immediately."""
    schemas = Schemas()
    schemas.check(Directory(), [DETAIL], None)
    first = schemas.cache["payment.transfer"]
    schemas.check(Directory(replace(ROW)), [DETAIL], None)
    assert schemas.cache["payment.transfer"] is first
    narrower = json.loads(ROW.document)
    narrower["schema"]["properties"]["payee"]["maxLength"] = 3
    newer = Directory(replace(ROW, document=json.dumps(narrower), version=2))
    with pytest.raises(errors.InvalidAuthorizationDetails, match="at most 3 characters"):
        schemas.check(newer, [DETAIL], None)
