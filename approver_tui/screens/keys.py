"""The keys that each screen offers, for its key bar and its help.

Owns: labels and their order; the last hints are dropped first if there is no room. Never: the
action of a key, which the bindings of the screen define.
"""

import string
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from textual.binding import Binding, BindingType

from approver_tui.state.approvals.decision import DenyCode
from approver_tui.state.keymap import KEYS, Keymap
from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import Hint

if TYPE_CHECKING:
    from approver_tui.state.approvals.approvals import Approval

_TEXTUAL_NAMES = (
    {
        character: unicodedata.name(character).lower().replace(" ", "_").replace("-", "_")
        for character in string.punctuation
    }
    | {"/": "slash", "\\": "backslash", "_": "underscore", "-": "minus", "+": "plus", "@": "at"}
    | {"Enter": "enter", "Space": "space", "Esc": "escape"}
)

Rows: TypeAlias = tuple[tuple[SafeText, SafeText], ...]
"""Keys and their meanings."""

PAGES = tuple(map(SafeText, ("Inbox", "History", "Agents", "Access", "Devices", "Settings")))
"""The pages, in the order of the digits that open them, from 1."""

_PAGE_CONTENTS = (
    "",
    ", past requests, receipts",
    ", suspend, disable or mute an agent, revoke its access",
    ", consents, standing grants, tokens",
    ", phones, browsers, PIN",
    ", theme, keys, notifications, quiet hours, servers",
)
PAGES_WITH_CONTENTS = tuple(zip(PAGES, map(SafeText, _PAGE_CONTENTS), strict=True))
"""The pages with their contents, which the palette searches."""


def hint(shown: str, label: str, key: str | None = None, *, is_off: bool = False) -> Hint:
    """Return a hint with literal text; `key` is Textual's name for the key if it differs."""
    return Hint(SafeText(shown), SafeText(label), shown if key is None else key, is_off=is_off)


def help_rows(*pairs: tuple[str, str]) -> Rows:
    """Return help rows with literal text; `{name}` stands for the key of that action."""
    return tuple((SafeText(keys), SafeText(meaning)) for keys, meaning in pairs)


HELP = Hint(SafeText("?"), SafeText("Help"), "question_mark", is_kept=True)
QUIT = Hint(SafeText("q"), SafeText("Quit"), "q", is_kept=True)
BACK = Hint(SafeText("Esc"), SafeText("Back"), "escape", is_kept=True)
_F1 = Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True)
ENTER = hint("Enter", "", "")
"""The hint for Enter; a panel sets its label to what Enter does on the focused widget."""
_TAB = hint("Tab", "Next", "tab")
_SELECT = hint("Space", "Select", "space")
_PAGE_DOWN = hint("PgDn", "Scroll", "pagedown")
_SCROLL = hint("j/k", "Scroll", "j")
_READ = hint("Enter", "Read", "enter")

# The keys of each panel; functions below return those of pages and the inbox.
PALETTE_KEYS = (hint("Down", "Next", "down"), hint("Enter", "Run", "enter"), BACK)
SIGN_IN_KEYS = (_TAB, hint("1 2", "Choose", ""), hint("Esc", "Quit", "escape"))
DEVICE_AUTHORIZATION_KEYS = (Hint(SafeText("Esc"), SafeText("Cancel"), "escape", is_kept=True),)
CONFIRM_KEYS = (_TAB, BACK)
APPROVE_KEYS = (_TAB, BACK, _F1, _PAGE_DOWN)
DENY_KEYS = (hint(f"1-{len(DenyCode)}", "Pick", ""), _TAB, BACK, _F1)
BATCH_DENY_KEYS = (*DENY_KEYS, _SELECT)
BATCH_KEYS = (_TAB, BACK, _F1, _SELECT, _PAGE_DOWN)
NARROW_KEYS = (_TAB, _SELECT, BACK, _F1)
STANDING_GRANT_KEYS = (_TAB, _SELECT, BACK, _F1, _PAGE_DOWN)
ELSEWHERE_KEYS = (hint("Down", "Scroll", "down"), BACK)
REPORT_KEYS = (_TAB, BACK, _F1)
HELP_KEYS = (_SCROLL, BACK)


def page_keys(own: tuple[Hint, ...], *, is_reading: bool) -> tuple[Hint, ...]:
    """Return the keys of a page: its own keys, Help and Back, then all others."""
    rest = _SCROLL if is_reading else _READ
    return (*own, HELP, BACK, rest, hint("1-6", "Pages", ""), hint("r", "Refresh"))


