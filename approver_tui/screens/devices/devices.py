"""The Devices page: the user's devices.

Owns: revoking, vouching for, unlocking, renaming and testing a device. Never: revoking the device
it runs on, which `sayso-approver logout` does.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from approver_tui.screens.confirm import PIN, ConfirmAction, ConfirmField
from approver_tui.screens.page import Page, PageAction, action_bindings
from approver_tui.state.devices.devices import Device
from approver_tui.state.notifications.events import EventName
from approver_tui.state.text import SafeText
from approver_tui.widgets.consents.rights import device_entry, device_lines
from approver_tui.widgets.entry_list import Section
from approver_tui.widgets.lines import Line, fmt

Devices = tuple[Device, ...]


class DevicesPage(Page[Devices, Device]):
    """The page with active devices, then revoked ones."""

    NAME = "Devices"
    EVENTS = frozenset(
        {
            EventName.DEVICE_ENROLLED,
            EventName.DEVICE_REVOKED,
            EventName.DEVICE_LOCKED,
            EventName.DEVICE_UNLOCKED,
            EventName.DEVICE_VOUCHED,
            EventName.DEVICE_UNREACHED,
        }
    )

    def fetch(self) -> Devices:
        """Fetch the devices with their browsers."""
        browsers = self.context.server.browsers()
        return tuple(
            replace(
                device,
                browsers=tuple(browser for browser in browsers if browser.device_id == device.id),
            )
            for device in self.context.server.devices()
        )

    def sections(self, devices: Devices) -> Sequence[Section]:
        """Return a section of active devices and, if there are any, one of revoked devices."""
        now = self.context.now()
        active = tuple(device_entry(device, now) for device in devices if device.is_active)
        revoked = tuple(device_entry(device, now) for device in devices if not device.is_active)
        sections = [Section(fmt("DEVICES ({})", len(active)), active)]
        if revoked:
            sections.append(Section(fmt("REVOKED ({})", len(revoked)), revoked))
        return sections

    def items(self, devices: Devices) -> Devices:
        """Return the devices."""
        return devices

    def lines(self, item: Device, width: int) -> list[Line]:
        """Return the details of a device."""
        return device_lines(item, self.context.view(width))

    def _active_device_blocker(self, device: Device) -> SafeText:
        return self.change_blocker() if device.is_active else fmt("it is already revoked.")

    def _other_device_blocker(self, device: Device) -> SafeText:
        """Return why an action is unavailable that another device must do."""
        if reason := self._active_device_blocker(device):
            return reason
        return fmt("use another device for that.") if device.is_this else SafeText("")

    def _revoke_blocker(self, device: Device) -> SafeText:
        if device.is_this:
            program = self.context.environment.program
            return fmt("this is the device you are using. To sign it out: {} logout.", program)
        return self._active_device_blocker(device)

    @partial(
        PageAction,
        "revoke",
        "revoke the device: it is signed out and can no longer answer",
        _revoke_blocker,
    )
    def _revoke_action(self, device: Device) -> ConfirmAction:
        def do(_typed: str) -> SafeText:
            self.context.server.revoke_device(device.id)
            return fmt("{} is revoked.", device.name)

        words = fmt(
            "{} is signed out and can no longer answer. Its past answers stay valid.", device.name
        )
        return ConfirmAction(fmt("Revoke {}?", device.name), fmt("Revoke"), (words,), do)

    def _vouch_blocker(self, device: Device) -> SafeText:
        if reason := self._other_device_blocker(device):
            return reason
        is_new = device.high_from > self.context.now()
        return SafeText("") if is_new else fmt("it can already approve high risk.")

    @partial(
        PageAction,
        "vouch",
        "let a new device approve high risk immediately; requires your PIN",
        _vouch_blocker,
    )
    def _vouch_action(self, device: Device) -> ConfirmAction:
        def do(pin: str) -> SafeText:
            self.context.answers.vouch_device(device, pin)
            return fmt("{} can now approve high risk.", device.name)

        words = fmt(
            "{} can approve high risk immediately. Vouch only for a device you enrolled yourself.",
            device.name,
        )
        return ConfirmAction(fmt("Vouch for {}?", device.name), fmt("Vouch"), (words,), do, PIN)

    def _unlock_blocker(self, device: Device) -> SafeText:
        if reason := self._other_device_blocker(device):
            return reason
        return SafeText("") if device.pin.locked else fmt("it is not locked.")

    @partial(PageAction, "unlock", "unlock a locked device; requires your PIN", _unlock_blocker)
    def _unlock_action(self, device: Device) -> ConfirmAction:
        def do(pin: str) -> SafeText:
            self.context.answers.unlock_device(device, pin)
            return fmt("{} is unlocked.", device.name)

        words = fmt(
            "{} was locked after too many wrong PINs. Unlock it only if you entered them.",
            device.name,
        )
        return ConfirmAction(fmt("Unlock {}?", device.name), fmt("Unlock"), (words,), do, PIN)

    @partial(PageAction, "rename", "rename it", _active_device_blocker)
    def _rename_action(self, device: Device) -> ConfirmAction:
        def do(name: str) -> SafeText:
            return fmt("Renamed to {}.", self.context.server.rename_device(device.id, name).name)

        words = fmt("The name appears here, in receipts and in the audit log.")
        field = ConfirmField(fmt("Name"), device.name, _name_blocker, max_length=64)
        return ConfirmAction(fmt("Rename {}?", device.name), fmt("Rename"), (words,), do, field)

    def _test_blocker(self, device: Device) -> SafeText:
        if device.kind != "browser":
            return fmt("only a browser gets push messages.")
        return self._active_device_blocker(device)

    @partial(PageAction, "test", "send a browser a test notification", _test_blocker)
    def _test_action(self, device: Device) -> ConfirmAction:
        def do(_typed: str) -> SafeText:
            if self.context.server.test_browser(device.id):
                return fmt("Sent. {} shows it within a minute if its browser is running.", name)
            return fmt("No browser of {} has notifications on: open its page and allow them.", name)

        name = device.name
        words = fmt(
            "Sends a test message without content to {}. Its browser must be running to show it.",
            name,
        )
        return ConfirmAction(fmt("Test notifications on {}?", name), fmt("Send"), (words,), do)

    ACTIONS = (_revoke_action, _vouch_action, _unlock_action, _rename_action, _test_action)
    BINDINGS: ClassVar[list[BindingType]] = action_bindings(*ACTIONS)


def _name_blocker(name: str) -> SafeText:
    return SafeText("") if name.strip() else fmt("enter a name.")
