"""The Devices page: the user's devices.

Owns: revoking a device, vouching for a new one, unlocking a locked one. Never: revokes this device;
`sayso-approver logout` does that.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from approver_tui.screens.confirm import PIN, ConfirmAction, ConfirmField
from approver_tui.screens.keys import Rows, hint, texts
from approver_tui.screens.page import Page
from approver_tui.state.devices.devices import Device
from approver_tui.state.text import SafeText
from approver_tui.widgets.consents.rights import device_entry, device_lines
from approver_tui.widgets.entry_list import Section
from approver_tui.widgets.entry_sheet import Make
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import Line, say

Found = tuple[Device, ...]


class DevicesPage(Page[Found]):
    """Active devices, then revoked ones."""

    NAME = "Devices"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "revoke", id="revoke", show=False),
        Binding("V", "vouch", id="vouch", show=False),
        Binding("U", "unlock", id="unlock", show=False),
        Binding("n", "rename", id="rename", show=False),
        Binding("T", "test", id="test", show=False),
    ]

    def fetch(self) -> Found:
        """Fetch the devices with their browsers."""
        browsers = self.context.server.browsers()
        return tuple(
            replace(each, browsers=tuple(one for one in browsers if one.device_id == each.id))
            for each in self.context.server.devices()
        )

    def sections(self, found: Found) -> Sequence[Section]:
        """Return active and revoked devices."""
        now = self.context.now()
        used = tuple(device_entry(each, now) for each in found if each.is_active)
        over = tuple(device_entry(each, now) for each in found if not each.is_active)
        sections = [Section(say("DEVICES ({})", len(used)), used)]
        return [*sections, *([Section(say("REVOKED ({})", len(over)), over)] if over else [])]

    def in_full(self, found: Found, entry_id: str) -> tuple[Make, object] | None:
        """Return one in full."""
        one = next((each for each in found if each.id == entry_id), None)
        return None if one is None else (partial(self._lines, one), (entry_id, one))

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys for the selected device."""
        return (
            hint("z", "Revoke..", is_off=bool(self._why_no_revoke())),
            hint("V", "Vouch..", is_off=bool(self._why_no_vouch())),
            hint("U", "Unlock..", is_off=bool(self._why_no_unlock())),
            hint("n", "Rename..", is_off=bool(self._why_nothing())),
            hint("T", "Test..", is_off=bool(self._why_no_test())),
        )

    def help(self) -> Rows:
        """Return the help of the page."""
        return texts(
            ("z", "sign the device out for good"),
            ("V", "let a new device approve high risk at once; requires your PIN"),
            ("U", "unlock a locked device; requires your PIN"),
            ("n", "rename it"),
            ("T", "send a browser a test notification"),
        )

    def action_revoke(self) -> None:
        """Confirm before revoking it."""
        self._ask(self._why_no_revoke(), say("Revoke"), self._revoking)

    def action_vouch(self) -> None:
        """Ask for the PIN before vouching for it."""
        self._ask(self._why_no_vouch(), say("Vouch"), self._vouching)

    def action_unlock(self) -> None:
        """Ask for the PIN before unlocking it."""
        self._ask(self._why_no_unlock(), say("Unlock"), self._unlocking)

    def action_rename(self) -> None:
        """Ask for the new name."""
        self._ask(self._why_nothing(), say("Rename"), self._renaming)

    def action_test(self) -> None:
        """Confirm before sending a test notification."""
        self._ask(self._why_no_test(), say("Test"), self._testing)

    def _ask(
        self, reason: SafeText, verb: SafeText, action: Callable[[Device], ConfirmAction]
    ) -> None:
        one = self._current
        if reason or one is None:
            self.say(say("{} unavailable: {}", verb, reason))
        else:
            self.ask(action(one))

    def _revoking(self, device: Device) -> ConfirmAction:
        words = say(
            "{} is signed out for good and can no longer answer. Its approvals stay.",
            device.name,
        )
        title = say("Revoke {}?", device.name)
        return ConfirmAction(title, say("Revoke"), (words,), partial(self._revoke, device))

    def _vouching(self, device: Device) -> ConfirmAction:
        words = say(
            "{} can approve high risk at once. Only vouch for a device that you enrolled yourself.",
            device.name,
        )
        title = say("Vouch for {}?", device.name)
        do = partial(self._vouch, device)
        return ConfirmAction(title, say("Vouch"), (words,), do, PIN)

    def _unlocking(self, device: Device) -> ConfirmAction:
        words = say(
            "{} was locked after too many wrong PINs. Unlock it only if those were yours.",
            device.name,
        )
        title = say("Unlock {}?", device.name)
        do = partial(self._unlock, device)
        return ConfirmAction(title, say("Unlock"), (words,), do, PIN)

    def _renaming(self, device: Device) -> ConfirmAction:
        words = say("The name appears on this page, in receipts and in the audit log.")
        field = ConfirmField(say("Name"), device.name, _why_no_name, longest=64)
        do = partial(self._rename, device)
        return ConfirmAction(say("Rename {}?", device.name), say("Rename"), (words,), do, field)

    def _testing(self, device: Device) -> ConfirmAction:
        words = say(
            "Sends {} a test message without content. It shows it while it runs.", device.name
        )
        do = partial(self._test, device)
        return ConfirmAction(
            say("Test notifications on {}?", device.name), say("Send"), (words,), do
        )

    def _rename(self, device: Device, name: str) -> SafeText:
        """Runs in a thread."""
        return say("Renamed to {}.", self.context.server.rename_device(device.id, name).name)

    def _test(self, device: Device, _typed: str) -> SafeText:
        """Runs in a thread."""
        count = self.context.server.test_browser(device.id)
        if not count:
            return say(
                "No browser of {} has notifications on: open its page and allow them.", device.name
            )
        return say("Sent. {} shows it within a minute, if its browser runs.", device.name)

    def _why_no_test(self) -> SafeText:
        one = self._current
        if one is None or one.kind != "browser":
            return say("only a browser gets push messages.")
        return self._why_nothing()

    def _revoke(self, device: Device, _pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.server.revoke_device(device.id)
        return say("{} is signed out for good.", device.name)

    def _vouch(self, device: Device, pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.answers.vouch_device(device, pin)
        return say("{} can approve high risk from now on.", device.name)

    def _unlock(self, device: Device, pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.answers.unlock_device(device, pin)
        return say("{} is unlocked.", device.name)

    def _why_no_revoke(self) -> SafeText:
        one = self._current
        if one is not None and one.is_this:
            return say("this is the device you are at; sayso-approver logout signs it out.")
        return self._why_nothing()

    def _why_no_vouch(self) -> SafeText:
        if reason := self._why_nothing() or self._why_not_this():
            return reason
        one = self._current
        is_new = one is not None and one.high_from > self.context.now()
        return SafeText("") if is_new else say("it can already approve high risk.")

    def _why_no_unlock(self) -> SafeText:
        if reason := self._why_nothing() or self._why_not_this():
            return reason
        one = self._current
        return SafeText("") if one is not None and one.pin.locked else say("it is not locked.")

    def _why_not_this(self) -> SafeText:
        one = self._current
        if one is not None and one.is_this:
            return say("you need another device for that.")
        return SafeText("")

    def _why_nothing(self) -> SafeText:
        one = self._current
        if one is None:
            return say("nothing is selected.")
        return self.why_nothing_ends() if one.is_active else say("it has ended.")

    @property
    def _current(self) -> Device | None:
        return next((one for one in self.found or () if one.id == self.cursor), None)

    def _lines(self, device: Device, width: int) -> list[Line]:
        return device_lines(device, self.context.view(width))


def _why_no_name(name: str) -> SafeText:
    return SafeText("") if name.strip() else say("write a name.")