def inbox_keys(
    *,
    is_reading: bool,
    can_undo: bool,
    off: frozenset[str] = frozenset(),
    first: tuple[Hint, ...] = (),
    selected: int = 0,
) -> tuple[Hint, ...]:
    """Return the keys of the inbox: `first`, the answers, Help, Back or Quit, then all others.

    Keys in `off` (default keys) do nothing for the current request and are not shown. With
    `selected` requests, approve and deny apply to all of them.
    """
    label_end = f" {selected}.." if selected else ".."
    select = hint("x", "Select", is_off="x" in off)
    select_keys = (select, hint("X", "All/none")) if selected else (select,)
    undo_denial = (hint("u", "Undo"),) if can_undo else ()
    exit_keys = (HELP, BACK) if is_reading else (HELP, QUIT)
    rest = _SCROLL if is_reading else replace(_READ, is_off="v" in off)
    return (
        *first,
        hint("a", f"Approve{label_end}", is_off="a" in off),
        hint("d", f"Deny{label_end}", is_off="d" in off),
        *undo_denial,
        *exit_keys,
        *(select_keys if selected else ()),
        rest,
        hint("e", "Limits..", is_off="e" in off),
        hint("!", "Report..", "exclamation_mark", is_off="!" in off),
        hint("s", "Similar..", is_off="s" in off),
        hint("v", "All details", is_off="v" in off),
        hint("/", "Filter", "slash"),
        hint("o", "Phone..", is_off="o" in off),
        *(() if selected else select_keys),
        hint("1-6", "Pages", ""),
    )


def retry_keys(approval: "Approval | None", now: int, reason: SafeText) -> tuple[Hint, ...]:
    """Return the key that asks an agent to retry, if that is possible."""
    if approval is None or not approval.is_expired(now):
        return ()
    return (hint("R", "Ask to retry", is_off=bool(reason)),)


def results_keys(*, can_undo: bool) -> tuple[Hint, ...]:
    """Return the keys of the results panel."""
    close = Hint(SafeText("Esc"), SafeText("Close"), "escape", is_kept=True)
    undo = (hint("u", "Undo"),) if can_undo else ()
    return (*undo, close, _F1, _SCROLL)


def with_keymap(hints: tuple[Hint, ...], keymap: Keymap) -> tuple[Hint, ...]:
    """Return the hints with the user's key bindings."""
    return tuple(
        key_hint
        if (key := keymap.display_key(key_hint.key_text)) == key_hint.key_text
        else replace(key_hint, key_text=key, key=key_name(key))
        for key_hint in hints
    )


def help_with_keymap(rows: Rows, keymap: Keymap) -> Rows:
    """Return the help rows with the user's key bindings."""
    return tuple((keymap.display_key(key), keymap.fill(meaning)) for key, meaning in rows)


def key_name(shown: SafeText) -> str:
    """Return Textual's name for a key from its displayed name, such as `!` or `Enter`."""
    return _TEXTUAL_NAMES.get(shown, shown)


def bindings(names: str = "", **actions: str) -> list[BindingType]:
    """Return bindings for names in KEYS; `actions` maps names to methods named differently."""
    methods = {name: name for name in names.split()} | actions
    return [
        Binding(key_name(SafeText(KEYS[name])), method, id=name, show=False)
        for name, method in methods.items()
    ]


