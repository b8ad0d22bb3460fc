"""The wiring: the client, its feed and the way to answer, behind the ports of the screens.

Owns: what a desk is made of. Never: a screen of its own.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from approver_tui import settings
from approver_tui.attention.caller import Caller
from approver_tui.attention.ringer import Ringer
from approver_tui.client import attention, config_file, profile, standing
from approver_tui.client.api import open_client
from approver_tui.client.deciding import Decider
from approver_tui.client.elsewhere import Others
from approver_tui.client.errors import BrokenProfile
from approver_tui.client.feed import Feed
from approver_tui.client.intents import Intents
from approver_tui.client.neighbour import server_folder_is_open
from approver_tui.client.profile import Home
from approver_tui.screens.desk import Desk, Login, Place, Setting
from approver_tui.screens.guard import InputGuard
from approver_tui.screens.inbox import InboxScreen
from approver_tui.state.text import display_safe


@dataclass(frozen=True, slots=True)
class FileBook:
    """The person's settings in their file, and the logins beside it."""

    home: Home

    def logins(self) -> tuple[Login, ...]:
        """Return those that can be read."""
        return tuple(filter(None, map(self._login, self.home.names)))

    def _login(self, name: str) -> Login | None:
        try:
            known = profile.load(self.home.named(name))
        except BrokenProfile:
            return None
        if known is None:
            return None
        is_here = name == self.home.name
        return Login(name, known.issuer, known.user_name, known.device_name, is_here)

    def settings(self) -> tuple[Setting, ...]:
        """Return all of them. Raises BadSetting."""
        chosen = settings.load()
        return tuple(
            Setting(
                name=name,
                value=value.text,
                source=value.source,
                means=(option := settings.OPTIONS[name]).means,
                form=option.form,
                choices=self.home.names if name == settings.PROFILE else option.choices,
                is_fixed=value.source.startswith(settings.PREFIX),
            )
            for name, value in chosen.values.items()
        )

    def keep(self, name: str, value: str) -> None:
        """Keep a value. Raises BadSetting."""
        settings.checked(name, value, "settings")
        config_file.write(settings.this_file(), {name: value})


def furnished(
    home: Home,
    place: Place,
    *,
    guard: InputGuard,
    closing: ExitStack,
    ring: Callable[[str], None],
) -> Callable[[], InboxScreen]:
    """Open the client of a login and return how its inbox is made. Raises ClientError."""
    client = open_client(home, clock=settings.wall_clock)
    closing.callback(client.close)
    others = Others(home, clock=settings.wall_clock)
    closing.callback(others.close)
    desk = Desk(
        server=client,
        answers=Decider(client),
        bell=attention.Bell(client),
        ahead=standing.Ahead(client),
        feed=Feed(client),
        intents=Intents(home),
        guard=guard,
        now=client.now,
        ticks=time.monotonic,
        place=place,
        caller=Caller(Ringer(place.preferences, time.monotonic), place.surroundings, ring),
        others=others,
    )
    return partial(InboxScreen, desk)


def place(home: Home, chosen: settings.Settings, approval_id: str | None) -> Place:
    """Return where the app runs, for a login that is there."""
    issuer = profile.needed(home).issuer
    has_others = len(home.names) > 1
    return Place(
        folder_is_open=server_folder_is_open(issuer, chosen.server_folder) is not None,
        opens_at=approval_id,
        preferences=chosen.preferences,
        surroundings=chosen.surroundings,
        book=FileBook(home),
        issuer=issuer,
        login=display_safe(home.name if has_others else ""),
        zone_name=settings.local_zone(),
        theme=chosen.theme,
        keymap=chosen.keymap,
    )
