"""Errors of the SDK, as other processes see them."""

import pickle

import pytest

from sayso import ApprovalRequired, Challenge, Denied, Refused, Rejected, Unreachable
from sayso.errors import Expired

_DENIAL = {"deny_code": "too_broad", "note": "Less", "retry": "narrower", "login_hint": "ben"}


@pytest.mark.parametrize(
    "error",
    [
        Denied(_DENIAL),
        Expired({"reason": "expired_seen", "retry": "wanted"}),
        Refused("access_denied", "No.", {"reason": "policy_denied"}),
        Unreachable("No answer.", 2.0),
        Rejected(403, "not_granted", "No.", {"WWW-Authenticate": "Bearer"}),
        ApprovalRequired(Challenge([{"type": "x"}], "https://pay.example"), "No.", {}),
    ],
)
def test_an_error_reaches_the_caller_from_another_process(error: Exception) -> None:
    """An error that cannot be unpickled breaks a process pool with all its jobs."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # made here
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
