"""Which keys a screen offers, for its key bar and its help.

Owns: labels and their order; what comes last is dropped first where room is short.
Never: what a key does; that is the screen's bindings.
"""

import string
import unicodedata
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from approver_tui.state.keymap import Keymap
from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import Hint

if TYPE_CHECKING:
    from approver_tui.state.approvals.approvals import Approval

HELP = Hint(SafeText("?"), SafeText("Help"), "question_mark", is_kept=True)
QUIT = Hint(SafeText("q"), SafeText("Quit"), "q", is_kept=True)
BACK = Hint(SafeText("Esc"), SafeText("Back"), "escape", is_kept=True)

_NAMES = MappingProxyType(
    {
        character: unicodedata.name(character).lower().replace(" ", "_").replace("-", "_")
        for character in string.punctuation
    }
    | {
        "/": "slash",
        "\\": "backslash",
        "_": "underscore",
        "-": "minus",
        "+": "plus",
        "@": "at",
        "Enter": "enter",
    }
    | {"Space": "space", "Esc": "escape"}
)

Rows: TypeAlias = tuple[tuple[SafeText, SafeText], ...]
"""Keys and what they do."""

PAGES = (
    SafeText("Inbox"),
    SafeText("History"),
    SafeText("Agents"),
    SafeText("Rights"),
    SafeText("Devices"),
    SafeText("Settings"),
)
"""The pages in the order of their digits, from 1."""


def page_keys(own: tuple[Hint, ...], *, is_reading: bool) -> tuple[Hint, ...]:
    """Return the keys of a page: its own, the ways out, then the rest."""
    rest = (hint("j/k", "Scroll", "j"),) if is_reading else (hint("Enter", "Read", "enter"),)
    pages = hint("1-6", "Pages", "")
    return (*own, HELP, BACK, *rest, pages, hint("r", "Refresh"))


def palette_keys() -> tuple[Hint, ...]:
    """Return the keys of the palette."""
    return (hint("Down", "Next", "down"), hint("Enter", "Do it", "enter"), BACK)


def sign_in_keys() -> tuple[Hint, ...]:
    """Return the keys of the screen that signs in."""
    return (
        hint("Tab", "Next", "tab"),
        hint("1 2", "Way", ""),
        hint("Esc", "Quit", "escape"),
    )


def invitation_keys() -> tuple[Hint, ...]:
    """Return the keys while another device is waited for."""
    return (Hint(SafeText("Esc"), SafeText("Give up"), "escape", is_kept=True),)


def confirm_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that asks before something ends."""
    return (hint("Tab", "Next", "tab"), BACK)


def inbox_keys(
    *,
    is_reading: bool,
    can_take_back: bool,
    off: frozenset[str] = frozenset(),
    retry: tuple[Hint, ...] = (),
    marked: int = 0,
) -> tuple[Hint, ...]:
    """Return the keys of the inbox: what is left to do, then to decide, the ways out, the rest.

    Those in `off`, as they are called from the start, do nothing to the selected request. With
    `marked` requests those that decide are for all of them.
    """
    of_them = f" {marked}.." if marked else ".."
    mark = hint("x", "Mark")
    take_back = (hint("u", "Take back"),) if can_take_back else ()
    way_out = (HELP, BACK) if is_reading else (HELP, QUIT)
    rest = (hint("j/k", "Scroll", "j"),) if is_reading else (hint("Enter", "Read", "enter"),)
    return (
        *retry,
        replace(hint("a", f"Approve{of_them}", is_off="a" in off), leads=True),
        replace(hint("d", f"Deny{of_them}", is_off="d" in off), leads=True),
        *take_back,
        *way_out,
        *((mark,) if marked else ()),
        *rest,
        hint("e", "Less..", is_off="e" in off),
        hint("!", "Report..", "exclamation_mark", is_off="!" in off),
        hint("s", "Similar..", is_off="s" in off),
        hint("v", "All details"),
        hint("/", "Filter", "slash"),
        hint("o", "Phone..", is_off="o" in off),
        *(() if marked else (mark,)),
    )


def retry_keys(approval: "Approval | None", now: int, reason: SafeText) -> tuple[Hint, ...]:
    """Return the key that asks an agent to ask again, where there is something to ask it."""
    if approval is None or not approval.is_lapsed(now):
        return ()
    return (hint("R", "Ask to retry", is_off=bool(reason)),)


def approve_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that approves."""
    return (
        hint("Tab", "Next", "tab"),
        BACK,
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
        hint("PgDn", "Read on", "pagedown"),
    )