INBOX_HELP = help_rows(
    ("a", "approve: opens a panel; nothing is approved yet"),
    ("d", "deny: opens a panel for the reason"),
    ("e", "approve with limits: fewer scopes, smaller values, a shorter token lifetime"),
    ("s", "approve similar requests: create a standing grant"),
    ("!", "report a request you did not ask for; quarantines the agent, or all agents"),
    ("W", "withdraw your approval while others must still approve; {undo} undoes it within 5 s"),
    ("u", "undo a denial, a withdrawal, an extension or a retry within 5 seconds"),
    ("o", "open on a phone: show the link to the request as a QR code"),
    ("Enter", "read the request;  Esc goes back to the list"),
    ("v", "switch between the two signed texts and the details"),
    ("x", "select or deselect it, to answer several together with {approve} or {deny}"),
    ("X", "select all that can be answered together with it, or deselect all"),
    ("+", "expand or collapse requests that look alike (x 4)"),
    ("E", "extend: add its original waiting time again; {undo} undoes it within 5 seconds"),
    ("R", "if it expired: ask its agent to retry; {undo} undoes it within 5 seconds"),
    ("S", "snooze for 15 minutes, or end the snooze"),
    ("M", "mute or unmute its agent: no notifications for low and medium risk"),
    ("t", "agent history: earlier requests of its agent"),
    ("w", "go to the next request that waits for you"),
    ("c", "copy a fact: an amount, an account"),
    ("y", "copy its ID"),
    ("Y", "copy the link to its page"),
    ("1-6", "the pages: inbox, history, agents, access, devices, settings"),
    ("/", "filter while you type: words, !word, agent:NAME, risk:high;  Esc clears it"),
    (":", "command palette; also ^p"),
    ("r", "refresh and sort the list"),
    ("L", "lock the app: the next approval requires your PIN"),
    ("j k", "down, up; also the arrow keys"),
    ("g G", "first, last; also Home and End"),
    ("^d ^u", "a screenful; also PgDn and PgUp"),
    ("?", "this page; also F1"),
    ("q", "quit;  ^z suspends"),
)
"""The help of the inbox."""
APPROVE_HELP = help_rows(
    ("Tab", "the fields, then Approve, then Back, where the focus starts"),
    ("Enter", "press the focused button, nothing else"),
    ("PgDn", "scroll down; you must have seen every detail"),
    ("Esc", "back; nothing is approved. What you typed stays, but not the PIN"),
    ("paste", "does nothing here"),
)
"""The help of the approve panel."""
DENY_HELP = help_rows(
    ("1-6", "choose a reason; also j k and the arrow keys"),
    ("Enter", "on the reasons: deny. You then have 5 s to undo it ({undo})"),
    ("Tab", "the fields, then Deny, then Back"),
    ("^o", "in a note: write it in your $EDITOR"),
    ("Esc", "back; nothing is denied, your notes stay"),
)
"""The help of the deny panel."""
_BATCH_HELP = (
    (
        "Space",
        "on a request: select or deselect it, then go to the next; if all are selected, scroll",
    ),
)
BATCH_APPROVE_HELP = help_rows(
    ("Tab", "the requests, the count, the PIN if required, then Approve"),
    *_BATCH_HELP,
    ("count", "for three or more requests: type how many are selected"),
    ("PgDn", "scroll down; you must have seen every line"),
    ("Esc", "back; nothing is approved, the selection stays"),
    ("paste", "does nothing here"),
)
"""The help of the panel that approves several requests."""
BATCH_DENY_HELP = help_rows(
    ("1-6", "on the reasons: choose one; it applies to each request"),
    ("Enter", "on the reasons: deny. You then have 5 s to undo it ({undo})"),
    ("Tab", "the note, then Deny, then Back, then the requests"),
    *_BATCH_HELP,
    ("Esc", "back; nothing is denied, the selection stays"),
)
"""The help of the panel that denies several requests."""
RESULTS_HELP = help_rows(
    ("u", "undo all denials, before the first is sent"),
    ("j k", "down, up; also the arrow keys"),
    ("Esc", "close, once everything is sent; unknown outcomes are still checked"),
)
"""The help of the results panel."""
PAGE_HELP = help_rows(
    ("Enter", "read the entry;  Esc goes back to the list, then to the inbox"),
    ("1-6", "the pages: inbox, history, agents, access, devices, settings"),
    (":", "command palette; also ^p"),
    ("r", "refresh"),
    ("j k", "down, up; also the arrow keys"),
    ("g G", "first, last; also Home and End"),
    ("^d ^u", "a screenful; also PgDn and PgUp"),
    ("?", "this page; also F1"),
    ("q", "quit"),
)
"""The help of every page."""
NARROW_HELP = help_rows(
    ("Tab", "the controls, then Continue, then Back, where the focus starts; also the arrow keys"),
    ("Space", "select or clear a scope or an item; also Enter"),
    ("Enter", "in a field: show the preview"),
    ("Esc", "back; nothing is approved"),
)
"""The help of the narrow panel."""
STANDING_GRANT_HELP = help_rows(
    ("1-5", "on the durations: choose one; also j k and the arrow keys"),
    ("Tab", "next control; Enter or Tab shows what it would cover"),
    ("Space", "select what may vary; an empty limit keeps this request's value"),
    ("Esc", "back; nothing is approved"),
)
"""The help of the standing grant panel."""
REPORT_HELP = help_rows(
    ("digits", "choose an option; also j k and the arrow keys"),
    ("Tab", "the note, then Report, then Back; Enter presses the focused one"),
    ("Esc", "back; nothing is reported, your note stays"),
)
"""The help of the report panel."""
