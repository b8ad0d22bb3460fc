"""`sayso keys`: list, rotate and revoke."""


def test_a_revoked_key_is_replaced_by_another(admin_cli):
    """The output names both keys and says that resources must fetch the key set again."""
    (old,) = [
        key
        for key in admin_cli("keys", "list", "--json").document["items"]
        if (key["alg"], key["state"]) == ("RS256", "active")
    ]
    result = admin_cli("keys", "revoke", old["kid"], "--json").document
    assert (result["kid"], result["alg"], result["revoked"]) == (old["kid"], "RS256", True)
    kids = [key["kid"] for key in admin_cli("keys", "list", "--json").document["items"]]
    assert result["replaced_by"]["kid"] in kids
    assert old["kid"] not in kids
    again = admin_cli("keys", "revoke", result["replaced_by"]["kid"])
    assert "fetch the key set again" in again.out
    missing = admin_cli("keys", "revoke", old["kid"], "--json")
    assert (missing.code, missing.error["code"]) == (3, "not_found")


def test_rotated_keys_are_both_published(admin_cli):
    """The old key stays published until it retires."""
    admin_cli("keys", "rotate", "--alg", "EdDSA", "--json")
    keys = admin_cli("keys", "list", "--json").document["items"]
    retirement_times = {key["state"]: key["retires_at"] for key in keys if key["alg"] == "EdDSA"}
    assert set(retirement_times) == {"active", "retiring"}
    assert retirement_times["retiring"].endswith("Z")
