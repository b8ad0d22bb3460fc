"""Which keys a screen offers, for its key bar and its help.

Owns: labels and their order; what comes last is dropped first where room is short.
Never: what a key does; that is the screen's bindings.
"""

from approver_tui.state.text import SafeText
from approver_tui.widgets.key_bar import Hint

HELP = Hint(SafeText("?"), SafeText("Help"), "question_mark", is_kept=True)
QUIT = Hint(SafeText("q"), SafeText("Quit"), "q", is_kept=True)
BACK = Hint(SafeText("Esc"), SafeText("Back"), "escape", is_kept=True)


def inbox_keys(
    *, is_reading: bool, can_take_back: bool, approve_off: bool, deny_off: bool
) -> tuple[Hint, ...]:
    """Return the keys of the inbox: those that decide, the ways out, then the rest."""
    take_back = (_hint("u", "Take back"),) if can_take_back else ()
    way_out = (HELP, BACK) if is_reading else (HELP, QUIT)
    rest = (_hint("j/k", "Scroll", "j"),) if is_reading else (_hint("Enter", "Read", "enter"),)
    return (
        _hint("a", "Approve..", is_off=approve_off),
        _hint("d", "Deny..", is_off=deny_off),
        *take_back,
        *way_out,
        *rest,
        _hint("v", "All details"),
        _hint("r", "Refresh"),
    )


def approve_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that approves."""
    return (
        _hint("Tab", "Next", "tab"),
        BACK,
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
        _hint("PgDn", "Read on", "pagedown"),
    )


def deny_keys() -> tuple[Hint, ...]:
    """Return the keys of the panel that denies."""
    return (
        _hint("1-6", "Pick", ""),
        _hint("Enter", "Deny", ""),
        BACK,
        Hint(SafeText("F1"), SafeText("Help"), "f1", is_kept=True),
        _hint("Tab", "Note", "tab"),
    )


def help_keys() -> tuple[Hint, ...]:
    """Return the keys of the help page."""
    return (_hint("j/k", "Scroll", "j"), BACK)


def inbox_help() -> tuple[tuple[SafeText, SafeText], ...]:
    """Return what the help says about the inbox."""
    return _texts(
        ("a", "open the panel that approves; nothing is approved yet"),
        ("d", "open the panel that denies, with a reason for the agent"),
        ("u", "take back a denial within its 5 seconds"),
        ("Enter", "read the request;  Esc goes back to the list"),
        ("v", "show the two signed texts, or the facts again"),
        ("r", "ask the server again and put the list in order"),
        ("L", "lock: the next approval takes the PIN again"),
        ("j k", "down, up; also the arrows"),
        ("g G", "first, last; also Home and End"),
        ("^d ^u", "a screenful; also PgDn and PgUp"),
        ("? F1", "this page"),
        ("q", "quit;  ^z suspends"),
    )


def approve_help() -> tuple[tuple[SafeText, SafeText], ...]:
    """Return what the help says about the panel that approves."""
    return _texts(
        ("Tab", "to the PIN, then to Approve; the focus starts on Back"),
        ("Enter", "presses the button that has the focus, nothing else"),
        ("PgDn", "read on; every fact must have been on the screen"),
        ("Esc", "back; nothing is approved"),
        ("paste", "does nothing here"),
    )


def deny_help() -> tuple[tuple[SafeText, SafeText], ...]:
    """Return what the help says about the panel that denies."""
    return _texts(
        ("1-6", "pick a reason; also j k and the arrows"),
        ("Enter", "on the list: deny. You then have 5 s to take it back (u)"),
        ("Tab", "to the note for the agent, then to the buttons"),
        ("Esc", "back; nothing is denied"),
    )


def _hint(shown: str, label: str, key: str | None = None, *, is_off: bool = False) -> Hint:
    return Hint(SafeText(shown), SafeText(label), shown if key is None else key, is_off=is_off)


def _texts(*pairs: tuple[str, str]) -> tuple[tuple[SafeText, SafeText], ...]:
    return tuple((SafeText(keys), SafeText(meaning)) for keys, meaning in pairs)