def deny_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that denies."""
    return (
        hint("1-6", "Pick", ""),
        hint("Enter", "Deny", ""),
        BACK,
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
        hint("Tab", "Next", "tab"),
    )


def batch_keys() -> tuple[Hint, ...]:
    """Return the keys of the panels for several requests at once."""
    return (
        hint("Tab", "Next", "tab"),
        BACK,
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
        hint("Space", "Tick", "space"),
        hint("PgDn", "Read on", "pagedown"),
    )


def results_keys(*, can_take_back: bool) -> tuple[Hint, ...]:
    """Return the keys of what became of several answers."""
    return (
        *((hint("u", "Take back"),) if can_take_back else ()),
        Hint(SafeText("Esc"), SafeText("Close"), "escape", is_kept=True),
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
        hint("j/k", "Scroll", "j"),
    )


def narrow_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that approves less."""
    return (
        hint("Tab", "Next", "tab"),
        hint("Space", "Tick", "space"),
        BACK,
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
    )


def similar_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that approves ahead."""
    return (
        hint("Tab", "Next", "tab"),
        BACK,
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
        hint("PgDn", "Read on", "pagedown"),
    )


def elsewhere_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that leads to a request's page."""
    return (hint("Down", "Read on", "down"), BACK)


def report_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that reports."""
    return (
        hint("1-3", "Pick", ""),
        hint("Tab", "Next", "tab"),
        BACK,
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
    )


def help_keys() -> tuple[Hint, ...]:
    """Return the keys of the help page."""
    return (hint("j/k", "Scroll", "j"), BACK)


def inbox_help() -> Rows:
    """Return what the help says about the inbox."""
    return texts(
        ("a", "open the panel that approves; nothing is approved yet"),
        ("d", "open the panel that denies, with a reason for the agent"),
        ("e", "approve less: fewer rights, smaller facts, a shorter life of the token"),
        ("s", "similar: approve requests like this one ahead, so often and so long"),
        ("!", "report what you did not ask for; stops the agent, or every one"),
        ("u", "take back a denial within its 5 seconds"),
        ("o", "go on elsewhere: the request's page, as a picture for a phone"),
        ("Enter", "read the request;  Esc goes back to the list"),
        ("v", "show the two signed texts, or the facts again"),
        (
            "x",
            "mark it, to answer several at once with {approve} or {deny}; again takes the mark off",
        ),
        ("X", "take every mark off"),
        ("+", "requests that look alike (x 4): one by one, or in one row again"),
        ("E", "let it wait longer: as long again as it was given at first; asks first"),
        ("R", "of what expired: ask its agent to ask again"),
        ("S", "snooze: it rings again in a quarter of an hour; again ends that; asks first"),
        ("M", "mute its agent: nothing of low or medium risk rings; again ends that"),
        ("t", "trail: what its agent asked before, in the history"),
        ("y", "copy its id"),
        ("Y", "copy the link to its page"),
        ("1-6", "the pages: inbox, history, agents, rights, devices, settings"),
        ("/", "show only some: words, !word, agent:NAME, risk:high"),
        (":", "the palette: find what you want to do by a few letters; also ^p"),
        ("r", "ask the server again and put the list in order"),
        ("L", "lock: the next approval takes the PIN again"),
        ("j k", "down, up; also the arrows"),
        ("g G", "first, last; also Home and End"),
        ("^d ^u", "a screenful; also PgDn and PgUp"),
        ("?", "this page; also F1"),
        ("q", "quit;  ^z suspends"),
    )


def approve_help() -> Rows:
    """Return what the help says about the panel that approves."""
    return texts(
        ("Tab", "to what is to be typed, then to Approve; Back has the focus first"),
        ("Enter", "presses the button that has the focus, nothing else"),
        ("PgDn", "read on; every fact must have been on the screen"),
        ("Esc", "back; nothing is approved"),
        ("paste", "does nothing here"),
    )


def deny_help() -> Rows:
    """Return what the help says about the panel that denies."""
    return texts(
        ("1-6", "pick a reason; also j k and the arrows"),
        ("Enter", "on the list: deny. You then have 5 s to take it back ({take_back})"),
        ("Tab", "to what the reason asks for, to the two notes, then to the buttons"),
        ("Esc", "back; nothing is denied"),
    )


def batch_approve_help() -> Rows:
    """Return what the help says about the panel that approves several."""
    return texts(
        ("Tab", "to the requests, to the count, to the PIN where it is due, then to Approve"),
        *_BATCH_HELP,
        ("Esc", "back; nothing is approved, and the marks stay"),
        ("paste", "does nothing here"),
    )


def batch_deny_help() -> Rows:
    """Return what the help says about the panel that denies several."""
    return texts(
        ("Tab", "to the requests, to the reasons, to the note, to the count, then to Deny"),
        *_BATCH_HELP,
        ("1-6", "on the reasons: pick one; it is told for each of them"),
        ("Esc", "back; nothing is denied, and the marks stay"),
    )


_BATCH_HELP = (
    ("Space", "on a request: tick or untick it; what is unusual is ticked by hand alone"),
    ("count", "type how many are ticked; then the button can be pressed"),
    ("PgDn", "read on; every line must have been on the screen"),
)


def results_help() -> Rows:
    """Return what the help says about what became of several answers."""
    return texts(
        ("u", "take all denials back, before the first one leaves"),
        ("j k", "down, up; also the arrows"),
        ("Esc", "close, once nothing more is sent; what is not known is asked on"),
    )


def page_help() -> Rows:
    """Return what the help says about every page."""
    return texts(
        ("Enter", "read the entry;  Esc goes back to the list, then to the inbox"),
        ("1-6", "the pages: inbox, history, agents, rights, devices, settings"),
        (":", "the palette: find what you want to do by a few letters; also ^p"),
        ("r", "ask the server again"),
        ("j k", "down, up; also the arrows"),
        ("g G", "first, last; also Home and End"),
        ("^d ^u", "a screenful; also PgDn and PgUp"),
        ("?", "this page; also F1"),
        ("q", "quit"),
    )


def narrow_help() -> Rows:
    """Return what the help says about the panel that approves less."""
    return texts(
        ("Tab", "to the next control; also the arrows. The focus starts on Back"),
        ("Space", "ticks or unticks a right or an item; also Enter"),
        ("Enter", "in a field: ask the server how it would read"),
        ("Esc", "back; nothing is approved"),
    )


def similar_help() -> Rows:
    """Return what the help says about the panel that approves ahead."""
    return texts(
        ("For", "how long: 15m, 1h, up to 30d at low risk, 8h at medium, 1h at high"),
        ("Sum", "how much money in all, as in 30; nothing where no money is meant"),
        ("Vary", "what need not be the same: amount=20 up to a cap, reference for any text"),
        ("Tab", "to the next field; Enter or Tab asks the server what it would cover"),
        ("Esc", "back; nothing is approved"),
    )


def report_help() -> Rows:
    """Return what the help says about the panel that reports."""
    return texts(
        ("1-3", "choose whom to stop; also j k and the arrows"),
        ("Tab", "to the note, then to the buttons; Enter presses the one with the focus"),
        ("Esc", "back; nothing is reported"),
    )


def as_chosen(hints: tuple[Hint, ...], keymap: Keymap) -> tuple[Hint, ...]:
    """Return the hints with the keys that the person chose."""
    return tuple(
        each
        if (key := keymap.shown(each.shown)) == each.shown
        else replace(each, shown=key, key=key_name(key))
        for each in hints
    )


def help_as_chosen(rows: Rows, keymap: Keymap) -> Rows:
    """Return what the help says with the keys that the person chose."""
    return tuple((keymap.shown(key), keymap.fill(meaning)) for key, meaning in rows)


def key_name(shown: SafeText) -> str:
    """Return what Textual calls a key that a person reads as `!`, `f2` or `Enter`."""
    return _NAMES.get(shown, shown)


def hint(shown: str, label: str, key: str | None = None, *, is_off: bool = False) -> Hint:
    """Return a key of our own words; `key` is its name for Textual where that is another."""
    return Hint(SafeText(shown), SafeText(label), shown if key is None else key, is_off=is_off)


def texts(*pairs: tuple[str, str]) -> Rows:
    """Return keys and meanings of our own words; `{name}` stands for the key of that name."""
    return tuple((SafeText(keys), SafeText(meaning)) for keys, meaning in pairs)
