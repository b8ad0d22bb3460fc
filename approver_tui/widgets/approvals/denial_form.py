"""The form for a denial: the reason, when to ask again or whom to ask instead, the notes.

Owns: the numbered list of reasons with what the agent may do after each; the other fields, and
which of them a reason needs. Never: sending; preselecting a reason.
"""

from datetime import tzinfo

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from approver_tui.state.approvals.approvals import Kind
from approver_tui.state.approvals.decision import DenialExtras, DenyCode
from approver_tui.state.retry_delays import RetryDelay
from approver_tui.state.text import SafeText
from approver_tui.widgets.choices import Choices
from approver_tui.widgets.line_input import LineInput
from approver_tui.widgets.lines import Line, Piece, Role, fmt, justify, length
from approver_tui.widgets.note_input import NoteInput

_CODES = tuple(DenyCode)
_MAX_NAME_LENGTH = 254
NOT_PICKED = fmt("choose a reason, 1 to {}.", len(_CODES))
"""The hint that a reason must be chosen first."""


class DenyCodes(Choices):
    """A line for each reason, with what the agent may do after it."""

    def __init__(self) -> None:
        super().__init__([SafeText(code.label) for code in _CODES])
        self.styles.height = len(_CODES)

    @property
    def code(self) -> DenyCode | None:
        """The chosen reason, if any."""
        return None if self.index is None else _CODES[self.index]

    def choice_lines(self, number: int, text: SafeText, role: Role, width: int) -> list[Line]:
        """Return the line of a reason; if there is room, it says what the agent may do."""
        label = Piece(text, role)
        agent_may = Piece(fmt("({})", SafeText(_CODES[number].agent_may)), Role.DIM)
        if length((label,)) + length((agent_may,)) >= width:
            return [(label,)]
        return [justify((label,), (agent_may,), width)]


class DenialForm(Vertical):
    """The list of reasons, fields for some reasons, a note and a private note."""

    def __init__(self, kind: Kind, editor: str) -> None:
        super().__init__()
        self._is_for_agent = kind is Kind.ACTION
        self._codes = DenyCodes()
        self._until = Choices([SafeText(wait.value) for wait in RetryDelay], id="until")
        self._ask_instead = LineInput(id="ask-instead", max_length=_MAX_NAME_LENGTH, compact=True)
        self._ask_instead.cursor_blink = False
        self._note = NoteInput(editor, id="note")
        self._private_note = NoteInput(editor, id="private")

    def compose(self) -> ComposeResult:
        """Lay out the reasons, their fields and the notes; without an agent only one note."""
        reader = "agent sees" if self._is_for_agent else "audit log keeps"
        yield self._codes
        yield Static(f"The {reader} your reason and note.", markup=False)
        yield Static("When it can ask again (optional):", id="until-label", markup=False)
        yield self._until
        yield Static("Who to ask instead (optional):", id="ask-instead-label", markup=False)
        yield self._ask_instead
        addressee = "to the agent" if self._is_for_agent else "for the audit log"
        yield Static(f"Note {addressee} (optional):", markup=False)
        yield self._note
        if self._is_for_agent:
            yield Static("Private note (audit log only):", markup=False)
            yield self._private_note

    def show(self) -> None:
        """Show the fields that the chosen reason needs."""
        extra_field = self._extra_member
        self.query_one("#until-label").display = self._until.display = extra_field == "retry_at"
        self.query_one("#ask-instead-label").display = self._ask_instead.display = (
            extra_field == "ask"
        )

    @property
    def code(self) -> DenyCode | None:
        """The chosen reason, if any."""
        return self._codes.code

    @property
    def note(self) -> str:
        """The note to the agent or, without one, for the audit log."""
        return self._note.value.strip()

    def extras(self, now: int, zone: tzinfo | None) -> DenialExtras:
        """Return the values of the other fields."""
        alternative = self._ask_instead.value.strip() if self._extra_member == "ask" else ""
        private_note = self._private_note.value.strip()
        return DenialExtras(self._retry_at(now, zone), alternative or None, private_note or None)

    @property
    def _extra_member(self) -> str | None:
        return None if self.code is None else self.code.takes

    def _retry_at(self, now: int, zone: tzinfo | None) -> int | None:
        if self._extra_member != "retry_at" or self._until.index is None:
            return None
        return tuple(RetryDelay)[self._until.index].until(now, zone)
