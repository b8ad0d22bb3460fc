"""`sayso devices` and `sayso users unlock`."""


def test_devices_are_listed_unlocked_and_revoked(admin_cli, services):
    """A device with an exhausted PIN needs a new code, and the output says so."""
    admin = services.users.show("admin")[0]
    locked = services.device(admin, pin_tries=10)
    exhausted_device = services.device(admin, name="old", pin_tries=10, pin_unconfirmed=50)
    assert "locked" in admin_cli("devices", "list", "--user", "admin").out
    result = admin_cli("users", "unlock", "admin")
    assert "laptop" in result.out
    assert "Too many wrong PIN attempts on old. Run: sayso users enroll admin" in result.out
    pins = {
        d["id"]: d["pin"] for d in admin_cli("users", "show", "admin", "--json").document["devices"]
    }
    assert pins[locked.id] == {"tries": 0, "left": 10, "locked": False, "exhausted": False}
    assert pins[exhausted_device.id]["exhausted"] is True
    assert admin_cli("devices", "revoke", locked.id, "--json").document["state"] == "revoked"
    assert "was already revoked" in admin_cli("devices", "revoke", locked.id).out
    states = {d["id"]: d["state"] for d in admin_cli("devices", "list", "--json").document["items"]}
    assert states == {locked.id: "revoked", exhausted_device.id: "active"}
    assert "laptop" in admin_cli("users", "show", "admin").out
