"""The Devices page: the user's devices.

Owns: revoking a device, vouching for a new one, unlocking a locked one. Never: revoking this
device; `sayso-approver logout` does that.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from approver_tui.screens.confirm import PIN, ConfirmAction, ConfirmField
from approver_tui.screens.keys import Rows, help_rows, hint
from approver_tui.screens.page import Page
from approver_tui.state.devices.devices import Device
from approver_tui.state.text import SafeText
from approver_tui.widgets.consents.rights import device_entry, device_lines
from approver_tui.widgets.entry_list import Section
from approver_tui.widgets.entry_sheet import LineMaker
from approver_tui.widgets.key_bar import Hint
from approver_tui.widgets.lines import Line, fmt

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
        sections = [Section(fmt("DEVICES ({})", len(used)), used)]
        return [*sections, *([Section(fmt("REVOKED ({})", len(over)), over)] if over else [])]

    def entry_detail(self, found: Found, entry_id: str) -> tuple[LineMaker, object] | None:
        """Return one in full."""
        one = next((each for each in found if each.id == entry_id), None)
        return None if one is None else (partial(self._lines, one), (entry_id, one))

    def keys(self) -> tuple[Hint, ...]:
        """Return the keys for the selected device."""
        return (
            hint("z", "Revoke..", is_off=bool(self._revoke_blocker())),
            hint("V", "Vouch..", is_off=bool(self._vouch_blocker())),
            hint("U", "Unlock..", is_off=bool(self._unlock_blocker())),
            hint("n", "Rename..", is_off=bool(self._device_blocker())),
            hint("T", "Test..", is_off=bool(self._test_blocker())),
        )

    def help(self) -> Rows:
        """Return the help of the page."""
        return help_rows(
            ("z", "sign the device out for good"),
            ("V", "let a new device approve high risk at once; requires your PIN"),
            ("U", "unlock a locked device; requires your PIN"),
            ("n", "rename it"),
            ("T", "send a browser a test notification"),
        )

    def action_revoke(self) -> None:
        """Confirm before revoking it."""
        self._confirm_or_explain(self._revoke_blocker(), fmt("Revoke"), self._revoke_action)

    def action_vouch(self) -> None:
        """Ask for the PIN before vouching for it."""
        self._confirm_or_explain(self._vouch_blocker(), fmt("Vouch"), self._vouch_action)

    def action_unlock(self) -> None:
        """Ask for the PIN before unlocking it."""
        self._confirm_or_explain(self._unlock_blocker(), fmt("Unlock"), self._unlock_action)

    def action_rename(self) -> None:
        """Ask for the new name."""
        self._confirm_or_explain(self._device_blocker(), fmt("Rename"), self._rename_action)

    def action_test(self) -> None:
        """Confirm before sending a test notification."""
        self._confirm_or_explain(self._test_blocker(), fmt("Test"), self._test_action)

    def _confirm_or_explain(
        self, reason: SafeText, verb: SafeText, action: Callable[[Device], ConfirmAction]
    ) -> None:
        one = self._current
        if reason or one is None:
            self.show_message(fmt("{} unavailable: {}", verb, reason))
        else:
            self.confirm_action(action(one))

    def _revoke_action(self, device: Device) -> ConfirmAction:
        words = fmt(
            "{} is signed out for good and can no longer answer. Its approvals stay.",
            device.name,
        )
        title = fmt("Revoke {}?", device.name)
        return ConfirmAction(title, fmt("Revoke"), (words,), partial(self._revoke, device))

    def _vouch_action(self, device: Device) -> ConfirmAction:
        words = fmt(
            "{} can approve high risk at once. Only vouch for a device that you enrolled yourself.",
            device.name,
        )
        title = fmt("Vouch for {}?", device.name)
        do = partial(self._vouch, device)
        return ConfirmAction(title, fmt("Vouch"), (words,), do, PIN)

    def _unlock_action(self, device: Device) -> ConfirmAction:
        words = fmt(
            "{} was locked after too many wrong PINs. Unlock it only if those were yours.",
            device.name,
        )
        title = fmt("Unlock {}?", device.name)
        do = partial(self._unlock, device)
        return ConfirmAction(title, fmt("Unlock"), (words,), do, PIN)

    def _rename_action(self, device: Device) -> ConfirmAction:
        words = fmt("The name appears on this page, in receipts and in the audit log.")
        field = ConfirmField(fmt("Name"), device.name, _name_problem, longest=64)
        do = partial(self._rename, device)
        return ConfirmAction(fmt("Rename {}?", device.name), fmt("Rename"), (words,), do, field)

    def _test_action(self, device: Device) -> ConfirmAction:
        words = fmt(
            "Sends {} a test message without content. It shows it while it runs.", device.name
        )
        do = partial(self._test, device)
        return ConfirmAction(
            fmt("Test notifications on {}?", device.name), fmt("Send"), (words,), do
        )

    def _rename(self, device: Device, name: str) -> SafeText:
        """Runs in a thread."""
        return fmt("Renamed to {}.", self.context.server.rename_device(device.id, name).name)

    def _test(self, device: Device, _typed: str) -> SafeText:
        """Runs in a thread."""
        count = self.context.server.test_browser(device.id)
        if not count:
            return fmt(
                "No browser of {} has notifications on: open its page and allow them.", device.name
            )
        return fmt("Sent. {} shows it within a minute, if its browser runs.", device.name)

    def _test_blocker(self) -> SafeText:
        one = self._current
        if one is None or one.kind != "browser":
            return fmt("only a browser gets push messages.")
        return self._device_blocker()

    def _revoke(self, device: Device, _pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.server.revoke_device(device.id)
        return fmt("{} is signed out for good.", device.name)

    def _vouch(self, device: Device, pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.answers.vouch_device(device, pin)
        return fmt("{} can approve high risk from now on.", device.name)

    def _unlock(self, device: Device, pin: str) -> SafeText:
        """Runs in a thread."""
        self.context.answers.unlock_device(device, pin)
        return fmt("{} is unlocked.", device.name)

    def _revoke_blocker(self) -> SafeText:
        one = self._current
        if one is not None and one.is_this:
            return fmt("this is the device you are at; sayso-approver logout signs it out.")
        return self._device_blocker()

    def _vouch_blocker(self) -> SafeText:
        if reason := self._device_blocker() or self._this_device_blocker():
            return reason
        one = self._current
        is_new = one is not None and one.high_from > self.context.now()
        return SafeText("") if is_new else fmt("it can already approve high risk.")

    def _unlock_blocker(self) -> SafeText:
        if reason := self._device_blocker() or self._this_device_blocker():
            return reason
        one = self._current
        return SafeText("") if one is not None and one.pin.locked else fmt("it is not locked.")

    def _this_device_blocker(self) -> SafeText:
        one = self._current
        if one is not None and one.is_this:
            return fmt("you need another device for that.")
        return SafeText("")

    def _device_blocker(self) -> SafeText:
        one = self._current
        if one is None:
            return fmt("nothing is selected.")
        return self.action_blocker() if one.is_active else fmt("it has ended.")

    @property
    def _current(self) -> Device | None:
        return next((one for one in self.found or () if one.id == self.cursor), None)

    def _lines(self, device: Device, width: int) -> list[Line]:
        return device_lines(device, self.context.view(width))


def _name_problem(name: str) -> SafeText:
    return SafeText("") if name.strip() else fmt("write a name.")
