"""Every key is in the help and the palette of its screens."""

import pytest
from textual.binding import Binding

from approver_tui.screens.approvals.inbox import InboxScreen
from approver_tui.screens.help import HelpScreen
from approver_tui.screens.keys import help_with_keymap
from approver_tui.screens.pages import PAGE_CLASSES
from approver_tui.screens.palette import Palette, commands
from approver_tui.state.keymap import KEYS, Keymap
from tests.support.clients.driving import (
    open_stage,
    press,
    until,
    until_shown,
)
from tests.support.fakes.fake_approvals import three_approvals

SCREENS = (InboxScreen, *PAGE_CLASSES)
CUSTOM_KEYMAP = Keymap({name: f"f{number}" for number, name in enumerate(KEYS, 20)})
"""A keymap in which no action has its default key."""


def _action_names(screen):
    """Return the names of the actions in KEYS that a screen has."""
    bindings = (binding for base in screen.__mro__ for binding in base.__dict__.get("BINDINGS", ()))
    return {
        binding.id for binding in bindings if isinstance(binding, Binding) and binding.id in KEYS
    }


def test_every_key_does_something_on_some_screen():
    """Every action in KEYS exists on at least one screen."""
    assert set().union(*map(_action_names, SCREENS)) == set(KEYS)


@pytest.mark.parametrize("keymap", [Keymap(), CUSTOM_KEYMAP], ids=["default", "custom"])
@pytest.mark.parametrize("digit", range(1, 7), ids=[screen.__name__ for screen in SCREENS])
async def test_every_key_of_a_screen_is_in_its_help_and_palette(digit, keymap):
    """The help and the palette list every key of the screen, with the user's keymap."""
    async with open_stage(three_approvals(), environment={"keymap": keymap}) as (pilot, stage):
        await press(pilot, stage, str(digit))
        rows = help_with_keymap(stage.app.screen.help_rows(), keymap)
        expected = {keymap.key(name) for name in _action_names(SCREENS[digit - 1])}
        assert expected <= {key for key, _meaning in rows}
        assert expected <= {command.key for command in commands(rows)}


async def test_only_the_chosen_key_is_shown():
    """The help lists the chosen keys and none of the default keys."""
    async with open_stage(three_approvals(), environment={"keymap": CUSTOM_KEYMAP}) as (
        pilot,
        stage,
    ):
        await press(pilot, stage, CUSTOM_KEYMAP.key("help"))
        assert isinstance(stage.app.screen, HelpScreen)
        rows = help_with_keymap(stage.app.screen_stack[-2].help_rows(), CUSTOM_KEYMAP)
        shown_keys = {word for keys, _meaning in rows for word in keys.split()}
        assert not shown_keys & set(KEYS.values())


async def test_the_palette_includes_help_and_copy_link():
    """The palette finds the copy-link and help commands by their descriptions."""
    async with open_stage(three_approvals()) as (pilot, stage):
        await press(pilot, stage, "colon", *"copy the link", "enter")
        await until_shown(pilot, stage, "Copied")
        await press(pilot, stage, "colon", *"this page", "enter")
        await until(pilot, lambda: isinstance(stage.app.screen, HelpScreen))
        await press(pilot, stage, "escape", "colon")
        assert isinstance(stage.app.screen, Palette)
